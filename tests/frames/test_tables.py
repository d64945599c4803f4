"""A table gives what its values give, whatever library it is of, and every result keeps its names."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import gaussmix
from gaussmix import GaussianMixture, Mixture, fit_mixture
from gaussmix._reading.rows import read_named_rows
from tests.frames.holders import (
    NAMES,
    make_arrow,
    make_astropy,
    make_pandas,
    make_quantities,
    make_structured,
    make_values,
)

X = make_values()
MIXTURE = Mixture([0.5, 0.5], [[0.0, 0.0], [6.0, 6.0]], [1.0, 1.0], "spherical", feature_names=NAMES)
OPTIONS = {"random_state": 0, "init_params": "kmeans"}


def test_a_fit_is_that_of_the_values(hold):
    found, plain = fit_mixture(hold(X), 2, **OPTIONS).mixture, fit_mixture(X, 2, **OPTIONS).mixture
    assert found.feature_names == NAMES
    assert plain.feature_names is None
    assert_allclose(found.means, plain.means, rtol=1e-9)


def test_an_estimator_keeps_the_names_and_checks_them(hold):
    model = GaussianMixture(2, **OPTIONS).fit(hold(X))
    plain = GaussianMixture(2, **OPTIONS).fit(X)
    assert list(model.feature_names_in_) == list(NAMES)
    assert model.mixture_.feature_names == NAMES
    assert_allclose(model.score_samples(hold(X)), plain.score_samples(X), rtol=1e-9)
    assert_array_equal(model.predict(hold(X)), plain.predict(X))
    with pytest.raises(ValueError, match="must be in the same order as they were in fit"):
        model.predict(hold(X[:, ::-1], NAMES[::-1]))
    with pytest.raises(ValueError, match=r"(?s)unseen at fit time:\n- other\n.*now missing:\n- b\n"):
        model.score(hold(X, ("a", "other")))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(X)
    with pytest.warns(UserWarning, match="was fitted without feature names"):
        plain.predict(hold(X))
    assert not hasattr(model.fit(X), "feature_names_in_")


@pytest.mark.parametrize(
    "ask",
    [
        Mixture.log_prob,
        Mixture.component_log_prob,
        Mixture.responsibilities,
        Mixture.predict,
        Mixture.uncertainty,
    ],
)
def test_a_mixture_refuses_columns_that_are_not_its_own(hold, ask):
    assert_allclose(ask(MIXTURE, hold(X)), ask(MIXTURE, X), rtol=1e-12)
    with pytest.raises(ValueError, match="X has column 'b' where column 'a' was fitted"):
        ask(MIXTURE, hold(X[:, ::-1], NAMES[::-1]))
    with pytest.raises(ValueError, match="X lacks column 'b' and has column 'other'. Select and order"):
        ask(MIXTURE, hold(X, ("a", "other")))
    with pytest.raises(ValueError, match="X lacks column 'b'. Select and order"):
        ask(MIXTURE, hold(X[:, :1], NAMES[:1]))
    # a mixture without names takes the columns as they come, as those of an array
    assert_allclose(ask(MIXTURE.replace(feature_names=None), hold(X)), ask(MIXTURE, X), rtol=1e-12)


FITS = {
    "fit_mixture": lambda X: gaussmix.fit_mixture(X, 2, random_state=0),
    "factors": lambda X: gaussmix.fit_mixture(
        X, 2, covariance_type="factor", n_factors="auto", random_state=0
    ),
    "fit_mixtures": lambda X: gaussmix.fit_mixtures(X, [1, 2], covariance_type="EEE").best,
    "search": lambda X: gaussmix.search(X, [1, 2], covariance_type=["EEE", "VVI"]).best,
    "search, held out": lambda X: gaussmix.search(X, [1, 2], covariance_type="EEE", criterion="cv").best,
    "search, trimmed": lambda X: gaussmix.search(X, [2], covariance_type="EEE", trim=0.1).best,
    "message length": lambda X: gaussmix.fit_message_length(X, 4, random_state=0),
    "likelihood ratio": lambda X: gaussmix.bootstrap_lrt(
        X, "EII", max_components=2, n_resamples=5, random_state=0
    ).fits[-1],
    "select_features": lambda X: gaussmix.select_features(X, [2], covariance_type="EII").best,
}


@pytest.mark.parametrize("name", FITS)
def test_every_kind_of_fit_keeps_the_names(hold, name):
    assert FITS[name](hold(X)).mixture.feature_names in (NAMES, NAMES[::-1])


def test_a_constant_column_keeps_its_name():
    values = np.column_stack([X[:, 0], np.full(len(X), 3.0), X[:, 1]])
    names = ("a", "same", "b")
    mixture = fit_mixture(make_structured(values, names), 2, **OPTIONS).mixture
    assert mixture.feature_names == names
    assert_allclose(mixture.means[:, 1], 3.0)


def test_names_that_are_given_come_first(hold):
    assert fit_mixture(hold(X), 1, feature_names=["x", "y"]).mixture.feature_names == ("x", "y")
    with pytest.raises(ValueError, match="feature_names must be 2 names"):
        fit_mixture(hold(X), 1, feature_names=["x"])


QUESTIONS = {
    "bootstrap": lambda fit, X: gaussmix.bootstrap(X, fit, n_resamples=3, random_state=0),
    "errors": lambda fit, X: gaussmix.estimate_errors(X, fit),
    "merging": lambda fit, X: gaussmix.merge_components(fit, X),
    "merged": lambda fit, X: gaussmix.merge_components(fit.mixture, method="modes").predict(X),
    "projection": lambda fit, X: gaussmix.project(fit, X),
    "projected": lambda fit, X: gaussmix.project(fit).transform(X),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_what_is_asked_about_a_fit_takes_its_columns_alone(hold, name):
    fit = fit_mixture(X, 2, feature_names=NAMES, **OPTIONS)
    QUESTIONS[name](fit, hold(X))
    with pytest.raises(ValueError, match="X has column 'b' where column 'a' was fitted"):
        QUESTIONS[name](fit, hold(X[:, ::-1], NAMES[::-1]))


def test_selected_features_are_taken_from_columns_of_the_same_names(hold):
    found = gaussmix.select_features(hold(X), [2], covariance_type="EII")
    assert_allclose(found.transform(hold(X)), X[:, list(found.selected)])
    with pytest.raises(ValueError, match="X lacks column 'b' and has column 'c'"):
        found.transform(hold(X, ("a", "c")))
    unnamed = gaussmix.select_features(X, [2], covariance_type="EII")
    assert_allclose(unnamed.transform(hold(X)), X[:, list(unnamed.selected)])


def test_a_report_and_pictures_have_the_names(hold, tmp_path):
    plot = pytest.importorskip("gaussmix.plot")
    figure = pytest.importorskip("matplotlib.figure").Figure
    fit = fit_mixture(hold(X), 2, **OPTIONS)
    for rows in (X, hold(X)):
        display = plot.MixtureDisplay.from_estimator(fit, rows, ax=figure().subplots())
        assert display.ax_.get_xlabel() == "a"
    labels = fit.mixture.predict(X)
    display = plot.MixtureDisplay.from_predictions(hold(X), labels, ax=figure().subplots())
    assert display.ax_.get_ylabel() == "b"
    with pytest.raises(ValueError, match="X has column 'b' where column 'a' was fitted"):
        plot.MixtureDisplay.from_estimator(fit, hold(X[:, ::-1], NAMES[::-1]), ax=figure().subplots())
    pytest.importorskip("jinja2")
    page = tmp_path / "report.html"
    gaussmix.write_report(fit_mixture(X, 2, **OPTIONS), hold(X), page)
    assert '"a"' in page.read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="X has column 'b' where column 'a' was fitted"):
        gaussmix.write_report(fit, hold(X[:, ::-1], NAMES[::-1]), page)


def test_weights_and_starts_may_be_columns(hold):
    pandas, polars, arrow = (pytest.importorskip(name) for name in ("pandas", "polars", "pyarrow"))
    weights, labels = 1.0 + np.arange(len(X)) % 3, (np.arange(len(X)) >= len(X) // 2).astype(int)
    wanted = fit_mixture(X, 2, sample_weight=weights, start=labels)
    for column in (
        lambda values: pandas.Series(values),
        lambda values: pandas.Series(values).astype("Int64"),
        lambda values: pandas.Series(values).astype("int64[pyarrow]"),
        lambda values: polars.Series(values).cast(polars.Int64),
        lambda values: arrow.chunked_array([values.astype(int)]),
        lambda values: np.ma.array(values.astype(int)),
    ):
        found = fit_mixture(hold(X), 2, sample_weight=column(weights), start=column(labels))
        assert_allclose(found.mixture.means, wanted.mixture.means, rtol=1e-9)
        model = GaussianMixture(2, **OPTIONS).fit(hold(X), sample_weight=column(weights))
        assert model.score(hold(X), sample_weight=column(weights)) == pytest.approx(
            model.score(hold(X), sample_weight=weights)
        )


def test_quantities_are_values_in_the_unit_of_their_column():
    table = make_quantities(X)
    grams = table.copy()
    grams["a"] = grams["a"].to("g")
    one, thousand = (fit_mixture(each, 1).mixture for each in (table, grams))
    assert one.feature_names == thousand.feature_names == NAMES
    assert_allclose(thousand.means, one.means * [[1000.0, 1.0]])


#: Values that every library can keep in a column: how they are given, and as what numbers they count.
KINDS = {
    "decimal": ([Decimal("1.50"), Decimal("-2.25"), Decimal("4.00")], [1.5, -2.25, 4.0]),
    "boolean": ([True, False, True], [1.0, 0.0, 1.0]),
    "whole": ([3, -4, 2**40], [3.0, -4.0, 2.0**40]),
    "text": (["1e3", " 2", "-7"], [1000.0, 2.0, -7.0]),
    "float": ([0.1, -1e9 - 0.5, 5e-4], [0.1, -1e9 - 0.5, 5e-4]),
    "half": (np.array([0.5, 1.5, 2.0], dtype=np.float16), [0.5, 1.5, 2.0]),
    "small": (np.array([1, 2, 250], dtype=np.uint8), [1.0, 2.0, 250.0]),
}
SINGLE = np.array([0.1, 0.2, 0.3], dtype=np.float32)


def make_columns(library, columns):
    module = pytest.importorskip(library.split(",")[0])
    if library == "pandas, nullable":
        return module.DataFrame(columns).convert_dtypes()
    if library == "pandas, by Arrow":
        pytest.importorskip("pyarrow")
        return module.DataFrame(columns).convert_dtypes(dtype_backend="pyarrow")
    if library == "polars" and "half" in columns:  # which polars 1.0 has no type for
        columns = columns | {"half": np.asarray(columns["half"], dtype=np.float32)}
    return module.table(columns) if library == "pyarrow" else module.DataFrame(columns)


@pytest.mark.parametrize("library", ["pandas", "pandas, nullable", "pandas, by Arrow", "polars", "pyarrow"])
@given(names=st.lists(st.sampled_from(list(KINDS)), min_size=1, max_size=4, unique=True))
@settings(max_examples=15, deadline=None)
def test_a_column_of_any_kind_of_number_counts_as_its_values(library, names):
    rows, found = read_named_rows(make_columns(library, {name: KINDS[name][0] for name in names}))
    assert found == tuple(names)
    assert rows.dtype == np.float64 or set(names) <= {"half", "small"}
    assert_array_equal(rows, np.column_stack([KINDS[name][1] for name in names]))


@pytest.mark.parametrize("library", ["pandas", "pandas, by Arrow", "polars", "pyarrow"])
def test_float32_beside_small_numbers_stays_float32(library):
    for names, dtype in (
        (["single"], np.float32),
        (["single", "small"], np.float32),
        (["single", "whole"], float),
    ):
        columns = {name: SINGLE if name == "single" else KINDS[name][0] for name in names}
        rows, _ = read_named_rows(make_columns(library, columns))
        assert rows.dtype == dtype
        assert_array_equal(rows[:, 0], SINGLE)


def test_a_stream_that_can_be_read_once_is_read_once(tmp_path):
    table = make_arrow(X)
    fit = fit_mixture(table.to_reader(), 2, **OPTIONS)
    assert fit.mixture.feature_names == NAMES
    assert GaussianMixture(2, **OPTIONS).fit_predict(table.to_reader()).shape == (len(X),)
    search = gaussmix.search(table.to_reader(), [1, 2], covariance_type="EEE", criterion="cv")
    assert search.best.mixture.feature_names == NAMES
    gaussmix.bootstrap_lrt(table.to_reader(), "EII", max_components=2, n_resamples=5, random_state=0)
    gaussmix.bootstrap(table.to_reader(), fit, n_resamples=3, random_state=0)
    gaussmix.merge_components(fit, table.to_reader())
    gaussmix.project(fit, table.to_reader())
    pytest.importorskip("jinja2")
    gaussmix.write_report(fit, table.to_reader(), tmp_path / "report.html")
    figure = pytest.importorskip("matplotlib.figure").Figure
    plot = pytest.importorskip("gaussmix.plot")
    plot.MixtureDisplay.from_estimator(fit, table.to_reader(), ax=figure().subplots())
    plot.ProjectionDisplay.from_estimator(fit, table.to_reader(), ax=figure().subplots())


def test_float32_columns_stay_float32(hold):
    single = make_structured(X).astype([("a", "f4"), ("b", "f4")])
    assert MIXTURE.log_prob(single).dtype == np.float32
    assert MIXTURE.log_prob(make_astropy(X.astype(np.float32))).dtype == np.float32
    assert MIXTURE.log_prob(make_pandas(X, dtype="Float32")).dtype == np.float32
    mixed = make_structured(X).astype([("a", "f4"), ("b", "f8")])
    assert MIXTURE.log_prob(mixed).dtype == np.float64


def test_a_table_is_not_written_to(hold):
    table = hold(X)
    before = MIXTURE.log_prob(table).copy()
    GaussianMixture(2, **OPTIONS).fit(table).predict(table)
    fit_mixture(table, 2, **OPTIONS)
    assert_array_equal(MIXTURE.log_prob(table), before)


def test_arrays_ask_for_no_library_of_tables():
    code = """
import sys
import numpy as np
import gaussmix
X = np.random.default_rng(0).normal(size=(50, 2))
mixture = gaussmix.fit_mixture(X, 2, init_params="random_from_data", random_state=0).mixture
mixture.log_prob(X), mixture.log_prob(X.tolist()), mixture.log_prob(np.ma.array(X))
mixture.log_prob(np.zeros(3, dtype=[("a", "f8"), ("b", "f8")]))
print([name for name in ("pandas", "polars", "pyarrow", "astropy", "narwhals", "xarray") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
