"""What a page holds, without a browser: numbers against their definitions, sizes, and wrong arguments."""

from __future__ import annotations

import base64
import re
from html import unescape

import numpy as np
import pytest
from markupsafe import escape
from sklearn.mixture import GaussianMixture as SklearnMixture

import gaussmix
from gaussmix import Mixture
from gaussmix.data.rows import Rows
from gaussmix.report import make_report
from gaussmix.report.bundle import read_bundle
from gaussmix.report.features import choose_features, describe_features
from gaussmix.report.models import LEFT_OUT, thin_trace
from gaussmix.report.summary import write_gap
from tests.report.making import faithful_models, faithful_page, make_rows, read_document, with_failures


def decode(text):
    return np.frombuffer(base64.b64decode(text), dtype=np.uint8)


def find_model(document, family, k):
    return next(model for model in document["models"] if (model["family"], model["k"]) == (family, k))


def test_numbers_of_a_model_are_those_of_its_fit():
    models, X = faithful_models()
    document = read_document(faithful_page())
    for (family, k), fit in models.fits.items():
        model, mixture = find_model(document, family, k), fit.mixture
        assert model["score"] == fit.bic
        np.testing.assert_allclose(model["weights"], mixture.weights, rtol=1e-5)
        np.testing.assert_allclose(model["means"], mixture.means, atol=1e-3)
        covariances = mixture.dense_covariances
        deviations = np.array(model["deviations"])
        np.testing.assert_allclose(deviations**2, covariances[:, [0, 1], [0, 1]], rtol=1e-3)
        products = np.ravel(model["correlations"]) * deviations.prod(axis=1)
        np.testing.assert_allclose(products, covariances[:, 0, 1], rtol=1e-3, atol=1e-6)
        responsibilities = mixture.responsibilities(X)
        np.testing.assert_array_equal(decode(model["labels"]), responsibilities.argmax(axis=1))
        percent, exact = decode(model["sureness"]), 1.0 - responsibilities.max(axis=1)
        for t in (0, 1, 10, 20, 50):
            np.testing.assert_array_equal(percent > t, exact > t / 100.0)
        density = mixture.log_prob(X)
        worst = [row[0] for row in model["worst"]]
        np.testing.assert_allclose(density[worst], np.sort(density)[: len(worst)])
        np.testing.assert_allclose([v for _, v in model["trace"]][-1], fit.history[-1], rtol=1e-6)


def test_rows_are_there_once():
    _, X = faithful_models()
    rows = read_document(faithful_page())["rows"]
    np.testing.assert_allclose(np.transpose(rows["columns"]), X, atol=1e-4)
    assert rows["numbers"] == list(range(272))
    assert rows["complete"]


def test_a_page_is_mostly_vega():
    assert len(faithful_page()) < len(read_bundle()) + 100_000


def test_the_same_call_makes_the_same_page():
    models, X = faithful_models()
    assert make_report(models, X) == make_report(models, X)


@pytest.mark.parametrize("d", [2, 8])
def test_many_rows_become_a_sample_and_the_page_says_so(d):
    X = make_rows(20_000, d)
    X[17_123] = 100.0
    models = gaussmix.fit_mixtures(X, range(1, 3), covariance_type=["EII", "VVI"])
    page = make_report(models, X.astype(np.float32))
    document = read_document(page)
    n_sampled = len(document["rows"]["numbers"])
    assert 1_000 <= n_sampled <= 5_000
    assert document["rows"]["total"] == 20_000
    assert not document["rows"]["complete"]
    assert f"random sample of {n_sampled:,} rows" in page
    of_one = [model for model in document["models"] if model["k"] == 1]
    assert all(model["worst"][0][0] == 17_123 for model in of_one)  # of all rows
    assert len(page) < 6_000_000


def test_rows_of_weight_zero_are_not_shown():
    X = make_rows(60, 2)
    weights = np.ones(60)
    weights[[3, 50]] = 0.0
    weights[7] = 2.0
    fit = gaussmix.fit_mixture(X, 2, sample_weight=weights, random_state=0)
    page = make_report(fit, X, sample_weight=weights)
    numbers = read_document(page)["rows"]["numbers"]
    assert numbers == [i for i in range(60) if i not in (3, 50)]
    assert "sum of weights 59" in page
    assert "2 rows of weight zero" in page


