"""Covariances of one shape and orientation, each component with its own volume (mclust's VEE)."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.structures.base import NotPositiveDefiniteError
from gaussmix.model.structures.full import Matrices
from gaussmix.model.structures.volumes import CHANGE, MAX_ROUNDS, determinants, fill_empty, volumes


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
        moments = fill_empty(moments, shares)
        shape = np.tensordot(shares, moments, axes=1) if warm is None else warm[0]
        shape = shape / determinants(shape[None])[0]
        for _ in range(MAX_ROUNDS):
            inverse = inverted(shape)
            volume = np.einsum("kij,ij->k", moments, inverse) / shape.shape[0]
            volumes(volume[:, None])
            before, shape = shape, np.tensordot(shares / volume, moments, axes=1)
            shape = shape / determinants(shape[None])[0]
            if np.abs(shape - before).max() <= CHANGE * np.abs(shape).max():
                break
        volume = np.einsum("kij,ij->k", moments, inverted(shape)) / shape.shape[0]
        return np.asarray(volume[:, None, None] * shape)


def inverted(matrix: Float64Array) -> Float64Array:
    """The inverse; NotPositiveDefiniteError where rounding leaves none."""
    try:
        return np.asarray(np.linalg.inv(matrix))
    except np.linalg.LinAlgError:
        raise NotPositiveDefiniteError((), 0.0) from None
