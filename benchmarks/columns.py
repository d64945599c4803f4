"""``python -m benchmarks.columns``: default fits of hundreds of real columns, k = 2, beside two plainer fits.

The fits are gaussmix's default, gaussmix with ``init_params="kmeans"`` and otherwise the same, and
scikit-learn's default. The table has how far the default is below either, in nats a row, how often its
components coincide (means within 1e-3 spreads of the column, spreads within 1 %), and how often it had
advice.

A spike raises the likelihood without bound and says nothing. A fit has a spike if a component has fewer than
3 rows (or d + 1, if that is more), or is thinner than a hundredth of the column's spread with fewer than
5 (d + 1) rows. Columns whose better fit has a spike are counted separately. So are columns where both fits
have a heap of many equal rows, and scikit-learn's is thinner than gaussmix's floor allows. If only one fit
has a heap, its likelihood counts.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.columns_data import Column, columns
from benchmarks.defaults import settings
from benchmarks.real_data import Floats
from benchmarks.threads import THREADS

#: Nats a row by which a fit is lower, for each line of the table.
LOWER = (0.05, 1e-3, 1e-6)
#: A component of fewer rows than this, or than d + 1, is a spike.
ROWS = 3
#: A thin component of fewer rows than this times d + 1 is a spike.
SPIKE_ROWS = 5
#: Standard deviations, in those of the rows, under which a component is thin.
THIN = 1e-2
#: Standard deviations, in those of the rows, under which a component is a heap of equal rows.
HEAP = 1e-3
#: The least standard deviation that gaussmix allows. A fixed ridge can allow less, for a higher likelihood.
FLOOR = 0.99e-5
#: Difference of the means of components that coincide, in spreads of the rows.
SAME_MEAN = 1e-3
#: Relative difference of the spreads of components that coincide.
SAME_SPREAD = 1e-2

FITS = ("default", "kmeans", "scikit-learn")


@dataclass(frozen=True)
class Fit:
    """The outcome of a fit. A fit that failed has the score minus infinity."""

    score: float = -math.inf
    rows: float = 0.0
    spread: float = 0.0
    spike: bool = False
    coincide: bool = False
    advice: str = ""
    n_warnings: int = 0
    seconds: float = 0.0
    failed: str = ""


@dataclass(frozen=True)
class Case:
    """The fits to one table, and its name."""

    name: str
    n: int
    values: int
    fits: dict[str, Fit]

    def below(self, other: str) -> float:
        """How much lower the default is than another fit; negative where it is higher."""
        ours, theirs = self.fits["default"], self.fits[other]
        if math.isinf(theirs.score):
            return -math.inf
        return theirs.score - ours.score

    def by_a_spike(self, other: str) -> bool:
        return self.fits[other].spike

    def by_a_lower_floor(self, other: str) -> bool:
        """Whether the other fit has a heap thinner than gaussmix allows, and the default one at its floor."""
        theirs, ours = self.fits[other], self.fits["default"]
        thinner = theirs.spread < FLOOR and ours.spread < HEAP
        return other == "scikit-learn" and thinner and not theirs.spike

    def by_a_heap(self, other: str) -> bool:
        """Whether the other fit has a component on equal rows, and the default none."""
        return not self.fits[other].spike and self.fits[other].spread < HEAP <= self.fits["default"].spread


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.columns", description=__doc__)
    parser.add_argument("--limit", type=int, default=600, help="columns (default 600)")
    parser.add_argument("--jobs", type=int, default=1, help="processes side by side, of one thread each")
    parser.add_argument("--only", nargs="+", metavar="TEXT", help="columns whose name has one of these")
    parser.add_argument("-k", type=int, default=2, help="components (default 2)")
    parser.add_argument("--family", default="full", help="covariance type (default full)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="NAME=VALUE", help="parameters of the default"
    )
    parser.add_argument("--laws", action="store_true", help="the small tables of the tests instead")
    parser.add_argument("--worst", type=int, default=20, help="how many of the worst to list (default 20)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every fit")
    return parser.parse_args()


def describe(model: Any, X: Floats, seconds: float, found: list[Any]) -> Fit:
    """The figures of a fitted model of either program."""
    n, d = X.shape
    k = len(model.weights_)
    spread = X.std(axis=0, dtype=np.float64)
    spread[spread == 0.0] = 1.0
    C = dense(model, k, d) / np.outer(spread, spread)
    thin = np.sqrt(np.maximum(np.linalg.eigvalsh(C)[:, 0], 0.0))
    rows = np.asarray(model.weights_) * n
    few = (rows < max(ROWS, d + 1)) | ((thin < THIN) & (rows < SPIKE_ROWS * (d + 1)))
    # Where components share one covariance, one on a single row does not raise the likelihood without bound.
    flawed = few & (model.covariance_type != "tied")
    means, variances = model.means_ / spread, np.einsum("kii->ki", C)
    same = any(
        np.all(np.abs(means[i] - means[j]) < SAME_MEAN)
        and np.all(np.abs(np.log(variances[i] / variances[j])) < 2.0 * SAME_SPREAD)
        for i, j in combinations(range(k), 2)
    )
    advice = getattr(getattr(model, "fit_result_", None), "advice", "")
    score = float(model.score(X))
    return Fit(
        score, float(rows.min()), float(thin.min()), bool(flawed.any()), same, advice, len(found), seconds
    )


def dense(model: Any, k: int, d: int) -> Floats:
    """Covariances as matrices (k, d, d), from the shape that scikit-learn uses for each family."""
    C = np.asarray(model.covariances_, dtype=np.float64)
    if model.covariance_type == "spherical":
        return np.asarray(C[:, None, None] * np.eye(d))
    if model.covariance_type == "diag":
        return np.asarray(C[:, :, None] * np.eye(d))
    return np.array(np.broadcast_to(C, (k, d, d)))


def fit(which: str, X: Floats, k: int, family: str, seed: int, options: dict[str, Any]) -> Fit:
    import sklearn.mixture

    import gaussmix

    kind = sklearn.mixture.GaussianMixture if which == "scikit-learn" else gaussmix.GaussianMixture
    more = {"default": options, "kmeans": options | {"init_params": "kmeans"}, "scikit-learn": {}}[which]
    begin = time.perf_counter()
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        try:
            model = kind(k, covariance_type=family, random_state=seed, **more).fit(X)
        except ValueError as error:
            return Fit(failed=str(error), seconds=time.perf_counter() - begin)
        seconds = time.perf_counter() - begin
        return describe(model, X, seconds, list(found))


def compare(task: tuple[str, Floats, int, str, int, dict[str, Any]]) -> Case:
    name, X, *how = task
    fits = {which: fit(which, X, *how) for which in FITS}
    return Case(name, len(X), len(np.unique(X, axis=0)), fits)


def tasks(options: argparse.Namespace) -> list[tuple[str, Floats, int, str, int, dict[str, Any]]]:
    found: list[tuple[str, Floats, int]]
    if options.laws:
        from tests.laws.never_worse_data import tables

        found = tables()
    else:
        found = [(name, x, options.k) for name, x in _choose_columns(options)]
    if options.only:
        found = [task for task in found if any(text in task[0] for text in options.only)]
    more = settings(options.set)
    return [(name, X, k, options.family, options.seed, more) for name, X, k in found]


def _choose_columns(options: argparse.Namespace) -> list[Column]:
    return list(columns(options.limit))


def report(cases: list[Case], n_worst: int) -> None:
    n = len(cases)
    defaults = [case.fits["default"] for case in cases]
    print(f"{n} tables; seconds in all: " + ", ".join(f"{f} {total(cases, f):.1f}" for f in FITS))
    print(f"default failed: {sum(bool(fit.failed) for fit in defaults)}")
    print("\n| fit | components coincide | has a spike | has a heap | with advice | with warnings |")
    print("|---|---:|---:|---:|---:|---:|")
    for which in FITS:
        fits = [case.fits[which] for case in cases]
        counts = (
            sum(fit.coincide for fit in fits),
            sum(fit.spike for fit in fits),
            sum(not fit.spike and fit.spread < HEAP for fit in fits),
            sum(bool(fit.advice) for fit in fits),
            sum(fit.n_warnings > 0 for fit in fits),
        )
        print(f"| {which} | " + " | ".join(map(str, counts)) + " |")
    print("\n| the default is below | by more than | columns | of these, by a heap ", end="")
    print("| besides, by a spike | by a lower floor |")
    print("|---|---:|---:|---:|---:|---:|")
    for other in FITS[1:]:
        for least in LOWER:
            lower = [case for case in cases if case.below(other) > least]
            spikes = sum(case.by_a_spike(other) for case in lower)
            heaps = sum(case.by_a_heap(other) for case in lower)
            floors = sum(case.by_a_lower_floor(other) for case in lower)
            rest = len(lower) - spikes - floors
            print(f"| {other} | {least:g} | {rest} | {heaps} | {spikes} | {floors} |")
    for other in FITS[1:]:
        worst = sorted((c for c in cases if c.below(other) > LOWER[-1]), key=lambda c: -c.below(other))
        if worst:
            print(f"\nfurthest below {other} (spread and rows: of the least component)")
            print("| table | n | values | below | spread, rows | other's spread, rows | notes |")
            print("|---|---:|---:|---:|---:|---:|---|")
        for case in worst[:n_worst]:
            print(line(case, other))


def line(case: Case, other: str) -> str:
    ours, theirs = case.fits["default"], case.fits[other]
    notes = ["a spike"] if theirs.spike else []
    notes += ["a heap"] if case.by_a_heap(other) else []
    notes += ["a lower floor"] if case.by_a_lower_floor(other) else []
    notes += ["ours a spike"] if ours.spike else []
    notes += ["coincide"] if ours.coincide else []
    notes += ["advice"] if ours.advice else []
    return (
        f"| {case.name} | {case.n} | {case.values} | {case.below(other):.4g} "
        f"| {ours.spread:.2g}, {ours.rows:.1f} | {theirs.spread:.2g}, {theirs.rows:.1f} "
        f"| {', '.join(notes)} |"
    )


def total(cases: list[Case], which: str) -> float:
    return sum(case.fits[which].seconds for case in cases)


def main() -> None:
    options = arguments()
    todo = tasks(options)
    os.environ |= dict.fromkeys(THREADS, "1")  # the processes started below read them
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.jobs, mp_context=fresh) as pool:
        cases = list(pool.map(compare, todo, chunksize=4))
    report(cases, options.worst)
    if options.json:
        text = json.dumps([asdict(case) for case in cases], indent=1)
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
