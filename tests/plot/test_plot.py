"""Pictures: what is drawn, where, and that nothing else of Matplotlib is touched."""

import subprocess
import sys

import numpy as np
import pytest

from gaussmix import Mixture
from gaussmix.plot import plot_mixture, save_plot

matplotlib = pytest.importorskip("matplotlib")

from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.collections import PathCollection  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.patches import Ellipse, StepPatch  # noqa: E402


@pytest.fixture(autouse=True)
def close_figures():
    with plt.rc_context({"backend": "agg"}):
        plt.switch_backend("agg")
        yield
        plt.close("all")


def make_mixture(k, d, *, names=None):
    rng = np.random.default_rng(k + 10 * d)
    roots = 0.3 * rng.normal(size=(k, d, d)) + np.eye(d)
    weights = rng.dirichlet(np.full(k, 5.0))
    return Mixture(weights, rng.normal(0, 4, (k, d)), roots @ roots.transpose(0, 2, 1), feature_names=names)


def numbers(panel):
    return [text.get_text() for text in panel.texts]


def find_scatters(panel):
    return [artist for artist in panel.collections if isinstance(artist, PathCollection)]


def render(axes):
    figure = np.ravel(np.asarray(axes, dtype=object))[0].figure
    figure.set_dpi(40)  # fast; what can go wrong here does not depend on it
    figure.canvas.draw()
    return bytes(figure.canvas.buffer_rgba())


@pytest.mark.parametrize("dtype", [np.float64, np.float32, None])
@pytest.mark.parametrize(("k", "d"), [(1, 1), (12, 1), (1, 2), (12, 2), (40, 2), (1, 3), (12, 3)])
def test_draws_any_size(k, d, dtype):
    mixture = make_mixture(k, d)
    X = mixture.sample(200, 0)[0].astype(dtype) if dtype else None
    axes = plot_mixture(mixture, X)
    render(axes)
    panels = [axes] if d < 3 else [panel for panel in axes.ravel() if panel is not None]
    assert len(panels) == d * (d + 1) // 2 if d > 2 else 1
    if d == 2:
        assert numbers(axes) == [str(c) for c in range(k)]


@pytest.mark.parametrize(("offset", "scale"), [(0.0, 1e-12), (0.0, 1e12), (1e8, 1.0), (-1e8, 1e3)])
@pytest.mark.parametrize("d", [1, 2, 3])
def test_draws_any_scale_and_offset(d, offset, scale):
    plain = make_mixture(3, d)
    mixture = Mixture(plain.weights, offset + scale * plain.means, scale**2 * plain.covariances)
    X = offset + scale * plain.sample(100, 0)[0]
    axes = plot_mixture(mixture, X)
    render(axes)
    panel = axes if d < 3 else axes[-1, 0]
    low, high = panel.get_xlim()
    assert low <= X[:, 0].min() and X[:, 0].max() <= high
    assert high - low < 20 * np.ptp(X[:, 0])


@pytest.mark.parametrize("d", [1, 2, 3])
def test_draws_a_collapsed_component_and_a_single_sample(d):
    tiny = np.array([np.eye(d) * 1e-12, np.eye(d)])
    mixture = Mixture([0.5, 0.5], [np.zeros(d), np.ones(d)], tiny)
    render(plot_mixture(mixture, mixture.sample(100, 1)[0]))
    alone = Mixture([1.0], [np.full(d, 5.0)], tiny[:1])
    render(plot_mixture(alone, np.full((1, d), 5.0)))
    render(plot_mixture(alone))


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_draws_every_structure(covariance_type):
    shapes = {"full": (2, 3, 3), "tied": (3, 3), "diag": (2, 3), "spherical": (2,)}
    covariances = np.ones(shapes[covariance_type])
    if covariance_type in ("full", "tied"):
        covariances = covariances * np.eye(3)
    mixture = Mixture([0.5, 0.5], [[0, 0, 0], [4, 4, 4]], covariances, covariance_type)
    assert plot_mixture(mixture).shape == (3, 3)


