"""Which two components merge next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.mixture.reduction.cloud import Cloud


class Pairs(Protocol):
    """A rule that finds the next two, and hears of each merge."""

    def find(self) -> tuple[int, int]:
        """The places of the next two to merge."""

    def note_merge(self, first: int, second: int) -> None:
        """The second became a part of the first, and the last component has its place."""


#: Most components of which all costs are kept, in 400 MB; of more, what is needed again is measured again.
MOST_KEPT = 10_000

Measure = Callable[[int, slice], Float64Array]


class NearestPairs:
    """The two components of least cost, whatever the cost is.

    Each component keeps the least of its costs. Where its partner has merged, that is a bound from below of
    those that are left, and they are looked at anew only once it is the least of all (as in the generic
    algorithm of hierarchical clustering).

    References
    ----------
    D. Müllner, Modern hierarchical, agglomerative clustering algorithms, arXiv:1109.2378 (2011), section 3.1.
    """

    def __init__(self, cloud: Cloud, measure: Measure) -> None:
        n = cloud.n
        self._cloud, self._measure = cloud, measure
        self._kept = np.empty((n, n), dtype=np.float32) if n <= MOST_KEPT else None
        self._least = np.full(n, np.inf)
        self._partners = np.zeros(n, dtype=np.int64)
        self._exact = np.ones(n, dtype=bool)
        for place in range(n - 1):
            self._measure_some(place, slice(place + 1, n))

    def find(self) -> tuple[int, int]:
        """The places of the two of least cost."""
        n = self._cloud.n
        while True:
            place = int(np.argmin(self._least[:n]))
            if self._exact[place]:
                partner = int(self._partners[place])
                return min(place, partner), max(place, partner)
            self._look_again(place)

    def note_merge(self, first: int, second: int) -> None:
        """Forget what was the second's, and measure the first anew."""
        n = self._cloud.n
        for array in (self._least, self._partners, self._exact):
            array[second] = array[n]
        if self._kept is not None:
            self._kept[second, :n], self._kept[:n, second] = self._kept[n, :n], self._kept[:n, n]
        partners = self._partners[:n]
        self._exact[:n] &= (partners != first) & (partners != second)
        partners[partners == n] = second
        self._measure_anew(first)

    def _look_again(self, place: int) -> None:
        """Find the least of a component's costs among those that are left."""
        if self._kept is None:
            self._measure_anew(place)
            return
        costs = self._kept[place, : self._cloud.n]
        costs[place] = np.inf
        self._partners[place] = np.argmin(costs)
        self._least[place] = costs[self._partners[place]]
        self._exact[place] = True

    def _measure_anew(self, place: int) -> None:
        self._least[place] = np.inf
        for others in (slice(0, place), slice(place + 1, self._cloud.n)):
            if others.stop > others.start:
                self._measure_some(place, others)
        self._exact[place] = True

    def _measure_some(self, place: int, others: slice) -> None:
        """Measure the costs of a component with others, for it and for each of them."""
        costs = self._measure(place, others)
        if self._kept is not None:
            self._kept[place, others] = self._kept[others, place] = costs
            costs = self._kept[place, others].astype(np.float64)  # one number for a pair, wherever it stands
        nearest = int(np.argmin(costs))
        if costs[nearest] < self._least[place]:
            self._least[place], self._partners[place] = costs[nearest], others.start + nearest
        better = others.start + np.flatnonzero(costs <= self._least[others])
        self._least[better] = costs[better - others.start]
        self._partners[better] = place
        self._exact[better] = True


class LightestPairs:
    """The component of least weight, and the one whose mean is nearest to its own."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def find(self) -> tuple[int, int]:
        """The places of the lightest and its nearest."""
        n = self._cloud.n
        place = int(np.argmin(self._cloud.weights[:n]))
        distances = self._cloud.measure_distances(place, slice(0, n))
        distances[place] = np.inf
        partner = int(np.argmin(distances))
        return min(place, partner), max(place, partner)

    def note_merge(self, first: int, second: int) -> None:
        """Nothing is kept."""
