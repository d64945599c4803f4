"""What progress costs, and how good its estimates of time are: python -m benchmarks.progress

The first table has the part of a fit that goes into showing its iterations. The second has, for fits of
large data, the longest silence between two calls, and the time that a race said was left, beside the truth.
"""

from __future__ import annotations

import time

import numpy as np

import gaussmix
from gaussmix._progress import ProgressPrinter, TimeLeft
from gaussmix.datasets import load_faithful
from gaussmix.fit.iterate import em
from gaussmix.fit.race.showing import RACE


def clusters(n, d, k, spread, seed=0):
    """Rows around k centres."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(k, d)) * spread
    return centres[rng.integers(k, size=n)] + rng.normal(size=(n, d))


def measure_cost(name, X, k, repeats=7):
    """The part of a fit that goes into showing, timed where it is shown.

    The ratio of whole fits says nothing: on a machine that does other work it varies by a tenth either way.
    """
    show_runs, spent = em._show_runs, []

    def timed(*arguments):
        begin = time.perf_counter()
        show_runs(*arguments)
        spent.append(time.perf_counter() - begin)

    printer = ProgressPrinter(lambda line: None)
    for what, callback in {"none": None, "function": lambda progress: False, "printer": printer}.items():
        best = (np.inf, 0, 1.0)
        em._show_runs = timed
        try:
            for _ in range(repeats):
                spent.clear()
                begin = time.perf_counter()
                gaussmix.fit_mixture(X, k, random_state=0, on_progress=callback)
                best = min(best, (sum(spent), len(spent), time.perf_counter() - begin))
        finally:
            em._show_runs = show_runs
        cost, n, whole = best
        print(
            f"{name:20s} {what:10s} {n:6d} {1e6 * cost / n:8.1f} us {100 * cost / whole:7.2f} %", flush=True
        )


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
    print("what                 callback   iterations    each    of the fit")
    measure_cost("272 x 2, k = 5", load_faithful()[0], 5)
    measure_cost("5000 x 4, k = 6", clusters(5000, 4, 6, 1.0), 6)
    print(
        "\nwhat                                  whole   silence   race   said / left, at 1/4, 1/2, 3/4 of it"
    )
    measure_silence("fit, 300k x 16, k = 20, apart", clusters(300_000, 16, 20, 2.0), 20)
    measure_silence("fit, 300k x 16, k = 20", clusters(300_000, 16, 20, 0.7), 20)
    measure_silence("fit, 20k x 8, k = 10", clusters(20_000, 8, 10, 0.7), 10)


if __name__ == "__main__":
    main()
