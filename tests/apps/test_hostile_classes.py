"""The classifier on rows that are far away, and on labels as data frames have them."""

from __future__ import annotations

import numpy as np
import pytest

from gaussmix import GaussianMixtureClassifier


def make_two_classes():
    rng = np.random.default_rng(0)
    y = np.arange(120) % 2
    return rng.normal(size=(120, 2)) + 3.0 * y[:, None], y


@pytest.mark.parametrize("value", [1e8, 1e100, 1e200, np.finfo(float).max])
@pytest.mark.parametrize("calibration", ["auto", None])
def test_probabilities_of_rows_that_are_far_away_sum_to_one(value, calibration):
    X, y = make_two_classes()
    model = GaussianMixtureClassifier(
        1, covariance_type=["tied", "full"], calibration=calibration, random_state=0
    ).fit(X, y)
    far = np.array([[value, value], [-value, 0.0]])
    np.testing.assert_allclose(model.predict_proba(far).sum(axis=1), 1.0)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(far)).sum(axis=1), 1.0)


@pytest.mark.parametrize(
    ("labels", "dtype", "kind"),
    [
        (["a", "b"], "string", "U"),
        (["a", "b"], object, "U"),
        ([3, 7], "Int64", "i"),
        ([True, False], "boolean", "b"),
    ],
)
def test_missing_cells_of_a_column_are_rows_without_a_class(labels, dtype, kind):
    pandas = pytest.importorskip("pandas")
    X, y = make_two_classes()
    column = pandas.Series([labels[i] for i in y], dtype=dtype)
    column[:20] = pandas.NA
    options = {"n_components": 1, "covariance_type": "tied", "shrinkage": 0.0, "random_state": 0}
    model = GaussianMixtureClassifier(**options).fit(X, column)
    assert model.classes_.dtype.kind == kind
    assert model.classes_.tolist() == sorted(labels)
    codes = np.where(np.arange(len(y)) < 20, -1, np.searchsorted(model.classes_, [labels[i] for i in y]) + 1)
    same = GaussianMixtureClassifier(**options).fit(X, codes)
    np.testing.assert_allclose(model.predict_proba(X), same.predict_proba(X))
