"""Moments, entropy, modes and regions of highest density: against definitions, quadrature and closed forms."""

from __future__ import annotations

import copy
import pickle  # noqa: TID251

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from gaussmix import Entropy, Mixture, Modes, Noise, Region
from tests.helpers import NAMES, random_mixture

HERMITE = np.polynomial.hermite_e.hermegauss(20)


def make_line(seed, k=4):
    rng = np.random.default_rng(seed)
    means, variances = 4.0 * rng.normal(size=(k, 1)), np.exp(2.0 * rng.normal(size=k))
    return Mixture(rng.dirichlet(np.ones(k)), means, variances, "spherical")


def integrate(mixture, find):
    """E find(x) over a mixture of few features by Gauss and Hermite's rule in each component: exact for polynomials."""
    d = mixture.n_features
    nodes, weights = HERMITE
    z = np.stack(np.meshgrid(*[nodes] * d, indexing="ij"), axis=-1).reshape(-1, d)
    w = np.prod(np.meshgrid(*[weights / weights.sum()] * d, indexing="ij"), axis=0).ravel()
    total = 0.0
    for weight, mean, covariance in zip(
        mixture.weights, mixture.means, mixture.dense_covariances, strict=True
    ):
        total = total + weight * (w @ find(mean + z @ np.linalg.cholesky(covariance).T))
    return total


def integrate_line(mixture, find):
    """The integral of find(x) along the line, in panels about each mean."""
    deviations = np.sqrt(mixture.variances[:, 0])
    borders = np.unique(mixture.means[:, 0] + deviations * np.linspace(-12.0, 12.0, 97)[:, None])
    nodes, weights = np.polynomial.legendre.leggauss(20)
    half = 0.5 * np.diff(borders)
    x = (borders[:-1] + half)[:, None] + half[:, None] * nodes
    return half @ (find(x.ravel()).reshape(x.shape) @ weights)


@pytest.mark.parametrize("name", NAMES)
def test_moments_are_integrals(name):
    mixture = random_mixture(name, 3, 2, np.random.default_rng(0))
    mean, spread = mixture.mean, mixture.std
    assert_allclose(spread, np.sqrt(np.diag(mixture.covariance)), rtol=1e-12)
    assert_allclose(
        mixture.skewness, integrate(mixture, lambda x: ((x - mean) / spread) ** 3), rtol=1e-9, atol=1e-9
    )
    assert_allclose(
        mixture.kurtosis, integrate(mixture, lambda x: ((x - mean) / spread) ** 4) - 3.0, rtol=1e-9
    )
    for order in range(7):
        assert_allclose(mixture.moment(order), integrate(mixture, lambda x, n=order: x**n), rtol=1e-9)
    for order in [(0, 0), (1, 1), (2, 3), (4, 1), (0, 5)]:
        raw = integrate(mixture, lambda x, n=order: np.prod(x**n, axis=1))
        central = integrate(mixture, lambda x, n=order: np.prod((x - mean) ** n, axis=1))
        assert mixture.moment(order) == pytest.approx(raw, rel=1e-9)
        scale = float(np.prod(spread ** np.array(order)))
        assert mixture.moment(order, central=True) == pytest.approx(central, rel=1e-9, abs=1e-9 * scale)


def test_second_moments_are_the_covariance():
    mixture = random_mixture("full", 3, 3, np.random.default_rng(1))
    order = np.eye(3, dtype=int)
    for i in range(3):
        for j in range(3):
            found = mixture.moment(order[i] + order[j], central=True)
            assert found == pytest.approx(mixture.covariance[i, j], rel=1e-10)
    assert_allclose(np.diag(mixture.correlation), 1.0, rtol=1e-14)
    assert_allclose(mixture.correlation * np.outer(mixture.std, mixture.std), mixture.covariance, rtol=1e-13)


def test_skewness_and_kurtosis_have_no_units():
    mixture = make_line(0)
    for scale, shift in ((1e-12, 0.0), (1e12, 0.0), (1.0, 1e6)):
        moved = Mixture(
            mixture.weights, mixture.means * scale + shift, mixture.covariances * scale**2, "spherical"
        )
        assert_allclose(moved.skewness, mixture.skewness, rtol=1e-7)
        assert_allclose(moved.kurtosis, mixture.kurtosis, rtol=1e-7)


@pytest.mark.parametrize("order", [-1, 1.5, (1, 2, 3), "two", (-1, 1)])
def test_orders_that_make_no_sense_are_refused(order):
    mixture = random_mixture("full", 2, 2, np.random.default_rng(0))
    with pytest.raises(ValueError, match="order must be a whole number from 0 on, or 2 of them"):
        mixture.moment(order)
    with pytest.raises(ValueError, match="terms, more than"):
        mixture.moment((200, 200))


