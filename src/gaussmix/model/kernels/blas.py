"""The product form in plain NumPy: two matrix products for a chunk of rows, a softmax between them."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array, FloatArray
from gaussmix.model.kernels.centred import add_moments, fill_joint
from gaussmix.model.kernels.executor import Operands, Plan, Stepwise
from gaussmix.model.kernels.natural import Natural
from gaussmix.model.kernels.softmax import shared_quadratic


class Blas(Stepwise[FloatArray]):
    """The product form on NumPy's BLAS. What densities and moments have in common are the features T."""

    name = "blas"
    product_form = True

    def __init__(self, operands: Operands) -> None:
        super().__init__(operands)
        n = operands.shape[0]
        self._shape = operands.n_features, min(n, self.chunk)
        self._single = n <= self.chunk
        self._kept: FloatArray | None = None
        self._spare: list[FloatArray] = []

    @classmethod
    def chunk_rows(cls, operands: Operands) -> int:
        F = operands.n_features
        return 16384 if F < 9 else 8192 if F <= 48 else 4096 if F < 200 else 1024 if F < 2500 else 256

    def compute_joint(self, rows: slice, plan: Plan) -> tuple[FloatArray, FloatArray]:
        natural, apart, _ = plan
        T = self.features(rows)
        L = natural.matrix_as(T.dtype) @ T
        if apart.size:
            fill_joint(L, T[1 : 1 + natural.means.shape[1]], natural, apart)
        return L, T

    def add_moments(self, chunk: FloatArray, R: FloatArray, plan: Plan, S: Float64Array) -> None:
        natural, apart, _ = plan
        if apart.size:
            Z = chunk[1 : 1 + natural.means.shape[1]]
            add_moments(Z, R, natural.means, self.block, S, apart)
            R[apart] = 0.0
        S[:, : chunk.shape[0]] += R @ chunk.T
        self.release(chunk)

    def complete(self, L: FloatArray, chunk: FloatArray, natural: Natural) -> None:
        L -= shared_quadratic(chunk[1:], natural)

    def features(self, rows: slice) -> FloatArray:
        """T(z) of a slice, shape (F, b). Those of a single chunk are kept: no pass changes them."""
        if self._kept is not None:
            return self._kept
        buffer = self._spare.pop() if self._spare else np.empty(self._shape, dtype=self.operands.dtype)
        Z = self.operands.frame.apply(self.operands.values(rows))
        T = buffer[:, : Z.shape[1]]
        self.block.fill(T, Z)
        if self._single:
            self._kept = T
        return T

    def release(self, chunk: FloatArray) -> None:
        if self._kept is None:
            self._spare.append(chunk if chunk.base is None else chunk.base)
