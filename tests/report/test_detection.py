"""The page about anomalies: numbers against their definitions, in a browser, and wrong arguments."""

from __future__ import annotations

import json
from functools import cache
from html import unescape

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from gaussmix import GaussianMixtureDetector
from gaussmix.apps.anomaly.detection import detect_rows, find_border
from gaussmix.report import make_report
from gaussmix.report.detection import MOST_BARS, MOST_FEATURES, MOST_LISTED, choose_features
from gaussmix.report.detection_charts import make_histogram, make_plane, make_reasons
from tests.report.making import HOSTILE, read_document

NAMES = ["height", "weight", "age"]


def make_rows(n=300, d=3, seed=0):
    """Normal rows, and three that are none: the first."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * 2.0 + 10.0
    X[0, 0], X[1, d - 1], X[2] = 90.0, -50.0, 60.0
    return X


@cache
def fit_detector(calibration=None):
    return GaussianMixtureDetector(1, contamination=0.02, calibration=calibration, random_state=0).fit(
        make_rows()
    )


@cache
def make_page(calibration=None):
    return make_report(
        fit_detector(calibration),
        make_rows(),
        feature_names=NAMES,
        source="people.csv",
        command="gaussmix detect",
    )


def test_numbers_of_the_page_are_those_of_the_detector():
    X, detector = make_rows(), fit_detector()
    document = read_document(make_page())
    scores = detector.score_samples(X)
    listed = document["listed"]
    assert [row["number"] for row in listed] == np.argsort(scores, kind="stable")[:MOST_LISTED].tolist()
    assert [row["anomalous"] for row in listed] == (
        scores[[row["number"] for row in listed]] < detector.offset_
    ).tolist()
    why = detector.explain(X[[row["number"] for row in listed]])
    for i, row in enumerate(listed):
        assert float(row["score"]) == pytest.approx(scores[row["number"]], rel=1e-5)
        contributions = {feature["name"]: feature["contribution"] for feature in row["features"]}
        np.testing.assert_allclose([contributions[name] for name in NAMES], why.contributions[i], rtol=1e-4)
        assert row["neighbour"][0] == why.neighbours[i] and row["pvalue"] is None
    assert document["threshold"] == detector.offset_
    assert sum(bar["n"] for bar in document["bars"]) == 300
    assert sum(bar["n"] for bar in document["bars"] if bar["a"]) == 6


def test_rows_of_the_picture_are_those_of_the_table():
    document = read_document(make_page())
    order = [NAMES.index(name) for name in document["features"]]
    assert sorted(order) == [0, 1, 2]
    X = make_rows()[document["rows"]["numbers"]]
    np.testing.assert_allclose(np.transpose(document["rows"]["columns"]), X[:, order], rtol=1e-5)
    assert sum(document["rows"]["anomalous"]) == 6 and len(X) == 300


def test_pvalues_are_there_where_there_is_a_calibration():
    page = make_page("split")
    assert "p-value" in page and "Calibration rows" in page
    listed = read_document(page)["listed"]
    p = fit_detector("split").pvalues(make_rows())
    for row in listed:
        assert float(row["pvalue"]) == pytest.approx(p[row["number"]], rel=1e-2)
    assert "p-value</th>" not in make_page()


def test_words_of_the_page():
    page = unescape(make_page())
    assert "<title>Anomalies in people.csv</title>" in page
    assert "6 of 300 rows are anomalies (2 %)." in page
    assert (
        "gaussmix.GaussianMixtureDetector(contamination=0.02, n_components=1, random_state=0).fit(X)" in page
    )
    other = make_report(fit_detector(), make_rows(), title="A title", verdict=["All is well."])
    assert "<title>A title</title>" in other and "All is well." in other and "rows are anomalies" not in other


def test_many_rows_and_features_make_a_page_of_bounded_size():
    X = make_rows(30_000, 40)
    detector = GaussianMixtureDetector(1, covariance_type="diag", contamination=0.2, random_state=0).fit(X)
    page = make_report(detector, X)
    document = read_document(page)
    assert len(document["features"]) == MOST_FEATURES and len(document["listed"]) == MOST_LISTED
    assert len(document["rows"]["numbers"]) < 4_100 and len(page) < 2_500_000
    assert "A sample of " in page and " of 30,000 rows" in page
    (first, *_) = document["listed"]
    assert len(first["features"]) == MOST_BARS - 1 and first["others"][0] == 40 - MOST_BARS + 1


def test_features_that_make_anomalies_come_first():
    X = make_rows()
    why = fit_detector().explain(X[:2])
    assert choose_features(why, np.array([False, True]))[0] == 2
    assert choose_features(why, np.array([True, False]))[0] == 0
    assert len(choose_features(why, np.array([False, False]))) == 3


def test_a_false_discovery_rate_has_a_border():
    X = make_rows()
    detector = GaussianMixtureDetector(1, novelty=True, calibration="cross", random_state=0).fit(X[3:])
    found = detect_rows(detector, [X[:100], X[100:]], fdr=0.5)
    np.testing.assert_array_equal(found.anomalous, detector.select(X, fdr=0.5))
    assert found.anomalous.any()
    assert (found.scores[found.anomalous] < found.threshold).all()
    assert (found.scores[~found.anomalous] >= found.threshold).all()


@pytest.mark.parametrize(
    ("scores", "anomalous", "border"),
    [
        ([1.0, 2.0, 4.0], [True, True, False], 3.0),
        ([1.0, 2.0], [False, False], 1.0),
        ([1.0, 2.0], [True, True], np.nextafter(2.0, 3.0)),
        ([1.0, np.nextafter(1.0, 2.0)], [True, False], np.nextafter(1.0, 2.0)),
        ([-np.inf, 2.0], [True, False], 2.0),
    ],
)
def test_borders(scores, anomalous, border):
    assert find_border(np.array(scores), np.array(anomalous)) == border


@pytest.mark.parametrize("spec", [make_histogram(-3.0, 2.0, 40), make_plane(), make_reasons()])
def test_specifications_are_valid(spec):
    altair = pytest.importorskip("altair")
    altair.Chart.from_dict(json.loads(json.dumps(spec)), validate=True) if "layer" not in spec else (
        altair.LayerChart.from_dict(json.loads(json.dumps(spec)), validate=True)
    )


def test_wrong_arguments():
    detector, X = fit_detector(), make_rows()
    with pytest.raises(ValueError, match="sample_weight is of reports about mixtures"):
        make_report(detector, X, sample_weight=np.ones(len(X)))
    with pytest.raises(ValueError, match="features is of reports about mixtures"):
        make_report(detector, X, features=[0])
    with pytest.raises(ValueError, match="errors is of reports about mixtures"):
        make_report(detector, X, errors=None)
    with pytest.raises(ValueError, match="feature_names must be 3 names"):
        make_report(detector, X, feature_names=["a"])
    with pytest.raises(ValueError, match="3 features"):
        make_report(detector, X[:, :2])
    with pytest.raises(NotFittedError):
        make_report(GaussianMixtureDetector(), X)


def texts(page, selector):
    return page.locator(selector).all_inner_texts()


def test_the_page_opens_with_the_strangest_row(open_page):
    page = open_page(make_page())
    document = read_document(make_page())
    first = document["listed"][0]
    assert page.inner_text("#detail-title") == f"Why row {first['number']}?"
    assert page.locator("#listed tr").count() == MOST_LISTED
    assert page.locator("#feature-table tr").count() == 3
    assert page.locator('#listed button[aria-pressed="true"]').count() == 1
    for name in ("reasons", "histogram", "plane"):
        assert page.locator(f"#{name} canvas").bounding_box()["width"] > 200


def test_a_click_shows_the_reasons_of_another_row(open_page):
    page = open_page(make_page())
    second = read_document(make_page())["listed"][1]
    before = [page.locator(f"#{name} canvas").evaluate("c => c.toDataURL()") for name in ("reasons", "plane")]
    page.click("#listed tr:nth-of-type(2) button")
    page.wait_for_timeout(300)
    after = [page.locator(f"#{name} canvas").evaluate("c => c.toDataURL()") for name in ("reasons", "plane")]
    assert page.inner_text("#detail-title") == f"Why row {second['number']}?"
    assert all(old != new for old, new in zip(before, after, strict=True))
    assert texts(page, "#feature-table tr th")[0] == second["features"][0]["name"]


def test_other_axes_change_the_picture(open_page):
    page = open_page(make_page(), scheme="dark")
    before = page.locator("#plane canvas").evaluate("c => c.toDataURL()")
    page.select_option("#y-feature", "2")
    page.wait_for_timeout(300)
    assert page.locator("#plane canvas").evaluate("c => c.toDataURL()") != before


@pytest.mark.parametrize("d", [1, len(HOSTILE)])
def test_names_and_numbers_that_would_break_a_page(open_page, d):
    X = make_rows(60, d)
    detector = GaussianMixtureDetector(1, covariance_type="diag", contamination=0.1, random_state=0).fit(X)
    page = open_page(make_report(detector, X, feature_names=HOSTILE[:d], source="<b>x</b>"), width=400)
    assert sorted(texts(page, "#feature-table tr th")) == sorted(HOSTILE[:d])
    assert page.locator("#plane canvas").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
