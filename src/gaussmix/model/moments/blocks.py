"""The features T(z) = (1, z, q(z)) in which a weighted Gaussian log-density is linear.

The block q holds the second-order features that a family of covariances needs: all products
("vech"), squares only ("squares"), their sum ("radial"), or nothing ("none", where the quadratic
part is the same for every component and cancels from the responsibilities). Moments may go beyond
the squares: z (A'z)' for a few axes A of each component's own, which are no features of z alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np

from gaussmix._typing import Float64Array, FloatArray, IntArray

Block = Literal["vech", "squares", "radial", "none"]
BLOCKS: tuple[Block, ...] = get_args(Block)


@dataclass(frozen=True)
class Form:
    """Which second moments a family needs for each component, and which pooled over all of them.

    `n_axes` is the number of axes along which there are second moments beside the squares.
    """

    own: Block
    pooled: Block
    n_axes: int = 0

    @property
    def general(self) -> bool:
        """Whether covariances are general matrices, whose moments are all products of two features."""
        return "vech" in (self.own, self.pooled)

    def n_features(self, d: int) -> int:
        """Length of T(z) for d-dimensional z."""
        return 1 + d + block_size(self.own, d)

    def moments_size(self, d: int) -> int:
        """Numbers that a component's own second moments come to."""
        return block_size(self.own, d) + d * self.n_axes


@lru_cache(maxsize=64)
def _halves(d: int) -> Float64Array:
    """Coefficients of vech(P) in -z'Pz/2: z'Pz meets each product off the diagonal twice."""
    rows, columns, _ = _triangle(d)
    halves = np.where(rows == columns, -0.5, -1.0)
    halves.flags.writeable = False
    return halves


@lru_cache(maxsize=256)
def block_size(block: Block, d: int) -> int:
    """Number of second-order features of a block in d dimensions."""
    return {"vech": d * (d + 1) // 2, "squares": d, "radial": 1, "none": 0}[block]


@lru_cache(maxsize=64)
def _triangle(d: int) -> tuple[IntArray, IntArray, IntArray]:
    """Row and column of each vech entry, and the vech entry at each place of a (d, d) matrix."""
    rows, columns = np.tril_indices(d)
    where = np.empty((d, d), dtype=np.int64)
    where[rows, columns] = where[columns, rows] = np.arange(rows.size)
    for index in (rows, columns, where):
        index.flags.writeable = False
    return rows, columns, where


@lru_cache(maxsize=64)
def _packing(d: int) -> IntArray:
    """Where each vech entry is found in the numbers of a (d, d) matrix, row after row."""
    rows, columns, _ = _triangle(d)
    index = rows * d + columns
    index.flags.writeable = False
    return index


def fill(T: FloatArray, Z: FloatArray, block: Block) -> None:
    """Write T(z) for the columns z of Z, shape (d, b), into the rows of T, shape (F, b)."""
    d = Z.shape[0]
    T[0] = 1.0
    T[1 : 1 + d] = Z
    fill_block(T[1 + d :], Z, block)


def fill_block(Q: FloatArray, Z: FloatArray, block: Block) -> None:
    """Write the second-order features of the columns of Z into the rows of Q."""
    if block == "vech":
        start = 0
        for i in range(Z.shape[0]):
            np.multiply(Z[: i + 1], Z[i], out=Q[start : start + i + 1])
            start += i + 1
    elif block == "squares":
        np.multiply(Z, Z, out=Q)
    elif block == "radial":
        np.einsum("ib,ib->b", Z, Z, out=Q[0])


def square(v: Float64Array, block: Block, axes: Float64Array | None = None) -> Float64Array:
    """The second moments of each row of v, shape (m, d), in the shape that :func:`unpack` gives."""
    if block == "vech":
        return v[:, :, None] * v[:, None, :]
    return np.vecdot(v, v) if block == "radial" else outer(v, block, axes)


def outer(v: Float64Array, block: Block, axes: Float64Array | None = None) -> Float64Array:
    """q(v) for each row of v, shape (m, d): the packed outer product v v', shape (m, size).

    Along axes A, one set a row, shape (m, d, q), that is v^2 and (A'v) v'.
    """
    if axes is not None:
        return np.concatenate([v * v, _crossed(_projected(v, axes), v)], axis=1)
    if block == "vech":
        rows, columns, _ = _triangle(v.shape[1])
        return v[:, rows] * v[:, columns]
    if block == "squares":
        return v * v
    if block == "radial":
        return np.asarray(np.einsum("ij,ij->i", v, v)[:, None])
    return np.empty((v.shape[0], 0))


def symmetric_outer(
    u: Float64Array, v: Float64Array, block: Block, axes: Float64Array | None = None
) -> Float64Array:
    """Pack u v' + v u' row by row: the cross term in q(u + v) = q(u) + (u v' + v u') + q(v)."""
    if axes is not None:
        crossed = _crossed(_projected(u, axes), v) + _crossed(_projected(v, axes), u)
        return np.concatenate([2.0 * u * v, crossed], axis=1)
    if block == "vech":
        rows, columns, _ = _triangle(u.shape[1])
        return u[:, rows] * v[:, columns] + v[:, rows] * u[:, columns]
    if block == "squares":
        return 2.0 * u * v
    if block == "radial":
        return np.asarray(2.0 * np.einsum("ij,ij->i", u, v)[:, None])
    return np.empty((u.shape[0], 0))


def _projected(v: Float64Array, axes: Float64Array) -> Float64Array:
    """A'v for each row of v, shape (m, q)."""
    return np.asarray((v[:, None, :] @ axes)[:, 0, :])


def _crossed(p: Float64Array, v: Float64Array) -> Float64Array:
    """The products p v' row by row, shape (m, q d)."""
    return np.asarray((p[:, :, None] * v[:, None, :]).reshape(len(p), -1))


def unpack(packed: Float64Array, d: int, block: Block) -> Float64Array:
    """Second moments from their packed rows: matrices (m, d, d), vectors (m, d), or scalars (m,)."""
    if block == "vech":
        return packed.take(_triangle(d)[2], axis=1)
    return packed[:, 0] if block == "radial" else packed


def pack(matrix: FloatArray, block: Block) -> FloatArray:
    """The second moments (d, d) of one component in packed form."""
    if block == "vech":
        rows, columns, _ = _triangle(matrix.shape[0])
        return matrix[rows, columns]
    if block == "squares":
        return np.diagonal(matrix)
    return np.trace(matrix)[None] if block == "radial" else matrix[:0, 0]


def natural_block(precisions: Float64Array, block: Block) -> Float64Array:
    """Coefficients of q(z) in -z'Pz/2, one row a component.

    Precisions come as matrices for "vech", vectors for "squares", scalars for "radial".
    """
    if block == "vech":
        k, d, _ = precisions.shape
        return precisions.reshape(k, d * d).take(_packing(d), axis=1) * _halves(d)
    if block == "squares":
        return -0.5 * precisions
    if block == "radial":
        return -0.5 * precisions[:, None]
    return np.empty((precisions.shape[0], 0))
