"""Tables in files: read CSV, TSV, Parquet and .npy into plain arrays with column names.

A reader for each format (`text_tables`, `binary_tables`) finds the columns and reads the chosen ones. This
module chooses them: all numeric columns, the ones that the caller picks, or those of a model.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gaussmix._text import count_noun
from gaussmix._typing import FloatArray
from gaussmix.data.binary_tables import open_npy, open_parquet
from gaussmix.data.source import Source, refuse_os_errors
from gaussmix.data.text_tables import open_text
from gaussmix.data.writing import PARQUET_SUFFIXES
from gaussmix.errors import InputError
from gaussmix.model.mixture.printing import default_names

TEXT_SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".dat")
TABLE_SUFFIXES = (*TEXT_SUFFIXES, *PARQUET_SUFFIXES, ".npy")

NOT_IN_MODEL = "not in the model"


@dataclass(frozen=True)
class Table:
    """The numbers of a table in a file.

    Attributes
    ----------
    values : ndarray of shape (n, d), float64 or float32
        The chosen columns; read-only and finite.
    names : tuple of str
        Their d names: those of the header, or x0, x1, ... by position in the file.
    left_out : tuple of str
        The names of the columns that were not read, unless the caller chose the columns.
    path : pathlib.Path
    weights : ndarray of shape (n,) or None
        The column of weights, if one was asked for: not negative and not all zero.
    notes : tuple of str
        Sentences on how the file was read: which columns were left out, and why.
    """

    values: FloatArray
    names: tuple[str, ...]
    left_out: tuple[str, ...]
    path: Path
    weights: FloatArray | None = None
    notes: tuple[str, ...] = ()


def read_table(
    path: str | os.PathLike[str], *, columns: Sequence[str] | None = None, weights: str | None = None
) -> Table:
    """Read the numeric columns of a table.

    Parameters
    ----------
    path : str or path
        A file ending in .csv, .tsv, .tab, .txt, .dat, .parquet, .pq or .npy. Of text files the reader finds
        the delimiter, the encoding and whether there is a header.
    columns : sequence of str, optional
        The columns to read, in this order. Default: every numeric one.
    weights : str, optional
        A column to read as the rows' weights; it is then not among the values.

    Returns
    -------
    Table

    Raises
    ------
    InputError
        If there is no such file, it is no table, a column does not exist, or a cell is missing, infinite or
        not a number. The message names the file, the column and the row.

    Examples
    --------
    >>> from gaussmix.datasets import faithful_path
    >>> table = read_table(faithful_path())
    >>> table.names, table.values.shape
    (('eruptions', 'waiting'), (272, 2))
    """
    source = _open_source(path)
    at_weights = None if weights is None else _find_column(source, weights)
    if columns is not None:
        if not columns:
            raise InputError(f"{source.path}: no column is picked; the file has {_list_names(source.names)}")
        chosen = [_find_column(source, name) for name in columns]
        for i in chosen:
            if chosen.count(i) > 1:
                raise InputError(f"{source.path}: column {source.names[i]!r} is picked twice")
        if at_weights in chosen:
            raise InputError(f"{source.path}: column {weights!r} cannot be both a feature and the weights")
    else:
        passed = set(source.left_out) | {at_weights}
        chosen = [i for i in range(len(source.names)) if i not in passed]
        if not chosen:
            raise InputError(_describe_lack_of_numbers(source, weights))
    unused = {} if columns is not None else {i: why for i, why in source.left_out.items() if i != at_weights}
    return _read_columns(source, chosen, at_weights, unused)


def read_matching(
    path: str | os.PathLike[str], feature_names: Sequence[str], *, weights: str | None = None
) -> Table:
    """Read the columns that a model was fitted to.

    Columns are found by name, in any order. If the file has no names, or the model's names are the default
    x0, x1, ..., columns are found by position instead. Their number must then be the model's.

    Parameters
    ----------
    path : str or path
        See `read_table`.
    feature_names : sequence of str
        The model's names of its d features.
    weights : str, optional
        See `read_table`.

    Returns
    -------
    Table
        Its `values` have the model's columns in the model's order.

    Raises
    ------
    InputError
        If a column of the model is not in the file, and as in `read_table`.

    Examples
    --------
    >>> from gaussmix.datasets import faithful_path
    >>> read_matching(faithful_path(), ["waiting"]).values.shape
    (272, 1)
    """
    source = _open_source(path)
    wanted = tuple(feature_names)
    at_weights = None if weights is None else _find_column(source, weights)
    missing = [name for name in wanted if name not in source.names]
    if not missing:
        chosen = [source.names.index(name) for name in wanted]
        others = [i for i in range(len(source.names)) if i not in set(chosen) and i != at_weights]
        return _read_columns(source, chosen, at_weights, dict.fromkeys(others, NOT_IN_MODEL))
    if source.has_header and wanted != default_names(len(wanted)):
        raise InputError(
            f"{source.path}: no column {_list_names(missing)}, which the model needs; "
            f"the file has {_list_names(source.names)}"
        )
    passed = set(source.left_out) | {at_weights}
    chosen = [i for i in range(len(source.names)) if i not in passed]
    if len(chosen) != len(wanted):
        raise InputError(
            f"{source.path}: {count_noun(len(chosen), 'numeric column')}, but the model has "
            f"{count_noun(len(wanted), 'feature')}: {_list_names(wanted)}"
        )
    return _read_columns(source, chosen, at_weights, source.left_out)


def _open_source(path: str | os.PathLike[str]) -> Source:
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path}: is a directory; expected a table")
    if not path.exists():
        raise InputError(f"{path}: no such file")
    if path.suffix.lower() not in TABLE_SUFFIXES:
        known = ", ".join(TABLE_SUFFIXES)
        raise InputError(f"{path}: the ending {path.suffix!r} is not one of a table; expected one of {known}")
    with refuse_os_errors(path, "read"):
        if path.is_file() and path.stat().st_size == 0:
            raise InputError(f"{path}: the file is empty")
        if path.suffix.lower() == ".npy":
            return open_npy(path)
        if path.suffix.lower() in PARQUET_SUFFIXES:
            return open_parquet(path)
        return open_text(path)


def _read_columns(source: Source, chosen: list[int], at_weights: int | None, unused: dict[int, str]) -> Table:
    groups = [chosen] if at_weights is None else [chosen, [at_weights]]
    for i in (i for group in groups for i in group):
        if i in source.not_numbers:
            raise InputError(
                f"{source.path}: column {source.names[i]!r} is not numeric: it has {source.not_numbers[i]}"
            )
    with refuse_os_errors(source.path, "read"):
        values, *rest = source.read(groups)
    values.flags.writeable = False
    weights = None
    if at_weights is not None:
        weights = rest[0][:, 0]
        weights.flags.writeable = False
        _check_weights(source, source.names[at_weights], weights)
    return Table(
        values=values,
        names=tuple(source.names[i] for i in chosen),
        left_out=tuple(source.names[i] for i in sorted(unused)),
        path=source.path,
        weights=weights,
        notes=(*source.notes, *_make_notes(source, unused)),
    )


def _make_notes(source: Source, unused: dict[int, str]) -> list[str]:
    notes = []
    for reason in dict.fromkeys(unused.values()):
        names = [source.names[i] for i in sorted(unused) if unused[i] == reason]
        plural = "" if len(names) == 1 else "s"
        notes.append(f"{source.path}: left out, {reason}: column{plural} {_list_names(names)}")
    return notes


def _check_weights(source: Source, name: str, weights: FloatArray) -> None:
    negative = np.flatnonzero(weights < 0)
    if negative.size:
        row = int(negative[0])
        where = f"{source.path}: {source.describe_place(row)}, column {name!r}"
        raise InputError(f"{where}: the weight {weights[row]:g} is negative; weights must be 0 or more")
    if not weights.any():
        raise InputError(f"{source.path}: column {name!r}: every weight is 0; at least one must be positive")


def _find_column(source: Source, name: str) -> int:
    if name in source.names:
        return source.names.index(name)
    near = difflib.get_close_matches(name, source.names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; the file has {_list_names(source.names)}"
    raise InputError(f"{source.path}: no column {name!r}{hint}")


def _describe_lack_of_numbers(source: Source, weights: str | None) -> str:
    if weights is not None and len(source.left_out) < len(source.names):
        return f"{source.path}: no numeric column is left beside the weights {weights!r}"
    held = [f"{source.names[i]!r} has {what}" for i, what in source.not_numbers.items()]
    others = {i: why for i, why in source.left_out.items() if i not in source.not_numbers}
    held += [f"{source.names[i]!r}: {why}" for i, why in others.items()]
    more = "" if len(held) <= 3 else f", and {len(held) - 3} more"
    return f"{source.path}: no column of numbers: {', '.join(held[:3])}{more}"


def _list_names(names: Sequence[str], most: int = 8) -> str:
    shown = ", ".join(repr(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
