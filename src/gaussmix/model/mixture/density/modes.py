"""The modes of a mixture's density as a value, in an order that no rounding decides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.mixture.evaluated import Evaluated
from gaussmix.model.mixture.landscape import Landscape, find_scale, group_modes
from gaussmix.model.mixture.order import sort_components, take_components


@dataclass(frozen=True, eq=False)
class Modes:
    """Where a density is highest among the points around.

    Parameters
    ----------
    points : ndarray of shape (m, d)
        In units of the features, the highest first.
    log_densities : ndarray of shape (m,)
        In nats; that of the noise, if there is any, included.
    components : ndarray of shape (k,)
        The mode that an ascent from the mean of each component ends at; -1 for a component of weight zero.
    """

    points: Float64Array
    log_densities: Float64Array
    components: IntArray

    def __len__(self) -> int:
        return len(self.points)


def find_modes(mixture: Evaluated) -> Modes:
    """The modes that ascents from the means end at."""
    present = np.flatnonzero(mixture.weights > 0.0)
    if not present.size:
        raise ValueError("all weights are zero: a density that is the same everywhere has no mode")
    some = take_components(mixture, present)
    ends, labels = group_modes(Landscape.of(some))
    apart = ends @ find_scale(some).T
    points = apart + some.mean
    log_densities = np.asarray(mixture.log_prob(points), dtype=np.float64)
    order = sort_components(-log_densities, apart / np.sqrt(some.total_variances))
    components = np.full(mixture.n_components, -1)
    components[present] = np.argsort(order)[labels]
    found = points[order], log_densities[order], components
    for array in found:
        array.setflags(write=False)
    return Modes(*found)
