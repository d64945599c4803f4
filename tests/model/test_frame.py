"""Frames: the map, its inverse and its determinant belong together, and the map whitens."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gaussmix.model.moments.frame import Frame

GROUPS = ("affine", "scale", "uniform")
DOUBLE = np.dtype(np.float64)
problems = {"d": st.integers(1, 7), "seed": st.integers(0, 2**32 - 1)}


def moments(d, rng):
    root = rng.normal(size=(d, d)) * 10.0 ** rng.uniform(-4, 4, size=(d, 1))
    return 10.0 ** rng.uniform(-3, 3) * rng.normal(size=d), root @ root.T + 1e-3 * np.diag(
        (root**2).sum(axis=1)
    )


def matrix(array, d):
    return array if array.ndim == 2 else np.diag(np.broadcast_to(array, (d,)))


@pytest.mark.parametrize("group", GROUPS)
@given(**problems)
def test_map_inverse_and_determinant_belong_together(group, d, seed):
    rng = np.random.default_rng(seed)
    frame = Frame.of_moments(*moments(d, rng), group, DOUBLE)
    A, inverse = matrix(frame.matrix, d), matrix(frame.inverse, d)
    scale = np.abs(A) @ np.abs(inverse)
    assert (np.abs(A @ inverse - np.eye(d)) <= 1e-13 * scale.max()).all()
    assert_allclose(frame.log_det, np.linalg.slogdet(A)[1], rtol=1e-10, atol=1e-10)
    assert frame.matrix.ndim == {"affine": 2, "scale": 1, "uniform": 0}[group]
    X = rng.normal(size=(9, d))
    assert_allclose(frame.apply(X), A @ (X - frame.origin).T, rtol=1e-9, atol=1e-9 * np.abs(A).max())


@given(**problems)
def test_the_affine_frame_whitens(d, seed):
    rng = np.random.default_rng(seed)
    mean, covariance = moments(d, rng)
    frame = Frame.of_moments(mean, covariance, "affine", DOUBLE)
    assert_array_equal(frame.origin, mean)
    assert_allclose(frame.matrix @ covariance @ frame.matrix.T, np.eye(d), atol=1e-5)
    assert_array_equal(frame.matrix, np.tril(frame.matrix))


@given(**problems)
def test_the_other_frames_scale(d, seed):
    rng = np.random.default_rng(seed)
    mean, covariance = moments(d, rng)
    variances = np.diagonal(covariance)
    scale = Frame.of_moments(mean, covariance, "scale", DOUBLE)
    assert_allclose(scale.matrix**2 * variances, 1.0, rtol=1e-12)
    assert_allclose(Frame.of_moments(mean, variances, "scale", DOUBLE).matrix, scale.matrix, rtol=1e-12)
    uniform = Frame.of_moments(mean, variances, "uniform", DOUBLE)
    assert_allclose(uniform.matrix**2 * variances.mean(), 1.0, rtol=1e-12)


@pytest.mark.parametrize("group", GROUPS)
@given(**problems)
def test_the_frame_follows_the_units(group, d, seed):
    """Scaled moments give the scaled frame: coordinates have no units."""
    rng = np.random.default_rng(seed)
    mean, covariance = moments(d, rng)
    X = mean + np.sqrt(np.diagonal(covariance)) * rng.normal(size=(5, d))
    factor = 10.0 ** rng.uniform(-12, 12)
    plain = Frame.of_moments(mean, covariance, group, DOUBLE).apply(X)
    scaled = Frame.of_moments(factor * mean, factor**2 * covariance, group, DOUBLE).apply(factor * X)
    assert_allclose(scaled, plain, rtol=1e-6, atol=1e-6 * np.abs(plain).max())


@pytest.mark.parametrize("group", GROUPS)
def test_features_without_spread_are_seen_in_units_of_their_size(group):
    frame = Frame.of_moments(np.array([1.0, 5.0]), np.diag([4.0, 0.0]), group, DOUBLE)
    A = matrix(frame.matrix, 2)
    assert np.isfinite(A).all() and np.isfinite(frame.log_det)
    if group != "uniform":
        assert_allclose(np.diagonal(A), [0.5, 0.2], rtol=1e-6)
    nothing = Frame.of_moments(np.zeros(2), np.zeros((2, 2)), group, DOUBLE)
    assert_allclose(matrix(nothing.matrix, 2), np.eye(2), rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_collinear_features_are_stretched_within_bounds(dtype):
    """Two equal columns: whitening their difference would be noise alone."""
    covariance = np.ones((3, 3)) + np.diag([0.0, 0.0, 1.0])
    frame = Frame.of_moments(np.zeros(3), covariance, "affine", np.dtype(dtype))
    assert np.isfinite(frame.matrix).all()
    assert np.abs(frame.matrix).max() < 1.0 / np.sqrt(1e-3 * np.sqrt(np.finfo(dtype).eps))


def test_the_origin_is_a_number_of_the_rows_type():
    """So that it can be subtracted from float32 rows without rounding it first."""
    mean = np.array([1.0 / 3.0, 1e5 + 1.0 / 3.0])
    frame = Frame.of_moments(mean, np.ones(2), "scale", np.dtype(np.float32))
    assert_array_equal(frame.origin, mean.astype(np.float32).astype(np.float64))
    X = mean[None].astype(np.float32)
    assert frame.apply(X).dtype == np.float32
    assert_array_equal(frame.apply(X), np.zeros((2, 1)))
