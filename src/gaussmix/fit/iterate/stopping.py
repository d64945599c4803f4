"""When a run of EM has converged."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gaussmix.fit.iterate.acceleration import HUGE, Memory, Proposal

#: The quantity that `tol` bounds: the change in an iteration, or Aitken's distance to the limit.
Stopping = Literal["change", "aitken"]


@dataclass(frozen=True)
class Rule:
    """When a run has converged: `tol` in nats for each unit of weight, and what it bounds."""

    tol: float
    stopping: Stopping = "change"

    def wants_own_step(self, gain: float, memory: Memory | None) -> bool:
        """Whether an iteration of EM's own has to show if there is little to gain, or only for a proposal.

        One that was refused gained nothing; what counts is how much it should have.
        """
        if self.stopping != "change" or memory is None or not memory.bold:
            return False
        return (memory.left if memory.was_refused else abs(gain)) < self.tol

    def is_met(self, gain: float, history: Sequence[float], proposal: Proposal) -> bool:
        """Whether the run has converged, given the last gain and the next proposal."""
        if self.stopping == "change":
            return abs(gain) < self.tol and not proposal.after_bold
        left = proposal.left
        if left == HUGE and not proposal.after_bold:
            left = estimate_distance(history)
        return max(left, abs(gain)) < self.tol


#: Gains below this, relative to the likelihood or to one nat, are rounding, and show no rate.
ROUNDING = 64.0 * sys.float_info.epsilon

#: EM for as many iterations as it may take.
ENDLESS = Rule(0.0)


def estimate_distance(history: Sequence[float]) -> float:
    """How far the last likelihood is from the limit, in nats, if gains go on to fall as they did last.

    Aitken's estimate, with the slower of the last two rates: gain r / (1 - r); infinite where no limit shows,
    zero where only rounding does.
    """
    if len(history) < 4:
        return math.inf
    gains = [abs(after - before) for before, after in zip(history[-4:], history[-3:], strict=False)]
    if gains[2] == 0.0 or max(gains) <= ROUNDING * max(abs(history[-1]), 1.0):
        return 0.0
    if not gains[2] < gains[1] < gains[0]:
        return math.inf
    rate = max(gains[2] / gains[1], gains[1] / gains[0])
    return gains[2] * rate / (1.0 - rate)
