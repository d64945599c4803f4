"""The pass for factor analysers, whose precisions are a diagonal less a few directions: P = Psi^-1 - W W'.

    log w N(z | m, C) = constant - (z - m)' Psi^-1 (z - m) / 2 + |W'(z - m)|^2 / 2

The first part is linear in T(z) = (1, z, z^2), so one product gives it for all components; the second takes
one product of a chunk with the axes W of all components, stacked. The same projections, weighted, times the
rows give the scatters along the axes, S W, which are all that an M-step needs beside the squares. No matrix
is of the size d x d, and a pass over n rows costs O(n k d q).

Two differences of large numbers hide in this. The first part is one where a feature's noise is small beside
the square of its mean: such features, of such components, are taken out of the product and evaluated about
the mean. And the second part is subtracted from the first, which costs digits where loadings are large beside
the noise: components of which the guard says so are evaluated centred, as a sum of squares,

    (z - m)' C^-1 (z - m) = |Psi^-1/2 (e - L y)|^2 + |y|^2,     e = z - m,  y = E(factors | z)
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.model.kernels.blas import Blas
from gaussmix.model.kernels.natural import EPS, TOLERANCE, Natural
from gaussmix.model.kernels.rows import Question, Rows
from gaussmix.model.kernels.softmax import answer, softmax, weigh
from gaussmix.model.moments.blocks import Block


@dataclass(frozen=True, eq=False)
class ProjectedNatural(Natural):
    """The natural parameters of factor analysers; those of :class:`Natural` are of their diagonal parts.

    Parameters
    ----------
    axes : ndarray of shape (k, d, q)
        W_k.
    uniquenesses : ndarray of shape (k, d)
        The diagonals of Psi_k.
    scores : ndarray of shape (k, q, q)
        The factors' expectation is y = scores_k W_k'(z - m).
    stretch : ndarray of shape (k,)
        A bound of the largest eigenvalue of Psi^-1/2 C Psi^-1/2.
    """

    axes: Float64Array = field(kw_only=True)
    uniquenesses: Float64Array = field(kw_only=True)
    scores: Float64Array = field(kw_only=True)
    stretch: Float64Array = field(kw_only=True)

    def tempered(self, beta: float) -> Self:
        """As for other families: a covariance C / beta has loadings and noise of its own."""
        axes, uniquenesses = np.sqrt(beta) * self.axes, self.uniquenesses / beta
        return replace(super().tempered(beta), axes=axes, uniquenesses=uniquenesses)

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
        """One: the reach is in units of the noise already."""
        return np.ones(1)

    def far(self, dtype: np.dtype[Any]) -> list[tuple[int, IntArray]]:
        """The features of each component that are tight and far from the origin, where there are any.

        What all others lose to the origin is at most half the tolerance.
        """
        if dtype.char not in self._far:
            limit = 0.5 * TOLERANCE[dtype.char] / (EPS[dtype.char] * self.means.shape[1])
            far = self.means * self.means > limit * self.uniquenesses
            self._far[dtype.char] = [
                (int(k), np.flatnonzero(far[k])) for k in np.flatnonzero(far.any(axis=1))
            ]
        return self._far[dtype.char]

    def product(self, dtype: np.dtype[Any]) -> FloatArray:
        """H of the first part, shape (k, 1 + 2 d), without far features."""
        key = dtype.char, None
        if key not in self._matrices:
            linear, second = self.linear.copy(), self.second.copy()
            for k, features in self.far(dtype):
                linear[k, features] = second[k, features] = 0.0
            constant = self.constants - 0.5 * np.vecdot(self.means, linear)
            matrix = np.concatenate([constant[:, None], linear, second], axis=1)
            self._matrices[key] = matrix.astype(dtype, copy=False)
        return self._matrices[key]

    @cached_property
    def _far(self) -> dict[str, list[tuple[int, IntArray]]]:
        return {}

    @cached_property
    def offsets(self) -> Float64Array:
        """W'm of each component, one below the other, shape (k q,)."""
        return np.asarray(np.einsum("kdq,kd->kq", self.axes, self.means).ravel())

    def stacked(self, dtype: np.dtype[Any]) -> FloatArray:
        """The axes of all components, one below the other, shape (k q, d)."""
        if dtype.char not in self._stacks:
            k, d, q = self.axes.shape
            rows = np.ascontiguousarray(np.swapaxes(self.axes, 1, 2)).reshape(k * q, d)
            self._stacks[dtype.char] = rows.astype(dtype, copy=False)
        return self._stacks[dtype.char]

    @cached_property
    def _stacks(self) -> dict[str, FloatArray]:
        return {}


