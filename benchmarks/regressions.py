"""``python -m benchmarks.regressions``: predictive distributions, beside scikit-learn's regressors.

The log score is the mean log-density of outputs that ten folds hold out, in nats (higher is better); RMSE is
of the means. Both are in units of the output's standard deviation, each with its standard error over the
rows, and the folds are the same for all programs. Regressors that predict points alone get a Gaussian, whose
variance is that of their residuals on five folds of the training rows. Seconds are of a fit to nine tenths,
with these folds where they are needed. A Gaussian process has the variance that it states.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.regressions_data import OTHERS, SETS, Floats, MissingDataError, load
from gaussmix import GaussianMixtureRegressor, MixtureOfExpertsRegressor

#: Folds of the training rows, for the residuals of those that predict points alone.
INNER_FOLDS = 5
#: Most training rows of a Gaussian process with a length for each input; with more, all inputs share one.
MOST_WITH_LENGTHS = 600


class WithResiduals:
    """A regressor that predicts points, with the variance of its residuals on rows that it has not seen."""

    def __init__(self, regressor: BaseEstimator) -> None:
        self.regressor = regressor

    def fit(self, X: Floats, y: Floats) -> WithResiduals:
        folds = KFold(INNER_FOLDS, shuffle=True, random_state=0)
        residuals = y - cross_val_predict(clone(self.regressor), X, y, cv=folds)
        self.std = float(np.sqrt(np.mean(residuals**2)))
        self.fitted = clone(self.regressor).fit(X, y)
        return self

    def predict(self, X: Floats) -> Floats:
        return np.asarray(self.fitted.predict(X))

    def log_prob(self, X: Floats, y: Floats) -> Floats:
        return np.asarray(norm.logpdf(y, self.predict(X), self.std))


class Process:
    """A Gaussian process: squared exponential and noise, of standardised inputs."""

    def fit(self, X: Floats, y: Floats) -> Process:
        lengths = np.ones(X.shape[1] if len(X) <= MOST_WITH_LENGTHS else 1)
        kernel = ConstantKernel(1.0) * RBF(lengths, (1e-2, 1e3)) + WhiteKernel(0.3, (1e-4, 10.0))
        process = GaussianProcessRegressor(kernel, normalize_y=True, random_state=0)
        self.fitted = make_pipeline(StandardScaler(), process).fit(X, y)
        return self

    def predict(self, X: Floats) -> Floats:
        return np.asarray(self.fitted.predict(X))

    def log_prob(self, X: Floats, y: Floats) -> Floats:
        mean, std = self.fitted.predict(X, return_std=True)
        return np.asarray(norm.logpdf(y, mean, std))


PROGRAMS: dict[str, Callable[[], Any]] = {
    "GaussianMixtureRegressor": lambda: GaussianMixtureRegressor(random_state=0),
    "MixtureOfExpertsRegressor": lambda: MixtureOfExpertsRegressor(random_state=0),
    "the same, number by BIC": lambda: MixtureOfExpertsRegressor("auto", random_state=0),
    "the same, Gaussian gate": lambda: MixtureOfExpertsRegressor(gate="gaussian", random_state=0),
    "one Gaussian": lambda: GaussianMixtureRegressor(1, covariance_type="full", random_state=0),
    "ridge": lambda: WithResiduals(make_pipeline(StandardScaler(), RidgeCV(np.logspace(-3, 3, 13)))),
    "random forest": lambda: WithResiduals(RandomForestRegressor(200, random_state=0)),
    "gradient boosting": lambda: WithResiduals(HistGradientBoostingRegressor(random_state=0)),
    "Gaussian process": Process,
}


@dataclass(frozen=True)
class Score:
    """How a program did on all rows, each held out once."""

    densities: Floats
    errors: Floats
    seconds: float

    def __str__(self) -> str:
        n = np.sqrt(len(self.errors))
        squares = self.errors**2
        rmse = np.sqrt(squares.mean())
        return (
            f"{self.densities.mean():.3f} ± {self.densities.std() / n:.3f}"
            f" | {rmse:.3f} ± {squares.std() / (2.0 * rmse * n):.3f} | {self.seconds:.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.regressions", description=__doc__)
    parser.add_argument("--data", nargs="+", default=SETS, choices=(*SETS, *OTHERS))
    parser.add_argument("--programs", nargs="+", default=list(PROGRAMS), choices=list(PROGRAMS))
    parser.add_argument("--folds", type=int, default=10)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print("| data (n, d) | program | log score | RMSE | s |\n|---|---|---:|---:|---:|")
    for name in options.data:
        try:
            X, y = load(name)
        except MissingDataError as error:
            print(f"| {name} | {error} |")
            continue
        folds = list(KFold(options.folds, shuffle=True, random_state=0).split(X))
        title = f"{name} ({len(X)}, {X.shape[1]})"
        for program in options.programs:
            print(f"| {title} | {program} | {measure(PROGRAMS[program], X, y, folds)} |", flush=True)


def measure(make: Callable[[], Any], X: Floats, y: Floats, folds: list[Any]) -> Score | str:
    """Scores of rows held out; a program that fails is a line of the table."""
    scale = float(y.std())
    densities, errors, seconds = np.zeros(len(y)), np.zeros(len(y)), []
    for train, test in folds:
        begin = time.perf_counter()
        try:
            model = make().fit(X[train], y[train])
        except Exception as error:
            return f"failed: {str(error).splitlines()[0][:60]} | |"
        seconds.append(time.perf_counter() - begin)
        densities[test] = model.log_prob(X[test], y[test]) + np.log(scale)
        errors[test] = (y[test] - model.predict(X[test])) / scale
    return Score(densities, errors, float(np.median(seconds)))


if __name__ == "__main__":
    main()
