"""Second-order features: packed, unpacked, and paired with coefficients they give the quadratic form."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gaussmix.model.moments.blocks import BLOCKS, NONE, RADIAL, SQUARES, VECH, AlongAxes, Form

every_block = pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
problems = {"d": st.integers(1, 9), "m": st.integers(1, 5), "seed": st.integers(0, 2**32 - 1)}


def moments_of(block, matrices):
    """What a block keeps of matrices (m, d, d), as `unpack` shows it."""
    diagonals = np.einsum("mii->mi", matrices)
    return {
        "vech": matrices,
        "squares": diagonals,
        "radial": diagonals.sum(axis=1),
        "none": matrices[:, :0, 0],
    }[block.name]


@pytest.mark.parametrize(("block", "size"), [(VECH, 10), (SQUARES, 4), (RADIAL, 1), (NONE, 0)])
def test_sizes_in_four_dimensions(block, size):
    assert block.size(4) == block.n_features(4) == size
    assert Form(own=block).n_features(4) == 1 + 4 + size
    assert block.empty == (size == 0)


@every_block
@given(**problems)
def test_unpacking_a_packed_outer_product_gives_it_back(block, d, m, seed):
    V = np.random.default_rng(seed).normal(size=(m, d))
    packed = block.outer(V)
    assert packed.shape == (m, block.size(d))
    assert_allclose(block.unpack(packed, d), moments_of(block, V[:, :, None] * V[:, None, :]), rtol=1e-13)


@every_block
@given(**problems)
def test_packing_a_matrix_and_unpacking_it(block, d, m, seed):
    rng = np.random.default_rng(seed)
    matrices = rng.normal(size=(m, d, d))
    matrices = matrices + matrices.transpose(0, 2, 1)
    packed = np.array([block.pack(matrix) for matrix in matrices])
    assert packed.shape == (m, block.size(d))
    assert_allclose(block.unpack(packed, d), moments_of(block, matrices), rtol=1e-13)
    V = rng.normal(size=d)
    assert_allclose(block.pack(np.outer(V, V)), block.outer(V[None])[0], rtol=1e-13)


@every_block
@given(**problems)
def test_the_cross_term_of_a_sum(block, d, m, seed):
    u, v = np.random.default_rng(seed).normal(size=(2, m, d))
    total = block.outer(u) + block.cross(u, v) + block.outer(v)
    assert_allclose(total, block.outer(u + v), rtol=1e-12, atol=1e-12)
    assert_allclose(block.cross(u, v), block.cross(v, u), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@every_block
@given(**problems)
def test_features_of_columns(block, dtype, d, m, seed):
    Z = np.random.default_rng(seed).normal(size=(d, m)).astype(dtype)
    T = np.full((Form(block).n_features(d), m), np.nan, dtype)
    block.fill(T, Z)
    assert_array_equal(T[0], 1.0)
    assert_array_equal(T[1 : 1 + d], Z)
    expected = block.outer(Z.T.astype(np.float64)).T
    assert_allclose(T[1 + d :], expected, rtol=1e-6 if dtype == np.float32 else 1e-13)


@pytest.mark.parametrize("block", [VECH, SQUARES, RADIAL], ids=lambda block: block.name)
@given(**problems)
def test_coefficients_times_features_are_the_quadratic_form(block, d, m, seed):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(m, d, d))
    precisions = {
        "vech": root @ root.transpose(0, 2, 1),
        "squares": rng.uniform(0.1, 2.0, size=(m, d)),
        "radial": rng.uniform(0.1, 2.0, size=m),
    }[block.name]
    dense = {
        "vech": precisions,
        "squares": np.einsum("md,de->mde", np.atleast_2d(precisions), np.eye(d))
        if block is SQUARES
        else None,
        "radial": np.multiply.outer(precisions, np.eye(d)) if block is RADIAL else None,
    }[block.name]
    z = rng.normal(size=(6, d))
    actual = block.coefficients(precisions) @ block.outer(z).T
    expected = -0.5 * np.einsum("nd,mde,ne->mn", z, dense, z)
    assert_allclose(actual, expected, rtol=1e-11, atol=1e-12)


def test_no_block_has_no_coefficients():
    assert NONE.coefficients(np.empty((3, 0))).shape == (3, 0)


@every_block
@given(**problems)
def test_a_scatter_is_the_sum_of_weighted_features(block, d, m, seed):
    rng = np.random.default_rng(seed)
    Z, r = rng.normal(size=(d, m)), rng.uniform(size=m)
    assert_allclose(block.scatter(Z, r), r @ block.outer(Z.T), rtol=1e-12, atol=1e-14)


@given(**problems, q=st.integers(1, 3))
def test_moments_along_axes_are_squares_and_products_with_the_projections(d, m, seed, q):
    u, v = np.random.default_rng(seed).normal(size=(2, m, d))
    axes, block = np.random.default_rng(seed + 1).normal(size=(m, d, q)), AlongAxes(q)
    packed = block.outer(v, axes)
    assert packed.shape == (m, block.size(d)) and block.n_features(d) == d
    assert_allclose(packed[:, :d], v * v)
    projections = np.einsum("mdq,md->mq", axes, v)
    assert_allclose(packed[:, d:].reshape(m, q, d), np.einsum("mq,md->mqd", projections, v), rtol=1e-12)
    total = packed + block.cross(u, v, axes) + block.outer(u, axes)
    assert_allclose(total, block.outer(u + v, axes), rtol=1e-10, atol=1e-10)


def test_blocks_are_values():
    blocks = {*BLOCKS, AlongAxes(1), AlongAxes(2)}
    assert len(blocks) == len(BLOCKS) + 2
    for block in blocks:
        assert copy.deepcopy(block) == block and copy.deepcopy(block) in blocks
