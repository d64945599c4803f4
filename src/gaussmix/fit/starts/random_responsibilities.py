"""The start "random": every row belongs to every component, by shares drawn at random."""

from __future__ import annotations

import numpy as np
from numpy.random import RandomState

from gaussmix._typing import FloatArray
from gaussmix.engines import Engine
from gaussmix.model.moments.statistics import Moments


def random(engine: Engine, k: int, rng: RandomState, turn: int) -> tuple[Moments, None]:
    """Responsibilities are random."""

    def draw(rows: slice) -> FloatArray:
        # drawn chunk by chunk, in order: the same numbers as one (n, k) draw, without its memory
        R = rng.uniform(size=(rows.stop - rows.start, k))
        return np.asarray((R / R.sum(axis=1, keepdims=True)).T)

    return engine.accumulate_given(draw, k), None
