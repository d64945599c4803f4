"""Features that a caller names, by position or by name: one reader for all methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gaussmix._check import show_value
from gaussmix._text import list_some
from gaussmix._typing import IntArray
from gaussmix.model.mixture.printing import default_names
from gaussmix.model.mixture.properties import MixtureProperties


def read_features(mixture: MixtureProperties, features: Any, argument: str = "features") -> IntArray:
    """The positions of features of a mixture, in the order given, shape (m,).

    Parameters
    ----------
    mixture : MixtureProperties
    features : int, str or sequence of these
        Positions from 0 to d - 1, or names: those of the mixture, or x0, x1, ... where it has none.
    argument : str
        What messages call them.

    Raises
    ------
    ValueError
        If there are none, one does not exist, or one is named twice; the message says which.
    """
    names = name_features(mixture)
    if isinstance(features, str) or np.ndim(features) == 0:
        features = [features]
    positions = [_find_position(names, feature, argument) for feature in features]
    if not positions:
        raise ValueError(f"{argument} must name at least one feature; got none")
    seen: set[int] = set()
    for position in positions:
        if position in seen:
            raise ValueError(f"{argument} must name each feature once; {names[position]!r} is there twice")
        seen.add(position)
    return np.array(positions, dtype=np.int64)


def name_features(mixture: MixtureProperties) -> tuple[str, ...]:
    """The names of the features, or x0, x1, ... where they have none."""
    return mixture.feature_names or default_names(mixture.n_features)


def select_names(mixture: MixtureProperties, features: IntArray) -> tuple[str, ...] | None:
    """The names of some features; None where the mixture has none."""
    names = mixture.feature_names
    return None if names is None else tuple(names[j] for j in features)


def join_names(mixtures: Sequence[MixtureProperties], operation: str) -> tuple[str, ...] | None:
    """The names of the features that all mixtures have; ValueError where these are others.

    A mixture without names takes those of the others.
    """
    d = mixtures[0].n_features
    names = next((mixture.feature_names for mixture in mixtures if mixture.feature_names is not None), None)
    for mixture in mixtures:
        if mixture.n_features != d:
            raise ValueError(
                f"{operation}: mixtures must have the same features; got {d} and {mixture.n_features} of them"
            )
        if mixture.feature_names not in (None, names):
            raise ValueError(
                f"{operation}: mixtures must have the same features in the same order; got "
                f"{list_some([repr(name) for name in names or ()])} and "
                f"{list_some([repr(name) for name in mixture.feature_names or ()])}. marginal() selects and "
                "orders features"
            )
    return names


def _find_position(names: Sequence[str], feature: Any, argument: str) -> int:
    """The position of one feature; ValueError where there is none."""
    d = len(names)
    if isinstance(feature, str):
        if names.count(feature) == 1:
            return names.index(feature)
        if feature in names:
            raise ValueError(
                f"{argument}: {names.count(feature)} features are called {feature!r}; give positions"
            )
        raise ValueError(
            f"{argument}: there is no feature {show_value(feature)}; the mixture has "
            f"{list_some([repr(name) for name in names])}"
        )
    is_integer = isinstance(feature, int | np.integer) and not isinstance(feature, bool)
    if is_integer and 0 <= feature < d:
        return int(feature)
    raise ValueError(
        f"{argument}: a feature is given by its name or its position from 0 to {d - 1}; got "
        f"{show_value(feature)}"
    )
