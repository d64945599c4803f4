"""How many factors: a number that is asked for, or the one that BIC prefers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from gaussmix.errors import FitError
from gaussmix.fit.arguments import make_generator
from gaussmix.fit.given import Given, StartFrom
from gaussmix.fit.options import NFactors, Request
from gaussmix.fit.ranking import rate_fit
from gaussmix.fit.result import FitResult, FitStatus
from gaussmix.model.covariance import get_structure
from gaussmix.model.mixture import Mixture

#: The numbers that "auto" tries, in this order.
CANDIDATES = (1, 2, 3, 4, 6, 8, 12, 16)
#: How many in a row that are no better than one before end the search.
PATIENCE = 2


def find_candidates(d: int) -> tuple[int, ...]:
    """The numbers that "auto" may choose for d features.

    Beyond Ledermann's bound, (d - q)^2 >= d + q, a covariance no longer determines its loadings and noise.
    """
    return tuple(q for q in CANDIDATES if q == 1 or (q < d and (d - q) ** 2 >= d + q))


def count_factors(n_factors: NFactors, start: StartFrom | None = None) -> int:
    """The number of factors where "auto" is settled or cannot be: ValueError for "auto"."""
    if n_factors is None:
        return max(1, start.n_factors) if isinstance(start, Mixture) else 1
    if isinstance(n_factors, str):
        raise ValueError(f'n_factors must be "auto" or a whole number of at least 1; got {n_factors!r}')
    return int(n_factors)


def fit_any_factors(X: Any, request: Request, fit: Callable[[Any, Request], FitResult]) -> FitResult:
    """The fit of the number of factors that is asked for, or for "auto" the best of several."""
    model = request.model
    if model.n_factors != "auto":
        return fit(X, request)
    if not get_structure(model.covariance_type).n_factors:
        return fit(X, replace(request, model=replace(model, n_factors=None)))
    _check_open(request)
    beginning = replace(request.start, random_state=_draw_seed(request.start.random_state))

    def fit_factors(q: int) -> FitResult:
        return fit(X, replace(request, model=replace(model, n_factors=q), start=beginning))

    return _find_best(fit_factors)


def _check_open(request: Request) -> None:
    """Raise ValueError where something asked for is of one number of factors."""
    start = request.start.start
    fixed = {
        "checkpoint": request.checkpoint.checkpoint is not None,
        "resume": request.checkpoint.resume is not None,
        # from memberships, any number of factors can be found
        "start": isinstance(start, Mixture) or (isinstance(start, Given) and start.roots is not None),
    }
    for name, is_fixed in fixed.items():
        if is_fixed:
            raise ValueError(
                f'n_factors="auto" and {name} do not go together, since that is of one number of '
                "factors: give the number"
            )


def _draw_seed(random_state: Any) -> int:
    """One seed for all numbers of factors, so that they begin alike."""
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31))
    return int(make_generator(random_state).randint(2**31 - 1))


def _find_best(fit: Callable[[int], FitResult]) -> FitResult:
    """The result of least BIC; one with a collapsed component only where all have some.

    Where a fit was stopped, the best so far is marked as stopped.
    """
    best = fit(1)
    waited = 0
    for q in find_candidates(best.mixture.n_features)[1:]:
        if best.status == FitStatus.INTERRUPTED or waited == PATIENCE:
            break
        try:
            result = fit(q)
        except FitError:
            waited += 1
            continue
        better = rate_fit(result).beats(rate_fit(best))
        if result.status == FitStatus.INTERRUPTED:
            return replace(result if better else best, status=result.status, advice=result.advice)
        best, waited = (result, 0) if better else (best, waited + 1)
    return best
