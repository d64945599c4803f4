"""Densities and moments of a mixture against SciPy's normal distribution and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm

import gaussmix
from gaussmix.model.covariance import STRUCTURES
from tests.helpers import EXECUTORS, KINDS, direct_joint, direct_log_prob, environment, random_mixture

SIZES = ((1, 1), (1, 4), (2, 3), (5, 6), (20, 2))

DENSE = {
    "full": lambda C, k, d: C,
    "tied": lambda C, k, d: np.array([C] * k),
    "diag": lambda C, k, d: np.array([np.diag(row) for row in C]),
    "spherical": lambda C, k, d: np.array([c * np.eye(d) for c in C]),
}


@pytest.fixture(params=[(name, d, k) for name in KINDS for d, k in SIZES], ids=str)
def case(request):
    name, d, k = request.param
    rng = np.random.default_rng(100 * d + k)
    mixture = random_mixture(name, k, d, rng)
    near_rows, _ = mixture.sample(60, rng)
    far_rows = mixture.mean + 30.0 * np.sqrt(np.diagonal(mixture.covariance)) * rng.normal(size=(20, d))
    return mixture, np.concatenate([near_rows, far_rows])


@pytest.mark.parametrize("name", DENSE)
def test_dense_covariances_are_what_the_type_means(name):
    k, d = 3, 4
    mixture = random_mixture(name, k, d, np.random.default_rng(0))
    dense = DENSE[name](mixture.covariances, k, d)
    assert_array_equal(mixture.dense_covariances, dense)
    assert_array_equal(mixture.variances, np.einsum("kii->ki", dense))
    inverse = np.linalg.inv(dense)
    assert_allclose(DENSE[name](mixture.precisions, k, d), inverse, rtol=1e-10, atol=1e-12)
    factors = DENSE[name](mixture.precisions_cholesky, k, d)
    assert_allclose(factors @ factors.transpose(0, 2, 1), inverse, rtol=1e-10, atol=1e-12)
    assert_array_equal(factors, np.triu(factors))


def test_component_log_prob(case):
    mixture, X = case
    expected = np.stack(
        [
            multivariate_normal(mean, cov).logpdf(X)
            for mean, cov in zip(mixture.means, mixture.dense_covariances, strict=True)
        ],
        axis=1,
    ).reshape(len(X), -1)
    assert_allclose(mixture.component_log_prob(X), expected, rtol=1e-10, atol=1e-9)


def test_log_prob(case):
    mixture, X = case
    assert_allclose(mixture.log_prob(X), direct_log_prob(mixture, X), rtol=1e-10, atol=1e-9)


def test_responsibilities(case):
    mixture, X = case
    joint = direct_joint(mixture, X)
    expected = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
    actual = mixture.responsibilities(X)
    assert_allclose(actual, expected, atol=1e-9)
    assert_allclose(actual.sum(axis=1), 1.0, rtol=1e-12)
    assert (actual >= 0.0).all()


def test_predict(case):
    mixture, X = case
    labels = mixture.predict(X)
    joint = direct_joint(mixture, X)
    assert labels.dtype == np.int64 and labels.shape == (len(X),)
    assert_allclose(joint[np.arange(len(X)), labels], joint.max(axis=1), rtol=1e-10, atol=1e-9)


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_each_executor_gives_scipys_values(name, executor, dtype):
    rng = np.random.default_rng(7)
    mixture = random_mixture(name, 6, 3, rng)
    X = mixture.sample(1000, rng)[0].astype(dtype)
    tolerance = 1e-11 if dtype == np.float64 else 3e-5
    joint = direct_joint(mixture, X.astype(np.float64))
    total = logsumexp(joint, axis=1)
    with environment(GAUSSMIX_EXECUTOR=executor):
        log_prob, component = mixture.log_prob(X), mixture.component_log_prob(X)
        responsibilities, labels = mixture.responsibilities(X), mixture.predict(X)
    assert {log_prob.dtype, component.dtype, responsibilities.dtype} == {np.dtype(dtype)}
    assert_allclose(log_prob, total, rtol=tolerance, atol=tolerance)
    assert_allclose(component, joint - np.log(mixture.weights), rtol=10 * tolerance, atol=10 * tolerance)
    assert_allclose(responsibilities, np.exp(joint - total[:, None]), atol=10 * tolerance)
    chosen = joint[np.arange(len(X)), labels]
    assert (chosen >= joint.max(axis=1) - 100 * tolerance).all()


@pytest.mark.parametrize("name", KINDS)
def test_mean_and_covariance_by_the_laws_of_total_expectation(name):
    mixture = random_mixture(name, 4, 3, np.random.default_rng(1))
    w, m, C = mixture.weights, mixture.means, mixture.dense_covariances
    mean = sum(w[j] * m[j] for j in range(4))
    second = sum(w[j] * (C[j] + np.outer(m[j], m[j])) for j in range(4))
    assert_allclose(mixture.mean, mean, rtol=1e-12)
    assert_allclose(mixture.covariance, second - np.outer(mean, mean), rtol=1e-10)


def test_closed_form_values():
    # at the mean of a standard normal the density is 1 / sqrt(2 pi); at one deviation it is e^-1/2 of that
    one = gaussmix.Mixture([1.0], [[0.0]], [1.0], "spherical")
    at = -0.5 * math.log(2.0 * math.pi)
    assert_allclose(one.log_prob([[0.0], [1.0], [-3.0]]), [at, at - 0.5, at - 4.5], rtol=1e-15)
    # halfway between two equal components both are as probable, and each has weight one half
    two = gaussmix.Mixture([0.5, 0.5], [[-1.0, 0.0], [1.0, 0.0]], [[4.0, 1.0]] * 2, "diag")
    assert_allclose(two.responsibilities([[0.0, 7.0]]), [[0.5, 0.5]], rtol=1e-15)
    assert_allclose(
        two.log_prob([[0.0, 0.0]]), [-math.log(2.0 * math.pi) - math.log(2.0) - 0.125], rtol=1e-15
    )
    assert_array_equal(two.predict([[0.0, 7.0]]), [0])  # the first of equals
    # log odds are linear: log(w1 / w2) + 2 x m / v
    odds = np.log(np.divide(*two.responsibilities([[0.8, 0.0]])[0]))
    assert_allclose(odds, -2.0 * 0.8 / 4.0, rtol=1e-14)


def test_a_correlated_pair_by_hand():
    # Sigma = [[2, 1], [1, 2]]: determinant 3, inverse [[2, -1], [-1, 2]] / 3; x = (1, 1): x' P x = 2/3
    for name, covariance in (("full", [[[2.0, 1.0], [1.0, 2.0]]]), ("tied", [[2.0, 1.0], [1.0, 2.0]])):
        mixture = gaussmix.Mixture([1.0], [[0.0, 0.0]], covariance, name)
        expected = -math.log(2.0 * math.pi) - 0.5 * math.log(3.0) - 1.0 / 3.0
        assert_allclose(mixture.log_prob([[1.0, 1.0]]), [expected], rtol=1e-15)
        assert_allclose(mixture.precisions.reshape(2, 2), [[2 / 3, -1 / 3], [-1 / 3, 2 / 3]], rtol=1e-14)


def test_far_from_every_component_the_log_density_stays_finite():
    mixture = gaussmix.Mixture([0.5, 0.5], [[-1.0], [1.0]], [1.0, 1.0], "spherical")
    X = np.array([[1e3], [-1e3], [1e6]])
    expected = norm.logpdf(np.abs(X[:, 0]) - 1.0) + math.log(0.5)
    assert_allclose(mixture.log_prob(X), expected, rtol=1e-12)
    assert_allclose(mixture.responsibilities(X), [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]], rtol=0, atol=1e-90)


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("name", KINDS)
def test_a_component_without_weight_takes_no_part(name, executor):
    rng = np.random.default_rng(2)
    mixture = random_mixture(name, 3, 2, rng)
    without = gaussmix.Mixture([0.25, 0.0, 0.75], mixture.means, mixture.covariances, name)
    X, _ = mixture.sample(50, rng)
    with environment(GAUSSMIX_EXECUTOR=executor):
        R, log_prob = without.responsibilities(X), without.log_prob(X)
    assert (R[:, 1] < 1e-90).all()
    assert_allclose(R.sum(axis=1), 1.0, rtol=1e-12)
    assert_allclose(log_prob, direct_log_prob(without, X), rtol=1e-11, atol=1e-11)
    assert not (without.sample(500, 0)[1] == 1).any()


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("name", KINDS)
def test_of_equally_probable_components_the_first_is_the_label(name, executor):
    rng = np.random.default_rng(3)
    one = random_mixture(name, 1, 2, rng)
    own = [0] * 4 if one.covariances.shape != STRUCTURES[name].shape(4, 2) else slice(None)
    four = gaussmix.Mixture([0.25] * 4, one.means[[0] * 4], one.covariances[own], name)
    X, _ = one.sample(700, rng)
    with environment(GAUSSMIX_EXECUTOR=executor):
        assert_array_equal(four.predict(X), 0)
        assert_allclose(four.responsibilities(X), 0.25, rtol=1e-12)
