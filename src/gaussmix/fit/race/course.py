"""A race that is being run: who begins, who goes on, and what moves make of the best."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.random import RandomState

from gaussmix._typing import IntArray
from gaussmix.engines import Engine
from gaussmix.fit.iterate.em import Run, em
from gaussmix.fit.iterate.stack import begin_together, em_together
from gaussmix.fit.race import labelled as by
from gaussmix.fit.race.budget import Budget
from gaussmix.fit.race.moves import MERGES, SPLITS, reseeded, split_and_merge
from gaussmix.fit.result import FitStatus, StartReport
from gaussmix.model.mixture import Mixture

if TYPE_CHECKING:
    from gaussmix.fit.race.race import Race

#: The racer that EM from k-means has led to.
KNOWN = "EM from k-means"
#: Kinds of starts: a name, how the rows are labelled, and how many begin.
Kinds = tuple[tuple[str, by.Labelling, int], ...]
#: Iterations of rounds, and how many stay after each.
Rounds = tuple[tuple[int, int], ...]

#: Who begins beside k-means.
FIRST: Kinds = (
    ("pca", by.by_axes, 1),
    ("kmeans", by.by_means, 2),
    ("k-means++", by.by_seeds, 2),
    ("random_from_data", by.by_rows, 1),
)
#: Features beyond which the first of these, which needs a matrix of them, does not take part.
WIDEST = 100
#: Who joins where these do not agree: many of the cheapest, since what a start leads to shows in a few
#: iterations.
MORE: Kinds = (
    ("k-means++", by.by_seeds, 32),
    ("random_from_data", by.by_rows, 8),
)
#: Who joins, too, where that is a small part of what may be spent: one part in so many.
HIERARCHY: Kinds = (("agglomerative", by.by_hierarchy, 1),)
HIERARCHY_SHARE = 6.0

#: Iterations of the first round.
FIRST_ITER = 8
#: How many stay after it.
FIRST_STAY = 3
#: The rounds of those that join.
JOIN_ROUNDS: Rounds = ((5, 10), (5, 5))
#: The rounds of all that are left then.
LAST_ROUNDS: Rounds = ((8, 3), (8, 2))
#: The rounds of what moves have made, the first ones and the last.
MOVE_ROUNDS: Rounds = ((4, 8), (4, 4))
LAST_MOVE_ROUNDS: Rounds = ((8, 2),)
#: In early rounds racers are ranked by their likelihood and so many times what the last iteration gained.
EAGER = 4.0
#: So many times what the last iteration gained is about the most that is left to gain.
LONG = 30.0

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
#: Rounds of moves that may be in vain, one after the other, where some agree.
PATIENCE_SOME = 2
#: The same where hardly any do.
PATIENCE = 6
#: Components that are seeded anew in a round of moves.
RESEEDED = 14
#: Nats a row that a move has to gain.
GAIN = 2e-5

#: Iterations that a start has to be able to afford.
SHORTEST = 12
#: Iterations of a racer that converges, at least, whatever is left to spend.
LEAST_POLISH = 30
#: The same, at most.
MOST_POLISH = 100


@dataclass(frozen=True)
class Racer:
    """A mixture on its way.

    Where it is from, its iterations, what EM has raised so far and by how much last.
    """

    source: str
    mixture: Mixture
    n_iter: int = 0
    value: float = -np.inf
    gain: float = np.inf

    @property
    def potential(self) -> float:
        """About the most that EM may raise it to."""
        return self.value + LONG * self.gain

    def after(self, run: Run) -> Racer:
        """The same at the end of a run."""
        values = run.objectives
        gain = abs(values[-1] - values[-2]) if len(values) > 1 else np.inf
        n_iter = self.n_iter + len(values) - 1
        return replace(self, mixture=run.mixture, n_iter=n_iter, value=values[-1], gain=gain)

    def report(self, outcome: str) -> StartReport:
        """What became of it."""
        return StartReport(self.source, self.n_iter, self.value, outcome)


@dataclass
class Course:
    """A race that is being run.

    Parameters
    ----------
    race : Race
        Its rules.
    rows : Engine
        Those of the race, which may be a sample of all.
    rng : RandomState
    budget : Budget
    stops : callable, optional
        Shown a run now and then; True ends the race.
    """

    race: Race
    rows: Engine
    rng: RandomState
    budget: Budget
    stops: Callable[[Run], bool] | None
    stopped: bool = False
    #: Whether the mixture that is known has a heap, so that other mixtures may have some.
    heaps: bool = False
    reports: list[StartReport] = field(default_factory=list)
    #: Likelihoods at the ends of rounds.
    ends: list[float] = field(default_factory=list)
    #: How many of each kind have begun.
    n_begun: dict[str, int] = field(default_factory=dict)

    def settle(self, known: Run | None) -> Racer | None:
        """The leader in the end; None where all have collapsed."""
        race = self.race
        wide = self.rows.rows.shape[1] > WIDEST
        racers = self.begin(FIRST[1:] if wide else FIRST)
        start = None
        if known is not None and known.status != FitStatus.DEGENERATE:
            start = Racer(KNOWN, known.mixture, 0, known.objective)
            racers.insert(0, start)
            self.heaps = race.judge.n_heaps(known.mixture) > 0
        racers = self.run(racers, FIRST_ITER)
        reached = next((racer.value for racer in racers if racer.source == KNOWN), -np.inf)
        racers = self.best(racers, FIRST_STAY)
        if not racers:
            return None
        if not (race.short or self.stopped or self.n_agreeing(racers[0]) >= AGREE):
            racers = self.go_on(racers)
        if self.rows is race.engine:
            return racers[0]
        # of equals the one that has seen all rows
        leader = racers[0] if start is None or racers[0].value > reached + SAME else start
        n_iter = 0 if known is None else len(known.history)
        return self.polish(leader, race.engine, max(FIRST_ITER, 2 * n_iter))

    def go_on(self, racers: list[Racer]) -> list[Racer]:
        """More starts, more rounds, and moves of the best."""
        race = self.race
        for _ in range(race.n_init):
            racers += self.heats(self.joining(), JOIN_ROUNDS, EAGER)
        racers = self.heats(racers, LAST_ROUNDS) or racers[:1]  # where all collapse, as they were before
        n_agreeing = self.n_agreeing(racers[0])
        leader = self.polished(racers)
        if n_agreeing >= AGREE_OF_ALL * race.n_init * race.patience:
            return [leader]
        patience = PATIENCE if n_agreeing < AGREE_SOMEWHAT else PATIENCE_SOME
        return [self.moved(leader, race.patience * patience)]

    def n_agreeing(self, leader: Racer) -> int:
        """How many have ended where the leader is."""
        return sum(end > leader.value - SAME for end in self.ends)

    def joining(self) -> list[Racer]:
        """Those that join a race that is not settled."""
        racers, cost = self.begin(MORE), by.cost_of_hierarchy(self.race.k)
        if self.budget.left > HIERARCHY_SHARE * cost:
            self.budget.left -= cost
            racers += self.begin(HIERARCHY)
        return racers

    def begin(self, kinds: Kinds) -> list[Racer]:
        """Starts of these kinds, as many as there is enough left for."""
        labels: list[IntArray] = []
        names: list[str] = []
        left = self.budget.n_affordable(SHORTEST, sum(n for *_, n in kinds))
        for name, labelling, wanted in kinds:
            n, before = min(wanted, left), self.n_begun.get(name, 0)
            if n:
                labels += labelling(self.rows, self.race.k, self.rng, n, before)
                names += [name] * n
                self.n_begun[name] = before + n
                left -= n
        if not labels:
            return []
        race = self.race
        self.budget.spend_starts(len(labels))
        begun = begin_together(self.rows, labels, race.k, race.m_step, race.engine.weight)
        racers = []
        for name, mixture in zip(names, begun, strict=True):
            if mixture is None:
                self.reports.append(StartReport(name, 0, -np.inf, "collapsed"))
            else:
                racers.append(Racer(name, mixture))
        return racers

    def heats(self, racers: list[Racer], rounds: Rounds, eager: float = 0.0) -> list[Racer]:
        """The last of a field, as far as there is enough left for its rounds."""
        for n_iter, stay in rounds:
            most = self.budget.n_affordable(n_iter, len(racers))
            if not most:
                break
            if most < len(racers):
                racers = self.best(racers, most)
            racers = self.best(self.run(racers, n_iter), stay, eager)
        return racers

    def run(self, racers: Sequence[Racer], n_iter: int) -> list[Racer]:
        """The racers so many iterations later, side by side; those that collapse are out."""
        if not racers:
            return []
        race, going = self.race, []
        mixtures = [racer.mixture for racer in racers]
        runs = em_together(self.rows, mixtures, race.m_step, max_iter=n_iter)
        self.budget.left -= self.budget.cost_of_iterations(n_iter, len(racers))
        for racer, run in zip(racers, runs, strict=True):
            if run.status == FitStatus.DEGENERATE:
                self.reports.append(racer.report("collapsed"))
            else:
                going.append(racer.after(run))
        self.ends += [racer.value for racer in going]
        if going:
            highest = max(going, key=lambda racer: racer.value)
            self.watch(Run(highest.mixture, FitStatus.NOT_RUN, (highest.value,)))
        return going

    def watch(self, run: Run) -> bool:
        """Show a run to whoever may stop it."""
        self.stopped = self.stopped or (self.stops is not None and self.stops(run))
        return self.stopped

    def best(self, racers: Sequence[Racer], stay: int, eager: float = 0.0) -> list[Racer]:
        """The best of them, each optimum once: by likelihood among the sound, then by fewest flaws."""
        going: list[Racer] = []
        flawed: list[tuple[int, Racer]] = []
        for racer in ranked(racers, eager):
            if any(abs(racer.value - other.value) < SAME for other in going):
                self.reports.append(racer.report("the same as another"))
            elif len(going) == stay:
                self.reports.append(racer.report("behind"))
            elif flaws := self.n_flaws(racer):
                flawed.append((flaws, racer))
            else:
                going.append(racer)
        flawed.sort(key=lambda pair: pair[0])
        spare = stay - len(going)
        self.reports += [racer.report("unsound") for _, racer in flawed[spare:]]
        return going + [racer for _, racer in flawed[:spare]]

    def n_flaws(self, racer: Racer) -> int:
        """What tells against a mixture whatever its likelihood.

        A heap does, unless EM from k-means has met one: measurements are rounded, and many equal ones need
        not be a component.
        """
        judge = self.race.judge
        return judge.n_doubts(racer.mixture) + (0 if self.heaps else judge.n_heaps(racer.mixture))

    def polished(self, racers: Sequence[Racer]) -> Racer:
        """The best of those that may be it, when next to nothing is left for EM to gain."""
        ended = [self.polish(racers[0], self.rows)]
        for racer in racers[1:]:
            if racer.potential > ended[0].value and self.budget.left > 0.0 and not self.stopped:
                ended.append(self.polish(racer, self.rows))
        return min(ended, key=lambda racer: (self.n_flaws(racer), -racer.value))

    def polish(self, racer: Racer, rows: Engine, most: int = MOST_POLISH) -> Racer:
        """EM until next to nothing is left to gain, or to spend."""
        race = self.race
        affordable = int(max(self.budget.left, 0.0) / self.budget.cost_of_polish(1, rows))
        run = em(
            rows,
            Run(racer.mixture, FitStatus.NOT_RUN, ()),
            race.m_step,
            rule=race.close,
            max_iter=min(max(affordable, LEAST_POLISH), most),
            accelerator=race.accelerator,
            on_iteration=self.watch,
        )
        self.budget.left -= self.budget.cost_of_polish(len(run.history), rows)
        return racer.after(run)

    def moved(self, best: Racer, patience: int) -> Racer:
        """What moves make of the best, for as long as some gain."""
        in_vain = 0
        while in_vain < patience and not self.stopped:
            moves = self.moves_of(best)
            if not moves:
                break
            found = self.tried(moves, best)
            in_vain = 0 if found else in_vain + 1
            if found:
                self.reports.append(best.report(f"lower than {found.source} from it"))
                best = found
        return best

    def moves_of(self, best: Racer) -> list[Racer]:
        """Splits and merges, and components seeded anew, as many as there is enough left for."""
        rows, k = self.rows, len(best.mixture.means)
        n_iter = sum(n for n, _ in MOVE_ROUNDS)
        most = self.budget.n_affordable(n_iter, RESEEDED + MERGES * SPLITS)
        if most < 2:
            return []
        divided = split_and_merge(rows, best.mixture, self.race.m_step)[: most - most // 2]
        moves = [Racer("split and merge", mixture) for mixture in divided]
        for _ in range(min(RESEEDED, most - len(moves))):
            mixture = reseeded(rows, best.mixture, (int(self.rng.randint(k)),), self.rng)
            moves.append(Racer("seeded anew", mixture))
        self.budget.spend_starts(len(moves))
        return moves

    def tried(self, moves: list[Racer], best: Racer) -> Racer | None:
        """The first of the moves that leads higher; None if none does."""
        n_reports, n_ends = len(self.reports), len(self.ends)
        racers = self.heats(self.heats(moves, MOVE_ROUNDS, EAGER), LAST_MOVE_ROUNDS)
        del self.reports[n_reports:], self.ends[n_ends:]
        flaws = self.n_flaws(best)
        for racer in racers:
            if abs(racer.value - best.value) < SAME or racer.potential < best.value + GAIN:
                continue  # back where it came from, or on the way to less
            ended = self.polish(racer, self.rows)
            if ended.value > best.value + GAIN and self.n_flaws(ended) <= flaws:
                return ended
        return None


def ranked(racers: Sequence[Racer], eager: float = 0.0) -> list[Racer]:
    """By likelihood, the highest first.

    Equal ones, but for rounding, stay in the order in which they began.
    """

    def score(racer: Racer) -> float:
        return racer.value + (eager * racer.gain if eager else 0.0)

    order: list[Racer] = []
    equal: list[int] = []
    for place in sorted(range(len(racers)), key=lambda place: -score(racers[place])):
        if equal and score(racers[equal[-1]]) - score(racers[place]) > EQUAL:
            order += [racers[earlier] for earlier in sorted(equal)]
            equal = []
        equal.append(place)
    return order + [racers[earlier] for earlier in sorted(equal)]
