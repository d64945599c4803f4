"""Conformal p-values: against sums written out, the laws they obey, and false positives by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, kstest

from gaussmix import CrossCalibration, Mixture, SplitCalibration, fit_mixture
from gaussmix.apps.anomaly.calibration import calibrate_model, fit_calibrated
from gaussmix.apps.anomaly.conformal import Calibration, CalibrationScores

TRUTH = Mixture([0.4, 0.6], [[0.0, 0.0], [4.0, 1.0]], [[[1.0, 0.4], [0.4, 1.0]], [[1.0, 0.0], [0.0, 0.5]]])
#: Scores with ties, which small whole numbers have.
SCORES = st.lists(st.integers(-4, 4), min_size=1, max_size=12)


def make_calibration(*parts):
    return Calibration(tuple(CalibrationScores.of(np.array(part, float)) for part in parts))


def fit_normal(X, sample_weight=None):
    return fit_mixture(X, 1, sample_weight=sample_weight, init_params="kmeans")


class Density:
    """A scorer: the density of one Gaussian at the mean and the covariance of the rows."""

    def __init__(self, X, sample_weight=None):
        self.mixture = Mixture(
            [1.0], [np.average(X, 0, sample_weight)], [np.cov(X.T, aweights=sample_weight)]
        )

    def log_prob(self, X):
        return self.mixture.log_prob(X)


@given(SCORES, SCORES)
def test_a_pvalue_is_the_share_of_rows_that_score_as_low(calibration, new):
    found = make_calibration(calibration).pvalues(new)
    c = np.array(calibration)
    assert found.tolist() == [(1 + np.sum(c <= s)) / (len(c) + 1) for s in new]


@given(st.lists(SCORES, min_size=1, max_size=4), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_folds_are_compared_each_with_the_score_of_its_own_model(parts, m, seed):
    new = np.random.default_rng(seed).integers(-4, 5, (len(parts), m)).astype(float)
    found = make_calibration(*parts).pvalues(new)
    n = sum(map(len, parts))
    for column, p in enumerate(found):
        count = sum(np.sum(np.array(part) <= new[fold, column]) for fold, part in enumerate(parts))
        assert p == pytest.approx((1 + count) / (n + 1), rel=1e-14)


@given(SCORES, SCORES, st.data())
def test_a_weight_is_a_number_of_copies(calibration, new, data):
    counts = np.array(
        data.draw(st.lists(st.integers(0, 3), min_size=len(calibration), max_size=len(calibration)))
    )
    if not counts.any():
        counts[0] = 1
    weighted = Calibration((CalibrationScores.of(np.array(calibration, float), counts.astype(float)),))
    repeated = make_calibration(np.repeat(calibration, counts))
    np.testing.assert_allclose(weighted.pvalues(new), repeated.pvalues(new), rtol=1e-14)


@given(SCORES, SCORES, st.floats(0.1, 10.0), st.integers(0, 2**32 - 1))
def test_only_the_ratios_of_weights_of_old_and_new_rows_count(calibration, new, factor, seed):
    rng = np.random.default_rng(seed)
    w, v = rng.uniform(0.5, 2.0, len(calibration)), rng.uniform(0.5, 2.0, len(new))
    found = [
        Calibration((CalibrationScores.of(calibration, scale * w),)).pvalues(new, scale * v)
        for scale in (1, factor)
    ]
    c = np.array(calibration)
    expected = [(np.sum(w[c <= s]) + own) / (np.sum(w) + own) for s, own in zip(new, v, strict=True)]
    np.testing.assert_allclose(found[0], expected, rtol=1e-12)
    np.testing.assert_allclose(found[1], expected, rtol=1e-12)


@given(st.lists(SCORES, min_size=1, max_size=3), st.integers(0, 2**32 - 1))
def test_pvalues_rise_with_the_score_and_end_at_one(parts, seed):
    rng = np.random.default_rng(seed)
    weighted = Calibration(
        tuple(CalibrationScores.of(part, rng.uniform(0.1, 3.0, len(part))) for part in parts)
    )
    line = np.tile(np.linspace(-5.0, 5.0, 21), (len(parts), 1))
    p = weighted.pvalues(line)
    assert (np.diff(p) >= 0.0).all() and p[0] > 0.0 and p[-1] == 1.0
    smoothed = weighted.pvalues(line, rng=rng)
    assert (smoothed <= p).all() and (smoothed >= 0.0).all()


def test_random_ties_make_pvalues_of_discrete_scores_uniform():
    rng = np.random.default_rng(0)
    p = [
        make_calibration(rng.integers(0, 3, 20)).pvalues([float(rng.integers(0, 3))], rng=rng)[0]
        for _ in range(2000)
    ]
    assert kstest(p, "uniform").pvalue > 1e-3


@given(st.lists(SCORES, min_size=1, max_size=2), st.floats(0.05, 0.95))
def test_scores_below_the_threshold_are_those_whose_pvalue_is_small(parts, fpr):
    calibration = make_calibration(*parts).pool()
    if 1.0 / (calibration.weight + 1.0) > fpr:
        with pytest.raises(ValueError, match="fpr=.* needs a weight of"):
            calibration.find_threshold(fpr)
        return
    line = np.linspace(-5.0, 5.0, 41)
    assert ((line < calibration.find_threshold(fpr)) == (calibration.pvalues(line) <= fpr)).all()


def test_what_is_no_calibration_is_refused():
    with pytest.raises(ValueError, match="at least one row whose weight is above zero"):
        CalibrationScores.of([1.0, 2.0], np.zeros(2))
    with pytest.raises(ValueError, match="there are NaNs among them"):
        make_calibration([1.0]).pvalues([np.nan])
    with pytest.raises(ValueError, match="one row for each of the 2 models; got 1"):
        make_calibration([1.0], [2.0]).pvalues([1.0])
    for wrong in (0, 1.5, True, -0.1, 1.0, "half"):
        with pytest.raises(ValueError, match="n_calib must be a share"):
            SplitCalibration(wrong)
    for wrong in (1, 2.0, True):
        with pytest.raises(ValueError, match="k must be a whole number of folds"):
            CrossCalibration(wrong)
    with pytest.raises(ValueError, match="plus must be True or False"):
        CrossCalibration(5, plus="yes")
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="leaves 1 for the fit, which needs 2"):
        SplitCalibration(9).hold_out(10, rng)
    with pytest.raises(ValueError, match="k=20 folds need as many rows"):
        CrossCalibration(20).hold_out(10, rng)


@pytest.mark.parametrize("request_", [SplitCalibration(0.25), SplitCalibration(7), CrossCalibration(4)])
def test_rows_are_held_out_from_the_models_that_score_them(request_):
    n, seen = 30, []
    X = np.random.default_rng(1).normal(size=(n, 2))

    def fit_model(rows, sample_weight):
        seen.append({tuple(row) for row in rows})
        return Density(rows, sample_weight)

    model, calibrated = fit_calibrated(fit_model, X, request_, np.random.default_rng(0))
    split = isinstance(request_, SplitCalibration)
    folds = seen if split else seen[1:]
    sizes = [len(part.scores) for part in calibrated.calibration.parts]
    assert sizes == ([8] if request_ == SplitCalibration(0.25) else [7] if split else [8, 8, 7, 7])
    for rows, part, own in zip(folds, calibrated.calibration.parts, calibrated.models, strict=True):
        held = np.array([row for row in X if tuple(row) not in rows])
        assert len(held) == n - len(rows)
        np.testing.assert_allclose(np.sort(own.log_prob(held)), part.scores, rtol=1e-12)
    assert model is calibrated.models[0] if split else len(seen[0]) == n


def test_without_plus_new_rows_have_the_score_of_the_model_of_all_rows():
    rng = np.random.default_rng(3)
    X, new = rng.normal(size=(40, 2)), rng.normal(size=(9, 2))
    model, pooled = fit_calibrated(Density, X, CrossCalibration(5, plus=False), np.random.default_rng(0))
    _, plus = fit_calibrated(Density, X, CrossCalibration(5), np.random.default_rng(0))
    assert pooled.models == (model,)
    own = np.concatenate([part.scores for part in plus.calibration.parts])
    expected = [(1 + np.sum(own <= s)) / 41 for s in model.log_prob(new)]
    np.testing.assert_allclose(pooled.pvalues(new), expected, rtol=1e-14)


def test_rows_of_no_weight_take_no_part():
    rng = np.random.default_rng(4)
    X, new = rng.normal(size=(40, 2)), rng.normal(size=(9, 2))
    weights = np.repeat([1.0, 2.0, 0.0, 1.0], 10)
    for request_ in (SplitCalibration(0.5), CrossCalibration(3)):
        found = [
            fit_calibrated(Density, rows, request_, np.random.default_rng(0), w)[1].pvalues(new)
            for rows, w in ((X, weights), (X[weights > 0.0], weights[weights > 0.0]))
        ]
        assert (found[0] == found[1]).all()


def draw_pvalues(request_, n, repeats, seed):
    """The p-value of one normal row for each of many calibrations."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(repeats):
        X = TRUTH.sample(n + 1, rng)[0]
        found.append(fit_calibrated(Density, X[:-1], request_, rng)[1].pvalues(X[-1:])[0])
    return np.array(found)


