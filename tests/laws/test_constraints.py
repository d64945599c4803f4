"""Constraints hold, EM climbs among what satisfies them, and its M-step is the best of that."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gaussmix import Constraints, FitStatus, GaussianMixture, Mixture, fit_mixture
from gaussmix.model.bounds import clip_values
from gaussmix.model.constraints import bound_weights
from gaussmix.model.covariance import STRUCTURES
from tests.helpers import (
    NAMES,
    assert_same_mixture,
    direct_joint,
    direct_responsibilities,
    near,
    precisions,
    random_mixture,
    start_parameters,
)

#: Families of which the components share nothing, or all.
BOUNDED = [name for name in NAMES if not STRUCTURES[name].coupled]
#: Of which they share nothing.
OWN = [name for name in BOUNDED if not STRUCTURES[name].shared]
problems = {"d": st.integers(1, 4), "k": st.integers(1, 4), "seed": st.integers(0, 2**32 - 1)}
ratios = st.sampled_from([1.0, 1.5, 8.0, 1e3])


def draw(name, k, d, seed):
    rng = np.random.default_rng(seed)
    mixture = random_mixture(name, k, d, rng)
    X, labels = mixture.sample(20 * k * (d + 1), rng)
    size = np.exp(rng.normal(size=k))[labels, None]  # so that a ratio of spreads is met
    return mixture.means[labels] + size * (X - mixture.means[labels]), near(mixture, rng), rng


def spread(mixture):
    """The largest over the smallest eigenvalue, and determinant."""
    values = np.linalg.eigvalsh(mixture.dense_covariances)
    volumes = values.prod(axis=1)
    return values.max() / values.min(), volumes.max() / volumes.min()


class TestProblems:
    """The two little problems that an M-step comes to."""

    @given(n=st.integers(1, 12), ratio=st.floats(1.0, 1e4), seed=st.integers(0, 2**32 - 1))
    def test_values_within_a_ratio(self, n, ratio, seed):
        rng = np.random.default_rng(seed)
        values, weights = np.exp(3.0 * rng.normal(size=n)), rng.uniform(size=n) * (rng.random(n) < 0.8)
        values[rng.random(n) < 0.2] = 0.0
        assume(((weights > 0) & (values > 0)).any())
        found = clip_values(values, weights, ratio, 0.0)
        assert found.max() <= ratio * found.min() * (1.0 + 1e-12)

        def loss(x):
            return weights @ (np.log(x) + values / x)

        if found.min() > 0.0:
            # the answer is the values clip_values to [m, ratio m]; no other m does better
            for m in np.geomspace(1e-6, 1e6, 97) * found.min():
                assert loss(np.clip(values, m, ratio * m)) >= loss(found) - 1e-9 * (1 + abs(loss(found)))

    @given(n=st.integers(1, 9), share=st.floats(0.0, 1.0), seed=st.integers(0, 2**32 - 1))
    def test_weights_not_under_a_bound(self, n, share, seed):
        rng = np.random.default_rng(seed)
        counts, least = rng.gamma(0.3, size=n) + 1e-6, share / n
        best = bound_weights(counts, least)
        assert_allclose(best.sum(), 1.0, rtol=1e-12)
        assert (best >= least).all()
        for _ in range(20):
            other = least + (1.0 - least * n) * rng.dirichlet(np.ones(n))
            mixed = 0.9 * best + 0.1 * other
            for w in (other, mixed):
                assert counts @ np.log(w) <= counts @ np.log(best) + 1e-9 * (1 + abs(counts @ np.log(best)))


@pytest.mark.parametrize("which", [0, 1], ids=["eigenvalues", "determinants"])
@pytest.mark.parametrize("name", BOUNDED)
class TestRatio:
    @given(**problems, ratio=ratios)
    def test_holds_and_em_climbs(self, name, which, d, k, seed, ratio):
        X, start, _ = draw(name, k, d, seed)
        asked = Constraints(**{("eigenvalue_ratio", "determinant_ratio")[which]: ratio})
        for reg_covar in ("auto", 0.0):
            result = fit_mixture(
                X,
                k,
                covariance_type=name,
                start=start,
                constraints=asked,
                reg_covar=reg_covar,
                tol=0.0,
                max_iter=8,
            )
            assert result.n_iter == 8
            assert spread(result.mixture)[which] <= ratio * (1.0 + 1e-9)
            assert (np.diff(result.history) >= -1e-12 * (1.0 + np.abs(result.history[1:]))).all()
            assert_allclose(
                result.mean_log_likelihood, result.mixture.log_prob(X).mean(), rtol=1e-9, atol=1e-9
            )

    @given(**problems, ratio=ratios)
    def test_one_iteration_beats_what_else_holds(self, name, which, d, k, seed, ratio):
        X, start, rng = draw(name, k, d, seed)
        asked = Constraints(**{("eigenvalue_ratio", "determinant_ratio")[which]: ratio})
        options = {"covariance_type": name, "constraints": asked, "reg_covar": 0.0, "tol": 0.0}
        start = fit_mixture(X, k, start=start, max_iter=0, **options).mixture  # one that satisfies them
        best = fit_mixture(X, k, start=start, max_iter=1, **options).mixture
        R, structure = direct_responsibilities(start, X), STRUCTURES[name]

        def expected(mixture):
            return float((R * direct_joint(mixture, X)).sum() / R.sum())

        top = expected(best)
        for size in (1e-3, 0.03, 0.3):
            noise = np.exp(size * rng.normal(size=best.covariances.shape))
            if (
                best.covariances.shape[-2:] == (d, d)
                and best.covariances.ndim >= 2
                and structure.group == "affine"
            ):
                turn = np.eye(d) + size * rng.normal(size=(*best.covariances.shape[:-2], d, d))
                moved = turn @ best.covariances @ np.swapaxes(turn, -1, -2)
            else:
                moved = best.covariances * noise
            for changed in (moved, best.covariances * np.exp(size), best.covariances * np.exp(-size)):
                other = Mixture(best.weights, best.means, changed, name)
                if spread(other)[which] <= ratio:
                    assert expected(other) <= top + 1e-10 * (1.0 + abs(top))


@pytest.mark.parametrize("name", OWN)
def test_a_ratio_that_is_met_changes_nothing(name):
    X, start, _ = draw(name, 3, 3, 0)
    options = {"covariance_type": name, "start": start, "tol": 0.0, "max_iter": 10}
    # where eigenvalues are bounded the frame is another, in which an accelerated path is, too
    for asked, acceleration in (
        (Constraints(eigenvalue_ratio=1e6), None),
        (Constraints(determinant_ratio=1e6), "auto"),
    ):
        free, bound = (
            fit_mixture(X, 3, constraints=constraints, acceleration=acceleration, **options)
            for constraints in (None, asked)
        )
        assert_same_mixture(bound.mixture, free.mixture, 1e-8)


@pytest.mark.parametrize("reg_covar", ["auto", 0.0, 1e-6])
@pytest.mark.parametrize("name", OWN)
def test_two_equal_rows_do_not_make_a_component_collapse(name, reg_covar):
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(60, 3)), np.full((2, 3), 6.0)])
    start = fit_mixture(
        *(X, 2),
        covariance_type=name,
        constraints=Constraints(eigenvalue_ratio=1),
        init_params="kmeans",
        random_state=0,
    )
    result = fit_mixture(
        X,
        2,
        covariance_type=name,
        start=start.mixture,
        reg_covar=reg_covar,
        constraints=Constraints(eigenvalue_ratio=100),
        max_iter=500,
    )
    assert result.status is FitStatus.CONVERGED and result.advice == ""
    assert_allclose(sorted(result.mixture.weights), [2 / 62, 60 / 62], atol=1e-6)
    assert_allclose(spread(result.mixture)[0], 100.0, rtol=1e-9)
    assert result.mixture.variances.min() > 5e-3


@given(**problems, least=st.floats(0.0, 1.0))
def test_weights_that_are_bounded_or_equal(name, d, k, seed, least):
    X, start, _ = draw(name, k, d, seed)
    options = {"covariance_type": name, "start": start, "reg_covar": 0.0, "tol": 0.0, "max_iter": 5}
    equal = fit_mixture(X, k, constraints=Constraints(equal_weights=True), **options)
    bounded = fit_mixture(X, k, constraints=Constraints(min_weight=least / k), **options)
    assert_array_equal(equal.mixture.weights, np.full(k, 1.0 / k))
    assert bounded.mixture.weights.min() >= least / k - 1e-15
    assert_allclose(bounded.mixture.weights.sum(), 1.0, rtol=1e-12)
    for result in (equal, bounded):
        assert (np.diff(result.history) >= -1e-12 * (1.0 + np.abs(result.history[1:]))).all()
    assert equal.n_parameters == equal.mixture.n_parameters - (k - 1)
    assert bounded.n_parameters == bounded.mixture.n_parameters


@given(**problems)
def test_what_is_fixed_stays_to_the_bit_and_em_climbs(name, d, k, seed):
    X, start, rng = draw(name, k, d, seed)
    structure = STRUCTURES[name]
    single = not structure.coupled and not structure.shared
    some = np.flatnonzero(rng.random(k) < 0.5).tolist()
    own = some if single else bool(rng.random() < 0.5)
    asked = Constraints(fixed_weights=some, fixed_means=some, fixed_covariances=own)
    result = fit_mixture(
        X, k, covariance_type=name, start=start, constraints=asked, reg_covar=0.0, tol=0.0, max_iter=5
    )
    mixture = result.mixture
    assert_allclose(mixture.weights[some], start.weights[some], rtol=1e-14)
    assert_array_equal(mixture.means[some], start.means[some])
    held = mixture.precisions_cholesky[some] if single else mixture.precisions_cholesky
    if own:
        assert_array_equal(held, start.precisions_cholesky[some] if single else start.precisions_cholesky)
    assert_allclose(mixture.weights.sum(), 1.0, rtol=1e-12)
    assert (np.diff(result.history) >= -1e-12 * (1.0 + np.abs(result.history[1:]))).all()
    assert_allclose(result.mean_log_likelihood, mixture.log_prob(X).mean(), rtol=1e-9, atol=1e-9)
    count = min(len(some), k - 1) + d * len(some)
    if own:
        count += structure.n_covariance_parameters(len(some) if single else k, d)
    assert result.n_fixed_parameters == count


def test_covariances_beside_a_fixed_mean_are_moments_about_it():
    X = np.random.default_rng(0).normal(size=(50, 2))
    start = Mixture([1.0], [[3.0, 0.0]], [np.eye(2)])
    mixture = fit_mixture(X, 1, start=start, constraints=Constraints(fixed_means=True)).mixture
    about = X - [3.0, 0.0]
    assert_allclose(mixture.covariances[0], about.T @ about / 50, rtol=1e-10)


def test_the_estimator_counts_and_keeps_what_is_fixed():
    X, start, _ = draw("full", 3, 2, 3)
    parameters = start_parameters(start)
    model = GaussianMixture(
        3, **parameters, constraints=Constraints(fixed_means=[0, 2], equal_weights=True)
    ).fit(X)
    assert_array_equal(model.means_[[0, 2]], start.means[[0, 2]])
    p = model.mixture_.n_parameters - 2 - 4
    assert_allclose(model.bic(X), p * np.log(len(X)) - 2 * len(X) * model.score(X))
    assert_allclose(model.bic(X), model.fit_result_.bic)
    assert_allclose(model.aic(X), 2 * p - 2 * len(X) * model.score(X))
    # the means that are given say which component is which, so rows go to the nearest of them
    alone = GaussianMixture(3, means_init=start.means, constraints=Constraints(fixed_means=True)).fit(X)
    assert_array_equal(alone.means_, start.means)


def test_a_prior_goes_with_constraints():
    X, start, _ = draw("full", 3, 2, 3)
    asked = Constraints(eigenvalue_ratio=3.0, min_weight=0.2, fixed_means=[1])
    result = fit_mixture(X, 3, start=start, prior="mclust", constraints=asked, tol=0.0, max_iter=20)
    assert (np.diff(result.objective) >= -1e-12 * (1.0 + np.abs(result.objective[1:]))).all()
    assert spread(result.mixture)[0] <= 3.0 * (1 + 1e-9) and result.mixture.weights.min() >= 0.2 - 1e-15
    assert_array_equal(result.mixture.means[1], start.means[1])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"eigenvalue_ratio": 0.5}, "eigenvalue_ratio must be at least 1"),
        ({"eigenvalue_ratio": np.nan}, "eigenvalue_ratio must be a finite number"),
        ({"eigenvalue_ratio": 2.0, "determinant_ratio": 2.0}, "not both"),
        ({"determinant_ratio": 2.0, "fixed_covariances": [0]}, "fixed_covariances does not go with it"),
        ({"min_weight": -0.1}, "min_weight must be a finite number of at least 0"),
        ({"min_weight": 0.1, "equal_weights": True}, "drop them"),
        ({"fixed_means": "all"}, "fixed_means must be True, False, or the numbers of components"),
        ({"fixed_means": [0.5]}, "numbers of components"),
        ({"fixed_weights": [1, 1]}, "each once"),
    ],
)
def test_wrong_constraints_are_told(wrong, message):
    with pytest.raises(ValueError, match=message):
        Constraints(**wrong)


@pytest.mark.parametrize(
    ("asked", "options", "message"),
    [
        ({"eigenvalue_ratio": 2.0}, {"covariance_type": "VEV"}, "not for 'VEV'; use 'full'"),
        ({"min_weight": 0.4}, {}, "min_weight=0.4 for 3 components adds up to more than 1"),
        ({"fixed_means": [3]}, {}, "fixed_means names component 3, but the last of 3 is 2"),
        ({"fixed_means": True}, {}, "which gives none: pass means_init"),
        ({"fixed_covariances": True}, {"means_init": np.zeros((3, 2))}, "pass precisions_init"),
        ({"fixed_covariances": [0]}, {"covariance_type": "tied"}, "fix all"),
        ({"fixed_weights": [0], "min_weight": 0.2}, {"weights_init": [0.1, 0.4, 0.5]}, "do not go together"),
        ({"fixed_weights": [0], "min_weight": 0.2}, {"weights_init": [0.7, 0.1, 0.2]}, "do not go together"),
    ],
)
def test_constraints_that_do_not_go_with_the_fit_are_told(asked, options, message):
    X = np.random.default_rng(0).normal(size=(30, 2))
    with pytest.raises(ValueError, match=message):
        GaussianMixture(3, constraints=Constraints(**asked), **options).fit(X)


def test_a_warm_start_keeps_what_was_fixed():
    X, start, _ = draw("diag", 2, 2, 5)
    asked = Constraints(fixed_covariances=[0])
    model = GaussianMixture(
        2,
        covariance_type="diag",
        precisions_init=precisions(start),
        constraints=asked,
        warm_start=True,
        random_state=0,
    )
    once = model.fit(X).covariances_[0]
    assert_allclose(once, start.covariances[0], rtol=1e-12)
    assert_allclose(model.fit(X).covariances_[0], once, rtol=1e-12)
