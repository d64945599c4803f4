r"""Experts with log links: Poisson regressions of counts, and Gamma regressions of positive numbers.

References
----------
P. McCullagh and J. A. Nelder, Generalized Linear Models, 2nd ed., Chapman and Hall (1989).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from scipy.special import gammainc, gammaln, pdtr

from gaussmix._typing import Float64Array, IntArray


@dataclass(frozen=True, eq=False)
class LogLinearExperts:
    """Experts whose mean is mu_k(x) = exp(a_k + b_k'(x - c)), for one output.

    Parameters
    ----------
    centre : ndarray of shape (p,)
        c, the mean of the training rows.
    levels : ndarray of shape (k,)
        a_k, the logarithm of the mean at the centre.
    slopes : ndarray of shape (k, p)
        b_k.
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
    def n_outputs(self) -> int:
        """One output."""
        return 1

    @property
    def n_parameters(self) -> int:
        """Free parameters: k (1 + rank)."""
        return self.n_experts * (1 + self.rank)

    @cached_property
    def intercepts(self) -> Float64Array:
        """The logarithm of the mean at x = 0, shape (k,)."""
        return np.asarray(self.levels - self.slopes @ self.centre)

    def find_log_means(self, X: Float64Array) -> Float64Array:
        """Log mu_k(x_i), shape (n, k)."""
        return np.asarray((self.slopes @ (X - self.centre).T + self.levels[:, None]).T)

    def locate(self, X: Float64Array) -> Float64Array:
        """The mean of y in each expert, shape (n, k, 1)."""
        with np.errstate(over="ignore"):
            return np.exp(self.find_log_means(X))[:, :, None]

    def take(self, order: IntArray) -> Self:
        """The same with experts in another order."""
        return replace(self, levels=self.levels[order], slopes=self.slopes[order])


@dataclass(frozen=True, eq=False)
class PoissonExperts(LogLinearExperts):
    """Distributions P_k(y | x) = mu_k^y exp(-mu_k) / y! of counts."""

    def log_prob(self, X: Float64Array, y: Float64Array) -> Float64Array:
        """Log P_k(y_i | x_i), in nats, shape (n, k).

        Parameters
        ----------
        X : ndarray of shape (n, p)
        y : ndarray of shape (n, 1)
        """
        return np.asarray(measure_poisson(self.find_log_means(X).T, y[:, 0]).T)

    def vary(self, X: Float64Array) -> Float64Array:
        """The variance of y in each expert, mu_k, shape (n, k, 1)."""
        return self.locate(X)

    def cdf(self, X: Float64Array, y: Float64Array) -> Float64Array:
        """The probability of at most y_i in each expert, shape (n, k); y of shape (n, 1)."""
        return np.asarray(np.where(y >= 0.0, pdtr(np.maximum(y, 0.0), self.locate(X)[:, :, 0]), 0.0))

    def draw(self, X: Float64Array, labels: IntArray, rng: np.random.Generator) -> Float64Array:
        """One y of each row, from the expert that its label says, shape (n, 1)."""
        rates = np.exp(self.find_log_means(X))[np.arange(len(X)), labels]
        return np.asarray(rng.poisson(rates)[:, None], dtype=np.float64)


@dataclass(frozen=True, eq=False)
class GammaExperts(LogLinearExperts):
    """Gamma densities of mean mu_k(x) and variance mu_k(x)^2 / nu_k.

    Parameters
    ----------
    shapes : ndarray of shape (k,)
        nu_k; 1 / nu_k is the dispersion.
    """

    shapes: Float64Array

    @property
    def n_parameters(self) -> int:
        """Free parameters: k (2 + rank)."""
        return self.n_experts * (2 + self.rank)

    def log_prob(self, X: Float64Array, y: Float64Array) -> Float64Array:
        """Log p_k(y_i | x_i), in nats, shape (n, k).

        Parameters
        ----------
        X : ndarray of shape (n, p)
        y : ndarray of shape (n, 1)
        """
        with np.errstate(divide="ignore"):
            logs = np.log(np.maximum(y[:, 0], 0.0))
        finite = np.isfinite(logs)
        found = measure_gamma(self.find_log_means(X).T, np.where(finite, logs, 0.0), self.shapes)
        return np.where(finite, found, -np.inf).T

    def vary(self, X: Float64Array) -> Float64Array:
        """The variance of y in each expert, mu_k^2 / nu_k, shape (n, k, 1)."""
        return np.square(self.locate(X)) / self.shapes[:, None]

    def cdf(self, X: Float64Array, y: Float64Array) -> Float64Array:
        """The probability of at most y_i in each expert, shape (n, k); y of shape (n, 1)."""
        return np.asarray(gammainc(self.shapes, self.shapes * np.maximum(y, 0.0) / self.locate(X)[:, :, 0]))

    def draw(self, X: Float64Array, labels: IntArray, rng: np.random.Generator) -> Float64Array:
        """One y of each row, from the expert that its label says, shape (n, 1)."""
        means = np.exp(self.find_log_means(X))[np.arange(len(X)), labels]
        shapes = self.shapes[labels]
        return np.asarray((rng.standard_gamma(shapes) * means / shapes)[:, None])

    def take(self, order: IntArray) -> Self:
        """The same with experts in another order."""
        return replace(super().take(order), shapes=self.shapes[order])


def measure_poisson(log_means: Float64Array, y: Float64Array) -> Float64Array:
    """Log-probabilities, shape (k, n), of counts (n,) by logarithms of means (k, n)."""
    with np.errstate(over="ignore"):
        return np.asarray(y * log_means - np.exp(log_means) - gammaln(y + 1.0))


def measure_gamma(log_means: Float64Array, log_y: Float64Array, shapes: Float64Array) -> Float64Array:
    """Log-densities, shape (k, n), of numbers with these logarithms (n,) by logarithms of means (k, n).

    With u = log(y / mu) it is nu log nu - nu - log Gamma(nu) - nu (e^u - 1 - u) - log y: no difference of
    large numbers where y is near the mean.
    """
    peaks = shapes * (np.log(shapes) - 1.0) - gammaln(shapes)
    return np.asarray(peaks[:, None] - shapes[:, None] * find_deviances(log_y - log_means) - log_y)


def find_deviances(logs: Float64Array) -> Float64Array:
    """Half of the deviance of a Gamma for a ratio y / mu with this logarithm u: e^u - 1 - u."""
    with np.errstate(over="ignore"):
        return np.asarray(np.expm1(logs) - logs)