def test_ellipses_are_at_one_and_two_standard_deviations():
    mixture = make_mixture(3, 2)
    panel = plot_mixture(mixture)
    ellipses = [patch for patch in panel.patches if isinstance(patch, Ellipse)]
    assert len(ellipses) == 6
    for c in range(3):
        precision = np.linalg.inv(mixture.covariances[c])
        for ellipse, r in zip(ellipses[2 * c : 2 * c + 2], (1.0, 2.0), strict=True):
            border = ellipse.get_patch_transform().transform(ellipse.get_path().vertices[:-1:3])
            from_mean = border - mixture.means[c]
            distance = np.sqrt(np.einsum("pi,ij,pj->p", from_mean, precision, from_mean))
            np.testing.assert_allclose(distance, r, rtol=1e-3)


def test_shades_hold_the_mass_they_say():
    mixture = Mixture([1.0], [[1.0, 2.0]], [[[2.0, 0.5], [0.5, 1.0]]])
    (shades,) = plot_mixture(mixture).collections
    # For one Gaussian the region of mass p ends at the squared distance -2 log(1 - p).
    peak = mixture.log_prob(mixture.means)[0]
    expected = [peak + np.log(1 - p) for p in (0.95, 0.75, 0.5, 0.25)]
    np.testing.assert_allclose(shades.levels[:-1], expected, atol=0.15)


def test_one_feature_shows_density_and_histogram_on_one_scale():
    mixture = make_mixture(2, 1)
    X = mixture.sample(20000, 0)[0]
    panel = plot_mixture(mixture, X)
    curves = [line for line in panel.lines if len(line.get_xdata()) > 2]
    x, y = curves[-1].get_data()  # that of the whole is drawn last
    assert np.trapezoid(y, x) == pytest.approx(1.0, abs=0.02)
    np.testing.assert_allclose(y, np.exp(mixture.log_prob(np.asarray(x)[:, None])), rtol=1e-9)
    (bars,) = [patch for patch in panel.patches if isinstance(patch, StepPatch)]
    assert bars.get_data().values.max() == pytest.approx(y.max(), rel=0.15)
    assert [text for text in numbers(panel) if text.isdigit()] == ["0", "1"]


def test_points_are_coloured_by_component_and_fade_where_unsure():
    mixture = Mixture([0.5, 0.5], [[-3.0, 0.0], [3.0, 0.0]], [np.eye(2)] * 2)
    X = np.array([[-3.0, 0.0], [0.0, 0.0], [3.0, 0.0]])
    panel = plot_mixture(mixture, X)
    scatters = find_scatters(panel)
    order = np.argsort(np.concatenate([scatter.get_offsets()[:, 0] for scatter in scatters]))
    by_x = np.concatenate([scatter.get_facecolors() for scatter in scatters])[order]
    assert not np.allclose(by_x[0, :3], by_x[2, :3])
    assert by_x[0, 3] == pytest.approx(by_x[2, 3])
    assert by_x[1, 3] < 0.5 * by_x[0, 3]


def test_more_rows_than_max_points_are_a_raster_of_all_of_them():
    mixture = make_mixture(2, 2)
    X = mixture.sample(1000, 0)[0]
    assert sum(len(scatter.get_offsets()) for scatter in find_scatters(plot_mixture(mixture, X))) == 1000
    many = plot_mixture(mixture, X, max_points=999)
    assert not find_scatters(many)
    assert len(many.images) == 1


def test_labels_are_the_column_names():
    names = ("height", "weight", "age")
    axes = plot_mixture(make_mixture(2, 3, names=names))
    assert [axes[2, j].get_xlabel() for j in range(3)] == list(names)
    assert [axes[i, 0].get_ylabel() for i in range(3)] == ["density", "weight", "age"]
    assert axes[0, 1] is None
    unnamed = plot_mixture(make_mixture(2, 2))
    assert (unnamed.get_xlabel(), unnamed.get_ylabel()) == ("feature 1", "feature 2")


