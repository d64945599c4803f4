"""The table of times, printed row by row while it is measured. It is Markdown, for use in documents."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

from benchmarks.cases import Case

WHAT = {
    "fit": "milliseconds per EM iteration",
    "score_samples": "milliseconds per call of score_samples",
    "predict_proba": "milliseconds per call of predict_proba",
    "converge": "milliseconds of a whole fit to convergence",
}


@dataclass(frozen=True)
class Row:
    case: Case
    what: str
    seconds: dict[str, float]
    peak_share: float | None  # of ours, of the machine's matrix product
    extra_mib: dict[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        ratios = {name: value / self.seconds["gaussmix"] for name, value in self.seconds.items()}
        return {**asdict(self), "ratios": ratios}


class Table:
    """Columns for the programs found; each line is kept and printed at once."""

    def __init__(self, names: list[str], *, memory: bool) -> None:
        self.names, self.memory = names, memory
        self.lines: list[str] = []

    def begin(self, what: str) -> None:
        others = self.names[1:]
        titles = ["n, d, k", "covariance", "type", "gaussmix"]
        for name in others:
            titles += [name, "ratio"]
        titles.append("GEMM peak")
        if self.memory:
            titles += [f"{name} MiB" for name in self.names[:2]]
        self.widths = [max(len(title), 13 if i == 0 else 10) for i, title in enumerate(titles)]
        self.say("")
        self.say(f"{WHAT[what]}; ratio: how many times ours")
        self.say("")
        self._line(titles)
        self.say(
            "|"
            + "|".join("-" * (width + 1) + (":" if i > 2 else "-") for i, width in enumerate(self.widths))
            + "|"
        )

    def add(self, row: Row) -> None:
        case = row.case
        ours = row.seconds["gaussmix"]
        cells = [case.size.replace(",", ", "), case.covariance, case.dtype, _ms(ours)]
        for name in self.names[1:]:
            theirs = row.seconds.get(name)
            cells += ["", ""] if theirs is None else [_ms(theirs), _ratio(theirs / ours)]
        cells.append("" if row.peak_share is None else f"{row.peak_share:.0%}")
        if self.memory:
            cells += [
                f"{row.extra_mib[name]:.1f}" if name in row.extra_mib else "" for name in self.names[:2]
            ]
        self._line(cells)

    def say(self, line: str) -> None:
        self.lines.append(line)
        print(line, flush=True)

    def _line(self, cells: list[str]) -> None:
        padded = [
            cell.rjust(width) if i > 2 else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(cells, self.widths, strict=True))
        ]
        self.say("| " + " | ".join(padded) + " |")


def machine(peaks: dict[str, float]) -> dict[str, object]:
    """The machine and the versions that the times were taken on."""
    packages = ("numpy", "scipy", "scikit-learn", "numba")
    return {
        "processor": _processor(),
        "threads": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in packages},
        "executor": os.environ.get("GAUSSMIX_EXECUTOR", "auto"),
        "gemm_gflops": {dtype: round(peak / 1e9) for dtype, peak in peaks.items()},
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    names = (
        [line for line in info.read_text().splitlines() if line.startswith("model name")]
        if info.exists()
        else []
    )
    return names[0].partition(":")[2].strip() if names else platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except ImportError:
        return "not installed"


def _ms(seconds: float) -> str:
    ms = 1e3 * seconds
    return f"{ms:.3f}" if ms < 1 else f"{ms:.2f}" if ms < 10 else f"{ms:.1f}" if ms < 100 else f"{ms:.0f}"


def _ratio(ratio: float) -> str:
    return f"{ratio:.1f}x" if ratio < 20 else f"{ratio:.0f}x"
