"""Covariances of one shape, each component with its own volume and orientation (mclust's VEV)."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.covariance.full import Matrices
from gaussmix.model.covariance.volumes import fill_empty, proportional


class VEV(Matrices):
    """Covariances of shape (k, d, d) with proportional eigenvalues."""

    name = "VEV"
    group = "uniform"

    def n_covariance_parameters(self, k: int, d: int) -> int:
        return k + d - 1 + k * d * (d - 1) // 2

    def least_rows(self, d: int) -> int:
        return 2  # shapes are shared: what is left is the volume

    def combine(
        self, moments: Float64Array, shares: Float64Array, warm: Float64Array | None = None
    ) -> Float64Array:
        values, axes = np.linalg.eigh(fill_empty(moments, shares, self.groups))
        start = None if warm is None else np.trace(warm, axis1=1, axis2=2)[:, None]
        found = proportional(np.maximum(values, 0.0), shares, start, self.groups)
        return np.asarray((axes * found[:, None, :]) @ np.swapaxes(axes, -1, -2))
