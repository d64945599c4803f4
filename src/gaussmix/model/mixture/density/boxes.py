"""The probability of boxes: exact for one feature, for independent ones and for two, else by tilted draws."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gaussmix._typing import BoolArray, Float64Array, IntArray
from gaussmix.model.mixture.density.background import find_inside, find_noise
from gaussmix.model.mixture.density.intervals import find_log_interval
from gaussmix.model.mixture.density.rectangles import find_log_rectangle
from gaussmix.model.mixture.density.tilting import Tilted
from gaussmix.model.mixture.properties import MixtureProperties

#: Numbers, boxes times components, that are held at a time.
MOST_NUMBERS = 1 << 18
#: Independently scrambled copies of the points, whose spread is the standard error.
N_COPIES = 8
#: Points in each copy to begin with.
FEWEST_POINTS = 128
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
    k, d = mixture.n_components, mixture.n_features
    deviations = np.sqrt(mixture.variances[components])
    if d == 1 or not (structure.form.general or structure.n_factors):
        found = find_log_independent(low, high, mixture.means[components], deviations)
        return found, np.zeros(found.shape)
    answer = np.zeros((len(low), components.size))
    errors = np.zeros(answer.shape)
    limited = np.isfinite(low) | np.isfinite(high)
    # a feature without limits is integrated out: boxes of the same limited features go together
    patterns, places = np.unique(limited, axis=0, return_inverse=True)
    dense = structure.algebra.to_dense(mixture.covariance_stack, k, d)
    for pattern, which in enumerate(patterns):
        features, rows = np.flatnonzero(which), np.flatnonzero(places.ravel() == pattern)
        if features.size:
            for place, component in enumerate(components):
                covariance = dense[component][np.ix_(features, features)]
                mean = mixture.means[component, features]
                corners = low[rows][:, features], high[rows][:, features]
                answer[rows, place], errors[rows, place] = _find_gaussian(
                    covariance, mean, *corners, precision
                )
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


def _find_gaussian(
    covariance: Float64Array,
    mean: Float64Array,
    low: Float64Array,
    high: Float64Array,
    precision: Precision,
) -> tuple[Float64Array, Float64Array]:
    """Log-probabilities of boxes (m, r) under one Gaussian, and relative errors, shape (m,)."""
    spread = np.sqrt(np.diagonal(covariance))
    correlation = covariance / np.multiply.outer(spread, spread)
    errors = np.zeros(len(low))
    if is_uncorrelated(correlation):
        return find_log_independent(low, high, mean[None], spread[None])[:, 0], errors
    low, high = (low - mean) / spread, (high - mean) / spread
    if spread.size == 2:
        return find_log_rectangle(low, high, np.full(len(low), correlation[0, 1])), errors
    answer = np.empty(len(low))
    for i, (first, last) in enumerate(zip(low, high, strict=True)):
        answer[i], errors[i] = integrate_box(correlation, first, last, precision)
    return answer, errors


def is_uncorrelated(correlation: Float64Array) -> bool:
    """Whether nothing lies beside the diagonal but rounding."""
    beside: BoolArray = np.abs(correlation[~np.eye(len(correlation), dtype=bool)]) > NO_CORRELATION
    return not beside.any()


def integrate_box(
    correlation: Float64Array, low: Float64Array, high: Float64Array, precision: Precision
) -> tuple[float, float]:
    """The log-probability of one box in standard deviations, and its relative standard error."""
    if (low >= high).any():
        return -np.inf, 0.0
    tilted = Tilted.of(correlation, low, high)
    if tilted.independent:
        return tilted.log_bound, 0.0
    n = FEWEST_POINTS
    while True:
        ratios = tilted.find_log_ratios(precision.points.take(n, low.size - 1)) - tilted.log_bound
        means = np.exp(ratios).reshape(N_COPIES, n).mean(axis=1)
        mean = float(means.mean())
        error = float(means.std(ddof=1)) / np.sqrt(N_COPIES) / mean if mean else 0.0
        if error <= precision.tolerance or 2 * n * N_COPIES > precision.max_points:
            with np.errstate(divide="ignore"):
                return tilted.log_bound + float(np.log(mean)), error
        n *= 2
