"""``python -m benchmarks.best_known``: the best likelihood of each problem of the suite, by brute force.

Starts of several kinds make a few iterations of EM each. The best of them, and some drawn at random, go on to
convergence. The drawn ones show which share of the starts reaches the best. A record in best_known.json is
replaced only by a better one, or if the rows have changed.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import RandomState
from threadpoolctl import threadpool_limits

from benchmarks.judging import WITHIN, is_spurious, least_rows, least_spread
from benchmarks.real_data import Floats
from benchmarks.suite import PROBLEMS, Problem, choose_problems
from gaussmix.data.rows import Rows
from gaussmix.engines.local import LocalEngine
from gaussmix.fit.iterate.acceleration import Accelerator, make_accelerator
from gaussmix.fit.iterate.em import Run, em
from gaussmix.fit.iterate.stopping import Rule
from gaussmix.fit.mstep.maximise import Maximise
from gaussmix.fit.mstep.regularise import make_regularise
from gaussmix.fit.result import FitStatus
from gaussmix.fit.starts.table import STARTS
from gaussmix.model.covariance import NotPositiveDefiniteError, get_structure
from gaussmix.model.mixture import Mixture
from gaussmix.model.moments.statistics import Moments

FILE = Path(__file__).with_name("best_known.json")

KINDS = ("random_from_data", "k-means++", "kmeans", "responsibilities", "widths")
#: Iterations of every start.
SHORT = 20
#: Starts of highest likelihood that go on.
BEST = 100
#: Starts drawn from all that go on.
DRAWN = 100
#: Tolerance of runs that go on, in nats a row.
FINE = 1e-7
#: Tolerance of the last runs, which give the figure.
FINEST = 1e-10
#: The most iterations of either.
LONG = 3000
#: Runs that are made with the finest tolerance.
POLISHED = 10
#: Nats a row by which likelihoods of the same optimum may differ.
ROUNDING = 1e-8

Record = dict[str, Any]


@dataclass(frozen=True)
class End:
    """Where a run ended: the kind of its start, its likelihood a row, and what decides whether it counts."""

    kind: str
    likelihood: float
    mixture: Mixture
    rows: float
    spread: float

    @property
    def spurious(self) -> bool:
        return is_spurious(self.rows, self.spread, self.mixture.n_features)


class Climb:
    """EM for one problem, in the coordinates of its frame, from any start."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        X = np.ascontiguousarray(problem.X)
        self.structure = get_structure(problem.covariance, X.shape[1])
        self.engine = LocalEngine(Rows(X), self.structure)
        self.m_step = Maximise(self.structure, make_regularise("auto", self.structure, self.engine))

    def starts(self, n: int, seed: int = 0) -> Iterator[tuple[str, Mixture]]:
        """Four hierarchies, the known labels if there are any, then the other kinds in turn."""
        rng = RandomState(seed)
        for turn in range(4):
            yield (
                "agglomerative",
                self._mixture_of(*STARTS["agglomerative"](self.engine, self.problem.k, rng, turn)),
            )
        if self.problem.labels is not None:
            yield "labels", self._of(np.arange(self.problem.k)[:, None] == self.problem.labels)
        for i in range(n):
            kind = KINDS[i % len(KINDS)]
            try:
                yield kind, self._start(kind, rng)
            except NotPositiveDefiniteError:
                continue

    def run(self, kind: str, start: Mixture, tol: float, n_iter: int, accelerator: Accelerator | None) -> End:
        begun = Run(start, FitStatus.NOT_RUN, ())
        end = em(
            self.engine,
            begun,
            self.m_step,
            rule=Rule(tol),
            max_iter=n_iter,
            accelerator=accelerator,
        )
        rows = least_rows(end.mixture.weights, len(self.problem.X))
        return End(kind, end.objective, end.mixture, rows, least_spread(end.mixture.dense_covariances))

    def _start(self, kind: str, rng: RandomState) -> Mixture:
        if kind == "responsibilities":
            return self._of(rng.dirichlet(np.full(self.problem.k, 0.2), size=len(self.problem.X)).T)
        if kind == "widths":
            return self._of(self._widths(rng))
        return self._mixture_of(*STARTS[kind](self.engine, self.problem.k, rng, 0))

    def _widths(self, rng: RandomState) -> Floats:
        """Responsibilities of round Gaussians at random rows, each of a random width."""
        Z = self.engine.frame.apply(self.engine.rows.array).T
        n, d = Z.shape
        centres = Z[rng.choice(n, self.problem.k, replace=False)]
        log_widths = np.log(rng.uniform(0.03, 1.0, size=self.problem.k))
        squares = ((Z[None] - centres[:, None]) ** 2).sum(axis=2)
        joint = -0.5 * squares * np.exp(-2.0 * log_widths)[:, None] - d * log_widths[:, None]
        joint -= joint.max(axis=0)
        R = np.exp(np.maximum(joint, -200.0))
        return np.asarray(R / R.sum(axis=0))

    def _of(self, R: Floats) -> Mixture:
        given = lambda rows: np.asarray(R[:, rows], dtype=float)  # noqa: E731
        return self.m_step(self.engine.accumulate_given(given, self.problem.k), None)

    def _mixture_of(self, stats: Moments, means: Floats | None) -> Mixture:
        """The mixture of a start, with the means of its rows even where the start has chosen other means."""
        return self.m_step(stats, None)


