"""Kullback-Leibler divergences between the Gaussians of two mixtures."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.covariance.matrices import invert_lower
from gaussmix.model.mixture.properties import MixtureProperties

#: Numbers of a chunk: 32 MB.
CHUNK = 4_000_000


def measure_divergences(first: MixtureProperties, second: MixtureProperties) -> Float64Array:
    """KL(f_i || g_j) in nats for each component f_i of one mixture and g_j of another, shape (k, l).

    With M = L_j^-1 L_i from Cholesky factors, it is a sum of terms that are not negative::

        KL = (sum_a (M_aa^2 - 1 - 2 log M_aa) + sum_{a > b} M_ab^2 + |L_j^-1 (m_i - m_j)|^2) / 2

    so that nothing cancels between Gaussians that are nearly equal, whatever the units.
    """
    if are_diagonal(first, second):
        return _measure_diagonals(first, second)
    d = first.n_features
    roots = np.linalg.cholesky(first.dense_covariances)
    inverses = invert_lower(np.asarray(np.linalg.cholesky(second.dense_covariances), dtype=np.float64))
    divergences = np.empty((first.n_components, second.n_components))
    size = max(1, CHUNK // (d * d))
    below = np.tri(d, k=-1)
    for j, inverse in enumerate(inverses):
        for begin in range(0, len(roots), size):
            part = slice(begin, begin + size)
            ratios = inverse @ roots[part]
            stretches = np.diagonal(ratios, axis1=1, axis2=2)
            apart = (first.means[part] - second.means[j]) @ inverse.T
            divergences[part, j] = (
                measure_stretches(stretches).sum(axis=1)
                + 0.5 * np.einsum("nab,nab,ab->n", ratios, ratios, below)
                + 0.5 * np.vecdot(apart, apart)
            )
    return divergences


def are_diagonal(*mixtures: MixtureProperties) -> bool:
    """Whether features are uncorrelated in all components of all mixtures, by their families."""
    return not any(mixture.structure.form.general or mixture.n_factors for mixture in mixtures)


def measure_stretches(ratios: Float64Array) -> Float64Array:
    """(r^2 - 1 - 2 log r) / 2 for ratios r of standard deviations, exact near one."""
    excess = ratios - 1.0
    near = np.abs(excess) < NEAR
    terms = 0.5 * excess * (ratios + 1.0) - np.log(ratios)
    # its series: e^2 - e^3 / 3 + e^4 / 4 - ...
    series = excess * excess * (1.0 - excess * (1.0 / 3.0 - excess * (0.25 - 0.2 * excess)))
    return np.asarray(np.where(near, series, np.maximum(terms, 0.0)))


#: Distance of a ratio from one under which the series is exact to rounding.
NEAR = 1e-4


def _measure_diagonals(first: MixtureProperties, second: MixtureProperties) -> Float64Array:
    ours, theirs = np.sqrt(first.variances), np.sqrt(second.variances)
    divergences = np.empty((len(ours), len(theirs)))
    for j in range(len(theirs)):
        apart = (first.means - second.means[j]) / theirs[j]
        divergences[:, j] = (measure_stretches(ours / theirs[j]) + 0.5 * apart * apart).sum(axis=1)
    return divergences
