"""Constant columns: they say nothing of components, so a fit leaves them out and puts them back at the end.

The variance of a constant column is the least that is allowed, in every component. If a fit kept the column,
every covariance would be singular but for that bound. Each M-step would raise it by an eigendecomposition.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from gaussmix._progress import Progress
from gaussmix._typing import Float64Array, IntArray
from gaussmix.fit.advice import HOLDS_ALL
from gaussmix.fit.given import Given
from gaussmix.fit.mstep.regularise import FLOOR
from gaussmix.fit.options import Request
from gaussmix.fit.result import FitResult
from gaussmix.model.covariance import get_structure
from gaussmix.model.mixture import Mixture

#: Number of rows that are looked at first. A column is not constant if these differ.
GLANCE = 4


@dataclass(frozen=True, eq=False)
class ConstantColumns:
    """Columns that a fit leaves out."""

    columns: IntArray
    #: All other columns.
    varying: IntArray
    #: The values of the constant columns.
    values: Float64Array
    #: The variances of the constant columns in the result.
    variances: Float64Array

    @cached_property
    def log_density(self) -> float:
        """The part of the constant columns in the log-density of every row."""
        return -0.5 * float(np.log(2.0 * math.pi * self.variances).sum())

    def request_varying(self, request: Request) -> Request:
        """The request for the columns that vary; `on_progress` is still shown likelihoods of all."""
        names, iteration = request.feature_names, request.iteration
        watch = iteration.on_progress
        if names is not None and len(names) > self.varying.max():
            names = [names[column] for column in self.varying]

        def show(progress: Progress) -> bool:
            assert watch is not None
            likelihood = progress.mean_log_likelihood + self.log_density
            return bool(watch(replace(progress, mean_log_likelihood=likelihood)))

        previous = iteration.previous - self.log_density
        iteration = replace(iteration, previous=previous, on_progress=None if watch is None else show)
        return replace(request, feature_names=names, iteration=iteration)

    def complete_result(self, result: FitResult, request: Request) -> FitResult:
        """The result of all columns, of that of the columns that vary."""
        inner, names = result.mixture, request.feature_names
        k, d = len(inner.means), len(self.columns) + len(self.varying)
        structure = get_structure(request.model.covariance_type, d)
        means = np.empty((k, d))
        means[:, self.varying], means[:, self.columns] = inner.means, self.values
        matrices = np.zeros((k, d, d))
        matrices[:, self.varying[:, None], self.varying] = inner.dense_covariances
        matrices[:, self.columns, self.columns] = self.variances
        each = matrices if structure.form.general else np.diagonal(matrices, axis1=1, axis2=2).copy()
        stack = each[:1] if structure.shared else each
        mixture = inner.replace(
            structure=structure,
            means=means,
            covariance_stack=stack,
            roots=structure.find_roots(stack),
            feature_names=None if names is None else tuple(names),
        )
        return replace(
            result,
            mixture=mixture,
            history=tuple(value + self.log_density for value in result.history),
            starts=tuple(
                replace(report, mean_log_likelihood=report.mean_log_likelihood + self.log_density)
                for report in result.starts
            ),
            advice=" ".join(part for part in (result.advice, HOLDS_ALL) if part),
        )


def find_constant_columns(X: Any, request: Request) -> ConstantColumns | None:
    """The columns to leave out, fewer than all; None where none is constant, or the fit depends on all."""
    if not isinstance(X, np.ndarray) or X.ndim != 2 or X.dtype.kind != "f" or not X.size:
        return None
    places = np.arange(GLANCE) * (len(X) - 1) // (GLANCE - 1)
    candidates = np.flatnonzero((X[places] == X[0]).all(axis=0))
    if not candidates.size or _depends_on_all(request):
        return None
    columns: IntArray = candidates[(X[:, candidates] == X[0, candidates]).all(axis=0)]
    d = X.shape[1]
    if not 0 < len(columns) < d or not np.isfinite(X).all():  # the fit says which entry is not
        return None
    values, ridge = X[0, columns].astype(np.float64), request.model.reg_covar
    if isinstance(ridge, str):  # the floor, in units of the feature's size
        variances = FLOOR * np.where(values != 0.0, values, 1.0) ** 2
    else:
        variances = np.full(values.shape, float(ridge))
    return ConstantColumns(columns, np.delete(np.arange(d), columns), values, variances)


def _depends_on_all(request: Request) -> bool:
    """Whether the fit is about all features together, or leaves a constant one no variance."""
    model, start = request.model, request.start.start
    asked = model.prior, model.constraints, model.noise, model.trim
    return (
        any(value not in (None, False, 0.0) for value in asked)
        or isinstance(start, Mixture | Given)
        or model.reg_covar == 0.0
        or not get_structure(model.covariance_type).separable
    )
