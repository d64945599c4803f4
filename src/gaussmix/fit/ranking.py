"""Which outcome is better: of runs, racers, fits. Soundness comes first, and of equals the first stays.

The likelihood of a component that collapses has no bound, so it says nothing for its run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gaussmix.fit.iterate.em import Run
from gaussmix.fit.judge import Judge
from gaussmix.fit.result import FitResult, FitStatus

#: Nats a row by which the winner of a race has to be better than what EM from k-means has led to.
RACE_MARGIN = 1e-6


class Standing(NamedTuple):
    """How sound an outcome is, and how good: the larger, the better, the first of them before the second."""

    soundness: int
    value: float

    def beats(self, other: Standing, margin: float = 0.0) -> bool:
        """Whether it is the better one; where both are as sound, by more than the margin."""
        return self > (other.soundness, other.value + margin)


def rate_run(run: Run) -> Standing:
    """By the objective, in nats a row."""
    return Standing(run.status != FitStatus.DEGENERATE, run.objective)


def rate_fit(result: FitResult) -> Standing:
    """By BIC, for models of different numbers of parameters."""
    return Standing(result.status != FitStatus.DEGENERATE, -result.bic)


def choose_run(best: Run | None, run: Run) -> Run:
    """The better of two."""
    return run if best is None or rate_run(run).beats(rate_run(best)) else best


def choose_raced(known: Run | None, run: Run, judge: Judge) -> Run:
    """The better of what EM from k-means has led to and of what a race has found.

    The latter has to be as sound, and replaces a higher likelihood only where that is of a spike.
    """
    if known is None or FitStatus.DEGENERATE in (known.status, run.status):
        return choose_run(known, run)
    flaws, before = judge.count_flaws(run.mixture), judge.count_flaws(known.mixture)
    few = judge.has_few_rows(run.mixture.n_components)  # every optimum is suspect
    if flaws > before:
        return known
    if flaws < before and not few:
        return run
    return run if run.objective > known.objective + RACE_MARGIN else known


def order_by_score(scores: Sequence[float], equal: float) -> list[int]:
    """Places by score, the highest first.

    Of a chain of scores, each within `equal` of its last, places stay in their order: no rounding decides.
    """
    order: list[int] = []
    chain: list[int] = []
    for place in sorted(range(len(scores)), key=lambda place: -scores[place]):
        if chain and scores[chain[-1]] - scores[place] > equal:
            order += sorted(chain)
            chain = []
        chain.append(place)
    return order + sorted(chain)
