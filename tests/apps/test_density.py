"""The density of normal rows: anomalies do not get into it, and it depends on no unit, order or copy."""

from __future__ import annotations

import numpy as np
import pytest

from gaussmix import GaussianMixtureDetector
from gaussmix.apps.anomaly.columns import find_quantiles, measure_columns
from gaussmix.apps.anomaly.density import find_normal_components
from gaussmix.apps.anomaly.normal_model import find_fence
from gaussmix.model.mixture import Mixture


def measure_area(scores, n_anomalies):
    """The area under the ROC curve, the anomalies being the last rows."""
    normal, anomalies = scores[:-n_anomalies], scores[-n_anomalies:]
    return float(np.mean(anomalies[:, None] < normal[None, :]))


def make_clusters(seed, n=600, d=4):
    """Normal rows in three clusters of one shape."""
    generator = np.random.default_rng(seed)
    centres = 6.0 * np.eye(d)[:3]
    shape = np.eye(d) + 0.6 * generator.normal(size=(d, d)) / np.sqrt(d)
    return centres[np.arange(n) % 3] + generator.normal(size=(n, d)) @ shape


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1, 0.14])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_tight_cluster_is_no_component(share, seed):
    X = make_clusters(seed)
    n = int(share * len(X))
    far = np.random.default_rng(seed + 50).normal(5.0, 0.05, size=(n, 4))
    rows = np.concatenate([X, far])
    scores = GaussianMixtureDetector(random_state=seed).fit(rows).score_samples(rows)
    assert measure_area(scores, n) > 0.99


@pytest.mark.parametrize("spread", [0.1, 1.0])
def test_a_large_cluster_is_left_out_where_normal_rows_are_said_to_be_one(spread):
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.normal(size=(420, 5)), rng.normal(4.0, spread, size=(180, 5))])
    scores = GaussianMixtureDetector(1, trim=0.45, random_state=0).fit(rows).score_samples(rows)
    assert measure_area(scores, 180) > 0.99


@pytest.mark.parametrize("seed", [0, 1])
def test_a_third_of_scattered_anomalies_does_not_blind_it(seed):
    X = make_clusters(seed)
    scattered = np.random.default_rng(seed + 70).uniform(-15.0, 15.0, size=(300, 4))
    rows = np.concatenate([X, scattered])
    scores = GaussianMixtureDetector(random_state=seed).fit(rows).score_samples(rows)
    assert measure_area(scores, 300) > 0.97


def test_clean_rows_choose_components_by_rows_that_are_held_out():
    one = np.random.default_rng(0).normal(size=(800, 3))
    assert GaussianMixtureDetector(novelty=True, random_state=0).fit(one).n_components_ == 1
    many = make_clusters(0, 800, 3)
    assert GaussianMixtureDetector(novelty=True, random_state=0).fit(many).n_components_ > 1


def test_bic_leaves_one_gaussian_one_component():
    one = np.random.default_rng(0).normal(size=(800, 5))
    model = GaussianMixtureDetector(random_state=0).fit(one)
    assert model.n_components_ == 1
    assert GaussianMixtureDetector(random_state=0).fit(make_clusters(0)).n_components_ > 1


def test_units_make_no_difference():
    X = make_clusters(1, 300)
    scale, offset = np.array([1e-9, 1.0, 3e4, 7.0]), np.array([0.0, 5.0, -1e6, 3.0])
    first = GaussianMixtureDetector(random_state=0).fit(X).score_samples(X)
    second = GaussianMixtureDetector(random_state=0).fit(X * scale + offset).score_samples(X * scale + offset)
    np.testing.assert_allclose(second, first, atol=1e-3)


@pytest.mark.parametrize("novelty", [False, True])
def test_constant_discrete_and_heavy_columns(novelty):
    generator = np.random.default_rng(0)
    X = np.column_stack(
        [
            generator.normal(size=400),
            np.full(400, 3.0),
            np.zeros(400),
            generator.random(400) < 0.02,
            generator.integers(0, 3, 400),
            np.exp(3.0 * generator.normal(size=400)),
        ]
    )
    X = np.concatenate([X, X[:50]])  # duplicates
    model = GaussianMixtureDetector(novelty=novelty, random_state=0).fit(X)
    assert np.isfinite(model.score_samples(X)).all()
    odd = X[:3].copy()
    odd[0, 0], odd[1, 1], odd[2, 2] = 60.0, 4.0, 40.0
    assert (model.score_samples(odd) < model.score_samples(X[:3]) - 5.0).all()


