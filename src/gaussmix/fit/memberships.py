"""Which rows belong to which components, and the moments of that: from labels, shares or nearest means."""

from __future__ import annotations

from typing import Any

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.engines import Engine
from gaussmix.model.kernels.sweep import Responsibilities
from gaussmix.model.moments.statistics import Moments

#: Rows of a sample that finds points in the clusters, about which moments are taken.
ENOUGH = 20_000
#: Passes that better the axes of moments, where a family keeps axes.
SHARPENINGS = 2


def make_responsibilities(members: IntArray | Float64Array, k: int) -> Responsibilities:
    """Labels, shape (n,), or responsibilities, at least k columns, as a pass over the rows asks for them."""
    if members.ndim == 2:
        return lambda rows: np.ascontiguousarray(members[rows, :k].T)
    components = np.arange(k)[:, None]
    return lambda rows: np.asarray(members[rows] == components, dtype=np.float64)


def accumulate_labels(engine: Engine, labels: IntArray, k: int) -> Moments:
    """Moments of rows that belong to one of k components each (-1: to none)."""
    hard = make_responsibilities(labels, k)
    return accumulate_about(engine, engine.find_means(hard, k), hard)


def accumulate_memberships(engine: Engine, members: IntArray | Float64Array, k: int) -> Moments:
    """Moments under the caller's labels or responsibilities: of all rows, since the caller asks for them."""
    few, some = engine, members
    places = engine.rows.choose(ENOUGH)
    if places is not None:  # any points in the clusters will do for moments to be taken about
        few, some = engine.take(places), members[places]
    centres = few.find_means(make_responsibilities(some, k), k)
    return accumulate_about(engine, centres, make_responsibilities(members, k))


def accumulate_equal(engine: Engine, k: int) -> Moments:
    """Moments of rows that belong to each of k components by the same share."""
    return engine.accumulate_given(lambda rows: np.full((k, rows.stop - rows.start), 1.0 / k), k)


def accumulate_about(engine: Engine, centres: Float64Array, responsibilities: Responsibilities) -> Moments:
    """Moments about points in the clusters, under responsibilities that do not change."""
    k = len(centres)
    moments = engine.accumulate_given(responsibilities, k, centres)
    for _ in range(SHARPENINGS):
        axes = engine.structure.sharpen_axes(moments)
        if axes is None:
            break
        moments = engine.accumulate_given(responsibilities, k, moments.centres, axes)
    return moments


def accumulate_nearest(engine: Engine, centres: Float64Array) -> tuple[Moments, Float64Array]:
    """Moments where each row belongs to the nearest centre, and the centres in the frame."""
    from scipy.cluster.vq import vq

    origin = engine.frame.origin  # what is far from zero would be lost in the squares
    labels = vq(engine.rows.array.astype(np.float64) - origin, centres - origin, check_finite=False)[0]
    means: Any = engine.frame.apply(centres).T
    return accumulate_labels(engine, labels.astype(np.int64), len(centres)), np.ascontiguousarray(means)
