"""The progress bar of a long fit, and Ctrl-C, which ends a fit with the best mixture so far."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from rich.progress import Progress as RichBar

    from gaussmix.fit.multistart import Progress

#: Seconds before a bar appears, so that a short fit shows none.
DELAY = 0.5
#: Seconds between changes of the bar.
REDRAW = 0.1


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


class Bar:
    """A bar on a terminal's stderr that appears where the work takes long."""

    def __init__(self, shown: bool) -> None:
        self._timer = threading.Timer(DELAY, self._start) if shown else None
        self._lock = threading.Lock()
        self._bar: RichBar | None = None
        self._done = False
        self._redrawn = 0.0

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

    def _draw(self, **fields: Any) -> None:
        """Show some fields. Cheap enough for a call at every iteration."""
        if self._bar is not None and time.monotonic() - self._redrawn >= REDRAW:
            self._redrawn = time.monotonic()
            self._bar.update(self._bar.task_ids[0], **fields)

    def _start(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as RichBar

        bar = RichBar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            *self._list_columns(),
            console=Console(stderr=True),
            transient=True,
        )
        bar.add_task("starting", total=None, said="")
        with self._lock:
            if not self._done:
                bar.start()
                self._bar = bar

    def _list_columns(self) -> list[Any]:
        """What stands beside the bar."""
        raise NotImplementedError


class ProgressBar(Bar):
    """The bar of one fit: iteration and log-likelihood."""

    def update(self, progress: Progress) -> None:
        """Show the progress of the fit."""
        if self._bar is None:
            return
        of = f"start {progress.start} of {progress.n_starts}, " if progress.n_starts > 1 else ""
        doing = f"iteration {progress.iteration} of at most {progress.max_iter}"
        if progress.iteration == 0:
            doing = "looking for a start"
        self._draw(
            description=of + doing,
            completed=progress.iteration,
            total=progress.max_iter,
            said=f"log-likelihood {progress.mean_log_likelihood:.6f} per sample",
        )

    def _list_columns(self) -> list[Any]:
        from rich.progress import TextColumn, TimeElapsedColumn

        return [TextColumn("{task.fields[said]}"), TimeElapsedColumn()]


class CountBar(Bar):
    """The bar of many things of one kind: how many are done, and the time that is left."""

    def __init__(self, shown: bool, what: str) -> None:
        super().__init__(shown)
        self._what = what

    def update(self, done: int, total: int) -> None:
        """Show how many are done."""
        self._draw(description=f"{self._what} {done} of {total}", completed=done, total=total)

    def _list_columns(self) -> list[Any]:
        from rich.progress import TimeElapsedColumn, TimeRemainingColumn

        return [TimeElapsedColumn(), TimeRemainingColumn(elapsed_when_finished=False)]
