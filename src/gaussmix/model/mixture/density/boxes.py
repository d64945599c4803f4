"""The probability of boxes: exact for one feature, for independent ones and for two, else by tilted draws."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from gaussmix._typing import BoolArray, Float64Array, IntArray
from gaussmix.model.mixture.density.background import find_inside, find_noise
from gaussmix.model.mixture.density.factor_boxes import FactorBox
from gaussmix.model.mixture.density.intervals import find_log_interval
from gaussmix.model.mixture.density.rectangles import find_log_rectangle
from gaussmix.model.mixture.density.tilting import Tilted
from gaussmix.model.mixture.properties import MixtureProperties

#: Numbers, boxes times components, that are held at a time.
MOST_NUMBERS = 1 << 18
#: Independently scrambled copies of the points, whose spread is the standard error.
N_COPIES = 8
#: Points in each copy to begin with.
FEWEST_POINTS = 64
#: What an error is multiplied by at best when the points are doubled: that of smooth integrands.
FASTEST = 0.35
#: Correlation under which features are independent: that of covariances that are zero but for rounding.
NO_CORRELATION = 1e-15


@dataclass
class Points:
    """Scrambled Sobol points, made when needed: the same for all boxes, so that answers are smooth."""

    generator: np.random.Generator
    made: dict[tuple[int, int], Float64Array] = field(default_factory=dict)

    def take(self, n: int, r: int) -> Float64Array:
        """N_COPIES independent sets of n points, a power of two, shape (N_COPIES n, r)."""
        from scipy.stats import qmc

        if (n, r) not in self.made:
            self.made[n, r] = np.concatenate(
                [
                    qmc.Sobol(r, seed=self.generator).random_base2(int(n).bit_length() - 1)
                    for _ in range(N_COPIES)
                ]
            )
        return self.made[n, r]


@dataclass(frozen=True)
class Precision:
    """How exactly boxes of three and more correlated features are integrated."""

    points: Points
    tolerance: float
    max_points: int


def find_log_boxes(
    mixture: MixtureProperties, low: Float64Array, high: Float64Array, precision: Precision
) -> tuple[Float64Array, Float64Array]:
    """The logarithms of the probabilities of boxes (m, d), and their relative standard errors."""
    noise = find_noise(mixture)
    empty = np.any(low >= high, axis=1)  # also between equal infinities, which are no lack of limits
    low = np.where(empty[:, None], -np.inf, low)
    high = np.where(empty[:, None], np.inf, high)
    present = np.flatnonzero(mixture.weights > 0.0)
    shares = mixture.weights[present]
    background = None if noise is None else noise.weight * find_inside(noise, low, high)
    total = float(shares.sum()) + (0.0 if noise is None else noise.weight)
    answer, error = np.empty(len(low)), np.empty(len(low))
    size = max(1, MOST_NUMBERS // max(present.size, 1))
    for first in range(0, len(low), size):
        part = slice(first, first + size)
        of_components, errors = find_component_boxes(mixture, present, low[part], high[part], precision)
        joint = of_components + np.log(shares)
        with np.errstate(divide="ignore"):
            if background is not None:
                joint = np.column_stack([joint, np.log(background[part])])
                errors = np.column_stack([errors, np.zeros(len(errors))])
            together = np.logaddexp.reduce(joint, axis=1)
            answer[part] = np.minimum(together - np.log(total), 0.0)
            answer[part][~(np.isfinite(low[part]) | np.isfinite(high[part])).any(axis=1)] = 0.0
        likely = np.exp(joint - np.where(np.isfinite(together), together, 0.0)[:, None])
        error[part] = np.sqrt(((likely * errors) ** 2).sum(axis=1))
    answer[empty], error[empty] = -np.inf, 0.0
    return answer, error


def find_component_boxes(
    mixture: MixtureProperties,
    components: IntArray,
    low: Float64Array,
    high: Float64Array,
    precision: Precision,
) -> tuple[Float64Array, Float64Array]:
    """Log-probabilities of boxes (m, d) under some components alone, and relative errors, both (m, k)."""
    structure = mixture.structure
    d = mixture.n_features
    deviations = np.sqrt(mixture.variances[components])
    if d == 1 or not (structure.form.general or structure.n_factors):
        found = find_log_independent(low, high, mixture.means[components], deviations)
        return found, np.zeros(found.shape)
    answer = np.zeros((len(low), components.size))
    errors = np.zeros(answer.shape)
    limited = np.isfinite(low) | np.isfinite(high)
    # a feature without limits is integrated out: boxes of the same limited features go together
    patterns, places = np.unique(limited, axis=0, return_inverse=True)
    for place, component in enumerate(components):
        gaussian = _Gaussian.of(mixture, int(component))
        for pattern, which in enumerate(patterns):
            features, rows = np.flatnonzero(which), np.flatnonzero(places.ravel() == pattern)
            if features.size:
                low_sides, high_sides = (side[np.ix_(rows, features)] for side in (low, high))
                logs, relative = gaussian.take(features).find_boxes(low_sides, high_sides, precision)
                answer[rows, place], errors[rows, place] = logs, relative
    return answer, errors


def find_log_independent(
    low: Float64Array, high: Float64Array, means: Float64Array, deviations: Float64Array
) -> Float64Array:
    """The sums of the logarithms of intervals of the features, shape (m, k)."""
    answer = np.zeros((len(low), len(means)))
    for j in range(means.shape[1]):
        if np.isfinite(low[:, j]).any() or np.isfinite(high[:, j]).any():
            a, b = low[:, [j]], high[:, [j]]
            with np.errstate(invalid="ignore"):  # of limits that are both infinite, or of none
                length = (b - a) / deviations[:, j]
            first, last = (a - means[:, j]) / deviations[:, j], (b - means[:, j]) / deviations[:, j]
            answer += find_log_interval(first, last, length)
    return answer


@dataclass(frozen=True)
class _Gaussian:
    """One Gaussian of some features: its covariance as a matrix, or as L L' + diag(psi) if q is small."""

    mean: Float64Array
    covariance: Float64Array | None
    loadings: Float64Array | None
    uniquenesses: Float64Array | None

    @classmethod
    def of(cls, mixture: MixtureProperties, component: int) -> _Gaussian:
        """A component of a mixture."""
        structure, d = mixture.structure, mixture.n_features
        stack = structure.select(mixture.covariance_stack, np.array([component]))
        mean = mixture.means[component]
        if structure.n_factors:
            loadings, uniquenesses = structure.parts(stack)
            return cls(mean, None, loadings[0], uniquenesses[0])
        return cls(mean, structure.algebra.to_dense(stack, 1, d)[0], None, None)

    def take(self, features: IntArray) -> _Gaussian:
        """That of some features."""
        mean = self.mean[features]
        if self.loadings is None or self.uniquenesses is None:
            assert self.covariance is not None
            return _Gaussian(mean, self.covariance[np.ix_(features, features)], None, None)
        loadings, uniquenesses = self.loadings[features], self.uniquenesses[features]
        if loadings.shape[1] < features.size - 1:
            return _Gaussian(mean, None, loadings, uniquenesses)
        return _Gaussian(mean, loadings @ loadings.T + np.diag(uniquenesses), None, None)

    def find_boxes(
        self, low: Float64Array, high: Float64Array, precision: Precision
    ) -> tuple[Float64Array, Float64Array]:
        """Log-probabilities of boxes (m, r), and relative errors, shape (m,)."""
        errors, answer = np.zeros(len(low)), np.empty(len(low))
        low, high = low - self.mean, high - self.mean
        if self.covariance is None:
            assert self.loadings is not None and self.uniquenesses is not None
            for i in range(len(low)):
                box = FactorBox.of(self.loadings, self.uniquenesses, low[i], high[i])
                answer[i], errors[i] = integrate(box, self.loadings.shape[1], precision)
        else:
            spread = np.sqrt(np.diagonal(self.covariance))
            correlation = self.covariance / np.multiply.outer(spread, spread)
            if is_uncorrelated(correlation):
                means = np.zeros((1, spread.size))
                return find_log_independent(low, high, means, spread[None])[:, 0], errors
            low, high = low / spread, high / spread
            if spread.size == 2:
                return find_log_rectangle(low, high, np.full(len(low), correlation[0, 1])), errors
            for i in range(len(low)):
                answer[i], errors[i] = _integrate_matrix(correlation, low[i], high[i], precision)
        empty = (low >= high).any(axis=1)
        answer[empty], errors[empty] = -np.inf, 0.0
        return answer, errors


