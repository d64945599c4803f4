"""Some features of a mixture, or some of its components."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from gaussmix._check import show_value
from gaussmix._typing import IntArray
from gaussmix.model.mixture.algebra.families import (
    convert_stack,
    find_structure,
    refuse_noise,
    replace_components,
)
from gaussmix.model.mixture.features import select_names
from gaussmix.model.mixture.order import take_components
from gaussmix.model.mixture.parts import Parts
from gaussmix.model.noise import Noise

M = TypeVar("M", bound=Parts)


def take_features(mixture: M, features: IntArray) -> M:
    """The mixture of some features, in this order, all others integrated out."""
    (k, d), m, structure = mixture.means.shape, len(features), mixture.structure
    noise = None if mixture.noise is None else _project_noise(mixture.noise, features, d)
    target = structure
    if m < d:
        target = find_structure(structure.find_marginal_family(m), m, structure.n_factors)
    stack = structure.algebra.marginal(mixture.covariance_stack, features)
    if target.algebra is not structure.algebra:
        stack = convert_stack(structure, target, stack, k, m)
    names = select_names(mixture, features)
    marginal = replace_components(mixture, target, mixture.means[:, features], stack, names, "marginal")
    return marginal.replace(noise=noise)


def select_components(mixture: M, components: Any) -> M:
    """Some components, with weights that keep their proportions and sum to one."""
    refuse_noise(mixture, "select")
    k = mixture.n_components
    chosen = _read_components(components, k)
    weights = mixture.weights[chosen]
    total = float(weights.sum())
    if not total > 0.0:
        raise ValueError("select: the weights of the components are all zero, and have no proportions")
    return take_components(mixture, chosen, weights / total)


def _read_components(components: Any, k: int) -> IntArray:
    """The places of components, each once; ValueError where they are none."""
    array = np.atleast_1d(np.asarray(components))
    if array.dtype == np.bool_:
        if array.shape != (k,):
            raise ValueError(f"select: a mask must have one entry a component, {k} in all; got {array.shape}")
        array = np.flatnonzero(array)
    if array.ndim != 1 or not array.size or array.dtype.kind not in "iu":
        raise ValueError(
            f"select: components are given by their places, integers from 0 to {k - 1}, at least one; got "
            f"{show_value(components)}"
        )
    wrong = array[(array < 0) | (array >= k)]
    if wrong.size:
        raise ValueError(f"select: there is no component {wrong[0]}; places go from 0 to {k - 1}")
    if len(np.unique(array)) < len(array):
        raise ValueError("select: components must be named once each; weights say how often they count")
    return array.astype(np.int64)


def _project_noise(noise: Noise, features: IntArray, d: int) -> Noise:
    """The noise of some features: uniform again where its box has edges along the features alone."""
    if noise.box is None:
        if len(features) == d:
            return noise
        raise ValueError(
            "marginal: the noise has a density but no box, so that its marginal is not known; give its Noise "
            "a box, or take mixture.without_noise()"
        )
    box = np.asarray(noise.box)
    corner, edges = box[0], box[1:]
    if len(features) == d:
        return Noise(noise.weight, noise.log_density, box[:, features])
    if np.count_nonzero(edges) != d:  # they are independent, so that each has one feature of its own
        raise ValueError(
            "marginal: the box of the noise is not parallel to the features, so that its marginal is not "
            "uniform; take mixture.without_noise()"
        )
    lengths = edges.sum(axis=0)[features]
    return Noise(noise.weight, box=np.concatenate([corner[None, features], np.diag(lengths)]))
