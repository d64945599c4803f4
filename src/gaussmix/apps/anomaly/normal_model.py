"""What normal rows are like: columns on a common scale, and a density in these coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.random import RandomState

from gaussmix._threads import hold_blas_to_one_thread
from gaussmix._typing import Float64Array
from gaussmix.apps.anomaly.columns import Columns, find_quantiles, measure_columns
from gaussmix.apps.anomaly.density import DensityRequest, fit_density
from gaussmix.model.mixture import Mixture

#: Distances of the median from the lower quartile that a normal row may be above the median: one in 300 rows
#: of a normal distribution is beyond.
FENCE = 4.0


@dataclass(frozen=True, eq=False)
class NormalModel:
    """What normal rows are like."""

    columns: Columns
    #: In the coordinates of `columns`.
    mixture: Mixture
    #: The share of the rows that no iteration took notice of.
    trim: float
    #: The log-density of each training row, shape (n,).
    training_scores: Float64Array
    #: The weight with which each counts as normal, shape (n,): none where it is beyond the fence.
    kept: Float64Array

    def log_prob(self, X: npt.ArrayLike) -> Float64Array:
        """Log-density of each row, in nats, in the coordinates of the columns, shape (n,)."""
        return np.asarray(self.mixture.log_prob(self.columns.apply(X)), dtype=np.float64)

    @property
    def kept_scores(self) -> Float64Array:
        """The log-densities of the training rows that count as normal, in increasing order."""
        return np.sort(self.training_scores[self.kept > 0.0])


@hold_blas_to_one_thread()
def fit_normal_model(
    X: Float64Array,
    request: DensityRequest,
    *,
    scaling: str | None,
    weights: Float64Array | None,
    random_state: Any,
) -> NormalModel:
    """Fit the density of the normal rows among X; `random_state` is an int, a RandomState or None."""
    from sklearn.utils import check_random_state

    rng: RandomState = check_random_state(random_state)
    masses = np.ones(len(X)) if weights is None else weights
    there = masses > 0.0
    rows, counts = (X, masses) if there.all() else (X[there], masses[there])
    columns = measure_columns(rows, counts, scaling)
    mixture = fit_density(columns.apply(rows), counts, request, rng)
    scores = np.asarray(mixture.log_prob(columns.apply(X)), dtype=np.float64)
    kept = np.where(scores >= find_fence(scores, masses), masses, 0.0)
    return NormalModel(columns, mixture, request.share_left_out, scores, kept)


def find_fence(scores: Float64Array, weights: Float64Array) -> float:
    """The log-density under which a row is an anomaly, by the rows' own scores.

    With r = sqrt(2 (max s - s)) a distance, for one Gaussian the Mahalanobis distance, the fence is::

        r* = median(r) + 4 (median(r) - lower quartile(r))

    Neither changes much if up to two fifths of the rows are anomalies. It is the outer fence of a boxplot
    whose upper half is the mirror of its lower one.
    """
    top = float(scores[weights > 0.0].max())
    distances = np.sqrt(2.0 * np.maximum(top - scores, 0.0))
    quartile, median = find_quantiles(distances[:, None], weights, [0.25, 0.5])[:, 0]
    return float(top - 0.5 * (median + FENCE * (median - quartile)) ** 2)
