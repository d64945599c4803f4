"""Optimal transport between Gaussians: distances, and how the square roots of two covariances go together.

With C = L L' and C' = H H' the optimal map takes m + L z to m' + H U z, where U is the orthogonal matrix
that brings H nearest to L. The squared distance is |m - m'|^2 + |L - H U|^2 (of Frobenius), a sum of squares,
so that Gaussians that are nearly equal keep their digits.

References
----------
R. Bhatia, T. Jain and Y. Lim, On the Bures-Wasserstein distance between positive definite matrices, Expo.
Math. 37 (2019) 165-191.
"""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.mixture.pairs.divergences import are_diagonal
from gaussmix.model.mixture.properties import MixtureProperties

#: Numbers of the matrices that are held at a time: 16 MB.
CHUNK = 2_000_000


def measure_transport(first: MixtureProperties, second: MixtureProperties) -> Float64Array:
    """The squared Wasserstein distances of the Gaussians of two mixtures, shape (k, l)."""
    k, n, d = first.n_components, second.n_components, first.n_features
    squared = np.empty((k, n))
    diagonal = are_diagonal(first, second)
    ours, theirs = (np.sqrt(m.variances) if diagonal else find_halves(m) for m in (first, second))
    size = max(1, CHUNK // (d * d))
    for i in range(k):
        squared[i] = ((first.means[i] - second.means) ** 2).sum(axis=1)
        for begin in range(0, n, size):
            part = slice(begin, begin + size)
            turned = theirs[part] if diagonal else turn_halves(theirs[part], ours[i])
            apart = (ours[i] - turned).reshape(len(turned), -1)
            squared[i, part] += np.vecdot(apart, apart)
    return squared


def find_halves(mixture: MixtureProperties) -> Float64Array:
    """L with L L' the covariance, lower triangular, of each component, shape (k, d, d)."""
    return np.asarray(np.linalg.cholesky(mixture.dense_covariances), dtype=np.float64)


def turn_halves(halves: Float64Array, towards: Float64Array) -> Float64Array:
    """H U for each H of a stack, with U the orthogonal matrix that makes H U nearest to another half."""
    if halves.shape[-1] == 1:
        return halves
    left, _, right = np.linalg.svd(np.swapaxes(halves, -1, -2) @ towards)
    return np.asarray(halves @ (left @ right))
