"""The product form in plain NumPy: two matrix products for a chunk of rows, a softmax between them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.model.kernels.centred import add_moments, fill_joint
from gaussmix.model.kernels.natural import Natural
from gaussmix.model.kernels.rows import Question, Rows, centres_of
from gaussmix.model.kernels.softmax import answer, shared_quadratic, softmax_of_each, weigh
from gaussmix.model.moments.blocks import Block, fill


def joint(T: FloatArray, natural: Natural) -> FloatArray:
    """Log w_k N(z | k) for each component and column, shape (k, b), less what all components share."""
    return natural.matrix_as(T.dtype) @ T


class Blas:
    """The product form on NumPy's BLAS."""

    uses_blas = True
    groupable = True

    def __init__(self, rows: Rows, chunk_rows: int) -> None:
        self.rows, self.block = rows, rows.form.own
        n, d = rows.shape
        self._shape = rows.form.n_features(d), min(n, chunk_rows)
        self._single = n <= chunk_rows
        self._kept: FloatArray | None = None
        self._spare: list[FloatArray] = []

    block: Block

    def centres(self, natural: Natural, apart: IntArray) -> Float64Array:
        """The origin, for all that are not apart."""
        return centres_of(natural, apart)

    def accumulate(self, rows: slice, natural: Natural, apart: IntArray, S: Float64Array) -> Float64Array:
        """As the protocol says."""
        T = self.features(rows)
        R = joint(T, natural)
        if apart.size:
            Z = T[1 : 1 + natural.means.shape[1]]
            fill_joint(R, Z, natural, apart)
        log_likelihoods = weigh(R, softmax_of_each(R, natural.groups), self.rows.weights_of(rows))
        if apart.size:
            add_moments(Z, R, natural.means, self.block, S, apart)
            R[apart] = 0.0
        S[:, : T.shape[0]] += R @ T.T
        self.release(T)
        return log_likelihoods

    def evaluate(self, rows: slice, natural: Natural, apart: IntArray, question: Question, out: Any) -> None:
        """As the protocol says."""
        T = self.features(rows)
        L = joint(T, natural)
        fill_joint(L, T[1 : 1 + natural.means.shape[1]], natural, apart)
        if natural.shared and question in ("log_prob", "joint"):
            L -= shared_quadratic(T[1:], natural)
        self.release(T)
        answer(L, question, out)

    def features(self, rows: slice) -> FloatArray:
        """T(z) of a slice, shape (F, b). Those of a single chunk are kept: no pass changes them."""
        if self._kept is not None:
            return self._kept
        buffer = self._spare.pop() if self._spare else np.empty(self._shape, dtype=self.rows.dtype)
        Z = self.rows.frame.apply(self.rows.values(rows))
        T = buffer[:, : Z.shape[1]]
        fill(T, Z, self.block)
        if self._single:
            self._kept = T
        return T

    def release(self, T: FloatArray) -> None:
        """Give the memory of features back for the next chunk."""
        if self._kept is None:
            self._spare.append(T if T.base is None else T.base)
