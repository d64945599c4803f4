"""The probability of boxes: exact ones against SciPy and against each other, integrals within their error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from scipy.integrate import quad

import gaussmix
from gaussmix import Mixture, Noise
from gaussmix.model.covariance import FACTORS
from gaussmix.model.mixture.density.intervals import find_between, find_log_interval
from tests.helpers import NAMES, random_mixture


def ask_scipy(mixture, low, high):
    """sum_k w_k P(low <= N(mu_k, Sigma_k) <= high) by SciPy's integrals."""
    return sum(
        weight
        * stats.multivariate_normal.cdf(
            high, mean, covariance, lower_limit=low, maxpts=200_000, abseps=1e-6, releps=1e-6
        )
        for weight, mean, covariance in zip(
            mixture.weights, mixture.means, mixture.dense_covariances, strict=True
        )
    )


def make_gaussian(correlation, d):
    return Mixture([1.0], np.zeros((1, d)), [np.eye(d) + correlation * (1.0 - np.eye(d))])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("d", [1, 2, 3])
def test_every_family_agrees_with_scipy(name, d):
    mixture = random_mixture(name, 2, d, np.random.default_rng(d))
    spread = np.sqrt(mixture.total_variances)
    low, high = mixture.mean - 1.5 * spread, mixture.mean + 0.5 * spread
    found, error = (
        float(each[0]) for each in mixture.box_probability(low[None], high[None], return_error=True)
    )
    assert_allclose(found, ask_scipy(mixture, low, high), atol=1e-5 + 5.0 * error)
    assert error <= 1e-3 * found
    assert_allclose(mixture.cdf(high[None])[0], ask_scipy(mixture, np.full(d, -np.inf), high), atol=5e-4)


@pytest.mark.parametrize("name", FACTORS)
def test_factor_analysers_are_their_dense_covariances(name):
    rng = np.random.default_rng(0)
    covariance = rng.normal(size=(4, 2))  # loadings and, last, uniquenesses: in every family if all are equal
    covariance[:, -1] = 0.5
    mixture = Mixture([0.4, 0.6], rng.normal(size=(2, 4)), np.array([covariance] * 2), name)
    full = Mixture(mixture.weights, mixture.means, mixture.dense_covariances)
    for low in (np.array([-1.0, -np.inf, -2.0, 0.0]), np.full(4, 6.0)):
        found, error = mixture.box_probability(low, 9.0, return_error=True)
        exact, other = full.box_probability(low, 9.0, return_error=True)
        assert abs(found - exact) < 4.0 * np.hypot(error, other)
        assert 0.0 < error < 1e-3 * found


def test_a_factor_analyser_of_many_features_is_an_integral_over_its_factors():
    # one factor: SciPy's probabilities of independent features, along a line
    rng = np.random.default_rng(1)
    d, loadings = 60, 0.5 * rng.normal(size=60)
    covariances = np.stack([loadings, np.full(d, 0.75)], axis=1)[None]
    mixture = Mixture([1.0], np.zeros((1, d)), covariances, "factor")
    f = np.linspace(-9.0, 9.0, 4001)
    z = (2.0 - f[:, None] * loadings) / np.sqrt(0.75)
    exact = (stats.norm.pdf(f) * np.exp(stats.norm.logcdf(z).sum(axis=1))).sum() * (f[1] - f[0])
    found, error = mixture.box_probability(-np.inf, 2.0, return_error=True)
    assert abs(found - exact) < 4.0 * error and error < 3e-4 * exact


@pytest.mark.parametrize("correlation", [-0.999999, -0.7, 1e-3, 0.5, 0.99, 0.9999999])
def test_the_quadrant_of_two_features_is_sheppards_formula(correlation):
    mixture = make_gaussian(correlation, 2)
    exact = 0.25 + np.arcsin(correlation) / (2.0 * np.pi)
    assert mixture.box_probability([0.0, 0.0], np.inf) == pytest.approx(exact, rel=1e-10)


def test_two_features_agree_with_scipy_to_its_precision():
    rng = np.random.default_rng(0)
    for _ in range(15):
        mixture = random_mixture("full", 1, 2, rng)
        low, high = np.sort(mixture.mean + 3.0 * rng.normal(size=(2, 2)), axis=0)
        ours = mixture.box_probability(low, high)
        theirs = stats.multivariate_normal.cdf(
            high, mixture.means[0], mixture.covariances[0], lower_limit=low, abseps=1e-13
        )
        assert ours == pytest.approx(theirs, abs=1e-11)


