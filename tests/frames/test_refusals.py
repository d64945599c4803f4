"""What is no number is refused: by the name of the column and the row, and never fitted with what lies under it."""

from __future__ import annotations

import datetime

import numpy as np
import pytest
import scipy.sparse

import gaussmix
from gaussmix import GaussianMixture, Mixture, fit_mixture
from tests.frames.holders import (
    HOLDERS,
    NAMES,
    make_arrow,
    make_astropy,
    make_pandas,
    make_polars,
    make_quantities,
    make_structured,
    make_values,
)

X = make_values()
MIXTURE = Mixture([0.5, 0.5], [[0.0, 0.0], [6.0, 6.0]], [1.0, 1.0], "spherical")
MODEL = GaussianMixture(2, random_state=0).fit(X)
FIT = MODEL.fit_result_


def find_models():
    return gaussmix.search(X, [1, 2], covariance_type="EEE")


#: All that takes rows.
DOORS = {
    "fit": lambda X: GaussianMixture(2).fit(X),
    "fit_predict": lambda X: GaussianMixture(2).fit_predict(X),
    "auto": lambda X: GaussianMixture("auto").fit(X),
    "predict": MODEL.predict,
    "predict_proba": MODEL.predict_proba,
    "score_samples": MODEL.score_samples,
    "score": MODEL.score,
    "bic": MODEL.bic,
    "icl": MODEL.icl,
    "uncertainty": MODEL.uncertainty,
    "fit_mixture": lambda X: fit_mixture(X, 2),
    "fit_mixtures": lambda X: gaussmix.fit_mixtures(X, 2),
    "search": lambda X: gaussmix.search(X, 2),
    "held out": lambda X: gaussmix.search(X, 2, criterion="cv"),
    "message length": lambda X: gaussmix.fit_message_length(X, 2),
    "log_prob": MIXTURE.log_prob,
    "component_log_prob": MIXTURE.component_log_prob,
    "responsibilities": MIXTURE.responsibilities,
    "mixture predict": MIXTURE.predict,
    "mixture uncertainty": MIXTURE.uncertainty,
    "bootstrap": lambda X: gaussmix.bootstrap(X, FIT, n_resamples=2),
    "bootstrap_lrt": lambda X: gaussmix.bootstrap_lrt(X, "full", max_components=2, n_resamples=2),
    "estimate_errors": lambda X: gaussmix.estimate_errors(X, FIT),
    "measure_stability": lambda X: gaussmix.measure_stability(X, find_models(), n_resamples=2),
    "merge_components": lambda X: gaussmix.merge_components(FIT, X),
    "merging": lambda X: gaussmix.merge_components(FIT, method="modes").predict(X),
    "project": lambda X: gaussmix.project(FIT, X),
    "projection": lambda X: gaussmix.project(FIT).transform(X),
    "select_features": lambda X: gaussmix.select_features(X, 2),
    "selection": lambda X: gaussmix.select_features(make_values(), 2, covariance_type="EII").transform(X),
    "report": lambda X: gaussmix.write_report(FIT, X, "never-written.html"),
    "picture": lambda X: pytest.importorskip("gaussmix.plot").MixtureDisplay.from_estimator(FIT, X),
    "labels": lambda X: pytest.importorskip("gaussmix.plot").MixtureDisplay.from_predictions(
        X, np.zeros(len(make_values()), dtype=int)
    ),
    "shadow": lambda X: pytest.importorskip("gaussmix.plot").ProjectionDisplay.from_estimator(FIT, X),
    "start": lambda R: fit_mixture(make_values(), 2, start=R),
}


def mask_entries():
    rows = np.ma.array(X)
    rows[3, 1] = rows[5, 0] = np.ma.masked
    return rows


@pytest.fixture(params=DOORS)
def enter(request):
    return DOORS[request.param]


def test_masked_entries_are_refused_everywhere(enter):
    with pytest.raises(
        ValueError, match=r"contains masked entries: entry \(3, 1\) is masked \(2 such in all\)"
    ):
        enter(mask_entries())


