"""CSV and its relatives: text tables whose delimiter, encoding and header are found from their first lines.

The format has two readers. NumPy's compiled parser comes first. If it refuses a file, `csv` reads the file
again, record by record. The second reader knows true and false and the number of the line, so it either
reads the file or says where it is wrong.
"""

from __future__ import annotations

import csv
import itertools
import math
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from gaussmix._typing import Float64Array, FloatArray
from gaussmix.data.content import Content
from gaussmix.data.reading import Reading
from gaussmix.data.source import Source

REMEDY = "rows with missing values have to be removed or filled in first"
from gaussmix.errors import InputError

#: Records from which the kind of a column is judged.
SAMPLE_RECORDS = 1000
#: Lines from which the delimiter is judged.
SNIFF_LINES = 25
#: Bytes from which the encoding is judged.
SNIFF_BYTES = 1 << 16
#: Cells held as Python strings at a time.
BLOCK_CELLS = 1 << 18

#: Cells that stand for a missing value, in lower case.
MISSING = frozenset(
    ["", "?", "-", ".", "na", "n/a", "#n/a", "nan", "+nan", "-nan", "null", "none", "missing", "<na>"]
)
#: Cells that stand for a truth value, in lower case.
TRUTH = {"true": 1.0, "false": 0.0}

#: Kinds of columns.
NUMBERS, BOOLEANS, TEXT, EMPTY = "numbers", "booleans", "text", "empty"
#: Why a column without a name is left out.
UNNAMED = "no name in the header (row numbers?)"


