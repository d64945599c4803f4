"""What the fits of many models show of themselves on the way, and whether they are stopped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gaussmix._progress import OnProgress, Progress
from gaussmix.fit.iterate.stack import WatchTogether
from gaussmix.fit.result import FitResult, FitStatus
from gaussmix.select.criteria import find_criterion
from gaussmix.select.families import Key, Outcomes

#: The criterion by which the best so far is told where the one asked for takes more than one fit.
INSTEAD_OF_HELD_OUT = "bic"


class Part(NamedTuple):
    """A part of a search: the first is over all rows, and of held-out likelihoods each fold is another."""

    stage: str = "search"
    number: int = 0
    n_parts: int = 1
    #: Whether a part before leaves something to keep.
    kept: bool = True


#: A search that is one part.
WHOLE = Part()


@dataclass
class Showing:
    """How far the models have come; nothing of them depends on it, but for the end where they are stopped."""

    watch: OnProgress | None
    keys: Sequence[Key]
    criterion: str
    part: Part = WHOLE
    stopped: bool = False
    n_done: int = 0
    #: The sum of the numbers of components of the models that are done: what they cost, roughly.
    effort: int = 0
    last: Key | None = None
    best: Key | None = None
    least: float = math.inf
    mean_log_likelihood: float = math.nan

    def record(self, some: Outcomes) -> bool:
        """Take note of models that are done, and show it; whether to stop."""
        if self.watch is None:
            return False
        for key, fit in some.fits.items():
            value = self._measure(fit)
            if value < self.least:
                self.best, self.least, self.mean_log_likelihood = key, value, fit.mean_log_likelihood
        known = [*some.skipped, *some.failures, *some.fits]
        self.n_done += len(known)
        self.effort += sum(k for _, k in known)
        self.last = known[-1] if known else self.last
        return self.show("" if self.last is None else write_model(self.last)) if known else self.stopped

    def show(self, note: str, mean_log_likelihood: float = math.nan) -> bool:
        """Show what is under way, and the likelihood of what could be kept if there is nothing else yet."""
        if self.watch is None:
            return False
        best = "" if self.best is None else f"best so far {write_model(self.best)}"
        whole = sum(k for _, k in self.keys)
        share = (self.part.number + self.effort / whole) / self.part.n_parts
        value = mean_log_likelihood if math.isnan(self.mean_log_likelihood) else self.mean_log_likelihood
        progress = Progress(
            self.part.stage,
            "model",
            self.n_done,
            len(self.keys),
            value if self.part.kept else math.nan,
            min(share, 1.0),
            note=", ".join(part for part in (note, best) if part),
        )
        heeded = not math.isnan(progress.mean_log_likelihood)  # else there is nothing to keep
        self.stopped = (bool(self.watch(progress)) and heeded) or self.stopped
        return self.stopped

    def show_draft(self, name: str, done: int, of: int) -> None:
        """Show that a family is fitted to a sample, before any model counts."""
        if self.watch is not None:
            stage = f"{self.part.stage}, fits to a sample"
            self.watch(Progress(stage, "family", done, of, share=done / of, note=name))

    def follow(self, what: str) -> WatchTogether | None:
        """What shows the iterations of models side by side; None where nobody watches."""
        if self.watch is None:
            return None
        return lambda done, value: self.show(f"{what}, iteration {done}", value)

    def follow_fit(self, key: Key) -> OnProgress | None:
        """What shows the progress of the fit of one model."""
        if self.watch is None:
            return None

        def show(progress: Progress) -> bool:
            doing = f"iteration {progress.iteration}" if progress.iteration else progress.stage
            return self.show(f"{write_model(key)}, {doing}", progress.mean_log_likelihood)

        return show

    def _measure(self, fit: FitResult) -> float:
        """The criterion of a fit, lower is better; infinite where its likelihood says nothing."""
        if fit.status == FitStatus.DEGENERATE or fit.collapsed or fit.held:
            return math.inf
        measure = find_criterion(self.criterion).measure or find_criterion(INSTEAD_OF_HELD_OUT).measure
        assert measure is not None
        return math.inf if self.criterion == "icl" and fit.doubt is None else measure(fit)


def write_model(key: Key) -> str:
    """A model in words."""
    return f"{key[0]} with {key[1]}"
