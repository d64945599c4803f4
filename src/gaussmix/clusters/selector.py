"""The search for the features that tell clusters apart: what a set of them is worth, and its steps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np

from gaussmix._typing import FloatArray
from gaussmix.clusters.regression import Regression
from gaussmix.data.rows import Rows
from gaussmix.fit.one_mixture import fit_mixture
from gaussmix.fit.result import FitResult
from gaussmix.select.search import search
from gaussmix.select.search_result import SearchResult

Action = Literal["take", "drop"]

#: Iterations of the fit that shows whether a feature is worth those of all models.
QUICK_ITERATIONS = 30


@dataclass(frozen=True)
class SelectionStep:
    """One step of :func:`gaussmix.select_features`: the best feature to take or drop, and whether it was.

    Parameters
    ----------
    action : {"take", "drop"}
    feature : int
        Its place among the columns.
    name : str
    difference : float
        By how much BIC is less where this feature tells clusters apart, too, than where it is a regression on
        the others: evidence for it if positive; over 10 it is very strong.
    bic : float
        Of the clusters by the selected features and this one ("take"), or by those without it ("drop").
    covariance_type : str
        Of the model with that BIC; "" where no feature is left.
    n_components : int
        Likewise, or 0.
    accepted : bool
    """

    action: Action
    feature: int
    name: str
    difference: float
    bic: float
    covariance_type: str
    n_components: int
    accepted: bool


class Clusters(NamedTuple):
    """The best fit to some features, and the family and number of components that it was asked for by."""

    fit: FitResult | None = None
    model: tuple[str, int] = ("", 0)

    @property
    def bic(self) -> float:
        """Infinity where there is no fit."""
        return math.inf if self.fit is None else self.fit.bic


def choose_clusters(result: SearchResult) -> Clusters:
    """The sound fit of least BIC of which no component is held.

    A held one sits on rows of one value (a heap). Its likelihood depends on the least variance allowed, and a
    feature of many heaps would win over all others.
    """
    free = [Clusters(fit, model) for model, fit in result.sound.items() if not fit.held]
    return min(free, key=lambda found: found.bic, default=Clusters())


@dataclass(frozen=True, eq=False)
class Selector:
    """The rows, the models to try, and what has been found out of sets of features."""

    rows: Rows
    names: tuple[str, ...]
    numbers: tuple[int, ...]
    options: dict[str, Any]
    max_candidates: int
    found: dict[frozenset[int], Clusters] = field(default_factory=dict)

    @cached_property
    def regression(self) -> Regression:
        """The regression of each feature on others."""
        return Regression.of(self.rows.array.astype(np.float64, copy=False), self.rows.weights)

    @cached_property
    def varying(self) -> tuple[int, ...]:
        """The features that are not constant."""
        return tuple(int(place) for place in np.flatnonzero(self.regression.variances > 0.0))

    @cached_property
    def alone(self) -> dict[int, float]:
        """For each feature by itself, how much less the BIC of clusters is than that of one Gaussian."""
        return {
            feature: self.regression.find_bic(feature, ()) - self.find_bic([feature])
            for feature in self.varying
        }

    def search(self, features: Sequence[int], numbers: Iterable[int]) -> SearchResult:
        """The models of some features, in this order; of one feature mclust's two."""
        options = self.options if len(features) > 1 else self.options | {"covariance_type": "all"}
        return search(
            self.take(features),
            list(numbers),
            sample_weight=self.rows.weights,
            feature_names=[self.names[place] for place in features],
            **options,
        )

    def take(self, features: Sequence[int]) -> FloatArray:
        """Some columns of the rows."""
        return np.ascontiguousarray(self.rows.array[:, list(features)])

    def find(self, features: Iterable[int]) -> Clusters:
        """The best clusters by some features."""
        wanted = frozenset(features)
        if wanted not in self.found:
            result = self.search(sorted(wanted), [k for k in self.numbers if k > 1])
            self.found[wanted] = choose_clusters(result)
        return self.found[wanted]

    def find_bic(self, features: Iterable[int]) -> float:
        """The BIC of the best clusters by some features; infinity where no model is sound."""
        return self.find(features).bic

    def compare(self, feature: int, others: Iterable[int], bic: float) -> float:
        """How much less the BIC is of clusters by all features, given it, than with this one regressed."""
        rest = [other for other in others if other != feature]
        if not rest:
            return self.alone[feature]
        return _subtract(self.find_bic(rest) + self.regression.find_bic(feature, rest), bic)

    def shortlist(self, action: Action, selected: Sequence[int], candidates: Sequence[int]) -> list[int]:
        """The candidates that are worth fits of all models, by one quick fit each.

        For "take", half of the places are for those that tell most apart alone: the quick fit has the
        clusters of the selected features, and may miss new ones.
        """
        if len(candidates) <= self.max_candidates:
            return list(candidates)
        sign = 1.0 if action == "take" else -1.0
        quick = {feature: sign * self._compare_quickly(action, feature, selected) for feature in candidates}
        by_fit = sorted(candidates, key=lambda feature: -quick[feature])
        by_itself = sorted(candidates, key=lambda feature: -self.alone[feature])
        first = by_fit[: self.max_candidates - (self.max_candidates // 2 if action == "take" else 0)]
        return [*first, *(other for other in by_itself if other not in first)][: self.max_candidates]

    def _compare_quickly(self, action: Action, feature: int, selected: Sequence[int]) -> float:
        """The comparison by a fit that begins at the clusters of the selected features, of their family."""
        best = self.find(selected).fit
        if best is None:
            return -math.inf
        rest = sorted(other for other in selected if other != feature)
        columns = sorted({*rest, feature}) if action == "take" else rest
        structure = best.mixture.structure
        family = structure.name
        if min(len(selected), len(columns)) == 1:  # families of one feature and of several differ
            family = "EEE" if structure.shared else "VVV"
        try:
            quick = fit_mixture(
                self.take(columns),
                best.mixture.n_components,
                covariance_type=family,
                sample_weight=self.rows.weights,
                start=best.mixture.responsibilities(self.take(sorted(selected))),
                max_iter=QUICK_ITERATIONS,
            ).bic
        except ValueError:
            return -math.inf
        regressed = self.regression.find_bic(feature, rest)
        if action == "take":
            return _subtract(best.bic + regressed, quick)
        return _subtract(quick + regressed, best.bic)

    def find_take(
        self, selected: Sequence[int], most: int, least: float, *, forced: bool = False
    ) -> SelectionStep | None:
        """The feature with most evidence, taken if that exceeds the least, or where the step is forced."""
        candidates = [feature for feature in self.varying if feature not in selected]
        if not candidates or len(selected) >= most:
            return None
        if selected:
            candidates = self.shortlist("take", selected, candidates)
        evidence = [
            self.compare(feature, selected, self.find_bic([*selected, feature])) for feature in candidates
        ]
        place = int(np.argmax(evidence))
        accepted = evidence[place] > least or (forced and math.isfinite(evidence[place]))
        after = [*selected, candidates[place]]
        return self._report("take", candidates[place], evidence[place], after, accepted=accepted)

    def find_drop(self, selected: Sequence[int], least: float) -> SelectionStep | None:
        """The feature with least evidence, dropped if that is no more than the least allowed."""
        if not selected:
            return None
        candidates = self.shortlist("drop", selected, selected)
        evidence = [self.compare(feature, selected, self.find_bic(selected)) for feature in candidates]
        place = int(np.argmin(evidence))
        after = [other for other in selected if other != candidates[place]]
        accepted = evidence[place] <= least
        return self._report("drop", candidates[place], evidence[place], after, accepted=accepted)

    def _report(
        self, action: Action, feature: int, difference: float, after: Sequence[int], *, accepted: bool
    ) -> SelectionStep:
        found = self.find(after) if after else Clusters()
        return SelectionStep(
            action, feature, self.names[feature], difference, found.bic, *found.model, accepted
        )


def iterate_steps(selector: Selector, most: int, least: float) -> Iterator[SelectionStep]:
    """Take two features, then take one and drop one in turn, until a set of features comes again."""
    selected: list[int] = []
    for _ in range(2):
        step = selector.find_take(selected, most, least, forced=True)
        if step is not None:
            yield step
            selected = apply_step(step, selected)
    seen: set[frozenset[int]] = set()
    kept: set[frozenset[int]] = set()  # those of which no feature could be dropped
    while frozenset(selected) not in seen:
        seen.add(frozenset(selected))
        step = selector.find_take(selected, most, least)
        if step is not None:
            yield step
            selected = apply_step(step, selected)
        step = None if frozenset(selected) in kept else selector.find_drop(selected, least)
        if step is not None:
            yield step
            if not step.accepted:
                kept.add(frozenset(selected))
            selected = apply_step(step, selected)


def apply_step(step: SelectionStep, selected: Sequence[int]) -> list[int]:
    """The selected features after a step."""
    if not step.accepted:
        return list(selected)
    if step.action == "take":
        return [*selected, step.feature]
    return [feature for feature in selected if feature != step.feature]


def _subtract(without: float, bic: float) -> float:
    """The difference of two criteria: minus infinity where there is no evidence."""
    return without - bic if math.isfinite(bic) and without > -math.inf else -math.inf
