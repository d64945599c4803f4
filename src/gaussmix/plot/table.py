"""The rows of a picture, read some at a time: their values, labels and weights, and what they are like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gaussmix._typing import BoolArray, Float64Array, FloatArray, IntArray
from gaussmix.clusters.projection import Projection
from gaussmix.plot.binning import SAMPLE
from gaussmix.plot.labelling import Labelling

#: Labels with rows of their own beside the components: rows left out, and noise.
OTHERS = 2
#: Rows that are labelled and counted at a time: labels of k components take 8 k bytes a row meanwhile.
CHUNK = 65_536


@dataclass(frozen=True)
class Table:
    """Rows that are to be shown, their weights, and what labels them.

    With a projection it is the rows that are labelled, and their places in its directions that are shown.
    """

    rows: FloatArray  # (n, d)
    weights: Float64Array | None
    labelling: Labelling
    projection: Projection | None = None

    @property
    def present(self) -> BoolArray | slice:
        """Which rows have a positive weight."""
        return slice(None) if self.weights is None else self.weights > 0.0

    @property
    def n_present(self) -> int:
        """The number of rows of positive weight."""
        return len(self.rows) if self.weights is None else int(np.count_nonzero(self.weights))

    @property
    def n_effective(self) -> float:
        """How many rows of equal weight say as much: (sum of weights)^2 / sum of squares (Kish)."""
        if self.weights is None:
            return float(len(self.rows))
        return float(self.weights.sum() ** 2 / (self.weights**2).sum())

    def read(self, places: slice | BoolArray | IntArray, columns: Sequence[int]) -> Float64Array:
        """The values of some rows in some columns, or directions."""
        rows = self.rows[places]
        if self.projection is not None:
            rows = self.projection.transform(rows)
        return rows[:, list(columns)].astype(np.float64)

    def walk(self, columns: Sequence[int]) -> Iterator[tuple[Float64Array, IntArray, Float64Array, Any]]:
        """Values in these columns, labels, uncertainties and weights, some rows at a time."""
        for first in range(0, len(self.rows), CHUNK):
            places = slice(first, first + CHUNK)
            labels, uncertainty = self.labelling.label(self.rows[places], places)
            weights = None if self.weights is None else self.weights[places]
            yield self.read(places, columns), labels, uncertainty, weights

    def find_range(self, columns: Sequence[int]) -> tuple[Float64Array, Float64Array]:
        """The least and the largest value of each column among rows of positive weight."""
        low, high = np.full(len(columns), np.inf), np.full(len(columns), -np.inf)
        for first in range(0, len(self.rows), CHUNK):
            places = slice(first, first + CHUNK)
            values = self.read(places, columns)
            if self.weights is not None:
                values = values[self.weights[places] > 0.0]
            if len(values):
                low, high = np.minimum(low, values.min(axis=0)), np.maximum(high, values.max(axis=0))
        return low, high

    def take_sample(self, columns: Sequence[int]) -> tuple[Float64Array, Float64Array | None]:
        """The values and weights of at most `SAMPLE` rows of positive weight, at even distances."""
        places = np.arange(len(self.rows))[self.present]
        places = places[:: max(1, -(-len(places) // SAMPLE))]
        return self.read(places, columns), None if self.weights is None else self.weights[places]

    def describe_labels(self) -> tuple[Float64Array, Float64Array, Float64Array]:
        """Weights (labels,), means and variances (labels, d) of each label that has rows, without noise."""
        n_labels, d = self.labelling.n_labels, self.rows.shape[1]
        totals = np.zeros((1 + 2 * d, n_labels))
        centre = self.rows[0].astype(np.float64)
        for values, labels, _, weights in self.walk(range(d)):
            known = labels >= 0
            from_centre = (values[known] - centre).T
            w = np.ones(int(known.sum())) if weights is None else weights[known]
            for total, column in zip(totals, [w, *(w * from_centre), *(w * from_centre**2)], strict=True):
                total += np.bincount(labels[known], column, n_labels)
        counts = totals[0]
        occurs = counts > 0.0
        means = (totals[1 : 1 + d, occurs] / counts[occurs]).T
        variances = np.maximum((totals[1 + d :, occurs] / counts[occurs]).T - means**2, 0.0)
        return counts[occurs] / max(float(counts.sum()), 1e-300), means + centre, variances

    def find_shares(self) -> tuple[Float64Array, float]:
        """The share of the weight of each label, and that of the noise."""
        totals = np.zeros(self.labelling.n_labels + OTHERS)
        for _, labels, _, weights in self.walk([]):
            totals += np.bincount(labels % len(totals), weights, len(totals))
        totals /= totals.sum()
        return totals[:-OTHERS], float(totals[-1])
