"""Covariances of one volume, each component with its own shape and orientation (mclust's EVV)."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.covariance.full import Matrices
from gaussmix.model.covariance.volumes import determinants, fill_empty


class EVV(Matrices):
    """Covariances of shape (k, d, d) with the same determinant."""

    name = "EVV"
    group = "affine"

    def n_covariance_parameters(self, k: int, d: int) -> int:
        return 1 + k * (d * (d + 1) // 2 - 1)

    def least_rows(self, d: int) -> int:
        return 0  # volumes are equal: none shrinks alone

    def combine(
        self, moments: Float64Array, shares: Float64Array, warm: Float64Array | None = None
    ) -> Float64Array:
        moments = fill_empty(moments, shares, self.groups)
        size = determinants(moments)
        return np.asarray(moments * (self.groups.average(size, shares) / size))
