"""The start "pca": divide the rows in two, again and again, along the principal axis of the widest part.

The place on the axis is that of two-means in one dimension. Splitting at the mean, as PCA-Part does, needs no
sort but cuts clusters of unequal sizes; the split of best two-Gaussian likelihood, and axes of extreme
kurtosis, were tried and led to lower likelihoods.

References
----------
T. Su and J. G. Dy, In search of deterministic methods for initializing K-means and Gaussian mixture
clustering, Intell. Data Anal. 11 (2007) 319-338.
D. Boley, Principal direction divisive partitioning, Data Min. Knowl. Discov. 2 (1998) 325-344.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import RandomState

from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.engines import Engine
from gaussmix.fit.memberships import accumulate_labels
from gaussmix.model.moments.statistics import Moments

#: Rows nearer than this to each other along an axis, in spreads of all, are the same but for rounding.
SAME = 1e-12
#: Principal axes that a further start draws from, by their variances.
LEADING = 4


def pca(engine: Engine, k: int, rng: RandomState, turn: int) -> tuple[Moments, None]:
    """Each row belongs to its part of a divisive partition along principal axes.

    The first start draws nothing, but for the sample. Further ones draw the axis of each division among the
    leading ones.
    """
    # the features in units of their spreads, which no unit matters to; whitened rows would have no axes
    X, frame = engine.rows.array, engine.frame
    Z = (X - frame.origin.astype(X.dtype)) / np.sqrt(frame.variances).astype(X.dtype)
    return accumulate_labels(engine, divide(Z, engine.rows.masses, k, rng if turn else None), k), None


def divide(Z: FloatArray, weights: Float64Array, k: int, rng: RandomState | None = None) -> IntArray:
    """The part, 0 .. k - 1, that each row of Z belongs to; fewer where no part has two different rows left.

    Each division cuts the part of the largest variance along its axis times weight in two. The heavier one
    keeps its number.
    """
    labels = np.zeros(len(Z), dtype=np.int64)
    cuts = {0: _find_cut(Z, weights, np.arange(len(Z)), rng)}
    for new in range(1, k):
        part = max(cuts, key=lambda label: cuts[label].scatter)
        cut = cuts[part]
        if not cut.scatter > 0.0:
            break
        labels[cut.away] = new
        if new < k - 1:
            cuts[part], cuts[new] = (_find_cut(Z, weights, rows, rng) for rows in (cut.keep, cut.away))
    return labels


@dataclass(frozen=True)
class _Cut:
    """The rows of a part on either side of its best cut, and its scatter along the axis; 0: no cut."""

    scatter: float
    keep: IntArray
    away: IntArray


def _find_cut(Z: FloatArray, weights: Float64Array, rows: IntArray, rng: RandomState | None) -> _Cut:
    """How a part would be cut across its principal axis, or one drawn from the leading ones."""
    from scipy.linalg import eigh

    Y, w = Z[rows].astype(np.float64), weights[rows]
    Y -= w @ Y / w.sum()
    scatter = (Y.T * w) @ Y
    d = len(scatter)
    first = d - 1 if rng is None else max(d - LEADING, 0)
    sizes, axes = eigh(scatter, subset_by_index=[first, d - 1], check_finite=False)
    chosen = len(sizes) - 1
    if rng is not None and sizes[-1] > 0.0:
        shares = np.maximum(sizes, 0.0)
        chosen = int(rng.choice(len(shares), p=shares / shares.sum()))
    t = Y @ axes[:, chosen]
    order = np.argsort(t, kind="stable")
    n_left = two_means(t[order], w[order])
    if n_left == 0:
        return _Cut(0.0, rows, rows[:0])
    left, right = np.sort(order[:n_left]), np.sort(order[n_left:])
    keep, away = (left, right) if w[left].sum() >= w[right].sum() else (right, left)
    return _Cut(float(sizes[chosen]), rows[keep], rows[away])


def two_means(t: Float64Array, weights: Float64Array) -> int:
    """How many of sorted numbers are in the first of two clusters of least squares; 0 if all are the same.

    Of all cuts between numbers that differ it is the one of greatest scatter between the two, W_1 m_1^2 +
    W_2 m_2^2 with W their weights and m their means, all having a mean of zero.
    """
    W, S = np.cumsum(weights), np.cumsum(weights * t)
    before, after = W[:-1], W[-1] - W[:-1]
    apart = (np.diff(t) > SAME) & (after > 0.0)
    if not apart.any():
        return 0
    between = S[:-1] ** 2 * np.where(apart, 1.0 / before + 1.0 / np.where(apart, after, 1.0), 0.0)
    return int(np.where(apart, between, -1.0).argmax()) + 1
