r"""M-steps of experts that are estimators of scikit-learn, with responsibilities as their weights.

A regressor that follows its training rows closely, as trees do, leaves residuals there that are far less than
those of other rows: their variance says nothing, and an E-step by them freezes whichever memberships it
finds. So rows are divided in folds, and residuals are those of rows that the folds' regressors have not seen.
Each iteration fits every expert once for each fold. The log-likelihood is of held-out rows for that reason:
it says how well the model predicts, and it may fall from one iteration to the next.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Generic, Self, TypeVar

import numpy as np
from numpy.random import RandomState

from gaussmix._typing import Float64Array, IntArray
from gaussmix.apps.experts.estimator_experts import (
    ClassifierExperts,
    RegressorExperts,
    measure_errors,
    predict_classes,
    predict_outputs,
    raise_floors,
)
from gaussmix.apps.experts.linear_step import LinearStep
from gaussmix.apps.experts.weighted_fitting import WeightedFit, cut_folds, take_rows
from gaussmix.fit.mstep.regularise import NO_ROWS
from gaussmix.model.covariance import NotPositiveDefiniteError, Structure

#: Weights, relative to the mean, below which a row counts as this: many estimators need rows of all classes.
LEAST_WEIGHT = 1e-9
#: Steps of EM for the floor of a classifier.
FLOOR_STEPS = 20
#: The least floor of a classifier's probabilities.
LEAST_FLOOR = 1e-6

M = TypeVar("M")


@dataclass(frozen=True, eq=False)
class HeldOut(Generic[M]):
    """What is iterated: the experts without estimators, and what these say of rows they have not seen."""

    experts: M
    #: Residuals (k, n, m) in units of spreads, or probabilities of the rows' classes (k, n).
    found: Float64Array
    #: Responsibilities times weights that the estimators were fitted with, shape (n, k).
    R: Float64Array

    @property
    def n_experts(self) -> int:
        """Number of experts k."""
        return int(self.R.shape[1])


@dataclass(frozen=True, eq=False)
class Fitting:
    """How estimators are fitted to the training rows, and the rows."""

    way: WeightedFit
    #: Array or data frame of n rows.
    X: Any
    #: What estimators are fitted to: (n,) or (n, m).
    y: Any
    #: The fold of each row, shape (n,).
    folds: IntArray
    #: For what estimators draw: the same in each iteration.
    seed: int

    @classmethod
    def of_rows(cls, template: Any, X: Any, y: Any, folds: IntArray, rng: RandomState) -> Self:
        """That of rows in folds."""
        return cls(WeightedFit.of(template), X, y, folds, int(rng.randint(2**31 - 1)))

    def take(self, rows: IntArray) -> Self:
        """That of some of the rows."""
        return replace(self, X=take_rows(self.X, rows), y=self.y[rows], folds=self.folds[rows])

    def fit(self, weights: Float64Array, expert: int, rows: IntArray | None = None) -> Any:
        """An estimator that is fitted to the rows, or some of them."""
        weights = np.maximum(weights / weights.mean(), LEAST_WEIGHT)
        seed = self.seed + expert
        if rows is None:
            return self.way.fit(self.X, self.y, weights, seed)
        return self.way.fit(take_rows(self.X, rows), self.y[rows], weights[rows], seed)

    def cut(self) -> list[tuple[IntArray, IntArray]]:
        """The training rows of each fold, and those that are held out."""
        return cut_folds(self.folds)


@dataclass(frozen=True, eq=False)
class EstimatorStep(ABC):
    """The M-step of estimators for the training rows."""

    fitting: Fitting

    @abstractmethod
    def update(self, R: Float64Array, before: Any) -> Any:
        """Experts that are fitted with these responsibilities, and what they say of held-out rows."""

    def log_prior(self, experts: Any) -> float:
        """Zero: what estimators penalise is their own."""
        return 0.0

    def _check_counts(self, R: Float64Array) -> None:
        counts = R.sum(axis=0)
        if not (counts >= NO_ROWS).all():
            raise NotPositiveDefiniteError(tuple(int(i) for i in np.flatnonzero(~(counts >= NO_ROWS))), 0.0)

    def _fit_all(self, R: Float64Array) -> tuple[Any, ...]:
        """The estimators of all rows."""
        return tuple(self.fitting.fit(weights, expert) for expert, weights in enumerate(R.T))


@dataclass(frozen=True, eq=False)
class RegressorStep(EstimatorStep):
    """The M-step of regressors with Gaussian residuals."""

    #: Outputs in units of their spreads, and the least variances.
    noise: LinearStep

    @classmethod
    def of_rows(
        cls, template: Any, X: Any, Y: Float64Array, masses: Float64Array, structure: Structure,
        folds: IntArray, rng: RandomState,
    ) -> Self:  # fmt: skip
        """The step of rows X and Y, shape (n, m), of positive weights."""
        noise = LinearStep.of_rows(np.empty((len(Y), 0)), Y, masses, structure)
        y = Y[:, 0] if Y.shape[1] == 1 else Y
        return cls(Fitting.of_rows(template, X, y, folds, rng), noise)

    def update(self, R: Float64Array, before: HeldOut[RegressorExperts] | None) -> HeldOut[RegressorExperts]:
        """Experts with the covariances of the residuals of rows that they have not seen."""
        self._check_counts(R)
        outputs, k = self.noise.outputs, R.shape[1]
        m, n = outputs.columns.shape
        errors = np.empty((k, n, m))
        for train, test in self.fitting.cut():
            held_out = take_rows(self.fitting.X, test)
            for expert in range(k):
                estimator = self.fitting.fit(R[:, expert], expert, train)
                located = (predict_outputs(estimator, held_out, m) - outputs.centre) / outputs.spreads
                errors[expert, test] = outputs.columns[:, test].T - located
        S = np.swapaxes(errors * R.T[:, :, None], 1, 2) @ errors
        warm = None if before is None else before.experts.covariance_stack
        covariances, roots = self.noise.find_covariances(S, R.sum(axis=0), warm)
        experts = RegressorExperts((None,) * k, self.noise.structure, covariances, roots, m)
        return HeldOut(experts, errors, R)

    def evaluate(self, experts: HeldOut[RegressorExperts]) -> Float64Array:
        """Log p_k(y_i | x_i) of the training rows as they are held out, in the data's units, shape (n, k)."""
        found = measure_errors(self.noise.structure, experts.experts.roots, experts.found)
        return np.asarray((found + self.noise.outputs.log_det).T)

    def find_spikes(self, experts: HeldOut[RegressorExperts], counts: Float64Array) -> tuple[int, ...]:
        """None: a spike predicts no row that it has not seen."""
        return ()

    def publish(self, experts: HeldOut[RegressorExperts]) -> RegressorExperts:
        """The experts with estimators of all rows, in the data's units."""
        found, spreads = experts.experts, self.noise.outputs.spreads
        algebra = found.structure.algebra
        return replace(
            found,
            estimators=self._fit_all(experts.R),
            covariance_stack=algebra.map_covariances(found.covariance_stack, spreads),
            roots=algebra.map_roots(found.roots, 1.0 / spreads),
        )

    def take(self, rows: IntArray) -> Self:
        """The same M-step for some of the training rows."""
        return replace(self, fitting=self.fitting.take(rows), noise=self.noise.take(rows))


