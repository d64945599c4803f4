"""As a frozen distribution of SciPy: what its generic methods make of it, and where frozen ones go."""

from __future__ import annotations

import pickle  # noqa: TID251  (SciPy's frozen distributions can be pickled)

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from scipy.integrate import quad

from gaussmix import Mixture
from tests.foreign.cases import CASES, make_case
from tests.foreign.exact import PRIOR, check_draws

#: Two wide components, one narrow and far away.
NARROW = Mixture([0.5, 0.3, 0.2], [[0.0], [3.0], [400.0]], [1.0, 2.0, 1e-4], "spherical")


def test_one_gaussian_is_scipys_own():
    found, norm = Mixture([1.0], [[2.0]], [9.0], "spherical").to_scipy(), stats.norm(2.0, 3.0)
    x, q = np.linspace(-30.0, 30.0, 11), [1e-300, 1e-3, 0.5, 0.9]
    for name in ("pdf", "logpdf", "cdf", "sf", "logcdf", "logsf"):
        assert_allclose(getattr(found, name)(x), getattr(norm, name)(x), rtol=1e-11, err_msg=name)
    for name in ("ppf", "isf"):
        assert_allclose(getattr(found, name)(q), getattr(norm, name)(q), rtol=1e-11, err_msg=name)
    for name in ("mean", "var", "std", "median", "entropy"):
        assert_allclose(getattr(found, name)(), getattr(norm, name)(), rtol=1e-11, err_msg=name)
    assert_allclose(found.stats("mvsk"), norm.stats("mvsk"), atol=1e-12)
    assert_allclose([found.moment(n) for n in range(1, 6)], [norm.moment(n) for n in range(1, 6)], rtol=1e-11)
    assert_allclose(found.interval(0.9), norm.interval(0.9), rtol=1e-11)
    assert found.support() == (-np.inf, np.inf)


def test_the_density_is_zero_at_infinity_as_scipy_has_it():
    frozen = NARROW.to_scipy()
    assert frozen.pdf([np.inf, -np.inf]).tolist() == [0.0, 0.0]
    assert frozen.logpdf([np.inf, -np.inf]).tolist() == [-np.inf, -np.inf]
    assert frozen.pdf(0.0) == NARROW.pdf(0.0)


def test_it_is_a_frozen_distribution_that_pickles_and_moves():
    frozen = NARROW.to_scipy()
    assert isinstance(frozen, type(stats.norm()))
    again = pickle.loads(pickle.dumps(frozen))
    assert_allclose(again.cdf([0.0, 400.0]), frozen.cdf([0.0, 400.0]), rtol=0)
    assert_allclose(frozen.dist(loc=1.0, scale=2.0).cdf(1.0), frozen.cdf(0.0), rtol=1e-14)


def test_moments_expectations_and_entropy_see_narrow_components():
    frozen = NARROW.to_scipy()
    assert_allclose(frozen.expect(lambda x: 1.0), 1.0, rtol=1e-8)
    assert_allclose(frozen.expect(), frozen.mean(), rtol=1e-8)
    assert_allclose(frozen.mean(), NARROW.mean[0], rtol=1e-14)
    assert_allclose(frozen.var(), NARROW.covariance[0, 0], rtol=1e-12)
    assert_allclose(frozen.expect(lambda x: x**2, lb=399.0), 0.2 * (400.0**2 + 1e-4), rtol=1e-8)
    assert_allclose(frozen.expect(lambda x: x, lb=399.0, conditional=True), 400.0, rtol=1e-8)
    assert frozen.expect(lambda x: 1.0, lb=1e6) == 0.0 and frozen.expect(lambda x: 1.0, ub=-1e6) == 0.0
    assert_allclose(frozen.dist.expect(loc=5.0, scale=2.0), 5.0 + 2.0 * NARROW.mean[0], rtol=1e-8)

    def term(x):
        log_density = NARROW.log_prob([[x]])[0]
        return -np.exp(log_density) * log_density

    pieces = [
        quad(term, *ends, limit=200)[0] for ends in [(-40, 0), (0, 3), (3, 60), (399.6, 400), (400, 400.4)]
    ]
    assert_allclose(frozen.entropy(), sum(pieces), rtol=1e-9)


