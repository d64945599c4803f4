"""Fits of rows of which some belong to no component: which look like that, and how dense noise would be.

References
----------
S. Byers and A. E. Raftery, Nearest-neighbor clutter removal for estimating features in spatial point
processes, J. Am. Stat. Assoc. 93 (1998) 577-584.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gaussmix._threads import blas_on_one_thread
from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.model.kernels.moments import pooled_moments
from gaussmix.model.noise import Noise

#: What users may ask for: none, noise with its weight to begin with, or a density of it.
NoiseRequest = bool | float | Noise

#: Rows whose neighbours are looked for (more, where components have many parameters), products of rows, other
#: rows and features that this may take, and the fewest of those other rows.
FEW, MOST_WORK, LEAST_OTHERS = 2000, 1_000_000_000, 200
#: Shares of outliers that a fit of noise starts from besides the one it is given: the likelihood picks one.
SHARES = (0.02, 0.1, 0.2, 0.35, 0.5)
#: Relative extent of the rows along a principal axis under which it is rounding.
FLAT = 1e-10


@dataclass(frozen=True, eq=False)
class Outliers:
    """What a fit makes of outliers.

    Parameters
    ----------
    noise : Noise, optional
        In the data's coordinates, with its weight to begin with.
    trim : float
        The share of the weight that is left out.
    cores : tuple of ndarray of int
        Rows that do not look like outliers, for each share that outliers may have; empty where there are to
        be none.
    """

    noise: Noise | None = None
    trim: float = 0.0
    cores: tuple[IntArray, ...] = ()


def find(X: FloatArray, weights: Float64Array | None, k: int, request: NoiseRequest, trim: float) -> Outliers:
    """What is asked for, for these rows."""
    if not request and trim == 0.0:
        return Outliers()
    with blas_on_one_thread():  # or the last bits would depend on the number of threads
        return _found(X, weights, k, request, trim)


def _found(
    X: FloatArray, weights: Float64Array | None, k: int, request: NoiseRequest, trim: float
) -> Outliers:
    noise = _noise(X, weights, request)
    total = float(len(X)) if weights is None else float(weights.sum())
    rows = max(total, float(len(X)))  # weights may also come as shares of one
    if (1.0 - trim) * rows < k:
        raise ValueError(f"trim={trim!r} leaves fewer rows than the {k} components; there are {len(X)}")
    shares = (0.0,) if noise is None else tuple(dict.fromkeys((noise.weight, *SHARES)))
    suspects = tuple(1.0 - (1.0 - trim) * (1.0 - share) for share in shares)
    return Outliers(noise, float(trim), core_rows(X, weights, k, suspects))


def _noise(X: FloatArray, weights: Float64Array | None, request: NoiseRequest) -> Noise | None:
    if isinstance(request, bool | np.bool_):
        return around(X, weights) if request else None
    if not isinstance(request, Noise):
        return replace(around(X, weights), weight=float(request))
    if request.log_density is None:
        return replace(around(X, weights), weight=request.weight)
    return request.checked(X.shape[1])


def around(X: FloatArray, weights: Float64Array | None = None) -> Noise:
    """Noise over the hypervolume of the rows, as mclust takes it: the smaller of two boxes around them.

    One has its edges along the features, the other along the principal components.
    """
    low, high = X.min(axis=0).astype(np.float64), X.max(axis=0).astype(np.float64)
    flat = np.flatnonzero(~(high > low))
    if flat.size:
        raise ValueError(
            f"column {flat[0]} is constant, so that the rows have no volume for noise to be spread over; "
            "leave it out, or give a gaussmix.Noise with a log_density"
        )
    upright = Noise.between(low, high)
    mean, covariance = pooled_moments(X, weights, oriented=True)
    axes = np.linalg.eigh(covariance)[1].T
    turned = _extent(X, mean, axes)
    size = turned[1] - turned[0]
    if not size.min() > FLAT * size.max():
        return upright
    along = Noise(box=np.concatenate([(mean + turned[0] @ axes)[None], size[:, None] * axes]))
    return along if along.known > upright.known else upright


def _extent(X: FloatArray, mean: Float64Array, axes: Float64Array) -> Float64Array:
    """The least and the largest coordinate of the rows along each axis, shape (2, d)."""
    found = np.array([np.full(len(axes), np.inf), np.full(len(axes), -np.inf)])
    for start in range(0, len(X), 8192):
        Y = (X[start : start + 8192] - mean) @ axes.T
        found = np.array([np.minimum(found[0], Y.min(axis=0)), np.maximum(found[1], Y.max(axis=0))])
    return found


def core_rows(
    X: FloatArray, weights: Float64Array | None, k: int, suspects: tuple[float, ...]
) -> tuple[IntArray, ...]:
    """Rows that lie among others: all but a suspected share, which are the farthest from their neighbours.

    Of many rows, a sample is looked at, always the same for the same rows. Features count in units of their
    interquartile ranges, which outliers do not change much.
    """
    n, d = X.shape
    generator = np.random.default_rng(0)
    rows = np.arange(n)
    most = max(FEW, 10 * k * (d + 1))
    if n > most:
        rows = np.sort(generator.choice(n, most, replace=False))
    some = X[rows].astype(np.float64)
    low, high = np.quantile(some, [0.25, 0.75], axis=0)
    spread = np.where(high > low, high - low, some.max(axis=0) - some.min(axis=0))
    some /= np.where(spread > 0.0, spread, 1.0)
    distance = _to_neighbours(some, generator)
    order = np.argsort(distance, kind="stable")
    w = np.ones(len(rows)) if weights is None else weights[rows]
    passed = np.cumsum(w[order])
    least = [(1.0 - share) * passed[-1] * (1.0 - 1e-12) for share in suspects]
    sizes = [max(int(np.searchsorted(passed, amount)) + 1, min(k, len(rows))) for amount in least]
    return tuple(np.sort(rows[order[:size]]) for size in sizes)


def _to_neighbours(Z: Float64Array, generator: np.random.Generator) -> Float64Array:
    """The squared distance of each row to a near neighbour: the tenth, or more where features are many."""
    from scipy.spatial.distance import cdist

    n, d = Z.shape
    n_others = min(n, max(LEAST_OTHERS, min(FEW, MOST_WORK // (n * d))))
    others = np.arange(n) if n_others == n else np.sort(generator.choice(n, n_others, replace=False))
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
