"""Mixtures of means and square roots of covariances."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.covariance import get_structure
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.algebra.families import refuse_singular


def make_mixture(
    weights: Float64Array, means: Float64Array, halves: Float64Array, names: tuple[str, ...] | None
) -> Mixture:
    """The mixture of covariances B B' for halves B, shape (k, d, d), or B^2 for diagonals, (k, d)."""
    structure = get_structure("diag" if halves.ndim == 2 else "full", means.shape[1])
    stack = halves * halves if halves.ndim == 2 else halves @ np.swapaxes(halves, 1, 2)
    with refuse_singular("transport"):
        roots = structure.find_roots(stack)
    return Mixture.of_parts(structure, weights / weights.sum(), means, stack, roots, feature_names=names)
