"""MixtureDisplay: what it accepts, and what its artists hold."""

import numpy as np
import pytest

import gaussmix
from gaussmix import GaussianMixture, Mixture, Noise
from gaussmix.plot import MixtureDisplay, draw_ellipses
from gaussmix.plot.palette import NOISE, pick_colour

pytest.importorskip("matplotlib")

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

KINDS = ("classification", "uncertainty", "density")


def make_axes(d=2):
    return Figure(dpi=40).subplots(d, d) if d > 2 else Figure(dpi=40).subplots()


def make_rows(d=2, n=60):
    rng = np.random.default_rng(d)
    return np.concatenate([rng.normal(size=(n, d)), rng.normal(6.0, 1.0, (n, d))])


def make_mixture(d=2, **options):
    return Mixture([0.5, 0.5], [np.zeros(d), np.full(d, 6.0)], [np.eye(d)] * 2, **options)


def render(display):
    FigureCanvasAgg(display.figure_).draw()


def fit_all(X):
    sklearn_mixture = pytest.importorskip("sklearn.mixture")
    result = gaussmix.fit_mixture(X, 2, random_state=0)
    return {
        "Mixture": result.mixture,
        "FitResult": result,
        "ours": GaussianMixture(2, random_state=0).fit(X),
        "theirs": sklearn_mixture.GaussianMixture(2, random_state=0).fit(X),
        "models": gaussmix.fit_mixtures(X, 2, covariance_type="VVV"),
    }


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_draws_every_kind(d, kind):
    display = MixtureDisplay.from_estimator(make_mixture(d), make_rows(d), kind=kind, ax=make_axes(d))
    render(display)
    assert display.axes_.shape == ((d, d) if d > 2 else (1, 1))
    assert display.ax_ is display.axes_[-1, 0]
    assert display.figure_ is display.ax_.figure
    assert len(display.artists_.ellipses) == {1: 0, 2: 4, 3: 12}[d]


def test_accepts_whatever_has_a_mixture():
    X = make_rows()
    for name, model in fit_all(X).items():
        display = MixtureDisplay.from_estimator(model, X, ax=make_axes())
        counts = sorted(len(points.get_offsets()) for points in display.artists_.points)
        assert counts == [60, 60], name


def test_what_has_no_mixture_is_named():
    from sklearn.cluster import KMeans
    from sklearn.exceptions import NotFittedError

    with pytest.raises(TypeError, match="a picture is drawn of .*; got KMeans"):
        MixtureDisplay.from_estimator(KMeans(2, n_init=1).fit(make_rows()))
    with pytest.raises(TypeError, match="got str"):
        MixtureDisplay.from_estimator("model")
    with pytest.raises(NotFittedError):
        MixtureDisplay.from_estimator(GaussianMixture(2))


def test_rows_have_the_colour_of_their_component_and_their_own_marker():
    X = make_rows()
    display = MixtureDisplay.from_estimator(make_mixture(), X, ax=make_axes())
    first, second = display.artists_.points
    for label, points in enumerate((first, second)):
        expected = X[60 * label : 60 * label + 60]
        np.testing.assert_array_equal(points.get_offsets(), expected)
        np.testing.assert_allclose(points.get_facecolors()[:, :3], [to_rgba(pick_colour(label))[:3]] * 60)
    assert first.get_paths()[0].vertices.shape != second.get_paths()[0].vertices.shape


def test_uncertain_rows_are_larger_darker_and_on_top():
    X = np.array([[3.0, 3.0], [0.0, 0.0], [2.7, 2.7]])
    display = MixtureDisplay.from_estimator(make_mixture(), X, kind="uncertainty", ax=make_axes())
    (points,) = display.artists_.points
    np.testing.assert_array_equal(points.get_offsets()[:, 0], [0.0, 2.7, 3.0])
    assert (np.diff(points.get_sizes()) > 0).all()
    brightness = points.get_facecolors()[:, :3].sum(axis=1)
    assert (np.diff(brightness) < 0).all()


