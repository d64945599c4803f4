"""The page about a classifier: numbers against their definitions, in a browser, and names that would break it."""

from __future__ import annotations

import json
from functools import cache
from html import unescape

import numpy as np
import pytest
from sklearn.datasets import load_iris

from gaussmix import GaussianMixtureClassifier
from gaussmix.estimators._holding_out import hold_out
from gaussmix.report.classification import MOST_CLASSES, MOST_FEATURES, MOST_LISTED, rank_features, tabulate
from gaussmix.report.classification_charts import make_class_plane, make_reliability, make_sureness
from gaussmix.report.classification_page import list_bins, make_classification_report
from tests.report.making import HOSTILE, read_document

X, PLACES = load_iris(return_X_y=True)
Y = np.array(["setosa", "versicolor", "virginica"])[PLACES]
NAMES = ["a", "b", "c", "d"]


def make_model(family="tied"):
    return GaussianMixtureClassifier(1, covariance_type=family, shrinkage=1.0, random_state=0)


@cache
def hold(n=150):
    return hold_out(make_model(), lambda places: X[places], Y, None, n_folds=5, seed=0)


@cache
def make_page():
    return make_classification_report(
        make_model().fit(X, Y),
        X,
        hold(),
        NAMES,
        numbers=np.arange(1, 151),
        target="kind",
        source="iris.csv",
        command="gaussmix classify",
    )


def test_every_row_is_held_out_once_from_a_fit_to_the_others():
    held = hold()
    assert held.places.tolist() == list(range(150)) and held.n_folds == 5
    np.testing.assert_allclose(held.probabilities.sum(axis=1), 1.0)
    np.testing.assert_array_equal(held.classes[held.truth], Y)
    # a row whose label is turned is not found by its own label
    turned = Y.copy()
    turned[0] = "virginica"
    again = hold_out(make_model(), lambda places: X[places], turned, None, n_folds=5, seed=0)
    assert again.probabilities[0, 2] < 1e-3


def test_rows_of_unknown_class_are_seen_by_all_and_held_out_by_none():
    y = Y.astype(object)
    y[::3] = None
    seen = []
    held = hold_out(make_model(), lambda p: seen.append(p) or X[p], y, np.ones(150), n_folds=4, seed=0)
    assert held.places.tolist() == [i for i in range(150) if i % 3]
    assert all(set(range(0, 150, 3)) <= set(places) for places in seen[::2])


def test_the_smallest_class_bounds_the_folds():
    few = np.concatenate([np.arange(100), np.arange(100, 103)])
    held = hold_out(make_model(), lambda p: X[few][p], Y[few], None, n_folds=10, seed=0)
    assert held.n_folds == 3
    with pytest.raises(ValueError, match="class virginica has a single row"):
        hold_out(make_model(), lambda p: X[:101][p], Y[:101], None, n_folds=5, seed=0)


def test_numbers_of_the_page_are_those_of_the_rows_held_out():
    held, document = hold(), read_document(make_page())
    confusion = np.array(
        [[((held.truth == i) & (held.labels == j)).sum() for j in range(3)] for i in range(3)]
    )
    np.testing.assert_array_equal(held.confusion, confusion)
    assert sum(cell["n"] for cell in document["counts"]) == pytest.approx(150)
    top, right = held.probabilities.max(axis=1), held.labels == held.truth
    for found in document["bins"]:
        own = [i for i in range(150) if np.isclose(found["x"], top, atol=0.08)[i]]
        assert (
            found["n"] <= len(own) + 1e-6
            and found["lo"] < found["y"] + 1e-9
            and found["hi"] > found["y"] - 1e-9
        )
    shares = sum(found["y"] * found["n"] for found in document["bins"]) / 150
    assert shares == pytest.approx(right.mean())
    wrong = {
        number for number, w in zip(document["rows"]["numbers"], document["rows"]["wrong"], strict=True) if w
    }
    assert wrong == set((np.flatnonzero(~right) + 1).tolist())
    order = [NAMES.index(name) for name in document["features"]]
    assert order[:2] in ([2, 3], [3, 2])  # petals tell the kinds apart
    rows = X[np.array(document["rows"]["numbers"]) - 1]
    np.testing.assert_allclose(np.transpose(document["rows"]["columns"]), rows[:, order], rtol=1e-5)


