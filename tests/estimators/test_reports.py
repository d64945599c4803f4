"""Results in print: short reprs, summaries, HTML that shows whatever it is given as text, and tables of BIC."""

from __future__ import annotations

import dataclasses
import html.parser
import math

import numpy as np
import pytest

import gaussmix
from gaussmix import BICTable, FitStatus, Mixture, Noise, fit_message_length, fit_mixture, fit_mixtures
from gaussmix.datasets import load_faithful
from gaussmix.select.many_models import FittedMixtures

X, NAMES = load_faithful()
HOSTILE = "<script>alert('x')</script>", "a & b\x1b[2J\u202e\n"


class Tags(html.parser.HTMLParser):
    """The tags of a page in order, closed and nested as they must be, and its text."""

    def __init__(self, page):
        super().__init__()
        self.open, self.seen, self.text = [], [], []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def result():
    return fit_mixture(X, 2, random_state=0, feature_names=NAMES, init_params="kmeans")


@pytest.fixture(scope="module")
def models():
    return fit_mixtures(X, [3, 1, 2], covariance_type=["VVV", "EII", "EEE"])


class TestNames:
    @pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
    def test_a_data_frame_names_the_features_of_every_fit(self, library):
        module = pytest.importorskip(library)
        columns = {"eruptions": X[:, 0], "waiting": X[:, 1]}
        frame = module.table(columns) if library == "pyarrow" else module.DataFrame(columns)
        fits = (
            fit_mixture(frame, 2, random_state=0, init_params="kmeans"),
            fit_mixtures(frame, [1], covariance_type="tied").best,
            fit_message_length(frame, 3, random_state=0),
        )
        for fit in fits:
            assert fit.mixture.feature_names == ("eruptions", "waiting")
        np.testing.assert_array_equal(
            fits[0].mixture.means, fit_mixture(X, 2, random_state=0, init_params="kmeans").mixture.means
        )

    def test_names_that_are_given_go_first(self):
        pandas = pytest.importorskip("pandas")
        frame = pandas.DataFrame(X, columns=["a", "b"])
        assert fit_mixture(frame, 1, feature_names=["c", "d"]).mixture.feature_names == ("c", "d")
        with pytest.raises(ValueError, match="feature_names must be 2 names"):
            fit_mixture(frame, 1, feature_names=["c"])

    @pytest.mark.parametrize("columns", [None, ["a", 1], ["a", "a"], [("a", "b"), ("a", "c")]])
    def test_columns_without_distinct_names_of_text_have_none(self, columns):
        pandas = pytest.importorskip("pandas")
        frame = pandas.DataFrame(X)
        if columns is not None:
            frame.columns = columns
        assert fit_mixture(frame, 1).mixture.feature_names is None


class TestResult:
    def test_the_repr_is_a_line(self, result):
        line = repr(result)
        assert line.startswith("FitResult(2 components of 2 features, full; converged after ")
        assert line.endswith(f"; mean log-likelihood {result.mean_log_likelihood:.6g}, BIC {result.bic:.6g})")
        assert str(result) == line

    def test_the_repr_of_others(self):
        one = fit_mixture(X[:, :1], 1, noise=0.1, max_iter=0)
        assert repr(one).startswith(
            "FitResult(1 component of 1 feature, full with noise; not iterated after 0 it"
        )
        unknown = dataclasses.replace(one, history=(math.nan,), n_samples=math.nan)
        assert repr(unknown).endswith("; likelihood not known)")
        unknown.summary()
        length = fit_message_length(X, 3, random_state=0)
        assert repr(length).startswith("MessageLengthResult(")
        assert f"message length  {length.message_length:.10g}" in length.summary()

    def test_the_summary_has_what_there_is_to_know(self, result):
        text = result.summary()
        numbers = (
            f"{result.mixture.weights[1]:.4f}",
            f"{result.mixture.means[1, 1]:.2f}",
            f"{result.bic:.10g}",
        )
        assert all(word in text for word in (*NAMES, *numbers, "converged after", "BIC", "AIC", "272"))
        assert "advice" not in text and "collapsed" not in text
        advised = dataclasses.replace(
            result, status=FitStatus.MAX_ITER, advice="Do <this>.", failed_starts=("one", "two")
        )
        assert "advice            Do <this>." in advised.summary()
        assert "collapsed starts  2" in advised.summary()
        assert "Do &lt;this&gt;." in advised._repr_html_()

    def test_what_a_trimmed_fit_left_out(self):
        trimmed = fit_mixture(X, 2, trim=0.05, random_state=0)
        assert f"{trimmed.trimmed.sum()} rows of lowest density" in trimmed.summary()

    def test_the_page_says_the_same(self, result):
        page = Tags(result._repr_html_())
        assert {"table", "caption", "th", "td"} <= set(page.seen)
        text = " ".join(page.text)
        numbers = f"{result.mixture.means[1, 1]:.2f}", f"{result.bic:.10g}"
        assert all(word in text for word in (*NAMES, *numbers, "converged after", "BIC"))