@pytest.mark.parametrize(("n", "d"), [(30, 40), (200, 90), (25, 100)])
@pytest.mark.parametrize("novelty", [False, True])
def test_many_features(n, d, novelty):
    generator = np.random.default_rng(0)
    X = generator.normal(size=(n, 3)) @ generator.normal(size=(3, d)) + generator.normal(size=(n, d))
    model = GaussianMixtureDetector(novelty=novelty, random_state=0).fit(X)
    far = X[:5] + 8.0 * generator.normal(size=(5, d))
    assert model.score_samples(far).max() < model.score_samples(X).min()


@pytest.mark.parametrize("family", ["full", "spherical", "EEV", "factor"])
def test_named_families_are_fitted_as_they_are(family):
    X = make_clusters(0)
    model = GaussianMixtureDetector(3, covariance_type=family, random_state=0).fit(X)
    assert (model.n_components_, model.covariance_type_) == (3, family)


def test_a_weight_is_that_many_copies():
    X = np.random.default_rng(0).normal(size=(39, 3))
    weights = np.arange(39) % 3
    weighted = GaussianMixtureDetector(random_state=0).fit(X, sample_weight=weights)
    repeated = GaussianMixtureDetector(random_state=0).fit(np.repeat(X, weights, axis=0))
    np.testing.assert_allclose(weighted.score_samples(X), repeated.score_samples(X), rtol=1e-6)
    assert weighted.offset_ == pytest.approx(repeated.offset_, rel=1e-6)


def test_quantiles_count_weights_as_copies():
    X = np.random.default_rng(0).normal(size=(50, 2))
    weights = np.arange(50) % 4
    repeated = np.repeat(X, weights, axis=0)
    found = find_quantiles(X[weights > 0], weights[weights > 0].astype(float), [0.25, 0.5, 0.9])
    expected = np.quantile(repeated, [0.25, 0.5, 0.9], axis=0, method="averaged_inverted_cdf")
    np.testing.assert_allclose(found, expected)


def test_columns_of_mostly_one_value_have_the_spread_of_the_rest():
    X = np.zeros((1000, 2))
    X[:40, 0] = np.linspace(1.0, 9.0, 40)
    X[:, 1] = 7.0
    columns = measure_columns(X, np.ones(1000), "robust")
    assert columns.scale == pytest.approx([X[:, 0].std(), 0.07])


def test_small_components_are_not_normal_and_the_largest_is():
    means, equal = np.arange(3.0)[:, None], np.ones((1, 1))
    assert find_normal_components(Mixture([0.5, 0.4, 0.1], means, equal, "tied")).tolist() == [0, 1]
    assert find_normal_components(Mixture([0.98, 0.01, 0.01], means, equal, "tied")).tolist() == [0]


def test_the_fence_flags_few_rows_of_a_gaussian_and_ignores_anomalies_above_the_median():
    generator = np.random.default_rng(0)
    distances = np.sqrt(generator.chisquare(8, size=20_000))
    scores, weights = -0.5 * distances**2, np.ones(20_000)
    fence = find_fence(scores, weights)
    assert 0.0005 < np.mean(scores < fence) < 0.02
    mixed = np.where(np.arange(20_000) % 10 < 2, -500.0, scores)
    assert np.mean(scores < find_fence(mixed, weights)) < 0.02


@pytest.mark.parametrize("value", [99999.0, -2147483648.0, 1e150, -1.7e308])
def test_fill_values_are_far_and_spoil_nothing(value):
    X = make_clusters(0, 300)
    plain = GaussianMixtureDetector(random_state=0).fit(X).score_samples(X)
    filled = X.copy()
    filled[:3, 1] = value
    scores = GaussianMixtureDetector(random_state=0).fit(filled).score_samples(filled)
    assert scores[:3].max() < scores[3:].min()
    assert np.corrcoef(scores[3:], plain[3:])[0, 1] > 0.9


def test_trimming_nearly_all_leaves_one_component():
    model = GaussianMixtureDetector(trim=0.9, random_state=0).fit(make_clusters(0, 300))
    assert model.n_components_ == 1
    assert np.isfinite(model.score_samples(make_clusters(0, 300))).all()
