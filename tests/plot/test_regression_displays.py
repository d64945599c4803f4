"""Displays of regressions: curves of experts, bands, regions of highest density, residuals."""

import numpy as np
import pytest

from gaussmix import GaussianMixtureRegressor, MixtureOfExpertsRegressor
from gaussmix.datasets import load_ethanol, load_motorcycle, load_tones
from gaussmix.plot import RegressionDisplay, ResidualDisplay
from gaussmix.plot.predictions import SHARES, predict_along
from gaussmix.plot.regression import KINDS

pytest.importorskip("matplotlib")

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

ROWS = load_motorcycle()[0]
X, Y = ROWS[:, :1], ROWS[:, 1]


def fit(X, y, k=3):
    return GaussianMixtureRegressor(k, covariance_type="full", random_state=0).fit(X, y)


@pytest.fixture(scope="module")
def model():
    return fit(X, Y)


def render(display):
    FigureCanvasAgg(display.figure_).draw()


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_drawn_once_and_again(model, kind):
    display = RegressionDisplay.from_estimator(model, X, Y, kind=kind, figure=Figure(dpi=40))
    render(display)
    assert len(display.axes_) == (2 if kind == "experts" else 1)
    assert sum(len(points.get_offsets()) for points in display.points_) == len(Y)
    assert display.caption_ is not None and display.ax_.get_xlim()[0] < X.min()
    low, high = display.ax_.get_ylim()
    assert low < Y.min() < Y.max() < high
    for other in KINDS:
        axes = Figure(dpi=40).subplots()
        assert display.plot(axes, kind=other).ax_ is axes and display.caption_ is None


def test_curves_are_what_the_model_predicts(model):
    found = predict_along(model, X, Y)
    grid = found.points[:, None]
    mean, quantiles, batch = model.predict(grid, quantiles=SHARES, return_mixture=True)
    np.testing.assert_allclose(found.mean, mean)
    np.testing.assert_allclose(found.quantiles, quantiles)
    np.testing.assert_allclose((found.experts * found.shares).sum(axis=1), mean)
    np.testing.assert_allclose(found.shares, batch.weights)
    own = model.predict(X, return_mixture=True)[1].responsibilities(Y[:, None])
    np.testing.assert_allclose(found.responsibilities, own)


def test_regions_of_highest_density_have_the_mass_that_they_are_said_to_have(model):
    found = predict_along(model, X, Y)
    heights, masses = found.measure_masses()
    step = heights[1] - heights[0]
    for mass in (0.5, 0.8, 0.95):
        inside = masses < mass
        for j in range(0, len(found.points), 37):
            edges = np.concatenate([heights - 0.5 * step, [heights[-1] + 0.5 * step]])
            within = np.diff(found.batch[np.array([j])].cdf(edges[None])[0])
            has = within[inside[:, j]].sum()
            largest = within.max()
            assert abs(has - mass) <= largest + 1e-3  # a region is made of whole cells
            assert within[inside[:, j]].min(initial=1.0) >= within[~inside[:, j]].max(initial=0.0) - 1e-12


def test_a_density_in_two_parts_leaves_out_what_is_between_them():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(size=(200, 1)), rng.choice([-3.0, 3.0], 200) + 0.3 * rng.normal(size=200)
    _, masses = predict_along(fit(x, y, 2), x, y).measure_masses()
    inside = masses[:, 150] < 0.8
    starts = np.flatnonzero(np.diff(inside.astype(int)) == 1)
    assert len(starts) == 2


def test_one_of_several_inputs_and_outputs():
    rows, _ = load_ethanol()
    model = fit(rows[:, :2], np.column_stack([rows[:, 2], -3.0 * rows[:, 2] + rows[:, 0]]), 2)
    with pytest.raises(ValueError, match="2 inputs: name the one"):
        RegressionDisplay.from_estimator(model, rows[:, :2])
    with pytest.raises(ValueError, match="2 outputs: name the one"):
        RegressionDisplay.from_estimator(model, rows[:, :2], feature=1)
    with pytest.raises(ValueError, match="no feature 'E'"):
        RegressionDisplay.from_estimator(model, rows[:, :2], feature="E")
    with pytest.raises(ValueError, match="no output 2"):
        RegressionDisplay.from_estimator(model, rows[:, :2], feature=1, output=2)
    found = predict_along(model, rows[:, :2], feature=1, output=1, at={0: 9.0})
    grid = np.column_stack([np.full(len(found.points), 9.0), found.points])
    np.testing.assert_allclose(found.mean, model.predict(grid)[:, 1])
    assert found.fixed == (("feature 1", 9.0),) and not len(found.y)
    median = predict_along(model, rows[:, :2], feature=1, output=0).fixed[0][1]
    assert median == np.median(rows[:, 0])
    display = RegressionDisplay.from_estimator(
        model, rows[:, :2], feature=1, output=0, figure=Figure(dpi=40), caption=True
    )
    render(display)
    assert "held at feature 1" in " ".join(display.caption_.get_text().split())


def test_missing_inputs_are_predicted_and_not_drawn(model):
    some = X.copy()
    some[::5] = np.nan
    display = RegressionDisplay.from_estimator(model, some, Y, ax=Figure(dpi=40).subplots())
    assert sum(len(points.get_offsets()) for points in display.points_) == np.isfinite(some).sum()


