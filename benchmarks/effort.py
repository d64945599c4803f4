"""``python -m benchmarks.effort``: how often starts and budgets end at the best known, and in what time.

The problems, and what counts as the best known, are those of `benchmarks.optima`. On one thread (the default)
seconds are processor time. Times are sums, over problems, of the median over seeds. Ratios are of those sums;
geometric means over problems stand in brackets.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.contenders import Contender, gaussmix_fit, sklearn_fit
from benchmarks.optima import Summary, known_problems, measure
from benchmarks.pages import update
from benchmarks.threads import run_with_threads

#: Values of `init_params`: starts by name, and the race with all of its budgets.
STARTS = ("kmeans", "k-means++", "random_from_data", "fast", "auto", "thorough")
ONE, TEN = "scikit-learn", "scikit-learn, n_init=10"


def contenders() -> list[Contender]:
    """gaussmix from each of `STARTS` and from ten starts of k-means; scikit-learn from one and from ten."""
    found = [Contender(f"init_params={s}", partial(gaussmix_fit, init_params=s)) for s in STARTS]
    found.append(
        Contender("init_params=kmeans, n_init=10", partial(gaussmix_fit, init_params="kmeans", n_init=10))
    )
    return [*found, Contender(ONE, sklearn_fit), Contender(TEN, partial(sklearn_fit, n_init=10))]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.effort", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="TEXT", help="problems whose name has one of these")
    parser.add_argument("--methods", nargs="+", metavar="TEXT", help="only what has one of these in its name")
    parser.add_argument("--seeds", type=int, default=10, help="fits of each (default 10)")
    parser.add_argument("--threads", type=int, default=1, help="of all programs (default 1)")
    parser.add_argument("--update", type=Path, metavar="FILE", help="a page whose table is replaced")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write shares and times by problem")
    return parser.parse_args()


def table(found: dict[str, dict[str, Summary]]) -> Iterator[str]:
    """A line for each contender, from its summaries of each problem."""
    yield f"| | reached | least | does not count | s in all | to {ONE} | to its n_init=10 |"
    yield "|---" + "|---:" * 6 + "|"
    for name, by_problem in found.items():
        summaries = by_problem.values()
        reached = [summary.reached for summary in summaries]
        cells = [f"{statistics.fmean(reached):.0%}", f"{min(reached):.0%}"]
        cells.append(f"{statistics.fmean(summary.spurious for summary in summaries):.0%}")
        cells.append(f"{total(by_problem):.2f}")
        cells += [ratios(by_problem, found[other]) if other in found else "" for other in (ONE, TEN)]
        yield f"| {name} | {' | '.join(cells)} |"


def total(by_problem: dict[str, Summary]) -> float:
    return sum(summary.seconds for summary in by_problem.values())


def ratios(ours: dict[str, Summary], theirs: dict[str, Summary]) -> str:
    """The ratio of the sums of seconds, and the geometric mean of the ratios of each problem."""
    each = statistics.geometric_mean(ours[name].seconds / theirs[name].seconds for name in ours)
    return f"{total(ours) / total(theirs):.2f} ({each:.2f})"


def main() -> int:
    options = arguments()
    status = run_with_threads("benchmarks.effort", options.threads)
    if status is not None:
        return status
    clock = time.process_time if options.threads == 1 else time.perf_counter
    chosen = [replace(contender, clock=clock) for contender in contenders()]
    if options.methods:
        chosen = [c for c in chosen if any(text in c.name for text in options.methods)]
    found: dict[str, dict[str, Summary]] = {contender.name: {} for contender in chosen}
    for problem, record in known_problems(options.only):
        columns = measure(problem, chosen, options.seeds)
        for name, column in columns.items():
            found[name][problem.name] = Summary.of(column, record["mean_log_likelihood"])
        shares = ", ".join(f"{found[name][problem.name].reached:.0%}" for name in columns)
        print(f"{problem.name}: {shares}", file=sys.stderr, flush=True)
    lines = list(table(found))
    print("\n".join(lines))
    if options.update:
        update(options.update, "effort", lines)
    if options.json:
        plain = {name: {p: vars(s) for p, s in by.items()} for name, by in found.items()}
        options.json.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
