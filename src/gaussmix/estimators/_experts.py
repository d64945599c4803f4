"""From what a user asks of a mixture of experts to its parts: columns, features, gate, start."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from gaussmix._reading.rows import read_array
from gaussmix._text import list_some
from gaussmix._typing import Float64Array, IntArray
from gaussmix.apps.experts.features import Columns, Features, Powers, Transformed
from gaussmix.apps.experts.fitting import GATED, UNGATED, make_memberships
from gaussmix.apps.experts.gate_steps import ConstantStep, SoftmaxStep
from gaussmix.apps.experts.gaussian_gate import GaussianStep
from gaussmix.apps.experts.protocols import GateStep
from gaussmix.apps.experts.starts import STARTS
from gaussmix.model.covariance import get_structure

#: Gates by name; None, that of mixtures of regressions, has none.
GATES = ("softmax", "gaussian")
#: Bases by name.
BASES = ("spline",)
#: Knots of the spline basis.
KNOTS = 6


def choose_columns(
    wanted: Any, names: Sequence[str] | None, d: int, argument: str, *, least: int = 0
) -> IntArray:
    """The columns that a parameter names, by name or place, in its order; None stands for all.

    ValueError where there is no such column, or one is named twice.
    """
    if wanted is None:
        return np.arange(d)
    if isinstance(wanted, str | Integral):
        wanted = [wanted]
    places = {name: place for place, name in enumerate(() if names is None else names)}
    found = []
    for column in wanted:
        place = read_whole(column)
        if isinstance(column, str):
            if column not in places:
                known = f"they are {list_some(list(places))}" if places else "X has no names of columns"
                raise ValueError(f"{argument}: there is no column {column!r}; {known}")
            found.append(places[column])
        elif place is not None and -d <= place < d:
            found.append(place % d)
        else:
            raise ValueError(
                f"{argument} must be names or places of the {d} columns of X, places from 0; got {column!r}"
            )
    if len(set(found)) < len(found):
        raise ValueError(f"{argument} names a column twice: {wanted!r}")
    if len(found) < least:
        raise ValueError(f"{argument} is empty: name at least one column, or leave it None for all")
    return np.array(found, dtype=np.int64)


def read_whole(value: Any) -> int | None:
    """A whole number; None for all else."""
    return None if isinstance(value, bool) or not isinstance(value, Integral) else int(value)


def make_features(
    basis: Any, rows: npt.NDArray[Any], columns: IntArray, masses: Float64Array, y: Float64Array
) -> Features:
    """What experts see of the rows, by the parameter `basis`; a transformer is cloned and fitted."""
    if basis is None or not columns.size:
        return Columns(columns)
    degree = read_whole(basis)
    if degree is not None and degree >= 0:
        if degree < 2:
            return Columns(columns[: len(columns) * degree])
        return Powers.of_rows(rows, columns, masses, degree)
    if isinstance(basis, str):
        if basis not in BASES:
            raise ValueError(
                f"basis must be a degree, 'spline', a transformer, or None for the columns themselves; got "
                f"{basis!r}"
            )
        transformer = make_splines()
    elif not hasattr(basis, "fit") or not hasattr(basis, "transform"):
        raise ValueError(
            f"basis must be a degree, 'spline', a transformer with fit and transform, or None; got {basis!r}"
        )
    else:
        transformer = clone(basis)
    transformer.fit(np.asarray(rows[:, columns], dtype=np.float64), y)
    return Transformed(columns, transformer)


def make_splines() -> Any:
    """Cubic splines of each column, which go on as straight lines outside the rows."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import SplineTransformer, StandardScaler

    splines = SplineTransformer(KNOTS, degree=3, include_bias=False, extrapolation="linear")
    return make_pipeline(StandardScaler(), splines)


def make_gate_step(
    gate: str | None, Z: Float64Array, masses: Float64Array, *, alpha: float, covariance_type: str
) -> GateStep[Any]:
    """The M-step of a gate by name."""
    if gate is None:
        return ConstantStep(len(masses))
    if gate == "softmax":
        return SoftmaxStep.of_rows(Z, masses, alpha)
    return GaussianStep.of_rows(Z, masses, get_structure(covariance_type, max(Z.shape[1], 1)))


def choose_starts(init_params: Any, gate: str | None) -> tuple[str, ...]:
    """The kinds of starts that take turns; ValueError for a name that is none."""
    if not isinstance(init_params, str) or init_params == "auto":
        return UNGATED if gate is None else GATED
    if init_params not in STARTS:
        raise ValueError(
            f"init_params must be 'auto', one of {', '.join(STARTS)}, or the expert or responsibilities of "
            f"each row; got {init_params!r}"
        )
    return (init_params,)


def read_memberships(init_params: Any, k: int, present: npt.NDArray[np.bool_]) -> Float64Array | None:
    """Responsibilities, shape (n, k), that the caller begins with; None where a start is to be chosen."""
    if isinstance(init_params, str):
        return None
    given = read_array(init_params, "init_params")
    n = len(present)
    if given.dtype.kind not in "fiub":
        raise ValueError(
            f"init_params must have whole numbers or responsibilities; got an array of {given.dtype}"
        )
    if given.shape == (n,):
        labels = np.asarray(given, dtype=np.float64)
        if not ((labels == np.round(labels)) & (labels >= 0) & (labels < k)).all():
            raise ValueError(f"init_params must have the expert of each row, 0 to {k - 1}")
        return make_memberships(labels[present].astype(np.int64), k)
    shares = np.asarray(given, dtype=np.float64)
    if shares.shape != (n, k):
        raise ValueError(
            f"init_params must have the expert of each row, shape ({n},), or responsibilities, shape ({n}, "
            f"{k}); got {given.shape}"
        )
    totals = shares.sum(axis=1)
    if not (np.isfinite(shares).all() and (shares >= 0.0).all() and (totals > 0.0).all()):
        raise ValueError(
            "init_params: responsibilities must not be negative, and those of a row not all zero"
        )
    return np.asarray((shares / totals[:, None])[present])
