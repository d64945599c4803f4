"""Text tables of plain numbers, quickly: by PyArrow, or by NumPy without it. Python reads the rest."""

from __future__ import annotations

import codecs
import importlib.util
import io
import itertools
import re
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.data.content import Content
from gaussmix.data.text.cells import MISSING, PLAIN, TRUTH, Marks
from gaussmix.data.text.encoding import WIDE, open_lines
from gaussmix.data.text.records import BLANK, Dialect

#: Bytes from which on PyArrow is worth its import.
LEAST_BYTES = 1 << 20
#: Bytes from which on it is worth its installation.
LARGE_BYTES = 1 << 26
#: Bytes that PyArrow cuts at a time, and lines that must fit in.
BLOCK_BYTES, BLOCK_LINES = 1 << 20, 64
#: Decimal commas, and nothing between thousands.
COMMAS = Marks(",")


def read_columns(
    content: Content,
    encoding: str,
    dialect: Dialect,
    *,
    offset: int,
    width: int,
    columns: Mapping[int, bool],
    longest: int,
) -> Float64Array | None:
    """Read columns of numbers, or of truth values where `columns` says so; NaN stands for a missing value.

    None where the file is small, or holds anything that the quick reader refuses or could misread.
    """
    if content.size < LEAST_BYTES or dialect.marks.thousands:
        return None
    if dialect.bordered or dialect.end or dialect.cuts:
        return None
    if not has_pyarrow():
        return _read_by_numpy(content, encoding, dialect, width, columns)
    stream = _prepare(content, encoding, dialect, offset)
    if stream is None or _begins_with_mark(stream):
        return None
    import pyarrow as pa
    import pyarrow.csv as pc

    names = [f"f{i}" for i in range(width)]
    wanted = [names[i] for i in columns]
    words = MISSING | dialect.marks.words
    spellings = sorted(
        {spell for word in words for spell in (word, word.upper(), word.capitalize())} | {"NaN"}
    )
    try:
        table = pc.read_csv(
            stream,
            read_options=pc.ReadOptions(
                column_names=names, block_size=max(BLOCK_BYTES, BLOCK_LINES * longest)
            ),
            parse_options=pc.ParseOptions(
                delimiter=dialect.separator,
                quote_char=dialect.quote,
                escape_char=dialect.escape or False,
                newlines_in_values=True,
                # In a single column a blank line is a missing value.
                ignore_empty_lines=width > 1,
            ),
            convert_options=pc.ConvertOptions(
                include_columns=list(dict.fromkeys(wanted)),
                column_types={
                    names[i]: pa.bool_() if truth else pa.float64() for i, truth in columns.items()
                },
                null_values=spellings,
                true_values=_spell_truth(1.0),
                false_values=_spell_truth(0.0),
                decimal_point=dialect.marks.decimal,
                check_utf8=False,
            ),
        )
    except (pa.ArrowException, OSError):
        return None
    values = np.empty((table.num_rows, len(columns)))
    start = 0
    for batch in table.to_batches():
        for at, column in enumerate(batch.columns):
            values[start : start + len(batch), at] = _read_array(column)
        start += len(batch)
    if width == 1 and len(values) and np.isnan(values[-1, 0]):
        # Blank lines at the end are no rows, but missing values are.
        if encoding.startswith(WIDE):
            return None
        values = values[: len(values) - _count_blank_lines(content)]
    return values if len(values) else None


def has_pyarrow() -> bool:
    """Whether PyArrow is installed."""
    return importlib.util.find_spec("pyarrow") is not None


