"""The regressor: scikit-learn's contract, special cases, frames, units, weights, wrong input."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.random import RandomState
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import gaussmix
from gaussmix import GaussianMixtureRegressor, MixtureBatch
from gaussmix.apps.regression.choosing import divide_rows
from gaussmix.apps.regression.fitting import Effort, JointModel, JointRows, fit_joint, make_prior
from tests.helpers import run_python

CHECKED = ("GaussianMixtureRegressor([1, 2], cv=2)",)
CODE = """
import json, warnings
from sklearn.utils.estimator_checks import check_estimator
from gaussmix import GaussianMixtureRegressor

warnings.simplefilter("ignore")
report = {}
for variant in %r:
    results = check_estimator(eval(variant), on_skip=None, on_fail=None)
    report[variant] = [[r["check_name"], r["status"], str(r["exception"])] for r in results]
print(json.dumps(report))
"""


def test_no_check_of_scikit_learn_fails_or_is_skipped():
    pytest.importorskip("pandas", reason="a check of column names needs it")
    report = json.loads(run_python(CODE % (CHECKED,), SCIPY_ARRAY_API="1"))
    for variant, results in report.items():
        assert len(results) > 40
        assert [result for result in results if result[1] != "passed"] == [], variant


@pytest.fixture(scope="module")
def curve():
    rng = np.random.default_rng(0)
    X = rng.uniform(-3.0, 3.0, (400, 1))
    return X, np.sin(X[:, 0]) + 0.1 * (1.0 + (X[:, 0] > 0.0)) * rng.normal(size=400)


@pytest.fixture(scope="module")
def fitted(curve):
    return GaussianMixtureRegressor(4, covariance_type="full", random_state=0).fit(*curve)


def test_one_component_is_linear_regression():
    X, y = load_diabetes(return_X_y=True)
    model = GaussianMixtureRegressor(1, covariance_type="full").fit(X, y)
    assert_allclose(model.predict(X), LinearRegression().fit(X, y).predict(X), rtol=1e-6)
    residuals = y - model.predict(X)
    assert_allclose(model.predict(X, return_std=True)[1], np.sqrt(np.mean(residuals**2)), rtol=1e-6)


def test_all_that_a_prediction_may_have_comes_in_order(fitted, curve):
    X, y = curve
    mean, std, cov, quantiles, batch = fitted.predict(
        X, return_std=True, return_cov=True, quantiles=[0.05, 0.5, 0.95], return_mixture=True
    )
    assert (mean.shape, std.shape, cov.shape, quantiles.shape) == ((400,), (400,), (400, 1, 1), (400, 3))
    assert isinstance(batch, MixtureBatch)
    assert_allclose(mean, fitted.predict(X), rtol=1e-9, atol=1e-12)
    assert_allclose(cov[:, 0, 0], std**2)
    assert_allclose(quantiles[:, 1], fitted.predict(X, point="median"))
    assert_allclose(fitted.predict(X, quantiles=0.05)[1], quantiles[:, 0])
    assert_allclose(batch.cdf(quantiles), np.tile([0.05, 0.5, 0.95], (400, 1)), atol=1e-9)
    mode = fitted.predict(X, point="mode")
    assert (batch.log_prob(mode[:, None]) >= batch.log_prob(mean[:, None]) - 1e-9).all()
    assert abs(np.mean((y > quantiles[:, 0]) & (y < quantiles[:, 2])) - 0.9) < 0.06


def test_scores_of_predictions_agree_with_their_definitions(fitted, curve):
    X, y = curve
    batch = fitted.predict(X, return_mixture=True)[1]
    assert fitted.score(X, y) == pytest.approx(r2_score(y, fitted.predict(X)))
    assert_allclose(fitted.log_prob(X, y), batch.log_prob(y[:, None]))
    assert_allclose(fitted.log_prob(X, y) + fitted.score_samples(X), fitted.mixture_.log_prob(np.c_[X, y]))
    weights = np.random.default_rng(0).integers(0, 3, 400)
    assert fitted.log_score(X, y, weights) == pytest.approx(
        np.average(batch.log_prob(y[:, None]), weights=weights)
    )
    assert fitted.crps(X, y, weights) == pytest.approx(np.average(gaussmix.crps(batch, y), weights=weights))
    assert fitted.energy_score(X, y, rng=0) == pytest.approx(fitted.crps(X, y), rel=0.1)


def test_draws_have_the_predicted_moments(fitted):
    X = [[-2.0], [0.5], [np.nan]]
    draws = fitted.sample(X, 20_000, rng=0)
    mean, std = fitted.predict(X, return_std=True)
    assert draws.shape == (3, 20_000)
    assert_allclose(draws.mean(axis=1), mean, atol=0.05)
    assert_allclose(draws.std(axis=1), std, rtol=0.05)


def test_several_outputs_are_predicted_together():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(500, 2))
    common = rng.normal(size=500)
    Y = np.column_stack([X[:, 0] + 0.1 * common, X[:, 1] - 0.1 * common])
    model = GaussianMixtureRegressor(1, covariance_type="full").fit(X, Y)
    mean, std, cov, quantiles = model.predict(X, return_std=True, return_cov=True, quantiles=[0.1, 0.9])
    assert (mean.shape, std.shape, cov.shape) == ((500, 2), (500, 2), (500, 2, 2))
    assert quantiles.shape == (500, 2, 2)
    assert_allclose(cov[0], [[0.01, -0.01], [-0.01, 0.01]], atol=2e-3)
    assert model.crps(X, Y).shape == (2,)
    assert model.sample(X, 3).shape == (500, 3, 2)
    assert model.predict(X, point="mode").shape == model.predict(X, point="median").shape == (500, 2)
    assert model.n_outputs_ == 2
    assert model.fit(X, Y[:, :1]).predict(X).shape == (500, 1)


def test_units_and_origins_of_inputs_and_outputs_do_not_matter(curve):
    X, y = curve
    options = {"covariance_type": ["tied", "full"], "random_state": 0}
    plain = GaussianMixtureRegressor([1, 4], **options).fit(X, y)
    mean, std = plain.predict(X, return_std=True)
    for unit, offset in ((1e-12, 0.0), (1e12, 0.0), (1.0, 1e7)):
        moved = GaussianMixtureRegressor([1, 4], **options).fit(unit * X + offset, unit * y + offset)
        there, spread = moved.predict(unit * X + offset, return_std=True)
        assert (moved.n_components_, moved.covariance_type_) == (plain.n_components_, plain.covariance_type_)
        assert_allclose((there - offset) / unit, mean, atol=1e-3 if offset else 1e-6)
        assert_allclose(spread / unit, std, rtol=1e-3)


@pytest.mark.parametrize(
    ("covariance_type", "shrinkage"),
    [("full", 0.0), ("full", 8.0), ("tied", 0.0), ("diag", 8.0), ("factor", 0.0)],
)
def test_the_unit_of_one_column_does_not_matter(curve, covariance_type, shrinkage):
    X, y = np.column_stack([curve[0], np.random.default_rng(0).normal(size=len(curve[0]))]), curve[1]
    options = {"covariance_type": covariance_type, "shrinkage": shrinkage, "random_state": 0}
    plain = GaussianMixtureRegressor([1, 6], **options).fit(X, y)
    units = np.array([1.0, 1000.0])
    moved = GaussianMixtureRegressor([1, 6], **options).fit(units * X, 1e-6 * y)
    assert moved.n_components_ == plain.n_components_
    assert_allclose(1e6 * moved.predict(units * X), plain.predict(X), atol=1e-6)
    scores = [[trial.log_score for trial in model.trials_] for model in (plain, moved)]
    assert_allclose(scores[1], np.array(scores[0]) - np.log(1e-6), atol=1e-6)


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag"])
def test_the_history_of_a_fit_is_in_the_units_of_the_data(curve, covariance_type):
    values = np.concatenate([curve[0], 1000.0 * curve[1][:, None]], axis=1)
    rows, model = JointRows(values, 1), JointModel(covariance_type, 3, shrinkage=5.0)
    result = fit_joint(rows, model, RandomState(0), Effort(1e-3, 20, 2, "kmeans")).result
    again = gaussmix.fit_mixture(
        values,
        3,
        covariance_type=covariance_type,
        start=result.mixture,
        prior=make_prior(rows, model),
        max_iter=0,
    )
    assert_allclose(result.log_likelihood, again.log_likelihood, rtol=1e-9)
    assert_allclose(result.log_prior, again.log_prior, rtol=1e-9)
    assert_allclose(max(start.mean_log_likelihood for start in result.starts), result.objective[-1])


@pytest.mark.parametrize("options", [{"n_components": 1}, {"n_components": [1, 2, 3], "cv": 3}])
def test_weights_are_copies(curve, options):
    X, y = curve[0][:80], curve[1][:80]
    weights = np.random.default_rng(2).integers(0, 4, 80)
    model = GaussianMixtureRegressor(**options, covariance_type="full", random_state=0)
    weighed = clone(model).fit(X, y, weights)
    copied = clone(model).fit(np.repeat(X, weights, axis=0), np.repeat(y, weights))
    assert weighed.n_components_ == copied.n_components_
    scores = [trial.log_score for trial in weighed.trials_]
    assert_allclose(scores, [trial.log_score for trial in copied.trials_], rtol=0.1, atol=0.05)
    if weighed.n_components_ == 1:
        assert_allclose(weighed.predict(X), copied.predict(X), rtol=1e-9)


def test_copies_of_a_row_are_held_out_together():
    values = np.random.default_rng(0).normal(size=(30, 3))
    weights = np.random.default_rng(1).integers(1, 4, 30)
    weighed = divide_rows(JointRows(values, 1, weights.astype(float)), 5, np.random.RandomState(0))
    copies = np.repeat(values, weights, axis=0)
    for (_, held_out), (_, several) in zip(
        weighed, divide_rows(JointRows(copies, 1), 5, np.random.RandomState(0)), strict=True
    ):
        assert {tuple(row) for row in values[held_out]} == {tuple(row) for row in copies[several]}


def test_more_components_are_chosen_where_they_predict_better(curve):
    X, y = curve
    bent = GaussianMixtureRegressor(random_state=0).fit(X, y)
    assert bent.n_components_ > 1 and bent.score(X, y) > 0.95
    straight = GaussianMixtureRegressor(random_state=0).fit(
        X, 2.0 * X[:, 0] + np.random.default_rng(0).normal(size=400)
    )
    assert straight.score(X, 2.0 * X[:, 0]) > 0.95
    tried = {(trial.covariance_type, trial.n_components) for trial in bent.trials_}
    assert (bent.covariance_type_, bent.n_components_) in tried
    best = max(bent.trials_, key=lambda trial: trial.log_score)
    assert best.rmse.shape == (1,) and best.complete


def test_bic_chooses_among_the_models_of_the_joint(curve):
    X, y = curve
    model = GaussianMixtureRegressor(
        [1, 2, 3], covariance_type=["full", "diag"], criterion="bic", random_state=0
    ).fit(X, y)
    found = gaussmix.search(np.c_[X, y], [1, 2, 3], covariance_type=["full", "diag"], random_state=0)
    assert (model.covariance_type_, model.n_components_) == found.best_model
    assert model.search_.best_model == found.best_model
    assert not hasattr(model.set_params(n_components=2, covariance_type="full").fit(X, y), "search_")


@pytest.mark.parametrize("name", ["tied", "diag", "spherical", "EEI", "VEV", "EVE", "factor", "ppca"])
def test_every_kind_of_family_predicts(name):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(200, 3))
    y = X @ [1.0, -1.0, 0.5] + 0.3 * rng.normal(size=200)
    model = GaussianMixtureRegressor(2, covariance_type=name, random_state=0).fit(X, y)
    mean, std = model.predict(X, return_std=True)
    assert_allclose(mean, model.predict(X), rtol=1e-8, atol=1e-10)
    assert (std > 0.0).all()
    assert np.isfinite(model.log_score(X, y))


@pytest.mark.parametrize("name", ["full", "diag", "spherical"])
def test_shrinkage_counts_as_rows_of_the_covariance_of_all(name):
    rng = np.random.default_rng(8)
    values = np.concatenate([rng.normal(-9.0, 1.0, (30, 3)), rng.normal(9.0, 2.0, (50, 3))])
    model = GaussianMixtureRegressor(2, covariance_type=name, shrinkage=4.0, random_state=0)
    mixture = model.fit(values[:, :2], values[:, 2]).mixture_
    common = np.cov(values.T, bias=True) / 2.0 ** (2.0 / 3.0)
    for part, found in zip(
        (values[:30], values[30:]), mixture.dense_covariances[np.argsort(mixture.means[:, 0])], strict=True
    ):
        expected = (len(part) * np.cov(part.T, bias=True) + 4.0 * common) / (len(part) + 4.0)
        if name != "full":
            expected = np.diag(np.diag(expected))
        if name == "spherical":
            expected = np.eye(3) * np.trace(expected) / 3.0
        assert_allclose(found, expected, rtol=1e-3, atol=1e-3)
    assert model.shrinkage_ == 4.0


def test_without_shrinkage_the_fit_is_that_of_the_joint_mixture(curve):
    X, y = curve
    model = GaussianMixtureRegressor(3, covariance_type="full", shrinkage=0.0, random_state=0).fit(X, y)
    plain = gaussmix.fit_mixture(np.c_[X, y], 3, random_state=0)
    assert model.fit_result_.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-6)


def test_components_of_few_rows_predict_soundly():
    X, y = load_diabetes(return_X_y=True)
    with_prior = GaussianMixtureRegressor(12, covariance_type="full", random_state=0).fit(X[:200], y[:200])
    without = clone(with_prior).set_params(shrinkage=0.0).fit(X[:200], y[:200])
    assert with_prior.log_score(X[200:], y[200:]) > -6.0 > without.log_score(X[200:], y[200:])


def test_constant_columns_say_nothing():
    rng = np.random.default_rng(4)
    X = np.column_stack([np.full(100, 7.0), rng.normal(size=100)])
    y = X[:, 1] + 0.1 * rng.normal(size=100)
    model = GaussianMixtureRegressor(1, covariance_type="full").fit(X, y)
    plain = GaussianMixtureRegressor(1, covariance_type="full").fit(X[:, 1:], y)
    X[:, 0] = 8.0
    assert_allclose(model.predict(X), plain.predict(X[:, 1:]))
    assert model.mixture_.n_features == 2
    nothing = GaussianMixtureRegressor(1, covariance_type="full").fit(np.ones((100, 2)), y)
    assert_allclose(nothing.predict(np.zeros((3, 2)), return_std=True), [[y.mean()] * 3, [y.std()] * 3])
    assert_array_equal(nothing.score_samples(np.zeros((3, 2))), 0.0)
    same = GaussianMixtureRegressor(random_state=0).fit(rng.normal(size=(100, 2)), np.full(100, 3.0))
    assert_allclose(same.predict([[0.0, 9.0]]), [3.0], rtol=1e-6)


def test_an_output_that_an_input_equals_is_found():
    X = np.random.default_rng(5).normal(size=(100, 2))
    model = GaussianMixtureRegressor(1, covariance_type="full").fit(X, X[:, 0] - X[:, 1])
    assert_allclose(model.predict(X), X[:, 0] - X[:, 1], atol=1e-6)


def test_fits_on_folds_do_not_warn():
    rng = np.random.default_rng(9)
    X, y = rng.normal(size=(24, 20)), rng.normal(size=24)  # folds leave fewer rows than columns
    assert np.isfinite(GaussianMixtureRegressor(random_state=0).fit(X, y).predict(X)).all()


@pytest.mark.parametrize("n", [2, 3, 5])
def test_few_rows_are_enough(n):
    rng = np.random.default_rng(n)
    X, y = rng.normal(size=(n, 2)), rng.normal(size=n)
    model = GaussianMixtureRegressor(cv=2, random_state=0).fit(X, y)
    assert np.isfinite(model.predict(X)).all()


def test_names_of_frames_are_kept():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(6)
    frame = pd.DataFrame(rng.normal(size=(50, 2)), columns=["height", "age"])
    weight = pd.Series(frame["height"] + 0.1 * rng.normal(size=50), name="weight")
    model = GaussianMixtureRegressor(1, covariance_type="full").fit(frame, weight)
    assert model.mixture_.feature_names == ("height", "age", "weight")
    assert model.feature_names_in_.tolist() == ["height", "age"]
    assert model.predict(frame, return_mixture=True)[1].feature_names == ("weight",)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[["age", "height"]])
    same = model.fit(frame, frame[["height"]])
    assert same.mixture_.feature_names == ("height", "age", "height (output)")
    lacking = frame.convert_dtypes()
    lacking.iloc[0, 0] = pd.NA
    bare = frame.to_numpy().copy()
    bare[0, 0] = np.nan
    model = GaussianMixtureRegressor(1, covariance_type="full").fit(frame, weight)
    assert_allclose(
        model.predict(lacking),
        GaussianMixtureRegressor(1, covariance_type="full").fit(frame.to_numpy(), weight).predict(bare),
    )


def test_frames_of_polars_may_lack_cells():
    pl = pytest.importorskip("polars")
    rng = np.random.default_rng(7)
    X = rng.normal(size=(50, 2))
    frame = pl.DataFrame({"a": X[:, 0], "b": X[:, 1]})
    y = pl.Series("target", X[:, 0] + 0.1 * rng.normal(size=50))
    model = GaussianMixtureRegressor(1, covariance_type="full").fit(frame, y)
    assert model.mixture_.feature_names == ("a", "b", "target")
    lacking = pl.DataFrame({"a": [None, 1.0], "b": [0.5, None]})
    bare = np.array([[np.nan, 0.5], [1.0, np.nan]])
    plain = GaussianMixtureRegressor(1, covariance_type="full").fit(X, y.to_numpy())
    assert_allclose(model.predict(lacking), plain.predict(bare))
    masked = np.ma.MaskedArray(np.array([[9.0, 0.5], [1.0, 9.0]]), np.isnan(bare))
    assert_allclose(plain.predict(masked), plain.predict(bare))


def test_it_lives_in_pipelines_and_grids(curve):
    X, y = curve
    pipeline = make_pipeline(
        StandardScaler(), GaussianMixtureRegressor(covariance_type="full", random_state=0)
    )
    grid = GridSearchCV(pipeline, {"gaussianmixtureregressor__n_components": [1, 4]}, cv=3).fit(X, y)
    assert grid.best_params_ == {"gaussianmixtureregressor__n_components": 4}
    folds = KFold(3, shuffle=True, random_state=0)
    score = cross_val_score(
        grid.best_estimator_,
        X,
        y,
        cv=folds,
        scoring=lambda m, A, b: (
            m.log_score(A, b) if hasattr(m, "log_score") else m[-1].log_score(m[0].transform(A), b)
        ),
    )
    assert (score > -0.5).all()


def test_a_splitter_makes_the_folds(curve):
    X, y = curve
    weights = np.ones(400)
    weights[:50] = 0.0
    model = GaussianMixtureRegressor([1, 3], covariance_type="full", cv=KFold(3), random_state=0).fit(
        X, y, weights
    )
    without = GaussianMixtureRegressor([1, 3], covariance_type="full", cv=KFold(3), random_state=0).fit(
        X[50:], y[50:]
    )
    assert {trial.n_components for trial in model.trials_} == {1, 3}
    assert model.n_components_ == without.n_components_ == 3


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"n_components": 0}, "n_components"),
        ({"n_components": []}, "n_components must be whole numbers"),
        ({"n_components": [1.5]}, "n_components must be whole numbers"),
        ({"n_components": ["a"]}, "n_components must be whole numbers"),
        ({"n_components": 500}, "need as many rows"),
        ({"covariance_type": "round"}, "covariance_type"),
        ({"covariance_type": []}, "at least one family"),
        ({"criterion": "aic"}, "criterion"),
        ({"cv": 1}, "'cv' parameter"),
        ({"shrinkage": -1.0}, "shrinkage"),
        ({"shrinkage": 2.0}, "shrinkage must be 0 or at least 3"),
        ({"shrinkage": 9.0, "covariance_type": "factor"}, "not for factor analysers"),
        ({"shrinkage": 9.0, "criterion": "bic"}, "not for a choice by BIC"),
    ],
)
def test_wrong_parameters_are_named(curve, options, match):
    with pytest.raises(ValueError, match=match):
        GaussianMixtureRegressor(**options).fit(*curve)


def test_wrong_data_is_named(fitted, curve):
    X, y = curve
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        fitted.fit(X, y[1:])
    with pytest.raises(ValueError, match="y contains NaN"):
        clone(fitted).fit(X, np.where(y > 0.0, y, np.nan))
    with pytest.raises(ValueError, match="infinity"):
        clone(fitted).fit(np.where(X > 0.0, X, np.inf), y)
    with pytest.raises(ValueError, match="X contains NaN or infinity: entry"):
        fitted.predict([[np.inf]])
    with pytest.raises(ValueError, match="point must be one of mean, median, mode"):
        fitted.predict(X, point="middle")
    for wrong in (1.5, [-0.1], [[0.5]], [], "half", np.nan):
        with pytest.raises(ValueError, match="quantiles must be one share or several"):
            fitted.predict(X, quantiles=wrong)
    with pytest.raises(ValueError, match="1 sample"):
        clone(fitted).fit(X[:1], y[:1])
    with pytest.raises(ValueError, match="one row for each of 400 predictions"):
        fitted.log_prob(X, y[1:])
