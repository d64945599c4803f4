"""Where the runs of a fit begin: each start is a beginning. They are chosen once, when the search is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

from numpy.random import RandomState

from gaussmix._progress import Progress
from gaussmix.fit.given import Given
from gaussmix.fit.iterate.acceleration import Accelerator
from gaussmix.fit.iterate.em import Run
from gaussmix.fit.judge import Judge
from gaussmix.fit.race.budget import Effort
from gaussmix.fit.race.race import Race
from gaussmix.fit.race.rounds import FIRST_ITER
from gaussmix.fit.result import FitStatus, StartReport
from gaussmix.fit.starts.concentrated import Concentrated
from gaussmix.fit.starts.first import make_first_mixture, place_given
from gaussmix.fit.starts.table import EFFORTS, SCIKIT_LEARN

#: A run to begin, none where all have collapsed; and what became of others that might have been it.
Begun = tuple[Run | None, tuple[StartReport, ...]]
#: Shown how far the way to a beginning is; True ends it with the best so far.
Watch = Callable[[Progress], bool] | None


class Beginning(Protocol):
    """Where a run of EM begins."""

    @property
    def source(self) -> str:
        """Its name in reports."""

    @property
    def rng(self) -> RandomState:
        """The generator of its draws, and of those by which collapsed components are seeded anew."""

    @property
    def raced(self) -> bool:
        """Whether it has won a race against the best run so far."""

    def begin(self, best: Run | None, watch: Watch) -> Begun:
        """The run of EM to begin, once the best run before is known.

        Raises NotPositiveDefiniteError where it collapses at once.
        """


@dataclass(frozen=True, eq=False)
class GivenStart:
    """The caller gives all parameters, or which component each row belongs to."""

    judge: Judge
    k: int
    given: Given
    rng: RandomState
    source = "given"
    raced = False

    def begin(self, best: Run | None, watch: Watch) -> Begun:
        mixture = place_given(self.judge.engine, self.k, self.judge.m_step, self.given)
        return Run(mixture, FitStatus.NOT_RUN, ()), ()


@dataclass(frozen=True, eq=False)
class NamedStart:
    """A start by name, for what the caller does not give; where rows may be outliers, the best of several."""

    judge: Judge
    k: int
    given: Given
    rng: RandomState
    #: The name of the start in the table.
    name: str
    source: str
    #: Which start of the fit it is: the same rows need not be begun in the same way twice.
    turn: int = 0
    #: The start among outliers, where there may be some.
    concentrated: Concentrated | None = None
    raced = False

    def begin(self, best: Run | None, watch: Watch) -> Begun:
        engine, m_step = self.judge.engine, self.judge.m_step
        if self.concentrated is not None:
            mixture = self.concentrated.find_mixture(self.judge, self.k, self.name, self.rng, self.given)
        else:
            mixture = make_first_mixture(engine, self.k, m_step, self.name, self.rng, self.given, self.turn)
        return Run(mixture, FitStatus.NOT_RUN, ()), ()


@dataclass(frozen=True, eq=False)
class RaceWinner:
    """The winner of a race of starts against the best run so far."""

    race: Race
    rng: RandomState
    raced = True

    @property
    def source(self) -> str:
        return self.race.effort

    def begin(self, best: Run | None, watch: Watch) -> Begun:
        return self.race(self.rng, best, watch)


def choose_beginnings(
    judge: Judge,
    k: int,
    accelerator: Accelerator | None,
    init_params: str,
    given: Given,
    rng: RandomState,
    *,
    concentrated: Concentrated | None,
    n_init: int,
    tol: float,
    max_iter: int,
) -> tuple[Beginning, ...]:
    """The starts of a fit, in order.

    A race is two: EM from k-means, and what wins the race against that.
    """
    if given.complete:
        return (GivenStart(judge, k, given, rng),)
    if concentrated is None and has_race(judge, k, init_params, given, max_iter):
        race = Race(judge, accelerator, tol, max_iter, k, cast(Effort, init_params), n_init)
        return NamedStart(judge, k, given, rng, "kmeans", "kmeans"), RaceWinner(race, rng)
    name = "kmeans" if init_params in EFFORTS else init_params
    source = init_params if given.empty else "given"
    return tuple(NamedStart(judge, k, given, rng, name, source, turn, concentrated) for turn in range(n_init))


def has_race(judge: Judge, k: int, init_params: str, given: Given, max_iter: int) -> bool:
    """Whether a start stands for a race, and there is something to find.

    Starts of which something is given begin there.
    """
    engine = judge.engine
    n, d = engine.rows.shape
    if init_params not in EFFORTS or k == 1 or max_iter < FIRST_ITER:
        return False
    if not given.empty or judge.m_step.terms.constraints.fixed:
        return False
    return n > d or not engine.form.general  # else every covariance is singular


def orders_components(init_params: str, given: Given) -> bool:
    """Whether the result has its components in an order of their own.

    It has not where the caller gives the start, or names it as scikit-learn does.
    """
    return given.empty and not given.complete and init_params not in SCIKIT_LEARN
