"""``python -m benchmarks.versions FOLDER``: this version beside the source of another.

Two processes, one for each source, measure in turn: the same rows and the same start, a short fit, a long
one and a whole one by default. Ratios are of medians: this version's over the other's. One thread and
processor time are the default, since neighbours on the machine disturb these least.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from benchmarks.cases import CASES, Case, make_problem

ROOT = Path(__file__).parents[1]
#: Iterations of a short fit.
SHORT = 1
#: Seconds that one measurement of a pair should take at least.
LEAST_SECONDS = 0.15


class Worker:
    """A process that imports gaussmix from one folder and measures what it is asked for."""

    def __init__(self, source: Path, threads: int) -> None:
        names = ("GAUSSMIX_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        paths = os.pathsep.join([str(source), str(ROOT)])
        environment = {**os.environ, **dict.fromkeys(names, str(threads)), "PYTHONPATH": paths}
        command = [sys.executable, "-m", "benchmarks.versions", "--work"]
        self.process = subprocess.Popen(
            command, env=environment, cwd=source, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def measure(self, **asked: Any) -> float:
        """Seconds of one call."""
        assert self.process.stdin is not None and self.process.stdout is not None
        print(json.dumps(asked), file=self.process.stdin, flush=True)
        return float(json.loads(self.process.stdout.readline()))

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def work() -> None:
    """Answer requests, one a line, with seconds."""
    import gaussmix

    warnings.simplefilter("ignore")
    problem, start = None, None
    for line in sys.stdin:
        asked = json.loads(line)
        case = Case(*asked["case"])
        if problem is None or problem.case != case:
            problem = make_problem(case)
            model = gaussmix.GaussianMixture(
                case.k,
                covariance_type=case.covariance,
                weights_init=problem.weights,
                means_init=problem.means,
                precisions_init=problem.precisions,
                max_iter=1,
            )
            start = model.fit(problem.X).mixture_  # loads and compiles, too
        clock = time.perf_counter if asked["wall"] else time.process_time
        options: dict[str, Any] = {"covariance_type": case.covariance, "random_state": 0}
        if asked["iterations"] is not None:
            options |= {"start": start, "tol": 0.0, "acceleration": None, "max_iter": asked["iterations"]}
        begin = clock()
        for _ in range(asked["times"]):
            gaussmix.fit_mixture(problem.X, case.k, **options)
        print((clock() - begin) / asked["times"], flush=True)


def compare(case: Case, workers: list[Worker], repeats: int, iterations: int, *, wall: bool) -> list[str]:
    """A row: ratios of an iteration, of all but the iterations, and of a whole fit by default."""
    asked = {"case": (case.n, case.d, case.k, case.covariance, case.dtype), "wall": wall}
    kinds = {"short": SHORT, "long": SHORT + iterations}
    if case.n * case.k * case.d**2 < 4e6:
        kinds["whole"] = None
    times = {
        kind: max(1, round(LEAST_SECONDS / workers[0].measure(**asked, iterations=number, times=1)))
        for kind, number in kinds.items()
    }
    found: dict[str, list[list[float]]] = {kind: [[], []] for kind in kinds}
    for turn in range(repeats):
        for kind, number in kinds.items():
            for place in (0, 1) if turn % 2 else (1, 0):  # each is the first as often as the other
                seconds = workers[place].measure(**asked, iterations=number, times=times[kind])
                found[kind][place].append(seconds)
    medians = {kind: [statistics.median(each) for each in both] for kind, both in found.items()}
    iteration = [(medians["long"][i] - medians["short"][i]) / iterations for i in range(2)]
    fixed = [medians["short"][i] - (SHORT + 1) * iteration[i] for i in range(2)]
    cells = [case.name, show(iteration), show(fixed)]
    return [*cells, show(medians["whole"]) if "whole" in medians else ""]


def show(seconds: list[float]) -> str:
    """Milliseconds of the other version and of this one, and their ratio."""
    return f"{1e3 * seconds[1]:.3f} -> {1e3 * seconds[0]:.3f} ({seconds[0] / seconds[1]:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.versions", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="the src folder of the other version")
    parser.add_argument("--rows", nargs="+", metavar="TEXT", help="only rows whose name has one of these")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--wall", action="store_true", help="wall clock in place of processor time")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work()
        return
    if options.folder is None:
        parser.error("the folder of the other version is missing")
    sources = (ROOT / "src", options.folder.resolve())
    print("| row | an iteration, ms | all but the iterations, ms | a fit by default, ms |\n|---|---|---|---|")
    for case in CASES:
        if options.rows and not any(text in case.name for text in options.rows):
            continue
        workers = [Worker(source, options.threads) for source in sources]
        iterations = 40 if case.n < 1000 else 5
        cells = compare(case, workers, options.repeats, iterations, wall=options.wall)
        print(f"| {' | '.join(cells)} |", flush=True)
        for worker in workers:
            worker.close()


if __name__ == "__main__":
    main()
