"""What a caller gives of some features: values by position or name, as a mapping, a frame or an array."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gaussmix import _check
from gaussmix._reading.columns import read_columns
from gaussmix._reading.tables import Table, find_table
from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.mixture.algebra.linear import read_numbers
from gaussmix.model.mixture.features import read_features
from gaussmix.model.mixture.properties import MixtureProperties


@dataclass(frozen=True, eq=False)
class Given:
    """Values of some features."""

    #: The positions of the features, shape (p,).
    features: IntArray
    #: Their values, shape (n, p).
    values: Float64Array
    #: Whether they are one condition, of single numbers, and not a batch of n.
    single: bool


def read_given(mixture: MixtureProperties, given: Any, features: Any, named: Mapping[str, Any]) -> Given:
    """What `condition` is given; ValueError where it is nothing, or makes no sense."""
    if named:
        if given is not None or features is not None:
            raise ValueError(
                "condition: give a mapping, a frame or an array, or keywords; not several of them"
            )
        given = named
    if given is None:
        raise ValueError("condition: nothing is given; name at least one feature and its value")
    table = find_table(given, "given")
    if table is not None:
        return _read_frame(mixture, table, features)
    if isinstance(given, Mapping) or hasattr(given, "items"):  # a row of a data frame is a series
        if features is not None:
            raise ValueError("condition: a mapping names its features itself; leave out features=")
        return _read_mapping(mixture, dict(given.items()))
    return _read_array(mixture, given, features)


def _read_mapping(mixture: MixtureProperties, given: Mapping[Any, Any]) -> Given:
    """A value, or n of them, for each feature; single numbers stand for n equal ones."""
    if not given:
        raise ValueError("condition: nothing is given; name at least one feature and its value")
    features = read_features(mixture, list(given), "condition")
    columns = [read_numbers(value, f"condition: the value of {key!r}") for key, value in given.items()]
    for key, column in zip(given, columns, strict=True):
        if column.ndim > 1:
            raise ValueError(
                f"condition: the value of {key!r} must be a number, or n of them; got the "
                f"shape {column.shape}"
            )
    lengths = {len(column) for column in columns if column.ndim}
    if len(lengths) > 1:
        sizes = ", ".join(f"{key!r}: {column.size}" for key, column in zip(given, columns, strict=True))
        raise ValueError(f"condition: features must have as many values as one another, or one; got {sizes}")
    n = lengths.pop() if lengths else 1
    values = np.stack([np.broadcast_to(column, (n,)) for column in columns], axis=1)
    return Given(features, values, single=not any(column.ndim for column in columns))


def _read_frame(mixture: MixtureProperties, table: Table, features: Any) -> Given:
    """A table whose columns are features; only those that `features` names are read, if it is given."""
    labels = list(table.labels)
    if features is None:
        places, wanted = list(range(len(labels))), labels
    else:
        wanted = [features] if isinstance(features, str) else list(features)
        for label in wanted:
            if labels.count(label) != 1:
                raise ValueError(
                    f"condition: the frame has {labels.count(label)} columns {label!r}, and needs one"
                )
        places = [labels.index(label) for label in wanted]
    if not all(isinstance(label, str) for label in wanted):
        raise ValueError("condition: the columns of the frame need names, which say what features they are")
    hint = "" if features is not None else ". features= says which columns of the frame count"
    try:
        positions = read_features(mixture, wanted, "condition")
    except ValueError as error:
        raise ValueError(f"{error}{hint}") from None
    values = read_columns([table.get(j) for j in places], wanted, "given")
    _check.check_finite(values, "condition: given", wanted)
    return Given(positions, np.asarray(values, dtype=np.float64), single=False)


def _read_array(mixture: MixtureProperties, given: Any, features: Any) -> Given:
    """An array, of which `features` names the columns."""
    if features is None:
        raise ValueError(
            "condition: an array needs features=, the positions or names that its columns have; or give a "
            "mapping, as in condition({0: 1.5})"
        )
    positions, values = read_features(mixture, features), read_numbers(given, "condition: given")
    p = len(positions)
    if isinstance(features, str) or np.ndim(features) == 0:
        values = values[..., None]  # n values of one feature, or a number
    if values.ndim not in (1, 2) or values.shape[-1] != p:
        raise ValueError(
            f"condition: given must have the shape ({p},) for one condition, or (n, {p}) for n, one column "
            f"for each of features; got {np.shape(given)}"
        )
    return Given(positions, values.reshape(-1, p), single=values.ndim == 1)
