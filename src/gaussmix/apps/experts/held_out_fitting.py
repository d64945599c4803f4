"""EM of experts that are estimators: it stops where held-out rows are predicted best, since it may fall.

EM with experts that maximise no likelihood of their own is not monotone, and each of its iterations fits
estimators. So starts are few: the first takes the memberships of a mixture of parametric experts, which costs
next to nothing beside the estimators; the others divide the rows in turn as a race does. Each runs until its
likelihood has not risen for some iterations, and its best iteration counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Generic

import numpy as np
from numpy.random import RandomState

from gaussmix._typing import Float64Array
from gaussmix.apps.experts.fitting import Effort, Racer, make_fit, make_memberships, report_end
from gaussmix.apps.experts.protocols import E, G
from gaussmix.apps.experts.result import ExpertsFit
from gaussmix.apps.experts.starts import STARTS, StartRows
from gaussmix.apps.experts.state import ExpertRun, Training, begin_run, run_em
from gaussmix.errors import FitError
from gaussmix.fit.iterate.stopping import ENDLESS
from gaussmix.fit.result import FitStatus, StartReport

#: Iterations without a rise by `tol` after which a run ends.
PATIENCE = 2
#: Iterations that each start has before the best goes on, where there are several.
FIRST_ITERATIONS = 3


class Watcher(Generic[G, E]):
    """Keeps the best moment of a run, and says when it has not been surpassed for some iterations."""

    def __init__(self, tol: float) -> None:
        self.tol, self.waited = tol, 0
        self.best: ExpertRun[G, E] | None = None

    def __call__(self, run: ExpertRun[G, E]) -> bool:
        """Whether the run is to end."""
        if self.best is None or run.objective > self.best.objective + self.tol:
            self.best, self.waited = run, 0
        else:
            if run.objective > self.best.objective:
                self.best = run
            self.waited += 1
        return self.waited >= PATIENCE


def run_to_best(
    training: Training[G, E], begun: ExpertRun[G, E], tol: float, max_iter: int
) -> ExpertRun[G, E]:
    """The best moment of a run; it is converged where `PATIENCE` iterations after it brought no rise."""
    first = training.see(begun.mixture)
    watcher: Watcher[G, E] = Watcher(tol)
    done = (first.log_likelihood,), (first.log_prior,)
    if not begun.history:
        begun = replace(begun, history=done[0], log_priors=done[1])
    watcher(replace(begun, status=FitStatus.NOT_RUN))
    (ended,) = run_em(training, [begun], rule=ENDLESS, max_iter=max_iter, on_iteration=watcher)
    best = watcher.best
    assert best is not None
    stopped = ended.status == FitStatus.INTERRUPTED
    return replace(best, status=FitStatus.CONVERGED if stopped else ended.status, collapsed=ended.collapsed)


def fit_estimators(
    training: Training[G, Any],
    rows: StartRows,
    n_experts: int,
    rng: RandomState,
    *,
    effort: Effort,
    kinds: Sequence[str],
    given: Float64Array | None = None,
) -> ExpertsFit[G, Any]:
    """The mixture of estimators that predicts held-out rows best.

    Parameters
    ----------
    training : Training
        M-steps of gate and experts, with their rows.
    rows : StartRows
        The same rows, as starts see them.
    n_experts : int
    rng : RandomState
    effort : Effort
        `n_init` starts, that of `given` among them.
    kinds : sequence of str
        Names of starts, which take turns.
    given : ndarray of shape (n, k), optional
        Responsibilities of the first start.

    Raises
    ------
    FitError
        If experts lose all rows at every start.
    """
    n_starts = 1 if n_experts == 1 else effort.n_init
    begun: list[Racer[G, Any]] = []
    reports: list[StartReport] = []
    for turn in range(n_starts):
        kind = "given" if given is not None and turn == 0 else kinds[turn % len(kinds)]
        if n_experts == 1:
            R = np.ones((len(training.masses), 1))
        elif given is not None and turn == 0:
            R = given
        else:
            R = make_memberships(STARTS[kind](rows, n_experts, rng), n_experts)
        run = begin_run(training, R)
        if run is None:
            reports.append(StartReport(kind, 0, -np.inf, str(FitStatus.DEGENERATE)))
        else:
            begun.append(Racer(kind, run, 0))
    if not begun:
        raise FitError(
            f"every start left some of {n_experts} experts without rows: give fewer experts (n_experts), or "
            "more rows"
        )
    tol, max_iter = effort.tol, effort.max_iter
    if len(begun) > 1:
        first = min(FIRST_ITERATIONS, max_iter)
        begun = [each._replace(run=run_to_best(training, each.run, tol, first)) for each in begun]
        begun.sort(key=lambda racer: racer.standing, reverse=True)
        reports += [report_end(racer) for racer in begun[1:]]
    best = begun[0]
    if best.run.status in (FitStatus.NOT_RUN, FitStatus.MAX_ITER):
        best = best._replace(run=run_to_best(training, best.run, tol, max_iter))
    return make_fit(training, rows, best.run, (*reports, report_end(best)))
