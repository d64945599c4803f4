"""Each component has its own general covariance matrix (mclust's VVV)."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.covariance.matrices import (
    factors_above,
    invert_lower,
    not_positive_definite,
    raise_to,
    upper_factors,
)
from gaussmix.model.covariance.structure import Structure
from gaussmix.model.moments.blocks import Form
from gaussmix.model.moments.frame import Frame
from gaussmix.model.moments.statistics import Moments


class Matrices(Structure):
    """What all families share in which components have matrices of their own: covariances (k, d, d)."""

    form = Form(own="vech", pooled="none")

    def shape(self, k: int, d: int) -> tuple[int, ...]:
        return (k, d, d)

    def moments(self, stats: Moments) -> Float64Array:
        return stats.covariances()

    def ridge(self, variances: Float64Array, frame: Frame) -> Float64Array:
        return map_diagonal(frame.matrix, variances)

    def floored(self, moments: Float64Array, least: Float64Array) -> Float64Array:
        return raise_to(moments, least)

    def held_above(
        self, covariances: Float64Array, least: Float64Array, largest: float
    ) -> tuple[Float64Array, Float64Array]:
        factors, low = factors_above(covariances, largest)
        if low.size:  # an eigendecomposition costs ten times a factor: of those alone
            covariances = covariances.copy()
            covariances[low] = self.floored(covariances[low], least)
            factors[low] = upper_factors(covariances[low])
        return covariances, factors

    def stiffness(self, factors: Float64Array, least: Float64Array) -> Float64Array:
        return np.asarray(np.einsum("kij,ij->k", self.precisions(factors), least))

    def least_rows(self, d: int) -> int:
        return d + 1

    def mapped(self, covariances: Float64Array, matrix: Float64Array) -> Float64Array:
        return map_matrices(covariances, matrix)

    def mapped_factor(self, factors: Float64Array, inverse: Float64Array) -> Float64Array:
        return map_factors(factors, inverse)

    def factor(self, covariances: Float64Array) -> Float64Array:
        return upper_factors(covariances)

    def precisions(self, factors: Float64Array) -> Float64Array:
        return factors @ np.swapaxes(factors, -1, -2)

    def diagonal(self, factors: Float64Array) -> Float64Array:
        return np.diagonal(factors, axis1=-2, axis2=-1)

    def whiten(self, factors: Float64Array, vectors: Float64Array) -> Float64Array:
        return (vectors[:, None, :] @ factors)[:, 0, :]

    def unwhiten(self, factors: Float64Array, vectors: Float64Array) -> Float64Array:
        return (factors @ vectors[:, :, None])[:, :, 0]

    def dense(self, covariances: Float64Array, k: int, d: int) -> Float64Array:
        return covariances

    def variances(self, covariances: Float64Array, k: int, d: int) -> Float64Array:
        return np.diagonal(covariances, axis1=-2, axis2=-1)

    def factor_of_precisions(self, precisions: Float64Array) -> Float64Array:
        return flipped_cholesky(precisions)

    def covariances_of_factor(self, factors: Float64Array) -> Float64Array:
        return gram_of_inverse(factors)

    def asymmetry(self, covariances: Float64Array) -> float:
        return float(np.abs(covariances - np.swapaxes(covariances, -1, -2)).max())


class Full(Matrices):
    """Covariances of shape (k, d, d)."""

    name = "full"
    separable = True
    group = "affine"

    def n_covariance_parameters(self, k: int, d: int) -> int:
        return k * d * (d + 1) // 2


def map_matrices(covariances: Float64Array, matrix: Float64Array) -> Float64Array:
    """A C A' for each matrix C of a stack; A a matrix, a diagonal or a scalar."""
    if matrix.ndim == 2:
        product = matrix @ covariances @ matrix.T
        return 0.5 * (product + np.swapaxes(product, -1, -2))
    diagonal = np.broadcast_to(matrix, covariances.shape[-1:])
    return covariances * diagonal[:, None] * diagonal


def map_factors(factors: Float64Array, inverse: Float64Array) -> Float64Array:
    """A^-T U: upper triangular like both of its factors."""
    return (
        inverse.T @ factors
        if inverse.ndim == 2
        else np.broadcast_to(inverse, factors.shape[-1:])[:, None] * factors
    )


def map_diagonal(matrix: Float64Array, variances: Float64Array) -> Float64Array:
    """A diag(v) A' as a matrix; A a matrix, a diagonal or a scalar."""
    return (matrix * variances) @ matrix.T if matrix.ndim == 2 else np.diag(variances * matrix * matrix)


def flipped_cholesky(precisions: Float64Array) -> Float64Array:
    """Upper triangular U with U U' = P: the Cholesky factor of P with rows and columns reversed."""
    try:
        flipped = np.asarray(np.linalg.cholesky(precisions[..., ::-1, ::-1]), dtype=np.float64)
    except np.linalg.LinAlgError:
        raise not_positive_definite(precisions.reshape(-1, *precisions.shape[-2:])) from None
    return flipped[..., ::-1, ::-1]


def gram_of_inverse(factors: Float64Array) -> Float64Array:
    """(U U')^-1 = L L' with L = U'^-1, for a stack of upper triangular matrices."""
    roots = invert_lower(np.swapaxes(factors, -1, -2))
    return roots @ np.swapaxes(roots, -1, -2)
