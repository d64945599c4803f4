"""A mixture is a distribution: it integrates to one, its samples have its moments, maps act on all of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gaussmix import Mixture
from gaussmix.model.covariance import STRUCTURES
from gaussmix.model.moments.frame import Frame
from tests.helpers import assert_same_mixture, best_covariances, direct_log_prob, random_mixture, random_stats

problems = {"d": st.integers(1, 6), "k": st.integers(1, 5), "seed": st.integers(0, 2**32 - 1)}


@given(k=st.integers(1, 5), seed=st.integers(0, 2**32 - 1))
def test_a_density_on_the_line_integrates_to_one(name, k, seed):
    mixture = random_mixture(name, k, 1, np.random.default_rng(seed))
    deviations = np.sqrt(mixture.variances[:, 0])
    low, high = (mixture.means[:, 0] - 12 * deviations).min(), (mixture.means[:, 0] + 12 * deviations).max()
    x = np.arange(low, high, deviations.min() / 4)
    assert_allclose(np.exp(mixture.log_prob(x[:, None])).sum() * (x[1] - x[0]), 1.0, rtol=1e-10)


@given(k=st.integers(1, 3), seed=st.integers(0, 2**32 - 1))
def test_a_density_in_the_plane_integrates_to_one(name, k, seed):
    """By the trapezium rule along the principal axes of one component at a time, which is exact for it."""
    mixture = random_mixture(name, k, 2, np.random.default_rng(seed))
    grid = np.linspace(-9.0, 9.0, 91)
    noise = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    total = 0.0
    for j, (mean, covariance) in enumerate(zip(mixture.means, mixture.dense_covariances, strict=True)):
        root = np.linalg.cholesky(covariance)
        X = noise @ root.T + mean
        share = np.exp(mixture.log_prob(X)) * mixture.responsibilities(X)[:, j]
        total += share.sum() * (grid[1] - grid[0]) ** 2 * np.linalg.det(root)
    assert_allclose(total, 1.0, rtol=1e-9)


@given(**problems)
def test_samples_have_the_moments_of_the_mixture(name, d, k, seed):
    rng = np.random.default_rng(seed)
    mixture, n = random_mixture(name, k, d, rng), 4000
    X, labels = mixture.sample(n, rng)
    assert X.shape == (n, d) and labels.shape == (n,) and labels.dtype == np.int64
    sigmas = 6.0
    share = np.bincount(labels, minlength=k) / n
    assert (np.abs(share - mixture.weights) <= sigmas * np.sqrt(mixture.weights / n)).all()
    for j, (mean, covariance) in enumerate(zip(mixture.means, mixture.dense_covariances, strict=True)):
        rows = X[labels == j]
        white = np.linalg.solve(np.linalg.cholesky(covariance), (rows - mean).T)
        assert (np.abs(white.mean(axis=1)) <= sigmas / np.sqrt(len(rows))).all()
        second = white @ white.T / len(rows) - np.eye(d)
        assert (np.abs(second) <= 1.5 * sigmas / np.sqrt(len(rows))).all()
    deviation = np.sqrt(np.diagonal(mixture.covariance))
    assert (np.abs(X.mean(axis=0) - mixture.mean) <= sigmas * deviation / np.sqrt(n)).all()
    # the mean of -log p over samples is the entropy; here: both ways of computing it agree
    assert_allclose(mixture.log_prob(X).mean(), direct_log_prob(mixture, X).mean(), rtol=1e-10)


@given(**problems)
def test_labels_of_samples_follow_the_responsibilities(name, d, k, seed):
    """Given a sample, the label is drawn from its responsibilities: their sums must meet."""
    rng = np.random.default_rng(seed)
    mixture, n = random_mixture(name, k, d, rng), 2000
    X, labels = mixture.sample(n, rng)
    R = mixture.responsibilities(X)
    surprise = np.bincount(labels, minlength=k) - R.sum(axis=0)
    assert (np.abs(surprise) <= 6.0 * np.sqrt((R * (1.0 - R)).sum(axis=0)) + 1e-6).all()


def test_a_generator_goes_on_and_a_seed_starts_anew(name):
    mixture = random_mixture(name, 3, 2, np.random.default_rng(0))
    generator = np.random.default_rng(5)
    first, second = mixture.sample(6, generator), mixture.sample(6, generator)
    assert not np.isclose(first[0], second[0]).any()
    assert_allclose(mixture.sample(6, 5)[0], first[0], rtol=0)
    assert_allclose(mixture.sample(6, 5)[1], first[1], rtol=0)
    assert not np.isclose(mixture.sample(6)[0], mixture.sample(6)[0]).any()


@given(**problems)
def test_seen_from_a_frame_it_is_the_same_distribution(name, d, k, seed):
    rng = np.random.default_rng(seed)
    mixture = random_mixture(name, k, d, rng)
    frame = Frame.of_moments(
        rng.normal(size=d), mixture.covariance, STRUCTURES[name].group, np.dtype(np.float64)
    )
    X, _ = mixture.sample(20, rng)
    seen = mixture.seen_from(frame)
    Z = frame.apply(X).T
    assert_allclose(seen.log_prob(Z) + frame.log_det, mixture.log_prob(X), rtol=1e-9, atol=1e-9)
    assert_allclose(seen.responsibilities(Z), mixture.responsibilities(X), atol=1e-8)
    back = seen.mapped(frame.inverse, frame.matrix, frame.origin)
    assert_same_mixture(back, mixture, 1e-11)
    assert_allclose(back.precisions_cholesky, mixture.precisions_cholesky, rtol=1e-8, atol=1e-10)


@given(**problems)
def test_a_structure_is_consistent_with_itself(name, d, k, seed):
    """Roots, precisions, determinants and matrices are of one and the same covariance."""
    rng = np.random.default_rng(seed)
    structure = STRUCTURES[name]
    stats = random_stats(name, k, d, rng)
    covariances, algebra = structure.estimate(stats), structure.algebra
    assert covariances.shape == (1 if structure.shared else k, *algebra.shape(d))
    assert structure.unstack(covariances).shape == structure.shape(k, d)
    assert_array_equal(structure.stack(structure.unstack(covariances), d), covariances)
    dense, roots = algebra.to_dense(covariances, k, d), structure.find_roots(covariances)
    assert dense.shape == (k, d, d)
    assert_allclose(dense, np.swapaxes(dense, 1, 2), rtol=1e-12)
    assert_allclose(algebra.variances(covariances, k, d), np.einsum("kii->ki", dense), rtol=1e-12)
    log_det = np.broadcast_to(algebra.log_det(roots, d), (k,))
    assert_allclose(log_det, -0.5 * np.linalg.slogdet(dense)[1], rtol=1e-9, atol=1e-9)
    V = rng.normal(size=(k, d))
    distance = np.einsum("kd,kd->k", V, np.linalg.solve(dense, V[:, :, None])[:, :, 0])
    whitened = algebra.whiten(roots, V)
    assert_allclose((whitened**2).sum(axis=1), distance, rtol=1e-8)
    assert_allclose(np.einsum("kd,kd->k", V, algebra.unwhiten(roots, whitened)), distance, rtol=1e-8)
    tolerance = {"rtol": 1e-8, "atol": 1e-9 * np.abs(covariances).max()}
    assert_allclose(algebra.covariances_of_roots(roots), covariances, **tolerance)
    precisions = algebra.precisions(roots)
    assert precisions.shape == covariances.shape
    assert_allclose(
        algebra.roots_of_precisions(precisions), roots, rtol=1e-7, atol=1e-9 * np.abs(roots).max()
    )


@given(**problems, amount=st.floats(1e-6, 10.0))
def test_the_ridge_is_a_multiple_of_the_identity_in_the_units_of_the_data(name, d, k, seed, amount):
    rng = np.random.default_rng(seed)
    structure, mixture = STRUCTURES[name], random_mixture(name, k, d, rng)
    frame = Frame.of_moments(mixture.mean, mixture.covariance, structure.group, np.dtype(np.float64))
    algebra, ridge = structure.algebra, structure.algebra.map_variances(np.full(d, amount), frame)
    seen = algebra.add_ridge(algebra.map_covariances(mixture.covariance_stack, frame.matrix), ridge)
    ridged = algebra.to_dense(algebra.map_covariances(seen, frame.inverse), k, d)
    expected = mixture.dense_covariances + amount * np.eye(d)
    assert_allclose(ridged, expected, rtol=1e-9, atol=1e-11 * np.abs(expected).max())


COUNTS = {
    "full": lambda k, d: k * d * (d + 1) // 2,
    "tied": lambda k, d: d * (d + 1) // 2,
    "diag": lambda k, d: k * d,
    "spherical": lambda k, d: k,
}
#: As in mclust: volumes, shapes of d - 1 and orientations of d (d - 1) / 2 numbers, one or one a component.
CURVED = {
    "EII": lambda k, d: 1,
    "EEI": lambda k, d: d,
    "VEI": lambda k, d: k + (d - 1),
    "EVI": lambda k, d: 1 + k * (d - 1),
    "VEE": lambda k, d: k + (d - 1) + d * (d - 1) // 2,
    "EVE": lambda k, d: 1 + k * (d - 1) + d * (d - 1) // 2,
    "VVE": lambda k, d: k + k * (d - 1) + d * (d - 1) // 2,
    "EEV": lambda k, d: 1 + (d - 1) + k * d * (d - 1) // 2,
    "VEV": lambda k, d: k + (d - 1) + k * d * (d - 1) // 2,
    "EVV": lambda k, d: 1 + k * (d - 1) + k * d * (d - 1) // 2,
}


@pytest.mark.parametrize("name", CURVED)
@given(d=st.integers(1, 5), k=st.integers(1, 4))
def test_the_parameters_of_curved_families_are_counted(name, d, k):
    assert STRUCTURES[name].n_covariance_parameters(k, d) == CURVED[name](k, d)


def test_every_family_is_counted():
    assert {*COUNTS, *CURVED} == set(STRUCTURES)


@pytest.mark.parametrize("name", COUNTS)
@given(d=st.integers(1, 4), k=st.integers(1, 4), seed=st.integers(0, 2**32 - 1))
def test_the_parameters_are_counted(name, d, k, seed):
    rng = np.random.default_rng(seed)
    assert random_mixture(name, k, d, rng).n_parameters == (k - 1) + k * d + COUNTS[name](k, d)
    # these families are linear: as many parameters as their members span dimensions
    structure = STRUCTURES[name]
    members = [structure.estimate(random_stats(name, k, d, rng)) for _ in range(COUNTS[name](k, d) + 5)]
    span = np.array([structure.algebra.to_dense(member, k, d).ravel() for member in members])
    span /= np.abs(span).max(axis=1, keepdims=True)
    assert np.linalg.matrix_rank(span, tol=1e-8) == structure.n_covariance_parameters(k, d)


def test_every_table_row_has_its_name():
    for name, structure in STRUCTURES.items():
        assert structure.name == name
        covariances = best_covariances(name, random_stats(name, 2, 3, np.random.default_rng(0)))
        assert Mixture([0.5, 0.5], np.zeros((2, 3)), covariances, name).structure is structure
