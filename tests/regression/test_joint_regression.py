"""Predictions of joint mixtures: equal to the definition, for all families and patterns of missing inputs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.integrate import quad, trapezoid

from gaussmix import GroupedBatch
from gaussmix.apps.regression.joint import JointRegression
from tests.helpers import NAMES
from tests.operations.making import few, make_mixture


def make_regression(name, k, d, rng, exponent=0):
    mixture = make_mixture(name, k, d, rng, exponent)
    return JointRegression(mixture, np.arange(d - 1))


@pytest.mark.parametrize("name", NAMES)
@few
@given(
    k=st.integers(1, 4),
    d=st.integers(2, 5),
    seed=st.integers(0, 2**32 - 1),
    exponent=st.sampled_from([0, -9, 9]),
)
def test_the_quick_mean_is_that_of_the_conditional(name, k, d, seed, exponent):
    rng = np.random.default_rng(seed)
    regression = make_regression(name, k, d, rng, exponent)
    rows = regression.mixture.sample(20, rng)[0][:, :-1]
    batch = regression.predict(rows)
    unit = 10.0**exponent
    assert_allclose(regression.find_means(rows), batch.mean, rtol=1e-8, atol=1e-9 * unit)
    mean, std = regression.find_moments(rows)
    assert_allclose(mean, batch.mean, rtol=1e-8, atol=1e-9 * unit)
    assert_allclose(std, batch.std, rtol=1e-6)


@pytest.mark.parametrize("name", ["full", "diag", "tied", "factor"])
def test_predictions_are_the_integrals_of_the_joint_density(name):
    rng = np.random.default_rng(1)
    regression = make_regression(name, 3, 3, rng)
    mixture, row = regression.mixture, regression.mixture.sample(1, rng)[0][0, :2]

    def density(y):
        return float(np.exp(mixture.log_prob([[*row, y]]))[0])

    batch = regression.predict(row[None])
    centre, spread = batch.mean[0, 0], batch.std[0, 0]
    limits = centre - 12.0 * spread, centre + 12.0 * spread
    total = quad(density, *limits, limit=200)[0]
    mean = quad(lambda y: y * density(y), *limits, limit=200)[0] / total
    variance = quad(lambda y: (y - mean) ** 2 * density(y), *limits, limit=200)[0] / total
    assert_allclose(regression.find_means(row[None]), [[mean]], rtol=1e-6)
    assert_allclose(batch.total_variances, [[variance]], rtol=1e-6)
    assert_allclose(regression.find_log_densities(row[None]), [np.log(total)], rtol=1e-6)


def test_missing_inputs_are_integrated_out():
    rng = np.random.default_rng(2)
    regression = make_regression("full", 2, 3, rng)
    mixture = regression.mixture
    known = float(mixture.sample(1, rng)[0][0, 0])
    ends = mixture.means[:, 1] + 10.0 * np.sqrt(mixture.variances[:, 1]) * np.array([[-1.0], [1.0]])
    grid = np.linspace(ends.min(), ends.max(), 4001)
    rows = np.column_stack([np.full(grid.size, known), grid])
    shares = np.exp(regression.find_log_densities(rows))
    expected = trapezoid(shares * regression.find_means(rows)[:, 0], grid) / trapezoid(shares, grid)
    assert_allclose(regression.find_means([[known, np.nan]]), [[expected]], rtol=1e-5)


def test_rows_with_other_patterns_are_predicted_as_each_alone():
    rng = np.random.default_rng(3)
    mixture = make_mixture("full", 3, 5, rng)
    regression = JointRegression(mixture, np.arange(3))
    rows = mixture.sample(40, rng)[0][:, :3]
    rows[rng.random(rows.shape) < 0.4] = np.nan
    rows[7] = np.nan
    batch = regression.predict(rows)
    assert isinstance(batch, GroupedBatch)
    assert len(batch) == 40 and batch.n_features == 2 and batch.n_components == 3
    Y = rng.normal(size=(40, 2))
    asked = {
        "mean": batch.mean,
        "covariance": batch.covariance,
        "std": batch.std,
        "weights": batch.weights,
        "means": batch.means,
        "log_evidence": batch.log_evidence,
    }
    log_prob, shares, mode = batch.log_prob(Y), batch.responsibilities(Y), batch.mode()
    quantiles, below = batch.marginal(1).quantile([0.1, 0.9]), batch.marginal(1).cdf(Y[:, 1])
    assert_allclose(regression.find_log_densities(rows), batch.log_evidence, atol=1e-12)
    for i in range(40):
        alone = regression.predict(rows[i : i + 1])
        for name, values in asked.items():
            assert_allclose(values[i], getattr(alone, name)[0], rtol=1e-10, atol=1e-12, err_msg=name)
        assert_allclose(log_prob[i], alone.log_prob(Y[i : i + 1])[0])
        assert_allclose(shares[i], alone.responsibilities(Y[i : i + 1])[0], atol=1e-12)
        assert_allclose(mode[i], alone.mode()[0], atol=1e-9)
        assert_allclose(quantiles[i], alone.marginal(1).quantile([0.1, 0.9])[0], rtol=1e-9)
        assert_allclose(below[i], alone.marginal(1).cdf(Y[i : i + 1, 1])[0], atol=1e-12)
        assert_allclose(batch[i].mean, batch.mean[i])
    assert_allclose(batch[7].mean, mixture.marginal([3, 4]).mean)


def test_part_of_a_grouped_batch_is_the_batch_of_these_rows():
    rng = np.random.default_rng(4)
    regression = make_regression("full", 2, 4, rng)
    rows = regression.mixture.sample(12, rng)[0][:, :-1]
    rows[::3, 0] = np.nan
    batch = regression.predict(rows)
    assert_allclose(batch[2:9].mean, batch.mean[2:9])
    assert_allclose(batch[np.array([5, 0, 11])].mean, batch.mean[[5, 0, 11]])
    assert_allclose(batch[-1].mean, batch.mean[-1])
    assert len(list(batch)) == 12
    with pytest.raises(IndexError):
        batch[12]
    draws, labels = batch.sample(3000, 0)
    assert draws.shape == (12, 3000, 1) and labels.shape == (12, 3000)
    assert_allclose(draws.mean(axis=1), batch.mean, atol=0.2 * batch.std.max())


def test_far_from_all_rows_means_are_finite_or_refused():
    regression = make_regression("full", 3, 3, np.random.default_rng(5))
    assert np.isfinite(regression.find_means([[1e6, -1e6]])).all()
    with pytest.raises(ValueError, match="so far from every component"):
        regression.find_means([[1e200, 0.0]])
