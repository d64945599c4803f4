"""Displays of a criterion, of a likelihood and of the profile of components."""

import math

import numpy as np
import pytest

import gaussmix
from gaussmix import GaussianMixture, Mixture, NormalInverseWishart, StartReport
from gaussmix.infer.likelihood_ratio import LikelihoodRatioTest
from gaussmix.plot import (
    CriterionDisplay,
    IntervalDisplay,
    LikelihoodDisplay,
    LikelihoodRatioDisplay,
    ProfileDisplay,
)
from gaussmix.plot.figures import spread_out

pytest.importorskip("matplotlib")

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

NAN = float("nan")
SCORES = {
    ("VVV", 1): 50.0,
    ("VVV", 2): NAN,
    ("VVV", 3): 30.0,
    ("EII", 1): 90.0,
    ("EII", 2): 12.0,
    ("EII", 3): 14.0,
}


def make_axes():
    return Figure(dpi=40, layout="constrained").subplots()


def make_rows(d=2, n=40):
    rng = np.random.default_rng(d)
    return np.concatenate([rng.normal(size=(n, d)), rng.normal(6.0, 1.0, (n, d))])


def render(display):
    FigureCanvasAgg(display.figure_).draw()


def test_criterion_is_that_of_every_model():
    models = gaussmix.fit_mixtures(make_rows(), range(1, 4), covariance_type=["EII", "VVV"])
    for criterion in ("bic", "aic"):
        display = CriterionDisplay.from_estimator(models, criterion=criterion, ax=make_axes())
        render(display)
        best = min(getattr(fit, criterion) for fit in models.fits.values())
        assert display.scores[display.best_model] == best
        for family, line in display.lines_.items():
            k, gaps = line.get_data()
            assert list(k) == [1, 2, 3]
            values = [getattr(models.fits[family, number], criterion) - best for number in k]
            np.testing.assert_allclose(gaps, values)
    assert display.ax_.get_ylim()[0] > display.ax_.get_ylim()[1], "the best is on top"


def test_criterion_marks_the_best_and_what_failed():
    display = CriterionDisplay.from_values(SCORES, ax=make_axes())
    render(display)
    assert display.best_model == ("EII", 2)
    assert display.families == ["EII", "VVV"]
    np.testing.assert_array_equal(np.ravel(display.best_.get_data()), [2.0, 0.0])
    # Halfway between 50 - 12 and 30 - 12.
    np.testing.assert_allclose(display.failed_.get_offsets(), [[2.0, 28.0]])
    assert display.ax_.get_title(loc="left") == "best: EII with 2 components, BIC 12"
    assert [label.get_text() for label in display.ax_.get_legend().get_texts()] == ["no sound fit"]


def test_criterion_of_which_more_is_better():
    scores = {("EII", 1): -5.0, ("EII", 2): -4.0, ("VVV", 2): -4.5}
    display = CriterionDisplay.from_values(
        scores, criterion="cv", errors={("EII", 1): 0.1, ("EII", 2): 0.1}, ax=make_axes()
    )
    render(display)
    assert display.best_model == ("EII", 2)
    np.testing.assert_allclose(display.lines_["EII"].get_ydata(), [1.0, 0.0])
    plain = display.plot(make_axes(), differences=False)
    np.testing.assert_allclose(plain.lines_["EII"].get_ydata(), [-5.0, -4.0])
    assert plain.ax_.get_ylim()[0] < plain.ax_.get_ylim()[1]


def test_criterion_of_a_search_rings_the_model_that_was_chosen():
    X = np.random.default_rng(2).normal(size=(60, 1))
    result = gaussmix.search(X, range(1, 4), criterion="cv", random_state=0)
    display = CriterionDisplay.from_estimator(result, ax=make_axes())
    render(display)
    assert display.best_model == result.best_model
    family, k = result.best_model
    np.testing.assert_allclose(
        display.best_.get_xydata(), [[k, max(result.scores.values()) - result.scores[family, k]]]
    )
    icl = CriterionDisplay.from_estimator(result, criterion="icl", ax=make_axes())
    assert icl.scores[result.best_model] == result.best.icl
    with pytest.raises(ValueError, match="chosen must be a model that has a score"):
        CriterionDisplay.from_values(SCORES, chosen=("VVV", 2))