def test_the_plane_is_shaded_where_rows_would_be_uncertain():
    mixture = Mixture([0.5, 0.5], [[0.0, 0.0], [4.0, 0.0]], [np.eye(2)] * 2)
    display = MixtureDisplay.from_estimator(mixture, kind="uncertainty", ax=make_axes())
    (shades,) = display.artists_.regions
    corners = np.concatenate([path.vertices for path in shades.get_paths()])
    assert len(corners)
    # Shades begin at 0.05, which is at x = 2 -+ log(19) / 4.
    assert np.abs(corners[:, 0] - 2.0).max() == pytest.approx(np.log(19.0) / 4.0, abs=0.05)
    assert mixture.uncertainty(corners).min() > 0.03


def test_another_kind_is_drawn_from_the_same_view():
    display = MixtureDisplay.from_estimator(make_mixture(), make_rows(), ax=make_axes())
    view = display.view
    assert display.plot(make_axes(), kind="density") is display
    assert display.view is view
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["25%", "50%", "75%", "95%"]


def test_a_raster_counts_every_row_once_under_its_label():
    X = make_rows(n=500)
    weights = np.arange(len(X)) % 3.0
    for w, total in ((None, [500, 500]), (weights, weights.reshape(2, -1).sum(axis=1))):
        display = MixtureDisplay.from_estimator(
            make_mixture(), X, sample_weight=w, max_points=100, ax=make_axes()
        )
        assert not display.artists_.points
        (image,) = display.artists_.rasters
        raster = display.view.rasters[0, 1]
        counts = raster.counts.sum(axis=(1, 2))
        np.testing.assert_allclose(counts / counts.sum(), np.append(total, [0, 0]) / np.sum(total))
        shown = image.get_array()
        np.testing.assert_array_equal(shown[..., 3] > 0.0, raster.counts.sum(axis=0) > 0.0)
        # A cell of the first component alone has its colour.
        alone = (raster.counts[0] > 0) & (raster.counts[1] == 0)
        np.testing.assert_allclose(shown[alone][:, :3], [to_rgba(pick_colour(0))[:3]] * alone.sum())


def test_the_raster_lies_where_the_rows_are():
    X = np.tile([[1.0, 5.0]], (200, 1))
    mixture = Mixture([1.0], [[3.0, 3.0]], [np.eye(2)])
    display = MixtureDisplay.from_estimator(mixture, X, max_points=10, features=[1, 0], ax=make_axes())
    (image,) = display.artists_.rasters
    row, column = np.argwhere(image.get_array()[..., 3] > 0)[0]
    left, right, bottom, top = image.get_extent()
    n_cells = len(image.get_array())
    x = left + (column + 0.5) * (right - left) / n_cells
    y = bottom + (row + 0.5) * (top - bottom) / n_cells
    assert (x, y) == (pytest.approx(5.0, abs=0.1), pytest.approx(1.0, abs=0.1))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d", [1, 2, 4])
def test_rasters_of_every_kind(kind, d):
    X = make_rows(d, n=300)
    display = MixtureDisplay.from_estimator(make_mixture(d), X, kind=kind, max_points=0, ax=make_axes(d))
    render(display)
    assert len(display.artists_.rasters) == d * (d - 1) // 2


def test_labels_of_a_chunk_are_those_of_all_rows(monkeypatch):
    X = make_rows(3, n=200)
    draw = {"kind": "uncertainty", "max_points": 10}
    whole = MixtureDisplay.from_estimator(make_mixture(3), X, ax=make_axes(3), **draw).view
    monkeypatch.setattr("gaussmix.plot.table.CHUNK", 37)
    parts = MixtureDisplay.from_estimator(make_mixture(3), X, ax=make_axes(3), **draw).view
    for pair, raster in whole.rasters.items():
        np.testing.assert_array_equal(raster.counts, parts.rasters[pair].counts)
        np.testing.assert_allclose(raster.uncertainty, parts.rasters[pair].uncertainty, atol=1e-12)
    for one, other in zip(whole.histograms, parts.histograms, strict=True):
        np.testing.assert_array_equal(one.edges, other.edges)
        np.testing.assert_allclose(one.heights, other.heights)


