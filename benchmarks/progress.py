"""What progress costs, and how good its estimates of time are: python -m benchmarks.progress

The first table has the time of fits and searches with a callback over that without one, alternating, in medians. The
second shows, for fits of large data, the longest silence between two calls, and at a quarter, a half and three
quarters of the race the seconds that it said were left at most, beside those that were.
"""

from __future__ import annotations

import statistics
import time

import numpy as np

import gaussmix
from gaussmix._progress import TimeLeft
from gaussmix.datasets import load_faithful
from gaussmix.fit.race.showing import RACE


def clusters(n, d, k, spread, seed=0):
    """Rows around k centres."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(k, d)) * spread
    return centres[rng.integers(k, size=n)] + rng.normal(size=(n, d))


def measure_cost(name, work, repeats):
    """Seconds without a callback and with one."""
    plain, watched = [], []
    work(None)
    for _ in range(repeats):
        for times, callback in ((plain, None), (watched, lambda progress: False)):
            begin = time.perf_counter()
            work(callback)
            times.append(time.perf_counter() - begin)
    one, other = statistics.median(plain), statistics.median(watched)
    print(f"{name:34s} {1e3 * one:9.2f} ms {1e3 * other:9.2f} ms   {other / one:.3f}", flush=True)


def measure_silence(name, X, k):
    """The longest silence, and estimates of a race."""
    seen, begin, left = [], time.perf_counter(), TimeLeft()

    def show(progress):
        seen.append((time.perf_counter() - begin, progress, left(progress)))

    gaussmix.fit_mixture(X, k, random_state=0, on_progress=show)
    times = [0.0, *(now for now, _, _ in seen), time.perf_counter() - begin]
    silence = max(np.diff(times))
    race = [(now, seconds) for now, progress, seconds in seen if progress.stage == RACE]
    first, last = race[0][0], race[-1][0]
    told = []
    for share in (0.25, 0.5, 0.75):
        now, seconds = next(each for each in race if each[0] >= first + share * (last - first))
        told.append(f"{'-' if seconds is None else f'{seconds:.1f}'} / {last - now:.1f}")
    print(
        f"{name:34s} {times[-1]:6.1f} s {silence:6.2f} s {last - first:6.1f} s   {'   '.join(told)}",
        flush=True,
    )


def main():
    X, _ = load_faithful()
    more = clusters(5000, 4, 6, 1.0)
    print("what                                  without        with   ratio")
    measure_cost(
        "fit, 272 x 2, k = 2", lambda f: gaussmix.fit_mixture(X, 2, random_state=0, on_progress=f), 60
    )
    measure_cost(
        "fit, 272 x 2, k = 5", lambda f: gaussmix.fit_mixture(X, 5, random_state=0, on_progress=f), 30
    )
    measure_cost(
        "fit, 5000 x 4, k = 6", lambda f: gaussmix.fit_mixture(more, 6, random_state=0, on_progress=f), 10
    )
    measure_cost("search, 272 x 2", lambda f: gaussmix.search(X, random_state=0, on_progress=f), 6)
    print(
        "\nwhat                                  whole   silence   race   left at most / left, at 1/4, 1/2, 3/4 of it"
    )
    measure_silence("fit, 300k x 16, k = 20, apart", clusters(300_000, 16, 20, 2.0), 20)
    measure_silence("fit, 300k x 16, k = 20", clusters(300_000, 16, 20, 0.7), 20)
    measure_silence("fit, 20k x 8, k = 10", clusters(20_000, 8, 10, 0.7), 10)


if __name__ == "__main__":
    main()
