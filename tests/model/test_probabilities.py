"""Distribution functions and quantiles of one feature: against SciPy, in both tails, between far components."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from scipy.integrate import quad

from gaussmix import Mixture, Noise
from tests.helpers import random_mixture


def make_line(seed, k=4, spread=5.0):
    rng = np.random.default_rng(seed)
    means = spread * rng.normal(size=(k, 1))
    return Mixture(rng.dirichlet(np.ones(k)), means, np.exp(2.0 * rng.normal(size=k)), "spherical")


def make_normal(mean, deviation):
    return Mixture([1.0], [[mean]], [deviation**2], "spherical")


def find_rounding(mixture, x, least):
    """What one unit in the last place of x changes a probability by, relative to it."""
    return np.spacing(np.abs(x)) * mixture.pdf(x) / least


def test_a_single_gaussian_is_scipys_normal():
    mixture, normal = make_normal(3.0, 2.0), stats.norm(3.0, 2.0)
    x = np.linspace(-70.0, 70.0, 201)
    for name in ("pdf", "logpdf", "cdf", "sf", "logcdf", "logsf"):
        assert_allclose(getattr(mixture, name)(x), getattr(normal, name)(x), rtol=1e-12, err_msg=name)
    q = np.concatenate([10.0 ** np.arange(-300.0, 0.0, 10.0), np.linspace(0.0, 1.0, 51)])
    for name in ("ppf", "isf"):
        assert_allclose(getattr(mixture, name)(q), getattr(normal, name)(q), rtol=1e-12, atol=1e-14)


def test_shapes_are_those_of_scipys_distributions():
    mixture = make_line(0)
    for name in ("pdf", "logpdf", "cdf", "sf", "logcdf", "logsf", "ppf", "isf", "quantile"):
        method = getattr(mixture, name)
        assert np.ndim(method(0.25)) == 0
        assert method([0.25, 0.5, 0.75]).shape == (3,)
        assert method([]).shape == (0,)
    for name in ("pdf", "cdf", "sf"):
        method = getattr(mixture, name)
        assert method([[0.25], [0.5]]).shape == (2,)
        assert method(np.zeros((2, 5, 1))).shape == (2, 5)
    assert mixture.ppf(np.full((2, 3), 0.5)).shape == (2, 3)
    plane = random_mixture("full", 2, 2, np.random.default_rng(0))
    for name in ("pdf", "logpdf", "cdf", "sf", "logcdf", "logsf"):
        method = getattr(plane, name)
        assert np.ndim(method([0.0, 1.0])) == 0
        assert method(np.zeros((5, 2))).shape == (5,)
        assert method(np.zeros((3, 5, 2))).shape == (3, 5)


def test_it_goes_where_a_frozen_distribution_of_scipy_goes():
    mixture = make_line(1)
    x = mixture.sample(500, 0)[0].ravel()
    assert stats.kstest(x, mixture.cdf).pvalue > 0.001
    assert stats.kstest(x + 3.0, mixture.cdf).pvalue < 1e-6
    theory, _ = stats.probplot(x, dist=mixture, fit=False)
    assert np.corrcoef(mixture.cdf(theory), mixture.cdf(np.sort(x)))[0, 1] > 0.99


def test_prob_is_the_exponential_of_log_prob_in_the_precision_of_the_rows():
    mixture = make_line(2)
    X = np.linspace(-3.0, 3.0, 7)[:, None]
    assert_array_equal(mixture.prob(X), np.exp(mixture.log_prob(X)))
    assert mixture.prob(X.astype(np.float32)).dtype == np.float32


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from([0.1, 5.0, 1e3, 1e6]))
def test_quantiles_invert_the_distribution_function_in_both_tails(seed, spread):
    mixture = make_line(seed, spread=spread)
    rng = np.random.default_rng(seed)
    q = np.concatenate([rng.random(40), 10.0 ** rng.uniform(-300.0, -1.0, 20)])
    for inverse, probability in ((mixture.ppf, mixture.cdf), (mixture.isf, mixture.sf)):
        x = inverse(q)
        error = np.abs(probability(x) / q - 1.0)
        assert (error <= 1e-12 + 2.0 * find_rounding(mixture, x, q)).all()
    assert (np.diff(mixture.ppf(np.sort(q))) >= 0.0).all()


@given(st.integers(0, 10**6))
def test_the_distribution_function_is_the_probability_of_a_box(seed):
    rng = np.random.default_rng(seed)
    mixture = make_line(seed)
    x = np.concatenate([10.0 * rng.normal(size=20), [-1e3, 1e3]])
    assert_allclose(mixture.cdf(x), mixture.box_probability(-np.inf, x), rtol=1e-12)
    assert_allclose(mixture.sf(x), mixture.box_probability(x, np.inf), rtol=1e-12)
    assert_allclose(mixture.cdf(x) + mixture.sf(x), 1.0, rtol=1e-14)


def test_the_median_between_two_far_components_lies_in_the_middle():
    # there, F is one half but for 1e-200, which no double beside one half can hold
    mixture = Mixture([0.5, 0.5], [[-30.0], [30.0]], [1.0, 1.0], "spherical")
    assert abs(mixture.ppf(0.5)) < 1e-9
    third = 1.0 / 3.0
    mixture = Mixture([third] * 3, [[-100.0], [0.0], [100.0]], [1.0] * 3, "spherical")
    assert mixture.cdf(mixture.ppf(third)) == pytest.approx(third, rel=1e-15)


def test_infinite_points_and_probabilities_of_zero_and_one():
    mixture = make_line(3)
    assert_array_equal(mixture.cdf([-np.inf, np.inf]), [0.0, 1.0])
    assert_array_equal(mixture.sf([-np.inf, np.inf]), [1.0, 0.0])
    assert_array_equal(mixture.logcdf([-np.inf, np.inf]), [-np.inf, 0.0])
    assert_array_equal(mixture.ppf([0.0, 1.0]), [-np.inf, np.inf])
    assert_array_equal(mixture.isf([0.0, 1.0]), [np.inf, -np.inf])


def test_logarithms_go_on_where_probabilities_underflow():
    mixture = Mixture([0.25, 0.75], [[0.0], [1.0]], [1.0, 1.0], "spherical")
    assert mixture.cdf(-1e3) == 0.0
    assert mixture.logcdf(-1e3) == pytest.approx(stats.norm.logcdf(-1e3) + np.log(0.25), rel=1e-14)
    assert mixture.logsf(1e3) == pytest.approx(stats.norm.logsf(999.0) + np.log(0.75), rel=1e-14)
    assert mixture.logcdf(20.0) == pytest.approx(-mixture.sf(20.0), rel=1e-12)


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
@pytest.mark.parametrize("shift", [0.0, 1e8])
def test_units_and_offsets_change_nothing_but_the_numbers(scale, shift):
    plain = make_line(4)
    moved = Mixture(plain.weights, (plain.means + shift) * scale, plain.covariances * scale**2, "spherical")
    # points that have the same distances to the means, to the last bit, before and after the shift
    x = np.round(np.linspace(-8.0, 8.0, 33) * 2.0**20) / 2.0**20
    means = (plain.means + shift) - shift
    plain = Mixture(plain.weights, means, plain.covariances, "spherical")
    tolerance = 1e-11 if shift == 0.0 else 1e-6
    assert_allclose(moved.cdf((x + shift) * scale), plain.cdf(x), rtol=tolerance)
    q = np.linspace(0.01, 0.99, 21)
    assert_allclose(moved.ppf(q) / scale - shift, plain.ppf(q), rtol=1e-11, atol=1e-7 if shift else 1e-12)


def test_noise_with_a_box_is_uniform_over_it():
    mixture = Mixture([0.8], [[0.0]], [1.0], "spherical", noise=Noise.between([-5.0], [15.0], 0.2))
    x = np.array([-20.0, -3.0, 0.0, 7.0, 14.0, 20.0])
    uniform = stats.uniform(-5.0, 20.0)
    assert_allclose(mixture.cdf(x), 0.8 * stats.norm.cdf(x) + 0.2 * uniform.cdf(x), rtol=1e-13)
    assert_allclose(mixture.sf(x), 0.8 * stats.norm.sf(x) + 0.2 * uniform.sf(x), rtol=1e-13)
    assert_allclose(mixture.logsf(x), np.log(mixture.sf(x)), rtol=1e-12, atol=1e-15)
    assert_allclose(mixture.box_probability(-1.0, x[2:]), mixture.cdf(x[2:]) - mixture.cdf(-1.0), rtol=1e-12)
    q = np.linspace(0.001, 0.999, 40)
    assert_allclose(mixture.cdf(mixture.ppf(q)), q, rtol=1e-12)


def test_noise_without_a_box_is_no_distribution():
    mixture = Mixture([0.8], [[0.0]], [1.0], "spherical", noise=Noise(0.2, log_density=-3.0))
    for ask in (mixture.cdf, mixture.sf, mixture.ppf, lambda x: mixture.box_probability(x, 1.0)):
        with pytest.raises(ValueError, match=r"no box .* take mixture.without_noise\(\)"):
            ask(0.5)
    assert mixture.without_noise().cdf(0.0) == 0.5


def test_components_of_weight_zero_change_nothing():
    mixture = Mixture([0.4, 0.0, 0.6], [[0.0], [1e6], [3.0]], [1.0, 1.0, 1.0], "spherical")
    other = Mixture([0.4, 0.6], [[0.0], [3.0]], [1.0, 1.0], "spherical")
    x = np.linspace(-3.0, 6.0, 11)
    assert_array_equal(mixture.cdf(x), other.cdf(x))
    assert_array_equal(mixture.ppf([0.1, 0.9]), other.ppf([0.1, 0.9]))


def test_the_distribution_function_is_the_integral_of_the_density():
    mixture = make_line(5)
    for x in (-4.0, 0.0, 4.0):
        area = quad(mixture.pdf, x, x + 2.0, epsabs=1e-13)[0]
        assert mixture.box_probability(x, x + 2.0) == pytest.approx(area, rel=1e-9)


WRONG = {
    "NaN": (lambda m: m.cdf([0.0, np.nan]), "X contains NaN"),
    "two columns": (lambda m: m.cdf(np.zeros((3, 2))), r"X must have the shape \(..., 1\)"),
    "text": (lambda m: m.cdf(["a", "b"]), "X must be numbers"),
    "a probability of two": (lambda m: m.ppf([0.5, 2.0]), "q must be probabilities from 0 to 1; got 2.0"),
    "complex numbers": (lambda m: m.cdf([1.0j]), "X must be numbers"),
    "a whole number beyond all doubles": (lambda m: m.pdf(10**400), "X must be numbers"),
    "a word as a probability": (lambda m: m.ppf("half"), "q must be numbers; got .*half"),
    "no probability": (lambda m: m.isf([np.nan]), "q must be probabilities from 0 to 1; got nan"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_makes_no_sense_is_refused(case):
    ask, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        ask(make_line(0))


def test_points_beyond_all_squares_have_nothing_above_them():
    line = make_line(0)
    assert line.sf([1e200, -1e200]).tolist() == line.cdf([-1e200, 1e200]).tolist() == [0.0, 1.0]


def test_quantiles_of_several_features_are_refused():
    plane = random_mixture("full", 2, 2, np.random.default_rng(0))
    with pytest.raises(ValueError, match="quantiles are those of one feature, and this mixture has 2"):
        plane.ppf(0.5)
