"""Covariances of one shape and orientation, each component with its own volume (mclust's VEE)."""

from __future__ import annotations

from gaussmix._typing import Float64Array
from gaussmix.model.covariance.full import Matrices
from gaussmix.model.covariance.volumes import proportional


class VEE(Matrices):
    """Covariances of shape (k, d, d), proportional to each other."""

    name = "VEE"
    group = "affine"

    def n_covariance_parameters(self, k: int, d: int) -> int:
        return k + d * (d + 1) // 2 - 1

    def least_rows(self, d: int) -> int:
        return 2  # shapes are shared: what is left is the volume

    def combine(
        self, moments: Float64Array, shares: Float64Array, warm: Float64Array | None = None
    ) -> Float64Array:
        return proportional(moments, shares, warm, self.groups)
