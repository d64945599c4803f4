"""The start "auto": EM from k-means first, then a race of other starts against what came of it.

What is spent depends on what there is to find. A few starts run a few iterations side by side; where they
end at the likelihood that k-means led to, there is nothing more to look for. Where they do not, more join,
the best go on, and moves that EM cannot make follow for as long as they gain something and the budget lasts
(`fit/race/budget.py`). Of many rows a race sees a sample; EM by the caller's rules goes on from the winner
over all of them. How it is run is in `fit/race/course.py`.

References
----------
C. Biernacki, G. Celeux and G. Govaert, Choosing starting values for the EM algorithm for getting the highest
likelihood in multivariate Gaussian mixture models, Comput. Stat. Data Anal. 41 (2003) 561-575.
K. Jamieson and A. Talwalkar, Non-stochastic best arm identification and hyperparameter optimization, AISTATS
2016 (successive halving).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from numpy.random import RandomState

from gaussmix.engines import Engine
from gaussmix.fit.iterate.acceleration import Accelerator
from gaussmix.fit.iterate.em import Run
from gaussmix.fit.iterate.stopping import Rule
from gaussmix.fit.judge import Judge
from gaussmix.fit.mstep.maximise import Maximise
from gaussmix.fit.race.budget import Budget, Effort
from gaussmix.fit.race.course import FIRST_ITER, Course
from gaussmix.fit.result import StartReport
from gaussmix.fit.starts import EFFORTS, Given
from gaussmix.model.mixture import Mixture

#: Rows of a race.
ROWS = 2000
#: Rows of a race for each number of a component's mean, and a constant, where that is more.
ROWS_EACH = 5
#: Iterations that the caller has to allow for more than the first round.
LEAST_ITER = 20
#: Features beyond which factor analysers, whose parameters grow with d, need no more rows.
FEATURES = 100
#: How much more patient a race is than one of few means.
PATIENCE: dict[Effort, int] = {"fast": 1, "auto": 1, "thorough": 4}
#: Part of the caller's tolerance that may be left to gain when a racer has converged.
CLOSER = 1e-2
#: Nats a row that may be left to gain whatever the tolerance.
CLOSEST = 1e-5


@dataclass(frozen=True, eq=False)
class Race:
    """The rules of a race.

    Parameters
    ----------
    judge : Judge
        It knows the rows, too.
    m_step : Maximise
    accelerator : Accelerator, optional
    tol : float
        The caller's: what a race cannot see beyond.
    max_iter : int
        The caller's, too: where it is less than racers take, only the first round is run.
    k : int
    effort : {"fast", "auto", "thorough"}
    n_init : int
        So many times as many may join, and so much more may be spent.
    """

    judge: Judge
    m_step: Maximise
    accelerator: Accelerator | None
    tol: float
    max_iter: int
    k: int
    effort: Effort = "auto"
    n_init: int = 1

    def __call__(
        self, rng: RandomState, known: Run | None, stops: Callable[[Run], bool] | None = None
    ) -> tuple[Mixture | None, tuple[StartReport, ...]]:
        """A mixture for EM to go on from, and what became of all that took part.

        None where all have collapsed. `known` is what EM from k-means has ended at, if it did not collapse.
        `stops` is shown runs on the way, and ends the race with the best so far.
        """
        rows, n_iter = self._rows(rng), 0 if known is None else len(known.history) - 1
        held = known is not None and bool(self.judge.regularise.find_held(known.mixture))
        budget = Budget.of(self.engine, rows, self.k, n_iter, self.effort, self.n_init, held=held)
        course = Course(self, rows, rng, budget, stops)
        leader = course.settle(known)
        if leader is None:
            return None, tuple(course.reports)
        return leader.mixture, (*course.reports, leader.report("the best"))

    @property
    def engine(self) -> Engine:
        """All rows."""
        return self.judge.engine

    @property
    def close(self) -> Rule:
        """When a racer has converged."""
        return Rule(max(CLOSER * self.tol, CLOSEST), "aitken")

    @property
    def patience(self) -> int:
        """How many times as many racers have to agree, and rounds of moves may be in vain."""
        return PATIENCE[self.effort]

    @property
    def short(self) -> bool:
        """Whether the first round is all.

        For few iterations; for so few rows that the highest optimum is no better than another; and for
        mixtures that cannot iterate side by side.
        """
        return self.judge.has_few_rows(self.k) or self.max_iter < LEAST_ITER or not self.m_step.plain

    def _rows(self, rng: RandomState) -> Engine:
        """The rows of the race."""
        d = self.engine.rows.shape[1]
        each = d if self.engine.form.general else min(d, FEATURES)
        return self.engine.sample(max(ROWS, ROWS_EACH * self.k * (each + 1)), rng)


def make_race(
    init_params: str,
    given: Given,
    m_step: Maximise,
    accelerator: Accelerator | None,
    judge: Judge,
    tol: float,
    max_iter: int,
    n_init: int,
    k: int,
) -> Race | None:
    """The race that a start stands for; None where it is one by name, or where there is nothing to find.

    Parameters that are given have a start of their own.
    """
    engine = judge.engine
    (n, d), fixed = engine.rows.shape, bool(m_step.terms.constraints.fixed)
    if init_params not in EFFORTS or k == 1 or max_iter < FIRST_ITER:
        return None
    if not given.empty or given.complete or fixed:
        return None
    if n <= d and engine.form.general:  # every covariance is singular
        return None
    return Race(judge, m_step, accelerator, tol, max_iter, k, cast(Effort, init_params), n_init)
