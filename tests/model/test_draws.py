"""Draws that fill a mixture evenly, and draws between limits: their distributions, however improbable the box."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from scipy.integrate import quad

from gaussmix import Mixture, Noise
from tests.helpers import NAMES, random_mixture

#: Under which a test of a fixed seed says that two distributions differ.
IMPROBABLE = 1e-3


def make_factors(rng, k=3, d=4):
    covariances = rng.normal(size=(k, d, 2))
    covariances[:, :, -1] = 0.3 + covariances[:, :, -1] ** 2
    return Mixture(rng.dirichlet(np.full(k, 4.0)), 3.0 * rng.normal(size=(k, d)), covariances, "factor")


def make_correlated(correlation, d):
    return Mixture([1.0], np.zeros((1, d)), [np.eye(d) + correlation * (1.0 - np.eye(d))])


def test_rvs_has_the_shapes_of_scipy():
    line, plane = (random_mixture("full", 2, d, np.random.default_rng(0)) for d in (1, 2))
    assert np.ndim(line.rvs(random_state=0)) == 0
    assert line.rvs(5).shape == line.rvs((5,)).shape == (5,)
    assert line.rvs(size=(2, 3)).shape == (2, 3)
    assert plane.rvs().shape == (2,)
    assert plane.rvs(5).shape == (5, 2)
    assert plane.rvs((3, 4)).shape == (3, 4, 2)
    assert line.rvs(0).shape == (0,)
    with pytest.raises(ValueError, match="size must not be negative"):
        line.rvs(-1)


@pytest.mark.parametrize("size", [1.5, "2", (2, 1.5), True])
def test_sizes_that_are_no_whole_numbers_are_refused(size):
    with pytest.raises(ValueError, match="size must be a whole number, or a tuple of them"):
        random_mixture("full", 2, 2, np.random.default_rng(0)).rvs(size)


@pytest.mark.parametrize("n_samples", [1.5, "2", True, None])
def test_numbers_of_rows_that_are_no_whole_numbers_are_refused(n_samples):
    mixture = random_mixture("full", 2, 2, np.random.default_rng(0))
    batch = mixture.condition({0: [0.0, 1.0]})
    for draw in (mixture.sample, mixture.sample_sobol, batch.sample):
        with pytest.raises(ValueError, match="Invalid value for 'n_samples': .* a whole number"):
            draw(n_samples)


def test_rvs_takes_seeds_and_both_kinds_of_generators():
    mixture = random_mixture("full", 2, 2, np.random.default_rng(0))
    assert_array_equal(mixture.rvs(5, random_state=3), mixture.sample(5, 3)[0])
    for make in (np.random.default_rng, np.random.RandomState):
        generator = make(0)
        first, second = (mixture.rvs(5, random_state=generator) for _ in range(2))
        assert not np.array_equal(first, second)
        assert_array_equal(first, mixture.rvs(5, random_state=make(0)))


@pytest.mark.parametrize("name", [*NAMES, "factor"])
def test_even_draws_integrate_smooth_functions_better_than_fresh_ones(name):
    rng = np.random.default_rng(0)
    mixture = make_factors(rng) if name == "factor" else random_mixture(name, 3, 3, rng)
    even, fresh = [], []
    for seed in range(4):
        for errors, draw in ((even, mixture.sample_sobol), (fresh, mixture.sample)):
            X, labels = draw(2048, seed)
            assert X.shape == (2048, mixture.n_features) and labels.shape == (2048,)
            errors.append(np.abs((X.mean(axis=0) - mixture.mean) / mixture.std).max())
    assert np.mean(even) < 0.2 * np.mean(fresh)


def test_even_draws_have_the_distribution_of_each_component():
    mixture = make_factors(np.random.default_rng(1))
    X, labels = mixture.sample_sobol(5000, 2)
    assert_allclose(np.bincount(labels) / 5000, mixture.weights, atol=2e-3)
    for k in range(3):
        rows = (X[labels == k] - mixture.means[k]) @ np.linalg.inv(
            np.linalg.cholesky(mixture.dense_covariances[k])
        ).T
        for column in rows.T:
            assert stats.kstest(column, "norm").pvalue > IMPROBABLE
        assert_allclose(np.cov(rows.T), np.eye(4), atol=0.1)
    assert_array_equal(X, mixture.sample_sobol(5000, 2)[0])


def test_even_draws_of_noise_fill_its_box():
    noise = Noise(0.5, box=[[1.0, 1.0], [2.0, 0.0], [1.0, 1.0]])
    X, labels = Mixture([0.5], [[0.0, 0.0]], [1.0], "spherical", noise=noise).sample_sobol(1024, 0)
    assert (labels == -1).sum() == 512
    shares = (X[labels == -1] - [1.0, 1.0]) @ np.linalg.inv([[2.0, 0.0], [1.0, 1.0]])
    assert (shares >= 0.0).all() and (shares <= 1.0).all()
    assert_allclose(shares.mean(axis=0), 0.5, atol=0.01)


@pytest.mark.parametrize("name", [*NAMES, "factor"])
def test_draws_between_limits_are_the_rows_that_fall_there(name):
    rng = np.random.default_rng(3)
    mixture = make_factors(rng) if name == "factor" else random_mixture(name, 3, 3, rng)
    low, high = mixture.mean - 0.7 * mixture.std, mixture.mean + 1.5 * mixture.std
    low[-1] = -np.inf
    X, labels = mixture.sample(40_000, 4)
    inside = ((low <= X) & (high >= X)).all(axis=1)
    Y, ours = mixture.sample_truncated(4000, low, high, 5)
    assert Y.shape == (4000, mixture.n_features)
    assert ((low <= Y) & (high >= Y)).all()
    for column, other in zip(X[inside].T, Y.T, strict=True):
        assert stats.ks_2samp(column, other).pvalue > IMPROBABLE
    # sums, in which correlations show
    assert (
        stats.ks_2samp((X[inside] / mixture.std).sum(axis=1), (Y / mixture.std).sum(axis=1)).pvalue
        > IMPROBABLE
    )
    counts = [np.bincount(each, minlength=3) for each in (labels[inside], ours)]
    present = counts[0] + counts[1] > 0
    assert stats.chi2_contingency(np.array(counts)[:, present]).pvalue > IMPROBABLE


@pytest.mark.parametrize(("low", "high"), [(8.0, np.inf), (-np.inf, -30.0), (50.0, 50.1), (-0.1, 0.1)])
def test_one_feature_between_limits_has_its_distribution(low, high):
    mixture = Mixture([0.3, 0.7], [[0.0], [1.0]], [1.0, 4.0], "spherical")
    X, labels = mixture.sample_truncated(4000, low, high, 0)
    if abs(low) > 7.0:  # far out, the wider component has nearly all
        assert (labels == 1).mean() > 0.999
    beyond = [mixture.logsf(x) if low > 0.0 else mixture.logcdf(x) for x in (low, high)]
    of_rows = mixture.logsf(X.ravel()) if low > 0.0 else mixture.logcdf(X.ravel())
    first, last = max(beyond), min(beyond)
    shares = np.expm1(of_rows - first) / np.expm1(last - first)
    assert stats.kstest(shares, "uniform").pvalue > IMPROBABLE


@pytest.mark.parametrize("correlation", [-0.9, 0.5, 0.95])
def test_two_correlated_features_far_in_a_tail(correlation):
    mixture = make_correlated(correlation, 2)
    X, _ = mixture.sample_truncated(3000, [7.0, 6.0], np.inf, 1)
    rest = np.sqrt(1.0 - correlation**2)
    top = mixture.logsf([7.0, 6.0])

    def find_density(x):
        return np.exp(stats.norm.logpdf(x) + stats.norm.logsf((6.0 - correlation * x) / rest) - top)

    borders = 7.0 + np.concatenate([[0.0], np.geomspace(1e-3, 7.0, 40)])
    masses = [quad(find_density, a, b)[0] for a, b in pairwise(borders)]
    assert sum(masses) == pytest.approx(1.0, abs=1e-6)
    edges = borders[:-1][np.array(masses) * 3000 > 10]
    edges[0] = 7.0
    found = np.histogram(X[:, 0], np.append(edges, np.inf))[0]
    expected = np.histogram(borders[:-1] + 1e-6, np.append(edges, np.inf), weights=masses)[0]
    assert stats.chisquare(found, expected / expected.sum() * found.sum()).pvalue > IMPROBABLE


@pytest.mark.parametrize("d", [3, 10])
def test_an_improbable_box_of_many_features_takes_few_proposals(d):
    mixture = make_correlated(0.5, d)
    low = np.full(d, 5.0)
    X, _ = mixture.sample_truncated(2000, low, np.inf, 2)
    assert (low <= X).all()
    # features are exchangeable, and each exceeds its limit by about as much as those of one far tail do
    for column in X.T[1:]:
        assert stats.ks_2samp(X[:, 0], column).pvalue > IMPROBABLE
    # X_j = (Z + E_j) / sqrt(2): given the limits, Z has a density of one dimension
    z = np.linspace(0.0, 20.0, 4001)
    log_density = stats.norm.logpdf(z) + d * stats.norm.logsf(5.0 * np.sqrt(2.0) - z)
    weights = np.exp(log_density - log_density.max())
    excess = np.exp(stats.norm.logpdf(5.0 * np.sqrt(2.0) - z) - stats.norm.logsf(5.0 * np.sqrt(2.0) - z)) + z
    exact = weights @ excess / weights.sum() / np.sqrt(2.0)
    means = X.mean(axis=1)
    assert abs(means.mean() - exact) < 4.0 * means.std() / np.sqrt(2000)


def test_labels_of_a_box_have_the_probabilities_of_the_components_in_it():
    mixture = random_mixture("full", 4, 3, np.random.default_rng(6))
    low = mixture.mean + 1.5 * mixture.std
    masses = np.array(
        [
            weight * Mixture([1.0], [mean], [covariance]).box_probability(low, np.inf)
            for weight, mean, covariance in zip(
                mixture.weights, mixture.means, mixture.dense_covariances, strict=True
            )
        ]
    )
    _, labels = mixture.sample_truncated(4000, low, np.inf, 0)
    expected = masses / masses.sum() * 4000
    often = expected > 5.0
    found = np.bincount(labels, minlength=4)
    assert abs(found[~often].sum() - expected[~often].sum()) <= 15.0
    if often.sum() > 1:
        scaled = expected[often] / expected[often].sum() * found[often].sum()
        assert stats.chisquare(found[often], scaled).pvalue > IMPROBABLE


@pytest.mark.parametrize("name", ["full", "diag"])
@pytest.mark.parametrize(("scale", "shift"), [(1e-12, 0.0), (1e12, 0.0), (1.0, 1e6)])
def test_draws_between_limits_move_with_the_units(name, scale, shift):
    plain = random_mixture(name, 2, 2, np.random.default_rng(7))
    low, high = plain.mean + 0.5 * plain.std, plain.mean + 4.0 * plain.std
    moved = Mixture(plain.weights, (plain.means + shift) * scale, plain.covariances * scale**2, name)
    first = plain.sample_truncated(200, low, high, 0)[0]
    second = moved.sample_truncated(200, (low + shift) * scale, (high + shift) * scale, 0)[0]
    assert_allclose(second.mean(axis=0) / scale - shift, first.mean(axis=0), atol=1.0)
    assert ((second >= (low + shift) * scale) & (second <= (high + shift) * scale)).all()


def test_noise_between_limits_is_uniform():
    noise = Noise.between([0.0, 0.0], [4.0, 10.0], 0.5)
    mixture = Mixture([0.5], [[0.0, 0.0]], [1.0], "spherical", noise=noise)
    X, labels = mixture.sample_truncated(2000, [2.0, -1.0], [9.0, 5.0], 0)
    assert (labels == -1).mean() > 0.9  # a quarter of the noise, against one row of fifty of the Gaussian
    uniform = X[labels == -1]
    assert stats.kstest(uniform[:, 0], stats.uniform(2.0, 2.0).cdf).pvalue > IMPROBABLE
    assert stats.kstest(uniform[:, 1], stats.uniform(0.0, 5.0).cdf).pvalue > IMPROBABLE


def test_a_box_without_limits_is_the_whole():
    mixture = random_mixture("full", 2, 2, np.random.default_rng(8))
    X, _ = mixture.sample_truncated(2000, -np.inf, np.inf, 0)
    for ours, theirs in zip(X.T, mixture.sample(2000, 1)[0].T, strict=True):
        assert stats.ks_2samp(ours, theirs).pvalue > IMPROBABLE


def test_boxes_that_make_no_sense_are_refused():
    mixture = random_mixture("full", 2, 2, np.random.default_rng(0))
    with pytest.raises(ValueError, match="the box has no probability: each feature needs low < high"):
        mixture.sample_truncated(5, [0.0, 1.0], [2.0, 1.0])
    with pytest.raises(ValueError, match="low must not be above high"):
        mixture.sample_truncated(5, [0.0, 1.0], [2.0, 0.0])
    with pytest.raises(ValueError, match=r"must have the shape \(2,\), those of one box"):
        mixture.sample_truncated(5, np.zeros((3, 2)), 1.0)
    with pytest.raises(ValueError, match="at least one sample must be drawn"):
        mixture.sample_truncated(0, 0.0, 1.0)
    with pytest.raises(ValueError, match="at least one sample must be drawn"):
        mixture.sample_sobol(0)
