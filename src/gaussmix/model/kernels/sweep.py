"""Passes over the rows of an array: chunks with fixed borders, threads, and the choice of an executor.

The borders of the chunks and the order in which their statistics are added depend on the problem's shape
alone, so a result has the same bits with any number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeAlias, TypeVar, get_args

import numpy as np

from gaussmix import _threads
from gaussmix._typing import Float64Array, FloatArray
from gaussmix.model.kernels import centred
from gaussmix.model.kernels.blas import Blas
from gaussmix.model.kernels.centred import Centred
from gaussmix.model.kernels.compiled import MAX_TASKS, Compiled, is_numba_available, pad_columns
from gaussmix.model.kernels.executor import (
    DOUBLE,
    Executor,
    ExecutorName,
    Operands,
    Plan,
    RowTerms,
    Run,
    Source,
)
from gaussmix.model.kernels.natural import Natural
from gaussmix.model.kernels.projected import Projected, ProjectedCentred, ProjectedNatural, add_projected
from gaussmix.model.kernels.softmax import Question
from gaussmix.model.moments.blocks import AlongAxes, Block, Form
from gaussmix.model.moments.frame import Frame
from gaussmix.model.moments.statistics import TINY, Moments, Pass

T = TypeVar("T")

#: Every executor. Of those that can do what is asked, the first that says so is the fastest.
EXECUTORS: tuple[type[Executor], ...] = (Compiled, Centred, Blas, ProjectedCentred, Projected)

#: Responsibilities (k, b) of the rows of a slice, asked for in order.
Responsibilities: TypeAlias = Callable[[slice], FloatArray]

#: Rows of a chunk whose responsibilities are given.
GIVEN_ROWS = 1024
#: Bytes that the statistics of all tasks may take together.
MAX_TASK_BYTES = 16 * 2**20
#: Products k F n under which a pass takes NumPy about a millisecond. Threads would cost more than they save,
#: and so would numba, which takes half a second to load and some more to compile once.
SMALL_PASS = 1_000_000
#: The same for mixtures side by side: some ten passes each, and no more where the rows are few.
SMALL_GROUPED_PASS = 10_000_000


def choose_executor(operands: Operands, *, with_terms: bool = False) -> type[Executor]:
    """The executor measured to be fastest, or the one that the environment variable GAUSSMIX_EXECUTOR names.

    It depends on the problem's shape alone. All compute the same statistics, to rounding. Where the one that
    is named cannot do what is asked, the product form in NumPy does it.
    """
    able = [
        executor
        for executor in EXECUTORS
        if executor.along_axes == bool(operands.form.n_axes) and (executor.takes_terms or not with_terms)
    ]
    setting = os.environ.get("GAUSSMIX_EXECUTOR", "auto")
    if setting == "auto":
        return next(executor for executor in able if executor.is_fastest(operands))
    if setting not in get_args(ExecutorName):
        raise ValueError(f"GAUSSMIX_EXECUTOR must be auto, blas, compiled or centred, not {setting!r}")
    if setting == "compiled" and not is_numba_available():
        raise ValueError("GAUSSMIX_EXECUTOR=compiled needs numba, which is not installed")
    return next((executor for executor in able if executor.name == setting), able[-1])


class Sweep:
    """Passes of mixtures of one form and size over the rows of one array, seen from one frame.

    A pass picks an executor, goes over chunks of rows, and sums up what they give. Terms of rows, if any,
    come into the softmax of each row; the compiled executor leaves passes with terms to NumPy.

    Parameters
    ----------
    X, frame, form, k, weights, small
        As :class:`Operands` has them.
    pooled : ndarray of shape (P,), optional
        sum_i w_i q(z_i), for forms that pool their second moments: no pass changes it, so none computes it.
    run : callable
        How tasks are done: on the threads of this process, or in order.
    """

    def __init__(
        self,
        X: Source,
        frame: Frame,
        form: Form,
        k: int,
        weights: FloatArray | None = None,
        pooled: Float64Array | None = None,
        *,
        small: int = SMALL_PASS,
        run: Run = _threads.run_tasks,
    ) -> None:
        self.operands = Operands(X, weights, frame, form, k, X.dtype, small)
        self._run = run
        self.frame, self.k = frame, k
        self.pooled = np.zeros(0) if pooled is None else pooled
        self.executor = choose_executor(self.operands)(self.operands)
        self._executors = {(X.dtype.char, self.executor.takes_terms): self.executor}

    def accumulate(self, natural: Natural, terms: RowTerms | None = None, *, entropy: bool = False) -> Pass:
        """One pass: the moments of all rows and their log-likelihood.

        The entropy of one mixture's responsibilities takes a second pass, if it is asked for.
        """
        executor, plan = self._plan_pass(natural, terms)
        found = self._run_pass(executor, plan)
        return replace(found, entropy=self._sum_entropies(executor, plan)) if entropy else found

    def accumulate_groups(self, natural: Natural, terms: RowTerms | None = None) -> Pass | None:
        """One pass for mixtures side by side: moments of all components, the log-likelihood of each mixture.

        None where the components cannot be taken together, since the guard has them all evaluated centred.
        """
        executor, plan = self._plan_pass(natural, terms)
        return self._run_pass(executor, plan) if executor.product_form else None

    def _plan_pass(self, natural: Natural, terms: RowTerms | None) -> tuple[Executor, Plan]:
        """The executor of a pass, and what it is to do."""
        executor = (
            self.executor if terms is None else self._get_executor(self.operands.dtype, with_terms=True)
        )
        apart = executor.find_apart(natural)
        if apart is None:  # float32 is too short
            executor = self._get_executor(DOUBLE, with_terms=terms is not None)
            apart = executor.find_apart(natural)
            assert apart is not None
        if executor.product_form and apart.size == len(natural.means):
            executor = Centred(replace(self.operands, dtype=DOUBLE))
        return executor, Plan(natural, apart, terms)

    def _get_executor(self, dtype: np.dtype[Any], *, with_terms: bool) -> Executor:
        """The executor for these rows in a type of float; made when it is first needed."""
        key = dtype.char, with_terms
        if key not in self._executors:
            operands = replace(self.operands, dtype=dtype)
            self._executors[key] = choose_executor(operands, with_terms=with_terms)(operands)
        return self._executors[key]

    def _run_pass(self, executor: Executor, plan: Plan) -> Pass:
        natural = plan.natural
        k, columns, chunk = natural.n_rows, executor.n_columns, executor.chunk
        n_chunks = -(-self.operands.X.shape[0] // chunk)
        n_tasks = max(1, min(n_chunks, MAX_TASKS, max(8, MAX_TASK_BYTES // (8 * k * columns))))

        def task(i: int) -> tuple[Float64Array, Float64Array]:
            S, log_likelihoods = np.zeros((k, pad_columns(columns))), np.zeros(len(natural.groups))
            for c in range(i * n_chunks // n_tasks, (i + 1) * n_chunks // n_tasks):
                log_likelihoods += executor.accumulate(slice(c * chunk, (c + 1) * chunk), plan, S)
            return S, log_likelihoods

        parts = self._run(task, n_tasks, hold_blas=executor.uses_blas)
        S, log_likelihoods = parts[0]
        for more, values in parts[1:]:
            S += more
            log_likelihoods += values
        if natural.shared and executor.block.empty:
            # the quadratic part that all components share is linear in the total scatter
            log_likelihoods = log_likelihoods + natural.shared_quadratics(self.pooled)
        axes = natural.axes if isinstance(natural, ProjectedNatural) else None
        centres = executor.centres(natural, plan.apart)
        return Pass(self._as_moments(S[:, :columns], executor.block, centres, axes), log_likelihoods)

    def _sum_entropies(self, executor: Executor, plan: Plan) -> float:
        """-sum_i w_i sum_k r_ik log r_ik."""

        def visit(rows: slice, R: Float64Array) -> float:
            entropies = -np.vecdot(R, np.log(np.maximum(R, TINY)))
            weights = self.operands.weights_of(rows)
            return float(entropies.sum() if weights is None else weights @ entropies)

        return sum(self._visit(executor, plan, visit, hold_blas=executor.uses_blas))

    def visit_responsibilities(self, natural: Natural, visit: Callable[[slice, Float64Array], T]) -> list[T]:
        """What a function makes of the responsibilities (b, k) of each chunk of rows, on several threads.

        They are never all in memory. The function may call BLAS.
        """
        return self._visit(*self._plan_pass(natural, None), visit, hold_blas=True)

    def _visit(
        self, executor: Executor, plan: Plan, visit: Callable[[slice, Float64Array], T], *, hold_blas: bool
    ) -> list[T]:
        n, chunk = self.operands.X.shape[0], executor.chunk

        def task(c: int) -> T:
            rows = slice(c * chunk, min((c + 1) * chunk, n))
            R = np.empty((rows.stop - rows.start, plan.natural.n_rows))
            executor.evaluate(rows, plan, "responsibilities", R)
            return visit(rows, R)

        return self._run(task, -(-n // chunk), hold_blas=hold_blas)

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
        d = self.operands.shape[1]
        block = self.operands.form.own if grouped else self.operands.form.block
        if axes is not None:
            block = AlongAxes(axes.shape[2])
        S = np.zeros((self.k, 1 + d + block.size(d)))
        about = np.zeros((self.k, d)) if centres is None else centres
        for R, Z in self._walk(responsibilities):
            if axes is None and grouped:  # about the origin, all components in one product
                T = np.empty((S.shape[1], Z.shape[1]))
                block.fill(T, Z)
                S += R @ T.T
            elif axes is None:
                centred.add_moments(Z, R, about, block, S, range(self.k))
            else:
                for k in range(self.k):
                    add_projected(Z, R[k], about[k], axes[k], S[k])
        return self._as_moments(S, block, about, axes)

    def means_given(self, responsibilities: Responsibilities) -> Float64Array:
        """The mean of each component under given responsibilities, shape (k, d); zero where they are."""
        S = np.zeros((self.k, 1 + self.operands.shape[1]))
        for R, Z in self._walk(responsibilities):
            S[:, 0] += R.sum(axis=1)
            S[:, 1:] += R @ Z.T
        return np.asarray(S[:, 1:] / np.maximum(S[:, :1], TINY))

    def _walk(self, responsibilities: Responsibilities) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Weighted responsibilities and coordinates of the rows, as columns, chunk by chunk."""
        n = self.operands.shape[0]
        for start in range(0, n, GIVEN_ROWS):
            rows = slice(start, min(start + GIVEN_ROWS, n))
            R, weights = responsibilities(rows), self.operands.weights_of(rows)
            Z = self.frame.apply(self.operands.X[rows].astype(np.float64))
            yield R if weights is None else R * weights, Z

    def evaluate(self, natural: Natural, question: Question, terms: RowTerms | None = None) -> Any:
        """The answer for each row, in the frame's coordinates.

        Log-densities and labels, the first of equals, have the shape (n,); what is asked of each row and
        component (n, k).
        """
        executor, plan = self._plan_pass(natural, terms)
        n, chunk = self.operands.X.shape[0], executor.chunk
        columns = 1 if question in ("log_prob", "labels") else self.k
        out = np.empty((n, columns), dtype=np.int64 if question == "labels" else self.operands.X.dtype)

        def task(c: int) -> None:
            rows = slice(c * chunk, (c + 1) * chunk)
            executor.evaluate(rows, plan, question, out[rows])

        self._run(task, -(-n // chunk), hold_blas=executor.uses_blas or natural.shared)
        return out[:, 0] if question in ("log_prob", "labels") else out

    def _as_moments(
        self, S: Float64Array, block: Block, centres: Float64Array, axes: Float64Array | None
    ) -> Moments:
        (k, d), form = centres.shape, self.operands.form
        if axes is not None:
            form = replace(form, own=block)
        # what a noise component has taken, of which counts alone matter
        noise = float(S[k:, 0].sum()) if len(S) > k else 0.0
        counts, first, second = S[:k, 0], S[:k, 1 : 1 + d], S[:k, 1 + d :]
        pooled = self.pooled
        if block != form.own:  # a shared scatter, about each component's own point
            pooled, second = second.sum(axis=0), np.zeros((k, 0))
        return Moments(form, counts, first, second, pooled, centres, noise, axes)
