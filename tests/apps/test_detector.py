"""The detector: scikit-learn's conventions, and rows that do not belong."""

from __future__ import annotations

import numpy as np
import pytest

from gaussmix import GaussianMixtureDetector


def make_rows(n=300, n_far=10, d=3, seed=0):
    """Normal rows about zero, and a tight cluster of anomalies, which come last."""
    generator = np.random.default_rng(seed)
    return np.concatenate([generator.normal(size=(n, d)), generator.normal(8.0, 0.1, size=(n_far, d))])


def test_a_cluster_of_anomalies_is_not_absorbed():
    X = make_rows()
    scores = GaussianMixtureDetector(random_state=0).fit(X).score_samples(X)
    assert scores[-10:].max() < scores[:-10].min()


def test_decisions_are_scores_less_the_offset():
    X = make_rows()
    model = GaussianMixtureDetector(contamination=0.05).fit(X)
    decisions = model.decision_function(X)
    np.testing.assert_allclose(decisions, model.score_samples(X) - model.offset_)
    assert (model.predict(X) == np.where(decisions < 0, -1, 1)).all()
    assert (model.predict(X) == -1).mean() == pytest.approx(0.05, abs=1 / len(X))
