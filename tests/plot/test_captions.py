"""Captions: what they say, that they lie below everything else, and when there is one."""

import itertools
import re

import numpy as np
import pytest

import gaussmix
from gaussmix import Mixture, Noise
from gaussmix.plot import (
    CriterionDisplay,
    IntervalDisplay,
    LikelihoodDisplay,
    LikelihoodRatioDisplay,
    MergingDisplay,
    MixtureDisplay,
    ProfileDisplay,
    ProjectionDisplay,
    plot_mixture,
)
from gaussmix.plot.captions import wrap_text

pytest.importorskip("matplotlib")

from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


@pytest.fixture(autouse=True)
def close_figures():
    with plt.rc_context({"backend": "agg"}):
        plt.switch_backend("agg")
        yield
        plt.close("all")


def make_mixture(k=2, d=2, noise=0.0):
    rng = np.random.default_rng(k + 10 * d)
    mixture = Mixture(np.full(k, 1 / k), rng.normal(0, 4, (k, d)), np.ones((k, d)), "diag")
    return mixture.with_noise(Noise.between([-9] * d, [9] * d, noise)) if noise else mixture


def say(display):
    return " ".join(display.caption_.get_text().split())


def draw(d=2, n=100, **options):
    mixture = make_mixture(d=d, noise=options.pop("noise", 0.0))
    X = mixture.sample(n, 0)[0] if n else None
    return MixtureDisplay.from_estimator(mixture, X, figure=Figure(dpi=50), **options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {},
            "Points: all 100 rows by most probable component, fainter where it is less certain. "
            "Ellipses: 1 and 2 standard deviations (39 and 86 % of a component). "
            "Grey: the densest regions, with 25, 50, 75 and 95 % of the mixture. "
            "Thin lines: borders between components.",
        ),
        (
            {"max_points": 99},
            "Raster of all 100 rows, fuller where there are more, in the colour of their most",
        ),
        ({"n": 0}, "Ellipses: 1 and 2 standard deviations"),
        ({"n": 1}, "Points: the one row by most"),
        ({"kind": "uncertainty"}, "Points: all 100 rows, larger and darker where"),
        (
            {"kind": "uncertainty", "max_points": 0},
            "Raster of all 100 rows, fuller where there are more, redder",
        ),
        ({"kind": "density"}, "Points: all 100 rows. Ellipses: 1 and 2 standard deviations"),
        ({"standard_deviations": [3]}, "Ellipses: 3 standard deviations (99 % of a component)."),
        ({"standard_deviations": [1]}, "Ellipses: 1 standard deviation (39 % of a component)."),
        (
            {"d": 1},
            "Bars: histogram of all 100 rows. Curves: density of each component by its weight, and of the "
            "mixture (black). Strip: the most probable component; dashed: where it changes.",
        ),
        ({"d": 1, "noise": 0.2}, "of the mixture (black), without the noise."),
        (
            {"d": 1, "kind": "density"},
            "Curve: density of the mixture (black). Blue: the densest regions, with",
        ),
        ({"d": 1, "n": 0}, "Curves: density of each component"),
        ({"d": 3}, "Diagonal: histogram of the rows (grey); density of each component by its weight, and of"),
        ({"d": 9}, "6 of 9 features, those that tell components apart most. Points: all 100 rows"),
        ({"d": 9, "features": [8, 1]}, "2 of 9 features. Points: all 100 rows by"),
        ({"clusters": [0, 0]}, "Points: all 100 rows by most probable cluster"),
        ({"sample_weight": np.ones(100)}, "; areas are weights."),
    ],
)
def test_what_is_said(options, said):
    assert said in say(draw(**options))


def test_nothing_is_said_of_what_is_not_there():
    assert "Ellipses" not in say(draw(standard_deviations=[]))
    assert "rows" not in say(draw(n=0))
    assert "Thin lines" not in say(draw(d=9, features=[8, 1])), "borders take all features"
    assert "apart" not in say(draw(d=6))
    one = MixtureDisplay.from_estimator(make_mixture(1, 9), figure=Figure())
    assert say(one).startswith("6 of 9 features, the first. ")
    alone = MixtureDisplay.from_estimator(make_mixture(1, 1), figure=Figure())
    assert "Strip" not in say(alone)


def test_of_labels():
    X = make_mixture().sample(50, 0)[0]
    display = MixtureDisplay.from_predictions(X, np.zeros(50, dtype=int), figure=Figure())
    assert say(display) == "Points: all 50 rows by label."


def test_axes_of_the_caller_have_one_only_if_asked():
    mixture = make_mixture()
    assert MixtureDisplay.from_estimator(mixture, ax=Figure().subplots()).caption_ is None
    assert MixtureDisplay.from_estimator(mixture, figure=Figure(), caption=False).caption_ is None
    panel = plot_mixture(mixture, caption=False)
    assert not panel.figure.get_supxlabel()
    asked = MixtureDisplay.from_estimator(mixture, ax=Figure().subplots(), caption=True)
    assert say(asked).startswith("Ellipses")
    assert not asked.figure_.get_supxlabel()


