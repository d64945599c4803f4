"""Expectation-maximisation: the one loop. It knows no data, no engine and no covariance structure.

    init    a pass over the rows, at what is iterated
    step    an M-step of the pass, and a pass at what that gives
    done    converged, stopped from outside, collapsed, or after max_iter steps

:func:`iterate` owns this loop, its callbacks and its stopping. A :class:`State` is one mixture or many, and
makes the steps. :class:`OneByOne` gives each a pass of its own; in `fit/iterate/stack.py` many share one.

What is iterated need not be a mixture: :func:`em` asks for natural parameters in a form (:class:`HasNatural`)
and an M-step that knows the penalty, if any (:class:`MStep`), the loop for nothing. Three examples:

- Means adapted to a speaker, from those of a background model m0 that count as r rows. The M-step is
  ``before.replace(means=(S1 + r * m0) / (n + r))`` with the sums S1 and counts n of the pass. The penalty is
  the prior's log-density, ``-r / 2 * sum((means - m0)**2 * precisions)``.
- A mixture of which a part is fixed. The M-step is ``before.replace(weights=n / n.sum())``; no penalty.
- Variational Bayes. What is iterated is a posterior q of the parameters. Its natural parameters are those of
  E_q[log w_k N(x | k)], its M-step adds the counts of the rows to the prior's, its penalty is -KL(q | prior).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Generic, NamedTuple, Protocol, Self, TypeAlias, TypeVar

from gaussmix.engines import Engine
from gaussmix.fit.iterate.acceleration import OWN_STEP, Accelerator, Memory, Proposal
from gaussmix.fit.iterate.stopping import Rule
from gaussmix.fit.result import FitStatus
from gaussmix.model.covariance import NotPositiveDefiniteError
from gaussmix.model.kernels.natural import HasNatural
from gaussmix.model.mixture import Mixture
from gaussmix.model.moments.statistics import Moments, Pass

T = TypeVar("T")
N = TypeVar("N", bound=HasNatural)

#: Likelihoods and, with a prior, its log-densities, of moments one after the other.
Past = tuple[tuple[float, ...], tuple[float, ...]]
NO_PAST: Past = ((), ())


class MStep(Protocol[N]):
    """From the moments of a pass, and what the pass was of, to what is to be iterated next."""

    @property
    def log_prior(self) -> Callable[[N], float] | None:
        """The penalty: what EM raises beside the log-likelihood; None where that is all."""

    def __call__(self, moments: Moments, before: N | None, /) -> N:
        """Raises NotPositiveDefiniteError, with the components, where some have collapsed."""


@dataclass(frozen=True)
class RunOf(Generic[T]):
    """Where one run of EM is, in the frame's coordinates; `history` and `log_priors` as in FitResult.

    `memory` is what an accelerator carries. `collapsed` has the components that ended a degenerate run, none
    where it is the covariance that all share. `past` is what EM did before, in a race: history and log-priors
    of the moments that led to the start of this run.
    """

    mixture: T
    status: FitStatus
    history: tuple[float, ...]
    log_priors: tuple[float, ...] = ()
    memory: Memory | None = None
    collapsed: tuple[int, ...] = ()
    past: Past = NO_PAST

    def append_to(self, past: Past) -> Past:
        """The past with this run, which began at its last moment and measured that anew."""
        return past[0][:-1] + self.history, past[1][:-1] + self.log_priors

    @property
    def objectives(self) -> list[float]:
        """The objective at each moment: the mean log-likelihood and, with a prior, its log-density."""
        return [h + p for h, p in zip_longest(self.history, self.log_priors, fillvalue=0.0)]

    @property
    def objective(self) -> float:
        """The last of the objectives."""
        return self.objectives[-1]


Run: TypeAlias = RunOf[Mixture]


class Trail(Generic[T]):
    """The record of one run that is under way. The loop alone writes it."""

    __slots__ = ("history", "log_priors", "objectives", "outcome", "past", "previous", "status")

    def __init__(self, begun: RunOf[T], previous: float) -> None:
        self.history, self.log_priors = list(begun.history), list(begun.log_priors)
        self.objectives = begun.objectives if begun.history else []
        self.previous, self.past = previous, begun.past
        #: Why it is to end: NOT_RUN while it is not.
        self.status = FitStatus.NOT_RUN
        self.outcome = begun

    @property
    def gain(self) -> float:
        """The gain of the last iteration; the first is compared with the objective before the run."""
        return self.objectives[-1] - (self.objectives[-2] if len(self.objectives) > 1 else self.previous)

    def record(self, log_likelihood: float, log_prior: float | None) -> None:
        """Add a moment."""
        self.history.append(log_likelihood)
        if log_prior is not None:
            self.log_priors.append(log_prior)
        self.objectives.append(log_likelihood + (log_prior or 0.0))

    def show(self, state: State[T], place: int) -> RunOf[T]:
        """The run as it is now, with all that it takes to go on."""
        done = tuple(self.history), tuple(self.log_priors)
        return RunOf(state.get_mixture(place), self.status, *done, state.get_memory(place), past=self.past)

    def end(self, mixture: T, status: FitStatus, collapsed: tuple[int, ...] = ()) -> None:
        """Settle the outcome."""
        done = tuple(self.history), tuple(self.log_priors)
        self.outcome = RunOf(mixture, status, *done, collapsed=collapsed, past=self.past)


class State(Protocol[T]):
    """One mixture or many on their way, and what the last pass over the rows gave of each."""

    def get_mixture(self, place: int) -> T:
        """What is iterated at a place."""

    def get_memory(self, place: int) -> Memory | None:
        """The memory of an accelerator there."""

    def measure(self) -> list[tuple[float, float | None]]:
        """Log-likelihood and penalty, if any, of each, for a unit of weight, in the data's coordinates."""

    def propose(self, trails: Sequence[Trail[T]], rule: Rule) -> list[Proposal]:
        """The proposal for each: mostly the M-step of the last pass."""

    def step(self, proposals: Sequence[Proposal]) -> tuple[State[T], dict[int, tuple[int, ...]]]:
        """The state after M-steps and a pass, without the places that collapse; for these, the components."""

    def take(self, kept: Sequence[int]) -> State[T]:
        """Some of the places."""