@pytest.mark.parametrize("unit", [1e-12, 1e12])
def test_units_and_offsets_are_no_matter(unit):
    moved = Mixture(NARROW.weights, unit * (NARROW.means + 1e5), unit**2 * NARROW.covariances, "spherical")
    assert_allclose(moved.to_scipy().entropy(), NARROW.to_scipy().entropy() + np.log(unit), rtol=1e-7)
    assert_allclose(moved.to_scipy().expect() / unit, NARROW.mean[0] + 1e5, rtol=1e-8)


def test_draws_are_its_own_and_tests_take_it():
    frozen = NARROW.to_scipy()
    drawn = frozen.rvs(size=(4, 5000), random_state=1)
    check_draws(drawn[..., None], NARROW)
    assert stats.kstest(drawn[0], frozen.cdf).pvalue > 1e-6
    assert stats.kstest(drawn[0] + 0.5, frozen.cdf).pvalue < 1e-6
    assert np.ndim(frozen.rvs(random_state=np.random.default_rng(0))) == 0
    frozen.random_state = 3
    first = frozen.rvs(3)
    frozen.random_state = 3
    assert_allclose(frozen.rvs(3), first, rtol=0)


@pytest.mark.parametrize("case", [case for case in CASES if CASES[case][1] > 1])
def test_of_several_features_it_is_like_a_frozen_normal(case):
    mixture, rows = make_case(case)
    frozen = mixture.to_scipy()
    assert frozen.dim == 3
    assert_allclose(frozen.mean, mixture.mean, rtol=0)
    assert_allclose(frozen.cov, mixture.covariance, rtol=0)
    parts = [
        stats.multivariate_normal(*each)
        for each in zip(mixture.means, mixture.dense_covariances, strict=True)
    ]
    with np.errstate(divide="ignore"):
        for name in ("pdf", "logpdf"):
            terms = [np.log(w) + part.logpdf(rows) for w, part in zip(mixture.weights, parts, strict=True)]
            expected = np.logaddexp.reduce(terms, axis=0)
            assert_allclose(
                getattr(frozen, name)(rows), np.exp(expected) if name == "pdf" else expected, rtol=1e-8
            )
    assert np.shape(frozen.pdf(rows[0])) == () and frozen.pdf(rows.reshape(3, 7, 3)).shape == (3, 7)
    assert_allclose(frozen.marginal(1).cdf(0.5), mixture.marginal(1).cdf(0.5), rtol=1e-12)
    assert frozen.marginal([2, 0]).dim == 2


def test_of_several_features_it_has_boxes_draws_and_entropy():
    frozen = PRIOR.to_scipy()
    parts = [stats.multivariate_normal(*each) for each in zip(PRIOR.means, PRIOR.covariances, strict=True)]
    high, low = np.array([0.5, 1.0]), np.array([-1.0, -0.2])
    whole = PRIOR.weights @ [part.cdf(high) for part in parts]
    assert_allclose(frozen.cdf(high), whole, rtol=1e-4)
    assert_allclose(frozen.logcdf(high), np.log(whole), rtol=1e-4)
    box = PRIOR.weights @ [part.cdf(high, lower_limit=low) for part in parts]
    assert_allclose(frozen.cdf(high, lower_limit=low), box, rtol=1e-4)
    assert_allclose(frozen.logcdf(high, lower_limit=low), np.log(box), rtol=1e-4)
    drawn = frozen.rvs(size=(4, 5000), random_state=2)
    check_draws(drawn, PRIOR)
    assert frozen.rvs(random_state=0).shape == (2,)
    mean, spread = -PRIOR.log_prob(drawn[0]).mean(), PRIOR.log_prob(drawn[0]).std()
    assert abs(frozen.entropy() - mean) < 6.0 * spread / np.sqrt(5000) + 0.01
    alone = Mixture([1.0], PRIOR.means[:1], PRIOR.covariances[:1])
    assert_allclose(alone.to_scipy().entropy(), parts[0].entropy(), atol=0.05)
