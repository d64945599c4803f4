"""Mixtures as fitted estimators of scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gaussmix._typing import Float64Array


def find_original_class() -> Any:
    """scikit-learn's own class, under a patch, too; its import takes as long as that of all of gaussmix."""
    from sklearn.mixture._gaussian_mixture import GaussianMixture

    return GaussianMixture


def make_estimator(
    covariance_type: str, arrays: Mapping[str, Float64Array], feature_names: tuple[str, ...] | None
) -> Any:
    """A fitted GaussianMixture with these arrays as attributes; nothing is known of any fit.

    Parameters
    ----------
    arrays : mapping
        ``weights_``, ``means_`` and, in the shapes of the covariance type, ``covariances_``, ``precisions_``
        and ``precisions_cholesky_``.
    """
    k, d = arrays["means_"].shape
    estimator = find_original_class()(k, covariance_type=covariance_type)
    for name, array in arrays.items():
        setattr(estimator, name, array)
    estimator.converged_, estimator.n_iter_ = True, 0
    estimator.lower_bound_, estimator.lower_bounds_ = np.nan, [np.nan]
    estimator.n_features_in_ = d
    if feature_names is not None:
        estimator.feature_names_in_ = np.array(feature_names, dtype=object)
    return estimator
