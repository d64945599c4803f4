"""Passes over the rows of an array: chunks with fixed borders, threads, and the choice of an executor.

The borders of the chunks and the order in which their statistics are added depend on the problem's shape
alone, so a result has the same bits with any number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from importlib.util import find_spec
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from gaussmix import _threads
from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.model.kernels import centred
from gaussmix.model.kernels.blas import Blas
from gaussmix.model.kernels.centred import Centred
from gaussmix.model.kernels.compiled import Compiled, padded
from gaussmix.model.kernels.guard import blurred, guarded
from gaussmix.model.kernels.natural import Natural
from gaussmix.model.kernels.projected import Projected, ProjectedNatural, add_projected
from gaussmix.model.kernels.rows import NONE_APART, Executor, Question, Rows
from gaussmix.model.moments.blocks import Block, Form, block_size, fill
from gaussmix.model.moments.frame import Frame
from gaussmix.model.moments.statistics import TINY, Moments, Pass

ExecutorName = Literal["blas", "compiled", "centred"]

#: Responsibilities (k, b) of the rows of a slice, asked for in order.
Responsibilities: TypeAlias = Callable[[slice], FloatArray]

#: Chunks whose statistics are summed by one task; the sums of the tasks are then added in order.
MAX_TASKS = 64
#: Bytes that the statistics of all tasks may take together.
MAX_TASK_BYTES = 16 * 2**20
#: Where no more than one component in so many is too tight for float32, those alone are evaluated centred.
FEW = 3
#: Products k F n under which a pass takes NumPy a millisecond or so: numba (half a second to load, some
#: more to compile once) and threads would cost more than they save.
SMALL_PASS = 1_000_000
#: The same for mixtures side by side: some ten passes each, and no more where the rows are few.
SMALL_GROUPED_PASS = 10_000_000


def numba_available() -> bool:
    """Whether the compiled executor can be used at all. Does not import numba."""
    return find_spec("numba") is not None


def choose_executor(
    n: int, d: int, k: int, form: Form, itemsize: int = 8, small: int = SMALL_PASS
) -> ExecutorName:
    """The executor measured to be fastest for a pass over n rows; depends on the problem's shape alone.

    `itemsize` is that of the rows' type, in bytes; `small` the products of a pass that NumPy does.

    The environment variable GAUSSMIX_EXECUTOR overrides it. All compute the same statistics, to rounding.
    """
    setting = os.environ.get("GAUSSMIX_EXECUTOR", "auto")
    if setting != "auto":
        if setting not in get_args(ExecutorName):
            raise ValueError(f"GAUSSMIX_EXECUTOR must be auto, blas, compiled or centred, not {setting!r}")
        if setting == "compiled" and not numba_available():
            raise ValueError("GAUSSMIX_EXECUTOR=compiled needs numba, which is not installed")
        if setting == "compiled" and form.n_axes:
            return "blas"  # what it does is mostly two large products
        return setting  # type: ignore[return-value]
    if form.n_axes:
        return "blas"
    F = form.n_features(d)
    # a block's features fit the cache of one core, or nearly do and are read for few components
    in_cache = F <= 1300 or (F <= 2500 and k * itemsize <= 256)
    if in_cache and n * k * F > small and numba_available():
        return "compiled"
    if form.own == "vech" and (d > 128 or (d >= 48 and 5 * k < d)):
        return "centred"
    return "blas"


def chunk_rows(executor: ExecutorName, n: int, k: int, F: int) -> int:
    """Rows of a chunk, whose features should stay in cache.

    The compiled kernel has blocks of its own, so its chunk is all that one task does: large enough that the
    call costs nothing, small enough that there are tasks for many threads.
    """
    if executor == "compiled":
        rows = max(1024, min(16384, 2_000_000 // (k * F)), -(-n // MAX_TASKS))
        return -(-rows // 1024) * 1024
    if executor == "centred":
        return 1024
    return 16384 if F < 9 else 8192 if F <= 48 else 4096 if F < 200 else 1024 if F < 2500 else 256


class Sweep:
    """Passes of mixtures of one form and size over the rows of one array, seen from one frame.

    Parameters
    ----------
    X : ndarray of shape (n, d), float32 or float64
    frame : Frame
    form : Form
    k : int
        Number of components, a noise component among them; of all mixtures, if there are several side by side
        (then the most that there will be).
    weights : ndarray of shape (n,), optional
        Weight of each row; None stands for ones.
    pooled : ndarray of shape (P,), optional
        sum_i w_i q(z_i), for forms that pool their second moments: no pass changes it, so none computes it.
    small : int
        The products of a pass that are few enough for NumPy.
    """

    def __init__(
        self,
        X: FloatArray,
        frame: Frame,
        form: Form,
        k: int,
        weights: FloatArray | None = None,
        pooled: Float64Array | None = None,
        *,
        small: int = SMALL_PASS,
    ) -> None:
        n = X.shape[0]
        self._small = small
        self.rows = Rows(X, weights, frame, form, X.dtype)
        self.frame, self.k = frame, k
        self.pooled = np.zeros(0) if pooled is None else pooled
        self.executor, self.chunk = self._make(self.rows)
        self.n_chunks = -(-n // self.chunk)

    def accumulate(self, natural: Natural) -> Pass:
        """One pass: the moments of all rows and their log-likelihood."""
        return self._pass(natural, *self._plan(natural))

    def accumulate_groups(self, natural: Natural) -> Pass | None:
        """One pass for mixtures side by side: moments of all components, the log-likelihood of each mixture.

        None where the components cannot be taken together, since the guard has them all evaluated centred.
        """
        plan = self._plan(natural)
        return self._pass(natural, *plan) if plan[0].groupable else None

    def _pass(self, natural: Natural, executor: Executor, chunk: int, apart: IntArray) -> Pass:
        k, d = natural.n_rows, natural.means.shape[1]
        columns = 1 + d + self._moments_size(executor.block, d)
        n_chunks = self.n_chunks if chunk == self.chunk else -(-self.rows.shape[0] // chunk)
        n_tasks = max(1, min(n_chunks, MAX_TASKS, max(8, MAX_TASK_BYTES // (8 * k * columns))))

        def task(i: int) -> tuple[Float64Array, Float64Array]:
            S, log_likelihood = np.zeros((k, padded(columns))), np.zeros(len(natural.groups))
            for c in range(i * n_chunks // n_tasks, (i + 1) * n_chunks // n_tasks):
                log_likelihood += executor.accumulate(slice(c * chunk, (c + 1) * chunk), natural, apart, S)
            return S, log_likelihood

        parts = _threads.run(task, n_tasks, hold_blas=executor.uses_blas)
        S, log_likelihood = parts[0]
        for more, value in parts[1:]:
            S += more
            log_likelihood += value
        if natural.shared and executor.block == "none":
            # the quadratic part that all components share is linear in the total scatter
            log_likelihood = log_likelihood + natural.shared_quadratics(self.pooled)
        axes = natural.axes if isinstance(natural, ProjectedNatural) else None
        centres = executor.centres(natural, apart)
        return Pass(self._as_moments(S[:, :columns], executor.block, centres, axes), log_likelihood)

    def accumulate_given(
        self,
        responsibilities: Responsibilities,
        centres: Float64Array | None = None,
        axes: Float64Array | None = None,
        *,
        grouped: bool = False,
    ) -> Moments:
        """The moments of all rows under given responsibilities.

        For forms with moments along axes, `axes` may be of another number than the form's. Of mixtures side
        by side (`grouped`) moments are about the origin, and forms that pool them have those of all rows.
        """
        n, d = self.rows.shape
        own, pooled = self.rows.form.own, self.rows.form.pooled
        block = pooled if own == "none" and not grouped else own
        size = block_size(block, d) + (0 if axes is None else d * axes.shape[2])
        S = np.zeros((self.k, 1 + d + size))
        about = np.zeros((self.k, d)) if centres is None else centres
        for start in range(0, n, 1024):
            rows = slice(start, min(start + 1024, n))
            R, weights = responsibilities(rows), self.rows.weights_of(rows)
            Z = self.frame.apply(self.rows.X[rows].astype(np.float64))
            R = R if weights is None else R * weights
            if axes is None and grouped:  # about the origin, all components in one product
                T = np.empty((S.shape[1], Z.shape[1]))
                fill(T, Z, block)
                S += R @ T.T
            elif axes is None:
                centred.add_moments(Z, R, about, block, S, range(self.k))
            else:
                for k in range(self.k):
                    add_projected(Z, R[k], about[k], axes[k], S[k])
        return self._as_moments(S, block, about, axes)

    def means_given(self, responsibilities: Responsibilities) -> Float64Array:
        """The mean of each component under given responsibilities, shape (k, d); zero where they are."""
        n, d = self.rows.shape
        S = np.zeros((self.k, 1 + d))
        for start in range(0, n, 1024):
            rows = slice(start, min(start + 1024, n))
            R, weights = responsibilities(rows), self.rows.weights_of(rows)
            R = R if weights is None else R * weights
            S[:, 0] += R.sum(axis=1)
            S[:, 1:] += R @ self.frame.apply(self.rows.X[rows].astype(np.float64)).T
        return np.asarray(S[:, 1:] / np.maximum(S[:, :1], TINY))

    def log_prob(self, natural: Natural) -> FloatArray:
        """Log p(z) of each row in the frame's coordinates, shape (n,)."""
        return np.asarray(self._evaluate(natural, "log_prob", 1, self.rows.X.dtype)[:, 0])

    def joint(self, natural: Natural) -> FloatArray:
        """Log w_k N(z | k) of each row and component, shape (n, k)."""
        return self._evaluate(natural, "joint", self.k, self.rows.X.dtype)

    def responsibilities(self, natural: Natural) -> FloatArray:
        """Posterior probabilities of the components, shape (n, k)."""
        return self._evaluate(natural, "responsibilities", self.k, self.rows.X.dtype)

    def labels(self, natural: Natural) -> IntArray:
        """The most probable component of each row, shape (n,); the first of equals."""
        labels = self._evaluate(natural, "labels", 1, np.dtype(np.int64))
        return np.asarray(labels[:, 0], dtype=np.int64)

    def _evaluate(
        self, natural: Natural, question: Question, columns: int, dtype: np.dtype[Any]
    ) -> FloatArray:
        executor, chunk, apart = self._plan(natural)
        n = self.rows.shape[0]
        out: FloatArray = np.empty((n, columns), dtype=dtype)

        def task(c: int) -> None:
            rows = slice(c * chunk, (c + 1) * chunk)
            executor.evaluate(rows, natural, apart, question, out[rows])

        _threads.run(task, -(-n // chunk), hold_blas=executor.uses_blas or natural.shared)
        return out

    def _plan(self, natural: Natural) -> tuple[Executor, int, IntArray]:
        """The executor of a pass, its chunk's rows, and the components that it keeps apart."""
        executor, chunk = self.executor, self.chunk
        single, double = self.rows.X.dtype == np.float32, np.dtype(np.float64)
        if isinstance(executor, Centred):
            return (*(self._double if single and blurred(natural) else (executor, chunk)), NONE_APART)
        if isinstance(executor, Projected) and executor.centred and not single:
            return executor, chunk, NONE_APART
        mask = guarded(natural, self.rows.X.dtype)
        if mask is None:
            return executor, chunk, NONE_APART
        if isinstance(executor, Projected):
            if single and guarded(natural, double) is None:
                return (*self._double, NONE_APART)
            return executor, chunk, np.flatnonzero(mask)
        if single and (FEW * mask.sum() > self.k or blurred(natural)):
            executor, chunk = self._double
            mask = None if isinstance(executor, Centred) else guarded(natural, double)
            if mask is None:  # the product form will do, with longer numbers
                return executor, chunk, NONE_APART
        if mask.all():
            n, d = self.rows.shape
            chunk = chunk_rows("centred", n, self.k, self.rows.form.n_features(d))
            return Centred(replace(self.rows, dtype=double)), chunk, NONE_APART
        return executor, chunk, np.flatnonzero(mask)

    @cached_property
    def _double(self) -> tuple[Blas | Compiled | Centred | Projected, int]:
        """The executor for these rows in double precision, and its chunk's rows."""
        return self._make(replace(self.rows, dtype=np.dtype(np.float64)))

    def _make(self, rows: Rows) -> tuple[Blas | Compiled | Centred | Projected, int]:
        """The executor for rows in the type that they are worked on in, and its chunk's rows."""
        (n, d), form, k = rows.shape, rows.form, self.k
        name = choose_executor(n, d, k, form, rows.dtype.itemsize, self._small)
        chunk = chunk_rows(name, n, k, form.n_features(d))
        if form.n_axes:
            return Projected(rows, chunk, centred=name == "centred"), chunk
        if name == "compiled":
            return Compiled(rows), chunk
        return Blas(rows, chunk) if name == "blas" else Centred(rows), chunk

    def _moments_size(self, block: Block, d: int) -> int:
        form = self.rows.form
        return form.moments_size(d) if block == form.own else block_size(block, d)

    def _as_moments(
        self, S: Float64Array, block: Block, centres: Float64Array, axes: Float64Array | None
    ) -> Moments:
        (k, d), form = centres.shape, self.rows.form
        if axes is not None:
            form = replace(form, n_axes=axes.shape[2])
        noise = float(S[k:, 0].sum())  # what a noise component has taken, of which counts alone matter
        counts, first, second = S[:k, 0], S[:k, 1 : 1 + d], S[:k, 1 + d :]
        pooled = self.pooled
        if block != form.own:  # a shared scatter, about each component's own point
            pooled, second = second.sum(axis=0), np.zeros((k, 0))
        return Moments(form, counts, first, second, pooled, centres, noise, axes)
