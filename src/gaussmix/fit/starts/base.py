"""What starts share: what one is, the rows that it works from, and statistics of clusters of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.random import RandomState

from gaussmix._typing import Float64Array, IntArray
from gaussmix.engines import Engine
from gaussmix.model.kernels.sweep import Responsibilities
from gaussmix.model.moments.statistics import Moments

#: A start gives statistics of k components to make a mixture of and, where it has chosen them itself, the
#: means. The last number says which start of the fit it is: no need to begin the same rows alike twice.
Start: TypeAlias = Callable[[Engine, int, RandomState, int], tuple[Moments, Float64Array | None]]

#: Rows that a start works from, and how many for each component and number of its mean and constant: where
#: there are more, a sample.
ENOUGH, ENOUGH_EACH = 20_000, 50

#: Passes that better the axes of a start's statistics, where a family keeps axes.
SHARPENINGS = 2


def count_enough_rows(k: int, d: int) -> int:
    """How many rows a start works from at most."""
    return max(ENOUGH, ENOUGH_EACH * k * (d + 1))


def accumulate_labels(engine: Engine, labels: IntArray, k: int) -> Moments:
    """Statistics of rows that belong to one of k components each (-1: to none)."""
    hard = belonging(labels, k)
    return accumulate_about(engine, engine.find_means(hard, k), hard)


def belonging(members: IntArray | Float64Array, k: int) -> Responsibilities:
    """Labels, shape (n,), or responsibilities, at least k columns, as a pass over the rows asks for them."""
    if members.ndim == 2:
        return lambda rows: np.ascontiguousarray(members[rows, :k].T)
    components = np.arange(k)[:, None]
    return lambda rows: np.asarray(members[rows] == components, dtype=np.float64)


def accumulate_equal(engine: Engine, k: int) -> Moments:
    """Statistics of rows that belong to each of k components by the same share."""
    return engine.accumulate_given(lambda rows: np.full((k, rows.stop - rows.start), 1.0 / k), k)


def accumulate_about(engine: Engine, centres: Float64Array, responsibilities: Responsibilities) -> Moments:
    """Statistics with moments about points in the clusters, under responsibilities that do not change."""
    k = len(centres)
    moments = engine.accumulate_given(responsibilities, k, centres)
    for _ in range(SHARPENINGS):
        axes = engine.structure.sharpen_axes(moments)
        if axes is None:
            break
        moments = engine.accumulate_given(responsibilities, k, moments.centres, axes)
    return moments


def accumulate_nearest(engine: Engine, centres: Float64Array) -> tuple[Moments, Float64Array]:
    """Statistics of each row's assignment to the nearest centre, and the centres in the frame."""
    from scipy.cluster.vq import vq

    origin = engine.frame.origin  # what is far from zero would be lost in the squares
    labels = vq(engine.rows.array.astype(np.float64) - origin, centres - origin, check_finite=False)[0]
    means: Any = engine.frame.apply(centres).T
    return accumulate_labels(engine, labels.astype(np.int64), len(centres)), np.ascontiguousarray(means)


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
