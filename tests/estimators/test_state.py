"""The fitted attributes are the state: whatever is assigned or edited in place, everything follows or says why not."""

from __future__ import annotations

import copy
import pickle  # noqa: TID251  (users and joblib pickle estimators, whatever model files are)

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from gaussmix import GaussianMixture, Mixture, Noise
from tests.helpers import NAMES

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

PLAIN = ("full", "tied", "diag", "spherical")
MATRICES = ("covariances_", "precisions_", "precisions_cholesky_")


@pytest.fixture
def fitted(make_clusters):
    def fit(covariance_type="full", k=3, d=2, **parameters):
        X = make_clusters(covariance_type, k=k, d=d).X
        return GaussianMixture(
            k, covariance_type=covariance_type, random_state=0, init_params="kmeans", **parameters
        ).fit(X), X

    return fit


def same_as(model, mixture, X):
    assert_allclose(model.score_samples(X), mixture.log_prob(X), rtol=1e-9)
    assert_array_equal(model.predict(X), mixture.predict(X))
    assert_allclose(model.predict_proba(X), mixture.responsibilities(X), rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_components_can_be_put_in_another_order(fitted, name):
    model, X = fitted(name)
    labels, score, order = model.predict(X), model.score(X), np.array([2, 0, 1])
    per_component = model.covariances_.shape[0] == 3 and name not in ("tied", "EEI", "EII")
    model.means_, model.weights_ = model.means_[order], model.weights_[order]
    if per_component:
        model.covariances_ = model.covariances_[order]
    assert_array_equal(order[model.predict(X)], labels)
    assert_allclose(model.score(X), score, rtol=1e-9)
    assert_array_equal(model.mixture_.means, model.means_)


@pytest.mark.parametrize("edited", MATRICES)
@pytest.mark.parametrize("name", NAMES)
def test_the_other_matrices_follow(fitted, name, edited):
    model, X = fitted(name)
    expected = Mixture(model.weights_, model.means_, 4 * model.covariances_, name)
    factor = {"covariances_": 4.0, "precisions_": 0.25, "precisions_cholesky_": 0.5}[edited]
    array = getattr(model, edited)
    array *= factor  # in place, and no assignment
    same_as(model, expected, X)
    assert getattr(model, edited) is array
    for attribute, of in zip(MATRICES, ("covariances", "precisions", "precisions_cholesky"), strict=True):
        assert_allclose(getattr(model, attribute), getattr(expected, of), rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("given", [*((name,) for name in MATRICES), MATRICES])
@pytest.mark.parametrize("name", PLAIN)
def test_models_by_hand(fitted, name, given, dtype):
    source, X = fitted(name)
    model = GaussianMixture(3, covariance_type=name)
    for attribute in ("weights_", "means_", *given):
        setattr(model, attribute, getattr(source, attribute).astype(dtype))
    rtol = 1e-9 if dtype == np.float64 else 1e-3
    assert_allclose(model.score_samples(X), source.score_samples(X), rtol=rtol)
    assert_array_equal(model.predict(X), source.predict(X))
    assert_allclose(model.bic(X), source.bic(X), rtol=rtol)
    assert {getattr(model, attribute).dtype for attribute in MATRICES} == {np.dtype(dtype)}
    rows, labels = model.sample(7)
    assert rows.shape == (7, 2) and labels.shape == (7,)


def test_any_root_of_the_precisions_is_taken(fitted):
    source, X = fitted()
    precisions = np.linalg.inv(source.covariances_)
    values, vectors = np.linalg.eigh(precisions)
    for root in (
        np.linalg.cholesky(precisions),
        vectors * np.sqrt(values)[:, None, :],
        -source.precisions_cholesky_,
    ):
        model = copy.deepcopy(source)
        model.precisions_cholesky_ = root
        assert_allclose(model.score_samples(X), source.score_samples(X), rtol=1e-9)
        assert model.precisions_cholesky_ is root


@pytest.mark.parametrize("second", MATRICES[1:])
def test_contradictions_are_errors(fitted, second):
    model, X = fitted()
    model.covariances_ = 2 * model.covariances_
    setattr(model, second, 3 * getattr(model, second))
    for use in (model.predict, model.score, model.predict_proba, model.bic):
        with pytest.raises(ValueError, match=f"covariances_ and {second} contradict each other"):
            use(X)
    delattr(model, second)
    assert np.isfinite(model.score(X))


@pytest.mark.parametrize(
    ("attribute", "value", "match"),
    [
        ("means_", np.zeros((3, 5)), "covariances_ must have the shape"),
        ("means_", np.zeros(3), "means_ must have the shape"),
        ("means_", np.full((3, 2), np.nan), "NaN"),
        ("weights_", np.ones(4), "shape"),
        ("weights_", np.array([-0.5, 1.0, 0.5]), "negative"),
        ("weights_", np.zeros(3), "sum to 1"),
        ("covariances_", np.ones((3, 2)), "covariances_ must have the shape"),
        ("covariances_", -np.array([np.eye(2)] * 3), "positive definite"),
        ("covariances_", np.array([[[1.0, 0.9], [0.1, 1.0]]] * 3), "symmetric"),
        ("precisions_", -np.array([np.eye(2)] * 3), "positive-definite"),
        ("precisions_cholesky_", np.zeros((3, 2, 2)), "positive-definite"),
    ],
)
def test_what_is_no_mixture_is_an_error(fitted, attribute, value, match):
    model, X = fitted()
    good = getattr(model, attribute)
    setattr(model, attribute, value)
    for _ in range(2):
        with pytest.raises(ValueError, match=match):
            model.predict(X)
    setattr(model, attribute, good)
    model.predict(X)


@pytest.mark.parametrize("attribute", ["weights_", "means_"])
def test_without_an_attribute_it_is_not_fitted(fitted, attribute):
    model, X = fitted()
    delattr(model, attribute)
    assert not hasattr(model, attribute)
    with pytest.raises(NotFittedError, match=attribute):
        model.predict(X)
    with pytest.raises(AttributeError):
        delattr(model, attribute)


def test_without_any_matrix_it_is_not_fitted(fitted):
    model, X = fitted()
    for attribute in MATRICES:
        delattr(model, attribute)
    with pytest.raises(NotFittedError, match="covariances_"):
        model.predict(X)


def test_weights_of_another_sum_are_taken_as_they_are(fitted):
    model, X = fitted()
    labels, proba, density = model.predict(X), model.predict_proba(X), model.score_samples(X)
    model.weights_ *= 3
    assert_array_equal(model.predict(X), labels)
    assert_allclose(model.predict_proba(X), proba, rtol=1e-9, atol=1e-12)
    assert_allclose(model.score_samples(X), density + np.log(3), rtol=1e-9)
    assert_allclose(model.mixture_.weights.sum(), 1.0)
    with pytest.raises(ValueError, match="divide weights_ by their sum"):
        model.sample()
    model.weights_ /= model.weights_.sum()
    assert_allclose(model.score_samples(X), density, rtol=1e-9)


def test_a_fit_resets_everything(fitted):
    model, X = fitted()
    again = clone(model).fit(X)
    model.means_ += 1.0
    model.covariances_ = 9.0 * model.covariances_
    model.fit(X)
    assert_array_equal(model.means_, again.means_)
    assert_array_equal(model.predict_proba(X), again.predict_proba(X))
    assert model.fit_result_.mixture is model.mixture_


def test_the_result_of_the_fit_stays(fitted):
    model, X = fitted()
    mixture, score = model.mixture_, model.score(X)
    model.means_ += 1.0
    assert model.score(X) < score and model.mixture_ is not mixture
    assert model.fit_result_.mixture is mixture
    assert not mixture.means.flags.writeable


def test_nothing_is_made_anew_without_an_edit(fitted):
    model, X = fitted()
    mixture = model.mixture_
    model.means_ = model.means_.copy()
    model.covariances_[:] = model.covariances_
    model.predict(X)
    assert model.mixture_ is mixture


def test_a_warm_start_begins_at_what_was_edited(fitted):
    model, X = fitted(warm_start=True, max_iter=0)
    model.means_ = model.means_[::-1].copy()
    model.covariances_ = model.covariances_[::-1].copy()
    model.weights_ = model.weights_[::-1].copy()
    expected = model.means_.copy()
    assert_allclose(model.fit(X).means_, expected)


def test_a_warm_start_begins_at_a_model_by_hand(fitted):
    source, X = fitted()
    model = GaussianMixture(3, warm_start=True, max_iter=0)
    model.weights_, model.means_, model.covariances_ = source.weights_, source.means_, source.covariances_
    assert_allclose(model.fit(X).means_, source.means_)


@pytest.mark.parametrize("through", [copy.deepcopy, copy.copy, lambda m: pickle.loads(pickle.dumps(m))])
def test_edits_of_copies(fitted, through):
    model, X = fitted()
    model.means_ += 0.5  # an edit before, that nothing has seen yet
    other = through(model)
    assert_array_equal(other.score_samples(X), model.score_samples(X))
    other.covariances_ = 4 * other.covariances_
    assert other.score(X) != model.score(X)
    other.means_ -= 0.5  # of a shallow copy, those of both
    shared = other.means_ is model.means_
    assert_allclose(other.mixture_.means, other.means_)
    assert_allclose(model.mixture_.means, model.means_)
    assert shared == (through is copy.copy)


def test_half_an_edit_can_be_pickled(fitted):
    model, X = fitted()
    model.covariances_ = 2 * model.covariances_
    model.precisions_ = 3 * model.precisions_
    other = pickle.loads(pickle.dumps(model))
    with pytest.raises(ValueError, match="contradict"):
        other.predict(X)
    other.precisions_ = np.linalg.inv(other.covariances_)
    del other.precisions_cholesky_
    assert np.isfinite(other.score(X))


def test_another_covariance_type(fitted):
    model, X = fitted("tied")
    expected = model.score_samples(X)
    model.set_params(covariance_type="full")
    assert_array_equal(model.score_samples(X), expected)  # until there is an edit
    model.covariances_ = np.array([model.covariances_] * 3)
    assert_allclose(model.score_samples(X), expected, rtol=1e-9)
    assert model.precisions_.shape == (3, 2, 2) and model.mixture_.covariance_type == "full"


def test_beside_noise(make_clusters):
    X = make_clusters(k=2).X
    model = GaussianMixture(2, noise=Noise.between([-60, -60], [60, 60]), random_state=0).fit(X)
    noise = model.mixture_.noise
    model.means_ = model.means_ + 0.1
    model.covariances_ *= 2
    assert model.mixture_.noise is noise and np.isfinite(model.score(X))
    assert model._estimate_log_prob_resp(X)[1].shape == model.predict_proba(X).shape == (len(X), 3)
    assert_allclose(np.exp(model._estimate_log_prob_resp(X)[1]), model.predict_proba(X), atol=1e-12)
    model.weights_ = np.array([0.4, 0.4])
    with pytest.raises(ValueError, match="sum to 1 with that of the noise"):
        model.predict(X)


def test_factor_analysers(make_clusters):
    X = np.random.default_rng(0).normal(size=(200, 5)) * np.arange(1, 6)
    model = GaussianMixture(2, covariance_type="factor", random_state=0, init_params="kmeans").fit(X)
    order = [1, 0]
    labels = model.predict(X)
    model.means_ = model.means_ + 1.0
    assert_array_equal(model.predict(X + 1.0), labels)
    with pytest.raises(ValueError, match="read-only"):
        model.covariances_[0] *= 2
    model.covariances_ = model.covariances_[order]
    with pytest.raises(ValueError, match="covariances_ of factor analysers cannot be assigned"):
        model.predict(X)
    del model.covariances_
    assert_array_equal(model.predict(X + 1.0), labels)
    by_hand = GaussianMixture(2, covariance_type="factor")
    by_hand.weights_, by_hand.means_, by_hand.covariances_ = model.weights_, model.means_, model.covariances_
    with pytest.raises(ValueError, match=r"build a gaussmix\.Mixture"):
        by_hand.predict(X)


def test_lists_and_integers(fitted):
    _, X = fitted()
    model = GaussianMixture(2, covariance_type="spherical")
    model.weights_, model.means_, model.covariances_ = [0.5, 0.5], [[0, 0], [4, 4]], [1, 4]
    expected = Mixture([0.5, 0.5], [[0, 0], [4, 4]], [1, 4], "spherical")
    same_as(model, expected, X)
    model.means_[0][0] = 2
    assert model.mixture_.means[0, 0] == 2.0


def test_draws_of_a_model_by_hand_are_of_its_seed(fitted):
    source, _ = fitted()
    draws = []
    for _ in range(2):
        model = GaussianMixture(3, random_state=5)
        model.weights_, model.means_, model.covariances_ = source.weights_, source.means_, source.covariances_
        draws.append(model.sample(4)[0])
    assert_array_equal(*draws)


def test_the_mixture_cannot_be_assigned(fitted):
    model, _ = fitted()
    with pytest.raises(AttributeError):
        model.mixture_ = None
