"""``python -m benchmarks.defaults``: a fit with default settings, gaussmix beside scikit-learn.

Both make ``GaussianMixture(k, covariance_type=..., random_state=seed).fit(X)``, in turn, in one process. The
table has median seconds over seeds, their ratio (below 1: gaussmix is faster), and how many nats a row
``score(X)`` of gaussmix is higher, in the median and in the worst seed. With one thread seconds are processor
time, which other programs do not lengthen. With more threads they are wall-clock time.

A cell whose time is over makes no further fits, and a fit that takes longer than the limit is stopped.
"""

from __future__ import annotations

import argparse
import json
import math
import signal
import statistics
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.default_rows import Row, Tables, cell_name, choose_cells
from benchmarks.threads import run_with_threads

PROGRAMS = ("gaussmix", "scikit-learn")
#: Rows of the fit before a large one, which loads and compiles.
WARM_ROWS = 3000


class TooSlowError(Exception):
    """A fit took longer than the limit."""


@dataclass
class Fits:
    """The fits of one program: seconds and scores, one of each for each seed."""

    seconds: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    broken_off: bool = False
    failed: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.seconds) if self.seconds else math.nan


@dataclass
class Cell:
    """Both programs on one row and family."""

    name: str
    extra: bool
    ours: Fits
    theirs: Fits

    @property
    def ratio(self) -> float:
        return self.ours.median / self.theirs.median

    @property
    def gains(self) -> list[float]:
        """How many nats a row our score is higher, for each seed that both programs have."""
        both = zip(self.ours.scores, self.theirs.scores, strict=False)
        return [a - b for a, b in both if math.isfinite(a) and math.isfinite(b)]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.defaults", description=__doc__)
    parser.add_argument("--threads", type=int, metavar="N", help="of both programs (default: as they like)")
    parser.add_argument("--seeds", type=int, default=5, help="fits of each, one for each seed (default 5)")
    parser.add_argument("--repeats", type=int, default=3, help="of each seed, the median kept (default 3)")
    parser.add_argument("--only", nargs="+", metavar="TEXT", help="cells whose name has one of these")
    parser.add_argument("--quick", action="store_true", help="without the large rows")
    parser.add_argument("--seconds", type=float, default=20.0, help="for each cell (default 20)")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds at which a fit is broken off")
    parser.add_argument("--clock", choices=["cpu", "wall"], help="default: cpu with one thread, else wall")
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE", help="parameters of gaussmix")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all times and scores")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="ratios of an earlier --json beside")
    return parser.parse_args()


def settings(texts: list[str]) -> dict[str, Any]:
    """Parameters from texts NAME=VALUE. Values that are JSON are parsed; others stay text."""
    found: dict[str, Any] = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            found[name] = json.loads(value)
        except json.JSONDecodeError:
            found[name] = value
    return found


def make(program: str, row: Row, family: str, seed: int, **options: Any) -> Any:
    if program == "gaussmix":
        from gaussmix import GaussianMixture
    else:
        from sklearn.mixture import GaussianMixture
    return GaussianMixture(row.k, covariance_type=family, random_state=seed, **options)


@contextmanager
def limit_time(seconds: float) -> Iterator[None]:
    """Raise TooSlowError in a block that takes longer than this, once compiled code returns to Python."""

    def stop(*_: object) -> None:
        raise TooSlowError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def warm_up(row: Row, family: str, tables: Tables, options: dict[str, Any], limit: float) -> None:
    """Load and compile before the timing: a whole fit of some rows, then a short one of all."""
    for program in PROGRAMS:
        more = options if program == "gaussmix" else {}
        X = tables[0]
        try:
            with limit_time(limit):
                make(program, row, family, 0, **more).fit(X[:WARM_ROWS])
                if len(X) > WARM_ROWS:
                    make(program, row, family, 0, init_params="random_from_data", max_iter=2).fit(X)
        except (ValueError, TooSlowError):
            continue  # the timed fits meet the same error and report it


def fit_once(
    program: str, row: Row, family: str, seed: int, tables: Tables, options: dict[str, Any], cpu: bool
) -> tuple[float, float]:
    """Seconds of the fits, and the mean of their scores."""
    clock = time.process_time if cpu else time.perf_counter
    begin = clock()
    models = [make(program, row, family, seed, **options).fit(X) for X in tables]
    seconds = clock() - begin
    return seconds, float(np.mean([model.score(X) for model, X in zip(models, tables, strict=True)]))


