"""Which model of classes: by log-loss on rows that each fold holds out, or by BIC.

The likelihood of a mixture says how well it describes rows, not how well it tells classes apart; log-loss on
rows that were held out does, and it is a proper score. So it is the default, of calibrated probabilities. The
search goes up: families with one component a class, with as much shrinkage as is best, and from there to more
components for as long as that lowers the loss by more than its standard error over the rows.

References
----------
T. Hastie and R. Tibshirani, Discriminant analysis by Gaussian mixtures, J. R. Stat. Soc. B 58 (1996) 155-176.
M. Stone, Cross-validatory choice and assessment of statistical predictions, J. R. Stat. Soc. B 36 (1974)
111-147.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.random import RandomState

from gaussmix._typing import Float64Array, IntArray
from gaussmix.apps.classes.calibration import Calibration, calibrate, measure_losses
from gaussmix.apps.classes.fitting import ClassModel, Effort, SeenRows, Share, fit_classes
from gaussmix.apps.classes.labelled import LabelledRows
from gaussmix.errors import FitError
from gaussmix.model.covariance import get_structure

#: Families that are tried: one covariance for all classes, each component its own, and that without
#: correlations. With shrinkage the way from one to another is a continuous one. They do not depend on units.
FAMILIES = ("EEE", "VVV", "VVI")
#: Features beyond which the next families are tried: a general covariance takes the cube of their number.
MANY_FEATURES = 300
#: Families without correlations.
FAMILIES_OF_MANY = ("EEI", "VVI")
#: Shrinkages that are tried, in rows.
SHRINKAGES = (1.0, 4.0, 16.0, 64.0, 256.0, 1024.0)
#: The shrinkage to begin with, by its place.
MIDDLE = 2
#: Numbers of components of a class that are tried.
NUMBERS = (1, 2, 4, 8, 16)
#: A class has at least so many rows for each component,
ROWS_EACH = 8
#: and so many for each feature of it: a mean alone takes as many numbers as there are features.
ROWS_EACH_FEATURE = 0.5
#: Folds beyond which no others are held out once so many rows have been.
ENOUGH_HELD_OUT = 700
#: Effort of fits that are compared.
QUICK = Effort(tol=3e-3, max_iter=12, n_init=1)
#: A model is left that is behind by so many standard errors on the rows held out so far.
HOPELESS = 3.0
#: A model of more components has to lower the loss by so many standard errors of the difference.
MARGIN = 1.0
#: Steps to more components without a gain after which a family is left; one that is worse by more than its
#: standard error is enough.
PATIENCE = 2


#: The places of training rows, and of those held out.
Split: TypeAlias = tuple[IntArray, IntArray]


@dataclass(frozen=True)
class Options:
    """The models among which there is a choice."""

    families: tuple[str, ...] = FAMILIES
    #: Components of each class, for each model in turn: the same number for all, or one for each class.
    numbers: tuple[int | tuple[int, ...], ...] = NUMBERS
    shrinkages: tuple[float, ...] = SHRINKAGES
    share: Share = "covariances"

    @property
    def is_open(self) -> bool:
        """Whether there is more than one model."""
        return max(len(self.families), len(self.numbers), len(self.shrinkages)) > 1


@dataclass(frozen=True)
class Trial:
    """How one model did on rows that were held out."""

    model: ClassModel
    #: Mean log-loss of calibrated probabilities, in nats; infinite where the model could not be fitted.
    log_loss: float
    accuracy: float
    calibration: Calibration
    #: Of each row that was held out.
    losses: Float64Array = field(repr=False)
    #: How much rows without a label counted, where there were any.
    unlabelled_weight: float = 0.0
    #: Whether all folds were held out: not where it was far behind after some, or could not be fitted.
    complete: bool = True

    def beats(self, other: Trial, weights: Float64Array, margin: float = 0.0) -> bool:
        """Whether its loss is lower, by more than a number of standard errors of the difference."""
        if not self.complete or not other.complete:
            return self.complete
        mean, error = compare_losses(self.losses, other.losses, weights)
        return mean > margin * error


def choose_trial(trials: Sequence[Trial]) -> Trial:
    """The one of least loss, of those that were held out in all folds if there is any."""
    return min(trials, key=lambda trial: (not trial.complete, trial.log_loss))


def compare_losses(losses: Float64Array, others: Float64Array, weights: Float64Array) -> tuple[float, float]:
    """By how much losses are lower than others, on average, and the standard error; of the rows of both."""
    n = min(len(losses), len(others))
    if not n:  # one of them could not be fitted
        return (np.inf if len(losses) else -np.inf), 0.0
    gains, w = others[:n] - losses[:n], weights[:n]
    mean = float(w @ gains / w.sum())
    return mean, float(np.sqrt(w @ (gains - mean) ** 2) / w.sum())


class Folds:
    """Labelled rows in folds, each held out in turn; rows without a label are never.

    Parameters
    ----------
    data : LabelledRows
    splits : sequence of pairs of arrays
        The places of the training rows, and of the rows held out, of each fold.
    seed : int
        Of the starts: the same for each model.
    class_prior : ndarray of shape (n_classes,), optional
    """

    def __init__(
        self,
        data: LabelledRows,
        splits: Sequence[Split],
        seed: int,
        class_prior: Float64Array | None = None,
    ) -> None:
        self.data, self.seed, self.class_prior = data, seed, class_prior
        self.parts = [(SeenRows(data.take(left)), held_out) for left, held_out in splits]
        self.places = np.concatenate([held_out for _, held_out in splits])
        self.weights = data.rows.masses[self.places]

    def try_model(self, model: ClassModel, rival: Trial | None = None) -> Trial:
        """Fit a model to the other rows of each fold, and see how it does on the fold.

        A model that is far behind its rival after some folds is left there.
        """
        joint: list[Float64Array] = []
        try:
            for part in self.parts:
                joint.append(self._fit(model, *part))
                trial = self._judge(model, np.concatenate(joint))
                if rival is not None and len(rival.losses) and np.isfinite(rival.log_loss):
                    behind, error = compare_losses(rival.losses, trial.losses, self.weights)
                    if behind > HOPELESS * error:
                        return replace(trial, complete=False)
        except FitError:
            return Trial(model, np.inf, 0.0, Calibration(), np.empty(0), complete=False)
        return trial

    def _judge(self, model: ClassModel, joint: Float64Array) -> Trial:
        """How a model did on the first of the rows that are held out."""
        places = self.places[: len(joint)]
        labels, weights = self.data.labels[places], self.weights[: len(joint)]
        calibration = calibrate(joint, labels, weights)
        losses = measure_losses(calibration.find_probabilities(joint), labels)
        total = weights.sum()
        accuracy = float(weights @ (joint.argmax(axis=1) == labels) / total)
        return Trial(model, float(weights @ losses / total), accuracy, calibration, losses)

    def _fit(self, model: ClassModel, seen: SeenRows, held_out: IntArray) -> Float64Array:
        rng = np.random.RandomState(self.seed)
        fit = fit_classes(seen, model, rng, class_prior=self.class_prior, effort=QUICK)
        return fit.classed.log_joint(self.data.rows.take(held_out).values)


def divide_labels(data: LabelledRows, n_folds: int, rng: RandomState) -> list[Split]:
    """Folds of labelled rows that have equal shares of each class.

    Copies of a row are in one fold, so that weights and copies give the same folds, in any order of the rows.
    There are fewer folds where the smallest class has fewer rows; a class of one row is held out in none.
    Folds are left out once enough rows are held out.
    """
    table = np.column_stack([data.labels, np.asarray(data.rows.array)])
    distinct, copies = np.unique(table, axis=0, return_inverse=True)
    labels = distinct[:, 0].astype(np.int64)
    counts = np.bincount(labels, minlength=data.n_classes)
    several = counts[counts > 1]
    n = min(n_folds, int(several.min()) if several.size else 1)
    if n < 2:
        raise ValueError(
            "a model is chosen by rows that are held out, which takes two different labelled rows of each "
            'class; give n_components, covariance_type and shrinkage, or criterion="bic"'
        )
    fold_of, first = np.full(len(labels), -1), 0
    for c in np.flatnonzero(counts > 1):
        own = rng.permutation(np.flatnonzero(labels == c))
        fold_of[own] = (first + np.arange(len(own))) % n
        first += len(own)  # so that no fold has the remainders of all classes
    of_all, splits, n_held_out = fold_of[copies.ravel()], [], 0.0
    for fold in range(n):
        held_out = np.flatnonzero(of_all == fold)
        splits.append((np.flatnonzero(of_all != fold), held_out))
        n_held_out += max(len(held_out), data.rows.masses[held_out].sum())
        if n_held_out >= ENOUGH_HELD_OUT:
            break
    return splits


class Search:
    """The models that were tried on folds, and the best of them."""

    def __init__(self, folds: Folds, options: Options) -> None:
        self.folds, self.options = folds, options
        self.trials: dict[ClassModel, Trial] = {}

    def find_best(self) -> Trial:
        """The best model, from fewer components to more."""
        first, *others = self._list_sizes()
        best: Trial | None = None
        levels: dict[str, Trial] = {}
        for family in self.options.families:
            levels[family] = self._find_shrinkage(family, first, None, best)
            if best is None or levels[family].beats(best, self.folds.weights):
                best = levels[family]
        assert best is not None
        misses = dict.fromkeys(levels, 0)
        for sizes in others:
            for family in [name for name, n in misses.items() if n < PATIENCE]:
                before = levels[family]
                after = self._find_shrinkage(family, sizes, before.model.shrinkage, best)
                if after.complete and after.beats(before, self.folds.weights, MARGIN):
                    levels[family], misses[family] = after, 0
                else:
                    worse, error = compare_losses(before.losses, after.losses, self.folds.weights)
                    misses[family] += PATIENCE if worse > error else 1
                if after.beats(best, self.folds.weights, MARGIN):
                    best = after
        if not best.complete:
            raise FitError(
                "every model has a singular covariance in some fold: give more rows of the smallest class, "
                'or let shrinkage be "auto"'
            )
        return best

    def list_contenders(self, best: Trial) -> list[ClassModel]:
        """The best model, and the best of each family with the fewest components."""
        first = self._list_sizes()[0]
        found = [best.model]
        for family in self.options.families:
            simple = [
                trial
                for model, trial in self.trials.items()
                if trial.complete and model.covariance_type == family and model.sizes == first
            ]
            if simple:
                found.append(choose_trial(simple).model)
        return list(dict.fromkeys(found))

    def _list_sizes(self) -> list[tuple[int, ...]]:
        """Components of each class, for each model in turn: fewer in classes of few rows."""
        found: list[tuple[int, ...]] = []
        chosen = len(self.options.numbers) > 1
        data = self.folds.data
        each = max(ROWS_EACH, ROWS_EACH_FEATURE * data.rows.shape[1])
        most = np.maximum(data.count_rows() // each, 1).astype(np.int64)
        n_classes = self.folds.data.n_classes
        for number in self.options.numbers:
            sizes = number if isinstance(number, tuple) else (number,) * n_classes
            if chosen and self.options.share != "components":
                sizes = tuple(int(size) for size in np.minimum(sizes, most))
            elif chosen and sizes[0] > most.sum():
                continue
            if sizes not in found:
                found.append(sizes)
        return found

    def _find_shrinkage(
        self, family: str, sizes: tuple[int, ...], near: float | None, rival: Trial | None
    ) -> Trial:
        """The best of a family and these numbers, by going from a shrinkage to better ones beside it."""
        amounts = self.options.shrinkages
        if get_structure(family).n_factors:
            amounts = (0.0,)
        place = amounts.index(near) if near in amounts else min(MIDDLE, len(amounts) - 1)
        best = self._try(family, sizes, amounts[place], rival)
        for step in (1, -1):
            moved = False
            while 0 <= place + step < len(amounts):
                beside = self._try(family, sizes, amounts[place + step], rival)
                if compare_losses(beside.losses, best.losses, self.folds.weights)[0] <= 0.0:
                    break
                best, place, moved = beside, place + step, True
            if moved:
                break
        return best

    def _try(self, family: str, sizes: tuple[int, ...], shrinkage: float, rival: Trial | None) -> Trial:
        model = ClassModel(family, sizes, self.options.share, shrinkage)
        if model not in self.trials:
            self.trials[model] = self.folds.try_model(model, rival)
        return self.trials[model]
