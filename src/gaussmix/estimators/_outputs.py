"""From what a user of a regressor passes as y to what its fit works with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import check_array, check_consistent_length

from gaussmix._reading.rows import find_column_names, read_array
from gaussmix._reading.tables import find_table
from gaussmix._typing import Float64Array, FloatArray


@dataclass(frozen=True, eq=False)
class Outputs:
    """The targets of a regression."""

    #: Shape (n, q).
    values: Float64Array
    #: Names of the outputs, if they have any.
    names: tuple[str, ...] | None
    #: Whether y had one axis, so that predictions have one.
    single: bool


def read_outputs(y: Any, rows: FloatArray, estimator: Any) -> Outputs:
    """The outputs, one row for each of X; ValueError where they are missing, infinite or no numbers."""
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but the target y is None."
        )
    names = find_column_names(y, "y")
    if names is None and isinstance(getattr(y, "name", None), str) and find_table(y, "y") is None:
        names = (y.name,)  # of a series
    values: Float64Array = check_array(
        read_array(y, "y"), estimator=estimator, input_name="y", ensure_2d=False, dtype=np.float64
    )
    check_consistent_length(rows, values)
    if values.ndim == 2 and not values.shape[1]:
        raise ValueError("y has no columns: give at least one output")
    single = values.ndim == 1
    return Outputs(values.reshape(len(values), -1), names or None, single)


def name_outputs(outputs: Outputs, inputs: Sequence[str] | None, d: int) -> tuple[str, ...] | None:
    """Names of inputs and outputs side by side; None where neither has any.

    An output whose name an input has, too, is called "... (output)".
    """
    q = outputs.values.shape[1]
    if inputs is None and outputs.names is None:
        return None
    names = [f"x{j}" for j in range(d)] if inputs is None else [str(name) for name in inputs]
    for name in outputs.names or (("y",) if q == 1 else tuple(f"y{j}" for j in range(q))):
        own = name
        while own in names:
            own += " (output)"
        names.append(own)
    return tuple(names)
