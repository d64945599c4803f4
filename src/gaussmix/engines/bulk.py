"""The bulk of the rows: what scales are measured by where a few rows are far from all others."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.model.mixture.views import FARTHEST

#: Rows, evenly spaced, that quantiles are taken of.
SAMPLED = 2048
#: Shares of the rows between two quantiles, and half the distance between these for a normal distribution, in
#: standard deviations. The first share with any spread counts: more than half of a column may be one value.
MIDDLES = ((0.5, 0.6745), (0.8, 1.2816), (0.9, 1.6449))
#: Spreads of the middle that the spread of all rows may come to before any row counts as far.
WIDE = 10.0
#: Spreads of the middle between a far row and the median.
FAR = 100.0
#: The largest share of the rows that may be far: more are no exceptions.
FEW = 0.25


def bulk_of(X: FloatArray, variances: Float64Array) -> IntArray | None:
    """The rows that are not far from the others in any feature.

    None where that is all rows, or where far ones distort no scale. Fill values (99999, -2147483648) and
    slips of the keyboard are far. A few of them multiply the variance of a feature by a million. What is
    measured by that, such as the least variance of a component, would be wider than the clusters of the
    other rows.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    variances : ndarray of shape (d,)
        Of all rows.
    """
    n = len(X)
    ordered = np.sort(X[:: max(1, n // SAMPLED)].astype(np.float64), axis=0)
    spread = np.zeros(X.shape[1])
    for share, half in MIDDLES:
        low = int(0.5 * (1.0 - share) * (len(ordered) - 1))
        middle = (ordered[len(ordered) - 1 - low] - ordered[low]) / (2.0 * half)
        spread = np.where(spread > 0.0, spread, middle)
    told = spread > 0.0
    with np.errstate(over="ignore"):
        if not (np.sqrt(variances[told]) > WIDE * spread[told]).any():
            return None
        reach = np.abs(X[:, told] - ordered[len(ordered) // 2, told]) / spread[told]
    if not reach.max() < FARTHEST[X.dtype.char]:  # squares in these units would overflow
        return None
    near = np.flatnonzero((reach <= FAR).all(axis=1))
    return near if (1.0 - FEW) * n <= len(near) < n else None