def test_the_median_halves_the_rows():
    mixture = make_line(3)
    assert mixture.cdf(mixture.median()) == pytest.approx(0.5, rel=1e-12)


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_entropy_of_one_feature_is_its_integral(seed):
    mixture = make_line(seed)
    entropy = mixture.entropy()
    exact = integrate_line(mixture, lambda x: -mixture.pdf(x) * mixture.logpdf(x))
    assert entropy.value == pytest.approx(exact, abs=1e-10)
    assert entropy.standard_error == 0.0
    assert entropy.lower <= exact + 1e-10 and exact - 1e-10 <= entropy.upper


@pytest.mark.parametrize("name", NAMES)
def test_entropy_is_within_its_error_and_its_bounds(name):
    mixture = random_mixture(name, 4, 3, np.random.default_rng(2), spread=1.0)
    entropy = mixture.entropy(n_draws=4096)
    log_density = mixture.log_prob(mixture.sample(20_000, 0)[0])
    error = np.hypot(log_density.std() / np.sqrt(log_density.size), entropy.standard_error)
    assert abs(entropy.value + log_density.mean()) < 4.0 * error
    assert 0.0 < entropy.standard_error < 0.2 * error
    assert entropy.lower <= entropy.value + 4.0 * entropy.standard_error
    assert entropy.value - 4.0 * entropy.standard_error <= entropy.upper


def test_entropy_of_one_gaussian_is_exact():
    mixture = random_mixture("full", 1, 3, np.random.default_rng(0))
    exact = stats.multivariate_normal(mixture.means[0], mixture.covariances[0]).entropy()
    entropy = mixture.entropy()
    assert isinstance(entropy, Entropy) and entropy.standard_error == 0.0
    assert_allclose([entropy.value, entropy.lower, entropy.upper], exact, rtol=1e-12)


def test_bounds_of_entropy_are_exact_for_components_far_apart():
    mixture = Mixture([0.3, 0.7], [[0.0, 0.0], [90.0, 0.0]], [1.0, 2.0], "spherical")
    entropy = mixture.entropy(n_draws=256)
    assert_allclose([entropy.lower, entropy.value], entropy.upper, rtol=1e-12)


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_entropy_grows_by_the_logarithm_of_the_scale(scale):
    mixture = random_mixture("full", 3, 2, np.random.default_rng(4))
    moved = Mixture(mixture.weights, mixture.means * scale, mixture.covariances * scale**2)
    first, second = mixture.entropy(n_draws=1024), moved.entropy(n_draws=1024)
    for name in ("value", "lower", "upper"):
        assert getattr(second, name) - 2.0 * np.log(scale) == pytest.approx(getattr(first, name), abs=1e-8)


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.sampled_from([0.001, 0.1, 0.5, 0.95, 0.99999]))
def test_intervals_of_highest_density_have_their_mass_and_equal_densities(seed, mass):
    mixture = make_line(seed)
    region = mixture.highest_density_region(mass)
    assert isinstance(region, Region) and region.standard_error == 0.0
    low, high = region.intervals.T
    assert mixture.box_probability(low, high).sum() == pytest.approx(mass, abs=1e-10)
    assert (low < high).all() and (high[:-1] < low[1:]).all()
    assert_allclose(mixture.logpdf(region.intervals.ravel()), region.log_level, atol=1e-6)
    x = np.linspace(low[0] - 1.0, high[-1] + 1.0, 301)
    assert_array_equal(region.contains(x), mixture.logpdf(x) >= region.log_level)


def test_a_region_of_one_gaussian_is_an_ellipsoid():
    mixture = random_mixture("full", 1, 3, np.random.default_rng(5))
    region = mixture.highest_density_region(0.9)
    difference = mixture.sample(200, 0)[0] - mixture.mean
    lengths = np.einsum("ni,ij,nj->n", difference, np.linalg.inv(mixture.covariances[0]), difference)
    assert_array_equal(region.contains(difference + mixture.mean), lengths <= stats.chi2.ppf(0.9, 3))
    assert region.intervals is None and region.level == pytest.approx(np.exp(region.log_level))


@pytest.mark.parametrize("name", ["full", "diag", "spherical"])
def test_a_region_holds_its_mass_within_its_error(name):
    mixture = random_mixture(name, 3, 2, np.random.default_rng(6))
    region = mixture.highest_density_region(0.8, n_draws=8192)
    share = region.contains(mixture.sample(40_000, 1)[0]).mean()
    assert abs(share - 0.8) < 4.0 * np.hypot(0.002, region.standard_error)
    assert 0.0 < region.standard_error < 0.005
    assert repr(region).startswith("Region(mass=0.8, ")