@dataclass(frozen=True, eq=False)
class ClassifierStep(EstimatorStep):
    """The M-step of classifiers."""

    #: The place of each row's class, shape (n,).
    y: IntArray
    n_classes: int

    @classmethod
    def of_rows(
        cls, template: Any, X: Any, y: IntArray, n_classes: int, folds: IntArray, rng: RandomState
    ) -> Self:
        """The step of rows X and the places of their classes."""
        return cls(Fitting.of_rows(template, X, y, folds, rng), y, n_classes)

    def update(
        self, R: Float64Array, before: HeldOut[ClassifierExperts] | None
    ) -> HeldOut[ClassifierExperts]:
        """Experts with floors by the classes of rows that they have not seen."""
        self._check_counts(R)
        found = np.empty((R.shape[1], len(self.y)))
        for train, test in self.fitting.cut():
            held_out = take_rows(self.fitting.X, test)
            for expert in range(len(found)):
                estimator = self.fitting.fit(R[:, expert], expert, train)
                places = np.asarray(estimator.classes_, dtype=np.int64)
                wide = predict_classes(estimator, held_out, places, self.n_classes)
                found[expert, test] = wide[np.arange(len(test)), self.y[test]]
        floors = find_floors(found, R.T, self.n_classes)
        return HeldOut(ClassifierExperts((None,) * len(found), floors, (), self.n_classes), found, R)

    def evaluate(self, experts: HeldOut[ClassifierExperts]) -> Float64Array:
        """Log P_k(y_i | x_i) of the training rows as they are held out, shape (n, k)."""
        floors = experts.experts.floors[:, None]
        return np.log(raise_floors(experts.found, floors, self.n_classes)).T

    def find_spikes(self, experts: HeldOut[ClassifierExperts], counts: Float64Array) -> tuple[int, ...]:
        """None: probabilities have a bound."""
        return ()

    def publish(self, experts: HeldOut[ClassifierExperts]) -> ClassifierExperts:
        """The experts with estimators of all rows."""
        estimators = self._fit_all(experts.R)
        places = tuple(np.asarray(each.classes_, dtype=np.int64) for each in estimators)
        return replace(experts.experts, estimators=estimators, places=places)

    def take(self, rows: IntArray) -> Self:
        """The same M-step for some of the training rows."""
        return replace(self, fitting=self.fitting.take(rows), y=self.y[rows])


def find_floors(found: Float64Array, R: Float64Array, n_classes: int) -> Float64Array:
    """The floors of greatest likelihood, shape (k,), by EM, for probabilities of the rows' classes (k, n)."""
    floors = np.full(len(found), 0.1)
    counts = R.sum(axis=1)
    for _ in range(FLOOR_STEPS):
        uniform = floors[:, None] / n_classes
        floors = np.vecdot(R, uniform / (uniform + (1.0 - floors[:, None]) * found)) / counts
        floors = np.clip(floors, LEAST_FLOOR, 1.0)
    return np.asarray(floors)
