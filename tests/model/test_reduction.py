"""Reduction keeps mean and covariance, loses no more than it says, and is the greedy one by its definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import gaussmix
from gaussmix import Mixture, Noise
from gaussmix.model.covariance import FACTORS
from gaussmix.model.mixture.pairs.divergences import measure_divergences
from gaussmix.model.mixture.reduction import pairs
from tests.helpers import NAMES, random_mixture

METHODS = ("runnalls", "salmond", "west")


def draw_mixture(name, k, d, seed):
    return random_mixture(name, k, d, np.random.default_rng(seed))


@pytest.mark.parametrize("name", NAMES)
@given(d=st.integers(1, 5), k=st.integers(1, 9), m=st.integers(1, 9), seed=st.integers(0, 2**32 - 1))
def test_mean_and_covariance_stay(name, d, k, m, seed):
    mixture = draw_mixture(name, k, d, seed)
    for method in METHODS:
        reduction = mixture.find_reduction(m, method=method)
        reduced = reduction.mixture
        assert reduced.n_components == min(k, m)
        scale = np.sqrt(np.diagonal(mixture.covariance))
        assert_allclose(reduced.mean / scale, mixture.mean / scale, atol=1e-9)
        outer = np.multiply.outer(scale, scale)
        assert_allclose(reduced.covariance / outer, mixture.covariance / outer, atol=1e-9)
        counted = np.bincount(reduction.labels, mixture.weights, minlength=reduced.n_components)
        assert_allclose(reduced.weights, counted, rtol=1e-12)


@given(d=st.integers(1, 4), seed=st.integers(0, 2**32 - 1), method=st.sampled_from(METHODS))
def test_the_loss_is_what_it_says(d, seed, method):
    """sum_i w_i KL(f_i || g_label(i)), never more with refinement, and no less than the divergence's bound."""
    mixture = draw_mixture("full", 8, d, seed)
    plain = mixture.find_reduction(3, method=method, refine=False)
    refined = mixture.find_reduction(3, method=method)
    for reduction in (plain, refined):
        divergences = measure_divergences(mixture, reduction.mixture)[np.arange(8), reduction.labels]
        assert_allclose(reduction.loss, mixture.weights @ divergences, rtol=1e-8, atol=1e-12)
        assert gaussmix.kl_bounds(mixture, reduction.mixture).lower <= reduction.loss + 1e-9
    assert refined.loss <= plain.loss + 1e-9
    assert_allclose(plain.loss, plain.losses[-1], rtol=1e-8, atol=1e-12)
    assert len(plain.losses) == 6 and (np.diff(plain.losses) >= 0.0).all()


def merge_by_definition(mixture, m):
    """Runnalls' reduction with all costs computed for each merge; groups of components."""
    groups = [[i] for i in range(mixture.n_components)]

    def summarise(members):
        w = mixture.weights[members]
        mean = w @ mixture.means[members] / w.sum()
        apart = mixture.means[members] - mean
        dense = mixture.dense_covariances[members] + apart[:, :, None] * apart[:, None, :]
        return w.sum(), np.linalg.slogdet(np.tensordot(w, dense, axes=1) / w.sum())[1]

    while len(groups) > m:
        costs = {}
        for a in range(len(groups)):
            for b in range(a):
                (w, both), (v, one), (u, other) = map(
                    summarise, (groups[a] + groups[b], groups[a], groups[b])
                )
                costs[w * both - v * one - u * other] = (a, b)
        a, b = costs[min(costs)]
        groups[b] += groups.pop(a)
    return {frozenset(group) for group in groups}


@pytest.mark.parametrize("most_kept", [0, 10_000], ids=["measured again", "kept"])
@pytest.mark.parametrize("d", [1, 3, 9])
def test_runnalls_merges_the_pair_of_least_loss(monkeypatch, most_kept, d):
    monkeypatch.setattr(pairs, "MOST_KEPT", most_kept)
    mixture = draw_mixture("full", 14, d, d)
    labels = mixture.find_reduction(4, refine=False).labels
    assert {frozenset(np.flatnonzero(labels == g).tolist()) for g in range(4)} == merge_by_definition(
        mixture, 4
    )
    assert labels[0] == 0 and (np.diff(np.unique(labels, return_index=True)[1]) > 0).all()


def test_refinement_ends_where_no_component_wants_to_leave():
    mixture = draw_mixture("full", 30, 2, 3)
    reduction = mixture.find_reduction(5, method="west")
    divergences = measure_divergences(mixture, reduction.mixture)
    assert_array_equal(reduction.labels, divergences.argmin(axis=1))


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_units_and_origins_make_no_difference(scale):
    mixture = draw_mixture("full", 20, 3, 1)
    units = scale ** np.array([1.0, -1.0, 0.5])
    offset = 1e6 * units
    other = Mixture(
        mixture.weights,
        mixture.means * units + offset,
        mixture.covariances * np.multiply.outer(units, units),
    )
    ours, theirs = mixture.find_reduction(4), other.find_reduction(4)
    assert_array_equal(ours.labels, theirs.labels)
    assert_allclose(theirs.losses, ours.losses, rtol=1e-7, atol=1e-9)
    outer = np.multiply.outer(units, units)
    assert_allclose(theirs.mixture.covariances / outer, ours.mixture.covariances, rtol=1e-7, atol=1e-9)


