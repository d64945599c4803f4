"""The folds of a search by held-out rows, where some rows have no weight."""

import numpy as np
import pytest
from sklearn.model_selection import KFold

from gaussmix import search

ROWS = np.random.default_rng(0).normal(size=(60, 2))
ASKED = {"covariance_type": "EII", "criterion": "cv", "random_state": 0}


def test_rows_of_no_weight_are_absent():
    weights = np.repeat([0.0, 1.0], [50, 10])
    weighted = search(ROWS, [1, 2], sample_weight=weights, **ASKED)
    alone = search(ROWS[50:], [1, 2], **ASKED)
    for key, folds in alone.held_out.items():
        np.testing.assert_allclose(weighted.held_out[key], folds, rtol=1e-6)


def test_a_fold_of_no_weight_is_an_error():
    weights = np.repeat([0.0, 1.0], [50, 10])
    with pytest.raises(ValueError, match="a fold whose rows all have weight zero"):
        search(ROWS, [1], sample_weight=weights, cv=KFold(6), **ASKED)
