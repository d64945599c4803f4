"""``python -m benchmarks.report``: how long a report takes, and how large it is.

Fourteen families by nine numbers of components on Old Faithful, and the same models of many rows. Every model
has labels, uncertainties and its worst rows in the page, so that all of them are evaluated. Fits of the many
rows are of one in a thousand: what is timed is the report alone. Times are medians, of the processor.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from dataclasses import replace
from statistics import median

import numpy as np

import gaussmix
from gaussmix.datasets import load_faithful

N_COMPONENTS = range(1, 10)


def draw_rows(n: int, d: int) -> np.ndarray:
    """Rows of three clusters."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d))
    X[: n // 3, :2] += 5.0
    X[n // 3 : n // 2, 1:] -= 4.0
    return X


def fit_sample(X: np.ndarray) -> gaussmix.FittedMixtures:
    """Models of one row in a thousand, as if they were of all rows."""
    models = gaussmix.fit_mixtures(X[::1000], N_COMPONENTS)
    fits = {key: replace(fit, n_samples=float(len(X))) for key, fit in models.fits.items()}
    return gaussmix.FittedMixtures(fits, models.failures)


def time_report(models: gaussmix.FittedMixtures, X: np.ndarray, repeats: int) -> tuple[float, int]:
    """Seconds of the processor, and bytes of the page."""
    from gaussmix.report import make_report

    seconds, page = [], ""
    for _ in range(repeats):
        begin = time.process_time()
        page = make_report(models, X)
        seconds.append(time.process_time() - begin)
    return median(seconds), len(page.encode("utf-8"))


def main() -> int:
    """Print a row for each table of data."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the large tables")
    arguments = parser.parse_args()
    begin = time.process_time()
    import gaussmix.report

    print(f"import of gaussmix.report: {time.process_time() - begin:.2f} s")
    X, names = load_faithful()
    tables = {"faithful": (gaussmix.fit_mixtures(X, N_COMPONENTS, feature_names=names), X, 5)}
    for d in (2, 8):
        rows = draw_rows(arguments.rows, d)
        tables[f"{arguments.rows} x {d}"] = (fit_sample(rows), rows, 1)
    print("| rows | models | s of the processor | MB of the page |")
    print("|---|---:|---:|---:|")
    for name, (models, rows, repeats) in tables.items():
        seconds, size = time_report(models, rows, repeats)
        print(f"| {name} | {len(models.fits)} | {seconds:.2f} | {size / 1e6:.2f} |")
    print(f"peak of memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
