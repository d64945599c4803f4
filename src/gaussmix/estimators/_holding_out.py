"""How well a classifier does on rows that it was not fitted to: each fold of the rows is held out once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold

from gaussmix._progress import Progress
from gaussmix._typing import BoolArray, Float64Array, FloatArray, IntArray
from gaussmix.apps.classes.calibration import Reliability, measure_reliability
from gaussmix.apps.classes.labelled import UNKNOWN
from gaussmix.estimators._classes import read_classes


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What classifiers say of rows that they were not fitted to.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
    places : ndarray of shape (m,)
        The rows with a known class, among all.
    truth : ndarray of shape (m,)
        The class of each, by its place in `classes`.
    weights : ndarray of shape (m,)
    probabilities : ndarray of shape (m, n_classes)
    log_densities : ndarray of shape (m,)
    rejected : ndarray of shape (m,)
        Whether no class was given.
    n_folds : int
    """

    classes: NDArray[Any]
    places: IntArray
    truth: IntArray
    weights: Float64Array
    probabilities: Float64Array
    log_densities: Float64Array
    rejected: BoolArray
    n_folds: int

    @property
    def labels(self) -> IntArray:
        """The most probable class of each row, by its place in `classes`."""
        return np.asarray(self.probabilities.argmax(axis=1))

    @property
    def reliability(self) -> Reliability:
        """Accuracy, Brier score, log-loss and reliability curve."""
        known = np.arange(len(self.classes))
        return measure_reliability(self.probabilities, self.truth, classes=known, sample_weight=self.weights)

    @property
    def confusion(self) -> Float64Array:
        """The weight of rows of class i (row) that were taken for class j (column)."""
        n = len(self.classes)
        pairs = self.truth * n + self.labels
        return np.asarray(np.bincount(pairs, self.weights, minlength=n * n), dtype=np.float64).reshape(n, n)


def hold_out(
    model: Any,
    take: Callable[[IntArray], Any],
    y: NDArray[Any],
    sample_weight: FloatArray | None,
    *,
    n_folds: int,
    seed: int,
    on_progress: Callable[[Progress], Any] | None = None,
) -> HeldOut:
    """Fit clones of a classifier to all but one fold of the rows, and ask each about its own.

    Parameters
    ----------
    model : GaussianMixtureClassifier
    take : callable
        The rows at some places, as the classifier takes them.
    y : ndarray of shape (n,)
        Classes as it takes them; rows of no known class are seen by every clone.
    sample_weight : ndarray of shape (n,) or None
    n_folds : int
        No more are made than the smallest class has rows.
    seed : int
    on_progress : callable, optional
        Called before each fold.

    Raises
    ------
    ValueError
        If a class has but one row, which cannot be held out and learnt from.
    """
    classes, labels = read_classes(y, len(y))
    places, others = np.flatnonzero(labels != UNKNOWN), np.flatnonzero(labels == UNKNOWN)
    truth = labels[places]
    counts = np.bincount(truth, minlength=len(classes))
    if counts.min() < 2:
        lone = classes[counts.argmin()]
        raise ValueError(f"class {lone} has a single row, which cannot be both learnt from and held out")
    n_folds = min(n_folds, int(counts.min()))
    probabilities = np.zeros((len(places), len(classes)))
    log_densities, rejected = np.zeros(len(places)), np.zeros(len(places), dtype=bool)
    folds = StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(places, truth)
    for done, (train, test) in enumerate(folds):
        if on_progress is not None:
            on_progress(Progress("rows held out", "fold", done, n_folds, share=done / n_folds))
        rows = np.sort(np.concatenate([places[train], others]))
        weights = None if sample_weight is None else sample_weight[rows]
        fitted = clone(model).fit(take(rows), y[rows], sample_weight=weights)
        held = take(places[test])
        probabilities[test] = fitted.predict_proba(held)
        log_densities[test] = fitted.score_samples(held)
        rejected[test] = find_rejected(fitted, probabilities[test], log_densities[test])
    return HeldOut(
        classes,
        places,
        truth,
        np.ones(len(places))
        if sample_weight is None
        else np.asarray(sample_weight[places], dtype=np.float64),
        probabilities,
        log_densities,
        rejected,
        n_folds,
    )


def find_rejected(model: Any, probabilities: Float64Array, log_densities: Float64Array) -> BoolArray:
    """Rows to which a fitted classifier gives no class."""
    unlike = log_densities < model.density_threshold_
    return np.asarray(unlike | (probabilities.max(axis=1) < model.reject_posterior))
