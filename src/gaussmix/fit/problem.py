"""A request for some rows: names are looked up, defaults settled, and an engine computes on the rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from gaussmix._typing import Float64Array, FloatArray
from gaussmix.engines.local import LocalEngine
from gaussmix.fit import outliers
from gaussmix.fit.arguments import check_noise, find_feature_names, read_rows, read_start, warn_of_few_rows
from gaussmix.fit.factor_count import count_factors
from gaussmix.fit.mstep.terms import FREE, frame_group
from gaussmix.fit.options import Request
from gaussmix.fit.outliers import Outliers
from gaussmix.fit.starts import Given
from gaussmix.model.constraints import Constraints
from gaussmix.model.covariance import Structure, get_structure
from gaussmix.model.priors import named_prior


@dataclass(frozen=True, eq=False)
class Problem:
    """A request for some rows.

    Parameters
    ----------
    request : Request
        Settled: names looked up, and defaults as they are for these rows and this start.
    engine : LocalEngine
    given : Given
        What is fixed of the start, and the noise.
    """

    request: Request
    engine: LocalEngine
    given: Given


def make_problem(X: Any, request: Request) -> Problem:
    """What the options come to for these rows; ValueError where one of them does not go with the rows."""
    model, start, k = request.model, request.start, request.model.n_components
    check_noise(model.noise)
    rows, weights = read_rows(X, request.rows.sample_weight, k)
    d = rows.shape[1]
    structure = get_structure(model.covariance_type, d, count_factors(model.n_factors, start.start))
    names = find_feature_names(X, request.rows.feature_names, d)
    warn_of_few_rows(len(rows), structure, d)
    constraints, prior = model.constraints or FREE, named_prior(model.prior)
    constraints.check(structure, k)
    found = outliers.find(rows, weights, k, model.noise, model.trim)
    given = read_start(start.start, structure, k, X, request.rows.sample_weight, found.noise)
    settled = replace(
        model,
        covariance_type=structure.name,
        n_factors=structure.n_factors or None,
        prior=prior,
        constraints=constraints,
        noise=given.noise or False,
        trim=found.trim,
    )
    request = replace(
        request,
        rows=replace(request.rows, feature_names=names),
        model=settled,
        start=replace(start, n_init=1 if given.complete else start.n_init),
    )
    return Problem(request, make_engine(rows, weights, structure, k, constraints, found), given)


def make_engine(
    rows: FloatArray,
    weights: Float64Array | None,
    structure: Structure,
    k: int,
    constraints: Constraints,
    found: Outliers,
) -> LocalEngine:
    """The engine that computes the statistics of the rows."""
    return LocalEngine(
        rows,
        structure,
        k,
        weights,
        frame_group(constraints, structure),
        cores=found.cores,
        noise=found.noise is not None,
        trim=found.trim,
    )