class TestMixture:
    def test_names_are_text_whatever_they_are(self):
        mixture = Mixture([1.0], [[0.0, 1.0]], [[1.0, 1.0]], "diag", feature_names=HOSTILE)
        page = Tags(mixture._repr_html_())
        assert "script" not in page.seen
        assert "<script>alert('x')</s..." in page.text and r"a & b\x1b[2J\u202e\n" in page.text
        assert "\x1b" not in mixture.summary() and "\u202e" not in mixture.summary()
        assert mixture.summary().count("\n") == 4

    def test_what_is_large_is_cut_and_counted(self):
        mixture = Mixture(np.full(30, 1 / 30), np.zeros((30, 20)), np.ones((30, 20)), "diag")
        for text in (mixture.summary(), " ".join(Tags(mixture._repr_html_()).text)):
            assert "Not shown: 12 features and 6 components." in text and "x7" in text and "x8" not in text
        everything = mixture.summary(max_components=30, max_features=20)
        assert "Not shown" not in everything and "x19" in everything

    def test_noise_is_said(self):
        mixture = Mixture([0.9], [[0.0]], [1.0], "spherical", noise=Noise(0.1, log_density=-2.0))
        assert "Noise: weight 0.1000, log-density -2 everywhere." in mixture.summary()

    def test_factors_are_counted(self):
        result = fit_mixture(X, 1, covariance_type="factor", n_factors=1)
        assert "covariance factor of 1 factor\n" in result.summary()


class TestTable:
    def test_it_has_every_criterion(self, models):
        table = models.bic_table()
        assert isinstance(table, BICTable)
        assert table.families == ("VVV", "EII", "EEE") and table.n_components == (1, 2, 3)
        for (name, k), fit in models.fits.items():
            assert table[name, k] == fit.bic
        best = models.fits[table.best]
        assert best is models.best
        with pytest.raises(KeyError):
            table["VVV", 4]
        with pytest.raises(ValueError, match="read-only"):
            table.values[0, 0] = 0.0

    def test_in_print(self, models):
        text = repr(models.bic_table())
        assert text.splitlines()[0] == "BIC (lower is better)"
        assert text.splitlines()[1].split() == ["k", "VVV", "EII", "EEE"]
        name, k = models.bic_table().best
        components = f"{k} component" + "s" * (k > 1)
        assert text.splitlines()[-1] == f"Best: {name} with {components}, {models.best.bic:.1f}."
        page = Tags(models._repr_html_())
        assert f"{models.best.bic:.1f}" in page.text and page.seen.count("td") == 12
        best = f"best: {name} with {components}, BIC {models.best.bic:.6g}"
        assert repr(models) == f"FittedMixtures(9 fits: 3 families, 1 to 3 components; {best})"
        assert models.summary() == f"{text}\n\n{models.best.summary()}"

    def test_fourteen_families_come_in_blocks(self):
        models = fit_mixtures(X, [1])
        lines = repr(models.bic_table()).splitlines()
        assert max(map(len, lines)) <= 100
        assert sum(line.startswith("k ") for line in lines) == 2
        names = [name for line in lines if line.startswith("k ") for name in line.split()[1:]]
        assert names == list(dict.fromkeys(name for name, _ in models.fits))

    def test_what_says_nothing_is_marked(self, models):
        fits = {key: dataclasses.replace(fit, status=FitStatus.CONVERGED) for key, fit in models.fits.items()}
        fits["VVV", 2] = dataclasses.replace(fits["VVV", 2], collapsed=(0,))
        del fits["EEE", 3]
        marked = FittedMixtures(fits, {("EEE", 3): "every start collapsed"})
        table = marked.bic_table()
        assert math.isnan(table["VVV", 2]) and math.isnan(table["EEE", 3])
        assert table.failed.sum() == 1 and table.best != ("EEE", 3)
        assert marked.fits[table.best] is marked.best
        text = repr(table)
        assert " x " in text and text.splitlines()[4].endswith("-")
        assert "x: a component collapsed." in text and "-: every start collapsed." in text
        assert "1 collapsed, 1 failed" in repr(marked)
        assert "a component collapsed" in table._repr_html_()

    def test_where_nothing_is_sound(self):
        nothing = FittedMixtures({}, {("VVV", 1): "collapsed"})
        assert "No model is sound." in repr(nothing.bic_table())
        assert repr(nothing) == "FittedMixtures(0 fits: 1 family, 1 component, 1 failed; none is sound)"
        assert nothing.bic_table().best is None and nothing.summary() == repr(nothing.bic_table())

    def test_small_values_keep_their_digits(self):
        models = fit_mixtures(X * 1e-3, [1, 2], covariance_type=["EEE"])
        small = dataclasses.replace(models.bic_table(), values=np.array([[0.01234], [0.01239]]))
        assert "0.01234" in repr(small) and "0.01239" in repr(small)


def test_the_names_are_public():
    assert gaussmix.BICTable is BICTable
