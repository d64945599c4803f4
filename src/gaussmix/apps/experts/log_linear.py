r"""Experts with log links: Poisson regressions of counts, and Gamma regressions of positive numbers.

References
----------
P. McCullagh and J. A. Nelder, Generalized Linear Models, 2nd ed., Chapman and Hall (1989).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from scipy.special import betainc, gammainc, gammaincinv, gammaln, pdtr

from gaussmix._typing import Float64Array, IntArray
from gaussmix.apps.experts.linked_batch import LinkedBatch


@dataclass(frozen=True, eq=False)
class LogLinearExperts(ABC):
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

    @abstractmethod
    def measure(self, log_means: Float64Array, y: Float64Array) -> Float64Array:
        """Log p_k(y), in nats, of logarithms of means (..., k) and y with a last axis of length one."""

    @abstractmethod
    def vary(self, means: Float64Array) -> Float64Array:
        """The variance of y, of means (..., k)."""

    @abstractmethod
    def cdf(self, means: Float64Array, y: Float64Array) -> Float64Array:
        """The probability of at most y, of means (..., k)."""

    @abstractmethod
    def quantile(self, means: Float64Array, share: float) -> Float64Array:
        """The least y with a probability of at least a share of no more, of means (..., k)."""

    @abstractmethod
    def measure_distance(self, means: Float64Array, y: Float64Array) -> Float64Array:
        """E|Y - y|, of means (..., k)."""

    @abstractmethod
    def measure_spread(self, means: Float64Array, i: int, j: int) -> Float64Array:
        """E|Y - Y'| of experts i and j, of means (..., k)."""

    @abstractmethod
    def draw(self, means: Float64Array, labels: IntArray, rng: np.random.Generator) -> Float64Array:
        """Draws of the experts that labels (n, s) say, of means (n, k)."""

    def log_prob(self, X: Float64Array, y: Float64Array) -> Float64Array:
        """Log p_k(y_i | x_i), in nats, shape (n, k).

        Parameters
        ----------
        X : ndarray of shape (n, p)
        y : ndarray of shape (n, 1)
        """
        return self.measure(self.find_log_means(X), y)

    def make_batch(
        self, log_shares: Float64Array, X: Float64Array, log_evidence: Float64Array
    ) -> LinkedBatch:
        """The predictive distributions of rows X, shape (n, p), with shares of experts, (n, k)."""
        return LinkedBatch(self, log_shares, self.find_log_means(X))

    def take(self, order: IntArray) -> Self:
        """The same with experts in another order."""
        return replace(self, levels=self.levels[order], slopes=self.slopes[order])


