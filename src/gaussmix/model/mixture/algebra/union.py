"""Several mixtures as one: their components side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.covariance import Structure
from gaussmix.model.mixture.algebra.families import (
    convert_stack,
    find_structure,
    refuse_noise,
    replace_components,
)
from gaussmix.model.mixture.features import join_names
from gaussmix.model.mixture.parts import Parts

M = TypeVar("M", bound=Parts)


def unite(mixtures: Sequence[M], weights: Float64Array) -> M:
    """The mixture sum_i v_i p_i(x) of mixtures p_i with weights v_i."""
    for mixture in mixtures:
        refuse_noise(mixture, "mix")
    names = join_names(mixtures, "mix")
    target = _join_structures(mixtures)
    stacks = [
        convert_stack(m.structure, target, m.covariance_stack, m.n_components, m.n_features) for m in mixtures
    ]
    stack = np.concatenate(stacks)
    return replace_components(
        mixtures[0],
        target,
        np.concatenate([mixture.means for mixture in mixtures]),
        stack[:1] if target.shared else stack,
        names,
        "mix",
        weights=np.concatenate([v * m.weights for v, m in zip(weights, mixtures, strict=True)]),
    )


def _join_structures(mixtures: Sequence[Parts]) -> Structure:
    """The narrowest family that has the covariances of all components."""
    first, d = mixtures[0], mixtures[0].n_features
    alike = all(
        m.structure is first.structure and np.array_equal(m.covariance_stack, first.covariance_stack)
        for m in mixtures
    )
    if alike:  # what components of each share, all share
        return first.structure
    algebras = [mixture.structure.algebra for mixture in mixtures]
    n_factors = max(algebra.n_factors for algebra in algebras)
    isotropic = all(algebra.isotropic for algebra in algebras)
    if any(m.structure.algebra.to_parts(m.covariance_stack, *m.means.shape) is None for m in mixtures):
        name = "VVV"
    elif n_factors:
        name = "UUC" if isotropic else "UUU"
    else:
        name = "VII" if isotropic else "VVI"
    return find_structure(name, d, n_factors)