def measure(row: Row, family: str, options: argparse.Namespace) -> Cell:
    """Both programs in turn, seed by seed, until the time is over."""
    tables = row.load()
    more = settings(options.set)
    warm_up(row, family, tables, more, options.limit)
    cell = Cell(cell_name(row, family), row.extra, Fits(), Fits())
    end = time.perf_counter() + options.seconds
    for seed in range(options.seeds):
        if seed and time.perf_counter() > end:
            break
        turn = PROGRAMS if seed % 2 == 0 else PROGRAMS[::-1]
        for program in turn:
            fits = cell.ours if program == "gaussmix" else cell.theirs
            if fits.broken_off or fits.failed:
                continue
            mine = more if program == "gaussmix" else {}
            repeat(fits, options, (program, row, family, seed, tables, mine, options.clock == "cpu"))
    return cell


def repeat(fits: Fits, options: argparse.Namespace, call: tuple[Any, ...]) -> None:
    """Add the median time of one seed to `fits`. A fit that is stopped has the limit as its time."""
    times, score = [], math.nan
    for _ in range(options.repeats):
        try:
            with limit_time(options.limit):
                seconds, score = fit_once(*call)
        except TooSlowError:
            fits.broken_off, seconds = True, options.limit
        except ValueError as error:
            fits.failed = str(error)
            return
        times.append(seconds)
        if fits.broken_off or sum(times) > options.seconds:
            break
    fits.seconds.append(statistics.median(times))
    fits.scores.append(score)


HEAD = ("row, family", "gaussmix, s", "scikit-learn, s", "ratio", "before", "gain", "worst gain")


def line(cell: Cell, before: dict[str, float]) -> str:
    gains = cell.gains
    more = ">" if cell.ours.broken_off else ""
    cells = [
        cell.name,
        cell.ours.failed[:20] or f"{more}{cell.ours.median:.4f}",
        cell.theirs.failed[:20] or f"{cell.theirs.median:.4f}",
        f"{more}{cell.ratio:.2f}",
        f"{before[cell.name]:.2f}" if cell.name in before else "",
        f"{statistics.median(gains):+.4g}" if gains else "",
        f"{min(gains):+.4g}" if gains else "",
    ]
    widths = (34, 12, 15, 8, 8, 10, 10)
    padded = [
        c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True))
    ]
    return "| " + " | ".join(padded) + " |"


def summary(cells: list[Cell], before: dict[str, float]) -> Iterator[str]:
    """Geometric mean and worst of the ratios: of the main rows, of each family of them, and of all."""
    main = [cell for cell in cells if not cell.extra]
    groups = {"main rows": main, "all rows": cells}
    for cell in main:
        groups.setdefault(f"main rows, {cell.name.rpartition(', ')[2]}", []).append(cell)
    for name, group in groups.items():
        ratios = {cell.name: cell.ratio for cell in group if math.isfinite(cell.ratio)}
        if not ratios:
            continue
        worst = max(ratios, key=ratios.__getitem__)
        text = f"{name}: geometric mean {statistics.geometric_mean(ratios.values()):.2f}"
        text += f", worst {ratios[worst]:.2f} ({worst})"
        common = [name for name in ratios if name in before]
        if common:
            now, then = (statistics.geometric_mean(r[c] for c in common) for r in (ratios, before))
            text += f"; of {len(common)} known from before {then:.2f} -> {now:.2f}"
        yield text
    lower = [cell for cell in cells if cell.gains and statistics.median(cell.gains) < -1e-4]
    yield f"lower than scikit-learn by more than 1e-4 nats a row in the median: {len(lower)} of {len(cells)}"


def ratios_of(path: Path | None) -> dict[str, float]:
    """The ratios that an earlier run wrote."""
    if path is None:
        return {}
    return {cell["name"]: cell["ratio"] for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]}


def main() -> int:
    options = arguments()
    status = run_with_threads("benchmarks.defaults", options.threads)
    if status is not None:
        return status
    options.clock = options.clock or ("cpu" if options.threads == 1 else "wall")
    warnings.simplefilter("ignore")
    import gaussmix

    source = Path(gaussmix.__file__).parent
    print(
        f"gaussmix {gaussmix.__version__} of {source}; {options.threads or 'free'} threads; {options.clock}"
    )
    before, cells = ratios_of(options.compare), []
    print("| " + " | ".join(HEAD) + " |\n|---" + "|---:" * (len(HEAD) - 1) + "|")
    for row, family in choose_cells(options.only, quick=options.quick):
        cells.append(measure(row, family, options))
        print(line(cells[-1], before), flush=True)
        if options.json:
            found = [asdict(cell) | {"ratio": cell.ratio, "gains": cell.gains} for cell in cells]
            about = {"threads": options.threads, "clock": options.clock, "set": options.set}
            text = json.dumps({"about": about, "cells": found}, indent=1)
            options.json.write_text(text + "\n", encoding="utf-8")
    for text in summary(cells, before):
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
