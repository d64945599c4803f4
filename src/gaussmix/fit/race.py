"""The start "auto": EM from k-means first, then a race of other starts against what came of it.

What is spent depends on what there is to find. A few starts run a few iterations side by side; where they end at
the likelihood that k-means led to, there is nothing more to look for. Where they do not, more join, the best go on,
and moves that EM cannot make follow for as long as they gain something and the budget lasts (`fit/budget.py`). Of
many rows a race sees a sample; EM by the caller's rules goes on from the winner over all of them.

References
----------
C. Biernacki, G. Celeux and G. Govaert, Choosing starting values for the EM algorithm for getting the highest
likelihood in multivariate Gaussian mixture models, Comput. Stat. Data Anal. 41 (2003) 561-575.
K. Jamieson and A. Talwalkar, Non-stochastic best arm identification and hyperparameter optimization, AISTATS
2016 (successive halving).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.random import RandomState

from gaussmix._typing import IntArray
from gaussmix.engines.local import LocalEngine
from gaussmix.fit.accelerate import Accelerator
from gaussmix.fit.budget import Budget, Effort, has_matrices
from gaussmix.fit.em import Rule, Run, em
from gaussmix.fit.judge import Judge
from gaussmix.fit.moves import reseeded, split_and_merge
from gaussmix.fit.mstep import Maximise
from gaussmix.fit.result import FitStatus, StartReport
from gaussmix.fit.stack import begin_together, em_together
from gaussmix.fit.starts import Given
from gaussmix.fit.starts import labelled as by
from gaussmix.fit.starts.table import EFFORTS
from gaussmix.model.mixture import Mixture

_C = dict(kv.split("=") for kv in os.environ.get("RACE", "").split(",") if kv)


def _c(name, default):
    return type(default)(_C.get(name, default))


#: The racer that EM from k-means has led to.
KNOWN = "EM from k-means"
#: A kind of start, how it is labelled, and how many begin.
Kinds = tuple[tuple[str, by.Labelling, int], ...]

#: Who begins beside k-means, and who joins where these do not agree.
FIRST: Kinds = (
    ("pca", by.by_axes, 1),
    ("kmeans", by.by_means, _c("KM1", 2)),
    ("k-means++", by.by_seeds, _c("K1", 2)),
    ("random_from_data", by.by_rows, _c("R1", 1)),
)
MORE: Kinds = (
    ("k-means++", by.by_seeds, _c("K2", 24)),
    ("kmeans", by.by_means, _c("M2K", 2)),
    ("random_from_data", by.by_rows, _c("R2", 6)),
    ("pca", by.by_axes, _c("P2", 2)),
)
HIERARCHY: Kinds = (("agglomerative", by.by_hierarchy, 1),)
HIERARCHY_SHARE = _c("HS", 6.0)
#: Iterations of the first round, and how many stay.
FIRST_ROUND, FIRST_STAY = _c("I1", 8), _c("S1", 3)
#: The rounds of those that join, and of all that are left then: iterations, and how many stay.
JOIN_ROUNDS = ((_c("J1", 5), _c("JS1", 10)), (_c("J2", 5), _c("JS2", 5)))
LAST_ROUNDS = ((_c("L1", 8), _c("LS1", 3)), (_c("L2", 8), _c("LS2", 2)))
#: The rounds of mixtures that moves have made.
MOVE_ROUNDS = ((_c("M1", 4), _c("MS1", 8)), (_c("M2", 4), _c("MS2", 4)), (_c("M3", 8), _c("MS3", 2)))
#: Until the last round racers are ranked by their likelihood and so many times what the last iteration gained.
EAGER = _c("EAGER", 4.0)
#: Rows of a race, and rows for each number of a mean and a constant.
ROWS, ROWS_EACH = _c("ROWS",2000), 5
#: Iterations under which the first round is all.
LEAST_ITER = 20
#: A start has to afford so many iterations.
SHORTEST = 12
#: Rows for each number of a component's mean, and a constant, under which every optimum is suspect.
ROWS_NEEDED = 2
#: Likelihoods nearer than this, in nats a row, are of the same optimum; nearer than this, equal but for rounding.
SAME, EQUAL = 1e-4, 1e-9
#: Of the first round, and of both, how many have to agree with the leader to settle it.
AGREE, AGREE_OF_ALL = _c("AG1", 4), _c("AG2", 6)
#: How many rounds of moves may be in vain, one after the other: where a few agree, and where hardly any do.
FEW, PATIENCE = _c("FEW", 3), (_c("PAT1", 1), _c("PAT2", 4))
#: Components seeded anew in a round of moves, and the least that a move has to gain.
RESEEDED, GAIN = _c("RE", 12), 2e-5
#: So many times what the last iteration gained is about the most that is left to gain.
LONG = _c("LONG", 30.0)
#: The best have converged when so much of the caller's tolerance is left to gain, or so much.
CLOSER, CLOSEST, MAX_POLISH = 1e-2, 1e-5, 100
#: Iterations that have to be affordable for that.
LEAST_POLISH = 8


@dataclass(frozen=True)
class Racer:
    """A mixture on its way: where it is from, its iterations, what EM has raised so far and by how much last."""

    source: str
    mixture: Mixture
    n_iter: int = 0
    value: float = -np.inf
    gain: float = np.inf

    @property
    def potential(self) -> float:
        """About the most that EM may still raise."""
        return self.value + LONG * self.gain

    def after(self, run: Run) -> Racer:
        """The same so many iterations later."""
        values = run.objectives
        gain = abs(values[-1] - values[-2]) if len(values) > 1 else np.inf
        n_iter = self.n_iter + len(values) - 1
        return replace(self, mixture=run.mixture, n_iter=n_iter, value=values[-1], gain=gain)

    def report(self, outcome: str) -> StartReport:
        """What became of it."""
        return StartReport(self.source, self.n_iter, self.value, outcome)


@dataclass(frozen=True, eq=False)
class Race:
    """The rules of a race.

    Parameters
    ----------
    engine : LocalEngine
    m_step : Maximise
    accelerator : Accelerator, optional
    judge : Judge
    tol : float
        The caller's: what a race cannot see beyond.
    max_iter : int
        The caller's, too: where it is less than racers take, only the first round is run.
    effort : {"fast", "auto", "thorough"}
    n_init : int
        So many times as many may begin, and so much more may be spent.
    """

    engine: LocalEngine
    m_step: Maximise
    accelerator: Accelerator | None
    judge: Judge
    tol: float
    max_iter: int
    effort: Effort = "auto"
    n_init: int = 1

    def __call__(
        self, rng: RandomState, known: Run, stops: Callable[[Run], bool] | None = None
    ) -> tuple[Mixture | None, tuple[StartReport, ...]]:
        """A mixture for EM to go on from, or None where EM from k-means has found as much; and what became of all.

        `known` is what EM from k-means has ended at. `stops` is shown runs on the way, and ends the race with the best so far.
        """
        rows, held = self._rows(rng), bool(self.judge.regularise.held(known.mixture))
        n_iter = len(known.history) - 1
        budget = Budget.of(self.engine, rows, n_iter, self.effort, self.n_init, held=held)
        course = _Course(self, rows, rng, budget, stops)
        leader = course.settle(known)
        if leader is None:
            return None, tuple(course.reports)
        course.reports.append(leader.report("the best"))
        return leader.mixture, tuple(course.reports)

    @property
    def short(self) -> bool:
        """Whether the first round is all: of so few rows that every optimum is suspect, for few iterations, and for
        mixtures that cannot iterate side by side.
        """
        (n, d), k = self.engine.X.shape, self.engine.n_components
        return n < ROWS_NEEDED * k * (d + 1) or self.max_iter < LEAST_ITER or not self.m_step.plain

    @property
    def log_prior(self) -> Callable[[Mixture], float] | None:
        """The log-density of the prior, where there is one."""
        return self.m_step.terms.log_prior if self.m_step.terms.prior is not None else None

    def _rows(self, rng: RandomState) -> LocalEngine:
        """The rows of the race."""
        n, d = self.engine.X.shape
        most = max(ROWS, ROWS_EACH * self.engine.n_components * (d + 1))
        if n <= most:
            return self.engine
        generator = np.random.default_rng(rng.randint(2**31, size=4))
        return self.engine.subset(np.sort(generator.choice(n, most, replace=False, shuffle=False)))


@dataclass
class _Course:
    """A race that is being run."""

    race: Race
    rows: LocalEngine
    rng: RandomState
    budget: Budget
    stops: Callable[[Run], bool] | None
    stopped: bool = False
    reports: list[StartReport] = field(default_factory=list)
    #: Likelihoods at which racers ended, or left.
    ends: list[float] = field(default_factory=list)
    #: How many of each kind have begun.
    n_begun: dict[str, int] = field(default_factory=dict)

    def settle(self, known: Run) -> Racer | None:
        """The leader in the end, unless it is where EM from k-means is."""
        race = self.race
        racers = self.begin(FIRST)
        if known.status != FitStatus.DEGENERATE:
            racers.insert(0, Racer(KNOWN, known.mixture, 0, known.objective))
        racers = self.run(racers, min(FIRST_ROUND, race.max_iter))
        reached = next((racer.value for racer in racers if racer.source == KNOWN), -np.inf)
        racers = self.best(racers, FIRST_STAY)
        if not racers:
            return None
        if not (race.short or self.stopped or self.agreeing(racers[0]) >= AGREE):
            racers = self.go_on(racers)
        leader = racers[0]
        if self.rows is race.engine:
            return leader
        if leader.value < reached + SAME:  # of equals the one that has seen all rows
            leader = Racer(KNOWN, known.mixture, 0, known.objective)
        cost = self.budget.cost_of_polish(2 * len(known.history), race.engine)
        return self.polish(leader, race.engine) if self.budget.affords(cost) else leader

    def go_on(self, racers: list[Racer]) -> list[Racer]:
        """More starts, more rounds, and moves of the best."""
        for _ in range(self.race.n_init):
            racers += self.heats(self.joining(), JOIN_ROUNDS)
        racers = self.heats(racers, LAST_ROUNDS)
        agreeing = self.agreeing(racers[0])
        promising = [racer for racer in racers[1:] if racer.potential > racers[0].value]
        racers = self.polished([racers[0], *promising])
        if agreeing >= AGREE_OF_ALL * self.race.n_init:
            return racers
        return [self.moved(racers[0], PATIENCE[agreeing < FEW])]

    def joining(self) -> list[Racer]:
        """Those that join a race that is not settled; a hierarchy among them where it is a small part of the cost."""
        racers, cost = self.begin(MORE), by.cost_of_hierarchy(self.race.engine.n_components)
        if self.budget.affords(HIERARCHY_SHARE * cost):
            self.budget.spend(cost)
            racers += self.begin(HIERARCHY)
        return racers

    def heats(self, racers: list[Racer], rounds: Sequence[tuple[int, int]]) -> list[Racer]:
        """The last of a field, as far as there is enough left for its rounds."""
        for n_iter, stay in rounds:
            most = self.budget.n_affordable(n_iter, len(racers))
            if not most:
                break
            if most < len(racers):
                racers = self.best(racers, most)
            racers = self.best(self.run(racers, n_iter), stay, eager=EAGER if rounds is JOIN_ROUNDS else 0.0)
        return racers

    def agreeing(self, leader: Racer) -> int:
        """How many have ended where the leader is."""
        return sum(end > leader.value - SAME for end in self.ends)

    def begin(self, kinds: Kinds) -> list[Racer]:
        """Starts of these kinds, as many as there is enough left for."""
        labels: list[IntArray] = []
        names: list[str] = []
        left = self.budget.n_affordable(SHORTEST, sum(n for *_, n in kinds))
        for name, labelling, wanted in kinds:
            n, before = min(wanted, left), self.n_begun.get(name, 0)
            if n:
                labels += labelling(self.rows, self.rng, n, before)
                names += [name] * n
                self.n_begun[name] = before + n
                left -= n
        if not labels:
            return []
        self.budget.spend_starts(len(labels))
        begun = begin_together(self.rows, labels, self.race.m_step, self.race.engine.weight)
        racers = []
        for name, mixture in zip(names, begun, strict=True):
            if mixture is None:
                self.reports.append(StartReport(name, 0, -np.inf, "collapsed"))
            else:
                racers.append(Racer(name, mixture))
        return racers

    def run(self, racers: Sequence[Racer], n_iter: int) -> list[Racer]:
        """The racers so many iterations later, side by side; those that collapse are out."""
        if not racers:
            return []
        race, going = self.race, []
        mixtures = [racer.mixture for racer in racers]
        runs = em_together(self.rows, mixtures, race.m_step, max_iter=n_iter, log_prior=race.log_prior)
        self.budget.spend(self.budget.cost_of_iterations(n_iter, len(racers)))
        for racer, run in zip(racers, runs, strict=True):
            if run.status == FitStatus.DEGENERATE:
                self.reports.append(racer.report("collapsed"))
            else:
                going.append(racer.after(run))
        self.ends += [racer.value for racer in going]
        if self.stops is not None and going:
            highest = max(going, key=lambda racer: racer.value)
            self.stopped = self.stopped or self.stops(Run(highest.mixture, FitStatus.NOT_RUN, (highest.value,)))
        return going

    def best(self, racers: Sequence[Racer], stay: int, eager: float = 0.0) -> list[Racer]:
        """The best of them, each optimum once: by likelihood among the sound, then by fewest flaws.

        By likelihood and so many times as much as the last iteration gained, where they are `eager`.
        """
        going: list[Racer] = []
        flawed: list[tuple[int, Racer]] = []
        for racer in ranked(racers, eager):
            if any(abs(racer.value - other.value) < SAME for other in going):
                self.reports.append(racer.report("the same as another"))
            elif len(going) == stay:
                self.reports.append(racer.report("behind"))
            elif flaws := self.flaws(racer):
                flawed.append((flaws, racer))
            else:
                going.append(racer)
        flawed.sort(key=lambda pair: pair[0])
        going += [racer for _, racer in flawed[: stay - len(going)]]
        self.reports += [racer.report("unsound") for racer in (r for _, r in flawed) if racer not in going]
        return going

    def flaws(self, racer: Racer) -> int:
        """What tells against a mixture whatever its likelihood."""
        return self.race.judge.n_doubts(racer.mixture)

    def polished(self, racers: Sequence[Racer]) -> list[Racer]:
        """The racers, the best first, when next to nothing is left for EM to gain."""
        ended = []
        for racer in racers:
            if self.stopped or not self.budget.affords(self.budget.cost_of_polish(LEAST_POLISH, self.rows)):
                break
            ended.append(self.polish(racer, self.rows))
        ended = ended or list(racers[:1])
        return sorted(ended, key=lambda racer: (self.flaws(racer), -racer.value))

    def polish(self, racer: Racer, rows: LocalEngine) -> Racer:
        """EM until next to nothing is left to gain."""
        race = self.race
        run = em(
            rows,
            Run(racer.mixture, FitStatus.NOT_RUN, ()),
            race.m_step,
            rule=Rule(max(CLOSER * race.tol, CLOSEST), "aitken"),
            max_iter=MAX_POLISH,
            accelerator=race.accelerator,
            on_iteration=self.watch,
            log_prior=race.log_prior,
        )
        self.budget.spend(self.budget.cost_of_polish(len(run.history) + 1, rows))
        return racer.after(run)

    def watch(self, run: Run) -> bool:
        """Show a run to whoever may stop it."""
        self.stopped = self.stopped or (self.stops is not None and self.stops(run))
        return self.stopped

    def moved(self, best: Racer, patience: int) -> Racer:
        """What moves make of the best, for as long as some gain."""
        in_vain = 0
        while in_vain < patience and not self.stopped:
            moves = self.moves_of(best)
            if not moves:
                break
            gained = [racer for racer in self.tried(moves, best) if racer.value > best.value + GAIN]
            gained = [racer for racer in gained if self.flaws(racer) <= self.flaws(best)]
            in_vain = 0 if gained else in_vain + 1
            if gained:
                self.reports.append(best.report(f"lower than {gained[0].source} from it"))
                best = gained[0]
        return best

    def moves_of(self, best: Racer) -> list[Racer]:
        """Splits and merges, and components seeded anew, as many as there is enough left for."""
        n_rounds = sum(n for n, _ in MOVE_ROUNDS)
        most = self.budget.n_affordable(n_rounds // 2, RESEEDED + 9)
        if most < 2:
            return []
        mixtures = split_and_merge(self.rows, best.mixture, self.race.m_step) if _c("SM",1) else []
        moves = [Racer("split and merge", mixture) for mixture in mixtures[: most - most // 2]]
        k = len(best.mixture.means)
        for _ in range(min(RESEEDED, most - len(moves))):
            mixture = reseeded(self.rows, best.mixture, (int(self.rng.randint(k)),), self.rng)
            moves.append(Racer("seeded anew", mixture))
        self.budget.spend_starts(len(moves))
        return moves

    def tried(self, moves: Sequence[Racer], best: Racer) -> list[Racer]:
        """The moves that may lead higher, followed to where they lead."""
        reports, ends = list(self.reports), list(self.ends)
        racers = list(moves)
        for n_iter, stay in MOVE_ROUNDS:
            racers = [racer for racer in self.run(racers, n_iter) if abs(racer.value - best.value) > SAME]
            racers = self.best(racers, stay, eager=EAGER if n_iter < 8 else 0.0)
        self.reports, self.ends = reports, ends
        promising = [racer for racer in racers if racer.potential > best.value + GAIN]
        for racer in promising:  # the first that leads higher will do
            ended = self.polished([racer])
            if ended and ended[0].value > best.value + GAIN:
                return ended
        return []


def ranked(racers: Sequence[Racer], eager: float = 0.0) -> list[Racer]:
    """By likelihood, the highest first; equal ones, but for rounding, stay in the order in which they began."""
    order: list[Racer] = []
    equal: list[Racer] = []
    places = {id(racer): place for place, racer in enumerate(racers)}

    def score(racer: Racer) -> float:
        return racer.value + (eager * racer.gain if eager else 0.0)

    for racer in sorted(racers, key=score, reverse=True):
        if equal and score(equal[-1]) - score(racer) > EQUAL:
            order += sorted(equal, key=lambda racer: places[id(racer)])
            equal = []
        equal.append(racer)
    return order + sorted(equal, key=lambda racer: places[id(racer)])


def make_race(
    init_params: str,
    given: Given,
    m_step: Maximise,
    accelerator: Accelerator | None,
    judge: Judge,
    rule: Rule,
    max_iter: int,
    n_init: int,
) -> Race | None:
    """The race that a start stands for; None where it is one by name, or where there is nothing to find."""
    engine, fixed = judge.engine, bool(m_step.terms.constraints.fixed)
    if init_params not in EFFORTS or engine.n_components == 1 or max_iter == 0:
        return None
    if not given.empty or given.complete or fixed or engine.cores:  # these have a start of their own
        return None
    if len(engine.X) <= engine.X.shape[1] and has_matrices(engine):  # every covariance is singular
        return None
    return Race(engine, m_step, accelerator, judge, rule.tol, max_iter, init_params, n_init)
