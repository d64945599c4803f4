"""The racers of a race: kinds of labelled starts, how many of each, and a racer on its way."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.random import RandomState

from gaussmix._typing import IntArray
from gaussmix.engines import Engine
from gaussmix.fit.iterate.em import NO_PAST, Past, Run
from gaussmix.fit.iterate.stack import begin_together
from gaussmix.fit.mstep.maximise import Maximise
from gaussmix.fit.race import labelled
from gaussmix.fit.result import StartReport
from gaussmix.model.mixture import Mixture

#: The racer that EM from k-means has led to.
KNOWN = "EM from k-means"


class Kind(NamedTuple):
    """A kind of starts: its name, how the rows are labelled, and how many begin."""

    name: str
    label: labelled.Labelling
    n_starts: int


#: The starts that begin beside k-means.
FIRST = (
    Kind("pca", labelled.label_by_axes, 1),
    Kind("kmeans", labelled.label_by_means, 2),
    Kind("k-means++", labelled.label_by_seeds, 2),
    Kind("random_from_data", labelled.label_by_rows, 1),
)
#: Features beyond which the first of these, which needs a matrix of them, does not take part.
WIDEST = 100
#: The starts that join where these do not agree: many cheap ones, since a few iterations tell them apart.
MORE = (
    Kind("k-means++", labelled.label_by_seeds, 32),
    Kind("random_from_data", labelled.label_by_rows, 8),
)
#: The start that joins, too, where it costs a small part of the budget.
HIERARCHY = (Kind("agglomerative", labelled.label_by_hierarchy, 1),)
#: The least of the budget, in costs of a hierarchy, for it to join.
HIERARCHY_SHARE = 6.0
#: A racer gains at most about so many times the gain of its last iteration.
LONG = 30.0


@dataclass(frozen=True)
class Racer:
    """A mixture on its way.

    Where it is from, its iterations, what EM has raised so far and by how much last. `past` is all that EM
    did on the way, that of the run which it is from included.
    """

    source: str
    mixture: Mixture
    n_iter: int = 0
    value: float = -np.inf
    gain: float = np.inf
    past: Past = NO_PAST

    @property
    def potential(self) -> float:
        """About the most that EM may raise it to."""
        return self.value + LONG * self.gain

    def advance(self, run: Run) -> Racer:
        """The racer at the end of a run."""
        values = run.objectives
        gain = abs(values[-1] - values[-2]) if len(values) > 1 else np.inf
        n_iter = self.n_iter + len(values) - 1
        past = run.append_to(self.past)
        return replace(self, mixture=run.mixture, n_iter=n_iter, value=values[-1], gain=gain, past=past)

    def report(self, outcome: str) -> StartReport:
        """The report of its outcome."""
        return StartReport(self.source, self.n_iter, self.value, outcome)


@dataclass
class Field:
    """The starts of a race over some rows, never twice the same."""

    rows: Engine
    #: The weight of all rows, of which these may be a sample: a prior weighs against all.
    weight: float
    k: int
    m_step: Maximise
    rng: RandomState
    #: How many of each kind there were.
    n_before: dict[str, int] = field(default_factory=dict)

    def begin(self, kinds: tuple[Kind, ...], most: int) -> tuple[list[Racer], list[StartReport]]:
        """So many racers at most, in the order of the kinds, and reports of those that collapse at once."""
        names: list[str] = []
        labels: list[IntArray] = []
        for name, label, wanted in kinds:
            n, before = min(wanted, most - len(names)), self.n_before.get(name, 0)
            if n:
                labels += label(self.rows, self.k, self.rng, n, before)
                names += [name] * n
                self.n_before[name] = before + n
        mixtures = begin_together(self.rows, labels, self.k, self.m_step, self.weight)
        begun = list(zip(names, mixtures, strict=True))
        racers = [Racer(name, mixture) for name, mixture in begun if mixture is not None]
        return racers, [StartReport(name, 0, -np.inf, "collapsed") for name, none in begun if none is None]
