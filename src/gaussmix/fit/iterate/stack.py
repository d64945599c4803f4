"""Several mixtures iterated together: a pass and an M-step for all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.engines.local import LocalEngine
from gaussmix.fit.iterate.acceleration import OWN_STEP
from gaussmix.fit.iterate.em import Rule, Run, em
from gaussmix.fit.mstep.maximise import Maximise
from gaussmix.fit.result import FitStatus
from gaussmix.fit.starts.base import clustered
from gaussmix.model.covariance import NotPositiveDefiniteError
from gaussmix.model.mixture import Mixture
from gaussmix.model.moments.groups import Groups
from gaussmix.model.moments.statistics import Moments, Pass

#: EM for as many iterations as it may take.
ENDLESS = Rule(0.0)


@dataclass(frozen=True, eq=False)
class Stack:
    """Mixtures of one family, side by side as one mixture of all their components.

    Each has an equal part of its weight: the density is the mean of theirs.

    Parameters
    ----------
    groups : Groups
    joined : Mixture
    m_step, alone : Maximise
        Of all of them, and of one by itself.
    """

    groups: Groups
    joined: Mixture
    m_step: Maximise
    alone: Maximise

    @classmethod
    def of(cls, mixtures: Sequence[Mixture], m_step: Maximise) -> Self:
        """These, in order."""
        groups = Groups(tuple(m.n_components for m in mixtures))

        def each(name: str) -> Float64Array:
            return np.concatenate([m_step.structure.each(getattr(m, name), m.n_components) for m in mixtures])

        weights = np.concatenate([m.weights for m in mixtures]) / len(mixtures)
        means = np.concatenate([m.means for m in mixtures])
        beside = m_step.beside(groups)
        parts = weights, means, each("covariances"), each("precisions_cholesky")
        return cls(groups, Mixture.of_parts(beside.structure, *parts), beside, m_step)

    def mixture(self, group: int) -> Mixture:
        """One by itself."""
        whole, part, family = self.joined, self.groups.slices[group], self.alone.structure
        return whole.replace(
            structure=family,
            weights=whole.weights[part] * len(self.groups),
            means=whole.means[part],
            covariances=family.common(whole.covariances[part]),
            precisions_cholesky=family.common(whole.precisions_cholesky[part]),
        )

    def mixtures(self) -> list[Mixture]:
        """Each by itself."""
        return [self.mixture(group) for group in range(len(self.groups))]

    def taken(self, kept: Sequence[int]) -> Stack:
        """Some of them."""
        whole, components, groups = self.joined, self.groups.components(kept), self.groups.of(kept)
        weights = whole.weights[components] * (len(self.groups) / len(groups))
        beside = self.alone.beside(groups)
        joined = whole.replace(
            structure=beside.structure,
            weights=weights,
            means=whole.means[components],
            covariances=whole.covariances[components],
            precisions_cholesky=whole.precisions_cholesky[components],
        )
        return Stack(groups, joined, beside, self.alone)

    def accumulate(self, engine: LocalEngine) -> Pass | None:
        """One pass: the moments of all components, and the log-likelihood of each mixture."""
        seen = engine.accumulate_groups(self.joined)
        own = engine.weight * math.log(len(self.groups))
        return seen and replace(seen, log_likelihoods=seen.log_likelihoods + own)

    def maximised(self, moments: Moments) -> tuple[list[int], Stack | None]:
        """The M-step of all, and which of them have one: those that collapse are left out."""
        try:
            joined = self.m_step(moments, self.joined)
            return list(range(len(self.groups))), replace(self, joined=joined)
        except NotPositiveDefiniteError:
            pass
        found = {}
        for group, before in enumerate(self.mixtures()):
            try:
                found[group] = self.alone(taken(moments, self.groups, [group]), before)
            except NotPositiveDefiniteError:
                continue
        return list(found), Stack.of(list(found.values()), self.alone) if found else None


def begin_together(
    engine: LocalEngine, labels: Sequence[IntArray], m_step: Maximise, weight: float
) -> list[Mixture | None]:
    """The M-step of each labelling of the rows, the rows having this weight; None where it collapses."""
    if _stackable(engine, m_step) and len(labels) > 1:
        moments = engine.statistics_of_labels(labels)
        groups = Groups((engine.n_components,) * len(labels))
        beside = m_step.beside(groups)
        try:
            joined = beside(moments, None)
        except NotPositiveDefiniteError:
            return [_first(m_step, taken(moments, groups, [group])) for group in range(len(labels))]
        return list(Stack(groups, joined, beside, m_step).mixtures())
    return [_first(m_step, clustered(engine, each).scale(weight / engine.weight)) for each in labels]


def _first(m_step: Maximise, moments: Moments) -> Mixture | None:
    try:
        return m_step(moments, None)
    except NotPositiveDefiniteError:
        return None


def _stackable(engine: LocalEngine, m_step: Maximise) -> bool:
    return m_step.plain and not (engine.cores or engine.noise or engine.trim)


def taken(moments: Moments, groups: Groups, kept: Sequence[int]) -> Moments:
    """The statistics of some of the mixtures, about the points that they are about."""
    components = groups.components(kept)
    rows = (moments.counts, moments.first, moments.second, moments.centres)
    counts, first, second, centres = (array[components] for array in rows)
    return replace(moments, counts=counts, first=first, second=second, centres=centres)


def em_together(
    engine: LocalEngine,
    mixtures: Sequence[Mixture],
    m_step: Maximise,
    *,
    rule: Rule = ENDLESS,
    max_iter: int,
    log_prior: Callable[[Mixture], float] | None = None,
) -> list[Run]:
    """EM from each mixture, as :func:`em` would go on its own: the same to rounding.

    Where what EM raises is not the likelihood of Gaussians alone, or the guard has all components evaluated
    centred, they go one by one.
    """
    together = Together(engine, m_step, rule, max_iter)
    if _stackable(engine, m_step) and len(mixtures) > 1:
        return together(mixtures)
    return [together.alone(mixture, (), log_prior) for mixture in mixtures]


class Together:
    """EM of a stack from which those leave that have come to their end.

    Parameters
    ----------
    engine : LocalEngine
    m_step : Maximise
    rule : Rule
    max_iter : int
    """

    def __init__(self, engine: LocalEngine, m_step: Maximise, rule: Rule, max_iter: int) -> None:
        self.engine, self.m_step, self.rule, self.max_iter = engine, m_step, rule, max_iter
        self.histories: list[list[float]] = []
        self.ended: dict[int, Run] = {}

    def __call__(self, mixtures: Sequence[Mixture]) -> list[Run]:
        """The runs, in the order of the mixtures."""
        self.histories = [[] for _ in mixtures]
        stack, places = Stack.of(mixtures, self.m_step), list(range(len(mixtures)))
        met: list[int] = []  # those that have converged, which make one iteration more
        for iteration in range(self.max_iter + 1):
            seen = stack.accumulate(self.engine)
            if seen is None:
                self._go_alone(stack, places)
                break
            moments = seen.moments
            self._record(seen.log_likelihoods, places)
            self._end(met, FitStatus.CONVERGED, stack, places)
            going = [group for group in range(len(places)) if group not in met]
            if iteration == self.max_iter:
                self._end(going, FitStatus.MAX_ITER if self.max_iter else FitStatus.NOT_RUN, stack, places)
                break
            if not going:
                break
            if met:
                moments, stack = taken(moments, stack.groups, going), stack.taken(going)
                places = [places[group] for group in going]
            kept, after = stack.maximised(moments)
            gone = [group for group in range(len(places)) if group not in kept]
            self._end(gone, FitStatus.DEGENERATE, stack, places)
            if after is None:
                break
            stack, places = after, [places[group] for group in kept]
            if self.rule.tol > 0.0:
                met = [group for group, place in enumerate(places) if self._met(self.histories[place])]
        return [self.ended[place] for place in range(len(mixtures))]

    def _record(self, log_likelihoods: Float64Array, places: Sequence[int]) -> None:
        values = log_likelihoods / self.engine.weight + self.engine.frame.log_det
        for place, value in zip(places, values.tolist(), strict=True):
            self.histories[place].append(value)

    def _end(self, groups: Sequence[int], status: FitStatus, stack: Stack, places: Sequence[int]) -> None:
        for group in groups:
            place = places[group]
            self.ended[place] = Run(stack.mixture(group), status, tuple(self.histories[place]))

    def _met(self, history: list[float]) -> bool:
        gain = history[-1] - history[-2] if len(history) > 1 else math.inf
        return self.rule.met(gain, history, OWN_STEP, False)

    def _go_alone(self, stack: Stack, places: Sequence[int]) -> None:
        for place, mixture in zip(places, stack.mixtures(), strict=True):
            self.ended[place] = self.alone(mixture, self.histories[place])

    def alone(
        self,
        mixture: Mixture,
        history: Sequence[float],
        log_prior: Callable[[Mixture], float] | None = None,
    ) -> Run:
        """The run of one mixture, which begins after so much of a history."""
        run = em(
            self.engine,
            Run(mixture, FitStatus.NOT_RUN, ()),
            self.m_step,
            rule=self.rule,
            max_iter=self.max_iter - len(history),
            previous=history[-1] if history else -math.inf,
            log_prior=log_prior,
        )
        return replace(run, history=(*history, *run.history))
