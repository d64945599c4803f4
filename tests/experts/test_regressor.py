"""The regressor of experts: scikit-learn's contract, known data, frames, gates, features, wrong input."""

from __future__ import annotations

import copy
import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

import gaussmix
from gaussmix import MixtureBatch, MixtureOfExpertsRegressor
from gaussmix.errors import DoubtfulFitWarning
from gaussmix.model.covariance import STRUCTURES, get_structure
from tests.experts.problems import make_crossing, make_pieces
from tests.helpers import run_python

REFERENCE = json.loads((Path(__file__).parents[1] / "reference/experts.json").read_text(encoding="utf-8"))

CHECKED = (
    "MixtureOfExpertsRegressor(n_init=2, max_iter=50)",
    "MixtureOfExpertsRegressor(n_init=2, max_iter=50, gate='gaussian')",
)
CODE = """
import json, warnings
from sklearn.utils.estimator_checks import check_estimator
from gaussmix import MixtureOfExpertsRegressor

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
    assert len(report) == len(CHECKED)
    for variant, results in report.items():
        assert len(results) > 40
        assert [result for result in results if result[1] != "passed"] == [], variant


@pytest.fixture(scope="module")
def pieces():
    X, Y = make_pieces(300, 3)
    return X, Y[:, 0]


@pytest.fixture(scope="module")
def fitted(pieces):
    return MixtureOfExpertsRegressor(3, random_state=0).fit(*pieces)


@pytest.mark.parametrize("seed", range(3))
def test_npreg_by_default_settings(seed):
    known = REFERENCE["npreg"]
    X, y = np.array(known["x"])[:, None], np.array(known["y"])
    model = MixtureOfExpertsRegressor(2, gate=None, basis=2, random_state=seed).fit(X, y)
    found = model.fit_result_.log_likelihood
    assert found > -642.5325  # -642.532, the maximum that was found elsewhere
    assert found > known["log_likelihood"]  # which is below it for dividing by degrees of freedom
    coefficients = np.column_stack([model.intercept_, model.coef_])
    theirs = np.array(known["parameters"])[:3].T
    assert_allclose(coefficients[np.argsort(coefficients[:, 0])], theirs[np.argsort(theirs[:, 0])], atol=0.01)
    assert model.terms_ == ("x0", "x0^2")


def test_npreg_with_a_concomitant_variable():
    known = REFERENCE["npreg"]
    X, y = np.array(known["x"])[:, None], np.array(known["y"])
    model = MixtureOfExpertsRegressor(2, basis=2, gate_alpha=0.0, random_state=0).fit(X, y)
    assert model.fit_result_.log_likelihood > known["log_likelihood_concomitant"]


def test_nclus_by_default_settings():
    known = REFERENCE["nclus"]
    Y = np.array(known["X"])
    model = MixtureOfExpertsRegressor(4, gate=None, basis=0, random_state=0).fit(np.zeros((len(Y), 1)), Y)
    assert model.fit_result_.log_likelihood > -2223.6615  # -2223.661, found elsewhere
    assert model.covariances_.shape == (4, 2, 2) and model.coef_.shape == (4, 2, 0)


def test_the_two_regressions_of_the_tone_data():
    known = REFERENCE["tone"]
    X, y = np.array(known["stretchratio"])[:, None], np.array(known["tuned"])
    model = MixtureOfExpertsRegressor(2, gate=None, random_state=0).fit(X, y)
    assert model.fit_result_.log_likelihood == pytest.approx(known["log_likelihood"], abs=1e-4)
    order = np.argsort(-model.intercept_)
    assert_allclose(model.intercept_[order], known["beta"][0], atol=1e-3)
    assert_allclose(model.coef_[order, 0], known["beta"][1], atol=1e-3)
    assert_allclose(np.sqrt(model.covariances_[order, 0, 0]), known["sigma"], atol=1e-3)


def test_one_expert_is_linear_regression():
    X, Y = make_crossing(100, 1, n_outputs=2)
    model = MixtureOfExpertsRegressor(1).fit(X, Y)
    linear = LinearRegression().fit(X, Y)
    assert_allclose(model.predict(X), linear.predict(X), atol=1e-10)
    assert_allclose(model.coef_[0], linear.coef_, atol=1e-10)
    assert_allclose(model.intercept_[0], linear.intercept_, atol=1e-10)
    residuals = Y - linear.predict(X)
    assert_allclose(model.covariances_[0], residuals.T @ residuals / 100.0, atol=1e-10)


def test_predictions_are_of_the_mixture(fitted, pieces):
    X, y = pieces
    mean, std, quantiles, batch = fitted.predict(
        X[:50], return_std=True, quantiles=[0.1, 0.9], return_mixture=True
    )
    assert isinstance(batch, MixtureBatch) and len(batch) == 50
    shares, means = fitted.predict_shares(X[:50]), fitted.predict_experts(X[:50])
    assert_allclose(batch.weights, shares, atol=1e-12)
    assert_allclose(mean, (shares * means).sum(axis=1), atol=1e-12)
    variances = fitted.covariances_[:, 0, 0] + (means - mean[:, None]) ** 2
    assert_allclose(std**2, (shares * variances).sum(axis=1), atol=1e-10)
    assert_allclose(batch.cdf(quantiles), np.tile([0.1, 0.9], (50, 1)), atol=1e-9)
    assert_allclose(fitted.log_prob(X[:50], y[:50]), batch.log_prob(y[:50, None]), atol=1e-10)
    assert fitted.log_score(X, y) == pytest.approx(fitted.fit_result_.mean_log_likelihood, abs=1e-8)
    assert_allclose(fitted.responsibilities(X[:50], y[:50]), batch.responsibilities(y[:50, None]), atol=1e-10)
    assert_allclose(batch[3].means, batch.means[3])
    assert_allclose(batch.marginal(0)[3].mean, batch.mean[3])
    draws = fitted.sample(X[:5], 4000, rng=0)
    assert draws.shape == (5, 4000)
    assert_allclose(draws.mean(axis=1), mean[:5], atol=0.1)
    assert fitted.crps(X, y) < np.abs(y - fitted.predict(X)).mean()
    assert fitted.predict(X, point="mode").shape == y.shape


def test_several_outputs_and_names(pieces):
    pandas = pytest.importorskip("pandas")
    X, Y = make_crossing(120, 2, n_outputs=2)
    frame = pandas.DataFrame(X, columns=["a", "b"])
    targets = pandas.DataFrame(Y, columns=["u", "v"])
    model = MixtureOfExpertsRegressor(2, gate=None, features=["b", "a"], random_state=0).fit(frame, targets)
    assert model.terms_ == ("b", "a")
    mean, covariance, batch = model.predict(frame, return_cov=True, return_mixture=True)
    assert mean.shape == (120, 2) and covariance.shape == (120, 2, 2)
    assert batch.feature_names == ("u", "v")
    plain = MixtureOfExpertsRegressor(2, gate=None, random_state=0).fit(X[:, ::-1], Y)
    assert_allclose(plain.predict(X[:, ::-1]), mean, atol=1e-6)
    assert_array_equal(model.feature_names_in_, ["a", "b"])


def test_gate_and_experts_see_columns_of_their_own():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3))
    y = np.where(X[:, 2] > 0.0, 1.0 + X[:, 0], -X[:, 0]) + 0.1 * rng.normal(size=400)
    model = MixtureOfExpertsRegressor(2, features=[0], gate_features=2, random_state=0).fit(X, y)
    assert model.coef_.shape == (2, 1) and model.gate_.slopes.shape == (2, 1)
    assert_allclose(np.sort(model.coef_.ravel()), [-1.0, 1.0], atol=0.05)
    other = X.copy()
    other[:, 1] = 100.0
    assert_allclose(model.predict(other), model.predict(X))
    assert model.score(X, y) > 0.95


def test_a_gaussian_gate_rejects_rows_far_away(pieces):
    X, y = pieces
    model = MixtureOfExpertsRegressor(3, gate="gaussian", reject_density=0.05, random_state=0).fit(X, y)
    rejected = model.find_rejected(X)
    assert 0 < rejected.sum() <= 15
    assert_array_equal(np.isnan(model.predict(X)), rejected)
    assert np.isnan(model.predict([[50.0]])).all()
    assert model.score(X, y) == pytest.approx(r2_score(y[~rejected], model.predict(X)[~rejected]))
    with pytest.raises(ValueError, match="all rows are rejected"):
        model.score([[50.0]], [0.0])
    # the joint density of z and y is what was maximised
    joint = model.score_samples(X) + model.log_prob(X, y)
    assert joint.mean() == pytest.approx(model.fit_result_.mean_log_likelihood, abs=1e-6)
    batch = model.predict(X, return_mixture=True)[1]
    assert_allclose(batch.log_evidence, model.score_samples(X))


def test_a_gaussian_gate_is_the_conditional_of_a_joint_mixture():
    X, Y = make_crossing(200, 4, n_outputs=1)
    joint = gaussmix.fit_mixture(np.hstack([X, Y]), 2, random_state=0, tol=1e-9, max_iter=2000).mixture
    R = joint.responsibilities(np.hstack([X, Y]))
    model = MixtureOfExpertsRegressor(2, gate="gaussian", init_params=R, tol=1e-10).fit(X, Y[:, 0])
    batch = joint.condition({0: X[:, 0], 1: X[:, 1]})
    assert_allclose(model.predict(X), batch.mean[:, 0], atol=1e-3)


def test_only_a_gaussian_gate_has_densities(fitted, pieces):
    assert not hasattr(fitted, "score_samples") and not hasattr(fitted, "find_rejected")
    with pytest.raises(ValueError, match="reject_density needs gate='gaussian'"):
        MixtureOfExpertsRegressor(reject_density=0.1).fit(*pieces)


def test_powers_are_multiplied_out():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 2)) * [2.0, 0.3] + [5.0, -1.0]
    y = X[:, 0] ** 2 - 3.0 * X[:, 0] * X[:, 1] + 2.0 + 0.01 * rng.normal(size=150)
    model = MixtureOfExpertsRegressor(1, basis=3).fit(X, y)
    powers = PolynomialFeatures(3, include_bias=False)
    design = powers.fit_transform(X)
    assert_allclose(design @ model.coef_[0] + model.intercept_[0], model.predict(X), atol=1e-8)
    assert model.terms_ == tuple(powers.get_feature_names_out())


@pytest.mark.parametrize("basis", ["spline", make_pipeline(StandardScaler(), PolynomialFeatures(4))])
def test_a_basis_bends(basis):
    rng = np.random.default_rng(1)
    X = rng.uniform(-3.0, 3.0, size=(300, 1))
    y = np.sin(X[:, 0]) + 0.1 * rng.normal(size=300)
    plain, bent = (MixtureOfExpertsRegressor(1, basis=b).fit(X, y) for b in (None, basis))
    assert bent.score(X, y) > 0.95 > plain.score(X, y)
    if not isinstance(basis, str):
        assert not hasattr(basis, "n_features_in_")  # a clone was fitted
    assert np.isfinite(bent.predict([[10.0]])).all()


@pytest.mark.parametrize("family", STRUCTURES)
def test_every_family_of_residuals(family):
    X, Y = make_crossing(150, 5, n_outputs=2)
    model = MixtureOfExpertsRegressor(2, gate=None, covariance_type=family, n_init=4, random_state=0).fit(
        X, Y
    )
    scaled = MixtureOfExpertsRegressor(2, gate=None, covariance_type=family, n_init=4, random_state=0).fit(
        X * 1e6 - 1e3, Y * 1e-9
    )
    shift = 2.0 * np.log(1e-9)
    assert scaled.log_score(X * 1e6 - 1e3, Y * 1e-9) + shift == pytest.approx(model.log_score(X, Y), abs=1e-4)
    batch = model.predict(X, return_mixture=True)[1]
    assert batch.covariance_type == get_structure(family).name
    assert_allclose(batch.log_prob(Y), model.log_prob(X, Y), atol=1e-9)


def test_factor_analysers_are_refused():
    X, Y = make_crossing(60, 5, n_outputs=3)
    with pytest.raises(ValueError, match="residuals have no factors"):
        MixtureOfExpertsRegressor(covariance_type="factor").fit(X, Y)


def test_weights_are_copies_and_zeros_are_absent(pieces):
    X, y = pieces
    weights = np.random.default_rng(0).integers(0, 3, size=len(y))
    copies = np.repeat(np.arange(len(y)), weights)
    weighed = MixtureOfExpertsRegressor(3, random_state=0).fit(X, y, sample_weight=weights)
    copied = MixtureOfExpertsRegressor(3, random_state=0).fit(X[copies], y[copies])
    assert_allclose(weighed.predict(X), copied.predict(X), atol=1e-9)
    assert weighed.fit_result_.n_samples == weights.sum()


def test_what_is_given_is_where_em_starts(pieces):
    X, y = pieces
    labels = np.digitize(X[:, 0], [1.0, 2.0])
    one = MixtureOfExpertsRegressor(3, init_params=labels).fit(X, y)
    two = MixtureOfExpertsRegressor(3, init_params=np.eye(3)[labels] * 2.0).fit(X, y)
    assert one.fit_result_.history == two.fit_result_.history
    for kind in ("lines", "inputs", "clusters", "residuals", "random"):
        model = MixtureOfExpertsRegressor(3, init_params=kind, n_init=3, random_state=0).fit(X, y)
        assert {start.source for start in model.fit_result_.starts} == {kind}


def test_many_rows_are_raced_on_a_sample():
    X, Y = make_pieces(6000, 0)
    model = MixtureOfExpertsRegressor(3, n_init=6, random_state=0).fit(X, Y[:, 0])
    assert model.converged_ and model.score(X, Y[:, 0]) > 0.7
    assert np.diff(model.fit_result_.history).min() > -1e-9


def test_it_is_kept_and_cloned(fitted, pieces):
    X, _ = pieces
    restored = copy.deepcopy(fitted)
    assert_array_equal(restored.predict(X), fitted.predict(X))
    assert clone(fitted).n_experts == 3
    piped = make_pipeline(StandardScaler(), MixtureOfExpertsRegressor(3, random_state=0)).fit(*pieces)
    assert_allclose(piped.predict(X), fitted.predict(X), atol=1e-5)


def test_what_is_doubtful_is_said():
    X, Y = make_crossing(60, 1)
    with pytest.warns(ConvergenceWarning, match="max_iter"):
        MixtureOfExpertsRegressor(2, gate=None, max_iter=2, random_state=0).fit(X, Y[:, 0])
    with pytest.warns(DoubtfulFitWarning, match="coincide"):
        MixtureOfExpertsRegressor(2, gate=None, init_params=np.full((60, 2), 0.5)).fit(X, Y[:, 0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MixtureOfExpertsRegressor(2, gate=None, random_state=0).fit(X, Y[:, 0])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"features": ["c"]}, "features: there is no column 'c'; X has no names"),
        ({"features": [5]}, "features must be names or places of the 1 columns"),
        ({"gate_features": [0, 0]}, "gate_features names a column twice"),
        ({"gate_features": []}, "gate_features is empty"),
        ({"basis": "cubic"}, "basis must be a degree, 'spline'"),
        ({"basis": -1}, "basis must be a degree"),
        ({"basis": 1.5}, "basis must be a degree"),
        ({"init_params": "kmeans"}, "init_params must be 'auto', one of lines"),
        ({"init_params": [0, 1]}, r"init_params must have the expert of each row, shape \(300,\)"),
        ({"init_params": ["a"] * 300}, "init_params must have whole numbers or responsibilities"),
        ({"init_params": np.full(300, 7)}, "expert of each row, 0 to 1"),
        ({"covariance_type": "round"}, "covariance_type must be one of"),
        ({"gate": "hard"}, "gate"),
        ({"n_experts": 0}, "n_experts"),
    ],
)
def test_wrong_parameters(pieces, parameters, message):
    with pytest.raises(ValueError, match=message):
        MixtureOfExpertsRegressor(**parameters).fit(*pieces)


def test_wrong_rows(fitted, pieces):
    X, y = pieces
    with pytest.raises(ValueError, match="NaN"):
        MixtureOfExpertsRegressor().fit(np.full((10, 1), np.nan), np.arange(10.0))
    with pytest.raises(ValueError, match="NaN|finite"):
        fitted.predict([[np.nan]])
    with pytest.raises(ValueError, match="one row for each of 300"):
        fitted.log_prob(X, y[:-1])
    with pytest.raises(ValueError, match="a feature that varies"):
        MixtureOfExpertsRegressor(gate="gaussian").fit(np.ones((20, 1)), np.arange(20.0))
    with pytest.raises(ValueError, match="without rows"):
        MixtureOfExpertsRegressor(5).fit([[0.0], [1.0]], [0.0, 1.0])
