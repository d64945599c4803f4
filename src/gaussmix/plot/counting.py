"""Rows counted in cells, some rows at a time: what a picture of millions of rows is drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.plot.binning import Bins
from gaussmix.plot.table import OTHERS

#: Cells along a side of a raster, at least and at most.
CELLS = (64, 220)
#: Cells along a side of a raster in a pairs picture, at most.
SMALL_CELLS = 110


@dataclass(frozen=True)
class Raster:
    """The weight of the rows in each cell of a plane, by label, and how uncertain they are on average.

    `counts` has the shape (labels + 2, cells, cells): rows left out and noise, labelled -2 and -1, come last.
    Its last two axes go along y and x. `uncertainty` has the shape (cells, cells).
    """

    counts: Float64Array
    uncertainty: Float64Array


@dataclass(frozen=True)
class Histogram:
    """Bins of any widths, and their heights, as a density: the area is one."""

    edges: Float64Array
    heights: Float64Array


class Histograms:
    """A histogram of each feature, filled some rows at a time."""

    def __init__(self, bins: Sequence[Bins]) -> None:
        self.bins = tuple(bins)
        self.counts = [np.zeros(each.n_cells) for each in self.bins]

    def add(self, values: Float64Array, weights: Float64Array | None) -> None:
        """Count rows of values of shape (b, features)."""
        for counts, bins, column in zip(self.counts, self.bins, values.T, strict=True):
            cells = find_cells(column, (bins.low, bins.high), bins.n_cells)
            counts += np.bincount(cells, weights, bins.n_cells)

    def finish(self) -> tuple[Histogram, ...]:
        """The histogram of each feature."""
        done = []
        for counts, bins in zip(self.counts, self.bins, strict=True):
            totals = np.add.reduceat(counts, bins.starts)
            done.append(Histogram(bins.edges, totals / (totals.sum() * np.diff(bins.edges))))
        return tuple(done)


class Rasters:
    """A raster of each pair of features, filled some rows at a time."""

    def __init__(self, limits: Float64Array, n_rows: int, n_labels: int) -> None:
        n_shown = len(limits)
        self.n_cells = int(np.clip(2.0 * np.cbrt(n_rows), CELLS[0], CELLS[1] if n_shown < 3 else SMALL_CELLS))
        self.limits = limits
        self.pairs = [(j, i) for i in range(n_shown) for j in range(i)]
        self.n_kinds = n_labels + OTHERS
        size = self.n_kinds * self.n_cells**2
        self.counts = {pair: np.zeros(size) for pair in self.pairs}
        self.doubts = {pair: np.zeros(self.n_cells**2) for pair in self.pairs}

    def add(
        self,
        values: Float64Array,
        labels: IntArray,
        uncertainty: Float64Array,
        weights: Float64Array | None,
    ) -> None:
        """Count rows of values of shape (b, features)."""
        b = self.n_cells
        cells = [find_cells(c, ends, b) for c, ends in zip(values.T, self.limits, strict=True)]
        kinds = (labels % self.n_kinds) * b**2
        doubt = uncertainty if weights is None else uncertainty * weights
        for j, i in self.pairs:
            places = cells[i] * b + cells[j]
            self.counts[j, i] += np.bincount(kinds + places, weights, self.n_kinds * b**2)
            self.doubts[j, i] += np.bincount(places, doubt, b**2)

    def finish(self) -> dict[tuple[int, int], Raster]:
        """The rasters by the positions of the features along x and y."""
        done = {}
        for pair in self.pairs:
            counts = self.counts[pair].reshape(self.n_kinds, self.n_cells, self.n_cells)
            totals = counts.sum(axis=0)
            doubt = self.doubts[pair].reshape(totals.shape)
            done[pair] = Raster(counts, np.divide(doubt, totals, out=np.zeros_like(doubt), where=totals > 0))
        return done


def find_cells(values: Float64Array, ends: Sequence[float] | Float64Array, n_cells: int) -> IntArray:
    """The cell of each value, of as many equal ones between two ends; values beyond are in the outermost."""
    low, high = ends
    cells: IntArray = ((values - low) * (n_cells / (high - low))).astype(np.int64)
    np.clip(cells, 0, n_cells - 1, out=cells)
    return cells