def test_shows_six_features_and_says_so():
    axes = plot_mixture(make_mixture(2, 8))
    assert axes.shape == (6, 6)
    said = axes[0, 0].figure.get_supxlabel().replace("\n", " ")
    assert said.startswith("6 of 8 features, those that tell components apart most.")
    given = plot_mixture(make_mixture(2, 8), ax=Figure().subplots(6, 6))
    assert given[0, 0].get_title(loc="left") == "6 of 8 features shown"
    assert not given[0, 0].figure.get_supxlabel()
    assert plot_mixture(make_mixture(2, 8), features=range(7)).shape == (7, 7)


def test_features_are_chosen_by_name_or_position():
    mixture = make_mixture(2, 4, names=("a", "b", "c", "d"))
    X = mixture.sample(30, 0)[0]
    panel = plot_mixture(mixture, X, features=["d", 0])
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("d", "a")
    shown = np.concatenate([scatter.get_offsets() for scatter in find_scatters(panel)])
    np.testing.assert_allclose(np.sort(shown[:, 0]), np.sort(X[:, 3]))
    assert plot_mixture(mixture, features="c").get_xlabel() == "c"
    assert plot_mixture(mixture, features=[-1]).get_xlabel() == "d"


def test_draws_into_given_axes_and_touches_nothing_else():
    before = dict(matplotlib.rcParams)
    mine = plt.figure()
    panel = Figure().subplots()
    assert plot_mixture(make_mixture(2, 2), ax=panel) is panel
    grid = Figure().subplots(3, 3)
    drawn = plot_mixture(make_mixture(2, 3), ax=grid)
    assert drawn[2, 0] is grid[2, 0]
    assert plt.get_fignums() == [mine.number]
    assert plt.gcf() is mine
    assert dict(matplotlib.rcParams) == before


def test_save_plot_writes_a_file_and_opens_no_figure(tmp_path):
    mixture = make_mixture(2, 2)
    for suffix, magic in {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}.items():
        path = tmp_path / f"picture.{suffix}"
        save_plot(mixture, mixture.sample(50, 0)[0], path=path)
        assert path.read_bytes().startswith(magic)
    assert plt.get_fignums() == []


def test_data_frames_are_data():
    pandas = pytest.importorskip("pandas")
    mixture = make_mixture(2, 2, names=("a", "b"))
    X = mixture.sample(20, 0)[0]
    frame = pandas.DataFrame(X, columns=["a", "b"])
    assert render(plot_mixture(mixture, frame)) == render(plot_mixture(mixture, X))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"features": ["z"]}, "features names 'z', but the mixture has a, b, c"),
        ({"features": [3]}, "features asks for position 3, but they go from 0 to 2"),
        ({"features": []}, "features is empty"),
        ({"X": np.zeros((4, 2))}, r"shape \(n_samples, 3\).* got \(4, 2\)"),
        ({"X": np.zeros((0, 3))}, "no rows"),
        ({"X": np.array([[0, 0, 0], [0, np.nan, 0]])}, r"entry \(1, 1\) is nan"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        plot_mixture(make_mixture(2, 3, names=("a", "b", "c")), **arguments)


def test_the_wrong_number_of_axes_is_named():
    with pytest.raises(ValueError, match="3 features take 3 x 3 Axes"):
        plot_mixture(make_mixture(2, 3), ax=Figure().subplots())
    with pytest.raises(ValueError, match="2 features take 1 x 1 Axes"):
        plot_mixture(make_mixture(2, 2), ax=Figure().subplots(1, 2))


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r'pip install "gaussmix\[plot\]"'):
        plot_mixture(make_mixture(1, 1))


def test_importing_the_module_does_not_import_matplotlib():
    code = "import sys, gaussmix.plot; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