def test_words_of_the_page():
    page = unescape(make_page())
    assert "<title>Classes of kind in iris.csv</title>" in page
    accuracy = 100.0 * (hold().labels == hold().truth).mean()
    assert f"{accuracy:.3g} % of the rows got their own class from a fit that had not seen them" in page
    assert "always saying setosa would be right in 33.3 %" in page
    assert "Model: 1 component a class, covariance tied, shrinkage 1." in page
    first = np.argmin(hold().probabilities[np.arange(150), hold().truth]) + 1
    assert f'<th scope="row">{first}</th>' in page
    assert page.count('<th scope="row">') == MOST_LISTED


def test_a_table_of_many_classes_has_those_of_most_rows():
    confusion = np.diag(np.arange(1.0, 41.0))
    confusion[39, 0] = 40.0
    lines, shown = tabulate([str(i) for i in range(40)], confusion)
    assert len(lines) == len(shown) == MOST_CLASSES and shown[0] == "39"
    assert lines[0]["recall"] == "50 %" and lines[0]["precision"] == "100 %" and lines[0]["rows"] == "80"
    assert lines[0]["cells"][0] == {"n": "40", "shade": 2, "own": True}
    empty, _ = tabulate(["a", "b"], np.array([[2.0, 0.0], [0.0, 0.0]]))
    assert empty[1]["recall"] == empty[1]["precision"] == ""


def test_features_are_ranked_by_what_tells_classes_apart():
    rng = np.random.default_rng(0)
    labels = np.arange(90) % 3
    rows = np.column_stack(
        [rng.normal(size=90), np.ones(90), labels + 0.1 * rng.normal(size=90), 1e300 * labels]
    )
    assert rank_features(rows, labels) == [3, 2, 0, 1]


def test_bins_have_rows_and_ends_within_zero_and_one():
    for found in list_bins(hold().reliability):
        assert 0.0 <= found["lo"] < found["hi"] <= 1.0 and found["n"] > 0.0


@pytest.mark.parametrize("spec", [make_reliability(0.5), make_class_plane(["a", "b"]), make_sureness(0.5)])
def test_specifications_are_valid(spec):
    altair = pytest.importorskip("altair")
    kind = altair.LayerChart if "layer" in spec else altair.Chart
    kind.from_dict(json.loads(json.dumps(spec)), validate=True)


def test_the_page_in_a_browser(open_page):
    page = open_page(make_page(), scheme="dark")
    for name in ("reliability", "sureness", "plane"):
        assert page.locator(f"#{name} canvas").bounding_box()["width"] > 200
    before = page.locator("#plane canvas").evaluate("c => c.toDataURL()")
    page.select_option("#y-feature", "2")
    page.wait_for_timeout(300)
    assert page.locator("#plane canvas").evaluate("c => c.toDataURL()") != before


@pytest.mark.parametrize("d", [1, 14])
def test_names_that_would_break_a_page(open_page, d):
    rng = np.random.default_rng(0)
    classes = np.array(HOSTILE[:4])
    y = classes[np.arange(80) % 4]
    rows = rng.normal(size=(80, d)) + 3.0 * (np.arange(80) % 4)[:, None]
    model = make_model("diag")
    held = hold_out(model, lambda places: rows[places], y, None, n_folds=2, seed=0)
    names = [*HOSTILE, *(f"f{j}" for j in range(d))][:d]
    text = make_classification_report(
        model.fit(rows, y), rows, held, names, numbers=np.arange(80), target=HOSTILE[0], source="<b>x</b>"
    )
    assert len(read_document(text)["features"]) == min(d, MOST_FEATURES)
    page = open_page(text, width=400)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert sorted(page.locator(".confusion tbody th").all_inner_texts()) == sorted(HOSTILE[:4])
