"""EM of mixtures of experts: the state of the one loop of :mod:`gaussmix.fit.iterate.em`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Generic, NamedTuple, Self, TypeAlias

from gaussmix._typing import Float64Array, IntArray
from gaussmix.apps.experts.model import MixtureOfExperts, weigh_experts
from gaussmix.apps.experts.protocols import E, ExpertStep, G, GateStep, HasFloor
from gaussmix.fit.iterate.acceleration import OWN_STEP, Memory, Proposal
from gaussmix.fit.iterate.em import RunOf, Trail, iterate
from gaussmix.fit.iterate.stopping import Rule
from gaussmix.fit.result import FitStatus
from gaussmix.model.covariance import NotPositiveDefiniteError


@dataclass(frozen=True, eq=False)
class Training(Generic[G, E]):
    """The training rows as the M-steps hold them, and their weights."""

    gate_step: GateStep[G]
    expert_step: ExpertStep[E]
    #: Positive weights, shape (n,).
    masses: Float64Array

    @cached_property
    def weight(self) -> float:
        """The sum of the weights."""
        return float(self.masses.sum())

    def take(self, rows: IntArray) -> Self:
        """Some of the rows."""
        return replace(
            self,
            gate_step=self.gate_step.take(rows),
            expert_step=self.expert_step.take(rows),
            masses=self.masses[rows],
        )

    def maximise(self, R: Float64Array, before: MixtureOfExperts[G, E] | None) -> MixtureOfExperts[G, E]:
        """The M-step of responsibilities, shape (n, k). Raises NotPositiveDefiniteError."""
        weighted = (R.T * self.masses).T
        experts = self.expert_step.update(weighted, None if before is None else before.experts)
        gate = self.gate_step.update(weighted, None if before is None else before.gate)
        return MixtureOfExperts(gate, experts)

    def see(self, model: MixtureOfExperts[G, E]) -> Seen[G, E]:
        """The E-step."""
        log_weights = self.gate_step.evaluate(model.gate)
        R, density = weigh_experts(log_weights, self.expert_step.evaluate(model.experts))
        penalty = self.gate_step.log_prior(model.gate) + self.expert_step.log_prior(model.experts)
        return Seen(model, R, float(self.masses @ density) / self.weight, penalty / self.weight)

    def count_rows(self, R: Float64Array) -> Float64Array:
        """The effective rows of each expert, shape (k,)."""
        return self.masses @ R

    def find_spikes(self, seen: Seen[G, E]) -> tuple[int, ...]:
        """Experts whose likelihood says nothing."""
        counts = self.count_rows(seen.R)
        found = {
            *self.expert_step.find_spikes(seen.model.experts, counts),
            *self.gate_step.find_spikes(seen.model.gate, counts),
        }
        return tuple(sorted(found))

    def find_held(self, seen: Seen[G, E]) -> tuple[int, ...]:
        """Experts that are held at the least variance, if there is one."""
        step = self.expert_step
        return step.find_held(seen.model.experts) if isinstance(step, HasFloor) else ()


class Seen(NamedTuple, Generic[G, E]):
    """A model and what the E-step finds under it."""

    model: MixtureOfExperts[G, E]
    #: Responsibilities, shape (n, k).
    R: Float64Array
    #: The log-likelihood for each unit of weight.
    log_likelihood: float
    #: The log-prior for each unit of weight.
    log_prior: float


@dataclass(slots=True, eq=False)
class ExpertState(Generic[G, E]):
    """Models on their way, each with an E-step of its own."""

    training: Training[G, E]
    places: list[Seen[G, E]]

    def get_mixture(self, place: int) -> MixtureOfExperts[G, E]:
        """The model at a place."""
        return self.places[place].model

    def get_memory(self, place: int) -> Memory | None:
        """None: nothing is accelerated."""
        return None

    def measure(self) -> list[tuple[float, float | None]]:
        """Log-likelihood and log-prior of each, for each unit of weight."""
        return [(seen.log_likelihood, seen.log_prior) for seen in self.places]

    def propose(self, trails: Sequence[Trail[MixtureOfExperts[G, E]]], rule: Rule) -> list[Proposal]:
        """EM's own step for each."""
        return [OWN_STEP] * len(trails)

    def step(self, proposals: Sequence[Proposal]) -> tuple[ExpertState[G, E], dict[int, tuple[int, ...]]]:
        """M-steps and E-steps; experts that collapse, by place."""
        places, collapsed = [], {}
        for number, seen in enumerate(self.places):
            try:
                places.append(self.training.see(self.training.maximise(seen.R, seen.model)))
            except NotPositiveDefiniteError as error:
                collapsed[number] = error.components
        return ExpertState(self.training, places), collapsed

    def take(self, kept: Sequence[int]) -> ExpertState[G, E]:
        """Some of the places."""
        return ExpertState(self.training, [self.places[place] for place in kept])


#: A run of a mixture of experts.
ExpertRun: TypeAlias = RunOf[MixtureOfExperts[G, E]]


def run_em(
    training: Training[G, E],
    begun: Sequence[ExpertRun[G, E]],
    *,
    rule: Rule,
    max_iter: int,
    on_iteration: Callable[[ExpertRun[G, E]], bool] | None = None,
) -> list[ExpertRun[G, E]]:
    """EM from where runs are to where they end."""
    if not begun:
        return []
    state = ExpertState(training, [training.see(run.mixture) for run in begun])
    return iterate(state, begun, rule=rule, max_iter=max_iter, on_iteration=on_iteration)


def begin_run(training: Training[G, E], R: Float64Array) -> ExpertRun[G, E] | None:
    """The run that begins at the M-step of responsibilities; None where an expert collapses at once."""
    try:
        model = training.maximise(R, None)
    except NotPositiveDefiniteError:
        return None
    return RunOf(model, FitStatus.NOT_RUN, ())
