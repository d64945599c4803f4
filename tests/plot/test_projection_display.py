"""Displays of a projection, and of components that merge."""

import numpy as np
import pytest

import gaussmix
from gaussmix import Mixture
from gaussmix.plot import MergingDisplay, MixtureDisplay, ProjectionDisplay
from gaussmix.plot.palette import BORDER, pick_colour

pytest.importorskip("matplotlib")

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def make_axes(side=1):
    return Figure(dpi=40).subplots(side, side)


def render(display):
    FigureCanvasAgg(display.figure_).draw()


def make_mixture(d=4, **options):
    means = np.zeros((3, d))
    means[1, 0], means[2, -1] = 5.0, 5.0
    return Mixture([0.2, 0.3, 0.5], means, np.ones(3), "spherical", **options)


def make_merging(method="entropy"):
    means = [[0.0, 0.0], [0.5, 0.0], [9.0, 0.0], [9.0, 0.5], [0.0, 30.0]]
    mixture = Mixture(np.full(5, 0.2), means, np.ones(5), "spherical")
    return gaussmix.merge_components(mixture, mixture.sample(400, 0)[0], method=method)


@pytest.mark.parametrize("kind", ["classification", "uncertainty", "density"])
@pytest.mark.parametrize(("n_directions", "side"), [(1, 1), (2, 1), (3, 3)])
@pytest.mark.parametrize("max_points", [10, 1000])
def test_rows_lie_where_the_projection_has_them(kind, n_directions, side, max_points):
    mixture = make_mixture()
    X = mixture.sample(100, 0)[0]
    display = ProjectionDisplay.from_estimator(
        mixture, X, kind=kind, n_directions=n_directions, max_points=max_points, ax=make_axes(side)
    )
    render(display)
    places = display.projection.transform(X, n_directions)
    if max_points == 1000:
        np.testing.assert_allclose(display.view.points.values, places)
        np.testing.assert_array_equal(display.view.points.labels, mixture.predict(X))
    low, high = display.view.limits.T
    assert (places >= low).all() and (places <= high).all()
    assert len(display.arrows_) == (2 if n_directions == 2 else 0), "two features tell components apart"


def test_labels_are_those_of_all_features():
    """In one direction three components cannot be told apart, and yet rows keep their labels."""
    mixture = make_mixture()
    X = mixture.sample(200, 0)[0]
    display = ProjectionDisplay.from_estimator(mixture, X, n_directions=1, ax=make_axes())
    np.testing.assert_array_equal(display.view.points.labels, mixture.predict(X))
    shown = display.view.mixture.predict(display.view.points.values)
    assert (shown != mixture.predict(X)).any()


def test_arrows_lead_where_a_row_goes_when_its_feature_rises():
    mixture = make_mixture(feature_names=("$a$", "b", "c", "d"))
    display = ProjectionDisplay.from_estimator(mixture, ax=make_axes())
    render(display)
    tips = [text for text in display.ax_.texts if getattr(text, "arrow_patch", None) is not None]
    assert set(display.arrows_) == {"$a$", "d"}
    assert not display.arrows_["$a$"].get_parse_math()
    rises = display.projection.basis[:, :2] * np.sqrt(mixture.total_variances)[:, None]
    for tip in tips:
        along = [np.cross(np.append(tip.xy, 0.0), np.append(rise, 0.0))[2] for rise in rises[[0, 3]]]
        assert np.abs(along).min() < 1e-9
    bare = display.plot(make_axes(), arrows=False)
    assert not bare.arrows_


def test_a_given_projection_and_a_merging_are_taken_as_they_are():
    mixture = make_mixture()
    X = mixture.sample(200, 0)[0]
    projection = gaussmix.project(mixture, X, means_share=0.5)
    display = ProjectionDisplay.from_estimator(projection, X, ax=make_axes())
    assert display.projection is projection
    merging = gaussmix.merge_components(mixture, X)
    merged = ProjectionDisplay.from_estimator(merging, X, ax=make_axes())
    np.testing.assert_array_equal(merged.view.clusters, merging.labels())


