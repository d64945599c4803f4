"""Writing of tables: a file gets all of its content, or stays as it was."""

from __future__ import annotations

import csv
import importlib.util
import itertools
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO, cast

import numpy as np
from numpy.typing import NDArray

from gaussmix._atomic import replace_file
from gaussmix._text import make_printable
from gaussmix.data.source import refuse_os_errors
from gaussmix.errors import InputError

__all__ = ["Columns", "check_output", "check_table_output", "replace_file", "write_table"]

DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
PARQUET_SUFFIXES = (".parquet", ".pq")

#: Rows held as text at a time.
TEXT_ROWS = 1 << 14

Columns = Mapping[str, NDArray[Any]]


def check_output(path: str | os.PathLike[str]) -> None:
    """Raise InputError unless a file can be written at `path`; called before long work."""
    path = Path(path)
    folder = Path(os.path.realpath(path)).parent
    if path.is_dir():
        raise InputError(f"{path}: is a directory; expected the name of a file to write")
    if not folder.is_dir():
        raise InputError(f"{path}: cannot be written: there is no directory {folder}")
    if path.exists() and not path.is_file():
        raise InputError(f"{path}: cannot be written: it is not an ordinary file")
    with refuse_os_errors(path, "written"), tempfile.TemporaryFile(dir=folder):
        pass


def check_table_output(path: str | os.PathLike[str]) -> None:
    """Raise InputError unless a table can be written at `path`: its ending, its place, its library."""
    suffix = Path(path).suffix.lower()
    if suffix not in (*DELIMITERS, *PARQUET_SUFFIXES):
        known = ", ".join((*DELIMITERS, *PARQUET_SUFFIXES))
        raise InputError(f"{path}: cannot write a table ending in {suffix!r}; expected one of {known}")
    check_output(path)
    if suffix in PARQUET_SUFFIXES and importlib.util.find_spec("pyarrow") is None:
        raise InputError(f"{path}: writing Parquet needs pyarrow: pip install 'gaussmix[arrow]'")


def write_table(path: str | os.PathLike[str] | None, blocks: Iterable[Columns]) -> None:
    """Write a table that comes as blocks of rows.

    Parameters
    ----------
    path : str, path or None
        A file ending in .csv, .tsv, .tab, .parquet or .pq; None writes CSV to the standard output.
    blocks : iterable of mappings from column names to arrays of numbers, of one length
        At least one block; all blocks have the same columns. Floats read back as the same floats.

    Raises
    ------
    InputError
        If the table cannot be written there.

    Examples
    --------
    >>> write_table(None, [{"x": np.array([0.5, 1.0]), "label": np.array([0, 1])}])
    x,label
    0.5,0
    1.0,1
    """
    if path is None:
        with _refuse_names("standard output"):
            _write_text(sys.stdout, blocks, ",")
        return
    check_table_output(path)
    suffix = Path(path).suffix.lower()
    with refuse_os_errors(path, "written"), _refuse_names(path), replace_file(path) as temporary:
        if suffix in PARQUET_SUFFIXES:
            _write_parquet(temporary, blocks)
        else:
            with open(temporary, "w", encoding="utf-8", newline="") as file:
                _write_text(file, blocks, DELIMITERS[suffix])


@contextmanager
def _refuse_names(where: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except UnicodeEncodeError as error:
        shown = ascii(error.object[error.start : error.end])
        raise InputError(
            f"{where}: {shown} in a column's name cannot be written as {error.encoding}"
        ) from None


def _write_text(file: TextIO, blocks: Iterable[Columns], delimiter: str) -> None:
    for number, columns in enumerate(blocks):
        if number == 0:
            names = map(make_printable, columns) if file.isatty() else columns
            csv.writer(file, delimiter=delimiter, lineterminator="\n").writerow(names)
        n_rows = len(next(iter(columns.values())))
        for start in range(0, n_rows, TEXT_ROWS):
            cells = [_format_cells(column[start : start + TEXT_ROWS]) for column in columns.values()]
            # Numbers need no quotes. Without csv's search for characters to quote this is a third faster.
            file.writelines(f"{line}\n" for line in map(delimiter.join, zip(*cells, strict=True)))


def _format_cells(numbers: NDArray[Any]) -> Iterable[str]:
    if numbers.dtype == np.float32:
        # As a Python float, a float32 would be written with digits that it does not have.
        return cast(list[str], numbers.astype(str).tolist())
    return map(repr, numbers.tolist())


def _write_parquet(path: Path, blocks: Iterable[Columns]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    blocks = iter(blocks)
    first = pa.table(dict(next(blocks)))
    with pq.ParquetWriter(path, first.schema) as writer:
        for table in itertools.chain([first], (pa.table(dict(columns)) for columns in blocks)):
            writer.write_table(table)
