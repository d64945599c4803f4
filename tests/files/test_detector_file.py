"""Detectors in files: what is saved comes back, and no damage passes for a detector."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gaussmix import CrossCalibration, GaussianMixtureDetector, Mixture, SplitCalibration, _container
from gaussmix.errors import ModelFileError
from gaussmix.io import load_model


def make_rows(n=200, d=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)) * [1.0, 10.0, 0.1][:d] + 5.0


CASES = {
    "default": {},
    "two components": {"n_components": 2, "covariance_type": "diag", "random_state": 3},
    "factors": {"n_components": 1, "covariance_type": "factor"},
    "split": {"calibration": "split", "fpr": 0.1, "random_state": 0},
    "cross": {"calibration": CrossCalibration(k=3), "random_state": 0},
    "pooled": {"calibration": CrossCalibration(k=3, plus=False), "random_state": 0},
    "share": {"calibration": SplitCalibration(n_calib=50), "contamination": np.float64(0.2)},
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_saved_comes_back(tmp_path, name):
    X = make_rows()
    model = GaussianMixtureDetector(**CASES[name]).fit(X)
    path = tmp_path / "detector.safetensors"
    model.save(path, info={"from": "a test"})
    again = GaussianMixtureDetector.load(path)
    new = make_rows(50, seed=1)
    np.testing.assert_allclose(again.score_samples(new), model.score_samples(new), rtol=1e-9)
    np.testing.assert_array_equal(again.predict(new), model.predict(new))
    contributions = again.explain(new).contributions, model.explain(new).contributions
    np.testing.assert_allclose(*contributions, rtol=1e-7, atol=1e-9)
    np.testing.assert_array_equal(again.explain(new).neighbours, model.explain(new).neighbours)
    assert again.get_params() == model.get_params()
    assert (again.n_components_, again.covariance_type_) == (model.n_components_, model.covariance_type_)
    assert (again.offset_, again.trim_, again.n_features_in_) == (model.offset_, model.trim_, 3)
    if model.calibration_ is None:
        assert again.calibration_ is None
    else:
        np.testing.assert_allclose(again.pvalues(new), model.pvalues(new), rtol=1e-12)
    again.save(tmp_path / "second.safetensors", info={"from": "a test"})
    assert (tmp_path / "second.safetensors").read_bytes() == path.read_bytes()


def test_weights_and_names_come_back(tmp_path):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(make_rows(), columns=["a", "b", "ü"])
    weights = np.random.default_rng(0).uniform(0.5, 2.0, len(frame))
    model = GaussianMixtureDetector(1, calibration="split", random_state=0).fit(frame, sample_weight=weights)
    model.save(tmp_path / "model")
    again = GaussianMixtureDetector.load(tmp_path / "model")
    assert again.feature_names_in_.tolist() == ["a", "b", "ü"]
    np.testing.assert_allclose(again.pvalues(frame), model.pvalues(frame), rtol=1e-12)
    with pytest.raises(ValueError, match="feature names"):
        again.predict(frame[["b", "a", "ü"]])


def test_a_generator_is_no_part_of_a_file(tmp_path):
    model = GaussianMixtureDetector(1, random_state=np.random.RandomState(0)).fit(make_rows())
    model.save(tmp_path / "model")
    assert GaussianMixtureDetector.load(tmp_path / "model").random_state is None


def test_mixtures_and_detectors_are_told_apart(tmp_path):
    Mixture([1.0], [[0.0]], [1.0], "spherical").save(tmp_path / "mixture")
    with pytest.raises(ModelFileError, match="not a detector; a mixture is for Mixture.load"):
        GaussianMixtureDetector.load(tmp_path / "mixture")
    GaussianMixtureDetector(1).fit(make_rows()).save(tmp_path / "detector")
    with pytest.raises(ModelFileError, match="a detector, not a model"):
        Mixture.load(tmp_path / "detector")
    with pytest.raises(ModelFileError, match="a detector, not a model"):
        load_model(tmp_path / "detector")
    with pytest.raises(FileNotFoundError):
        GaussianMixtureDetector.load(tmp_path / "nothing")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "model"
    GaussianMixtureDetector(1, calibration="cross", random_state=0).fit(make_rows()).save(path)
    return path


CHANGES = {
    "no models": (lambda d, t: d.update(models=[]), "models must be a list"),
    "models of numbers": (lambda d, t: d.update(models=[1]), "models must be a list"),
    "another schema": (lambda d, t: d.update(schema=9), "schema 9 of detectors is unknown"),
    "a place that is not there": (lambda d, t: d.update(scoring=77), "places of models"),
    "a place that is true": (lambda d, t: d.update(scoring=True), "places of models"),
    "calibrated by none": (lambda d, t: d.update(calibrated=[9]), "places of models"),
    "trim of one": (lambda d, t: d.update(trim=[1.0] * 6), "list of shares"),
    "trim of text": (lambda d, t: d.update(trim="x"), "list of shares"),
    "names of numbers": (lambda d, t: d.update(feature_names=[1, 2, 3]), "feature_names must be a list"),
    "too few names": (lambda d, t: d.update(feature_names=["a"]), "feature_names must be 3 names"),
    "info": (lambda d, t: d.update(info=[]), "info must be an object"),
    "more": (lambda d, t: d.update(more=1), "expected the fields"),
    "unknown parameter": (lambda d, t: d["parameters"].update(other=1), "unexpected keyword"),
    "wrong parameter": (lambda d, t: d["parameters"].update(trim=7), "trim"),
    "wrong calibration": (
        lambda d, t: d["parameters"].update(calibration={"kind": "x"}),
        "calibration must be one of split, cross",
    ),
    "no offset": (lambda d, t: t.pop("offset"), "lacks the tensor 'offset'"),
    "offset of two": (lambda d, t: t.update(offset=np.zeros(2)), "'offset' must hold finite numbers"),
    "infinite offset": (lambda d, t: t.update(offset=np.array([np.inf])), "'offset' must hold finite"),
    "flat column": (lambda d, t: t.update({"columns.0.scale": np.zeros(3)}), "must be positive"),
    "columns of four": (lambda d, t: t.update({"columns.0.centre": np.zeros(4)}), "'columns.0.centre' must"),
    "no mixture": (lambda d, t: t.pop("models.0.means"), "not a model of schema 1"),
    "wrong mixture": (lambda d, t: t.update({"models.0.weights": np.array([2.0])}), "not a valid mixture"),
    "negative weight": (
        lambda d, t: t["calibration.0.weights"].__setitem__(0, -1.0),
        "positive weights",
    ),
    "no score": (lambda d, t: t["calibration.0.scores"].__setitem__(0, np.nan), "NaN"),
    "half a row": (lambda d, t: t["normal.places"].__setitem__(0, 0.5), "must hold numbers of rows"),
    "rows without places": (lambda d, t: t.pop("normal.places"), "lacks the tensor 'normal.places'"),
    "scalar places": (lambda d, t: t.update({"normal.places": np.array(3.0)}), "normal.places"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_makes_no_sense_is_refused(tmp_path, saved, name):
    change, message = CHANGES[name]
    content = _container.read(saved)
    document = json.loads(json.dumps(content.document))
    tensors = {key: np.array(value) for key, value in content.tensors.items()}
    change(document, tensors)
    _container.write(tmp_path / "changed", tensors, document)
    with pytest.raises(ModelFileError, match=message) as caught:
        GaussianMixtureDetector.load(tmp_path / "changed")
    assert str(caught.value).startswith(str(tmp_path / "changed"))


def test_damage_is_found(tmp_path, saved):
    path, whole = tmp_path / "model", bytearray(saved.read_bytes())
    for place in (len(whole) - 3, len(whole) // 2, 300, 20):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(ModelFileError):
            GaussianMixtureDetector.load(path)
    for length in (0, 7, 100, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelFileError):
            GaussianMixtureDetector.load(path)
