"""Bins of histograms: their area, their number, discrete values, and narrow components."""

import numpy as np
import pytest

from gaussmix import Mixture
from gaussmix.plot.binning import FEW_BINS, FEWEST_BINS, MOST_BINS, Parts, find_step, plan_bins
from gaussmix.plot.counting import Histograms

pytest.importorskip("matplotlib")

from matplotlib.figure import Figure

from gaussmix.plot import MixtureDisplay

NOTHING = Parts(np.empty(0), np.empty(0), np.empty(0))


def plan(values, parts=NOTHING, most=MOST_BINS, weights=None):
    ends = float(values.min()), float(values.max())
    n = len(values) if weights is None else weights.sum() ** 2 / (weights**2).sum()
    return plan_bins(values, weights, ends, n, parts, most)


def count(values, bins, weights=None):
    histograms = Histograms([bins])
    histograms.add(values[:, None], weights)
    return histograms.finish()[0]


def draw_two(ratio, n, seed=0):
    """Rows of a broad component and of one narrower by this ratio, and their parameters."""
    rng = np.random.default_rng(seed)
    parts = Parts(np.array([0.7, 0.3]), np.array([0.0, 3.0]), np.array([1.0, 1.0 / ratio]))
    label = (rng.random(n) < 0.3).astype(int)
    return parts.means[label] + parts.deviations[label] * rng.normal(size=n), parts


@pytest.mark.parametrize("n", [2, 30, 3000, 100_000])
@pytest.mark.parametrize("ratio", [1.0, 5.0, 40.0, 1e3, 1e9])
@pytest.mark.parametrize("most", [MOST_BINS, FEW_BINS])
def test_area_and_number(n, ratio, most):
    values, parts = draw_two(ratio, n)
    for known in (NOTHING, parts):
        bins = plan(values, known, most)
        histogram = count(values, bins)
        widths = np.diff(histogram.edges)
        assert (widths > 0.0).all()
        assert histogram.heights @ widths == pytest.approx(1.0)
        assert FEWEST_BINS <= len(widths) <= 9 * most
        assert widths.min() >= np.ptp(values) / (9.01 * most)
        assert bins.low <= values.min() and values.max() <= bins.high
        if known is NOTHING:
            assert np.ptp(widths) < 1e-9 * widths.max()


def test_the_rule_of_freedman_and_diaconis():
    values = np.random.default_rng(0).normal(size=1000)
    widths = np.diff(plan(values).edges)
    q1, q3 = np.quantile(values, [0.25, 0.75])
    assert widths[0] == pytest.approx(2 * (q3 - q1) / 10, rel=0.05)


@pytest.mark.parametrize("ratio", [4.0, 20.0, 60.0])
def test_a_narrow_component_is_as_high_as_its_curve(ratio):
    values, parts = draw_two(ratio, 20_000)
    histogram = count(values, plan(values, parts))
    peak = 0.3 * ratio / np.sqrt(2 * np.pi)
    assert histogram.heights.max() == pytest.approx(peak, rel=0.2)
    broad = np.diff(histogram.edges)[histogram.edges[1:] < 1.5]
    assert np.ptp(broad) < 1e-9, "bins are fine where the narrow component is, and nowhere else"


def test_bins_around_a_spike_are_as_wide_as_they_may_be():
    values, parts = draw_two(1e4, 400)
    widths = np.diff(plan(values, parts).edges)
    assert np.sum(widths < 0.9 * widths.max()) <= 9, "one bin in three, one of these in three, and so on"


@pytest.mark.parametrize("spread", [0.5, 2.0, 30.0])
def test_components_of_counts_have_no_bins_of_less_than_a_step(spread):
    rng = np.random.default_rng(0)
    values = np.round(np.concatenate([rng.normal(0, 300, 6000), rng.normal(100, spread, 3000)]))
    parts = Parts(np.array([2, 1]) / 3, np.array([0.0, 100.0]), np.array([300.0, spread]))
    bins = plan(values, parts)
    assert bins.step == pytest.approx(1.0)
    held = np.diff(bins.edges)
    np.testing.assert_allclose(held, held.round(), atol=1e-6)
    near = (bins.edges[:-1] < 100 + spread) & (bins.edges[1:] > 100 - spread)
    assert held[near].max() < max(3 * spread, 3.5)


