"""Several mixtures side by side: a pass and an M-step for all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.engines import Engine
from gaussmix.fit.iterate.acceleration import OWN_STEP, Memory, Proposal
from gaussmix.fit.iterate.em import OneByOne, Run, RunOf, State, Trail, iterate
from gaussmix.fit.iterate.stopping import ENDLESS, Rule
from gaussmix.fit.memberships import accumulate_labels
from gaussmix.fit.mstep.maximise import Maximise
from gaussmix.fit.result import FitStatus
from gaussmix.model.covariance import NotPositiveDefiniteError, Structure
from gaussmix.model.mixture import Mixture
from gaussmix.model.moments.groups import Groups
from gaussmix.model.moments.statistics import Moments

#: Called with the iteration and the mean log-likelihood of the best that goes on; True stops them all.
WatchTogether = Callable[[int, float], bool]


@dataclass(frozen=True, eq=False)
class Stack:
    """Mixtures of one family, side by side as one mixture of all their components.

    Each has an equal part of its weight: the density is the mean of theirs.
    """

    groups: Groups
    joined: Mixture
    #: The M-step of all of them.
    m_step: Maximise
    #: The M-step of one by itself.
    alone: Maximise

    @classmethod
    def of(cls, mixtures: Sequence[Mixture], m_step: Maximise) -> Self:
        """These, in order."""
        groups = Groups(tuple(m.n_components for m in mixtures))
        names = "weights", "means", "covariance_stack", "roots"
        weights, *parts = (np.concatenate([getattr(m, name) for m in mixtures]) for name in names)
        beside = m_step.share_within(groups)
        joined = Mixture.of_parts(beside.structure, weights / len(mixtures), *parts)
        return cls(groups, joined, beside, m_step)

    def get_mixture(self, group: int) -> Mixture:
        """One by itself."""
        components = self.groups.slices[group]
        return self._take(self.alone.structure, components, slice(group, group + 1), len(self.groups))

    def list_mixtures(self) -> list[Mixture]:
        """Each by itself."""
        return [self.get_mixture(group) for group in range(len(self.groups))]

    def take(self, kept: Sequence[int]) -> Stack:
        """Some of them."""
        components, groups = self.groups.components(kept), self.groups.select(kept)
        beside = self.alone.share_within(groups)
        share = len(self.groups) / len(groups)
        return Stack(groups, self._take(beside.structure, components, list(kept), share), beside, self.alone)

    def _take(
        self, structure: Structure, components: slice | IntArray, kept: slice | list[int], share: float
    ) -> Mixture:
        """Components of some of the mixtures, whose weights are multiplied by a number."""
        whole, own = self.joined, kept if structure.shared else components
        return Mixture.of_parts(
            structure,
            whole.weights[components] * share,
            whole.means[components],
            whole.covariance_stack[own],
            whole.roots[own],
        )

    def maximise(self, moments: Moments) -> tuple[Stack | None, dict[int, tuple[int, ...]]]:
        """The M-step of all, without those that collapse; for these, the components that do."""
        try:
            return replace(self, joined=self.m_step(moments, self.joined)), {}
        except NotPositiveDefiniteError:
            pass
        found, collapsed = [], {}
        for group, before in enumerate(self.list_mixtures()):
            try:
                found.append(self.alone(take_groups(moments, self.groups, [group]), before))
            except NotPositiveDefiniteError as error:
                collapsed[group] = error.components
        return Stack.of(found, self.alone) if found else None, collapsed


@dataclass(slots=True, eq=False)
class SideBySide:
    """The state of a loop over a stack of mixtures, from which those leave that have come to their end.

    Stacks have no prior and no acceleration.
    """

    engine: Engine
    stack: Stack
    moments: Moments
    values: list[float]

    @classmethod
    def begin(cls, engine: Engine, stack: Stack) -> State[Mixture]:
        """The state after a pass; where the guard has all components evaluated centred, each goes alone."""
        seen = engine.accumulate_groups(stack.joined)
        if seen is None:
            return OneByOne.begin(engine, stack.alone, stack.list_mixtures())
        each = seen.log_likelihoods + engine.weight * math.log(len(stack.groups))
        return cls(engine, stack, seen.moments, (each / engine.weight + engine.frame.log_det).tolist())

    def get_mixture(self, place: int) -> Mixture:
        return self.stack.get_mixture(place)

    def measure(self) -> list[tuple[float, float | None]]:
        return [(value, None) for value in self.values]

    def get_memory(self, place: int) -> Memory | None:
        return None

    def propose(self, trails: Sequence[Trail[Mixture]], rule: Rule) -> list[Proposal]:
        return [OWN_STEP] * len(trails)

    def step(self, proposals: Sequence[Proposal]) -> tuple[State[Mixture], dict[int, tuple[int, ...]]]:
        stack, collapsed = self.stack.maximise(self.moments)
        if stack is None:
            return self, collapsed
        return SideBySide.begin(self.engine, stack), collapsed

    def take(self, kept: Sequence[int]) -> SideBySide:
        moments, values = take_groups(self.moments, self.stack.groups, kept), [self.values[i] for i in kept]
        return SideBySide(self.engine, self.stack.take(kept), moments, values)


def begin_together(
    engine: Engine, labels: Sequence[IntArray], k: int, m_step: Maximise, weight: float
) -> list[Mixture | None]:
    """The M-step of each labelling of the rows, the rows having this weight; None where it collapses."""
    if m_step.stackable and len(labels) > 1:
        of_all, components = np.stack(labels), np.arange(k)[None, :, None]

        def hard(rows: slice) -> Float64Array:
            members = of_all[:, None, rows] == components
            return np.asarray(members.reshape(-1, members.shape[2]), dtype=np.float64)

        moments = engine.accumulate_given(hard, len(labels) * k, grouped=True)
        return begin_at_moments(moments, Groups((k,) * len(labels)), m_step)
    share = weight / engine.weight
    return [_begin(m_step, accumulate_labels(engine, each, k).scale(share)) for each in labels]


def begin_at_moments(moments: Moments, groups: Groups, m_step: Maximise) -> list[Mixture | None]:
    """The M-step of the moments of mixtures side by side; None for one that collapses."""
    beside = m_step.share_within(groups)
    try:
        joined = beside(moments, None)
    except NotPositiveDefiniteError:
        return [_begin(m_step, take_groups(moments, groups, [group])) for group in range(len(groups))]
    return list(Stack(groups, joined, beside, m_step).list_mixtures())


def _begin(m_step: Maximise, moments: Moments) -> Mixture | None:
    try:
        return m_step(moments, None)
    except NotPositiveDefiniteError:
        return None


def take_groups(moments: Moments, groups: Groups, kept: Sequence[int]) -> Moments:
    """The statistics of some of the mixtures, about the points that they are about."""
    components = groups.components(kept)
    rows = (moments.counts, moments.first, moments.second, moments.centres)
    counts, first, second, centres = (array[components] for array in rows)
    return replace(moments, counts=counts, first=first, second=second, centres=centres)


def em_together(
    engine: Engine,
    mixtures: Sequence[Mixture],
    m_step: Maximise,
    *,
    rule: Rule = ENDLESS,
    max_iter: int,
    watch: WatchTogether | None = None,
) -> list[Run]:
    """EM from each mixture, as :func:`em` would go on its own: the same to rounding.

    Where what EM raises is not the likelihood of Gaussians alone, each has passes of its own.
    """
    if m_step.stackable and len(mixtures) > 1:
        state = SideBySide.begin(engine, Stack.of(mixtures, m_step))
    else:
        state = OneByOne.begin(engine, m_step, mixtures)
    begun = [RunOf(mixture, FitStatus.NOT_RUN, ()) for mixture in mixtures]

    def show(going: Sequence[Trail[Mixture]]) -> bool:
        assert watch is not None
        best = max(going, key=lambda trail: trail.objectives[-1])
        return watch(len(best.history) - 1, best.history[-1])

    return iterate(state, begun, rule=rule, max_iter=max_iter, watch=None if watch is None else show)
