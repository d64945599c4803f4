"""What a long fit shows while it runs, and how Ctrl-C ends it with the best so far."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from gaussmix.fit.multistart import Progress

DELAY = 0.5  # seconds before a bar appears: a short fit shows none
REDRAW = 0.1  # seconds between changes of the bar


class StopOnInterrupt:
    """While in effect, the first Ctrl-C only sets `asked`; the second one interrupts.

    Until `begun` is set there is nothing to keep, and the first one interrupts at once.
    """

    def __init__(self, begun: bool) -> None:
        self.asked = False
        self.begun = begun
        self._previous: Any = None

    def __enter__(self) -> Self:
        # Only the main thread may set handlers; elsewhere Ctrl-C is not ours to take.
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
        # The signal may come in the midst of a print, which must not be entered twice: hence no print.
        os.write(2, b"\nstopping with the best so far; Ctrl-C again gives up\n")


class ProgressBar:
    """A bar on a terminal's stderr with iteration and log-likelihood, for fits that last."""

    def __init__(self, shown: bool) -> None:
        self._timer = threading.Timer(DELAY, self._start) if shown else None
        self._lock = threading.Lock()
        self._bar: Bar | None = None
        self._done = False
        self._redrawn = 0.0

    def __enter__(self) -> Self:
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            self._done = True
            if self._bar is not None:
                self._bar.stop()

    def update(self, progress: Progress) -> None:
        """Show where the fit is; cheap enough to be called at every iteration."""
        if self._bar is None or time.monotonic() - self._redrawn < REDRAW:
            return
        self._redrawn = time.monotonic()
        of = f"start {progress.start} of {progress.n_starts}, " if progress.n_starts > 1 else ""
        doing = f"iteration {progress.iteration} of at most {progress.max_iter}"
        if progress.iteration == 0:
            doing = "looking for a start"
        self._bar.update(
            self._bar.task_ids[0],
            description=of + doing,
            completed=progress.iteration,
            total=progress.max_iter,
            likelihood=f"log-likelihood {progress.mean_log_likelihood:.6f} per sample",
        )

    def _start(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[likelihood]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        bar.add_task("starting", total=None, likelihood="")
        with self._lock:
            if not self._done:
                bar.start()
                self._bar = bar
