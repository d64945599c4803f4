"""Passes over the rows of an array: chunks with fixed borders, threads, and the choice of an executor.

The borders of the chunks and the order in which their statistics are added depend on the problem's shape
alone, so a result has the same bits with any number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from gaussmix import _threads
from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.model.features import Form
from gaussmix.model.frame import Frame
from gaussmix.model.kernels import blas, centred
from gaussmix.model.kernels.natural import Natural
from gaussmix.model.stats import Stats

Executor = Literal["blas", "fused", "centred"]

#: Responsibilities (k, b) of the rows of a slice, asked for in order.
Responsibilities: TypeAlias = Callable[[slice], FloatArray]

#: Chunks whose statistics are summed by one task; the sums of the tasks are then added in order.
MAX_TASKS = 64
#: Bytes that the statistics of all tasks may take together.
MAX_TASK_BYTES = 16 * 2**20
#: Products k F n under which a pass takes NumPy a millisecond or so: numba (half a second to load, some
#: more to compile once) and threads would cost more than they save.
SMALL_PASS = 1_000_000


def numba_available() -> bool:
    """Whether the fused executor can be used at all. Does not import numba."""
    return find_spec("numba") is not None


def choose_executor(n: int, d: int, k: int, form: Form, itemsize: int = 8) -> Executor:
    """The executor measured to be fastest for a pass over n rows; depends on the problem's shape alone.

    `itemsize` is that of the rows' type, in bytes.

    The environment variable GAUSSMIX_EXECUTOR overrides it. All compute the same statistics, to rounding.
    """
    setting = os.environ.get("GAUSSMIX_EXECUTOR", "auto")
    if setting != "auto":
        if setting not in get_args(Executor):
            raise ValueError(f"GAUSSMIX_EXECUTOR must be auto, blas, fused or centred, not {setting!r}")
        if setting == "fused" and not numba_available():
            raise ValueError("GAUSSMIX_EXECUTOR=fused needs numba, which is not installed")
        return setting  # type: ignore[return-value]
    F = form.n_features(d)
    # a block's features fit the cache of one core, or nearly do and are read for few components
    in_cache = F <= 1300 or (F <= 2500 and k * itemsize <= 256)
    if in_cache and n * k * F > SMALL_PASS and numba_available():
        return "fused"
    if form.own == "vech" and (d > 128 or (d >= 48 and 5 * k < d)):
        return "centred"
    return "blas"


def _chunk_rows(executor: Executor, n: int, k: int, F: int) -> int:
    """Rows of a chunk, whose features should stay in cache.

    The fused kernel has blocks of its own, so its chunk is all that one task does: large enough that the call
    costs nothing, small enough that there are tasks for many threads.
    """
    if executor == "fused":
        rows = max(1024, min(16384, 2_000_000 // (k * F)), -(-n // MAX_TASKS))
        return -(-rows // 1024) * 1024
    if executor == "centred":
        return 1024
    return 8192 if F <= 48 else 4096 if F < 200 else 1024 if F < 2500 else 256


class Sweep:
    """Passes of mixtures of one form and size over the rows of one array, seen from one frame.

    Parameters
    ----------
    X : ndarray of shape (n, d), float32 or float64
    frame : Frame
    form : Form
    k : int
        Number of components.
    weights : ndarray of shape (n,), optional
        Weight of each row; None stands for ones.
    pooled : ndarray of shape (P,), optional
        sum_i w_i q(z_i), for forms that pool their second moments: no pass changes it, so none computes it.
    """

    def __init__(
        self,
        X: FloatArray,
        frame: Frame,
        form: Form,
        k: int,
        weights: FloatArray | None = None,
        pooled: Float64Array | None = None,
    ) -> None:
        self.X, self.frame, self.form, self.k = X, frame, form, k
        self.pooled = np.zeros(0) if pooled is None else pooled
        self.weights = None if weights is None else weights.astype(X.dtype, copy=False)
        n, d = X.shape
        self.F = form.n_features(d)
        self.executor = choose_executor(n, d, k, form, X.dtype.itemsize)
        self.rows = _chunk_rows(self.executor, n, k, self.F)
        self.n_chunks = -(-n // self.rows)
        self._spare: list[Any] = []
        self._kept: FloatArray | None = None

    def accumulate(self, natural: Natural) -> Stats:
        """One pass: the statistics of all rows and their log-likelihood."""
        k, d = natural.means.shape
        task_bytes = k * self.F * 8
        n_tasks = max(1, min(self.n_chunks, MAX_TASKS, max(8, MAX_TASK_BYTES // task_bytes)))
        chunk = self._accumulator(natural)

        def task(i: int) -> tuple[Float64Array, float]:
            S, log_likelihood = np.zeros((k, _padded(self.F))), 0.0
            for c in range(i * self.n_chunks // n_tasks, (i + 1) * self.n_chunks // n_tasks):
                log_likelihood += chunk(c, S)
            return S[:, : self.F], log_likelihood

        parts = _threads.run(task, n_tasks, hold_blas=self.executor != "fused")
        S, log_likelihood = parts[0]
        for more, value in parts[1:]:
            S += more
            log_likelihood += value
        if self.executor == "centred":
            return self._as_stats(S, natural.means, log_likelihood)
        if natural.shared:  # the quadratic part that all components share is linear in the total scatter
            log_likelihood += float(natural.shared_block @ self.pooled)
        return self._as_stats(S, np.zeros((k, d)), log_likelihood)

    def accumulate_given(self, responsibilities: Responsibilities) -> Stats:
        """The statistics of all rows under given responsibilities; its log-likelihood is zero."""
        S, centres = np.zeros((self.k, self.F)), np.zeros((self.k, self.X.shape[1]))
        for start in range(0, self.X.shape[0], 1024):
            rows = slice(start, min(start + 1024, self.X.shape[0]))
            R = responsibilities(rows)
            if self.weights is not None:
                R = R * self.weights[rows]
            centred.add_moments(self.frame.apply(self.X[rows]), R.astype(self.X.dtype), centres, self.form, S)
        return self._as_stats(S, centres, 0.0)

    def log_prob(self, natural: Natural) -> FloatArray:
        """Log p(z) of each row in the frame's coordinates, shape (n,)."""
        out = np.empty((self.X.shape[0], 1), dtype=self.X.dtype)
        return np.asarray(self._evaluate(natural, "log_prob", out)[:, 0])

    def joint(self, natural: Natural) -> FloatArray:
        """Log w_k N(z | k) of each row and component, shape (n, k)."""
        out = np.empty((self.X.shape[0], self.k), dtype=self.X.dtype)
        return np.asarray(self._evaluate(natural, "joint", out))

    def responsibilities(self, natural: Natural) -> FloatArray:
        """Posterior probabilities of the components, shape (n, k)."""
        out = np.empty((self.X.shape[0], self.k), dtype=self.X.dtype)
        return np.asarray(self._evaluate(natural, "responsibilities", out))

    def labels(self, natural: Natural) -> IntArray:
        """The most probable component of each row, shape (n,); the first of equals."""
        labels = np.empty((self.X.shape[0], 1), dtype=np.int64)
        return np.asarray(self._evaluate(natural, "labels", labels)[:, 0])

    def _as_stats(self, S: Float64Array, centres: Float64Array, log_likelihood: float) -> Stats:
        d = centres.shape[1]
        counts, first, second = S[:, 0].copy(), S[:, 1 : 1 + d].copy(), S[:, 1 + d :].copy()
        return Stats(self.form, counts, first, second, self.pooled, centres, log_likelihood)

    def _accumulator(self, natural: Natural) -> Callable[[int, Float64Array], float]:
        """The function that adds the statistics of chunk c to S and returns its log-likelihood."""
        if self.executor == "fused":
            return self._fused_accumulator(natural)

        def product(c: int, S: Float64Array) -> float:
            T = self._features(c)
            value = blas.accumulate(T, self._chunk_weights(c), natural, S[:, : self.F])
            self._release(T)
            return value

        def triangular(c: int, S: Float64Array) -> float:
            Z = self.frame.apply(self._chunk(c))
            return centred.accumulate(Z, self._chunk_weights(c), natural, S[:, : self.F])

        return product if self.executor == "blas" else triangular

    def _fused_accumulator(self, natural: Natural) -> Callable[[int, Float64Array], float]:
        from gaussmix.model.kernels import fused

        call = _FusedCall(self, natural)
        weights = np.empty(0, dtype=self.X.dtype) if self.weights is None else self.weights

        def chunk(c: int, S: Float64Array) -> float:
            rows = slice(c * self.rows, (c + 1) * self.rows)
            T, L = self._spare.pop() if self._spare else call.scratch()
            value = fused.accumulate(
                np.ascontiguousarray(self.X[rows]), weights[rows], *call.frame, call.block, call.H, S, T, L
            )
            self._spare.append((T, L))
            return float(value)

        return chunk

    def _evaluate(self, natural: Natural, what: str, out: Any) -> Any:
        if self.executor == "fused":
            chunk = self._fused_evaluator(natural, what)
        else:
            chunk = self._numpy_evaluator(natural, what)

        def task(c: int) -> None:
            rows = slice(c * self.rows, (c + 1) * self.rows)
            chunk(rows, out[rows])

        _threads.run(task, self.n_chunks, hold_blas=self.executor != "fused" or natural.shared)
        return out

    def _numpy_evaluator(self, natural: Natural, what: str) -> Callable[[slice, Any], None]:
        def chunk(rows: slice, out: Any) -> None:
            if self.executor == "blas":
                T = self._features(rows.start // self.rows)
                L = blas.joint(T, natural)
                if natural.shared and what in ("log_prob", "joint"):
                    L -= _shared_quadratic(T[1:], natural)
                self._release(T)
            else:
                L = centred.joint(self.frame.apply(self.X[rows]), natural)
            if what == "log_prob":
                out[:, 0] = blas.softmax(L)
            elif what == "labels":
                out[:, 0] = L.argmax(axis=0)
            else:
                if what == "responsibilities":
                    blas.softmax(L)
                out[:] = L.T

        return chunk

    def _fused_evaluator(self, natural: Natural, what: str) -> Callable[[slice, Any], None]:
        from gaussmix.model.kernels import fused

        call = _FusedCall(self, natural)
        code = {"log_prob": 0, "joint": 1, "responsibilities": 2, "labels": 3}[what]
        no_floats, no_labels = np.empty((0, 1), dtype=self.X.dtype), np.empty(0, dtype=np.int64)

        def chunk(rows: slice, out: Any) -> None:
            T, L = self._spare.pop() if self._spare else call.scratch()
            X = np.ascontiguousarray(self.X[rows])
            floats, labels = (no_floats, out[:, 0]) if what == "labels" else (out, no_labels)
            fused.evaluate(X, *call.frame, call.block, call.H, code, floats, labels, T, L)
            self._spare.append((T, L))
            if natural.shared and code <= fused.JOINT:
                out -= _shared_quadratic(self.frame.apply(X), natural)[:, None]

        return chunk

    def _chunk(self, c: int) -> FloatArray:
        return self.X[c * self.rows : (c + 1) * self.rows]

    def _chunk_weights(self, c: int) -> FloatArray | None:
        return None if self.weights is None else self.weights[c * self.rows : (c + 1) * self.rows]

    def _features(self, c: int) -> FloatArray:
        """T of chunk c. The features of a single chunk are kept: they do not change between passes."""
        if self._kept is not None:
            return self._kept
        rows = min(self.rows, self.X.shape[0])
        buffer = self._spare.pop() if self._spare else np.empty((self.F, rows), dtype=self.X.dtype)
        T = blas.features(self._chunk(c), self.frame, self.form, buffer)
        if self.n_chunks == 1:
            self._kept = T
        return T

    def _release(self, T: FloatArray) -> None:
        if self._kept is None:
            self._spare.append(T if T.base is None else T.base)


class _FusedCall:
    """The arguments of the compiled kernel that stay the same over the chunks of one pass."""

    def __init__(self, sweep: Sweep, natural: Natural) -> None:
        from gaussmix.model.kernels import fused

        dtype, d = sweep.X.dtype, sweep.X.shape[1]
        padded = np.zeros((sweep.k, _padded(sweep.F)))
        padded[:, : sweep.F] = natural.matrix
        self.H = padded.astype(dtype)
        self.block = {
            "none": fused.NONE,
            "radial": fused.RADIAL,
            "squares": fused.SQUARES,
            "vech": fused.VECH,
        }[sweep.form.own]
        A = sweep.frame.matrix
        matrix = A if A.ndim == 2 else np.diag(np.broadcast_to(A, (d,)))
        self.frame = (sweep.frame.origin.astype(dtype), np.ascontiguousarray(matrix, dtype=dtype), A.ndim < 2)
        self._sizes = (self.H.shape[1] * fused.BLOCK_ROWS, (sweep.k + 2) * fused.BLOCK_ROWS, dtype)

    def scratch(self) -> tuple[FloatArray, FloatArray]:
        n_features, n_joint, dtype = self._sizes
        return np.empty(n_features, dtype=dtype), np.empty(n_joint, dtype=dtype)


def _padded(F: int) -> int:
    """The number of columns of H and S that the fused kernel's tiles need."""
    return -(-F // 4) * 4


def _shared_quadratic(Z: FloatArray, natural: Natural) -> FloatArray:
    """Z'Pz / 2 for the columns of Z, for forms in which it is the same for every component."""
    Y = centred.whitened(Z, natural.factors.astype(Z.dtype))
    return np.asarray(0.5 * np.einsum("ib,ib->b", Y, Y))