def iterate(
    state: State[T],
    begun: Sequence[RunOf[T]],
    *,
    rule: Rule,
    max_iter: int,
    previous: float = -math.inf,
    on_iteration: Callable[[RunOf[T]], bool] | None = None,
    watch: Callable[[Sequence[Trail[T]]], bool] | None = None,
) -> list[RunOf[T]]:
    """The loop: from where runs begin, and the state after a pass there, to where they end.

    The change that iteration i sees is the one that iteration i - 1 made, as in scikit-learn; `previous` is
    what the first iteration compares with. Every likelihood in a history is of the parameters at its place:
    the pass of the next iteration (after the last one, a pass of its own) measures it.

    `on_iteration` is called with each run after each iteration; True stops that run. `watch` is called once
    an iteration with the records of all that go on, which costs next to nothing; True stops them all.
    """
    trails = [Trail(run, previous) for run in begun]
    for trail, measured in zip(trails, state.measure(), strict=True):
        if not trail.history:
            trail.record(*measured)
    going = trails
    while True:
        state, going = _settle_done(state, going, max_iter)
        if not going:
            return [trail.outcome for trail in trails]
        proposals = _choose_steps(state, going, rule)
        before, (state, collapsed) = state, state.step(proposals)
        if collapsed:
            for place, components in collapsed.items():
                going[place].end(before.get_mixture(place), FitStatus.DEGENERATE, components)
            going = [trail for place, trail in enumerate(going) if place not in collapsed]
            if not going:  # the state is still the one before, with places of the collapsed
                continue
        for trail, measured in zip(going, state.measure(), strict=True):
            trail.record(*measured)
        _show_runs(state, going, on_iteration, watch)


def _show_runs(
    state: State[T],
    going: list[Trail[T]],
    on_iteration: Callable[[RunOf[T]], bool] | None,
    watch: Callable[[Sequence[Trail[T]]], bool] | None,
) -> None:
    """Show the runs as they are now; those that are to stop are interrupted, whether converged or not."""
    stopped = watch is not None and watch(going)
    for place, trail in enumerate(going):
        if stopped or (on_iteration is not None and on_iteration(trail.show(state, place))):
            trail.status = FitStatus.INTERRUPTED


def _settle_done(state: State[T], going: list[Trail[T]], max_iter: int) -> tuple[State[T], list[Trail[T]]]:
    """The runs that are not done, and their state; this settles the outcome of the others."""
    done = [i for i, t in enumerate(going) if t.status != FitStatus.NOT_RUN or len(t.history) > max_iter]
    if not done:
        return state, going
    for place in done:
        trail = going[place]
        cut_short = trail.status == FitStatus.NOT_RUN and max_iter > 0
        trail.end(state.get_mixture(place), FitStatus.MAX_ITER if cut_short else trail.status)
    kept = [place for place in range(len(going)) if place not in done]
    return state.take(kept) if kept else state, [going[place] for place in kept]


