"""The detector inside programs of others: nonconform's calibration, MAPIE's control of a rate.

nonconform 2.0 needs Python 3.12 and a newer NumPy than the oldest that is supported, so that it is not among the
extras: where it is not installed its tests are skipped.
"""

from __future__ import annotations

import copy

import numpy as np
import pytest

from gaussmix import GaussianMixtureDetector

PLAIN = {"n_components": 1, "covariance_type": "full", "novelty": True}


def draw(n, seed, at=0.0):
    return np.random.default_rng(seed).normal(at, 1.0, (n, 3))


NEW = np.vstack([draw(38, 1), draw(2, 2, at=7.0)])


def test_it_has_what_nonconform_asks_of_a_detector():
    """Its protocol, without the package: fit, decision_function, get_params, set_params, and copies of both kinds."""
    detector = GaussianMixtureDetector(**PLAIN)
    for name in ("fit", "decision_function", "get_params", "set_params"):
        assert callable(getattr(detector, name))
    detector.set_params(random_state=3)
    for duplicate in (copy.copy, copy.deepcopy):
        first, second = duplicate(detector).fit(draw(50, 0)), duplicate(detector).fit(draw(50, 3))
        assert (first.decision_function(NEW) != second.decision_function(NEW)).any()
    assert not hasattr(detector, "model_")


@pytest.mark.parametrize("strategy", ["split", "cross", "single", "bootstrap", "derandomized"])
def test_nonconform_calibrates_it(strategy):
    nonconform = pytest.importorskip("nonconform")
    strategies = {
        "split": lambda: nonconform.Split(n_calib=0.5),
        "cross": lambda: nonconform.CrossValidation(k=4),
        "single": lambda: nonconform.CrossValidation(k=4, mode="single_model"),
        "bootstrap": lambda: nonconform.JackknifeBootstrap(n_bootstraps=20),
        "derandomized": lambda: nonconform.DerandomizedSplits(n_repetitions=3, n_calib=0.5),
    }
    conformal = nonconform.ConformalDetector(
        detector=GaussianMixtureDetector(**PLAIN),
        strategy=strategies[strategy](),
        score_polarity="higher_is_normal",
        seed=1,
    ).fit(draw(400, 0))
    selected = conformal.select(NEW, alpha=0.2)
    assert selected[-2:].all() and selected.sum() < 8


def test_pvalues_are_those_of_nonconform():
    nonconform = pytest.importorskip("nonconform")
    detector, held = GaussianMixtureDetector(**PLAIN).fit(draw(200, 0)), draw(99, 4)
    options = {"detector": detector, "strategy": nonconform.Split(), "score_polarity": "higher_is_normal"}
    theirs = nonconform.ConformalDetector(**options).calibrate(held).compute_p_values(NEW)
    np.testing.assert_allclose(detector.calibrate(held).pvalues(NEW), theirs, rtol=1e-14)
    weighted = nonconform.ConformalDetector(
        **options, weight_estimator=nonconform.logistic_weight_estimator(), seed=0
    ).calibrate(held)
    theirs, found = weighted.compute_p_values(NEW), weighted.last_result
    detector.calibrate(held, sample_weight=found.calib_weights)
    np.testing.assert_allclose(detector.pvalues(NEW, sample_weight=found.test_weights), theirs, rtol=1e-12)


def test_the_adapter_of_pyod_needs_no_word_on_the_sign_of_scores():
    nonconform = pytest.importorskip("nonconform")
    pytest.importorskip("pyod")
    from gaussmix.pyod import GaussianMixtureOD

    conformal = nonconform.ConformalDetector(
        detector=GaussianMixtureOD(1, novelty=True), strategy=nonconform.Split(n_calib=0.5), seed=1
    ).fit(draw(400, 0))
    assert conformal.select(NEW, alpha=0.2)[-2:].all()


def test_mapie_controls_the_rate_of_false_positives_by_its_pvalues():
    pytest.importorskip("mapie")
    from mapie.risk_control import BinaryClassificationController

    detector = GaussianMixtureDetector(**PLAIN, calibration="split", random_state=0).fit(draw(1000, 0))

    def predict_proba(X):
        p = detector.pvalues(X)
        return np.column_stack([p, 1.0 - p])

    controller = BinaryClassificationController(predict_proba, "fpr", target_level=0.1, confidence_level=0.9)
    controller.calibrate(np.vstack([draw(900, 5), draw(100, 6, at=7.0)]), np.repeat([0, 1], [900, 100]))
    assert controller.predict(draw(5000, 7)).mean() <= 0.1
    assert controller.predict(draw(100, 8, at=7.0)).all()
