"""Engines: where rows live and who computes their statistics. The loops in `fit` see this protocol alone."""

from __future__ import annotations

from typing import Protocol

from gaussmix.model.kernels.natural import HasNatural
from gaussmix.model.moments.frame import Frame
from gaussmix.model.moments.statistics import Pass


class Engine(Protocol):
    """Rows that statistics can be asked of. Mixtures and statistics are in the frame's coordinates."""

    @property
    def frame(self) -> Frame:
        """Coordinates chosen once from the pooled rows."""

    @property
    def weight(self) -> float:
        """Sum of the weights of the rows."""

    def accumulate(self, mixture: HasNatural) -> Pass:
        """One pass: the moments of all rows under a mixture, and its log-likelihood."""
