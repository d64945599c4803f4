"""Fits of rows of which some belong to no component: which look like that, and how dense noise would be.

References
----------
S. Byers and A. E. Raftery, Nearest-neighbor clutter removal for estimating features in spatial point
processes, J. Am. Stat. Assoc. 93 (1998) 577-584.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.data.rows import Rows
from gaussmix.engines import choose_engine
from gaussmix.model.kernels.moments import pool_moments
from gaussmix.model.noise import Noise

#: The values that users may pass: no noise, noise with its weight to begin with, or a density of it.
NoiseRequest = bool | float | Noise

#: Rows whose neighbours are looked for; more, where components have many parameters.
FEW = 2000
#: The most products of rows, other rows and features that the search for neighbours takes.
MOST_WORK = 1_000_000_000
#: The fewest of those other rows.
LEAST_OTHERS = 200
#: Rows that are looked at together for their extent.
SCANNED = 8192
#: Shares of outliers that a fit of noise starts from besides the one it is given: the likelihood picks one.
SHARES = (0.02, 0.1, 0.2, 0.35, 0.5)
#: Relative extent of the rows along a principal axis under which it is rounding.
FLAT = 1e-10


@dataclass(frozen=True, eq=False)
class Outliers:
    """How a fit treats outliers: as noise, by trimming, or not at all."""

    #: The noise in the data's coordinates, with its weight to begin with.
    noise: Noise | None = None
    #: The share of the weight that is left out.
    trim: float = 0.0
    #: Rows that do not look like outliers, for each share that outliers may have; empty where there are to be
    #: none.
    cores: tuple[IntArray, ...] = ()


def find_outliers(
    rows: Rows, k: int, request: NoiseRequest, trim: float, labelled: IntArray | None = None
) -> Outliers:
    """The noise and the trimming that are asked for, and the cores of these rows.

    The places of `labelled` rows, which the caller says belong to components, are the core: none is looked
    for.
    """
    if not request and trim == 0.0:
        return Outliers()
    noise, (n, _) = _make_noise(rows, request), rows.shape
    # weights may also come as shares of one
    if (1.0 - trim) * max(rows.weight, float(n)) < k:
        raise ValueError(f"trim={trim!r} leaves fewer rows than the {k} components; there are {n}")
    if labelled is not None:
        return Outliers(noise, float(trim), (labelled,))
    shares = (0.0,) if noise is None else tuple(dict.fromkeys((noise.weight, *SHARES)))
    suspects = tuple(1.0 - (1.0 - trim) * (1.0 - share) for share in shares)
    return Outliers(noise, float(trim), find_cores(rows, k, suspects))


def _make_noise(rows: Rows, request: NoiseRequest) -> Noise | None:
    if isinstance(request, bool | np.bool_):
        return spread_noise(rows) if request else None
    if not isinstance(request, Noise):
        return replace(spread_noise(rows), weight=float(request))
    if request.log_density is None:
        return replace(spread_noise(rows), weight=request.weight)
    request.check_features(rows.shape[1])
    return request


def spread_noise(rows: Rows) -> Noise:
    """Noise over the hypervolume of the rows, as mclust takes it: the smaller of two boxes around them.

    One has its edges along the features, the other along the principal components.
    """
    low, high = _find_extent(rows)
    flat = np.flatnonzero(~(high > low))
    if flat.size:
        raise ValueError(
            f"column {flat[0]} is constant, so that the rows have no volume for noise to be spread over; "
            "leave it out, or give a gaussmix.Noise with a log_density"
        )
    upright = Noise.between(low, high)
    mean, covariance = pool_moments(rows.values, rows.weights, oriented=True, run=choose_engine(rows).run)
    axes = np.linalg.eigh(covariance)[1].T
    turned = _find_extent(rows, mean, axes)
    size = turned[1] - turned[0]
    if not size.min() > FLAT * size.max():
        return upright
    along = Noise(box=np.concatenate([(mean + turned[0] @ axes)[None], size[:, None] * axes]))
    return along if along.known_log_density > upright.known_log_density else upright


def _find_extent(
    rows: Rows, mean: Float64Array | None = None, axes: Float64Array | None = None
) -> Float64Array:
    """The least and the largest coordinate of the rows, shape (2, d): along axes from a mean, if any."""
    ends = []
    for part in rows.cut(SCANNED):
        X = rows.values[part]
        Y = X if mean is None or axes is None else (X - mean) @ axes.T
        ends.append((Y.min(axis=0), Y.max(axis=0)))
    lows, highs = np.array(ends, dtype=np.float64).swapaxes(0, 1)
    return np.array([lows.min(axis=0), highs.max(axis=0)])


def find_cores(rows: Rows, k: int, suspects: tuple[float, ...]) -> tuple[IntArray, ...]:
    """Rows that lie among others: all but a suspected share, which are the farthest from their neighbours.

    Of many rows, a sample is looked at, always the same for the same rows. Features count in units of their
    interquartile ranges, which outliers do not change much.
    """
    n, d = rows.shape
    places = rows.choose(max(FEW, 10 * k * (d + 1)))
    places = np.arange(n) if places is None else places
    seen = rows.take(places)
    some = seen.array.astype(np.float64)
    low, high = np.quantile(some, [0.25, 0.75], axis=0)
    spread = np.where(high > low, high - low, some.max(axis=0) - some.min(axis=0))
    some /= np.where(spread > 0.0, spread, 1.0)
    distance = _measure_neighbours(some)
    order = np.argsort(distance, kind="stable")
    passed = np.cumsum(seen.masses[order])
    least = [(1.0 - share) * passed[-1] * (1.0 - 1e-12) for share in suspects]
    sizes = [max(int(np.searchsorted(passed, amount)) + 1, min(k, len(places))) for amount in least]
    return tuple(np.sort(places[order[:size]]) for size in sizes)


def _measure_neighbours(Z: Float64Array) -> Float64Array:
    """The squared distance of each row to a near neighbour: the tenth, or more where features are many."""
    from scipy.spatial.distance import cdist

    n, d = Z.shape
    n_others = min(n, max(LEAST_OTHERS, min(FEW, MOST_WORK // (n * d))))
    chosen = Rows(Z).choose(n_others)
    others = np.arange(n) if chosen is None else chosen
    itself = np.zeros(n, dtype=np.int64)
    itself[others] = 1  # who is among the others is the nearest to itself
    nearest = min(max(10, d + 1), max(1, n_others // 4))
    distance = np.empty(n)
    for start in range(0, n, 256):
        here = slice(start, min(start + 256, n))
        ranks = np.minimum(nearest - 1 + itself[here], n_others - 1)
        squares = cdist(Z[here], Z[others], "sqeuclidean")
        squares.partition(np.unique(ranks), axis=1)
        distance[here] = np.take_along_axis(squares, ranks[:, None], axis=1)[:, 0]
    return distance
