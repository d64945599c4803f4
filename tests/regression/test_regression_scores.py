"""Scores of predictive mixtures: equal to quadrature, proper, and free of units."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.stats import norm

import gaussmix
from gaussmix.apps.regression.scoring import compute_crps

seeds = st.integers(0, 2**32 - 1)


def make_parts(rng, n, k):
    return rng.dirichlet(np.ones(k), n), 3.0 * rng.normal(size=(n, k)), np.exp(rng.normal(size=(n, k)))


def integrate_crps(w, m, s, y):
    """The definition: the integral of (F(t) - 1[y <= t])^2."""

    def cdf(t):
        return w @ norm.cdf((t - m) / s)

    low, high = min(y, (m - 9.0 * s).min()), max(y, (m + 9.0 * s).max())
    knots = np.unique(np.clip([y, *m], low, high))
    total = 0.0
    for a, b in zip([low, *knots], [*knots, high], strict=True):
        step = float(a >= y)
        total += quad(lambda t, step=step: (cdf(t) - step) ** 2, a, b, limit=200)[0]
    return total


@given(seed=seeds, k=st.integers(1, 4))
def test_crps_is_the_integral_that_defines_it(seed, k):
    rng = np.random.default_rng(seed)
    w, m, s = make_parts(rng, 3, k)
    y = 4.0 * rng.normal(size=3)
    expected = [integrate_crps(*row) for row in zip(w, m, s, y, strict=True)]
    assert_allclose(compute_crps(w, m, s, y), expected, rtol=1e-6, atol=1e-8)


@given(seed=seeds, exponent=st.sampled_from([-12, 12]), offset=st.sampled_from([0.0, 1e8]))
def test_crps_has_the_units_of_y_and_no_origin(seed, exponent, offset):
    rng = np.random.default_rng(seed)
    w, m, s = make_parts(rng, 5, 3)
    y, unit = rng.normal(size=5), 10.0**exponent
    moved = compute_crps(w, unit * (m + offset), unit * s, unit * (y + offset))
    assert_allclose(
        moved / unit, compute_crps(w, m, s, y), rtol=1e-5 if offset else 1e-12, atol=1e-6 * bool(offset)
    )


def test_crps_far_out_is_the_distance_less_half_the_spread():
    far = compute_crps([1.0], [0.0], [2.0], [1e6, -1e6])
    assert_allclose(far, 1e6 - 2.0 / np.sqrt(np.pi), rtol=1e-15)


def test_crps_of_no_spread_is_the_absolute_error():
    assert_allclose(
        compute_crps([0.3, 0.7], [1.0, 1.0], [1e-200, 1e-200], [4.0, 1.0]), [3.0, 0.0], atol=1e-190
    )


@given(seed=seeds)
def test_scores_are_least_for_the_distribution_that_is_right(seed):
    rng = np.random.default_rng(seed)
    right = gaussmix.Mixture([0.4, 0.6], [[-2.0], [1.0]], [1.0, 0.3], "spherical")
    wrong = gaussmix.Mixture([0.4, 0.6], [[-2.0], [1.6]], [1.0, 0.9], "spherical")
    y = right.sample(4000, rng)[0]
    assert gaussmix.crps(right, y).mean() < gaussmix.crps(wrong, y).mean()


def test_energy_score_of_one_output_estimates_crps():
    mixture = gaussmix.Mixture([0.4, 0.6], [[-2.0], [1.0]], [1.0, 0.3], "spherical")
    y = np.linspace(-3.0, 3.0, 7)
    estimated = gaussmix.energy_score(mixture, y, n_samples=3000, rng=0)
    assert_allclose(estimated, gaussmix.crps(mixture, y), atol=0.1)


def test_batches_and_mixtures_are_scored_alike():
    rng = np.random.default_rng(0)
    halves = rng.normal(size=(3, 4, 4))
    mixture = gaussmix.Mixture([0.2, 0.3, 0.5], rng.normal(size=(3, 4)), halves @ np.swapaxes(halves, 1, 2))
    rows = mixture.sample(6, rng)[0]
    batch = mixture.condition(rows[:, :2], features=[0, 1])
    scores = gaussmix.crps(batch, rows[:, 2:])
    for i, one in enumerate(batch):
        assert_allclose(gaussmix.crps(one, rows[i : i + 1, 2:])[0], scores[i], rtol=1e-12)
    assert gaussmix.crps(batch.marginal(1), rows[:, 3]).shape == (6,)
    assert_allclose(gaussmix.crps(batch.marginal(1), rows[:, 3]), scores[:, 1], rtol=1e-12)
    energies = gaussmix.energy_score(batch, rows[:, 2:], n_samples=2000, rng=1)
    alone = [
        gaussmix.energy_score(one, rows[i : i + 1, 2:], n_samples=2000, rng=2)[0]
        for i, one in enumerate(batch)
    ]
    assert_allclose(energies, alone, rtol=0.2)


@pytest.mark.parametrize("score", [gaussmix.crps, gaussmix.energy_score])
def test_what_cannot_be_scored_is_refused(score):
    mixture = gaussmix.Mixture([1.0], [[0.0, 0.0]], [1.0], "spherical")
    batch = gaussmix.Mixture([1.0], [[0.0, 0.0]], [1.0], "spherical").condition({0: [1.0, 2.0]})
    with pytest.raises(ValueError, match="one column for each of 2 outputs"):
        score(mixture, [1.0, 2.0])
    with pytest.raises(ValueError, match="one row for each of 2 predictions; got 3"):
        score(batch, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="y must be finite"):
        score(batch, [1.0, np.nan])


@pytest.mark.parametrize("n_samples", [1, 2.5, True])
def test_an_energy_score_takes_two_draws(n_samples):
    mixture = gaussmix.Mixture([1.0], [[0.0]], [1.0], "spherical")
    with pytest.raises(ValueError, match="at least 2"):
        gaussmix.energy_score(mixture, [0.0], n_samples=n_samples)
