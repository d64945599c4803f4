"""Rows drawn from a mixture."""

from __future__ import annotations

from typing import Any

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.mixture.properties import MixtureProperties


def check_number(n_samples: Any) -> None:
    """Raise ValueError unless it is a whole number of rows that can be drawn."""
    whole = isinstance(n_samples, int | np.integer) and not isinstance(n_samples, bool)
    if not whole or n_samples < 1:
        raise ValueError(
            f"Invalid value for 'n_samples': {n_samples}; at least one sample must be drawn, a whole number"
        )


def read_size(size: Any) -> tuple[int, ...]:
    """The shape of draws, as SciPy takes it: none, a whole number, or a tuple of them."""
    sizes = () if size is None else tuple(size) if isinstance(size, tuple | list) else (size,)
    if any(not isinstance(each, int | np.integer) or isinstance(each, bool) for each in sizes):
        raise ValueError(f"size must be a whole number, or a tuple of them; got {size!r}")
    if any(each < 0 for each in sizes):
        raise ValueError(f"size must not be negative; got {size!r}")
    return tuple(map(int, sizes))


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
