"""To scikit-learn's estimator and from it: the same distribution, and what has no equivalent is said."""

from __future__ import annotations

import pickle  # noqa: TID251  (a converted model travels as scikit-learn's do)
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.mixture import BayesianGaussianMixture
from sklearn.mixture import GaussianMixture as Theirs

from gaussmix import Constraints, GaussianMixture, Mixture
from gaussmix.accel import patch_sklearn, unpatch_sklearn
from gaussmix.datasets import load_faithful
from gaussmix.model.covariance import FACTORS, STRUCTURES

X = load_faithful()[0]
TYPES = ("full", "tied", "diag", "spherical")
#: The smallest of scikit-learn's families that holds each of ours.
EXPECTED = dict.fromkeys([*STRUCTURES, *FACTORS], "full") | {
    **{name: name for name in TYPES},
    "EII": "spherical",
    "EEI": "diag",
    "VEI": "diag",
    "EVI": "diag",
}


def assert_same_predictions(ours, theirs, rows=X, rtol=1e-9):
    assert_allclose(theirs.score_samples(rows), ours.score_samples(rows), rtol=rtol)
    assert_allclose(theirs.predict_proba(rows), ours.predict_proba(rows), atol=100 * rtol)
    clear = np.abs(ours.predict_proba(rows).max(axis=1) - 0.5) > 1e-3
    assert_array_equal(theirs.predict(rows)[clear], ours.predict(rows)[clear])


@pytest.mark.parametrize("name", EXPECTED)
def test_every_family_to_scikit_learn(name):
    ours = GaussianMixture(2, covariance_type=name, random_state=0, max_iter=500, init_params="kmeans").fit(X)
    theirs = ours.to_sklearn()
    assert type(theirs) is Theirs
    assert theirs.covariance_type == EXPECTED[name]
    assert_same_predictions(ours, theirs)
    assert theirs.converged_ == ours.converged_ and theirs.n_iter_ == ours.n_iter_
    assert theirs.lower_bound_ == ours.lower_bound_ and theirs.lower_bounds_ == ours.lower_bounds_
    shapes = {"full": (2, 2, 2), "tied": (2, 2), "diag": (2, 2), "spherical": (2,)}
    for matrices in (theirs.covariances_, theirs.precisions_, theirs.precisions_cholesky_):
        assert matrices.shape == shapes[theirs.covariance_type]
    assert_allclose(theirs.sample(5000)[0].mean(axis=0), ours.mixture_.mean, rtol=0.1)
    for copy in (pickle.loads(pickle.dumps(theirs)), theirs):
        assert_same_predictions(ours, copy)


@pytest.mark.parametrize("name", TYPES)
def test_there_and_back(name):
    theirs = Theirs(2, covariance_type=name, random_state=0, tol=1e-4).fit(X)
    before = vars(theirs).copy()
    ours = GaussianMixture.from_sklearn(theirs)
    assert vars(theirs) == before
    assert_same_predictions(ours, theirs)
    assert ours.get_params() == GaussianMixture().get_params() | theirs.get_params()
    assert_allclose(ours.bic(X), theirs.bic(X))
    assert_allclose(ours.aic(X), theirs.aic(X))
    assert np.isnan(ours.fit_result_.mean_log_likelihood) and np.isnan(ours.fit_result_.bic)
    again = ours.to_sklearn()
    assert again.get_params() == theirs.get_params()
    fitted = [attribute for attribute in before if attribute.endswith("_")]
    assert len(fitted) >= 9  # from 1.7 on lower_bounds_, too
    for attribute in fitted:
        assert_array_equal(getattr(again, attribute), before[attribute])
        assert np.asarray(getattr(again, attribute)).dtype == np.asarray(before[attribute]).dtype
    ours.warm_start = True
    assert ours.fit(X).n_iter_ <= 5  # it goes on from there


def test_float32_stays_float32():
    rows = X.astype(np.float32)
    theirs = Theirs(3, random_state=0).fit(rows)
    if theirs.means_.dtype != np.float32:
        pytest.skip("scikit-learn before 1.7 does not keep float32")
    ours = GaussianMixture.from_sklearn(theirs)
    assert ours.means_.dtype == ours.covariances_.dtype == np.float32
    assert_same_predictions(ours, theirs, rows, rtol=1e-4)
    assert ours.to_sklearn().precisions_cholesky_.dtype == np.float32


