"""The rows of a table as a detector takes them, and what it says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gaussmix._typing import BoolArray, Float64Array, FloatArray


@dataclass(frozen=True, eq=False)
class NamedRows:
    """Rows with names of their columns, as the readers of data frames take them."""

    values: FloatArray
    column_names: Sequence[str]

    def column(self, j: int) -> FloatArray:
        """One column."""
        return self.values[:, j]


@dataclass(frozen=True, eq=False)
class Detection:
    """What a detector says of the rows of a table."""

    scores: Float64Array
    #: Where there is a calibration.
    pvalues: Float64Array | None
    anomalous: BoolArray
    #: Anomalies score below it; of a false-discovery rate, as far as a threshold of scores can say.
    threshold: float
