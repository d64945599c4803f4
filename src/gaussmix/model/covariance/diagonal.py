"""Each component has its own diagonal covariance (mclust's VVI)."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.covariance.matrices import positive_roots
from gaussmix.model.covariance.structure import Structure
from gaussmix.model.moments.blocks import Form
from gaussmix.model.moments.frame import Frame
from gaussmix.model.moments.statistics import Moments


class Diagonals(Structure):
    """What all families share in which components have diagonals of their own: variances (k, d)."""

    form = Form(own="squares", pooled="none")
    group = "scale"

    def shape(self, k: int, d: int) -> tuple[int, ...]:
        return (k, d)

    def moments(self, stats: Moments) -> Float64Array:
        return stats.covariances()

    def ridge(self, variances: Float64Array, frame: Frame) -> Float64Array:
        return np.asarray(variances * frame.matrix**2)

    def floored(self, moments: Float64Array, least: Float64Array) -> Float64Array:
        return np.maximum(moments, least)

    def stiffness(self, factors: Float64Array, least: Float64Array) -> Float64Array:
        return (factors * factors) @ least

    def least_rows(self, d: int) -> int:
        return 2

    def mapped(self, covariances: Float64Array, matrix: Float64Array) -> Float64Array:
        return covariances * matrix**2

    def factor(self, covariances: Float64Array) -> Float64Array:
        return 1.0 / positive_roots(covariances)

    def precisions(self, factors: Float64Array) -> Float64Array:
        return factors * factors

    def diagonal(self, factors: Float64Array) -> Float64Array:
        return factors

    def whiten(self, factors: Float64Array, vectors: Float64Array) -> Float64Array:
        return factors * vectors

    def unwhiten(self, factors: Float64Array, vectors: Float64Array) -> Float64Array:
        return factors * vectors

    def dense(self, covariances: Float64Array, k: int, d: int) -> Float64Array:
        return covariances[:, :, None] * np.eye(d)

    def variances(self, covariances: Float64Array, k: int, d: int) -> Float64Array:
        return covariances

    def factor_of_precisions(self, precisions: Float64Array) -> Float64Array:
        return positive_roots(precisions)

    def covariances_of_factor(self, factors: Float64Array) -> Float64Array:
        return np.asarray(factors**-2.0)


class Diagonal(Diagonals):
    """Variances of shape (k, d)."""

    name = "diag"
    separable = True

    def n_covariance_parameters(self, k: int, d: int) -> int:
        return k * d
