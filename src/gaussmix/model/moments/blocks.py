"""The features T(z) = (1, z, q(z)) in which a weighted Gaussian log-density is linear.

A block q holds the second-order features that a family of covariances needs: all products, squares only,
their sum, or none. With none, the quadratic part is the same for every component, and cancels from the
responsibilities. Moments may go beyond the squares: z (A'z)' for a few axes A of each component's own, which
are no features of z alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, NamedTuple

import numpy as np

from gaussmix._typing import Float64Array, FloatArray, IntArray


@dataclass(frozen=True)
class Block:
    """Second-order features q(z), and their moments in packed form, one row a component: here, none.

    Where moments are along axes A, methods are given these, one set (d, q) a row.
    """

    name: ClassVar[str] = "none"
    #: Whether there is no feature.
    empty: ClassVar[bool] = True
    #: Whether moments are matrices.
    general: ClassVar[bool] = False
    #: How many times rounding touches the squared length of a row.
    roundings: ClassVar[float] = 1.0
    #: Axes along which there are moments beside the squares.
    n_axes: int = 0

    def n_features(self, d: int) -> int:
        """Number of second-order features in d dimensions."""
        return 0

    def size(self, d: int) -> int:
        """Numbers that the packed moments of a component come to."""
        return self.n_features(d)

    def n_merged(self, d: int) -> int:
        """How many squares one number of the moments is the sum of."""
        return 1

    def fill(self, T: FloatArray, Z: FloatArray) -> None:
        """Write T(z) for the columns z of Z, shape (d, b), into the rows of T, shape (F, b)."""
        d = Z.shape[0]
        T[0] = 1.0
        T[1 : 1 + d] = Z
        self.fill_second(T[1 + d :], Z)

    def fill_second(self, Q: FloatArray, Z: FloatArray) -> None:
        """Write q(z) for the columns z of Z into the rows of Q."""

    def scatter(self, Z: FloatArray, r: FloatArray) -> FloatArray:
        """sum_b r_b q(z_b) over the columns of Z."""
        Q = np.empty((self.n_features(Z.shape[0]), Z.shape[1]), dtype=Z.dtype)
        self.fill_second(Q, Z)
        return Q @ r

    def outer(self, v: Float64Array, axes: Float64Array | None = None) -> Float64Array:
        """q(v) for each row of v, shape (m, d): the packed outer product v v', shape (m, size)."""
        return np.empty((v.shape[0], 0))

    def cross(self, u: Float64Array, v: Float64Array, axes: Float64Array | None = None) -> Float64Array:
        """Pack u v' + v u' row by row: the cross term in q(u + v) = q(u) + (u v' + v u') + q(v)."""
        return np.empty((u.shape[0], 0))

    def square(self, v: Float64Array, axes: Float64Array | None = None) -> Float64Array:
        """The second moments of each row of v, shape (m, d), in the shape that :meth:`unpack` gives."""
        return self.outer(v, axes)

    def unpack(self, packed: Float64Array, d: int) -> Float64Array:
        """Second moments from their packed rows: matrices (m, d, d), vectors (m, d), or scalars (m,)."""
        return packed

    def pack(self, matrix: FloatArray) -> FloatArray:
        """The second moments (d, d) of one component in packed form; of general matrices, stacks as well."""
        return matrix[:0, 0]

    def coefficients(self, precisions: Float64Array) -> Float64Array:
        """Coefficients of q(z) in -z'Pz/2, one row a component, for precisions as :meth:`unpack` has them."""
        return np.empty((precisions.shape[0], 0))

    def variances(self, d: int) -> Float64Array:
        """The variances of q(z) for a standard normal z, shape (n_features,); entries do not correlate."""
        return np.empty(0)


class Vech(Block):
    """All products of two features."""

    name = "vech"
    empty, general = False, True

    def n_features(self, d: int) -> int:
        return d * (d + 1) // 2

    def fill_second(self, Q: FloatArray, Z: FloatArray) -> None:
        start = 0
        for i in range(Z.shape[0]):
            np.multiply(Z[: i + 1], Z[i], out=Q[start : start + i + 1])
            start += i + 1

    def scatter(self, Z: FloatArray, r: FloatArray) -> FloatArray:
        return self.pack((Z * r) @ Z.T)

    def outer(self, v: Float64Array, axes: Float64Array | None = None) -> Float64Array:
        rows, columns, *_ = _pack_vech(v.shape[1])
        return v[:, rows] * v[:, columns]

    def cross(self, u: Float64Array, v: Float64Array, axes: Float64Array | None = None) -> Float64Array:
        rows, columns, *_ = _pack_vech(u.shape[1])
        return u[:, rows] * v[:, columns] + v[:, rows] * u[:, columns]

    def square(self, v: Float64Array, axes: Float64Array | None = None) -> Float64Array:
        return v[:, :, None] * v[:, None, :]

    def unpack(self, packed: Float64Array, d: int) -> Float64Array:
        return packed.take(_pack_vech(d).entries, axis=-1)

    def pack(self, matrix: FloatArray) -> FloatArray:
        rows, columns, *_ = _pack_vech(matrix.shape[-1])
        return matrix[..., rows, columns]

    def coefficients(self, precisions: Float64Array) -> Float64Array:
        k, d, _ = precisions.shape
        packing = _pack_vech(d)
        return precisions.reshape(k, d * d).take(packing.flat, axis=1) * packing.halves

    def variances(self, d: int) -> Float64Array:
        rows, columns, *_ = _pack_vech(d)
        return np.where(rows == columns, 2.0, 1.0)


