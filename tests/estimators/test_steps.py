"""scikit-learn's private steps of EM: the same numbers as theirs, and overridden ones count."""

from __future__ import annotations

import types

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.mixture import GaussianMixture as Reference

from gaussmix import Constraints, GaussianMixture
from tests.helpers import NAMES

PLAIN = ("full", "tied", "diag", "spherical")
ATTRIBUTES = ("weights_", "means_", "covariances_", "precisions_cholesky_")


def both(name, k=3, **parameters):
    return [
        cls(k, covariance_type=name, reg_covar=1e-6, random_state=0, **parameters)
        for cls in (GaussianMixture, Reference)
    ]


@pytest.fixture
def clusters(make_clusters):
    data = make_clusters(k=3)
    return data.X, data.labels


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", PLAIN)
def test_steps_are_those_of_scikit_learn(clusters, name, dtype):
    X, labels = clusters[0].astype(dtype), clusters[1]
    resp = (0.9 * np.eye(3)[labels] + 0.1 / 3).astype(dtype)
    tolerance = {"rtol": 1e-6, "atol": 1e-9} if dtype == np.float64 else {"rtol": 2e-3, "atol": 1e-3}
    ours, theirs = both(name)
    for model in (ours, theirs):
        model._initialize(X, resp)
    for _ in range(3):
        found = [(*model._e_step(X), *model._estimate_log_prob_resp(X)) for model in (ours, theirs)]
        for one, other in zip(*found, strict=True):
            assert_allclose(one, other, **tolerance)
            assert np.asarray(one).dtype == dtype
        for model, (_, log_resp, _, _) in zip((ours, theirs), found, strict=True):
            model._m_step(X, log_resp)
        for attribute in ATTRIBUTES:
            one, other = getattr(ours, attribute), getattr(theirs, attribute)
            assert_allclose(one, other, **tolerance)
            assert one.dtype == dtype
    assert ours._n_parameters() == theirs._n_parameters()
    assert [array.shape for array in ours._get_parameters()] == [
        array.shape for array in theirs._get_parameters()
    ]


