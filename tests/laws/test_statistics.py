"""Moments are a commutative monoid, as are results of passes, and say the same about any point."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gaussmix.model.covariance import STRUCTURES
from gaussmix.model.moments.blocks import VECH, Form
from gaussmix.model.moments.statistics import Moments, Pass
from tests.helpers import KINDS, stats_of

sizes = {"d": st.integers(1, 6), "k": st.integers(1, 5), "seed": st.integers(0, 2**32 - 1)}


@pytest.fixture(params=KINDS, scope="session")
def name(request):
    """The name of a covariance structure, one of each kind."""
    return request.param


def draw(name, k, d, rng, n=None, centres=None, scale=1.0):
    """Statistics of random weighted rows, about random points unless told."""
    n = n or int(rng.integers(1, 40))
    X = scale * rng.normal(size=(n, d)) + rng.normal(size=d)
    centres = scale * rng.normal(size=(k, d)) if centres is None else centres
    return stats_of(name, X, rng.dirichlet(np.ones(k), size=n), rng.uniform(0.1, 3.0, n), centres)


def assert_same(actual, expected, rtol=1e-11):
    """Equal as statements about the rows: about the same points, to rounding of the largest entry."""
    actual = actual.rebase(expected.centres)
    for field in ("counts", "first", "second", "pooled"):
        value = np.asarray(getattr(expected, field))
        size = np.abs(value).max(initial=0.0)
        shift = np.abs(expected.centres).max()
        scale = size + expected.weight * (1.0 + shift) ** 2
        assert_allclose(getattr(actual, field), value, rtol=0, atol=rtol * scale, err_msg=field)


@given(**sizes)
def test_addition_is_associative(name, d, k, seed):
    rng = np.random.default_rng(seed)
    a, b, c = (draw(name, k, d, rng) for _ in range(3))
    assert_same((a + b) + c, a + (b + c))


@given(**sizes)
def test_addition_is_commutative(name, d, k, seed):
    rng = np.random.default_rng(seed)
    a, b = (draw(name, k, d, rng) for _ in range(2))
    assert_same(a + b, b + a)


@given(**sizes)
def test_zero_is_neutral(name, d, k, seed):
    rng = np.random.default_rng(seed)
    a, zero = draw(name, k, d, rng), Moments.zero(STRUCTURES[name].form, k, d)
    assert_same(a + zero, a)
    assert_same(zero + a, a)
    about_zero = draw(name, k, d, rng, centres=np.zeros((k, d)))
    for field in ("counts", "first", "second", "pooled"):
        assert_array_equal(getattr(zero + about_zero, field), getattr(about_zero, field))
    assert zero.weight == 0.0


@given(**sizes)
def test_halves_add_to_the_whole(name, d, k, seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 60))
    cut = int(rng.integers(1, n))
    X, R, w = rng.normal(size=(n, d)), rng.dirichlet(np.ones(k), size=n), rng.uniform(0.1, 2.0, n)
    one, other = rng.normal(size=(2, k, d))
    halves = stats_of(name, X[:cut], R[:cut], w[:cut], one) + stats_of(name, X[cut:], R[cut:], w[cut:], other)
    assert_same(halves, stats_of(name, X, R, w))
    assert halves.weight == pytest.approx(w.sum(), rel=1e-12)


def draw_pass(name, k, d, rng, asked=True):
    """The result of a pass over random rows."""
    return Pass(draw(name, k, d, rng), rng.normal(size=1), float(rng.uniform()) if asked else None)


@given(**sizes)
def test_results_of_passes_add(name, d, k, seed):
    """In any order and grouping; the entropy is known if both are."""
    rng = np.random.default_rng(seed)
    a, b, c = (draw_pass(name, k, d, rng) for _ in range(3))
    for one, other in ((a + b, b + a), ((a + b) + c, a + (b + c))):
        assert_same(one.moments, other.moments)
        assert one.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-12)
        assert one.entropy == pytest.approx(other.entropy, rel=1e-12)
        assert one.kept_weight == pytest.approx(one.moments.weight)
    assert_allclose((a + b).log_likelihood, a.log_likelihood + b.log_likelihood, rtol=0, atol=1e-12)
    assert (a + draw_pass(name, k, d, rng, asked=False)).entropy is None


@given(**sizes)
def test_scaling_is_a_change_of_every_weight(name, d, k, seed):
    rng = np.random.default_rng(seed)
    a, b = (draw(name, k, d, rng) for _ in range(2))
    assert_same(a.scale(2.0), a + a)
    assert_same(a.scale(3.0).scale(0.25), a.scale(0.75))
    assert_same((a + b).scale(0.3), a.scale(0.3) + b.scale(0.3))
    assert_same(a.scale(0.0) + b, b)
    assert_allclose(a.scale(5.0).means(), a.means(), rtol=1e-12)
    assert_allclose(a.scale(5.0).covariances(), a.covariances(), rtol=1e-9, atol=1e-12)


@given(**sizes)
def test_rebasing_there_and_back(name, d, k, seed):
    rng = np.random.default_rng(seed)
    a = draw(name, k, d, rng)
    there = rng.normal(size=(k, d))
    assert_same(a.rebase(there).rebase(a.centres), a)
    assert_array_equal(a.rebase(there).centres, there)


@given(**sizes)
def test_rebased_statistics_are_those_taken_about_the_other_points(name, d, k, seed):
    rng = np.random.default_rng(seed)
    X, R, w = rng.normal(size=(30, d)), rng.dirichlet(np.ones(k), size=30), rng.uniform(0.1, 2.0, 30)
    one, other = rng.normal(size=(2, k, d))
    assert_same(stats_of(name, X, R, w, one).rebase(other), stats_of(name, X, R, w, other))


@given(**sizes)
def test_moments_do_not_depend_on_the_points(name, d, k, seed):
    """They are the weighted mean and covariance of each component, by definition."""
    rng = np.random.default_rng(seed)
    X, R, w = rng.normal(size=(40, d)), rng.dirichlet(np.ones(k), size=40), rng.uniform(0.1, 2.0, 40)
    stats = stats_of(name, X, R, w, rng.normal(size=(k, d)))
    form = STRUCTURES[name].form
    covariances = []
    for j in range(k):
        share = w * R[:, j]
        mean = share @ X / share.sum()
        assert_allclose(stats.means()[j], mean, rtol=1e-10, atol=1e-12)
        centred = X - mean
        covariances.append((share * centred.T) @ centred / share.sum())
    diagonals = np.einsum("kii->ki", covariances)
    expected = {"vech": np.array(covariances), "squares": diagonals, "radial": diagonals.sum(axis=1)}
    if form.own.name in expected:
        assert_allclose(stats.covariances(), expected[form.own.name], rtol=1e-9, atol=1e-11)
    if form.pooled.general:
        shares = (w[:, None] * R).sum(axis=0) / w.sum()
        assert_allclose(
            stats.pooled_covariances()[0], np.tensordot(shares, covariances, axes=1), rtol=1e-9, atol=1e-11
        )


@given(**sizes)
def test_a_component_without_rows_has_its_centre_for_a_mean(name, d, k, seed):
    rng = np.random.default_rng(seed)
    X, R = rng.normal(size=(20, d)), np.zeros((20, k + 1))
    R[:, :k] = rng.dirichlet(np.ones(k), size=20)
    centres = rng.normal(size=(k + 1, d))
    stats = stats_of(name, X, R, centres=centres)
    assert_array_equal(stats.means()[k], centres[k])
    assert np.isfinite(stats.covariances()).all()


def test_statistics_of_different_mixtures_do_not_add(name):
    rng = np.random.default_rng(0)
    a = draw(name, 3, 2, rng)
    for other in (draw(name, 2, 2, rng), draw(name, 3, 4, rng)):
        with pytest.raises(ValueError, match="statistics of different mixtures cannot be added"):
            a + other
    unlike = dataclasses.replace(a, form=Form(own=VECH, pooled=VECH))
    with pytest.raises(ValueError, match="statistics of different mixtures cannot be added"):
        a + unlike


def test_statistics_are_frozen(name):
    a = draw(name, 2, 2, np.random.default_rng(0))
    before = [getattr(a, field).copy() for field in ("counts", "first", "second", "pooled", "centres")]
    _ = a + a, a.scale(3.0), a.rebase(a.centres + 1.0), a.means(), a.covariances(), a.rebase(a.centres) + a
    for field, value in zip(("counts", "first", "second", "pooled", "centres"), before, strict=True):
        assert_array_equal(getattr(a, field), value)
    with pytest.raises(dataclasses.FrozenInstanceError):
        a.counts = np.zeros(2)