@pytest.mark.parametrize("corner", [[5.0, 5.0], [12.0, -4.0], [0.0, 8.0]])
def test_two_features_far_in_a_tail_keep_their_digits(corner):
    # integrated by SciPy along the first feature, piece by piece
    mixture, (x, y), correlation = make_gaussian(0.8, 2), corner, 0.8
    rest = np.sqrt(1.0 - correlation**2)

    def find_density(step):
        at = x + step
        inside = find_log_interval(np.array([(y - correlation * at) / rest]), np.array([np.inf]))[0]
        return np.exp(stats.norm.logpdf(at) + inside - top)

    top = 0.0
    steps = np.linspace(0.0, 14.0, 281)
    with np.errstate(divide="ignore"):
        top = max(np.log(find_density(step)) for step in steps)
    area = sum(quad(find_density, a, a + 0.5, epsrel=1e-11, epsabs=0.0)[0] for a in np.arange(0.0, 14.0, 0.5))
    assert mixture.logsf([x, y]) == pytest.approx(top + np.log(area), rel=1e-10)


@settings(max_examples=12)
@given(st.integers(0, 10**6), st.sampled_from(["full", "tied", "diag", "VEI", "spherical"]))
def test_a_box_is_the_sum_of_its_halves(seed, name):
    rng = np.random.default_rng(seed)
    mixture = random_mixture(name, 3, 2, rng)
    low, high = np.sort(
        mixture.mean + 2.0 * np.sqrt(mixture.total_variances) * rng.normal(size=(2, 2)), axis=0
    )
    middle = low[0] + rng.random() * (high[0] - low[0])
    halves = mixture.box_probability([low, [middle, low[1]]], [[middle, high[1]], high])
    assert mixture.box_probability(low, high) == pytest.approx(halves.sum(), rel=1e-11)


@given(st.integers(0, 10**6))
def test_features_without_limits_are_left_out(seed):
    rng = np.random.default_rng(seed)
    mixture = random_mixture("full", 2, 3, rng)
    x = mixture.mean + rng.normal(size=3)
    free = np.array([x[0], np.inf, np.inf])
    variances = mixture.dense_covariances[:, 0, 0]
    line = Mixture(mixture.weights, mixture.means[:, :1], variances, "spherical")
    assert mixture.cdf(free) == pytest.approx(line.cdf(x[0]), rel=1e-12)
    assert mixture.cdf([np.inf] * 3) == 1.0


@pytest.mark.parametrize("d", [3, 5, 8])
def test_integrals_are_within_four_standard_errors_of_exact_ones(d):
    # equal correlations of one half: P(all x_j > 0) = 1 / (d + 1), the least of d + 1 independent numbers
    mixture = make_gaussian(0.5, d)
    found, error = mixture.box_probability(0.0, np.inf, return_error=True, rng=7)
    assert 0.0 < error < 3e-4 * found
    assert abs(found - 1.0 / (d + 1)) < 4.0 * error


@pytest.mark.parametrize("limit", [3.0, 8.0, 20.0])
def test_the_relative_error_stays_small_far_in_a_tail(limit):
    # X_j = (Z + E_j) / sqrt(2): one integral over Z, of SciPy's logarithms, is the whole
    mixture = make_gaussian(0.5, 4)
    z = np.linspace(-10.0, 60.0, 70_001)
    log_density = stats.norm.logpdf(z) + 4.0 * stats.norm.logsf(limit * np.sqrt(2.0) - z)
    top = log_density.max()
    exact = top + np.log(np.exp(log_density - top).sum() * (z[1] - z[0]))
    assert mixture.logsf([limit] * 4) == pytest.approx(exact, abs=1e-3)


def test_the_same_question_has_the_same_answer_and_more_points_a_smaller_error():
    mixture = random_mixture("full", 2, 5, np.random.default_rng(0))
    low, high = mixture.mean - 1.0, mixture.mean + 1.0
    assert mixture.box_probability(low, high) == mixture.box_probability(low, high)
    _, rough = mixture.box_probability(low, high, max_points=1024, return_error=True)
    _, fine = mixture.box_probability(low, high, tolerance=1e-7, max_points=2**14, return_error=True)
    assert fine < 0.5 * rough


@pytest.mark.parametrize("name", ["full", "diag"])
def test_units_of_the_features_change_nothing(name):
    rng = np.random.default_rng(1)
    mixture = random_mixture(name, 2, 3, rng)
    scale, shift = np.array([1e-12, 1.0, 1e12]), np.array([0.0, 1e3, 0.0])
    stack = mixture.dense_covariances * np.multiply.outer(scale, scale)
    moved = Mixture(mixture.weights, (mixture.means + shift) * scale, stack)
    low, high = mixture.mean - 2.0, mixture.mean + 0.5
    found = moved.box_probability((low + shift) * scale, (high + shift) * scale)
    assert found == pytest.approx(mixture.box_probability(low, high), rel=1e-6)


