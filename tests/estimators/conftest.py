"""Data from mixtures whose components lie apart, with the labels that made them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tests.helpers import random_mixture


@pytest.fixture
def make_clusters():
    """Rows of a mixture of a covariance type, its labels, and the mixture itself."""

    def make(covariance_type="full", k=2, d=2, n=200, *, spread=15.0, dtype=np.float64, seed=0):
        rng = np.random.default_rng(seed)
        mixture = random_mixture(covariance_type, k, d, rng, spread=spread)
        X, labels = mixture.sample(n, rng)
        return SimpleNamespace(X=X.astype(dtype), labels=labels, mixture=mixture)

    return make


@pytest.fixture
def iris():
    from sklearn.datasets import load_iris

    return load_iris().data
