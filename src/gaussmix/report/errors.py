"""Standard errors of the best model, for the table of its components."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.data.rows import Rows
from gaussmix.errors import DoubtfulFitWarning
from gaussmix.fit.result import FitResult
from gaussmix.report.features import Feature

#: What a caller may ask for: errors where they are cheap, none, or errors that were computed before.
ErrorsRequest: TypeAlias = Any | Literal["auto"] | None
#: Products of rows and squared numbers of parameters up to which errors are computed: about half a second.
MOST_WORK = 5e8


@dataclass(frozen=True, eq=False)
class ErrorColumns:
    """Standard errors of weights, shape (k,), and means, shape (k, d), and what to say of them."""

    weights: Float64Array | None
    means: Float64Array | None
    note: str

    def describe(self, features: Sequence[Feature]) -> dict[str, Any] | None:
        """The errors in the features shown, as plain values; None where there are none."""
        if self.weights is None or self.means is None:
            return None
        shown = self.means[:, [feature.position for feature in features]]
        return {"weights": _write(self.weights), "means": [_write(row) for row in shown]}


def find_errors(request: ErrorsRequest, rows: Rows, fit: FitResult) -> ErrorColumns:
    """The errors that are asked for; those of the observed information where "auto" and cheap.

    Raises ValueError where errors are given that are not of this fit.
    """
    if request is None:
        return ErrorColumns(None, None, "")
    if not isinstance(request, str):
        return _read_errors(request, fit)
    if request != "auto":
        raise ValueError(
            "errors must be 'auto', None, or the result of gaussmix.estimate_errors or bootstrap; got "
            f"{request!r}"
        )
    return _estimate(rows, fit)


def _read_errors(given: Any, fit: FitResult) -> ErrorColumns:
    found = getattr(given, "standard_errors", None)
    shape: tuple[int, ...] = np.shape(getattr(found, "means", ()))
    if found is None or shape != fit.mixture.means.shape:
        raise ValueError(
            f"errors must be of the best model, which has means of shape {fit.mixture.means.shape}: "
            f"gaussmix.estimate_errors(X, result.best); got {type(given).__name__}"
            + (f" of means of shape {shape}" if shape else "")
        )
    kind = getattr(given, "information", None)
    source = "a bootstrap" if kind is None else f"the {kind} information"
    return ErrorColumns(found.weights, found.means, f"s.e.: standard errors from {source}.")


def _estimate(rows: Rows, fit: FitResult) -> ErrorColumns:
    mixture, (n, d) = fit.mixture, rows.shape
    k = mixture.n_components
    if n * (k * mixture.structure.own_form.n_features(d)) ** 2 > MOST_WORK:
        return ErrorColumns(None, None, "Standard errors would take long: pass errors= to have them here.")
    from gaussmix.infer.errors import estimate_errors

    with warnings.catch_warnings(record=True) as doubts:
        warnings.simplefilter("always", DoubtfulFitWarning)
        try:
            errors = _read_errors(estimate_errors(rows.array, fit, sample_weight=rows.weights), fit)
        except ValueError as error:
            return ErrorColumns(None, None, f"No standard errors: {error}.")
    rough = " They are rough: the likelihood has its maximum some way off." if doubts else ""
    return ErrorColumns(errors.weights, errors.means, errors.note + rough)


def _write(values: Float64Array) -> list[float | None]:
    return [float(f"{value:.4g}") if np.isfinite(value) else None for value in values]
