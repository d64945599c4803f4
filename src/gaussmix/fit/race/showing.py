"""What a race shows of itself on the way, and whether whoever watches has stopped it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gaussmix._progress import Progress
from gaussmix.fit.iterate.em import Run
from gaussmix.fit.iterate.stack import WatchTogether
from gaussmix.fit.race.budget import Budget
from gaussmix.fit.race.rounds import Plan

#: What a race is called.
RACE = "race of starts"
#: The parts of a race, in order: the first round, those that join, the last rounds, moves, all rows.
FIRST, JOIN, LAST, MOVES, ALL_ROWS = range(5)


@dataclass
class Showing:
    """How far a race has come; nothing of the race depends on it, but for its end where it is stopped."""

    #: Shown each iteration; True stops the race.
    watch: Callable[[Progress], bool] | None
    budget: Budget
    plan: Plan
    stopped: bool = False
    part: int = FIRST
    n_begun: int = 0
    n_rounds: int = 0
    #: The highest mean log-likelihood of a racer on the rows of the part.
    highest: float = -np.inf
    #: What is said beside, made once for each part: there are thousands of iterations.
    note: str = ""
    #: What the parts after the present one may cost.
    later: float = 0.0

    def __post_init__(self) -> None:
        plan = self.plan
        self.whole = self.mark = self.budget.left
        #: What each part may cost yet.
        self.ahead = [
            plan.first,
            plan.n_joins * plan.join,
            plan.last,
            plan.n_moves * plan.move,
            plan.all_rows,
        ]
        self.note, self.later = self._write_note(), sum(self.ahead[1:])

    def begin_part(self, part: int) -> None:
        """Take note of what the race does next."""
        if part == self.part:  # another round of those that join
            self.ahead[part] -= self.mark - self.budget.left
        if part == ALL_ROWS:
            self.highest = -np.inf  # where likelihoods are others
        self.part, self.mark = part, self.budget.left
        self.ahead[:part] = [0.0] * part
        self.note, self.later = self._write_note(), sum(self.ahead[part + 1 :])

    def begin_round(self, most: int) -> None:
        """Take note of another round of moves, of so many at most if all are in vain."""
        self.n_rounds += 1
        self.begin_part(MOVES)
        self.ahead[MOVES] = most * self.plan.move

    def follow(self, cost: float) -> WatchTogether | None:
        """What shows iterations that cost so much each; None where nobody watches."""
        return None if self.watch is None else lambda done, value: self._show(done * cost, value)

    def follow_run(self, cost: float) -> Callable[[Run], bool] | None:
        """The same for the iterations of one run."""
        if self.watch is None:
            return None
        return lambda run: self._show((len(run.history) - 1) * cost, run.history[-1])

    def _show(self, spent: float, value: float) -> bool:
        """Show that so much is spent since the budget was last lowered, and a likelihood; whether to stop."""
        assert self.watch is not None
        self.highest = max(self.highest, value)
        left = self.budget.left - spent
        ahead = max(self.ahead[self.part] - (self.mark - left), 0.0) + self.later
        ahead = min(ahead, max(left, self.plan.all_rows))
        done = max(self.whole - left, 0.0)
        progress = Progress(
            RACE,
            "start",
            self.n_begun,
            self.plan.n_starts,
            self.highest,
            share=done / (done + ahead) if ahead else math.nan,  # a plan that is used up tells nothing
            bounded=True,
            note=self.note,
            start=2,  # behind EM from k-means
            n_starts=2,
        )
        self.stopped = bool(self.watch(progress)) or self.stopped
        return self.stopped

    def _write_note(self) -> str:
        if self.part == ALL_ROWS:
            return "now on all rows"
        some, every = self.plan.sizes
        sample = f"on a sample of {some} of {every} rows" if some < every else ""
        moves = f"moves of the best, round {self.n_rounds}" if self.part == MOVES else ""
        return ", ".join(part for part in (sample, moves) if part)