def find_bounds(artist, renderer):
    box = artist.get_tightbbox(renderer)
    return box.x0, box.y0, box.x1, box.y1


@pytest.mark.parametrize("d", [1, 2, 3, 9])
@pytest.mark.parametrize("kind", ["classification", "uncertainty", "density"])
def test_it_lies_below_all_axes_and_within_the_figure(d, kind):
    display = draw(d=d, kind=kind)
    canvas = FigureCanvasAgg(display.figure_)
    canvas.draw()
    renderer = canvas.get_renderer()
    left, bottom, right, top = find_bounds(display.caption_, renderer)
    width, height = canvas.get_width_height()
    assert 0.0 <= left < right <= width and 0.0 <= bottom < top <= height
    for panel in display.figure_.axes:
        assert panel.get_tightbbox(renderer).y0 >= top - 1.0


@pytest.mark.parametrize("size", [(6.0, 5.0), (8.0, 4.0), (12.0, 3.0)])
@pytest.mark.parametrize("d", [1, 2, 3])
def test_below_given_axes_of_any_size(size, d):
    figure = Figure(figsize=size, dpi=50, layout="constrained")
    grid = figure.subplots(3, 3) if d == 3 else figure.subplots(1, 2)[0]
    X = make_mixture(d=d).sample(60, 0)[0]
    display = MixtureDisplay.from_estimator(make_mixture(d=d), X, ax=grid, caption=True, legend=False)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    _, _, _, top = find_bounds(display.caption_, renderer)
    assert display.ax_.xaxis.label.get_window_extent(renderer).y0 >= top - 1.0
    assert all(tick.get_window_extent(renderer).y0 >= top for tick in display.ax_.get_xticklabels())


@pytest.mark.parametrize("width", [40.0, 150.0, 400.0])
def test_lines_are_as_wide_as_there_is_room(width):
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    text = say(draw(d=9))
    lines = wrap_text(text, width).split("\n")
    assert " ".join(lines) == text

    def measure(line):
        return text_to_path.get_text_width_height_descent(line, FontProperties(size=7.5), ismath=False)[0]

    assert all(measure(line) <= width or " " not in line for line in lines)
    following = [f"{line} {after.split()[0]}" for line, after in itertools.pairwise(lines)]
    assert all(measure(longer) > width for longer in following)


def test_every_display_has_one():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(40, 2)), rng.normal(6.0, 1.0, (40, 2))])
    models = gaussmix.fit_mixtures(X, range(1, 3), covariance_type=["EII", "VVV"])
    fit = models.best
    tests = gaussmix.bootstrap_lrt(X, "EII", max_components=2, n_resamples=9, random_state=0)
    merging = gaussmix.merge_components(fit, X)
    displays = {
        "A line for each family of covariances": CriterionDisplay.from_estimator(models),
        "Bars: 95 % intervals": IntervalDisplay.from_estimator(gaussmix.estimate_errors(X, fit)),
        "Line: the mean log-likelihood of a row": LikelihoodDisplay.from_estimator(fit),
        "to a logarithmic scale": LikelihoodDisplay.from_estimator(fit, kind="gain"),
        "on 9 draws of the smaller mixture": LikelihoodRatioDisplay.from_estimator(tests),
        "A fork joins two clusters": MergingDisplay.from_estimator(merging),
        "Ring: 2 clusters": MergingDisplay.from_estimator(merging, kind="entropy"),
        "Bars: one standard deviation": ProfileDisplay.from_estimator(fit),
        "Arrows: where features move a row": ProjectionDisplay.from_estimator(
            make_mixture(3, 4), make_mixture(3, 4).sample(50, 0)[0]
        ),
    }
    for said, display in displays.items():
        assert said in say(display), said
        assert re.fullmatch(r"(?:[^.]|\.\d)+\.(?: (?:[^.]|\.\d)+\.)*", say(display)), "whole sentences"
        canvas = FigureCanvasAgg(display.figure_)
        canvas.draw()
        renderer = canvas.get_renderer()
        _, _, right, top = find_bounds(display.caption_, renderer)
        assert right <= canvas.get_width_height()[0]
        assert all(panel.get_tightbbox(renderer).y0 >= top - 1.0 for panel in display.figure_.axes), said
    bare = [
        CriterionDisplay.from_estimator(models, caption=False),
        IntervalDisplay.from_estimator(gaussmix.estimate_errors(X, fit), caption=False),
        LikelihoodDisplay.from_estimator(fit, caption=False),
        LikelihoodRatioDisplay.from_estimator(tests, caption=False),
        MergingDisplay.from_estimator(merging, caption=False),
        ProfileDisplay.from_estimator(fit, caption=False),
        ProfileDisplay.from_estimator(fit, ax=Figure().subplots()),
    ]
    assert all(display.caption_ is None for display in bare)
