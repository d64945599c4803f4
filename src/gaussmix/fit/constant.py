"""Constant columns: they say nothing of components, so a fit leaves them out and puts them back at the end.

Their variance is the least that is allowed, whatever the component. Were they kept, every covariance of
every M-step would be singular but for that bound, and have to be raised to it by an eigendecomposition.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ParamSpec, cast

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.fit.advice import HOLDS_ALL
from gaussmix.fit.mstep.regularise import FLOOR
from gaussmix.fit.multistart import Progress
from gaussmix.fit.result import FitResult
from gaussmix.fit.starts import Given
from gaussmix.model.covariance import Structure, get_structure
from gaussmix.model.covariance.structure import Shared
from gaussmix.model.mixture import Mixture

P = ParamSpec("P")

#: Rows that are looked at first: columns of which these differ are not constant.
GLANCE = 4


def without_constant_columns(fit: Callable[P, FitResult]) -> Callable[P, FitResult]:
    """Let a function that fits a mixture fit the columns that vary, and give the result of all."""

    @functools.wraps(fit)
    def fitted(X: Any, n_components: Any, **options: Any) -> FitResult:
        whole: Callable[..., FitResult] = fit
        constant = _constant_columns(X, options)
        if constant is None:
            return whole(X, n_components, **options)
        d = X.shape[1]
        values = X[0, constant].astype(np.float64)
        variances = _variances(values, options.get("reg_covar", "auto"))
        shift = -0.5 * float(np.log(2.0 * math.pi * variances).sum())
        varying = np.delete(np.arange(d), constant)
        result = whole(X[:, varying], n_components, **_of_the_rest(options, varying, shift))
        structure = get_structure(options.get("covariance_type", "full"), d)
        return _whole(result, structure, constant, values, variances, shift, options.get("feature_names"))

    return cast(Callable[P, FitResult], fitted)


def _constant_columns(X: Any, options: dict[str, Any]) -> IntArray | None:
    """The columns to leave out, fewer than all; None where there are none, or the fit depends on them."""
    if not isinstance(X, np.ndarray) or X.ndim != 2 or X.dtype.kind != "f" or not X.size:
        return None
    places = np.linspace(0, len(X) - 1, GLANCE).astype(np.int64)
    candidates = np.flatnonzero((X[places] == X[0]).all(axis=0))
    if not candidates.size or _depends_on_all(options):
        return None
    constant: IntArray = candidates[(X[:, candidates] == X[0, candidates]).all(axis=0)]
    if not 0 < len(constant) < X.shape[1] or not np.isfinite(X).all():  # the fit says which entry is not
        return None
    return constant


def _depends_on_all(options: dict[str, Any]) -> bool:
    """Whether what is asked for is about all features together, or leaves a constant one no variance."""
    if any(options.get(name) not in (None, False, 0.0) for name in ("prior", "constraints", "noise", "trim")):
        return True
    start, ridge = options.get("start"), options.get("reg_covar", "auto")
    if isinstance(start, Mixture | Given) or not (isinstance(ridge, str) or ridge > 0.0):
        return True
    try:
        return not get_structure(options.get("covariance_type", "full")).separable
    except ValueError:  # the fit itself says what is wrong
        return True


def _variances(values: Float64Array, reg_covar: Any) -> Float64Array:
    """What a constant feature has: the ridge, or the floor in units of the feature's size."""
    if not isinstance(reg_covar, str):
        return np.full(values.shape, float(reg_covar))
    return FLOOR * np.where(values != 0.0, values, 1.0) ** 2


def _of_the_rest(options: dict[str, Any], varying: IntArray, shift: float) -> dict[str, Any]:
    """The options of the fit of the columns that vary; whoever watches it is shown likelihoods of all."""
    own = dict(options)
    names, watch = own.get("feature_names"), own.get("on_iteration")
    if names is not None and len(names) > varying.max():
        own["feature_names"] = [names[column] for column in varying]
    if watch is not None:

        def watched(progress: Progress) -> bool:
            return bool(watch(replace(progress, mean_log_likelihood=progress.mean_log_likelihood + shift)))

        own["on_iteration"] = watched
    if "previous" in own:
        own["previous"] -= shift
    return own


def _whole(
    result: FitResult,
    structure: Structure,
    constant: IntArray,
    values: Float64Array,
    variances: Float64Array,
    shift: float,
    names: Sequence[str] | None,
) -> FitResult:
    """The result of all columns."""
    inner = result.mixture
    k, d = len(inner.means), inner.n_features + len(constant)
    varying = np.delete(np.arange(d), constant)
    means = np.empty((k, d))
    means[:, varying], means[:, constant] = inner.means, values
    matrices = np.zeros((k, d, d))
    matrices[:, varying[:, None], varying] = inner.dense_covariances
    matrices[:, constant, constant] = variances
    each = matrices if structure.form.general else np.diagonal(matrices, axis1=1, axis2=2).copy()
    covariances = each[0] if isinstance(structure, Shared) else each
    factors = structure.factor(covariances)
    mixture = inner.replace(
        structure=structure,
        means=means,
        covariances=covariances,
        precisions_cholesky=factors,
        feature_names=None if names is None else tuple(names),
    )
    reports = tuple(
        replace(report, mean_log_likelihood=report.mean_log_likelihood + shift) for report in result.starts
    )
    return replace(
        result,
        mixture=mixture,
        history=tuple(value + shift for value in result.history),
        starts=reports,
        advice=" ".join(part for part in (result.advice, HOLDS_ALL) if part),
    )
