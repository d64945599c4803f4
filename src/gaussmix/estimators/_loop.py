"""EM as a plain loop of scikit-learn's steps, for models that override some of them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from gaussmix._typing import FloatArray, IntArray
from gaussmix.estimators._steps import Steps
from gaussmix.estimators._validate import is_open
from gaussmix.fit.advice import ADVICE
from gaussmix.fit.result import FitStatus
from gaussmix.model.covariance import get_structure

#: What "auto" stands for beside overridden steps. These may take a parameter for what it is in scikit-learn:
#: a number, and one of four names.
INSTEAD_OF_AUTO = {"reg_covar": 1e-6, "init_params": "kmeans"}

#: Parameters that no step of scikit-learn knows.
UNKNOWN_TO_STEPS = ("constraints", "noise", "trim")


def fit_by_steps(model: Steps, X: FloatArray, **unknown: Any) -> None:
    """Fit a model as scikit-learn does, calling every step, and assign its attributes.

    `lower_bound_` is of the parameters that are assigned, and `lower_bounds_` of those after each iteration.

    Raises ValueError where something is asked for that the steps know nothing of.
    """
    _check_known(model, unknown)
    with _replace_auto(model):
        model._check_parameters(X)
        goes_on = bool(model.warm_start) and hasattr(model, "converged_")
        random_state = check_random_state(model.random_state)
        best: tuple[Any, list[float], bool] | None = None
        for start in range(1 if goes_on else model.n_init):
            model._print_verbose_msg_init_beg(start)
            previous = -math.inf
            if not goes_on:
                model._initialize_parameters(X, random_state)
            elif len(model.lower_bounds_) > 1:
                previous = model.lower_bounds_[-2]
            bounds, converged = _iterate(model, X, previous)
            model._print_verbose_msg_init_end(bounds[-1], converged)
            if best is None or bounds[-1] > best[1][-1]:
                best = model._get_parameters(), bounds, converged
        assert best is not None
        parameters, bounds, converged = best
        model._set_parameters(parameters)
    model.__dict__.pop("fit_result_", None)
    model.converged_, model.n_iter_ = converged, len(bounds) - 1
    model.lower_bound_, model.lower_bounds_ = bounds[-1], bounds[1:]
    if model.max_iter and not converged:
        warnings.warn(ADVICE[FitStatus.MAX_ITER], ConvergenceWarning, stacklevel=5)


def _iterate(model: Steps, X: FloatArray, previous: float) -> tuple[list[float], bool]:
    """The bound of the start and after each iteration, and whether it stopped rising."""
    log_density, log_resp = model._e_step(X)
    bounds = [model._compute_lower_bound(log_resp, log_density)]
    for n_iter in range(1, model.max_iter + 1):
        model._m_step(X, log_resp)
        change, previous = bounds[-1] - previous, bounds[-1]
        log_density, log_resp = model._e_step(X)
        bounds.append(model._compute_lower_bound(log_resp, log_density))
        model._print_verbose_msg_iter_end(n_iter, change)
        if abs(change) < model.tol:
            return bounds, True
    return bounds, False


def _check_known(model: Steps, unknown: dict[str, Any]) -> None:
    refused = [name for name, value in unknown.items() if value is not None]
    refused += [name for name in UNKNOWN_TO_STEPS if getattr(model, name)]
    for name in ("n_components", "covariance_type"):
        if is_open(getattr(model, name)):
            refused.append(f"{name}={getattr(model, name)!r}")
    if not refused and get_structure(model.covariance_type).n_factors:
        refused.append(f"covariance_type={model.covariance_type!r}")
    if refused:
        raise ValueError(
            f"{', '.join(refused)} cannot be used with {type(model).__name__}: it overrides private steps of "
            "scikit-learn's EM, which know nothing of it. Fit without, or override public methods alone"
        )


@contextmanager
def _replace_auto(model: Steps) -> Iterator[None]:
    """Overwrites parameters of the model that are "auto", and puts them back at the end of the block."""
    auto = [name for name in INSTEAD_OF_AUTO if getattr(model, name) == "auto"]
    for name in auto:
        setattr(model, name, INSTEAD_OF_AUTO[name])
    try:
        yield
    finally:
        for name in auto:
            setattr(model, name, "auto")


class StepByStep:
    """What a :class:`Mixture` says of rows, said by the steps of a model."""

    def __init__(self, model: Steps) -> None:
        self.model = model

    def predict(self, X: FloatArray) -> IntArray:
        """The component of greatest joint density of each row, shape (n,)."""
        return np.asarray(np.argmax(self.model._estimate_weighted_log_prob(X), axis=1))

    def responsibilities(self, X: FloatArray) -> FloatArray:
        """Responsibilities of each row, shape (n, k)."""
        return np.asarray(np.exp(self.model._estimate_log_prob_resp(X)[1]))

    def log_prob(self, X: FloatArray) -> FloatArray:
        """Log-density of each row, shape (n,)."""
        return np.asarray(np.logaddexp.reduce(self.model._estimate_weighted_log_prob(X), axis=1))