@pytest.mark.parametrize("library", ["pandas", "polars", "numpy"])
def test_names_of_frames(library):
    if library == "numpy":
        frame = np.array([tuple(row) for row in ROWS[:, [0, 1]]], dtype=[("time", float), ("noise", float)])
    else:
        make = pytest.importorskip(library).DataFrame
        frame = make({"time": ROWS[:, 0], "noise": ROWS[:, 1]})
    display = RegressionDisplay.from_estimator(
        fit(frame, Y), frame, Y, feature="time", ax=Figure(dpi=40).subplots(2), kind="experts"
    )
    render(display)
    assert display.axes_[1].get_xlabel() == "time"


def test_a_pipeline_and_what_is_no_mixture(model):
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    pipeline = make_pipeline(StandardScaler(), GaussianMixtureRegressor(2, random_state=0)).fit(X, Y)
    assert RegressionDisplay.from_estimator(pipeline, X, Y, ax=Figure(dpi=40).subplots()).lines_
    with pytest.raises(TypeError, match="got LinearRegression"):
        RegressionDisplay.from_estimator(LinearRegression().fit(X, Y), X, Y)
    with pytest.raises(ValueError, match="kind must be one of experts, bands, density"):
        RegressionDisplay.from_estimator(model, X, Y, kind="shares")
    with pytest.raises(ValueError, match="y must have shape"):
        RegressionDisplay.from_estimator(model, X, Y[1:])
    with pytest.raises(ValueError, match="one Axes, or two"):
        RegressionDisplay.from_estimator(model, X, Y, ax=Figure().subplots(3))


def test_residuals_are_in_the_deviations_of_each_expert(model):
    display = ResidualDisplay.from_estimator(model, X, Y, figure=Figure(dpi=40))
    render(display)
    found = display.residuals
    np.testing.assert_allclose(
        found.predicted + found.residuals * found.deviations, np.tile(Y[:, None], 3), atol=1e-9
    )
    np.testing.assert_allclose(found.responsibilities.sum(axis=1), 1.0)
    np.testing.assert_allclose(found.measure_spreads(), 1.0, atol=0.05)  # of the rows of a fit
    assert len(display.axes_) == len(display.points_) == 3
    with pytest.raises(ValueError, match="3 Axes"):
        display.plot(Figure().subplots())


@pytest.mark.parametrize("k", [1, 4, 5])
def test_panels_for_any_number_of_experts(k):
    display = ResidualDisplay.from_estimator(fit(X, Y, k), X, Y, figure=Figure(dpi=40))
    render(display)
    assert len(display.axes_) == k and all(panel.get_title().startswith("expert") for panel in display.axes_)


def test_offsets_and_units_make_no_difference(model):
    far = fit(1e8 + 1e-3 * X, 1e6 * Y)
    near, there = predict_along(model, X, Y), predict_along(far, 1e8 + 1e-3 * X, 1e6 * Y)
    np.testing.assert_allclose(there.mean / 1e6, near.mean, atol=0.02 * np.ptp(Y))


@pytest.mark.parametrize("load", [load_motorcycle, load_ethanol, load_tones])
def test_tables_of_regressions(load):
    rows, names = load()
    assert rows.shape[1] == len(names) and np.isfinite(rows).all()


def test_numbers_of_crossing_curves_stand_apart():
    model = MixtureOfExpertsRegressor(2, gate=None, random_state=0)
    tones = load_tones()[0]
    display = RegressionDisplay.from_estimator(
        model.fit(tones[:, :1], tones[:, 1]), tones[:, :1], tones[:, 1], figure=Figure(dpi=60)
    )
    render(display)
    numbers = [text for text in display.ax_.texts if text.get_text() in ("0", "1")]
    first, second = (number.get_window_extent() for number in numbers)
    assert not first.overlaps(second)


@pytest.mark.parametrize("gate", ["softmax", "gaussian", None])
def test_mixtures_of_experts_are_drawn_as_their_own_methods_have_them(gate):
    model = MixtureOfExpertsRegressor(3, gate=gate, random_state=0).fit(X, Y)
    found = predict_along(model, X, Y)
    grid = found.points[:, None]
    np.testing.assert_allclose(found.experts, model.predict_experts(grid), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.shares, model.predict_shares(grid), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.responsibilities, model.responsibilities(X, Y), rtol=1e-6, atol=1e-9)
    display = ResidualDisplay.from_estimator(model, X, Y, figure=Figure(dpi=40))
    render(display)
    np.testing.assert_allclose(display.residuals.predicted, model.predict_experts(X), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("expert", ["poisson", "gamma"])
def test_experts_of_counts_and_of_positive_numbers_are_drawn(expert):
    rng = np.random.default_rng(0)
    x = rng.uniform(0.0, 3.0, 150)
    y = rng.poisson(np.exp(np.abs(x - 1.5))) + 1.0
    model = MixtureOfExpertsRegressor(2, expert=expert, n_init=4, random_state=0).fit(x[:, None], y)
    for kind in KINDS:
        render(RegressionDisplay.from_estimator(model, x[:, None], y, kind=kind, figure=Figure(dpi=40)))
    display = ResidualDisplay.from_estimator(model, x[:, None], y, figure=Figure(dpi=40))
    render(display)
    means, shares = model.predict_experts(x[:, None]), model.responsibilities(x[:, None], y)
    spreads = np.sqrt(means) if expert == "poisson" else means / np.sqrt(model.experts_.shapes)
    np.testing.assert_allclose(display.residuals.residuals, (y[:, None] - means) / spreads)
    np.testing.assert_allclose(display.residuals.responsibilities, shares, atol=1e-12)
