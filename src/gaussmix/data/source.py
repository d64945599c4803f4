"""What every reader of a table offers: its columns when it is opened, its rows when they are asked for."""

from __future__ import annotations

import math
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gaussmix._text import show_name
from gaussmix._typing import FloatArray
from gaussmix.errors import InputError

#: The class of a row as its cell has it; None where it is missing.
Label = str | float | None


@dataclass(frozen=True, kw_only=True)
class Source(ABC):
    """One table whose columns are known and whose rows are not read yet."""

    path: Path
    names: tuple[str, ...]
    has_header: bool  # whether the names come from the file; else they are x0, x1, ...
    left_out: dict[int, str]  # columns that are not read unless picked, and why: "text", "empty", ...
    not_numbers: dict[int, str]  # columns that cannot be read at all, and what they hold
    notes: tuple[str, ...] = ()

    @abstractmethod
    def read(self, groups: Sequence[Sequence[int]]) -> list[FloatArray]:
        """Read an (n, len(group)) array for each group of column positions. NaN stands for a missing value.

        Whoever asks checks what is missing or infinite.
        """

    def read_labels(self, column: int) -> list[Label]:
        """Read a column of classes, text or numbers; None stands for a missing one."""
        if column in self.not_numbers:
            raise InputError(
                f"{self.path}: column {show_name(self.names[column])} has {self.not_numbers[column]}, which "
                "is not read as classes here; save the table as CSV or Parquet"
            )
        values = self.read([[column]])[0][:, 0]
        return [None if math.isnan(value) else value for value in values.tolist()]

    def tell_reading(self) -> list[str]:
        """Sentences on what was met when the rows were read."""
        return []

    def describe_place(self, row: int) -> str:
        """Say where the row (from 0) stands in the file, for an error message."""
        return f"row {row + 1}"

    def find_cell(self, row: int, column: int) -> str | None:
        """The text of a cell, where the table is text."""
        return None


@contextmanager
def refuse_os_errors(path: str | os.PathLike[str], done: str) -> Iterator[None]:
    """Raise InputError for an OSError: the file "cannot be" `done`, which is "read" or "written"."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: cannot be {done}: {error.strerror or error}") from error
