"""Diagonal covariances of one volume, each component with its own shape (mclust's EVI)."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.covariance.diagonal import Diagonals
from gaussmix.model.covariance.volumes import fill_empty, volumes


class EVI(Diagonals):
    """Variances of shape (k, d), of which each row has the same product."""

    name = "EVI"

    def n_covariance_parameters(self, k: int, d: int) -> int:
        return 1 + k * (d - 1)

    def least_rows(self, d: int) -> int:
        return 0  # volumes are equal: none shrinks alone

    def combine(
        self, moments: Float64Array, shares: Float64Array, warm: Float64Array | None = None
    ) -> Float64Array:
        moments = fill_empty(moments, shares, self.groups)
        size = volumes(moments)
        return np.asarray(moments * (self.groups.average(size, shares) / size))
