"""The pass for factor analysers, whose precisions are a diagonal less a few directions: P = Psi^-1 - W W'.

    log w N(z | m, C) = constant - (z - m)' Psi^-1 (z - m) / 2 + |W'(z - m)|^2 / 2

The first part is linear in T(z) = (1, z, z^2), so one product gives it for all components. The second takes
one product of a chunk with the axes W of all components, stacked. The same projections, weighted, times the
rows give the scatters along the axes, S W, which are all that an M-step needs beside the squares. No matrix
is of the size d x d, and a pass over n rows costs O(n k d q).

Two differences of large numbers hide in this. The first part is one where a feature's uniqueness is small
beside the square of its mean. Such features, of such components, are taken out of the product and evaluated
about the mean. The second part is subtracted from the first, which costs digits where loadings are large
beside uniquenesses. Components of which the guard says so are evaluated centred, as a sum of squares,

    (z - m)' C^-1 (z - m) = |Psi^-1/2 (e - L y)|^2 + |y|^2,     e = z - m,  y = E(factors | z)
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.model.kernels.blas import Blas
from gaussmix.model.kernels.centred import Centred
from gaussmix.model.kernels.executor import DOUBLE, NONE_APART, ExecutorName, Operands, Plan, Stepwise
from gaussmix.model.kernels.guard import find_imprecise
from gaussmix.model.kernels.natural import EPS, TOLERANCE, Natural


@dataclass(frozen=True, eq=False)
class ProjectedNatural(Natural):
    """The natural parameters of factor analysers; those of :class:`Natural` are of their diagonal parts."""

    #: W_k, shape (k, d, q).
    axes: Float64Array = field(kw_only=True)
    #: The diagonals of Psi_k, shape (k, d).
    uniquenesses: Float64Array = field(kw_only=True)
    #: The factors' expectation is y = scores_k W_k'(z - m); shape (k, q, q).
    scores: Float64Array = field(kw_only=True)
    #: A bound of the largest eigenvalue of Psi^-1/2 C Psi^-1/2, shape (k,).
    stretch: Float64Array = field(kw_only=True)

    def temper(self, beta: float) -> Self:
        """As for other families: a covariance C / beta has loadings and uniquenesses of its own."""
        axes, uniquenesses = np.sqrt(beta) * self.axes, self.uniquenesses / beta
        return replace(super().temper(beta), axes=axes, uniquenesses=uniquenesses)

    @property
    def reach(self) -> Float64Array:
        """The size of the numbers whose difference is -2 log N, at points 30 + 2 d nats from the peak.

        Features far from the origin add nothing: they are evaluated about the mean. But their projections add
        what W'z - W'm comes to, once multiplied by W'(z - m).
        """
        squares = 60.0 + 4.0 * self.means.shape[1]
        apart = np.abs(self.axes).max(axis=2) * np.abs(self.means)
        return np.asarray(squares * self.stretch + 2.0 * np.sqrt(squares * self.stretch) * apart.sum(axis=1))

    @property
    def precision_bound(self) -> Float64Array:
        """One: the reach is in units of the uniquenesses already."""
        return np.ones(1)

    def find_far(self, dtype: np.dtype[Any]) -> list[tuple[int, IntArray]]:
        """The features of each component that are tight and far from the origin, where there are any.

        What all others lose to the origin is at most half the tolerance.
        """
        key = "far", dtype.char
        if key not in self._kept:
            limit = 0.5 * TOLERANCE[dtype.char] / (EPS[dtype.char] * self.means.shape[1])
            far = self.means * self.means > limit * self.uniquenesses
            self._kept[key] = [(int(k), np.flatnonzero(far[k])) for k in np.flatnonzero(far.any(axis=1))]
        kept: list[tuple[int, IntArray]] = self._kept[key]
        return kept

    def product_matrix(self, dtype: np.dtype[Any]) -> FloatArray:
        """H of the first part, shape (k, 1 + 2 d), without far features."""
        key = "product", dtype.char
        if key not in self._kept:
            linear, second = self.linear.copy(), self.second.copy()
            for k, features in self.find_far(dtype):
                linear[k, features] = second[k, features] = 0.0
            constant = self.constants - 0.5 * np.vecdot(self.means, linear)
            matrix = np.concatenate([constant[:, None], linear, second], axis=1)
            self._kept[key] = matrix.astype(dtype, copy=False)
        kept: FloatArray = self._kept[key]
        return kept

    @cached_property
    def offsets(self) -> Float64Array:
        """W'm of each component, one below the other, shape (k q,)."""
        return np.asarray(np.einsum("kdq,kd->kq", self.axes, self.means).ravel())

    def stack_axes(self, dtype: np.dtype[Any]) -> FloatArray:
        """The axes of all components, one below the other, shape (k q, d)."""
        key = "axes", dtype.char
        if key not in self._kept:
            k, d, q = self.axes.shape
            rows = np.ascontiguousarray(np.swapaxes(self.axes, 1, 2)).reshape(k * q, d)
            self._kept[key] = rows.astype(dtype, copy=False)
        kept: FloatArray = self._kept[key]
        return kept


