"""Equal rows as one row of more weight, in an order that does not depend on theirs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gaussmix._typing import Float64Array, IntArray


def find_distinct_rows(
    values: npt.NDArray[np.floating], masses: Float64Array
) -> tuple[IntArray, Float64Array]:
    """The places of different rows of values, shape (n, d), sorted by these, and the weight of each together.

    So a fit to them begins alike whether a row comes twice or with the weight two, and in whatever order rows
    come.
    """
    order = np.lexsort(values.T[::-1])
    ordered = values[order]
    starts = np.ones(len(order), dtype=bool)
    starts[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    first = np.flatnonzero(starts)
    return order[first], np.add.reduceat(masses[order], first)
