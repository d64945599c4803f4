"""Tempered passes by their definition, and what a start by deterministic annealing has to do."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import logsumexp

from gaussmix import fit_mixture
from gaussmix.data.rows import Rows
from gaussmix.engines.local import LocalEngine
from gaussmix.fit.starts import annealing
from gaussmix.model.covariance import FACTORS, KNOWN, get_structure
from tests.helpers import EXECUTORS, KINDS, direct_joint, environment, random_mixture


def engine_of(name, k=3, d=2, n=400, seed=0, weights=None):
    """An engine over rows of a mixture of the family, and that mixture in its frame."""
    rng = np.random.default_rng(seed)
    mixture = random_mixture(name, k, d, rng)
    structure = get_structure(name, d)
    engine = LocalEngine(Rows(mixture.sample(n, rng)[0], weights), structure)
    return engine, mixture.seen_from(engine.frame)


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("name", [*KINDS, "noise"])
@pytest.mark.parametrize("beta", [0.1, 0.7, 3.0])
def test_a_tempered_pass_is_its_definition(name, executor, beta):
    """Responsibilities in proportion to (w N)^beta, statistics under them, and the sum of their logarithms."""
    with_noise, name = name == "noise", "full" if name == "noise" else name
    rng = np.random.default_rng(5)
    weights = rng.uniform(0.2, 2.0, 400)
    with environment(GAUSSMIX_EXECUTOR=executor):
        engine, mixture = engine_of(name, weights=weights)
        natural = mixture.natural
        Z = np.ascontiguousarray(engine.frame.apply(engine.rows.array).T)
        joint = direct_joint(mixture, Z)
        if not with_noise:
            found = engine.accumulate(mixture, beta=beta)
            stats = found.moments
            assert_allclose(found.log_likelihood, weights @ logsumexp(beta * joint, axis=1), rtol=1e-9)
            R = np.exp(beta * joint - logsumexp(beta * joint, axis=1, keepdims=True)) * weights[:, None]
            assert_allclose(stats.counts, R.sum(axis=0), rtol=1e-9)
            assert_allclose(stats.means(), (R.T @ Z) / R.sum(axis=0)[:, None], rtol=1e-8, atol=1e-9)
            given = engine.accumulate_given(lambda rows: (R / weights[:, None])[rows].T, 3)
            moments = engine.structure.moments
            assert_allclose(moments(stats), moments(given), rtol=1e-8, atol=1e-9)
        else:
            from dataclasses import replace

            noisy = replace(natural, noise=-3.0).temper(beta)
            assert_allclose(noisy.matrix, beta * replace(natural, noise=-3.0).matrix, rtol=1e-12)
            assert noisy.n_rows == 4


@pytest.mark.parametrize("executor", ["blas", "centred"])
@pytest.mark.parametrize("beta", [0.2, 0.8])
def test_tempered_factor_analysers(executor, beta):
    """Their moments are along the axes of the mixture, not of the tempered one: an M-step counts on that."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(300, 4)) @ rng.normal(size=(4, 4)) + rng.integers(2, size=(300, 1)) * 3.0
    begun = fit_mixture(X, 2, covariance_type="factor", n_factors=2, max_iter=2, random_state=0).mixture
    with environment(GAUSSMIX_EXECUTOR=executor):
        engine = LocalEngine(Rows(X), begun.structure)
        mixture = begun.seen_from(engine.frame)
        found = engine.accumulate(mixture, beta=beta)
    stats = found.moments
    Z = np.ascontiguousarray(engine.frame.apply(X).T)
    joint = beta * direct_joint(mixture, Z)
    R = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
    assert_allclose(found.log_likelihood, logsumexp(joint, axis=1).sum(), rtol=1e-10)
    assert_allclose(stats.axes, mixture.natural.axes, rtol=1e-10)
    given = engine.accumulate_given(lambda rows: R[rows].T, 2, stats.centres, stats.axes)
    assert_allclose(stats.second, given.second, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", KINDS)
def test_parts_of_the_rows_add_up(name):
    """Also where the total scatter is no business of a pass."""
    engine, mixture = engine_of(name, weights=np.random.default_rng(2).uniform(0.5, 2.0, 400))
    order = np.random.default_rng(3).permutation(400)
    whole, one, other = (
        part.accumulate(mixture) for part in (engine, engine.take(order[:150]), engine.take(order[150:]))
    )
    both = one + other
    assert_allclose(both.log_likelihood, whole.log_likelihood, rtol=1e-9, atol=1e-9)
    both, whole = both.moments, whole.moments
    for found in ("counts", "first", "second", "pooled"):
        assert_allclose(getattr(both, found), getattr(whole, found), rtol=1e-9, atol=1e-9)
    structure = engine.structure
    assert_allclose(structure.estimate(both), structure.estimate(whole), rtol=1e-8, atol=1e-10)


def test_components_part_at_the_beta_where_the_schedule_begins():
    """A small shift of the means is multiplied by beta / s in a pass: nothing happens before, all after."""
    engine, _ = engine_of("full", k=3, d=3)
    share = 1.0 / 9.0
    mixture = annealing.make_equal_mixture(engine, 3, share)
    shifts = 1e-4 * np.random.default_rng(0).standard_normal((3, 3))
    shifts -= shifts.mean(axis=0)
    for beta in annealing.make_schedule(share):
        moved = engine.accumulate(mixture.replace(means=mixture.means + shifts), beta=beta).moments.means()
        assert_allclose(moved - mixture.means, beta / share * shifts, rtol=2e-3, atol=1e-8)
    assert (
        annealing.make_schedule(share)[0] == pytest.approx(share)
        and annealing.make_schedule(share)[-1] == 1.0
    )
    assert annealing.make_schedule(1.0).tolist() == [1.0]


def grid(seed=0, n=60):
    """Nine clusters, three by three, apart."""
    rng = np.random.default_rng(seed)
    centres = np.array([[i, j] for i in range(3) for j in range(3)]) * [6.0, 9.0]
    return (centres[:, None, :] + rng.normal(size=(9, n, 2))).reshape(-1, 2), centres


def test_it_finds_clusters_that_random_starts_miss():
    X, centres = grid()

    def misses(start):
        missed = 0
        for seed in range(10):
            means = fit_mixture(X, 9, init_params=start, random_state=seed, tol=1e-5).mixture.means
            distance = np.linalg.norm(means[:, None] - centres, axis=2).min(axis=0)
            missed += bool(distance.max() > 1.0)
        return missed

    assert misses("annealing") <= 2 < 5 <= misses("random_from_data")


def test_the_same_start_in_other_units_and_with_copies_for_weights():
    X, _ = grid(n=20)
    options = {"init_params": "annealing", "random_state": 3, "max_iter": 5, "tol": 0.0}
    one = fit_mixture(X, 9, **options)
    turned = X @ np.array([[2.0, 1.0], [0.0, 500.0]]) - 40.0
    other = fit_mixture(turned, 9, **options)
    assert_allclose(other.mean_log_likelihood, one.mean_log_likelihood - np.log(1000.0), rtol=1e-9)
    weights = np.random.default_rng(0).integers(1, 4, len(X))
    weighted = fit_mixture(X, 9, sample_weight=weights, **options)
    copied = fit_mixture(np.repeat(X, weights, axis=0), 9, **options)
    assert_allclose(weighted.mixture.means, copied.mixture.means, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("name", [name for name in KNOWN if name not in ("E", "V")])
def test_every_family_can_be_annealed(name):
    X = np.concatenate([np.random.default_rng(i).normal(7.0 * i, 1.0, (40, 2)) for i in range(3)])
    result = fit_mixture(X, 3, covariance_type=name, init_params="annealing", random_state=0, tol=1e-6)
    assert_allclose(np.sort(result.mixture.means[:, 0]), [0.0, 7.0, 14.0], atol=0.6)
    assert fit_mixture(X, 1, covariance_type=name, init_params="annealing").converged
    assert bool(result.mixture.n_factors) == (name in FACTORS or name in ("UUU", "UUC"))


@pytest.mark.parametrize("options", [{"noise": True}, {"trim": 0.1}], ids=str)
def test_among_outliers(options):
    X, centres = grid()
    X = np.concatenate([X, np.random.default_rng(1).uniform(-40.0, 60.0, (50, 2))])
    result = fit_mixture(X, 9, init_params="annealing", random_state=0, **options)
    distance = np.linalg.norm(result.mixture.means[:, None] - centres, axis=2).min(axis=0)
    assert (distance < 1.0).sum() >= 7


def test_of_many_rows_a_sample_is_annealed(monkeypatch):
    X, centres = grid(n=200)
    passes = []
    accumulate = LocalEngine.accumulate

    def counted(self, mixture, **options):
        passes.append(self.rows.shape[0])
        return accumulate(self, mixture, **options)

    monkeypatch.setattr(annealing, "MOST_ROWS", 300)
    monkeypatch.setattr(LocalEngine, "accumulate", counted)
    result = fit_mixture(X, 9, init_params="annealing", random_state=0, max_iter=1)
    assert passes.count(len(X)) <= 4 and passes.count(300) > 10
    distance = np.linalg.norm(result.mixture.means[:, None] - centres, axis=2).min(axis=0)
    assert (distance < 1.0).sum() >= 7
