"""``python -m benchmarks.inference``: bootstrap and likelihood-ratio test beside R's mclust.

On diabetes (VVV): standard errors of the three weights by each kind of resample, and the tests of 1 against
2, 2 against 3 and 3 against 4 components, with the seconds that either program takes. In the rows of
mclust's package one number has lost a digit (45 for 455), which is mended here. The benchmark needs Rscript
and the R package mclust.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

import gaussmix

T = TypeVar("T")

#: It writes the rows, and prints a line for each kind of resample and for the tests.
SCRIPT = """
suppressMessages(library(mclust)); mclust.options(warn = 0); set.seed(1)
data(diabetes, package = "mclust"); X <- as.matrix(diabetes[, -1]); X[104, 2] <- 455
write.csv(X, "%(rows)s", row.names = FALSE)
fit <- Mclust(X, G = 3, modelNames = "VVV", verbose = FALSE)
for (type in c("bs", "wlbs", "pb")) {
  t <- system.time(b <- MclustBootstrap(fit, nboot = %(n)d, type = type, verbose = FALSE))["elapsed"]
  cat(t, sort(summary(b, what = "se")$pro), "\\n")
}
t <- system.time({
  b <- mclustBootstrapLRT(X, modelName = "VVV", nboot = %(n)d, maxG = 3, verbose = FALSE)
})["elapsed"]
cat(t, b$obs, b$p.value, "\\n")
"""
METHODS = {"nonparametric": "bs", "weighted": "wlbs", "parametric": "pb"}


def main() -> int:
    """Print two tables. Returns 2 without Rscript."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inference", description=__doc__)
    parser.add_argument("--resamples", type=int, default=999)
    n = parser.parse_args().resamples
    if shutil.which("Rscript") is None:
        print("no Rscript here: install R and its package mclust", file=sys.stderr)
        return 2
    X, theirs = run_mclust(n)
    fit = gaussmix.fit_mixtures(X, [3], covariance_type="VVV", tol=1e-7).best
    print("| resamples | errors of the weights | s | mclust's | s |\n|---|---|---:|---|---:|")
    for (method, name), (their_seconds, *their_errors) in zip(METHODS.items(), theirs, strict=False):
        seconds, found = take_time(lambda method=method: run_bootstrap(X, fit, method, n))
        ours = write(sorted(found.standard_errors.weights.tolist()))
        cells = [f"{method} ({name})", ours, f"{seconds:.1f}", write(their_errors), f"{their_seconds:.1f}"]
        print(f"| {' | '.join(cells)} |")
    errors = sorted(gaussmix.estimate_errors(X, fit).standard_errors.weights.tolist())
    print(f"| observed information | {write(errors)} | | | |\n")
    seconds, tests = take_time(
        lambda: gaussmix.bootstrap_lrt(X, "VVV", max_components=4, n_resamples=n, random_state=1)
    )
    their_seconds, *numbers = theirs[-1]
    print("| k against k + 1 | statistic | p | mclust's | p |\n|---|---:|---:|---:|---:|")
    for test, statistic, p in zip(tests, numbers[:3], numbers[3:], strict=False):
        k = test.n_components
        print(f"| {k}, {k + 1} | {test.statistic:.2f} | {test.p_value:.3f} | {statistic:.2f} | {p:.3f} |")
    print(f"\n{n} draws for each test: {seconds:.1f} s, mclust {their_seconds:.1f} s.")
    return 0


def run_bootstrap(X: np.ndarray, fit: gaussmix.FitResult, method: str, n: int) -> gaussmix.Bootstrap:
    return gaussmix.bootstrap(X, fit, method=method, n_resamples=n, random_state=1)


def take_time(call: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    found = call()
    return time.perf_counter() - began, found


def write(numbers: list[float]) -> str:
    return " ".join(f"{number:.3f}" for number in numbers)


def run_mclust(n: int) -> tuple[np.ndarray, list[list[float]]]:
    """The rows, and the numbers of each line that mclust printed."""
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder, "rows.csv")
        script = SCRIPT % {"rows": rows, "n": n}
        done = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"mclust failed: {done.stderr.strip()}")
        X = np.loadtxt(rows, delimiter=",", skiprows=1)
    return X, [[float(number) for number in line.split()] for line in done.stdout.splitlines()]


if __name__ == "__main__":
    sys.exit(main())
