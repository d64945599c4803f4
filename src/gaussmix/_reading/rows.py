"""The door of the package: rows, their weights and the names of their columns, whatever holds them.

An entry that is masked or missing is refused as NaN is, before what lies under it could pass for data.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix import _check
from gaussmix._reading.columns import (
    NUMBERS,
    Place,
    read_columns,
    read_numbers,
    refuse_missing,
)
from gaussmix._reading.tables import Table, find_table, refuse_non_rows
from gaussmix._text import list_first
from gaussmix._typing import Float64Array, FloatArray

#: Names that a message lists.
MOST_NAMES = 5


def read_rows(
    X: Any, d: int, argument: str = "X", names: Sequence[str] | None = None
) -> tuple[FloatArray, float]:
    """X as a finite float32 or float64 array of shape (n, d), and its largest absolute value.

    ValueError where X has names that are not those given, or not in this order.
    """
    if type(X) is not np.ndarray or X.dtype.names is not None:
        X, found = read_named_rows(X, argument)
        refuse_other_names(found, names, argument)
    return _check.check_rows(X, d, argument)


def read_named_rows(X: Any, argument: str = "X") -> tuple[Any, tuple[str, ...] | None]:
    """X as an array, and the names of its columns, if it has any.

    Of a table the array is finite, of shape (n, d). All else is what NumPy makes of it, not yet checked.
    """
    if type(X) is np.ndarray and X.dtype.names is None:
        return X, None
    table = find_table(X, argument)
    if table is not None:
        return read_table(table, argument), find_names(table.labels)
    refuse_non_rows(X, argument)
    return _check.make_plain(X, argument), None


def read_table(table: Table, argument: str = "X", *, missing: bool = False) -> FloatArray:
    """The values of a table, finite float32 or float64, shape (n, d).

    Where entries may be `missing`, they are NaN, and whether others are finite is left to the caller.
    """
    labels = table.labels
    if not len(labels):
        raise ValueError(f"{argument} is a table without columns")
    values = None if table.get_values is None else table.get_values()
    if values is not None and values.dtype.kind in NUMBERS:
        rows: FloatArray = values if values.dtype in (np.float32, np.float64) else values.astype(np.float64)
    else:
        rows = read_columns(table.columns, labels, argument, missing=missing)
    if not missing:
        _check.check_finite(rows, argument, labels)
    return rows


def find_column_names(X: Any, argument: str = "X") -> tuple[str, ...] | None:
    """The names of the columns of X, if it has any, without a look at the values."""
    table = None if type(X) is np.ndarray and X.dtype.names is None else find_table(X, argument)
    return None if table is None else find_names(table.labels)


def find_names(labels: Sequence[Any]) -> tuple[str, ...] | None:
    """Labels as names of features; None unless all are text and tell columns apart."""
    names = tuple(str(label) for label in labels if isinstance(label, str))
    return names if names and len(set(names)) == len(labels) else None


def refuse_other_names(found: Sequence[str] | None, known: Sequence[str] | None, argument: str = "X") -> None:
    """Raise ValueError where rows have names, and they are not those of the mixture in their order."""
    if found is None or known is None or tuple(found) == tuple(known):
        return
    here, fitted = set(found), set(known)
    if len(fitted) < len(known):  # names that do not tell columns apart
        return
    missing = [name for name in known if name not in here]
    unknown = [name for name in found if name not in fitted]
    wrong = [
        f"{verb} {_list_names(names)}" for verb, names in (("lacks", missing), ("has", unknown)) if names
    ]
    if not wrong:
        pair = next(pair for pair in zip(found, known, strict=True) if pair[0] != pair[1])
        wrong = ["has {} where {} was fitted".format(*map(_check.name_column, pair))]
    raise ValueError(
        f"the columns of {argument} are not those of the mixture: {argument} {' and '.join(wrong)}. Select "
        "and order the columns as they were fitted; those of an array count by position"
    )


def _list_names(names: Sequence[str]) -> str:
    return list_first(list(map(_check.name_column, names)), MOST_NAMES)


def read_sample_weight(values: Any, n: int) -> Float64Array | None:
    """Weights of the rows: n finite non-negative numbers, not all zero. None means that all are one."""
    return None if values is None else _check.check_sample_weight(read_array(values, "sample_weight"), n)


def read_array(values: Any, argument: str) -> npt.NDArray[Any]:
    """Numbers of one axis or more: a column of a table, a table, or what NumPy makes an array of."""
    if type(values) is np.ndarray:
        return values
    if (hasattr(values, "isna") or hasattr(values, "is_null")) and find_table(values, argument) is None:
        place = Place(argument)
        refuse_missing([values], [place])
        return read_numbers(values, place)
    array: npt.NDArray[Any] = read_named_rows(values, argument)[0]
    return array