def test_levels_fall_as_the_mass_grows():
    for d in (1, 2):
        mixture = random_mixture("full", 3, d, np.random.default_rng(7))
        levels = mixture.highest_density_level([[0.1, 0.5], [0.9, 0.99]], n_draws=4096)
        assert levels.shape == (2, 2) and (np.diff(levels.ravel()) < 0.0).all()
        one = mixture.highest_density_region(0.5, n_draws=4096)
        assert one.level == pytest.approx(levels[0, 1], rel=1e-12)
        assert mixture.highest_density_level(0.5, n_draws=4096) == pytest.approx(one.level, rel=1e-12)


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_regions_have_the_units_of_the_features(scale):
    plain = make_line(8)
    moved = Mixture(plain.weights, plain.means * scale, plain.covariances * scale**2, "spherical")
    intervals = moved.highest_density_region(0.7).intervals / scale
    assert_allclose(intervals, plain.highest_density_region(0.7).intervals, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("mass", [0.0, 1.0, -0.5, np.nan])
def test_masses_that_make_no_sense_are_refused(mass):
    for mixture in (make_line(0), random_mixture("full", 2, 2, np.random.default_rng(0))):
        with pytest.raises(ValueError, match="mass must be a probability between 0 and 1"):
            mixture.highest_density_region(mass)


def test_a_region_is_of_one_mass():
    with pytest.raises(ValueError, match="mass must be one probability, since each has a region; got 2"):
        make_line(0).highest_density_region([0.5, 0.9])
    with pytest.raises(ValueError, match="mass must be numbers; got .*half"):
        make_line(0).highest_density_level("half")


def test_an_entropy_is_a_float_that_keeps_its_bounds():
    entropy = make_line(0).entropy()
    assert entropy == entropy.value and -entropy < 0.0 < np.exp(entropy)
    for copied in (pickle.loads(pickle.dumps(entropy)), copy.deepcopy(entropy)):
        assert isinstance(copied, Entropy) and copied == entropy
        assert (copied.lower, copied.upper) == (entropy.lower, entropy.upper)
    with pytest.raises(AttributeError):
        entropy.lower = 0.0
    assert f"{entropy:.3f}" in repr(entropy)


@pytest.mark.parametrize("order", [10**6, 9_000])
def test_moments_beyond_the_numbers_are_refused(order):
    with pytest.raises(ValueError, match="take a lower order"):
        make_line(0).moment(order)


@pytest.mark.parametrize("n_draws", [31, 64.0, "many", True])
def test_numbers_of_draws_that_make_no_sense_are_refused(n_draws):
    plane = random_mixture("full", 2, 2, np.random.default_rng(0))
    with pytest.raises(ValueError, match="n_draws must be a whole number of at least 32"):
        plane.entropy(n_draws=n_draws)


def test_noise_has_neither_entropy_nor_regions():
    mixture = Mixture([0.8], [[0.0]], [1.0], "spherical", noise=Noise(0.2, log_density=-3.0))
    for ask in (mixture.entropy, lambda: mixture.highest_density_region(0.5)):
        with pytest.raises(ValueError, match=r"a mixture with noise does not exist.*without_noise\(\)"):
            ask()
    assert mixture.without_noise().entropy().value == pytest.approx(0.5 * np.log(2.0 * np.pi * np.e))


@pytest.mark.parametrize("d", [1, 2, 4])
def test_modes_are_maxima_of_the_density(d):
    rng = np.random.default_rng(d)
    mixture = random_mixture("full", 5, d, rng)
    modes = mixture.modes()
    assert isinstance(modes, Modes) and len(modes) == len(modes.points) <= 5
    assert_allclose(modes.log_densities, mixture.log_prob(modes.points), rtol=1e-12)
    assert (np.diff(modes.log_densities) <= 1e-6).all()
    for point, height in zip(modes.points, modes.log_densities, strict=True):
        around = point + 1e-3 * rng.normal(size=(200, d)) * mixture.std
        assert (mixture.log_prob(around) <= height + 1e-12).all()
    assert set(modes.components) == set(range(len(modes)))


def test_modes_of_equal_height_come_by_their_places():
    for order in ([0, 1, 2], [2, 0, 1], [1, 2, 0]):
        means = np.array([[-9.0, 1.0], [0.0, 0.0], [9.0, -1.0]])[order]
        modes = Mixture([1 / 3] * 3, means, [1.0] * 3, "spherical").modes()
        assert_allclose(modes.points[:, 0], [-9.0, 0.0, 9.0], atol=1e-6)
        assert modes.components.tolist() == order


def test_a_component_of_weight_zero_has_no_mode():
    mixture = Mixture([0.5, 0.0, 0.5], [[0.0], [50.0], [9.0]], [1.0, 1.0, 1.0], "spherical")
    modes = mixture.modes()
    assert len(modes) == 2 and modes.components.tolist() == [0, -1, 1]


@pytest.mark.parametrize(("scale", "shift"), [(1e-12, 0.0), (1e12, 0.0), (1.0, 1e8)])
def test_modes_move_with_the_units(scale, shift):
    plain = random_mixture("full", 4, 2, np.random.default_rng(9))
    moved = Mixture(plain.weights, (plain.means + shift) * scale, plain.covariances * scale**2)
    first, second = plain.modes(), moved.modes()
    assert_array_equal(first.components, second.components)
    assert_allclose(second.points / scale - shift, first.points, atol=1e-6)
