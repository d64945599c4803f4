"""Divergences: within four standard errors of plain Monte Carlo, symmetric, zero for equals, exact in the tails."""

from __future__ import annotations

import copy
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.special import expit, xlogy
from scipy.stats import multivariate_normal

import gaussmix
from gaussmix import Estimate, Mixture, Noise
from gaussmix.model.comparison import quadrature
from gaussmix.model.mixture.alignment import measure_bhattacharyya
from tests.helpers import NAMES, direct_log_prob, random_mixture

SYMMETRIC = (
    gaussmix.js_divergence,
    gaussmix.total_variation,
    gaussmix.hellinger_distance,
    gaussmix.bhattacharyya_distance,
)
CLOSED = (gaussmix.l2_distance, gaussmix.cauchy_schwarz_divergence)
SEEDS = st.integers(0, 2**32 - 1)


def draw_pair(names, k, n, d, seed):
    rng = np.random.default_rng(seed)
    p, q = random_mixture(names[0], k, d, rng, 1.0), random_mixture(names[1], n, d, rng, 1.0)
    # onto each other, so that draws of one tell of the other
    scale = np.sqrt(p.total_variances.mean() / q.total_variances.mean())
    mean = p.mean + 0.3 * np.sqrt(p.total_variances)
    return p, Mixture(
        q.weights, (q.means - q.mean) * scale + mean, q.covariances * scale**2, q.covariance_type
    )


def one(mean, covariance):
    return Mixture([1.0], [mean], [covariance])


families = {"first": st.sampled_from(NAMES), "second": st.sampled_from(NAMES)}
sizes = {"k": st.integers(1, 4), "n": st.integers(1, 4), "d": st.integers(1, 3), "seed": SEEDS}


def four_errors(found, terms, transform=lambda mean: mean, slope=1.0):
    """Whether a number is within four standard errors, its own and theirs, of the mean of terms."""
    error = math.hypot(terms.std() / np.sqrt(len(terms)) * slope, getattr(found, "standard_error", 0.0))
    return abs(found - transform(terms.mean())) <= 4.0 * error + 1e-9


@given(**families, **sizes)
def test_divergences_are_those_of_their_definitions(first, second, k, n, d, seed):
    p, q = draw_pair((first, second), k, n, d, seed)
    draws = [each.sample(20_000, seed)[0] for each in (p, q)]
    ratios = [direct_log_prob(p, X) - direct_log_prob(q, X) for X in draws]
    assert four_errors(gaussmix.kl_divergence(p, q, n_samples=50_000, rng=1), ratios[0])
    if d == 1:
        assert four_errors(gaussmix.kl_divergence(p, q, "monte_carlo", n_samples=50_000, rng=1), ratios[0])
    half = np.concatenate(ratios)  # of draws of (p + q) / 2
    share, rest = expit(half), expit(-half)
    terms = {
        gaussmix.js_divergence: np.log(2.0) + xlogy(share, share) + xlogy(rest, rest),
        gaussmix.total_variation: np.abs(share - rest),
    }
    for function, expected in terms.items():
        assert four_errors(function(p, q, n_samples=50_000, rng=1), expected)
    affinity = 2.0 * np.sqrt(share * rest)
    b = affinity.mean()
    h = gaussmix.hellinger_distance(p, q, n_samples=50_000, rng=1)
    assert four_errors(h, affinity, lambda m: np.sqrt(1.0 - m), 0.5 / max(float(h), 1e-9))
    distance = gaussmix.bhattacharyya_distance(p, q, n_samples=50_000, rng=1)
    assert four_errors(distance, affinity, lambda m: -np.log(m), 1.0 / b)