def is_uncorrelated(correlation: Float64Array) -> bool:
    """Whether nothing lies beside the diagonal but rounding."""
    beside: BoolArray = np.abs(correlation[~np.eye(len(correlation), dtype=bool)]) > NO_CORRELATION
    return not beside.any()


class Integral(Protocol):
    """A probability as the mean of a ratio of densities."""

    def find_log_ratios(self, shares: Float64Array) -> Float64Array:
        """The logarithms of the ratio at uniform points (n, m)."""


def integrate(integral: Integral, m: int, precision: Precision) -> tuple[float, float]:
    """The logarithm of an integral over the unit cube of m dimensions, and its relative standard error."""
    n, before = FEWEST_POINTS, np.inf
    while True:
        ratios = integral.find_log_ratios(precision.points.take(n, m))
        top = float(ratios.max())
        if not np.isfinite(top):
            return -np.inf, 0.0
        means = np.exp(ratios - top).reshape(N_COPIES, n).mean(axis=1)
        mean = float(means.mean())
        error = float(means.std(ddof=1)) / np.sqrt(N_COPIES) / mean
        # a few copies may agree by chance: the error is taken to fall by no more than a factor at a time
        error, before = max(error, before * FASTEST) if np.isfinite(before) else error, error
        enough = n > FEWEST_POINTS and error <= precision.tolerance
        if enough or 2 * n * N_COPIES > precision.max_points:
            return top + float(np.log(mean)), error
        n *= 2


def _integrate_matrix(
    correlation: Float64Array, low: Float64Array, high: Float64Array, precision: Precision
) -> tuple[float, float]:
    """The log-probability of one box in standard deviations, and its relative standard error."""
    if (low >= high).any():
        return -np.inf, 0.0
    tilted = Tilted.of(correlation, low, high)
    if tilted.independent:
        return tilted.log_bound, 0.0
    return integrate(tilted, low.size - 1, precision)
