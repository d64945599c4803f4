"""``python -m benchmarks.mclust_cells``: default fits of every model that R's mclust has a BIC for.

A folder has NAME.csv, a table with one line of names, and NAME_BIC.csv, mclust's BIC of each model (columns)
and number of components (rows). mclust's BIC has twice the log-likelihood in it, so that higher is better.
Each cell is fitted once, ``GaussianMixture(k, covariance_type=model, random_state=seed).fit(X)``. Cells where
mclust gave up are left out. Both programs count the same parameters, so half of a difference of BIC is a
difference of log-likelihoods.

A cell is reached if our log-likelihood of all rows is lower by no more than 1e-3 nats, as in
`benchmarks.mclust`. The number within 0.05, the size of mclust's own last steps, stands beside it. A fit with
a collapsed component reaches no cell. No R is needed.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import multiprocessing
import os
import statistics
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.defaults import settings
from benchmarks.real_data import Floats
from benchmarks.threads import THREADS

#: Nats of all rows together by which ours may be lower and count as reaching mclust's.
EXACT = 1e-3
#: The same to count as near: about the gain of mclust's own last steps.
NEAR = 0.05
FOLDER = Path("../shared/data/mclust")


@dataclass(frozen=True)
class Cell:
    """A fit beside mclust's: `below` is how many nats, of all rows together, ours is lower."""

    data: str
    model: str
    k: int
    below: float
    seconds: float
    collapsed: bool
    advice: str

    def reached(self, within: float) -> bool:
        return self.below <= within and not self.collapsed


Task = tuple[str, Floats, str, int, float, int, dict[str, Any]]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mclust_cells", description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"default {FOLDER}")
    parser.add_argument("--data", nargs="+", metavar="NAME", help="only these sets")
    parser.add_argument("--models", nargs="+", metavar="NAME", help="only these models")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE", help="parameters of the fits")
    parser.add_argument("--jobs", type=int, default=1, help="processes side by side, of one thread each")
    parser.add_argument("--worst", type=int, default=20, help="how many of the worst to list (default 20)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every cell")
    return parser.parse_args()


def tables(folder: Path) -> dict[str, tuple[Floats, dict[tuple[str, int], float]]]:
    """The rows of each set, and mclust's BIC of each cell."""
    found = {}
    for path in sorted(folder.glob("*_BIC.csv")):
        name = path.name.removesuffix("_BIC.csv")
        X = np.loadtxt(folder / f"{name}.csv", delimiter=",", skiprows=1, ndmin=2)
        head, *lines = csv.reader(path.open(encoding="utf-8"))
        bic = {
            (model, int(line[0])): float(value)
            for line in lines
            for model, value in zip(head[1:], line[1:], strict=True)
            if value not in ("", "NA")
        }
        found[name] = X, bic
    if not found:
        raise SystemExit(f"no NAME_BIC.csv in {folder}; say where with --folder")
    return found


def fit(task: Task) -> Cell:
    name, X, model, k, theirs, seed, more = task
    from gaussmix import GaussianMixture

    begin = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = GaussianMixture(k, covariance_type=model, random_state=seed, **more).fit(X).fit_result_
        except ValueError as error:
            return Cell(name, model, k, math.inf, time.perf_counter() - begin, True, str(error))
    seconds = time.perf_counter() - begin
    collapsed = bool(found.collapsed) or found.status == "degenerate"
    return Cell(name, model, k, (theirs + found.bic) / 2.0, seconds, collapsed, found.advice)


def report(cells: list[Cell], n_worst: int) -> None:
    print("| data | cells | reached | within 0.05 | worst | median of those lower | collapsed | s |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(cell.data, []).append(cell)
    for name, group in (groups | {"all": cells}).items():
        n = len(group)
        lower = [cell.below for cell in group if not cell.reached(EXACT)]
        shares = " | ".join(f"{m} ({m / n:.1%})" for m in (count(group, EXACT), count(group, NEAR)))
        worst = f"{max(lower):.3g} | {statistics.median(lower):.3g}" if lower else "|"
        collapsed = sum(cell.collapsed for cell in group)
        seconds = sum(cell.seconds for cell in group)
        print(f"| {name} | {n} | {shares} | {worst} | {collapsed} | {seconds:.1f} |")
    by_model: dict[str, list[Cell]] = {}
    for cell in cells:
        by_model.setdefault(cell.model, []).append(cell)
    shares = "; ".join(f"{model} {count(group, EXACT)}/{len(group)}" for model, group in by_model.items())
    print(f"\nreached, by model: {shares}")
    worst_cells = sorted((c for c in cells if not c.reached(EXACT)), key=lambda c: -c.below)[:n_worst]
    if worst_cells:
        print("\n| lower: data, model, k | nats of all rows | |\n|---|---:|---|")
    for cell in worst_cells:
        note = "collapsed" if cell.collapsed else "advice" if cell.advice else ""
        print(f"| {cell.data}, {cell.model}, {cell.k} | {cell.below:.4g} | {note} |")


def count(cells: list[Cell], within: float) -> int:
    return sum(cell.reached(within) for cell in cells)


def main() -> None:
    options = arguments()
    more = settings(options.set)
    todo: list[Task] = [
        (name, X, model, k, value, options.seed, more)
        for name, (X, bic) in tables(options.folder).items()
        for (model, k), value in bic.items()
        if options.data is None or name in options.data
        if options.models is None or model in options.models
    ]
    os.environ |= dict.fromkeys(THREADS, "1")  # the processes started below read them
    begin = time.perf_counter()
    with ProcessPoolExecutor(options.jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        cells = list(pool.map(fit, todo, chunksize=4))
    report(cells, options.worst)
    print(f"\n{time.perf_counter() - begin:.1f} s with {options.jobs} processes")
    if options.json:
        options.json.write_text(
            json.dumps([asdict(cell) for cell in cells], indent=1) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