def test_rows_that_a_fit_left_out_are_marked():
    X = make_rows(100, 2)
    X[5] = 1e3
    weights = np.ones(100)
    weights[0] = 0.0
    fit = gaussmix.fit_mixture(X, 2, trim=0.1, sample_weight=weights, random_state=0)
    (model,) = read_document(make_report(fit, X, sample_weight=weights))["models"]
    np.testing.assert_array_equal(decode(model["sureness"]) == LEFT_OUT, fit.trimmed[1:])
    assert model["worst"][0][0] == 5
    assert model["worst"][0][4] is True


def test_what_failed_is_in_the_grid_with_its_reason():
    models, X = with_failures()
    page = make_report(models, X)
    assert ">–</button>" in page
    assert "component 2 collapsed &lt;b&gt;at once&lt;/b&gt;" in page
    failed = find_model(read_document(page), "VVV", 4)
    assert failed["score"] is None
    assert "weights" not in failed


@pytest.mark.parametrize("kind", ["fit", "estimator", "mixture", "models"])
def test_one_model_is_a_grid_of_one(kind):
    X = make_rows(80, 2)
    fit = gaussmix.fit_mixture(X, 2, random_state=0)
    made = {
        "fit": lambda: fit,
        "estimator": lambda: gaussmix.GaussianMixture(2, random_state=0).fit(X),
        "mixture": lambda: fit.mixture,
        "models": lambda: gaussmix.fit_mixtures(X, 2, covariance_type="full"),
    }[kind]()
    page = make_report(made, X)
    (model,) = read_document(page)["models"]
    assert model["score"] == pytest.approx(fit.bic, rel=1e-3)
    assert (model["trace"] == []) is (kind == "mixture")
    assert '<table id="grid"' not in page


def test_the_estimator_of_scikit_learn_is_shown_too():
    X = make_rows(80, 2)
    model = SklearnMixture(2, random_state=0).fit(X)
    (shown,) = read_document(make_report(model, X))["models"]
    np.testing.assert_allclose(shown["means"], model.means_, atol=1e-3)
    assert shown["score"] == pytest.approx(model.bic(X), rel=1e-6)
    with pytest.raises(ValueError, match="not fitted"):
        make_report(SklearnMixture(2), X)


def test_an_estimator_whose_parameters_were_set_is_reported_as_it_is():
    X = make_rows(80, 2)
    estimator = gaussmix.GaussianMixture(2, random_state=0).fit(X)
    estimator.means_ = estimator.means_ + 1.0
    (model,) = read_document(make_report(estimator, X))["models"]
    np.testing.assert_allclose(model["means"], estimator.means_, atol=1e-3)
    assert model["trace"] == []


def test_the_features_are_those_that_tell_components_apart():
    X = make_rows(200, 40)
    X[:, [0, 1, 30, 31]] = X[:, [30, 31, 0, 1]]
    mixture = gaussmix.fit_mixture(X, 2, covariance_type="diag", random_state=0).mixture
    names = [f"x{j}" for j in range(40)]
    assert {30, 31} <= set(choose_features(names, None, mixture))
    assert choose_features(names, ["x7", -1], mixture) == [7, 39]
    assert choose_features(names[:4], None, mixture) == [0, 1, 2, 3]


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_any_scale_and_offset_has_enough_digits(scale, offset):
    X = scale * (offset + make_rows(60, 2))
    fit = gaussmix.fit_mixture(X, 2, random_state=0)
    document = read_document(make_report(fit, X))
    found = np.transpose(document["rows"]["columns"])
    np.testing.assert_allclose(found / scale, X / scale, atol=1e-3)


def test_a_constant_column_is_drawn_and_named():
    X = np.column_stack([make_rows(60, 2), np.full(60, 7.0)])
    fit = gaussmix.fit_mixture(
        X, 2, covariance_type="diag", random_state=0, feature_names=["a", "b", "fixed"]
    )
    page = make_report(fit, X)
    assert "The same in all rows: fixed." in page
    feature = read_document(page)["features"][2]
    assert feature["low"] < 7.0 < feature["high"]


@pytest.mark.parametrize("family", ["factor", "ppca", "tied", "spherical", "VEV"])
def test_every_kind_of_family_can_be_shown(family):
    X = make_rows(90, 5)
    fit = gaussmix.fit_mixture(X, 2, covariance_type=family, random_state=0)
    (model,) = read_document(make_report(fit, X))["models"]
    assert len(model["correlations"][0]) == 10


