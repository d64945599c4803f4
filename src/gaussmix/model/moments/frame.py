"""The affine coordinates in which a fit works: z = A (x - o), chosen once from the pooled data.

In its frame the data have zero mean and (near) unit covariance. So the product form of EM subtracts no large
numbers, thresholds need no units, and a fit of scaled or shifted data is the same fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from gaussmix._typing import Float64Array, FloatArray

#: The maps under which a family of covariances is closed, widest first.
Group = Literal["affine", "scale", "uniform"]


#: A standard deviation of so many times the mean is rounding: the feature is constant.
CONSTANT = 4.0 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class Frame:
    """Coordinates z = A (x - origin)."""

    #: Shape (d,).
    origin: Float64Array
    #: A, of shape (d, d), lower triangular, or (d,), a diagonal, or (), a multiple of the identity.
    matrix: Float64Array
    #: The inverse of A, in the same shape.
    inverse: Float64Array

    @classmethod
    def of_moments(
        cls, mean: Float64Array, covariance: Float64Array, group: Group, dtype: np.dtype[Any]
    ) -> Frame:
        """The frame of `group` that whitens data of this mean and covariance (d, d) or variances (d,).

        A feature without spread, but for rounding, is seen in units of its size. `dtype` is the type of the
        data. The origin is one of its numbers, so that subtracting it is the same in every precision. The
        correlations get a ridge of 1e-2 sqrt(eps), so that a collinear direction is stretched by no more than
        its rounding can bear.
        """
        mean = mean.astype(dtype).astype(np.float64)
        eps = float(np.finfo(dtype).eps)
        variances = covariance if covariance.ndim == 1 else np.diagonal(covariance)
        size = np.abs(mean)
        scale = np.sqrt(np.maximum(variances, 0.0))
        scale = np.where(scale > CONSTANT * size, scale, np.where(size > 0.0, size, 1.0))
        if group == "uniform":
            typical, size = np.sqrt(np.mean(np.maximum(variances, 0.0))), np.sqrt(np.mean(size * size))
            if not typical > CONSTANT * size:
                typical = size if size > 0.0 else np.float64(1.0)
            root = np.asarray(typical)
            return cls(mean, 1.0 / root, root)
        if group == "scale" or covariance.ndim == 1:
            return cls(mean, 1.0 / scale, scale)
        correlation = covariance / scale[:, None] / scale
        np.fill_diagonal(correlation, 1.0 + 1e-2 * np.sqrt(eps))
        root = _cholesky_with_ridge(correlation)
        matrix = np.linalg.inv(root) / scale
        return cls(mean, np.tril(matrix), scale[:, None] * root)

    @property
    def variances(self) -> Float64Array:
        """The variances of the features that the frame was chosen for, shape (d,): those of (A'A)^-1."""
        d = self.origin.size
        squares = self.inverse * self.inverse
        return squares.sum(axis=1) if squares.ndim == 2 else np.array(np.broadcast_to(squares, (d,)))

    @property
    def stretch(self) -> float:
        """By how much more than their own spread the frame stretches features, to whiten them together."""
        spread = np.sqrt(self.variances)
        return float(np.abs(self.matrix * spread).max()) if self.matrix.ndim == 2 else 1.0

    @cached_property
    def log_det(self) -> float:
        """Log |det A|: log p(x) = log p(z) + log |det A|."""
        if self.matrix.ndim == 0:
            return float(self.origin.size * np.log(self.matrix))
        diagonal = self.matrix if self.matrix.ndim == 1 else np.diagonal(self.matrix)
        return float(np.log(diagonal).sum())

    def apply(self, X: FloatArray) -> FloatArray:
        """Coordinates of the rows of X, shape (b, d), as columns: shape (d, b), in X's own type."""
        shifted = np.subtract(X.T, self.origin.astype(X.dtype)[:, None], order="C")
        matrix = self.matrix.astype(X.dtype)
        if matrix.ndim == 2:
            return matrix @ shifted
        shifted *= matrix[:, None] if matrix.ndim == 1 else matrix
        return shifted


def _cholesky_with_ridge(correlation: Float64Array) -> Float64Array:
    """Cholesky factor of a correlation matrix that rounding may have made indefinite."""
    ridge = 1e-10
    while True:
        try:
            return np.asarray(np.linalg.cholesky(correlation), dtype=np.float64)
        except np.linalg.LinAlgError:
            correlation = correlation + ridge * np.eye(correlation.shape[0])
            ridge *= 10.0
