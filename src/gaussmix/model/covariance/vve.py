"""Covariances of one orientation, each component with its own volume and shape (mclust's VVE)."""

from __future__ import annotations

from gaussmix._typing import Float64Array
from gaussmix.model.covariance.full import Matrices
from gaussmix.model.covariance.orientation import on_common_axes


class VVE(Matrices):
    """Covariances of shape (k, d, d) with the same eigenvectors."""

    name = "VVE"
    group = "uniform"

    def n_covariance_parameters(self, k: int, d: int) -> int:
        return k * d + d * (d - 1) // 2

    def least_rows(self, d: int) -> int:
        return 2  # axes are shared: two rows have spread along each

    def combine(
        self, moments: Float64Array, shares: Float64Array, warm: Float64Array | None = None
    ) -> Float64Array:
        return on_common_axes(moments, shares, warm, self.groups, equal_volumes=False)