class Projected(Stepwise["_Chunk"]):
    """The product form of factor analysers; components apart are evaluated centred in double precision."""

    name: ClassVar[ExecutorName] = "blas"
    along_axes = about_means = True
    #: The type that components apart are worked on in; None stands for that of the rows.
    type_apart: np.dtype[Any] | None = DOUBLE

    def __init__(self, operands: Operands) -> None:
        super().__init__(operands)
        self.features = Blas(operands)

    @classmethod
    def chunk_rows(cls, operands: Operands) -> int:
        return Blas.chunk_rows(operands)

    def find_apart(self, natural: Natural) -> IntArray | None:
        mask = find_imprecise(natural, self.operands.dtype)
        if mask is None:
            return NONE_APART
        if self.operands.dtype != DOUBLE and find_imprecise(natural, DOUBLE) is None:
            return None
        return np.flatnonzero(mask)

    def compute_joint(self, rows: slice, plan: Plan) -> tuple[FloatArray, _Chunk]:
        natural, apart, _ = plan
        assert isinstance(natural, ProjectedNatural)
        others = np.delete(np.arange(len(natural.means)), apart)
        dtype = (self.type_apart if apart.size else None) or self.operands.dtype
        X = self.operands.X[rows]
        L: FloatArray = np.empty((natural.n_rows, len(X)), dtype=dtype)
        products, Z = None, np.empty((0, len(X)), dtype=dtype)
        if others.size:
            some = natural if others.size == len(natural.means) else _select_components(natural, others)
            products = _Products(some, self.features.features(rows))
            L[others] = products.compute_joint()
        if apart.size:
            Z = self.operands.frame.apply(X.astype(dtype, copy=False))
        for k in apart:
            L[k] = evaluate_centred(Z, natural, k)
        if natural.noise is not None:
            L[-1] = natural.noise
        return L, _Chunk(natural, others, products, Z)

    def add_moments(self, chunk: _Chunk, R: FloatArray, plan: Plan, S: Float64Array) -> None:
        natural = chunk.natural
        if chunk.products is not None:
            found = chunk.products.compute_moments(R[chunk.others])
            S[chunk.others, : found.shape[1]] += found
        self.release(chunk)
        for k in plan.apart:
            add_projected(chunk.Z, R[k], natural.means[k], natural.axes[k], S[k])
        if natural.noise is not None:
            S[-1, 0] += R[-1].sum(dtype=np.float64)

    def release(self, chunk: _Chunk) -> None:
        if chunk.products is not None:
            self.features.release(chunk.products.T)


class ProjectedCentred(Projected):
    """All components of factor analysers in the centred form, in the type of the rows."""

    name = "centred"
    type_apart = None

    @classmethod
    def is_fastest(cls, operands: Operands) -> bool:
        return False

    @classmethod
    def chunk_rows(cls, operands: Operands) -> int:
        return Centred.chunk_rows(operands)

    def find_apart(self, natural: Natural) -> IntArray | None:
        if self.operands.dtype != DOUBLE and super().find_apart(natural) is None:
            return None
        return np.arange(len(natural.means))


@dataclass(frozen=True, eq=False)
class _Chunk:
    """A chunk's natural parameters, components in the product form, their products, rows for the others."""

    natural: ProjectedNatural
    others: IntArray
    products: _Products | None
    Z: FloatArray


