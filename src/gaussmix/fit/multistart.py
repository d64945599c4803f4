"""EM from several starts, and the best of what comes of them."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gaussmix._progress import OnProgress, Progress
from gaussmix.fit.beginnings import Beginning
from gaussmix.fit.component_names import name_components
from gaussmix.fit.iterate.acceleration import Accelerator
from gaussmix.fit.iterate.em import Run, em
from gaussmix.fit.iterate.stopping import ENDLESS, Rule
from gaussmix.fit.judge import Judge
from gaussmix.fit.mstep.regularise import count_rows_needed
from gaussmix.fit.race.moves import reseed
from gaussmix.fit.race.showing import RACE
from gaussmix.fit.ranking import choose_raced, choose_run
from gaussmix.fit.result import FitStatus, StartReport
from gaussmix.fit.starts.concentrated import Concentrated
from gaussmix.fit.starts.table import EFFORTS
from gaussmix.model.covariance import NotPositiveDefiniteError

logger = logging.getLogger("gaussmix")

#: How often one start may seed collapsed components anew.
MAX_RESEEDS = 3
#: What starts are called in messages, where that is not the name of their option.
SPOKEN = {
    "kmeans": "k-means",
    "random": "random responsibilities",
    "random_from_data": "random rows",
    "agglomerative": "a hierarchy",
    "pca": "principal axes",
    "given": "what is given",
    "sample": "a sample",
    **dict.fromkeys(EFFORTS, "k-means"),
}


def show_runs(
    on_progress: OnProgress | None, stage: str, start: int, n_starts: int, max_iter: int
) -> Callable[[Run], bool] | None:
    """The function that shows the caller each iteration of the runs of a start."""
    if on_progress is None:
        return None

    def show(run: Run) -> bool:
        iteration = len(run.history) - 1
        progress = Progress(
            stage,
            "iteration",
            iteration,
            max_iter,
            run.history[-1],
            share=iteration / max_iter,
            bounded=True,
            start=start + 1,
            n_starts=n_starts,
        )
        return bool(on_progress(progress))

    return show


@dataclass(frozen=True)
class Position:
    """The place of a search over starts: all that it takes, with the rows, to go on from there."""

    #: Starts done with.
    start: int = 0
    #: Re-seedings of the current start.
    attempt: int = 0
    #: The run of EM in progress; None between runs.
    running: Run | None = None
    #: The best finished run of the current start.
    here: Run | None = None
    #: The best finished run of all starts before it.
    best: Run | None = None
    #: For each start that collapsed, which component did.
    failures: tuple[str, ...] = ()
    #: Reports of all starts done with, and of all racers.
    reports: tuple[StartReport, ...] = ()
    #: Re-seedings in all.
    n_reseeds: int = 0
    interrupted: bool = False


@dataclass(frozen=True)
class Search:
    """EM from several starts, with collapsed components seeded anew, and the best of what comes of it."""

    judge: Judge
    #: The starts, in order.
    beginnings: Sequence[Beginning]
    rule: Rule
    accelerator: Accelerator | None
    max_iter: int
    #: The objective that the first iteration's is compared with.
    previous: float = -math.inf
    on_progress: OnProgress | None = None
    #: Shown each position that can be gone on from, and whether it is the last.
    save: Callable[[Position, bool], None] | None = None
    #: Where there may be outliers, components are seeded anew from rows that look like none.
    concentrated: Concentrated | None = None

    def __call__(self, position: Position) -> Position:
        """Go on from a position to the end. One start that collapses does not end the others."""
        here, best = self._restore_collapsed(position.here), self._restore_collapsed(position.best)
        position = replace(position, here=here, best=best)
        while position.start < self.n_starts and not position.interrupted:
            position, begun = self.begin(position)
            if begun is None:
                continue
            run = em(
                self.judge.engine,
                begun,
                self.judge.m_step,
                rule=self.rule,
                accelerator=self.accelerator,
                max_iter=self.max_iter,
                previous=self.previous,
                on_iteration=self._make_reporter(position),
            )
            position = self.conclude(position, run)
        return position

    @property
    def n_starts(self) -> int:
        """Runs of EM, but for those from new seedings."""
        return len(self.beginnings)

    def begin(self, position: Position) -> tuple[Position, Run | None]:
        """The run to begin next; None where a start collapses at once, and another is next."""
        if position.running is not None:
            return position, position.running
        beginning, reports = self.beginnings[position.start], position.reports
        try:
            if position.here is None:
                begun, more, stopped = self._begin_start(position)
                if stopped and position.best is not None and (self.save is not None or begun is None):
                    return self._interrupt(position), None
                reports = (*reports, *more)
            else:
                here = position.here.mixture
                clean = self.judge.engine if self.concentrated is None else self.concentrated.clean
                mixture = reseed(clean, here, self.judge.find_spikes(here), beginning.rng)
                begun = Run(mixture, FitStatus.NOT_RUN, ())
            if begun is not None:
                begun = replace(begun, mixture=self.judge.m_step.terms.constrain(begun.mixture))
        except NotPositiveDefiniteError as error:
            collapse = f"{name_components(error.components)} collapsed before the first iteration"
            return self._end_start(position, collapse), None
        position = replace(position, reports=reports)
        if begun is None:
            return self._end_start(position, ""), None
        return position, begun

    def conclude(self, position: Position, run: Run) -> Position:
        """The position once a run has come to its end."""
        spikes = self.judge.find_spikes(run.mixture)
        run = replace(run, collapsed=spikes or run.collapsed)
        if run.status == FitStatus.INTERRUPTED:
            position = replace(position, reports=(*position.reports, self._report(run, position.start)))
            best = self._choose(position, choose_run(position.here, run))
            return replace(position, best=replace(best, status=run.status), interrupted=True)
        if spikes:
            run = replace(run, status=FitStatus.DEGENERATE)
        logger.info(
            "start %d of %d%s: %s after %d iterations, mean log-likelihood %.6f",
            *(position.start + 1, self.n_starts, ", seeded anew" if position.attempt else ""),
            *(run.status, len(run.history) - 1, run.history[-1]),
        )
        here = choose_run(position.here, run)
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
            failure = f"{name_components(here.collapsed)} collapsed"
        return self._end_start(replace(position, best=self._choose(position, here)), failure)

    def _begin_start(self, position: Position) -> tuple[Run | None, tuple[StartReport, ...], bool]:
        """The run that a start begins, reports of others, and whether the caller has stopped it on the way.

        Where a checkpoint is kept, a race that is stopped leaves no trace: it is run again on going on.
        """
        beginning = self.beginnings[position.start]
        stopped = self._tell(position, Progress(self._name(position, begun=False), "start"))
        if stopped and position.best is not None:
            return None, (), True
        if self.on_progress is None:
            return *beginning.begin(position.best, None), False
        stopped = False

        def watch(progress: Progress) -> bool:
            nonlocal stopped
            stopped = self._tell(position, progress) or stopped
            return stopped

        state = None if self.save is None else beginning.rng.get_state()
        begun, reports = beginning.begin(position.best, watch)
        if stopped and state is not None:
            beginning.rng.set_state(state)
        return begun, reports, stopped

    def _tell(self, position: Position, progress: Progress) -> bool:
        """Show the caller what is done on the way to a run; whether it is to stop."""
        if self.on_progress is None:
            return False
        start, n_starts = position.start + 1, self.n_starts
        if (progress.start, progress.n_starts) != (start, n_starts):
            progress = replace(progress, start=start, n_starts=n_starts)
        if math.isnan(progress.mean_log_likelihood) and position.best is not None:
            progress = replace(progress, mean_log_likelihood=position.best.history[-1])
        return bool(self.on_progress(progress))

    def _interrupt(self, position: Position) -> Position:
        """The end of a search that is stopped between two runs."""
        if self.save is not None:
            self.save(position, True)
        assert position.best is not None
        return replace(position, best=replace(position.best, status=FitStatus.INTERRUPTED), interrupted=True)

    def _name(self, position: Position, *, begun: bool = True) -> str:
        """What a start is called, on the way to its run or once that has begun."""
        beginning = self.beginnings[position.start]
        if beginning.raced:
            return "EM from the winner" if begun else RACE
        name = SPOKEN.get(beginning.source, beginning.source)
        alike = self.n_starts > 1 and not self.beginnings[-1].raced
        turn = f"start {position.start + 1} of {self.n_starts}, " if alike else ""
        return f"{turn}{'EM' if begun else 'start'} from {name}"

    def _end_start(self, position: Position, failure: str) -> Position:
        failures = position.failures
        if failure:
            failures = (*failures, f"start {position.start + 1}: {failure}")
            logger.info("%s", failures[-1])
        return replace(
            position, start=position.start + 1, attempt=0, running=None, here=None, failures=failures
        )

    def _choose(self, position: Position, run: Run) -> Run:
        """The better of a run of the start at a position and of the best before."""
        if self.beginnings[position.start].raced:
            return choose_raced(position.best, run, self.judge)
        return choose_run(position.best, run)

    def _report(self, run: Run, start: int) -> StartReport:
        source = self.beginnings[start].source
        return StartReport(source, len(run.history) - 1, run.objective, str(run.status.value))

    def _restore_collapsed(self, run: Run | None) -> Run | None:
        """A run with the components that collapsed, of which a checkpoint says nothing."""
        if run is None:
            return None
        spikes = self.judge.find_spikes(run.mixture)
        if spikes or run.status != FitStatus.DEGENERATE:
            return replace(run, collapsed=spikes)
        once_more = replace(run, status=FitStatus.NOT_RUN)  # to collapse again
        return em(self.judge.engine, once_more, self.judge.m_step, rule=ENDLESS, max_iter=len(run.history))

    def _can_reseed(self, run: Run) -> bool:
        """Whether there are rows enough for every component, and a component left to split."""
        if self.judge.m_step.terms.constraints.fixed:
            return False  # a component that may not move
        (k, d), engine = run.mixture.means.shape, self.judge.engine
        enough = engine.n_rows >= k * count_rows_needed(engine.structure, d)
        return bool(enough) and 0 < len(self.judge.find_spikes(run.mixture)) < k

    def _make_reporter(self, position: Position) -> Callable[[Run], bool] | None:
        show = show_runs(self.on_progress, self._name(position), position.start, self.n_starts, self.max_iter)
        if (save := self.save) is None:
            return show

        def report(run: Run) -> bool:
            stop = show is not None and show(run)
            save(replace(position, running=run), stop)
            return stop

        return report