@dataclass(frozen=True, eq=False)
class PoissonExperts(LogLinearExperts):
    """Distributions P_k(y | x) = mu_k^y exp(-mu_k) / y! of counts."""

    def measure(self, log_means: Float64Array, y: Float64Array) -> Float64Array:
        """Log-probabilities of y, of logarithms of means (..., k); minus infinity unless y is a count."""
        count = (y >= 0.0) & (np.round(y) == y)
        return np.where(count, measure_poisson(log_means, np.where(count, y, 0.0)), -np.inf)

    def vary(self, means: Float64Array) -> Float64Array:
        """The variance of counts of these means."""
        return means

    def cdf(self, means: Float64Array, y: Float64Array) -> Float64Array:
        """The probability of at most y, of means (..., k)."""
        return np.asarray(np.where(y >= 0.0, pdtr(np.maximum(np.floor(y), 0.0), means), 0.0))

    def quantile(self, means: Float64Array, share: float) -> Float64Array:
        """The least count with a probability of at least a share of no more, of means (..., k)."""
        from scipy.stats import poisson

        return np.asarray(np.maximum(poisson.ppf(share, means), 0.0))

    def measure_distance(self, means: Float64Array, y: Float64Array) -> Float64Array:
        """E|Y - y|, of means (..., k)."""
        # E Y [Y <= y] = mu P(Y <= y - 1)
        return 2.0 * (y * self.cdf(means, y) - means * self.cdf(means, y - 1.0)) + means - y

    def measure_spread(self, means: Float64Array, i: int, j: int) -> Float64Array:
        """E|Y - Y'| of experts i and j, of means (..., k)."""
        from scipy.stats import skellam

        a, b = means[..., i], means[..., j]
        # E (Y - Y')+ = a P(Y - Y' >= 0) - b P(Y - Y' >= 2)
        above = a * skellam.sf(-1, a, b) - b * skellam.sf(1, a, b)
        return np.asarray(2.0 * above - (a - b))

    def draw(self, means: Float64Array, labels: IntArray, rng: np.random.Generator) -> Float64Array:
        """Counts of the experts that labels (n, s) say, of means (n, k)."""
        return rng.poisson(np.take_along_axis(means, labels, axis=1)).astype(np.float64)


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

    def measure(self, log_means: Float64Array, y: Float64Array) -> Float64Array:
        """Log-densities of y, of logarithms of means (..., k); minus infinity unless y is positive."""
        positive = y > 0.0
        found = measure_gamma(log_means, np.log(np.where(positive, y, 1.0)), self.shapes)
        return np.where(positive, found, -np.inf)

    def vary(self, means: Float64Array) -> Float64Array:
        """The variance of numbers of these means, mu_k^2 / nu_k, shape (..., k)."""
        return np.square(means) / self.shapes

    def cdf(self, means: Float64Array, y: Float64Array) -> Float64Array:
        """The probability of at most y, of means (..., k)."""
        return np.asarray(gammainc(self.shapes, self.shapes * np.maximum(y, 0.0) / means))

    def quantile(self, means: Float64Array, share: float) -> Float64Array:
        """The number that is not exceeded with a probability of the share, of means (..., k)."""
        return np.asarray(gammaincinv(self.shapes, share) / self.shapes * means)

    def measure_distance(self, means: Float64Array, y: Float64Array) -> Float64Array:
        """E|Y - y|, of means (..., k)."""
        # E Y [Y <= y] = mu P(Z <= y) with Z of the shape nu + 1 and the same scale
        below = gammainc(self.shapes + 1.0, self.shapes * np.maximum(y, 0.0) / means)
        return np.asarray(2.0 * (y * self.cdf(means, y) - means * below) + means - y)

    def measure_spread(self, means: Float64Array, i: int, j: int) -> Float64Array:
        """E|Y - Y'| of experts i and j, of means (..., k)."""
        (p, q), (a, b) = self.shapes[[i, j]], (means[..., i], means[..., j])
        # E (Y - Y')+ by the share that one of two Gamma numbers has in their sum, which is of Beta's law
        share = (a / p) / (a / p + b / q)
        above = a * betainc(q, p + 1.0, share) - b * betainc(q + 1.0, p, share)
        return np.asarray(2.0 * above - (a - b))

    def draw(self, means: Float64Array, labels: IntArray, rng: np.random.Generator) -> Float64Array:
        """Numbers of the experts that labels (n, s) say, of means (n, k)."""
        shapes = self.shapes[labels]
        return np.asarray(rng.standard_gamma(shapes) / shapes * np.take_along_axis(means, labels, axis=1))

    def take(self, order: IntArray) -> Self:
        """The same with experts in another order."""
        return replace(super().take(order), shapes=self.shapes[order])


def measure_poisson(log_means: Float64Array, y: Float64Array) -> Float64Array:
    """Log-probabilities of counts by logarithms of means."""
    with np.errstate(over="ignore"):
        return np.asarray(y * log_means - np.exp(log_means) - gammaln(y + 1.0))


def measure_gamma(log_means: Float64Array, log_y: Float64Array, shapes: Float64Array) -> Float64Array:
    """Log-densities of numbers with these logarithms by logarithms of means.

    With u = log(y / mu) it is nu log nu - nu - log Gamma(nu) - nu (e^u - 1 - u) - log y: no difference of
    large numbers where y is near the mean.
    """
    peaks = shapes * (np.log(shapes) - 1.0) - gammaln(shapes)
    return np.asarray(peaks - shapes * find_deviances(log_y - log_means) - log_y)


def find_deviances(logs: Float64Array) -> Float64Array:
    """Half of the deviance of a Gamma for a ratio y / mu with this logarithm u: e^u - 1 - u."""
    with np.errstate(over="ignore"):
        return np.asarray(np.expm1(logs) - logs)
