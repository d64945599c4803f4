"""Robust times: programs alternate, short runs are subtracted from long ones, and medians are kept."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.cases import Floats, Problem
from benchmarks.programs import NEEDED, Program


@dataclass(frozen=True)
class Effort:
    """How long to measure: seconds for each program and row, and the most repeats within them."""

    seconds: float
    repeats: int


@dataclass
class _Run:
    """The runs that one program repeats: a long one, and a short one to subtract, or none.

    `units` is the number of iterations or calls by which the long run is longer.
    """

    short: Callable[[], float] | None
    long: Callable[[], float]
    units: int
    repeats: int
    short_times: list[float] = field(default_factory=list)
    long_times: list[float] = field(default_factory=list)

    def repeat(self) -> None:
        if self.short is not None:
            self.short_times.append(self.short())
        self.long_times.append(self.long())

    def seconds(self) -> float:
        start = statistics.median(self.short_times) if self.short_times else 0.0
        return (statistics.median(self.long_times) - start) / self.units


def per_iteration(programs: list[Program], problem: Problem, effort: Effort) -> dict[str, float]:
    """Median seconds of one EM iteration for each program: (long run - short run) / iterations between."""
    runs, densities = {}, {}
    for program in programs:
        try:
            model = program.fit(problem, 1)  # loads libraries, compiles, starts threads
            if program.name in NEEDED:
                densities[program.name] = model.score_samples(problem.X[:1000])
            runs[program.name] = _iteration_run(program, problem, effort)
        except Exception as error:
            if program.name in NEEDED:
                raise
            # An optional program may fail on a row; the others are still timed.
            print(f"{program.name} fails on {problem.case.name}: {error}", file=sys.stderr)
    _demand_agreement(densities, problem)
    return _alternate(runs)


def per_call(programs: list[Program], problem: Problem, effort: Effort, what: str) -> dict[str, float]:
    """Median seconds of one call: score_samples, predict_proba, or a whole fit to convergence."""
    runs = {}
    for program in programs:
        if what == "converge":
            call = _bound(program.converge, problem)
        else:
            call = _bound(program.call, program.fit(problem, 1), what, problem)
        _seconds(call)  # compiles and warms up
        cost = _seconds(call)
        n_calls = max(1, round(0.1 / cost))
        long = _bound(_seconds, call, n_calls)
        runs[program.name] = _Run(None, long, n_calls, _n_repeats(effort, cost * n_calls))
    return _alternate(runs)


def gemm_peak(dtype: str, size: int = 2048, repeats: int = 7) -> float:
    """Floating-point operations per second of the fastest of a few large matrix products."""
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((size, size)).astype(dtype) for _ in range(2))
    out = a @ b
    return 2.0 * size**3 / min(_seconds(lambda: np.matmul(a, b, out=out)) for _ in range(repeats))


def _demand_agreement(densities: dict[str, Floats], problem: Problem) -> None:
    """Raise RuntimeError if densities differ: only programs that compute the same can be compared."""
    tolerance = 1e-7 if problem.case.dtype == "float64" else 1e-2
    ours = densities["gaussmix"]
    for name, theirs in densities.items():
        worst = float(np.max(np.abs(theirs - ours) / np.maximum(1.0, np.abs(ours))))
        if not worst < tolerance:
            raise RuntimeError(
                f"gaussmix and {name} differ by {worst:.2g} on {problem.case.name} after one iteration"
            )


def _iteration_run(program: Program, problem: Problem, effort: Effort) -> _Run:
    def fit(n_iter: int) -> float:
        return _seconds(_bound(program.fit, problem, n_iter))

    def warm_up(n_iter: int) -> None:
        if program.compiles_each_length:
            fit(n_iter)

    short = fit(1)
    warm_up(2)
    # Under noise the difference can be zero or less, but an iteration is at least this part of a fit.
    cost = max(fit(2) - short, 0.02 * short, 1e-5)
    if 2 * short + 4 * cost > effort.seconds:
        return _Run(None, lambda: cost, 1, 1)  # one measurement has to do for so slow a program
    # Enough iterations that the difference of the two runs stands out, but no more than the effort allows.
    between = int(np.clip(0.3 / cost, 4, 1000))
    warm_up(1 + between)
    return _Run(
        lambda: fit(1), lambda: fit(1 + between), between, _n_repeats(effort, 2 * short + between * cost)
    )


def _n_repeats(effort: Effort, cost: float) -> int:
    return int(np.clip(effort.seconds / cost, 1, effort.repeats))


def _alternate(runs: dict[str, _Run]) -> dict[str, float]:
    for r in range(max(run.repeats for run in runs.values())):
        for run in runs.values():
            if r < run.repeats:
                run.repeat()
    return {name: run.seconds() for name, run in runs.items()}


def _bound(function: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
    return lambda: function(*arguments)


def _seconds(call: Callable[[], Any], n_calls: int = 1) -> float:
    start = time.perf_counter()
    for _ in range(n_calls):
        call()
    return time.perf_counter() - start
