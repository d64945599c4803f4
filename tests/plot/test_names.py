"""Names that come with the data: no formulas, one line, not too long, and any script, in every display."""

import warnings

import numpy as np
import pytest

import gaussmix
from gaussmix import Mixture
from gaussmix.plot import (
    CriterionDisplay,
    IntervalDisplay,
    LikelihoodDisplay,
    MergingDisplay,
    MixtureDisplay,
    ProfileDisplay,
    ProjectionDisplay,
    save_plot,
)

pytest.importorskip("matplotlib")

from matplotlib import rcParams
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from gaussmix.plot import names as naming

NAMES = (
    "$\\undefined$",
    "_x^",
    "$",
    "two\nlines\tand a tab",
    "\x1b[31mred\x1b[0m",
    "x" * 300,
    "שלום עולם",
    "مرحبا",
    "温度の測定値" * 9,
    "\ud800",
    "%s{}\\",
    "😀",
    "\u202eevil",
    "e\u0301\u0301\u0301",
    "",
    " ",
)


def make_axes(*shape):
    return Figure(dpi=40).subplots(*shape)


def make_mixture(names):
    d = len(names)
    return Mixture([0.5, 0.5], [np.zeros(d), np.full(d, 4.0)], np.ones((2, d)), "diag", feature_names=names)


def render(display):
    """Draw; a warning of a missing character is an error here. The texts of the picture are returned."""
    FigureCanvasAgg(display.figure_).draw()
    return [text.get_text() for text in display.figure_.findobj(Text)]


@pytest.mark.parametrize("first", range(0, len(NAMES), 3))
def test_every_display(first):
    names = (NAMES * 2)[first : first + 3]
    mixture = make_mixture(names)
    X = mixture.sample(60, 0)[0]
    fit = gaussmix.fit_mixture(X, 2, covariance_type="diag", feature_names=names, random_state=0)
    displays = [
        MixtureDisplay.from_estimator(mixture, X, ax=make_axes(3, 3)),
        MixtureDisplay.from_estimator(mixture, X, features=[0, 1], ax=make_axes()),
        MixtureDisplay.from_estimator(mixture, X, features=[2], ax=make_axes()),
        ProjectionDisplay.from_estimator(mixture, X, n_directions=2, ax=make_axes()),
        ProfileDisplay.from_estimator(mixture, ax=make_axes()),
        IntervalDisplay.from_estimator(gaussmix.estimate_errors(X, fit), ax=make_axes(1, 4)),
    ]
    for display in displays:
        for text in render(display):
            assert not {"\x1b", "\u202e", "\t"} & set(text)
            assert naming.measure_width(text) <= 60 or " " in text


def test_families_starts_and_heights():
    scores = {(name or "none", k): float(k) for name in NAMES for k in (1, 2)}
    assert "$\\undefined$" in render(CriterionDisplay.from_values(scores, ax=make_axes()))
    reports = [gaussmix.StartReport("$\\undefined$", k, -1.0, "converged") for k in (1, 2)]
    display = LikelihoodDisplay([-2.0, -1.0], starts=reports, outcome="$\\undefined$").plot(make_axes())
    assert "2 starts: $\\undefined$" in render(display)
    tree = [[0, 1, 0.2, 2], [2, 3, 1.0, 3]]
    assert "$\\undefined$" in render(
        MergingDisplay.from_values(tree, height_name="$\\undefined$", ax=make_axes())
    )


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_files_of_every_kind(tmp_path, suffix):
    mixture = make_mixture(NAMES)
    path = tmp_path / f"picture.{suffix}"
    save_plot(mixture, path=path, features=[0, 3, 7, 8, 9], dpi=30)
    assert path.stat().st_size > 1000


def test_names_are_no_tex_either():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        display = MixtureDisplay.from_estimator(make_mixture(("a_b", "50%")), ax=make_axes())
    assert not display.ax_.xaxis.label.get_usetex() and not display.ax_.xaxis.label.get_parse_math()


def test_wide_characters_count_twice():
    assert naming.measure_width("abc") == 3 and naming.measure_width("温度") == 4
    assert naming.format_name("x" * 41) == "x" * 37 + "..."
    assert naming.format_name("x" * 40) == "x" * 40
    assert naming.format_name("a\nb") == "a\\nb"


def test_characters_that_no_font_has_are_escaped(monkeypatch):
    monkeypatch.setattr(naming, "_find_substitutes", tuple)
    assert naming.cover("a\u6e29b") == ("a\\u6e29b", [])
    assert naming.cover("größe") == ("größe", [])


def test_other_fonts_that_are_installed_are_taken(monkeypatch):
    from matplotlib import font_manager

    path = font_manager.findfont("DejaVu Serif")
    monkeypatch.setattr(naming, "_list_usual_characters", lambda: frozenset(map(ord, "abc")))
    monkeypatch.setattr(naming, "_find_substitutes", lambda: (("DejaVu Serif", path), ("none", path)))
    assert naming.cover("aé\u6e29") == ("aé\\u6e29", ["DejaVu Serif"])
    look = naming.choose_look("abc", "é")
    assert look["fontfamily"] == [*rcParams["font.family"], "DejaVu Serif"]
    assert "fontfamily" not in naming.choose_look("abc")
    display = MixtureDisplay.from_estimator(make_mixture(("é", "b")), ax=make_axes())
    render(display)
    assert display.ax_.xaxis.label.get_fontfamily()[-1] == "DejaVu Serif"
