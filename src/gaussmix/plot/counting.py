"""Rows counted in cells, some rows at a time: what a picture of millions of rows is drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.plot.binning import Bins
from gaussmix.plot.table import OTHERS


@dataclass(frozen=True)
class Raster:
    """The weight of the rows in each cell of a plane, by label, and how uncertain they are on average.

    `counts` has the shape (labels + 2, cells, cells): rows left out and noise, labelled -2 and -1, come last.
    Its last two axes go along y and x. `uncertainty` has the shape (cells, cells), and `extent` is where the
    cells begin and end along x and y.
    """

    counts: Float64Array
    uncertainty: Float64Array
    extent: tuple[float, float, float, float]


@dataclass(frozen=True)
class Grid:
    """Cells of one width along an axis."""

    low: float
    high: float
    n_cells: int


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

    def __init__(self, grids: Sequence[Grid], n_labels: int) -> None:
        self.grids = tuple(grids)
        self.pairs = [(j, i) for i in range(len(grids)) for j in range(i)]
        self.n_kinds = n_labels + OTHERS
        sizes = {(j, i): grids[j].n_cells * grids[i].n_cells for j, i in self.pairs}
        self.counts = {pair: np.zeros(self.n_kinds * size) for pair, size in sizes.items()}
        self.doubts = {pair: np.zeros(size) for pair, size in sizes.items()}

    def add(
        self,
        values: Float64Array,
        labels: IntArray,
        uncertainty: Float64Array,
        weights: Float64Array | None,
    ) -> None:
        """Count rows of values of shape (b, features)."""
        cells = [
            find_cells(column, (grid.low, grid.high), grid.n_cells)
            for column, grid in zip(values.T, self.grids, strict=True)
        ]
        kinds = labels % self.n_kinds
        doubt = uncertainty if weights is None else uncertainty * weights
        for j, i in self.pairs:
            places = cells[i] * self.grids[j].n_cells + cells[j]
            size = len(self.doubts[j, i])
            self.counts[j, i] += np.bincount(kinds * size + places, weights, self.n_kinds * size)
            self.doubts[j, i] += np.bincount(places, doubt, size)

    def finish(self) -> dict[tuple[int, int], Raster]:
        """The rasters by the positions of the features along x and y."""
        done = {}
        for pair in self.pairs:
            x, y = (self.grids[place] for place in pair)
            counts = self.counts[pair].reshape(self.n_kinds, y.n_cells, x.n_cells)
            totals = counts.sum(axis=0)
            doubt = self.doubts[pair].reshape(totals.shape)
            mean = np.divide(doubt, totals, out=np.zeros_like(doubt), where=totals > 0)
            done[pair] = Raster(counts, mean, (x.low, x.high, y.low, y.high))
        return done


def find_cells(values: Float64Array, ends: Sequence[float] | Float64Array, n_cells: int) -> IntArray:
    """The cell of each value, of as many equal ones between two ends; values beyond are in the outermost."""
    low, high = ends
    cells: IntArray = ((values - low) * (n_cells / (high - low))).astype(np.int64)
    np.clip(cells, 0, n_cells - 1, out=cells)
    return cells
