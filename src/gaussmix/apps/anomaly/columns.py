"""Columns on a common scale: one increasing function for each, from the data's units to the model's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gaussmix._typing import Float64Array


@dataclass(frozen=True, eq=False)
class Columns:
    """z = (x - centre) / scale, for each column."""

    #: In units of the data, shape (d,).
    centre: Float64Array
    #: In units of the data, shape (d,), positive.
    scale: Float64Array

    def apply(self, X: npt.ArrayLike) -> Float64Array:
        """Rows in the model's coordinates, shape (n, d)."""
        return np.asarray((np.asarray(X, dtype=np.float64) - self.centre) / self.scale)

    def invert(self, Z: npt.ArrayLike) -> Float64Array:
        """Rows in units of the data, shape (n, d)."""
        return np.asarray(np.asarray(Z, dtype=np.float64) * self.scale + self.centre)


def measure_columns(X: Float64Array, weights: Float64Array | None = None) -> Columns:
    """Centres and scales: mean and standard deviation; a constant column has the scale one."""
    centre = np.average(X, axis=0, weights=weights)
    scale = np.sqrt(np.average((X - centre) ** 2, axis=0, weights=weights))
    return Columns(centre, np.where(scale > 0.0, scale, 1.0))
