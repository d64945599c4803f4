"""``python -m benchmarks.optima``: how often a fit ends at the best known likelihood, and how long it takes.

A fit has reached it if it ends within 1e-4 nats a row. A fit does not count if a component has fewer than
d + 1 effective rows, or is thinner than a hundredth of the spread of all rows. Settings are each program's
defaults but for the number of starts (sklearn-10: n_init=10). Contenders alternate, seed by seed. mclust,
which has no seeds, makes one fit.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.best_known import Record, read_stored, store
from benchmarks.contenders import CONTENDERS, Contender, Outcome, mclust
from benchmarks.judging import WITHIN
from benchmarks.suite import Problem, choose_problems

DEFAULT = ("gaussmix", "sklearn-1", "sklearn-10", "sklearn-50", "mclust")
NAMES = (*(contender.name for contender in CONTENDERS), "mclust")
#: Nats a row by which a likelihood is better than the best known, and not the same to rounding.
BETTER = 1e-6

Column = list[Outcome]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.optima", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="TEXT", help="problems whose name has one of these")
    parser.add_argument("--seeds", type=int, default=50, help="fits of each (of many starts: a fifth)")
    parser.add_argument("--methods", nargs="+", choices=NAMES, default=list(DEFAULT))
    parser.add_argument(
        "--keep", action="store_true", help="store likelihoods that are better than the known"
    )
    return parser.parse_args()


def known_problems(only: list[str] | None) -> list[tuple[Problem, Record]]:
    """The problems with their stored records; those whose rows have changed are left out."""
    known, found = read_stored(), []
    for problem in choose_problems(only):
        record = known.get(problem.name)
        if record is None or record["fingerprint"] != problem.fingerprint():
            print(f"left out: {problem.name} (run python -m benchmarks.best_known --only '{problem.name}')")
        else:
            found.append((problem, record))
    return found


def measure(problem: Problem, contenders: list[Contender], n_seeds: int) -> dict[str, Column]:
    """The fits of all seeds by all contenders, in turn."""
    columns: dict[str, Column] = {contender.name: [] for contender in contenders}
    for contender in contenders:
        if not contender.few:
            contender(problem, 0)  # compiles and warms up
    for seed in range(n_seeds):
        for contender in contenders:
            if seed in contender.seeds(n_seeds):
                columns[contender.name].append(contender(problem, seed))
    return columns


@dataclass(frozen=True)
class Summary:
    """The share of fits that reached the best, of those that do not count, and median seconds."""

    reached: float
    spurious: float
    seconds: float

    @classmethod
    def of(cls, column: Column, best: float) -> Summary:
        return cls(
            statistics.fmean(outcome.reaches(best) for outcome in column),
            statistics.fmean(not outcome.sound for outcome in column),
            statistics.median(outcome.seconds for outcome in column),
        )


def totals(by_contender: list[list[Summary]]) -> dict[str, list[str]]:
    """The last lines of the table."""
    rows: dict[str, list[str]] = {
        "mean share, sum of seconds": [],
        "least share": [],
        "mean share spurious": [],
    }
    for summaries in by_contender:
        reached = [summary.reached for summary in summaries]
        took = sum(summary.seconds for summary in summaries)
        spurious = statistics.fmean(summary.spurious for summary in summaries)
        cells = f"{statistics.fmean(reached):.0%}, {took:.2f}", f"{min(reached):.0%}", f"{spurious:.0%}"
        for row, cell in zip(rows.values(), cells, strict=True):
            row.append(cell)
    return rows


def line(cells: Iterable[object]) -> None:
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def report_better(problem: Problem, record: Record, columns: dict[str, Column], *, keep: bool) -> None:
    """Print where a fit is better than the best known, and store it with `keep`."""
    sound = [(o, name) for name, column in columns.items() for o in column if o.sound]
    best, name = max(sound, key=lambda pair: pair[0].likelihood, default=(Outcome(0.0), ""))
    gain = best.likelihood - record["mean_log_likelihood"]
    if not gain > BETTER:
        return
    print(f"{problem.name}: {name} is better than the best known by {gain:.2g} ({best.rows:.1f} rows)")
    if keep:
        found: Record = {"mean_log_likelihood": best.likelihood, "found_from": name}
        found |= {"least_rows": round(best.rows, 2), "least_spread": round(best.spread, 4)}
        if gain > WITHIN:  # none of the restarts reached this one
            found |= {"share_that_reached_it": 0.0, "lead": gain}
        store(record | found)


def main() -> None:
    options = arguments()
    problems = known_problems(options.only)
    contenders = [contender for contender in CONTENDERS if contender.name in options.methods]
    names = [contender.name for contender in contenders]
    by_mclust = mclust([problem for problem, _ in problems]) if "mclust" in options.methods else None
    if by_mclust is not None:
        names.append("mclust")
    elif "mclust" in options.methods:
        print("left out: mclust (install R and its package mclust)")
    line(["problem", "n", "d", "k", "covariances", *(f"{name}: reached, s" for name in names)])
    line(["---", *["---:"] * 3, "---", *["---:"] * len(names)])
    of_all: dict[str, list[Summary]] = {name: [] for name in names}
    for i, (problem, record) in enumerate(problems):
        columns = measure(problem, contenders, options.seeds)
        if by_mclust is not None:
            columns["mclust"] = [by_mclust[i]]
        for name, column in columns.items():
            of_all[name].append(Summary.of(column, record["mean_log_likelihood"]))
        cells = [f"{of_all[name][-1].reached:.0%}, {of_all[name][-1].seconds:.3f}" for name in names]
        line([problem.data, *problem.X.shape, problem.k, problem.covariance, *cells])
        report_better(problem, record, columns, keep=options.keep)
    for text, cells in totals([of_all[name] for name in names]).items():
        line([text, *[""] * 4, *cells])


if __name__ == "__main__":
    main()
