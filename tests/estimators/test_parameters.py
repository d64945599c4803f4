"""Constructor parameters and starts: what is accepted, what is refused and how the message names it."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.mixture import GaussianMixture as Reference
from sklearn.utils._param_validation import InvalidParameterError

from gaussmix import GaussianMixture
from tests.helpers import NAMES, start_parameters


def test_the_constructor_is_scikit_learns():
    ours, theirs = (inspect.signature(cls).parameters for cls in (GaussianMixture, Reference))
    assert list(ours)[: len(theirs)] == list(theirs)
    assert all(ours[name].kind is inspect.Parameter.KEYWORD_ONLY for name in list(ours)[len(theirs) :])
    # theirs are 1e-6 in squared units of the data, another fit in metres than in kilometres; and one k-means
    other = {"reg_covar": "auto", "init_params": "auto"}
    for name, parameter in theirs.items():
        assert ours[name].default == other.get(name, parameter.default), name
        assert ours[name].kind == parameter.kind, name


def test_every_public_attribute_and_method_of_scikit_learns_exists(iris):
    theirs = Reference(2, random_state=0).fit(iris)
    ours = GaussianMixture(2, random_state=0).fit(iris)
    missing = [name for name in dir(theirs) if not name.startswith("_") and not hasattr(ours, name)]
    assert missing == []


def test_parameters_are_kept_as_given(iris):
    parameters = {
        "n_components": 2,
        "covariance_type": "tied",
        "tol": 1e-4,
        "reg_covar": 1e-1,
        "max_iter": 30,
        "n_init": 3,
        "init_params": "random",
        "random_state": 0,
        "warm_start": False,
        "verbose": 0,
        "verbose_interval": 5,
    }
    model = GaussianMixture(**parameters).fit(iris)
    assert {name: model.get_params()[name] for name in parameters} == parameters
    assert clone(model).get_params() == model.get_params()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_components", 0),
        ("n_components", 1.5),
        ("n_components", "two"),
        ("covariance_type", "bad"),
        ("covariance_type", None),
        ("tol", -1e-3),
        ("tol", "small"),
        ("reg_covar", -1.0),
        ("max_iter", -1),
        ("max_iter", 2.5),
        ("n_init", 0),
        ("init_params", "bad"),
        ("weights_init", 3.0),
        ("means_init", "bad"),
        ("precisions_init", 1),
        ("random_state", "seed"),
        ("warm_start", "yes"),
        ("verbose", -1),
        ("verbose_interval", 0),
    ],
)
def test_a_wrong_parameter_is_named_with_its_value(iris, name, value):
    model = GaussianMixture(**{name: value})
    with pytest.raises(InvalidParameterError, match=rf"'{name}' parameter of GaussianMixture .*{value!r}"):
        model.fit(iris)
    with pytest.raises(NotFittedError):
        model.predict(iris)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "score_samples", "score", "aic", "bic"])
def test_nothing_can_be_asked_before_fit(iris, method):
    message = "This GaussianMixture instance is not fitted yet. Call 'fit' with appropriate arguments before"
    with pytest.raises(NotFittedError, match=message):
        getattr(GaussianMixture(), method)(iris)


def test_nothing_can_be_sampled_before_fit():
    with pytest.raises(NotFittedError, match="This GaussianMixture instance is not fitted"):
        GaussianMixture().sample(0)


def test_weights_init_is_checked(make_clusters):
    X = make_clusters().X
    model = GaussianMixture(2)
    message = "The parameter 'weights' should have the shape of (2,), but got (2, 1)"
    with pytest.raises(ValueError, match=re.escape(message)):
        model.set_params(weights_init=[[0.5], [0.5]]).fit(X)
    message = "should be in the range [0, 1], but got max value 1.50000, min value -0.50000"
    with pytest.raises(ValueError, match=re.escape(f"The parameter 'weights' {message}")):
        model.set_params(weights_init=[1.5, -0.5]).fit(X)
    message = "The parameter 'weights' should be normalized, but got sum(weights) = 0.90000"
    with pytest.raises(ValueError, match=re.escape(message)):
        model.set_params(weights_init=[0.4, 0.5]).fit(X)
    with pytest.raises(ValueError, match=r"NaN"):
        model.set_params(weights_init=[np.nan, 0.5]).fit(X)


def test_means_init_is_checked(make_clusters):
    X = make_clusters().X
    message = "The parameter 'means' should have the shape of (2, 2), but got (3, 2)"
    with pytest.raises(ValueError, match=re.escape(message)):
        GaussianMixture(2, means_init=np.zeros((3, 2))).fit(X)
    with pytest.raises(ValueError, match="infinity"):
        GaussianMixture(2, means_init=[[0.0, np.inf], [1.0, 1.0]]).fit(X)


BAD_SHAPES = {"full": (3, 2, 2), "tied": (3, 3), "diag": (3, 2), "spherical": (3,)}
NOT_POSITIVE = {
    "full": np.array([[[1.0, 0.0], [0.0, -1.0]], [[1.0, 0.0], [0.0, 1.0]]]),
    "tied": np.array([[1.0, 2.0], [2.0, 1.0]]),
    "diag": np.array([[1.0, -1.0], [1.0, 1.0]]),
    "spherical": np.array([1.0, 0.0]),
}
KIND = dict.fromkeys(("full", "tied"), "symmetric, positive-definite") | dict.fromkeys(
    ("diag", "spherical"), "positive"
)


@pytest.mark.parametrize("covariance_type", BAD_SHAPES)
def test_precisions_init_is_checked(make_clusters, covariance_type):
    X = make_clusters(covariance_type).X
    model = GaussianMixture(2, covariance_type=covariance_type)
    message = f"The parameter '{covariance_type} precision' should have the shape of"
    with pytest.raises(ValueError, match=message):
        model.set_params(precisions_init=np.ones(BAD_SHAPES[covariance_type])).fit(X)
    message = f"'{covariance_type} precision' should be {KIND[covariance_type]}"
    with pytest.raises(ValueError, match=message):
        model.set_params(precisions_init=NOT_POSITIVE[covariance_type]).fit(X)


@pytest.mark.parametrize("covariance_type", ["full", "tied"])
def test_precisions_init_must_be_symmetric(make_clusters, covariance_type):
    matrix = np.array([[1.0, 0.5], [0.0, 1.0]])
    given = {"full": np.array([np.eye(2), matrix]), "tied": matrix}[covariance_type]
    with pytest.raises(ValueError, match="should be symmetric, positive-definite"):
        GaussianMixture(2, covariance_type=covariance_type, precisions_init=given).fit(make_clusters().X)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("covariance_type", NAMES)
def test_given_starts_are_never_written_to(make_clusters, covariance_type, dtype):
    data = make_clusters(covariance_type, k=3, dtype=dtype, spread=2.0)
    start = {name: np.asarray(value) for name, value in start_parameters(data.mixture).items()}
    kept = {name: value.copy() for name, value in start.items()}
    model = GaussianMixture(3, covariance_type=covariance_type, **start).fit(data.X)
    for name, value in kept.items():
        assert_array_equal(getattr(model, name), value)
        assert getattr(model, name) is start[name]
        assert start[name].flags.writeable
    # nor does the fitted model share memory with them
    model.means_ += 1.0
    assert_array_equal(start["means_init"], kept["means_init"])


@pytest.mark.parametrize("covariance_type", NAMES)
def test_read_only_starts_and_lists_are_accepted(make_clusters, covariance_type):
    data = make_clusters(covariance_type, spread=2.0)
    start = start_parameters(data.mixture)
    for value in start.values():
        value.flags.writeable = False
    lists = {name: value.tolist() for name, value in start.items()}
    from_arrays, from_lists = (
        GaussianMixture(2, covariance_type=covariance_type, **given).fit(data.X) for given in (start, lists)
    )
    assert_array_equal(from_arrays.means_, from_lists.means_)


@pytest.mark.parametrize("covariance_type", NAMES)
def test_max_iter_zero_keeps_a_given_start(make_clusters, covariance_type):
    data = make_clusters(covariance_type, k=3)
    start = start_parameters(data.mixture)
    model = GaussianMixture(3, covariance_type=covariance_type, max_iter=0, **start).fit(data.X)
    assert_allclose(model.weights_, start["weights_init"], rtol=1e-12)
    assert_allclose(model.means_, start["means_init"], rtol=1e-12)
    assert_allclose(model.precisions_, start["precisions_init"], rtol=1e-8, atol=1e-12)
    assert_allclose(model.covariances_, data.mixture.covariances, rtol=1e-8, atol=1e-12)
    assert model.n_iter_ == 0 and not model.converged_ and model.lower_bounds_ == []
    assert_allclose(model.lower_bound_, data.mixture.log_prob(data.X).mean(), rtol=1e-10)


def test_max_iter_zero_keeps_given_means_and_finds_the_rest(make_clusters):
    data = make_clusters(k=2)
    means = [[20.0, 30.0], [30.0, 25.0]]
    model = GaussianMixture(2, means_init=means, max_iter=0, random_state=0).fit(data.X)
    assert_allclose(model.means_, means, rtol=1e-12)
    assert_allclose(model.weights_.sum(), 1.0, rtol=1e-12)
    assert_allclose(np.sort(model.weights_), np.sort(np.bincount(data.labels) / len(data.X)), atol=0.02)


@pytest.mark.parametrize("init_params", ["random", "random_from_data", "k-means++", "kmeans"])
@pytest.mark.parametrize("seed", range(5))
def test_starts_have_distinct_means(make_clusters, init_params, seed):
    X = make_clusters(k=3, spread=5.0, seed=seed).X
    means = GaussianMixture(3, init_params=init_params, random_state=seed, max_iter=0).fit(X).means_
    gaps = np.abs(means[:, None] - means).max(axis=2)[~np.eye(3, dtype=bool)]
    assert (gaps > 1e-6).all()


@pytest.mark.parametrize("init_params", ["random_from_data", "k-means++"])
def test_a_start_of_rows_has_rows_for_means(make_clusters, init_params):
    X = make_clusters(k=3).X
    means = GaussianMixture(3, init_params=init_params, random_state=1, max_iter=0).fit(X).means_
    nearest = np.abs(means[:, None] - X).max(axis=2).min(axis=1)
    assert_allclose(nearest, 0.0, atol=1e-10)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("init_params", ["random", "random_from_data", "k-means++", "kmeans"])
def test_every_start_leads_to_means_within_the_data(make_clusters, init_params, dtype):
    X = make_clusters(spread=4.0, dtype=dtype).X
    model = GaussianMixture(2, init_params=init_params, random_state=0).fit(X)
    assert model.converged_
    assert (X.min(axis=0) <= model.means_).all() and (model.means_ <= X.max(axis=0)).all()
    assert {model.means_.dtype, model.covariances_.dtype, model.weights_.dtype} == {np.dtype(dtype)}


def test_starts_are_good_enough_to_rank_rows(make_clusters):
    """The weights of a start are shares of the rows: they sum to one, each well above 1 / n."""
    X = make_clusters(k=3).X
    for init_params in ("random", "random_from_data", "k-means++", "kmeans"):
        model = GaussianMixture(3, init_params=init_params, random_state=0, max_iter=0).fit(X)
        assert_allclose(model.weights_.sum(), 1.0, rtol=1e-12)
        assert (model.weights_ > 2.0 / len(X)).all(), init_params


def test_more_components_than_rows():
    with pytest.raises(
        ValueError, match="Expected n_samples >= n_components but got n_components = 12, n_samples = 10"
    ):
        GaussianMixture(12).fit(np.random.default_rng(0).normal(size=(10, 5)))


def test_one_component_needs_few_rows():
    model = GaussianMixture(1).fit(np.random.default_rng(0).normal(size=(3, 2)))
    assert model.sample()[0].shape == (1, 2)
