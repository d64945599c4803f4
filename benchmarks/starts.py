"""``python -m benchmarks.starts``: the cost of each start, in passes over the rows, and its likelihoods.

The cost is the time of a fit of no iterations less that of one from a given mixture, medians of alternating
runs. How good a start is: how far, in nats a row, its fits end below the best that any start has found.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from gaussmix import Mixture, fit_mixture
from gaussmix.fit.starts.table import STARTS

Floats = NDArray[np.floating]

SIZES = ((1_000_000, 4, 8), (200_000, 8, 16))
#: Rows, features, components, and how far apart the means are, in spreads of the components.
PROBLEMS = ((2000, 2, 5, 2.0), (4000, 4, 8, 2.0), (6000, 8, 16, 1.5), (3000, 20, 6, 0.8))
#: Nats a row from the best within which a fit counts as near.
NEAR = 1e-3


def rows(n: int, d: int, k: int, apart: float, seed: int) -> Floats:
    """Rows of components of uneven weights and random covariances."""
    rng = np.random.default_rng(seed)
    means = apart * rng.normal(size=(k, d))
    turns = rng.normal(size=(k, d, d)) / np.sqrt(d)
    covariances = turns @ turns.transpose(0, 2, 1) + 0.05 * np.eye(d)
    return Mixture(rng.dirichlet(np.full(k, 3.0)), means, covariances).sample(n, rng)[0]


def costs(n: int, d: int, k: int, repeats: int) -> dict[str, float]:
    """Milliseconds of each start, of given labels, and of a pass."""
    X = rows(n, d, k, 2.0, seed=0)
    known = fit_mixture(X, k, random_state=0, max_iter=1).mixture
    labels = known.predict(X)
    calls: dict[str, Callable[[int], object]] = {
        "nothing": lambda seed: fit_mixture(X, k, start=known, max_iter=0),
        "a pass": lambda seed: fit_mixture(X, k, start=known, max_iter=10, tol=0.0, acceleration=None),
        **{name: _fit_from(X, k, name) for name in STARTS},
        "labels": lambda seed: fit_mixture(X, k, start=labels, max_iter=0),
    }
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for seed in range(repeats + 1):  # the first call loads and compiles, and is not counted
        for name, call in calls.items():
            begun = time.perf_counter()
            call(seed)
            taken[name].append(time.perf_counter() - begun)
    median = {name: 1e3 * float(np.median(times[1:])) for name, times in taken.items()}
    nothing = median.pop("nothing")
    return {name: (value - nothing) / (10.0 if name == "a pass" else 1.0) for name, value in median.items()}


def _fit_from(X: Floats, k: int, name: str) -> Callable[[int], object]:
    return lambda seed: fit_mixture(X, k, init_params=name, random_state=seed, max_iter=0)


def ends(seeds: int) -> Iterator[dict[str, Floats]]:
    """For each data set, how far the fits of each start end below the best of all."""
    for n, d, k, apart in PROBLEMS:
        for data in range(3):
            X = rows(n, d, k, apart, seed=data)
            found = {
                name: np.array(
                    [
                        fit_mixture(
                            X, k, init_params=name, random_state=seed, tol=1e-5, max_iter=500
                        ).history[-1]
                        for seed in range(seeds)
                    ]
                )
                for name in STARTS
            }
            best = max(float(values.max()) for values in found.values())
            yield {name: best - values for name, values in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.starts", description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="timings of each (default 5)")
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="fits of each start (default 5)")
    options = parser.parse_args()
    measured = [costs(*size, options.repeats) for size in SIZES]
    print("| start | " + " | ".join(f"{n:,} x {d}, k = {k}" for n, d, k in SIZES) + " |")
    print("|---" + "|---:" * len(SIZES) + "|")
    for name in measured[0]:
        cells = (f"{of[name]:.0f} ms = {of[name] / of['a pass']:.1f}" for of in measured)
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    below: dict[str, list[Floats]] = {name: [] for name in STARTS}
    for data_set in ends(options.seeds):
        for name, values in data_set.items():
            below[name].append(values)
    print("\n| start | below the best, mean | worst | within 0.001 |\n|---|---:|---:|---:|")
    for name, parts in below.items():
        values = np.concatenate(parts)
        print(f"| {name} | {values.mean():.3f} | {values.max():.3f} | {100 * (values < NEAR).mean():.0f}% |")


if __name__ == "__main__":
    main()
