"""Mixtures of linear functions of x: A x + b."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.covariance.matrices import invert_lower
from gaussmix.model.mixture.algebra.families import (
    convert_stack,
    find_structure,
    refuse_noise,
    replace_components,
)
from gaussmix.model.mixture.algebra.linear import LinearMap
from gaussmix.model.mixture.algebra.observation import triangulate
from gaussmix.model.mixture.algebra.selection import take_features
from gaussmix.model.mixture.parts import Parts
from gaussmix.model.moments.frame import Group
from gaussmix.model.noise import Noise

#: Rounding of a number.
EPS = float(np.finfo(np.float64).eps)

M = TypeVar("M", bound=Parts)


def map_linearly(mixture: M, map_: LinearMap, offset: Float64Array, names: tuple[str, ...] | None) -> M:
    """The mixture of A x + b, with the names of its features."""
    m, d = map_.matrix.shape
    if m > d:
        raise ValueError(
            f"affine: A must not have more rows than features, or A x has no density; got {m} rows for {d} "
            "features"
        )
    noise = _map_noise(mixture, map_.matrix, offset)
    gaussians = mixture.replace(noise=None)
    features = map_.features
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused by its own name
        if features is None:
            mapped = _map_matrices(gaussians, map_.matrix)
        else:
            mapped = _scale_features(take_features(gaussians, features), map_.factors, map_.group)
    return mapped.replace(means=mapped.means + offset, feature_names=names, noise=noise)


def _scale_features(mixture: M, factors: Float64Array, group: Group) -> M:
    """The mixture of features times factors."""
    (k, d), structure, names = mixture.means.shape, mixture.structure, mixture.feature_names
    target = find_structure(structure.find_mapped_family(group), d, structure.n_factors)
    stack = mixture.covariance_stack
    if target.algebra is not structure.algebra:
        stack = convert_stack(structure, target, stack, k, d)
    # a number where all are the same but for signs, which count where features are correlated alone
    matrix = np.abs(factors[0]) if target.algebra.isotropic and not target.n_factors else factors
    stack = target.algebra.map_covariances(stack, matrix)
    return replace_components(mixture, target, mixture.means * factors, stack, names, "affine")


def _map_matrices(mixture: M, A: Float64Array) -> M:
    """The mixture of A x for any A of full row rank, by factors of the covariances."""
    (m, d), structure = A.shape, mixture.structure
    name = structure.find_mapped_family("affine")
    if m < d and structure.find_marginal_family(m) != name:
        name = structure.matrix_family
    halves = A @ structure.algebra.halves(mixture.roots, d)
    upper = triangulate(np.swapaxes(halves, 1, 2))
    sizes = np.linalg.norm(halves, axis=2)
    if (np.diagonal(upper, axis1=1, axis2=2) <= d * EPS * sizes).any():
        raise ValueError(
            f"affine: A must have full row rank, or A x has no density; of its {m} rows some depend on others"
        )
    structure = find_structure(name, m, 0)
    return replace_components(
        mixture,
        structure,
        mixture.means @ A.T,
        np.swapaxes(upper, 1, 2) @ upper,
        None,
        "affine",
        roots=np.swapaxes(invert_lower(np.swapaxes(upper, 1, 2)), 1, 2),
    )


def _map_noise(mixture: M, A: Float64Array, offset: Float64Array) -> Noise | None:
    """The noise of A x + b for a square A."""
    noise, (m, d) = mixture.noise, A.shape
    if noise is None:
        return None
    if m < d:
        refuse_noise(mixture, "affine")
    density = noise.known_log_density - float(np.linalg.slogdet(A)[1])
    if noise.box is None:
        return Noise(noise.weight, density)
    box = np.asarray(noise.box) @ A.T
    box[0] += offset
    return Noise(noise.weight, density, box)