def test_noise_and_rows_that_are_left_out_are_grey_crosses():
    mixture = make_mixture().with_noise(Noise.between([-20, -20], [20, 20], 0.1))
    X = np.concatenate([make_rows(), [[15.0, -15.0], [-15.0, 15.0]]])
    out = np.zeros(len(X), dtype=bool)
    out[-1] = True
    display = MixtureDisplay.from_estimator(mixture, X, left_out=out, ax=make_axes())
    left_out, noise, *_ = display.artists_.points
    np.testing.assert_array_equal(left_out.get_offsets(), X[-1:])
    np.testing.assert_array_equal(noise.get_offsets(), X[-2:-1])
    np.testing.assert_allclose(noise.get_edgecolors(), [to_rgba(NOISE)])
    words = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert words == ["0  (45%)", "1  (45%)", "noise  (10%)", "left out"]
    many = MixtureDisplay.from_estimator(mixture, X, left_out=out, max_points=5, ax=make_axes())
    assert many.view.rasters[0, 1].counts[-2:].sum(axis=(1, 2)).tolist() == [1.0, 1.0]


def test_weights_are_areas_and_rows_of_weight_zero_are_not_there():
    X = np.array([[0.0, 0.0], [0.5, 0.0], [1.0, 0.0], [900.0, 0.0]])
    display = MixtureDisplay.from_estimator(
        Mixture([1.0], [[0.0, 0.0]], [np.eye(2)]), X, sample_weight=[1, 2, 3, 0], ax=make_axes()
    )
    (points,) = display.artists_.points
    np.testing.assert_allclose(points.get_sizes() / points.get_sizes()[0], [1.0, 2.0, 3.0])
    assert display.ax_.get_xlim()[1] < 10.0


def test_clusters_share_a_colour_and_are_labelled_together():
    mixture = Mixture([0.4, 0.3, 0.3], [[0.0, 0.0], [1.0, 0.0], [9.0, 0.0]], [np.eye(2)] * 3)
    X = mixture.sample(200, 0)[0]
    display = MixtureDisplay.from_estimator(mixture, X, clusters=[0, 0, 1], ax=make_axes())
    colours = [ellipse.get_edgecolor() for ellipse in display.artists_.ellipses[::2]]
    assert colours[0] == colours[1] != colours[2]
    assert len(display.artists_.points) == 2
    # A row halfway between two components of one cluster is certain.
    assert display.view.points.uncertainty.max() < 0.1
    words = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert words == ["0 = 0 + 1  (70%)", "1 = 2  (30%)"]


def test_borders_lie_between_equal_components():
    display = MixtureDisplay.from_estimator(
        Mixture([0.5, 0.5], [[0.0, 0.0], [4.0, 0.0]], [np.eye(2)] * 2, feature_names=("x", "y")),
        ax=make_axes(),
        features=["y", "x"],
    )
    for border in display.artists_.borders:
        for path in border.get_paths():
            np.testing.assert_allclose(path.vertices[:, 1], 2.0, atol=1e-6)
    assert len(display.artists_.borders) == 2
    three = MixtureDisplay.from_estimator(make_mixture(3), ax=make_axes(), features=[0, 1])
    assert not three.artists_.borders, "a feature that is not shown decides, too"


def test_one_feature_has_its_thresholds():
    mixture = Mixture([0.3, 0.3, 0.4], [[0.0], [4.0], [8.0]], [1.0, 1.0, 1.0], "spherical")
    for clusters, expected in ((None, [2.0, 6.0]), ([0, 1, 1], [2.0])):
        display = MixtureDisplay.from_estimator(mixture, clusters=clusters, ax=make_axes())
        render(display)
        lines = display.artists_.thresholds[::2]
        np.testing.assert_allclose([line.get_xdata()[0] for line in lines], expected, atol=0.1)
    both = MixtureDisplay.from_estimator(make_mixture(2), features=[0], ax=make_axes())
    assert not both.artists_.thresholds, "a feature that is not shown decides, too"


def test_names_are_shown_as_they_are():
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame(make_rows(3), columns=["$x$", "a_b$c", "größe^2 \\alpha"])
    display = MixtureDisplay.from_estimator(make_mixture(3), X, ax=make_axes(3))
    render(display)
    labels = [display.axes_[2, j].xaxis.label for j in range(3)]
    assert [label.get_text() for label in labels] == list(X.columns)
    assert not any(label.get_parse_math() for label in labels)
    long = MixtureDisplay.from_estimator(
        make_mixture(2, feature_names=("two\nlines", "x" * 99)), ax=make_axes()
    )
    assert long.ax_.get_xlabel() == "two\\nlines"
    assert len(long.ax_.get_ylabel()) == 40


