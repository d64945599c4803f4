"""The joint mixture of inputs and outputs, fitted by EM: one model, to some rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.random import RandomState

from gaussmix._typing import Float64Array, IntArray
from gaussmix.apps.regression.incomplete import IncompleteRows, Pseudo
from gaussmix.apps.regression.joint import JointRegression
from gaussmix.apps.regression.units import convert_result, find_units
from gaussmix.fit.mstep.regularise import RegCovar
from gaussmix.fit.one_mixture import fit_mixture
from gaussmix.fit.options import NFactors
from gaussmix.fit.result import FitResult
from gaussmix.model.covariance import get_structure
from gaussmix.model.priors import NormalInverseWishart


@dataclass(frozen=True)
class JointModel:
    """A family of covariances, and what else a fit is to have."""

    covariance_type: str
    n_components: int
    #: How many rows the covariance of all rows counts as in that of each component.
    shrinkage: float = 0.0
    n_factors: NFactors = 1
    reg_covar: RegCovar = "auto"


@dataclass(frozen=True)
class Effort:
    """How hard a fit tries."""

    tol: float
    max_iter: int
    n_init: int
    init_params: str


#: Of the Gaussian that fills in what is missing.
FILLING = Effort(tol=1e-3, max_iter=20, n_init=1, init_params="kmeans")


@dataclass(frozen=True, eq=False)
class JointRows:
    """Inputs and outputs side by side, shape (n, p + q), of positive weight; NaN is a missing input."""

    values: Float64Array
    n_outputs: int
    weights: Float64Array | None = None
    #: The same with something likely in the place of what is missing; None where nothing is.
    filled: Float64Array | None = None

    def take(self, places: IntArray) -> JointRows:
        """Some of the rows."""
        weights = None if self.weights is None else self.weights[places]
        filled = None if self.filled is None else self.filled[places]
        return JointRows(self.values[places], self.n_outputs, weights, filled)

    @property
    def inputs(self) -> Float64Array:
        """Shape (n, p)."""
        return self.values[:, : -self.n_outputs]

    @property
    def outputs(self) -> Float64Array:
        """Shape (n, q)."""
        return self.values[:, -self.n_outputs :]

    @property
    def complete(self) -> Float64Array:
        """The rows without anything missing, shape (n, p + q)."""
        return self.values if self.filled is None else self.filled

    @cached_property
    def masses(self) -> Float64Array:
        """The weight of each row, one where none are given."""
        return np.ones(len(self.values)) if self.weights is None else self.weights

    @cached_property
    def used(self) -> IntArray:
        """The inputs that vary; the others, and those that are always missing, say nothing of the outputs."""
        inputs = self.inputs
        return np.flatnonzero(np.fmin.reduce(inputs) < np.fmax.reduce(inputs))

    @cached_property
    def columns(self) -> IntArray:
        """The inputs that vary, and the outputs."""
        d = self.values.shape[1]
        return np.concatenate([self.used, np.arange(d - self.n_outputs, d)])


@dataclass(frozen=True, eq=False)
class JointFit:
    """A fitted joint mixture, and the regression that it is."""

    model: JointModel
    result: FitResult
    regression: JointRegression


def fit_joint(
    rows: JointRows,
    model: JointModel,
    rng: RandomState,
    effort: Effort,
    feature_names: Sequence[str] | None = None,
) -> JointFit:
    """Fit a model to rows of which nothing is missing, or to filled ones; constant inputs are left out.

    Models that do not depend on units are fitted in those of the columns' spreads, since starts do. Raises
    FitError where every start collapses, ValueError where there are fewer rows than components.
    """
    values, prior = take_columns(rows.complete, rows.columns), make_prior(rows, model)
    units = find_units(values, rows.masses) if is_free_of_units(model, values.shape[1]) else None
    if units is not None:
        values = values / units
        if prior is not None:
            prior = replace(prior, scale=np.asarray(prior.scale) / np.outer(units, units))
    result = fit_mixture(
        values,
        model.n_components,
        covariance_type=model.covariance_type,
        sample_weight=rows.weights,
        reg_covar=model.reg_covar,
        n_factors=model.n_factors,
        prior=prior,
        tol=effort.tol,
        max_iter=effort.max_iter,
        n_init=effort.n_init,
        init_params=effort.init_params,
        random_state=rng,
        feature_names=take_names(rows, feature_names),
    )
    if units is not None:
        shared = get_structure(model.covariance_type).shared
        result = convert_result(result, units, model.shrinkage * (1 if shared else model.n_components))
    return JointFit(model, result, JointRegression(result.mixture, rows.used))


def is_free_of_units(model: JointModel, d: int) -> bool:
    """Whether units matter to the starts of a model alone, and not to its family nor to its ridge."""
    scales = get_structure(model.covariance_type, d).group in ("affine", "scale")
    return model.n_components > 1 and scales and model.reg_covar in ("auto", 0.0)


def make_prior(rows: JointRows, model: JointModel) -> NormalInverseWishart | None:
    """The prior that shrinks covariances: the M-step's are (n_k S_k + nu C) / (n_k + nu).

    nu is the shrinkage, and C the covariance of all rows over k^(2/d), which leaves each of k components in d
    dimensions a kth part of the volume. The slopes of each component so tend to those of one regression.
    None where nothing is shrunk: one component has that covariance anyhow, and an output that is constant
    leaves it singular.
    """
    values = take_columns(rows.complete, rows.columns)
    d = values.shape[1]
    if not model.shrinkage or model.n_components == 1 or (rows.outputs == rows.outputs[0]).all(axis=0).any():
        return None
    means = np.average(values, axis=0, weights=rows.weights)
    halves = (values - means) * np.sqrt(rows.masses / rows.masses.sum())[:, None]
    scale = model.shrinkage * (halves.T @ halves) / model.n_components ** (2.0 / d)
    block = get_structure(model.covariance_type, d).algebra.block
    if block.general:  # degrees of freedom by which the prior counts as nu rows
        return NormalInverseWishart(shrinkage=0.0, dof=max(model.shrinkage - d - 1.0, 0.0), scale=scale)
    merged = block.n_merged(d)
    return NormalInverseWishart(
        shrinkage=0.0, dof=max(model.shrinkage * merged - 2.0, 0.0), scale=merged * scale
    )


def improve_incomplete(rows: JointRows, fit: JointFit, effort: Effort) -> JointFit:
    """From a fit to filled rows to the maximum of the likelihood of what is there."""
    model, mixture = fit.model, fit.result.mixture
    incomplete = IncompleteRows(take_columns(rows.values, rows.columns), rows.masses)
    prior = make_prior(rows, model)

    def maximise(pseudo: Pseudo) -> FitResult:
        return fit_mixture(
            pseudo.values,
            mixture.n_components,
            covariance_type=model.covariance_type,
            sample_weight=pseudo.weights,
            start=pseudo.memberships,
            max_iter=0,
            reg_covar=model.reg_covar,
            n_factors=mixture.n_factors or 1,
            prior=prior,
            feature_names=mixture.feature_names,
        )

    result = incomplete.climb(fit.result, maximise, effort.tol, effort.max_iter)
    return JointFit(model, result, JointRegression(result.mixture, rows.used))


def fill_rows(rows: JointRows, rng: RandomState) -> JointRows:
    """The rows with draws from one Gaussian, given what is there, in the place of what is missing."""
    if not np.isnan(rows.values).any():
        return rows
    columns = rows.columns
    values = rows.values[:, columns]
    seen, masses = ~np.isnan(values), rows.masses[:, None]
    means = (masses * np.where(seen, values, 0.0)).sum(axis=0) / (masses * seen).sum(axis=0)
    guess = JointRows(values, rows.n_outputs, rows.weights, np.where(seen, values, means))
    first = fit_joint(guess, JointModel("full", 1), rng, FILLING)
    gaussian = improve_incomplete(guess, first, FILLING).result.mixture
    filled = np.where(np.isnan(rows.values), 0.0, rows.values)  # of inputs that are not used
    filled[:, columns] = IncompleteRows(values, rows.masses).fill(
        gaussian, np.random.default_rng(rng.randint(2**31))
    )
    return replace(rows, filled=filled)


def take_columns(values: Float64Array, columns: IntArray) -> Float64Array:
    """Some of the columns; the same array where they are all."""
    return values if len(columns) == values.shape[1] else values[:, columns]


def take_names(rows: JointRows, names: Sequence[str] | None) -> tuple[str, ...] | None:
    """The names of the columns that vary."""
    return None if names is None else tuple(names[j] for j in rows.columns)
