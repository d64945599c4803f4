"""Covariances of one shape and orientation, each component with its own volume (mclust's VEE)."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.structures.full import Matrices
from gaussmix.model.structures.volumes import GAIN, MAX_ROUNDS, determinants, fill_empty, volumes


class VEE(Matrices):
    """Covariances of shape (k, d, d), proportional to each other."""

    name = "VEE"
    group = "affine"

    def n_covariance_parameters(self, k: int, d: int) -> int:
        return k + d * (d + 1) // 2 - 1

    def combine(
        self, moments: Float64Array, shares: Float64Array, warm: Float64Array | None = None
    ) -> Float64Array:
        moments = fill_empty(moments, shares)
        shape = np.tensordot(shares, moments, axes=1) if warm is None else warm[0]
        before = np.inf
        for _ in range(MAX_ROUNDS):
            inverse = np.linalg.inv(shape / determinants(shape[None])[0])
            volume = np.einsum("kij,ij->k", moments, inverse) / shape.shape[0]
            volumes(volume[:, None])
            shape = np.tensordot(shares / volume, moments, axes=1)
            size = float(determinants(shape[None])[0, 0, 0])
            objective = float(shares @ np.log(volume)) + np.log(size)
            if before - objective <= GAIN * (1.0 + abs(objective)):
                break
            before = objective
        shape = shape / size
        volume = np.einsum("kij,ij->k", moments, np.linalg.inv(shape)) / shape.shape[0]
        return np.asarray(volume[:, None, None] * shape)