def test_columns_in_another_order_are_refused():
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame(make_rows(), columns=["b", "a"])
    with pytest.raises(ValueError, match="X has column 'b' where column 'a' was fitted"):
        MixtureDisplay.from_estimator(make_mixture(feature_names=("a", "b")), X)


def test_forty_features_thirty_components_and_a_constant_column():
    rng = np.random.default_rng(0)
    mixture = Mixture(np.full(30, 1 / 30), rng.normal(0, 9, (30, 40)), rng.uniform(0.5, 2, (30, 40)), "diag")
    X = mixture.sample(100, 0)[0]
    X[:, 1] = 3.0
    display = MixtureDisplay.from_estimator(mixture, X, ax=make_axes(6))
    assert display.axes_[0, 0].get_title(loc="left") == "6 of 40 features shown"
    render(display)


def test_from_predictions_needs_no_mixture():
    X = make_rows()
    labels = np.repeat([0, -1], 60)
    display = MixtureDisplay.from_predictions(X, labels, ax=make_axes())
    render(display)
    assert [len(points.get_offsets()) for points in display.artists_.points] == [60, 60]
    words = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert words == ["0  (50%)", "noise  (50%)"]
    doubt = np.linspace(0.0, 0.5, 120)
    for d in (1, 3):
        unsure = MixtureDisplay.from_predictions(
            make_rows(d), labels, uncertainty=doubt, kind="uncertainty", ax=make_axes(d)
        )
        render(unsure)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "scatter"}, "kind must be one of classification, uncertainty, density; got 'scatter'"),
        ({"clusters": [0]}, "clusters must be 2 integers of at least 0"),
        ({"clusters": [0, -1]}, "clusters must be 2 integers"),
        ({"left_out": [True]}, r"left_out must be 120 booleans.*shape \(1,\)"),
        ({"features": [0, 0]}, "features names a feature twice"),
        ({"max_points": -1}, "max_points must be at least 0"),
        ({"sample_weight": -np.ones(120)}, "sample_weight must not be negative"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        MixtureDisplay.from_estimator(make_mixture(), make_rows(), ax=make_axes(), **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y_pred": [0, 1]}, "y_pred must be 120 integers"),
        ({"y_pred": np.full(120, -2)}, "y_pred must be 120 integers"),
        ({"kind": "density"}, "needs a mixture"),
        ({"kind": "uncertainty"}, "needs uncertainty="),
        ({"uncertainty": np.full(120, 2.0)}, "uncertainty must be 120 numbers from 0 to 1"),
    ],
)
def test_wrong_predictions_are_named(arguments, message):
    labels = {"y_pred": np.zeros(120, dtype=int)}
    with pytest.raises(ValueError, match=message):
        MixtureDisplay.from_predictions(make_rows(), **labels | arguments)


def test_errors_leave_no_figure_behind():
    from matplotlib import pyplot as plt

    plt.switch_backend("agg")
    before = plt.get_fignums()
    with pytest.raises(ValueError, match="NaN"):
        MixtureDisplay.from_estimator(make_mixture(), np.full((3, 2), np.nan))
    with pytest.raises(AttributeError):
        MixtureDisplay.from_estimator(make_mixture(), make_rows(), scatter_options={"colour": "red"})
    assert plt.get_fignums() == before


def test_draw_ellipses_draws_nothing_else():
    panel = make_axes()
    ellipses = draw_ellipses(panel, make_mixture(3), features=[2, 0], numbers=False, linewidth=5.0)
    assert list(panel.patches) == ellipses and len(ellipses) == 4
    assert {ellipse.get_linewidth() for ellipse in ellipses} == {5.0}
    assert not panel.texts and not panel.lines and not panel.collections
    low, high = panel.get_xlim()
    assert low <= -2.0 and high >= 8.0
    with pytest.raises(ValueError, match="ellipses are drawn of two features; features has 1"):
        draw_ellipses(panel, make_mixture(3), features=[1])
