"""Which component of one mixture is which of another: the assignment of least total distance."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.mixture.properties import MixtureProperties

#: Weight of |w - w'| beside a distance between Gaussians: it tells equal ones apart by their weights.
OF_WEIGHTS = 1e-6


def find_alignment(mixture: MixtureProperties, reference: MixtureProperties) -> IntArray:
    """The components of a mixture in the order of those that they match in the reference, others last.

    The assignment has the least sum of Bhattacharyya distances.
    """
    from scipy.optimize import linear_sum_assignment  # a mixture alone does not load SciPy

    if mixture.n_features != reference.n_features:
        raise ValueError(
            f"the reference has {reference.n_features} features, and the mixture {mixture.n_features}"
        )
    names, others = mixture.feature_names, reference.feature_names
    if names is not None and others is not None and names != others:
        raise ValueError(f"the reference has other features, {others}, than the mixture, {names}")
    distances = measure_bhattacharyya(mixture, reference)
    weights = np.abs(mixture.shares[:, None] - reference.shares)
    matched, partners = linear_sum_assignment(distances + OF_WEIGHTS * weights)
    rest = np.setdiff1d(np.arange(mixture.n_components), matched)
    return np.concatenate([matched[np.argsort(partners)], rest])


def measure_bhattacharyya(mixture: MixtureProperties, reference: MixtureProperties) -> Float64Array:
    """Distances between the Gaussians of two mixtures in nats, shape (k, k of the reference).

    D = (m - m')' S^-1 (m - m') / 8 + log |S| / 2 - (log |C| + log |C'|) / 4 with S = (C + C') / 2. It is
    symmetric and the same in any units. Unlike Hellinger's distance it tells far from farther, and unlike
    Kullback and Leibler's it stays moderate where only one of the covariances is thin in some direction.
    """
    from gaussmix.model.mixture.pairs.overlaps import measure_affinities

    return -measure_affinities(mixture, reference)
