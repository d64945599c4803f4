"""From what a user passes to what the fit takes: data frames, starts in scikit-learn's terms, warm starts."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_n_features, check_array, validate_data

from gaussmix._check import check_finite, describe_entry, find_wrong_entry, make_plain, refuse_masked
from gaussmix._reading.rows import read_table
from gaussmix._reading.tables import find_table, refuse_non_rows
from gaussmix._typing import Float64Array, FloatArray
from gaussmix.estimators._names import check_feature_names
from gaussmix.fit.factor_count import count_factors
from gaussmix.fit.given import Given
from gaussmix.fit.options import OPTIONS
from gaussmix.fit.result import FitResult
from gaussmix.model.covariance import NotPositiveDefiniteError, get_structure
from gaussmix.model.mixture import Mixture

#: Types of numbers that rows keep.
FLOATS = (np.dtype(np.float64), np.dtype(np.float32))


def list_allowed(name: str) -> list[Any]:
    """The numbers and words of an option in the table, as scikit-learn states constraints of parameters."""
    option = OPTIONS[name]
    numbers, words = option.numbers, set(option.list_words())
    allowed: list[Any] = [StrOptions(words)] if words else []
    if numbers is None:
        return allowed
    kind, end = (Integral if numbers.whole else Real), (None if numbers.end == math.inf else numbers.end)
    least = numbers.least if numbers.whole else float(numbers.least)
    closed = "neither" if numbers.open else "left"
    return [Interval(kind, least, end, closed=closed), *allowed]


def list_open(name: str) -> list[Any]:
    """The same for an option that may also be left to be chosen: "auto", or several values."""
    return [*list_allowed(name), StrOptions({"auto"}), "array-like"]


def leaves_open(model: Any) -> bool:
    """Whether an estimator leaves the number of components or the family to be chosen."""
    return is_open(model.n_components) or is_open(model.covariance_type)


def is_open(value: Any) -> bool:
    """Whether a parameter stands for several values."""
    return value == "auto" if isinstance(value, str) else not np.isscalar(value)


def find_covariance_type(attributes: dict[str, Any]) -> str:
    """The family of an estimator with these attributes; ValueError where it has not been chosen."""
    asked = attributes["covariance_type"]
    if not is_open(asked):
        return str(asked)
    if "covariance_type_" not in attributes:
        raise ValueError(
            f"covariance_type={asked!r} says nothing of the shape of covariances: set the name of one family"
        )
    return str(attributes["covariance_type_"])


def read_estimator_rows(estimator: Any, X: Any, *, reset: bool = False, missing: bool = False) -> FloatArray:
    """X as float32 or float64 rows; a fit (`reset`) remembers features, all else checks them.

    That the numbers are finite is left to the mixture and the fit, who check every array of rows. Cells of a
    table may be missing, NaN, only where the caller says so; those of an array are NaN then where masked.
    """
    if missing and isinstance(X, np.ma.MaskedArray):
        X = np.ma.filled(X.astype(np.float64), np.nan)
    if type(X) is np.ndarray and X.dtype in FLOATS and X.ndim == 2 and X.shape[0] >= 2 and X.shape[1] >= 1:
        # scikit-learn's own look at an array takes longer than a few iterations on small data
        return validate_data(estimator, X, reset=reset, skip_check_array=True)  # type: ignore[no-any-return]
    wanted = {
        "dtype": [np.float64, np.float32],
        "ensure_min_samples": 2 if reset else 1,
        "ensure_all_finite": False,
    }
    table = find_table(X)
    if table is None:
        return _read_array(estimator, X, reset, wanted)
    values = read_table(table, missing=missing)
    check_feature_names(estimator, table.labels, reset=reset)
    rows: FloatArray = check_array(values, estimator=estimator, input_name="X", **wanted)
    _check_n_features(estimator, rows, reset=reset)
    return rows


def _read_array(estimator: Any, X: Any, reset: bool, wanted: dict[str, Any]) -> FloatArray:
    """What is no table, as scikit-learn reads it; but nothing masked, no dates, and no riddles."""
    if not hasattr(X, "toarray"):  # scikit-learn has its own words for sparse rows
        refuse_non_rows(X, "X")
    refuse_masked(X, "X")
    if isinstance(X, np.ndarray) and X.dtype.kind in "mM":
        raise ValueError(f"X holds dates or times ({X.dtype}): turn them into numbers")
    X = X.unmasked if hasattr(X, "unmasked") else X
    try:
        rows: FloatArray = validate_data(estimator, X, reset=reset, **wanted)
    except (TypeError, ValueError) as error:
        place = _find_wrong_entry(X)
        if place is None:
            raise
        raise type(error)(f"{error} ({describe_entry(place)} of X)") from error
    return rows


def _find_wrong_entry(X: Any) -> tuple[int, ...] | None:
    """The place of the first entry of an array or a list that is no number; None where there is none."""
    if isinstance(X, list | tuple) and all(isinstance(row, list | tuple) for row in X):
        X = np.array(X, dtype=object)
    if not isinstance(X, np.ndarray) or X.ndim != 2 or X.dtype.kind not in "OSUT":
        return None
    return find_wrong_entry(X)


def read_start_parameters(estimator: Any, k: int, d: int) -> Given | None:
    """The start that weights_init, means_init and precisions_init ask for; None if they ask for nothing."""
    weights, means, precisions = estimator.weights_init, estimator.means_init, estimator.precisions_init
    if weights is None and means is None and precisions is None:
        return None
    factors = None
    if precisions is not None:
        n_factors = None if estimator.n_factors == "auto" else estimator.n_factors
        structure = get_structure(estimator.covariance_type, d, count_factors(n_factors))
        name = f"{estimator.covariance_type} precision"
        matrices = _check_shape(precisions, structure.shape(k, d), name)
        try:
            if structure.algebra.asymmetry(matrices) > 1e-5 * float(np.abs(matrices).max()):
                raise NotPositiveDefiniteError((), 0.0)
            factors = structure.algebra.roots_of_precisions(structure.stack(matrices, d))
        except NotPositiveDefiniteError:
            kind = "symmetric, positive-definite" if structure.group == "affine" else "positive"
            raise ValueError(f"'{name}' should be {kind}") from None
    return Given(
        weights=None if weights is None else _check_weights(weights, k),
        means=None if means is None else _check_shape(means, (k, d), "means"),
        roots=factors,
    )


def find_earlier_end(estimator: Any, d: int) -> tuple[Mixture | None, float]:
    """Where a warm start goes on, if it can, and what the likelihood was before the last iteration there."""
    if "means_" not in vars(estimator):
        return None, -math.inf
    mixture: Mixture = estimator._get_mixture()
    same_shape = mixture.means.shape == (estimator.n_components, d)
    same_noise = (mixture.noise is None) == (not estimator.noise)
    same_family = mixture.covariance_type == get_structure(estimator.covariance_type).name
    same_factors = not mixture.n_factors or estimator.n_factors in ("auto", mixture.n_factors)
    if not (same_shape and same_noise and same_family and same_factors):
        return None, -math.inf  # parameters have been set since
    result: FitResult | None = vars(estimator).get("fit_result_")
    unedited = result is not None and result.mixture is mixture
    return mixture, result.objective[-2] if result is not None and unedited and result.n_iter else -math.inf


def _check_weights(weights: npt.ArrayLike, k: int) -> Float64Array:
    array = _check_shape(weights, (k,), "weights")
    if (array < 0.0).any() or (array > 1.0).any():
        raise ValueError(
            "The parameter 'weights' should be in the range [0, 1], but got max value "
            f"{array.max():.5f}, min value {array.min():.5f}"
        )
    tolerance = 1e-6 if np.asarray(weights).dtype == np.float32 else 1e-8
    if abs(1.0 - array.sum()) > tolerance:
        raise ValueError(
            f"The parameter 'weights' should be normalized, but got sum(weights) = {array.sum():.5f}"
        )
    return array


def _check_shape(values: npt.ArrayLike, shape: tuple[int, ...], name: str) -> Float64Array:
    array = np.array(make_plain(values, f"The parameter '{name}'"), dtype=np.float64)
    if array.shape != shape:
        raise ValueError(f"The parameter '{name}' should have the shape of {shape}, but got {array.shape}")
    check_finite(array, f"The parameter '{name}'")
    return array
