"""What the experts of a regressor or classifier are, by the parameter `expert`: their M-steps and starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import RandomState
from sklearn.base import is_classifier, is_regressor

from gaussmix._typing import Float64Array, IntArray
from gaussmix.apps.experts.estimator_step import ClassifierStep, RegressorStep
from gaussmix.apps.experts.linear_step import LinearStep
from gaussmix.apps.experts.log_linear_step import GammaStep, PoissonStep
from gaussmix.apps.experts.logistic import LogisticStep
from gaussmix.apps.experts.protocols import ExpertStep
from gaussmix.apps.experts.weighted_fitting import WeightedFit
from gaussmix.model.covariance import get_structure


@dataclass(frozen=True)
class LinkedKind:
    """Experts with a log link."""

    make_step: Callable[[Float64Array, Float64Array, Float64Array, float], ExpertStep[Any]]
    #: Whether numbers are allowed, and what they must be.
    allows: Callable[[Float64Array], Any]
    wanted: str
    #: What is added to outputs of which starts take the logarithm.
    offset: float


#: Experts of regressors by name, beside "linear".
LINKED = {
    "poisson": LinkedKind(
        PoissonStep.of_rows, lambda Y: np.logical_and(Y >= 0.0, np.round(Y) == Y), "whole numbers from 0", 0.5
    ),
    "gamma": LinkedKind(GammaStep.of_rows, lambda Y: Y > 0.0, "numbers above 0", 0.0),
}
REGRESSIONS = ("linear", *LINKED)


def is_estimator(expert: Any) -> bool:
    """Whether experts are estimators of scikit-learn's kind."""
    return not isinstance(expert, str)


def check_expert(expert: Any, names: tuple[str, ...], *, classifier: bool) -> None:
    """Raise ValueError where experts are none of these names, nor estimators that can be experts."""
    kind = "classifier" if classifier else "regressor"
    if not is_estimator(expert):
        if expert not in names:
            known = ", ".join(map(repr, names))
            raise ValueError(f"expert must be one of {known}, or a {kind} with sample_weight; got {expert!r}")
        return
    if isinstance(expert, type) or not hasattr(expert, "fit") or not hasattr(expert, "get_params"):
        raise ValueError(f"expert must be a name or an object with fit and get_params; got {expert!r}")
    if not (is_classifier(expert) if classifier else is_regressor(expert)):
        raise ValueError(f"expert={type(expert).__name__} is no {kind}")
    if classifier and not hasattr(expert, "predict_proba"):
        raise ValueError(
            f"expert={type(expert).__name__} has no predict_proba, which experts of a classifier need"
        )
    WeightedFit.of(expert)


def make_regression_step(
    expert: Any,
    X: Float64Array,
    Y: Float64Array,
    masses: Float64Array,
    *,
    alpha: float,
    covariance_type: str,
    folds: IntArray,
    rng: RandomState,
) -> tuple[ExpertStep[Any], Float64Array]:
    """The M-step of the experts of a regressor, and the outputs as starts see them, shape (n, m)."""
    if is_estimator(expert):
        structure = get_structure(covariance_type, Y.shape[1])
        return RegressorStep.of_rows(expert, X, Y, masses, structure, folds, rng), Y
    if expert == "linear":
        return LinearStep.of_rows(X, Y, masses, get_structure(covariance_type, Y.shape[1]), alpha), Y
    kind = LINKED[expert]
    if Y.shape[1] != 1:
        raise ValueError(f"expert={expert!r} is for one output; got {Y.shape[1]}. Fit a model for each")
    wrong = np.flatnonzero(~kind.allows(Y)[:, 0])
    if len(wrong):
        raise ValueError(
            f"expert={expert!r} needs outputs that are {kind.wanted}; row {wrong[0]} of y has "
            f"{Y[wrong[0], 0]}"
        )
    return kind.make_step(X, Y, masses, alpha), np.log(Y + kind.offset)


def make_class_step(
    expert: Any,
    X: Float64Array,
    y: IntArray,
    masses: Float64Array,
    n_classes: int,
    *,
    alpha: float,
    folds: IntArray,
    rng: RandomState,
) -> ExpertStep[Any]:
    """The M-step of the experts of a classifier; y are places of classes."""
    if is_estimator(expert):
        return ClassifierStep.of_rows(expert, X, y, n_classes, folds, rng)
    return LogisticStep.of_rows(X, y, masses, alpha, n_classes)
