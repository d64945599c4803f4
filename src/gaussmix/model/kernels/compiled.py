"""The compiled product form, called for slices of rows. Numba is loaded when the first of them is made."""

from __future__ import annotations

from typing import Any

import numpy as np

from gaussmix._typing import Float64Array, FloatArray
from gaussmix.model.features import Block
from gaussmix.model.kernels.blas import shared_quadratic
from gaussmix.model.kernels.natural import Natural
from gaussmix.model.kernels.rows import Question, Rows


class Compiled:
    """The product form fused into one compiled loop."""

    uses_blas = False

    def __init__(self, rows: Rows, k: int) -> None:
        from gaussmix.model.kernels import fused

        self._kernel = fused
        self.rows, self.block = rows, rows.form.own
        dtype, (_, d) = rows.dtype, rows.shape
        A = rows.frame.matrix
        matrix = A if A.ndim == 2 else np.diag(np.broadcast_to(A, (d,)))
        origin, matrix = rows.frame.origin.astype(dtype), np.ascontiguousarray(matrix, dtype=dtype)
        block = {"none": fused.NONE, "radial": fused.RADIAL, "squares": fused.SQUARES, "vech": fused.VECH}
        self._frame = (origin, matrix, A.ndim < 2, block[rows.form.own])
        self._unweighted = np.empty(0, dtype=dtype)
        self._sizes = padded(rows.form.n_features(d)) * fused.BLOCK_ROWS, (k + 3) * fused.BLOCK_ROWS
        self._spare: list[tuple[FloatArray, FloatArray]] = []

    block: Block

    def centres(self, natural: Natural) -> Float64Array:
        """The origin, for all."""
        return np.zeros(natural.means.shape)

    def accumulate(self, rows: slice, natural: Natural, S: Float64Array) -> float:
        """As the protocol says; S has the columns that the kernel's tiles fill up."""
        X, scratch = self._take(rows)
        weights = self.rows.weights_of(rows)
        w = self._unweighted if weights is None else weights
        value = self._kernel.accumulate(X, w, *self._frame, self._matrix(natural), S, *scratch)
        self._spare.append(scratch)
        return float(value)

    def evaluate(self, rows: slice, natural: Natural, question: Question, out: Any) -> None:
        """As the protocol says."""
        kernel = self._kernel
        code = {
            "log_prob": kernel.LOG_PROB,
            "joint": kernel.JOINT,
            "responsibilities": kernel.RESPONSIBILITIES,
            "labels": kernel.LABELS,
        }[question]
        X, scratch = self._take(rows)
        if question == "labels":
            floats, labels = np.empty((0, 1), dtype=X.dtype), out[:, 0]
        else:
            floats, labels = out, np.empty(0, dtype=np.int64)
            if out.dtype != X.dtype:
                floats = np.empty(out.shape, dtype=X.dtype)
        kernel.evaluate(X, *self._frame, self._matrix(natural), code, floats.ravel(), labels, *scratch)
        self._spare.append(scratch)
        if natural.shared and question in ("log_prob", "joint"):
            floats -= shared_quadratic(self.rows.frame.apply(X), natural)[:, None]
        if floats is not out and question != "labels":
            out[:] = floats

    def _take(self, rows: slice) -> tuple[FloatArray, tuple[FloatArray, FloatArray]]:
        """The rows side by side in memory, and scratch arrays that no other task has."""
        X = np.ascontiguousarray(self.rows.values(rows))
        if self._spare:
            return X, self._spare.pop()
        n_features, n_joint = self._sizes
        return X, (np.empty(n_features, dtype=X.dtype), np.empty(n_joint, dtype=X.dtype))

    def _matrix(self, natural: Natural) -> FloatArray:
        return natural.matrix_as(self.rows.dtype, padded(natural.matrix.shape[1]))


def padded(columns: int) -> int:
    """The number of columns of H and S that the kernel's tiles need."""
    return -(-columns // 4) * 4
