"""The density of the normal rows: columns on a common scale, and a mixture in these coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix._typing import Float64Array
from gaussmix.apps.anomaly.columns import Columns, measure_columns
from gaussmix.fit.one_mixture import fit_mixture
from gaussmix.model.mixture import Mixture


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
    #: The weight with which each counts as normal, shape (n,).
    kept: Float64Array

    def log_prob(self, X: npt.ArrayLike) -> Float64Array:
        """Log-density of each row, in nats, in the coordinates of the columns, shape (n,)."""
        return np.asarray(self.mixture.log_prob(self.columns.apply(X)), dtype=np.float64)

    @property
    def kept_scores(self) -> Float64Array:
        """The log-densities of the training rows that count as normal, in increasing order."""
        return np.sort(self.training_scores[self.kept > 0.0])


def fit_normal_model(
    X: Float64Array,
    *,
    n_components: int | str,
    covariance_type: str,
    trim: float | str,
    novelty: bool,
    weights: Float64Array | None,
    random_state: Any,
) -> NormalModel:
    """Fit the density of the normal rows among X."""
    columns = measure_columns(X, weights)
    Z = columns.apply(X)
    share = (0.0 if novelty else 0.3) if isinstance(trim, str) else float(trim)
    result = fit_mixture(
        Z,
        1 if isinstance(n_components, str) else n_components,
        covariance_type="full" if covariance_type == "auto" else covariance_type,
        sample_weight=weights,
        trim=share,
        random_state=random_state,
    )
    scores = np.asarray(result.mixture.log_prob(Z), dtype=np.float64)
    kept = np.ones(len(Z)) if result.kept is None else result.kept
    return NormalModel(columns, result.mixture, share, scores, kept)