@given(**families, **sizes)
def test_products_are_those_of_their_definitions(first, second, k, n, d, seed):
    p, q = draw_pair((first, second), k, n, d, seed)
    draws = [each.sample(20_000, seed)[0] for each in (p, q)]
    pp, pq = (np.exp(direct_log_prob(each, draws[0])) for each in (p, q))
    qq = np.exp(direct_log_prob(q, draws[1]))
    squared = pp.mean() - 2.0 * pq.mean() + qq.mean()
    error = math.hypot((pp - 2.0 * pq).std(), qq.std()) / np.sqrt(20_000)
    assert abs(gaussmix.l2_distance(p, q) ** 2 - squared) <= 4.0 * error + 1e-12
    divergence = -np.log(pq.mean() / np.sqrt(pp.mean() * qq.mean()))
    relative = [each.std() / each.mean() / np.sqrt(20_000) for each in (pp, pq, qq)]
    error = math.hypot(relative[0] / 2, relative[1], relative[2] / 2)
    assert abs(gaussmix.cauchy_schwarz_divergence(p, q) - divergence) <= 4.0 * 1.5 * error + 1e-9


@given(**families, **sizes)
def test_symmetric_ones_are_symmetric_and_zero_for_equals_alone(first, second, k, n, d, seed):
    p, q = draw_pair((first, second), k, n, d, seed)
    order = np.random.default_rng(seed).permutation(k)
    shuffled = Mixture(
        p.weights[order], p.means[order], p.dense_covariances[order] + 0.0, feature_names=p.feature_names
    )
    for function in SYMMETRIC:
        assert function(p, q, n_samples=1000, rng=3) == function(q, p, n_samples=1000, rng=3) > 0.0
        assert function(p, p) == function(p, shuffled) == 0.0
    for function in CLOSED:
        assert function(p, q) == function(q, p) > 0.0
        assert function(p, p) == 0.0
        assert 0.0 <= function(p, shuffled) < 1e-14
    assert gaussmix.kl_divergence(p, p) == gaussmix.kl_divergence(p, shuffled) == 0.0
    assert gaussmix.kl_bounds(p, p) == (0.0, 0.0)
    for method in ("variational", "product"):
        assert abs(gaussmix.kl_divergence(p, p, method)) < 1e-12


@given(**families, **sizes)
def test_bounds_hold(first, second, k, n, d, seed):
    p, q = draw_pair((first, second), k, n, d, seed)
    found = gaussmix.kl_divergence(p, q, n_samples=20_000, rng=seed)
    lower, upper = gaussmix.kl_bounds(p, q)
    slack = 4.0 * found.standard_error + 1e-9
    assert 0.0 <= lower <= found + slack and found - slack <= upper
    if k == n == 1:
        assert_allclose(upper, found, rtol=1e-9)
        assert_allclose(gaussmix.kl_divergence(p, q, "matched"), found, rtol=1e-9)
        assert_allclose(gaussmix.kl_divergence(p, q, "variational"), found, rtol=1e-9)
        assert_allclose(gaussmix.kl_divergence(p, q, "unscented"), found, rtol=1e-7, atol=1e-9)


def test_two_gaussians_have_closed_forms():
    rng = np.random.default_rng(0)
    A, B = (rng.normal(size=(2, 3, 3)) @ np.ones((3, 3)) * 0.1 + np.eye(3) for _ in range(2))
    C, D = A[0] @ A[0].T, B[0] @ B[0].T
    p, q = one([0.0, 1.0, 2.0], C), one([1.0, 1.0, 1.0], D)
    apart = p.means[0] - q.means[0]
    inverse = np.linalg.inv(D)
    log_dets = [np.linalg.slogdet(M)[1] for M in (C, D)]
    kl = 0.5 * (np.trace(inverse @ C) + apart @ inverse @ apart - 3.0 + log_dets[1] - log_dets[0])
    assert_allclose(gaussmix.kl_divergence(p, q), kl, rtol=1e-12)
    expected = float(measure_bhattacharyya(p, q)[0, 0])
    assert_allclose(gaussmix.bhattacharyya_distance(p, q), expected, rtol=1e-9)
    products = [
        multivariate_normal(np.zeros(3), total).pdf(shift)
        for total, shift in ((C + C, np.zeros(3)), (C + D, apart), (D + D, np.zeros(3)))
    ]
    squared = products[0] - 2.0 * products[1] + products[2]
    assert_allclose(gaussmix.l2_distance(p, q), np.sqrt(squared), rtol=1e-9)