def test_more_components_than_a_byte_holds():
    X = np.arange(600.0)[:, None] + 0.1 * make_rows(600, 1)
    means = X[::2].copy()
    mixture = Mixture(np.full(300, 1 / 300), means, np.array([[0.01]]), "tied")
    (model,) = read_document(make_report(mixture, X))["models"]
    labels = np.frombuffer(base64.b64decode(model["labels"]), dtype="<u2")
    np.testing.assert_array_equal(labels, mixture.predict(X))


def test_names_come_from_the_caller_the_model_or_the_data_frame():
    pandas = pytest.importorskip("pandas")
    X = make_rows(40, 2)
    fit = gaussmix.fit_mixture(X, 2, random_state=0)
    frame = pandas.DataFrame(X, columns=["width", "height"])

    def names(*arguments, **options):
        return [feature["name"] for feature in read_document(make_report(*arguments, **options))["features"]]

    assert names(fit, X) == ["x0", "x1"]
    assert names(fit, frame) == ["width", "height"]
    assert names(fit, frame, feature_names=["a", "b"]) == ["a", "b"]
    assert names(gaussmix.fit_mixture(X, 2, feature_names=["c", "d"]), X) == ["c", "d"]
    assert names(fit, X, features=[1]) == ["x1"]


def test_a_trace_of_many_iterations_keeps_its_ends():
    history = np.linspace(-5.0, -1.0, 1000)
    trace = thin_trace(history)
    assert len(trace) < 60
    assert trace[0] == [0, -5.0]
    assert trace[-1] == [999, -1.0]
    assert thin_trace([-1.0]) == []


def test_differences_take_four_characters():
    assert (
        max(len(write_gap(10.0**power * digits)) for power in range(-2, 9) for digits in (1, 1.49, 9.96)) <= 4
    )


def test_the_file_is_written_whole_and_is_the_text(tmp_path):
    models, X = faithful_models()
    path = tmp_path / "out.html"
    gaussmix.write_report(models, X, path)
    assert path.read_text(encoding="utf-8") == make_report(models, X)
    assert [file.name for file in tmp_path.iterdir()] == ["out.html"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((gaussmix.GaussianMixture(2), np.ones((3, 2))), "not fitted: call fit"),
        (("a model", np.ones((3, 2))), "got str"),
        ((gaussmix.FittedMixtures({}, {("VVV", 1): "bad"}), np.ones((3, 2))), "all 1 failed"),
        ((Mixture([1.0], [[0.0, 0.0]], [np.eye(2)]), np.ones((3, 3))), "must have the shape"),
        ((Mixture([1.0], [[0.0, 0.0]], [np.eye(2)]), np.array([[0.0, np.nan]])), "NaN"),
        ((Mixture([1.0], [[0.0, 0.0]], [np.eye(2)]), np.ones(3)), "two axes"),
    ],
)
def test_wrong_models_and_rows_are_told(arguments, words):
    with pytest.raises(ValueError, match=words):
        make_report(*arguments)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"features": []}, "1 to 6"),
        ({"features": [0, 0]}, "1 to 6"),
        ({"features": ["weight"]}, "eruptions, waiting"),
        ({"features": [2]}, "0 to 1"),
        ({"feature_names": ["one"]}, "2 names"),
        ({"sample_weight": [1.0]}, "sample_weight"),
    ],
)
def test_wrong_options_are_told(options, words):
    models, X = faithful_models()
    with pytest.raises(ValueError, match=words):
        make_report(models, X, **options)


def test_the_best_model_has_standard_errors():
    models, X = faithful_models()
    errors = gaussmix.estimate_errors(X, models.best).standard_errors
    document = read_document(faithful_page())
    best = document["models"][document["first"]]
    np.testing.assert_allclose(best["errors"]["weights"], errors.weights, rtol=1e-3)
    np.testing.assert_allclose(best["errors"]["means"], errors.means, rtol=1e-3)
    assert "observed information" in best["errorsNote"]
    assert sum("errors" in model for model in document["models"]) == 1


def test_errors_may_be_given_refused_or_impossible():
    models, X = faithful_models()
    drawn = gaussmix.bootstrap(X, models.best, n_resamples=20, random_state=0)
    document = read_document(make_report(models, X, errors=drawn))
    best = document["models"][document["first"]]
    np.testing.assert_allclose(best["errors"]["weights"], drawn.standard_errors.weights, rtol=1e-3)
    assert "bootstrap" in best["errorsNote"]
    assert '"errors":null' in make_report(models, X, errors=None)
    trimmed = gaussmix.fit_mixture(X, 2, trim=0.1, random_state=0)
    (model,) = read_document(make_report(trimmed, X))["models"]
    assert model["errors"] is None
    assert "No standard errors: " in model["errorsNote"]
    for wrong in ("bootstrap", 3.0, gaussmix.estimate_errors(X, models.fits["VVV", 1])):
        with pytest.raises(ValueError, match="errors must be"):
            make_report(models, X, errors=wrong)


