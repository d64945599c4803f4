"""Text tables: CSV and its relatives, as people write them.

What is not said of a table is found from its first lines (`dialect`, `header`). Then there are two readers,
which read the same: PyArrow's, which is quick, and Python's, record by record. The second reads what the
first refuses, and knows the number of the line: so it either reads the file or says where it is wrong.
"""

from __future__ import annotations

import codecs
import io
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from gaussmix._text import count_noun, show_name
from gaussmix._typing import Float64Array, FloatArray
from gaussmix.data.content import Content
from gaussmix.data.reading import Reading
from gaussmix.data.source import Label, Source
from gaussmix.data.text import quick
from gaussmix.data.text.cells import (
    BOOLEANS,
    EMPTY,
    NUMBERS,
    PLAIN,
    TEXT,
    Marks,
    describe_text,
    find_kind,
    show_cell,
)
from gaussmix.data.text.dialect import find_layout
from gaussmix.data.text.encoding import WIDE, explain_encoding, find_encoding, open_lines
from gaussmix.data.text.records import Dialect, collect_columns, cut_records
from gaussmix.errors import InputError

#: Rows and characters from which the kind of a column is judged.
SAMPLE_LINES, SAMPLE_CHARACTERS = 1000, 1 << 20
#: Characters of the first lines and all that stands above them.
MOST_CHARACTERS = 1 << 25
#: Cells held as Python strings at a time.
BLOCK_CELLS = 1 << 18
#: Why a column without a name is left out.
UNNAMED = "no name in the header (names or numbers of the rows?)"


