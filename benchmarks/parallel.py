"""``python -m benchmarks.parallel``: a grid search in one process and in several.

In one process a fit uses all threads. Each of several workers has its share of them (``gaussmix._threads``).
Settings alternate and medians are compared. All searches must end with the same scores.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import numpy as np
from joblib.externals.loky import get_reusable_executor
from sklearn.mixture import GaussianMixture as Theirs
from sklearn.model_selection import GridSearchCV

from benchmarks.cases import Case, make_problem
from gaussmix import GaussianMixture

#: Rows, features and the numbers of components to choose from.
SEARCHES = ((20_000, 8, range(2, 26, 2)), (100_000, 8, range(2, 18, 2)), (500, 4, range(1, 9)))


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parallel", description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--theirs", action="store_true", help="scikit-learn's mixture, too")
    options = parser.parse_args()
    classes = {"gaussmix": GaussianMixture} | ({"scikit-learn": Theirs} if options.theirs else {})
    jobs = options.jobs
    print(f"| n, d, fits | program | 1 job, s | {jobs} jobs, s | the same workers again, s | ratio |")
    print("|---|---|---:|---:|---:|---:|")
    for n, d, sizes in SEARCHES:
        X = make_problem(Case(n, d, 8, "full", "float64")).X
        for program, estimator in classes.items():
            one, cold, warm = measure(estimator, X, sizes, jobs, options.repeats)
            times = f"{one:.2f} | {cold:.2f} | {warm:.2f} | {one / warm:.2f}"
            print(f"| {n}, {d}, {3 * len(sizes)} | {program} | {times} |", flush=True)


def measure(estimator: Any, X: Any, sizes: range, jobs: int, repeats: int) -> tuple[float, float, float]:
    """Seconds of the search in this process, in new workers, and in the same workers again."""
    times: dict[str, list[float]] = {"one": [], "cold": [], "warm": []}
    search(estimator, X[:500], sizes, 1)  # what a first fit loads is not counted
    for _ in range(repeats):
        get_reusable_executor().shutdown(wait=True)
        chosen = []
        for setting, n_jobs in (("one", 1), ("cold", jobs), ("warm", jobs)):
            start = time.perf_counter()
            chosen.append(search(estimator, X, sizes, n_jobs))
            times[setting].append(time.perf_counter() - start)
        for scores in chosen[1:]:
            np.testing.assert_allclose(scores, chosen[0], rtol=1e-9)
    one, cold, warm = (statistics.median(kept) for kept in times.values())
    return one, cold, warm


def search(estimator: Any, X: Any, sizes: range, n_jobs: int) -> list[float]:
    """The mean test scores of a search over the numbers of components, three folds each."""
    model = estimator(init_params="kmeans", random_state=0, max_iter=50, tol=1e-2)
    grid = GridSearchCV(model, {"n_components": list(sizes)}, cv=3, n_jobs=n_jobs, refit=False)
    return list(grid.fit(X).cv_results_["mean_test_score"])


if __name__ == "__main__":
    main()
