"""Whether the first row of a text table names its columns: words do, and so do numbers that count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.data.text.cells import BOOLEANS, NUMBERS, TEXT, Marks, find_kind, find_marks
from gaussmix.data.text.records import collect_columns

#: Rows that a header of numbers must be followed by.
LEAST_ROWS = 5
#: Rows from which on a first number far from all others is hardly one of them.
MANY_ROWS = 20
#: Cells of a row from which it is judged.
MOST_CELLS = 100
#: Share of the cells of a column that must have a decimal mark, where those of a header of numbers have none.
MOST_DECIMALS = 0.9
#: A first cell that goes on from the rows below, at most so many of their steps away, is a row's.
MOST_STEPS = 3.0
#: Columns from which on equal steps alone tell a header, unless rows have them too.
LEAST_COUNT = 4


@dataclass(frozen=True)
class _Rows:
    """The first row of a table and those below it, as numbers."""

    #: Shape (d,): of the columns of numbers.
    first: Float64Array
    #: Shape (n, d); NaN stands for a missing value.
    below: Float64Array
    #: Whether no number of the first row has a decimal mark, and nearly all below have.
    is_whole: bool
    #: Whether all below have one.
    is_alone: bool


def judge_first(
    first: Sequence[str], rows: Sequence[list[str]], width: int, quoted: bool, decimal: str
) -> tuple[bool, bool]:
    """Return whether the first row is a header, and whether that, or that it is none, is in doubt.

    It is if it has a word above a column of numbers. A word above words says nothing. A row of numbers is if
    its numbers alone are quoted, if it leaves the labels of the rows without a name, or if it counts.
    """
    columns = collect_columns(rows, width)
    marks, _ = find_marks(columns, "", decimal if decimal == "," else None)
    kinds = [find_kind(column, marks) for column in columns]
    above = [cell for cell, kind in zip(first, kinds, strict=False) if kind in (NUMBERS, BOOLEANS)]
    if not above:
        return not any(marks.is_number(cell) for cell in first), False
    numbers = [cell for cell in above if marks.is_number(cell)]
    words = [cell for cell in above if not marks.is_number(cell) and not marks.is_missing(cell)]
    if words and not numbers:
        return True, False
    if numbers and ((quoted and len(rows) > 1) or _leaves_labels(first, columns, kinds, marks)):
        return True, True
    # Of marks such as ?? above numbers nobody makes a name.
    words = [word for word in words if any(map(str.isalpha, word))]
    found = _read_rows(first, rows, kinds, marks)
    counts = found is not None and is_count(found)
    if words:
        return counts or 2 * len(words) >= len(numbers) or found is None, True
    return counts, counts or (found is not None and _is_strange(found))


def _leaves_labels(
    first: Sequence[str], columns: Sequence[Sequence[str]], kinds: Sequence[str], marks: Marks
) -> bool:
    """Whether the first cell is blank above labels or numbers of the rows, as pandas and R write them."""
    if first[0].strip() or len(first) < 2 or not columns[0] or not all(cell.strip() for cell in columns[0]):
        return False
    if kinds[0] == TEXT:
        return True
    places = [marks.read(cell) for cell in columns[0]]
    return places[0] is not None and places == [places[0] + i for i in range(len(places))]


def _read_rows(
    first: Sequence[str], rows: Sequence[list[str]], kinds: Sequence[str], marks: Marks
) -> _Rows | None:
    """The columns of numbers below a row of numbers; None where there are too few rows."""
    whole = [row for row in rows if len(row) == len(first)]
    wanted = [
        i for i, kind in enumerate(kinds[: len(first)]) if kind == NUMBERS and marks.is_number(first[i])
    ]
    wanted = wanted[:MOST_CELLS]
    if not wanted or len(whole) < LEAST_ROWS:
        return None
    cells = [[row[i] for i in wanted] for row in [first, *whole]]
    read = [[marks.read(cell) for cell in row] for row in cells]
    numbers: Any = np.array([[np.nan if number is None else number for number in row] for row in read])
    points = [sum(marks.decimal in cell for cell in column[1:]) for column in zip(*cells, strict=True)]
    without = not any(marks.decimal in cell for cell in cells[0])
    return _Rows(
        numbers[0],
        numbers[1:],
        without and min(points) >= MOST_DECIMALS * len(whole),
        without and min(points) == len(whole),
    )


def is_count(rows: _Rows) -> bool:
    """Whether a row of numbers looks like a header: of years, wavelengths, ages, or of places from 0 on."""
    if _goes_on(rows):
        return False
    first = rows.first
    if len(first) == 1:
        return rows.is_alone and first[0] == 0.0
    rising, even = _find_steps(first[np.newaxis])
    if not rising[0]:
        return False
    apart, whole, (rising_below, even_below) = _is_apart(rows), rows.is_whole, _find_steps(rows.below)
    if len(first) == 2:
        return whole and (apart or first.tolist() == [0.0, 1.0])
    if not even[0]:
        return whole and apart
    if whole and rising_below.mean() < MOST_DECIMALS:
        return True
    return apart or (len(first) >= LEAST_COUNT and even_below.mean() < 0.1 and not _is_symmetrical(rows))


def is_count_of_names(names: Sequence[str], marks: Marks) -> bool:
    """Whether numbers that stand above a table, one fewer than its columns, rise by equal steps."""
    numbers = [marks.read(name) for name in names]
    if len(numbers) < 3 or any(number is None for number in numbers):
        return False
    return bool(_find_steps(np.array([numbers], dtype=np.float64))[1][0])


def _find_steps(numbers: Float64Array) -> tuple[Any, Any]:
    """Whether the numbers of each row rise, and whether by equal steps."""
    with np.errstate(invalid="ignore"):
        steps = np.diff(numbers, axis=1)
        rising = (steps > 0.0).all(axis=1)
        return rising, rising & (np.ptp(steps, axis=1) <= 1e-6 * np.abs(steps).max(axis=1))


def _is_apart(rows: _Rows) -> bool:
    """Whether each number of the first row is further from those below than they are from each other."""
    body: Any = np.ma.masked_invalid(rows.below)
    low, high = body.min(axis=0), body.max(axis=0)
    with np.errstate(over="ignore"):
        apart = (rows.first > high + (high - low)) | (rows.first < low - (high - low))
    return bool(np.ma.filled(apart, False).all())


def _is_strange(rows: _Rows) -> bool:
    """Whether a row of numbers that does not count could be a header all the same: far from the others."""
    return _is_apart(rows) and (len(rows.first) > 1 or rows.is_whole or len(rows.below) >= MANY_ROWS)


def _goes_on(rows: _Rows) -> bool:
    """Whether a column of the rows below is sorted, and the first row the next of it: of a grid, of times."""
    with np.errstate(invalid="ignore", over="ignore"):
        steps = np.diff(rows.below, axis=0)
        most = MOST_STEPS * np.abs(steps).max(axis=0)
        begun = rows.below[0] - rows.first
        sorted_up = (steps > 0.0).all(axis=0) & (begun > 0.0) & (begun <= most)
        sorted_down = (steps < 0.0).all(axis=0) & (begun < 0.0) & (-begun <= most)
    return bool((sorted_up | sorted_down).any())


def _is_symmetrical(rows: _Rows) -> bool:
    """Whether the first row is the first column too, as in a table of distances."""
    column = np.concatenate([rows.first[:1], rows.below[:, 0]])
    return len(column) == len(rows.first) and bool((column == rows.first).all())
