"""Starts: from the rows to a first mixture. The names are scikit-learn's."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.engines.local import LocalEngine
from gaussmix.model.mixture import Mixture
from gaussmix.model.stats import Stats

#: A start gives statistics to make a mixture of and, where it has chosen them itself, the means.
Start = Callable[[LocalEngine, np.random.RandomState], tuple[Stats, Float64Array | None]]


def kmeans(engine: LocalEngine, random_state: np.random.RandomState) -> tuple[Stats, None]:
    """Each row belongs to its k-means cluster."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # fewer distinct rows than clusters: what the mixture makes of it is reported in the result
        warnings.simplefilter("ignore", ConvergenceWarning)
        clusters = KMeans(engine.n_components, n_init=1, random_state=random_state).fit(
            engine.X, sample_weight=engine.weights
        )
    return _clustered(engine, clusters.labels_), None


def kmeans_plusplus(engine: LocalEngine, random_state: np.random.RandomState) -> tuple[Stats, Float64Array]:
    """Means are rows that k-means++ seeding chose; each row belongs to the nearest."""
    from sklearn.cluster import kmeans_plusplus as seed

    centres, _ = seed(engine.X, engine.n_components, sample_weight=engine.weights, random_state=random_state)
    return _nearest(engine, np.asarray(centres, dtype=np.float64))


def random_from_data(engine: LocalEngine, random_state: np.random.RandomState) -> tuple[Stats, Float64Array]:
    """Means are distinct rows drawn at random; each row belongs to the nearest."""
    probability = None if engine.weights is None else engine.weights / engine.weights.sum()
    rows = random_state.choice(engine.X.shape[0], size=engine.n_components, replace=False, p=probability)
    return _nearest(engine, engine.X[rows].astype(np.float64))


def random(engine: LocalEngine, random_state: np.random.RandomState) -> tuple[Stats, None]:
    """Responsibilities are random."""

    def draw(rows: slice) -> FloatArray:
        # drawn chunk by chunk, in order: the same numbers as one (n, k) draw, without its memory
        R = random_state.uniform(size=(rows.stop - rows.start, engine.n_components))
        return np.asarray((R / R.sum(axis=1, keepdims=True)).T)

    return engine.statistics_of(draw), None


STARTS: dict[str, Start] = {
    "kmeans": kmeans,
    "k-means++": kmeans_plusplus,
    "random": random,
    "random_from_data": random_from_data,
}


def _clustered(engine: LocalEngine, labels: IntArray) -> Stats:
    """Statistics of rows that belong to one component each, with moments about the clusters' own means."""
    components = np.arange(engine.n_components)[:, None]

    def hard(rows: slice) -> FloatArray:
        return np.asarray(labels[rows] == components, dtype=np.float64)

    return engine.statistics_of(hard, engine.statistics_of(hard).means())


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
        mixture.structure, mixture.weights, means, mixture.covariances, mixture.precisions_cholesky
    )
