"""Several files of one table: their rows one after the other."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from gaussmix.data.content import STANDARD_INPUT
from gaussmix.data.reading import AS_FOUND, Reading
from gaussmix.data.tables import Table, read_matching, read_table
from gaussmix.errors import InputError

Paths = Sequence[str | os.PathLike[str]]


def read_tables(paths: Paths, reading: Reading = AS_FOUND) -> Table:
    """Read the numeric columns of files as one table.

    Parameters
    ----------
    paths : sequence of str or path
        See :func:`gaussmix.data.tables.read_table`; a pattern such as ``part-*.csv`` stands for the files
        that it matches, in order of their names. All have the columns of the first.
    reading : Reading
        What is known of the tables, and what of them is wanted.

    Returns
    -------
    Table
        With the path of the first, and the number of the others in its name.

    Raises
    ------
    InputError
        If no file matches, a file lacks a column that the first has, and as in `read_table`.

    Examples
    --------
    >>> from gaussmix.datasets import faithful_path
    >>> read_tables([faithful_path(), faithful_path()]).values.shape
    (544, 2)
    """
    first, *others = expand_paths(paths)
    table = read_table(first, reading)
    if not others:
        return table
    same = replace(reading, columns=table.names, exclude=())
    return _join([table, *(read_table(path, same) for path in others)])


def read_matching_tables(paths: Paths, feature_names: Sequence[str], reading: Reading = AS_FOUND) -> Table:
    """Read the columns of a model from files as one table; see `read_matching` and `read_tables`."""
    tables = [read_matching(path, feature_names, reading) for path in expand_paths(paths)]
    return tables[0] if len(tables) == 1 else _join(tables)


def expand_paths(paths: Paths) -> list[Path]:
    """The files that paths and patterns stand for. A file whose name has the signs of a pattern is itself."""
    found: list[Path] = []
    for path in map(Path, paths):
        pattern = str(path)
        if pattern == STANDARD_INPUT or os.path.lexists(path) or not glob.has_magic(pattern):
            found.append(path)
            continue
        matching = sorted(name for name in glob.glob(pattern) if os.path.isfile(name))
        if not matching:
            raise InputError(f"{path}: no file matches this pattern")
        found += map(Path, matching)
    if found.count(Path(STANDARD_INPUT)) > 1:
        raise InputError("the standard input (-) can be read once; it is named twice")
    return found


def _join(tables: Sequence[Table]) -> Table:
    """The rows of all tables; places count on from one file to the next."""
    first = tables[0]
    for table in tables[1:]:
        if table.values.shape[1] != first.values.shape[1]:
            raise InputError(f"{table.path}: not the columns of {first.path}")
    values = np.concatenate([table.values for table in tables])
    values.flags.writeable = False
    weights = None
    if first.weights is not None:
        weights = np.concatenate([table.weights for table in tables if table.weights is not None])
        weights.flags.writeable = False
    starts = np.cumsum([0, *(table.n_rows for table in tables)])
    places = None
    if any(table.places is not None for table in tables):
        parts = [np.arange(len(table.values)) if table.places is None else table.places for table in tables]
        places = np.concatenate([start + part for start, part in zip(starts, parts, strict=False)])
    return replace(
        first,
        values=values,
        weights=weights,
        path=first.path.with_name(f"{first.path.name} and {len(tables) - 1} more"),
        notes=_gather_notes(tables),
        places=places,
        n_rows=int(starts[-1]),
        labels=tuple(label for table in tables for label in table.labels),
    )


def _gather_notes(tables: Sequence[Table]) -> tuple[str, ...]:
    """The notes on all tables; what is said of many of them is said once."""
    about: dict[str, list[str]] = {}
    for table in tables:
        prefix = f"{table.path}: "
        for note in dict.fromkeys(table.notes):
            starts = about.setdefault(note.removeprefix(prefix), [])
            starts.append(prefix if note.startswith(prefix) else "")
    return tuple(
        starts[0] + note
        if len(starts) == 1 or not starts[0]
        else f"{starts[0].removesuffix(': ')} and {len(starts) - 1} more: {note}"
        for note, starts in about.items()
    )
