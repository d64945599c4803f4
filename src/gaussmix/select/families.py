"""All mixtures of one family to the same rows: those of any number of components iterate side by side."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from gaussmix._threads import hold_blas_to_one_thread
from gaussmix.data.rows import Rows
from gaussmix.engines import choose_engine
from gaussmix.fit.arguments import make_generator
from gaussmix.fit.beginnings import NamedStart, orders_components
from gaussmix.fit.ending import make_result
from gaussmix.fit.given import Given
from gaussmix.fit.iterate.em import Run
from gaussmix.fit.iterate.stack import WatchTogether, em_together
from gaussmix.fit.iterate.stopping import Rule
from gaussmix.fit.judge import Judge
from gaussmix.fit.mstep.maximise import Maximise
from gaussmix.fit.mstep.regularise import make_regularise
from gaussmix.fit.multistart import Position, Search
from gaussmix.fit.options import IterationOptions, ModelOptions, StartOptions
from gaussmix.fit.ranking import choose_run
from gaussmix.fit.result import FitResult, FitStatus
from gaussmix.model.covariance import Structure
from gaussmix.select.criteria import measure_doubt

T = TypeVar("T")

#: A model: its covariance type and number of components.
Key = tuple[str, int]
#: Why a model was not fitted that a search did not come to.
INTERRUPTED = "the search was interrupted before"


@dataclass(frozen=True)
class Outcomes:
    """What became of models."""

    fits: Mapping[Key, FitResult] = field(default_factory=dict)
    #: Why those failed of which every start collapsed.
    failures: Mapping[Key, str] = field(default_factory=dict)
    #: Why others were not fitted.
    skipped: Mapping[Key, str] = field(default_factory=dict)
    #: Seconds that each took; models that were fitted together have a share each.
    seconds: Mapping[Key, float] = field(default_factory=dict)

    @property
    def known(self) -> set[Key]:
        """The models of which something has become."""
        return {*self.fits, *self.failures, *self.skipped}

    @property
    def interrupted(self) -> bool:
        """Whether whoever watched has stopped the fits."""
        reasons = [*self.failures.values(), *self.skipped.values()]
        return INTERRUPTED in reasons or any(
            fit.status == FitStatus.INTERRUPTED for fit in self.fits.values()
        )

    def sort(self, keys: Sequence[Key]) -> Outcomes:
        """The same in the order of these keys."""

        def put(found: Mapping[Key, T]) -> dict[Key, T]:
            return {key: found[key] for key in keys if key in found}

        return Outcomes(put(self.fits), put(self.failures), put(self.skipped), put(self.seconds))

    def __or__(self, other: Outcomes) -> Outcomes:
        return Outcomes(
            {**self.fits, **other.fits},
            {**self.failures, **other.failures},
            {**self.skipped, **other.skipped},
            {**self.seconds, **other.seconds},
        )


@dataclass(frozen=True, eq=False)
class Settings:
    """How every model of a grid is fitted."""

    model: ModelOptions
    start: StartOptions
    iteration: IterationOptions
    #: The seed of each start's own generator: a start is the same whatever else is fitted.
    seed: int
    feature_names: Sequence[str] | None


def fit_family(
    rows: Rows,
    structure: Structure,
    name: str,
    numbers: Sequence[int],
    settings: Settings,
    watch: WatchTogether | None = None,
) -> Outcomes:
    """The fits of a family with these numbers of components, from named starts, all together.

    `watch` is called once an iteration; True stops them all where they are.
    """
    begin = time.perf_counter()
    engine = choose_engine(rows)(rows, structure)
    judge = Judge(engine, Maximise(structure, make_regularise(settings.model.reg_covar, structure, engine)))
    ends = run_together(judge, numbers, settings, watch)
    return report_ends(judge, name, ends, settings, time.perf_counter() - begin)


def report_ends(
    judge: Judge,
    name: str,
    ends: Mapping[int, Position],
    settings: Settings,
    seconds: float,
    *,
    doubts: bool = True,
) -> Outcomes:
    """What there is to report of the searches of a family, by the name that it was asked for.

    Whether the rows are looked at once more for the doubt of their labels is for the caller to say.
    """
    fits, failures = {}, {}
    ordered = orders_components(settings.start.init_params, Given())
    for k, end in ends.items():
        if end.best is None:
            failures[name, k] = "; ".join(end.failures) or INTERRUPTED
            continue
        result = make_result(
            end.best, judge, settings.feature_names, ordered=ordered, n_reseeds=end.n_reseeds
        )
        if doubts:
            responsibilities = judge.engine.evaluate(end.best.mixture, "responsibilities")
            result = replace(result, doubt=measure_doubt(responsibilities, judge.engine.rows.weights))
        fits[name, k] = replace(result, failed_starts=end.failures, starts=end.reports)
    effort = {k: k * (1 + sum(report.n_iter for report in end.reports)) for k, end in ends.items()}
    share = seconds / sum(effort.values())
    return Outcomes(fits, failures, seconds={(name, k): each * share for k, each in effort.items()})


def run_together(
    judge: Judge, numbers: Sequence[int], settings: Settings, watch: WatchTogether | None = None
) -> dict[int, Position]:
    """For each number of components, the end of its search, made with the others."""
    start, iteration = settings.start, settings.iteration
    name, turns = start.init_params, range(start.n_init)
    rule, max_iter = Rule(float(iteration.tol), iteration.stopping), iteration.max_iter
    searches = {}
    for k in numbers:
        rngs = [make_generator(settings.seed + turn) for turn in turns]
        starts = [NamedStart(judge, k, Given(), rng, name, name, turn) for turn, rng in enumerate(rngs)]
        searches[k] = Search(judge, starts, rule, None, max_iter)
    positions = {(k, turn): Position(start=turn) for k in numbers for turn in turns}
    with hold_blas_to_one_thread():
        while going := [(k, turn) for k, turn in positions if positions[k, turn].start == turn]:
            begun: dict[tuple[int, int], Run] = {}
            for k, turn in going:
                positions[k, turn], run = searches[k].begin(positions[k, turn])
                if run is not None:
                    begun[k, turn] = run
            mixtures = [run.mixture for run in begun.values()]
            runs = em_together(
                judge.engine, mixtures, judge.m_step, rule=rule, max_iter=max_iter, watch=watch
            )
            for (k, turn), run in zip(begun, runs, strict=True):
                positions[k, turn] = searches[k].conclude(positions[k, turn], run)
            if any(position.interrupted for position in positions.values()):
                break
    return {k: join_positions([positions[k, turn] for turn in turns]) for k in numbers}


def join_positions(ends: Sequence[Position]) -> Position:
    """The end of a search of which each start came to its end by itself."""
    best: Run | None = None
    for end in ends:
        best = best if end.best is None else choose_run(best, end.best)
    return Position(
        start=len(ends),
        best=best,
        failures=tuple(failure for end in ends for failure in end.failures),
        reports=tuple(report for end in ends for report in end.reports),
        n_reseeds=sum(end.n_reseeds for end in ends),
    )
