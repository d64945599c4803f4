"""Copies through pickle, joblib and skops: the same bits in the same state. What is no mixture is refused."""

from __future__ import annotations

import copy
import pickle  # noqa: TID251  (users and joblib pickle mixtures and estimators, whatever model files are)

import joblib
import numpy as np
import pytest

from gaussmix import GaussianMixture
from gaussmix.datasets import load_faithful
from tests.files.making import NOISES, same, small
from tests.helpers import KINDS


def through_joblib(compress, mmap_mode=None):
    def through(value, folder):
        joblib.dump(value, folder / "copy.joblib", compress=compress)
        return joblib.load(folder / "copy.joblib", mmap_mode=mmap_mode)

    return through


WAYS = {
    "pickle": lambda value, _: pickle.loads(pickle.dumps(value)),
    "pickle 2": lambda value, _: pickle.loads(pickle.dumps(value, protocol=2)),
    "copy": lambda value, _: copy.copy(value),
    "deepcopy": lambda value, _: copy.deepcopy(value),
    "joblib": through_joblib(0),
    "joblib, compressed": through_joblib(3),
    "joblib, mapped": through_joblib(0, mmap_mode="r"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("name", "noise"), [*((name, None) for name in KINDS), *(("tied", n) for n in NOISES)]
)
def test_a_mixture(name, noise, way, tmp_path):
    mixture = small(name, noise)
    X = mixture.without_noise().sample(100, 0)[0]
    expected = mixture.log_prob(X)  # so that there is something computed, which need not travel
    other = WAYS[way](mixture, tmp_path)
    assert same(other, mixture)
    np.testing.assert_array_equal(other.log_prob(X), expected)
    assert not any(getattr(other, field).flags.writeable for field in ("weights", "means", "covariances"))
    with pytest.raises(AttributeError, match="immutable"):
        other.weights = None


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", KINDS)
def test_an_estimator(name, way, tmp_path):
    X = load_faithful()[0]
    model = GaussianMixture(2, covariance_type=name, random_state=0, init_params="kmeans").fit(X)
    other = WAYS[way](model, tmp_path)
    assert same(other.mixture_, model.mixture_)
    np.testing.assert_array_equal(other.predict_proba(X), model.predict_proba(X))
    assert other.get_params() == model.get_params()
    assert other.fit_result_.status is model.fit_result_.status
    assert other.fit_result_.history == model.fit_result_.history


def negative(values):
    return np.where(np.arange(values.size).reshape(values.shape) == 0, -1.0, values)


SPOILED = {
    "weights": [
        ("sum", lambda w: 2 * w),
        ("negative", lambda w: np.array([1.5, -0.5])),
        ("shape", lambda w: w[:1]),
    ],
    "means": [
        ("NaN", lambda m: m * np.nan),
        ("shape", lambda m: m[0]),
        ("must be 1 names", lambda m: m[:, :1]),
    ],
    "covariances": [("infinity", lambda c: np.full_like(c, np.inf)), ("shape", lambda c: c[..., :1])],
    "precisions_cholesky": [("NaN", lambda u: u * np.nan), ("shape", lambda u: u[0]), ("positive", negative)],
    "covariance_type": [("one of full", lambda name: "round"), ("one of full", lambda name: ["full"])],
    "feature_names": [("feature_names must be 2", lambda names: ("a",))],
}


@pytest.mark.parametrize("field", SPOILED)
@pytest.mark.parametrize("name", KINDS)
def test_a_state_that_is_no_mixture_is_refused(name, field):
    """Formats that restore objects without pickle do so from files that anybody may have changed."""
    good = small(name)
    for match, spoil in SPOILED[field]:
        state = good.__getstate__()
        state[field] = spoil(state[field])
        empty = object.__new__(type(good))
        if np.array_equal(state[field], getattr(good, field)):
            continue
        with pytest.raises(ValueError, match=match):
            empty.__setstate__(state)


#: As docs/format.md tells users.
TRUSTED = [
    "gaussmix.estimators.gaussian.GaussianMixture",
    "gaussmix.fit.result.FitResult",
    "gaussmix.fit.result.StartReport",
    "gaussmix.model.mixture.Mixture",
]


class TestSkops:
    @pytest.fixture
    def skops(self):
        return pytest.importorskip("skops.io")

    @pytest.mark.parametrize("name", KINDS)
    def test_an_estimator(self, skops, name):
        X = load_faithful()[0]
        model = GaussianMixture(2, covariance_type=name, random_state=0, init_params="kmeans").fit(X)
        content = skops.dumps(model)
        assert set(skops.get_untrusted_types(data=content)) <= set(TRUSTED)
        other = skops.loads(content, trusted=TRUSTED)
        assert same(other.mixture_, model.mixture_)
        np.testing.assert_array_equal(other.predict_proba(X), model.predict_proba(X))
        np.testing.assert_array_equal(other.sample(5)[0], model.sample(5)[0])
        assert other.converged_ == model.converged_ and other.get_params() == model.get_params()
        assert other.fit_result_.converged and other.fit_result_.status == model.fit_result_.status

    @pytest.mark.parametrize(("name", "noise"), [*((name, None) for name in KINDS), ("full", "box")])
    def test_a_mixture(self, skops, name, noise):
        content = skops.dumps(small(name, noise))
        assert skops.get_untrusted_types(data=content) == TRUSTED[-1:]
        assert same(skops.loads(content, trusted=TRUSTED), small(name, noise))
        with pytest.raises(TypeError, match=r"gaussmix\.model\.mixture\.Mixture"):
            skops.loads(content)
