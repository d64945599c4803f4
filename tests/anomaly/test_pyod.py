"""The adapter passes what PyOD's tests ask of every detector, and adds nothing to the scores."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from gaussmix import GaussianMixtureDetector
from tests.helpers import run_python

CONTAMINATION = 0.1


@pytest.fixture(scope="module")
def data():
    pytest.importorskip("pyod")
    from pyod.utils.data import generate_data

    return generate_data(n_train=200, n_test=100, n_features=2, contamination=CONTAMINATION, random_state=42)


@pytest.fixture(scope="module")
def model(data):
    from gaussmix.pyod import GaussianMixtureOD

    return GaussianMixtureOD(contamination=CONTAMINATION, random_state=0).fit(data[0])


def test_it_is_a_detector_of_pyod(model):
    from pyod.models.base import BaseDetector

    assert isinstance(model, BaseDetector)
    assert np.isfinite(model.threshold_) and set(model.labels_) == {0, 1}


def test_scores_of_the_fit(data, model):
    X_train, _, y_train, _ = data
    assert model.decision_scores_.shape == (200,)
    assert (model.decision_function(X_train) == model.decision_scores_).all()
    assert roc_auc_score(y_train, model.decision_scores_) > 0.95
    assert (
        np.sum(model.labels_) == 20 and (model.labels_ == (model.decision_scores_ > model.threshold_)).all()
    )


def test_scores_are_those_of_the_detector_with_the_other_sign(data, model):
    own = GaussianMixtureDetector(random_state=0).fit(data[0])
    np.testing.assert_allclose(model.decision_function(data[1]), -own.score_samples(data[1]), rtol=1e-12)


def test_scores_and_labels_of_new_rows(data, model):
    _, X_test, _, y_test = data
    scores = model.decision_function(X_test)
    assert scores.shape == (100,) and roc_auc_score(y_test, scores) > 0.8
    assert model.predict(X_test).shape == y_test.shape
    assert (model.predict(X_test) == (scores > model.threshold_)).all()


@pytest.mark.parametrize("method", ["linear", "unify"])
def test_probabilities(data, model, method):
    found, confidence = model.predict_proba(data[1], method=method, return_confidence=True)
    assert found.shape == (100, 2) and found.min() >= 0.0 and found.max() <= 1.0
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert confidence.shape == (100,) and confidence.min() >= 0.0 and confidence.max() <= 1.0
    assert (model.predict_proba(data[1].tolist(), method=method) == found).all()


def test_probabilities_of_another_method_are_refused(data, model):
    with pytest.raises(ValueError, match="not a valid probability conversion method"):
        model.predict_proba(data[1], method="something")


def test_confidence(data, model):
    labels, confidence = model.predict(data[1], return_confidence=True)
    assert labels.shape == confidence.shape == (100,)
    assert confidence.min() >= 0.0 and confidence.max() <= 1.0


def test_rejection(data, model):
    if not hasattr(model, "predict_with_rejection"):
        pytest.skip("the oldest versions of PyOD do not reject")
    labels, stats = model.predict_with_rejection(data[1], return_stats=True, c_r=0.1)
    assert set(labels) <= {-2, 0, 1} and len(stats) == 3 and 0.0 <= stats[0] <= stats[1] <= 1.0


@pytest.mark.filterwarnings("ignore::FutureWarning")  # PyOD has deprecated both
def test_fit_and_predict_or_score(data, model, capsys):
    X_train, _, y_train, _ = data
    assert (clone(model).fit_predict(X_train) == model.labels_).all()
    assert clone(model).fit_predict_score(X_train, y_train, scoring="roc_auc_score") > 0.95
    assert clone(model).fit_predict_score(X_train, y_train, scoring="prc_n_score") > 0.5
    with pytest.raises(NotImplementedError):
        clone(model).fit_predict_score(X_train, y_train, scoring="something")


def test_ranks(data, model):
    ranks, scores = model._predict_rank(data[1]), model.decision_function(data[1])
    assert ranks.min() >= 0 and ranks.max() <= 200
    assert (np.diff(ranks[np.argsort(scores)]) >= 0).all()
    assert model._predict_rank(data[1], normalized=True).max() == 1.0


def test_parameters_and_clones(model):
    parameters = model.get_params()
    assert parameters["contamination"] == CONTAMINATION and parameters["n_components"] == "auto"
    assert clone(model).get_params() == parameters and not hasattr(clone(model), "labels_")
    assert clone(model).set_params(n_components=2).n_components == 2


@pytest.mark.parametrize("contamination", [0.0, 0.6, -0.1])
def test_shares_that_are_none_are_refused(contamination):
    pytest.importorskip("pyod")
    from gaussmix.pyod import GaussianMixtureOD

    with pytest.raises(ValueError, match="contamination must be in"):
        GaussianMixtureOD(contamination=contamination)


def test_labels_given_to_the_fit_change_nothing(data, model):
    again = clone(model).fit(data[0], data[2])
    assert (again.decision_scores_ == model.decision_scores_).all()
    assert again.predict_proba(data[1]).shape == (100, 2)


def test_without_pyod_it_says_what_to_install():
    hidden = "import sys; sys.modules['pyod'] = None"  # as where it is not installed
    asked = "try:\n    import gaussmix.pyod\nexcept ImportError as error:\n    print(error)"
    assert "pip install pyod" in run_python(f"{hidden}\n{asked}")