def test_names_of_features_travel():
    frames = pytest.importorskip("pandas")
    frame = frames.DataFrame(X, columns=["eruptions", "waiting"])
    theirs = Theirs(2, random_state=0).fit(frame)
    ours = GaussianMixture.from_sklearn(theirs)
    assert ours.mixture_.feature_names == ("eruptions", "waiting")
    assert_same_predictions(ours, theirs, frame)
    with pytest.raises(ValueError, match="feature names"):
        ours.predict(frame[["waiting", "eruptions"]])
    assert_array_equal(ours.to_sklearn().feature_names_in_, frame.columns)


def test_a_model_that_is_not_fitted_is_its_parameters():
    parameters = {"n_components": 3, "covariance_type": "tied", "tol": 1e-5, "means_init": np.eye(3)}
    ours = GaussianMixture.from_sklearn(Theirs(**parameters))
    assert ours.get_params() == GaussianMixture().get_params() | Theirs(**parameters).get_params()
    assert not hasattr(ours, "means_")
    theirs = clone(ours).to_sklearn()
    assert not hasattr(theirs, "means_")
    assert_array_equal(theirs.means_init, np.eye(3))


def test_parameters_that_scikit_learn_does_not_have():
    model = GaussianMixture(
        2, covariance_type="VEV", prior="mclust", constraints=Constraints(), trim=0.1, acceleration=None
    )
    theirs = model.set_params(precisions_init=np.stack([np.eye(2)] * 2), init_params="pca").to_sklearn()
    assert theirs.get_params() == Theirs(2, covariance_type="full").get_params()
    theirs.fit(X)  # all of them are valid there
    assert GaussianMixture(reg_covar=0.5, init_params="k-means++").to_sklearn().get_params() == (
        Theirs(reg_covar=0.5, init_params="k-means++").get_params()
    )


@pytest.mark.parametrize("fitted", [False, True])
def test_noise_has_no_equivalent(fitted):
    model = GaussianMixture(2, noise=0.05, random_state=0)
    with pytest.raises(ValueError, match=r"cannot have a noise component.*without_noise"):
        (model.fit(X) if fitted else model).to_sklearn()


@pytest.mark.parametrize("model", [Mixture([1.0], [[0.0]], [[[1.0]]]), BayesianGaussianMixture(), None])
def test_what_is_no_mixture_of_scikit_learn(model):
    with pytest.raises(TypeError, match=r"must be a sklearn\.mixture\.GaussianMixture; got"):
        GaussianMixture.from_sklearn(model)


def test_attributes_that_are_no_mixture():
    theirs = Theirs(2, random_state=0).fit(X)
    theirs.weights_ = np.array([0.9, 0.9])
    with pytest.raises(ValueError, match="weights"):
        GaussianMixture.from_sklearn(theirs)


@pytest.mark.parametrize("name", TYPES)
def test_a_model_made_by_hand(name):
    """Programs that set what scikit-learn's predictions read."""
    fitted = Theirs(2, covariance_type=name, random_state=0).fit(X)
    theirs = Theirs(2, covariance_type=name)
    for attribute in ("weights_", "means_", "precisions_cholesky_"):
        setattr(theirs, attribute, getattr(fitted, attribute))
    ours = GaussianMixture.from_sklearn(theirs)
    assert_same_predictions(ours, fitted)
    assert_allclose(ours.covariances_, fitted.covariances_)
    assert ours.converged_ and ours.n_iter_ == 0 and np.isnan(ours.lower_bound_)


def test_a_start_that_was_never_iterated():
    start = {"weights_init": [0.5, 0.5], "means_init": X[:2], "precisions_init": np.stack([np.eye(2)] * 2)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = Theirs(2, max_iter=0, **{name: np.array(value) for name, value in start.items()})
        theirs.covariances_ = None
        theirs.fit(X)
    assert_same_predictions(GaussianMixture.from_sklearn(theirs), theirs)


def test_under_the_patch_it_is_the_original_that_comes_out():
    patch_sklearn()
    try:
        from sklearn.mixture import GaussianMixture as Patched

        model = Patched(2, random_state=0, init_params="kmeans").fit(X)
        theirs = model.to_sklearn()
        assert type(theirs).__module__ == "sklearn.mixture._gaussian_mixture"
        assert_same_predictions(model, theirs)
        back = Patched.from_sklearn(theirs)
        assert type(back) is Patched
        assert_same_predictions(back, theirs)
    finally:
        unpatch_sklearn()