def search(problem: Problem, restarts: int, seed: int = 0) -> Record:
    """The best of many restarts, and how hard it was to find."""
    begun = time.process_time()
    climb, rng = Climb(problem), RandomState(seed + 1)
    accelerator = make_accelerator("quasi-newton")
    short: list[End] = []
    for kind, start in climb.starts(restarts, seed):
        try:
            short.append(climb.run(kind, start, 1e-9, SHORT, None))
        except NotPositiveDefiniteError:
            continue
    drawn = set(rng.choice(len(short), min(DRAWN, len(short)), replace=False).tolist())
    ends = {
        i: climb.run(short[i].kind, short[i].mixture, FINE, LONG, accelerator)
        for i in drawn | set(choose_promising(short))
    }
    sound = [end for end in ends.values() if not end.spurious]
    if not sound:
        raise RuntimeError(f"{problem.name}: no restart ended without a component of next to no rows")
    sound.sort(key=lambda end: -end.likelihood)
    polished = [climb.run(end.kind, end.mixture, FINEST, LONG, accelerator) for end in sound[:POLISHED]]
    best = max((end for end in polished if not end.spurious), key=lambda end: end.likelihood)
    others = [end.likelihood for end in sound if end.likelihood < best.likelihood - WITHIN]
    reached = [i in drawn and is_best(end, best.likelihood) for i, end in ends.items()]
    n, d = problem.X.shape
    return {
        "name": problem.name,
        "n": n,
        "d": d,
        "k": problem.k,
        "covariance": problem.covariance,
        "fingerprint": problem.fingerprint(),
        "mean_log_likelihood": best.likelihood,
        "least_rows": round(best.rows, 2),
        "least_spread": round(best.spread, 4),
        "found_from": best.kind,
        "restarts": restarts,
        "share_that_reached_it": sum(reached) / len(drawn),
        "share_spurious": sum(ends[i].spurious for i in drawn) / len(drawn),
        "lead": best.likelihood - max(others) if others else None,
        "seconds": round(time.process_time() - begun, 1),
    }


def is_best(end: End, best: float) -> bool:
    return not end.spurious and end.likelihood > best - WITHIN


def choose_promising(ends: list[End]) -> list[int]:
    """The places of the best runs that count, each likelihood once."""
    order = sorted((i for i, end in enumerate(ends) if not end.spurious), key=lambda i: -ends[i].likelihood)
    distinct = [
        i
        for at, i in enumerate(order)
        if at == 0 or ends[order[at - 1]].likelihood - ends[i].likelihood > 1e-9
    ]
    return distinct[:BEST]


def read_stored(file: Path = FILE) -> dict[str, Record]:
    """The stored records, by the names of the problems."""
    if not file.exists():
        return {}
    return {record["name"]: record for record in json.loads(file.read_text(encoding="utf-8"))}


def store(record: Record, file: Path = FILE) -> bool:
    """Store a record, unless a better one of the same rows is stored. Returns whether it was stored."""
    known = read_stored(file)
    before = known.get(record["name"])
    same = before is not None and before["fingerprint"] == record["fingerprint"]
    if same and not record["mean_log_likelihood"] > before["mean_log_likelihood"] + ROUNDING:
        return False
    known[record["name"]] = record
    in_order = [known[problem.name] for problem in PROBLEMS if problem.name in known]
    file.write_text(json.dumps(in_order, indent=1) + "\n", encoding="utf-8")
    return True


def print_table() -> None:
    """Print the stored records as the table of docs/optima.md."""
    print("| problem | n | d | k | covariances | best | restarts | next | rows |")
    print("|---|---:|---:|---:|---|---:|---:|---:|---:|")
    known = read_stored()
    for problem in PROBLEMS:
        if problem.name not in known:
            continue
        record = known[problem.name]
        share, lead = record["share_that_reached_it"], record["lead"]
        cells = [problem.data, record["n"], record["d"], problem.k, problem.covariance]
        cells += [f"{record['mean_log_likelihood']:.5f}", f"{share:.0%}" if share else "under 1%"]
        cells += ["none" if lead is None else f"{lead:.1g}", f"{record['least_rows']:.0f}"]
        print("| " + " | ".join(map(str, cells)) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.best_known", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="TEXT", help="problems whose name has one of these")
    parser.add_argument("--restarts", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0, help="another one makes other restarts")
    parser.add_argument("--missing", action="store_true", help="only problems that nothing is stored of")
    parser.add_argument("--table", action="store_true", help="only print what is stored")
    options = parser.parse_args()
    if options.table:
        print_table()
        return
    known = read_stored()
    for problem in choose_problems(options.only):
        before = known.get(problem.name)
        if options.missing and before and before["fingerprint"] == problem.fingerprint():
            continue
        with threadpool_limits(1):  # in calls as short as these, threads only wait for each other
            record = search(problem, options.restarts, options.seed)
        kept = store(record)
        print("" if kept else "no better than what is stored: ", end="")
        print(json.dumps(record), flush=True)


if __name__ == "__main__":
    main()
