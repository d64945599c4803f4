"""What every reader of a table offers: its columns when it is opened, its rows when they are asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gaussmix._typing import FloatArray
from gaussmix.errors import InputError

#: Rows checked at a time, so that a check takes little memory beside a mapped file.
CHECK_ROWS = 1 << 18


@dataclass(frozen=True, kw_only=True)
class Source(ABC):
    """One table in a file whose columns are known and whose rows are not read yet."""

    path: Path
    names: tuple[str, ...]
    has_header: bool  # whether the names come from the file; else they are x0, x1, ...
    left_out: dict[int, str]  # columns that are not read unless picked, and why: "text", "empty", ...
    not_numbers: dict[int, str]  # columns that cannot be read at all, and what they hold
    notes: tuple[str, ...] = ()

    @abstractmethod
    def read(self, groups: Sequence[Sequence[int]]) -> list[FloatArray]:
        """Read one (n, len(group)) array of finite numbers for each group of column positions."""

    def place(self, row: int) -> str:
        """Say where the row (from 0) stands in the file, for an error message."""
        return f"row {row + 1}"

    def check_finite(self, values: FloatArray, columns: Sequence[int]) -> None:
        """Raise InputError at the first value, row by row, that is missing or infinite."""
        for start in range(0, len(values), CHECK_ROWS):
            finite = np.isfinite(values[start : start + CHECK_ROWS])
            if finite.all():
                continue
            row, at = np.argwhere(~finite)[0]
            row += start
            where = f"{self.path}: {self.place(int(row))}, column {self.names[columns[at]]!r}"
            raise InputError(f"{where}: {not_finite(float(values[row, at]))}")


def not_finite(value: float) -> str:
    """Say what is wrong with a value that is NaN or infinite."""
    if np.isnan(value):
        return f"the value is missing (NaN); {REMEDY}"
    return f"{value} is infinite; expected finite numbers"


REMEDY = "rows with missing values have to be removed or filled in first"
