"""EM never goes down, and its M-step is a maximum: of the expected log-likelihood, written out here."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import gaussmix
from gaussmix import FitStatus, Mixture, fit_mixture
from tests.helpers import (
    EXECUTORS,
    best_covariances,
    direct_joint,
    direct_log_prob,
    direct_responsibilities,
    environment,
    near,
    random_mixture,
    stats_of,
)

problems = {"d": st.integers(1, 5), "k": st.integers(1, 4), "seed": st.integers(0, 2**32 - 1)}


def draw(name, k, d, seed, weighted=False):
    """Enough rows of a mixture that no component runs out of them, their weights, and a start nearby."""
    rng = np.random.default_rng(seed)
    mixture = random_mixture(name, k, d, rng)
    X, _ = mixture.sample(40 * k * (d + 1), rng)
    return X, rng.uniform(0.2, 2.0, len(X)) if weighted else None, near(mixture, rng), rng


@given(**problems, weighted=st.booleans(), reg=st.sampled_from([0.0, 1e-13]))
def test_em_never_goes_down(name, d, k, seed, weighted, reg):
    X, weights, start, _ = draw(name, k, d, seed, weighted)
    result = fit_mixture(
        X,
        k,
        covariance_type=name,
        start=start,
        sample_weight=weights,
        reg_covar=reg * X.var(axis=0).min(),
        tol=0.0,
        max_iter=15,
    )
    steps = np.diff(result.history)
    assert len(steps) > 0
    assert (steps >= -1e-12 * (1.0 + np.abs(result.history[1:]))).all()


@given(**problems)
def test_em_in_single_precision_goes_down_by_rounding_only(name, d, k, seed):
    X, _, start, _ = draw(name, k, d, seed)
    history = fit_mixture(
        X.astype(np.float32), k, covariance_type=name, start=start, reg_covar=0.0, tol=0.0, max_iter=15
    ).history
    assert (np.diff(history) >= -2e-6 * (1.0 + np.abs(history[1:]))).all()


@pytest.mark.parametrize("executor", EXECUTORS)
@given(**problems)
def test_em_never_goes_down_whoever_computes(name, executor, d, k, seed):
    X, weights, start, _ = draw(name, k, d, seed, weighted=True)
    with environment(GAUSSMIX_EXECUTOR=executor):
        history = fit_mixture(
            X, k, covariance_type=name, start=start, sample_weight=weights, reg_covar=0.0, tol=0.0, max_iter=6
        ).history
    assert (np.diff(history) >= -1e-12 * (1.0 + np.abs(history[1:]))).all()
    # and it is the likelihood of the definition
    assert_allclose(history[0], np.average(direct_log_prob(start, X), weights=weights), rtol=1e-9, atol=1e-9)


@given(**problems)
def test_a_converged_fit_is_a_fixed_point(name, d, k, seed):
    X, _, start, _ = draw(name, k, d, seed)
    options = {"covariance_type": name, "reg_covar": 0.0}
    end = fit_mixture(X, k, start=start, tol=1e-9, max_iter=3000, **options)
    assume(end.status is FitStatus.CONVERGED)
    more = fit_mixture(X, k, start=end.mixture, tol=0.0, max_iter=1, **options)
    assert abs(more.history[1] - more.history[0]) < 2e-9


class Expected:
    """Q(theta) = sum_ik w_i r_ik log(pi_k N(x_i | mu_k, Sigma_k)), with SciPy's densities."""

    def __init__(self, X, R, weights=None):
        self.X, self.R = X, R if weights is None else R * weights[:, None]

    def __call__(self, mixture):
        return float((self.R * direct_joint(mixture, self.X)).sum() / self.R.sum())


def perturbations(best, stats, other_stats, rng):
    """Members of the family around `best`: a little and much off, in one parameter or in all."""
    k = best.n_components
    typical = np.sqrt(best.variances)
    for size in (1e-3, 1e-2, 0.1, 1.0):
        weights = best.weights * np.exp(size * rng.normal(size=k))
        weights /= weights.sum()
        means = best.means + size * typical * rng.normal(size=best.means.shape)
        # towards the covariances of other rows, by a path within the family
        moved = best_covariances(
            best.covariance_type, stats.scale(1.0 - 0.5 * size) + other_stats.scale(0.5 * size)
        )
        yield weights, best.means, best.covariances
        yield best.weights, means, best.covariances
        for factor in (np.exp(size), np.exp(-size)):
            yield best.weights, best.means, best.covariances * factor
        yield best.weights, best.means, moved
        yield weights, means, moved


