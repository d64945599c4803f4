"""EM from several starts, and the best of what comes of them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gaussmix.engines.local import LocalEngine
from gaussmix.fit.em import MStep, Run, em
from gaussmix.fit.result import FitStatus
from gaussmix.fit.start import Given, first_mixture
from gaussmix.model.structures import NotPositiveDefiniteError

logger = logging.getLogger("gaussmix")


@dataclass(frozen=True)
class Progress:
    """Where a running fit is."""

    start: int
    n_starts: int
    iteration: int
    max_iter: int
    mean_log_likelihood: float


@dataclass(frozen=True)
class Ways:
    """Where to start from: a named start, what the caller fixes of it, and how many times."""

    init_params: str
    given: Given
    rng: np.random.RandomState
    n_init: int


@dataclass(frozen=True)
class Outcome:
    """The best run of all starts (None if each collapsed before its first iteration), and how many did."""

    best: Run | None
    n_failed: int


def best_of_starts(
    engine: LocalEngine,
    m_step: MStep,
    ways: Ways,
    *,
    tol: float,
    max_iter: int,
    previous: float,
    on_iteration: Callable[[Progress], bool] | None,
) -> Outcome:
    """Run EM from each start; one that collapses does not end the others."""
    best: Run | None = None
    failed = 0
    for i in range(ways.n_init):
        try:
            first = first_mixture(engine, m_step, ways.init_params, ways.rng, ways.given)
        except NotPositiveDefiniteError:
            failed += 1
            logger.info("start %d of %d collapsed before the first iteration", i + 1, ways.n_init)
            continue
        report = None if on_iteration is None else _reporter(on_iteration, i + 1, ways.n_init, max_iter)
        run = em(engine, first, m_step, tol=tol, max_iter=max_iter, previous=previous, on_iteration=report)
        told = i + 1, ways.n_init, run.status, len(run.history) - 1, run.history[-1]
        logger.info("start %d of %d: %s after %d iterations, mean log-likelihood %.6f", *told)
        if best is None or _rank(run) > _rank(best):
            best = run
        if run.status is FitStatus.INTERRUPTED:
            best = replace(best, status=FitStatus.INTERRUPTED)
            break
    return Outcome(best, failed)


def _rank(run: Run) -> tuple[bool, float]:
    """The likelihood of a collapsing component has no bound, so it says nothing for its run."""
    return run.status is not FitStatus.DEGENERATE, run.history[-1]


def _reporter(
    on_iteration: Callable[[Progress], bool], start: int, n_starts: int, max_iter: int
) -> Callable[[int, float], bool]:
    return lambda iteration, value: on_iteration(Progress(start, n_starts, iteration, max_iter, value))
