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

#: From the statistics of a pass, and its mixture, to the one of greatest expected log-likelihood.
MStep = Callable[[Stats, Mixture | None], Mixture]


@dataclass(frozen=True)
class Run:
    """Where one run of EM ended, in the frame's coordinates; `history` and `log_priors` as in FitResult."""

    mixture: Mixture
    status: FitStatus
    history: tuple[float, ...]
    log_priors: tuple[float, ...] = ()

    @property
    def objective(self) -> float:
        """What EM raises: the mean log-likelihood, with a prior the sum of that and its log-density."""
        return self.history[-1] + (self.log_priors[-1] if self.log_priors else 0.0)


def em(
    engine: Engine,
    begun: Run,
    m_step: MStep,
    *,
    tol: float,
    max_iter: int,
    previous: float = -math.inf,
    on_iteration: Callable[[Run], bool] | None = None,
    log_prior: Callable[[Mixture], float] | None = None,
) -> Run:
    """Iterate until the mean log-likelihood, with that of the prior, changes by less than `tol`.

    The change that iteration i sees is the one that iteration i - 1 made, as in scikit-learn; `previous` is
    what the first iteration compares with. Every likelihood in the history is of the parameters at its place:
    the pass of the next iteration (after the last one, a pass of its own) measures it.

    Parameters
    ----------
    engine : Engine
    begun : Run
        Where to go on from: a start with no history, or a run that was cut off. Going on gives the same bits
        as never having been cut off.
    m_step : callable
        Stats to Mixture; raises NotPositiveDefiniteError where a component has collapsed.
    tol : float
        In nats for each unit of weight.
    max_iter : int
    previous : float
    on_iteration : callable, optional
        Called with the run so far after each iteration; True stops it.
    log_prior : callable, optional
        The log-density of a prior.
    """
    if begun.status == FitStatus.CONVERGED:
        return begun
    mixture, history, log_priors = begun.mixture, list(begun.history), list(begun.log_priors)
    stats = engine.accumulate(mixture)

    def record() -> None:
        history.append(stats.log_likelihood / engine.weight + engine.frame.log_det)
        if log_prior is not None:
            log_priors.append(log_prior(mixture) / engine.weight)

    def objective(i: int) -> float:
        return history[i] + (log_priors[i] if log_priors else 0.0)

    if not history:
        record()
    status = FitStatus.NOT_RUN if max_iter == 0 else FitStatus.MAX_ITER
    for _ in range(len(history), max_iter + 1):
        change = objective(-1) - (objective(-2) if len(history) > 1 else previous)
        try:
            candidate = m_step(stats, mixture)
        except NotPositiveDefiniteError:
            status = FitStatus.DEGENERATE
            break
        mixture, stats = candidate, engine.accumulate(candidate)
        record()
        now = FitStatus.CONVERGED if abs(change) < tol else FitStatus.NOT_RUN
        stop = on_iteration is not None and on_iteration(Run(mixture, now, tuple(history), tuple(log_priors)))
        if now == FitStatus.CONVERGED or stop:
            status = FitStatus.INTERRUPTED if stop else now  # converged or not, no further start is wanted
            break
    return Run(mixture, status, tuple(history), tuple(log_priors))
