"""A start for rows with outliers among them: the best of several short runs, most begun from few rows.

A start from all rows has outliers among what it is made of. One that is made of few rows has, sometimes,
none, and a few passes over all, with trimming or noise, tell which: theirs is the highest likelihood.

References
----------
P. J. Rousseeuw and K. Van Driessen, A fast algorithm for the minimum covariance determinant estimator,
Technometrics 41 (1999) 212-223.
L. A. Garcia-Escudero, A. Gordaliza, C. Matran and A. Mayo-Iscar, A general trimming approach to robust
cluster analysis, Ann. Stat. 36 (2008) 1324-1345.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.random import RandomState

from gaussmix._typing import IntArray
from gaussmix.engines import Engine
from gaussmix.fit.given import Given
from gaussmix.fit.iterate.em import Run, em
from gaussmix.fit.iterate.stopping import ENDLESS
from gaussmix.fit.judge import Judge
from gaussmix.fit.ranking import Standing
from gaussmix.fit.result import FitStatus
from gaussmix.fit.starts.first import make_first_mixture
from gaussmix.model.covariance import NotPositiveDefiniteError
from gaussmix.model.mixture import Mixture

#: Starts that compete.
N_SHORT = 10
#: Passes of each.
N_STEPS = 5
#: Rows beyond which these go over a sample.
MOST_ROWS = 5000
#: A gain, in nats a row, that may be rounding: the start found first is kept then, whatever the units.
SAME = 1e-8


@dataclass(frozen=True, eq=False)
class Concentrated:
    """A start among outliers."""

    #: The engine in whose passes the starts compete.
    engine: Engine
    #: The same rows, of which no pass leaves any out: starts are made of some of them.
    whole: Engine
    #: The places of rows that do not look like outliers, by one or more guesses of how many these are.
    cores: tuple[IntArray, ...]

    @cached_property
    def clean(self) -> Engine:
        """The rows of the first core."""
        return self.whole.take(self.cores[0])

    def find_mixture(self, judge: Judge, k: int, name: str, rng: RandomState, given: Given) -> Mixture:
        """The mixture to begin with: of those found, the one of highest likelihood without a spike."""
        competing, m_step = self.engine.sample(MOST_ROWS, rng), judge.m_step
        best: tuple[Mixture, Standing] | None = None
        failure = None
        for part in self._choose_parts(k, rng):
            try:
                start = make_first_mixture(part, k, m_step, name, rng, given)
            except NotPositiveDefiniteError as error:
                failure = error
                continue
            run = em(competing, Run(start, FitStatus.NOT_RUN, ()), m_step, rule=ENDLESS, max_iter=N_STEPS)
            sound = run.status != FitStatus.DEGENERATE and not judge.find_spikes(run.mixture)
            standing = Standing(sound, run.history[-1])
            if best is None or standing.beats(best[1], SAME):
                best = run.mixture, standing
        if best is None:
            assert failure is not None
            raise failure
        return best[0]

    def _choose_parts(self, k: int, rng: RandomState) -> Iterator[Engine]:
        """The rows of each core; then few rows drawn at random and the clean ones, in turn."""
        yield self.clean
        yield from (self.whole.take(core) for core in self.cores[1:])
        n, d = self.whole.rows.shape
        few = min(n, max(10, 2 * (d + 1)) * k)
        for i in range(N_SHORT - len(self.cores)):
            yield self.clean if i % 2 else self.whole.take(np.sort(self.whole.rows.draw(few, rng)))
