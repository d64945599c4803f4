"""The histogram of the scores of rows: an edge at the threshold, and one bar for all that is far below it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gaussmix._typing import BoolArray, Float64Array, IntArray

#: Bars at most, on both sides of the threshold together.
MOST_BARS = 48
#: Bars at least.
FEW_BARS = 8
#: How far the axis goes below the threshold, in distances from the threshold to the largest score.
REACH = 1.5


@dataclass(frozen=True, eq=False)
class ScoreHistogram:
    """How many rows have each score.

    Parameters
    ----------
    edges : ndarray of shape (bars + 1,)
        The threshold is one of them.
    counts : ndarray of shape (bars,)
        All rows whose score is below the second edge are in the first bar.
    threshold : float
        A row of a lower score is an anomaly.
    n_below : int
        Rows of the first bar whose score is below the first edge.
    n_anomalies, n_rows : int
    """

    edges: Float64Array
    counts: IntArray
    threshold: float
    n_below: int
    n_anomalies: int
    n_rows: int

    @property
    def anomalous(self) -> BoolArray:
        """Which bars hold anomalies."""
        return np.asarray(self.edges[1:] <= self.threshold)


def count_scores(scores: Float64Array, threshold: float) -> ScoreHistogram:
    """The histogram of scores, shape (n,); infinite ones are in the first or the last bar."""
    finite = scores[np.isfinite(scores)]
    ends = np.append(finite, threshold)
    low, high = float(ends.min()), float(ends.max())
    above = high - threshold
    if above > 0.0:
        low = max(low, threshold - REACH * above)
    n_bars = int(np.clip(np.sqrt(max(len(scores), 1)), FEW_BARS, MOST_BARS))
    extent = high - low
    width = extent / n_bars if extent > 1e-12 * max(abs(low), abs(high)) else max(1.0, abs(high)) / n_bars
    n_low = max(int((scores < threshold).any()), int(np.ceil((threshold - low) / width - 1e-9)))
    n_high = max(1, int(np.floor(above / width + 1e-9)) + 1)
    edges: Float64Array = threshold + width * np.arange(-n_low, n_high + 1, dtype=np.float64)
    places = np.clip(np.searchsorted(edges, scores, side="right") - 1, 0, n_low + n_high - 1)
    # next to the threshold rounding must not decide on which side a row is
    places = np.where(scores < threshold, np.minimum(places, n_low - 1), np.maximum(places, n_low))
    return ScoreHistogram(
        edges=edges,
        counts=np.bincount(places, minlength=n_low + n_high),
        threshold=threshold,
        n_below=int((scores < edges[0]).sum()),
        n_anomalies=int((scores < threshold).sum()),
        n_rows=len(scores),
    )
