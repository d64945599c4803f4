"""The function behind the estimator: its result, its callback, the starts that it takes, what it refuses."""

from __future__ import annotations

import dataclasses
import math
import re
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import gaussmix
from gaussmix import FitStatus, fit_mixture
from gaussmix.errors import FitError
from tests.helpers import NAMES, near, random_mixture


@pytest.fixture
def data(make_clusters):
    return make_clusters(k=3, d=2, n=300, spread=1.0)


@pytest.mark.parametrize("name", NAMES)
def test_the_result_tells_how_it_went(make_clusters, name):
    X = make_clusters(name, k=3, spread=2.0).X
    result = fit_mixture(X, 3, covariance_type=name, random_state=0, max_iter=500, init_params="kmeans")
    assert result.status is FitStatus.CONVERGED and result.converged and result.advice == ""
    assert result.n_iter == len(result.history) - 1 > 0
    assert result.n_samples == len(X)
    assert result.mean_log_likelihood == result.history[-1]
    total = result.mixture.log_prob(X).sum()
    assert_allclose(result.log_likelihood, total, rtol=1e-10)
    p = result.mixture.n_parameters
    assert_allclose(result.bic, p * math.log(len(X)) - 2 * total, rtol=1e-10)
    assert_allclose(result.aic, 2 * p - 2 * total, rtol=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_every_likelihood_in_the_history_is_of_the_parameters_of_its_moment(make_clusters, name):
    data = make_clusters(name, k=3, spread=1.0)
    start = near(data.mixture, np.random.default_rng(1))
    options = {"covariance_type": name, "start": start, "tol": 0.0}
    whole = fit_mixture(data.X, 3, max_iter=5, **options)
    assert whole.n_iter == 5 and whole.status is FitStatus.MAX_ITER
    assert_allclose(whole.history[0], start.log_prob(data.X).mean(), rtol=1e-10)
    for i in range(6):
        part = fit_mixture(data.X, 3, max_iter=i, **options)
        assert part.history == whole.history[: i + 1]
        assert_allclose(part.mixture.log_prob(data.X).mean(), whole.history[i], rtol=1e-10)
    assert_array_equal(part.mixture.covariances, whole.mixture.covariances)


def test_a_result_is_frozen(data):
    result = fit_mixture(data.X, 2, random_state=0, init_params="kmeans")
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.status = FitStatus.CONVERGED
    with pytest.raises(ValueError, match="read-only"):
        result.mixture.means[0] = 0.0
    assert isinstance(result.history, tuple)


def test_it_emits_no_warning(data):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = fit_mixture(data.X, 3, max_iter=1, tol=0.0, random_state=0)
    assert result.status is FitStatus.MAX_ITER and "increase max_iter" in result.advice


def test_the_callback_sees_every_iteration_of_every_start(data):
    seen = []
    result = fit_mixture(
        data.X,
        3,
        n_init=3,
        max_iter=4,
        tol=0.0,
        random_state=0,
        on_progress=lambda p: seen.append(p) or False,
    )
    assert seen.pop(0).stage == "measuring the rows"
    assert [(p.start, p.iteration) for p in seen] == [(s, i) for s in (1, 2, 3) for i in (0, 1, 2, 3, 4)]
    assert {p.n_starts for p in seen} == {3} and {p.of for p in seen} == {None, 4}
    seen = [p for p in seen if p.iteration]
    values = np.array([p.mean_log_likelihood for p in seen]).reshape(3, 4)
    assert tuple(values[values[:, -1].argmax()]) == result.history[1:]


def test_the_callback_stops_the_fit(data):
    result = fit_mixture(
        data.X, 3, tol=0.0, random_state=0, on_progress=lambda p: p.iteration == 3, init_params="kmeans"
    )
    assert result.status is FitStatus.INTERRUPTED and not result.converged
    assert result.n_iter == 3
    assert "stopped" in result.advice
    assert_allclose(result.mixture.log_prob(data.X).mean(), result.mean_log_likelihood, rtol=1e-10)


def test_a_stopped_fit_keeps_the_best_start_so_far(make_clusters):
    """Stopped in the first iteration of the second start, the first start's converged mixture is the better."""
    X, seen = make_clusters(k=3, spread=3.0).X, []
    options = {"init_params": "random_from_data", "random_state": 0, "max_iter": 500}
    first = fit_mixture(X, 3, **options)

    def stop(progress):
        seen.append(progress)
        return progress.start == 2 and progress.iteration == 1

    stopped = fit_mixture(X, 3, n_init=5, on_progress=stop, **options)
    assert seen[-1].mean_log_likelihood < first.mean_log_likelihood, "or this tests nothing"
    assert stopped.status is FitStatus.INTERRUPTED
    assert stopped.history == first.history
    assert_array_equal(stopped.mixture.means, first.mixture.means)


@pytest.mark.parametrize("name", NAMES)
def test_a_mixture_as_the_start(make_clusters, name):
    data = make_clusters(name, k=3)
    kept = fit_mixture(data.X, 3, covariance_type=name, start=data.mixture, max_iter=0)
    assert kept.status is FitStatus.NOT_RUN and kept.advice == "" and kept.n_iter == 0
    assert_allclose(kept.mixture.means, data.mixture.means, rtol=1e-10)
    assert_allclose(kept.mixture.covariances, data.mixture.covariances, rtol=1e-9, atol=1e-12)


def test_a_random_generator_is_a_seed(data):
    means = [
        fit_mixture(
            data.X, 3, max_iter=0, init_params="random_from_data", random_state=generator
        ).mixture.means
        for generator in (np.random.default_rng(1), np.random.default_rng(1), np.random.default_rng(2))
    ]
    assert_array_equal(means[0], means[1])
    assert not np.allclose(means[0], means[2])


def test_names_of_the_features_are_kept(data):
    assert fit_mixture(
        data.X, 2, random_state=0, feature_names=["a", "b"], init_params="kmeans"
    ).mixture.feature_names == (
        "a",
        "b",
    )


WRONG_ARGUMENTS = {
    "covariance_type": ({"covariance_type": "ful"}, "covariance_type must be one of full, tied.*got 'ful'"),
    "init_params": (
        {"init_params": "best"},
        "init_params must be one of fast, auto, thorough, kmeans.*got 'best'",
    ),
    "weights": ({"sample_weight": np.ones(3)}, r"sample_weight must have the shape \(300,\)"),
    "negative weights": (
        {"sample_weight": np.full(300, -1.0)},
        "sample_weight must not be negative; that of row 0",
    ),
    "too many components": ({"n_components": 301}, "n_components = 301, n_samples = 300"),
    "no component": ({"n_components": 0}, "n_components"),
    "half a component": ({"n_components": 1.5}, "n_components"),
    "a negative number of iterations": ({"max_iter": -1}, "max_iter"),
    "no start": ({"n_init": 0}, "n_init"),
    "a negative ridge": ({"reg_covar": -1.0}, "reg_covar"),
    "a ridge of NaN": ({"reg_covar": np.nan}, "reg_covar"),
    "a negative tolerance": ({"tol": -1.0}, "tol"),
    "names of other features": ({"feature_names": ["a"]}, "feature_names"),
    "a start of fewer components": (
        {"start": random_mixture("full", 2, 2, np.random.default_rng(0))},
        r"start.*\(2, 2\)|n_components",
    ),
    "a start of more features": (
        {"start": random_mixture("full", 3, 5, np.random.default_rng(0))},
        r"start.*\(3, 5\)|n_features",
    ),
    "a start of another type": (
        {"start": random_mixture("diag", 3, 2, np.random.default_rng(0))},
        "covariance_type",
    ),
}


@pytest.mark.parametrize("what", WRONG_ARGUMENTS)
def test_wrong_arguments_are_refused_by_name(data, what):
    arguments, message = WRONG_ARGUMENTS[what]
    with pytest.raises(ValueError, match=message):
        fit_mixture(data.X, **{"n_components": 3, "random_state": 0} | arguments)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.full((9, 2), np.nan), r"X contains NaN or infinity: entry \(0, 0\) is nan \(18 such"),
        (np.where(np.arange(18).reshape(9, 2) == 5, np.inf, 1.0), r"entry \(2, 1\) is inf \(1 such"),
        (np.zeros(9), r"X must have two axes, \(n_samples, n_features\); got the shape \(9,\)"),
        (np.zeros((0, 2)), "n_samples = 0"),
        (np.zeros((9, 0)), "feature"),
        ([["a", "b"]] * 9, "X must hold numbers"),
        (np.ones((9, 2)) * 1j, "X must hold real numbers; complex"),
    ],
)
def test_wrong_rows_are_refused_by_place(X, message):
    with pytest.raises(ValueError, match=message):
        fit_mixture(X, 2)


def test_collapse_is_an_error_of_its_own():
    with pytest.raises(FitError, match="ill-defined empirical covariance"):
        fit_mixture(
            np.repeat([[0.0], [1.0]], 5, axis=0), 2, reg_covar=0.0, random_state=0, init_params="kmeans"
        )
    assert issubclass(FitError, ValueError)


def test_the_log_says_what_each_start_came_to(data, caplog):
    with caplog.at_level("INFO", logger="gaussmix"):
        fit_mixture(data.X, 3, n_init=2, random_state=0, max_iter=500, init_params="kmeans")
    lines = [record.message for record in caplog.records]
    assert len(lines) == 2
    assert re.match(r"start 1 of 2: converged after \d+ iterations, mean log-likelihood -?\d", lines[0])


def test_public_names():
    for name in gaussmix.__all__:
        assert getattr(gaussmix, name) is not None
    assert dir(gaussmix) == sorted(gaussmix.__all__)
    with pytest.raises(AttributeError, match="module 'gaussmix' has no attribute 'nothing'"):
        _ = gaussmix.nothing
