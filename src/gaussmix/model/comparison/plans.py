"""The plan of least cost between weights: a linear programme."""

from __future__ import annotations

from typing import Any

import numpy as np

from gaussmix._typing import Float64Array

#: What weights are multiplied by: the solver's tolerances are 1e-7, whatever the numbers.
WEIGHT_SCALE = 1e5
#: What costs, the greatest of them one, are multiplied by: the next where the solver ends without an answer.
COST_SCALES = (1e6, 1e4, 1e2, 1.0)
#: Weights of a plan that are rounding.
ROUNDING = 1e-14


def find_plan(costs: Float64Array, margins: list[Float64Array]) -> Float64Array:
    """The non-negative weights of least total cost that have given sums along each axis of the costs.

    Parameters
    ----------
    costs : ndarray
        With one axis for each of the margins.
    margins : list of ndarray
        Positive, each summing to one.

    Raises
    ------
    RuntimeError
        If the solver ends without a plan, which finite costs should not lead to.

    Notes
    -----
    A vertex is found (simplex method), so that no more entries are positive than there are margins' entries.
    """
    from scipy.optimize import linprog

    if sum(size > 1 for size in costs.shape) <= 1:  # nothing to choose
        plan = np.ones(())
        for margin in margins:
            plan = np.multiply.outer(plan, margin)
        return np.asarray(plan)
    largest = float(np.abs(costs).max()) or 1.0
    # the last sum of each axis but the first follows from the others
    sums = [margins[0], *(margin[:-1] for margin in margins[1:])]
    matrix, totals = _make_sums(costs.shape), WEIGHT_SCALE * np.concatenate(sums)
    for scale in COST_SCALES:
        found = linprog(scale * (costs.ravel() / largest), A_eq=matrix, b_eq=totals, method="highs-ds")
        if found.status == 0:
            break
    else:
        raise RuntimeError(f"no plan was found between the weights: {found.message}")
    plan = np.asarray(found.x).reshape(costs.shape) / WEIGHT_SCALE
    plan[plan < ROUNDING] = 0.0
    return plan


def _make_sums(shape: tuple[int, ...]) -> Any:
    """The sparse matrix that sums the entries of an array along each axis, without what is redundant."""
    from scipy.sparse import csr_array, vstack

    n = int(np.prod(shape))
    places = np.unravel_index(np.arange(n), shape)
    parts = [
        csr_array((np.ones(n), (place, np.arange(n))), shape=(size, n))
        for place, size in zip(places, shape, strict=True)
    ]
    return vstack([parts[0], *(part[:-1] for part in parts[1:] if part.shape[0] > 1)], format="csr")
