"""The classifier: its special cases, labels of any kind, rows without labels, rejection, wrong input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import log_softmax
from scipy.stats import multivariate_normal
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris, load_wine
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gaussmix import GaussianMixtureClassifier, measure_reliability
from gaussmix.apps.classes.choosing import divide_labels
from gaussmix.apps.classes.labelled import LabelledRows
from gaussmix.data.rows import Rows
from tests.helpers import run_python

CHECKED = (
    "GaussianMixtureClassifier([1, 2], covariance_type=['tied', 'full'], cv=2)",  # the defaults but for what takes time alone
    "GaussianMixtureClassifier(1, covariance_type='tied')",
)
CODE = """
import json, warnings
from sklearn.utils.estimator_checks import check_estimator
from gaussmix import GaussianMixtureClassifier

warnings.simplefilter("ignore")
report = {}
for variant in %r:
    results = check_estimator(eval(variant), on_skip=None, on_fail=None)
    report[variant] = [[r["check_name"], r["status"], str(r["exception"])] for r in results]
print(json.dumps(report))
"""


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


def test_no_check_of_scikit_learn_fails_or_is_skipped():
    pytest.importorskip("pandas", reason="a check of column names needs it")
    report = json.loads(run_python(CODE % (CHECKED,), SCIPY_ARRAY_API="1"))
    for variant, results in report.items():
        assert len(results) > 40
        assert [result for result in results if result[1] != "passed"] == [], variant


def plain(covariance_type, **options):
    return GaussianMixtureClassifier(1, covariance_type=covariance_type, shrinkage=0.0, **options)


@pytest.mark.parametrize(
    ("covariance_type", "peer"),
    [("tied", LinearDiscriminantAnalysis(solver="lsqr")), ("diag", GaussianNB(var_smoothing=0.0))],
)
def test_special_cases_are_those_of_scikit_learn(iris, covariance_type, peer):
    X, y = iris
    model = plain(covariance_type).fit(X, y)
    assert_allclose(model.predict_proba(X), peer.fit(X, y).predict_proba(X), atol=1e-8)


def test_general_covariances_are_quadratic_discriminant_analysis(iris):
    X, y = iris
    model = plain("full").fit(X, y)
    joint = [
        multivariate_normal(X[y == c].mean(axis=0), np.cov(X[y == c].T, bias=True)).logpdf(X)
        for c in range(3)
    ]
    assert_allclose(model.predict_log_proba(X), log_softmax(np.array(joint).T, axis=1), atol=1e-6)
    assert_array_equal(model.predict(X), QuadraticDiscriminantAnalysis().fit(X, y).predict(X))


def test_edda_of_iris_is_that_of_mclust(iris):
    """MclustDA(iris[, 1:4], iris$Species, modelType = "EDDA") of mclust 6.0.0: VEV, -187.7097, error 0.02."""
    X, y = iris
    model = GaussianMixtureClassifier(1, shrinkage=0.0, criterion="bic").fit(X, y)
    assert model.covariance_type_ == "VEV"
    assert abs(model.score_samples(X).sum() + 187.7097) < 5e-5
    assert round(1.0 - model.score(X, y), 2) == 0.02


def test_a_mixture_for_each_class_by_bic_is_that_of_mclust():
    """MclustDA(banknote[, -1], banknote$Status) of mclust 6.0.0: EVE, 2 and XXX, 1; -646.0801; no error.

    tests/reference/banknote.csv has those rows: B. Flury and H. Riedwyl, Multivariate Statistics (1988).
    """
    path = Path(__file__).parent.parent / "reference" / "banknote.csv"
    table = np.genfromtxt(path, delimiter=",", skip_header=1, dtype=str)
    X, y = table[:, :-1].astype(np.float64), table[:, -1]
    model = GaussianMixtureClassifier(share="nothing", criterion="bic", random_state=0).fit(X, y)
    assert model.covariance_type_ == ("EVE", "full") and model.n_components_ == (2, 1)
    assert abs(model.score_samples(X).sum() + 646.0801) < 1e-3
    assert model.score(X, y) == 1.0
    assert model.class_of_component_.tolist() == ["counterfeit", "counterfeit", "genuine"]


def test_probabilities_are_those_of_the_joint_density(iris):
    X, y = iris
    model = GaussianMixtureClassifier(2, covariance_type="full", shrinkage=8.0, random_state=0).fit(X, y)
    assert model.mixture_.n_components == 6
    assert model.class_of_component_.tolist() == [0, 0, 1, 1, 2, 2]
    R = model.mixture_.responsibilities(X)
    P = np.stack([R[:, model.class_of_component_ == c].sum(axis=1) for c in range(3)], axis=1)
    assert_allclose(model.predict_proba(X), P, atol=1e-12)
    assert_allclose(np.exp(model.predict_log_proba(X)), P, atol=1e-12)
    assert_allclose(model.score_samples(X), model.mixture_.log_prob(X))
    assert_allclose(model.class_prior_, [1 / 3] * 3)


@pytest.mark.parametrize("share", ["covariances", "nothing", "components"])
@pytest.mark.parametrize("name", ["full", "tied", "diag", "spherical", "EEI", "VEV"])
def test_what_classes_share(iris, share, name):
    X, y = iris
    model = GaussianMixtureClassifier(3, covariance_type=name, share=share, shrinkage=4.0, random_state=0)
    model.fit(X, y)
    assert model.score(X, y) > (0.8 if name == "spherical" else 0.9)
    assert model.mixture_.n_components == (3 if share == "components" else 9)
    assert_allclose(model.mixture_.weights @ model.class_shares_, model.class_prior_)
    drawn, labels = model.sample(2000)
    assert_allclose(np.bincount(labels, minlength=3) / 2000, 1 / 3, atol=0.05)
    assert_allclose(drawn[labels == 1].mean(axis=0), X[y == 1].mean(axis=0), atol=0.2)


def test_chosen_by_held_out_rows_it_tells_wines_apart():
    X, y = load_wine(return_X_y=True)
    model = GaussianMixtureClassifier(random_state=0).fit(X[::2], y[::2])
    assert model.score(X[1::2], y[1::2]) > 0.93
    assert len(model.trials_) > 3
    best = min((trial for trial in model.trials_ if trial.complete), key=lambda trial: trial.log_loss)
    assert best.log_loss < 0.2
    assert model.calibration_.temperature >= 1.0
    # rows in other units: the same choice, and the same probabilities
    scales = np.logspace(-6, 6, X.shape[1])
    other = clone(model).fit(X[::2] * scales, y[::2])
    assert other.covariance_type_ == model.covariance_type_ and other.shrinkage_ == model.shrinkage_
    assert_allclose(other.predict_proba(X * scales), model.predict_proba(X), atol=1e-6)


def test_rows_without_a_label_move_the_means(iris):
    X, y = iris
    few = np.where(np.arange(150) % 10 == 0, y, -1)
    model = plain("tied").fit(X, few)
    alone = plain("tied").fit(X[few >= 0], few[few >= 0])
    assert model.classes_.tolist() == [0, 1, 2]
    assert model.score_samples(X).mean() > alone.score_samples(X).mean()
    assert model.score(X, y) >= alone.score(X, y) - 0.02
    names = np.array(["setosa", "versicolor", "virginica"], dtype=object)[y]
    names[few < 0] = None
    of_names = plain("tied").fit(X, names)
    assert of_names.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert_allclose(of_names.predict_proba(X), model.predict_proba(X))
    chosen = GaussianMixtureClassifier(covariance_type=["tied", "diag"], n_components=1, random_state=0)
    assert chosen.fit(X, few).unlabelled_weight_ in (0.0, 0.1, 1.0)
    assert {trial.unlabelled_weight for trial in chosen.trials_} == {0.0, 0.1, 1.0}
    assert chosen.score(X, y) > 0.9
    none = plain("tied", unlabelled_weight=0.0).fit(X, few)
    assert_allclose(none.predict_proba(X), alone.predict_proba(X), atol=1e-9)


def test_minus_one_is_a_class_beside_one_other(iris):
    X, y = iris
    model = plain("tied").fit(X[:100], np.where(y[:100] == 0, -1, 1))
    assert model.classes_.tolist() == [-1, 1]
    assert model.score(X[:100], np.where(y[:100] == 0, -1, 1)) == 1.0


def test_rejected_rows(iris):
    X, y = iris
    far = np.vstack([X, [[50.0, 50.0, 50.0, 50.0]]])
    model = plain("tied", reject_density=0.02).fit(X, y)
    assert model.predict(far)[-1] == -1
    assert np.isclose((model.predict(X) == -1).mean(), 0.02, atol=0.01)
    between = plain("tied", reject_posterior=0.9).fit(X, y)
    rejected = between.predict(X) == -1
    assert_array_equal(rejected, between.predict_proba(X).max(axis=1) < 0.9)
    assert rejected.any() and not rejected.all()
    names = load_iris().target_names[y]
    of_names = plain("tied", reject_density=0.02).fit(X, names)
    assert of_names.predict(far)[-1] is None
    assert of_names.predict(X[:1])[0] == "setosa"
    told = plain("tied", reject_density=0.02, reject_label="none of these").fit(X, names)
    assert told.predict(far)[-1] == "none of these"


def test_weights_are_copies(iris):
    X, y = iris
    weights = np.arange(150) % 3
    copies = np.repeat(np.arange(150), weights)
    for options in (
        {"n_components": 1, "random_state": 0},
        {"n_components": 1, "covariance_type": "full", "shrinkage": 2.0},
    ):
        weighted = GaussianMixtureClassifier(**options).fit(X, y, sample_weight=weights)
        repeated = GaussianMixtureClassifier(**options).fit(X[copies], y[copies])
        assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-6)


def test_folds_have_each_class_and_copies_together(iris):
    X, y = iris
    rng = np.random.RandomState(0)
    twice = np.concatenate([X, X]), np.concatenate([y, y])
    folds = divide_labels(LabelledRows(Rows(twice[0]), twice[1], 3), 5, rng)
    held_out = np.concatenate([test for _, test in folds])
    assert_array_equal(np.sort(held_out), np.arange(300))
    for train, test in folds:
        assert not {tuple(row) for row in twice[0][train]} & {tuple(row) for row in twice[0][test]}
        assert (np.bincount(twice[1][test], minlength=3) >= 16).all()


def test_priors_that_are_given(iris):
    X, y = iris
    prior = [0.6, 0.3, 0.1]
    model = plain("full", class_prior=prior).fit(X, y)
    assert_allclose(model.class_prior_, prior)
    odds = plain("full").fit(X, y).predict_proba(X) * prior
    assert_allclose(model.predict_proba(X), odds / odds.sum(axis=1, keepdims=True), atol=1e-9)


def test_constant_columns_say_nothing(iris):
    X, y = iris
    wide = np.column_stack([X[:, :2], np.full(150, 7.0), X[:, 2:], np.zeros(150)])
    for name in ("tied", "full", "diag"):
        model, plain_model = plain(name).fit(wide, y), plain(name).fit(X, y)
        assert_allclose(model.predict_proba(wide), plain_model.predict_proba(X), atol=1e-9)
        off = wide.copy()
        off[:, 5] = 3.0  # a value that was never seen speaks for no class
        assert_array_equal(model.predict(off), plain_model.predict(X))


def test_inside_of_scikit_learn(iris):
    X, y = iris
    pipe = make_pipeline(
        StandardScaler(), GaussianMixtureClassifier(1, covariance_type="tied", shrinkage=1.0)
    )
    assert pipe.fit(X, y).score(X, y) > 0.95
    grid = GridSearchCV(
        GaussianMixtureClassifier(1, shrinkage=1.0), {"covariance_type": ["tied", "diag"]}, cv=3
    )
    assert grid.fit(X, y).best_params_ == {"covariance_type": "tied"}
    calibrated = CalibratedClassifierCV(plain("diag"), cv=3).fit(X, y)
    assert calibrated.predict_proba(X).shape == (150, 3)
    by_splitter = GaussianMixtureClassifier(1, cv=KFold(4, shuffle=True, random_state=0), random_state=0)
    assert by_splitter.fit(X, y).score(X, y) > 0.95


def test_frames_and_their_names(iris):
    pd = pytest.importorskip("pandas")
    X, y = iris
    frame = pd.DataFrame(X, columns=["a b", "ß", "c/d", "e,f"])
    labels = pd.Series(y).map({0: "x", 1: "y", 2: "z"})
    model = plain("tied").fit(frame, labels)
    assert model.feature_names_in_.tolist() == list(frame.columns)
    assert model.mixture_.feature_names == tuple(frame.columns)
    assert_array_equal(model.predict(frame), plain("tied").fit(X, labels).predict(X))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame.rename(columns={"ß": "s"}))
    labels[:40] = None
    assert plain("tied").fit(frame, labels).score(frame.iloc[40:], labels[40:]) > 0.9


def test_mapie_takes_it(iris):
    pytest.importorskip("mapie")
    from mapie.classification import SplitConformalClassifier

    X, y = iris
    order = np.random.default_rng(0).permutation(150)
    X, y = X[order], y[order]
    model = plain("full").fit(X[:75], y[:75])
    conformal = SplitConformalClassifier(model, confidence_level=0.9, prefit=True)
    conformal.conformalize(X[75:120], y[75:120])
    _, sets = conformal.predict_set(X[120:])
    assert sets[np.arange(30), y[120:], 0].mean() > 0.7


def test_labels_that_are_missing(iris):
    pd = pytest.importorskip("pandas")
    X, y = iris
    names = load_iris().target_names[y].tolist()
    expected = plain("tied").fit(X[20:], names[20:]).predict_proba(X)
    for labels in (
        [None] * 20 + names[20:],
        pd.Series([pd.NA] * 20 + names[20:], dtype="string"),
        pd.Series([np.nan] * 20 + names[20:]),
        pd.Categorical([None] * 20 + names[20:]),
    ):
        model = plain("tied", unlabelled_weight=0.0).fit(X, labels)
        assert model.classes_.tolist() == sorted(set(names))
        assert_allclose(model.predict_proba(X), expected, atol=1e-9)


WRONG = {
    "constant": (np.ones((6, 2)), [0, 1, 0, 1, 0, 1], {}, "every column of X is constant"),
    "shared factors": (
        np.random.default_rng(0).normal(size=(40, 5)),
        np.arange(40) % 2,
        {"covariance_type": "factor", "share": "components", "n_components": 2, "shrinkage": 0.0},
        "cannot share components",
    ),
    "one class": (np.zeros((6, 2)) + np.arange(6)[:, None], np.zeros(6), {}, "needs two classes"),
    "no label": (np.eye(6), np.full(6, -1), {}, "one class|no class"),
    "NaN": (np.array([[0.0], [np.nan], [1.0], [2.0]]), [0, 0, 1, 1], {}, "NaN"),
    "lengths": (np.eye(4), [0, 1, 0], {}, "4 rows and y has 3"),
    "prior": (np.eye(4), [0, 1, 0, 1], {"class_prior": [0.5, 0.6]}, "class_prior must be 2 positive numbers"),
    "mapping": (np.eye(4), [0, 1, 0, 1], {"n_components": {0: 1}}, "number for each of the classes"),
    "few": (
        np.eye(4),
        [0, 1, 0, 0],
        {"n_components": 2, "shrinkage": 1.0, "covariance_type": "tied"},
        "1 rows",
    ),
    "family": (np.eye(4), [0, 1, 0, 1], {"covariance_type": "round"}, "covariance_type must be one of"),
    "single": (np.eye(4), [0, 1, 2, 3], {}, "two different labelled rows"),
    "continuous": (np.eye(4), [0.5, 1.2, 0.1, 0.7], {}, "Unknown label type"),
    "factors": (np.eye(4), [0, 1, 0, 1], {"covariance_type": "ppca", "shrinkage": 2.0}, "factor analysers"),
    "loadings": (
        np.random.default_rng(0).normal(size=(40, 5)),
        np.arange(40) % 2,
        {"covariance_type": "CCU", "share": "nothing", "n_components": 1, "shrinkage": 0.0},
        "share nothing",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_one_clear_error(case):
    X, y, options, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        GaussianMixtureClassifier(**options).fit(X, y)


def test_fewer_rows_than_features():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 60)), np.arange(30) % 2
    X[:, :3] += 3.0 * y[:, None]
    with pytest.raises(ValueError, match="covariance of class '[ab]' is singular"):
        plain("full").fit(X, np.array(["a", "b"])[y])
    model = GaussianMixtureClassifier(random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9


def test_many_features():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 400)), np.arange(40) % 2
    X[:, :20] += 2.0 * y[:, None]
    model = GaussianMixtureClassifier(random_state=0).fit(X, y)
    assert model.covariance_type_ in ("EEI", "VVI")
    assert model.score(X, y) > 0.9


def test_reliability_by_hand():
    p = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.4, 0.6]])
    found = measure_reliability(p, [0, 0, 1, 0], n_bins=2)
    assert_allclose(found.accuracy, 0.75)
    assert_allclose(found.brier, np.mean([0.02, 0.32, 0.08, 0.72]))
    assert_allclose(found.log_loss, -np.mean(np.log([0.9, 0.6, 0.8, 0.4])))
    assert_allclose(found.stated, [0.6, 0.85])
    assert_allclose(found.found, [0.5, 1.0])
    assert_allclose(found.counts, [2.0, 2.0])
    assert_allclose(found.calibration_error, (0.1 + 0.15) / 2)
    with pytest.raises(ValueError, match="sum to 1"):
        measure_reliability([[0.5, 0.6]], [0], classes=[0, 1])
    with pytest.raises(ValueError, match="has the class 2"):
        measure_reliability(p, [0, 1, 2, 0], classes=[0, 1])


def test_the_picture_of_reliability(iris):
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    from gaussmix.plot import ReliabilityDisplay

    X, y = iris
    model = plain("diag").fit(X[::2], y[::2])
    display = ReliabilityDisplay.from_estimator(model, X[1::2], y[1::2], figure=Figure())
    some = display.reliability.counts > 0
    assert_allclose(display.curve_.lines[0].get_ydata(), display.reliability.found[some])
    assert display.caption_.get_text().startswith("Of 75 rows")
    assert ReliabilityDisplay(display.reliability).plot(Figure().subplots()).caption_ is None
