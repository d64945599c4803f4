"""The start "random_from_data": means are rows drawn at random."""

from __future__ import annotations

import numpy as np
from numpy.random import RandomState

from gaussmix._typing import Float64Array
from gaussmix.engines import Engine
from gaussmix.fit.memberships import accumulate_nearest
from gaussmix.model.moments.statistics import Moments


def random_from_data(engine: Engine, k: int, rng: RandomState, turn: int) -> tuple[Moments, Float64Array]:
    """Means are distinct rows drawn at random, by their weights; each row belongs to the nearest."""
    chosen = engine.rows.take(engine.rows.draw(k, rng)).array
    return accumulate_nearest(engine, chosen.astype(np.float64))
