"""How many components: EM for the message length, under which components that tell too little die out.

A mixture of k components, each of N parameters, with a more that all share, of n rows takes

    L = N/2 sum_k log(n w_k / 12) + (k + a)/2 log(n / 12) + (k (N + 1) + a)/2 - log p(X)

nats to tell, parameters and rows together (Figueiredo and Jain 2002, for whom a = 0). As a function of the
parameters it is the likelihood with a prior of the weights that favours zeros, and its M-step is

    w_k  =  max(0, n_k - N/2) / sum_j max(0, n_j - N/2)

so that a component without rows enough for its parameters dies. Where none does any more, one is taken out,
and so on; the mixture of least L is the answer. Three things are not as in the paper:

Figueiredo and Jain update one component at a time (CEM^2), each with responsibilities computed anew, since to
update all of many at once could be the end of most, good and bad, in one step. That is k passes for a round.
Here all are updated in one pass, as in EM, but only where none has to die; else the one of fewest rows does,
nothing else changes, and the next pass gives what it had to the others before these are judged. It is not
CEM^2, though a mixture at which the one rests is one at which the other does. L never rises but by a death.

A component dies with less than two rows for each parameter, not with less than half a row (see `LEAST`).

Where it has converged the component is taken out that the rows miss least, not the one of least weight: that
may be a cluster that stands apart, while there are two in the place of one elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gaussmix._progress import Progress
from gaussmix._text import count_noun
from gaussmix._typing import Float64Array
from gaussmix.data.rows import Rows
from gaussmix.engines import Engine
from gaussmix.fit.iterate.em import Run, em
from gaussmix.fit.iterate.stopping import Rule
from gaussmix.fit.memberships import accumulate_equal
from gaussmix.fit.mstep.maximise import Maximise
from gaussmix.fit.mstep.regularise import make_regularise
from gaussmix.fit.options import IterationOptions
from gaussmix.fit.ranking import choose_run
from gaussmix.fit.result import FitStatus
from gaussmix.model.covariance import NotPositiveDefiniteError, Structure
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.order import take_components
from gaussmix.model.moments.statistics import Moments

#: Variances of the components at the start, relative to those of all rows.
WIDE = 0.1
#: Rows for each parameter of a component under which it dies. At half a row its weight would be zero, but the
#: code is an approximation for many rows: under 4.4 rows a parameter costs less than nothing, and needles
#: along a few rows, whose likelihood has no bound, would live on.
LEAST = 2.0
#: Rows drawn for each point of a start, before two points may be equal.
TRIES = 20
#: Rows beyond which a sample of them says which component is missed least.
MOST_ROWS = 10_000


@dataclass(frozen=True)
class Code:
    """The length of the parameters' part of the message."""

    #: Rows, or the sum of their weights.
    n: float
    #: N, the parameters of one component beside its weight.
    each: int
    #: a, those that all components share.
    common: int = 0

    @classmethod
    def of(cls, structure: Structure, d: int, n: float) -> Code:
        """For mixtures of a family, whose parameters grow with k by the same number each time."""
        one, two = (structure.n_covariance_parameters(k, d) for k in (1, 2))
        return cls(n, d + two - one, 2 * one - two)

    def measure_parameters(self, weights: Float64Array) -> float:
        """All of L but for -log p(X), in nats."""
        k, twelfth = weights.size, self.n / 12.0
        own = self.each * float(np.log(twelfth * weights).sum())
        rest = (k + self.common) * math.log(twelfth) + k * (self.each + 1) + self.common
        return 0.5 * (own + rest)


@dataclass(frozen=True, eq=False)
class ShortestMessage:
    """The M-step for the message length."""

    #: For the likelihood alone, without prior or constraint.
    maximise: Maximise
    code: Code

    @property
    def least_rows(self) -> float:
        """Rows with fewer of which a component dies."""
        return LEAST * self.code.each

    def log_prior(self, mixture: Mixture) -> float:
        """Minus the length of the parameters' part, in nats."""
        return -self.code.measure_parameters(mixture.weights)

    def __call__(self, moments: Moments, before: Mixture | None) -> Mixture:
        """The mixture of shortest message; NotPositiveDefiniteError where that has a component less.

        EM ends there, as at a collapse: either way, one has to go.
        """
        counts, alone = moments.counts, moments.counts.size == 1
        if not alone and counts.min() < self.least_rows:
            raise NotPositiveDefiniteError((int(counts.argmin()),), 0.0)
        found = self.maximise(moments, before)
        spare = counts - 0.5 * self.code.each
        return found if alone else found.replace(weights=spare / spare.sum())


@dataclass(frozen=True)
class Path:
    """The runs of a descent that came to rest, of ever fewer components, and whether it was stopped."""

    runs: tuple[Run, ...] = ()
    interrupted: bool = False

    @property
    def best(self) -> Run:
        """The run of shortest message."""
        return max(self.runs, key=lambda run: run.objective)

    def choose_better(self, other: Path) -> Path:
        """The one of shorter message, the first of equals; interrupted if either is."""
        mine = self.best if self.runs else None
        chosen = other if other.runs and choose_run(mine, other.best) is other.best else self
        return Path(chosen.runs, self.interrupted or other.interrupted)


