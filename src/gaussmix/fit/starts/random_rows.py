"""The start "random_from_data": means are rows drawn at random."""

from __future__ import annotations

import numpy as np
from numpy.random import RandomState

from gaussmix._typing import Float64Array
from gaussmix.engines.local import LocalEngine
from gaussmix.fit.starts.base import nearest
from gaussmix.model.moments.statistics import Moments


def random_from_data(engine: LocalEngine, rng: RandomState, turn: int) -> tuple[Moments, Float64Array]:
    """Means are distinct rows drawn at random, by their weights; each row belongs to the nearest."""
    probability = None if engine.weights is None else engine.weights / engine.weights.sum()
    rows = rng.choice(engine.X.shape[0], size=engine.n_components, replace=False, p=probability)
    return nearest(engine, engine.X[rows].astype(np.float64))
