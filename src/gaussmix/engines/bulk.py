"""The bulk of the rows: what scales are measured by where a few rows are far from all others."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.data.rows import Rows
from gaussmix.model.mixture.views import FARTHEST

#: Rows, evenly spaced, that quantiles are taken of.
SAMPLED = 2048
#: Rows that are looked at together.
SCANNED = 8192
#: Shares of the rows between two quantiles, and half the distance between these for a normal distribution, in
#: standard deviations. The first share with any spread counts: more than half of a column may be one value.
MIDDLES = ((0.5, 0.6745), (0.8, 1.2816), (0.9, 1.6449))
#: Spreads of the middle that the spread of all rows may come to before any row counts as far.
WIDE = 10.0
#: Spreads of the middle between a far row and the median.
FAR = 100.0
#: The largest share of the rows that may be far: more are no exceptions.
FEW = 0.25


def find_bulk(rows: Rows, variances: Float64Array) -> IntArray | None:
    """The places of the rows that are not far from the others in any feature; `variances` are of all rows.

    None where that is all rows, or where far ones distort no scale. Fill values (99999, -2147483648) and
    slips of the keyboard are far. A few of them multiply the variance of a feature by a million. What is
    measured by that, such as the least variance of a component, would be wider than the clusters of the
    other rows.
    """
    n, d = rows.shape
    some = rows.take(np.arange(0, n, max(1, n // SAMPLED))).array
    ordered, spread = np.sort(some.astype(np.float64), axis=0), np.zeros(d)
    for share, half in MIDDLES:
        low = int(0.5 * (1.0 - share) * (len(ordered) - 1))
        middle = (ordered[len(ordered) - 1 - low] - ordered[low]) / (2.0 * half)
        spread = np.where(spread > 0.0, spread, middle)
    known = spread > 0.0
    middle, spread = ordered[len(ordered) // 2, known], spread[known]
    with np.errstate(over="ignore"):
        if not (np.sqrt(variances[known]) > WIDE * spread).any():
            return None
        near = np.empty(n, dtype=bool)
        for part in rows.cut(SCANNED):
            reach = np.abs(rows.values[part][:, known] - middle) / spread
            if not reach.max() < FARTHEST[rows.dtype.char]:  # squares in these units would overflow
                return None
            near[part] = (reach <= FAR).all(axis=1)
    places = np.flatnonzero(near)
    return places if (1.0 - FEW) * n <= len(places) < n else None
