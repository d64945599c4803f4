"""Displays of scores with their threshold, and of what features contribute to one row."""

import numpy as np
import pytest

import gaussmix
from gaussmix import GaussianMixtureDetector
from gaussmix.apps.anomaly.explanation import explain_rows
from gaussmix.plot import ReasonDisplay, ScoreDisplay
from gaussmix.plot.score_bins import MOST_BARS, REACH, count_scores

pytest.importorskip("matplotlib")

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def make_axes():
    return Figure(dpi=40, layout="constrained").subplots()


def render(display):
    FigureCanvasAgg(display.figure_).draw()


SCORES = {
    "usual": np.random.default_rng(0).normal(size=1000),
    "heavy tail": -np.random.default_rng(1).pareto(0.5, 1000),
    "infinite": np.array([-np.inf, -1.0, 0.0, 0.5]),
    "all equal": np.full(50, 3.0),
    "one": np.array([1.0]),
    "heaps": np.repeat([-3.0, 0.0, 1.0], 40),
    "great": 1e9 + np.arange(30.0),
}


@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize("quantile", [0.0, 0.1, 1.0])
def test_bars_hold_each_row_once_and_on_its_side_of_the_threshold(name, quantile):
    scores = SCORES[name]
    threshold = float(np.quantile(scores[np.isfinite(scores)], quantile))
    found = count_scores(scores, threshold)
    assert found.counts.sum() == len(scores) == found.n_rows
    assert found.counts[found.anomalous].sum() == (scores < threshold).sum() == found.n_anomalies
    assert threshold in found.edges and len(found.counts) <= MOST_BARS + 3
    inside = (scores >= found.edges[1]) & np.isfinite(scores)
    expected = np.histogram(scores[inside], found.edges)[0]
    np.testing.assert_array_equal(found.counts[1:], expected[1:])


def test_the_axis_ends_where_nothing_else_could_be_seen():
    scores = np.concatenate([np.linspace(0.0, 10.0, 100), [-5.0, -1e6]])
    found = count_scores(scores, 4.0)
    assert found.edges[0] > 4.0 - REACH * 6.0 - 1.0
    assert found.n_below == 2 - (found.edges[0] <= -5.0)


def test_a_threshold_above_and_below_all_scores():
    scores = np.linspace(0.0, 1.0, 20)
    above, below = count_scores(scores, 5.0), count_scores(scores, -5.0)
    assert above.n_anomalies == 20 and below.n_anomalies == 0
    assert above.counts.sum() == below.counts.sum() == 20


def test_scores_of_a_detector():
    X = np.random.default_rng(0).normal(size=(300, 2))
    detector = GaussianMixtureDetector(1, contamination=0.1).fit(X)
    display = ScoreDisplay.from_estimator(detector, X, ax=make_axes(), caption=True)
    render(display)
    normal, anomalous = display.bars_
    assert sum(bar.get_height() for bar in normal) == 270
    assert sum(bar.get_height() for bar in anomalous) == 30
    assert display.threshold_.get_xdata()[0] == detector.offset_
    assert display.caption_.get_text().startswith("30 of 300 rows score below the threshold")


def test_far_scores_are_told():
    display = ScoreDisplay([-1e9, *np.linspace(0, 1, 50)], 0.1).plot(make_axes(), caption=True)
    render(display)
    texts = [text.get_text() for text in display.ax_.texts]
    assert "← 1 of lower scores" in texts
    assert "The first bar holds all rows of lower scores" in display.caption_.get_text().replace("\n", " ")


@pytest.mark.parametrize(
    ("scores", "threshold", "message"),
    [([], 0.0, "at least one"), ([np.nan], 0.0, "numbers"), ([1.0], np.nan, "finite number; got nan")],
)
def test_what_is_no_score_is_refused(scores, threshold, message):
    with pytest.raises(ValueError, match=message):
        ScoreDisplay(scores, threshold)


def explain(n_features, seed=0):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(n_features, n_features))
    mixture = gaussmix.Mixture(
        [1.0], np.zeros((1, n_features)), [root @ root.T + np.eye(n_features)], feature_names=None
    )
    return explain_rows(mixture, rng.normal(0, 4, (3, n_features)))


def test_bars_are_contributions_and_sum_to_the_deficit():
    found = explain(14)
    display = ReasonDisplay(found, 2).plot(make_axes(), caption=True)
    render(display)
    lengths = [bar.get_width() for bar in display.bars_]
    assert len(lengths) == 10
    assert sum(lengths) == pytest.approx(found.deficits[2])
    assert lengths[:-1] == sorted(lengths[:-1], reverse=True)
    np.testing.assert_allclose(lengths[:-1], found.contributions[2, display.features_])
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert labels[-1] == "5 others"
    assert labels[0].startswith(f"x{display.features_[0]}  ")


def test_few_features_have_no_others():
    display = ReasonDisplay(explain(3), -1).plot(make_axes())
    render(display)
    assert len(display.bars_) == 3
    alone = ReasonDisplay(explain(3), n_features=1).plot(make_axes())
    assert [label.get_text() for label in alone.ax_.get_yticklabels()] == ["3 others"]


def test_a_row_at_the_centre_has_bars_of_no_length():
    mixture = gaussmix.Mixture([1.0], [[0.0, 0.0]], [1.0], "spherical", feature_names=["$x$", "a_b"])
    display = ReasonDisplay(explain_rows(mixture, np.zeros((1, 2)))).plot(make_axes())
    render(display)
    assert [bar.get_width() for bar in display.bars_] == [0.0, 0.0]


def test_what_is_not_explained_is_refused():
    with pytest.raises(ValueError, match="row 3 is not among the 3 rows explained"):
        ReasonDisplay(explain(2), 3)
    with pytest.raises(ValueError, match="n_features must be at least 1; got 0"):
        ReasonDisplay(explain(2), n_features=0)