def test_a_loss_decides_how_many_are_left():
    means = np.array([[0.0], [0.1], [20.0], [20.1], [90.0]])
    mixture = Mixture(np.full(5, 0.2), means, np.ones(5), "spherical")
    for method in ("runnalls", "salmond"):
        found = mixture.find_reduction(max_loss=0.05, method=method)
        assert found.labels.tolist() == [0, 0, 1, 1, 2] and found.loss <= 0.05
    assert mixture.find_reduction(max_loss=0.05, method="west").loss <= 0.05
    assert mixture.reduce(max_loss=0.0).n_components == 5
    assert mixture.reduce(4, max_loss=1e9).n_components == 4  # whichever is reached first
    assert mixture.reduce(max_loss=1e9).n_components == 1
    twice = Mixture([0.2, 0.3, 0.5], [[1.0], [1.0], [5.0]], np.ones(3), "spherical")
    assert twice.reduce(max_loss=1e-12).n_components == 2  # equal components merge for nothing


def test_noise_names_and_components_of_no_weight():
    noise = Noise.between([-9.0, -9.0], [9.0, 9.0], weight=0.2)
    mixture = Mixture(
        [0.3, 0.0, 0.2, 0.3],
        [[0.0, 0.0], [1.0, 1.0], [0.1, 0.0], [5.0, 5.0]],
        np.ones((4, 2)),
        "diag",
        feature_names=["a", "b"],
        noise=noise,
    )
    found = mixture.find_reduction(2)
    assert found.labels.tolist() == [0, -1, 0, 1]
    assert found.mixture.noise is noise and found.mixture.feature_names == ("a", "b")
    assert_allclose(found.mixture.weights, [0.5, 0.3])
    assert found.mixture.covariance_type == "full"
    assert_allclose(found.mixture.covariance, mixture.covariance, rtol=1e-12)


def test_factor_analysers():
    rng = np.random.default_rng(0)
    for name in FACTORS:
        loadings = np.broadcast_to(rng.normal(size=(1, 5, 1)), (4, 5, 1))
        parts = np.concatenate([loadings, np.ones((4, 5, 1))], axis=2)
        mixture = Mixture(np.full(4, 0.25), rng.normal(size=(4, 5)), parts, name)
        assert_allclose(mixture.reduce(2).covariance, mixture.covariance, rtol=1e-10)


def test_needles_that_rounding_cannot_hold():
    """Means 1e9 apart along a slant, beside a width of 1: the sum of both has one digit too many."""
    slant = np.array([[0.0, 0.0], [1e9, 1e9]])
    mixture = Mixture([0.5, 0.5], slant, [np.eye(2) * 1e-4] * 2)
    with pytest.raises(ValueError, match="reduce: a covariance is singular to rounding"):
        mixture.reduce(1)


def test_a_mixture_that_is_small_enough_stays():
    mixture = draw_mixture("VEI", 3, 2, 0)
    assert mixture.reduce(3) is mixture and mixture.reduce(7) is mixture
    assert mixture.find_reduction(5).labels.tolist() == [0, 1, 2]
    assert repr(mixture.find_reduction(3)) == "Reduction(3 to 3 components, loss=0)"


class TestPrune:
    def test_the_others_keep_their_proportions_and_family(self):
        mixture = Mixture([0.1, 0.3, 0.6], [[0.0], [1.0], [2.0]], [1.0, 2.0, 3.0], "spherical")
        pruned = mixture.prune(0.2)
        assert_allclose(pruned.weights, [1 / 3, 2 / 3])
        assert pruned.covariances.tolist() == [2.0, 3.0] and pruned.covariance_type == "spherical"
        assert mixture.prune(0.0).n_components == 3

    def test_noise_keeps_its_weight(self):
        mixture = Mixture(
            [0.1, 0.3, 0.4], [[0.0], [1.0], [2.0]], np.ones(3), "spherical", noise=Noise(0.2, -2.0)
        )
        pruned = mixture.prune(0.2)
        assert_allclose(pruned.weights, [0.8 * 3 / 7, 0.8 * 4 / 7])
        assert pruned.noise is mixture.noise

    def test_wrong_weights(self):
        mixture = draw_mixture("full", 3, 2, 0)
        with pytest.raises(ValueError, match="no component has a weight of 0.9 or more: the greatest is"):
            mixture.prune(0.9)
        for wrong in (-0.1, np.nan, "little"):
            with pytest.raises(ValueError, match="least_weight must be a finite number of at least 0"):
                mixture.prune(wrong)


def test_wrong_arguments():
    mixture = draw_mixture("full", 3, 2, 0)
    with pytest.raises(ValueError, match="give n_components, how many to keep, or max_loss"):
        mixture.reduce()
    for wrong in (0, -1, 1.5, "two", True):
        with pytest.raises(ValueError, match="n_components must be a whole number of at least 1"):
            mixture.reduce(wrong)
    with pytest.raises(ValueError, match="max_loss must be a finite number of at least 0"):
        mixture.reduce(max_loss=-1.0)
    with pytest.raises(ValueError, match="method must be one of 'runnalls', 'salmond', 'west'; got 'ward'"):
        mixture.reduce(2, method="ward")
    with pytest.raises(ValueError, match="all weights of the Gaussians are zero"):
        Mixture([0.0], [[0.0]], [1.0], "spherical", noise=Noise(1.0, -2.0)).reduce(1)
