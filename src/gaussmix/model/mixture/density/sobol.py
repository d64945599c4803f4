"""Draws from a mixture that fill it evenly: scrambled Sobol points, mapped to the components."""

from __future__ import annotations

import numpy as np

from gaussmix import _check
from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.mixture.density.background import find_noise
from gaussmix.model.mixture.properties import MixtureProperties

#: Dimensions that Sobol's sequence has in SciPy.
MOST_DIMENSIONS = 21_201
#: The least distance of a point from a face of its cube: a point on one would be infinitely far away.
LEAST_SHARE = 2.0**-54


def draw_sobol(
    mixture: MixtureProperties, n: int, generator: np.random.Generator
) -> tuple[Float64Array, IntArray]:
    """Rows, and where each came from: a component, or -1 for the noise.

    The first coordinate of a point chooses the component, in the order of the weights' sums; the others are
    the standard normal numbers of a draw.
    """
    from scipy.special import ndtri
    from scipy.stats import qmc

    noise = find_noise(mixture)
    k, d = mixture.n_components, mixture.n_features
    algebra, natural = mixture.structure.algebra, mixture.natural
    n_dimensions = 1 + algebra.n_draws(d)
    if n_dimensions > MOST_DIMENSIONS:
        raise ValueError(
            f"Sobol's sequence has {MOST_DIMENSIONS} dimensions, and these draws need {n_dimensions}; use "
            "sample"
        )
    # SciPy warns of numbers that are no powers of two, which are less balanced but no less correct
    sequence = qmc.Sobol(n_dimensions, seed=generator)
    points = sequence.random_base2(int(n - 1).bit_length())[:n]
    weights = mixture.weights if noise is None else np.append(mixture.weights, noise.weight)
    borders = np.cumsum(weights / weights.sum())
    last = int(np.flatnonzero(weights > 0.0)[-1])
    labels = np.minimum(np.searchsorted(borders, points[:, 0], side="right"), last)
    X = np.empty((n, d))
    shares = np.clip(points[:, 1:], LEAST_SHARE, 1.0 - LEAST_SHARE)
    for component in range(k):
        rows = labels == component
        draws = ndtri(shares[rows])
        X[rows] = algebra.colour(draws, natural.root(component)) + mixture.means[component]
    if noise is not None:
        rows, box = labels == k, np.asarray(noise.box)
        X[rows] = box[0] + shares[rows, :d] @ box[1:]
        labels[rows] = -1
    return X, labels


def draw_copies(
    mixture: MixtureProperties, n_draws: int, n_copies: int, generator: np.random.Generator
) -> list[Float64Array]:
    """Independently scrambled sets of rows, of `n_draws` in all or a few more."""
    n_draws = _check.read_count(n_draws, "n_draws", 2 * n_copies)
    each = 1 << (-(-n_draws // n_copies) - 1).bit_length()
    return [draw_sobol(mixture, each, generator)[0] for _ in range(n_copies)]