def test_missing_entries_are_refused_everywhere_by_column_and_row(enter):
    frame = make_pandas(X, dtype="Float64")
    frame.loc[4, "b"] = None
    frame.loc[7, "a"] = None
    with pytest.raises(ValueError, match=r"missing values: row 7 of column 'a' is missing \(2 such in all\)"):
        enter(frame)


@pytest.mark.filterwarnings("ignore:X has feature names")
def test_nan_in_a_table_is_named_by_column_and_row(enter):
    frame = make_pandas(np.where(np.arange(len(X))[:, None] == [[-1, 6]], np.nan, X))
    with pytest.raises(
        ValueError, match=r"contains NaN or infinity: row 6 of column 'b' is nan \(1 such in all\)"
    ):
        enter(frame)


def test_a_mask_without_entries_is_no_mask():
    wanted = fit_mixture(X, 2, random_state=0).mixture.means
    for rows in (
        np.ma.array(X),
        np.ma.array(X, mask=np.zeros(X.shape, bool)),
        [np.ma.array(row) for row in X],
    ):
        np.testing.assert_array_equal(fit_mixture(rows, 2, random_state=0).mixture.means, wanted)
    np.testing.assert_array_equal(MODEL.predict(np.ma.array(X)), MODEL.predict(X))


def test_masked_rows_in_a_list_are_refused():
    with pytest.raises(ValueError, match=r"entry \(3, 1\) is masked \(2 such in all\)"):
        fit_mixture(list(mask_entries()), 2)
    with pytest.raises(ValueError, match=r"entry \(3, 1\) is masked \(2 such in all\)"):
        GaussianMixture(2).fit(list(mask_entries()))


def test_masked_and_missing_weights_are_refused():
    pandas, polars, arrow = (pytest.importorskip(name) for name in ("pandas", "polars", "pyarrow"))
    weights = np.ones(len(X))
    masked = np.ma.array(weights, mask=np.arange(len(X)) == 9)
    with_none = [None if i == 9 else 1.0 for i in range(len(X))]
    for given, message in (
        (masked, "sample_weight contains masked entries: entry 9 is masked"),
        (
            pandas.Series(with_none, dtype="Float64"),
            "sample_weight contains NaN or missing values: row 9 is missing",
        ),
        (pandas.Series(with_none, dtype="double[pyarrow]"), "row 9 is missing"),
        (polars.Series(with_none), "row 9 is missing"),
        (arrow.chunked_array([with_none]), "row 9 is missing"),
        (pandas.Series(with_none, dtype=float), "sample_weight contains NaN or infinity: entry 9 is nan"),
        (pandas.Series(["x"] * len(X)), "sample_weight must hold numbers: row 0 is 'x'"),
        (pandas.Series(pandas.date_range("2020", periods=len(X))), "sample_weight holds dates or times"),
    ):
        for use in (
            lambda w: fit_mixture(X, 2, sample_weight=w),
            lambda w: GaussianMixture(2).fit(X, sample_weight=w),
            lambda w: MODEL.score(X, sample_weight=w),
            lambda w: gaussmix.search(X, 2, sample_weight=w),
            lambda w: gaussmix.project(MIXTURE, X, sample_weight=w),
        ):
            with pytest.raises(ValueError, match=message):
                use(given)


