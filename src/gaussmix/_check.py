"""Checks of input, each made once, at the public interface.

Messages say what was expected, what came and what to do.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix._text import make_printable
from gaussmix._typing import BoolArray, Float64Array, FloatArray

#: What to do with entries that are not there.
REMEDY = "remove or impute them first"
#: Characters of a label or an entry that a message shows.
MOST_SHOWN = 60
#: How far the sum of the weights may be from one, by rounding. The key: whether they are float32.
WEIGHT_TOLERANCE = {False: 1e-8, True: 1e-6}


def check_rows(array: npt.NDArray[Any], d: int, name: str = "X") -> tuple[FloatArray, float]:
    """Rows as a finite float32 or float64 array of shape (n, d), and their largest absolute value."""
    if array.dtype not in (np.float32, np.float64):
        array = _convert_to_float64(array, name)
    if array.ndim != 2 or array.shape[1] != d:
        raise ValueError(
            f"{name} must have the shape (n_samples, {d}), one column a feature; got {array.shape}"
            + (". Reshape one row with X.reshape(1, -1)" if array.shape == (d,) else "")
        )
    return array, check_finite(array, name)


def check_finite(array: FloatArray, name: str, labels: Sequence[Any] | None = None) -> float:
    """The largest absolute value. Raises ValueError that names the first entry that is NaN or infinite.

    A table's columns are called by their labels.
    """
    if array.size == 0:
        return 0.0
    extent = max(-float(np.minimum.reduce(array, axis=None)), float(np.maximum.reduce(array, axis=None)))
    if math.isfinite(extent):  # finite rows cost two quick passes and no memory
        return extent
    bad = np.argwhere(~np.isfinite(array))
    place = tuple(int(i) for i in bad[0])
    where = describe_entry(place) if labels is None else f"row {place[0]} of {name_column(labels[place[1]])}"
    raise ValueError(
        f"{name} contains NaN or infinity: {where} is {array[place]} ({len(bad)} such in all); {REMEDY}"
    )


def make_plain(values: Any, name: str) -> npt.NDArray[Any]:
    """What NumPy makes an array of; ValueError where an entry is masked, since NumPy drops the mask."""
    if type(values) is np.ndarray:
        return values
    refuse_masked(values, name)
    return np.asarray(values.unmasked if hasattr(values, "unmasked") else values)


def refuse_masked(values: Any, name: str) -> None:
    """Raise ValueError where an entry of an array, or of arrays in a list, is masked."""
    if isinstance(values, list | tuple) and any(isinstance(part, np.ma.MaskedArray) for part in values):
        values = np.ma.stack([np.ma.asarray(part) for part in values])
    mask = find_mask(values) if isinstance(values, np.ndarray) else None
    if mask is not None and mask.any():
        places = np.argwhere(mask)
        where = describe_entry(tuple(places[0].tolist()))
        raise ValueError(
            f"{name} contains masked entries: {where} is masked ({len(places)} such in all); {REMEDY}"
        )


def find_mask(array: npt.NDArray[Any]) -> BoolArray | None:
    """Which entries of an array are masked; None if it has no mask. Fields of a structure count together."""
    mask = getattr(array, "mask", None)  # of numpy.ma; and of astropy, whose arrays have `unmasked` as well
    if mask is None or mask is np.ma.nomask:
        return None
    mask = np.broadcast_to(np.asarray(mask), array.shape)
    if mask.dtype.names is None:
        return mask
    return np.asarray(np.any([mask[name] for name in mask.dtype.names], axis=0))


def name_column(label: Any) -> str:
    """The column with this label, as in "column 'height'"."""
    return f"column {show_value(label)}"


def show_value(value: Any) -> str:
    """A label or an entry as a message shows it: on one line and not too long."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = MOST_SHOWN
    return make_printable(short.repr(value.item() if isinstance(value, np.generic) else value))


def describe_entry(place: tuple[int, ...]) -> str:
    """As in "entry (3, 1)"."""
    return f"entry {place if len(place) > 1 else place[0]}"


def read_parameter(values: npt.ArrayLike, shape: tuple[int, ...], name: str, axes: str) -> Float64Array:
    """A finite float64 copy of a parameter of exactly this shape, read-only."""
    array = np.array(_convert_to_float64(make_plain(values, name), name))
    if array.shape != shape:
        raise ValueError(f"{name} must have the shape {shape} = {axes}; got {array.shape}")
    check_finite(array, name)
    array.flags.writeable = False
    return array


def read_weights(values: npt.ArrayLike, k: int, rest: float = 0.0) -> Float64Array:
    """Mixing weights: k non-negative numbers that sum to one less `rest`, the weight of the noise.

    Weights given as float32 are scaled so that they sum to one in double precision.
    """
    array = read_parameter(values, (k,), "weights", "(n_components,)")
    if (array < 0.0).any():
        worst = int(array.argmin())
        raise ValueError(f"weights must not be negative; weight {worst} is {array[worst]:.6g}")
    total = float(array.sum()) + rest
    single = bool(np.asarray(values).dtype == np.float32)
    if abs(total - 1.0) > WEIGHT_TOLERANCE[single]:
        noise = " with that of the noise" if rest else ""
        raise ValueError(
            f"weights must sum to 1{noise}; they sum to {total:.10g}. Divide proportions by their sum"
        )
    if single and total != 1.0:  # a model file holds them in double precision, and its reader allows less
        array = array * ((1.0 - rest) / (total - rest))
        array.flags.writeable = False
    return array


def refuse_negative(value: Any, name: str) -> None:
    """Raise ValueError unless the value is a finite number of at least zero."""
    if not isinstance(value, int | float | np.number) or not 0.0 <= float(value) < np.inf:
        raise ValueError(f"{name} must be a finite number of at least 0; got {value!r}")


def read_count(value: Any, name: str, least: int = 1) -> int:
    """A whole number of at least so many. ValueError names the argument otherwise."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}; got {show_value(value)}")
    return int(value)


def check_sample_weight(values: npt.NDArray[Any], n: int) -> Float64Array:
    """Weights of the rows: n finite non-negative numbers, not all zero."""
    array = _convert_to_float64(values, "sample_weight")
    if array.ndim == 0:
        array = np.full(n, float(array))
    if array.shape != (n,):
        raise ValueError(
            f"sample_weight must have the shape ({n},), one weight a row of X; got {array.shape}"
        )
    check_finite(array, "sample_weight")
    if (array < 0.0).any():
        row = int(np.flatnonzero(array < 0.0)[0])
        raise ValueError(f"sample_weight must not be negative; that of row {row} is {array[row]:.6g}")
    if not (array > 0.0).any():
        raise ValueError("sample_weight is zero for every row: there is nothing to fit")
    return array


def _convert_to_float64(array: npt.NDArray[Any], name: str) -> Float64Array:
    if np.iscomplexobj(array):
        raise ValueError(f"{name} must hold real numbers; complex data are not supported")
    if array.dtype.kind in "mM":  # NumPy would count from 1970, in whatever unit
        raise ValueError(f"{name} holds dates or times ({array.dtype}): turn them into numbers")
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        place = find_wrong_entry(array)
        where = "" if place is None else f" ({describe_entry(place)})"
        raise ValueError(f"{name} must hold numbers; got {array.dtype}: {error}{where}") from None


def find_wrong_entry(values: npt.NDArray[Any]) -> tuple[int, ...] | None:
    """The place of the first entry that is no number; None where each can be read as one."""
    for place, value in np.ndenumerate(values):
        try:
            float(value)
        except (TypeError, ValueError, OverflowError):
            return place
    return None
