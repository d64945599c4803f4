"""Expectation-maximisation: the one loop. It knows no data, no engine and no covariance structure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Literal, get_args

from gaussmix.engines import Engine
from gaussmix.fit.iterate.acceleration import HUGE, OWN_STEP, Accelerator, Memory, Proposal
from gaussmix.fit.result import FitStatus
from gaussmix.model.covariance import NotPositiveDefiniteError
from gaussmix.model.mixture import Mixture
from gaussmix.model.moments.statistics import Moments

#: From the statistics of a pass, and its mixture, to the one of greatest expected log-likelihood.
MStep = Callable[[Moments, Mixture | None], Mixture]

#: What `tol` bounds: the change in an iteration, or Aitken's estimate of the distance to the limit.
Stopping = Literal["change", "aitken"]


@dataclass(frozen=True)
class Run:
    """Where one run of EM is, in the frame's coordinates; `history` and `log_priors` as in FitResult.

    `memory` is what an accelerator carries.
    """

    mixture: Mixture
    status: FitStatus
    history: tuple[float, ...]
    log_priors: tuple[float, ...] = ()
    memory: Memory | None = None

    @property
    def objectives(self) -> list[float]:
        """What EM raises, at each moment: the mean log-likelihood and, with a prior, its log-density."""
        return [h + p for h, p in zip_longest(self.history, self.log_priors, fillvalue=0.0)]

    @property
    def objective(self) -> float:
        """The last of the objectives."""
        return self.objectives[-1]


@dataclass(frozen=True)
class Rule:
    """When a run has converged: `tol` in nats for each unit of weight, and what it bounds."""

    tol: float
    stopping: Stopping = "change"

    def doubts(self, gain: float, memory: Memory | None) -> bool:
        """Whether an iteration of EM's own has to show if there is little to gain, or only for a proposal.

        One that was refused gained nothing; what counts is how much it should have.
        """
        if self.stopping != "change" or memory is None or not memory.bold:
            return False
        return (memory.left if memory.was_refused else abs(gain)) < self.tol

    def met(self, gain: float, history: Sequence[float], proposal: Proposal, bold: bool) -> bool:
        """Whether it is met, given the last gain; `bold` is whether the last step was not EM's own."""
        if self.stopping == "change":
            return abs(gain) < self.tol and not bold
        left = proposal.left
        if left == HUGE and not bold:
            left = distance_to_limit(history)
        return max(left, abs(gain)) < self.tol


def make_rule(tol: float, stopping: Stopping) -> Rule:
    """The rule of these names; ValueError where one is unknown."""
    if stopping not in get_args(Stopping):
        raise ValueError(f"stopping must be one of {', '.join(get_args(Stopping))}; got {stopping!r}")
    return Rule(float(tol), stopping)


def distance_to_limit(history: Sequence[float]) -> float:
    """How far the last likelihood is from the limit, in nats, if gains go on to fall as they did last.

    Aitken's estimate, with the slower of the last two rates: gain r / (1 - r); infinite where no limit shows.
    """
    if len(history) < 4:
        return math.inf
    gains = [abs(after - before) for before, after in zip(history[-4:], history[-3:], strict=False)]
    if gains[2] == 0.0:
        return 0.0
    if not gains[2] < gains[1] < gains[0]:
        return math.inf
    rate = max(gains[2] / gains[1], gains[1] / gains[0])
    return gains[2] * rate / (1.0 - rate)


def em(
    engine: Engine,
    begun: Run,
    m_step: MStep,
    *,
    rule: Rule,
    max_iter: int,
    previous: float = -math.inf,
    accelerator: Accelerator | None = None,
    on_iteration: Callable[[Run], bool] | None = None,
    log_prior: Callable[[Mixture], float] | None = None,
) -> Run:
    """Iterate until the likelihood, with that of the prior, has converged.

    The change that iteration i sees is the one that iteration i - 1 made, as in scikit-learn; `previous` is
    what the first iteration compares with. Every likelihood in the history is of the parameters at its place:
    the pass of the next iteration (after the last one, a pass of its own) measures it.

    An iteration is one pass. One in which an accelerator's proposal is refused leaves the mixture as it was.
    The gain of a proposal says nothing of EM's convergence: where it is small, EM's own step is asked for.

    Parameters
    ----------
    engine : Engine
    begun : Run
        Where to go on from: a start with no history, or a run that was cut off. Going on gives the same bits
        as never having been cut off.
    m_step : callable
        From moments to a mixture; raises NotPositiveDefiniteError where a component has collapsed.
    rule : Rule
    max_iter : int
    previous : float
    accelerator : Accelerator, optional
    on_iteration : callable, optional
        Called with the run so far after each iteration; True stops it.
    log_prior : callable, optional
        The log-density of a prior.
    """
    if begun.status == FitStatus.CONVERGED:
        return replace(begun, memory=None)
    mixture, history, log_priors = begun.mixture, list(begun.history), list(begun.log_priors)
    memory = begun.memory
    objectives = begun.objectives
    seen = engine.accumulate(mixture)

    def record() -> None:
        history.append(seen.log_likelihood / engine.weight + engine.frame.log_det)
        if log_prior is not None:
            log_priors.append(log_prior(mixture) / engine.weight)
        objectives.append(history[-1] + (log_priors[-1] if log_priors else 0.0))

    if not history:
        record()
    status = FitStatus.NOT_RUN if max_iter == 0 else FitStatus.MAX_ITER
    for _ in range(len(history), max_iter + 1):
        gain = objectives[-1] - [previous, *objectives[-2:-1]][-1]
        bold = memory is not None and memory.bold
        own = rule.doubts(gain, memory)
        proposal = (
            accelerator.proposed(memory, seen.moments, objectives, own=own) if accelerator else OWN_STEP
        )
        now = FitStatus.NOT_RUN
        if rule.met(gain, objectives, proposal, bold):
            now, proposal = FitStatus.CONVERGED, OWN_STEP
        try:
            candidate, proposal = _step(m_step, seen.moments, mixture, proposal)
        except NotPositiveDefiniteError:
            status = FitStatus.DEGENERATE
            break
        found = engine.accumulate(candidate)
        if proposal.moments is not None and not found.log_likelihood >= seen.log_likelihood:
            memory = proposal.refused(found.moments)
        else:
            mixture, seen, memory = candidate, found, proposal.memory
        record()
        stop = _stops(on_iteration, Run(mixture, now, tuple(history), tuple(log_priors), memory))
        if now == FitStatus.CONVERGED or stop:
            status = FitStatus.INTERRUPTED if stop else now  # converged or not, no further start is wanted
            break
    return Run(mixture, status, tuple(history), tuple(log_priors))


def _stops(on_iteration: Callable[[Run], bool] | None, run: Run) -> bool:
    return on_iteration is not None and on_iteration(run)


def _step(m_step: MStep, moments: Moments, mixture: Mixture, proposal: Proposal) -> tuple[Mixture, Proposal]:
    """The mixture of a proposal, or of EM's own step where it proposes none or none that there can be."""
    if proposal.moments is not None:
        try:
            return m_step(proposal.moments, mixture), proposal
        except NotPositiveDefiniteError:
            proposal = OWN_STEP
    return m_step(moments, mixture), proposal
