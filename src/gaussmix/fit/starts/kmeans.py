"""The start "kmeans": each row belongs to its k-means cluster.

References
----------
S. P. Lloyd, Least squares quantization in PCM, IEEE Trans. Inf. Theory 28 (1982) 129-137.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from numpy.random import RandomState

from gaussmix.engines import Engine
from gaussmix.fit.memberships import accumulate_labels
from gaussmix.model.moments.statistics import Moments


def kmeans(engine: Engine, k: int, rng: RandomState, turn: int) -> tuple[Moments, None]:
    """Each row belongs to its k-means cluster, k-means being begun by k-means++."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings(), one_openmp_thread():
        # fewer distinct rows than clusters: what the mixture makes of it is reported in the result
        warnings.simplefilter("ignore", ConvergenceWarning)
        clusters = KMeans(k, n_init=1, random_state=rng).fit(
            engine.rows.array, sample_weight=engine.rows.weights
        )
    return accumulate_labels(engine, clusters.labels_, k), None


@contextmanager
def one_openmp_thread() -> Iterator[None]:
    """Hold scikit-learn's loops to one thread; it has to be imported by then.

    On a few thousand rows its threads wait for one another longer than they work (on busy processors a
    hundred times as long), and the order in which they add would show in the last bits.
    """
    with _controller().limit(limits=1, user_api="openmp"):
        yield


@cache
def _controller() -> Any:
    """Looking for the libraries of the process takes longer than k-means of some hundred rows."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