def test_criterion_of_one_model_and_of_equal_ones():
    for scores in ({("VVV", 3): 5.0}, {("VVV", 1): 5.0, ("EII", 1): 5.0, ("EII", 2): 5.0}):
        render(CriterionDisplay.from_values(scores, ax=make_axes()))


def test_criterion_of_many_numbers_of_components_has_few_ticks():
    display = CriterionDisplay.from_values({("VVV", k): float(k) for k in range(1, 41)}, ax=make_axes())
    render(display)
    ticks = display.ax_.get_xticks()
    assert len(ticks) <= 15 and (ticks == ticks.round()).all()


def test_criterion_shows_the_families_that_are_asked_for():
    display = CriterionDisplay.from_values(SCORES, families=["VVV"], ax=make_axes())
    assert list(display.lines_) == ["VVV"]
    assert display.best_model == ("EII", 2)
    with pytest.raises(ValueError, match="families names none of EII, VVV"):
        display.plot(make_axes(), families=["EEE"])


def test_criterion_refuses_what_has_none():
    models = gaussmix.fit_mixtures(make_rows(), 1, covariance_type="EII")
    with pytest.raises(ValueError, match="criterion must be one of bic, aic, icl, cv; got 'dic'"):
        CriterionDisplay.from_estimator(models, criterion="dic")
    with pytest.raises(ValueError, match="takes a search with it"):
        CriterionDisplay.from_estimator(models, criterion="cv")
    with pytest.raises(ValueError, match="no model has a sound fit"):
        CriterionDisplay.from_values({("EII", 1): NAN})
    with pytest.raises(TypeError, match="got GaussianMixture"):
        CriterionDisplay.from_estimator(GaussianMixture(1).fit(make_rows()))


def test_labels_are_apart_inside_and_in_order():
    rng = np.random.default_rng(0)
    for n in (1, 2, 14, 40):
        heights = np.sort(rng.uniform(-0.2, 1.2, n))
        placed = spread_out(heights, 0.05)
        assert placed.min() >= -1e-12 and placed.max() <= 1.0 + 1e-12
        if n > 1:
            assert np.diff(placed).min() >= min(0.05, 1 / (n - 1)) - 1e-12
    np.testing.assert_allclose(spread_out(np.array([0.2, 0.21, 0.8]), 0.1), [0.155, 0.255, 0.8])


def test_likelihood_is_the_history_and_marks_the_other_starts():
    fit = gaussmix.fit_mixture(make_rows(), 3, random_state=0)
    display = LikelihoodDisplay.from_estimator(fit, ax=make_axes())
    render(display)
    np.testing.assert_array_equal(display.line_.get_ydata(), fit.history)
    marked = sum(len(points.get_offsets()) for points in display.starts_.values())
    assert marked == sum(math.isfinite(report.mean_log_likelihood) for report in fit.starts)
    model = GaussianMixture(2, random_state=0).fit(make_rows())
    same = LikelihoodDisplay.from_estimator(model, kind="gain", ax=make_axes())
    render(same)
    gains = np.diff(model.fit_result_.history)
    np.testing.assert_allclose(same.line_.get_ydata(), np.where(gains > 0.0, gains, np.nan))
    assert same.ax_.get_yscale() == "log"


def test_likelihood_says_which_starts_collapsed():
    starts = [StartReport("kmeans", 3, -2.0, "converged"), StartReport("kmeans", 1, -math.inf, "collapsed")]
    display = LikelihoodDisplay([-3.0, -2.0], starts=starts).plot(make_axes())
    assert display.starts_["kmeans"].get_label() == "2 starts: kmeans, 1 collapsed"


