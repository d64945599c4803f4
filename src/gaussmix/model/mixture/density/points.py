"""Points and boxes that a caller asks about: as SciPy's distributions take them, or as a table."""

from __future__ import annotations

from typing import Any

import numpy as np

from gaussmix import _check
from gaussmix._reading.rows import read_named_rows, refuse_other_names
from gaussmix._typing import Float64Array
from gaussmix.model.mixture.properties import MixtureProperties


def read_points(
    mixture: MixtureProperties, X: Any, argument: str = "X"
) -> tuple[Float64Array, tuple[int, ...]]:
    """Points as rows (m, d), and the shape of an answer with one number for each.

    The last axis is that of the features. Of one feature an array of at most one axis, or a number, has none.
    Entries may be infinite.
    """
    points = _read_numbers(mixture, X, argument)
    d = mixture.n_features
    if d == 1 and points.ndim <= 1:
        points = points[..., None]
    if points.ndim == 0 or points.shape[-1] != d:
        raise ValueError(
            f"{argument} must have the shape (..., {d}), one entry a feature in the last axis; got "
            f"{points.shape}"
        )
    return points.reshape(-1, d), points.shape[:-1]


def read_limits(
    mixture: MixtureProperties, low: Any, high: Any
) -> tuple[Float64Array, Float64Array, tuple[int, ...]]:
    """The lower and upper corners of boxes as rows (m, d), and the shape of an answer.

    A number holds for all features.
    """
    d = mixture.n_features
    corners = []
    for argument, values in (("low", low), ("high", high)):
        corner = _read_numbers(mixture, values, argument)
        if d > 1 and corner.ndim == 0:
            corner = np.full(d, corner)
        rows, shape = read_points(mixture, corner, argument)
        corners.append(rows.reshape(*shape, d))
    try:
        first, last = np.broadcast_arrays(*corners)
    except ValueError:
        shapes = " and ".join(str(corner.shape) for corner in corners)
        raise ValueError(f"low and high must have shapes that fit each other; got {shapes}") from None
    wrong = np.argwhere(first > last)
    if wrong.size:
        place = tuple(int(i) for i in wrong[0])
        raise ValueError(
            f"low must not be above high; {_check.describe_entry(place)} is {first[place]} in low and "
            f"{last[place]} in high"
        )
    return first.reshape(-1, d), last.reshape(-1, d), first.shape[:-1]


def read_shares(q: Any, argument: str) -> Float64Array:
    """Probabilities of any shape, from 0 to 1."""
    shares = make_float64(_check.make_plain(q, argument), argument)
    bad = ~((shares >= 0.0) & (shares <= 1.0))
    if bad.any():
        raise ValueError(f"{argument} must be probabilities from 0 to 1; got {shares[bad][0]}")
    return shares


def _read_numbers(mixture: MixtureProperties, values: Any, argument: str) -> Float64Array:
    """An array of any shape without NaN; of a table, whose columns have to be the mixture's, its rows."""
    array, names = read_named_rows(values, argument)
    refuse_other_names(names, mixture.feature_names, argument)
    numbers = make_float64(array, argument)
    if np.isnan(numbers).any():
        raise ValueError(f"{argument} contains NaN; {_check.REMEDY}")
    return numbers


def make_float64(array: Any, argument: str) -> Float64Array:
    """An array in double precision; ValueError where it holds anything but real numbers."""
    try:
        if np.asarray(array).dtype.kind in "cmM":  # NumPy would drop a part, or count from 1970
            raise TypeError
        return np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{argument} must be numbers; got {_check.show_value(array)}") from None