@dataclass(frozen=True, kw_only=True)
class TextTable(Source):
    """A text table whose first rows have been looked at."""

    content: Content
    encoding: str
    dialect: Dialect
    kinds: tuple[str, ...]
    #: The bytes of the lines before the first row.
    offset: int
    #: Characters of the longest line seen.
    longest: int
    #: Whether a line of more or fewer cells is a row of missing values.
    is_lenient: bool = False
    #: The lines of more or fewer cells that were met.
    ragged: set[int] = field(default_factory=set, compare=False)

    def read(self, groups: Sequence[Sequence[int]]) -> list[FloatArray]:
        """Read the columns of each group as float64, of shape (n, len(group))."""
        wanted = list(itertools.chain.from_iterable(groups))
        try:
            values = self._read_quickly(wanted)
            if values is None:
                values = self._read_records(wanted)
        except UnicodeError as error:
            raise InputError(explain_encoding(self.path, self.encoding)) from error
        if 2 * len(self.ragged) > len(values):
            raise InputError(
                f"{self.path}: most lines have not {count_noun(len(self.names), 'cell')}; say --separator"
            )
        for number in self.dialect.marks.numbers:
            values[values == number] = math.nan
        if len(groups) == 1:
            return [values]
        borders = np.cumsum([0, *map(len, groups)])
        return [np.ascontiguousarray(values[:, a:b]) for a, b in itertools.pairwise(borders)]

    def read_labels(self, column: int) -> list[Label]:
        """Read a column of classes as they are written."""
        marks = self.dialect.marks
        try:
            cells = [cells[column].strip() for _, cells in self._cut_rows()]
        except UnicodeError as error:
            raise InputError(explain_encoding(self.path, self.encoding)) from error
        return [None if marks.is_missing(cell) or marks.is_missing_number(cell) else cell for cell in cells]

    def tell_reading(self) -> list[str]:
        """Sentences on what was met in the rows."""
        if not self.ragged:
            return []
        lines, width = sorted(self.ragged), len(self.names)
        more = "" if len(lines) == 1 else f" and {len(lines) - 1} more"
        return [f"{self.path}: line {lines[0]}{more} dropped: not of {count_noun(width, 'cell')}"]

    def describe_place(self, row: int) -> str:
        """Say where the data row (from 0) stands in the file."""
        found = self._find_row(row)
        return f"row {row + 1}" if found is None else f"line {found[0]} (row {row + 1})"

    def find_cell(self, row: int, column: int) -> str | None:
        """The text of a cell."""
        found = self._find_row(row)
        return None if found is None else found[1][column]

    def _find_row(self, row: int) -> tuple[int, list[str]] | None:
        return next(itertools.islice(self._cut_rows(), row, None), None)

    def _cut_rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (line number, cells) of each data row, all of the same length."""
        width = len(self.names)
        owner = "the header" if self.has_header else "the first row"
        with open_lines(self.content, self.encoding) as lines:
            records = cut_records(self.path, lines, self.dialect, single=width == 1, skip=self.dialect.start)
            for line, cells in records:
                if len(cells) != width and self.is_lenient:
                    self.ragged.add(line)
                    cells = [""] * width
                if len(cells) != width:
                    raise InputError(
                        f"{self.path}: line {line}: {count_noun(len(cells), 'cell')}, but {owner} has "
                        f"{width}; such lines are left out by --drop-missing, or by --comment and what they "
                        "begin with, and cells are cut by --separator"
                    )
                yield line, cells

    def _read_quickly(self, wanted: list[int]) -> Float64Array | None:
        if {self.kinds[i] for i in wanted} - {NUMBERS, BOOLEANS}:
            return None
        return quick.read_columns(
            self.content,
            self.encoding,
            self.dialect,
            offset=self.offset,
            width=len(self.names),
            columns={i: self.kinds[i] == BOOLEANS for i in wanted},
            longest=self.longest,
        )

    def _read_records(self, wanted: list[int]) -> Float64Array:
        """Read record by record. Raises InputError at the first cell that is no number."""
        blocks: list[Float64Array] = []
        marks, size = self.dialect.marks, max(1, BLOCK_CELLS // len(self.names))
        records = self._cut_rows()
        n = 0
        while block := list(itertools.islice(records, size)):
            values = np.empty((len(block), len(wanted)))
            columns = list(zip(*(cells for _, cells in block), strict=True))
            flaws = []
            for at, i in enumerate(wanted):
                values[:, at], wrong = marks.read_column(columns[i])
                flaws += [(row, at) for row in wrong[:1]]
            if flaws:
                row, at = min(flaws)
                line, cells = block[row]
                where = f"line {line} (row {n + row + 1}), column {show_name(self.names[wanted[at]])}"
                raise InputError(f"{self.path}: {where}: {describe_flaw(cells[wanted[at]], marks)}")
            blocks.append(values)
            n += len(block)
        return np.concatenate(blocks)


def open_text(content: Content, reading: Reading) -> TextTable:
    """Find the encoding, separator and header of a text table, and the kind of each column."""
    path = content.path
    encoding = find_encoding(content)
    try:
        with open_lines(content, encoding) as stream:
            sample = _take_sample(stream)
            whole = not stream.readline()
        layout = find_layout(path, sample, reading, whole)
    except UnicodeError as error:
        raise InputError(explain_encoding(path, encoding)) from error
    header, dialect = layout.header, layout.dialect
    columns = collect_columns(layout.rows, len(header.names))
    kinds = [find_kind(column, dialect.marks) for column in columns]
    left_out = {i: describe_text(columns[i]) for i, kind in enumerate(kinds) if kind == TEXT}
    left_out |= {i: EMPTY for i, kind in enumerate(kinds) if kind == EMPTY}
    left_out |= {i: UNNAMED for i in header.unnamed if kinds[i] != EMPTY}
    table = TextTable(
        path=path,
        content=content,
        encoding=encoding,
        dialect=dialect,
        has_header=header.found,
        names=header.names,
        kinds=tuple(kinds),
        left_out=left_out,
        not_numbers={
            i: _find_example(columns[i], layout.lines, dialect.marks)
            for i, kind in enumerate(kinds)
            if kind == TEXT
        },
        notes=tuple(f"{path}: {note}" for note in (layout.note, _advise_pyarrow(content)) if note),
        offset=_count_bytes(content, encoding, sample[: dialect.start]),
        longest=max(map(len, sample)),
        is_lenient=reading.drop_missing,
    )
    return table if whole or EMPTY not in kinds else _look_further(table)


def _advise_pyarrow(content: Content) -> str:
    if content.size < quick.LARGE_BYTES or quick.has_pyarrow():
        return ""
    return "PyArrow reads so large a text several times as fast: pip install 'gaussmix[arrow]'"


def _take_sample(stream: io.TextIOBase) -> list[str]:
    """The first lines: comments do not count."""
    lines: list[str] = []
    n = size = 0
    for line in stream:
        lines.append(line)
        size += len(line)
        n += not line.startswith(("#", "%", "@"))
        if n > SAMPLE_LINES or (size > SAMPLE_CHARACTERS and n > 6) or size > MOST_CHARACTERS:
            break
    return lines


def _count_bytes(content: Content, encoding: str, lines: Sequence[str]) -> int:
    """The bytes of the first lines, with the mark before them."""
    if encoding.startswith(WIDE):  # which no reader skips by bytes
        return 0
    # Under another encoding the mark is three characters of the first line.
    marked = encoding == "utf-8-sig" and content.head.startswith(codecs.BOM_UTF8)
    plain = encoding.removesuffix("-sig")
    return marked * len(codecs.BOM_UTF8) + sum(len(line.encode(plain, "surrogateescape")) for line in lines)


def _look_further(table: TextTable) -> TextTable:
    """The table with the kinds of columns that are empty in the first rows, from all rows."""
    empty = [i for i, kind in enumerate(table.kinds) if kind == EMPTY]
    found: dict[int, list[str]] = {i: [] for i in empty}
    lines: dict[int, int] = {}
    marks = table.dialect.marks
    for line, cells in table._cut_rows():
        for i in [i for i in empty if not marks.is_missing(cells[i])]:
            lines.setdefault(i, line)
            found[i].append(cells[i])
            if len(found[i]) == SAMPLE_LINES:
                empty.remove(i)
        if not empty:
            break
    kinds = list(table.kinds)
    left_out, not_numbers = dict(table.left_out), dict(table.not_numbers)
    for i, cells in found.items():
        kinds[i] = find_kind(cells, marks)
        if kinds[i] == TEXT:
            left_out[i], not_numbers[i] = (
                describe_text(cells),
                _find_example(cells, [lines[i]] * len(cells), marks),
            )
        elif kinds[i] != EMPTY and left_out[i] == EMPTY:
            del left_out[i]
    return replace(table, kinds=tuple(kinds), left_out=left_out, not_numbers=not_numbers)


def _find_example(cells: Sequence[str], lines: Sequence[int], marks: Marks) -> str:
    for cell, line in zip(cells, lines, strict=False):
        if marks.read(cell) is None:
            return f"{show_cell(cell)} on line {line}{_explain_comma(cell)}"
    return "no numbers"


def describe_flaw(cell: str, marks: Marks) -> str:
    """Say what is wrong with a cell that is no number, and what to do."""
    return (
        f"{show_cell(cell)} is not a number{_explain_comma(cell)}; leave the column out with --exclude, "
        "or, if that stands for a missing value, say so with --na"
    )


def _explain_comma(cell: str) -> str:
    return (
        "; if commas are its decimal marks, say --decimal ,"
        if PLAIN.is_number(cell.replace(",", ".", 1))
        else ""
    )
