"""What a picture is of: a mixture, a fit or many models, from whatever a caller passes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.utils.validation import check_is_fitted

from gaussmix._reading.rows import refuse_other_names
from gaussmix.errors import FitError
from gaussmix.estimators.gaussian import GaussianMixture
from gaussmix.fit.result import FitResult
from gaussmix.model.mixture import Mixture
from gaussmix.select.many_models import FittedMixtures

ACCEPTED = (
    "a fitted GaussianMixture (of gaussmix or scikit-learn), a Mixture, a FitResult or the result of a search"
)


def read_mixture(model: Any) -> Mixture:
    """The mixture of a model. Raises TypeError for anything else, NotFittedError for what is not fitted."""
    if isinstance(model, FittedMixtures):
        model = model.best
    for found in (model, getattr(model, "mixture", None), getattr(model, "mixture_", None)):
        if isinstance(found, Mixture):
            return found
    if not hasattr(model, "fit"):
        raise TypeError(f"a picture is drawn of {ACCEPTED}; got {type(model).__name__}")
    check_is_fitted(model)
    try:
        return read_mixture(GaussianMixture.from_sklearn(model))
    except TypeError:
        raise TypeError(f"a picture is drawn of {ACCEPTED}; got {type(model).__name__}") from None


def read_result(model: Any) -> FitResult:
    """The result of a fit. Raises TypeError where there is none."""
    for candidate in (model, getattr(model, "fit_result_", None)):
        if isinstance(candidate, FitResult):
            return candidate
    if isinstance(model, FittedMixtures):
        return model.best
    if hasattr(model, "fit"):
        check_is_fitted(model)
    raise TypeError(
        "the trace of a likelihood is that of a FitResult or a fitted gaussmix.GaussianMixture; got "
        f"{type(model).__name__}"
    )


def read_models(model: Any) -> FittedMixtures:
    """Many models side by side. Raises TypeError where there are none, FitError where there is no fit."""
    for candidate in (model, getattr(model, "search_", None)):
        if isinstance(candidate, FittedMixtures):
            if not candidate.fits:
                raise FitError("there is no fit to draw: every start of every model collapsed")
            return candidate
    if hasattr(model, "fit"):
        check_is_fitted(model)
    raise TypeError(
        "criteria of many models are those of gaussmix.search, of fit_mixtures or of a GaussianMixture that "
        f'was fitted with "auto"; got {type(model).__name__}'
    )


def find_names(mixture: Mixture | None, own: Sequence[str] | None, d: int) -> tuple[str, ...]:
    """The names of the features: those of the mixture, else the rows' own, else "feature 1" and on.

    ValueError where both have names and they differ.
    """
    known = None if mixture is None else mixture.feature_names
    refuse_other_names(own, known)
    names: Sequence[str] = known or own or tuple(f"feature {j + 1}" for j in range(d))
    return tuple(str(name) for name in names)