def test_with_a_prior_what_em_raises_is_drawn_too():
    prior = NormalInverseWishart(shrinkage=0.1)
    fit = gaussmix.fit_mixture(make_rows(), 2, prior=prior, init_params="kmeans", random_state=0)
    display = LikelihoodDisplay.from_estimator(fit, ax=make_axes())
    np.testing.assert_allclose(display.objective_.get_ydata(), fit.objective)


def test_likelihood_refuses_what_has_none():
    from sklearn.mixture import GaussianMixture as Theirs

    with pytest.raises(TypeError, match="FitResult or a fitted gaussmix.GaussianMixture"):
        LikelihoodDisplay.from_estimator(Theirs(2).fit(make_rows()))
    with pytest.raises(ValueError, match="no finite number"):
        LikelihoodDisplay.from_values([])
    with pytest.raises(ValueError, match="kind must be one of likelihood, gain"):
        LikelihoodDisplay.from_values([1.0, 2.0], kind="loss")


def test_profile_is_standardised_by_the_whole_mixture():
    mixture = Mixture([0.25, 0.75], [[0.0, 10.0], [4.0, 10.0]], [[1.0, 9.0], [1.0, 4.0]], "diag")
    display = ProfileDisplay.from_estimator(mixture, ax=make_axes())
    render(display)
    scale = np.sqrt([1.0 + 0.25 * 9.0 + 0.75 * 1.0, 0.25 * 9.0 + 0.75 * 4.0])
    np.testing.assert_allclose(display.means, (mixture.means - [3.0, 10.0]) / scale)
    np.testing.assert_allclose(display.deviations, np.sqrt(mixture.variances) / scale)
    for c in range(2):
        np.testing.assert_allclose(display.lines_[c].get_ydata(), display.means[c])
        bar = display.bars_[c].get_segments()[0]
        np.testing.assert_allclose(
            bar[:, 1], display.means[c, 0] + np.array([-1, 1]) * display.deviations[c, 0]
        )
    raw = ProfileDisplay.from_estimator(mixture, standardise=False, features=[1], ax=make_axes())
    np.testing.assert_allclose(raw.means, [[10.0], [10.0]])


def test_profile_sorts_features_and_names_them_plainly():
    names = ("none", "$most$", "some_b")
    mixture = Mixture(
        [0.5, 0.5], [[0.0, 0.0, 0.0], [0.0, 9.0, 2.0]], np.ones((2, 3)), "diag", feature_names=names
    )
    display = ProfileDisplay.from_estimator(mixture, sort_features=True, ax=make_axes())
    render(display)
    ticks = display.ax_.get_xticklabels()
    assert [tick.get_text() for tick in ticks] == ["$most$", "some_b", "none"]
    assert not any(tick.get_parse_math() for tick in ticks)


@pytest.mark.parametrize(("k", "d"), [(1, 1), (30, 40)])
def test_profile_of_any_size(k, d):
    rng = np.random.default_rng(0)
    mixture = Mixture(np.full(k, 1 / k), rng.normal(size=(k, d)), np.ones((k, d)), "diag")
    display = ProfileDisplay.from_estimator(mixture, clusters=np.arange(k) // 2, ax=make_axes())
    render(display)
    assert len(display.lines_) == k
    assert (display.ax_.get_legend() is None) == (k > 16)


def test_profile_refuses_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match="need deviations of this shape, 2 names and 1 weights"):
        ProfileDisplay([[0.0, 1.0]], [[1.0]], ["a", "b"], [1.0])


def test_intervals_are_those_of_a_bootstrap():
    X = make_rows(3)
    fit = gaussmix.fit_mixture(X, 2, covariance_type="VVI", feature_names=("a", "$b$", "c"), random_state=0)
    resampled = gaussmix.bootstrap(X, fit, n_resamples=20, random_state=0)
    axes = Figure(dpi=40).subplots(1, 3)
    display = IntervalDisplay.from_estimator(
        resampled, level=0.8, kind="percentile", features=["c", "$b$"], ax=axes
    )
    render(display)
    assert [panel.get_title() for panel in display.axes_] == ["weight", "c", "$b$"]
    bounds = resampled.intervals(0.8, "percentile")
    for place, feature in ((1, 2), (2, 1)):
        for c in range(2):
            (bar,) = display.bars_[place][c].get_segments()
            ends = [bounds.lower.means[c, feature], bounds.upper.means[c, feature]]
            np.testing.assert_allclose(bar[:, 1], ends)
            assert display.markers_[place][c].get_ydata()[0] == fit.mixture.means[c, feature]
    assert len(display.shapes_) == 6
    assert display.ax_.get_ylabel() == "estimate and 80% interval"


