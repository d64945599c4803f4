"""Conditional means and draws of 100,000 rows, beside gmr: ``python -m benchmarks.conditionals``.

The mixture has 20 full components in 10 features, of which five are given. gmr conditions on one row at a
time; that loop runs over the first rows alone and is extrapolated. Its ``predict``, which has the means of
many rows, runs over all. Memory is the peak of a process of its own that computes ours, with Python and its
libraries.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from gaussmix import Mixture
from gaussmix._typing import Float64Array

#: The mixture: components, features, and how many of these are given.
K, D, P = 20, 10, 5
#: Rows in all, and of those the ones that the loop over gmr goes over.
ROWS, LOOPED = 100_000, 300
#: Runs, of which the median counts.
REPEATS = 5


def make_problem(n: int) -> tuple[Mixture, Float64Array]:
    """A mixture and rows of its first features."""
    rng = np.random.default_rng(0)
    halves = rng.normal(size=(K, D, D))
    covariances = halves @ np.swapaxes(halves, 1, 2) / D + 0.1 * np.eye(D)
    mixture = Mixture(rng.dirichlet(np.full(K, 5.0)), 2.0 * rng.normal(size=(K, D)), covariances)
    return mixture, mixture.sample(n, rng)[0][:, :P]


def find_moments(mixture: Mixture, rows: Float64Array) -> tuple[Float64Array, Float64Array]:
    """The mean and covariance of the other features, for each row."""
    batch = mixture.condition(rows, features=range(P))
    return batch.mean, batch.covariance


def draw(mixture: Mixture, rows: Float64Array) -> Float64Array:
    """One draw of the other features for each row."""
    return mixture.condition(rows, features=range(P)).sample(1, 0)[0]


def measure(call: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Median seconds of a call."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def compare(n: int, looped: int) -> None:
    """Times of both, and how far they agree."""
    from gmr import GMM

    mixture, rows = make_problem(n)
    other = GMM(K, mixture.weights, mixture.means, mixture.covariances, random_state=0)
    given, few = np.arange(P), rows[:looped]

    def loop_moments() -> list[Any]:
        return [other.condition(given, row).to_mvn() for row in few]

    def loop_draws() -> list[Any]:
        return [other.condition(given, row).sample(1) for row in few]

    mean, covariance = find_moments(mixture, few)
    found = loop_moments()
    apart = max(
        np.abs(mean - [each.mean for each in found]).max(),
        np.abs(covariance - [each.covariance for each in found]).max(),
        np.abs(other.predict(given, few) - mean).max(),
    )
    print(f"{n:,} rows, k = {K}, d = {D}, {P} features given; {looped} rows of gmr's loop, extrapolated")
    print(f"largest difference of means and covariances: {apart:.1e}\n")
    print(f"{'':24s}{'gaussmix':>12s}{'gmr':>12s}{'ratio':>9s}")
    whole = n / looped
    lines = (
        ("means and covariances", lambda: find_moments(mixture, rows), loop_moments, whole),
        ("draws", lambda: draw(mixture, rows), loop_draws, whole),
        (
            "means alone (predict)",
            lambda: mixture.condition(rows, features=range(P)).mean,
            lambda: other.predict(given, rows),
            1.0,
        ),
    )
    for name, ours, theirs, factor in lines:
        own, loop = measure(ours), factor * measure(theirs, 3)
        print(f"{name:24s}{own:10.3f} s{loop:10.2f} s{loop / own:9.0f}")


def print_memory(n: int) -> None:
    """The peak memory of this process, in MB, once all is computed."""
    mixture, rows = make_problem(n)
    moments = find_moments(mixture, rows)
    drawn = draw(mixture, rows)
    assert moments[0].shape == drawn[:, 0].shape
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6:.0f}")


def main() -> None:
    """Print the table, and the memory of a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--looped", type=int, default=LOOPED)
    parser.add_argument("--memory", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        print_memory(options.rows)
        return
    # first, since on Linux a process's peak is at least what its parent held when it began
    command = [sys.executable, "-m", "benchmarks.conditionals", "--memory", "--rows", str(options.rows)]
    peak = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    compare(options.rows, options.looped)
    print(f"\npeak memory of a process that computes means, covariances and draws: {peak} MB")


if __name__ == "__main__":
    main()