def test_the_verdict_is_that_of_the_search_unless_there_is_another():
    X = make_rows(100, 2)
    found = gaussmix.search(X, range(1, 4), covariance_type=["EII", "VVI"])
    page = make_report(found, X)
    assert all(str(escape(sentence)) in page for sentence in found.verdict())
    assert "<p>Two kinds.</p>" in make_report(found, X, verdict=["Two kinds."])
    assert "2 groups" in make_report(found.best, X)


def test_a_search_is_shown_by_its_own_criterion():
    X = make_rows(90, 2)
    found = gaussmix.search(
        X, range(1, 4), covariance_type=["EII", "VVI"], criterion="cv", cv=3, random_state=0
    )
    document = read_document(make_report(found, X))
    for (family, k), score in found.scores.items():
        assert find_model(document, family, k)["score"] == score
    first = document["models"][document["first"]]
    assert (first["family"], first["k"]) == found.best_model
    assert "held-out log-likelihood a row" in dict(first["facts"])


def test_an_estimator_that_searched_shows_the_search():
    X = make_rows(90, 2)
    model = gaussmix.GaussianMixture(n_components="auto", covariance_type=["EII", "VVI"], random_state=0).fit(
        X
    )
    document = read_document(make_report(model, X))
    assert len(document["models"]) == len(model.search_.keys)


def read_snippet(page):
    return unescape(re.search(r'<pre id="snippet">(.*?)</pre>', page, re.S)[1])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["search", "fit_mixtures", "fit_mixture", "GaussianMixture"])
def test_the_lines_of_python_make_the_report_again(kind, weighted, tmp_path, monkeypatch):
    X = make_rows(60, 2)
    weights = np.linspace(0.5, 1.5, 60) if weighted else None
    options = {
        "tol": 1e-4,
        "random_state": 3,
        "max_iter": 1000 if kind == "search" else 50,
        "a note": "of mine",
    }
    asked = {name: options[name] for name in ("tol", "random_state", "max_iter")}
    more = asked | {"sample_weight": weights}
    made = {
        "search": lambda: gaussmix.search(X, range(1, 4), covariance_type=["EII", "VVI"], **more),
        "fit_mixtures": lambda: gaussmix.fit_mixtures(X, [1, 3], covariance_type=["EII", "VVI"], **more),
        "fit_mixture": lambda: gaussmix.fit_mixture(X, 2, covariance_type="diag", **more),
        "GaussianMixture": lambda: gaussmix.GaussianMixture(2, covariance_type="diag", **asked).fit(
            X, sample_weight=weights
        ),
    }[kind]()
    page = make_report(made, X, options=options, sample_weight=weights)
    snippet = read_snippet(page)
    assert f"gaussmix.{kind}(" in snippet
    assert "a note" in page
    assert "a note" not in snippet
    assert ("max_iter" in snippet) is (kind != "search")  # where it is not the default
    monkeypatch.chdir(tmp_path)
    exec(snippet, {"X": X, "weights": weights})
    again = read_document((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert again["models"] == read_document(page)["models"]


def test_a_mixture_of_a_file_is_read_again():
    X = make_rows(40, 2)
    mixture = gaussmix.fit_mixture(X, 2, random_state=0).mixture
    assert 'gaussmix.Mixture.load("model.safetensors")' in read_snippet(make_report(mixture, X))


def test_histograms_have_bins_for_narrow_components_and_are_not_made_flat_by_spikes():
    rng = np.random.default_rng(0)
    rows = Rows(np.concatenate([rng.normal(size=(4000, 1)), rng.normal(2.0, 0.02, (1000, 1))]))
    narrow = gaussmix.Mixture([0.8, 0.2], [[0.0], [2.0]], [[1.0], [0.0004]], "diag")
    (feature,) = describe_features(rows, [0], ["x"], narrow)
    widths = np.diff(feature.edges)
    assert feature.heights @ widths == pytest.approx(1.0)
    assert feature.heights.max() == pytest.approx(0.2 / (0.02 * np.sqrt(2 * np.pi)), rel=0.25)
    assert feature.low <= feature.edges[0] and feature.edges[-1] <= feature.high
    assert 0.3 < feature.top <= 6.0 * 0.8 * 0.4 < feature.heights.max()