def test_approximations_of_a_known_pair():
    """The sums of Hershey and Olsen written out, with Gaussians of one feature."""
    p = Mixture([0.3, 0.7], [[0.0], [2.0]], [1.0, 0.5], "spherical")
    q = Mixture([0.6, 0.4], [[0.5], [3.0]], [1.5, 1.0], "spherical")

    def parts(one_, other):
        s, m = one_.covariances[:, None], one_.means
        t, n = other.covariances, other.means[:, 0]
        kl = 0.5 * (np.log(t / s) + (s + (m - n) ** 2) / t - 1.0)
        overlap = np.exp(-0.5 * (m - n) ** 2 / (s + t)) / np.sqrt(2.0 * np.pi * (s + t))
        return kl, overlap

    (within, own), (across, shared) = parts(p, p), parts(p, q)
    variational = p.weights @ np.log((np.exp(-within) @ p.weights) / (np.exp(-across) @ q.weights))
    product = p.weights @ np.log((own @ p.weights) / (shared @ q.weights))
    matched = p.weights @ ((across - np.log(q.weights)).min(axis=1) + np.log(p.weights))
    assert_allclose(gaussmix.kl_divergence(p, q, "variational"), variational, rtol=1e-12)
    assert_allclose(gaussmix.kl_divergence(p, q, "product"), product, rtol=1e-12)
    assert_allclose(gaussmix.kl_divergence(p, q, "matched"), matched, rtol=1e-12)


class TestOnTheLine:
    def reference(self, p, q, integrand):
        """By SciPy, in pieces of one standard deviation at most."""
        cuts = [
            m + s * z for each in (p, q) for m, s in zip(each.means[:, 0], np.sqrt(each.variances[:, 0]), strict=True)
            for z in range(-12, 13)
        ]  # fmt: skip
        cuts = np.unique(cuts)

        def value(x):
            return integrand(*(math.exp(float(each.log_prob([[x]])[0])) for each in (p, q)))

        return math.fsum(quad(value, a, b, epsabs=1e-13, epsrel=1e-11)[0] for a, b in pairwise(cuts))

    def test_quadrature_is_exact(self):
        p = Mixture([0.2, 0.5, 0.3], [[0.0], [1.0], [1.2]], [1.0, 0.04, 1e-4], "spherical")
        q = Mixture([0.6, 0.4], [[0.8], [2.0]], [0.3, 0.5], "spherical")
        affinity = self.reference(p, q, lambda a, b: math.sqrt(a * b))
        assert_allclose(gaussmix.bhattacharyya_distance(p, q), -np.log(affinity), rtol=1e-10)
        assert_allclose(gaussmix.hellinger_distance(p, q), np.sqrt(1.0 - affinity), rtol=1e-10)
        total = self.reference(p, q, lambda a, b: 0.5 * abs(a - b))
        assert_allclose(gaussmix.total_variation(p, q), total, rtol=1e-9)
        kl = self.reference(p, q, lambda a, b: a * math.log(a / b) if a > 0.0 else 0.0)
        assert_allclose(gaussmix.kl_divergence(p, q), kl, rtol=1e-10)

    def test_gaussians_side_by_side_share_pieces(self, monkeypatch):
        sizes, evaluate = [], quadrature._evaluate

        def count(integrand, origins, lows, highs):
            sizes.append(len(lows))
            return evaluate(integrand, origins, lows, highs)

        monkeypatch.setattr(quadrature, "_evaluate", count)
        rng = np.random.default_rng(0)
        p, q = (
            Mixture(np.full(300, 1.0 / 300.0), rng.normal(size=(300, 1)), np.full(300, 0.5), "spherical")
            for _ in range(2)
        )
        found = gaussmix.kl_divergence(p, q)
        assert sum(sizes) < 1000  # of 300 Gaussians each with 17 borders of its own
        x = np.linspace(-12.0, 12.0, 4001)  # the rule of trapezia is exact for what vanishes so smoothly
        log_p, log_q = (each.log_prob(x[:, None]) for each in (p, q))
        assert_allclose(found, (np.exp(log_p) * (log_p - log_q)).sum() * (x[1] - x[0]), rtol=1e-9)

    @pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
    @pytest.mark.parametrize("offset", [0.0, 1e8])
    def test_narrow_and_far_components_in_any_units(self, scale, offset):
        """Components of 1e-9 beside one of 1, far from the other mixture: each part counts by its weight."""
        means, widths = np.array([0.0, 40.0, 300.0]), np.array([1.0, 1e-5, 1e-5])
        where = np.array([0.0, 40.0, 900.0])
        p, q = (
            Mixture([0.5, 0.25, 0.25], scale * (m[:, None] + offset), (scale * widths) ** 2, "spherical")
            for m in (means, where)
        )
        kinks = 1e-7 if offset else 1e-12  # 1e8 has eight digits left
        assert_allclose(gaussmix.hellinger_distance(p, q), np.sqrt(0.25), rtol=kinks)
        assert_allclose(gaussmix.total_variation(p, q), 0.25, rtol=kinks)
        assert_allclose(gaussmix.js_divergence(p, q), 0.25 * np.log(2.0), rtol=kinks)

    @pytest.mark.parametrize("gap", [30.0, 100.0, 1e4])
    def test_affinities_less_than_any_float(self, gap):
        p = Mixture([0.5, 0.5], [[0.0], [0.1]], [1.0, 1.0], "spherical")
        q = Mixture([1.0], [[gap]], [0.01], "spherical")
        drawn = gaussmix.bhattacharyya_distance(p, q, "monte_carlo", n_samples=5000, rng=0)
        exact = gaussmix.bhattacharyya_distance(p, q)
        assert abs(drawn - exact) <= 4.0 * drawn.standard_error + 1e-9 * exact
        closed = gap**2 / (4.0 * 1.01)
        assert abs(exact - closed) < 0.05 * gap + 5.0


