"""A mixture of experts from training rows: a race of many starts, and EM of the best to the end.

Many starts iterate a few times, on a sample where rows are many, and the best go on. A run with a spike
ranks behind all that have fewer: its likelihood has no bound and says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple

import numpy as np
from numpy.random import RandomState

from gaussmix._typing import Float64Array, IntArray
from gaussmix.apps.experts.protocols import E, G
from gaussmix.apps.experts.result import ExpertsFit, write_advice
from gaussmix.apps.experts.starts import STARTS, StartRows
from gaussmix.apps.experts.state import ExpertRun, Training, begin_run, run_em
from gaussmix.errors import FitError
from gaussmix.fit.iterate.stopping import ENDLESS, Rule
from gaussmix.fit.ranking import order_by_score
from gaussmix.fit.result import FitStatus, StartReport

#: Rows that a race sees.
SAMPLE = 5000
#: Iterations that a run of a race has had at the end of each heat, and how many runs stay.
HEATS = ((4, 8), (16, 3))
#: Runs of a race whose objectives differ by less, in nats a row, are at the same optimum.
SAME = 1e-6
#: Responsibilities of coinciding experts are proportional up to this.
COINCIDING = 1e-6
#: Mean outputs of experts that differ by less, in spreads, are the same in the order of experts.
EQUAL = 1e-6

#: The kinds of starts, in turn, where shares depend on the row, and where they do not.
GATED = ("inputs", "lines", "clusters", "inputs", "residuals", "lines", "clusters", "random")
UNGATED = ("lines", "clusters", "lines", "residuals", "lines", "random")


@dataclass(frozen=True)
class Effort:
    """How far EM goes, and from how many starts."""

    #: EM ends where the mean objective is within so many nats of its limit, by Aitken's estimate.
    tol: float = 1e-6
    max_iter: int = 1000
    n_init: int = 24

    @property
    def rule(self) -> Rule:
        """When a run has converged."""
        return Rule(self.tol, "aitken")


class Racer(NamedTuple, Generic[G, E]):
    """A run in a race."""

    kind: str
    run: ExpertRun[G, E]
    n_spikes: int

    @property
    def standing(self) -> tuple[bool, int, float]:
        """The larger, the better."""
        return self.run.status != FitStatus.DEGENERATE, -self.n_spikes, self.run.objective


def fit_experts(
    training: Training[G, E],
    rows: StartRows,
    n_experts: int,
    rng: RandomState,
    *,
    effort: Effort = Effort(),
    kinds: Sequence[str] = UNGATED,
    given: Float64Array | None = None,
) -> ExpertsFit[G, E]:
    """The mixture of experts of greatest likelihood, with the penalties of its M-steps.

    Parameters
    ----------
    training : Training
        M-steps of gate and experts, with their rows.
    rows : StartRows
        The same rows, as starts see them.
    n_experts : int
    rng : RandomState
    effort : Effort
    kinds : sequence of str
        Names of starts (:data:`gaussmix.apps.experts.starts.STARTS`), which take turns.
    given : ndarray of shape (n, k), optional
        Responsibilities to begin with, in place of a race.

    Raises
    ------
    FitError
        If experts collapse at every start.
    """
    if given is not None or n_experts == 1:
        R = np.ones((len(training.masses), 1)) if given is None else given
        run = begin_run(training, R)
        racers = [] if run is None else [Racer("given", run, 0)]
        reports: list[StartReport] = []
    else:
        racers, reports = race(training, rows, n_experts, rng, effort, kinds)
    if not racers:
        raise FitError(
            f"every start left some of {n_experts} experts without rows: give fewer experts (n_experts), or "
            "more rows"
        )
    ended = iterate_racers(training, racers, effort.rule, effort.max_iter)
    best = max(ended, key=lambda racer: racer.standing)
    reports += [report_end(racer) for racer in ended]
    return make_fit(training, rows, best.run, tuple(reports))


def race(
    training: Training[G, E],
    rows: StartRows,
    n_experts: int,
    rng: RandomState,
    effort: Effort,
    kinds: Sequence[str],
) -> tuple[list[Racer[G, E]], list[StartReport]]:
    """The best of many starts after some iterations, and what became of the others."""
    n = len(training.masses)
    some = n > SAMPLE
    if some:
        places = np.sort(rng.choice(n, SAMPLE, replace=False))
        training, rows = training.take(places), rows.take(places)
    racers: list[Racer[G, E]] = []
    reports: list[StartReport] = []
    for turn in range(effort.n_init):
        kind = kinds[turn % len(kinds)]
        labels = STARTS[kind](rows, n_experts, rng)
        run = begin_run(training, make_memberships(labels, n_experts))
        if run is None:
            reports.append(StartReport(kind, 0, -np.inf, str(FitStatus.DEGENERATE)))
        else:
            racers.append(Racer(kind, run, 0))
    for n_iter, n_kept in HEATS:
        if len(racers) > 1:
            ended = iterate_racers(training, racers, ENDLESS, min(n_iter, effort.max_iter))
            racers = choose_racers(ended, n_kept)
            reports += [report_end(racer) for racer in ended if racer not in racers]
    if some:  # the likelihoods were those of the sample
        racers = [each._replace(run=replace(each.run, history=(), log_priors=())) for each in racers]
    return racers, reports


def iterate_racers(
    training: Training[G, E], racers: Sequence[Racer[G, E]], rule: Rule, max_iter: int
) -> list[Racer[G, E]]:
    """The racers where EM has led them."""
    begun = [replace(racer.run, status=FitStatus.NOT_RUN, collapsed=()) for racer in racers]
    runs = run_em(training, begun, rule=rule, max_iter=max_iter)
    return [
        Racer(racer.kind, run, len(training.find_spikes(training.see(run.mixture))))
        for racer, run in zip(racers, runs, strict=True)
    ]


def choose_racers(racers: Sequence[Racer[G, E]], n_kept: int) -> list[Racer[G, E]]:
    """The best, without those at the same optimum as a better one."""
    kept: list[Racer[G, E]] = []
    for racer in sorted(racers, key=lambda racer: racer.standing, reverse=True):
        apart = all(abs(racer.run.objective - other.run.objective) > SAME for other in kept)
        if apart and len(kept) < n_kept:
            kept.append(racer)
    return kept


def report_end(racer: Racer[G, E]) -> StartReport:
    """What became of a racer."""
    run = racer.run
    return StartReport(racer.kind, len(run.history) - 1, run.objective, str(run.status))


def make_memberships(labels: IntArray, k: int) -> Float64Array:
    """Labels as responsibilities, shape (n, k)."""
    return np.asarray((labels == np.arange(k)[:, None]).astype(np.float64).T)


def make_fit(
    training: Training[G, E],
    rows: StartRows,
    run: ExpertRun[G, E],
    reports: tuple[StartReport, ...],
) -> ExpertsFit[G, E]:
    """The result of the best run, with experts in the order of their mean outputs."""
    seen = training.see(run.mixture)
    counts = training.count_rows(seen.R)
    means = (rows.outputs * training.masses) @ seen.R / np.maximum(counts, np.finfo(float).tiny)
    order = np.array(order_by_score([-float(mean) for mean in means[0]], EQUAL), dtype=np.int64)
    places = np.argsort(order)
    collapsed = tuple(sorted(int(places[expert]) for expert in run.collapsed))
    spikes = tuple(sorted(int(places[expert]) for expert in training.find_spikes(seen)))
    held = tuple(sorted(int(places[expert]) for expert in training.find_held(seen)))
    coinciding = find_coinciding(seen.R[:, order])
    model = replace(
        run.mixture,
        gate=training.gate_step.publish(run.mixture.gate),
        experts=training.expert_step.publish(run.mixture.experts),
    )
    return ExpertsFit(
        model=model.take(order),
        status=run.status,
        advice=write_advice(run.status, collapsed, spikes, held, coinciding),
        history=run.history,
        log_priors=run.log_priors,
        n_samples=training.weight,
        counts=counts[order],
        collapsed=collapsed,
        spikes=spikes,
        held=held,
        starts=reports,
    )


def find_coinciding(R: Float64Array) -> tuple[int, ...]:
    """Experts whose responsibilities are proportional to those of another."""
    totals = R.sum(axis=0)
    profiles = R / np.maximum(totals, np.finfo(float).tiny)
    largest = profiles.max(axis=0)
    alike = [
        {i, j}
        for i in range(len(totals))
        for j in range(i)
        if np.abs(profiles[:, i] - profiles[:, j]).max() < COINCIDING * max(largest[i], largest[j])
    ]
    return tuple(sorted(set().union(*alike)))