def test_intervals_of_standard_errors_have_no_shapes():
    X = make_rows()
    fit = gaussmix.fit_mixture(X, 2, random_state=0)
    errors = gaussmix.estimate_errors(X, fit)
    display = IntervalDisplay.from_estimator(errors, ax=Figure(dpi=40).subplots(1, 3))
    render(display)
    assert not display.shapes_
    (bar,) = display.bars_[0][1].get_segments()
    bounds = errors.intervals()
    np.testing.assert_allclose(bar[:, 1], [bounds.lower.weights[1], bounds.upper.weights[1]])


def test_intervals_of_one_component_whose_weight_never_moves():
    X = make_rows(1)
    resampled = gaussmix.bootstrap(X, gaussmix.fit_mixture(X, 1), n_resamples=10, random_state=0)
    display = IntervalDisplay.from_estimator(resampled, ax=Figure(dpi=40).subplots(1, 2))
    render(display)
    assert len(display.shapes_) == 1, "a weight of one has no distribution"


def test_intervals_refuse_what_has_none():
    X = make_rows()
    fit = gaussmix.fit_mixture(X, 2, random_state=0)
    with pytest.raises(TypeError, match=r"gaussmix.bootstrap or gaussmix.estimate_errors; got FitResult"):
        IntervalDisplay.from_estimator(fit)
    with pytest.raises(ValueError, match="weights and features take 3 Axes; ax has 1"):
        IntervalDisplay.from_estimator(gaussmix.estimate_errors(X, fit), ax=make_axes())
    with pytest.raises(ValueError, match=r"2 panels need estimates.* of the shape \(1, 2\)"):
        IntervalDisplay(["weight", "a"], [[1.0]], [[1.0]], [[1.0]])


def test_likelihood_ratios_beside_those_of_draws():
    rng = np.random.default_rng(0)
    draws = rng.chisquare(3, 200)
    tests = [LikelihoodRatioTest(1, 90.0, draws), LikelihoodRatioTest(2, 1.0, draws)]
    display = LikelihoodRatioDisplay(tests).plot(Figure(dpi=40).subplots(1, 2))
    render(display)
    for panel, test, line, dashed, bars in zip(
        display.axes_, tests, display.statistics_, display.quantiles_, display.histograms_, strict=True
    ):
        assert line.get_xdata()[0] == test.statistic
        assert dashed.get_xdata()[0] == pytest.approx(np.quantile(draws, 0.95))
        assert bars.get_data().values.sum() == 200
        assert f"p = {test.p_value:.2g}" in panel.get_title()
    rejected, kept = display.statistics_
    assert rejected.get_color() != kept.get_color()


def test_likelihood_ratios_of_a_search_for_one_more():
    tests = gaussmix.bootstrap_lrt(make_rows(), "EII", max_components=3, n_resamples=9, random_state=0)
    display = LikelihoodRatioDisplay.from_estimator(tests, ax=Figure(dpi=40).subplots(1, len(tests)))
    render(display)
    with pytest.raises(TypeError, match=r"gaussmix.bootstrap_lrt returns; got list"):
        LikelihoodRatioDisplay.from_estimator([])
    with pytest.raises(ValueError, match="needs the statistics of some draws"):
        LikelihoodRatioDisplay([LikelihoodRatioTest(1, 5.0, np.empty(0))])
    with pytest.raises(ValueError, match=r"tests take as many Axes; ax has 4"):
        LikelihoodRatioDisplay.from_estimator(tests, ax=Figure().subplots(2, 2))
