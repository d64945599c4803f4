"""Which mixtures are sound: what a spike is, what a heap is, and components that coincide.

A likelihood has no bound where a component may shrink on a few rows, so the highest of several says nothing
if it is that of a *spike*. Three things look like one and are not. A *heap* is many rows of one value,
which data do have: many in some direction, or a few in all. A component *apart* is a few rows, or a single
one, so far from all others that these could not take them in. And the likelihood of families of one
covariance is bounded: there a small component is as good as any.

Components that *coincide* are one component counted twice: EM's way out of them is flat, so it stays there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from gaussmix._typing import Float64Array, IntArray
from gaussmix.engines import Engine
from gaussmix.fit.mstep.maximise import Maximise
from gaussmix.fit.mstep.regularise import THIN, count_rows_needed
from gaussmix.model.mixture import Mixture
from gaussmix.model.moments.frame import Frame

#: Every optimum is suspect below so many rows for each number of a component's mean, and a constant.
ROWS_NEEDED = 2
#: A component that is thin somewhere is a spike below so many rows for each number of a mean, and a constant.
SPIKE_ROWS = 5
#: The rows of a component are equal below so many spreads of all rows in every direction.
POINT = 1e-4
#: A component is apart where the squared spreads to any other mean are over d + DEVIATIONS sqrt(2 d) + FAR.
DEVIATIONS = 12.0
#: The constant in that.
FAR = 36.0
#: Squared spreads between the means of components that coincide.
NEAR = 1e-4
#: Relative difference of the variances of components that coincide.
ALIKE = 1e-2


@dataclass(frozen=True, eq=False)
class Judge:
    """The judge of a mixture's components, in the coordinates of the engine's frame."""

    engine: Engine
    m_step: Maximise

    def has_few_rows(self, k: int) -> bool:
        """Whether there are so few rows that every optimum of k components is suspect."""
        n, d = self.engine.rows.shape
        return bool(n < ROWS_NEEDED * k * (d + 1))

    def count_flaws(self, mixture: Mixture) -> int:
        """Components whose part of the likelihood says nothing: spikes, and copies of other components."""
        return int(self._suspect_spikes(mixture).sum()) + len(find_coinciding(mixture))

    def find_suspects(self, mixture: Mixture) -> tuple[int, ...]:
        """Components of few rows that are thin somewhere or held, and not apart, at the floor or not."""
        return tuple(int(i) for i in np.flatnonzero(self._suspect_spikes(mixture)))

    def count_doubts(self, mixture: Mixture) -> int:
        """Flaws, and components of fewer rows than a general covariance takes, thin or not.

        A race passes over them: a cluster is rarely that small. They are no reason to prefer a lower
        likelihood to that of EM from k-means.
        """
        return int(self._suspect_spikes(mixture, starved=True).sum()) + len(find_coinciding(mixture))

    def count_heaps(self, mixture: Mixture) -> int:
        """Components of many rows of which the floor or the ridge decides some variance, or all of them."""
        held = list(self.m_step.regularise.find_held(mixture))
        many = ~self._find_small(mixture) | self._find_points(mixture)
        return int(many[held].sum())

    def find_spikes(self, mixture: Mixture) -> tuple[int, ...]:
        """Components that are spikes at the floor: next to no rows in next to no volume, or no rows at all.

        Where there is no floor they end the iteration instead.
        """
        spikes = self.m_step.regularise.find_spikes(mixture, self.engine.n_rows)
        if not spikes:
            return ()
        alone = self._are_apart(mixture, np.array(spikes))
        return tuple(spike for spike, far in zip(spikes, alone, strict=True) if not far)

    def find_apart(self, mixture: Mixture, held: tuple[int, ...]) -> tuple[int, ...]:
        """Components apart: of those held at the least variance, the ones of too few rows that are no spikes.

        They are so far from all others that these could not take their rows in.
        """
        if not held:
            return ()
        places = np.array(held)
        few = places[mixture.weights[places] * self.engine.n_rows < self._rows_needed]
        return tuple(int(i) for i, far in zip(few, self._are_apart(mixture, few), strict=True) if far)

    def _find_small(self, mixture: Mixture) -> npt.NDArray[np.bool_]:
        """Components of so few rows that one which is thin somewhere is a spike."""
        rows = mixture.weights * self.engine.n_rows
        return np.asarray(rows < SPIKE_ROWS * (mixture.means.shape[1] + 1))

    def _find_points(self, mixture: Mixture) -> npt.NDArray[np.bool_]:
        """Components of rows that are equal in every feature, no fewer than a covariance needs."""
        enough = mixture.weights * self.engine.n_rows > self._rows_needed - 0.5
        widest = mixture.variances.max(axis=1)
        return np.asarray(enough & (widest < POINT**2))

    def _suspect_spikes(self, mixture: Mixture, *, starved: bool = False) -> npt.NDArray[np.bool_]:
        structure, (k, d) = mixture.structure, mixture.means.shape
        rows = mixture.weights * self.engine.n_rows
        suspect, few = np.zeros(k, dtype=bool), self._find_small(mixture)
        if starved:
            suspect |= rows < d + 1
        if not structure.least_rows(d) or not few.any():  # no component can shrink by itself, or none does
            return suspect
        suspect |= structure.algebra.stiffness(mixture.roots, self._thin) > 1.0
        suspect[list(self.m_step.regularise.find_held(mixture))] = True
        suspect &= few & ~self._find_points(mixture)
        found = np.flatnonzero(suspect)
        if found.size:
            suspect[found] = ~self._are_apart(mixture, found)
        return suspect

    def _are_apart(self, mixture: Mixture, suspects: IntArray) -> npt.NDArray[np.bool_]:
        """Which of the suspects are far from all that are none, as these see it."""
        k, d = mixture.means.shape
        others = np.setdiff1d(np.arange(k), suspects)
        others = others[mixture.weights[others] > 0.0]
        if not others.size or not suspects.size:
            return np.zeros(len(suspects), dtype=bool)
        nearest = measure_distances(mixture, suspects)[:, others].min(axis=1)
        present = mixture.weights[suspects] * self.engine.n_rows > 0.5
        return np.asarray((nearest > d + DEVIATIONS * np.sqrt(2.0 * d) + FAR) & present)

    @property
    def _rows_needed(self) -> int:
        """Rows that a component's covariance needs."""
        return max(count_rows_needed(self.engine.structure, self.engine.rows.shape[1]), 2)

    @cached_property
    def _thin(self) -> Float64Array:
        # in the frame, where the rows have unit spread in every direction that the family can turn to
        unit = Frame(self.engine.frame.origin, np.asarray(1.0), np.asarray(1.0))
        algebra = self.engine.structure.algebra
        return algebra.map_variances(np.full(self.engine.rows.shape[1], THIN**2), unit)


