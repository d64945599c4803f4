"""Searches of many rows that were rounded, so that components can be held on heaps of equal rows."""

import numpy as np
import pytest

from gaussmix import search


@pytest.mark.parametrize("seed", [2, 4, 5, 7])
def test_a_heap_in_the_sample_does_not_win(seed):
    """The sample's best fits hold a component on a heap; models without one were then not fitted at all."""
    rng = np.random.default_rng(seed)
    means = rng.normal(0.0, 4.0, (4, 2))
    n = 6000  # of so many rows a search begins with a sample
    rows = np.round(2.0 * (means[rng.integers(0, 4, n)] + rng.normal(size=(n, 2)))) / 2.0
    asked = {"covariance_type": ["EII", "VVI", "EEE"], "random_state": 0}
    found = search(rows, **asked)
    complete = search(rows, **asked, complete=True)
    assert found.best_model == complete.best_model and found.best_model[1] == 4
    assert found.best.bic == pytest.approx(complete.best.bic, abs=0.5)
    assert not found.best.held and found.best.doubt is not None
