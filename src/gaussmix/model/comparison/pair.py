"""Two mixtures that can be compared: of the same features, without noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.order import take_components
from gaussmix.model.mixture.parts import read_mixture


def read_mixtures(values: Sequence[Any], names: Sequence[str]) -> list[Mixture]:
    """The mixtures of values.

    Raises ValueError where one has noise, or another number of features, or other names for them.
    """
    mixtures = [read_mixture(value, name, Mixture) for value, name in zip(values, names, strict=True)]
    for mixture, name in zip(mixtures, names, strict=True):
        first = mixtures[0]
        if mixture.noise is not None:
            raise ValueError(
                f"{name} has a noise component, which has no distance from Gaussians: take "
                f"{name}.without_noise()"
            )
        if mixture.n_features != first.n_features:
            raise ValueError(
                f"{names[0]} and {name} must have the same features; {names[0]} has {first.n_features}, and "
                f"{name} {mixture.n_features}"
            )
        ours, theirs = first.feature_names, mixture.feature_names
        if ours is not None and theirs is not None and ours != theirs:
            raise ValueError(f"{name} has other features, {theirs}, than {names[0]}, {ours}")
    return mixtures


def drop_empty(mixture: Mixture) -> Mixture:
    """The mixture without components of no weight."""
    kept = np.flatnonzero(mixture.weights > 0.0)
    return mixture if len(kept) == mixture.n_components else take_components(mixture, kept)


def read_pair(p: Any, q: Any) -> tuple[Mixture, Mixture]:
    """Both mixtures without components of no weight, seen from the mean of the first.

    Far from zero points would lose digits.
    """
    first, second = (drop_empty(each) for each in read_mixtures((p, q), ("p", "q")))
    origin = first.mean
    return _move(first, origin), _move(second, origin)


def read_ordered_pair(p: Any, q: Any) -> tuple[Mixture, Mixture]:
    """As :func:`read_pair`, in an order of their own: what is symmetric gives the same bits either way."""
    mixtures = read_mixtures((p, q), ("p", "q"))
    mixtures.sort(key=lambda each: (each.n_components, each.weights.tobytes(), each.means.tobytes()))
    return read_pair(*mixtures)


def _move(mixture: Mixture, origin: Any) -> Mixture:
    return mixture.replace(means=mixture.means - origin, feature_names=None)


def are_equal(first: Mixture, second: Mixture) -> bool:
    """Whether two mixtures have the same components, in any order."""
    if first.n_components != second.n_components:
        return False
    first, second = (_sort(each) for each in (first, second))
    return (
        np.array_equal(first.weights, second.weights)
        and np.array_equal(first.means, second.means)
        and np.array_equal(first.dense_covariances, second.dense_covariances)
    )


def _sort(mixture: Mixture) -> Mixture:
    """The components by means, those of equal means by weights and variances."""
    keys = np.concatenate([mixture.variances, mixture.weights[:, None], mixture.means], axis=1)
    return take_components(mixture, np.lexsort(keys.T))
