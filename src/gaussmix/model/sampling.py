"""Rows drawn from a mixture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gaussmix._typing import Float64Array, IntArray

if TYPE_CHECKING:
    from gaussmix.model.mixture import Mixture


def draw(mixture: Mixture, n_samples: int, generator: np.random.Generator) -> tuple[Float64Array, IntArray]:
    """Independent rows, and where each came from: a component, or -1 for the noise."""
    shares, noise = mixture.weights, mixture.noise
    if noise is not None:
        shares = np.append(shares, noise.weight)
    labels = generator.choice(shares.size, size=n_samples, p=shares / shares.sum())
    X = generator.standard_normal((n_samples, mixture.n_features))
    natural = mixture.natural
    for k in range(mixture.n_components):
        rows = labels == k
        X[rows] = _coloured(X[rows], natural.factor(k)) + mixture.means[k]
    if noise is not None and noise.weight > 0.0:
        rows = labels == mixture.n_components
        X[rows] = noise.sample(int(np.count_nonzero(rows)), generator)
        labels[rows] = -1
    return X, labels


def _coloured(noise: Float64Array, factor: Float64Array) -> Float64Array:
    """Rows of standard normal noise given the covariance (U U')^-1: each row e becomes U^-T e."""
    if factor.ndim < 2:
        return noise / factor
    from scipy.linalg import solve_triangular

    return np.asarray(solve_triangular(factor, noise.T, trans="T").T)
