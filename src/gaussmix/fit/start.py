"""Starts: from the rows to a first mixture. The names are scikit-learn's."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import RandomState

from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.engines.local import LocalEngine
from gaussmix.fit.agglomerate import labels_at, merges
from gaussmix.fit.annealing import annealed
from gaussmix.fit.em import MStep
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import Noise
from gaussmix.model.stats import Stats


@dataclass(frozen=True)
class Given:
    """Parameters that the caller fixes for the start, in the data's coordinates; None leaves them to it.

    The noise is not for a start to find: where there is to be any, it is given.
    """

    weights: Float64Array | None = None
    means: Float64Array | None = None
    factors: Float64Array | None = None
    noise: Noise | None = None

    @property
    def empty(self) -> bool:
        """Whether all is left for a start to find."""
        return self.weights is None and self.means is None and self.factors is None

    @property
    def complete(self) -> bool:
        """Whether nothing is left for a start to find."""
        return self.weights is not None and self.means is not None and self.factors is not None


#: Rows beyond which a hierarchy is made of a sample of them: its cost grows with their square.
MAX_AGGLOMERATED = 2000

#: Passes that better the axes of a start's statistics, where a family keeps axes.
SHARPENINGS = 2

#: A start gives statistics to make a mixture of and, where it has chosen them itself, the means. The number
#: says which start of the fit it is: the same rows need not be begun in the same way twice.
Start = Callable[[LocalEngine, RandomState, int], tuple[Stats, Float64Array | None]]


def kmeans(engine: LocalEngine, rng: RandomState, turn: int) -> tuple[Stats, None]:
    """Each row belongs to its k-means cluster."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # fewer distinct rows than clusters: what the mixture makes of it is reported in the result
        warnings.simplefilter("ignore", ConvergenceWarning)
        clusters = KMeans(engine.n_components, n_init=1, random_state=rng).fit(
            engine.X, sample_weight=engine.weights
        )
    return _clustered(engine, clusters.labels_), None


def kmeans_plusplus(engine: LocalEngine, rng: RandomState, turn: int) -> tuple[Stats, Float64Array]:
    """Means are rows that k-means++ seeding chose; each row belongs to the nearest."""
    from sklearn.cluster import kmeans_plusplus as seed

    centres, _ = seed(engine.X, engine.n_components, sample_weight=engine.weights, random_state=rng)
    return _nearest(engine, np.asarray(centres, dtype=np.float64))


def random_from_data(engine: LocalEngine, rng: RandomState, turn: int) -> tuple[Stats, Float64Array]:
    """Means are distinct rows drawn at random; each row belongs to the nearest."""
    probability = None if engine.weights is None else engine.weights / engine.weights.sum()
    rows = rng.choice(engine.X.shape[0], size=engine.n_components, replace=False, p=probability)
    return _nearest(engine, engine.X[rows].astype(np.float64))


def random(engine: LocalEngine, rng: RandomState, turn: int) -> tuple[Stats, None]:
    """Responsibilities are random."""

    def draw(rows: slice) -> FloatArray:
        # drawn chunk by chunk, in order: the same numbers as one (n, k) draw, without its memory
        R = rng.uniform(size=(rows.stop - rows.start, engine.n_components))
        return np.asarray((R / R.sum(axis=1, keepdims=True)).T)

    return engine.statistics_of(draw), None


def agglomerative(engine: LocalEngine, rng: RandomState, turn: int) -> tuple[Stats, None]:
    """Each row belongs to its cluster in a model-based hierarchy; of many rows, a sample is clustered.

    Further starts scale the rows in other ways (Scrucca and Raftery 2015).
    """
    n = engine.X.shape[0]
    if n <= MAX_AGGLOMERATED:
        rows = np.arange(n)
    else:
        rows = np.sort(rng.choice(n, MAX_AGGLOMERATED, replace=False))
    weights = None if engine.weights is None else engine.weights[rows]
    labels = np.full(n, -1)
    labels[rows] = labels_at(merges(engine.X[rows], weights, turn), engine.n_components)
    return _clustered(engine, labels), None


