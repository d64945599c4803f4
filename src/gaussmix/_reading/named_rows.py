"""An array with names of its columns, as the readers of tables take it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gaussmix._typing import FloatArray


@dataclass(frozen=True, eq=False)
class NamedRows:
    """Rows, shape (n, d), with d names of their columns."""

    values: FloatArray
    column_names: Sequence[str]

    def column(self, j: int) -> FloatArray:
        """One column."""
        return self.values[:, j]

    def __len__(self) -> int:
        return len(self.values)
