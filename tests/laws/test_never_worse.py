"""A default fit is never below what its own k-means start reaches by the same rules, on tables of all sorts."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from gaussmix import GaussianMixture
from tests.laws.never_worse_data import MOST, tables

TABLES = tables()
#: Nats a row by which rounding may tell two fits apart that end at the same place.
ROUNDING = 1e-9


def test_the_tables_are_many_small_and_finite():
    assert len(TABLES) >= 120
    assert len({name for name, _, _ in TABLES}) == len(TABLES)
    for _, X, k in TABLES:
        assert X.ndim == 2
        assert k < len(X) <= MOST
        assert np.isfinite(X).all()


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
@pytest.mark.parametrize(("X", "k"), [t[1:] for t in TABLES], ids=[t[0] for t in TABLES])
def test_a_default_fit_is_not_below_its_own_kmeans_start(X, k, covariance_type):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        plain = GaussianMixture(k, covariance_type=covariance_type, init_params="kmeans", random_state=0).fit(
            X
        )
        default = GaussianMixture(k, covariance_type=covariance_type, random_state=0).fit(X)
    assert default.lower_bound_ >= plain.lower_bound_ - ROUNDING * max(1.0, abs(plain.lower_bound_))
