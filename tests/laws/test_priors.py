"""A prior is more statistics: the M-step is the maximum of likelihood times prior, and EM never goes down on it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import dirichlet, invgamma, invwishart, multivariate_normal

from gaussmix import FitStatus, Mixture, NormalInverseWishart, fit_mixture
from gaussmix.model.covariance import STRUCTURES
from tests.helpers import (
    assert_same_mixture,
    best_covariances,
    direct_joint,
    direct_responsibilities,
    near,
    random_mixture,
    stats_of,
)

problems = {"d": st.integers(1, 4), "k": st.integers(1, 3), "seed": st.integers(0, 2**32 - 1)}


def draw(name, k, d, seed):
    """Few rows, so that the prior counts, a start, and a prior of which nothing is a round number."""
    rng = np.random.default_rng(seed)
    mixture = random_mixture(name, k, d, rng)
    X, _ = mixture.sample(12 * k * (d + 1), rng)
    root = rng.normal(size=(d, d)) + np.eye(d)
    prior = NormalInverseWishart(
        mean=rng.normal(size=d),
        shrinkage=rng.choice([0.0, 0.01, 3.0]),
        dof=d + rng.uniform(0.0, 9.0),
        scale=rng.choice([0.1, 10.0]) * root @ root.T,
        concentration=rng.choice([1.0, 2.5]),
    )
    return X, near(mixture, rng), prior, rng


def log_density(prior, mixture):
    """The kernel of the prior's log-density in the data's coordinates, by SciPy's distributions where they are."""
    k, d = mixture.means.shape
    dense, form = mixture.dense_covariances, STRUCTURES[mixture.covariance_type].form
    shared = form.shared
    total = 0.0
    for j in range(k):
        if prior.shrinkage:
            total += multivariate_normal(prior.mean, dense[j] / prior.shrinkage).logpdf(mixture.means[j])
        if shared and j:
            continue
        block = form.block
        if block.general:
            total += invwishart(max(prior.dof, d), prior.scale).logpdf(dense[j])
        elif block.name == "squares":
            scales = np.diagonal(prior.scale) / 2
            total += invgamma(prior.dof / 2, scale=scales).logpdf(np.diagonal(dense[j])).sum()
        else:
            total += invgamma(prior.dof / 2, scale=np.trace(prior.scale) / d / 2).logpdf(dense[j][0, 0])
    return total + dirichlet(np.full(k, prior.concentration)).logpdf(mixture.weights)


@given(**problems)
def test_em_never_goes_down_on_likelihood_times_prior(name, d, k, seed):
    X, start, prior, _ = draw(name, k, d, seed)
    for asked in (prior, "mclust"):
        result = fit_mixture(
            X, k, covariance_type=name, start=start, prior=asked, reg_covar=0.0, tol=0.0, max_iter=10
        )
        assert result.n_iter == 10 and len(result.log_priors) == 11
        assert (np.diff(result.objective) >= -1e-12 * (1.0 + np.abs(result.objective[1:]))).all()
        assert_allclose(result.mean_log_likelihood, result.mixture.log_prob(X).mean(), rtol=1e-9, atol=1e-9)


@given(**problems)
def test_what_is_reported_of_the_prior_is_its_density_but_for_a_constant(name, d, k, seed):
    X, start, prior, _ = draw(name, k, d, seed)
    options = {"covariance_type": name, "prior": prior, "reg_covar": 0.0, "tol": 0.0}
    ends = [fit_mixture(X, k, start=start, max_iter=n, **options) for n in (0, 1, 4)]
    theirs = [log_density(prior, end.mixture) for end in ends]
    ours = [end.log_prior for end in ends]
    assert_allclose(np.diff(ours), np.diff(theirs), rtol=1e-8, atol=1e-7)


@given(**problems)
def test_an_iteration_beats_every_perturbation_of_its_parameters(name, d, k, seed):
    X, start, prior, rng = draw(name, k, d, seed)
    best = fit_mixture(
        X, k, covariance_type=name, start=start, prior=prior, reg_covar=0.0, tol=0.0, max_iter=1
    ).mixture
    R = direct_responsibilities(start, X)

    def expected(mixture):
        return float((R * direct_joint(mixture, X)).sum()) + log_density(prior, mixture)

    top = expected(best)
    stats, other = stats_of(name, X, R), stats_of(name, X * np.exp(0.5 * rng.normal(size=d)), R)
    for size in (1e-3, 3e-2, 0.5):
        weights = best.weights * np.exp(size * rng.normal(size=k))
        weights = (weights + 1e-9) / (weights + 1e-9).sum()
        means = best.means + size * np.sqrt(best.variances) * rng.normal(size=(k, d))
        # the family is no convex set: mix moments, not covariances
        moved = best_covariances(name, stats.scale(1.0 - size) + other.scale(size))
        for changed in (
            (weights, best.means, best.covariances),
            (best.weights, means, best.covariances),
            (best.weights, best.means, best.covariances * np.exp(size)),
            (best.weights, best.means, best.covariances * np.exp(-size)),
            (weights, means, moved),
        ):
            assert expected(Mixture(*changed, name)) <= top + 1e-9 * (1.0 + abs(top))


