"""How a mixture is evaluated: seen from the frame that whitens it, and by passes over rows from there."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np

from gaussmix._typing import Float64Array, FloatArray
from gaussmix.model.kernels.natural import Natural
from gaussmix.model.kernels.sweep import Sweep
from gaussmix.model.moments.frame import Frame

#: Spreads of the mixture beyond which rows are taken to be that far away, by type of float.
FARTHEST = {"d": 1e100, "f": 1e12}


class View(NamedTuple):
    """The frame that whitens a whole mixture, for rows of one type, and the natural parameters in it.

    A row whose feature is farther from the frame's origin than `farthest`, shape (d,), is taken to be at that
    distance, lest its square overflow.
    """

    frame: Frame
    natural: Natural
    farthest: Float64Array

    @classmethod
    def of(cls, frame: Frame, natural: Natural, type_code: str) -> Self:
        """The view from a frame of rows whose type of float has this code."""
        with np.errstate(over="ignore"):
            return cls(frame, natural, FARTHEST[type_code] * np.sqrt(frame.variances))

    def make_sweep(self, rows: FloatArray, extent: float) -> Sweep:
        """A pass over rows, none of whose numbers is larger than the extent."""
        frame, natural, far = self
        if extent > 0.5 * float(far.min()):
            rows = np.clip(rows, *(np.asarray(frame.origin + far * s, dtype=rows.dtype) for s in (-1.0, 1.0)))
        return Sweep(rows, frame, natural.form, natural.n_rows)
