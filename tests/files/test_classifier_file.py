"""Classifiers in files: what is saved comes back, and no damage passes for a classifier."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

from gaussmix import GaussianMixtureClassifier, GaussianMixtureDetector, Mixture, _container
from gaussmix.errors import ModelFileError


def make_rows(n=120, d=2, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    return rng.normal(size=(n, d)) + 4.0 * np.column_stack([labels == 1, labels == 2])[:, :d], labels


PLAIN = {"covariance_type": "tied", "shrinkage": 0.0}
CASES = {
    "plain": {"n_components": 1, **PLAIN},
    "chosen": {"n_components": 1, "covariance_type": ["tied", "diag"], "random_state": 0},
    "shared": {"n_components": 3, "share": "components", **PLAIN, "random_state": 0},
    "apart": {"n_components": 1, "share": "nothing", "criterion": "bic", "covariance_type": ["full", "EII"]},
    "rejecting": {"n_components": 1, **PLAIN, "reject_density": 0.05, "reject_posterior": 0.8},
    "prior": {"n_components": 1, **PLAIN, "class_prior": np.array([0.2, 0.3, 0.5])},
    "numbers": {"n_components": np.int64(2), **PLAIN, "random_state": 1},
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("names", [None, ["a", "b", "ü"], [0.5, 1.5, 2.5]], ids=["places", "text", "numbers"])
def test_what_is_saved_comes_back(tmp_path, name, names):
    X, labels = make_rows()
    y = labels if names is None else np.array(names)[labels]
    y = y if y.dtype.kind != "f" else y * 2.0
    model = GaussianMixtureClassifier(**CASES[name]).fit(X, y)
    path = tmp_path / "model"
    model.save(path, info={"from": "a test"})
    again = GaussianMixtureClassifier.load(path)
    new = make_rows(60, seed=1)[0]
    np.testing.assert_allclose(again.predict_proba(new), model.predict_proba(new), rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(again.score_samples(new), model.score_samples(new), rtol=1e-9)
    np.testing.assert_array_equal(again.predict(new), model.predict(new))
    np.testing.assert_array_equal(again.classes_, model.classes_)
    np.testing.assert_array_equal(again.class_of_component_, model.class_of_component_)
    assert again.classes_.dtype.kind == model.classes_.dtype.kind
    for attribute in ("n_components_", "covariance_type_", "shrinkage_", "n_iter_", "n_features_in_"):
        assert getattr(again, attribute) == getattr(model, attribute)
    assert (again.calibration_, again.density_threshold_) == (model.calibration_, model.density_threshold_)
    again.save(tmp_path / "second", info={"from": "a test"})
    assert (tmp_path / "second").read_bytes() == path.read_bytes()


def test_parameters_that_are_objects_are_left_out(tmp_path):
    X, y = make_rows()
    sizes = {0: 1, 1: 2, 2: 1}
    parameters = {"n_components": sizes, "cv": StratifiedKFold(3), "random_state": np.random.RandomState(0)}
    GaussianMixtureClassifier(**parameters, **PLAIN).fit(X, y).save(tmp_path / "model")
    again = GaussianMixtureClassifier.load(tmp_path / "model")
    assert (again.n_components, again.cv, again.random_state) == ("auto", 5, None)
    assert again.n_components_ == (1, 2, 1)


def test_other_files_are_no_classifiers(tmp_path):
    X, y = make_rows()
    Mixture([1.0], [[0.0]], [1.0], "spherical").save(tmp_path / "mixture")
    GaussianMixtureDetector(1).fit(X).save(tmp_path / "detector")
    advice = {"mixture": "not a classifier; a mixture is for Mixture.load"}
    advice["detector"] = "a detector, not a classifier; it is for GaussianMixtureDetector.load"
    for name, said in advice.items():
        with pytest.raises(ModelFileError, match=said):
            GaussianMixtureClassifier.load(tmp_path / name)
    GaussianMixtureClassifier(1, **PLAIN).fit(X, y).save(tmp_path / "classifier")
    with pytest.raises(ModelFileError, match="a classifier, not a model"):
        Mixture.load(tmp_path / "classifier")
    with pytest.raises(ModelFileError, match="a classifier, not a detector; it is for GaussianMixtureCl"):
        GaussianMixtureDetector.load(tmp_path / "classifier")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "model"
    X, y = make_rows()
    GaussianMixtureClassifier(1, **PLAIN, reject_density=0.1).fit(X, y).save(path)
    return path


CHANGES = {
    "no models": (lambda d, t: d.update(models=[]), "models must be a list"),
    "another schema": (lambda d, t: d.update(schema=9), "schema 9 of classifiers is unknown"),
    "one class": (lambda d, t: d.update(classes=[1]), "two or more"),
    "a class twice": (lambda d, t: d.update(classes=[1, 1, 2]), "in ascending order"),
    "classes of lists": (lambda d, t: d.update(classes=[[1], [2], [3]]), "texts or of numbers"),
    "classes of two kinds": (lambda d, t: d.update(classes=[1, "a", "b"]), "texts or of numbers"),
    "classes of text": (lambda d, t: d.update(classes="abc"), "texts or of numbers"),
    "more classes": (lambda d, t: d.update(classes=[1, 2, 3, 4]), "'shares' must hold"),
    "info": (lambda d, t: d.update(info=[]), "info must be an object"),
    "more": (lambda d, t: d.update(more=1), "expected the fields"),
    "less found": (lambda d, t: d["fitted"].pop("shrinkage_"), "fitted must have"),
    "unknown parameter": (lambda d, t: d["parameters"].update(other=1), "unexpected keyword"),
    "wrong parameter": (lambda d, t: d["parameters"].update(n_init=-7), "n_init"),
    "no shares": (lambda d, t: t.pop("shares"), "lacks the tensor 'shares'"),
    "negative shares": (lambda d, t: t.update(shares=-t["shares"]), "'shares' must hold"),
    "shares of half": (lambda d, t: t.update(shares=0.5 * t["shares"]), "must sum to 1"),
    "a cold temperature": (lambda d, t: t.update(calibration=np.array([0.0, 0.0])), "temperature"),
    "a floor of one": (lambda d, t: t.update(calibration=np.array([1.0, 1.0])), "floor"),
    "no number": (lambda d, t: t.update(calibration=np.array([np.nan, 0.0])), "temperature"),
    "two thresholds": (lambda d, t: t.update(density_threshold=np.zeros(2)), "'density_threshold'"),
    "no threshold": (lambda d, t: t.update(density_threshold=np.array([np.nan])), "'density_threshold'"),
    "wrong mixture": (lambda d, t: t.update({"models.0.weights": np.array([2.0])}), "not a valid mixture"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_describes_no_classifier_is_refused(saved, tmp_path, name):
    change, message = CHANGES[name]
    content = _container.read(saved)
    document, tensors = content.document, {key: value.copy() for key, value in content.tensors.items()}
    change(document, tensors)
    _container.write(tmp_path / "changed", tensors, document)
    with pytest.raises(ModelFileError, match=message) as caught:
        GaussianMixtureClassifier.load(tmp_path / "changed")
    assert str(caught.value).startswith(f"{tmp_path / 'changed'}: ")


def test_no_byte_can_change_unseen(saved, tmp_path):
    whole = saved.read_bytes()
    rng = np.random.default_rng(0)
    for place in rng.choice(len(whole), 150, replace=False):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << rng.integers(8)
        (tmp_path / "damaged").write_bytes(damaged)
        try:
            GaussianMixtureClassifier.load(tmp_path / "damaged")
        except ModelFileError:
            continue
        # a bit of the header that no reader looks at, such as a blank before its end
        assert place < 8 + int.from_bytes(whole[:8], "little")
    for length in range(0, len(whole), 97):
        (tmp_path / "damaged").write_bytes(whole[:length])
        with pytest.raises(ModelFileError):
            GaussianMixtureClassifier.load(tmp_path / "damaged")
