"""Predictive distributions that are mixtures of Poisson or Gamma distributions, one for each row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.kernels.softmax import sum_exponentials
from gaussmix.model.mixture.algebra.batch import draw_labels

#: Halvings of the bracket of a quantile: from any bracket to rounding.
HALVINGS = 80


class Law(Protocol):
    """The distributions of the experts, given their means."""

    def measure(self, log_means: Float64Array, y: Float64Array) -> Float64Array:
        """Log p_k(y), in nats."""

    def vary(self, means: Float64Array) -> Float64Array:
        """Variances."""

    def cdf(self, means: Float64Array, y: Float64Array) -> Float64Array:
        """The probability of at most y."""

    def quantile(self, means: Float64Array, share: float) -> Float64Array:
        """The least y with a probability of at least a share of no more."""

    def measure_distance(self, means: Float64Array, y: Float64Array) -> Float64Array:
        """E|Y - y|."""

    def measure_spread(self, means: Float64Array, i: int, j: int) -> Float64Array:
        """E|Y - Y'| of experts i and j."""

    def draw(self, means: Float64Array, labels: IntArray, rng: np.random.Generator) -> Float64Array:
        """Draws of the experts that labels say."""


@dataclass(frozen=True, eq=False)
class LinkedBatch:
    """n mixtures of k distributions of one output; it answers as :class:`gaussmix.MixtureBatch` does.

    Parameters
    ----------
    law : PoissonExperts or GammaExperts
    log_shares : ndarray of shape (n, k)
        Log g_ik.
    log_means : ndarray of shape (n, k)
        Log mu_ik.
    """

    law: Law
    log_shares: Float64Array
    log_means: Float64Array

    def __len__(self) -> int:
        return len(self.log_means)

    def __getitem__(self, rows: Any) -> Self:
        """Some of the mixtures, by a slice or their places."""
        return replace(self, log_shares=self.log_shares[rows], log_means=self.log_means[rows])

    @property
    def n_components(self) -> int:
        """Number of experts k."""
        return int(self.log_means.shape[1])

    @property
    def n_features(self) -> int:
        """One output."""
        return 1

    @property
    def feature_names(self) -> None:
        """The output has no name here."""
        return None

    @cached_property
    def weights(self) -> Float64Array:
        """The shares of the experts, shape (n, k)."""
        return np.exp(self.log_shares)

    @cached_property
    def means(self) -> Float64Array:
        """The mean of each expert, shape (n, k, 1)."""
        with np.errstate(over="ignore"):
            return np.exp(self.log_means)[:, :, None]

    @property
    def variances(self) -> Float64Array:
        """The variance of each expert, shape (n, k, 1)."""
        with np.errstate(over="ignore"):
            return self.law.vary(self.means[:, :, 0])[:, :, None]

    @property
    def mean(self) -> Float64Array:
        """Shape (n, 1)."""
        return np.asarray(np.vecdot(self.weights, self._weighed_means)[:, None])

    @property
    def _weighed_means(self) -> Float64Array:
        """The means of experts, shape (n, k), zero where these have no share: others may be infinite."""
        return np.where(self.weights > 0.0, self.means[:, :, 0], 0.0)

    @property
    def covariance(self) -> Float64Array:
        """The variance, shape (n, 1, 1): that within experts and that of their means."""
        means = self._weighed_means
        with np.errstate(over="ignore", invalid="ignore"):  # means may be infinite, far from all rows
            spread = np.square(means - self.mean)
            variance = np.vecdot(self.weights, self.law.vary(means) + spread)
        return np.where(np.isnan(variance), np.inf, variance)[:, None, None]

    @property
    def std(self) -> Float64Array:
        """Shape (n, 1)."""
        return np.sqrt(self.covariance[:, 0])

    def marginal(self, features: Any) -> Self:
        """The same: there is one output."""
        return self

    def log_prob(self, y: npt.ArrayLike) -> Float64Array:
        """Log p_i(y_i), in nats, for y of shape (n, 1) or (n,); shape (n,)."""
        came = np.asarray(y, dtype=np.float64).reshape(len(self), 1)
        return sum_exponentials(self.log_shares + self.law.measure(self.log_means, came))

    def responsibilities(self, y: npt.ArrayLike) -> Float64Array:
        """Posterior probability of each expert for y of shape (n, 1) or (n,); shape (n, k)."""
        came = np.asarray(y, dtype=np.float64).reshape(len(self), 1)
        joint = self.log_shares + self.law.measure(self.log_means, came)
        total = sum_exponentials(joint)[:, None]
        allowed = np.isfinite(total)  # of a y that no expert allows, the shares are all that is known
        return np.exp(np.where(allowed, joint - np.where(allowed, total, 0.0), self.log_shares))

    def cdf(self, y: npt.ArrayLike) -> Float64Array:
        """The probability of at most y_i, for y of shape (n,) or (n, m), or a number; in the shape of y."""
        values = np.asarray(y, dtype=np.float64)
        if values.ndim > 1:
            return np.stack([self.cdf(column) for column in values.T], axis=1)
        came = np.broadcast_to(values, (len(self),))[:, None]
        return np.asarray(np.vecdot(self.weights, self.law.cdf(self.means[:, :, 0], came)))

    def quantile(self, q: npt.ArrayLike) -> Float64Array:
        """The least y with a probability of at least q of no more, shape (n,), or (n, m) for m shares."""
        shares = np.asarray(q, dtype=np.float64)
        found = np.stack([self._find_quantiles(float(share)) for share in shares.ravel()], axis=1)
        return np.asarray(found if shares.ndim else found[:, 0])

    def _find_quantiles(self, share: float) -> Float64Array:
        """The points between quantiles of the experts where the distribution function passes the share."""
        each = self.law.quantile(self.means[:, :, 0], share)
        lower, upper = each.min(axis=1), each.max(axis=1)
        if share in (0.0, 1.0):
            return np.asarray(lower if share == 0.0 else upper)
        upper = np.where(self.cdf(lower) >= share, lower, upper)
        for _ in range(HALVINGS):
            middle = 0.5 * (lower + upper)
            enough = self.cdf(middle) >= share
            lower, upper = np.where(enough, lower, middle), np.where(enough, middle, upper)
        whole = np.round(upper)  # where the function jumps, the bracket closes on the jump
        return np.asarray(np.where(np.abs(upper - whole) <= 1e-9 * whole, whole, upper))

    def mode(self) -> Float64Array:
        """ValueError: modes are not offered."""
        raise ValueError('point="mode" is for Gaussian residuals; use "mean" or "median"')

    def sample(
        self, n_samples: int = 1, rng: np.random.Generator | int | None = None
    ) -> tuple[Float64Array, IntArray]:
        """Draws, shape (n, n_samples, 1), and the expert that each came from, (n, n_samples)."""
        generator = np.random.default_rng(rng)
        labels = draw_labels(self.weights, n_samples, generator)
        return self.law.draw(self.means[:, :, 0], labels, generator)[:, :, None], labels

    def crps(self, y: npt.ArrayLike) -> Float64Array:
        """Continuous ranked probability score of y, shape (n, 1): E|Y - y| - E|Y - Y'| / 2, exactly."""
        came = np.asarray(y, dtype=np.float64).reshape(len(self), 1)
        means, weights = self.means[:, :, 0], self.weights
        scores = np.vecdot(weights, self.law.measure_distance(means, came))
        for i in range(self.n_components):
            for j in range(i + 1):
                share = weights[:, i] * weights[:, j] * (0.5 if i == j else 1.0)
                scores -= share * self.law.measure_spread(means, i, j)
        return np.asarray(scores[:, None])
