"""What the models of a search with outliers share."""

from collections import Counter

import numpy as np

from gaussmix import search
from gaussmix.fit.starts import hierarchy


def test_models_with_noise_share_hierarchies(monkeypatch):
    """Every model begins at hierarchies of the same cores of the rows; each is made once."""
    rng = np.random.default_rng(0)
    rows = np.vstack([rng.normal(m, 1.0, (40, 2)) for m in (0.0, 6.0)] + [rng.uniform(-20, 20, (12, 2))])
    hierarchy._find_merges.cache_clear()
    hierarchy._find_clusters.cache_clear()
    made, merge_all = Counter(), hierarchy._Clusters.merge_all

    def count(clusters):
        made[clusters.centres.tobytes()] += 1
        return merge_all(clusters)

    monkeypatch.setattr(hierarchy._Clusters, "merge_all", count)
    search(rows, [2, 3], covariance_type=["EII", "EEE", "VVV"], noise=True, random_state=0)
    large = [number for centres, number in made.items() if len(centres) > 16 * len(rows) / 3]
    assert len(large) > 1 and set(large) == {1}
