"""Integrals of products of the Gaussians of two mixtures."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.covariance.algebra import LOG_2PI
from gaussmix.model.mixture.pairs.divergences import are_diagonal
from gaussmix.model.mixture.pairs.elimination import count_systems, solve_lengths
from gaussmix.model.mixture.properties import MixtureProperties


def measure_overlaps(first: MixtureProperties, second: MixtureProperties) -> Float64Array:
    """Integrals of f_i(x) g_j(x), for components of one mixture and of another, as logarithms, (k, l).

    They are log N(m_i | m_j, C_i + C_j).
    """
    half_log_dets, lengths = measure_sums(first, second)
    return np.asarray(-0.5 * lengths - half_log_dets - 0.5 * first.n_features * LOG_2PI)


def measure_affinities(first: MixtureProperties, second: MixtureProperties) -> Float64Array:
    """Integrals of sqrt(f_i(x) g_j(x)) as logarithms, shape (k, l): minus Bhattacharyya's distances.

    They are (log |C_i| + log |C_j|) / 4 - log |S| / 2 - (m_i - m_j)' S^-1 (m_i - m_j) / 8 with S the mean of
    C_i and C_j.
    """
    half_log_dets, lengths = measure_sums(first, second)
    d = first.n_features
    ours, theirs = (find_own_half_log_dets(each) for each in (first, second))
    # log |S| = log |C_i + C_j| - d log 2, and v' S^-1 v = 2 v' (C_i + C_j)^-1 v
    found = 0.5 * (ours[:, None] + theirs) - (half_log_dets - 0.5 * d * np.log(2.0)) - 0.25 * lengths
    return np.asarray(np.minimum(found, 0.0))


def measure_sums(first: MixtureProperties, second: MixtureProperties) -> tuple[Float64Array, Float64Array]:
    """Half of log |C_i + C_j|, and (m_i - m_j)' (C_i + C_j)^-1 (m_i - m_j), both of shape (k, l)."""
    k, n, d = first.n_components, second.n_components, first.n_features
    half_log_dets, lengths = np.empty((k, n)), np.empty((k, n))
    if are_diagonal(first, second):
        ours, theirs = first.variances, second.variances
        for i in range(k):
            sums = ours[i] + theirs
            half_log_dets[i] = 0.5 * np.log(sums).sum(axis=1)
            lengths[i] = ((first.means[i] - second.means) ** 2 / sums).sum(axis=1)
        return half_log_dets, lengths
    ours, theirs = first.dense_covariances, np.moveaxis(second.dense_covariances, 0, -1)
    size = count_systems(d)
    for begin in range(0, n, size):
        part = slice(begin, begin + size)
        others, means = np.ascontiguousarray(theirs[..., part]), second.means[part]
        for i in range(k):
            matrices, apart = others + ours[i][:, :, None], np.array((first.means[i] - means).T)
            half_log_dets[i, part], lengths[i, part] = solve_lengths(matrices, apart)
    return half_log_dets, lengths


def find_own_half_log_dets(mixture: MixtureProperties) -> Float64Array:
    """Half of log |C_i|, shape (k,)."""
    found = -mixture.structure.algebra.log_det(mixture.roots, mixture.n_features)
    return np.broadcast_to(found, (mixture.n_components,))
