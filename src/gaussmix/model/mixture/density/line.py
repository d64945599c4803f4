"""A mixture of one feature along its line: density, and the probability on either side of a point."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.covariance.algebra import LOG_2PI
from gaussmix.model.mixture.density.background import find_noise, find_sides
from gaussmix.model.mixture.properties import MixtureProperties

#: Numbers, points times components, that are held at a time.
MOST_NUMBERS = 1 << 20


@dataclass(frozen=True)
class Line:
    """Gaussians of one feature in the order of their means, none of weight zero, and the uniform noise.

    Noise is the last component; `low` and `high` are its limits, and its mean is their middle.
    """

    weights: Float64Array
    means: Float64Array
    deviations: Float64Array
    low: float
    high: float
    noisy: bool

    @classmethod
    def of(cls, mixture: MixtureProperties) -> Self:
        """That of a mixture of one feature; ValueError where its noise has no box."""
        noise = find_noise(mixture)
        present = np.flatnonzero(mixture.weights > 0.0)
        present = present[np.argsort(mixture.means[present, 0], kind="stable")]
        weights, means = mixture.weights[present], mixture.means[present, 0]
        deviations = np.sqrt(mixture.variances[present, 0])
        low = high = 0.0
        if noise is not None:
            low, high = (float(side[0]) for side in find_sides(noise))
            weights = np.append(weights, noise.weight)
            means = np.append(means, 0.5 * (low + high))
            deviations = np.append(deviations, 0.5 * (high - low))
        return cls(weights / weights.sum(), means, deviations, low, high, noise is not None)

    @property
    def n_gaussians(self) -> int:
        """Components but the noise."""
        return self.weights.size - self.noisy

    @cached_property
    def passed(self) -> tuple[Float64Array, Float64Array]:
        """The weight of the components with a mean up to each mean, and of those with one beyond it.

        Of k components k + 1 numbers each; the components are those in the order of their means.
        """
        weights = self.weights[np.argsort(self.means, kind="stable")]
        return np.append(0.0, np.cumsum(weights)), np.append(np.cumsum(weights[::-1])[::-1], 0.0)

    def find_log_density(self, x: Float64Array) -> Float64Array:
        """The logarithm of the Gaussians' part of the density."""
        return self._go_over(self._find_log_density, x)

    def _find_log_density(self, x: Float64Array) -> Float64Array:
        return np.asarray(np.logaddexp.reduce(self.find_log_joint(x), axis=1))

    def find_log_joint(self, x: Float64Array) -> Float64Array:
        """Log w_k N(x | mu_k, s_k^2) of the Gaussians, shape (n, k)."""
        m, s, w = (part[: self.n_gaussians] for part in (self.means, self.deviations, self.weights))
        return np.asarray(np.log(w / s) - 0.5 * LOG_2PI - 0.5 * ((x[:, None] - m) / s) ** 2)

    def find_slope(self, x: Float64Array) -> Float64Array:
        """The derivative of the logarithm of the Gaussians' density: -sum_k r_k (x - mu_k) / s_k^2."""
        return self._go_over(self._find_slope, x)

    def _find_slope(self, x: Float64Array) -> Float64Array:
        m, s = self.means[: self.n_gaussians], self.deviations[: self.n_gaussians]
        z = (x[:, None] - m) / s
        joint = self.find_log_joint(x)
        R = np.exp(joint - joint.max(axis=1, keepdims=True))
        return np.asarray(-(R * z / s).sum(axis=1) / R.sum(axis=1))

    def find_log_below(self, x: Float64Array) -> Float64Array:
        """The logarithm of P(X <= x); with signs changed it is that of P(X > -x)."""
        return self._go_over(self._find_log_below, x)

    def _find_log_below(self, x: Float64Array) -> Float64Array:
        from scipy.special import log_ndtr

        k = self.n_gaussians
        m, s, w = self.means[:k], self.deviations[:k], self.weights[:k]
        joint = np.log(w) + log_ndtr((x[:, None] - m) / s)
        if self.noisy:
            share = np.clip((x - self.low) / (self.high - self.low), 0.0, 1.0)
            with np.errstate(divide="ignore"):
                joint = np.column_stack([joint, np.log(self.weights[-1] * share)])
        return np.asarray(np.minimum(np.logaddexp.reduce(joint, axis=1), 0.0))

    @property
    def mirrored(self) -> Line:
        """The line of -x."""
        k = self.n_gaussians
        weights, means, deviations = (
            np.concatenate([part[:k][::-1], part[k:]])
            for part in (self.weights, -self.means, self.deviations)
        )
        return Line(weights, means, deviations, -self.high, -self.low, self.noisy)

    def find_log_cdf(self, x: Float64Array) -> Float64Array:
        """The logarithm of P(X <= x) with all digits on both sides: near one, that of one less the rest."""
        answer = self.find_log_below(x)
        near = answer > np.log(0.5)
        answer[near] = np.log1p(-np.exp(self.mirrored.find_log_below(-x[near])))
        return answer

    def look(self, x: Float64Array) -> tuple[Float64Array, Float64Array, Float64Array]:
        """P(X <= x), P(X > x) and the density; of both probabilities the smaller has all its digits."""
        parts = [self._look(part) for part in self._cut(x)]
        below, above, density = zip(*parts, strict=True)
        return np.concatenate(below), np.concatenate(above), np.concatenate(density)

    def _look(self, x: Float64Array) -> tuple[Float64Array, Float64Array, Float64Array]:
        under, over, density = self.find_tails(x)
        places = np.searchsorted(np.sort(self.means), x, side="right")
        passed, left = self.passed
        below, above = (passed[places] - under) + over, (left[places] - over) + under
        return below, above, density

    def find_tails(self, x: Float64Array) -> tuple[Float64Array, Float64Array, Float64Array]:
        """Of components with means up to x what lies above x, of the others what lies below; the density.

        Both are sums of tails, which are no larger than one half: nothing cancels in them.
        """
        from scipy.special import ndtr

        k = self.n_gaussians
        m, s, w = self.means[:k], self.deviations[:k], self.weights[:k]
        z = (x[:, None] - m) / s
        tails = ndtr(-np.abs(z))
        passed = z >= 0.0
        under = np.where(passed, tails, 0.0) @ w
        over = np.where(passed, 0.0, tails) @ w
        with np.errstate(under="ignore", over="ignore"):
            density = np.exp(-0.5 * z * z) @ (w / s) / np.sqrt(2.0 * np.pi)
        if self.noisy:
            length, weight = self.high - self.low, self.weights[-1]
            passed_middle = x >= self.means[-1]
            rest = np.clip(np.where(passed_middle, self.high - x, x - self.low) / length, 0.0, 0.5) * weight
            under, over = under + rest * passed_middle, over + rest * ~passed_middle
            density = density + np.where((x >= self.low) & (x <= self.high), weight / length, 0.0)
        return under, over, density

    def _cut(self, x: Float64Array) -> Iterator[Float64Array]:
        size = max(1, MOST_NUMBERS // self.weights.size)
        return (x[first : first + size] for first in range(0, max(len(x), 1), size))

    def _go_over(self, find: Callable[[Float64Array], Float64Array], x: Float64Array) -> Float64Array:
        return np.concatenate([find(part) for part in self._cut(x)])
