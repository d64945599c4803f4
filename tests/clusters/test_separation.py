"""How well each feature tells components apart: against sampling, and where the answer is known."""

import numpy as np
import pytest

from gaussmix import Mixture, Noise
from gaussmix.clusters.separation import measure_separation, rank_features


def make_mixture(k, d, seed=0):
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.full(k, 3.0))
    return Mixture(weights, rng.normal(0, 2, (k, d)), rng.uniform(0.05, 3, (k, d)) ** 2, "diag")


def find_share(mixture, j, clusters):
    """The share of the entropy of the labels that feature j takes away, by a hundred thousand draws."""
    of_one = Mixture(mixture.weights, mixture.means[:, [j]], mixture.covariances[:, [j]], "diag")
    r = of_one.responsibilities(of_one.sample(100_000, 1)[0])
    r = np.stack([r[:, clusters == g].sum(axis=1) for g in range(clusters.max() + 1)])
    weights = np.bincount(clusters, mixture.weights)
    left = -np.where(r > 0, r * np.log(np.maximum(r, 1e-300)), 0.0).sum(axis=0).mean()
    return 1.0 + left / (weights @ np.log(weights))


@pytest.mark.parametrize("k", [2, 4, 9])
@pytest.mark.parametrize("merged", [False, True])
def test_it_is_the_share_of_the_uncertainty_that_a_feature_takes_away(k, merged):
    mixture = make_mixture(k, 3)
    clusters = np.arange(k) // 2 if merged and k > 2 else np.arange(k)
    expected = [find_share(mixture, j, clusters) for j in range(3)]
    np.testing.assert_allclose(measure_separation(mixture, clusters), expected, atol=0.02)


def test_what_is_known():
    apart = Mixture([0.3, 0.7], [[0, 0, 0, 5], [90, 0, 0, 5]], [[1, 1, 1, 2], [1, 1, 100, 2]], "diag")
    means, nothing, spread, alike = measure_separation(apart)
    assert means == pytest.approx(1.0)
    assert nothing == pytest.approx(0.0, abs=1e-9) and alike == pytest.approx(0.0, abs=1e-9)
    assert 0.2 < spread < 1.0, "components that differ in spread only are told apart, too"


def test_one_component_one_cluster_and_noise():
    assert not measure_separation(make_mixture(1, 4)).any()
    assert not measure_separation(make_mixture(3, 4), np.zeros(3, dtype=int)).any()
    plain = make_mixture(3, 4)
    noisy = plain.with_noise(Noise.between([-9] * 4, [9] * 4, 0.3))
    np.testing.assert_allclose(measure_separation(noisy), measure_separation(plain))


@pytest.mark.parametrize(("offset", "scale"), [(0.0, 1e-100), (1e8, 1.0), (0.0, 1e100)])
def test_units_do_not_matter(offset, scale):
    plain = make_mixture(3, 4)
    moved = Mixture(plain.weights, offset + scale * plain.means, scale**2 * plain.covariances, "diag")
    np.testing.assert_allclose(measure_separation(moved), measure_separation(plain), atol=1e-4)


def test_a_component_on_one_value_and_many_features():
    tiny = Mixture([0.5, 0.5], [[0.0, 0.0], [0.0, 1.0]], [[1e-12, 1.0], [1.0, 1.0]], "diag")
    first, second = measure_separation(tiny)
    assert 0.9 < first <= 1.0 and 0.0 < second < first
    wide = make_mixture(5, 3000)
    few = Mixture(wide.weights, wide.means[:, 2990:], wide.covariances[:, 2990:], "diag")
    np.testing.assert_allclose(measure_separation(wide)[2990:], measure_separation(few))


def test_features_that_tell_as_much_come_in_their_order():
    assert rank_features(np.array([0.2, 0.9, 0.2000001, 0.9, 0.0])).tolist() == [1, 3, 0, 2, 4]
    assert rank_features(np.full(4, 1e-17)).tolist() == [0, 1, 2, 3]
