"""Expectation-maximisation: the one loop. It knows no data, no engine and no covariance structure."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from gaussmix.engines import Engine
from gaussmix.fit.result import FitStatus
from gaussmix.model.mixture import Mixture
from gaussmix.model.stats import Stats
from gaussmix.model.structures import NotPositiveDefiniteError

#: From the statistics of a pass to the mixture that maximises their expected log-likelihood.
MStep = Callable[[Stats], Mixture]


@dataclass(frozen=True)
class Run:
    """Where one run of EM ended, in the frame's coordinates; `history` as in FitResult."""

    mixture: Mixture
    status: FitStatus
    history: tuple[float, ...]


def em(
    engine: Engine,
    mixture: Mixture,
    m_step: MStep,
    *,
    tol: float,
    max_iter: int,
    previous: float = -math.inf,
    on_iteration: Callable[[int, float], bool] | None = None,
) -> Run:
    """Iterate from `mixture` until the mean log-likelihood changes by less than `tol`.

    The change that iteration i sees is the one that iteration i - 1 made, as in scikit-learn; `previous` is
    what the first iteration compares with. Every likelihood in the history is of the parameters at its place:
    the pass of the next iteration (after the last one, a pass of its own) measures it.

    Parameters
    ----------
    engine : Engine
    mixture : Mixture
        The start, in the frame's coordinates.
    m_step : callable
        Stats to Mixture; raises NotPositiveDefiniteError where a component has collapsed.
    tol : float
        In nats for each unit of weight.
    max_iter : int
    previous : float
    on_iteration : callable, optional
        Called with the iteration's number and the mean log-likelihood after it; True stops the run.
    """
    offset = engine.frame.log_det
    stats = engine.accumulate(mixture)
    history = [stats.log_likelihood / engine.weight + offset]
    status = FitStatus.NOT_RUN if max_iter == 0 else FitStatus.MAX_ITER
    for iteration in range(1, max_iter + 1):
        change, previous = history[-1] - previous, history[-1]
        try:
            candidate = m_step(stats)
        except NotPositiveDefiniteError:
            status = FitStatus.DEGENERATE
            break
        mixture, stats = candidate, engine.accumulate(candidate)
        history.append(stats.log_likelihood / engine.weight + offset)
        stop = on_iteration is not None and on_iteration(iteration, history[-1])
        if abs(change) < tol:
            status = FitStatus.CONVERGED
            break
        if stop:
            status = FitStatus.INTERRUPTED
            break
    return Run(mixture, status, tuple(history))
