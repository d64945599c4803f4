"""Experts that are estimators of scikit-learn."""

import numpy as np
import pytest
import sklearn
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold, ShuffleSplit
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from gaussmix import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from gaussmix.apps.experts.estimator_step import find_floors
from gaussmix.apps.experts.weighted_fitting import WeightedFit, find_weight_keyword


def make_rows(n=300, seed=0):
    """Two curves, one on each side of zero of the second column, with noise of their own."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-2.0, 2.0, size=(n, 2))
    left = X[:, 1] < 0.0
    y = np.where(left, X[:, 0] ** 2, 3.0 - X[:, 0]) + np.where(left, 0.1, 0.4) * rng.normal(size=n)
    return X, y


def test_a_pipeline_and_boosted_trees_fit_and_predict():
    X, y = make_rows()
    more, truth = make_rows(500, 1)
    pipeline = make_pipeline(StandardScaler(), PolynomialFeatures(2), Ridge(1e-3))
    trees = HistGradientBoostingRegressor(max_iter=10, learning_rate=0.3)
    for expert, least in ((pipeline, 0.92), (trees, 0.88)):
        model = MixtureOfExpertsRegressor(2, expert=expert, cv=2, n_init=1, random_state=0).fit(X, y)
        assert model.score(more, truth) > least
        assert len(model.experts_.estimators) == 2
        assert not hasattr(model, "coef_")
        std, quantiles = model.predict(more, return_std=True, quantiles=[0.1, 0.9])[1:]
        assert std.shape == (500,)
        assert 0.7 < np.mean((truth > quantiles[:, 0]) & (truth < quantiles[:, 1])) < 0.95
        again = MixtureOfExpertsRegressor(2, expert=expert, cv=2, n_init=1, random_state=0).fit(X, y)
        np.testing.assert_array_equal(model.predict(more), again.predict(more))
    assert not hasattr(trees, "n_iter_")  # templates are cloned


def test_the_likelihood_of_trees_is_that_of_new_rows():
    X, y = make_rows(400)
    more, truth = make_rows(2000, 1)
    model = MixtureOfExpertsRegressor(2, expert=DecisionTreeRegressor(min_samples_leaf=4), random_state=0)
    model.fit(X, y)
    # trees of leaves with four rows know the training rows: by their residuals it would be half a nat too high
    assert abs(model.fit_result_.mean_log_likelihood - model.log_score(more, truth)) < 0.25
    assert model.log_score(X, y) > model.log_score(more, truth) + 0.1
    assert model.fit_result_.history[-1] == max(model.fit_result_.history)


def test_several_outputs_and_covariances():
    X, y = make_rows()
    Y = np.column_stack([y, -y])
    model = MixtureOfExpertsRegressor(2, expert=DecisionTreeRegressor(max_depth=4), random_state=0)
    model.fit(X, Y)
    assert model.predict(X).shape == (300, 2)
    assert model.covariances_.shape == (2, 2, 2)
    correlations = model.covariances_[:, 0, 1] / model.covariances_[:, 0, 0]
    np.testing.assert_allclose(correlations, -1.0, atol=0.1)


def test_estimators_that_take_no_weights_are_refused_at_once():
    X, y = make_rows(30)
    for expert in (KNeighborsRegressor(), make_pipeline(StandardScaler(), KNeighborsRegressor())):
        with pytest.raises(ValueError, match="KNeighborsRegressor.* cannot be an expert: its fit takes no"):
            MixtureOfExpertsRegressor(expert=expert).fit(X, y)
    with pytest.raises(ValueError, match="takes no sample_weight"):
        MixtureOfExpertsClassifier(expert=KNeighborsClassifier()).fit(X, y > 0)
    with pytest.raises(ValueError, match="no predict_proba"):
        MixtureOfExpertsClassifier(expert=LinearSVC()).fit(X, y > 0)
    with pytest.raises(ValueError, match="is no regressor"):
        MixtureOfExpertsRegressor(expert=GaussianNB()).fit(X, y)
    with pytest.raises(ValueError, match="an object with fit"):
        MixtureOfExpertsRegressor(expert=Ridge).fit(X, y)
    with pytest.raises(ValueError, match="'linear', 'poisson', 'gamma'"):
        MixtureOfExpertsRegressor(expert="trees").fit(X, y)


def test_where_weights_go():
    nested = make_pipeline(StandardScaler(), make_pipeline(PolynomialFeatures(), Ridge()))
    search = GridSearchCV(make_pipeline(StandardScaler(), Ridge()), {"ridge__alpha": [1.0, 2.0]}, cv=2)
    targets = TransformedTargetRegressor(Ridge())
    assert find_weight_keyword(Ridge()) == "sample_weight"
    assert find_weight_keyword(nested) == "pipeline__ridge__sample_weight"
    assert find_weight_keyword(search) == "ridge__sample_weight"
    assert find_weight_keyword(make_pipeline(StandardScaler(), "passthrough")) is None
    X, y = make_rows(60)
    weights = np.where(X[:, 1] < 0.0, 1.0, 0.0)
    for template in (nested, search, targets):
        found = WeightedFit.of(template).fit(X, y, weights, 0)
        alone = WeightedFit.of(template).fit(X, y, np.ones(60), 0)
        assert not np.allclose(found.predict(X), alone.predict(X))


def test_metadata_that_is_routed_is_left_to_scikit_learn():
    X, y = make_rows(60)
    weights = np.random.default_rng(0).uniform(size=60)
    plain = WeightedFit.of(make_pipeline(StandardScaler(), Ridge())).fit(X, y, weights, 0)
    with sklearn.config_context(enable_metadata_routing=True):
        asked = Ridge().set_fit_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        way = WeightedFit.of(make_pipeline(scaler, asked))
        assert way.keyword == "sample_weight"
        routed = way.fit(X, y, weights, 0)
        unasked = WeightedFit.of(make_pipeline(StandardScaler(), Ridge())).fit(X, y, weights, 0)
    np.testing.assert_allclose(routed.predict(X), plain.predict(X))
    np.testing.assert_allclose(unasked.predict(X), plain.predict(X))


def make_classes(n=300, seed=0):
    """A class by the sign of the second column, turned by that of the first."""
    X = np.random.default_rng(seed).normal(size=(n, 2))
    return X, np.where(X[:, 0] * X[:, 1] > 0.0, "same", "other")


@pytest.mark.parametrize("expert", [LogisticRegression(), DecisionTreeClassifier(max_depth=3)])
def test_classifiers_as_experts(expert):
    X, y = make_classes()
    more, truth = make_classes(1000, 1)
    model = MixtureOfExpertsClassifier(2, expert=expert, n_init=8, random_state=0).fit(X, y)
    assert model.score(more, truth) > 0.9
    proba = model.predict_proba(more)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0)
    assert proba.min() > 0.0  # a floor stands for what a tree has not seen
    assert model.log_score(more, truth) > -0.35


def test_the_floor_of_a_classifier_is_of_greatest_likelihood():
    rng = np.random.default_rng(0)
    found, R = np.where(rng.uniform(size=(2, 400)) < [[0.9], [0.7]], 0.97, 0.0), rng.uniform(size=(2, 400))
    floors = find_floors(found, R, 3)
    grid = np.linspace(0.001, 1.0, 1000)
    for expert in range(2):
        values = [R[expert] @ np.log((1.0 - f) * found[expert] + f / 3.0) for f in grid]
        assert abs(grid[np.argmax(values)] - floors[expert]) < 0.01


def test_folds_hold_out_each_row_once():
    X, y = make_rows(60)
    options = {"expert": Ridge(), "n_init": 1, "random_state": 0}
    model = MixtureOfExpertsRegressor(2, cv=KFold(3), **options).fit(X, y)
    assert model.n_experts_ == 2
    for cv in (ShuffleSplit(3, test_size=0.5, random_state=0), [(np.arange(30), np.arange(30, 60))]):
        with pytest.raises(ValueError, match="hold out each row once"):
            MixtureOfExpertsRegressor(2, cv=cv, **options).fit(X, y)
