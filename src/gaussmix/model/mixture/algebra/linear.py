"""Linear maps and covariances as callers give them: numbers, diagonals or matrices, read once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gaussmix import _check
from gaussmix._reading.rows import read_array
from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.moments.frame import Group

#: The largest difference between mirrored entries of a covariance, relative to the largest entry.
SYMMETRY_TOLERANCE = 1e-8


@dataclass(frozen=True, eq=False)
class LinearMap:
    """A, shape (m, d)."""

    matrix: Float64Array
    #: The feature that each row of A takes, shape (m,), where each takes one, and no two the same.
    features: IntArray | None = None

    @property
    def factors(self) -> Float64Array:
        """What each row multiplies its feature by, shape (m,)."""
        assert self.features is not None
        return np.asarray(self.matrix[np.arange(len(self.features)), self.features])

    @property
    def group(self) -> Group:
        """The smallest group of maps that A is of, once features are in its order."""
        if self.features is None:
            return "affine"
        return "uniform" if len(set(np.abs(self.factors).tolist())) == 1 else "scale"


@dataclass(frozen=True, eq=False)
class Spread:
    """A covariance of m numbers: a diagonal, shape (m,), or a matrix, shape (m, m)."""

    values: Float64Array

    @property
    def is_diagonal(self) -> bool:
        """Whether the numbers are uncorrelated."""
        return self.values.ndim == 1

    @property
    def is_uniform(self) -> bool:
        """Whether they all have the same variance besides."""
        return self.is_diagonal and bool((self.values == self.values[0]).all())

    @property
    def matrix(self) -> Float64Array:
        """The covariance as a matrix, shape (m, m)."""
        return np.diag(self.values) if self.is_diagonal else self.values


def read_map(A: Any, d: int, operation: str) -> LinearMap:
    """A linear map of d features: a number, a diagonal of shape (d,), or a matrix of shape (m, d)."""
    array = read_numbers(A, f"{operation}: A")
    if array.ndim < 2:
        if array.ndim == 1 and array.shape != (d,):
            raise ValueError(
                f"{operation}: A must be a number, a vector of {d}, its diagonal, or a matrix with {d} "
                f"columns; got the shape {array.shape}"
            )
        array = np.diag(np.broadcast_to(array, (d,)))
    if array.ndim != 2 or array.shape[1] != d or not len(array):
        raise ValueError(
            f"{operation}: A must have the shape (m, {d}), one column a feature; got {array.shape}"
        )
    taken = array != 0.0
    if (taken.sum(axis=1) == 1).all() and (taken.sum(axis=0) <= 1).all():
        return LinearMap(array, taken.argmax(axis=1))
    return LinearMap(array)


def read_offset(b: Any, m: int, operation: str) -> Float64Array:
    """A vector of m numbers: none are zeros, and one number stands for m."""
    array = np.zeros(m) if b is None else read_numbers(b, f"{operation}: b")
    if array.shape not in ((), (m,)):
        raise ValueError(f"{operation}: b must be a number or have the shape ({m},); got {array.shape}")
    return np.array(np.broadcast_to(array, (m,)))


def read_spread(values: Any, m: int, name: str) -> Spread:
    """A covariance of m numbers: a number, variances of shape (m,), or a matrix, symmetric."""
    array = read_numbers(values, name)
    if array.shape not in ((), (m,), (m, m)):
        raise ValueError(
            f"{name} must be a variance, {m} variances or a covariance of the shape ({m}, {m}); got "
            f"{array.shape}"
        )
    if array.ndim < 2:
        return Spread(np.array(np.broadcast_to(array, (m,))))
    asymmetry, largest = float(np.abs(array - array.T).max()), float(np.abs(array).max())
    if asymmetry > SYMMETRY_TOLERANCE * largest:
        raise ValueError(f"{name} must be symmetric; mirrored entries differ by up to {asymmetry:.3g}")
    if not (array - np.diag(np.diagonal(array))).any():
        return Spread(np.diagonal(array).copy())
    return Spread(0.5 * (array + array.T))


def refuse_negative(spread: Spread, name: str) -> None:
    """Raise ValueError where a covariance has a negative variance in some direction."""
    variances = np.diagonal(spread.matrix)
    least = float(variances.min())
    if least >= 0.0 and not spread.is_diagonal:
        deviations = np.sqrt(np.where(variances > 0.0, variances, 1.0))
        values = np.linalg.eigvalsh(spread.matrix / np.multiply.outer(deviations, deviations))
        least = 0.0 if values[0] > -SYMMETRY_TOLERANCE else float(values[0])
    if least < 0.0:
        raise ValueError(
            f"{name} must have no negative variance in any direction; the smallest eigenvalue is {least:.3g}"
        )


def factorise_spread(spread: Spread, name: str, remedy: str = "") -> Float64Array:
    """The lower Cholesky factor of a covariance, shape (m, m); ValueError where it is singular."""
    variances = np.diagonal(spread.matrix)
    if (variances > 0.0).all():
        # in units of its own deviations, so that small units are not taken for a lack of rank
        deviations = np.sqrt(variances)
        try:
            lower = np.linalg.cholesky(spread.matrix / np.multiply.outer(deviations, deviations))
        except np.linalg.LinAlgError:
            pass
        else:
            if np.diagonal(lower).min() ** 2 > len(lower) * np.finfo(np.float64).eps:
                return np.asarray(lower * deviations[:, None])
    raise ValueError(f"{name} must be positive definite, and is singular{remedy}")


def read_numbers(values: Any, name: str, *, infinite: bool = False) -> Float64Array:
    """Numbers of any shape, in double precision; finite ones, but where infinity has a meaning."""
    array = read_array(values, name)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} must be numbers; got {_check.show_value(values)}")
    double = np.asarray(array, dtype=np.float64)
    checked = np.where(np.isinf(double), 0.0, double) if infinite else double
    _check.check_finite(np.atleast_1d(checked), name)
    return double
