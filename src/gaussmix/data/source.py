"""What every reader of a table offers: its columns when it is opened, its rows when they are asked for."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gaussmix._typing import FloatArray
from gaussmix.errors import InputError

#: What to do about missing values.
REMEDY = "rows with missing values have to be removed or filled in first"

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

    def describe_place(self, row: int) -> str:
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
            where = f"{self.path}: {self.describe_place(int(row))}, column {self.names[columns[at]]!r}"
            value = float(values[row, at])
            if np.isnan(value):
                raise InputError(f"{where}: the value is missing (NaN); {REMEDY}")
            raise InputError(f"{where}: {value} is infinite; expected finite numbers")


@contextmanager
def refuse_os_errors(path: str | os.PathLike[str], done: str) -> Iterator[None]:
    """Raise InputError for an OSError: the file "cannot be" `done`, which is "read" or "written"."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: cannot be {done}: {error.strerror or error}") from error