class Squares(Block):
    """The square of each feature."""

    name = "squares"
    empty = False

    def n_features(self, d: int) -> int:
        return d

    def fill_second(self, Q: FloatArray, Z: FloatArray) -> None:
        np.multiply(Z, Z, out=Q)

    def outer(self, v: Float64Array, axes: Float64Array | None = None) -> Float64Array:
        return v * v

    def cross(self, u: Float64Array, v: Float64Array, axes: Float64Array | None = None) -> Float64Array:
        return 2.0 * u * v

    def pack(self, matrix: FloatArray) -> FloatArray:
        return np.diagonal(matrix)

    def coefficients(self, precisions: Float64Array) -> Float64Array:
        return -0.5 * precisions

    def variances(self, d: int) -> Float64Array:
        return np.full(d, 2.0)


class AlongAxes(Squares):
    """The square of each feature; its moments have (A'z) z' beside the squares, for `n_axes` axes A."""

    def size(self, d: int) -> int:
        return d + d * self.n_axes

    def outer(self, v: Float64Array, axes: Float64Array | None = None) -> Float64Array:
        assert axes is not None
        return np.concatenate([v * v, _cross(_project(v, axes), v)], axis=1)

    def cross(self, u: Float64Array, v: Float64Array, axes: Float64Array | None = None) -> Float64Array:
        assert axes is not None
        crossed = _cross(_project(u, axes), v) + _cross(_project(v, axes), u)
        return np.concatenate([2.0 * u * v, crossed], axis=1)


class Radial(Block):
    """The squared length."""

    name = "radial"
    empty = False
    roundings = 2.0  # once for the sum, once for the product

    def n_features(self, d: int) -> int:
        return 1

    def n_merged(self, d: int) -> int:
        return d

    def fill_second(self, Q: FloatArray, Z: FloatArray) -> None:
        np.einsum("ib,ib->b", Z, Z, out=Q[0])

    def outer(self, v: Float64Array, axes: Float64Array | None = None) -> Float64Array:
        return np.asarray(np.einsum("ij,ij->i", v, v)[:, None])

    def cross(self, u: Float64Array, v: Float64Array, axes: Float64Array | None = None) -> Float64Array:
        return np.asarray(2.0 * np.einsum("ij,ij->i", u, v)[:, None])

    def square(self, v: Float64Array, axes: Float64Array | None = None) -> Float64Array:
        return np.asarray(np.vecdot(v, v))

    def unpack(self, packed: Float64Array, d: int) -> Float64Array:
        return packed[:, 0]

    def pack(self, matrix: FloatArray) -> FloatArray:
        return np.asarray(np.trace(matrix)[None])

    def coefficients(self, precisions: Float64Array) -> Float64Array:
        return -0.5 * precisions[:, None]

    def variances(self, d: int) -> Float64Array:
        return np.array([2.0 * d])


VECH, SQUARES, RADIAL, NONE = Vech(), Squares(), Radial(), Block()
BLOCKS: tuple[Block, ...] = VECH, SQUARES, RADIAL, NONE


@dataclass(frozen=True)
class Form:
    """Which second moments a family needs for each component, and which pooled over all of them."""

    own: Block
    pooled: Block = NONE

    @property
    def shared(self) -> bool:
        """Whether one quadratic form serves all components, so that none keeps second moments."""
        return self.own.empty

    @property
    def general(self) -> bool:
        """Whether covariances are general matrices, whose moments are all products of two features."""
        return self.block.general

    @property
    def n_axes(self) -> int:
        """The number of axes along which there are second moments beside the squares."""
        return self.own.n_axes

    @property
    def block(self) -> Block:
        """The second-order features that the quadratic form is of."""
        return self.pooled if self.shared else self.own

    def n_features(self, d: int) -> int:
        """Length of T(z) for d-dimensional z."""
        return 1 + d + self.own.n_features(d)


class _Packing(NamedTuple):
    """How symmetric matrices (d, d) are packed as vech: the lower triangle, row after row."""

    #: Row and column of each vech entry.
    rows: IntArray
    columns: IntArray
    #: Its place among the numbers of the matrix, row after row.
    flat: IntArray
    #: The vech entry at each place of the matrix, shape (d, d).
    entries: IntArray
    #: Coefficients of vech(P) in -z'Pz/2: z'Pz meets each product off the diagonal twice.
    halves: Float64Array


@lru_cache(maxsize=64)
def _pack_vech(d: int) -> _Packing:
    rows, columns = np.tril_indices(d)
    entries = np.empty((d, d), dtype=np.int64)
    entries[rows, columns] = entries[columns, rows] = np.arange(rows.size)
    halves = np.where(rows == columns, -0.5, -1.0)
    packing = _Packing(rows, columns, rows * d + columns, entries, halves)
    for array in packing:
        array.flags.writeable = False
    return packing


def _project(v: Float64Array, axes: Float64Array) -> Float64Array:
    """A'v for each row of v, shape (m, q)."""
    return np.asarray((v[:, None, :] @ axes)[:, 0, :])


def _cross(p: Float64Array, v: Float64Array) -> Float64Array:
    """The products p v' row by row, shape (m, q d)."""
    return np.asarray((p[:, :, None] * v[:, None, :]).reshape(len(p), -1))
