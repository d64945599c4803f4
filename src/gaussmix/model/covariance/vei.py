"""Diagonal covariances of one shape, each component with its own volume (mclust's VEI)."""

from __future__ import annotations

from gaussmix._typing import Float64Array
from gaussmix.model.covariance.diagonal import Diagonals
from gaussmix.model.covariance.volumes import proportional


class VEI(Diagonals):
    """Variances of shape (k, d), proportional to each other."""

    name = "VEI"

    def n_covariance_parameters(self, k: int, d: int) -> int:
        return k + d - 1

    def combine(
        self, moments: Float64Array, shares: Float64Array, warm: Float64Array | None = None
    ) -> Float64Array:
        return proportional(moments, shares, warm, self.groups)
