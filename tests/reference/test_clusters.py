"""Merging, projection and the choice of features as R has them; `clusters.R` wrote the values."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_iris

from gaussmix import Mixture, merge_components, project, select_features
from gaussmix.datasets import load_faithful

THEIRS = json.loads((Path(__file__).parent / "clusters.json").read_text("utf-8"))
ROWS = {"faithful": load_faithful()[0], "iris": load_iris().data}


def read_mixture(case):
    means = np.array(case["means"])
    k, d = means.shape
    weights = np.array(case["weights"])
    return Mixture(weights / weights.sum(), means, np.array(case["covariances"]).reshape(k, d, d))


@pytest.mark.parametrize("name", ["faithful", "iris"])
class TestMerging:
    def test_by_entropy(self, name):
        case = THEIRS[name]
        merging = merge_components(read_mixture(case), ROWS[name])
        assert merging.pairs.ravel().tolist() == case["pairs"]
        assert_allclose(merging.entropies, case["entropies"], rtol=1e-6, atol=1e-8)
        assert merging.n_clusters == case["n_clusters"]

    def test_by_misclassification(self, name):
        case = THEIRS[name]["demp"]
        merging = merge_components(read_mixture(THEIRS[name]), ROWS[name], "demp")
        assert merging.pairs.ravel().tolist() == case["pairs"]
        assert_allclose(merging.overlaps, case["values"], rtol=1e-6, atol=1e-9)
        assert merging.n_clusters == 2  # all but the last are above 0.025


@pytest.mark.parametrize("name", ["iris_means", "iris_both", "faithful_both"])
def test_projection(name):
    case, X = THEIRS[name], ROWS[name.split("_")[0]]
    found = project(read_mixture(case), X, means_share=case["lambda"])
    basis, eigenvalues = np.array(case["basis"]), np.array(case["eigenvalues"])
    assert found.basis.shape == basis.shape
    assert_allclose(found.eigenvalues, eigenvalues, rtol=1e-6)
    assert_allclose(np.abs((found.basis * basis).sum(axis=0)), 1.0, atol=1e-6)  # but for their signs


def test_the_choice_of_features():
    """The vignette's steps: BIC (ours has the other sign), model, difference and decision.

    Families and numbers are those of the best models there; all of them have the same best.
    """
    expected = [
        ("take", "X2", 822.6398, ("E", 2), 11.17931, True),
        ("take", "X1", 1482.8408, ("VEV", 2), 85.19530, True),
        ("take", "X3", 2047.7064, ("EEV", 2), -14.91130, False),
        ("drop", "X1", 822.6355, ("E", 2), 85.19104, False),
    ]
    X = np.loadtxt(Path(__file__).parent / "clustvarsel.csv", delimiter=",", skiprows=1)
    names = [f"X{place}" for place in range(1, 6)]
    families = ["EII", "EEE", "EVE", "EEV", "VEV", "VVV"]
    found = select_features(X, range(1, 4), covariance_type=families, feature_names=names)
    assert found.names == ("X2", "X1")
    for step, (action, name, bic, model, difference, accepted) in zip(found.history, expected, strict=True):
        assert (step.action, step.name, step.accepted) == (action, name, accepted)
        assert (step.covariance_type, step.n_components) == model
        assert_allclose([step.bic, step.difference], [bic, difference], atol=0.05)
