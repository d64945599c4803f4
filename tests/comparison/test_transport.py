"""Transport between mixtures: its definition, POT's numbers, the ends and the speed of a path, barycentres."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.linalg import sqrtm

import gaussmix
from gaussmix import Mixture, Noise
from gaussmix.model.comparison import barycentre
from gaussmix.model.comparison.plans import find_plan
from gaussmix.model.mixture.pairs.couplings import measure_transport
from tests.helpers import NAMES, random_mixture

SEEDS = st.integers(0, 2**32 - 1)
families = {"first": st.sampled_from(NAMES), "second": st.sampled_from(NAMES)}
sizes = {"k": st.integers(1, 4), "n": st.integers(1, 4), "d": st.integers(1, 4), "seed": SEEDS}


def draw_pair(names, k, n, d, seed):
    rng = np.random.default_rng(seed)
    return random_mixture(names[0], k, d, rng), random_mixture(names[1], n, d, rng)


def bures(C, D):
    root = sqrtm(C).real
    return np.trace(C + D - 2.0 * sqrtm(root @ D @ root).real)


@given(**families, **sizes)
def test_distances_of_gaussians_are_those_of_the_formula(first, second, k, n, d, seed):
    p, q = draw_pair((first, second), k, n, d, seed)
    expected = [
        [
            ((m - other) ** 2).sum() + bures(C, D)
            for other, D in zip(q.means, q.dense_covariances, strict=True)
        ]
        for m, C in zip(p.means, p.dense_covariances, strict=True)
    ]
    assert_allclose(measure_transport(p, q), expected, rtol=1e-6)


@given(**families, **sizes)
def test_the_distance_is_a_metric_with_a_plan(first, second, k, n, d, seed):
    p, q = draw_pair((first, second), k, n, d, seed)
    there, back = gaussmix.mixture_wasserstein(p, q), gaussmix.mixture_wasserstein(q, p)
    assert_allclose(there.distance, back.distance, rtol=1e-7)
    assert there.distance > 0.0
    assert_allclose(there.plan.sum(axis=1), p.weights, rtol=1e-10)
    assert_allclose(there.plan.sum(axis=0), q.weights, rtol=1e-10)
    assert (there.plan >= 0.0).all() and np.count_nonzero(there.plan) <= k + n - 1
    scale = np.sqrt(p.total_variances.sum())
    assert gaussmix.mixture_wasserstein(p, p).distance < 1e-12 * scale
    order = np.random.default_rng(seed).permutation(k)
    shuffled = Mixture(p.weights[order], p.means[order], p.dense_covariances[order])
    assert gaussmix.mixture_wasserstein(p, shuffled).distance < 1e-7 * scale
    third = random_mixture("full", 2, d, np.random.default_rng(seed + 1))
    around = gaussmix.mixture_wasserstein(p, third).distance + gaussmix.mixture_wasserstein(third, q).distance
    assert there.distance <= around * (1.0 + 1e-7)


@given(**families, **sizes)
def test_the_path_goes_from_one_to_the_other_at_constant_speed(first, second, k, n, d, seed):
    p, q = draw_pair((first, second), k, n, d, seed)
    transport = gaussmix.mixture_wasserstein(p, q)
    scale = transport.distance
    ways = [(t, transport.interpolate(t)) for t in (0.0, 0.3, 1.0)]
    for t, way in ways:
        assert_allclose(
            gaussmix.mixture_wasserstein(p, way).distance, t * scale, rtol=1e-5, atol=1e-6 * scale
        )
        rest = gaussmix.mixture_wasserstein(way, q).distance
        assert_allclose(rest, (1.0 - t) * scale, rtol=1e-5, atol=1e-6 * scale)
    X = p.sample(20, seed)[0]
    assert_allclose(ways[0][1].log_prob(X), p.log_prob(X), rtol=1e-7)


@given(d=st.integers(1, 4), seed=SEEDS)
def test_the_map_of_two_gaussians_is_the_optimal_one(d, seed):
    p, q = draw_pair(("full", "full"), 1, 1, d, seed)
    X, _ = p.sample(50, seed)
    C, D = p.covariances[0], q.covariances[0]
    root = sqrtm(C).real
    inverse = np.linalg.inv(root)
    A = inverse @ sqrtm(root @ D @ root).real @ inverse
    expected = q.means[0] + (X - p.means[0]) @ A
    assert_allclose(
        gaussmix.mixture_wasserstein(p, q).map(X), expected, rtol=1e-5, atol=1e-5 * np.ptp(expected)
    )


def test_mapped_rows_are_of_the_target_where_components_are_apart():
    p = Mixture([0.4, 0.6], [[0.0, 0.0], [50.0, 0.0]], [np.eye(2), 2.0 * np.eye(2)])
    q = Mixture([0.4, 0.6], [[1.0, 9.0], [70.0, 3.0]], [[[2.0, 1.0], [1.0, 3.0]], np.eye(2)])
    transport = gaussmix.mixture_wasserstein(p, q)
    X, labels = p.sample(5000, 0)
    mapped = transport.map(X)
    for a in range(2):
        rows = mapped[labels == a]
        assert_allclose(rows.mean(axis=0), q.means[a], atol=0.15)
        assert_allclose(np.cov(rows.T), q.covariances[a], atol=0.3)
    assert_allclose(((mapped - X) ** 2).sum(axis=1).mean(), transport.distance**2, rtol=0.05)


def test_it_equals_pot():
    gmm = pytest.importorskip("ot.gmm")
    for seed in range(4):
        rng = np.random.default_rng(seed)
        p, q = random_mixture("full", 4, 3, rng), random_mixture("full", 5, 3, rng)
        ours = gaussmix.mixture_wasserstein(p, q)
        parts = (p.means, q.means, p.covariances, q.covariances, p.weights, q.weights)
        assert_allclose(ours.distance**2, gmm.gmm_ot_loss(*parts), rtol=1e-8)
        assert_allclose(ours.plan, gmm.gmm_ot_plan(*parts), atol=1e-10)
        X = p.sample(30, seed)[0]
        theirs = gmm.gmm_ot_apply_map(X, *parts, method="bary")
        assert_allclose(ours.map(X), theirs, rtol=1e-6, atol=1e-6 * np.ptp(theirs))


def test_weights_that_are_small_or_zero():
    p = Mixture([1e-9, 0.0, 1.0 - 1e-9], [[0.0], [5.0], [9.0]], np.ones(3), "spherical")
    q = Mixture([0.5, 0.5], [[0.0], [9.0]], np.ones(2), "spherical")
    transport = gaussmix.mixture_wasserstein(p, q)
    assert transport.plan.shape == (3, 2) and not transport.plan[1].any()
    assert_allclose(transport.plan.sum(axis=1), p.weights, rtol=1e-6, atol=0.0)
    assert np.isfinite(transport.map([[0.0], [5.0], [9.0]])).all()


def test_far_components_do_not_blur_near_ones():
    """The costs of the near pair are 1e-10 of the others', and the plan still crosses nothing."""
    p = Mixture(np.full(3, 1 / 3), [[0.0], [1.0], [1e5]], np.ones(3), "spherical")
    q = Mixture(np.full(3, 1 / 3), [[1.1], [0.1], [1e5]], np.ones(3), "spherical")
    transport = gaussmix.mixture_wasserstein(p, q)
    assert_allclose(transport.distance, np.sqrt(2 / 3 * 0.01), rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_units(scale):
    p, q = draw_pair(("full", "diag"), 3, 4, 2, 0)

    def in_units(each):
        return Mixture(each.weights, each.means * scale, each.covariances * scale**2, each.covariance_type)

    first, second = gaussmix.mixture_wasserstein(p, q), gaussmix.mixture_wasserstein(in_units(p), in_units(q))
    assert_allclose(second.distance, scale * first.distance, rtol=1e-9)
    assert_allclose(second.plan, first.plan, atol=1e-12)
    assert_allclose(second.interpolate(0.5).means, scale * first.interpolate(0.5).means, rtol=1e-9)


def test_diagonals_stay_diagonal_and_names_stay():
    p, q = (Mixture([1.0], [[m, m]], [[1.0, 4.0]], "diag", feature_names=["a", "b"]) for m in (0.0, 2.0))
    way = gaussmix.mixture_wasserstein(p, q).interpolate(0.5)
    assert way.covariance_type == "diag" and way.feature_names == ("a", "b")
    assert gaussmix.mixture_barycentre([p, q]).covariance_type == "diag"


class TestBarycentre:
    @given(**families, **sizes, share=st.floats(0.0, 1.0))
    def test_of_two_it_is_on_the_path(self, first, second, k, n, d, seed, share):
        p, q = draw_pair((first, second), k, n, d, seed)
        middle = gaussmix.mixture_barycentre([p, q], [1.0 - share, share])
        way = gaussmix.mixture_wasserstein(p, q).interpolate(share)
        scale = np.sqrt(p.total_variances.sum() + q.total_variances.sum())
        assert gaussmix.mixture_wasserstein(middle, way).distance < 1e-5 * scale

    def cost(self, middle, mixtures, shares):
        distances = [gaussmix.mixture_wasserstein(middle, each).distance for each in mixtures]
        return float(np.dot(shares, np.square(distances)))

    def test_none_near_is_better(self):
        rng = np.random.default_rng(2)
        mixtures = [random_mixture("full", k, 2, rng) for k in (2, 3, 2)]
        shares = np.array([0.2, 0.5, 0.3])
        middle = gaussmix.mixture_barycentre(mixtures, shares)
        best = self.cost(middle, mixtures, shares)
        for _ in range(20):
            turned = 1e-2 * rng.normal(size=(middle.n_components, 2, 2))
            turned = np.eye(2) + turned
            other = Mixture(
                middle.weights,
                middle.means + 0.05 * rng.normal(size=middle.means.shape),
                turned @ middle.covariances @ np.swapaxes(turned, 1, 2),
            )
            assert self.cost(other, mixtures, shares) >= best * (1.0 - 1e-9)
        for each in mixtures:
            assert self.cost(each, mixtures, shares) > best

    def test_of_a_given_size(self):
        rng = np.random.default_rng(3)
        for name in ("full", "diag"):
            mixtures = [random_mixture(name, 4, 2, rng) for _ in range(3)]
            shares = np.full(3, 1 / 3)
            exact = self.cost(gaussmix.mixture_barycentre(mixtures), mixtures, shares)
            found = gaussmix.mixture_barycentre(mixtures, n_components=8)
            assert found.n_components == 8 and found.covariance_type == name
            assert exact * (1.0 - 1e-9) <= self.cost(found, mixtures, shares) < 1.5 * exact
            one = gaussmix.mixture_barycentre(mixtures, n_components=1)
            assert one.n_components == 1

    def test_gaussians_meet_the_fixed_point(self):
        rng = np.random.default_rng(0)
        mixtures = [random_mixture("full", 1, 4, rng) for _ in range(5)]
        S = gaussmix.mixture_barycentre(mixtures).covariances[0]
        root = sqrtm(S).real
        mean = sum(sqrtm(root @ each.covariances[0] @ root).real for each in mixtures) / 5
        assert_allclose(mean, S, rtol=1e-8, atol=1e-8 * np.abs(S).max())

    def test_wrong_input(self, monkeypatch):
        p, q = draw_pair(("full", "full"), 3, 3, 2, 0)
        with pytest.raises(ValueError, match="mixtures must hold at least one mixture"):
            gaussmix.mixture_barycentre([])
        with pytest.raises(ValueError, match="weights must have the shape"):
            gaussmix.mixture_barycentre([p, q], [1.0])
        with pytest.raises(ValueError, match=r"mixtures\[1\] has a noise component"):
            gaussmix.mixture_barycentre([p, q.with_noise(Noise(0.1, -3.0))])
        with pytest.raises(ValueError, match="n_components must be a whole number"):
            gaussmix.mixture_barycentre([p, q], n_components=0)
        monkeypatch.setattr(barycentre, "MOST_TUPLES", 8)
        with pytest.raises(ValueError, match="here 9, of which 8 are possible; give n_components, or reduce"):
            gaussmix.mixture_barycentre([p, q])


def test_plans_of_many_and_of_few():
    rng = np.random.default_rng(0)
    costs, margins = rng.random((60, 50)), [rng.dirichlet(np.ones(n)) for n in (60, 50)]
    plan = find_plan(costs, margins)
    assert_allclose(plan.sum(axis=1), margins[0], atol=1e-13)
    assert_allclose(plan.sum(axis=0), margins[1], atol=1e-13)
    assert_allclose(find_plan(costs[:1], [np.ones(1), margins[1]]), margins[1][None], rtol=1e-12)
    assert_allclose(find_plan(np.zeros((2, 2)), [np.array([0.3, 0.7])] * 2).sum(), 1.0)


def test_wrong_input():
    p, q = Mixture([1.0], [[0.0]], [1.0], "spherical"), Mixture([1.0], [[0.0, 0.0]], [1.0], "spherical")
    with pytest.raises(ValueError, match="p and q must have the same features; p has 1, and q 2"):
        gaussmix.mixture_wasserstein(p, q)
    with pytest.raises(ValueError, match="q has a noise component"):
        gaussmix.mixture_wasserstein(p, p.with_noise(Noise(0.1, -3.0)))
    transport = gaussmix.mixture_wasserstein(p, p)
    for wrong in (-0.1, 1.1, "half", np.nan):
        with pytest.raises(ValueError, match="t must be a number from 0, the source, to 1"):
            transport.interpolate(wrong)
    with pytest.raises(ValueError, match=r"X must have the shape \(n_samples, 1\)"):
        transport.map([[0.0, 1.0]])
    with pytest.raises(ValueError, match="mixtures must be a sequence of mixtures; got Mixture"):
        gaussmix.mixture_barycentre(p)
    with pytest.raises(ValueError, match="read-only"):
        transport.plan[0, 0] = 0.5
    assert repr(transport) == "MixtureTransport(1 to 1 components, distance=0)"
