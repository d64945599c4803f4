"""The features of a regression in coordinates in which the training rows have mean zero and unit covariance.

Features that are constant or combinations of others have no coordinate of their own: regressions have the
least slopes there that give the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from gaussmix._typing import BoolArray, Float64Array, IntArray
from gaussmix.model.moments.frame import CONSTANT

#: Eigenvalues of the correlations below this, relative to the largest, are rounding.
COLLINEAR = 1e-12


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
        """The design of rows, shape (n, p), of positive weights."""
        weight = masses.sum()
        centre = (masses @ X) / weight
        with np.errstate(over="ignore"):
            shifted = X - centre
            centre = centre + (masses @ shifted) / weight
            shifted = X - centre
            largest = np.abs(shifted).max(axis=0, initial=0.0)
        size = np.where(largest > 0.0, largest, 1.0)  # whose square may overflow
        scaled = shifted / size
        spreads = size * np.sqrt((masses @ np.square(scaled)) / weight)
        varies = spreads > CONSTANT * np.abs(centre)
        spreads = np.where(varies, spreads, 1.0)
        standard = np.where(varies, shifted / spreads, 0.0).T
        correlation = (standard * masses) @ standard.T / weight
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