def test_rows_that_count_for_more_or_for_nothing(clusters):
    X, labels = clusters
    resp = np.eye(3)[labels] * (np.arange(len(X)) % 3)[:, None]
    for name in PLAIN[:1] + PLAIN[2:]:  # scikit-learn's tied covariance is wrong there
        ours, theirs = both(name)
        for model in (ours, theirs):
            model._m_step(X, np.log(resp + 1e-300))
        for attribute in ATTRIBUTES:
            assert_allclose(getattr(ours, attribute), getattr(theirs, attribute), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", PLAIN)
def test_a_start_of_parameters_alone(clusters, name):
    X, labels = clusters
    source = both(name)[0]
    source._initialize(X, np.eye(3)[labels])
    given = {
        "weights_init": source.weights_,
        "means_init": source.means_,
        "precisions_init": source.precisions_,
    }
    ours, theirs = both(name, **given)
    ours._check_parameters(X)
    for model in (ours, theirs):
        model._initialize(np.zeros((1, 1)), None)
    for attribute in ("weights_", "means_", "precisions_cholesky_"):
        assert_allclose(getattr(ours, attribute), getattr(theirs, attribute), rtol=1e-9, atol=1e-12)
    with pytest.raises(ValueError, match="without responsibilities"):
        GaussianMixture(3, means_init=source.means_)._initialize(X, None)
    with pytest.raises(ValueError, match="should have the shape"):
        GaussianMixture(2, means_init=source.means_)._check_parameters(X)


@pytest.mark.parametrize("name", NAMES)
def test_the_plain_loop_is_em(clusters, name):
    class Stepwise(GaussianMixture):
        def _m_step(self, X, log_resp, xp=None):
            super()._m_step(X, log_resp, xp=xp)

    X, _ = clusters
    parameters = {"covariance_type": name, "reg_covar": 1e-6, "tol": 1e-6, "max_iter": 300, "random_state": 0}
    plain = GaussianMixture(3, acceleration=None, init_params="kmeans", **parameters).fit(X)
    stepwise = Stepwise(3, **parameters).fit(X)
    assert_allclose(stepwise.lower_bound_, stepwise.score(X), rtol=1e-9)
    assert stepwise.lower_bounds_[-1] == stepwise.lower_bound_
    assert len(stepwise.lower_bounds_) == stepwise.n_iter_ and stepwise.converged_
    assert_allclose(stepwise.lower_bound_, plain.lower_bound_, atol=1e-5)
    assert_array_equal(stepwise.predict(X), Stepwise(3, **parameters).fit_predict(X))


def counting(names):
    """A class that counts how often its steps are called."""

    def step(name):
        def call(self, *args, **kwargs):
            self.calls[name] = self.calls.get(name, 0) + 1
            return getattr(GaussianMixture, name)(self, *args, **kwargs)

        return call

    return type("Counting", (GaussianMixture,), {"calls": {}, **{name: step(name) for name in names}})


STEPS = [
    "_check_parameters",
    "_initialize_parameters",
    "_initialize",
    "_e_step",
    "_m_step",
    "_compute_lower_bound",
    "_get_parameters",
    "_set_parameters",
    "_estimate_log_prob",
    "_estimate_weighted_log_prob",
    "_estimate_log_weights",
    "_estimate_log_prob_resp",
    "_print_verbose_msg_init_beg",
    "_print_verbose_msg_iter_end",
    "_print_verbose_msg_init_end",
]


@pytest.mark.parametrize("name", STEPS)
def test_an_overridden_step_counts(clusters, name):
    X, _ = clusters
    model = counting([name])(3, random_state=0).fit(X)
    assert model.calls[name] >= 1
    per_iteration = {"_m_step": 0, "_e_step": 1, "_print_verbose_msg_iter_end": 0}
    if name in per_iteration:
        assert model.calls[name] == model.n_iter_ + per_iteration[name]
    assert model.reg_covar == "auto"


@pytest.mark.parametrize(
    "name", ["_estimate_log_prob", "_estimate_weighted_log_prob", "_estimate_log_weights"]
)
def test_an_overridden_density_counts_everywhere(clusters, name):
    X, _ = clusters
    plain = GaussianMixture(3, random_state=0, init_params="kmeans").fit(X)
    model = counting([name])(3, random_state=0)
    with pytest.raises(NotFittedError):
        model.predict(X)
    model._set_parameters(plain._get_parameters())
    for method in ("predict", "predict_proba", "score_samples"):
        before = model.calls.get(name, 0)
        assert_allclose(getattr(model, method)(X), getattr(plain, method)(X), rtol=1e-6, atol=1e-9)
        assert model.calls[name] > before
    assert_allclose(model.bic(X), plain.bic(X))


def test_a_step_can_be_replaced_in_an_instance(clusters):
    X, labels = clusters

    def by_labels(self, X, random_state):
        self._initialize(X, np.eye(3)[labels])

    model = GaussianMixture(3, max_iter=0)
    model._initialize_parameters = types.MethodType(by_labels, model)
    model.fit(X)
    assert_allclose(model.means_, [X[labels == k].mean(axis=0) for k in range(3)], rtol=1e-6)


def test_parameters_are_numbers_while_steps_run(clusters):
    class Reading(GaussianMixture):
        def _m_step(self, X, log_resp, xp=None):
            seen.append((self.reg_covar, self.init_params))
            raise RuntimeError

    seen = []
    model = Reading(3, init_params="auto")
    with pytest.raises(RuntimeError):
        model.fit(clusters[0])
    assert seen == [(1e-6, "kmeans")]
    assert (model.reg_covar, model.init_params) == ("auto", "auto")


@pytest.mark.parametrize(
    ("parameters", "weights", "match"),
    [
        ({"noise": True}, None, "noise cannot be used"),
        ({"trim": 0.1}, None, "trim cannot"),
        ({"constraints": Constraints(equal_weights=True)}, None, "constraints cannot"),
        ({"covariance_type": "factor"}, None, "covariance_type='factor' cannot"),
        ({}, 1.0, "sample_weight cannot"),
    ],
)
def test_what_steps_know_nothing_of_is_an_error(clusters, parameters, weights, match):
    X, _ = clusters
    given = None if weights is None else np.full(len(X), weights)
    with pytest.raises(ValueError, match=match):
        counting(["_m_step"])(3, **parameters).fit(X, sample_weight=given)


def test_restarts_and_warm_starts_step_by_step(clusters):
    X, _ = clusters
    cls = counting(["_m_step"])
    parameters = {"init_params": "random", "random_state": 0, "max_iter": 4, "tol": 0.0}
    with pytest.warns(ConvergenceWarning, match="did not converge"):
        one = cls(3, **parameters).fit(X)
    with pytest.warns(ConvergenceWarning, match="did not converge"):
        four = cls(3, n_init=4, **parameters).fit(X)
    assert four.lower_bound_ >= one.lower_bound_
    one.set_params(warm_start=True)
    before = one.lower_bound_
    with pytest.warns(ConvergenceWarning):
        one.fit(X)
    assert one.lower_bound_ > before


def test_messages_step_by_step(clusters, capsys):
    counting(["_m_step"])(3, verbose=2, verbose_interval=1, random_state=0).fit(clusters[0])
    out = capsys.readouterr().out
    assert (
        "Initialization 0\n" in out
        and "  Iteration 1\t ll change" in out
        and "Initialization converged." in out
    )


def test_parameters_of_a_tuple(clusters):
    X, _ = clusters
    source = GaussianMixture(3, random_state=0, init_params="kmeans").fit(X)
    weights, means, covariances, _ = source._get_parameters()
    model = GaussianMixture(covariance_type="full")
    model._set_parameters((weights, means, covariances, None))
    assert_allclose(model.score_samples(X), source.score_samples(X), rtol=1e-9)
    assert model.precisions_cholesky_.shape == (3, 2, 2)
