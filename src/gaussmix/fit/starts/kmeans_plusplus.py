"""The start "k-means++": means are rows far from one another.

References
----------
D. Arthur and S. Vassilvitskii, k-means++: the advantages of careful seeding, Proc. 18th ACM-SIAM Symp. on
Discrete Algorithms (2007) 1027-1035.
"""

from __future__ import annotations

import numpy as np
from numpy.random import RandomState

from gaussmix._typing import Float64Array
from gaussmix.engines import Engine
from gaussmix.fit.memberships import accumulate_nearest
from gaussmix.fit.starts.kmeans import one_openmp_thread
from gaussmix.model.moments.statistics import Moments


def kmeans_plusplus(engine: Engine, k: int, rng: RandomState, turn: int) -> tuple[Moments, Float64Array]:
    """Means are rows that k-means++ seeding chose; each row belongs to the nearest."""
    from sklearn.cluster import kmeans_plusplus as seed

    with one_openmp_thread():
        centres, _ = seed(engine.rows.array, k, sample_weight=engine.rows.weights, random_state=rng)
    return accumulate_nearest(engine, np.asarray(centres, dtype=np.float64))
