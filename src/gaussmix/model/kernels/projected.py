"""The pass for factor analysers, whose precisions are a diagonal less a few directions: P = Psi^-1 - W W'.

    log w N(z | m, C) = constant - (z - m)' Psi^-1 (z - m) / 2 + |W'(z - m)|^2 / 2

The first part is linear in T(z) = (1, z, z^2), so one product gives it for all components; the second takes one
product of a chunk with the axes W of all components, stacked. The same projections, weighted, times the rows
give the scatters along the axes, S W, which are all that an M-step needs beside the squares. No matrix of
d x d numbers exists, and a pass over n rows costs O(n k d q).

The difference of the two parts is a difference of large numbers where loadings are large beside the noise. Then,
and where a component is tight and far from the origin, it is evaluated centred, as a sum of squares:

    (z - m)' C^-1 (z - m) = |Psi^-1/2 (e - L y)|^2 + |y|^2,     e = z - m,  y = E(factors | z)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix._typing import Float64Array, FloatArray
from gaussmix.model.features import Block
from gaussmix.model.kernels.blas import Blas, answer, softmax, weigh
from gaussmix.model.kernels.natural import Natural
from gaussmix.model.kernels.rows import Question, Rows


@dataclass(frozen=True, eq=False)
class ProjectedNatural(Natural):
    """The natural parameters of factor analysers; those of :class:`Natural` are of their diagonal parts.

    Parameters
    ----------
    axes : ndarray of shape (k, d, q)
        W_k.
    noise : ndarray of shape (k, d)
        The diagonals of Psi_k.
    scores : ndarray of shape (k, q, q)
        The factors' expectation is y = scores_k W_k'(z - m).
    stretch : ndarray of shape (k,)
        A bound of the largest eigenvalue of Psi^-1/2 C Psi^-1/2.
    """

    axes: Float64Array
    noise: Float64Array
    scores: Float64Array
    stretch: Float64Array

    @property
    def reach(self) -> Float64Array:
        """The size of the numbers whose difference is -2 log N, at points 30 + 2 d nats from the peak."""
        d = self.means.shape[1]
        return np.asarray(self.quadratic + (60.0 + 4.0 * d) * self.stretch)

    @property
    def precision_bound(self) -> Float64Array:
        """One: the reach is in units of the noise already."""
        return np.ones(1)

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
    """The product form of factor analysers; the centred form for the components of a mask.

    Parameters
    ----------
    rows : Rows
    chunk_rows : int
    mask : ndarray of shape (k,), optional
        Which are evaluated centred; None for none.
    precise : bool
        Whether the centred form is in double precision whatever the type of the rows.
    """

    uses_blas = True
    block: Block = "projected"

    def __init__(
        self,
        rows: Rows,
        chunk_rows: int,
        mask: npt.NDArray[np.bool_] | None = None,
        precise: bool = True,
    ) -> None:
        self.rows = rows
        self.product = Blas(rows, chunk_rows)
        self.mask = mask
        self.type = np.dtype(np.float64) if precise else rows.dtype

    def centres(self, natural: Natural) -> Float64Array:
        """The means of the components that are evaluated centred, the origin for the others."""
        if self.mask is None:
            return np.zeros(natural.means.shape)
        return np.where(self.mask[:, None], natural.means, 0.0)

    def accumulate(self, rows: slice, natural: Natural, S: Float64Array) -> float:
        """As the protocol says."""
        assert isinstance(natural, ProjectedNatural)
        T, L, Y, centred = self._joint(rows, natural)
        log_likelihood = weigh(L, softmax(L), self.rows.weights_of(rows))
        if T is not None and Y is not None:
            self._add_products(T, Y, L, natural, S)
            self.product.release(T)
        if centred is not None:
            for k in self._centred:
                add_projected(centred, L[k], natural.means[k], natural.axes[k], S[k])
        return log_likelihood

    def evaluate(self, rows: slice, natural: Natural, question: Question, out: Any) -> None:
        """As the protocol says."""
        assert isinstance(natural, ProjectedNatural)
        T, L, _, _ = self._joint(rows, natural)
        if T is not None:
            self.product.release(T)
        answer(L, question, out)

    @cached_property
    def _centred(self) -> list[int]:
        return [] if self.mask is None else [int(k) for k in np.flatnonzero(self.mask)]

    @cached_property
    def _others(self) -> Any:
        return slice(None) if self.mask is None else np.flatnonzero(~self.mask)

    def _joint(
        self, rows: slice, natural: ProjectedNatural
    ) -> tuple[FloatArray | None, FloatArray, FloatArray | None, FloatArray | None]:
        """Features, joint log-densities, projections (of the product form) and rows for the centred form."""
        k, d, q = natural.axes.shape
        if self.mask is None:
            T = self.product.features(rows)
            L, Y = self._products(T, natural)
            return T, L, Y, None
        Z = self.rows.frame.apply(self.rows.X[rows].astype(self.type, copy=False))
        L = np.empty((k, Z.shape[1]), dtype=Z.dtype)
        T, Y = None, None
        if not self.mask.all():
            T = self.product.features(rows)
            some = _of_components(natural, self._others)
            L[self._others], Y = self._products(T, some)
        for j in self._centred:
            L[j] = centred_joint(Z, natural, j)
        return T, L, Y, Z

    def _products(self, T: FloatArray, natural: ProjectedNatural) -> tuple[FloatArray, FloatArray]:
        """Joint log-densities (k, b), and W'(z - m), shape (k q, b)."""
        k, d, q = natural.axes.shape
        L = natural.matrix_as(T.dtype) @ T
        Y = natural.stacked(T.dtype) @ T[1 : 1 + d]
        Y -= natural.offsets.astype(T.dtype)[:, None]
        L += 0.5 * np.einsum("kqb,kqb->kb", *2 * (Y.reshape(k, q, -1),))
        return L, Y

    def _add_products(
        self, T: FloatArray, Y: FloatArray, R: FloatArray, natural: ProjectedNatural, S: Float64Array
    ) -> None:
        """Add (counts, first, squares, crossed) about the origin, under responsibilities, to the rows of S."""
        R = R[self._others].astype(T.dtype, copy=False)
        k, d = len(R), natural.means.shape[1]
        weighted = Y.reshape(k, -1, R.shape[1])
        weighted *= R[:, None, :]
        plain = (R @ T.T).astype(np.float64)
        crossed = (Y @ T[1 : 1 + d].T).astype(np.float64).reshape(k, -1, d)
        # the projections were of z - m
        offsets = natural.offsets.reshape(len(natural.means), -1)[self._others]
        crossed += offsets[:, :, None] * plain[:, None, 1 : 1 + d]
        S[self._others, : 1 + 2 * d] += plain
        S[self._others, 1 + 2 * d :] += crossed.reshape(k, -1)


def _of_components(natural: ProjectedNatural, components: Any) -> ProjectedNatural:
    """The natural parameters of some components alone."""
    names = ("constants", "means", "factors", "linear", "quadratic", "second", "spread")
    names = (*names, "axes", "noise", "scores", "stretch")
    return replace(natural, **{name: getattr(natural, name)[components] for name in names})


def centred_joint(Z: FloatArray, natural: ProjectedNatural, k: int) -> FloatArray:
    """log w_k N(z | k), complete, for the columns of Z."""
    W, noise = natural.axes[k].astype(Z.dtype), natural.noise[k].astype(Z.dtype)
    E = Z - natural.means[k].astype(Z.dtype)[:, None]
    projections = W.T @ E
    Y = natural.scores[k].astype(Z.dtype) @ projections
    E -= noise[:, None] * (W @ projections)  # less L y
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
    row[1 + 2 * d :] += ((projections * r) @ D.T).ravel()
    D *= D
    row[1 + d : 1 + 2 * d] += D @ r