def annealing(engine: LocalEngine, rng: RandomState, turn: int) -> tuple[Stats, None]:
    """Each row belongs to the means that deterministic annealing has found, in the proportions of its end."""
    mixture = annealed(engine, rng)
    if engine.structure.form.n_axes:  # moments along axes, of which this mixture has none
        return _clustered(engine, engine.labels(mixture)), None
    return engine.accumulate(mixture), None


STARTS: dict[str, Start] = {
    "kmeans": kmeans,
    "k-means++": kmeans_plusplus,
    "random": random,
    "random_from_data": random_from_data,
    "agglomerative": agglomerative,
    "annealing": annealing,
}


def _clustered(engine: LocalEngine, labels: IntArray) -> Stats:
    """Statistics of rows that belong to one component each, with moments about the clusters' own means."""
    components = np.arange(engine.n_components)[:, None]

    def hard(rows: slice) -> FloatArray:
        return np.asarray(labels[rows] == components, dtype=np.float64)

    # for the means, no moments along axes
    axes = np.zeros((engine.n_components, engine.X.shape[1], 0)) if engine.structure.form.n_axes else None
    stats = engine.statistics_of(hard, engine.statistics_of(hard, axes=axes).means())
    for _ in range(SHARPENINGS):
        axes = engine.structure.sharpened(stats)
        if axes is None:
            break
        stats = engine.statistics_of(hard, stats.centres, axes)
    return stats


def _nearest(engine: LocalEngine, centres: Float64Array) -> tuple[Stats, Float64Array]:
    """Statistics of each row's assignment to the nearest centre, and the centres in the frame."""
    from sklearn.metrics import pairwise_distances_argmin

    labels = pairwise_distances_argmin(engine.X, centres.astype(engine.X.dtype))
    means: Any = engine.frame.apply(centres).T
    return _clustered(engine, labels), np.ascontiguousarray(means)


def with_means(mixture: Mixture, means: Float64Array | None) -> Mixture:
    """The mixture with other means (None: its own)."""
    if means is None:
        return mixture
    return Mixture._trusted(
        mixture.structure,
        mixture.weights,
        means,
        mixture.covariances,
        mixture.precisions_cholesky,
        noise=mixture.noise,
    )


def first_mixture(
    engine: LocalEngine,
    m_step: MStep,
    init_params: str,
    rng: RandomState,
    given: Given,
    nearest: bool = False,
    turn: int = 0,
) -> Mixture:
    """The start in the frame's coordinates: what is given, the rest by the start of that name.

    `nearest` has the rows belong to the nearest of the means given instead, which need to be known by number.
    `turn` is the number of the start.
    """
    structure = engine.structure
    if given.complete:
        assert given.weights is not None and given.means is not None and given.factors is not None
        weights, means, factors = given.weights, given.means, given.factors
        covariances = structure.covariances_of_factor(factors)
        begun = Mixture._trusted(structure, weights / weights.sum(), means, covariances, factors)
        return _beside(begun, given.noise).seen_from(engine.frame)
    if init_params not in STARTS:
        raise ValueError(f"init_params must be one of {', '.join(STARTS)}; got {init_params!r}")
    by_means, clean = given.means if nearest else None, engine.clean
    stats, chosen = STARTS[init_params](clean, rng, turn) if by_means is None else _nearest(clean, by_means)
    found = with_means(m_step(stats, None), chosen)
    if given.empty:
        return found
    own = found.mapped(engine.frame.inverse, engine.frame.matrix, engine.frame.origin)
    weights = own.weights if given.weights is None else given.weights / given.weights.sum()
    means = own.means if given.means is None else given.means
    factors = own.precisions_cholesky if given.factors is None else given.factors
    covariances = own.covariances if given.factors is None else structure.covariances_of_factor(factors)
    begun = Mixture._trusted(structure, weights, means, covariances, factors)
    return _beside(begun, given.noise).seen_from(engine.frame)


def _beside(mixture: Mixture, noise: Noise | None) -> Mixture:
    """The Gaussians of a mixture beside the noise that is given."""
    return mixture if noise is None else mixture.with_noise(noise)
