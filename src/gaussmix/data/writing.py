"""Writing of tables: a file gets all of its content, or stays as it was."""

from __future__ import annotations

import gzip
import importlib.util
import io
import itertools
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from gaussmix._atomic import replace_file
from gaussmix._text import make_printable
from gaussmix.data.source import refuse_os_errors
from gaussmix.data.text.writing import Columns, is_text, make_arrow_table, write_json_lines, write_text
from gaussmix.errors import InputError

__all__ = ["Columns", "check_output", "check_table_output", "replace_file", "write_table"]

DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
JSON_SUFFIXES = (".jsonl", ".ndjson")
PARQUET_SUFFIXES = (".parquet", ".pq")
ARROW_SUFFIXES = (".feather", ".arrow")
#: Endings of text that is packed.
PACKED_SUFFIXES = (".gz", ".zst")
TEXT_SUFFIXES = (*DELIMITERS, *JSON_SUFFIXES)

#: How hard gzip tries: from 6 on, its default, packing takes longer than all else.
GZIP_LEVEL = 3
#: What the standard output is called in messages.
OUTPUT_NAME = "standard output"


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
    suffix, packing = _split_suffix(path)
    if suffix not in (*TEXT_SUFFIXES, *PARQUET_SUFFIXES, *ARROW_SUFFIXES):
        known = ", ".join((*TEXT_SUFFIXES, *PARQUET_SUFFIXES, *ARROW_SUFFIXES))
        packed = "; text may also end in .gz or .zst"
        raise InputError(
            f"{path}: cannot write a table ending in {suffix!r}; expected one of {known}{packed}"
        )
    if packing and suffix not in TEXT_SUFFIXES:
        raise InputError(
            f"{path}: a {suffix} file is packed by itself; expected its name without {packing!r}"
        )
    check_output(path)
    if suffix not in TEXT_SUFFIXES:
        _require_pyarrow(path, "Parquet" if suffix in PARQUET_SUFFIXES else "Feather")
    if packing == ".zst" and sys.version_info < (3, 14):
        _require_pyarrow(path, ".zst")


def write_table(path: str | os.PathLike[str] | None, blocks: Iterable[Columns]) -> None:
    """Write a table that comes as blocks of rows.

    Parameters
    ----------
    path : str, path or None
        A file ending in .csv, .tsv, .tab or .jsonl, each also with .gz or .zst, or in .parquet, .pq,
        .feather or .arrow; None writes CSV to the standard output.
    blocks : iterable of mappings from column names to arrays of numbers or texts, of one length
        At least one block; all blocks have the same columns. Floats read back as the same floats.

    Raises
    ------
    InputError
        If the table cannot be written there.
    BrokenPipeError
        If whoever reads the standard output has closed it.

    Examples
    --------
    >>> import numpy as np
    >>> write_table(None, [{"x": np.array([0.5, 1.0]), "label": np.array([0, 1])}])
    x,label
    0.5,0
    1,1
    """
    if path is None:
        _write_output(blocks)
        return
    check_table_output(path)
    suffix, packing = _split_suffix(path)
    with refuse_os_errors(path, "written"), _refuse_names(path), replace_file(path) as temporary:
        if suffix in PARQUET_SUFFIXES or suffix in ARROW_SUFFIXES:
            _write_arrow(temporary, blocks, suffix in PARQUET_SUFFIXES)
            return
        with (
            open(temporary, "wb") as file,
            _pack(file, packing) as packed,
            io.TextIOWrapper(packed, encoding="utf-8", newline="") as text,
        ):
            if suffix in JSON_SUFFIXES:
                write_json_lines(text.write, blocks)
            else:
                write_text(text.write, blocks, DELIMITERS[suffix])


def _write_output(blocks: Iterable[Columns]) -> None:
    """Write CSV to the standard output, all of it: what is left in a buffer would fail at the end only."""
    if sys.stdout is None or sys.stdout.closed:
        raise InputError(f"{OUTPUT_NAME}: cannot be written: it is closed")
    if sys.stdout.isatty():
        blocks = map(_make_columns_printable, blocks)
    with _refuse_names(OUTPUT_NAME):
        try:
            write_text(sys.stdout.write, blocks, ",")
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise InputError(f"{OUTPUT_NAME}: cannot be written: {error.strerror or error}") from error


def _make_columns_printable(columns: Columns) -> Columns:
    """The same columns, of which no name and no text can move the cursor of a terminal."""
    return {
        make_printable(name): np.array([*map(make_printable, column.tolist())]) if is_text(column) else column
        for name, column in columns.items()
    }


def _split_suffix(path: str | os.PathLike[str]) -> tuple[str, str]:
    """The ending that tells the format, and the one that tells how it is packed, "" if it is not."""
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in PACKED_SUFFIXES:
        return Path(path.stem).suffix.lower(), suffix
    return suffix, ""


def _require_pyarrow(path: str | os.PathLike[str], what: str) -> None:
    if importlib.util.find_spec("pyarrow") is None:
        raise InputError(f"{path}: writing {what} needs pyarrow: pip install 'gaussmix[arrow]'")


def _pack(file: BinaryIO, packing: str) -> Any:
    """A stream whose bytes reach the file packed."""
    if packing == ".gz":
        # Neither the name, which is that of a temporary file, nor the time is kept.
        return gzip.GzipFile("", "wb", GZIP_LEVEL, file, mtime=0)
    if not packing:
        return nullcontext(file)
    if sys.version_info >= (3, 14):
        from compression import zstd

        return zstd.open(file, "wb")
    import pyarrow as pa

    return pa.CompressedOutputStream(file, "zstd")


@contextmanager
def _refuse_names(where: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except UnicodeEncodeError as error:
        shown = ascii(error.object[error.start : error.end])
        raise InputError(
            f"{where}: {shown} in a column's name cannot be written as {error.encoding}"
        ) from None


def _write_arrow(path: Path, blocks: Iterable[Columns], as_parquet: bool) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    blocks = iter(blocks)
    first = make_arrow_table(next(blocks))
    with (
        open(path, "wb") as file,
        pq.ParquetWriter(file, first.schema) if as_parquet else pa.ipc.new_file(file, first.schema) as writer,
    ):
        for table in itertools.chain([first], map(make_arrow_table, blocks)):
            writer.write_table(table)
