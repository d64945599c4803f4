"""The start "agglomerative": each row belongs to its cluster in a model-based hierarchy, mclust's start.

References
----------
L. Scrucca and A. E. Raftery, Improved initialisation of model-based clustering using Gaussian hierarchical
partitions, Adv. Data Anal. Classif. 9 (2015) 447-460.
"""

from __future__ import annotations

import numpy as np
from numpy.random import RandomState

from gaussmix.engines.local import LocalEngine
from gaussmix.fit.starts.base import clustered
from gaussmix.fit.starts.hierarchy import labels_at, merges
from gaussmix.model.stats import Stats

#: Rows beyond which a hierarchy is made of a sample of them: its cost grows with their square.
MAX_AGGLOMERATED = 2000


def agglomerative(engine: LocalEngine, rng: RandomState, turn: int) -> tuple[Stats, None]:
    """Each row belongs to its cluster in a model-based hierarchy; of many rows, a sample is clustered.

    Further starts scale the rows in other ways.
    """
    n = engine.X.shape[0]
    if n <= MAX_AGGLOMERATED:
        rows = np.arange(n)
    else:
        rows = np.sort(rng.choice(n, MAX_AGGLOMERATED, replace=False))
    weights = None if engine.weights is None else engine.weights[rows]
    labels = np.full(n, -1)
    labels[rows] = labels_at(merges(engine.X[rows], weights, turn), engine.n_components)
    return clustered(engine, labels), None
