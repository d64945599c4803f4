"""EM for rows with missing inputs: it climbs the likelihood of what is there, and finds what made the rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import RandomState
from numpy.testing import assert_allclose

from gaussmix import GaussianMixtureRegressor, fit_mixture
from gaussmix.apps.regression.fitting import (
    Effort,
    JointModel,
    JointRows,
    fill_rows,
    fit_joint,
    improve_incomplete,
)
from gaussmix.apps.regression.incomplete import IncompleteRows
from tests.operations.making import make_mixture

ALONE = Effort(1e-9, 15, 1, "kmeans")


def make_rows(seed, n=300, d=4, share=0.25):
    rng = np.random.default_rng(seed)
    values = make_mixture("full", 2, d, rng).sample(n, rng)[0]
    lacking = rng.random((n, d)) < share
    lacking[:, -1] = False
    return np.where(lacking, np.nan, values), values


@pytest.mark.parametrize("name", ["full", "tied", "diag", "spherical", "EEI"])
@settings(max_examples=1)
@given(seed=st.integers(0, 2**16))
def test_the_likelihood_of_what_is_there_never_falls(name, seed):
    rows = fill_rows(JointRows(make_rows(seed)[0], 1), RandomState(0))
    model = JointModel(name, 2)
    fit = improve_incomplete(rows, fit_joint(rows, model, RandomState(0), ALONE), ALONE)
    history = np.array(fit.result.history)
    assert len(history) > 2
    assert (np.diff(history) >= -1e-9).all()
    present = IncompleteRows(rows.values, rows.masses)
    assert_allclose(present.expect(fit.result.mixture)[1], history[-1], rtol=1e-12)
    # the likelihood by definition: each row by the marginal of what it has
    total = 0.0
    for row in rows.values:
        known = np.flatnonzero(~np.isnan(row))
        total += float(fit.result.mixture.marginal(known).log_prob(row[None, known])[0])
    assert_allclose(history[-1], total / len(rows.values), rtol=1e-9)


def test_shrunk_covariances_climb_the_likelihood_and_the_prior():
    values = make_rows(6)[0]
    options = {"covariance_type": "full", "random_state": 0, "tol": 1e-7}
    model = GaussianMixtureRegressor(2, shrinkage=20.0, **options).fit(values[:, :-1], values[:, -1])
    free = GaussianMixtureRegressor(2, shrinkage=0.0, **options).fit(values[:, :-1], values[:, -1])
    assert model.fit_result_.log_priors
    assert free.fit_result_.mean_log_likelihood >= model.fit_result_.mean_log_likelihood


def test_an_iteration_is_that_of_em_where_nothing_is_missing():
    values = make_rows(1)[1]
    begin = fit_mixture(values, 2, max_iter=3, init_params="kmeans", acceleration=None, random_state=0)
    after = fit_mixture(values, 2, max_iter=1, start=begin.mixture, acceleration=None)
    fit = improve_incomplete(
        JointRows(values, 1),
        fit_joint(JointRows(values, 1), JointModel("full", 2), RandomState(0), ALONE),
        ALONE,
    )
    assert fit.result.mean_log_likelihood >= after.mean_log_likelihood - 1e-9


def test_one_gaussian_has_the_moments_of_rows_of_which_many_are_incomplete():
    rng = np.random.default_rng(0)
    n, covariance = 20_000, np.array([[1.0, 0.8, 0.6], [0.8, 1.0, 0.5], [0.6, 0.5, 1.0]])
    values = rng.multivariate_normal([1.0, 2.0, 3.0], covariance, n)
    values[rng.random(n) < 0.5, 0] = np.nan
    model = GaussianMixtureRegressor(1, covariance_type="full").fit(values[:, :2], values[:, 2])
    assert_allclose(model.mixture_.means, [[1.0, 2.0, 3.0]], atol=0.05)
    assert_allclose(model.mixture_.dense_covariances[0], covariance, atol=0.05)


def test_weights_are_copies_with_missing_inputs_too():
    values = make_rows(3, n=60)[0]
    weights = np.random.default_rng(0).integers(0, 4, 60)
    options = {"covariance_type": "full", "random_state": 0}
    whole = GaussianMixtureRegressor(1, **options).fit(values[:, :-1], values[:, -1], weights)
    copies = np.repeat(values, weights, axis=0)
    copied = GaussianMixtureRegressor(1, **options).fit(copies[:, :-1], copies[:, -1])
    assert_allclose(whole.mixture_.means, copied.mixture_.means, rtol=2e-2)


def test_a_row_without_inputs_still_says_what_y_is():
    values = make_rows(4)[0]
    values[::10, :-1] = np.nan
    model = GaussianMixtureRegressor(2, covariance_type="full", random_state=0).fit(
        values[:, :-1], values[:, -1]
    )
    assert np.isfinite(model.predict(values[:, :-1])).all()


def test_an_input_that_is_always_missing_is_left_out():
    values, whole = make_rows(5, share=0.0)
    X = np.column_stack([np.full(len(values), np.nan), values[:, :-1]])
    model = GaussianMixtureRegressor(2, covariance_type="full", random_state=0).fit(X, values[:, -1])
    assert model.mixture_.n_features == values.shape[1]
    plain = GaussianMixtureRegressor(2, covariance_type="full", random_state=0).fit(
        values[:, :-1], values[:, -1]
    )
    assert_allclose(model.predict(X), plain.predict(whole[:, :-1]), rtol=1e-6)
