"""How far a piece of work has come: one value that every long computation shows, and words for it.

Computations know no clock. They make :class:`Progress` values and ask whether to stop; what is printed, when,
and how much time is left is for whoever watches: :class:`ProgressPrinter` in Python, a bar in the command.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

#: Seconds in a stage before time left is told: the first steps are of other lengths than the rest.
LEAST_SECONDS = 1.0
#: Part of the work that must be done in a stage before time left is told.
LEAST_SHARE = 0.01
#: Seconds beyond which time left is not told: bounds of a year say nothing.
MOST_SECONDS = 86_400.0
#: Seconds without a line before a stage is named.
FIRST_LINE = 1.0
#: Seconds between lines of one stage.
NEXT_LINE = 3.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a fit, a search or a bootstrap has come; what `on_progress` is called with.

    Parameters
    ----------
    stage : str
        What is being done, such as "race of starts" or "EM from the winner".
    unit : str
        What `done` counts: "iteration", "start", "model", "resample", ...
    done : int
        How many of them are done; 0 where a stage begins.
    of : int, optional
        How many there are in all, or may be at most.
    mean_log_likelihood : float
        Of the best so far, in nats a row; NaN where nothing is fitted that could be kept.
    share : float
        The part of the stage's work that is done, from 0 to 1, by what its steps cost; NaN where unknown.
    bounded : bool
        Whether `of` is a bound, so that the stage may end before.
    note : str
        What else there is to say.
    start, n_starts : int
        Of a fit from several starts: which it is, counted from 1, and how many there are.

    Examples
    --------
    >>> progress = Progress("bootstrap", "resample", 20, 999)
    >>> print(progress)
    bootstrap: resample 20 of 999
    """

    stage: str
    unit: str
    done: int = 0
    of: int | None = None
    mean_log_likelihood: float = math.nan
    share: float = math.nan
    bounded: bool = False
    note: str = ""
    start: int = 1
    n_starts: int = 1

    @property
    def iteration(self) -> int:
        """The iteration of EM on all rows; 0 where something else is under way."""
        return self.done if self.unit == "iteration" else 0

    @property
    def has_bound(self) -> bool:
        """Whether the rest of `share` is a bound of what is left, as of `max_iter`, and no plan."""
        return self.bounded and bool(self.of) and self.share == self.done / (self.of or 1)

    def __str__(self) -> str:
        return write_progress(self, None)


#: Called with each progress; True stops the work, which keeps what there is.
OnProgress = Callable[[Progress], object]


def remember_stop(on_progress: OnProgress | None) -> Callable[[Progress], bool] | None:
    """The same, which goes on to say True once it has: work may have to go on to something it can keep."""
    if on_progress is None:
        return None
    stopped = False

    def show(progress: Progress) -> bool:
        nonlocal stopped
        stopped = stopped or bool(on_progress(progress))
        return stopped

    return show


def write_progress(progress: Progress, seconds: float | None) -> str:
    """One line: stage, count, likelihood, note and, where it is known, the time left."""
    parts = []
    if progress.done or progress.of is not None:
        bound = "at most " if progress.bounded else ""
        of = "" if progress.of is None else f" of {bound}{progress.of}"
        parts.append(f"{progress.unit} {progress.done}{of}")
    if math.isfinite(progress.mean_log_likelihood):
        best = "" if progress.unit == "iteration" else "best "
        parts.append(f"{best}log-likelihood {progress.mean_log_likelihood:.5f} a row")
    parts += [progress.note] if progress.note else []
    line = f"{progress.stage}: {', '.join(parts)}" if parts else progress.stage
    if seconds is None:
        return line
    return f"{line}; {'at most ' if progress.has_bound else ''}about {write_seconds(seconds)} left"


def write_seconds(seconds: float) -> str:
    """A time to wait, in the unit that suits it.

    Examples
    --------
    >>> [write_seconds(each) for each in (0.2, 41.0, 150.0, 9000.0)]
    ['1 s', '41 s', '3 min', '2.5 h']
    """
    if seconds < 100.0:
        return f"{max(1, math.ceil(seconds))} s"
    if seconds < 6000.0:
        return f"{math.ceil(seconds / 60.0)} min"
    return f"{seconds / 3600.0:.1f} h"


@dataclass
class TimeLeft:
    """An estimate of the seconds that a stage has left, from how fast its share of the work grew so far."""

    clock: Callable[[], float] = time.monotonic
    _stage: tuple[str, int] = ("", 0)
    _began: float = 0.0
    _first: float = 0.0

    def __call__(self, progress: Progress) -> float | None:
        """Seconds, never negative; None before there is anything to tell them by."""
        now, share = self.clock(), progress.share
        if (progress.stage, progress.start) != self._stage:
            self._stage, self._began = (progress.stage, progress.start), now
            self._first = share if math.isfinite(share) else 0.0
        gone, grown = now - self._began, share - self._first
        if not (math.isfinite(share) and gone >= LEAST_SECONDS and grown >= LEAST_SHARE):
            return None
        seconds = gone * max(1.0 - share, 0.0) / grown
        return seconds if seconds < MOST_SECONDS else None


def print_line(line: str) -> None:
    """Print a line at once, also where output is kept back: in a pipe, a log, a notebook."""
    print(line, flush=True)


@dataclass
class ProgressPrinter:
    """Prints how far long work has come: pass one as `on_progress` of a fit, a search or a bootstrap.

    A stage is named once it lasts a second; then a line follows every three seconds, with the time left where
    it can be known. Work of less than a second prints nothing.

    Parameters
    ----------
    write : callable, optional
        Takes each line; by default it is printed.
    clock : callable, optional
        The time in seconds; by default `time.monotonic`.

    Examples
    --------
    >>> import gaussmix
    >>> from gaussmix.datasets import load_faithful
    >>> X, names = load_faithful()
    >>> found = gaussmix.search(X, range(1, 3), on_progress=gaussmix.ProgressPrinter())
    """

    write: Callable[[str], object] = print_line
    clock: Callable[[], float] = time.monotonic
    _left: TimeLeft = field(init=False, repr=False)
    _stage: str = field(default="", init=False, repr=False)
    _last: float = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._left, self._last = TimeLeft(self.clock), self.clock()

    def __call__(self, progress: Progress) -> bool:
        """Print a line if it is time for one; False, since a printer stops nothing."""
        now, seconds = self.clock(), self._left(progress)
        if now - self._last >= (NEXT_LINE if progress.stage == self._stage else FIRST_LINE):
            self.write(write_progress(progress, seconds))
            self._last, self._stage = now, progress.stage
        return False

    def note_line(self) -> None:
        """Take note that someone else has printed a line."""
        self._last = self.clock()