def test_false_positives_of_a_split_are_as_frequent_as_promised():
    # 39 calibration rows: the levels are whole numbers of fortieths, so that the rates are exact
    p = draw_pvalues(SplitCalibration(39), 60, 1000, 5)
    for level in (0.05, 0.1, 0.5):
        assert binomtest(int(np.sum(p <= level)), 1000, level).pvalue > 1e-3


def test_false_positives_of_folds_are_no_more_frequent_than_promised():
    p = draw_pvalues(CrossCalibration(4), 39, 400, 6)
    for level in (0.05, 0.1, 0.5):
        assert binomtest(int(np.sum(p <= level)), 400, level, alternative="greater").pvalue > 1e-3


def test_false_positives_under_a_shift_are_as_frequent_as_promised_with_weights_and_not_without():
    rng = np.random.default_rng(7)
    repeats, level, n = 2000, 0.1, 60
    model = Density(rng.normal(size=(500, 2)))
    hits = np.zeros(2, int)
    shift = np.array([1.0, 0.5])
    for _ in range(repeats):
        X, new = rng.normal(size=(n, 2)), rng.normal(size=(1, 2)) + shift
        weights = [np.exp(rows @ shift - 0.5 * shift @ shift) for rows in (X, new)]
        hits[0] += int(calibrate_model(model, X, weights[0]).pvalues(new, weights[1])[0] <= level)
        hits[1] += int(calibrate_model(model, X).pvalues(new)[0] <= level)
    assert binomtest(int(hits[0]), repeats, level, alternative="greater").pvalue > 1e-3
    assert binomtest(int(hits[1]), repeats, level, alternative="greater").pvalue < 1e-6


def test_a_fit_of_ours_is_a_model_to_calibrate():
    X, new = TRUTH.sample(200, 0)[0], TRUTH.sample(5, 1)[0]
    mixture = fit_normal(X[:100]).mixture
    p = calibrate_model(mixture, X[100:]).pvalues(np.vstack([new, [[50.0, 50.0]]]))
    assert p[-1] == 1.0 / 101.0 and (p[:-1] > p[-1]).all()
