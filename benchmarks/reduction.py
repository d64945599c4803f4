"""``python -m benchmarks.reduction``: mixtures of thousands of components reduced, by each method.

The components are spread around a dozen centres, as those of a kernel density, each with its own covariance.
Each row has processor time on one thread, the loss (a bound of KL), and KL(original || reduced) by draws with
its standard error; without and with refinement. Memory is the peak of arrays, by tracemalloc.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from typing import get_args

import numpy as np

import gaussmix
from gaussmix._threads import hold_blas_to_one_thread
from gaussmix.model.mixture.reduction.reduction import ReductionMethod

#: Components, features, and components that are left.
CASES = ((2_000, 1, 20), (2_000, 4, 20), (500, 20, 20), (2_000, 20, 20))
LARGE = ((10_000, 4, 20),)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reduction", description=__doc__)
    parser.add_argument("--large", action="store_true", help="10,000 components as well")
    parser.add_argument("--samples", type=int, default=20_000)
    options = parser.parse_args()
    print("| k, d, left | method | s | loss | KL | refined: s | loss | KL | memory, MB |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|")
    with hold_blas_to_one_thread():
        for k, d, left in CASES + (LARGE if options.large else ()):
            mixture = make_mixture(k, d)
            for method in get_args(ReductionMethod):
                cells = [measure(mixture, left, method, options.samples, refine=r) for r in (False, True)]
                memory = measure_memory(mixture, left, method)
                row = f"| {k}, {d}, {left} | {method} | {' | '.join(cells)} | {memory:.0f} |"
                print(row, flush=True)


def make_mixture(k: int, d: int) -> gaussmix.Mixture:
    """Components of random weights and covariances around a dozen centres."""
    rng = np.random.default_rng(0)
    axes = 0.3 * np.eye(d) + 0.4 * rng.normal(size=(k, d, d)) / np.sqrt(d)
    covariances = axes @ np.swapaxes(axes, 1, 2) + 0.05 * np.eye(d)
    means = 3.0 * rng.normal(size=(12, d))[rng.integers(12, size=k)] + rng.normal(size=(k, d))
    return gaussmix.Mixture(rng.dirichlet(np.ones(k)), means, covariances)


def measure(
    mixture: gaussmix.Mixture, left: int, method: ReductionMethod, n_samples: int, *, refine: bool
) -> str:
    """Seconds, loss and KL as cells of a table."""
    start = time.process_time()
    reduction = mixture.find_reduction(left, method=method, refine=refine)
    seconds = time.process_time() - start
    found = gaussmix.kl_divergence(mixture, reduction.mixture, "monte_carlo", n_samples=n_samples, rng=0)
    return f"{seconds:.2f} | {reduction.loss:.4g} | {found:.4f} ± {found.standard_error:.4f}"


def measure_memory(mixture: gaussmix.Mixture, left: int, method: ReductionMethod) -> float:
    """Megabytes of arrays at the most."""
    tracemalloc.start()
    mixture.find_reduction(left, method=method)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


if __name__ == "__main__":
    main()
