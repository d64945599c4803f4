"""The programs that are compared, behind one interface. Optional ones take part where they are installed."""

from __future__ import annotations

import warnings
from functools import partial
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np

from benchmarks.cases import Case, Problem

NEEDED = ("gaussmix", "scikit-learn")


class Program(Protocol):
    name: str
    compiles_each_length: bool  # whether another number of iterations is another program to compile

    def can(self, case: Case, what: str) -> bool:
        """Whether the program has this covariance, data type and operation."""

    def fit(self, problem: Problem, n_iter: int) -> Any:
        """Run exactly this many iterations of EM from the problem's start."""

    def converge(self, problem: Problem) -> Any:
        """Iterate until the mean log-likelihood grows by less than 1e-3, the default of scikit-learn."""

    def call(self, model: Any, what: str, problem: Problem) -> Any:
        """Evaluate a fitted model at the problem's data: score_samples or predict_proba."""


class Estimator:
    """scikit-learn's class, or ours: one interface, so one adapter."""

    compiles_each_length = False

    def __init__(self, name: str) -> None:
        self.name = name

    def can(self, case: Case, what: str) -> bool:
        return True

    def fit(self, problem: Problem, n_iter: int) -> Any:
        model = self._new(problem, tol=0.0, max_iter=n_iter).fit(problem.X)
        if model.n_iter_ != n_iter:
            raise RuntimeError(
                f"{self.name} ran {model.n_iter_} iterations of {n_iter} on {problem.case.name}"
            )
        return model

    def converge(self, problem: Problem) -> Any:
        return self._new(problem, tol=1e-3, max_iter=1000).fit(problem.X)

    def call(self, model: Any, what: str, problem: Problem) -> Any:
        return getattr(model, what)(problem.X)

    def _new(self, problem: Problem, **options: Any) -> Any:
        return self._class()(
            problem.case.k,
            covariance_type=problem.case.covariance,
            weights_init=problem.weights,
            means_init=problem.means,
            precisions_init=problem.precisions,
            reg_covar=1e-6,  # the same ridge for both: the defaults differ
            **options,
        )

    def _class(self) -> Any:
        if self.name != "gaussmix":
            from sklearn.mixture import GaussianMixture

            return GaussianMixture
        import gaussmix

        # Plain EM is timed here. benchmarks/acceleration.py counts the iterations that acceleration saves.
        return partial(gaussmix.GaussianMixture, acceleration=None)


class Pomegranate:
    """pomegranate's `fit` on torch tensors: full covariances from the given start."""

    name = "pomegranate"
    compiles_each_length = False

    def can(self, case: Case, what: str) -> bool:
        return case.covariance == "full" and what == "fit"

    def fit(self, problem: Problem, n_iter: int) -> Any:
        import torch
        from pomegranate.distributions import Normal
        from pomegranate.gmm import GeneralMixtureModel

        covariances = np.linalg.inv(problem.precisions.astype(np.float64)).astype(problem.case.dtype)
        parts = [
            Normal(mean, covariance) for mean, covariance in zip(problem.means, covariances, strict=True)
        ]
        model = GeneralMixtureModel(parts, priors=problem.weights, max_iter=n_iter, tol=-np.inf)
        return model.fit(torch.from_numpy(problem.X))

    def converge(self, problem: Problem) -> Any:
        raise NotImplementedError

    def call(self, model: Any, what: str, problem: Problem) -> Any:
        raise NotImplementedError


class Gmmx:
    """gmmx's `EMFitter` under JAX: full and diagonal covariances in float32, compiled before the timing."""

    name = "gmmx"
    compiles_each_length = True

    def can(self, case: Case, what: str) -> bool:
        return case.covariance in ("full", "diag") and case.dtype == "float32" and what == "fit"

    def fit(self, problem: Problem, n_iter: int) -> Any:
        import jax
        from gmmx import EMFitter, GaussianMixtureModelJax

        invert = np.linalg.inv if problem.case.covariance == "full" else np.reciprocal
        start = GaussianMixtureModelJax.from_squeezed(
            problem.means,
            invert(problem.precisions.astype(np.float64)).astype(problem.case.dtype),
            problem.weights,
            problem.case.covariance,
        )
        # JAX's while_loop stops when the difference is below the tolerance. No difference is below zero.
        result = EMFitter(tol=0.0, max_iter=n_iter, reg_covar=1e-6).fit(problem.X, start)
        jax.block_until_ready(result)  # JAX returns before it has computed
        if int(result.n_iter) != n_iter:
            raise RuntimeError(f"it ran {int(result.n_iter)} iterations of {n_iter}")
        return result

    def converge(self, problem: Problem) -> Any:
        raise NotImplementedError

    def call(self, model: Any, what: str, problem: Problem) -> Any:
        raise NotImplementedError


def programs() -> list[Program]:
    """Ours, scikit-learn's, and whatever else is installed, in the order of the table's columns."""
    found: list[Program] = [Estimator(name) for name in NEEDED]
    if find_spec("pomegranate"):
        found.append(Pomegranate())
    if find_spec("gmmx"):
        found.append(Gmmx())
    return found


def silence_warnings() -> None:
    """Ignore ConvergenceWarning: fits with a fixed number of iterations need not converge."""
    from sklearn.exceptions import ConvergenceWarning

    warnings.simplefilter("ignore", ConvergenceWarning)
