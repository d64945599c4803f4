"""The core of rows among which may be anomalies: those nearest to a Gaussian of most of them.

References
----------
P. J. Rousseeuw and K. Van Driessen, A fast algorithm for the minimum covariance determinant estimator,
Technometrics 41 (1999) 212-223.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.random import RandomState

from gaussmix._typing import BoolArray, Float64Array, IntArray
from gaussmix.apps.anomaly.attribution import select_root
from gaussmix.errors import FitError
from gaussmix.fit.one_mixture import fit_mixture
from gaussmix.fit.starts.kmeans import one_openmp_thread
from gaussmix.model.mixture import Mixture

#: The share of the rows in which components begin.
CORE = 0.6
#: What is added to variances of the Gaussian that finds the core: it serves rounding alone.
CORE_RIDGE = 1e-6
#: Features beyond which covariances are those of factor analysers, and their factors.
WIDE = 64
N_FACTORS = 6
#: The gain, in nats a row, at which a fit ends.
TOL = 5e-3
#: Iterations of each fit, and of k-means.
MAX_ITER = 15
KMEANS_ITER = 10


@dataclass(frozen=True)
class Family:
    """A kind of covariances, by the names for components that share one and that do not."""

    common: str
    own: str
    n_factors: int | None = None


def choose_family(weight: float, d: int) -> Family:
    """Matrices of all features, factor analysers where these are many, or variances alone of few rows."""
    if d <= WIDE:
        return Family("tied", "full") if weight > d else Family("EEI", "diag")
    return Family("CCU", "factor", N_FACTORS) if weight > 2 * N_FACTORS else Family("EEI", "diag")


@dataclass(frozen=True, eq=False)
class Core:
    """The rows nearest to a Gaussian of most of them, and all rows as it sees them."""

    #: Family "full", one component.
    gaussian: Mixture
    #: The rows in coordinates in which the Gaussian is standard, shape (n, d).
    white: Float64Array
    #: The places of the core.
    places: IntArray


def concentrate(Z: Float64Array, weights: Float64Array, trim: float) -> Mixture:
    """The Gaussian of the most concentrated rows, by EM from the half that is nearest to the medians."""
    distances = np.square(Z).sum(axis=1)
    labels = np.where(_find_nearest_share(distances, weights, 0.5 if trim else 1.0), 0, -1)
    family = choose_family(float(weights.sum()), Z.shape[1])
    try:
        result = fit_mixture(
            Z,
            1,
            covariance_type=family.own,
            n_factors=family.n_factors,
            sample_weight=weights,
            trim=trim,
            start=labels,
            reg_covar=CORE_RIDGE,
            tol=TOL,
            max_iter=MAX_ITER,
        )
    except FitError:
        raise FitError(
            "some rows are so far from the others that these are one point beside them; leave such rows out, "
            "or let trimming do it (novelty=False, and 'trim' above zero)"
        ) from None
    return result.mixture


def find_core(Z: Float64Array, weights: Float64Array, gaussian: Mixture, trim: float) -> Core:
    """The core of the rows about a Gaussian; all of them where none are to be left out."""
    algebra = gaussian.structure.algebra
    white = np.asarray(algebra.whiten(select_root(gaussian, 0), Z - gaussian.means[0]))
    near = _find_nearest_share(np.square(white).sum(axis=1), weights, CORE if trim else 1.0)
    return Core(gaussian, white, np.flatnonzero(near))


def cluster_rows(W: Float64Array, weights: Float64Array, k: int, rng: RandomState) -> IntArray:
    """A k-means cluster of each row."""
    if k == 1 or len(W) < k:
        return np.zeros(len(W), dtype=np.int64)
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings(), one_openmp_thread():
        # the caller sees where there are fewer distinct rows than clusters
        warnings.simplefilter("ignore", ConvergenceWarning)
        clusters = KMeans(k, n_init=1, max_iter=KMEANS_ITER, tol=0.0, random_state=rng)
        return np.asarray(clusters.fit(W, sample_weight=weights).labels_, dtype=np.int64)


def _find_nearest_share(distances: Float64Array, weights: Float64Array, share: float) -> BoolArray:
    """Whether each row is among the nearest, of which the share of the weight is; all rows of a tie are."""
    order = np.argsort(distances, kind="stable")
    reached = np.cumsum(weights[order]) >= share * weights.sum() * (1.0 - 1e-12)
    farthest = distances[order[np.argmax(reached)]]
    return np.asarray(distances <= farthest * (1.0 + 1e-12))
