r"""M-steps of experts with log links: Newton's method with halved steps, all experts at once.

With eta = B t the logarithm of the mean and P a ridge, the expected log-likelihood is, but for constants::

    Q = sum_i R_ik nu_k q(y_i, eta_ik) - b_k' P b_k / 2
    Poisson  q = y eta - exp(eta),           nu = 1
    Gamma    q = -eta - y exp(-eta),         nu = 1 / dispersion

Both are concave. A step is halved until Q does not fall, so that EM is a generalised EM and rises. The shape
nu of a Gamma is then the best for its means: log nu - digamma(nu) = mean of y / mu - 1 - log(y / mu).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Generic, Self, TypeVar

import numpy as np
from scipy.special import digamma, polygamma

from gaussmix._typing import Float64Array, IntArray
from gaussmix.apps.experts.design import Design
from gaussmix.apps.experts.log_linear import (
    GammaExperts,
    LogLinearExperts,
    PoissonExperts,
    find_deviances,
    measure_gamma,
    measure_poisson,
)
from gaussmix.apps.experts.products import sum_products
from gaussmix.fit.mstep.regularise import NO_ROWS, THIN
from gaussmix.model.covariance import NotPositiveDefiniteError

#: Steps of Newton's method from a constant, at a start; afterwards an M-step takes one.
FIRST_STEPS = 4
#: How often a step is halved before none is taken.
MOST_HALVINGS = 30
#: A gain, for a unit of Q and of weight, that rounding hides: no step is tried for it.
ROUNDING = 1e-15
#: A ridge of the Hessian, relative to its mean diagonal, for an expert whose rows say nothing of a slope.
TINY_RIDGE = 1e-12
#: The mean of an expert of zeros alone, in counts for each effective row, at a start.
HALF_COUNT = 0.5
#: The least mean half-deviance of a Gamma: its shape is at most half the inverse.
LEAST_DEVIANCE = 1e-10
#: Steps of Newton's method for a shape, from an approximation that is right to 1.5 %.
SHAPE_STEPS = 4
#: A Gamma that is thin is a spike below so many rows for each number of a regression, and a constant.
SPIKE_ROWS = 5

L = TypeVar("L", bound=LogLinearExperts)


@dataclass(frozen=True, eq=False)
class LogLinearStep(ABC, Generic[L]):
    """The M-step of experts with log links for the training rows."""

    design: Design
    #: Outputs: counts, or numbers over `exp(shift)`, shape (n,).
    y: Float64Array
    masses: Float64Array
    #: P, shape (1 + r, 1 + r).
    ridge: Float64Array
    #: What is taken from the logarithm of the outputs.
    shift: float = 0.0

    @classmethod
    @abstractmethod
    def of_rows(cls, X: Float64Array, Y: Float64Array, masses: Float64Array, alpha: float) -> Self:
        """The step of rows X, shape (n, p), and Y, (n, 1); alpha is a ridge on slopes in units of spreads."""

    @abstractmethod
    def update(self, R: Float64Array, before: L | None) -> L:
        """The experts after a step of Newton's method; at a start, after a few from constants."""

    @abstractmethod
    def evaluate(self, experts: L) -> Float64Array:
        """Log p_k(y_i | x_i) of the training rows, shape (n, k)."""

    @abstractmethod
    def differentiate(self, eta: Float64Array) -> tuple[Float64Array, Float64Array, Float64Array]:
        """q, its derivative by eta and minus its second derivative, each of shape (k, n)."""

    def log_prior(self, experts: L) -> float:
        """-sum_k b_k' P b_k / 2."""
        return -float(self._measure_penalties(join(experts)).sum())

    def find_spikes(self, experts: L, counts: Float64Array) -> tuple[int, ...]:
        """None: probabilities have a bound."""
        return ()

    def publish(self, experts: L) -> L:
        """The experts in the data's units."""
        return replace(
            experts,
            centre=self.design.centre,
            levels=experts.levels + self.shift,
            slopes=experts.slopes @ self.design.matrix.T,
        )

    def take(self, rows: IntArray) -> Self:
        """The same M-step for some of the training rows."""
        return replace(self, design=self.design.take(rows), y=self.y[rows], masses=self.masses[rows])

    def _find_regressions(
        self, R: Float64Array, before: L | None, precisions: Float64Array | None = None
    ) -> Float64Array:
        """The coefficients of columns t, shape (k, 1 + r), for responsibilities times weights, (k, n)."""
        counts = R.sum(axis=1)
        if not (counts >= NO_ROWS).all():
            raise NotPositiveDefiniteError(tuple(int(i) for i in np.flatnonzero(~(counts >= NO_ROWS))), 0.0)
        nu = np.ones(len(R)) if precisions is None else precisions
        if before is not None:
            return self._climb(R, join(before), nu)
        B = np.zeros((len(R), len(self.design.columns)))
        sums = R @ self.y
        B[:, 0] = np.log(np.where(sums > 0.0, sums, HALF_COUNT) / counts)
        for _ in range(FIRST_STEPS):
            B = self._climb(R, B, nu)
        return B

    def _climb(self, R: Float64Array, B: Float64Array, nu: Float64Array) -> Float64Array:
        """The coefficients after steps that lower Q of no expert."""
        columns, size = self.design.columns, B.shape[1]
        with np.errstate(over="ignore", invalid="ignore"):
            q, slopes, curves = self.differentiate(B @ columns)
            before = self._measure(R, q, B, nu)
            gradient = nu[:, None] * ((R * slopes) @ columns.T) - B @ self.ridge
            hessian = nu[:, None, None] * sum_products(R * curves, columns) + self.ridge
            tiny = TINY_RIDGE * np.trace(hessian, axis1=1, axis2=2) / size + np.finfo(float).tiny
            hessian += tiny[:, None, None] * np.eye(size)
            finite = np.isfinite(hessian).all(axis=(1, 2), keepdims=True)
            hessian = np.where(finite, hessian, np.eye(size))
            step = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
            hidden = np.vecdot(gradient, step) <= ROUNDING * (np.abs(before) + R.sum(axis=1))
            step[hidden] = 0.0
            for _ in range(MOST_HALVINGS):
                reached = self._measure(R, self.differentiate((B + step) @ columns)[0], B + step, nu)
                falls = np.isnan(reached)[:, None] | (reached < before)[:, None]
                if not falls.any():
                    return np.asarray(B + step)
                step = np.where(falls, 0.5 * step, step)
        return np.where(falls, B, B + step)

    def _measure(self, R: Float64Array, q: Float64Array, B: Float64Array, nu: Float64Array) -> Float64Array:
        """Q of each expert, shape (k,)."""
        return np.asarray(nu * np.vecdot(R, q) - self._measure_penalties(B))

    def _measure_penalties(self, B: Float64Array) -> Float64Array:
        return np.asarray(0.5 * np.vecdot(B @ self.ridge, B))