@given(**problems, log_unit=st.floats(-8, 8))
def test_the_named_prior_knows_no_units(name, d, k, seed, log_unit):
    X, start, _, rng = draw(name, k, d, seed)
    structure = STRUCTURES[name]
    unit = np.asarray(10.0**log_unit)
    if structure.group == "affine":  # its prior is as equivariant as the family
        unit = unit * np.exp(rng.normal(size=d))
    offset = unit * rng.normal(size=d)

    def mapped(mixture):
        covariances = structure.algebra.map_covariances(mixture.covariances, unit)
        return Mixture(mixture.weights, mixture.means * unit + offset, covariances, name)

    options = {"covariance_type": name, "prior": "mclust", "tol": 0.0, "max_iter": 5}
    plain = fit_mixture(X, k, start=start, **options)
    other = fit_mixture(X * unit + offset, k, start=mapped(start), **options)
    assert_same_mixture(other.mixture, mapped(plain.mixture), 1e-7)


def test_a_prior_keeps_every_family_from_collapsing(name):
    """Two equal rows for a component, where the likelihood has no maximum."""
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(30, 2)), np.full((2, 2), 6.0)])
    result = fit_mixture(
        X, 2, covariance_type=name, prior="mclust", init_params="kmeans", reg_covar=0.0, random_state=0
    )
    assert result.status is FitStatus.CONVERGED and result.collapsed == ()
    assert result.mixture.variances.min() > 1e-3


def test_convergence_is_judged_with_the_prior():
    """From a start of the highest likelihood, the likelihood falls as the prior has its say."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 2))
    start = fit_mixture(X, 1, tol=0.0).mixture
    prior = NormalInverseWishart(mean=[3.0, 0.0], shrinkage=5.0, scale=4.0)
    result = fit_mixture(X, 1, start=start, prior=prior, tol=1e-9)
    assert result.history[1] < result.history[0]
    assert result.objective[1] > result.objective[0] and result.converged
    assert_allclose(result.mixture.means[0], (20 * X.mean(axis=0) + 5 * np.array([3.0, 0.0])) / 25)

    X = np.concatenate([X, rng.normal(2.0, 1.0, size=(20, 2))])
    options = {"prior": prior, "init_params": "kmeans", "random_state": 0}
    long = fit_mixture(X, 2, tol=0.0, max_iter=30, **options)
    likelihood, both = (np.abs(np.diff(values)) for values in (long.history, long.objective))
    tol = 0.5 * (likelihood[3] + both[3])
    first = int(np.argmax(both < tol))
    assert first != int(np.argmax(likelihood < tol))
    assert (
        fit_mixture(X, 2, tol=tol, **options).n_iter == first + 2
    )  # the change that the next iteration sees


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"shrinkage": -1.0}, "shrinkage must be a finite number of at least 0"),
        ({"concentration": 0.5}, "concentration must be at least 1"),
        ({"scale": [[1.0, 2.0], [0.0, 1.0]]}, "must be symmetric"),
        ({"scale": [[1.0, 2.0], [2.0, 1.0]]}, "no negative eigenvalue; the smallest is -1"),
        ({"scale": np.ones((2, 3))}, "square matrix"),
        ({"mean": [np.nan]}, "the prior's mean contains NaN"),
    ],
)
def test_a_wrong_prior_is_told(wrong, message):
    with pytest.raises(ValueError, match=message):
        NormalInverseWishart(**wrong)


def test_a_prior_for_other_features_or_of_no_known_name_is_told():
    X = np.random.default_rng(0).normal(size=(9, 2))
    for prior, message in (
        (NormalInverseWishart(mean=[0.0] * 3), r"mean must have the shape \(2,\); got \(3,\)"),
        (NormalInverseWishart(scale=np.eye(3)), r"of the shape \(2,\) or \(2, 2\); got \(3, 3\)"),
        ("flat", "prior must be mclust or fraley-raftery, or a NormalInverseWishart; got 'flat'"),
    ):
        with pytest.raises(ValueError, match=message):
            fit_mixture(X, 1, prior=prior)
