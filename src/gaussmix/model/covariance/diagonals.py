"""Covariances as diagonals, stacks of shape (k, d), or as one variance for all features, shape (k,)."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.covariance.algebra import Algebra, NotPositiveDefiniteError
from gaussmix.model.moments.blocks import RADIAL, SQUARES, Block
from gaussmix.model.moments.frame import Frame


class Diagonals(Algebra):
    """Variances of shape (k, d), or (1, d) where components share them."""

    block: Block = SQUARES
    own_family = "VVI"

    def shape(self, d: int) -> tuple[int, ...]:
        return (d,)

    def find_roots(self, covariances: Float64Array) -> Float64Array:
        return 1.0 / positive_roots(covariances)

    def roots_of_precisions(self, precisions: Float64Array) -> Float64Array:
        return positive_roots(precisions)

    def covariances_of_roots(self, roots: Float64Array) -> Float64Array:
        return np.asarray(roots**-2.0)

    def precisions(self, roots: Float64Array) -> Float64Array:
        return roots * roots

    def diagonal(self, roots: Float64Array) -> Float64Array:
        return roots

    def whiten(self, roots: Float64Array, vectors: Float64Array) -> Float64Array:
        return roots * vectors

    unwhiten = whiten

    def to_dense(self, covariances: Float64Array, k: int, d: int) -> Float64Array:
        matrices = covariances[:, :, None] * np.eye(d)
        return matrices if len(matrices) == k else np.broadcast_to(matrices, (k, d, d))

    def variances(self, covariances: Float64Array, k: int, d: int) -> Float64Array:
        return covariances if len(covariances) == k else np.broadcast_to(covariances, (k, d))

    def conditional_variances(self, roots: Float64Array, d: int) -> Float64Array:
        return np.asarray(roots**-2.0)

    def map_covariances(self, covariances: Float64Array, matrix: Float64Array) -> Float64Array:
        return covariances * matrix**2

    def map_variances(self, variances: Float64Array, frame: Frame) -> Float64Array:
        return np.asarray(variances * frame.matrix**2)

    def raise_to_floor(self, moments: Float64Array, least: Float64Array) -> Float64Array:
        return np.maximum(moments, least)

    def stiffness(self, roots: Float64Array, least: Float64Array) -> Float64Array:
        return (roots * roots) @ least


class Scalars(Diagonals):
    """Variances of shape (k,), or (1,) where components share one."""

    block = RADIAL
    own_family, isotropic = "VII", True

    def shape(self, d: int) -> tuple[int, ...]:
        return ()

    def from_moments(self, moments: Float64Array, d: int) -> Float64Array:
        return moments / d

    def diagonal(self, roots: Float64Array) -> Float64Array:
        return roots[:, None]

    def whiten(self, roots: Float64Array, vectors: Float64Array) -> Float64Array:
        return roots[:, None] * vectors

    unwhiten = whiten

    def to_dense(self, covariances: Float64Array, k: int, d: int) -> Float64Array:
        return super().to_dense(covariances[:, None], k, d)

    def variances(self, covariances: Float64Array, k: int, d: int) -> Float64Array:
        return np.broadcast_to(covariances[:, None], (k, d))

    def conditional_variances(self, roots: Float64Array, d: int) -> Float64Array:
        return np.broadcast_to(roots[:, None] ** -2.0, (len(roots), d))

    def of_parts(self, loadings: Float64Array, uniquenesses: Float64Array) -> Float64Array:
        return np.asarray(uniquenesses[:, 0])

    def map_variances(self, variances: Float64Array, frame: Frame) -> Float64Array:
        return np.asarray(variances.mean() * frame.matrix**2)

    def stiffness(self, roots: Float64Array, least: Float64Array) -> Float64Array:
        return roots * roots * least


DIAGONALS, SCALARS = Diagonals(), Scalars()


def positive_roots(numbers: Float64Array) -> Float64Array:
    """Square roots of positive numbers, one row (or one number) a component."""
    bad = ~(numbers > 0.0)
    if bad.any():
        rows = bad if bad.ndim == 1 else bad.any(axis=1)
        raise NotPositiveDefiniteError(tuple(int(i) for i in np.flatnonzero(rows)), float(numbers[bad].min()))
    return np.sqrt(numbers)