class _Products:
    """A chunk in the product form: its features T and the projections Y = W'(z - m), shape (k, q, b)."""

    def __init__(self, natural: ProjectedNatural, T: FloatArray) -> None:
        self.natural, self.T = natural, T
        k, d, q = natural.axes.shape
        self.Z = T[1 : 1 + d]
        Y = natural.stack_axes(T.dtype) @ self.Z
        Y -= natural.offsets.astype(T.dtype)[:, None]
        self.Y = Y.reshape(k, q, -1)
        self.far = [(k, j, self._squares(k, j)) for k, j in natural.find_far(T.dtype)]

    def compute_joint(self) -> FloatArray:
        """Joint log-densities, shape (k, b)."""
        L = self.natural.product_matrix(self.T.dtype) @ self.T
        L += 0.5 * np.einsum("kqb,kqb->kb", self.Y, self.Y)
        for k, features, squares in self.far:
            L[k] -= 0.5 * (1.0 / self.natural.uniquenesses[k, features]).astype(L.dtype) @ squares
        return np.asarray(L)

    def compute_moments(self, R: FloatArray) -> Float64Array:
        """(counts, first, squares, crossed) under responsibilities, about the means.

        The projections are not what they were afterwards.
        """
        m, d = self.natural.means, self.Z.shape[0]
        R = R.astype(self.T.dtype, copy=False)
        S = (R @ self.T.T).astype(np.float64)
        counts, first, squares = S[:, :1], S[:, 1 : 1 + d], S[:, 1 + d :]
        squares += m * (counts * m - 2.0 * first)
        first -= counts * m
        for k, features, apart in self.far:
            squares[k, features] = apart @ R[k]
        self.Y *= R[:, None, :]
        k, q, b = self.Y.shape
        crossed = (self.Y.reshape(k * q, b) @ self.Z.T).astype(np.float64).reshape(k, q, d)
        crossed -= self.Y.sum(axis=2, dtype=np.float64)[:, :, None] * m[:, None, :]
        return np.concatenate([S, crossed.reshape(k, q * d)], axis=1)

    def _squares(self, k: int, features: IntArray) -> FloatArray:
        """(z - m)^2 of some features."""
        D = self.Z[features] - self.natural.means[k, features].astype(self.Z.dtype)[:, None]
        D *= D
        return np.asarray(D)


def _select_components(natural: ProjectedNatural, components: Any) -> ProjectedNatural:
    """The natural parameters of some components alone."""
    names = [name for name in (f.name for f in fields(natural)) if name not in ("form", "noise", "groups")]
    return replace(natural, **{name: getattr(natural, name)[components] for name in names})


def evaluate_centred(Z: FloatArray, natural: ProjectedNatural, k: int) -> FloatArray:
    """Log w_k N(z | k), complete, for the columns of Z."""
    W, uniquenesses = natural.axes[k].astype(Z.dtype), natural.uniquenesses[k].astype(Z.dtype)
    E = Z - natural.means[k].astype(Z.dtype)[:, None]
    projections = W.T @ E
    Y = natural.scores[k].astype(Z.dtype) @ projections
    E -= (uniquenesses[:, None] * W) @ projections  # less L y
    E *= E
    distances = (1.0 / uniquenesses) @ E + np.einsum("qb,qb->b", Y, Y)
    return np.asarray(natural.constants[k] - 0.5 * distances)


def add_projected(
    Z: FloatArray, r: FloatArray, centre: Float64Array, axes: Float64Array, row: Float64Array
) -> None:
    """Add the moments of the columns of Z about a centre, under weights r, to a component's row of S."""
    d = Z.shape[0]
    if np.count_nonzero(r) < 0.5 * r.size:  # hard assignments
        Z, r = Z[:, r != 0.0], r[r != 0.0]
    D = Z - centre.astype(Z.dtype)[:, None]
    projections = axes.T.astype(Z.dtype) @ D
    row[0] += r.sum(dtype=np.float64)
    row[1 : 1 + d] += D @ r
    crossed = ((projections * r) @ D.T).ravel()
    row[1 + 2 * d : 1 + 2 * d + crossed.size] += crossed
    D *= D
    row[1 + d : 1 + 2 * d] += D @ r
