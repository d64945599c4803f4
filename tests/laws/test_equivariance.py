"""A fit does not depend on the order of rows, components or features, nor on the units of the data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gaussmix import Mixture, fit_mixture
from gaussmix.model.covariance import STRUCTURES
from tests.helpers import (
    EXECUTORS,
    NAMES,
    assert_same_mixture,
    environment,
    has_matrices,
    near,
    random_mixture,
)

problems = {"d": st.integers(1, 5), "k": st.integers(1, 4), "seed": st.integers(0, 2**32 - 1)}
N_ITER = 5


def draw(name, k, d, seed):
    rng = np.random.default_rng(seed)
    mixture = random_mixture(name, k, d, rng)
    X, _ = mixture.sample(40 * k * (d + 1), rng)
    return X, near(mixture, rng), rng


def fit(X, start, reg_covar=0.0, weights=None):
    result = fit_mixture(
        X,
        start.n_components,
        covariance_type=start.covariance_type,
        start=start,
        sample_weight=weights,
        reg_covar=reg_covar,
        tol=0.0,
        max_iter=N_ITER,
    )
    assert result.n_iter == N_ITER
    return result


def of_components(mixture, order):
    """The mixture with its components in another order."""
    structure = STRUCTURES[mixture.covariance_type]
    own = structure.shape(2, 3)[0] != structure.shape(4, 3)[0]  # one entry a component
    covariances = mixture.covariances[order] if own else mixture.covariances
    return Mixture(mixture.weights[order], mixture.means[order], covariances, mixture.covariance_type)


def mapped(mixture, A, b):
    """The mixture of A x + b; A a matrix, for families closed under all of them, a diagonal, or a number."""
    structure = STRUCTURES[mixture.covariance_type]
    A = np.asarray(A)
    means = mixture.means @ A.T if A.ndim == 2 else mixture.means * A
    C = mixture.covariances
    matrices = A.ndim == 2 and structure.group == "affine"
    covariances = A @ C @ A.T if matrices else structure.algebra.map_covariances(C, A)
    if A.ndim == 2:
        covariances = (covariances + np.swapaxes(covariances, -1, -2)) / 2
    return Mixture(mixture.weights, means + b, covariances, mixture.covariance_type)


def unit_covariances(name, k, d):
    structure = STRUCTURES[name]
    unit = np.eye(d) if has_matrices(name) else 1.0
    return np.broadcast_to(unit, structure.shape(k, d))


def assert_equivariant(X, start, A, b, rtol=1e-8):
    A = np.asarray(A)
    Y = (X @ A.T if A.ndim == 2 else X * A) + b
    d = X.shape[1]
    log_det = np.linalg.slogdet(A if A.ndim == 2 else np.diag(np.broadcast_to(A, (d,))))[1]
    plain, other = fit(X, start), fit(Y, mapped(start, A, b))
    assert_same_mixture(other.mixture, mapped(plain.mixture, A, b), rtol)
    assert_allclose(np.add(other.history, log_det), plain.history, rtol=0, atol=rtol)


@given(**problems)
def test_the_order_of_the_components_is_kept(name, d, k, seed):
    X, start, rng = draw(name, k, d, seed)
    order = rng.permutation(k)
    plain, other = fit(X, start), fit(X, of_components(start, order))
    assert_same_mixture(other.mixture, of_components(plain.mixture, order), 1e-9)
    assert_allclose(other.history, plain.history, rtol=1e-11)
    assert_allclose(other.mixture.responsibilities(X), plain.mixture.responsibilities(X)[:, order], atol=1e-7)


@given(**problems, weighted=st.booleans())
def test_the_order_of_the_rows_does_not_matter(name, d, k, seed, weighted):
    X, start, rng = draw(name, k, d, seed)
    weights = rng.uniform(0.1, 2.0, len(X)) if weighted else np.ones(len(X))
    order = rng.permutation(len(X))
    plain, other = fit(X, start, weights=weights), fit(X[order], start, weights=weights[order])
    assert_same_mixture(other.mixture, plain.mixture, 1e-9)
    assert_allclose(other.history, plain.history, rtol=1e-11)
    assert_allclose(
        plain.mixture.log_prob(X)[order], plain.mixture.log_prob(X[order]), rtol=1e-10, atol=1e-10
    )


@given(**problems)
def test_the_order_of_the_features_does_not_matter(name, d, k, seed):
    X, start, rng = draw(name, k, d, seed)
    order = rng.permutation(d)

    def permuted(covariances):
        for axis, size in enumerate(STRUCTURES[name].shape(101, 103)):
            covariances = np.take(covariances, order, axis) if size == 103 else covariances
        return covariances

    other = fit(X[:, order], Mixture(start.weights, start.means[:, order], permuted(start.covariances), name))
    plain = fit(X, start)
    expected = Mixture(
        plain.mixture.weights, plain.mixture.means[:, order], permuted(plain.mixture.covariances), name
    )
    assert_same_mixture(other.mixture, expected, 1e-9)
    assert_allclose(other.history, plain.history, rtol=1e-10)


@given(**problems)
def test_scaled_features_give_the_scaled_fit(name, d, k, seed):
    """Every family for one factor, those that are closed under it for one a feature."""
    X, start, rng = draw(name, k, d, seed)
    factors = 10.0 ** rng.uniform(-6, 6, size=d)
    assert_equivariant(X, start, factors[0], 0.0)
    if STRUCTURES[name].group != "uniform":
        assert_equivariant(X, start, factors, 0.0)


@given(**problems)
def test_shifted_data_give_the_shifted_fit(name, d, k, seed):
    X, start, rng = draw(name, k, d, seed)
    # to the rounding of the shifted rows themselves
    assert_equivariant(X, start, 1.0, 1e3 * X.std(axis=0) * rng.normal(size=d))


@given(**problems)
def test_a_shift_by_a_hundred_million_deviations_costs_only_its_rounding(name, d, k, seed):
    """On a grid of powers of two the shifted rows are exact, so that the covariances have nothing to lose."""
    X, start, rng = draw(name, k, d, seed)
    X = np.round(X / X.std(axis=0) * 2.0**18) / 2.0**18
    means = X[rng.choice(len(X), k, replace=False)]
    start = Mixture(start.weights, means, unit_covariances(name, k, d), name)
    shift = 2.0**27
    plain, other = (
        fit(X, start),
        fit(X + shift, Mixture(start.weights, start.means + shift, start.covariances, name)),
    )
    assert_allclose(other.mixture.weights, plain.mixture.weights, rtol=1e-6)
    assert_allclose(other.mixture.means - shift, plain.mixture.means, rtol=0, atol=1e-6)
    assert_allclose(other.mixture.covariances, plain.mixture.covariances, rtol=1e-6, atol=1e-6)
    assert_allclose(other.history, plain.history, rtol=1e-7)


@pytest.mark.parametrize("name", [name for name in NAMES if STRUCTURES[name].group == "affine"])
@given(**problems)
def test_turned_data_give_the_turned_fit(name, d, k, seed):
    """Rotations, and any other affine map, for the families that are closed under them."""
    X, start, rng = draw(name, k, d, seed)
    rotation = np.linalg.qr(rng.normal(size=(d, d)))[0]
    assert_equivariant(X, start, rotation, rng.normal(size=d))
    skew = np.linalg.qr(rng.normal(size=(d, d)))[0] * 10.0 ** rng.uniform(-2, 2, size=d)
    assert_equivariant(X, start, skew, rng.normal(size=d), rtol=1e-6)


@given(**problems, factor=st.sampled_from([1e-6, 1e-2, 3.0, 1e5]))
def test_a_ridge_in_the_units_of_the_data_scales_with_them(name, d, k, seed, factor):
    X, start, _ = draw(name, k, d, seed)
    ridge = 0.1 * X.var(axis=0).mean()
    plain, other = fit(X, start, ridge), fit(factor * X, mapped(start, factor, 0.0), factor**2 * ridge)
    assert_same_mixture(other.mixture, mapped(plain.mixture, factor, 0.0), 1e-8)
    assert not np.allclose(plain.mixture.covariances, fit(X, start).mixture.covariances, rtol=1e-3)


@given(**problems)
def test_integer_weights_are_copies(name, d, k, seed):
    X, start, rng = draw(name, k, d, seed)
    weights = rng.integers(0, 4, size=len(X))
    assume(np.count_nonzero(weights) > 5 * k * (d + 1))
    weighted, copied = fit(X, start, weights=weights), fit(np.repeat(X, weights, axis=0), start)
    assert weighted.n_samples == copied.n_samples
    assert_same_mixture(weighted.mixture, copied.mixture, 1e-10)
    assert_allclose(weighted.history, copied.history, rtol=1e-10)
    assert_allclose([weighted.bic, weighted.aic], [copied.bic, copied.aic], rtol=1e-10)


@given(**problems)
def test_rows_without_weight_might_as_well_not_be_there(name, d, k, seed):
    X, start, rng = draw(name, k, d, seed)
    weights = rng.uniform(0.1, 2.0, size=len(X))
    absent = rng.random(len(X)) < 0.3
    assume((~absent).sum() > 5 * k * (d + 1))
    weights[absent], X[absent] = 0.0, 1e9 * rng.normal(size=d)
    zero, gone = fit(X, start, weights=weights), fit(X[~absent], start, weights=weights[~absent])
    assert_array_equal(zero.mixture.means, gone.mixture.means)
    assert zero.history == gone.history and zero.n_samples == gone.n_samples


@pytest.mark.parametrize("executor", EXECUTORS)
@given(**problems)
def test_a_factor_common_to_all_weights_cancels(name, executor, d, k, seed):
    X, start, rng = draw(name, k, d, seed)
    weights = rng.uniform(0.1, 2.0, size=len(X))
    with environment(GAUSSMIX_EXECUTOR=executor):
        one, many = fit(X, start, weights=weights), fit(X, start, weights=1e5 * weights)
    assert_same_mixture(many.mixture, one.mixture, 1e-9)
    assert_allclose(many.history, one.history, rtol=1e-10)
    assert many.n_samples == pytest.approx(1e5 * one.n_samples)
