"""Conditionals beside gmr and cgmm, on the data of their own documented examples."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gaussmix import Mixture


def make_sine():
    """A hundred points on a sine with noise, as in gmr's example of regression."""
    x = np.linspace(0.0, 2.0 * np.pi, 100)
    return np.stack([x, np.sin(x) + 0.1 * np.random.RandomState(0).randn(100)], axis=1)


def test_regression_is_gmr_s():
    gmr = pytest.importorskip("gmr")
    other = gmr.GMM(n_components=3, random_state=0).from_samples(make_sine())
    mixture = Mixture(other.priors, other.means, other.covariances)
    x = np.linspace(0.0, 2.0 * np.pi, 100)
    batch = mixture.condition({0: x})
    assert_allclose(batch.mean, other.predict(np.array([0]), x[:, None]), rtol=1e-9, atol=1e-12)
    for i in (0, 17, 99):
        one = other.condition([0], [x[i]])
        assert_allclose(batch.weights[i], one.priors, rtol=1e-9, atol=1e-12)
        assert_allclose(batch.means[i], one.means, rtol=1e-9)
        assert_allclose(batch.covariances, one.covariances, rtol=1e-9)
        moments = one.to_mvn()
        assert_allclose(batch.covariance[i], moments.covariance, rtol=1e-8)


def test_predictions_of_one_feature_are_those_of_gmr_s_first_example():
    gmr = pytest.importorskip("gmr")
    rng = np.random.RandomState(1)
    other = gmr.GMM(n_components=3, random_state=0).from_samples(rng.randn(100, 2))
    known = rng.randn(20, 1)
    batch = Mixture(other.priors, other.means, other.covariances).condition(known, features=[0])
    assert_allclose(batch.mean, other.predict([0], known), rtol=1e-9, atol=1e-12)


def test_a_conditional_is_cgmm_s():
    sklearn_mixture = pytest.importorskip("sklearn.mixture")
    cgmm = pytest.importorskip("cgmm")
    X = np.random.default_rng(0).normal(size=(1000, 3))
    fitted = sklearn_mixture.GaussianMixture(3, covariance_type="full", random_state=0).fit(X)
    conditioner = cgmm.GMMConditioner(fitted, cond_idx=[0], reg_covar=0.0).precompute()
    mixture = Mixture(fitted.weights_, fitted.means_, fitted.covariances_)
    batch = mixture.condition({0: [0.5, -1.0, 6.0]})
    for i, value in enumerate([0.5, -1.0, 6.0]):
        other = conditioner.condition([value])
        assert_allclose(batch.weights[i], other.weights_, rtol=1e-9, atol=1e-12)
        assert_allclose(batch.means[i], other.means_, rtol=1e-9, atol=1e-12)
        assert_allclose(batch.covariances, other.covariances_, rtol=1e-9, atol=1e-12)
