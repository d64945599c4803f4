"""Several mixtures iterated together: a pass builds the features of the rows once, for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.engines.local import LocalEngine
from gaussmix.fit.em import MStep, Rule, Run, em
from gaussmix.fit.result import FitStatus
from gaussmix.model.mixture import Mixture
from gaussmix.model.stats import Stats
from gaussmix.model.structures import NotPositiveDefiniteError, Structure

#: EM for as many iterations as it may take.
ENDLESS = Rule(0.0)


def stackable(structure: Structure) -> bool:
    """Whether components have nothing in common, so that one M-step serves those of many mixtures."""
    return not structure.coupled and structure.form.own != "none" and not structure.form.n_axes


@dataclass(frozen=True, eq=False)
class Stack:
    """Mixtures of one family and size, side by side as one mixture of all their components.

    Each has an equal part of its weight: the density is the mean of theirs.
    """

    joined: Mixture
    groups: int

    @classmethod
    def of(cls, mixtures: Sequence[Mixture]) -> Self:
        """These, in order."""
        weights = np.concatenate([m.weights for m in mixtures]) / len(mixtures)
        means, covariances, factors = (
            np.concatenate([getattr(m, name) for m in mixtures])
            for name in ("means", "covariances", "precisions_cholesky")
        )
        joined = Mixture._trusted(mixtures[0].structure, weights, means, covariances, factors)
        return cls(joined, len(mixtures))

    def mixtures(self) -> list[Mixture]:
        """Each by itself."""
        whole, k = self.joined, len(self.joined.means) // self.groups
        parts = [slice(g * k, (g + 1) * k) for g in range(self.groups)]
        return [
            Mixture._trusted(
                whole.structure,
                whole.weights[part] * self.groups,
                whole.means[part],
                whole.covariances[part],
                whole.precisions_cholesky[part],
            )
            for part in parts
        ]

    def accumulate(self, engine: LocalEngine) -> tuple[Stats, Float64Array] | None:
        """One pass: the statistics of all components, and the log-likelihood of each mixture."""
        seen = engine.accumulate_groups(self.joined, self.groups)
        return seen and (seen[0], seen[1] + engine.weight * np.log(self.groups))


def together(
    engine: LocalEngine,
    mixtures: Sequence[Mixture],
    m_step: MStep,
    n_iter: int,
    *,
    plain: bool = True,
    log_prior: Callable[[Mixture], float] | None = None,
) -> list[tuple[Mixture, float] | None]:
    """So many iterations of EM from each mixture; None for those that collapse.

    With each comes what EM raises, for each unit of weight. Unless the M-step is `plain`, of the likelihood
    of Gaussians alone, and where components share a part of their covariances, they go one by one: the
    result is the same to rounding.
    """
    if plain and len(mixtures) > 1 and stackable(engine.structure):
        ended = _stacked(engine, mixtures, m_step, n_iter)
        if ended is not None:
            return ended

    def alone(mixture: Mixture) -> tuple[Mixture, float] | None:
        begun = Run(mixture, FitStatus.NOT_RUN, ())
        run = em(engine, begun, m_step, rule=ENDLESS, max_iter=n_iter, log_prior=log_prior)
        return None if run.status == FitStatus.DEGENERATE else (run.mixture, run.objective)

    return [alone(mixture) for mixture in mixtures]


def _stacked(
    engine: LocalEngine, mixtures: Sequence[Mixture], m_step: MStep, n_iter: int
) -> list[tuple[Mixture, float] | None] | None:
    """All in one stack; None where the guard does not allow it."""
    stack, places = Stack.of(mixtures), list(range(len(mixtures)))
    seen = stack.accumulate(engine)
    for _ in range(n_iter):
        if seen is None:
            return None
        kept, found = _step(m_step, seen[0], stack)
        if found is None:
            return [None] * len(mixtures)
        stack, places = found, [places[g] for g in kept]
        seen = stack.accumulate(engine)
    if seen is None:
        return None
    ended: list[tuple[Mixture, float] | None] = [None] * len(mixtures)
    values = seen[1] / engine.weight + engine.frame.log_det
    for place, mixture, value in zip(places, stack.mixtures(), values.tolist(), strict=True):
        ended[place] = mixture, value
    return ended


def _step(m_step: MStep, stats: Stats, stack: Stack) -> tuple[Iterable[int], Stack | None]:
    """The M-step of all mixtures, without those of which it finds none."""
    try:
        return range(stack.groups), replace(stack, joined=m_step(stats, stack.joined))
    except NotPositiveDefiniteError:
        pass
    found = {}
    k = stats.n_components // stack.groups
    for group, before in enumerate(stack.mixtures()):
        try:
            found[group] = m_step(taken(stats, np.arange(group * k, (group + 1) * k)), before)
        except NotPositiveDefiniteError:
            continue
    return found, Stack.of(list(found.values())) if found else None


def taken(stats: Stats, components: IntArray) -> Stats:
    """The statistics of some components, about the points that they are about."""
    rows = (stats.counts, stats.first, stats.second, stats.centres)
    counts, first, second, centres = (array[components] for array in rows)
    return replace(stats, counts=counts, first=first, second=second, centres=centres)