def measure_distances(mixture: Mixture, components: IntArray) -> Float64Array:
    """(m_i - m_j)' P_j (m_i - m_j) for each i of some components and all j, shape (i, k)."""
    algebra, roots, means = mixture.structure.algebra, mixture.roots, mixture.means
    found = np.empty((len(components), len(means)))
    for row, i in enumerate(components):
        Y = algebra.whiten(roots, means[i] - means)
        found[row] = np.vecdot(Y, Y)
    return found


def find_coinciding(mixture: Mixture) -> tuple[tuple[int, int], ...]:
    """Pairs of components that are the same, each component once as the second."""
    k, d = mixture.means.shape
    if k == 1:
        return ()
    near = measure_distances(mixture, np.arange(k)) < NEAR
    if near.sum() == k:  # each to itself
        return ()
    variances = np.log(mixture.variances)
    sizes = np.broadcast_to(mixture.structure.algebra.log_det(mixture.roots, d), (k,))
    pairs = []
    for j in range(1, k):
        for i in np.flatnonzero(near[j, :j] & near[:j, j]):
            alike = np.abs(variances[i] - variances[j]).max() < ALIKE and abs(sizes[i] - sizes[j]) < ALIKE * d
            if alike:
                pairs.append((int(i), j))
                break
    return tuple(pairs)
