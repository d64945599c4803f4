"""The features of a regression in coordinates in which the training rows have mean zero and unit covariance.

Features that are constant or combinations of others have no coordinate of their own: regressions have the
least slopes there that give the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from gaussmix._typing import BoolArray, Float64Array, IntArray
from gaussmix.data.rows import Rows
from gaussmix.engines.bulk import find_bulk
from gaussmix.model.moments.frame import CONSTANT

#: Eigenvalues of the correlations below this, relative to the largest, are rounding.
COLLINEAR = 1e-12
#: Spreads of the bulk beyond which a row counts as no further in the correlations, where there are far rows.
FARTHEST = 10.0
#: The largest spread whose square is a number.
LARGEST = 1e150


@dataclass(frozen=True, eq=False)
class Design:
    """Training rows as columns t = (1, A'(x - c)), and the map from the data to them."""

    #: Shape (1 + r, n): ones, and r features of mean zero and unit covariance.
    columns: Float64Array
    #: c, shape (p,).
    centre: Float64Array
    #: A, shape (p, r).
    matrix: Float64Array
    #: The spread of each feature, shape (p,): one where it has none.
    spreads: Float64Array

    @classmethod
    def of_rows(cls, X: Float64Array, masses: Float64Array) -> Self:
        """The design of rows, shape (n, p), of positive weights; centre and units are those of the bulk."""
        centre, spreads = find_scales(X, masses)
        places = find_bulk(Rows(X), np.square(np.minimum(spreads, LARGEST))) if X.shape[1] else None
        if places is not None:
            middle, narrow = find_scales(X[places], masses[places])
            centre, spreads = np.where(narrow > 0.0, (middle, narrow), (centre, spreads))
        varies, spreads = spreads > 0.0, np.where(spreads > 0.0, spreads, 1.0)
        standard = np.where(varies, (X - centre) / spreads, 0.0).T
        near = standard if places is None else np.clip(standard, -FARTHEST, FARTHEST)
        correlation = (near * masses) @ near.T / masses.sum()
        values, vectors = np.linalg.eigh(correlation)
        kept = values > COLLINEAR * max(float(values.max(initial=0.0)), 1.0)
        turn = vectors[:, kept] / np.sqrt(values[kept])
        columns = np.empty((1 + int(kept.sum()), len(X)))
        columns[0] = 1.0
        np.matmul(turn.T, standard, out=columns[1:])
        return cls(columns, centre, np.where(varies, 1.0 / spreads, 0.0)[:, None] * turn, spreads)

    @property
    def varies(self) -> BoolArray:
        """Which features are not constant, shape (p,)."""
        return np.asarray(self.matrix.any(axis=1))

    @property
    def rank(self) -> int:
        """Number of independent features r."""
        return len(self.columns) - 1

    def take(self, rows: IntArray) -> Self:
        """The same coordinates of some of the rows."""
        return replace(self, columns=np.ascontiguousarray(self.columns[:, rows]))

    def make_ridge(self, alpha: float) -> Float64Array:
        """The matrix P with b'Pb = alpha |slopes|^2, slopes in units of the spreads, shape (1 + r, 1 + r)."""
        ridge = np.zeros((1 + self.rank,) * 2)
        standard = self.matrix * self.spreads[:, None]
        ridge[1:, 1:] = alpha * (standard.T @ standard)
        return ridge


def find_scales(X: Float64Array, masses: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Means and standard deviations of columns, shape (p,); zero where a column is constant."""
    weight = masses.sum()
    centre = (masses @ X) / weight
    centre = centre + (masses @ (X - centre)) / weight
    shifted = X - centre
    largest = np.abs(shifted).max(axis=0, initial=0.0)
    size = np.where(largest > 0.0, largest, 1.0)  # whose square may overflow
    spreads = size * np.sqrt((masses @ np.square(shifted / size)) / weight)
    return centre, np.where(spreads > CONSTANT * np.abs(centre), spreads, 0.0)