class Projected:
    """The product form of factor analysers; the centred form for the components apart, or for all.

    Parameters
    ----------
    rows : Rows
    chunk_rows : int
    centred : bool
        Whether all components are evaluated centred, in the type of the rows. Otherwise those apart are, in
        double precision.
    """

    uses_blas = True
    groupable = False
    block: Block = "squares"

    def __init__(self, rows: Rows, chunk_rows: int, *, centred: bool) -> None:
        self.rows, self.centred = rows, centred
        self.features = Blas(rows, chunk_rows)

    def centres(self, natural: Natural, apart: IntArray) -> Float64Array:
        """The means."""
        return natural.means

    def accumulate(self, rows: slice, natural: Natural, apart: IntArray, S: Float64Array) -> Float64Array:
        """As the protocol says."""
        assert isinstance(natural, ProjectedNatural)
        L, part, Z = self._joint(rows, natural, apart)
        log_likelihood = weigh(L, softmax(L), self.rows.weights_of(rows))
        if part is not None:
            others = self._others(natural, apart)
            found = part.moments(L[others])
            S[others, : found.shape[1]] += found
            self.features.release(part.T)
        for k in self._apart(natural, apart):
            add_projected(Z, L[k], natural.means[k], natural.axes[k], S[k])
        if natural.noise is not None:
            S[-1, 0] += L[-1].sum(dtype=np.float64)
        return log_likelihood

    def evaluate(self, rows: slice, natural: Natural, apart: IntArray, question: Question, out: Any) -> None:
        """As the protocol says."""
        assert isinstance(natural, ProjectedNatural)
        L, part, _ = self._joint(rows, natural, apart)
        if part is not None:
            self.features.release(part.T)
        answer(L, question, out)

    def _apart(self, natural: Natural, apart: IntArray) -> list[int]:
        return list(range(len(natural.means))) if self.centred else [int(k) for k in apart]

    def _others(self, natural: Natural, apart: IntArray) -> IntArray:
        """The components in the product form."""
        return np.delete(np.arange(len(natural.means)), self._apart(natural, apart))

    def _joint(
        self, rows: slice, natural: ProjectedNatural, apart: IntArray
    ) -> tuple[FloatArray, _Products | None, FloatArray]:
        """Joint log-densities; the products they came from, if any; the rows for the centred form."""
        centred, others = self._apart(natural, apart), self._others(natural, apart)
        dtype = np.dtype(np.float64) if centred and not self.centred else self.rows.dtype
        X = self.rows.X[rows]
        L: FloatArray = np.empty((natural.n_rows, len(X)), dtype=dtype)
        part, Z = None, np.empty((0, len(X)), dtype=dtype)
        if others.size:
            some = natural if others.size == len(natural.means) else _of_components(natural, others)
            part = _Products(some, self.features.features(rows))
            L[others] = part.joint()
        if centred:
            Z = self.rows.frame.apply(X.astype(dtype, copy=False))
        for k in centred:
            L[k] = centred_joint(Z, natural, k)
        if natural.noise is not None:
            L[-1] = natural.noise
        return L, part, Z


class _Products:
    """A chunk in the product form: its features T and the projections Y = W'(z - m), shape (k, q, b)."""

    def __init__(self, natural: ProjectedNatural, T: FloatArray) -> None:
        self.natural, self.T = natural, T
        k, d, q = natural.axes.shape
        self.Z = T[1 : 1 + d]
        Y = natural.stacked(T.dtype) @ self.Z
        Y -= natural.offsets.astype(T.dtype)[:, None]
        self.Y = Y.reshape(k, q, -1)
        self.far = [(k, j, self._squares(k, j)) for k, j in natural.far(T.dtype)]

    def joint(self) -> FloatArray:
        """Joint log-densities, shape (k, b)."""
        L = self.natural.product(self.T.dtype) @ self.T
        L += 0.5 * np.einsum("kqb,kqb->kb", self.Y, self.Y)
        for k, features, squares in self.far:
            L[k] -= 0.5 * (1.0 / self.natural.uniquenesses[k, features]).astype(L.dtype) @ squares
        return np.asarray(L)

    def moments(self, R: FloatArray) -> Float64Array:
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


def _of_components(natural: ProjectedNatural, components: Any) -> ProjectedNatural:
    """The natural parameters of some components alone."""
    names = [name for name in (f.name for f in fields(natural)) if name not in ("form", "noise", "groups")]
    return replace(natural, **{name: getattr(natural, name)[components] for name in names})


def centred_joint(Z: FloatArray, natural: ProjectedNatural, k: int) -> FloatArray:
    """Log w_k N(z | k), complete, for the columns of Z."""
    W, noise = natural.axes[k].astype(Z.dtype), natural.uniquenesses[k].astype(Z.dtype)
    E = Z - natural.means[k].astype(Z.dtype)[:, None]
    projections = W.T @ E
    Y = natural.scores[k].astype(Z.dtype) @ projections
    E -= (noise[:, None] * W) @ projections  # less L y
    E *= E
    distances = (1.0 / noise) @ E + np.einsum("qb,qb->b", Y, Y)
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
