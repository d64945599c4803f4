"""Covariances of one volume and shape, each component with its own orientation (mclust's EEV)."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.covariance.full import Matrices
from gaussmix.model.covariance.volumes import fill_empty


class EEV(Matrices):
    """Covariances of shape (k, d, d) with the same eigenvalues."""

    name = "EEV"
    group = "uniform"

    def n_covariance_parameters(self, k: int, d: int) -> int:
        return d + k * d * (d - 1) // 2

    def least_rows(self, d: int) -> int:
        return 0  # volumes are equal: none shrinks alone

    def combine(
        self, moments: Float64Array, shares: Float64Array, warm: Float64Array | None = None
    ) -> Float64Array:
        values, axes = np.linalg.eigh(fill_empty(moments, shares, self.groups))
        common = self.groups.average(values, shares)
        return np.asarray((axes * common[:, None, :]) @ np.swapaxes(axes, -1, -2))
