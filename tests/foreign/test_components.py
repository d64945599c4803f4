"""The arrays that other packages take: the same Gaussians in every family."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gaussmix import Mixture, Noise
from tests.foreign.cases import CASES, make_case


@pytest.mark.parametrize("case", CASES)
def test_covariances_are_loadings_and_uniquenesses(case):
    mixture, _ = make_case(case)
    components = mixture._give_components("to_test")
    L, psi = components.loadings, components.uniquenesses
    dense = L @ L.transpose(0, 2, 1) + psi[:, :, None] * np.eye(mixture.n_features)
    assert_allclose(dense, mixture.dense_covariances, rtol=1e-12, atol=1e-14)
    assert_allclose(components.scales**2, mixture.variances, rtol=1e-12)
    roots = components.roots
    assert_allclose(roots @ roots.transpose(0, 2, 1), mixture.dense_covariances, rtol=1e-12, atol=1e-14)
    assert not np.triu(roots, 1).any()
    assert_allclose(components.mean, mixture.mean, rtol=1e-12)


@pytest.mark.parametrize("name", ["full", "diag", "factor"])
def test_draws_are_of_the_mixture(name):
    mixture, _ = make_case(name)
    n = 20_000
    rows = mixture._give_components("to_test").sample(np.random.default_rng(0), (2, n // 2))
    assert rows.shape == (2, n // 2, 3)
    rows = rows.reshape(n, 3)
    spread = np.sqrt(mixture.total_variances)
    assert (np.abs(rows.mean(axis=0) - mixture.mean) < 6.0 * spread / np.sqrt(n)).all()
    # the log-density has the mean that draws of ours have
    theirs, ours = mixture.log_prob(rows), mixture.log_prob(mixture.sample(n, rng=3)[0])
    assert abs(theirs.mean() - ours.mean()) < 6.0 * np.hypot(theirs.std(), ours.std()) / np.sqrt(n)


@pytest.mark.parametrize("method", ["to_torch", "to_pymc", "to_numpyro", "to_stan", "to_sklearn", "to_scipy"])
def test_noise_is_refused_with_what_to_do(method):
    mixture = Mixture([0.9], [[0.0]], [1.0], "spherical", noise=Noise.between([-5.0], [5.0], weight=0.1))
    arguments = ["theta"] if method in ("to_pymc", "to_stan") else []
    with pytest.raises(ValueError, match=r"noise.*mixture\.without_noise\(\)"):
        getattr(mixture, method)(*arguments)


@pytest.mark.parametrize(
    ("method", "package", "extra"),
    [("to_torch", "torch", "torch"), ("to_pymc", "pymc", "pymc"), ("to_numpyro", "numpyro", "numpyro")],
)
def test_a_package_that_is_absent_is_named_with_its_extra(method, package, extra, monkeypatch):
    for name in (package, "jax", "jax.numpy"):
        monkeypatch.setitem(sys.modules, name, None)
    mixture = Mixture([1.0], [[0.0]], [1.0], "spherical")
    with pytest.raises(ImportError, match=rf"{method} needs .*pip install 'gaussmix\[{extra}\]'"):
        getattr(mixture, method)(*(["theta"] if method == "to_pymc" else []))