def test_one_component_noise_and_weights_can_be_projected():
    alone = Mixture([1.0], [[0.0, 1.0, 2.0]], [[1.0, 2.0, 3.0]], "diag")
    render(ProjectionDisplay.from_estimator(alone, alone.sample(50, 0)[0], ax=make_axes()))
    noisy = make_mixture(3).with_noise(gaussmix.Noise.between([-9] * 3, [9] * 3, 0.2))
    X = noisy.sample(100, 0)[0]
    display = ProjectionDisplay.from_estimator(noisy, X, sample_weight=np.arange(100), ax=make_axes())
    render(display)
    np.testing.assert_array_equal(display.view.points.labels, noisy.predict(X[1:]))
    words = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert words[-1] == "noise  (20%)"


def test_more_directions_than_there_are_is_an_error():
    with pytest.raises(ValueError, match="n_directions must be a whole number from 1 to 4; got 5"):
        ProjectionDisplay.from_estimator(make_mixture(), n_directions=5)


def test_one_feature_has_one_direction():
    mixture = make_mixture(1)
    for model in (mixture, gaussmix.project(mixture)):
        display = ProjectionDisplay.from_estimator(model, mixture.sample(50, 0)[0], ax=make_axes())
        assert display.view.n_shown == 1
        render(display)


def test_forks_of_one_cluster_have_its_colour():
    merging = make_merging()
    display = MergingDisplay.from_estimator(merging, ax=make_axes())
    render(display)
    assert len(display.forks_) == 4
    assert sorted(leaf.get_text() for leaf in display.leaves_) == list("01234")
    heights = sorted(max(fork.get_ydata()) for fork in display.forks_)
    np.testing.assert_allclose(heights, np.sort(merging.linkage[:, 2]))
    for n_clusters in range(1, 6):
        cut = MergingDisplay.from_estimator(merging, n_clusters=n_clusters, ax=make_axes())
        between = sum(fork.get_color() == BORDER for fork in cut.forks_)
        assert between == n_clusters - 1
        np.testing.assert_array_equal(cut.clusters, merging.labels(n_clusters))
        alone = MergingDisplay.from_values(merging.linkage, n_clusters=n_clusters, ax=make_axes())
        np.testing.assert_array_equal(alone.clusters, cut.clusters)
        if n_clusters > 1:
            below = merging.linkage[: 5 - n_clusters, 2]
            above = merging.linkage[5 - n_clusters :, 2]
            height = cut.cut_.get_ydata()[0]
            assert (below <= height).all() and (above >= height).all()


@pytest.mark.parametrize("method", ["entropy", "demp", "modes"])
def test_merges_of_every_method(method):
    display = MergingDisplay.from_estimator(make_merging(method), ax=make_axes())
    render(display)
    assert display.ax_.get_ylabel() != "height"


def test_entropies_by_number_of_clusters():
    merging = make_merging()
    display = MergingDisplay.from_estimator(merging, kind="entropy", ax=make_axes())
    render(display)
    np.testing.assert_allclose(display.forks_[0].get_ydata(), merging.entropies)
    assert display.cut_.get_xdata()[0] == merging.n_clusters
    without_rows = gaussmix.merge_components(merging.mixture, method="modes")
    with pytest.raises(ValueError, match="takes a merging of rows"):
        MergingDisplay.from_estimator(without_rows, kind="entropy")


def test_one_component_is_a_tree_of_one_leaf():
    mixture = Mixture([1.0], [[0.0]], [1.0], "spherical")
    display = MergingDisplay.from_estimator(
        gaussmix.merge_components(mixture, method="modes"), ax=make_axes()
    )
    render(display)
    assert len(display.leaves_) == 1 and not display.forks_


def test_merges_refuse_what_is_none():
    with pytest.raises(TypeError, match=r"what gaussmix.merge_components returns; got Mixture"):
        MergingDisplay.from_estimator(make_mixture())
    with pytest.raises(ValueError, match="n_clusters must be from 1 to the 3 components; got 4"):
        MergingDisplay.from_values([[0, 1, 0.2, 2], [2, 3, 1.0, 3]], n_clusters=4)
    with pytest.raises(ValueError, match="entropies must be 3 numbers"):
        MergingDisplay.from_values([[0, 1, 0.2, 2], [2, 3, 1.0, 3]], entropies=[1.0])


def test_a_mixture_is_drawn_with_the_clusters_of_a_merging():
    merging = make_merging()
    display = MixtureDisplay.from_estimator(merging, ax=make_axes())
    labels = merging.labels()
    colours = [ellipse.get_edgecolor() for ellipse in display.artists_.ellipses[::2]]
    from matplotlib.colors import to_rgba

    assert colours == [to_rgba(pick_colour(int(label))) for label in labels]
