"""Tables in files: the columns and rows that are asked for, as plain arrays with column names.

A reader for each format (`text`, `formats`) finds the columns and reads the chosen ones. This module chooses
them: all numeric columns, the ones that the caller picks, or those of a model; and it says what to do where a
value is missing.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gaussmix._text import MOST_NAME, count_noun, list_first, show_name
from gaussmix._typing import FloatArray, IntArray
from gaussmix.data.formats.opening import open_source
from gaussmix.data.reading import AS_FOUND, Reading
from gaussmix.data.source import Label, Source, refuse_os_errors
from gaussmix.data.text.cells import show_cell
from gaussmix.data.writing import ARROW_SUFFIXES, JSON_SUFFIXES, PARQUET_SUFFIXES
from gaussmix.errors import InputError
from gaussmix.model.mixture.printing import default_names

TEXT_SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".dat")
OTHER_SUFFIXES = (".orc", ".npy", ".npz", ".fits", ".xlsx", ".gz", ".zst", ".zip")
TABLE_SUFFIXES = (*TEXT_SUFFIXES, *PARQUET_SUFFIXES, *ARROW_SUFFIXES, *JSON_SUFFIXES, *OTHER_SUFFIXES)

NOT_IN_MODEL = "not in the model"

#: What to do about missing values.
REMEDY = "leave such rows out with --drop-missing, or the column with --exclude {}"

#: Rows that a column must have before it is said to count them.
LEAST_COUNTED = 5
#: Names of columns that name rows: id, source_id, rowid, objID, index.
LABEL = re.compile(r"(?i:(^|[_. -]|row|obj)id)$|[a-z]I[Dd]$|^(?i:index|rownames?|row|no|nr|obs)$")

#: What to do about a number that is infinite.
FINITE = "expected finite numbers; if that stands for a missing value, say so with --na"

#: Rows checked at a time, so that a check takes little memory.
CHECK_ROWS = 1 << 18


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
    places : ndarray of shape (n,) or None
        Where rows were dropped, the places (from 0) in the file of those that were kept.
    n_rows : int
        The number of rows in the file.
    labels : tuple of str, float or None
        Of a column with classes, if one was asked for: the cells of the rows, None where one is missing.
    """

    values: FloatArray
    names: tuple[str, ...]
    left_out: tuple[str, ...]
    path: Path
    weights: FloatArray | None = None
    notes: tuple[str, ...] = ()
    places: IntArray | None = None
    n_rows: int = 0
    labels: tuple[Label, ...] = ()