def test_a_raster_of_counts_has_a_cell_for_each_value():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.poisson(3.0, 900), 0.5 * rng.poisson(20.0, 900)])
    mixture = Mixture([1.0], [[3.0, 10.0]], [[3.0, 5.0]], "diag")
    display = MixtureDisplay.from_estimator(mixture, X, max_points=10, ax=Figure().subplots())
    raster = display.view.rasters[0, 1]
    _, *shape = raster.counts.shape
    assert shape == [2 * np.ptp(X[:, 1]) + 1, np.ptp(X[:, 0]) + 1]
    left, _, bottom, _ = raster.extent
    assert (left, bottom) == (X[:, 0].min() - 0.5, X[:, 1].min() - 0.25)
    expected = np.histogram2d(X[:, 1], X[:, 0], shape)[0]
    np.testing.assert_array_equal(raster.counts[0], expected)
    turned = MixtureDisplay.from_estimator(mixture, X, max_points=10, features=[1, 0], ax=Figure().subplots())
    (image,) = turned.artists_.rasters
    np.testing.assert_array_equal(image.get_array()[..., 3] > 0, expected.T > 0)


@pytest.mark.parametrize("step", [1.0, 0.1, 0.25, 1e-3])
@pytest.mark.parametrize("n", [40, 2000])
def test_values_of_one_step_stand_in_the_middle_of_bins(step, n):
    values = step * np.round(np.random.default_rng(1).normal(0.0, 4.0, n))
    assert find_step(values, values.min(), np.ptp(values), MOST_BINS) == pytest.approx(step, rel=1e-6)
    edges = plan(values).edges
    held = np.diff(edges) / step
    np.testing.assert_allclose(held, held.round(), atol=1e-6)
    assert held.min() > 0.5
    np.testing.assert_allclose((edges / step) % 1.0, 0.5, atol=1e-6)


def test_counts_have_no_combs():
    values = np.random.default_rng(0).poisson(60.0, 50_000).astype(float)
    histogram = count(values, plan(values))
    middles = (histogram.edges[1:] + histogram.edges[:-1]) / 2
    expected = np.exp(-((middles - 60.0) ** 2) / 120.0) / np.sqrt(120.0 * np.pi)
    core = expected > 0.02
    np.testing.assert_allclose(histogram.heights[core], expected[core], rtol=0.15)


def test_heaps_and_components_on_them():
    rng = np.random.default_rng(0)
    values = np.where(rng.random(5000) < 0.6, 0.0, rng.exponential(2.0, 5000))
    assert count(values, plan(values)).heights.max() > 1.0, "more than half of the rows have one value"
    whole = rng.integers(0, 3, 900).astype(float)
    parts = Parts(np.full(3, 1 / 3), np.arange(3.0), np.full(3, 0.02))
    histogram = count(whole, plan(whole, parts))
    for value in range(3):
        at = int(np.searchsorted(histogram.edges, value)) - 1
        low, high = histogram.edges[at : at + 2]
        assert (low + high) / 2 == pytest.approx(value), "a value is in the middle of a fine bin, too"
        assert histogram.heights[at] * (high - low) == pytest.approx(np.mean(whole == value))


def test_weights_are_copies():
    values = np.random.default_rng(0).normal(size=400)
    twice = plan(np.repeat(values, 2))
    weighted = plan(values, weights=np.full(400, 2.0))
    plain = plan(values)
    np.testing.assert_allclose(weighted.edges, plain.edges)
    assert len(twice.edges) > len(plain.edges)
    heavy = np.where(values > 0, 5.0, 1e-9)
    histogram = count(values, plan(values, weights=heavy), heavy)
    middles = (histogram.edges[1:] + histogram.edges[:-1]) / 2
    assert histogram.heights[middles < -0.3].max() < 1e-6


def test_no_step_in_continuous_values():
    for n in (3, 50, 5000):
        values = np.random.default_rng(n).lognormal(size=n)
        assert find_step(values, values.min(), np.ptp(values), MOST_BINS) == 0.0


@pytest.mark.parametrize("constant", [0.0, 7.0, -1e9])
def test_one_value_is_one_bar(constant):
    mixture = Mixture([1.0], [[constant]], [[1e-6]], "diag")
    X = np.full((20, 1), constant)
    display = MixtureDisplay.from_estimator(mixture, X, ax=Figure().subplots())
    (histogram,) = display.view.histograms
    assert histogram.heights @ np.diff(histogram.edges) == pytest.approx(1.0)
    low, high = display.ax_.get_xlim()
    assert low < constant < high


def test_a_spike_is_cut_off_so_that_the_rest_is_seen():
    mixture = Mixture([0.95, 0.05], [[0.0], [2.0]], [[1.0], [1e-8]], "diag")
    X = mixture.sample(5000, 0)[0]
    display = MixtureDisplay.from_estimator(mixture, X, figure=Figure())
    top = display.ax_.get_ylim()[1]
    assert 0.95 * 0.39 < top < 8 * 0.95 * 0.4
    assert "cut off" in display.caption_.get_text()
    most = Mixture([0.2, 0.8], [[0.0], [2.0]], [[1.0], [1e-4]], "diag")
    shown = MixtureDisplay.from_estimator(most, most.sample(5000, 0)[0], figure=Figure())
    assert shown.ax_.get_ylim()[1] > 20.0, "what holds most of the rows is not cut off"
