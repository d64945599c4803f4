"""Second-order features: packed, unpacked, and paired with coefficients they give the quadratic form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gaussmix.model.moments.blocks import (
    BLOCKS,
    Form,
    block_size,
    fill,
    natural_block,
    outer,
    pack,
    symmetric_outer,
    unpack,
)

problems = {"d": st.integers(1, 9), "m": st.integers(1, 5), "seed": st.integers(0, 2**32 - 1)}


@pytest.fixture(params=BLOCKS)
def block(request):
    return request.param


def moments_of(block, matrices):
    """What a block keeps of matrices (m, d, d), as `unpack` shows it."""
    diagonals = np.einsum("mii->mi", matrices)
    return {
        "vech": matrices,
        "squares": diagonals,
        "radial": diagonals.sum(axis=1),
        "none": matrices[:, :0, 0],
    }[block]


@pytest.mark.parametrize(("block", "size"), [("vech", 10), ("squares", 4), ("radial", 1), ("none", 0)])
def test_sizes_in_four_dimensions(block, size):
    assert block_size(block, 4) == size
    assert Form(own=block, pooled="none").n_features(4) == 1 + 4 + size


@pytest.mark.parametrize("block", BLOCKS)
@given(**problems)
def test_unpacking_a_packed_outer_product_gives_it_back(block, d, m, seed):
    V = np.random.default_rng(seed).normal(size=(m, d))
    packed = outer(V, block)
    assert packed.shape == (m, block_size(block, d))
    assert_allclose(unpack(packed, d, block), moments_of(block, V[:, :, None] * V[:, None, :]), rtol=1e-13)


@pytest.mark.parametrize("block", BLOCKS)
@given(**problems)
def test_packing_a_matrix_and_unpacking_it(block, d, m, seed):
    rng = np.random.default_rng(seed)
    matrices = rng.normal(size=(m, d, d))
    matrices = matrices + matrices.transpose(0, 2, 1)
    packed = np.array([pack(matrix, block) for matrix in matrices])
    assert packed.shape == (m, block_size(block, d))
    assert_allclose(unpack(packed, d, block), moments_of(block, matrices), rtol=1e-13)
    V = rng.normal(size=d)
    assert_allclose(pack(np.outer(V, V), block), outer(V[None], block)[0], rtol=1e-13)


@pytest.mark.parametrize("block", BLOCKS)
@given(**problems)
def test_the_cross_term_of_a_sum(block, d, m, seed):
    u, v = np.random.default_rng(seed).normal(size=(2, m, d))
    total = outer(u, block) + symmetric_outer(u, v, block) + outer(v, block)
    assert_allclose(total, outer(u + v, block), rtol=1e-12, atol=1e-12)
    assert_allclose(symmetric_outer(u, v, block), symmetric_outer(v, u, block), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("block", BLOCKS)
@given(**problems)
def test_features_of_columns(block, dtype, d, m, seed):
    Z = np.random.default_rng(seed).normal(size=(d, m)).astype(dtype)
    T = np.full((Form(block, "none").n_features(d), m), np.nan, dtype)
    fill(T, Z, block)
    assert_array_equal(T[0], 1.0)
    assert_array_equal(T[1 : 1 + d], Z)
    expected = outer(Z.T.astype(np.float64), block).T
    assert_allclose(T[1 + d :], expected, rtol=1e-6 if dtype == np.float32 else 1e-13)


@pytest.mark.parametrize("block", [block for block in BLOCKS if block != "none"])
@given(**problems)
def test_coefficients_times_features_are_the_quadratic_form(block, d, m, seed):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(m, d, d))
    precisions = {
        "vech": root @ root.transpose(0, 2, 1),
        "squares": rng.uniform(0.1, 2.0, size=(m, d)),
        "radial": rng.uniform(0.1, 2.0, size=m),
    }[block]
    dense = {
        "vech": precisions,
        "squares": np.einsum("md,de->mde", np.atleast_2d(precisions), np.eye(d))
        if block == "squares"
        else None,
        "radial": np.multiply.outer(precisions, np.eye(d)) if block == "radial" else None,
    }[block]
    z = rng.normal(size=(6, d))
    actual = natural_block(precisions, block) @ outer(z, block).T
    expected = -0.5 * np.einsum("nd,mde,ne->mn", z, dense, z)
    assert_allclose(actual, expected, rtol=1e-11, atol=1e-12)


def test_no_block_has_no_coefficients():
    assert natural_block(np.empty((3, 0)), "none").shape == (3, 0)
