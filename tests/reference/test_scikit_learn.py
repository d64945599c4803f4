"""Values of scikit-learn's own mixture: the same start and iterations give the same numbers."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as Reference

import gaussmix
from tests.helpers import near, random_mixture, start_parameters

TYPES = ("full", "tied", "diag", "spherical")
N_ITER = 8
#: n, d, k of random data; the last one is large enough for the compiled kernel and for several threads.
SHAPES = ((300, 1, 2), (500, 2, 3), (400, 7, 4), (2000, 20, 5), (9001, 5, 11))


def fit(cls, X, **parameters):
    """Fit, where not to have converged is what was asked for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        own = {"acceleration": None} if cls is gaussmix.GaussianMixture else {}  # step by step
        return cls(**{"reg_covar": 1e-6, **parameters}, **own).fit(X)


def real_data(name):
    return getattr(datasets, f"load_{name}")().data, 3


def real_start(X, k, covariance_type, rng):
    """Means at random rows, weights that differ, the spread of the data for all components."""
    variances = X.var(axis=0) + 0.05 * X.var()
    covariances = {
        "full": np.array([np.diag(variances)] * k),
        "tied": np.diag(variances),
        "diag": np.array([variances] * k),
        "spherical": np.full(k, variances.mean()),
    }[covariance_type]
    means = X[rng.choice(len(X), k, replace=False)]
    return gaussmix.Mixture(rng.dirichlet(np.full(k, 5.0)), means, covariances, covariance_type)


def assert_same_fit(ours, theirs, X):
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.converged_ == theirs.converged_
    assert_allclose(ours.score(X), theirs.score(X), rtol=1e-9)
    # theirs is the likelihood before each M-step, ours of the start and after each
    if hasattr(theirs, "lower_bounds_"):  # from scikit-learn 1.7 on
        assert_allclose(ours.fit_result_.history[:-1], theirs.lower_bounds_, rtol=1e-9)
    assert_allclose(ours.fit_result_.history[-2], theirs.lower_bound_, rtol=1e-9)
    assert_allclose(ours.weights_, theirs.weights_, rtol=1e-6)
    scale = X.std(axis=0).max()
    assert_allclose(ours.means_, theirs.means_, rtol=1e-6, atol=1e-6 * scale)
    assert_allclose(ours.covariances_, theirs.covariances_, rtol=1e-6, atol=1e-6 * scale**2)
    for name in ("precisions_", "precisions_cholesky_"):
        expected = getattr(theirs, name)
        assert_allclose(getattr(ours, name), expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())


def assert_same_answers(ours, theirs, X):
    expected = theirs.score_samples(X)
    assert_allclose(ours.score_samples(X), expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())
    proba = theirs.predict_proba(X)
    assert_allclose(ours.predict_proba(X), proba, atol=1e-7)
    clear = np.abs(np.diff(np.sort(proba, axis=1)[:, -2:], axis=1)[:, 0]) > 1e-6
    assert_array_equal(ours.predict(X)[clear], theirs.predict(X)[clear])
    assert_allclose(ours.bic(X), theirs.bic(X), rtol=1e-9)
    assert_allclose(ours.aic(X), theirs.aic(X), rtol=1e-9)


def compare(X, start, covariance_type):
    parameters = {
        "n_components": start.n_components,
        "covariance_type": covariance_type,
        "tol": 0.0,
        "max_iter": N_ITER,
        **start_parameters(start),
    }
    ours, theirs = (fit(cls, X, **parameters) for cls in (gaussmix.GaussianMixture, Reference))
    assert ours.n_iter_ == N_ITER
    assert_same_fit(ours, theirs, X)
    assert_same_answers(ours, theirs, X)


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_same_start_on_random_data(shape, covariance_type):
    n, d, k = shape
    rng = np.random.default_rng(n + d)
    mixture = random_mixture(covariance_type, k, d, rng)
    X, _ = mixture.sample(n, rng)
    compare(X, near(mixture, rng), covariance_type)


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("name", ["iris", "wine", "digits"])
def test_same_start_on_real_data(name, covariance_type):
    X, k = real_data(name)
    compare(X, real_start(X, k, covariance_type, np.random.default_rng(0)), covariance_type)


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize(
    ("name", "seed"), [("iris", 0), ("iris", 1), ("wine", 0), ("wine", 1), ("digits", 0)]
)
def test_their_start_converges_in_the_same_iteration(name, covariance_type, seed):
    X, k = real_data(name)
    k = 2 if name == "digits" else k  # scikit-learn takes its time there
    parameters = {"n_components": k, "covariance_type": covariance_type, "random_state": seed}
    parameters["init_params"] = "kmeans"
    ours, theirs = (fit(cls, X, **parameters) for cls in (gaussmix.GaussianMixture, Reference))
    assert theirs.converged_
    assert_same_fit(ours, theirs, X)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_random_start_is_the_same_draw(covariance_type):
    X, _ = real_data("iris")
    parameters = {
        "n_components": 2,
        "covariance_type": covariance_type,
        "init_params": "random",
        "random_state": 3,
        "max_iter": 5,
        "tol": 0.0,
    }
    ours, theirs = (fit(cls, X, **parameters) for cls in (gaussmix.GaussianMixture, Reference))
    assert_same_fit(ours, theirs, X)


@pytest.mark.parametrize(
    "given", [("means_init",), ("weights_init", "precisions_init"), ("precisions_init",)]
)
@pytest.mark.parametrize("covariance_type", TYPES)
def test_what_the_caller_leaves_open_comes_from_the_same_start(covariance_type, given):
    X, k = real_data("iris")
    start = start_parameters(real_start(X, k, covariance_type, np.random.default_rng(5)))
    parameters = {
        "n_components": k,
        "covariance_type": covariance_type,
        "random_state": 0,
        "init_params": "kmeans",
        "max_iter": 4,
        "tol": 0.0,
        **{name: start[name] for name in given},
    }
    ours, theirs = (fit(cls, X, **parameters) for cls in (gaussmix.GaussianMixture, Reference))
    assert_same_fit(ours, theirs, X)


@pytest.mark.parametrize("reg_covar", [0.0, 1e-3, 10.0])
@pytest.mark.parametrize("covariance_type", TYPES)
def test_reg_covar_means_the_same(covariance_type, reg_covar):
    X, k = real_data("wine")
    parameters = {
        "n_components": k,
        "covariance_type": covariance_type,
        "reg_covar": reg_covar,
        "random_state": 0,
        "init_params": "kmeans",
        "max_iter": 4,
        "tol": 0.0,
    }
    ours, theirs = (fit(cls, X, **parameters) for cls in (gaussmix.GaussianMixture, Reference))
    assert_same_fit(ours, theirs, X)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_float32_is_close_to_double_precision(covariance_type):
    X, k = real_data("iris")
    start = real_start(X, k, covariance_type, np.random.default_rng(1))
    parameters = {
        "n_components": k,
        "covariance_type": covariance_type,
        "tol": 0.0,
        "max_iter": N_ITER,
        **start_parameters(start),
    }
    ours = fit(gaussmix.GaussianMixture, X.astype(np.float32), **parameters)
    theirs = fit(Reference, X, **parameters)
    assert ours.means_.dtype == np.float32
    assert_allclose(ours.score(X.astype(np.float32)), theirs.score(X), rtol=1e-5)
    assert_allclose(ours.means_, theirs.means_, rtol=1e-3)
    assert_allclose(ours.weights_, theirs.weights_, rtol=1e-3)
