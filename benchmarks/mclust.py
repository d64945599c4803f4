"""``python -m benchmarks.mclust``: the fourteen models with 1 to 9 components beside R's mclust.

The times are of sweeps that begin at the same hierarchy and stop by the same change of the likelihood. Sweeps
alternate, and medians are compared. mclust stops before the optimum, and gaussmix by the same rule at another
point on the way. So the cells that are as good as mclust's are counted in a thorough sweep, of three
hierarchies and with a tenth of that change. The benchmark needs Rscript and the R package mclust.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gaussmix import fit_mixture, fit_mixtures
from gaussmix.fit.starts.hierarchy import _find_clusters, _find_merges

Floats = NDArray[np.floating]

#: Relative change of the log-likelihood at which mclust stops.
TOL = 1e-5
#: It writes the rows and the table of the sweep, with NA where a fit failed, and prints the seconds.
SCRIPT = """
suppressMessages(library(mclust)); mclust.options(warn = 0)
data(list = c("faithful"), package = "datasets"); data(diabetes, package = "mclust")
rows <- list(faithful = faithful, iris = iris[, 1:4], diabetes = diabetes[, -1])[["%s"]]
write.csv(rows, "%s", row.names = FALSE)
seconds <- system.time(table <- mclustBIC(rows, G = 1:9, verbose = FALSE))["elapsed"]
write.csv(matrix(c(table), 9, dimnames = list(1:9, colnames(table))), "%s")
cat(seconds)
"""

Key = tuple[str, int]


@dataclass(frozen=True)
class Sweep:
    """BIC of each model and number of components, with mclust's sign (higher is better), and seconds."""

    bic: dict[Key, float]
    seconds: float


def main() -> int:
    """Print a table. Returns 2 without Rscript."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mclust", description=__doc__)
    parser.add_argument("--data", nargs="+", default=["faithful", "iris", "diabetes"])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    if shutil.which("Rscript") is None:
        print("no Rscript here: install R and its package mclust", file=sys.stderr)
        return 2
    print("| data | best | mclust's best | s | mclust, s | ratio | cells | as good as mclust, thorough | s |")
    print("|---|---|---|---:|---:|---:|---:|---:|---:|")
    for name in options.data:
        rows, theirs = mclust(name)
        ours, thorough = sweep(rows), sweep(rows, starts=3, closer=0.1)
        seconds: tuple[list[float], list[float]] = ([], [])
        for _ in range(options.repeats):
            seconds[0].append(sweep(rows).seconds)
            seconds[1].append(mclust(name)[1].seconds)
        print(line(name, len(rows), ours, theirs, thorough, *map(statistics.median, seconds)), flush=True)
    return 0


def line(
    name: str, n: int, ours: Sweep, theirs: Sweep, thorough: Sweep, seconds: float, their_seconds: float
) -> str:
    """A line of the table. BIC is twice the log-likelihood less a term that is the same for both."""
    good = sum(thorough.bic.get(key, -np.inf) >= bic - 2e-3 for key, bic in theirs.bic.items())
    best = [f"{model},{k}" for model, k in (max(t.bic, key=t.bic.__getitem__) for t in (ours, theirs))]
    cells = len(theirs.bic)
    return (
        f"| {name} ({n}) | {best[0]} | {best[1]} | {seconds:.2f} | {their_seconds:.2f} "
        f"| {seconds / their_seconds:.1f} | {cells} | {good} ({good / cells:.1%}) | {thorough.seconds:.2f} |"
    )


def sweep(rows: Floats, starts: int = 1, closer: float = 1.0) -> Sweep:
    """Fit all models. Models with a collapsed component are left out, as by mclust."""
    _find_merges.cache_clear()  # the hierarchy is a part of the sweep
    _find_clusters.cache_clear()
    begin = time.perf_counter()
    tol = closer * TOL * (1.0 + abs(fit_mixture(rows, 1).log_likelihood)) / len(rows)
    models = fit_mixtures(rows, range(1, 10), tol=tol, max_iter=2000, n_init=starts, random_state=0)
    bic = {key: -fit.bic for key, fit in models.sound.items()}
    return Sweep(bic, time.perf_counter() - begin)


def mclust(name: str) -> tuple[Floats, Sweep]:
    """The rows of a data set that R has, and mclust's sweep over them."""
    with tempfile.TemporaryDirectory() as folder:
        data, table = Path(folder, "data.csv"), Path(folder, "bic.csv")
        done = subprocess.run(
            ["Rscript", "-e", SCRIPT % (name, data, table)],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"LC_ALL": "C"},
        )
        if done.returncode:
            raise RuntimeError(f"mclust failed on {name}: {done.stderr.strip()}")
        rows = np.loadtxt(data, delimiter=",", skiprows=1)
        head, *lines = csv.reader(table.open(encoding="utf-8"))
    bic = {
        (model, int(cells[0])): float(value)
        for cells in lines
        for model, value in zip(head[1:], cells[1:], strict=True)
        if value != "NA"
    }
    return rows, Sweep(bic, float(done.stdout))


if __name__ == "__main__":
    sys.exit(main())