def _choose_steps(state: State[T], going: list[Trail[T]], rule: Rule) -> list[Proposal]:
    """The proposals. A run that has converged makes one more iteration of EM's own; its status says so."""
    proposals = state.propose(going, rule)
    if rule.tol > 0.0:
        for place, trail in enumerate(going):
            if rule.is_met(trail.gain, trail.objectives, proposals[place]):
                trail.status, proposals[place] = FitStatus.CONVERGED, OWN_STEP
    return proposals


class Place(NamedTuple, Generic[N]):
    """Where one run is: what is iterated, the pass at it, and what an accelerator carries."""

    mixture: N
    seen: Pass
    memory: Memory | None = None


@dataclass(slots=True, eq=False)
class OneByOne(Generic[N]):
    """One mixture, or several, each with passes and M-steps of its own.

    A step is one pass. One in which an accelerator's proposal is refused leaves the mixture as it was. The
    gain of a proposal says nothing of EM's convergence: where it is small, EM's own step is asked for.
    """

    engine: Engine
    m_step: MStep[N]
    places: list[Place[N]]
    accelerator: Accelerator | None = None

    @classmethod
    def begin(
        cls, engine: Engine, m_step: MStep[N], mixtures: Sequence[N], accelerator: Accelerator | None = None
    ) -> Self:
        """The state at the beginning: a pass at each."""
        return cls(engine, m_step, [Place(each, engine.accumulate(each)) for each in mixtures], accelerator)

    def get_mixture(self, place: int) -> N:
        return self.places[place].mixture

    def measure(self) -> list[tuple[float, float | None]]:
        weight, log_det, log_prior = self.engine.weight, self.engine.frame.log_det, self.m_step.log_prior
        return [
            (
                seen.log_likelihood / weight + log_det,
                None if log_prior is None else log_prior(mixture) / weight,
            )
            for mixture, seen, _ in self.places
        ]

    def get_memory(self, place: int) -> Memory | None:
        return self.places[place].memory

    def propose(self, trails: Sequence[Trail[N]], rule: Rule) -> list[Proposal]:
        """The proposals of the accelerator, where there is one."""
        if self.accelerator is None:
            return [OWN_STEP] * len(trails)
        proposals = []
        for (_, seen, memory), trail in zip(self.places, trails, strict=True):
            own = rule.wants_own_step(trail.gain, memory)
            proposal = self.accelerator.propose(memory, seen.moments, trail.objectives, own=own)
            bold = memory is not None and memory.bold
            proposals.append(replace(proposal, after_bold=True) if bold else proposal)
        return proposals

    def step(self, proposals: Sequence[Proposal]) -> tuple[OneByOne[N], dict[int, tuple[int, ...]]]:
        places, collapsed = [], {}
        for number, proposal in enumerate(proposals):
            try:
                places.append(self._advance(self.places[number], proposal))
            except NotPositiveDefiniteError as error:
                collapsed[number] = error.components
        return OneByOne(self.engine, self.m_step, places, self.accelerator), collapsed

    def take(self, kept: Sequence[int]) -> OneByOne[N]:
        return OneByOne(self.engine, self.m_step, [self.places[place] for place in kept], self.accelerator)

    def _advance(self, place: Place[N], proposal: Proposal) -> Place[N]:
        """To the proposal, or by EM's own step where there is none or none that there can be."""
        mixture, seen, _ = place
        candidate = None
        if proposal.moments is not None:
            try:
                candidate = self.m_step(proposal.moments, mixture)
            except NotPositiveDefiniteError:
                proposal = OWN_STEP
        if candidate is None:
            candidate = self.m_step(seen.moments, mixture)
        found = self.engine.accumulate(candidate)
        if proposal.moments is not None and not found.log_likelihood >= seen.log_likelihood:
            return Place(mixture, seen, proposal.refuse(found.moments))
        return Place(candidate, found, proposal.memory)


def em(
    engine: Engine,
    begun: RunOf[N],
    m_step: MStep[N],
    *,
    rule: Rule,
    max_iter: int,
    previous: float = -math.inf,
    accelerator: Accelerator | None = None,
    on_iteration: Callable[[RunOf[N]], bool] | None = None,
) -> RunOf[N]:
    """Iterate one mixture until the likelihood, with that of the prior, has converged.

    `begun` is a start with no history, or a run that was cut off: going on gives the same bits as never
    having been cut off. `previous` is the objective that the first iteration's is compared with.
    `on_iteration` is called with the run so far after each iteration; True stops it.
    """
    if begun.status == FitStatus.CONVERGED:
        return replace(begun, memory=None)
    place = Place(begun.mixture, engine.accumulate(begun.mixture), begun.memory)
    state = OneByOne(engine, m_step, [place], accelerator)
    return iterate(
        state, [begun], rule=rule, max_iter=max_iter, previous=previous, on_iteration=on_iteration
    )[0]
