"""Columns as arrays of numbers; what is none is refused by the column's name and the row."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix._check import REMEDY, find_mask, find_wrong_entry, name_column, show_value
from gaussmix._typing import BoolArray, FloatArray

#: Kinds of types whose values are numbers: floats, integers and booleans.
NUMBERS = "fiub"

#: Why columns are refused whatever their entries are.
PARTS = "{column} must hold one number a row; got {kind}: make columns of its parts, or leave it out"
DATES = (
    "{column} holds dates or times ({kind}): turn them into numbers, such as days since a day, or leave the "
    "column out"
)


@dataclass(frozen=True)
class Place:
    """What a message says of an entry: the argument, and the label of the column if there are several."""

    argument: str
    #: Empty for one column of its own, such as weights.
    column: tuple[Any, ...] = ()

    @property
    def of_column(self) -> str:
        """As in "column 'height' of X"."""
        return " of ".join([*map(name_column, self.column), self.argument])

    def describe_row(self, row: int) -> str:
        """As in "row 3 of column 'height'"."""
        return " of ".join([f"row {row}", *map(name_column, self.column)])


def read_columns(
    columns: Sequence[Any], labels: Sequence[Any], argument: str, *, missing: bool = False
) -> FloatArray:
    """Columns side by side, shape (n, d): float32 where all of them fit in it, else float64.

    Missing entries become NaN where they may be there (`missing`).
    """
    places = [Place(argument, (label,)) for label in labels]
    if not missing:
        refuse_missing(columns, places)
    read = read_numbers_or_nan if missing else read_numbers
    arrays = [read(column, place) for column, place in zip(columns, places, strict=True)]
    for array, place in zip(arrays, places, strict=True):
        if len(array) != len(arrays[0]):
            raise ValueError(
                f"{place.of_column} has {len(array)} rows, but {places[0].of_column} has {len(arrays[0])}"
            )
    single = np.result_type(*(array.dtype for array in arrays)) == np.float32
    # Column after column, as libraries lay them out.
    rows: FloatArray = np.empty(
        (len(arrays[0]), len(arrays)), dtype=np.float32 if single else np.float64, order="F"
    )
    for j, array in enumerate(arrays):
        rows[:, j] = array
    return rows


def read_numbers(column: Any, place: Place) -> npt.NDArray[Any]:
    """A column without missing entries as numbers, shape (n,); ValueError where it holds others."""
    refuse_declared_type(column, place)
    values = np.asarray(getattr(column, "unmasked", column))
    kind = values.dtype.kind
    if values.ndim != 1 and kind in NUMBERS:
        raise ValueError(
            f"{place.of_column} has entries of the shape {values.shape[1:]}: give each number a column of "
            "its own"
        )
    if kind in NUMBERS:
        return values
    if kind in "mM":
        raise ValueError(DATES.format(column=place.of_column, kind=values.dtype))
    if kind == "c":
        raise ValueError(f"{place.of_column} holds complex numbers, which are not supported")
    if kind == "V" or values.ndim != 1:
        found = reprlib.repr(values.dtype) if kind == "V" else type(column).__name__
        raise ValueError(PARTS.format(column=place.of_column, kind=found))
    try:
        return values.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        (row,) = find_wrong_entry(values) or (0,)
        raise ValueError(
            f"{place.argument} must hold numbers: {place.describe_row(row)} is "
            f"{show_value(values[row])}; turn it into a number, or leave "
            f"{'the column' if place.column else 'the row'} out"
        ) from error


def read_numbers_or_nan(column: Any, place: Place) -> npt.NDArray[Any]:
    """A column as numbers, NaN where an entry is masked or missing, shape (n,)."""
    found = find_missing(column)
    if found is None or not found[0].any():
        return read_numbers(column, place)
    refuse_declared_type(column, place)
    known, values = ~found[0], np.asarray(getattr(column, "unmasked", column))
    if known.ndim != 1 or values.ndim != 1:
        return read_numbers(column, place)  # which says what is wrong
    numbers = np.full(len(values), np.nan)
    numbers[known] = read_numbers(values[known], place)
    return numbers


def refuse_declared_type(column: Any, place: Place) -> None:
    """Raise ValueError where a column of polars, narwhals or pyarrow says itself that it holds no numbers.

    It is asked before there is an array: polars 1.0 crashes where it makes one of dates or structures.
    """
    dtype: Any = getattr(column, "dtype", None)
    if hasattr(dtype, "is_nested"):
        nested, dates = dtype.is_nested(), dtype.is_temporal()
    else:
        dtype = getattr(column, "type", None)
        nested, dates = getattr(dtype, "num_fields", 0) > 0, False
    if nested or dates:
        sentence = PARTS if nested else DATES
        raise ValueError(sentence.format(column=place.of_column, kind=reprlib.repr(str(dtype))))


def refuse_missing(columns: Iterable[Any], places: Sequence[Place]) -> None:
    """Raise ValueError where an entry of a column is masked or missing; it names the first and counts all."""
    first, total = "", 0
    for column, place in zip(columns, places, strict=True):
        found = find_missing(column)
        if found is None or not found[0].any():
            continue
        mask, word = found
        whole = mask if mask.ndim == 1 else mask.reshape(len(mask), -1).any(axis=1)
        first = first or f"{place.describe_row(int(np.flatnonzero(whole)[0]))} is {word}"
        total += int(mask.sum())
    if total:
        what = "masked entries" if first.endswith("masked") else "NaN or missing values"
        raise ValueError(f"{places[0].argument} contains {what}: {first} ({total} such in all); {REMEDY}")


def find_missing(column: Any) -> tuple[BoolArray, str] | None:
    """Which entries are masked or missing, and the word for it; None where NaN alone can stand for that."""
    if isinstance(column, np.ndarray):
        mask = find_mask(column)
        return None if mask is None else (mask, "masked")
    dtype = getattr(column, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind in NUMBERS:
        return None
    look: Callable[[], Any] | None = getattr(column, "isna", None) or getattr(column, "is_null", None)
    return None if look is None else (np.asarray(look(), dtype=bool), "missing")
