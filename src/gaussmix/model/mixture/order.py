"""Orders of components that no rounding decides: that of a reported fit, and those that a user asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import numpy as np

from gaussmix._text import list_some
from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.mixture.parts import Parts
from gaussmix.model.mixture.printing import default_names
from gaussmix.model.mixture.properties import MixtureProperties

#: Numbers nearer than this are equal: means in spreads of the mixture, weights, logarithms of variances.
EQUAL = 1e-6

#: What components may be sorted by, apart from a feature.
KEYS = ("weight", "first axis")

M = TypeVar("M", bound=Parts)


def find_stable_order(mixture: MixtureProperties) -> IntArray:
    """Components by their means, the first feature first.

    Those of equal means come by their weights, the largest first, and then by their variances.

    Numbers within a millionth of each other, in spreads of the mixture, are equal, and so are those between
    which such steps lead, so that what two machines find in their last digits makes no difference.
    """
    return sort_components(*_find_stable_keys(mixture))


def find_order(mixture: MixtureProperties, key: str | int) -> IntArray:
    """Components by weight, by the mean of a feature or along the first axis; equal ones in the stable order.

    Raises ValueError where the key is none of these.
    """
    places, *others = _find_stable_keys(mixture)
    if key == "weight":
        first = -mixture.shares
    elif key == "first axis":
        first = places @ find_first_axis(places, mixture.shares)
    else:
        first = places[:, find_feature(mixture, key)]
    return sort_components(first, places, *others)


def find_first_axis(places: Float64Array, weights: Float64Array) -> Float64Array:
    """The direction of greatest weighted variance of centred points, shape (d,), of length one or zero.

    Its largest entry is positive, the first of equals. Among directions of equal variance it is the one
    nearest to the first feature that is near to any. It is zero where all points are the same.
    """
    scaled = np.sqrt(weights)[:, None] * places
    _, spreads, axes = np.linalg.svd(scaled, full_matrices=False)
    if spreads[0] < EQUAL:
        return np.zeros(places.shape[1])
    leading = axes[spreads >= (1.0 - EQUAL) * spreads[0]]
    lengths = (leading * leading).sum(
        axis=0
    )  # of the features' own directions, projected on those of leading
    nearest = int(np.argmax(lengths >= lengths.max() - EQUAL))
    return np.asarray(leading.T @ leading[:, nearest] / np.sqrt(lengths[nearest]))


def find_feature(mixture: MixtureProperties, key: Any) -> int:
    """The place of a feature, given by it or by name; ValueError where there is none."""
    d = mixture.n_features
    names = mixture.feature_names or default_names(d)
    if isinstance(key, str):
        if names.count(key) == 1:
            return names.index(key)
        shown = list_some([repr(name) for name in names])
        raise ValueError(f"expected {', '.join(map(repr, KEYS))} or a feature, one of {shown}; got {key!r}")
    if isinstance(key, int | np.integer) and not isinstance(key, bool) and 0 <= key < d:
        return int(key)
    raise ValueError(f"a feature is given by its name or its place from 0 to {d - 1}; got {key!r}")


def take_components(mixture: M, components: IntArray, weights: Float64Array | None = None) -> M:
    """Some components of a mixture, in this order, with their own weights or others."""
    structure = mixture.structure
    return mixture.replace(
        weights=mixture.weights[components] if weights is None else weights,
        means=mixture.means[components],
        covariance_stack=structure.select(mixture.covariance_stack, components),
        roots=structure.select(mixture.roots, components),
    )


def _find_stable_keys(mixture: MixtureProperties) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Means in spreads of the mixture, from its mean; weights, largest first; logarithms of variances."""
    weights = mixture.weights / (mixture.weights.sum() or 1.0)  # all may have gone to the noise
    variances = mixture.variances
    apart = mixture.means - weights @ mixture.means
    spread = np.sqrt(weights @ (variances + apart * apart))
    spread[spread == 0.0] = 1.0
    return apart / spread, -weights, np.log(variances)


def sort_components(*keys: Float64Array) -> IntArray:
    """The components by the first key, equal ones by the next; keys of shape (k,) or (k, m)."""
    columns = np.concatenate([key.reshape(len(key), -1) for key in keys], axis=1)
    return np.array(list(_order_by_keys(np.arange(len(columns)), columns)))


def _order_by_keys(components: IntArray, keys: Float64Array) -> Iterator[int]:
    """The components by the first key, groups of equal ones by the next."""
    for column in range(keys.shape[1]):
        if len(components) == 1:
            break
        first = keys[components, column]
        order = np.argsort(first, kind="stable")
        borders = np.flatnonzero(np.diff(first[order]) > EQUAL) + 1
        groups = [np.sort(group) for group in np.split(components[order], borders)]
        if len(groups) > 1:
            for group in groups:
                yield from _order_by_keys(group, keys[:, column + 1 :])
            return
        components = groups[0]
    yield from (int(component) for component in components)
