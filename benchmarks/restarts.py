"""``python -m benchmarks.restarts``: iterations of several restarts side by side, and one by one.

Both begin at the same mixtures and alternate. Medians are compared, and the likelihoods have to agree.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np

from benchmarks.cases import Case, Floats, make_problem
from gaussmix._threads import hold_blas_to_one_thread
from gaussmix.data.rows import Rows
from gaussmix.engines.local import LocalEngine
from gaussmix.fit.iterate.stack import em_together
from gaussmix.fit.mstep.maximise import Maximise
from gaussmix.fit.mstep.regularise import make_regularise
from gaussmix.fit.starts.table import STARTS
from gaussmix.model.covariance import get_structure

CASES = ((200_000, 8, 3), (200_000, 8, 16), (200_000, 2, 5), (20_000, 4, 4), (272, 2, 3))
ITERATIONS = 10


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.restarts", description=__doc__)
    parser.add_argument("--restarts", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    print(f"| n, d, k | {options.restarts} one by one, ms | together, ms | share |")
    print("|---|---:|---:|---:|")
    for n, d, k in CASES:
        X = make_problem(Case(n, d, k, "full", "float64")).X
        apart, joint = measure(X, k, options.restarts, options.repeats)
        print(f"| {n}, {d}, {k} | {apart:.1f} | {joint:.1f} | {joint / apart:.0%} |", flush=True)


def measure(X: Floats, k: int, restarts: int, repeats: int) -> tuple[float, float]:
    """Milliseconds of the iterations one by one, and side by side."""
    structure = get_structure("full")
    engine = LocalEngine(Rows(X), structure)
    m_step = Maximise(structure, make_regularise("auto", structure, engine))
    rng = np.random.RandomState(0)
    begun = []
    for turn in range(restarts):
        stats, means = STARTS["random_from_data"](engine, k, rng, turn)
        begun.append(m_step(stats).replace(means=means))
    times: tuple[list[float], list[float]] = ([], [])
    with hold_blas_to_one_thread():
        for _ in range(repeats + 1):  # the first of each is not counted
            ends = []
            for stacks, kept in zip(([[m] for m in begun], [begun]), times, strict=True):
                start = time.perf_counter()
                runs = [run for s in stacks for run in em_together(engine, s, m_step, max_iter=ITERATIONS)]
                kept.append(1e3 * (time.perf_counter() - start))
                ends.append([run.history[-1] for run in runs])
            np.testing.assert_allclose(*ends, rtol=1e-9)
    return statistics.median(times[0][1:]), statistics.median(times[1][1:])


if __name__ == "__main__":
    main()
