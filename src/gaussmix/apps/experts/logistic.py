r"""Experts that are multinomial logistic regressions, and their M-step.

The M-step of expert k is that of a softmax gate (:mod:`gaussmix.apps.experts.gate_steps`) whose experts are
the classes c, with R_ik [y_i = c] as responsibilities: a step of Newton's method that never lowers Q.

References
----------
M. I. Jordan and R. A. Jacobs, Hierarchical mixtures of experts and the EM algorithm, Neural Computation 6
(1994) 181-214.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.apps.experts.design import Design
from gaussmix.apps.experts.gate_steps import SoftmaxStep
from gaussmix.apps.experts.gates import normalise_logits
from gaussmix.fit.mstep.regularise import NO_ROWS
from gaussmix.model.covariance import NotPositiveDefiniteError

#: Steps of Newton's method from shares of classes, at a start; afterwards an M-step takes one.
FIRST_STEPS = 3
#: Rows that are added to each class where a start counts them.
HALF_ROW = 0.5


@dataclass(frozen=True, eq=False)
class LogisticExperts:
    """Probabilities of classes in proportion to exp(a_kc + b_kc'(x - o)).

    Parameters
    ----------
    centre : ndarray of shape (p,)
        o, the mean of the training rows.
    levels : ndarray of shape (k, n_classes)
        a_kc; they sum to zero over the classes of an expert.
    slopes : ndarray of shape (k, n_classes, p)
        b_kc; they sum to zero over the classes of an expert.
    rank : int
        Features that are independent of each other.
    """

    centre: Float64Array
    levels: Float64Array
    slopes: Float64Array
    rank: int

    @property
    def n_experts(self) -> int:
        """Number of experts k."""
        return len(self.levels)

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return int(self.levels.shape[1])

    @property
    def n_parameters(self) -> int:
        """Free parameters: k (n_classes - 1) (1 + rank)."""
        return self.n_experts * (self.n_classes - 1) * (1 + self.rank)

    @cached_property
    def intercepts(self) -> Float64Array:
        """The linear functions at x = 0, shape (k, n_classes)."""
        return np.asarray(self.levels - self.slopes @ self.centre)

    def find_log_probabilities(self, X: Float64Array) -> Float64Array:
        """The logarithm of the probability of each class in each expert, shape (n, k, n_classes)."""
        found = [
            normalise_logits(slopes @ (X - self.centre).T + levels[:, None]).T
            for levels, slopes in zip(self.levels, self.slopes, strict=True)
        ]
        return np.stack(found, axis=1)

    def log_prob(self, X: Float64Array, y: IntArray) -> Float64Array:
        """Log P_k(y_i | x_i), in nats, shape (n, k).

        Parameters
        ----------
        X : ndarray of shape (n, p)
        y : ndarray of int of shape (n,)
            The place of each row's class.
        """
        return np.asarray(self.find_log_probabilities(X)[np.arange(len(y)), :, y])

    def locate(self, X: Float64Array) -> Float64Array:
        """The probability of each class in each expert, shape (n, k, n_classes)."""
        return np.exp(self.find_log_probabilities(X))

    def take(self, order: IntArray) -> Self:
        """The same with experts in another order."""
        return replace(self, levels=self.levels[order], slopes=self.slopes[order])


@dataclass(frozen=True, eq=False)
class LogisticStep:
    """The M-step of logistic experts for the training rows."""

    classes_step: SoftmaxStep
    #: The place of each row's class, shape (n,).
    y: IntArray
    n_classes: int

    @classmethod
    def of_rows(
        cls, X: Float64Array, y: IntArray, masses: Float64Array, alpha: float, n_classes: int
    ) -> Self:
        """The step of rows X, shape (n, p); alpha is a ridge on slopes of features in units of spreads."""
        return cls(SoftmaxStep.of_rows(X, masses, alpha), y, n_classes)

    @property
    def design(self) -> Design:
        """The features."""
        return self.classes_step.design

    def update(self, R: Float64Array, before: LogisticExperts | None) -> LogisticExperts:
        """The experts after a step of Newton's method; at a start, after a few from shares of classes."""
        R = np.ascontiguousarray(R.T)
        counts = R.sum(axis=1)
        if not (counts >= NO_ROWS).all():
            raise NotPositiveDefiniteError(tuple(int(i) for i in np.flatnonzero(~(counts >= NO_ROWS))), 0.0)
        known = (self.y == np.arange(self.n_classes)[:, None]).astype(np.float64)
        n_steps, B = (FIRST_STEPS, self._begin(R @ known.T)) if before is None else (1, _join(before))
        for _ in range(n_steps):
            B = np.stack([self.classes_step.climb(known * r, b) for r, b in zip(R, B, strict=True)])
        return LogisticExperts(np.zeros(self.design.rank), B[:, :, 0], B[:, :, 1:], self.design.rank)

    def evaluate(self, experts: LogisticExperts) -> Float64Array:
        """Log P_k(y_i | x_i) of the training rows, shape (n, k)."""
        places = np.arange(len(self.y))
        found = [normalise_logits(b @ self.design.columns)[self.y, places] for b in _join(experts)]
        return np.stack(found).T

    def log_prior(self, experts: LogisticExperts) -> float:
        """The ridge, -sum_kc b_kc' P b_kc / 2."""
        return -sum(self.classes_step.measure_penalty(b) for b in _join(experts))

    def find_spikes(self, experts: LogisticExperts, counts: Float64Array) -> tuple[int, ...]:
        """None: probabilities have a bound."""
        return ()

    def publish(self, experts: LogisticExperts) -> LogisticExperts:
        """The experts in the data's units."""
        return replace(experts, centre=self.design.centre, slopes=experts.slopes @ self.design.matrix.T)

    def take(self, rows: IntArray) -> Self:
        """The same M-step for some of the training rows."""
        return replace(self, classes_step=self.classes_step.take(rows), y=self.y[rows])

    def _begin(self, counts: Float64Array) -> Float64Array:
        """Functions without slopes, shape (k, n_classes, 1 + r), by the rows of each class in each expert."""
        logs = np.log(counts + HALF_ROW)
        B = np.zeros((*counts.shape, len(self.design.columns)))
        B[:, :, 0] = logs - logs.mean(axis=1, keepdims=True)
        return B


def _join(experts: LogisticExperts) -> Float64Array:
    """Levels and slopes, shape (k, n_classes, 1 + r)."""
    return np.concatenate([experts.levels[:, :, None], experts.slopes], axis=2)
