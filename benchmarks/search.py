"""``python -m benchmarks.search``: a search over numbers of components of many rows, beside a loop.

Rows of ten overlapping clusters. scikit-learn fits each number of components from one start. gaussmix
searches over all of them, once as it is and once with ``complete=True``, where no model is skipped. All run
on one thread, in turn; the times are of the processor.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings

import numpy as np
from numpy.typing import NDArray

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "GAUSSMIX_NUM_THREADS")


def draw_rows(n: int, d: int, k: int, spread: float, seed: int) -> NDArray[np.float64]:
    """Rows of k clusters, each with a covariance of its own."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(k, n, p=rng.dirichlet(np.full(k, 3.0)))
    means = rng.normal(size=(k, d)) * spread
    X = np.empty((n, d))
    for j in range(k):
        root, own = 0.4 * rng.normal(size=(d, d)) + np.eye(d), labels == j
        X[own] = rng.normal(size=(own.sum(), d)) @ root + means[j]
    return X


def main() -> int:
    """Print a table of the likelihoods, and the times."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--features", type=int, default=8)
    parser.add_argument("--most", type=int, default=20, help="the largest number of components")
    parser.add_argument("--spread", type=float, default=1.0, help="of the clusters' means")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    options = parser.parse_args()
    if any(os.environ.get(name) != "1" for name in THREADS):
        environment = os.environ | dict.fromkeys(THREADS, "1")
        os.execve(sys.executable, [sys.executable, "-m", "benchmarks.search", *sys.argv[1:]], environment)
    warnings.simplefilter("ignore")
    import gaussmix

    numbers = range(1, options.most + 1)
    for seed in options.seeds:
        X = draw_rows(options.rows, options.features, 10, options.spread, seed)
        gaussmix.search(X[:6000], [1, 2], covariance_type="VVV")  # compiles, or reads what was compiled
        theirs, their_time = run_loop(X, numbers)
        found = {}
        for complete in (False, True):
            begin = time.process_time()
            result = gaussmix.search(X, numbers, covariance_type="VVV", complete=complete, random_state=0)
            found[complete] = result, time.process_time() - begin
        (quick, quick_time), (whole, whole_time) = found[False], found[True]
        print(f"\nseed {seed}: {options.rows} rows, {options.features} features; mean log-likelihoods")
        print("\n|  k | scikit-learn | search | complete |\n|---:|---:|---:|---:|")
        for k in numbers:
            fits = [result.fits.get(("VVV", k)) for result in (quick, whole)]
            cells = ["skipped" if fit is None else f"{fit.mean_log_likelihood:.5f}" for fit in fits]
            print(f"| {k} | {theirs[k]:.5f} | {cells[0]} | {cells[1]} |")
        lower = [k for k in numbers if whole.fits["VVV", k].mean_log_likelihood < theirs[k] - 1e-4]
        print(f"\nlower than scikit-learn's by more than 1e-4 nats a row: k in {lower}")
        print(f"chosen: {quick.best_model[1]} and {whole.best_model[1]}")
        for name, seconds in (("search", quick_time), ("complete", whole_time)):
            print(f"{name}: {seconds:.2f} s of the loop's {their_time:.2f}: {their_time / seconds:.1f} times")
    return 0


def run_loop(X: NDArray[np.float64], numbers: range) -> tuple[dict[int, float], float]:
    """scikit-learn's mean log-likelihood for each number, and the seconds of all fits."""
    from sklearn.mixture import GaussianMixture

    seconds, found = 0.0, {}
    for k in numbers:
        begin = time.process_time()
        model = GaussianMixture(k, random_state=0).fit(X)
        seconds += time.process_time() - begin
        found[k] = float(model.score(X))
    return found, seconds


if __name__ == "__main__":
    sys.exit(main())
