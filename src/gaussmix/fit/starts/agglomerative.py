"""The start "agglomerative": each row belongs to its cluster in a model-based hierarchy, mclust's start.

References
----------
L. Scrucca and A. E. Raftery, Improved initialisation of model-based clustering using Gaussian hierarchical
partitions, Adv. Data Anal. Classif. 9 (2015) 447-460.
"""

from __future__ import annotations

import numpy as np
from numpy.random import RandomState

from gaussmix.engines import Engine
from gaussmix.fit.memberships import accumulate_labels
from gaussmix.fit.starts.hierarchy import find_clusters
from gaussmix.model.moments.statistics import Moments

#: Rows beyond which a hierarchy is made of a sample of them: its cost grows with their square.
MAX_AGGLOMERATED = 2000
#: The fewest rows of that sample. Larger ones led to no higher likelihood (8000 rows, k = 5, 8, 16, up to
#: 2000 of them).
FEW = 500
#: Rows of it for each component, where that is more.
FEW_EACH = 60
#: Rows of it for each number of a component's mean, and a constant, where that is more.
FEW_EACH_NUMBER = 5


def agglomerative(engine: Engine, k: int, rng: RandomState, turn: int) -> tuple[Moments, None]:
    """Each row belongs to its cluster in a model-based hierarchy; of many rows, a sample is clustered.

    Further starts scale the rows in other ways.
    """
    n, d = engine.rows.shape
    few = max(FEW, FEW_EACH * k, FEW_EACH_NUMBER * k * (d + 1))
    places = None if n <= MAX_AGGLOMERATED else engine.rows.choose(min(few, MAX_AGGLOMERATED), rng)
    places = np.arange(n) if places is None else places
    some, labels = engine.rows.take(places), np.full(n, -1)
    labels[places] = find_clusters(some.array, some.weights, turn, k)
    return accumulate_labels(engine, labels, k), None