def read_table(path: str | os.PathLike[str], reading: Reading = AS_FOUND) -> Table:
    """Read the numeric columns of a table.

    Parameters
    ----------
    path : str or path
        A file, or "-" for the standard input. Its format is found from its first bytes; of text also the
        separator, the encoding, the decimal mark and whether there is a header.
    reading : Reading
        What is known of the table, and what of it is wanted.

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
    source = open_source(path, reading)
    columns, weights = reading.columns, reading.weights
    at_weights = None if weights is None else _find_column(source, weights)
    at_target = None if reading.target is None else _find_column(source, reading.target)
    if at_target is not None and at_target == at_weights:
        raise InputError(
            f"{source.path}: column {show_name(source.names[at_target])} is both target and weights"
        )
    excluded = {_find_column(source, name) for name in reading.exclude}
    if columns is not None:
        if not columns:
            raise InputError(f"{source.path}: no column is picked; the file has {_list_names(source.names)}")
        chosen = [_find_column(source, name) for name in columns]
        for i in chosen:
            if chosen.count(i) > 1:
                raise InputError(f"{source.path}: column {show_name(source.names[i])} is picked twice")
            if i in excluded:
                raise InputError(f"{source.path}: column {show_name(source.names[i])} is picked and excluded")
            if i == at_target:
                raise InputError(
                    f"{source.path}: column {show_name(source.names[i])} is picked and the target"
                )
        if weights is not None and at_weights in chosen:
            raise InputError(
                f"{source.path}: column {show_name(weights)} cannot be both a feature and the weights"
            )
    else:
        passed = set(source.left_out) | {at_weights, at_target} | excluded
        chosen = [i for i in range(len(source.names)) if i not in passed]
        if not chosen:
            raise InputError(_describe_lack_of_numbers(source, weights, bool(excluded)))
    known = {at_weights, at_target} | excluded
    unused = {} if columns is not None else {i: why for i, why in source.left_out.items() if i not in known}
    table = _read_columns(source, chosen, at_weights, unused, reading.drop_missing, told=columns is None)
    return table if at_target is None else _add_labels(source, table, at_target)


def read_matching(
    path: str | os.PathLike[str], feature_names: Sequence[str], reading: Reading = AS_FOUND
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
    reading : Reading
        See `read_table`; columns are the model's.

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
    source = open_source(path, reading)
    wanted = tuple(feature_names)
    at_weights = None if reading.weights is None else _find_column(source, reading.weights)
    missing = [name for name in wanted if name not in source.names]
    if not missing:
        chosen = [source.names.index(name) for name in wanted]
        others = [i for i in range(len(source.names)) if i not in set(chosen) and i != at_weights]
        return _read_columns(
            source, chosen, at_weights, dict.fromkeys(others, NOT_IN_MODEL), reading.drop_missing
        )
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
    return _read_columns(source, chosen, at_weights, source.left_out, reading.drop_missing)


def _read_columns(
    source: Source,
    chosen: list[int],
    at_weights: int | None,
    unused: dict[int, str],
    drop_missing: bool,
    *,
    told: bool = False,
) -> Table:
    groups = [chosen] if at_weights is None else [chosen, [at_weights]]
    for i in (i for group in groups for i in group):
        if i in source.not_numbers:
            name, held = show_name(source.names[i]), source.not_numbers[i]
            raise InputError(f"{source.path}: column {name} is not numeric: it has {held}")
    with refuse_os_errors(source.path, "read"):
        arrays = source.read(groups)
    notes = [*source.notes, *source.tell_reading(), *_make_notes(source, unused)]
    n = len(arrays[0])
    places = _find_complete(arrays) if drop_missing else None
    if places is not None:
        if not len(places):
            raise InputError(_describe_lack_of_rows(source, arrays[0], chosen))
        notes.append(
            f"{source.path}: {n - len(places)} of {count_noun(n, 'row')} dropped: a value is missing"
        )
        arrays = [values[places] for values in arrays]
    for values, group in zip(arrays, groups, strict=True):
        _check_finite(source, values, group, places)
        values.flags.writeable = False
    values, weights = arrays[0], None
    if told:
        notes += _note_labels(source, values, chosen)
    if at_weights is not None:
        weights = arrays[1][:, 0]
        _check_weights(source, source.names[at_weights], weights, places)
    return Table(
        values=values,
        names=tuple(source.names[i] for i in chosen),
        left_out=tuple(source.names[i] for i in sorted(unused)),
        path=source.path,
        weights=weights,
        notes=tuple(notes),
        places=places,
        n_rows=n,
    )


def _add_labels(source: Source, table: Table, column: int) -> Table:
    """The table with the cells of a column of classes."""
    with refuse_os_errors(source.path, "read"):
        labels = source.read_labels(column)
    if len(labels) != table.n_rows:
        raise InputError(f"{source.path}: {len(labels)} classes for {count_noun(table.n_rows, 'row')}")
    kept = labels if table.places is None else [labels[place] for place in table.places]
    return replace(table, labels=tuple(kept))


def _note_labels(source: Source, values: FloatArray, chosen: Sequence[int]) -> list[str]:
    """Sentences on columns that name the rows rather than say something of them."""
    notes = []
    for at, i in enumerate(chosen):
        name, column = source.names[i], values[:, at]
        what = ""
        if len(column) >= LEAST_COUNTED and column[1] - column[0] == 1.0 and (np.diff(column) == 1.0).all():
            what = "goes up by one from row to row, as row numbers do"
        elif (
            LABEL.search(name)
            and (column == np.floor(column)).all()
            and len(np.unique(column)) == len(column)
        ):
            what = "seems to name the rows"
        elif _are_dates(column):
            what = "seems to have dates, such as 20240131"
        if what:
            notes.append(
                f"{source.path}: column {show_name(name)} {what}; it is left out by --exclude {_quote(name)}"
            )
    return notes


def _are_dates(column: FloatArray) -> bool:
    """Whether all numbers are years, months and days in eight digits."""
    if not (18000101.0 <= column[0] <= 21991231.0) or (column != np.floor(column)).any():
        return False
    months, days = column // 100 % 100, column % 100
    plausible = (column >= 18000101.0) & (column <= 21991231.0) & (months >= 1) & (months <= 12)
    return bool((plausible & (days >= 1) & (days <= 31)).all())


def _describe_lack_of_rows(source: Source, values: FloatArray, columns: Sequence[int]) -> str:
    """Say that no row is complete, and which column lacks the most values."""
    lacks = np.count_nonzero(np.isnan(values), axis=0)
    at = int(lacks.argmax())
    name = source.names[columns[at]]
    return (
        f"{source.path}: each of the {len(values)} rows has a missing value; {lacks[at]} are in column "
        f"{show_name(name)}, which can be left out with --exclude {_quote(name)}"
    )


def _find_complete(arrays: Sequence[FloatArray]) -> IntArray | None:
    """The places of the rows without a missing value; None if these are all."""
    complete = np.ones(len(arrays[0]), dtype=bool)
    for values in arrays:
        for start in range(0, len(values), CHECK_ROWS):
            part = slice(start, start + CHECK_ROWS)
            complete[part] &= ~np.isnan(values[part]).any(axis=1)
    return None if complete.all() else np.flatnonzero(complete)


def _check_finite(
    source: Source, values: FloatArray, columns: Sequence[int], places: IntArray | None
) -> None:
    """Raise InputError at the first value, row by row, that is missing or infinite."""
    for start in range(0, len(values), CHECK_ROWS):
        finite = np.isfinite(values[start : start + CHECK_ROWS])
        if finite.all():
            continue
        row, at = (int(i) for i in np.argwhere(~finite)[0])
        place, column = _find_place(row + start, places), columns[at]
        where = f"{source.path}: {source.describe_place(place)}, column {show_name(source.names[column])}"
        name = _quote(source.names[column])
        raise InputError(
            f"{where}: {_describe_flaw(values[row + start, at], source.find_cell(place, column), name)}"
        )


def _describe_flaw(value: float, cell: str | None, name: str) -> str:
    if not np.isnan(value):
        return f"{float(value) if cell is None else show_cell(cell)} is infinite; {FINITE}"
    what = "the value is missing (NaN)" if cell is None else f"the value is missing ({show_cell(cell)})"
    return f"{what if cell is None or cell.strip() else 'the cell is empty'}; {REMEDY.format(name)}"


def _find_place(row: int, places: IntArray | None) -> int:
    """The place in the file of a row that was kept."""
    return row if places is None else int(places[row])


def _make_notes(source: Source, unused: dict[int, str]) -> list[str]:
    notes = []
    for reason in dict.fromkeys(unused.values()):
        names = [source.names[i] for i in sorted(unused) if unused[i] == reason]
        plural = "" if len(names) == 1 else "s"
        notes.append(f"{source.path}: left out, {reason}: column{plural} {_list_names(names)}")
    return notes


def _check_weights(source: Source, name: str, weights: FloatArray, places: IntArray | None) -> None:
    negative = np.flatnonzero(weights < 0)
    if negative.size:
        row = int(negative[0])
        where = f"{source.path}: {source.describe_place(_find_place(row, places))}, column {show_name(name)}"
        raise InputError(f"{where}: the weight {weights[row]:g} is negative; weights must be 0 or more")
    if not weights.any():
        raise InputError(
            f"{source.path}: column {show_name(name)}: every weight is 0; at least one must be positive"
        )


def _find_column(source: Source, name: str) -> int:
    if name in source.names:
        return source.names.index(name)
    near = difflib.get_close_matches(name, source.names, n=1)
    hint = f"; did you mean {show_name(near[0])}?" if near else f"; the file has {_list_names(source.names)}"
    if name and any("," in whole and name in whole.split(",") for whole in source.names):
        hint = "; quote a name that holds a comma, as in --columns '\"a,b\",c'"
    raise InputError(f"{source.path}: no column {show_name(name)}{hint}")


def _describe_lack_of_numbers(source: Source, weights: str | None, excluded: bool) -> str:
    if excluded and len(source.left_out) < len(source.names):
        return f"{source.path}: no column of numbers is left beside those that are excluded"
    if weights is not None and len(source.left_out) < len(source.names):
        return f"{source.path}: no numeric column is left beside the weights {show_name(weights)}"
    held = [f"{show_name(source.names[i])} has {what}" for i, what in source.not_numbers.items()]
    others = {i: why for i, why in source.left_out.items() if i not in source.not_numbers}
    held += [f"{show_name(source.names[i])}: {why}" for i, why in others.items()]
    more = "" if len(held) <= 3 else f", and {len(held) - 3} more"
    return f"{source.path}: no column of numbers: {', '.join(held[:3])}{more}"


def _list_names(names: Sequence[str], most: int = 8) -> str:
    return list_first(list(map(show_name, names)), most)


def _quote(name: str) -> str:
    """A name as the shell takes it, where that is a line."""
    return shlex.quote(name) if len(name) <= MOST_NAME and name.isprintable() else "NAME"