def assert_best(best, stats, other_stats, expected, rng):
    name, top = best.covariance_type, expected(best)
    for weights, means, covariances in perturbations(best, stats, other_stats, rng):
        worse = expected(Mixture(weights, means, covariances, name))
        assert worse <= top + 1e-11 * (1.0 + abs(top))


@given(**problems, weighted=st.booleans())
def test_an_m_step_beats_every_perturbation_of_its_parameters(name, d, k, seed, weighted):
    rng = np.random.default_rng(seed)
    n = 10 * k * (d + 2)
    X = rng.normal(size=(n, d)) @ (np.eye(d) + 0.4 * rng.normal(size=(d, d))) + rng.normal(size=d)
    R, other_R = rng.dirichlet(np.full(k, 0.4), size=(2, n))
    weights = rng.uniform(0.1, 3.0, n) if weighted else None
    stats = stats_of(name, X, R, weights, centres=rng.normal(size=(k, d)))
    other = stats_of(name, X * np.exp(rng.normal(size=d)), other_R, weights)
    best = Mixture(stats.counts / stats.counts.sum(), stats.means(), best_covariances(name, stats), name)
    assert_best(best, stats, other, Expected(X, R, weights), rng)


@given(**problems, weighted=st.booleans())
def test_one_iteration_of_a_fit_beats_every_perturbation(name, d, k, seed, weighted):
    """The whole way: kernel, statistics, M-step and the map back into the coordinates of the data."""
    X, weights, start, rng = draw(name, k, d, seed, weighted)
    result = fit_mixture(
        X, k, covariance_type=name, start=start, sample_weight=weights, reg_covar=0.0, tol=0.0, max_iter=1
    )
    assert result.n_iter == 1
    R = direct_responsibilities(start, X)
    stats = stats_of(name, X, R, weights)
    other = stats_of(
        name, X * np.exp(0.5 * rng.normal(size=d)), rng.dirichlet(np.ones(k), size=len(X)), weights
    )
    assert_best(result.mixture, stats, other, Expected(X, R, weights), rng)


@given(**problems)
def test_one_component_is_fitted_by_its_moments(name, d, k, seed):
    X, *_ = draw(name, 1, d, seed)
    result = fit_mixture(X, 1, covariance_type=name, reg_covar=0.0)
    assert_allclose(result.mixture.means[0], X.mean(axis=0), rtol=1e-10, atol=1e-12)
    covariance = np.atleast_2d(np.cov(X.T, bias=True))
    of_the_family = {
        "full": covariance,
        "tied": covariance,
        "diag": np.diag(np.diagonal(covariance)),
        "spherical": np.eye(d) * np.diagonal(covariance).mean(),
    }
    if name in of_the_family:
        scale = np.diagonal(covariance).max()
        assert_allclose(
            result.mixture.dense_covariances[0], of_the_family[name], rtol=1e-9, atol=1e-11 * scale
        )
    assert result.mixture.weights.tolist() == [1.0]
    assert result.n_iter <= 2


def test_more_components_fit_no_worse(name):
    """A fit that starts from a solution with one of its components split in two equal halves cannot lose."""
    X, _, start, _ = draw(name, 3, 2, seed=11)
    options = {"covariance_type": name, "reg_covar": 0.0, "max_iter": 50}
    three = fit_mixture(X, 3, start=start, **options).mixture
    halves = [0, 0, 1, 2]
    own = three.covariances[halves] if len(three.covariances) == 3 else three.covariances
    nudge = np.array([[1e-3], [-1e-3], [0.0], [0.0]])
    weights = three.weights[halves] * [0.5, 0.5, 1.0, 1.0]
    four = gaussmix.Mixture(weights, three.means[halves] + nudge, own, name)
    assert fit_mixture(X, 4, start=four, **options).mean_log_likelihood >= three.log_prob(X).mean() - 1e-9
