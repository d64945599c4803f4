"""The bar of long work on a terminal, and Ctrl-C, which ends a fit with the best mixture so far."""

from __future__ import annotations

import math
import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import TYPE_CHECKING, Any, Self

from gaussmix._progress import Progress, TimeLeft, write_seconds
from gaussmix._text import shorten

if TYPE_CHECKING:
    from rich.progress import Progress as RichBar

#: Seconds before a bar appears, so that short work shows none.
DELAY = 0.5
#: Seconds between changes of the bar.
REDRAW = 0.1
#: Characters of what a line says.
MOST_TEXT = 200
#: Columns of a terminal from which on there are a bar and the time beside the line.
WIDE = 100


class StopOnInterrupt:
    """In its block the first Ctrl-C only sets `asked`, and the second one interrupts.

    Until `begun` is set no mixture could be kept, and the first Ctrl-C interrupts at once.
    """

    def __init__(self, begun: bool) -> None:
        self.asked = False
        self.begun = begun
        self._previous: Any = None

    def __enter__(self) -> Self:
        # Only the main thread may set handlers. In other threads Ctrl-C is left as it is.
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self.begun:
            raise KeyboardInterrupt("given up: nothing was fitted yet")
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        # The signal may interrupt a print, and print is not reentrant: hence os.write.
        os.write(2, b"\nstopping with the best so far; Ctrl-C again gives up\n")


class Stage:
    """What is being done, on a terminal's stderr, where it takes more than half a second.

    Parameters
    ----------
    shown : bool
        Whether it may appear at all.
    name : str
        What it is called before any progress is known, such as "reading data.csv".
    """

    def __init__(self, shown: bool, name: str = "starting") -> None:
        self._timer = threading.Timer(DELAY, self._start) if shown else None
        self._lock = threading.Lock()
        self._bar: RichBar | None = None
        self._done = False
        self._redrawn = 0.0
        self._line, self._share = shorten(name, MOST_TEXT), math.nan
        self._left = TimeLeft()

    def __enter__(self) -> Self:
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            self._done = True
            if self._bar is not None:
                self._bar.stop()

    def update(self, progress: Progress) -> None:
        """Show how far it is. Cheap enough for a call at every iteration."""
        now = time.monotonic()
        if self._timer is None or (progress.done and now - self._redrawn < REDRAW):
            return
        self._redrawn = now
        self._line = shorten(write_line(progress, self._left(progress)), MOST_TEXT)
        self._share = progress.share
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], **self._list_fields())

    def _list_fields(self) -> dict[str, Any]:
        known = math.isfinite(self._share)
        return {
            "description": self._line,
            "completed": self._share if known else 0.0,
            "total": 1.0 if known else None,
        }

    def _start(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichBar
        from rich.table import Column

        console = Console(stderr=True)
        line = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, ratio=1))
        more = [BarColumn(bar_width=20), TimeElapsedColumn()] if console.width >= WIDE else []
        bar = RichBar(line, *more, console=console, transient=True, expand=True)
        with self._lock:
            if not self._done:
                bar.add_task(**self._list_fields())
                bar.start()
                self._bar = bar


def is_shown(quiet: bool = False) -> bool:
    """Whether a stage may appear: not with --quiet, and on a terminal alone."""
    try:
        return not quiet and sys.stderr.isatty()
    except (AttributeError, ValueError):  # there is no stderr, or it is closed
        return False


def write_line(progress: Progress, seconds: float | None) -> str:
    """How far it is, the most important first: what does not fit into the terminal's width is cut.

    Examples
    --------
    >>> write_line(Progress("search", "model", 31, 126, -3.25, note="VVE with 5"), 3.5)
    'search: model 31/126, log-likelihood -3.25000 a row, 4 s left, VVE with 5'
    """
    of = "" if progress.of is None else f"/{progress.of}"
    counted = progress.done or progress.of is not None
    parts = [f"{progress.stage}: {progress.unit} {progress.done}{of}" if counted else progress.stage]
    if math.isfinite(progress.mean_log_likelihood):
        parts.append(f"log-likelihood {progress.mean_log_likelihood:.5f} a row")
    if seconds is not None:
        parts.append(f"{'at most ' if progress.has_bound else ''}{write_seconds(seconds)} left")
    return ", ".join([*parts, *([progress.note] if progress.note else [])])
