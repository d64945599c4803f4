"""A request for some rows: names are looked up, and an engine computes on the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gaussmix._typing import IntArray
from gaussmix.data.rows import Rows
from gaussmix.engines import Engine, choose_engine
from gaussmix.fit.arguments import check_noise, read_named, read_rows, read_start, warn_of_few_rows
from gaussmix.fit.factor_count import count_factors
from gaussmix.fit.given import Given
from gaussmix.fit.mstep.terms import FREE, choose_frame_group
from gaussmix.fit.options import Request
from gaussmix.fit.outliers import Outliers, find_outliers
from gaussmix.fit.starts.concentrated import Concentrated
from gaussmix.fit.trimming import Trimmed
from gaussmix.model.constraints import Constraints
from gaussmix.model.covariance import Structure, get_structure
from gaussmix.model.priors import get_prior


@dataclass(frozen=True, eq=False)
class Problem:
    """A request for some rows."""

    request: Request
    #: The names that are given, or those of the data frame.
    feature_names: Sequence[str] | None
    engine: Engine
    #: The parameters of the start that the caller gives, and the noise.
    given: Given
    #: The start among outliers, where there may be some.
    concentrated: Concentrated | None

    def record(self) -> dict[str, Any]:
        """What the checkpoint of another fit must agree with: options, settled for these rows and start."""
        model, start, structure = self.request.model, self.request.start, self.engine.structure
        settled = replace(
            model,
            covariance_type=structure.name,
            n_factors=structure.n_factors or None,
            prior=get_prior(model.prior),
            noise=self.given.noise or False,
        )
        start = replace(start, n_init=1 if self.given.complete else start.n_init)
        return replace(self.request, model=settled, start=start).record()


def make_problem(X: Any, request: Request) -> Problem:
    """The problem of a request for these rows; ValueError where an option does not go with the rows."""
    model, start, k = request.model, request.start, request.model.n_components
    check_noise(model.noise)
    X, names = read_named(X, request.feature_names)
    rows = read_rows(X, request.sample_weight, k)
    n, d = rows.shape
    structure = get_structure(model.covariance_type, d, count_factors(model.n_factors, start.start))
    warn_of_few_rows(n, structure, d)
    constraints = model.constraints or FREE
    constraints.check(structure, k)
    found = find_outliers(rows, k, model.noise, model.trim, find_labelled(start.start, n))
    given = read_start(start.start, structure, k, X, request.sample_weight, found.noise)
    engine, concentrated = make_engine(rows, structure, constraints, found)
    return Problem(request, names, engine, given, concentrated)


def find_labelled(start: Any, n: int) -> IntArray | None:
    """The places of the rows that labels give to a component; None where these do not leave some rows out."""
    if not isinstance(start, np.ndarray) or start.shape != (n,) or start.dtype.kind != "i":
        return None
    places = np.flatnonzero(start >= 0)
    return places if 0 < len(places) < n else None


def make_engine(
    rows: Rows, structure: Structure, constraints: Constraints, found: Outliers
) -> tuple[Engine, Concentrated | None]:
    """The engine of a fit and, where there may be outliers, the start among them."""
    make, group = choose_engine(rows), choose_frame_group(constraints, structure)
    if not found.cores:
        return make(rows, structure, group), None
    whole = make(rows, structure, group, sure=min(found.cores, key=len))
    engine = Trimmed(whole, found.trim) if found.trim else whole
    return engine, Concentrated(engine, whole, found.cores)
