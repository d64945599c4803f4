"""The features that a report shows: which, their range, and how many digits their numbers have."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.clusters.separation import RESOLUTION, measure_separation, rank_features
from gaussmix.data.rows import Rows
from gaussmix.model.mixture import Mixture
from gaussmix.plot.binning import FEW_BINS, SAMPLE, Parts, limit_height, plan_bins
from gaussmix.plot.counting import Histograms

#: Features of the pictures, unless the caller names others.
MOST_FEATURES = 6
#: The least separation of a feature shown, as a part of the largest.
LEAST_SEPARATION = 0.05
#: Digits of numbers, relative to the range of their feature: finer than a screen shows.
DIGITS = 5
#: Ellipses of the best model that are to lie within the axes, in standard deviations.
REACH = 2.2
#: How far axes go beyond the rows for the sake of ellipses, in ranges of the rows.
MOST_ROOM = 0.35
#: Room at both ends of an axis, in ranges.
MARGIN = 0.04


@dataclass(frozen=True, eq=False)
class Feature:
    """One feature as the report shows it.

    Parameters
    ----------
    position : int
        Its column.
    name : str
    low, high : float
        The ends of its axis.
    decimals : int
        Of its numbers; negative where the range is large.
    edges, heights : ndarray
        The histogram of all rows, as a density.
    top : float
        Up to which height it is shown.
    constant : bool
        Whether all rows have the same value.
    """

    position: int
    name: str
    low: float
    high: float
    decimals: int
    edges: Float64Array
    heights: Float64Array
    top: float
    constant: bool

    @property
    def format(self) -> str:
        """The format of numbers on its axis, in D3's words; empty for the usual one."""
        largest = max(abs(self.low), abs(self.high))
        if 1e-3 <= largest < 1e7 and self.high - self.low > 1e-3:
            return ""
        digits = math.ceil(math.log10(largest / (self.high - self.low))) + 2
        return f".{min(max(digits, 3), 15)}~g"


def choose_features(
    names: Sequence[str], features: Sequence[int | str] | None, mixture: Mixture
) -> list[int]:
    """The positions of the features to show.

    Unless the caller names some, those that tell the components apart most: that by themselves take away the
    largest share of the uncertainty of a row's component. They come in the order of the columns.
    """
    if features is None:
        if len(names) <= MOST_FEATURES:
            return list(range(len(names)))
        separation = measure_separation(mixture)
        if float(separation.max()) <= RESOLUTION:  # there is one component, or all are alike in each feature
            return list(range(MOST_FEATURES))
        told = int((separation > LEAST_SEPARATION * separation.max()).sum())
        return sorted(int(j) for j in rank_features(separation)[: min(max(told, 2), MOST_FEATURES)])
    chosen = [_find_position(names, feature) for feature in features]
    if not 1 <= len(chosen) <= MOST_FEATURES or len(set(chosen)) < len(chosen):
        raise ValueError(
            f"features must be 1 to {MOST_FEATURES} different names or positions; got {list(features)!r}"
        )
    return chosen


def _find_position(names: Sequence[str], feature: int | str) -> int:
    if isinstance(feature, str):
        if feature not in names:
            raise ValueError(f"features names {feature!r}, but the columns are {', '.join(names)}")
        return list(names).index(feature)
    if not -len(names) <= feature < len(names):
        raise ValueError(f"features asks for position {feature}, but they go from 0 to {len(names) - 1}")
    return int(feature) % len(names)


def describe_features(
    rows: Rows, positions: Sequence[int], names: Sequence[str], mixture: Mixture
) -> tuple[Feature, ...]:
    """The features at these positions; axes have room for ellipses of the mixture."""
    spread = np.sqrt(mixture.variances[:, positions])
    centres = mixture.means[:, positions]
    reached = (centres - REACH * spread).min(axis=0), (centres + REACH * spread).max(axis=0)
    weights = mixture.without_noise().weights
    parts = [Parts(weights, *values) for values in zip(centres.T, spread.T, strict=True)]
    return tuple(
        _describe(rows, j, names[j], float(reached[0][i]), float(reached[1][i]), parts[i])
        for i, j in enumerate(positions)
    )


def _describe(rows: Rows, position: int, name: str, lowest: float, highest: float, parts: Parts) -> Feature:
    column = np.asarray(rows.array[:, position], dtype=np.float64)
    first, last = float(column.min()), float(column.max())
    middle, extent = first / 2 + last / 2, last - first
    # the ends of an axis differ in floating point even where all rows are equal
    span = extent if extent > 1e-12 * abs(middle) else max(1e-3 * abs(middle), 1e-300) if middle else 1.0
    low = min(first, max(lowest, first - MOST_ROOM * span)) - MARGIN * span
    high = max(last, min(highest, last + MOST_ROOM * span)) + MARGIN * span
    constant = not extent > 1e-12 * abs(middle)
    if constant:
        edges, heights = np.array([middle - span / 20.0, middle + span / 20.0]), np.array([10.0 / span])
    else:
        edges, heights = _make_histogram(column, rows.weights, (first, last), parts)
        low, high = min(low, float(edges[0])), max(high, float(edges[-1]))
    top = min(float(heights.max()), limit_height(parts, high - low))
    decimals = DIGITS - 1 - math.floor(math.log10(span))
    return Feature(position, name, low, high, decimals, edges, heights, top, constant)


def _make_histogram(
    column: Float64Array, weights: Float64Array | None, ends: tuple[float, float], parts: Parts
) -> tuple[Float64Array, Float64Array]:
    """The edges and heights of the histogram of all rows, with the bins of the pictures of gaussmix.plot."""
    places = np.arange(len(column)) if weights is None else np.flatnonzero(weights)
    places = places[:: max(1, -(-len(places) // SAMPLE))]
    n_rows = float(len(column)) if weights is None else float(weights.sum() ** 2 / (weights**2).sum())
    sampled = None if weights is None else weights[places]
    histograms = Histograms([plan_bins(column[places], sampled, ends, n_rows, parts, FEW_BINS)])
    histograms.add(column[:, None], weights)
    (histogram,) = histograms.finish()
    return histogram.edges, histogram.heights


def round_column(values: Float64Array, feature: Feature) -> list[float]:
    """Numbers of one feature, with its digits."""
    return [float(value) for value in np.round(values, min(max(feature.decimals, -300), 300))]


def round_numbers(values: Float64Array, digits: int = 6) -> list[float]:
    """Numbers of any size with so many significant digits."""
    return [float(f"{value:.{digits}g}") for value in np.ravel(values)]


def take_places(rows: Rows, places: IntArray) -> Float64Array:
    """The numbers of the rows at some places, in double precision."""
    return np.asarray(rows.take(places).array, dtype=np.float64)
