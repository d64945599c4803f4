"""Components assigned anew to the groups that they are nearest to, as k-means assigns rows."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import IntArray
from gaussmix.model.mixture.pairs.divergences import measure_divergences
from gaussmix.model.mixture.parts import Parts
from gaussmix.model.mixture.reduction.merging import merge_groups

#: Steps at most; most refinements end within ten.
MOST_STEPS = 100


def refine_groups(mixture: Parts, labels: IntArray, n_groups: int) -> IntArray:
    """Groups of no greater loss sum_i w_i KL(f_i || g_group(i)), which no single component wants to leave.

    Each component goes to the group of least divergence, then each group becomes the Gaussian of its
    components; neither makes the loss greater (Goldberger and Roweis 2004).
    """
    kept = np.flatnonzero(labels >= 0)
    for _ in range(MOST_STEPS):
        merged = merge_groups(mixture, labels, n_groups)
        divergences = measure_divergences(mixture, merged)[kept]
        rows = np.arange(len(kept))
        nearest = np.argmin(divergences, axis=1)
        gains = divergences[rows, labels[kept]] > divergences[rows, nearest]
        changed = labels.copy()
        changed[kept[gains]] = nearest[gains]
        if not gains.any() or len(np.unique(changed[kept])) < n_groups:  # no group may become empty
            break
        labels = changed
    return labels
