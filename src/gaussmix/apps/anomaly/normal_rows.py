"""A sample of the normal rows of a fit, among which the nearest to an anomaly is looked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from gaussmix._typing import BoolArray, Float64Array, FloatArray, IntArray
from gaussmix.apps.anomaly.attribution import select_root
from gaussmix.model.mixture import Mixture

#: Rows that are kept at most.
MOST_ROWS = 5_000
#: Numbers that are kept at most: eight megabytes.
MOST_NUMBERS = 1_000_000


@dataclass(frozen=True, eq=False)
class NormalRows:
    """Normal rows of a fit: all, or a uniform sample of them.

    Parameters
    ----------
    values : ndarray of shape (m, d)
        In units of the data.
    places : ndarray of shape (m,)
        Which rows of the fit they are.
    """

    values: Float64Array
    places: IntArray

    @classmethod
    def draw(cls, X: FloatArray, normal: BoolArray) -> Self:
        """Keep normal rows, at most `MOST_ROWS` and at most `MOST_NUMBERS` numbers, in order.

        The draw is the same for the same rows, whatever the seed of the fit.
        """
        places = np.flatnonzero(normal)
        most = max(1, min(MOST_ROWS, MOST_NUMBERS // X.shape[1]))
        if len(places) > most:
            places = np.sort(np.random.default_rng(0).choice(places, most, replace=False))
        return cls(np.array(X[places], dtype=np.float64), places)


def find_nearest(
    mixture: Mixture, normal: Float64Array, rows: Float64Array, components: IntArray
) -> tuple[IntArray, Float64Array]:
    """The nearest normal row to each row in the metric of the row's component, and the distance to it.

    Parameters
    ----------
    mixture : Mixture
    normal : ndarray of shape (m, d)
        Normal rows, of any component, in the coordinates of the mixture.
    rows : ndarray of shape (n, d)
    components : ndarray of shape (n,)

    Returns
    -------
    places : ndarray of shape (n,)
        Into `normal`.
    distances : ndarray of shape (n,)
        Mahalanobis distances: Euclidean ones of U'z, with U the root of the component.
    """
    from sklearn.metrics import pairwise_distances_argmin

    places, distances = np.empty(len(rows), dtype=np.int64), np.empty(len(rows))
    whiten = mixture.structure.algebra.whiten
    for component in np.unique(components):
        root, mean = select_root(mixture, int(component)), mixture.means[component]
        here = np.flatnonzero(components == component)
        seen, others = whiten(root, rows[here] - mean), whiten(root, normal - mean)
        nearest = pairwise_distances_argmin(seen, others)
        places[here] = nearest
        distances[here] = np.linalg.norm(seen - others[nearest], axis=1)
    return places, distances
