"""sample_weight: an integer weight is that many copies, a zero weight is absence."""

from __future__ import annotations

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from gaussmix import GaussianMixture
from tests.helpers import NAMES, near, start_parameters


@pytest.fixture(params=NAMES)
def weighted(request, make_clusters):
    """A model with a given start, rows, their integer weights, and the rows that those stand for."""
    data = make_clusters(request.param, k=3, d=2, n=300, spread=2.0)
    rng = np.random.default_rng(1)
    start = start_parameters(near(data.mixture, rng))
    model = GaussianMixture(3, covariance_type=request.param, max_iter=1000, tol=1e-4, **start)
    weights = rng.integers(1, 5, size=300)
    return model, data.X, weights, np.repeat(data.X, weights, axis=0)


def assert_same(
    weighted, copied, rtol=1e-7
):  # rounding grows over the iterations, and more when they are accelerated
    assert weighted.n_iter_ == copied.n_iter_
    for name in ("weights_", "means_", "covariances_", "precisions_", "lower_bounds_"):
        expected = np.asarray(getattr(copied, name))
        assert_allclose(getattr(weighted, name), expected, rtol=rtol, atol=rtol * np.abs(expected).max())


def test_integer_weights_are_copies_in_fit(weighted):
    model, X, weights, copies = weighted
    unweighted = model.fit(X).means_
    copied = model.fit(copies)
    expected = {name: getattr(copied, name) for name in ("means_",)}
    assert not np.allclose(unweighted, expected["means_"], rtol=1e-4), (
        "weights must matter for this to be a test"
    )

    assert_same(clone(model).fit(X, sample_weight=weights), copied)
    assert_array_equal(clone(model).fit_predict(X, sample_weight=weights), copied.predict(X))


def test_integer_weights_are_copies_in_score_bic_and_aic(weighted):
    model, X, weights, copies = weighted
    model.fit(copies)
    assert_allclose(model.score(X, sample_weight=weights), model.score(copies), rtol=1e-10)
    assert_allclose(model.bic(X, sample_weight=weights), model.bic(copies), rtol=1e-10)
    assert_allclose(model.aic(X, sample_weight=weights), model.aic(copies), rtol=1e-10)
    assert abs(model.bic(X) - model.bic(copies)) > 1.0
    result = model.fit_result_
    assert result.n_samples == weights.sum()
    assert_allclose([result.bic, result.aic], [model.bic(copies), model.aic(copies)], rtol=1e-9)


def test_a_zero_weight_is_absence(weighted):
    model, X, weights, _ = weighted
    weights = np.where(np.arange(300) % 3, weights, 0)
    X = np.where(weights[:, None] > 0, X, 1e6)  # far away, so that any trace of them would show
    there = weights > 0

    with_zeros, without = (
        clone(model).fit(X, sample_weight=weights),
        clone(model).fit(X[there], sample_weight=weights[there]),
    )
    assert_same(with_zeros, without, rtol=1e-12)
    for score in ("score", "bic", "aic"):
        assert_allclose(
            getattr(with_zeros, score)(X, sample_weight=weights),
            getattr(without, score)(X[there], sample_weight=weights[there]),
            rtol=1e-10,
        )


@pytest.mark.parametrize("init_params", ["kmeans", "k-means++", "random", "random_from_data"])
@pytest.mark.parametrize("name", NAMES)
def test_a_zero_weight_is_absence_for_every_start(make_clusters, name, init_params):
    X = make_clusters(name, k=3).X
    outliers = np.full((50, 2), 1e6)
    model = GaussianMixture(3, covariance_type=name, init_params=init_params, random_state=0, max_iter=300)
    means = model.fit(X).means_
    both = np.concatenate([X, outliers])
    weights = np.concatenate([np.ones(len(X)), np.zeros(50)])
    assert_array_equal(model.fit(both, sample_weight=weights).means_, means)


