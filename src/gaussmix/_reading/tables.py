"""Whether an object is a table, by its attributes, and how to get at its columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gaussmix._reading.exchange import PROTOCOL_READERS, STREAM_READERS, import_table


@dataclass(frozen=True)
class Table:
    """Labels and columns of an object that has both."""

    #: The label of each column: text, or whatever else the library allows.
    labels: Sequence[Any]
    #: The column at a place.
    get: Callable[[int], Any]
    #: All values, where they are one array already or the library makes one without changing any.
    get_values: Callable[[], Any] | None = None

    @property
    def columns(self) -> list[Any]:
        """All columns."""
        return [self.get(j) for j in range(len(self.labels))]


def find_table(X: Any, argument: str = "X") -> Table | None:
    """The table that X is; None for arrays without named columns, lists and all that is no table.

    ValueError where X is a table that cannot be read as it is.
    """
    if isinstance(X, np.ndarray):
        return None if X.dtype.names is None else _find_fields(X, argument)
    if isinstance(X, list | tuple):
        return None
    for has, find in KINDS:
        if all(hasattr(X, attribute) for attribute in has.split()):
            return find(X, argument)
    if hasattr(X, "__array__"):
        return None
    if hasattr(X, "__arrow_c_stream__"):
        return find_table(import_table(X, STREAM_READERS, argument), argument)
    if hasattr(X, "__dataframe__"):
        return find_table(import_table(X, PROTOCOL_READERS, argument), argument)
    return None


def refuse_non_rows(X: Any, argument: str) -> None:
    """Raise ValueError, with what to do, for objects that people take for rows and NumPy makes nothing of."""
    kind, remedy = type(X).__name__, ""
    if hasattr(X, "data_vars"):  # of xarray
        remedy = f"pass {argument}.to_dataframe()"
    elif isinstance(X, Mapping) or (isinstance(X, list | tuple) and X and isinstance(X[0], Mapping)):
        kind = kind if isinstance(X, Mapping) else f"{kind} of {type(X[0]).__name__}"
        remedy = f"make a data frame of it, such as pandas.DataFrame({argument})"
    elif hasattr(X, "toarray") and not hasattr(X, "__array__"):
        remedy = f"sparse rows are not supported; pass {argument}.toarray()"
    elif hasattr(X, "collect") and not hasattr(X, "__array__"):
        remedy = f"its rows have not been computed; pass {argument}.collect()"
    if remedy:
        raise ValueError(f"{argument} is a {kind}: {remedy}")


def _find_fields(X: Any, argument: str) -> Table:
    """The fields of a structured array, plain or masked."""
    if X.ndim != 1:
        raise ValueError(
            f"{argument} is a structured array, whose fields are the features, and must have one axis; got "
            f"the shape {X.shape}"
        )
    names = X.dtype.names
    return Table(names, lambda j: X[names[j]])


def _find_astropy(X: Any, argument: str) -> Table:
    return Table(X.colnames, lambda j: X[X.colnames[j]])


def _find_pandas(X: Any, argument: str) -> Table:
    """A data frame that is like one of pandas; its own array is taken where no type changes for it."""
    kinds = {dtype.kind if isinstance(dtype, np.dtype) else "-" for dtype in X.dtypes}
    # Numbers and booleans together would become objects.
    one_type = bool(kinds) and (kinds <= set("fiu") or kinds == {"b"})
    return Table(list(X.columns), lambda j: X.iloc[:, j], (lambda: np.asarray(X)) if one_type else None)


def _find_polars(X: Any, argument: str) -> Table:
    columns = X.get_columns()
    return Table(list(X.columns), lambda j: columns[j])


def _find_pyarrow(X: Any, argument: str) -> Table:
    return Table(list(X.column_names), X.column)


def _find_xarray(X: Any, argument: str) -> Table | None:
    """An array of two labelled axes; the names are the coordinates of the second, where these are text."""
    if X.ndim != 2:
        return None
    labels = range(X.shape[1])
    if X.dims[1] in X.coords:
        labels = X.coords[X.dims[1]].values.tolist()
    return Table(labels, lambda j: X.values[:, j], lambda: X.values)


def _find_native(X: Any, argument: str) -> Table | None:
    refuse_non_rows(X, argument)
    return find_table(X.to_native(), argument)


#: Attributes that an object of a kind has, and what finds its columns; the first that fits.
KINDS: tuple[tuple[str, Callable[[Any, str], Table | None]], ...] = (
    ("to_native columns", _find_native),  # of narwhals
    ("colnames itercols", _find_astropy),
    ("iloc columns dtypes", _find_pandas),
    ("get_columns columns", _find_polars),
    ("column_names column", _find_pyarrow),
    ("dims coords values ndim", _find_xarray),
)
