"""The lines that `verbose` asks for."""

from __future__ import annotations

import math
import time
from typing import Any

from gaussmix._progress import Progress, ProgressPrinter, print_line, write_progress
from gaussmix.fit.result import FitResult


class Printer:
    """The lines that `verbose` asks for: scikit-learn's of starts and iterations, and of long stages."""

    def __init__(self, verbose: int, interval: int) -> None:
        self.detailed, self.interval = verbose >= 2, interval
        self.start, self.previous, self.since = 0, math.nan, time.perf_counter()
        self.long = ProgressPrinter()

    def __call__(self, progress: Progress) -> bool:
        if progress.start != self.start:
            self.start, self.previous = progress.start, math.nan
            self.print(f"Initialization {progress.start - 1}")
        if not progress.iteration:  # a start or a race, which take time of their own
            return self.long(progress)
        if progress.iteration % self.interval == 0:
            line = f"  Iteration {progress.iteration}"
            if self.detailed:
                now = time.perf_counter()
                change = progress.mean_log_likelihood - self.previous
                line += f"\t time lapse {now - self.since:.5f}s\t ll change {change:.5f}"
                self.since = now
            self.print(line)
        self.previous = progress.mean_log_likelihood
        return self.long(progress)

    def print(self, line: str) -> None:
        """Print a line, after which none of a long stage is due for a while."""
        print_line(line)
        self.long.note_line()

    def end(self, result: FitResult) -> None:
        """The last line."""
        print_line(
            f"{result.status.value.capitalize()}. Mean log-likelihood {result.mean_log_likelihood:.5f}"
        )


class SearchPrinter:
    """The lines that `verbose` asks for where a model is chosen: every so many models, and long stages."""

    def __init__(self, interval: int) -> None:
        self.interval, self.done = interval, 0
        self.long = ProgressPrinter()

    def __call__(self, progress: Progress) -> bool:
        self.done = min(self.done, progress.done)  # another fold begins
        due = progress.done == progress.of or progress.done // self.interval > self.done // self.interval
        if progress.unit == "model" and progress.done != self.done and due:
            print_line(write_progress(progress, None))
            self.done = progress.done
            self.long.note_line()
        return self.long(progress)


class Messages:
    """The lines of a fit step by step. scikit-learn calls these methods, and subclasses override them."""

    verbose: Any
    verbose_interval: Any

    def _print_verbose_msg_init_beg(self, n_init: int) -> None:
        """Say that a start begins."""
        if self.verbose:
            print(f"Initialization {n_init}")

    def _print_verbose_msg_iter_end(self, n_iter: int, diff_ll: float) -> None:
        """Say that an iteration has ended."""
        if self.verbose and n_iter % self.verbose_interval == 0:
            print(f"  Iteration {n_iter}" + (f"\t ll change {diff_ll:.5f}" if self.verbose >= 2 else ""))

    def _print_verbose_msg_init_end(self, lb: float, init_has_converged: bool) -> None:
        """Say that a start has ended."""
        if self.verbose:
            print(f"Initialization {'converged' if init_has_converged else 'did not converge'}.")