@dataclass(frozen=True)
class Descent:
    """From many components to few: EM for the message length, and the death of the weakest, in turn.

    Runs are in the coordinates of the engine's frame; their objectives are -L / n, in the data's units.
    """

    engine: Engine
    m_step: ShortestMessage
    iteration: IterationOptions
    max_components: int
    min_components: int
    n_init: int

    def __call__(self, rng: np.random.RandomState, turn: int) -> Path:
        """One descent; the run in which it is interrupted counts, where it is sound or the only one."""
        mixture: Mixture | None = scatter_components(self.engine, self.max_components, rng)
        runs: list[Run] = []
        while mixture is not None:
            run = em(
                self.engine,
                Run(mixture, FitStatus.NOT_RUN, ()),
                self.m_step,
                rule=Rule(float(self.iteration.tol)),
                max_iter=self.iteration.max_iter,
                on_iteration=self._show_runs(mixture.n_components, turn),
            )
            spikes = self.m_step.maximise.regularise.find_spikes(run.mixture, self.engine.n_rows)
            stopped = run.status == FitStatus.INTERRUPTED
            if (run.status != FitStatus.DEGENERATE and not spikes) or (stopped and not runs):
                runs.append(run)
            if stopped:
                return Path(tuple(runs), interrupted=True)
            mixture = self._drop_one(run, spikes)
        return Path(tuple(runs))

    def _show_runs(self, k: int, turn: int) -> Callable[[Run], bool] | None:
        """The function that shows the caller each iteration of k components."""
        iteration, begun = self.iteration, self.max_components - k
        if (watch := iteration.on_progress) is None:
            return None

        def show(run: Run) -> bool:
            progress = Progress(
                "message length",
                "iteration",
                len(run.history) - 1,
                iteration.max_iter,
                run.history[-1],
                share=begun / (self.max_components - self.min_components + 1),
                bounded=True,
                note=count_noun(k, "component"),
                start=turn + 1,
                n_starts=self.n_init,
            )
            return bool(watch(progress))

        return show

    def _drop_one(self, run: Run, spikes: tuple[int, ...]) -> Mixture | None:
        """The mixture to go on from: without the component that has to go, else without the weakest."""
        if run.mixture.n_components == self.min_components:
            return None
        going = run.collapsed if run.status == FitStatus.DEGENERATE else spikes
        worth = run.mixture.weights if going else measure_loss(self.engine, run.mixture)
        weakest = min(going or range(worth.size), key=lambda k: worth[k])
        return remove_component(run.mixture, weakest)


def scatter_components(engine: Engine, k: int, rng: np.random.RandomState) -> Mixture:
    """Equal components with a tenth of all rows' variances, at different rows drawn at random."""
    structure, alike = engine.structure, accumulate_equal(engine, k)
    regularise = make_regularise("auto", structure, engine)
    covariances, roots = regularise(structure.moments(alike), np.full(k, 1.0 / k), None)
    wide = np.asarray(np.sqrt(WIDE))
    means = np.asarray(engine.frame.apply(draw_points(engine.rows, k, rng)).T, dtype=np.float64)
    return Mixture.of_parts(
        structure,
        np.full(k, 1.0 / k),
        means,
        structure.algebra.map_covariances(covariances, wide),
        structure.algebra.map_roots(roots, 1.0 / wide),
    )


def draw_points(rows: Rows, k: int, rng: np.random.RandomState) -> Float64Array:
    """As many rows as components, different ones where that can be had, by weight: a copy is a weight."""
    edges = np.cumsum(rows.masses)
    points: list[Float64Array] = []
    for _ in range(k):
        for _ in range(TRIES):
            place = int(np.searchsorted(edges, rng.uniform() * edges[-1], side="right"))
            point = rows.take(np.array([min(place, len(edges) - 1)])).array[0].astype(np.float64)
            if not any(np.array_equal(point, other) for other in points):
                break
        points.append(point)
    return np.array(points)


def measure_loss(engine: Engine, mixture: Mixture) -> Float64Array:
    """What the log-likelihood loses with each component, shape (k,), in nats: -sum_i w_i log(1 - r_ik)."""
    part = engine.sample(MOST_ROWS)
    R = part.evaluate(mixture, "responsibilities").astype(np.float64)
    # the sum of the others: 1 - r would be rounding where r is nearly 1
    lost = -np.log(R @ (1.0 - np.eye(mixture.n_components)))
    weights = part.rows.weights
    return np.asarray(lost.sum(axis=0) if weights is None else weights @ lost)


def remove_component(mixture: Mixture, k: int) -> Mixture:
    """The mixture without one of its components; the weights of the others keep their proportions."""
    left = np.delete(np.arange(mixture.n_components), k)
    weights = mixture.weights[left]
    return take_components(mixture, left, weights / weights.sum())
