"""Which component of one mixture is which of another: the assignment of least total distance."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.mixture.properties import MixtureProperties

#: Weight of |w - w'| beside a distance between Gaussians: it tells equal ones apart by their weights.
OF_WEIGHTS = 1e-6
#: Relative ridge of the mean of two covariances: far under what a distance shows, far above rounding.
RIDGE = 1e-12


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
    lengths, log_dets = compare_gaussians(mixture, reference)
    first, second = (_find_half_log_dets(each) for each in (mixture, reference))
    return np.asarray(lengths / 8.0 + log_dets - 0.5 * (first[:, None] + second))


def compare_gaussians(
    mixture: MixtureProperties, reference: MixtureProperties
) -> tuple[Float64Array, Float64Array]:
    """(m - m')' S^-1 (m - m') and log |S| / 2 with S = (C + C') / 2, both (k, k of the reference)."""
    d = mixture.n_features
    spread = np.sqrt(reference.total_variances)
    spread[spread == 0.0] = 1.0
    diagonal = not any(each.structure.form.general or each.n_factors for each in (mixture, reference))
    ours, theirs = (_scale_covariances(each, spread, diagonal=diagonal) for each in (mixture, reference))
    lengths, log_dets = np.empty((2, mixture.n_components, reference.n_components))
    for k, covariance in enumerate(ours):
        apart = (reference.means - mixture.means[k]) / spread
        mean = 0.5 * (covariance + theirs)
        if diagonal:
            lengths[k] = (apart * apart / mean).sum(axis=1)
            log_dets[k] = 0.5 * np.log(mean).sum(axis=1)
        else:
            mean[:, range(d), range(d)] *= 1.0 + RIDGE
            roots = np.linalg.cholesky(mean)
            lengths[k] = (np.linalg.solve(roots, apart[:, :, None])[:, :, 0] ** 2).sum(axis=1)
            log_dets[k] = np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(axis=1)
    return lengths, np.asarray(log_dets + np.log(spread).sum())


def _scale_covariances(mixture: MixtureProperties, spread: Float64Array, *, diagonal: bool) -> Float64Array:
    """Covariances in units of a spread, shape (k, d, d); of families of diagonals (k, d)."""
    if diagonal:
        return np.asarray(mixture.variances / spread**2)
    return np.asarray(mixture.dense_covariances / np.multiply.outer(spread, spread))


def _find_half_log_dets(mixture: MixtureProperties) -> Float64Array:
    """The logarithm of the determinant of each covariance, halved, shape (k,)."""
    found = -mixture.structure.algebra.log_det(mixture.roots, mixture.n_features)
    return np.broadcast_to(found, (mixture.n_components,))
