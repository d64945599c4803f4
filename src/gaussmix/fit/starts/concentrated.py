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

import math
from collections.abc import Callable, Iterator

import numpy as np

from gaussmix.engines.local import LocalEngine
from gaussmix.fit.iterate.em import MStep, Run, em
from gaussmix.fit.iterate.stopping import Rule
from gaussmix.fit.result import FitStatus
from gaussmix.fit.starts import Given, first_mixture
from gaussmix.model.covariance import NotPositiveDefiniteError
from gaussmix.model.mixture import Mixture

#: Starts that compete, the passes of each, and the rows that these go over.
N_SHORT, N_STEPS, MOST_ROWS = 10, 5, 5000

#: A gain, in nats a row, that may be rounding: the start found first is kept then, whatever the units.
SAME = 1e-8

Spikes = Callable[[Mixture], tuple[int, ...]]


def concentrated(
    engine: LocalEngine,
    m_step: MStep[Mixture],
    init_params: str,
    rng: np.random.RandomState,
    given: Given,
    nearest: bool,
    spikes: Spikes,
) -> Mixture:
    """The mixture to begin with: of those found, the one of highest likelihood without a spike."""
    judges, best, failed = _judges(engine, rng), None, None
    highest, sound = -math.inf, False
    for part in _parts(engine, rng):
        try:
            start = first_mixture(part, m_step, init_params, rng, given, nearest)
        except NotPositiveDefiniteError as error:
            failed = error
            continue
        run = em(judges, Run(start, FitStatus.NOT_RUN, ()), m_step, rule=Rule(0.0), max_iter=N_STEPS)
        good = run.status != FitStatus.DEGENERATE and not spikes(run.mixture)
        if best is None or (good, run.history[-1]) > (sound, highest + SAME):
            best, highest, sound = run.mixture, run.history[-1], good
    if best is None:
        assert failed is not None
        raise failed
    return best


def _judges(engine: LocalEngine, rng: np.random.RandomState) -> LocalEngine:
    """The rows that starts are compared on: all, or of many a sample, with the same noise and trimming."""
    n = engine.X.shape[0]
    if n <= MOST_ROWS:
        return engine
    return engine.subset(np.sort(rng.choice(n, MOST_ROWS, replace=False)), engine.trim, noise=engine.noise)


def _parts(engine: LocalEngine, rng: np.random.RandomState) -> Iterator[LocalEngine]:
    """The rows that look clean, by each guess; then few rows drawn at random and the clean ones, in turn."""
    yield from (engine.subset(core) for core in engine.cores)
    n, d = engine.X.shape
    few = min(n, max(10, 2 * (d + 1)) * engine.n_components)
    for i in range(N_SHORT - len(engine.cores)):
        yield engine.clean if i % 2 else engine.subset(np.sort(rng.choice(n, few, replace=False)))
