"""The choice of features on simulated truths, its options and its regressions."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LinearRegression

from gaussmix import select_features
from gaussmix.clusters.regression import MOST_TRIED, Regression

#: Few models, which are enough for the clusters here.
FEW = {"n_components": range(1, 4), "covariance_type": ["EII", "VVV"]}


def make_rows(n=240, seed=0):
    """Three clusters in columns 1 and 3; column 0 is a regression on 1, column 2 is by itself."""
    rng = np.random.default_rng(seed)
    centres = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    X = rng.normal(size=(n, 4))
    X[:, [1, 3]] += centres[np.arange(n) % 3]
    X[:, 0] = 0.8 * X[:, 1] + 0.6 * rng.normal(size=n)
    return X


@pytest.fixture(scope="module")
def found():
    return select_features(make_rows(), feature_names=["a", "b", "c", "d"], **FEW)


class TestSelection:
    def test_the_truth_is_found(self, found):
        assert sorted(found.selected) == [1, 3] and sorted(found.names) == ["b", "d"]
        assert found.best.mixture.n_components == 3 and found.best.mixture.feature_names == found.names
        labels = found.best.mixture.predict(found.transform(make_rows()))
        agree = np.array(
            [[np.sum((labels == i) & (np.arange(240) % 3 == j)) for j in range(3)] for i in range(3)]
        )
        assert agree.max(axis=1).sum() > 230
        assert [step.accepted for step in found.history] == [True, True, False, False]
        assert all(step.difference > 10.0 for step in found.history[:2])

    def test_what_is_printed(self, found):
        assert "BIC difference" in repr(found) and "Selected: " in repr(found) and "rejected" in repr(found)
        assert "<table>" in found._repr_html_()

    def test_transform(self, found):
        X = make_rows()
        assert_array_equal(found.transform(X), X[:, list(found.selected)])
        with pytest.raises(ValueError, match="the 4 columns of the selection"):
            found.transform(X[:, :3])

    def test_a_quick_fit_finds_the_same(self, found):
        one = select_features(make_rows(), max_candidates=1, **FEW)
        assert sorted(one.selected) == sorted(found.selected)

    def test_units_make_no_difference(self):
        models = {"n_components": range(1, 4), "covariance_type": ["EEI", "VVV"]}
        one = select_features(make_rows(), **models)
        other = select_features(make_rows() * [1e6, 1e-6, 1.0, 1e3] + [0.0, 5.0, 0.0, 1e5], **models)
        assert other.selected == one.selected
        steps = zip(one.history, other.history, strict=True)
        assert all(abs(mine.difference - theirs.difference) < 0.1 for mine, theirs in steps)

    def test_weights_are_copies_of_rows(self):
        X = make_rows(120)
        copies = np.random.default_rng(1).integers(0, 3, size=120)
        one = select_features(X, sample_weight=copies, **FEW)
        other = select_features(np.repeat(X, copies, axis=0), **FEW)
        assert one.selected == other.selected
        assert_allclose(one.history[0].difference, other.history[0].difference, atol=0.5)

    def test_constant_and_collinear_columns_are_never_taken(self):
        X = make_rows()
        X = np.column_stack([X, np.full(240, 7.0), X[:, 1] - X[:, 3]])
        found = select_features(X, **FEW)
        assert 4 not in found.selected and len(found.selected) == 2
        assert all(step.feature != 4 for step in found.history)

    def test_a_feature_of_heaps_does_not_win(self):
        """A component on rows of one value would have any likelihood."""
        X = np.column_stack([make_rows(), np.random.default_rng(2).integers(0, 3, size=240)])
        found = select_features(X, range(1, 5), covariance_type=["EII", "VVV"])
        assert sorted(found.selected)[:2] == [1, 3] and found.history[0].feature != 4

    def test_options(self):
        X = make_rows()
        assert len(select_features(X, max_features=1, **FEW).selected) == 1
        steps = []
        found = select_features(X, on_step=lambda step: steps.append(step) or len(steps) == 2, **FEW)
        assert found.history == tuple(steps) and len(steps) == 2
        assert len(select_features(X, max_steps=1, **FEW).history) == 1
        strict = select_features(X, least_difference=1e6, **FEW)
        assert strict.selected == () and strict.best is None and strict.search is None
        assert "No feature tells clusters apart" in repr(strict)
        assert strict.transform(X).shape == (240, 0)

    def test_one_feature(self):
        X = np.concatenate([np.random.default_rng(3).normal(size=(60, 1)), np.full((60, 1), 9.0)])
        X[60:] += np.random.default_rng(4).normal(size=(60, 1))
        found = select_features(X, range(1, 4))
        assert found.selected == (0,) and found.best.mixture.n_components == 2

    def test_one_gaussian(self):
        found = select_features(np.random.default_rng(5).normal(size=(150, 3)), **FEW)
        assert found.best is None or found.best.mixture.n_components == 1

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"n_components": 1}, "a number of clusters over 1"),
            ({"max_features": 0}, "max_features must be a whole number of at least 1"),
            ({"max_candidates": 1.5}, "max_candidates must be"),
            ({"max_steps": True}, "max_steps must be"),
            ({"least_difference": np.nan}, "least_difference must be a finite number"),
            ({"covariance_type": "round"}, "covariance_type"),
            ({"feature_names": ["a"]}, "feature_names must be 4 names"),
            ({"X": np.ones((9, 2))}, "no feature varies"),
            ({"X": [[np.nan, 1.0], [0.0, 1.0]]}, "NaN"),
        ],
    )
    def test_wrong_arguments(self, options, said):
        with pytest.raises(ValueError, match=said):
            select_features(**({"X": make_rows(30)} | options))


class TestRegression:
    @pytest.mark.parametrize("weighted", [False, True])
    def test_bic_by_definition(self, weighted):
        rng = np.random.default_rng(6)
        X = rng.normal(size=(50, 4)) @ rng.normal(size=(4, 4)) + [0.0, 100.0, 0.0, -3.0]
        weights = rng.integers(1, 4, size=50).astype(float) if weighted else None
        rows = X if weights is None else np.repeat(X, weights.astype(int), axis=0)
        n = len(rows)
        found = Regression.of(X, weights)
        values = []
        for size in range(4):
            for on in combinations([1, 2, 3], size):
                y = rows[:, 0] - rows[:, 0].mean()
                if on:
                    y = rows[:, 0] - LinearRegression().fit(rows[:, on], rows[:, 0]).predict(rows[:, on])
                values.append(n * np.log(2.0 * np.pi * np.mean(y**2)) + n + (size + 2) * np.log(n))
        assert_allclose(found.find_bic(0, [1, 2, 3]), min(values))
        assert_allclose(found.find_bic(0, []), values[0])

    def test_many_predictors_leave_one_by_one(self):
        rng = np.random.default_rng(7)
        X = rng.normal(size=(200, MOST_TRIED + 4))
        X[:, 0] += 3.0 * X[:, 1] - 2.0 * X[:, 2]
        found = Regression.of(X, None)
        assert_allclose(found.find_bic(0, range(1, MOST_TRIED + 4)), found.find_bic(0, [1, 2]), atol=15.0)
        assert found.find_bic(0, range(1, MOST_TRIED + 4)) <= found.find_bic(0, [1, 2])

    def test_what_is_told_exactly(self):
        X = np.random.default_rng(8).normal(size=(40, 2))
        assert Regression.of(np.column_stack([X, X @ [2.0, -1.0]]), None).find_bic(2, [0, 1]) == -np.inf
