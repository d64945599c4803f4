"""Arrays of every kind and layout, none of them written to; wrong ones are refused by name."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from gaussmix import GaussianMixture, fit_mixture
from gaussmix.model.covariance import STRUCTURES
from tests.helpers import EXECUTORS, NAMES, environment

METHODS = ("predict", "predict_proba", "score_samples")


@pytest.fixture
def rows(make_clusters):
    return make_clusters(k=3, d=4, n=400, spread=3.0).X


def answers(model, X):
    return [getattr(model, method)(X) for method in METHODS]


def strided(X):
    wide = np.full((2 * X.shape[0], 3 * X.shape[1]), np.nan, dtype=X.dtype)
    wide[::2, 1::3] = X
    return wide[::2, 1::3]


def memory_map(X, tmp_path):
    path = tmp_path / "rows.dat"
    X.tofile(path)
    return np.memmap(path, dtype=X.dtype, mode="r", shape=X.shape)


LAYOUTS = {
    "Fortran order": lambda X, _: np.asfortranarray(X),
    "strided": lambda X, _: strided(X),
    "reversed": lambda X, _: np.ascontiguousarray(X[::-1, ::-1])[::-1, ::-1],
    "transposed": lambda X, _: np.ascontiguousarray(X.T).T,
    "memory-mapped": memory_map,
    "big-endian": lambda X, _: X.astype(X.dtype.newbyteorder(">")),
    "list": lambda X, _: X.tolist(),
    "tuples": lambda X, _: tuple(map(tuple, X.tolist())),
    "object": lambda X, _: X.astype(object),
}


@pytest.mark.parametrize(
    ("layout", "name"),
    [*((layout, "full") for layout in LAYOUTS), *(("strided", name) for name in NAMES[1:])],
)
def test_the_layout_does_not_matter(rows, tmp_path, layout, name):
    model = GaussianMixture(3, covariance_type=name, random_state=0, max_iter=0)
    expected = answers(model.fit(rows), rows)
    given = LAYOUTS[layout](rows, tmp_path)
    # bit by bit they need not agree: k-means and BLAS take other paths through other strides
    for actual, wanted in zip(answers(model.fit(given), given), expected, strict=True):
        assert_allclose(actual, wanted, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("layout", ["Fortran order", "strided", "memory-mapped", "big-endian"])
def test_every_executor_takes_every_layout(rows, tmp_path, layout, executor):
    model = GaussianMixture(3, random_state=0, max_iter=500, init_params="kmeans").fit(rows)
    given = LAYOUTS[layout](rows, tmp_path)
    with environment(GAUSSMIX_EXECUTOR=executor):
        for actual, wanted in zip(answers(model, given), answers(model, rows), strict=True):
            assert_allclose(actual, wanted, rtol=1e-10, atol=1e-12)
        one, other = (fit_mixture(X, 3, start=model.mixture_, max_iter=2, tol=0) for X in (given, rows))
        assert_allclose(one.mixture.covariances, other.mixture.covariances, rtol=1e-10)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_rows_are_never_written_to(rows, dtype, name):
    X = (10 * rows).astype(dtype)
    kept = X.copy()
    X.flags.writeable = False
    weights = np.arange(len(X)) % 3 + 1.0
    weights.flags.writeable = False
    model = GaussianMixture(3, covariance_type=name, random_state=0, tol=0.1, init_params="kmeans")
    model.fit(X, sample_weight=weights)
    answers(model, X)
    model.score(X, sample_weight=weights)
    model.bic(X), model.aic(X), model.fit_predict(X)
    assert_array_equal(X, kept)


@pytest.mark.parametrize("init_params", ["kmeans", "k-means++", "random", "random_from_data"])
@pytest.mark.parametrize("name", NAMES)
def test_float32_stays_float32_everywhere(rows, name, init_params):
    X = rows.astype(np.float32)
    model = GaussianMixture(
        3, covariance_type=name, init_params=init_params, random_state=0, max_iter=500
    ).fit(X)
    for attribute in ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_"):
        assert getattr(model, attribute).dtype == np.float32, attribute
    assert model.predict_proba(X).dtype == model.score_samples(X).dtype == np.float32
    assert model.predict(X).dtype == np.int64
    # the frozen distribution keeps what the fit knew
    assert model.mixture_.means.dtype == np.float64
    assert_allclose(model.means_, model.mixture_.means, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, np.float16, bool])
def test_other_numbers_become_float64(dtype):
    X = np.random.default_rng(0).integers(0, 100, size=(60, 3)).astype(dtype)
    if dtype is bool:
        X = np.random.default_rng(0).random((60, 3)) < 0.5
    model = GaussianMixture(1).fit(X)
    assert model.means_.dtype == np.float64
    assert_allclose(model.means_[0], X.astype(float).mean(axis=0), rtol=1e-12)
    assert model.score_samples(X).dtype == np.float64


def test_one_type_may_be_fitted_and_another_asked(rows):
    model = GaussianMixture(3, random_state=0, init_params="kmeans").fit(rows)
    assert model.score_samples(rows.astype(np.float32)).dtype == np.float32
    assert_allclose(
        model.score_samples(rows.astype(np.float32)), model.score_samples(rows), rtol=1e-4, atol=1e-4
    )


def spoiled(value, at=(7, 2)):
    X = np.random.default_rng(0).normal(size=(20, 4))
    X[at] = value
    return X


WRONG = {
    "NaN": (spoiled(np.nan), "X contains NaN"),
    "infinity": (spoiled(np.inf), "X contains NaN or infinity: entry"),
    "minus infinity": (spoiled(-np.inf), "X contains NaN or infinity: entry"),
    "NaN in float32": (spoiled(np.nan).astype(np.float32), "X contains NaN"),
    "complex": (np.ones((20, 4)) * 1j, "Complex data not supported"),
    "text": (np.array([["a", "b", "c", "d"]] * 20), "could not convert string to float|dtype='numeric'"),
    "three axes": (np.zeros((20, 4, 2)), "Found array with dim 3"),
    "one axis": (np.zeros(20), "Expected 2D array, got 1D array instead"),
    "a number": (3.0, "Expected 2D array, got scalar array instead"),
    "no rows": (np.zeros((0, 4)), r"Found array with 0 sample\(s\)"),
    "no columns": (np.zeros((20, 0)), r"Found array with 0 feature\(s\)"),
    "nothing": (None, "Expected 2D array|NoneType"),
    "ragged": ([[1.0, 2.0], [3.0]], "inhomogeneous|sequence"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_fit_refuses_what_are_not_rows_of_numbers(kind):
    X, message = WRONG[kind]
    model = GaussianMixture(1)
    with pytest.raises((ValueError, TypeError), match=message):
        model.fit(X)
    assert not hasattr(model, "mixture_")


@pytest.mark.parametrize("kind", WRONG)
def test_so_does_everything_that_is_asked_afterwards(kind):
    X, message = WRONG[kind]
    model = GaussianMixture(1).fit(np.random.default_rng(0).normal(size=(20, 4)))
    for method in (*METHODS, "score", "aic", "bic"):
        with pytest.raises((ValueError, TypeError), match=message):
            getattr(model, method)(X)


def test_one_row_is_too_few():
    with pytest.raises(ValueError, match=r"Found array with 1 sample\(s\).*minimum of 2"):
        GaussianMixture(1).fit([[1.0, 2.0]])


def test_one_row_may_be_asked_about(rows):
    model = GaussianMixture(3, random_state=0, init_params="kmeans").fit(rows)
    for one, all_rows in zip(answers(model, rows[:1]), answers(model, rows), strict=True):
        assert_allclose(one[0], all_rows[0], rtol=1e-12)


def test_another_number_of_columns_is_named(rows):
    model = GaussianMixture(3, random_state=0, init_params="kmeans").fit(rows)
    for method in METHODS:
        with pytest.raises(ValueError, match="X has 3 features, but GaussianMixture is expecting 4 features"):
            getattr(model, method)(rows[:, :3])


def test_sparse_rows_are_refused(rows):
    with pytest.raises(TypeError, match="Sparse data was passed"):
        GaussianMixture(2).fit(scipy.sparse.csr_array(rows))


def test_a_failed_second_fit_keeps_the_first(rows):
    model = GaussianMixture(3, random_state=0, init_params="kmeans").fit(rows)
    means = model.means_.copy()
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.where(rows == rows[3, 1], np.nan, rows))
    assert_array_equal(model.means_, means)
    model.predict(rows)


def test_constant_columns_are_held():
    X = np.random.default_rng(0).normal(size=(100, 3))
    X[:, 1] = 4.0
    for name in NAMES:
        model = GaussianMixture(2, covariance_type=name, random_state=0, max_iter=500, init_params="kmeans")
        if STRUCTURES[name].coupled:  # what components share cannot be held one by one
            with pytest.warns(ConvergenceWarning, match="collapsed"):
                model.fit(X)
        else:
            model.fit(X)
        assert_allclose(model.means_[:, 1], 4.0, rtol=1e-12)
        assert np.isfinite(model.score(X))
    full = GaussianMixture(2, random_state=0, init_params="kmeans").fit(X)
    assert_allclose(full.covariances_[:, 1, 1], 1e-10 * 4.0**2, rtol=1e-6)
    assert "constant or collinear" in full.fit_result_.advice
    full = GaussianMixture(2, random_state=0, reg_covar=1e-6, init_params="kmeans").fit(X)
    assert_allclose(full.covariances_[:, 1, 1], 1e-6, rtol=1e-6)