@pytest.mark.parametrize("init_params", ["kmeans", "k-means++", "random_from_data"])
@pytest.mark.parametrize("seed", range(3))
def test_a_start_finds_where_the_weight_is(init_params, seed):
    """Two heavy groups near each other, and as many rows far away that weigh next to nothing."""
    rng = np.random.default_rng(0)
    X = np.repeat([[0.0], [4.0], [100.0]], 50, axis=0) + rng.uniform(-1.0, 1.0, (150, 1))
    weights = np.repeat([1.0, 1.0, 1e-9], 50)
    model = GaussianMixture(2, init_params=init_params, random_state=seed, max_iter=0)
    assert (model.fit(X, sample_weight=weights).means_ < 6.0).all()
    if init_params == "kmeans":
        assert_allclose(np.sort(model.means_.ravel()), [0.0, 4.0], atol=1.0)
        assert model.fit(X).means_.max() > 90.0


def test_the_rows_of_positive_weight_must_suffice(make_clusters):
    X = make_clusters().X
    weights = np.zeros(len(X))
    weights[:3] = 1.0
    with pytest.raises(ValueError, match="n_components = 4, n_samples = 3"):
        GaussianMixture(4).fit(X, sample_weight=weights)


def test_unit_weights_are_no_weights(weighted):
    model, X, _, _ = weighted
    assert_array_equal(model.fit(X).means_, model.fit(X, sample_weight=np.ones(300)).means_)
    assert_array_equal(model.fit(X).means_, model.fit(X, sample_weight=1.0).means_)


def test_a_common_factor_changes_nothing(weighted):
    """Only the shares count: tolerances and likelihoods are for each unit of weight."""
    model, X, weights, _ = weighted

    one, many = (clone(model).fit(X, sample_weight=factor * weights) for factor in (1.0, 1e-6))
    assert_same(one, many, rtol=1e-9)
    assert_allclose(model.fit(X).score(X, sample_weight=weights), model.score(X, sample_weight=1e3 * weights))


@pytest.mark.parametrize("kind", [list, tuple, np.float32, np.int8, "column of a frame", "strided"])
def test_weights_of_any_kind(make_clusters, kind):
    X = make_clusters().X
    weights = np.arange(len(X)) % 4 + 0.0
    expected = GaussianMixture(2, random_state=0, init_params="kmeans").fit(X, sample_weight=weights).means_
    if kind == "column of a frame":
        given = pytest.importorskip("pandas").Series(weights)
    elif kind == "strided":
        given = np.stack([weights, -weights], axis=1)[:, 0]
    elif kind in (list, tuple):
        given = kind(weights)
    else:
        given = weights.astype(kind)
    assert_array_equal(
        GaussianMixture(2, random_state=0, init_params="kmeans").fit(X, sample_weight=given).means_, expected
    )


def test_weights_are_not_written_to(weighted):
    model, X, weights, _ = weighted
    given = weights.astype(np.float64)
    given.flags.writeable = False
    model.fit(X, sample_weight=given).score(X, sample_weight=given)
    assert_array_equal(given, weights)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_weights_keep_the_type_of_the_rows(make_clusters, dtype):
    X = make_clusters(dtype=dtype).X
    model = GaussianMixture(2, random_state=0, init_params="kmeans").fit(
        X, sample_weight=np.linspace(0.5, 2.0, len(X))
    )
    assert {model.means_.dtype, model.weights_.dtype} == {np.dtype(dtype)}


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(199), "sample_weight must have the shape (200,), one weight a row of X; got (199,)"),
        (np.ones((200, 1)), "sample_weight must have the shape (200,), one weight a row of X; got (200, 1)"),
        (np.r_[np.ones(7), -2.0, np.ones(192)], "must not be negative; that of row 7 is -2"),
        (np.r_[np.ones(7), np.nan, np.ones(192)], "sample_weight contains NaN or infinity: entry 7 is nan"),
        (np.r_[np.ones(9), np.inf, np.ones(190)], "sample_weight contains NaN or infinity: entry 9 is inf"),
        (np.zeros(200), "sample_weight is zero for every row"),
        (["heavy"] * 200, "sample_weight must hold numbers"),
        (np.ones(200) * 1j, "sample_weight must hold real numbers"),
    ],
)
def test_wrong_weights_are_refused_wherever_they_go(make_clusters, weights, message):
    X = make_clusters().X
    model = GaussianMixture(2, random_state=0, init_params="kmeans").fit(X)
    for method in (model.fit, model.fit_predict, model.score, model.bic, model.aic):
        with pytest.raises(ValueError, match=re.escape(message)):
            method(X, sample_weight=weights)
