"""Rows of which some have a label, and an engine whose passes let a labelled row belong to its class alone.

As trimming is, labels are a policy for any engine. EM and the M-step know nothing of it.

References
----------
D. J. Miller and H. S. Uyar, A mixture of experts classifier with learning based on both labelled and
unlabelled data, Adv. Neural Inf. Process. Syst. 9 (1997) 571-577.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import RandomState

from gaussmix._typing import Float64Array, IntArray
from gaussmix.data.rows import Rows
from gaussmix.engines import Engine
from gaussmix.model.kernels.natural import HasNatural
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.order import take_components
from gaussmix.model.moments.statistics import Pass

#: The label of a row whose class is not known.
UNKNOWN = -1


@dataclass(frozen=True, eq=False)
class LabelledRows:
    """Rows of positive weight and their classes."""

    rows: Rows
    #: The class of each row, 0 .. n_classes - 1, or UNKNOWN; shape (n,).
    labels: IntArray
    n_classes: int
    #: What messages call the classes; by default their numbers.
    names: tuple[str, ...] = ()

    @property
    def known(self) -> IntArray:
        """The places of rows with a label."""
        return np.flatnonzero(self.labels != UNKNOWN)

    @property
    def is_complete(self) -> bool:
        """Whether every row has a label."""
        return bool((self.labels != UNKNOWN).all())

    def weigh_classes(self) -> Float64Array:
        """The weight of the labelled rows of each class, shape (n_classes,)."""
        known = self.known
        counts = np.bincount(self.labels[known], self.rows.masses[known], minlength=self.n_classes)
        return counts.astype(np.float64)

    def count_classes(self) -> IntArray:
        """The number of labelled rows of each class, shape (n_classes,)."""
        return np.bincount(self.labels[self.known], minlength=self.n_classes)

    def count_rows(self) -> Float64Array:
        """How many labelled rows each class has: weights over one are copies, others may be shares of one."""
        return np.maximum(self.weigh_classes(), self.count_classes())

    def weigh_unlabelled(self, weight: float) -> LabelledRows:
        """The same, with rows without a label counting so much, beside those with one."""
        if self.is_complete or weight == 1.0:
            return self
        if weight == 0.0:
            return self.take(self.known)
        masses = np.where(self.labels == UNKNOWN, weight * self.rows.masses, self.rows.masses)
        return replace(self, rows=replace(self.rows, weights=masses))

    def take(self, places: IntArray) -> LabelledRows:
        """The rows at some places."""
        return replace(self, rows=self.rows.take(places), labels=self.labels[places])


class Labelled:
    """The rows of an engine, of which a labelled one belongs to components of its class alone.

    A pass is one over the rows of each class, with the components of that class, and one over the rows
    without a label, with all of them. It costs no more than the passes of each class by itself.

    Parameters
    ----------
    engine : Engine
    labels : ndarray of int of shape (n,)
        The class of each row, or UNKNOWN.
    owners : ndarray of int of shape (k,)
        The class of each component.
    """

    def __init__(self, engine: Engine, labels: IntArray, owners: IntArray) -> None:
        self.engine, self.labels, self.owners = engine, labels, owners
        self.rows, self.structure, self.form = engine.rows, engine.structure, engine.form
        self.frame, self.scales = engine.frame, engine.scales
        self.weight, self.n_rows = engine.weight, engine.n_rows
        self.accumulate_given, self.find_means = engine.accumulate_given, engine.find_means
        self.evaluate, self.find_quantile = engine.evaluate, engine.find_quantile
        #: The rows of each class, and its components.
        self._parts = [
            (engine.take(np.flatnonzero(labels == c)), np.flatnonzero(owners == c))
            for c in np.unique(labels[labels != UNKNOWN]).tolist()
        ]
        unknown = np.flatnonzero(labels == UNKNOWN)
        #: The rows without a label.
        self._unlabelled = engine.take(unknown) if unknown.size else None

    def accumulate(self, mixture: HasNatural, **options: Any) -> Pass:
        """One pass; its log-likelihood is that of labelled rows with their classes, and of the others."""
        assert isinstance(mixture, Mixture)
        passes = [
            (part.accumulate(take_components(mixture, own), **options), own) for part, own in self._parts
        ]
        found = join_passes(passes, len(self.owners))
        if self._unlabelled is None:
            return found
        others = self._unlabelled.accumulate(mixture, **options)
        if others.moments.axes is not None:  # of classes without a row here, too
            found = replace(found, moments=replace(found.moments, axes=others.moments.axes))
        return found + others

    def accumulate_groups(self, joined: Mixture) -> None:
        """None: in passes of mixtures side by side rows know no classes."""

    def take(self, places: IntArray) -> Engine:
        """The rows at some places, with their labels."""
        return Labelled(self.engine.take(places), self.labels[places], self.owners)

    def sample(self, most: int, rng: RandomState | None = None) -> Engine:
        """All rows, or of more than `most` a sample."""
        places = self.rows.choose(most, rng)
        return self if places is None else self.take(places)


def join_passes(passes: Sequence[tuple[Pass, IntArray]], k: int) -> Pass:
    """One pass of k components, of which each of the passes has some, and no two have the same."""

    def join(parts: Sequence[Float64Array]) -> Float64Array:
        of_all = np.zeros((k, *parts[0].shape[1:]))
        for values, (_, own) in zip(parts, passes, strict=True):
            of_all[own] = values
        return of_all

    each = [found.moments for found, _ in passes]
    axes = [moments.axes for moments in each if moments.axes is not None]
    joined = replace(
        each[0],
        counts=join([moments.counts for moments in each]),
        first=join([moments.first for moments in each]),
        second=join([moments.second for moments in each]),
        centres=join([moments.centres for moments in each]),
        pooled=sum((moments.pooled for moments in each[1:]), each[0].pooled),
        axes=join(axes) if axes else None,
    )
    return Pass(joined, np.sum([found.log_likelihoods for found, _ in passes], axis=0))
