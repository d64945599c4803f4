"""The column of a table that says of which class each row is: text or numbers, some of them missing."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gaussmix.data.source import Label

#: A number in plain digits. Other words, such as "yes", are classes by their text.
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def read_classes(cells: Sequence[Label]) -> NDArray[np.object_]:
    """The class of each row, None where it is missing.

    Classes are whole numbers where all cells are, numbers where all are numbers, and otherwise text.

    Examples
    --------
    >>> read_classes(["2", None, "10"]).tolist(), read_classes(["a", "2"]).tolist()
    ([2, None, 10], ['a', '2'])
    """
    known = [cell for cell in cells if cell is not None]
    numbers = {cell: _read_number(cell) for cell in set(known)}
    found = np.full(len(cells), None, dtype=object)
    plain = all(number is not None for number in numbers.values())
    whole = plain and all(number is not None and number.is_integer() for number in numbers.values())
    for row, cell in enumerate(cells):
        if cell is not None:
            number = numbers[cell]
            found[row] = _write(cell) if not plain or number is None else int(number) if whole else number
    return found


def _read_number(cell: str | float) -> float | None:
    """The number in a cell; None for text, and for numbers that are none or endless."""
    if isinstance(cell, str):
        return _keep_finite(float(cell)) if NUMBER.fullmatch(cell) else None
    return _keep_finite(cell)


def _keep_finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _write(cell: str | float) -> str:
    """A cell as text; 2.0 is 2."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