def test_far_mixtures_of_several_features():
    """Gaussians a thousand deviations apart: products and affinities are e^-125000 and less."""
    rng = np.random.default_rng(1)
    p, q = random_mixture("full", 3, 4, rng), random_mixture("full", 2, 4, rng)
    far = Mixture(q.weights, q.means + 1000.0 * np.sqrt(p.total_variances.max()), q.covariances)
    distance = gaussmix.bhattacharyya_distance(p, far, n_samples=4000, rng=0)
    assert np.isfinite(distance) and distance > 1e4 and distance.standard_error < 0.1
    assert np.isfinite(gaussmix.cauchy_schwarz_divergence(p, far))
    assert gaussmix.l2_distance(p, far) > 0.0
    assert gaussmix.total_variation(p, far, n_samples=4000, rng=0) == 1.0
    assert_allclose(gaussmix.js_divergence(p, far, n_samples=4000, rng=0), np.log(2.0), rtol=1e-12)


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_units_make_no_difference(scale):
    rng = np.random.default_rng(4)
    p, q = (random_mixture("full", 3, 3, rng) for _ in range(2))
    units = scale ** np.array([1.0, -1.0, 0.5])

    def in_units(each):
        return Mixture(each.weights, each.means * units, each.covariances * np.multiply.outer(units, units))

    a, b = in_units(p), in_units(q)
    for function in (gaussmix.cauchy_schwarz_divergence, gaussmix.kl_bounds):
        assert_allclose(function(a, b), function(p, q), rtol=1e-9)
    volume = np.prod(units)
    assert_allclose(gaussmix.l2_distance(a, b) * np.sqrt(volume), gaussmix.l2_distance(p, q), rtol=1e-9)
    for function in SYMMETRIC:
        ours, theirs = (function(*pair, n_samples=2000, rng=0) for pair in ((a, b), (p, q)))
        assert_allclose(ours, theirs, rtol=1e-6)


