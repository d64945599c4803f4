"""Data frames: values and names go in, names are kept and checked."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gaussmix import GaussianMixture, fit_mixture

COLUMNS = ["sepal length (cm)", "", "größe", "a\nb", "x0"]  # names are text, no more is asked of them


def frame(library, X, columns):
    module = pytest.importorskip({"pyarrow": "pyarrow"}.get(library, library))
    data = {name: np.ascontiguousarray(column) for name, column in zip(columns, X.T, strict=True)}
    return module.table(data) if library == "pyarrow" else module.DataFrame(data)


def reordered(data, columns):
    return data.select(columns) if hasattr(data, "select") else data[columns]


@pytest.fixture
def rows(make_clusters):
    return make_clusters(k=2, d=5).X


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
class TestEveryLibrary:
    def test_a_frame_gives_the_fit_of_its_values(self, rows, library):
        data = frame(library, rows, COLUMNS)
        model = GaussianMixture(2, random_state=0, init_params="kmeans").fit(data)
        plain = GaussianMixture(2, random_state=0, init_params="kmeans").fit(rows)
        # a frame lays out its columns one after the other, so that sums may be taken in another order
        assert_allclose(model.means_, plain.means_, rtol=1e-10)
        assert_array_equal(model.predict(data), plain.predict(rows))
        for method in ("predict_proba", "score_samples", "score", "bic", "aic"):
            assert_allclose(
                getattr(model, method)(data), getattr(plain, method)(rows), rtol=1e-10, atol=1e-12
            )

    def test_column_names_are_kept(self, rows, library):
        model = GaussianMixture(2, random_state=0, init_params="kmeans").fit(frame(library, rows, COLUMNS))
        assert list(model.feature_names_in_) == COLUMNS
        assert model.feature_names_in_.dtype == object
        assert model.mixture_.feature_names == tuple(COLUMNS)
        assert model.n_features_in_ == 5

    def test_reordered_columns_are_an_error(self, rows, library):
        data = frame(library, rows, COLUMNS)
        model = GaussianMixture(2, random_state=0, init_params="kmeans").fit(data)
        for method in ("predict", "predict_proba", "score_samples", "score", "aic", "bic"):
            with pytest.raises(ValueError, match="must be in the same order as they were in fit"):
                getattr(model, method)(reordered(data, COLUMNS[::-1]))

    def test_renamed_columns_are_an_error_that_names_them(self, rows, library):
        model = GaussianMixture(2, random_state=0, init_params="kmeans").fit(frame(library, rows, COLUMNS))
        renamed = frame(library, rows, [*COLUMNS[:-1], "other"])
        with pytest.raises(ValueError, match=r"(?s)unseen at fit time:\n- other\n.*now missing:\n- x0\n"):
            model.predict(renamed)

    def test_a_missing_column_is_an_error(self, rows, library):
        data = frame(library, rows, COLUMNS)
        model = GaussianMixture(2, random_state=0, init_params="kmeans").fit(data)
        with pytest.raises(ValueError, match=r"(?s)now missing:\n- x0\n"):
            model.predict(reordered(data, COLUMNS[:-1]))

    def test_float32_columns_stay_float32(self, rows, library):
        data = frame(library, rows.astype(np.float32), COLUMNS)
        model = GaussianMixture(2, random_state=0, init_params="kmeans").fit(data)
        assert model.means_.dtype == np.float32
        assert model.predict_proba(data).dtype == np.float32

    def test_whole_numbers_become_float64(self, rows, library):
        whole = np.round(10 * rows).astype(np.int64)
        model = GaussianMixture(2, random_state=0, init_params="kmeans").fit(frame(library, whole, COLUMNS))
        assert model.means_.dtype == np.float64
        expected = GaussianMixture(2, random_state=0, init_params="kmeans").fit(whole.astype(float)).means_
        assert_allclose(model.means_, expected, rtol=1e-10)

    def test_one_text_column_is_an_error_that_shows_the_text(self, rows, library):
        module = pytest.importorskip(library)
        data = {"a": rows[:, 0], "b": ["seventeen"] * len(rows)}
        data = module.table(data) if library == "pyarrow" else module.DataFrame(data)
        with pytest.raises(ValueError, match="seventeen"):
            GaussianMixture(2).fit(data)

    def test_the_frame_is_not_written_to(self, rows, library):
        data = frame(library, rows, COLUMNS)
        before = np.array(data).copy() if library != "pyarrow" else data.to_pandas().to_numpy().copy()
        GaussianMixture(2, random_state=0, init_params="kmeans").fit(data).predict(data)
        after = np.array(data) if library != "pyarrow" else data.to_pandas().to_numpy()
        assert_array_equal(before, after)


def test_missing_values_of_a_frame_are_nan(rows):
    polars = pytest.importorskip("polars")
    data = polars.DataFrame({"a": [1.0, None, 3.0], "b": [1.0, 2.0, 3.0]})
    with pytest.raises(ValueError, match="X contains NaN"):
        GaussianMixture(1).fit(data)


def test_an_array_after_a_frame_warns_and_counts_by_position(rows):
    model = GaussianMixture(2, random_state=0, init_params="kmeans").fit(frame("pandas", rows, COLUMNS))
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        labels = model.predict(rows)
    assert_array_equal(labels, model.predict(frame("pandas", rows, COLUMNS)))


def test_a_frame_after_an_array_warns(rows):
    model = GaussianMixture(2, random_state=0, init_params="kmeans").fit(rows)
    assert not hasattr(model, "feature_names_in_")
    assert model.mixture_.feature_names is None
    with pytest.warns(UserWarning, match="fitted without feature names"):
        model.predict(frame("pandas", rows, COLUMNS))


def test_a_second_fit_forgets_the_first_names(rows):
    model = (
        GaussianMixture(2, random_state=0, init_params="kmeans").fit(frame("pandas", rows, COLUMNS)).fit(rows)
    )
    assert not hasattr(model, "feature_names_in_")
    assert model.mixture_.feature_names is None


def test_fit_predict_takes_the_names_without_a_warning(rows):
    data = frame("pandas", rows, COLUMNS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = GaussianMixture(2, random_state=0, init_params="kmeans")
        assert_array_equal(model.fit_predict(data), model.predict(data))


def test_names_that_are_not_text(rows):
    pandas = pytest.importorskip("pandas")
    numbered = pandas.DataFrame(rows)  # columns 0 .. 4
    model = GaussianMixture(2, random_state=0, init_params="kmeans").fit(numbered)
    assert not hasattr(model, "feature_names_in_")
    model.predict(numbered)
    mixed = pandas.DataFrame(rows, columns=["a", "b", "c", "d", 5])
    with pytest.raises(TypeError, match=re.escape("Feature names are only supported if all input features")):
        GaussianMixture(2).fit(mixed)


def test_a_fit_takes_no_names_that_do_not_tell_columns_apart(rows):
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame(rows[:, :2], columns=["a", "a"])
    assert fit_mixture(X, 1).mixture.feature_names is None


def test_nullable_and_categorical_columns(rows):
    pandas = pytest.importorskip("pandas")
    data = pandas.DataFrame(
        {"a": pandas.array([1.0, 2.0, 4.0, 8.0], dtype="Float64"), "b": [0.0, 1.0, 0.0, 2.0]}
    )
    plain = np.array([[1.0, 0.0], [2.0, 1.0], [4.0, 0.0], [8.0, 2.0]])
    assert_allclose(GaussianMixture(1).fit(data).means_, GaussianMixture(1).fit(plain).means_, rtol=1e-12)
    data.loc[1, "a"] = pandas.NA
    with pytest.raises(ValueError, match="X contains NaN"):
        GaussianMixture(1).fit(data)