class PoissonStep(LogLinearStep[PoissonExperts]):
    """The M-step of Poisson regressions."""

    @classmethod
    def of_rows(cls, X: Float64Array, Y: Float64Array, masses: Float64Array, alpha: float) -> Self:
        """The step of rows X, shape (n, p), and counts Y, (n, 1)."""
        design = Design.of_rows(X, masses)
        return cls(design, np.ascontiguousarray(Y[:, 0]), masses, design.make_ridge(alpha))

    def update(self, R: Float64Array, before: PoissonExperts | None) -> PoissonExperts:
        """The experts after a step of Newton's method."""
        B = self._find_regressions(np.ascontiguousarray(R.T), before)
        return PoissonExperts(np.zeros(self.design.rank), B[:, 0], B[:, 1:], self.design.rank)

    def evaluate(self, experts: PoissonExperts) -> Float64Array:
        """Log P_k(y_i | x_i) of the training rows, shape (n, k)."""
        return np.asarray(measure_poisson(join(experts) @ self.design.columns, self.y).T)

    def differentiate(self, eta: Float64Array) -> tuple[Float64Array, Float64Array, Float64Array]:
        """The terms y eta - exp(eta) and their derivatives."""
        means = np.exp(eta)
        return self.y * eta - means, self.y - means, means