@dataclass(frozen=True, kw_only=True)
class TextTable(Source):
    """A text table whose first records have been looked at."""

    encoding: str
    delimiter: str  # " " stands for any run of blanks
    kinds: tuple[str, ...]

    def read(self, groups: Sequence[Sequence[int]]) -> list[FloatArray]:
        """Read the columns of each group as float64, of shape (n, len(group))."""
        wanted = list(itertools.chain.from_iterable(groups))
        try:
            values = self._read_compiled(wanted)
            if values is None:
                values = self._read_records(wanted)
        except UnicodeError as error:
            raise InputError(_explain_encoding(self.path, self.encoding)) from error
        if len(groups) == 1:
            return [values]
        borders = np.cumsum([0, *map(len, groups)])
        return [np.ascontiguousarray(values[:, a:b]) for a, b in itertools.pairwise(borders)]

    def describe_place(self, row: int) -> str:
        """Say where the data row (from 0) stands in the file."""
        with self._open_file() as file:
            for i, (line, _) in enumerate(self._read_rows(file)):
                if i == row:
                    return f"line {line} (row {row + 1})"
        return f"row {row + 1}"

    def _open_file(self) -> TextIO:
        # Cells that are not read may hold bytes of any encoding, which must not stop the reading of others.
        return open(self.path, encoding=self.encoding, errors="surrogateescape", newline="")

    def _read_rows(self, file: TextIO) -> Iterator[tuple[int, list[str]]]:
        """Yield (line number, cells) of each data row, all of the same length."""
        records = _cut_records(self.path, file, self.delimiter, single=len(self.names) == 1)
        if self.has_header:
            next(records, None)
        width = len(self.names)
        owner = "the header" if self.has_header else "the first row"
        for line, cells in records:
            if len(cells) != width:
                number = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
                raise InputError(f"{self.path}: line {line}: {number}, but {owner} has {width}")
            yield line, cells

    def _read_compiled(self, wanted: list[int]) -> Float64Array | None:
        """Read by NumPy's parser; return None if it refuses the file or may misread it."""
        kinds = {self.kinds[i] for i in wanted}
        # NumPy's parser skips blank lines, which in a single column are missing cells.
        if kinds != {NUMBERS} or len(self.names) == 1:
            return None
        # Every column is read, text as one character, because only then is the length of each row checked.
        whole = wanted == list(range(len(self.names)))
        fields = [(f"f{i}", "f8" if i in set(wanted) else "U1") for i in range(len(self.names))]
        try:
            with self._open_file() as file, warnings.catch_warnings():
                warnings.simplefilter("error")
                if self.has_header:
                    next(_cut_records(self.path, file, self.delimiter, single=False))
                read: Any = np.loadtxt(
                    file,
                    dtype=np.float64 if whole else np.dtype(fields),
                    delimiter=None if self.delimiter == " " else self.delimiter,
                    comments=None,
                    quotechar='"',
                    ndmin=2 if whole else 1,
                )
        except (ValueError, UserWarning, csv.Error):
            return None
        values: Float64Array = read
        if not whole:
            values = np.empty((len(read), len(wanted)))
            for at, i in enumerate(wanted):
                values[:, at] = read[f"f{i}"]
        if values.shape[1] != len(wanted) or not np.isfinite(values).all():
            return None
        return values

    def _read_records(self, wanted: list[int]) -> Float64Array:
        """Read record by record. Raises InputError at the first cell that is not a number."""
        blocks: list[Float64Array] = []
        size = max(1, BLOCK_CELLS // len(self.names))
        with self._open_file() as file:
            records = self._read_rows(file)
            while block := list(itertools.islice(records, size)):
                values = np.empty((len(block), len(wanted)))
                for at, i in enumerate(wanted):
                    # NaN stands for "no number" until the check below.
                    values[:, at] = [_read_number(cells[i], math.nan) for _, cells in block]
                if not np.isfinite(values).all():
                    row, at = np.argwhere(~np.isfinite(values))[0]
                    line, cells = block[row]
                    row += sum(len(values) for values in blocks)
                    where = f"{self.path}: line {line} (row {row + 1}), column {self.names[wanted[at]]!r}"
                    raise InputError(f"{where}: {_describe_flaw(cells[wanted[at]])}")
                blocks.append(values)
        return np.concatenate(blocks)


def open_text(content: Content, reading: Reading) -> TextTable:
    """Find the encoding, delimiter and header of a text table, and the kind of each column."""
    path = content.path
    encoding = _find_encoding(path)
    try:
        with open(path, encoding=encoding, errors="surrogateescape", newline="") as file:
            filled = (line.rstrip("\r\n") for line in file if line.strip())
            delimiter = _choose_delimiter(list(itertools.islice(filled, SNIFF_LINES)))
            file.seek(0)
            records = _cut_records(path, file, delimiter, single=False)
            sample = list(itertools.islice(records, SAMPLE_RECORDS + 1))
    except UnicodeError as error:
        raise InputError(_explain_encoding(path, encoding)) from error
    if not sample:
        raise InputError(f"{path}: the file has no rows, only blank lines")
    lines, rows = [line for line, _ in sample], [cells for _, cells in sample]
    width = len(rows[0])
    below = [_find_kind(column) for column in _collect_columns(rows[1:], width)]
    has_header, doubt = _has_header(rows[0], below)
    if has_header and len(rows) == 1:
        raise InputError(f"{path}: there is a header ({', '.join(rows[0][:8])}) and no row of data")
    kinds = below if has_header else [_find_kind(column) for column in _collect_columns(rows, width)]
    names, unnamed = _read_names(path, rows[0], has_header)
    left_out = {i: kind for i, kind in enumerate(kinds) if kind in (TEXT, EMPTY)}
    left_out |= {i: UNNAMED for i in unnamed if i not in left_out}
    data, data_lines = (rows[1:], lines[1:]) if has_header else (rows, lines)
    notes = [f"{path}: line {lines[0]} is read as the header, though it has numbers"] if doubt else []
    return TextTable(
        path=path,
        encoding=encoding,
        delimiter=delimiter,
        has_header=has_header,
        names=names,
        kinds=tuple(kinds),
        left_out=left_out,
        not_numbers={i: _find_example(data, data_lines, i) for i, kind in enumerate(kinds) if kind == TEXT},
        notes=tuple(notes),
    )


def _explain_encoding(path: Path, encoding: str) -> str:
    return f"{path}: not a text table: it begins as {encoding} and does not go on so"


def _find_encoding(path: Path) -> str:
    with open(path, "rb") as file:
        head = file.read(SNIFF_BYTES)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    control = next((byte for byte in head if byte < 32 and byte not in b"\t\n\r\f"), None)
    if control is not None:
        raise InputError(
            f"{path}: not a text table: it holds the byte 0x{control:02x} at position {head.index(control)}"
        )
    try:
        # A character may be cut at the end of the head.
        head.rstrip(bytes(range(128, 256))).decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8-sig"


def _choose_delimiter(lines: list[str]) -> str:
    """Choose the delimiter that cuts the most lines into equally many cells, and into the most numbers."""
    best, best_score = ",", (0.0, 0.0)
    for delimiter in ("\t", ",", ";", " "):
        rows = [cells for _, cells in _cut_records(Path(), lines, delimiter, single=False)]
        if not rows:
            continue
        width, times = Counter(map(len, rows)).most_common(1)[0]
        if width == 1:
            continue
        cells = [cell for cells in (rows[1:] or rows) for cell in cells]
        alike = times / len(rows)
        if delimiter == ";" and alike == 1.0:
            return delimiter  # a comma is then the decimal mark: cutting at it would make false columns
        score = (alike, sum(_is_number(cell) for cell in cells) / len(cells))
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _cut_records(
    path: Path, lines: TextIO | list[str], delimiter: str, *, single: bool
) -> Iterator[tuple[int, list[str]]]:
    """Yield (number of its last line, cells) of each record that is not blank.

    With `single`, of a single column, a blank line between others is a missing cell.
    """
    blanks = delimiter == " "
    # Blanks at the ends of a line would make empty cells. Tabs count as blanks.
    source = (line.replace("\t", " ").strip() for line in lines) if blanks else lines
    reader = csv.reader(source, delimiter=delimiter, skipinitialspace=True)
    pending = 0
    try:
        for cells in reader:
            if not cells or (len(cells) == 1 and not cells[0].strip()):
                pending = pending or reader.line_num
                continue
            if single and pending:
                yield pending, [""]
            pending = 0
            yield reader.line_num, cells
    except csv.Error as error:
        raise InputError(f"{path}: line {reader.line_num}: cannot be cut into cells: {error}") from error


def _collect_columns(rows: list[list[str]], width: int) -> list[list[str]]:
    return [[cells[i] for cells in rows if i < len(cells)] for i in range(width)]


def _read_number(cell: str, otherwise: float) -> float:
    try:
        # Python reads 2024_01 as a number, but in a table it is a label.
        return otherwise if "_" in cell else float(cell)
    except ValueError:
        return TRUTH.get(cell.strip().lower(), otherwise)


def _is_number(cell: str) -> bool:
    return not math.isnan(_read_number(cell, math.nan))


def _is_missing(cell: str) -> bool:
    return cell.strip().lower() in MISSING


def _find_kind(cells: list[str]) -> str:
    """The kind of a column: numbers if at least half of its filled cells are, so that a typo is an error."""
    filled = [cell for cell in cells if not _is_missing(cell)]
    if not filled:
        return EMPTY
    if all(cell.strip().lower() in TRUTH for cell in filled):
        return BOOLEANS
    numbers = sum(_is_number(cell) for cell in filled)
    return NUMBERS if 2 * numbers >= len(filled) else TEXT


def _has_header(first: list[str], below: list[str]) -> tuple[bool, bool]:
    """Return whether the first row is a header, and whether that is in doubt.

    The first row is a header if it has a word above a column of numbers. A word above words says nothing.
    """
    above = [cell for cell, kind in zip(first, below, strict=True) if kind in (NUMBERS, BOOLEANS)]
    if not above:
        above = first
        return not any(_is_number(cell) for cell in above), False
    words = [cell for cell in above if not _is_number(cell) and not _is_missing(cell)]
    return bool(words), 0 < len(words) < len([cell for cell in above if not _is_missing(cell)])


def _read_names(path: Path, first: list[str], has_header: bool) -> tuple[tuple[str, ...], list[int]]:
    """Return the columns' names, and which of them the header left blank."""
    if not has_header:
        return tuple(f"x{i}" for i in range(len(first))), []
    names = [cell.strip() for cell in first]
    unnamed = [i for i, name in enumerate(names) if not name]
    for i in unnamed:
        names[i] = f"x{i}" if f"x{i}" not in names else f"x{i}_unnamed"
    for name, times in Counter(names).items():
        if times > 1:
            at = [i + 1 for i, other in enumerate(names) if other == name]
            raise InputError(
                f"{path}: the header names {name!r} twice (columns {at[0]} and {at[1]}); rename one of them"
            )
    return tuple(names), unnamed


def _find_example(rows: list[list[str]], lines: list[int], column: int) -> str:
    for cells, line in zip(rows, lines, strict=True):
        if column < len(cells) and not _is_missing(cells[column]) and not _is_number(cells[column]):
            return f"{_show_cell(cells[column])} on line {line}{_explain_comma(cells[column])}"
    return "no numbers"


def _describe_flaw(cell: str) -> str:
    if _is_missing(cell):
        what = "the cell is empty" if not cell.strip() else f"the value is missing ({_show_cell(cell)})"
        return f"{what}; {REMEDY}"
    if _is_number(cell):
        return f"{_show_cell(cell)} is infinite; expected finite numbers"
    return f"{_show_cell(cell)} is not a number{_explain_comma(cell)}"


def _explain_comma(cell: str) -> str:
    return "; decimals are written with a point" if _is_number(cell.replace(",", ".", 1)) else ""


def _show_cell(cell: str) -> str:
    cell = cell if len(cell) <= 40 else cell[:37] + "..."
    return ascii(cell) if not cell.isprintable() else repr(cell)
