"""EM from several starts, and the best of what comes of them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from gaussmix.engines import Engine
from gaussmix.fit.advice import naming
from gaussmix.fit.iterate.acceleration import Accelerator
from gaussmix.fit.iterate.em import Run, em
from gaussmix.fit.iterate.stopping import ENDLESS, Rule
from gaussmix.fit.judge import Judge
from gaussmix.fit.mstep.maximise import Maximise
from gaussmix.fit.mstep.regularise import rows_needed
from gaussmix.fit.mstep.terms import Terms
from gaussmix.fit.race.moves import reseeded
from gaussmix.fit.race.race import Race
from gaussmix.fit.result import FitStatus, StartReport
from gaussmix.fit.starts import SCIKIT_LEARN, Given, first_mixture
from gaussmix.fit.starts.concentrated import Concentrated
from gaussmix.model.covariance import NotPositiveDefiniteError
from gaussmix.model.mixture import Mixture

logger = logging.getLogger("gaussmix")

#: Nats a row by which the winner of a race has to be better than what EM from k-means has led to.
EQUAL = 1e-6
#: How often one start may seed collapsed components anew.
MAX_RESEEDS = 3


@dataclass(frozen=True)
class Progress:
    """Where a running fit is; at iteration 0 starts are raced, and the likelihood is of one of them."""

    start: int
    n_starts: int
    iteration: int
    max_iter: int
    mean_log_likelihood: float


@dataclass(frozen=True)
class Ways:
    """Where to start from: a named start, what the caller fixes of it, and how many times."""

    init_params: str
    given: Given
    rng: np.random.RandomState
    n_init: int

    @property
    def orders(self) -> bool:
        """Whether components are reported in an order of their own.

        They are not where the caller gives the start, or names it as scikit-learn does.
        """
        return self.given.empty and not self.given.complete and self.init_params not in SCIKIT_LEARN


@dataclass(frozen=True)
class Position:
    """Where a search over starts is: all that it takes, with the rows, to go on from there.

    Parameters
    ----------
    start : int
        Starts done with.
    attempt : int
        Re-seedings of the current start.
    running : Run, optional
        The run of EM in progress; None between runs.
    here, best : Run, optional
        The best finished run of the current start, and of all starts before it.
    failures : tuple of str
        What became of starts that collapsed.
    reports : tuple of StartReport
        What became of all starts done with, and of those that took part in a race.
    n_reseeds : int
        Re-seedings in all.
    interrupted : bool
    """

    start: int = 0
    attempt: int = 0
    running: Run | None = None
    here: Run | None = None
    best: Run | None = None
    failures: tuple[str, ...] = ()
    reports: tuple[StartReport, ...] = ()
    n_reseeds: int = 0
    interrupted: bool = False


@dataclass(frozen=True)
class Search:
    """EM from several starts, with collapsed components seeded anew, and the best of what comes of it.

    `save` is shown each position that can be gone on from, and whether it is the last.
    """

    engine: Engine
    k: int
    m_step: Maximise
    ways: Ways
    judge: Judge
    rule: Rule
    accelerator: Accelerator | None
    max_iter: int
    previous: float
    on_iteration: Callable[[Progress], bool] | None
    save: Callable[[Position, bool], None] | None = None
    terms: Terms = field(default_factory=Terms)
    race: Race | None = None
    concentrated: Concentrated | None = None

    def __call__(self, position: Position) -> Position:
        """Go on from a position to the end. One start that collapses does not end the others."""
        here, best = self._with_collapsed(position.here), self._with_collapsed(position.best)
        position = replace(position, here=here, best=best)
        while position.start < self.n_starts and not position.interrupted:
            position, begun = self.begun(position)
            if begun is None:
                continue
            run = em(
                self.engine,
                begun,
                self.m_step,
                rule=self.rule,
                accelerator=self.accelerator,
                max_iter=self.max_iter,
                previous=self.previous,
                on_iteration=self._reporter(position),
            )
            position = self.after(position, run)
        return position

    @property
    def n_starts(self) -> int:
        """Runs of EM: one from each start, or from k-means and from what wins the race."""
        return self.ways.n_init if self.race is None else 2

    def begun(self, position: Position) -> tuple[Position, Run | None]:
        """Where the next run begins; none where a start collapses at once, and another is next."""
        if position.running is not None:
            return position, position.running
        try:
            begun, reports = self._first(position)
            if begun is None:
                position = replace(position, reports=(*position.reports, *reports))
                return self._next_start(position, ""), None
        except NotPositiveDefiniteError as error:
            return self._next_start(position, f"{_collapse(error)} before the first iteration"), None
        return replace(position, reports=(*position.reports, *reports)), begun

    def after(self, position: Position, run: Run) -> Position:
        """What to do next, once a run has come to its end."""
        spikes = self._spikes(run.mixture)
        run = replace(run, collapsed=spikes or run.collapsed)
        if run.status == FitStatus.INTERRUPTED:
            position = replace(position, reports=(*position.reports, self._report(run, position.start)))
            best = self.better(position.best, better(position.here, run))
            return replace(position, best=replace(best, status=run.status), interrupted=True)
        if spikes:
            run = replace(run, status=FitStatus.DEGENERATE)
        logger.info(
            "start %d of %d%s: %s after %d iterations, mean log-likelihood %.6f",
            *(position.start + 1, self.n_starts, ", seeded anew" if position.attempt else ""),
            *(run.status, len(run.history) - 1, run.history[-1]),
        )
        here = better(position.here, run)
        if here.status == FitStatus.DEGENERATE and position.attempt < MAX_RESEEDS and self._can_reseed(here):
            return replace(
                position,
                attempt=position.attempt + 1,
                n_reseeds=position.n_reseeds + 1,
                running=None,
                here=here,
            )
        position = replace(position, reports=(*position.reports, self._report(here, position.start)))
        failure = ""
        if here.status == FitStatus.DEGENERATE:
            failure = f"{naming(here.collapsed)} collapsed"
        return self._next_start(replace(position, best=self.better(position.best, here)), failure)

    def _next_start(self, position: Position, failure: str) -> Position:
        failures = position.failures
        if failure:
            failures = (*failures, f"start {position.start + 1}: {failure}")
            logger.info("%s", failures[-1])
        return replace(
            position, start=position.start + 1, attempt=0, running=None, here=None, failures=failures
        )

    def better(self, best: Run | None, run: Run) -> Run:
        """The better of two, the first of equals.

        What a race has found has to be as sound as what EM from k-means has led to, and replaces a higher
        likelihood only where that is of a spike.
        """
        if best is None or self.race is None or FitStatus.DEGENERATE in (best.status, run.status):
            return better(best, run)
        flaws, before = self.judge.n_flaws(run.mixture), self.judge.n_flaws(best.mixture)
        if flaws > before:
            return best
        if flaws < before and not self.judge.has_few_rows(self.k):  # of few rows every optimum is suspect
            return run
        return run if run.objective > best.objective + EQUAL else best

    def _report(self, run: Run, start: int) -> StartReport:
        given = self.ways.given
        source = self.ways.init_params if given.empty and not given.complete else "given"
        if self.race is not None and start == 0:
            source = "kmeans"
        return StartReport(source, len(run.history) - 1, run.objective, str(run.status.value))

    def _first(self, position: Position) -> tuple[Run | None, tuple[StartReport, ...]]:
        """Where the run at a position begins, and what became of others that might have been it."""
        ways = self.ways
        reports: tuple[StartReport, ...] = ()
        if position.here is None and self.race is not None and position.start > 0:
            found, reports = self.race(ways.rng, position.best, self._teller(position))
            if found is None:
                return None, reports
            mixture = found
        elif position.here is None:
            nearest = self.terms.fixed_means is not None  # which clusters of a start know nothing of
            options = self.k, self.m_step, ways.init_params, ways.rng, ways.given, nearest
            if self.concentrated is not None and not ways.given.complete:
                mixture = self.concentrated.find_mixture(*options, self._spikes)
            else:
                mixture = first_mixture(self.engine, *options, position.start)
        else:
            here = position.here.mixture
            clean = self.engine if self.concentrated is None else self.concentrated.clean
            mixture = reseeded(clean, here, self._spikes(here), ways.rng)
        return Run(self.terms.start(mixture), FitStatus.NOT_RUN, ()), reports

    def _spikes(self, mixture: Mixture) -> tuple[int, ...]:
        return self.judge.find_spikes(mixture)

    def _with_collapsed(self, run: Run | None) -> Run | None:
        """A run with the components that collapsed, of which a checkpoint says nothing."""
        if run is None:
            return None
        spikes = self._spikes(run.mixture)
        if spikes or run.status != FitStatus.DEGENERATE:
            return replace(run, collapsed=spikes)
        once_more = replace(run, status=FitStatus.NOT_RUN)  # to collapse again
        return em(self.engine, once_more, self.m_step, rule=ENDLESS, max_iter=len(run.history))

    def _can_reseed(self, run: Run) -> bool:
        """Whether there are rows enough for every component, and a component left to split."""
        if self.terms.constraints.fixed:
            return False  # a component that may not move
        k, d = run.mixture.means.shape
        enough = self.engine.n_rows >= k * rows_needed(self.engine.structure, d)
        return bool(enough) and 0 < len(self._spikes(run.mixture)) < k

    def _teller(self, position: Position) -> Callable[[Run], bool] | None:
        """Tells of a race's likelihood, before the first iteration of the run that it is for."""
        if self.on_iteration is None:
            return None
        tell, start = self.on_iteration, position.start + 1

        def told(run: Run) -> bool:
            return bool(tell(Progress(start, self.n_starts, 0, self.max_iter, run.history[-1])))

        return told

    def _reporter(self, position: Position) -> Callable[[Run], bool] | None:
        if self.on_iteration is None and self.save is None:
            return None

        def report(run: Run) -> bool:
            iteration, value = len(run.history) - 1, run.history[-1]
            told = Progress(position.start + 1, self.n_starts, iteration, self.max_iter, value)
            stop = bool(self.on_iteration(told)) if self.on_iteration is not None else False
            if self.save is not None:
                self.save(replace(position, running=run), stop)
            return stop

        return report


def better(best: Run | None, run: Run) -> Run:
    """The better of two, the first of equals."""
    return run if best is None or _rank(run) > _rank(best) else best


def _rank(run: Run) -> tuple[bool, float]:
    """The likelihood of a collapsing component has no bound, so it says nothing for its run."""
    return run.status != FitStatus.DEGENERATE, run.objective


def _collapse(error: NotPositiveDefiniteError) -> str:
    return f"{naming(error.components)} collapsed"