def test_nearly_equal_mixtures_keep_their_digits():
    """KL is about e^2 / 2 for a shift of e deviations, whatever else is small."""
    for shift in (1e-3, 1e-6):
        p, q = one([0.0, 0.0], np.eye(2)), one([shift, 0.0], np.eye(2))
        assert_allclose(gaussmix.kl_divergence(p, q), shift**2 / 2, rtol=1e-9)
        line = [Mixture([0.5, 0.5], [[m], [m]], [1.0, 1.0], "spherical") for m in (0.0, shift)]
        assert_allclose(gaussmix.js_divergence(*line), shift**2 / 8, rtol=1e-4)
        assert_allclose(gaussmix.hellinger_distance(*line), shift / np.sqrt(8.0), rtol=1e-4)


class TestEstimate:
    def test_it_is_a_float_with_an_error(self):
        estimate = Estimate(2.0, 0.5)
        assert estimate + 1.0 == 3.0 and estimate.value == 2.0 and estimate.standard_error == 0.5
        assert f"{estimate:.2f}" == "2.00" and repr(estimate) == "Estimate(2, standard_error=0.5)"
        twin = copy.deepcopy(estimate)
        assert twin == estimate and twin.standard_error == 0.5
        with pytest.raises(AttributeError, match="an Estimate is immutable"):
            estimate.standard_error = 1.0

    def test_seeds_and_generators(self):
        p, q = (random_mixture("full", 2, 2, np.random.default_rng(seed)) for seed in (0, 1))
        first, second = (gaussmix.kl_divergence(p, q, n_samples=100, rng=7) for _ in range(2))
        assert first == second and first.standard_error > 0.0
        generator = np.random.default_rng(7)
        assert gaussmix.kl_divergence(p, q, n_samples=100, rng=generator) == first
        assert gaussmix.kl_divergence(p, q, n_samples=100, rng=generator) != first


class TestWrongInput:
    p, q = Mixture([1.0], [[0.0]], [1.0], "spherical"), Mixture([1.0], [[0.0, 0.0]], [1.0], "spherical")

    @pytest.mark.parametrize("function", [*SYMMETRIC, *CLOSED, gaussmix.kl_divergence, gaussmix.kl_bounds])
    def test_each_function_refuses_what_it_cannot_compare(self, function):
        with pytest.raises(ValueError, match="p and q must have the same features; p has 1, and q 2"):
            function(self.p, self.q)
        noisy = self.p.with_noise(Noise.between([0.0], [1.0]))
        with pytest.raises(ValueError, match=r"q has a noise component.*take q.without_noise\(\)"):
            function(self.p, noisy)
        names = [Mixture([1.0], [[0.0]], [1.0], "spherical", feature_names=[n]) for n in "ab"]
        with pytest.raises(ValueError, match=r"q has other features, \('b',\), than p, \('a',\)"):
            function(*names)
        with pytest.raises(ValueError, match="q must be a Mixture, a FitResult"):
            function(self.p, 3)
        assert function(self.p, names[0]) in (0.0, (0.0, 0.0))  # names are compared where both have them

    def test_methods_and_numbers(self):
        with pytest.raises(
            ValueError, match="method must be one of 'auto', 'quadrature', 'monte_carlo', 'var"
        ):
            gaussmix.kl_divergence(self.p, self.p, "exact")
        with pytest.raises(
            ValueError, match="method must be 'auto', 'quadrature' or 'monte_carlo'; got 'var"
        ):
            gaussmix.js_divergence(self.p, self.p, "variational")
        with pytest.raises(
            ValueError, match="method 'quadrature' is for one feature, and these mixtures have 2"
        ):
            gaussmix.js_divergence(self.q, self.q, "quadrature")
        for wrong in (1, 2.5, "many"):
            with pytest.raises(ValueError, match="n_samples must be a whole number of at least 2"):
                gaussmix.kl_divergence(self.q, self.q, n_samples=wrong)

    def test_results_and_estimators_are_read(self):
        X = np.random.default_rng(0).normal(size=(40, 2))
        result = gaussmix.fit_mixture(X, 1)
        estimator = gaussmix.GaussianMixture(1).fit(X)
        assert abs(gaussmix.kl_divergence(result, estimator)) < 1e-9
