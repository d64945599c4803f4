"""The start "auto": EM from k-means first, then a race of other starts against what came of it.

What is spent depends on what there is to find. A few starts run a few iterations side by side; where they
end at the likelihood that k-means led to, there is nothing more to look for. Where they do not, more join,
the best go on, and moves that EM cannot make follow for as long as they gain something and the budget lasts.
Of many rows a race sees a sample; EM by the caller's rules goes on from the winner over all of them.

:class:`Race` has its rules, :class:`Course` how it is run, from top to bottom. Who takes part is in
`field.py`, what it may cost in `budget.py`, the moves in `moves.py`, what is sound in `fit/judge.py`.

References
----------
C. Biernacki, G. Celeux and G. Govaert, Choosing starting values for the EM algorithm for getting the highest
likelihood in multivariate Gaussian mixture models, Comput. Stat. Data Anal. 41 (2003) 561-575.
K. Jamieson and A. Talwalkar, Non-stochastic best arm identification and hyperparameter optimization, AISTATS
2016 (successive halving).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.random import RandomState

from gaussmix._progress import Progress
from gaussmix.engines import Engine
from gaussmix.fit.iterate.acceleration import Accelerator
from gaussmix.fit.iterate.em import Run, em
from gaussmix.fit.iterate.stack import em_together
from gaussmix.fit.iterate.stopping import Rule
from gaussmix.fit.judge import Judge
from gaussmix.fit.mstep.maximise import Maximise
from gaussmix.fit.race.budget import TIMES, Budget, Effort, cost_plain_fit
from gaussmix.fit.race.field import (
    FIRST,
    HIERARCHY,
    HIERARCHY_SHARE,
    KNOWN,
    MORE,
    WIDEST,
    Field,
    Kind,
    Racer,
)
from gaussmix.fit.race.labelled import cost_hierarchy
from gaussmix.fit.race.moves import MOST_MOVES, propose_moves
from gaussmix.fit.race.rounds import (
    EAGER,
    FEW_IN_VAIN,
    FIRST_ITER,
    FIRST_STAY,
    JOIN_ROUNDS,
    LAST_MOVE_ROUNDS,
    LAST_ROUNDS,
    LEAST_POLISH,
    MANY_IN_VAIN,
    MOST_POLISH,
    MOVE_ROUNDS,
    PATIENCE,
    SHORTEST,
    Rounds,
    plan_race,
)
from gaussmix.fit.race.showing import ALL_ROWS, JOIN, LAST, Showing
from gaussmix.fit.ranking import Standing, order_by_score
from gaussmix.fit.result import FitStatus, StartReport

# The rows of a race, and when it ends.

#: Rows of a race.
ROWS = 2000
#: Rows of a race for each number of a component's mean, and a constant, where that is more.
ROWS_EACH = 5
#: Features beyond which factor analysers, whose parameters grow with d, need no more rows.
FEATURES = 100
#: Only the first round is run where `max_iter` is below.
LEAST_ITER = 20
#: Part of the caller's tolerance that may be left to gain when a racer has converged.
CLOSER = 1e-2
#: Nats a row that may be left to gain whatever the tolerance.
CLOSEST = 1e-5

# Who agrees with whom.

#: Nats a row by which likelihoods of the same optimum may differ.
SAME = 1e-4
#: Nats a row that are rounding.
EQUAL = 1e-9
#: Racers of the first round that have to agree with the leader to settle the race.
AGREE = 4
#: Racers of all rounds that have to agree with the leader for no moves to be tried.
AGREE_OF_ALL = 6
#: Racers that have to agree with the leader for few rounds of moves to be tried.
AGREE_SOMEWHAT = 3
#: Nats a row that a move has to gain.
GAIN = 2e-5


@dataclass(frozen=True, eq=False)
class Race:
    """The rules of a race."""

    judge: Judge
    accelerator: Accelerator | None
    #: The caller's: what a race cannot see beyond.
    tol: float
    #: The caller's, too: where it is less than racers take, only the first round is run.
    max_iter: int
    k: int
    effort: Effort = "auto"
    #: So many times as many may join, and so much more may be spent.
    n_init: int = 1

    def __call__(
        self, rng: RandomState, known: Run | None, watch: Callable[[Progress], bool] | None = None
    ) -> tuple[Run | None, tuple[StartReport, ...]]:
        """The run from which EM is to go on (None where all have collapsed), and a report of each racer.

        `known` is the run of EM from k-means, if it did not collapse. `watch` is shown every iteration; True
        ends the race with the best so far.
        """
        rows, n_iter = self._draw_rows(rng), 0 if known is None else len(known.history) - 1
        held = known is not None and bool(self.m_step.regularise.find_held(known.mixture))
        plain = cost_plain_fit(self.engine, self.k, n_iter)
        budget = Budget(rows, self.k, held, self.n_init * TIMES[self.effort] * plain)
        plan = plan_race(budget, self.engine, self.effort, self.n_init, n_iter, short=self.short)
        course = Course(self, rows, rng, budget, Showing(watch, budget, plan))
        leader = course.run(known)
        if leader is None:
            return None, tuple(course.reports)
        begun = Run(leader.mixture, FitStatus.NOT_RUN, (), past=leader.past)
        return begun, (*course.reports, leader.report("the best"))

    @property
    def engine(self) -> Engine:
        """All rows."""
        return self.judge.engine

    @property
    def m_step(self) -> Maximise:
        """The M-step of all racers."""
        return self.judge.m_step

    @property
    def close(self) -> Rule:
        """When a racer has converged."""
        return Rule(max(CLOSER * self.tol, CLOSEST), "aitken")

    @property
    def short(self) -> bool:
        """Whether the first round is all.

        For few iterations; for so few rows that the highest optimum is no better than another; and for
        mixtures that cannot iterate side by side.
        """
        return self.judge.has_few_rows(self.k) or self.max_iter < LEAST_ITER or not self.m_step.stackable

    def _draw_rows(self, rng: RandomState) -> Engine:
        """The rows of the race."""
        d = self.engine.rows.shape[1]
        each = d if self.engine.form.general else min(d, FEATURES)
        return self.engine.sample(max(ROWS, ROWS_EACH * self.k * (each + 1)), rng)


@dataclass
class Course:
    """A race that is being run."""

    race: Race
    #: The rows of the race, which may be a sample of all.
    rows: Engine
    rng: RandomState
    budget: Budget
    showing: Showing
    #: Whether the mixture that is known has a heap, so that other mixtures may have some.
    heaps: bool = False
    reports: list[StartReport] = field(default_factory=list)
    #: Likelihoods at the ends of rounds.
    ends: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        race = self.race
        self.field = Field(self.rows, race.engine.weight, race.k, race.m_step, self.rng)

    @property
    def stopped(self) -> bool:
        """Whether whoever watches has stopped the race."""
        return self.showing.stopped

    def run(self, known: Run | None) -> Racer | None:
        """The leader in the end; None where all have collapsed."""
        race = self.race
        racers = self.begin(FIRST[1:] if self.rows.rows.shape[1] > WIDEST else FIRST)
        start = None
        if known is not None and known.status != FitStatus.DEGENERATE:
            start = Racer(KNOWN, known.mixture, 0, known.objective, past=(known.history, known.log_priors))
            racers.insert(0, start)
            self.heaps = race.judge.count_heaps(known.mixture) > 0
        racers = self.iterate(racers, FIRST_ITER)
        reached = next((racer.value for racer in racers if racer.source == KNOWN), -np.inf)
        racers = self.choose(racers, FIRST_STAY)
        if not racers:
            return None
        if not (race.short or self.stopped or self.count_agreeing(racers[0]) >= AGREE):
            racers = [self.go_on(racers)]
        if self.rows is race.engine:
            return racers[0]
        # of equals the one that has seen all rows
        leader = racers[0] if start is None or racers[0].value > reached + SAME else start
        if self.stopped:
            return leader
        self.showing.begin_part(ALL_ROWS)
        n_iter = 0 if known is None else len(known.history)
        return self.polish(leader, race.engine, max(FIRST_ITER, 2 * n_iter))

    def go_on(self, racers: list[Racer]) -> Racer:
        """The leader after more starts, more rounds, and moves of the best."""
        race, patience = self.race, PATIENCE[self.race.effort]
        for _ in range(race.n_init):
            if not self.stopped:
                self.showing.begin_part(JOIN)
                racers += self.run_rounds(self.begin_more(), JOIN_ROUNDS, EAGER)
        self.showing.begin_part(LAST)
        racers = self.run_rounds(racers, LAST_ROUNDS) or racers[:1]  # where all collapse, as they were before
        if self.stopped:
            return self.choose(racers, 1)[0]
        n_agreeing = self.count_agreeing(racers[0])
        leader = self.polish_best(racers)
        if n_agreeing >= AGREE_OF_ALL * race.n_init * patience:
            return leader
        in_vain = MANY_IN_VAIN if n_agreeing < AGREE_SOMEWHAT else FEW_IN_VAIN
        return self.move(leader, patience * in_vain)

    def begin(self, kinds: tuple[Kind, ...]) -> list[Racer]:
        """Starts of these kinds, as many as the budget allows."""
        most = self.budget.count_affordable(SHORTEST, sum(kind.n_starts for kind in kinds))
        racers, collapsed = self.field.begin(kinds, most)
        self.budget.spend_starts(len(racers) + len(collapsed))
        self.reports += collapsed
        self.showing.n_begun += len(racers) + len(collapsed)
        return racers

    def begin_more(self) -> list[Racer]:
        """The racers that join a race that is not settled."""
        racers, cost = self.begin(MORE), cost_hierarchy(self.race.k)
        if self.budget.left > HIERARCHY_SHARE * cost:
            self.budget.left -= cost
            racers += self.begin(HIERARCHY)
        return racers

    def run_rounds(self, racers: list[Racer], rounds: Rounds, eager: float = 0.0) -> list[Racer]:
        """The racers that stay after some rounds, of which the budget may allow fewer."""
        for n_iter, stay in rounds:
            most = self.budget.count_affordable(n_iter, len(racers))
            if not most or self.stopped:
                break
            if most < len(racers):
                racers = self.choose(racers, most)
            racers = self.choose(self.iterate(racers, n_iter), stay, eager)
        return racers

    def iterate(self, racers: Sequence[Racer], n_iter: int) -> list[Racer]:
        """The racers so many iterations later, side by side; those that collapse are out."""
        if not racers:
            return []
        each = self.budget.cost_iterations(1, len(racers))
        runs = em_together(
            self.rows,
            [racer.mixture for racer in racers],
            self.race.m_step,
            max_iter=n_iter,
            watch=self.showing.follow(each),
        )
        self.budget.left -= self.budget.cost_iterations(n_iter, len(racers))
        going = []
        for racer, run in zip(racers, runs, strict=True):
            if run.status == FitStatus.DEGENERATE:
                self.reports.append(racer.report("collapsed"))
            else:
                going.append(racer.advance(run))
        self.ends += [racer.value for racer in going]
        return going

    def choose(self, racers: Sequence[Racer], stay: int, eager: float = 0.0) -> list[Racer]:
        """The best of them, each optimum once: by likelihood among the sound, then by fewest flaws."""
        scores = [racer.value + (eager * racer.gain if eager else 0.0) for racer in racers]
        going: list[Racer] = []
        flawed: list[tuple[int, Racer]] = []
        for racer in [racers[place] for place in order_by_score(scores, EQUAL)]:
            if any(abs(racer.value - other.value) < SAME for other in going):
                self.reports.append(racer.report("the same as another"))
            elif len(going) == stay:
                self.reports.append(racer.report("behind"))
            elif flaws := self.count_flaws(racer):
                flawed.append((flaws, racer))
            else:
                going.append(racer)
        flawed.sort(key=lambda pair: pair[0])
        spare = stay - len(going)
        self.reports += [racer.report("unsound") for _, racer in flawed[spare:]]
        return going + [racer for _, racer in flawed[:spare]]

    def count_flaws(self, racer: Racer) -> int:
        """Flaws and doubts of a mixture, whatever its likelihood.

        A heap does, unless EM from k-means has met one: measurements are rounded, and many equal ones need
        not be a component.
        """
        judge = self.race.judge
        return judge.count_doubts(racer.mixture) + (0 if self.heaps else judge.count_heaps(racer.mixture))

    def count_agreeing(self, leader: Racer) -> int:
        """The number of racers that have ended where the leader is."""
        return sum(end > leader.value - SAME for end in self.ends)

    def polish_best(self, racers: Sequence[Racer]) -> Racer:
        """The best of those that may be it, when next to nothing is left for EM to gain."""
        ended = [self.polish(racers[0], self.rows)]
        for racer in racers[1:]:
            if racer.potential > ended[0].value and self.budget.left > 0.0 and not self.stopped:
                ended.append(self.polish(racer, self.rows))
        return max(ended, key=lambda racer: Standing(-self.count_flaws(racer), racer.value))

    def polish(self, racer: Racer, rows: Engine, most: int = MOST_POLISH) -> Racer:
        """EM until next to nothing is left to gain, or to spend."""
        race = self.race
        each = self.budget.cost_polish(1, rows)
        affordable = int(max(self.budget.left, 0.0) / each)
        run = em(
            rows,
            Run(racer.mixture, FitStatus.NOT_RUN, ()),
            race.m_step,
            rule=race.close,
            max_iter=min(max(affordable, LEAST_POLISH), most),
            accelerator=race.accelerator,
            on_iteration=self.showing.follow_run(each),
        )
        self.budget.left -= self.budget.cost_polish(len(run.history), rows)
        return racer.advance(run)

    def move(self, best: Racer, patience: int) -> Racer:
        """The best after rounds of moves, for as long as some gain."""
        in_vain = 0
        while in_vain < patience and not self.stopped:
            self.showing.begin_round(patience - in_vain)
            moves = self.begin_moves(best)
            if not moves:
                break
            found = self.try_moves(moves, best)
            in_vain = 0 if found else in_vain + 1
            if found:
                self.reports.append(best.report(f"lower than {found.source} from it"))
                best = found
        return best

    def begin_moves(self, best: Racer) -> list[Racer]:
        """Racers that moves make of the best, as many as the budget allows."""
        most = self.budget.count_affordable(sum(n_iter for n_iter, _ in MOVE_ROUNDS), MOST_MOVES)
        moves = propose_moves(self.rows, best.mixture, self.race.m_step, self.rng, most)
        self.budget.spend_starts(len(moves))
        return [Racer(source, mixture) for source, mixture in moves]

    def try_moves(self, moves: list[Racer], best: Racer) -> Racer | None:
        """The first of the moves that leads higher; None if none does."""
        n_reports, n_ends = len(self.reports), len(self.ends)
        racers = self.run_rounds(self.run_rounds(moves, MOVE_ROUNDS, EAGER), LAST_MOVE_ROUNDS)
        del self.reports[n_reports:], self.ends[n_ends:]
        flaws = self.count_flaws(best)
        for racer in racers:
            if self.stopped:
                break
            if abs(racer.value - best.value) < SAME or racer.potential < best.value + GAIN:
                continue  # back where it came from, or on the way to less
            ended = self.polish(racer, self.rows)
            if ended.value > best.value + GAIN and self.count_flaws(ended) <= flaws:
                return ended
        return None
