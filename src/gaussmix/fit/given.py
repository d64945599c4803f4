"""Starts that the caller gives: parameters, labels of the rows, or responsibilities.

References
----------
C. Fraley and A. E. Raftery, Model-based clustering, discriminant analysis, and density estimation, J. Am.
Stat. Assoc. 97 (2002) 611-631, where EM begins with an M-step of given memberships.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gaussmix import _check
from gaussmix._reading.rows import read_array
from gaussmix._typing import Float64Array, IntArray
from gaussmix.fit.component_names import name_components
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import Noise

#: How far responsibilities of a row may sum from one: they may come from float32.
SUM_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Given:
    """The start as far as the caller gives it; None leaves a parameter to a start by name.

    Parameters are in the data's coordinates. `memberships` says to which component each row of positive
    weight belongs, and nothing is left to find: labels, shape (n,), -1 for rows that belong to none, or
    responsibilities, shape (n, k), and (n, k + 1) beside noise. The noise is not for a start to find: where
    there is to be any, it is given.
    """

    weights: Float64Array | None = None
    means: Float64Array | None = None
    roots: Float64Array | None = None
    noise: Noise | None = None
    memberships: IntArray | Float64Array | None = None

    @property
    def empty(self) -> bool:
        """Whether all parameters are left for a start to find."""
        return self.weights is None and self.means is None and self.roots is None

    @property
    def complete(self) -> bool:
        """Whether nothing is left for a start to find."""
        parameters = self.weights is not None and self.means is not None and self.roots is not None
        return parameters or self.memberships is not None


#: The values of `start` that users may pass: parameters, or an array of labels or responsibilities.
StartFrom: TypeAlias = Mixture | Given | npt.ArrayLike


def read_memberships(
    values: npt.ArrayLike, n: int, k: int, weights: Float64Array | None, *, noise: bool
) -> tuple[IntArray | Float64Array, float]:
    """Labels or responsibilities of the rows of positive weight, and the share of the noise; checked.

    `weights` are those of all n rows that were given. Raises ValueError where something is wrong.
    """
    array = read_array(values, "start")
    members: IntArray | Float64Array
    members = _read_labels(array, n, k) if array.ndim == 1 else _read_responsibilities(array, n, k, noise)
    if weights is not None:
        present = weights > 0.0
        members, weights = members[present], weights[present]
    w = np.ones(len(members)) if weights is None else weights
    if members.ndim == 1:
        counts: Float64Array = np.bincount(members + 1, weights=w, minlength=k + 1).astype(np.float64)
        outside, own = float(counts[0]), counts[1:]
    else:
        counts = w @ members
        outside, own = float(counts[k:].sum()), counts[:k]
    if not (own > 0.0).all():
        empty = name_components(tuple(np.flatnonzero(~(own > 0.0)).tolist()))
        raise ValueError(
            f"start gives {empty} no row{'' if weights is None else ' of positive weight'}; each "
            f"of the {k} needs some: number the labels 0 to k - 1 without a gap, or ask for fewer components"
        )
    members.flags.writeable = False
    return members, outside / float(w.sum())


def _read_labels(array: npt.NDArray[Any], n: int, k: int) -> IntArray:
    if array.shape != (n,):
        raise ValueError(f"start must have a label for each of the {n} rows of X; got {array.size}")
    if array.dtype.kind not in "iu":
        raise ValueError(
            f"start must be labels that are integers, or responsibilities of the shape ({n}, {k}); got an "
            f"array of {array.dtype} with one axis"
        )
    wrong = np.flatnonzero((array < -1) | (array >= k))
    if wrong.size:
        raise ValueError(
            f"start must be labels from 0 to {k - 1}, or -1 for a row that belongs to no component; row "
            f"{wrong[0]} has {array[wrong[0]]} ({wrong.size} such in all). "
            "np.unique(labels, return_inverse=True)[1] numbers any labels"
        )
    return array.astype(np.int64)


def _read_responsibilities(array: npt.NDArray[Any], n: int, k: int, noise: bool) -> Float64Array:
    columns = (k, k + 1) if noise else (k,)
    if array.ndim != 2 or array.shape[0] != n or array.shape[1] not in columns:
        beside = f" (or {k + 1} columns, the last that of the noise)" if noise else ""
        raise ValueError(
            f"start must be labels of the shape ({n},) or responsibilities of the shape ({n}, {k}){beside}; "
            f"got {array.shape}"
        )
    R = _check.check_rows(array, array.shape[1], "start")[0].astype(np.float64)
    if R.min() < 0.0:
        row, component = np.unravel_index(int(R.argmin()), R.shape)
        raise ValueError(
            f"start must be responsibilities that are not negative; row {row} has {R[row, component]:.6g} "
            f"for component {component}"
        )
    sums = R.sum(axis=1)
    off = np.flatnonzero(np.abs(sums - 1.0) > SUM_TOLERANCE)
    if off.size:
        raise ValueError(
            f"start must be responsibilities that sum to 1 in each row; those of row {off[0]} sum to "
            f"{sums[off[0]]:.6g} ({off.size} such rows). Divide each row by its sum"
        )
    return R
