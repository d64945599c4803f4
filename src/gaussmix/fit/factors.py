"""How many factors: a number that is asked for, or the one that BIC prefers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal, ParamSpec

import numpy as np

from gaussmix import _check
from gaussmix.errors import FitError
from gaussmix.fit.result import FitResult, FitStatus
from gaussmix.fit.starts import Given, StartFrom
from gaussmix.model.covariance import get_structure
from gaussmix.model.mixture import Mixture

P = ParamSpec("P")

#: What users may ask for; None is the number that a given start has, else one.
NFactors = int | Literal["auto"] | None

#: The numbers that "auto" tries, in this order, until two in a row are no better than one before.
CANDIDATES = (1, 2, 3, 4, 6, 8, 12, 16)
PATIENCE = 2


def candidates(d: int) -> tuple[int, ...]:
    """The numbers that "auto" may choose for d features.

    Beyond Ledermann's bound, (d - q)^2 >= d + q, a covariance no longer determines its loadings and noise.
    """
    return tuple(q for q in CANDIDATES if q == 1 or (q < d and (d - q) ** 2 >= d + q))


def number_of_factors(n_factors: NFactors, start: StartFrom | None) -> int:
    """The number that is asked for, "auto" being settled; ValueError if it is none."""
    if n_factors is None:
        return max(1, start.n_factors) if isinstance(start, Mixture) else 1
    if isinstance(n_factors, str):
        raise ValueError(f'n_factors must be "auto" or a whole number of at least 1; got {n_factors!r}')
    _check.whole_number(n_factors, 1, "n_factors")
    return int(n_factors)


def choosing_factors(fit: Callable[P, FitResult]) -> Callable[P, FitResult]:
    """Let a function that fits a mixture take n_factors="auto": it is called for one number after another."""

    @functools.wraps(fit)
    def chosen(*args: P.args, **options: P.kwargs) -> FitResult:
        if options.get("n_factors") != "auto":
            return fit(*args, **options)
        if not get_structure(str(options.get("covariance_type", "full"))).n_factors:
            return _call(fit, args, {**options, "n_factors": None})
        for name in ("checkpoint", "resume", "start"):
            value = options.get(name)
            if name == "start" and not isinstance(value, Mixture | Given):
                continue  # of memberships, any number of factors can be found
            if isinstance(value, Given) and value.factors is None:
                continue
            if value is not None:
                raise ValueError(
                    f'n_factors="auto" and {name} do not go together, since that is of one number of '
                    "factors: give the number"
                )
        seed = _seed(options.get("random_state"))
        return _best(lambda q: _call(fit, args, {**options, "n_factors": q, "random_state": seed}))

    return chosen


def _call(fit: Callable[..., FitResult], args: Any, options: Any) -> FitResult:
    return fit(*args, **options)


def _seed(random_state: Any) -> int:
    """One seed for all numbers of factors, so that they begin alike."""
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31))
    from sklearn.utils import check_random_state

    return int(check_random_state(random_state).randint(2**31 - 1))


def _best(fit: Callable[[int], FitResult]) -> FitResult:
    """The result of least BIC; one with a collapsed component only where all have some."""
    best = fit(1)
    waited = 0
    for q in candidates(best.mixture.n_features)[1:]:
        if best.status == FitStatus.INTERRUPTED or waited == PATIENCE:
            break
        try:
            result = fit(q)
        except FitError:
            waited += 1
            continue
        if result.status == FitStatus.INTERRUPTED:
            return _interrupted(best, result)
        better = _rank(result) < _rank(best)
        best, waited = (result, 0) if better else (best, waited + 1)
    return best


def _rank(result: FitResult) -> tuple[bool, float]:
    return result.status == FitStatus.DEGENERATE, result.bic


def _interrupted(best: FitResult, result: FitResult) -> FitResult:
    """The better of the best so far and a fit that was stopped, marked as stopped."""
    chosen = result if _rank(result) < _rank(best) else best
    return replace(chosen, status=result.status, advice=result.advice)
