"""Tables of cells that are Python's objects: of a workbook, or of JSON."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from gaussmix._text import shorten, show_name
from gaussmix._typing import Float64Array, FloatArray
from gaussmix.data.formats.typed_tables import find_missing_numbers
from gaussmix.data.reading import Reading
from gaussmix.data.source import Label, Source
from gaussmix.data.text.cells import EMPTY, TEXT, Marks
from gaussmix.errors import InputError

#: Kinds of columns, beside those of text tables.
DATES, NESTED = "dates", "nested values"
#: Why a column without a name is left out.
UNNAMED = "no name in the header (row numbers?)"
#: What to do about a cell that is no number.
REMEDY = "leave the column out with --exclude, or, if that stands for a missing value, say so with --na"
#: Characters of a cell that are shown.
SHOWN = 40


@dataclass(frozen=True)
class CellColumn:
    """A column that has been looked at."""

    values: Float64Array  # NaN where there is no number
    kind: str | None = None  # why it is left out: one of the kinds above
    first_flaw: int | None = None  # the first row with a filled cell that is no number


@dataclass(frozen=True, kw_only=True)
class CellTable(Source):
    """A table that was read when it was opened."""

    columns: tuple[CellColumn, ...]
    cells: tuple[Sequence[Any], ...]  # of each column
    places: Sequence[int]  # the number of each row in the file
    place: str  # how messages call a row: "record {}"
    marks: Marks  # what stands for a missing value

    def read(self, groups: Sequence[Sequence[int]]) -> list[FloatArray]:
        """Put the columns of each group side by side. Raises InputError at a cell that is no number."""
        wanted = [i for group in groups for i in group]
        flawed = [(row, i) for i in wanted if (row := self.columns[i].first_flaw) is not None]
        if flawed:
            row, i = min(flawed)
            where = f"{self.path}: {self.describe_place(row)}, column {show_name(self.names[i])}"
            raise InputError(f"{where}: {describe_cell(self.cells[i][row])} is not a number; {REMEDY}")
        return [np.column_stack([self.columns[i].values for i in group]) for group in groups]

    def read_labels(self, column: int) -> list[Label]:
        """The cells of a column of classes."""
        return [self._read_label(cell, row, column) for row, cell in enumerate(self.cells[column])]

    def _read_label(self, cell: Any, row: int, column: int) -> Label:
        cell = _take_out(cell)
        number = read_cell(cell, self.marks)
        if cell is None or (number is not None and math.isnan(number)):
            return None
        if isinstance(cell, (str, bool)):
            return str(cell).strip()
        if number is None:
            where = f"{self.path}: {self.describe_place(row)}, column {show_name(self.names[column])}"
            raise InputError(f"{where}: {describe_cell(cell)} is no class; expected text or a number")
        return number

    def describe_place(self, row: int) -> str:
        """Say where a row stands in the file."""
        return self.place.replace("{}", str(self.places[row]), 1)

    def find_cell(self, row: int, column: int) -> str | None:
        """The text of a cell."""
        cell = _take_out(self.cells[column][row])
        return "" if cell is None else str(cell)


def make_marks(reading: Reading) -> Marks:
    """What stands for a missing value."""
    words = frozenset(word.strip().lower() for word in reading.missing)
    return Marks(words=words, numbers=frozenset(find_missing_numbers(reading)))


def make_cell_table(
    path: Path,
    names: Sequence[str],
    columns: Sequence[CellColumn],
    cells: Sequence[Sequence[Any]],
    marks: Marks,
    *,
    has_header: bool,
    place: str,
    places: Sequence[int],
    notes: Sequence[str] = (),
    unnamed: Sequence[int] = (),
) -> CellTable:
    """A table of columns that have been looked at."""
    left_out = {i: column.kind for i, column in enumerate(columns) if column.kind is not None}
    left_out |= {i: UNNAMED for i in unnamed if i not in left_out}
    not_numbers = {}
    for i, column in enumerate(columns):
        if column.kind not in (None, EMPTY) and column.first_flaw is not None:
            where = place.replace("{}", str(places[column.first_flaw]), 1)
            not_numbers[i] = f"{describe_cell(cells[i][column.first_flaw])} in {where}"
    return CellTable(
        path=path,
        names=tuple(names),
        has_header=has_header,
        left_out=left_out,
        not_numbers=not_numbers,
        notes=tuple(notes),
        columns=tuple(columns),
        cells=tuple(cells),
        places=places,
        place=place,
        marks=marks,
    )


def judge_column(cells: Sequence[Any], marks: Marks) -> CellColumn:
    """The numbers of a column, and its kind: numbers if at least half of its filled cells are."""
    if set(map(type, cells)) <= {float, int, bool, type(None)}:
        return judge_numbers(_convert_numbers(cells), marks)
    found = [read_cell(cell, marks) for cell in cells]
    flaws = [row for row, number in enumerate(found) if number is None]
    values = np.array([math.nan if number is None else number for number in found])
    n_numbers = int(np.count_nonzero(~np.isnan(values)))
    if not flaws:
        return judge_numbers(values, marks)
    kinds = Counter(find_kind(cells[row]) for row in flaws)
    kind = None if n_numbers >= len(flaws) else kinds.most_common(1)[0][0]
    return CellColumn(values, kind, flaws[0])


def judge_numbers(numbers: Any, marks: Marks) -> CellColumn:
    """A column of numbers, with NaN for what is missing."""
    values: Float64Array = np.array(numbers, dtype=np.float64)
    for number in marks.numbers:
        values[values == number] = np.nan
    return CellColumn(values, EMPTY if np.isnan(values).all() else None)


def read_cell(cell: Any, marks: Marks) -> float | None:
    """The number in a cell; NaN if it is missing, None if the cell holds neither."""
    if isinstance(cell, str):
        return marks.read(cell)
    if cell is None:
        return math.nan
    if not isinstance(cell, (int, float)):
        return None
    number = _convert_number(cell)
    return math.nan if number in marks.numbers else number


def find_kind(cell: Any) -> str:
    """What a cell holds that is no number."""
    if isinstance(cell, (date, datetime, time, timedelta)):
        return DATES
    return TEXT if isinstance(cell, str) else NESTED


def describe_cell(cell: Any) -> str:
    """A cell for a message, on one line."""
    cell = _take_out(cell)
    if isinstance(cell, (dict, list)):
        return "an object" if isinstance(cell, dict) else "an array"
    return shorten(repr(cell) if isinstance(cell, str) else str(cell), SHOWN)


def _take_out(cell: Any) -> Any:
    """The Python object of a cell that Arrow may hold."""
    return cell.as_py() if hasattr(cell, "as_py") else cell


def _convert_numbers(cells: Sequence[Any]) -> Float64Array:
    try:
        return np.array(cells, dtype=np.float64)
    except OverflowError:
        return np.array([math.nan if cell is None else _convert_number(cell) for cell in cells])


def _convert_number(number: float) -> float:
    try:
        return float(number)
    except OverflowError:  # an integer beyond the range of floats
        return math.inf if number > 0 else -math.inf
