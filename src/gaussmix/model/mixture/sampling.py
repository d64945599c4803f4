"""Rows drawn from a mixture."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.mixture.properties import MixtureProperties


def draw_rows(
    mixture: MixtureProperties, n_samples: int, generator: np.random.Generator
) -> tuple[Float64Array, IntArray]:
    """Independent rows, and where each came from: a component, or -1 for the noise."""
    shares, noise = mixture.weights, mixture.noise
    if noise is not None:
        shares = np.append(shares, noise.weight)
    labels = generator.choice(shares.size, size=n_samples, p=shares / shares.sum())
    algebra, natural = mixture.structure.algebra, mixture.natural
    draws = generator.standard_normal((n_samples, algebra.n_draws(mixture.n_features)))
    X = np.empty((n_samples, mixture.n_features))
    for k in range(mixture.n_components):
        rows = labels == k
        X[rows] = algebra.colour(draws[rows], natural.root(k)) + mixture.means[k]
    if noise is not None and noise.weight > 0.0:
        rows = labels == mixture.n_components
        X[rows] = noise.sample(int(np.count_nonzero(rows)), generator)
        labels[rows] = -1
    return X, labels
