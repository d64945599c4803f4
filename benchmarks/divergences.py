"""``python -m benchmarks.divergences``: how good approximations of KL are, and what all distances cost.

Pairs are random mixtures of 5 and 4 components; the spread of the means, in deviations, says how far
components stand apart. The error of an approximation is relative to KL by 400,000 draws: the root of its mean
square over the pairs. Times are processor time on one thread.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any, get_args

import numpy as np

import gaussmix
from gaussmix._threads import hold_blas_to_one_thread
from gaussmix.model.comparison.kullback import Approximation

FEATURES, SPREADS = (2, 10), (0.5, 2.0, 8.0)
DISTANCES: tuple[Callable[..., Any], ...] = (
    gaussmix.kl_divergence,
    gaussmix.kl_bounds,
    gaussmix.js_divergence,
    gaussmix.total_variation,
    gaussmix.hellinger_distance,
    gaussmix.bhattacharyya_distance,
    gaussmix.l2_distance,
    gaussmix.cauchy_schwarz_divergence,
    gaussmix.mixture_wasserstein,
)


def main() -> None:
    """Print two tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.divergences", description=__doc__)
    parser.add_argument("--pairs", type=int, default=20)
    options = parser.parse_args()
    methods = get_args(Approximation)
    with hold_blas_to_one_thread():
        print(f"| d, spread | median KL | {' | '.join(methods)} | share of pairs within kl_bounds |")
        print("|---|---:|" + "---:|" * (len(methods) + 1))
        for d in FEATURES:
            for spread in SPREADS:
                print(measure_errors(d, spread, options.pairs), flush=True)
        print("\n| distance | d = 1, k = 5, ms | d = 2, k = 5 | d = 10, k = 5 | d = 4, k = 200 |")
        print("|---|---:|---:|---:|---:|")
        for distance in DISTANCES:
            times = [measure_time(distance, *case) for case in ((1, 5), (2, 5), (10, 5), (4, 200))]
            print(f"| {distance.__name__} | {' | '.join(f'{each:.1f}' for each in times)} |", flush=True)


def make_mixture(k: int, d: int, spread: float, rng: np.random.Generator) -> gaussmix.Mixture:
    """Components of random axes around means of a spread."""
    axes = np.eye(d) + 0.5 * rng.normal(size=(k, d, d)) / np.sqrt(d)
    covariances = axes @ np.swapaxes(axes, 1, 2)
    return gaussmix.Mixture(rng.dirichlet(np.full(k, 3.0)), spread * rng.normal(size=(k, d)), covariances)


def measure_errors(d: int, spread: float, n_pairs: int) -> str:
    """Relative errors of approximations, as a row."""
    methods = get_args(Approximation)
    found, errors, within = [], np.empty((n_pairs, len(methods))), 0
    for pair in range(n_pairs):
        rng = np.random.default_rng(pair)
        p, q = make_mixture(5, d, spread, rng), make_mixture(4, d, spread, rng)
        truth = gaussmix.kl_divergence(p, q, "monte_carlo", n_samples=400_000, rng=rng)
        errors[pair] = [gaussmix.kl_divergence(p, q, method) / truth - 1.0 for method in methods]
        lower, upper = gaussmix.kl_bounds(p, q)
        within += lower - 4.0 * truth.standard_error <= truth <= upper + 4.0 * truth.standard_error
        found.append(truth.value)
    sizes = np.sqrt((errors * errors).mean(axis=0))
    cells = " | ".join(f"{size:.0%}" for size in sizes)
    return f"| {d}, {spread:g} | {np.median(found):.3g} | {cells} | {within / n_pairs:.0%} |"


def measure_time(distance: Callable[..., Any], d: int, k: int, repeats: int = 5) -> float:
    """Milliseconds, the median; Monte Carlo with 100,000 draws."""
    rng = np.random.default_rng(0)
    p, q = make_mixture(k, d, 2.0, rng), make_mixture(k, d, 2.0, rng)
    times = []
    for _ in range(repeats):
        start = time.process_time()
        distance(p, q)
        times.append(time.process_time() - start)
    return 1e3 * float(np.median(times))


if __name__ == "__main__":
    main()