def test_missing_labels_are_refused():
    pandas = pytest.importorskip("pandas")
    labels = pandas.Series([0, 1] * (len(X) // 2), dtype="Int64")
    labels[2] = None
    with pytest.raises(ValueError, match="start contains NaN or missing values: row 2 is missing"):
        fit_mixture(X, 2, start=labels)


def add_pandas(**columns):
    return make_pandas(X).assign(**columns)


def add_polars(name, values, dtype=None):
    polars = pytest.importorskip("polars")
    return make_polars(X).with_columns(polars.Series(name, values, dtype=dtype and getattr(polars, dtype)))


def add_arrow(name, values):
    return make_arrow(X).append_column(name, pytest.importorskip("pyarrow").array(values))


def add_field(kind, value):
    rows = np.zeros(len(X), dtype=[("a", "f8"), ("c", *kind)])
    rows["c"] = value
    return rows


def add_astropy(values):
    table = make_astropy(X)
    table["c"] = values
    return table


def mask_astropy():
    table = make_astropy(X, masked=True)
    table["b"].mask[8] = True
    return table


def mask_quantities():
    table = make_quantities(X)
    table["b"] = pytest.importorskip("astropy.utils.masked").Masked(table["b"], mask=np.arange(len(X)) == 8)
    return table


def mask_fields():
    rows = np.ma.array(make_structured(X))
    rows["b"][8] = np.ma.masked
    return rows


def make_times():
    time = pytest.importorskip("astropy.time").Time
    return time(50_000.0 + np.arange(len(X)), format="mjd")


n, day = len(X), datetime.date(2020, 1, 1)
holes = [None if i == 8 else float(i) for i in range(n)]
truths = [None if i == 8 else True for i in range(n)]
text = ["four" if i == 8 else "4" for i in range(n)]

#: Columns that cannot be fitted, and the message.
WRONG = {
    "pandas, text": (lambda: add_pandas(c=text), "row 8 of column 'c' is 'four'"),
    "pandas, categories": (
        lambda: add_pandas(c=pytest.importorskip("pandas").Categorical(text)),
        "row 8 of column 'c' is 'four'",
    ),
    "pandas, dates": (
        lambda: add_pandas(c=pytest.importorskip("pandas").date_range("2020", periods=n)),
        "column 'c' of X holds dates or times",
    ),
    "pandas, dates alone": (
        lambda: add_pandas(c=pytest.importorskip("pandas").date_range("2020", periods=n))[["c"]],
        "column 'c' of X holds dates or times",
    ),
    "pandas, zones": (
        lambda: add_pandas(c=pytest.importorskip("pandas").date_range("2020", periods=n, tz="UTC")),
        "row 0 of column 'c' is Timestamp",
    ),
    "pandas, days": (lambda: add_pandas(c=[day] * n), "row 0 of column 'c' is datetime.date"),
    "pandas, complex": (lambda: add_pandas(c=1j * X[:, 0]), "column 'c' of X holds complex numbers"),
    "pandas, lists": (lambda: add_pandas(c=[[1.0, 2.0]] * n), r"row 0 of column 'c' is \[1.0, 2.0\]"),
    "pandas, boolean": (
        lambda: add_pandas(c=pytest.importorskip("pandas").array(truths, dtype="boolean")),
        "row 8 of column 'c' is missing",
    ),
    "pandas, Int64": (
        lambda: add_pandas(c=pytest.importorskip("pandas").array(holes, dtype="Int64")),
        "row 8 of column 'c' is missing",
    ),
    "pandas, by Arrow": (
        lambda: add_pandas(c=pytest.importorskip("pandas").array(holes, dtype="double[pyarrow]")),
        "row 8 of column 'c' is missing",
    ),
    "pandas, objects": (
        lambda: add_pandas(c=np.array(holes, dtype=object)),
        "row 8 of column 'c' is missing",
    ),
    "pandas, numbered": (
        lambda: pytest.importorskip("pandas").DataFrame([[1.0, np.inf], [2.0, 3.0]]),
        "row 0 of column 1 is inf",
    ),
    "polars, nulls": (lambda: add_polars("c", holes), "row 8 of column 'c' is missing"),
    "polars, truths": (lambda: add_polars("c", truths), "row 8 of column 'c' is missing"),
    "polars, text": (lambda: add_polars("c", text), "row 8 of column 'c' is 'four'"),
    "polars, categories": (lambda: add_polars("c", text, "Categorical"), "row 8 of column 'c' is 'four'"),
    "polars, dates": (lambda: add_polars("c", [day] * n), "column 'c' of X holds dates or times"),
    "polars, times": (
        lambda: add_polars("c", [datetime.time(1)] * n),
        "column 'c' of X holds dates or times",
    ),
    "polars, spans": (lambda: add_polars("c", [datetime.timedelta(1)] * n), "column 'c' of X holds dates or"),
    "polars, lists": (
        lambda: add_polars("c", [[1.0, 2.0]] * n),
        "column 'c' of X must hold one number a row; got .List",
    ),
    "polars, structs": (
        lambda: add_polars("c", [{"x": 1.0}] * n),
        "column 'c' of X must hold one number a row; got .Struct",
    ),
    "Arrow, nulls": (lambda: add_arrow("c", holes), "row 8 of column 'c' is missing"),
    "Arrow, dates": (lambda: add_arrow("c", [day] * n), "column 'c' of X holds dates or times"),
    "Arrow, text": (lambda: add_arrow("c", text), "row 8 of column 'c' is 'four'"),
    "Arrow, structs": (
        lambda: add_arrow("c", [{"x": 1.0}] * n),
        "column 'c' of X must hold one number a row; got .struct",
    ),
    "field, text": (lambda: add_field(("U4",), text), "row 8 of column 'c' is 'four'"),
    "field, nested": (lambda: add_field(([("x", "f8")],), 1.0), "column 'c' of X must hold one number a row"),
    "field, several": (
        lambda: add_field(("f8", (3,)), 1.0),
        r"column 'c' of X has entries of the shape \(3,\)",
    ),
    "field, dates": (lambda: add_field(("M8[D]",), 1), "column 'c' of X holds dates or times"),
    "field, masked": (mask_fields, "masked entries: row 8 of column 'b' is masked"),
    "fields of two axes": (
        lambda: make_structured(X).reshape(2, -1),
        "X is a structured array.*must have one axis",
    ),
    "astropy, masked": (mask_astropy, "masked entries: row 8 of column 'b' is masked"),
    "quantities, masked": (mask_quantities, "masked entries: row 8 of column 'b' is masked"),
    "astropy, several": (
        lambda: add_astropy(np.ones((n, 3))),
        r"column 'c' of X has entries of the shape \(3,\)",
    ),
    "astropy, text": (lambda: add_astropy(text), "row 8 of column 'c' is 'four'"),
    "astropy, times": (lambda: add_astropy(make_times()), "row 0 of column 'c' is <Time"),
    "dates": (lambda: np.arange(2 * n).astype("M8[D]").reshape(n, 2), "X holds dates or times"),
    "text": (lambda: np.array([["1", "2"], ["3", "four"]]), r"could not convert.*entry \(1, 1\)"),
    "objects": (lambda: np.array([[1, 2], [{}, 3]], dtype=object), r"argument must be.*entry \(1, 0\)"),
    "no columns": (lambda: make_pandas(X)[[]], "X is a table without columns"),
    "list of dicts": (lambda: [{"a": 1.0, "b": 2.0}] * n, "X is a list of dict: make a data frame of it"),
    "dict": (lambda: {"a": [1.0], "b": [2.0]}, "X is a dict: make a data frame of it"),
    "lazy": (
        lambda: make_polars(X).lazy(),
        r"X is a LazyFrame: its rows have not been computed; pass X.collect\(\)",
    ),
    "data set": (
        lambda: pytest.importorskip("xarray").Dataset({"a": ("row", X[:, 0])}),
        r"X is a Dataset: pass X.to_dataframe\(\)",
    ),
    "sparse": (lambda: scipy.sparse.csr_array(X), "(?i)sparse.*toarray"),
    "one column": (
        lambda: make_pandas(X)["a"],
        "2-dimensional container|must have two axes|must have the shape",
    ),
    "one axis": (lambda: X[:, 0], "Expected 2D array|must have two axes|must have the shape"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_no_table_of_numbers_is_refused_with_the_column_and_the_row(kind):
    make, message = WRONG[kind]
    for enter in (DOORS["fit"], DOORS["fit_mixture"], DOORS["search"], DOORS["predict"], DOORS["log_prob"]):
        with pytest.raises((ValueError, TypeError), match=message) as caught:
            enter(make())
        assert isinstance(caught.value, ValueError) or kind in ("sparse", "objects")  # scikit-learn's own


@pytest.mark.parametrize("holder", ["pandas", "polars", "pyarrow", "duckdb", "Arrow stream", "astropy"])
def test_names_come_out_of_messages_on_one_line(holder):
    rows = HOLDERS[holder](np.where(X > 7.0, np.nan, X), ("\x1b[2J\n" + 200 * "long", "b"))
    with pytest.raises(ValueError, match="contains NaN") as caught:
        fit_mixture(rows, 2)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 250


def test_an_entry_that_hides_in_what_numpy_drops():
    """What lies under a mask is a number: nothing but the mask says that it is none."""
    rows = mask_entries()
    assert np.isfinite(np.asarray(rows)).all()
    with pytest.raises(ValueError, match="masked"):
        fit_mixture(rows, 2)
    masked = pytest.importorskip("astropy.utils.masked").Masked(X, mask=X > 7.0)
    with pytest.raises(ValueError, match="X contains masked entries"):
        fit_mixture(masked, 2)
    with pytest.raises(ValueError, match="X contains masked entries"):
        GaussianMixture(2).fit(masked)


def test_where_no_library_reads_a_stream_the_message_says_what_to_install(monkeypatch):
    stream = HOLDERS["Arrow stream"](X)
    monkeypatch.setattr("gaussmix._reading.tables.STREAM_READERS", (("no_such_library", "table"),))
    with pytest.raises(
        ValueError, match=r"X is a OnlyStream, which one of no_such_library can read.*pip install"
    ):
        fit_mixture(stream, 2)


def test_nothing_is_written_where_rows_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="masked"):
        gaussmix.write_report(FIT, mask_entries(), "never-written.html")
    assert not list(tmp_path.iterdir())


def test_names_of_two_kinds_are_refused_by_an_estimator():
    frame = make_pandas(X)
    frame.columns = ["a", 1]
    with pytest.raises(
        TypeError, match="Feature names are only supported if all input features have string names"
    ):
        GaussianMixture(2).fit(frame)
    assert fit_mixture(frame, 2).mixture.feature_names is None


def test_names_that_do_not_tell_columns_apart_are_none():
    frame = make_pandas(X)
    frame.columns = ["a", "a"]
    assert fit_mixture(frame, 2).mixture.feature_names is None
    assert not hasattr(GaussianMixture(2).fit(frame), "feature_names_in_")
    MIXTURE.replace(feature_names=NAMES).log_prob(frame)
    MIXTURE.replace(feature_names=("a", "a")).log_prob(make_pandas(X))


def test_masked_parameters_are_refused():
    weights = np.ma.array([0.5, 0.5, 9.0], mask=[False, False, True])
    means = np.ma.array([[0.0, 0.0], [6.0, 6.0]], mask=[[False, True], [False, False]])
    with pytest.raises(ValueError, match="weights contains masked entries: entry 2 is masked"):
        Mixture(weights, np.zeros((3, 1)), np.ones(3), "spherical")
    with pytest.raises(ValueError, match=r"means contains masked entries: entry \(0, 1\) is masked"):
        Mixture([0.5, 0.5], means, [1.0, 1.0], "spherical")
    with pytest.raises(ValueError, match=r"'means' contains masked entries: entry \(0, 1\) is masked"):
        GaussianMixture(2, means_init=means).fit(X)


def test_a_list_of_float32_rows_is_read_as_before():
    rows = list(X.astype(np.float32))
    assert GaussianMixture(1).fit(rows).means_.dtype == np.float64  # as scikit-learn reads lists


def test_text_in_a_list_is_found():
    for enter in (DOORS["fit"], DOORS["fit_mixture"]):
        with pytest.raises(ValueError, match=r"could not convert.*entry \(1, 1\)"):
            enter([[1.0, 2.0], [3.0, "four"]])
