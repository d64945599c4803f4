"""Covariances of one volume and orientation, each component with its own shape (mclust's EVE)."""

from __future__ import annotations

from gaussmix._typing import Float64Array
from gaussmix.model.covariance.full import Matrices
from gaussmix.model.covariance.orientation import on_common_axes


class EVE(Matrices):
    """Covariances of shape (k, d, d) with the same eigenvectors, and the same determinant."""

    name = "EVE"
    group = "uniform"

    def n_covariance_parameters(self, k: int, d: int) -> int:
        return 1 + k * (d - 1) + d * (d - 1) // 2

    def least_rows(self, d: int) -> int:
        return 0  # volumes are equal: none shrinks alone

    def combine(
        self, moments: Float64Array, shares: Float64Array, warm: Float64Array | None = None
    ) -> Float64Array:
        return on_common_axes(moments, shares, warm, self.groups, equal_volumes=True)
