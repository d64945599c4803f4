"""The start "auto": many starts run a few iterations on some rows, the best go on, the last on all rows.

What it spends, in passes over the data, is bounded: a field of mixtures takes some 390 passes over at most
2,000 rows (or five for each number of a component's mean), or 20 over all rows, whichever is more; then the
best few converge, and splits and merges are tried. EM goes on from what comes of it by the caller's rules.

References
----------
C. Biernacki, G. Celeux and G. Govaert, Choosing starting values for the EM algorithm for getting the highest
likelihood in multivariate Gaussian mixture models, Comput. Stat. Data Anal. 41 (2003) 561-575.
K. Jamieson and A. Talwalkar, Non-stochastic best arm identification and hyperparameter optimization, AISTATS
2016 (successive halving).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.random import RandomState

from gaussmix.engines.local import LocalEngine
from gaussmix.fit.accelerate import Accelerator
from gaussmix.fit.em import Rule, Run, em
from gaussmix.fit.moves import reseeded, split_and_merge
from gaussmix.fit.mstep import Maximise
from gaussmix.fit.regularise import n_flaws
from gaussmix.fit.result import FitStatus, StartReport
from gaussmix.fit.stack import em_together
from gaussmix.fit.starts import AUTO, STARTS, Given, with_means
from gaussmix.model.mixture import Mixture
from gaussmix.model.structures import NotPositiveDefiniteError

#: Who begins, in the order in which they are left out where rows are many.
FIELD = (
    *("pca", "kmeans", "random", "k-means++", "random_from_data"),
    *("kmeans", "pca", "random", "random_from_data", "k-means++", "kmeans"),
    *("random", "random_from_data", "pca", "k-means++", "kmeans", "random"),
    *("random_from_data", "k-means++", "kmeans"),
)
LEAST_FIELD = 2
#: Iterations of each round, and how many go on from it.
ROUNDS = ((10, 8), (20, 3))
LAST = sum(n for n, _ in ROUNDS)
#: Passes over the rows of the race for each that begins.
PASSES_EACH = sum(n * share for n, share in ((11, 1.0), (21, 8 / len(FIELD))))
#: Rows for each number of a component's mean, and a constant, that a race is worth while for.
ROWS_NEEDED = 2
#: Rows of a race, rows for each number of a mean and a constant, and passes over all rows that it may take.
ROWS, ROWS_EACH, PASSES = 2000, 5, 20.0
#: The best have converged when there is so little left to gain, in nats for each unit of weight.
CLOSE = Rule(1e-5, "aitken")
MAX_POLISH = 100
#: Likelihoods nearer than this are of the same optimum.
SAME = 1e-4
#: Rounds of moves of the winner, and components seeded anew in each.
MOVES, RESEEDED = 12, 12
#: Likelihoods nearer than this are, or will be, of the same optimum; how many of the last heat agree with the
#: winner, and how many rounds of moves may then be in vain, one after the other.
NEAR, AGREEING, FEW_AGREEING = 1e-4, ((5, 0), (2, 1)), 4
#: Rounds of such a race, and what it has to gain.
MOVE_ROUNDS, GAIN = ((10, 4), (15, 2)), 2e-5


@dataclass(frozen=True)
class Racer:
    """A mixture on its way: where it is from, its iterations, and what EM has raised so far."""

    source: str
    mixture: Mixture
    n_iter: int = 0
    value: float = -np.inf

    def report(self, outcome: str) -> StartReport:
        """What became of it."""
        return StartReport(self.source, self.n_iter, self.value, outcome)


class _Watch:
    """Shows runs to whoever may stop them, and remembers whether that was said."""

    def __init__(self, stops: Callable[[Run], bool] | None) -> None:
        self._stops, self.stopped = stops, False

    def __call__(self, run: Run) -> bool:
        self.stopped = self._stops is not None and self._stops(run)
        return self.stopped


@dataclass(frozen=True)
class Race:
    """The rules of a race: rows, M-step, and what EM raises.

    `n_flaws` counts components whose part of that says nothing.
    """

    engine: LocalEngine
    m_step: Maximise
    accelerator: Accelerator | None
    log_prior: Callable[[Mixture], float] | None
    n_flaws: Callable[[Mixture], int]

    def __call__(
        self, rng: RandomState, turn: int, stops: Callable[[Run], bool] | None = None
    ) -> tuple[Mixture, tuple[StartReport, ...]]:
        """The winner, and what became of all that took part.

        `stops` is shown the runs on all rows, iteration by iteration, and ends the race with the best so far.

        Where all collapse, the first that began is left as it was. Raises NotPositiveDefiniteError where
        none can begin.
        """
        rows, size = self._course(rng)
        begun, reports = self._begin(rows, size, rng, turn)
        if not begun:
            raise NotPositiveDefiniteError(tuple(range(self.engine.n_components)), 0.0)
        field, out = self._heats(rows, begun, ROUNDS)
        reports += out
        if not field:
            return begun[0].mixture, tuple(reports)
        ends = [racer.value for racer in field]
        ends += [report.mean_log_likelihood for report in out if report.n_iter == LAST]
        leader = field[0].value
        if rows is not self.engine:
            field, out = self._best(field, 1, "behind on a sample")
            reports += out
        watch = _Watch(stops)
        best, *others = self._polished(field, watch)
        reports += [racer.report("converged, lower") for racer in others]
        highest = best.value if rows is self.engine else leader
        agree = sum(end > highest - NEAR for end in ends)
        patience = next((rounds for least, rounds in AGREEING if agree >= least), FEW_AGREEING)
        best, out = self._move(rows, size / len(FIELD), best, rng, watch, patience)
        return best.mixture, (*reports, *out, best.report("the best"))

    def _course(self, rng: RandomState) -> tuple[LocalEngine, int]:
        """The rows of the race, and how many start."""
        n, d = self.engine.X.shape
        most = max(ROWS, ROWS_EACH * self.engine.n_components * (d + 1))
        rows = self.engine
        if n > most:
            generator = np.random.default_rng(rng.randint(2**31, size=4))
            rows = self.engine.subset(np.sort(generator.choice(n, most, replace=False, shuffle=False)))
        budget = max(PASSES * n, len(FIELD) * PASSES_EACH * ROWS)
        size = int(budget / (PASSES_EACH * min(n, most)))
        return rows, min(max(size, LEAST_FIELD), len(FIELD))

    def _begin(
        self, rows: LocalEngine, size: int, rng: RandomState, turn: int
    ) -> tuple[list[Racer], list[StartReport]]:
        field, reports = [], []
        for place, name in enumerate(FIELD[:size]):
            again = FIELD[:place].count(name) + turn * FIELD.count(name)
            try:
                stats, means = STARTS[name](rows, rng, again)
                begun = with_means(self.m_step(stats.scale(self.engine.weight / rows.weight), None), means)
            except NotPositiveDefiniteError:
                reports.append(StartReport(name, 0, -np.inf, "collapsed"))
            else:
                field.append(Racer(name, begun))
        return field, reports

    def _heats(
        self, rows: LocalEngine, field: list[Racer], rounds: tuple[tuple[int, int], ...]
    ) -> tuple[list[Racer], list[StartReport]]:
        """The last of a field, and what became of the others."""
        reports: list[StartReport] = []
        for n_iter, stay in rounds:
            field, out = self._run(rows, field, n_iter)
            reports += out
            field, out = self._best(field, stay, "behind")
            reports += out
        return field, reports

    def _run(
        self, rows: LocalEngine, field: Sequence[Racer], n_iter: int
    ) -> tuple[list[Racer], list[StartReport]]:
        mixtures = [racer.mixture for racer in field]
        runs = em_together(rows, mixtures, self.m_step, max_iter=n_iter, log_prior=self.log_prior)
        going, gone = [], []
        for racer, run in zip(field, runs, strict=True):
            if run.status == FitStatus.DEGENERATE:
                gone.append(racer.report("collapsed"))
            else:
                n_done = racer.n_iter + n_iter
                going.append(replace(racer, mixture=run.mixture, n_iter=n_done, value=run.objective))
        return going, gone

    def _best(self, field: Sequence[Racer], stay: int, outcome: str) -> tuple[list[Racer], list[StartReport]]:
        """The best of a field, each optimum once."""
        going: list[Racer] = []
        reports = []
        for racer in self._ranked(field):
            if any(abs(racer.value - other.value) < SAME for other in going):
                reports.append(racer.report("the same as another"))
            elif len(going) < stay:
                going.append(racer)
            else:
                reports.append(racer.report(outcome))
        return going, reports

    def _ranked(self, field: Sequence[Racer]) -> list[Racer]:
        return sorted(field, key=self._rank, reverse=True)

    def _rank(self, racer: Racer, more: float = 0.0) -> tuple[int, float]:
        return -self.n_flaws(racer.mixture), racer.value + more

    def _polished(self, field: Sequence[Racer], watch: _Watch) -> list[Racer]:
        """Those whose EM has come to an end on all rows, the best first."""
        ended = []
        for racer in field:
            ended.append(self._polish(racer, watch))
            if watch.stopped:
                break
        return self._ranked(ended)

    def _polish(self, racer: Racer, watch: _Watch) -> Racer:
        """EM on all rows until next to nothing is left to gain."""
        run = em(
            self.engine,
            Run(racer.mixture, FitStatus.NOT_RUN, ()),
            self.m_step,
            rule=CLOSE,
            max_iter=MAX_POLISH,
            accelerator=self.accelerator,
            on_iteration=watch,
            log_prior=self.log_prior,
        )
        return replace(
            racer, mixture=run.mixture, n_iter=racer.n_iter + len(run.history) - 1, value=run.objective
        )

    def _move(
        self,
        rows: LocalEngine,
        share: float,
        best: Racer,
        rng: RandomState,
        watch: _Watch,
        patience: int,
    ) -> tuple[Racer, list[StartReport]]:
        """Moves of the winner, for as long as some gain; a share of them where a race has many rows."""
        reports: list[StartReport] = []
        in_vain = 0
        for _ in range(int(share * MOVES)):
            if watch.stopped or in_vain == patience:
                break
            divided = split_and_merge(rows, best.mixture, self.m_step)
            moved = [Racer("split and merge", m) for m in divided[: int(share * len(divided))]]
            for _ in range(int(share * RESEEDED)):
                component = int(rng.randint(len(best.mixture.means)))
                moved.append(Racer("seeded anew", reseeded(rows, best.mixture, (component,), rng)))
            field, _ = self._heats(rows, moved, MOVE_ROUNDS)
            if rows is self.engine:  # not those that are back where they came from
                field = [racer for racer in field if abs(racer.value - best.value) > SAME]
            else:  # all rows are for what is better on some
                stayed, _ = self._run(rows, [best], sum(n for n, _ in MOVE_ROUNDS))
                field = [racer for racer in field[:1] if racer.value > stayed[0].value + GAIN]
            gained = [r for r in self._polished(field, watch) if self._rank(r) > self._rank(best, GAIN)]
            in_vain = 0 if gained else in_vain + 1
            if gained:
                reports.append(best.report(f"lower than {gained[0].source} from it"))
                best = gained[0]
        return best, reports


def make_race(
    init_params: str,
    given: Given,
    engine: LocalEngine,
    m_step: Maximise,
    accelerator: Accelerator | None,
    max_iter: int,
) -> Race | None:
    """The race that "auto" stands for; None where another start is asked for, or there is nothing to find.

    Parameters that are given, or outliers to be looked after, need a start of their own; factor analysers
    would take too long. Of so few rows that every optimum is suspect, the highest is no better than another.
    Whoever allows fewer iterations than the racers take gets none of them.
    """
    terms = m_step.terms
    k, (n, d) = engine.n_components, engine.X.shape
    alone = k == 1 or n < ROWS_NEEDED * k * (d + 1) or bool(engine.structure.form.n_axes or engine.cores)
    given_some = not given.empty or given.complete or bool(terms.constraints.fixed)
    if init_params != AUTO or alone or given_some or max_iter < LAST:
        return None
    log_prior = terms.log_prior if terms.prior is not None else None
    return Race(engine, m_step, accelerator, log_prior, partial(n_flaws, m_step.regularise, engine))
