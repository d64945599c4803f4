"""The compiled product form, called for slices of rows. Numba is loaded when the first of them is made."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np

from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.model.kernels.executor import Executor, Operands, Plan
from gaussmix.model.kernels.natural import Natural
from gaussmix.model.kernels.softmax import QUESTIONS, Question, shared_quadratic

#: Chunks whose statistics are summed by one task; the sums of the tasks are then added in order.
MAX_TASKS = 64


def is_numba_available() -> bool:
    """Whether the compiled executor can be used at all. Does not import numba."""
    return find_spec("numba") is not None


class Compiled(Executor):
    """The product form fused into one compiled loop, which knows no terms of rows."""

    name = "compiled"
    product_form = True
    takes_terms = False
    uses_blas = False

    def __init__(self, operands: Operands) -> None:
        super().__init__(operands)
        from gaussmix.model.kernels import fused, tiles

        self._kernel = fused
        dtype, (_, d), frame = operands.dtype, operands.shape, operands.frame
        A = frame.matrix
        matrix = A if A.ndim == 2 else np.diag(np.broadcast_to(A, (d,)))
        origin, matrix = frame.origin.astype(dtype), np.ascontiguousarray(matrix, dtype=dtype)
        block = {"none": tiles.NONE, "radial": tiles.RADIAL, "squares": tiles.SQUARES, "vech": tiles.VECH}
        self._frame = (origin, matrix, A.ndim < 2, block[self.block.name])
        self._unweighted = np.empty(0, dtype=dtype)
        self._n_features = pad_columns(operands.n_features)
        self._block_rows = tiles.BLOCK_ROWS
        self._spare: list[tuple[FloatArray, FloatArray]] = []

    @classmethod
    def is_fastest(cls, operands: Operands) -> bool:
        (n, _), k, F = operands.shape, operands.k, operands.n_features
        # a block's features fit the cache of one core, or nearly do and are read for few components
        in_cache = F <= 1300 or (F <= 2500 and k * operands.dtype.itemsize <= 256)
        return in_cache and n * k * F > operands.small and is_numba_available()

    @classmethod
    def chunk_rows(cls, operands: Operands) -> int:
        """All that one task does, since the kernel has blocks of its own.

        Chunks are large enough that a call costs nothing, small enough that there are tasks for many threads.
        """
        n, k, F = operands.shape[0], operands.k, operands.n_features
        rows = max(1024, min(16384, 2_000_000 // (k * F)), -(-n // MAX_TASKS))
        return -(-rows // 1024) * 1024

    def accumulate(self, rows: slice, plan: Plan, S: Float64Array) -> Float64Array:
        """As for any executor; S has the columns that the kernel's tiles fill up."""
        natural = plan.natural
        k, groups = natural.n_rows, natural.groups
        X, scratch = self._prepare(rows, k + 3 * len(groups))
        weights = self.operands.weights_of(rows)
        w = self._unweighted if weights is None else weights
        H, guarded = self._pad_matrix(natural), self._gather_apart(natural, plan.apart)
        log_likelihoods, bounds = np.zeros(len(groups)), groups.bounds(k).astype(np.uintp)
        self._kernel.accumulate(X, w, *self._frame, H, S, guarded, *scratch, bounds, log_likelihoods)
        self._spare.append(scratch)
        return log_likelihoods

    def evaluate(self, rows: slice, plan: Plan, question: Question, out: Any) -> None:
        natural = plan.natural
        code = QUESTIONS.index(question)
        X, scratch = self._prepare(rows, natural.n_rows + 3)
        if question == "labels":
            floats, labels = np.empty((0, 1), dtype=X.dtype), out[:, 0]
        else:
            floats, labels = out, np.empty(0, dtype=np.int64)
            if out.dtype != X.dtype:
                floats = np.empty(out.shape, dtype=X.dtype)
        H, guarded = self._pad_matrix(natural), self._gather_apart(natural, plan.apart)
        self._kernel.evaluate(X, *self._frame, H, code, floats.ravel(), labels, guarded, *scratch)
        self._spare.append(scratch)
        if natural.shared and question in ("log_prob", "joint"):
            floats -= shared_quadratic(self.operands.frame.apply(X), natural)[:, None]
        if floats is not out and question != "labels":
            out[:] = floats

    def _prepare(self, rows: slice, n_joint: int) -> tuple[FloatArray, tuple[FloatArray, FloatArray]]:
        """The rows side by side in memory, and scratch arrays that no other task has."""
        X = np.ascontiguousarray(self.operands.values(rows))
        sizes = self._n_features * self._block_rows, n_joint * self._block_rows
        scratch = self._spare.pop() if self._spare else None
        if scratch is None or scratch[1].size < sizes[1]:
            scratch = _allocate_aligned(sizes[0], X.dtype), _allocate_aligned(sizes[1], X.dtype)
        return X, scratch

    def _pad_matrix(self, natural: Natural) -> FloatArray:
        return natural.matrix_as(self.operands.dtype, pad_columns(natural.matrix.shape[1]))

    def _gather_apart(self, natural: Natural, apart: IntArray) -> tuple[Any, ...] | None:
        """The components apart, their constants, means and roots: rows of U', or a diagonal as one row."""
        dtype, d = self.operands.dtype, natural.means.shape[1]
        if not apart.size:
            return None
        size = pad_columns(d)
        constants = natural.constants[apart].astype(dtype)
        means = np.zeros((apart.size, size), dtype=dtype)
        means[:, :d] = natural.means[apart]
        U = natural.roots[apart]
        if U.ndim == 3:
            roots = np.zeros((apart.size, size, size), dtype=dtype)
            roots[:, :d, :d] = np.swapaxes(U, 1, 2)
        else:
            roots = np.zeros((apart.size, 1, size), dtype=dtype)
            roots[:, 0, :d] = U.reshape(apart.size, -1)
        return apart, constants, means, roots


def _allocate_aligned(size: int, dtype: np.dtype[Any]) -> FloatArray:
    """An array that begins with a line of the cache: vectors across two cost up to half the speed."""
    line = 64 // dtype.itemsize
    array: FloatArray = np.empty(size + line, dtype=dtype)
    start = -array.ctypes.data % 64 // dtype.itemsize
    return array[start : start + size]


def pad_columns(columns: int) -> int:
    """The number of columns of H and S that the kernel's tiles need."""
    return -(-columns // 4) * 4
