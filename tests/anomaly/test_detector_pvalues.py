"""p-values, selection and thresholds of the detector: what it hands to the arrays' functions, and its errors."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gaussmix import CrossCalibration, GaussianMixtureDetector, Mixture, SplitCalibration
from gaussmix.apps.anomaly.selection import select_anomalies

TRUTH = Mixture([0.4, 0.6], [[0.0, 0.0], [6.0, 1.0]], [[[1.0, 0.4], [0.4, 1.0]], [[1.0, 0.0], [0.0, 0.5]]])
PLAIN = {"n_components": 2, "covariance_type": "full", "novelty": True, "random_state": 0}
REQUESTS = ["split", "cross", SplitCalibration(60), CrossCalibration(3, plus=False)]


def draw(n, seed):
    return TRUTH.sample(n, seed)[0]


@pytest.fixture(scope="module")
def X():
    return draw(200, 0)


@pytest.mark.parametrize("calibration", REQUESTS, ids=str)
def test_a_fit_calibrates(X, calibration):
    detector = GaussianMixtureDetector(**PLAIN, calibration=calibration).fit(X)
    new = np.vstack([draw(50, 1), np.full((10, 2), 40.0)])
    p = detector.pvalues(new)
    assert p.shape == (60,) and p[-1] == 1.0 / (detector.calibration_.calibration.weight + 1.0)
    assert ((p > 0.0) & (p <= 1.0)).all() and np.median(p) > 0.2
    selected = detector.select(new, fdr=0.3)
    assert (selected == select_anomalies(p, 0.3)).all() and selected[-10:].all() and not selected.all()
    again = clone(detector).fit(X)
    assert (again.pvalues(new) == p).all() and (again.score_samples(new) == detector.score_samples(new)).all()


def test_a_split_keeps_rows_from_the_fit_and_folds_do_not(X):
    split = GaussianMixtureDetector(**PLAIN, calibration=SplitCalibration(0.4)).fit(X)
    assert len(split.model_.training_scores) == 120 and split.calibration_.calibration.weight == 80.0
    cross = GaussianMixtureDetector(**PLAIN, calibration="cross").fit(X)
    assert len(cross.model_.training_scores) == 200 and cross.calibration_.calibration.weight == 200.0
    plain = GaussianMixtureDetector(**PLAIN).fit(X)
    new = draw(20, 1)
    np.testing.assert_allclose(cross.score_samples(new), plain.score_samples(new), rtol=1e-12)


def test_calibrate_takes_rows_that_the_fit_has_not_seen(X):
    held, new = draw(99, 1), draw(30, 2)
    detector = GaussianMixtureDetector(**PLAIN).fit(X)
    assert detector.calibrate(held) is detector
    scores = detector.score_samples(held)
    expected = [(1 + np.sum(scores <= s)) / 100 for s in detector.score_samples(new)]
    np.testing.assert_allclose(detector.pvalues(new), expected, rtol=1e-14)
    counts = np.tile([1, 2, 0], 33)
    weighted = detector.calibrate(held, sample_weight=counts).pvalues(new)
    np.testing.assert_allclose(
        weighted, detector.calibrate(np.repeat(held, counts, axis=0)).pvalues(new), rtol=1e-14
    )
    # weights of old and new rows have one unit
    doubled = detector.calibrate(held, sample_weight=np.full(99, 2.0)).pvalues(
        new, sample_weight=np.full(30, 2.0)
    )
    np.testing.assert_allclose(doubled, expected, rtol=1e-14)


@pytest.mark.parametrize(
    "calibration", ["split", SplitCalibration(0.5), CrossCalibration(4, plus=False)], ids=str
)
@pytest.mark.parametrize("fpr", [0.02, 0.1])
def test_the_threshold_of_a_rate_flags_rows_whose_pvalue_is_as_small(X, calibration, fpr):
    detector = GaussianMixtureDetector(**PLAIN, calibration=calibration, fpr=fpr).fit(X)
    new = np.random.default_rng(0).uniform(-4.0, 9.0, (300, 2))
    assert ((detector.predict(new) == -1) == (detector.pvalues(new) <= fpr)).all()
    moved = detector.calibrate(draw(150, 5))
    assert ((moved.predict(new) == -1) == (moved.pvalues(new) <= fpr)).all()


def test_without_calibration_the_rate_is_that_of_the_rows_of_the_fit(X):
    detector = GaussianMixtureDetector(**PLAIN, fpr=0.1).fit(X)
    normal = detector.model_.kept > 0
    assert abs(np.sum(detector.predict(X[normal]) == -1) - 0.1 * normal.sum()) <= 1


@pytest.mark.parametrize("calibration", [None, "split", "cross"])
def test_contamination_is_the_share_of_the_rows_that_are_flagged(X, calibration):
    detector = GaussianMixtureDetector(**PLAIN, contamination=0.15, calibration=calibration).fit(X)
    assert np.sum(detector.predict(X) == -1) == 30
    weights = np.where(detector.predict(X) == -1, 0.0, 1.0)
    weighted = GaussianMixtureDetector(**PLAIN, contamination=0.1, calibration=calibration).fit(
        X, sample_weight=weights
    )
    assert np.sum((weighted.predict(X) == -1) * weights) == 17


def test_a_selection_that_fails_for_want_of_calibration_rows_says_so(X):
    detector = GaussianMixtureDetector(**PLAIN, calibration="split").fit(X)
    new = np.vstack([draw(499, 1), [[40.0, 40.0]]])
    with pytest.warns(
        UserWarning, match="no row is selected at fdr=0.01: .* of the 500 rows score below all"
    ):
        assert not detector.select(new, fdr=0.01).any()
    detector.select(new[:300], fdr=0.9)


def test_random_ties_are_those_of_the_seed(X):
    detector = GaussianMixtureDetector(**PLAIN, calibration="split").fit(X)
    new = draw(40, 3)
    p = detector.pvalues(new, tie_break="randomized")
    assert (p == detector.pvalues(new, tie_break="randomized")).all() and (p < detector.pvalues(new)).all()


def test_what_has_no_calibration_says_how_to_get_one(X):
    detector = GaussianMixtureDetector(**PLAIN)
    for ask in (detector.pvalues, detector.select, detector.calibrate):
        with pytest.raises(NotFittedError):
            ask(X)
    detector.fit(X)
    for ask in (detector.pvalues, detector.select):
        with pytest.raises(NotFittedError, match="set calibration='split' or 'cross' before `fit`, or call"):
            ask(X)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"calibration": "both"}, "calibration"),
        ({"fpr": 0.1, "contamination": 0.1}, "are two thresholds: give one"),
        ({"fpr": 0.001, "calibration": "split"}, "fpr=0.001 needs a weight of 999 calibration rows or more"),
        ({"calibration": CrossCalibration(500)}, "k=500 folds need as many rows"),
        ({"calibration": SplitCalibration(199)}, "leaves 1 for the fit"),
    ],
)
def test_wrong_requests_are_refused(X, parameters, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixtureDetector(**PLAIN | parameters).fit(X)


def test_wrong_arguments_are_refused(X):
    detector = GaussianMixtureDetector(**PLAIN, calibration="split").fit(X)
    with pytest.raises(ValueError, match="fdr must be a number above 0"):
        detector.select(X, fdr=2.0)
    with pytest.raises(ValueError, match="tie_break must be 'classical' or 'randomized'"):
        detector.pvalues(X, tie_break="random")
    with pytest.raises(ValueError, match="sample_weight must have the shape"):
        detector.pvalues(X, sample_weight=[1.0])
    with pytest.raises(ValueError, match="expecting 2 features"):
        detector.pvalues(X[:, :1])


def test_names_of_columns_are_kept(X):
    pd = pytest.importorskip("pandas")
    detector = GaussianMixtureDetector(**PLAIN).fit(pd.DataFrame(X, columns=["a", "b"]))
    detector.calibrate(pd.DataFrame(draw(50, 1), columns=["a", "b"]))
    assert detector.pvalues(pd.DataFrame(X[:3], columns=["a", "b"])).shape == (3,)
    with pytest.raises(ValueError, match="feature names"):
        detector.pvalues(pd.DataFrame(X[:3], columns=["b", "a"]))


def test_in_a_pipeline_and_a_grid(X):
    pipeline = make_pipeline(StandardScaler(), GaussianMixtureDetector(**PLAIN, calibration="split"))
    pipeline.fit(X)
    assert pipeline[-1].pvalues(pipeline[:-1].transform(X[:5])).shape == (5,)
    grid = GridSearchCV(
        GaussianMixtureDetector(**PLAIN),
        {"calibration": [SplitCalibration(0.5), "cross"]},
        scoring=lambda model, rows, y=None: float(np.mean(model.pvalues(rows))),
        cv=2,
    ).fit(X)
    assert 0.3 < grid.best_score_ < 0.7


@pytest.mark.parametrize("calibration", [SplitCalibration(39), CrossCalibration(3)], ids=str)
def test_false_positives_are_no_more_frequent_than_promised(calibration):
    rng, repeats = np.random.default_rng(8), 150
    detector = GaussianMixtureDetector(
        1, covariance_type="full", novelty=True, calibration=calibration, random_state=0
    )
    hits = 0
    for _ in range(repeats):
        rows = TRUTH.sample(80, rng)[0]
        hits += int(detector.fit(rows[:-1]).pvalues(rows[-1:])[0] <= 0.1)
    assert binomtest(hits, repeats, 0.1, alternative="greater").pvalue > 1e-3


def test_anomalies_among_the_rows_of_the_fit_make_pvalues_larger():
    rng = np.random.default_rng(9)
    clean, new = draw(400, 10), draw(2000, 11)
    mixed = np.vstack([clean, rng.uniform(-20.0, 25.0, (40, 2))])[rng.permutation(440)]
    options = {"n_components": 2, "covariance_type": "full", "calibration": "split", "random_state": 0}
    p = GaussianMixtureDetector(**options).fit(mixed).pvalues(new)
    assert np.mean(p <= 0.1) < 0.1 - 0.02
