"""The detector on rows that leave little to cluster, and on values beyond all bounds."""

from __future__ import annotations

import numpy as np
import pytest

from gaussmix import GaussianMixtureDetector
from gaussmix.errors import FitError


@pytest.mark.parametrize("novelty", [False, True])
@pytest.mark.parametrize("n_distinct", [1, 2, 5])
def test_few_distinct_rows_have_as_few_components(n_distinct, novelty):
    X = np.repeat(np.random.default_rng(0).normal(size=(n_distinct, 3)), 200 // n_distinct, axis=0)
    detector = GaussianMixtureDetector(novelty=novelty, random_state=0).fit(X)
    assert detector.n_components_ <= max(n_distinct, 1)
    assert np.isfinite(detector.score_samples(X)).all()
    assert detector.predict(X[:1] + 100.0) == -1


def test_one_row_of_all_the_weight_is_fitted():
    X = np.random.default_rng(0).normal(size=(200, 2))
    weights = np.ones(len(X))
    weights[7] = 1e12
    detector = GaussianMixtureDetector(random_state=0).fit(X, sample_weight=weights)
    assert detector.score_samples(X).argmax() == 7


@pytest.mark.parametrize("options", [{}, {"novelty": True}, {"covariance_type": "full"}])
def test_more_components_than_distinct_rows_are_one_error(options):
    X = np.repeat(np.random.default_rng(0).normal(size=(5, 2)), 30, axis=0)
    with pytest.raises(ValueError, match="n_components=9 is too many"):
        GaussianMixtureDetector(9, random_state=0, **options).fit(X)


@pytest.mark.parametrize("value", [1e100, 1e200, np.finfo(float).max])
def test_an_anomaly_beyond_all_bounds_changes_nothing_for_others(value):
    X = np.random.default_rng(0).normal(size=(300, 3))
    X[0] = [50.0, 50.0, 50.0]
    far = X.copy()
    far[0, 1] = value
    near_scores = GaussianMixtureDetector(random_state=0).fit(X).score_samples(X)
    detector = GaussianMixtureDetector(random_state=0).fit(far)
    assert detector.predict(far[:1]) == -1
    np.testing.assert_allclose(detector.score_samples(far)[1:], near_scores[1:], atol=0.1)


@pytest.mark.parametrize("value", [1e100, 1e200, -np.finfo(float).max])
def test_reasons_of_a_row_beyond_all_bounds_agree_with_its_score(value):
    detector = GaussianMixtureDetector(1, random_state=0).fit(np.random.default_rng(0).normal(size=(300, 3)))
    row = np.array([[0.0, value, 0.0]])
    explanation = detector.explain(row)
    assert explanation.changes[0, 0] == 1
    np.testing.assert_allclose(explanation.deficits, -detector.score_samples(row), rtol=1e-9)


def test_a_column_of_one_huge_value_is_constant():
    X = np.random.default_rng(0).normal(size=(100, 2))
    X[:, 1] = 1e300
    detector = GaussianMixtureDetector(random_state=0).fit(X)
    assert detector.predict([[0.0, 1e300], [0.0, -1e300]]).tolist() == [1, -1]


def test_clean_rows_that_are_not_are_one_error():
    X = np.random.default_rng(0).normal(size=(100, 2))
    X[0, 0] = 1e60
    with pytest.raises(FitError, match="leave such rows out, or let trimming do it"):
        GaussianMixtureDetector(novelty=True, random_state=0).fit(X)