class GammaStep(LogLinearStep[GammaExperts]):
    """The M-step of Gamma regressions."""

    @classmethod
    def of_rows(cls, X: Float64Array, Y: Float64Array, masses: Float64Array, alpha: float) -> Self:
        """The step of rows X, shape (n, p), and positive numbers Y, (n, 1)."""
        design, logs = Design.of_rows(X, masses), np.log(Y[:, 0])
        shift = float(masses @ logs / masses.sum())
        return cls(design, np.exp(logs - shift), masses, design.make_ridge(alpha), shift)

    def update(self, R: Float64Array, before: GammaExperts | None) -> GammaExperts:
        """The experts after a step of Newton's method, with the best shapes for their means."""
        R = np.ascontiguousarray(R.T)
        B = self._find_regressions(R, before, None if before is None else before.shapes)
        deviances = find_deviances(self.log_y - B @ self.design.columns)
        shapes = find_shapes(np.vecdot(R, deviances) / R.sum(axis=1))
        return GammaExperts(np.zeros(self.design.rank), B[:, 0], B[:, 1:], self.design.rank, shapes)

    def evaluate(self, experts: GammaExperts) -> Float64Array:
        """Log p_k(y_i | x_i) of the training rows, in the data's units, shape (n, k)."""
        found = measure_gamma(join(experts) @ self.design.columns, self.log_y, experts.shapes[:, None])
        return np.asarray((found - self.shift).T)

    def differentiate(self, eta: Float64Array) -> tuple[Float64Array, Float64Array, Float64Array]:
        """The terms -eta - y exp(-eta) and their derivatives."""
        ratios = np.exp(self.log_y - eta)
        return -eta - ratios, ratios - 1.0, ratios

    def find_spikes(self, experts: GammaExperts, counts: Float64Array) -> tuple[int, ...]:
        """Experts of few rows whose residuals are next to nothing beside those of one regression of all."""
        thin = experts.shapes > min(self._usual_shape / THIN**2, 0.25 / LEAST_DEVIANCE)
        few = counts < SPIKE_ROWS * (1 + self.design.rank)
        return tuple(int(i) for i in np.flatnonzero(few & thin))

    @cached_property
    def log_y(self) -> Float64Array:
        """Logarithms of the outputs, of mean zero, shape (n,)."""
        return np.log(self.y)

    @cached_property
    def _usual_shape(self) -> float:
        """The shape of one regression of all rows."""
        return float(self.update(self.masses[:, None], None).shapes[0])


def join(experts: LogLinearExperts) -> Float64Array:
    """Levels and slopes, shape (k, 1 + r)."""
    return np.concatenate([experts.levels[:, None], experts.slopes], axis=1)


def find_shapes(deviances: Float64Array) -> Float64Array:
    """The shapes nu with log nu - digamma(nu) = D, for mean half-deviances D."""
    D = np.maximum(deviances, LEAST_DEVIANCE)
    # T. Minka, Estimating a Gamma distribution (2002); Newton's method for 1 / nu, which is nearly linear
    nu = (3.0 - D + np.sqrt(np.square(D - 3.0) + 24.0 * D)) / (12.0 * D)
    for _ in range(SHAPE_STEPS):
        curve = np.where(nu > 1e4, -0.5 / nu**2 - 1.0 / (6.0 * nu**3), 1.0 / nu - polygamma(1, nu))
        miss = np.where(nu > 1e4, 0.5 / nu + 1.0 / (12.0 * nu**2), np.log(nu) - digamma(nu)) - D
        nu = 1.0 / np.maximum(1.0 / nu + miss / (nu**2 * curve), 0.5 / nu)
    return np.asarray(nu)