def test_noise_counts_by_its_share_of_the_box():
    noise = Noise.between([0.0, 0.0], [4.0, 10.0], 0.5)
    mixture = Mixture([0.5], [[0.0, 0.0]], [1.0], "spherical", noise=noise)
    gaussian = mixture.without_noise().box_probability([1.0, 1.0], [9.0, 6.0])
    assert mixture.box_probability([1.0, 1.0], [9.0, 6.0]) == pytest.approx(0.5 * gaussian + 0.5 * 0.75 * 0.5)
    skewed = Noise(0.5, box=[[0.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    with pytest.raises(ValueError, match=r"not along the features.*without_noise\(\)"):
        Mixture([0.5], [[0.0, 0.0]], [1.0], "spherical", noise=skewed).cdf([0.0, 0.0])


def test_a_box_without_volume_has_no_probability():
    for name, d in (("diag", 2), ("full", 2), ("full", 4)):
        mixture = random_mixture(name, 2, d, np.random.default_rng(0))
        corner = mixture.mean
        assert mixture.box_probability(corner, np.append(corner[0], corner[1:] + 1.0)) == 0.0


@pytest.mark.parametrize("name", ["full", "diag"])
@pytest.mark.parametrize("d", [2, 3, 4])
def test_a_point_at_infinity_has_nothing_beyond_it(name, d):
    mixture = random_mixture(name, 2, d, np.random.default_rng(0))
    corner = np.full(d, np.inf)
    corner[0] = -np.inf
    assert mixture.cdf(corner) == mixture.cdf(-corner) == mixture.sf(-corner) == 0.0
    assert mixture.cdf(np.full(d, np.inf)) == mixture.sf(np.full(d, -np.inf)) == 1.0
    assert mixture.box_probability(np.inf, np.inf) == mixture.box_probability(-np.inf, -np.inf) == 0.0
    middle = mixture.mean.copy()
    middle[0] = -np.inf
    assert_allclose(mixture.cdf([middle, mixture.mean]), [0.0, mixture.cdf(mixture.mean)], rtol=1e-3)


def test_many_boxes_are_each_one_of_its_own():
    mixture = random_mixture("full", 3, 2, np.random.default_rng(2))
    X = mixture.sample(12, 0)[0]
    X[::5, 0], X[::7, 1] = np.inf, np.inf
    assert_allclose(mixture.cdf(X), [mixture.cdf(x) for x in X], rtol=1e-13)
    assert mixture.box_probability(np.full((4, 5, 2), -1.0), [1.0, 2.0]).shape == (4, 5)
    assert mixture.cdf(np.empty((0, 2))).shape == (0,)


def test_tables_are_points():
    pandas = pytest.importorskip("pandas")
    mixture = Mixture([1.0], [[0.0, 0.0]], [1.0], "spherical", feature_names=["a", "b"])
    table = pandas.DataFrame({"a": [0.0, 1.0], "b": [0.0, 2.0]})
    assert_array_equal(mixture.cdf(table), mixture.cdf(table.to_numpy()))
    with pytest.raises(ValueError, match="the columns of X are not those of the mixture"):
        mixture.cdf(table[["b", "a"]])


WRONG = {
    "crossed limits": (([1.0, 0.0], [0.0, 1.0]), {}, r"low must not be above high; entry 0 is 1.0 in low"),
    "three features": (([0.0] * 3, 1.0), {}, r"low must have the shape \(..., 2\)"),
    "NaN": (([0.0, np.nan], 1.0), {}, "low contains NaN"),
    "shapes": ((np.zeros((3, 2)), np.ones((4, 2))), {}, "low and high must have shapes that fit each other"),
    "tolerance": ((0.0, 1.0), {"tolerance": 0.0}, "tolerance must be positive"),
    "points": ((0.0, 1.0), {"max_points": 0}, "max_points must be at least 1"),
}


@pytest.mark.parametrize("case", WRONG)
def test_boxes_that_make_no_sense_are_refused(case):
    limits, options, message = WRONG[case]
    mixture = gaussmix.Mixture([1.0], [[0.0, 0.0]], [1.0], "spherical")
    with pytest.raises(ValueError, match=message):
        mixture.box_probability(*limits, **options)


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (-1.0, 1.0),
        (2.0, np.inf),
        (-np.inf, -3.0),
        (30.0, 31.0),
        (-41.0, -39.0),
        (8.0, 8.0 + 1e-7),
        (2e4, np.inf),
    ],
)
def test_shares_of_an_interval_are_where_they_should_be(low, high):
    shares = np.linspace(0.01, 0.99, 50)
    x = find_between(shares, np.array(low), np.array(high))
    assert (np.diff(x) > 0.0).all() and (x >= low).all() and (x <= high).all()
    part = find_log_interval(np.array(low), x) - find_log_interval(np.array(low), np.array(high))
    assert_allclose(np.exp(part), shares, rtol=1e-5)  # what the last digit of x decides