def _read_by_numpy(
    content: Content, encoding: str, dialect: Dialect, width: int, columns: Mapping[int, bool]
) -> Float64Array | None:
    """Read columns of numbers of which none is missing."""
    # NumPy's parser skips blank lines, which in a single column are missing values.
    if width == 1 or any(columns.values()) or dialect.comment or dialect.escape:
        return None
    commas = dialect.marks == COMMAS and dialect.separator != "," and b"." not in content.read()
    if dialect.marks != PLAIN and not commas:
        return None
    # Every column is read, text as one character, because only then is the length of each row checked.
    fields = [(f"f{i}", "f8" if i in columns else "U1") for i in range(width)]
    whole = list(columns) == list(range(width))
    try:
        with open_lines(content, encoding) as lines, warnings.catch_warnings():
            warnings.simplefilter("error")
            rows: Iterable[str] = itertools.islice(lines, dialect.start, None)
            read: Any = np.loadtxt(
                (row.replace(",", ".") for row in rows) if commas else rows,
                dtype=np.float64 if whole else np.dtype(fields),
                delimiter=None if dialect.separator == " " else dialect.separator,
                comments=None,
                quotechar=dialect.quote,
                ndmin=2 if whole else 1,
            )
    except (ValueError, UserWarning):
        return None
    values: Float64Array = read if whole else np.stack([read[f"f{i}"] for i in columns], axis=1)
    return values if values.shape[1] == len(columns) and np.isfinite(values).all() else None


def _begins_with_mark(stream: Any) -> bool:
    """Whether the rows begin with a mark of UTF-8, which PyArrow passes over as if it were none."""
    place = stream.tell()
    mark = stream.read(len(codecs.BOM_UTF8))
    stream.seek(place)
    return bool(mark == codecs.BOM_UTF8)


def _count_blank_lines(content: Content) -> int:
    """The number of blank lines at the end."""
    data = content.read()
    filled = data.rstrip(BLANK.encode())
    return max(0, len(data[len(filled) :].splitlines()) - 1)


def _prepare(content: Content, encoding: str, dialect: Dialect, offset: int) -> Any:
    """The rows as bytes that PyArrow can cut: without blanks in a row, comments, or wide characters."""
    import pyarrow as pa

    wide = encoding.startswith(WIDE)
    if content.held is None and not (wide or dialect.comment or dialect.separator == " "):
        stream = pa.OSFile(str(content.path))
        stream.seek(offset)
        return stream
    data = content.read()
    if wide:
        try:
            text = data.decode(encoding)
        except UnicodeError:
            return None
        lines = io.StringIO(text, newline="")
        for _ in itertools.islice(lines, dialect.start):
            pass
        data, offset = lines.read().encode(), 0
    mark = dialect.comment.encode()
    if mark and data.find(mark, offset) >= 0:
        comments = re.compile(rb"(?m)^[ \t]*" + re.escape(mark) + rb"[^\r\n]*(?:\r\n?|\n|\Z)")
        data, offset = comments.sub(b"", data[offset:]), 0
    if dialect.separator == " ":
        if data.find(dialect.quote.encode(), offset) >= 0:  # which may hold blanks
            return None
        data, offset = _narrow_blanks(data[offset:]), 0
    stream = pa.BufferReader(data)
    stream.seek(offset)
    return stream


def _narrow_blanks(data: bytes) -> bytes:
    """The lines with one blank for each run of blanks, and none at their ends."""
    data = data.replace(b"\t", b" ")
    while b"  " in data:
        data = data.replace(b"  ", b" ")
    for end in (b"\n", b"\r"):
        data = data.replace(b" " + end, end).replace(end + b" ", end)
    return data.strip(b" ")


def _spell_truth(value: float) -> list[str]:
    words = [word for word, number in TRUTH.items() if number == value]
    return [spell for word in words for spell in (word, word.upper(), word.capitalize())]


def _read_array(column: Any) -> Any:
    """The numbers of an Arrow array, with NaN for missing ones."""
    import pyarrow as pa

    if pa.types.is_boolean(column.type):
        column = column.cast(pa.float64())
    valid, numbers = column.buffers()  # its own to_numpy imports pandas
    values = np.frombuffer(numbers, np.float64, len(column), 8 * column.offset)
    if not column.null_count:
        return values
    bits = np.unpackbits(np.frombuffer(valid, np.uint8), bitorder="little")
    present = bits[column.offset : column.offset + len(column)].astype(bool)
    return np.where(present, values, np.nan)
