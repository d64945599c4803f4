"""Noise and trimming: EM still never goes down, whoever computes; what is left out is exactly what was asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp

from gaussmix import GaussianMixture, Mixture, Noise, fit_mixture
from gaussmix.data.rows import Rows
from gaussmix.engines import Quantile
from gaussmix.fit.outliers import spread_noise
from gaussmix.fit.trimming import find_amount
from gaussmix.model.covariance import STRUCTURES
from gaussmix.model.kernels.sweep import Sweep
from gaussmix.model.moments.frame import Frame
from tests.helpers import (
    EXECUTORS,
    KINDS,
    assert_same_mixture,
    direct_joint,
    environment,
    near,
    random_mixture,
    stats_of,
)

SHARED = [name for name in KINDS if STRUCTURES[name].shared]
problems = {"d": st.integers(1, 4), "k": st.integers(1, 3), "seed": st.integers(0, 2**32 - 1)}


def draw(name, k, d, seed, n=None):
    """Rows of a mixture, every tenth uniform over a box three times as wide; weights; a start nearby."""
    rng = np.random.default_rng(seed)
    mixture = random_mixture(name, k, d, rng)
    X, _ = mixture.sample(n or 40 * k * (d + 1), rng)
    low, high = X.min(axis=0), X.max(axis=0)
    X[::10] = rng.uniform(2 * low - high, 2 * high - low, X[::10].shape)
    return X, rng.uniform(0.2, 2.0, len(X)), near(mixture, rng)


def with_moments_of_each(name):
    """The family whose components keep the second moments that those of this one pool."""
    return next(other for other in KINDS if STRUCTURES[other].form == STRUCTURES[name].own_form)


def direct(mixture, X):
    """log p(x) with the noise, by definition; and the joint log-densities, shape (n, k + 1)."""
    noise = np.log(mixture.noise.weight) + mixture.noise.log_density
    joint = np.column_stack([direct_joint(mixture, X), np.full(len(X), noise)])
    return logsumexp(joint, axis=1), joint


def never_down(history, tolerance=1e-12):
    return len(history) > 1 and (np.diff(history) >= -tolerance * (1.0 + np.abs(history[1:]))).all()


# --- noise -------------------------------------------------------------------------------------------------


@given(**problems)
def test_em_with_noise_never_goes_down(name, d, k, seed):
    X, weights, start = draw(name, k, d, seed)
    noise = Noise(0.05, spread_noise(Rows(X)).log_density)
    options = {
        "covariance_type": name,
        "sample_weight": weights,
        "noise": noise,
        "tol": 0.0,
        "reg_covar": 0.0,
    }
    result = fit_mixture(X, k, start=start, max_iter=10, **options)
    assert never_down(result.history)
    end = result.mixture
    assert_allclose(end.weights.sum() + end.noise.weight, 1.0, rtol=1e-12)
    # and it is the likelihood of the definition
    begun = start.with_noise(noise)
    for mixture, value in ((begun, result.history[0]), (end, result.history[-1])):
        assert_allclose(np.average(direct(mixture, X)[0], weights=weights), value, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("name", KINDS)
@given(d=st.integers(1, 5), k=st.integers(1, 6), seed=st.integers(0, 2**32 - 1), tight=st.booleans())
def test_an_executor_computes_noise_by_definition(name, executor, dtype, d, k, seed, tight):
    """Statistics and densities in a frame, the guard's among them (where a component is tight)."""
    X, weights, _ = draw(name, k, d, seed, n=300)
    X = X.astype(dtype)
    mixture = random_mixture(name, k, d, np.random.default_rng(seed))
    if tight:
        mixture = Mixture(mixture.weights, mixture.means, 1e-10 * mixture.covariances, name)
    mixture = mixture.with_noise(replace(spread_noise(Rows(X)), weight=0.3))
    spread = np.cov(X.T.astype(float), bias=True).reshape(d, d)
    frame = Frame.of_moments(X.mean(axis=0), spread, STRUCTURES[name].group, X.dtype)
    seen = mixture.seen_from(frame)
    A = frame.matrix if frame.matrix.ndim == 2 else np.diag(np.broadcast_to(frame.matrix, (d,)))
    Z = (X.astype(np.float64) - frame.origin) @ A.T
    log_density, joint = direct(seen, Z)
    with environment(GAUSSMIX_EXECUTOR=executor):
        sweep = Sweep(X, frame, mixture.form, k + 1, weights.astype(dtype))
    tolerance = 1e-9 if dtype == "float64" else 5e-4
    size = 1.0 + np.abs(log_density).max()
    if tight:  # exponents of 1e10 and more: what can be told is who takes the row
        size, tolerance = 1.0 + np.abs(joint).max(), 1e-6
    assert_allclose(sweep.evaluate(seen.natural, "log_prob"), log_density, rtol=0, atol=tolerance * size)
    R = np.exp(joint - log_density[:, None])
    assert_allclose(sweep.evaluate(seen.natural, "responsibilities").sum(axis=1), 1.0, rtol=1e-5)
    stats = sweep.accumulate(seen.natural).moments
    assert_allclose(stats.noise, weights @ R[:, -1], rtol=0, atol=1e2 * tolerance * len(X))
    assert_allclose(stats.weight, weights.sum(), rtol=1e-6)
    if not tight:
        expected = stats_of(with_moments_of_each(name), Z, R[:, :-1], weights)
        stats = stats.rebase(np.zeros((k, d)))
        assert_allclose(stats.counts, expected.counts, rtol=0, atol=tolerance * len(X))
        assert_allclose(stats.first, expected.first, rtol=0, atol=tolerance * len(X) * 9)
        size = weights.sum() + np.abs(expected.second).max()
        assert stats.second.shape == expected.second.shape and expected.second.size
        assert_allclose(stats.second, expected.second, rtol=0, atol=tolerance * size)
        if name in SHARED:
            pooled = stats_of(name, Z, R[:, :-1], weights).pooled_covariances()
            assert_allclose(stats.pooled_covariances(), pooled, rtol=0, atol=40 * tolerance)


@pytest.mark.parametrize("name", SHARED)
@given(**problems)
def test_moments_of_each_component_pool_to_those_of_all(name, d, k, seed):
    rng = np.random.default_rng(seed)
    X, structure = rng.normal(size=(60, d)), STRUCTURES[name]
    R = rng.dirichlet(np.ones(k), size=60)
    pooled = stats_of(name, X, R)
    own = stats_of(with_moments_of_each(name), X, R, centres=rng.normal(size=(k, d)))
    assert_allclose(structure.moments(own), structure.moments(pooled), rtol=1e-10, atol=1e-12)
    whole = replace(own, noise=40.0)
    assert_allclose(structure.estimate(whole), structure.estimate(pooled), rtol=1e-10, atol=1e-12)
    both = whole.scale(0.25) + whole.rebase(np.zeros((k, d))).scale(0.75)
    assert both.noise == 40.0 and both.weight == pytest.approx(100.0)


@given(**problems)
def test_a_mixture_with_noise_is_one_distribution(name, d, k, seed):
    rng = np.random.default_rng(seed)
    gaussians = random_mixture(name, k, d, rng)
    low = gaussians.means.min(axis=0) - 1.0
    mixture = gaussians.with_noise(Noise.between(low, low + rng.uniform(2.0, 9.0, d), weight=0.25))
    assert mixture.n_parameters == gaussians.n_parameters + 2
    assert_same_mixture(mixture.without_noise(), gaussians, 1e-12)
    X, labels = mixture.sample(4000, rng)
    assert abs((labels == -1).mean() - 0.25) < 6 * np.sqrt(0.25 * 0.75 / 4000)
    assert (X[labels == -1] >= low).all()
    log_density, joint = direct(mixture, X)
    assert_allclose(mixture.log_prob(X), log_density, rtol=1e-9, atol=1e-9)
    R = mixture.responsibilities(X)
    assert_allclose(R, np.exp(joint - log_density[:, None]), atol=1e-9)
    assert_array_equal(mixture.predict(X), np.where(R.argmax(axis=1) == k, -1, R.argmax(axis=1)))
    shares = np.log(np.append(mixture.weights, 0.25))
    assert_allclose(mixture.component_log_prob(X) + shares, joint, rtol=1e-9, atol=1e-8)
    frame = Frame.of_moments(X[0], gaussians.covariance, STRUCTURES[name].group, X.dtype)
    seen = mixture.seen_from(frame)
    assert_allclose(seen.log_prob(frame.apply(X).T) + frame.log_det, log_density, rtol=1e-9, atol=1e-8)
    back = seen.mapped(frame.inverse, frame.matrix, frame.origin).noise
    assert_allclose(back.box, mixture.noise.box, rtol=1e-9, atol=1e-9 * np.abs(X).max())
    assert_allclose(back.log_density, -np.linalg.slogdet(back.box[1:])[1], atol=1e-9)


def test_noise_beyond_everything_and_noise_of_no_weight():
    gaussians = random_mixture("tied", 2, 2, np.random.default_rng(0))
    none, all_of_it = (gaussians.with_noise(Noise(weight, log_density=-3.0)) for weight in (0.0, 1.0))
    X, labels = none.sample(50, 0)
    assert_allclose(none.log_prob(X), gaussians.log_prob(X), rtol=1e-12)
    assert (labels >= 0).all() and (none.predict(X) == gaussians.predict(X)).all()
    assert_allclose(all_of_it.log_prob(X), -3.0)
    assert (
        none.predict([[1e9, 0.0]]) >= 0
        and gaussians.with_noise(Noise(1e-9, -3.0)).predict([[1e9, 0.0]]) == -1
    )


# --- trimming ----------------------------------------------------------------------------------------------


@given(
    n=st.integers(1, 60),
    trim=st.floats(0.0, 0.99),
    values=st.integers(1, 60),
    seed=st.integers(0, 2**32 - 1),
    weighted=st.booleans(),
)
def test_kept_weights_are_the_best_there_are(n, trim, values, seed, weighted):
    rng = np.random.default_rng(seed)
    log_density = rng.integers(0, values, n).astype(float)  # with ties
    w = rng.uniform(0.1, 3.0, n) if weighted else np.ones(n)
    amount = find_amount(trim, w.sum())
    kept = Quantile.of(log_density, w if weighted else None, amount).weigh_above(log_density, w)
    assert (kept >= 0.0).all() and (kept <= w).all()
    assert_allclose(kept.sum(), w.sum() - amount, rtol=1e-12, atol=1e-12)
    # greedily from the top: no other weights of this sum have a larger total
    order = np.argsort(-log_density)
    most = np.diff(np.minimum(np.cumsum(w[order]), w.sum() - amount), prepend=0.0)
    assert_allclose(kept @ log_density, most @ log_density[order], rtol=1e-10, atol=1e-9)
    # equal rows are treated alike
    shares = kept / w
    assert all(np.ptp(shares[log_density == value]) < 1e-12 for value in set(log_density))


def test_a_share_that_is_a_whole_number_of_rows_but_for_rounding():
    assert (0.07 * 100, 0.29 * 100) != (7.0, 29.0)
    assert (
        find_amount(0.07, 100.0) == 7.0
        and find_amount(0.29, 100.0) == 29.0
        and find_amount(0.073, 100.0) < 7.5
    )


@given(**problems, trim=st.sampled_from([0.05, 0.1, 1 / 3]), weighted=st.booleans())
def test_trimmed_fits_never_go_down_and_keep_the_rows_of_highest_density(name, d, k, seed, trim, weighted):
    X, weights, start = draw(name, k, d, seed)
    w = weights if weighted else np.ones(len(X))
    result = fit_mixture(
        X,
        k,
        covariance_type=name,
        start=start,
        sample_weight=weights if weighted else None,
        trim=trim,
        tol=0.0,
        max_iter=10,
    )
    assert result.collapsed or never_down(result.history, 1e-11)
    assert_allclose(result.kept.sum(), (1.0 - trim) * w.sum(), rtol=1e-12)
    assert result.n_samples == pytest.approx(result.kept.sum())
    assert_array_equal(result.trimmed, result.kept == 0.0)
    log_density = result.mixture.log_prob(X)
    border = Quantile.of(log_density, w, find_amount(trim, w.sum()))
    best = border.weigh_above(log_density, w) @ log_density
    assert_allclose(result.kept @ log_density, best, rtol=1e-9)
    assert_allclose(result.log_likelihood, best, rtol=1e-9, atol=1e-9)
    with pytest.raises(ValueError, match="read-only"):
        result.kept[0] = 1.0


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("options", [{"trim": 0.08}, {"noise": True}, {"noise": True, "trim": 0.03}], ids=str)
def test_integer_weights_are_copies_and_the_order_of_rows_is_nothing(name, options):
    X, _, start = draw(name, 2, 2, seed=3)
    rng = np.random.default_rng(4)
    weights, order = rng.integers(0, 4, len(X)), rng.permutation(len(X))
    both = options | {"covariance_type": name, "start": start, "tol": 0.0, "max_iter": 12}
    weighted = fit_mixture(X, 2, sample_weight=weights, **both)
    copied = fit_mixture(np.repeat(X, weights, axis=0), 2, **both)
    turned = fit_mixture(X[order], 2, sample_weight=weights[order], **both)
    for other in (copied, turned):
        assert_same_mixture(other.mixture, weighted.mixture, 1e-8)
        assert_allclose(other.history, weighted.history, rtol=1e-9)
    if "trim" in options:
        assert_allclose(turned.kept, weighted.kept[order], atol=1e-9)
        sums = np.add.reduceat(copied.kept, (np.cumsum(weights) - weights)[weights > 0])
        assert_allclose(sums, weighted.kept[weights > 0], atol=1e-7)


# --- both --------------------------------------------------------------------------------------------------

ASKED = ({"noise": True}, {"trim": 0.1})


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("options", ASKED, ids=str)
def test_any_number_of_threads_gives_the_same_bits(options, executor):
    X, weights, _ = draw("tied", 3, 3, seed=5, n=20_001)
    seen = []
    for n_threads in ("1", "3"):
        with environment(GAUSSMIX_NUM_THREADS=n_threads, GAUSSMIX_EXECUTOR=executor):
            result = fit_mixture(
                X,
                3,
                covariance_type="tied",
                sample_weight=weights,
                random_state=0,
                tol=0.0,
                max_iter=2,
                **options,
            )
        seen.append(
            (result.history, result.mixture.weights, result.mixture.means, result.mixture.covariances)
        )
    for other in seen[1:]:
        for value, first in zip(other, seen[0], strict=True):
            assert_array_equal(value, first)


def clusters(seed, far=3.0, share=0.1, dtype=np.float64):
    """Three clusters in the plane, and uniform outliers over a box so many times as wide as them."""
    rng = np.random.default_rng(seed)
    truth = Mixture(
        [0.5, 0.3, 0.2], [[0.0, 0.0], [8.0, 0.0], [0.0, 8.0]], [[1.0, 0.7], [0.5, 1.0], [1.0, 1.0]], "diag"
    )
    X, labels = truth.sample(600, rng)
    n_far = int(share * 600)
    X[:n_far] = rng.uniform(-6.0 * far, 6.0 * far, (n_far, 2)) + 4.0
    return truth, X.astype(dtype), labels, np.arange(600) < n_far


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("far", [3.0, 1e9])
@pytest.mark.parametrize("options", [*ASKED, {"noise": 0.3}], ids=str)
def test_outliers_do_not_move_the_clusters(options, far, dtype):
    """However far they are: frame and floor are those of the other rows."""
    for seed in range(2):
        truth, X, _, is_far = clusters(seed, far, dtype=dtype)
        result = fit_mixture(X, 3, covariance_type="diag", random_state=seed, **options)
        found = result.mixture.without_noise()
        order = np.argsort(found.means @ [1.0, 2.0])
        assert np.abs(found.means[order] - truth.means).max() < 0.4
        assert np.abs(found.weights[order] - truth.weights).max() < 0.07
        assert np.abs(found.covariances[order] / truth.covariances - 1.0).max() < 0.5
        said = result.trimmed if result.kept is not None else result.mixture.predict(X) == -1
        assert (said != is_far).mean() < 0.03 and (said[is_far]).mean() > 0.85


@pytest.mark.parametrize("options", ASKED, ids=str)
@pytest.mark.parametrize("scale", [2.0**-40, 2.0**40])
def test_units_do_not_matter(options, scale):
    _, X, _, _ = clusters(7)
    one, other = (fit_mixture(Y, 3, random_state=0, tol=1e-8, **options) for Y in (X, X * scale))
    assert other.status == one.status
    assert_allclose(other.mean_log_likelihood, one.mean_log_likelihood - 2.0 * np.log(scale), rtol=1e-10)
    assert_allclose(other.mixture.means / scale, one.mixture.means, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("share", [0.02, 0.35, 0.5])
def test_noise_finds_out_how_much_there_is(share):
    _, X, _, is_far = clusters(1, share=share)
    mixture = fit_mixture(X, 3, covariance_type="diag", noise=True, random_state=0).mixture
    assert abs(mixture.noise.weight - share) < 0.03 and ((mixture.predict(X) == -1) == is_far).mean() > 0.95


@pytest.mark.parametrize("options", ASKED, ids=str)
def test_heaps_of_equal_rows_and_one_component(options):
    """No bound to the likelihood but the floor, and one covariance for what is left."""
    X = np.concatenate([np.zeros((30, 2)), np.random.default_rng(3).normal(3.0, 1.0, (60, 2))])
    for name in ("full", "tied", "EEV"):
        for k in (1, 2, 3):
            result = fit_mixture(X, k, covariance_type=name, random_state=0, **options)
            assert np.isfinite(result.history).all() and np.isfinite(result.mixture.log_prob(X)).all()
            assert result.collapsed or never_down(result.history, 1e-9)


def test_a_warm_start_goes_on_with_its_noise():
    _, X, _, _ = clusters(2)
    model = GaussianMixture(3, noise=True, tol=1e-10, max_iter=500, warm_start=True, random_state=0).fit(X)
    before = model.mixture_
    assert model.lower_bound_ == pytest.approx(model.score(X), rel=1e-12)
    assert model.predict_proba(X).shape == (600, 4) and set(model.predict(X)) == {-1, 0, 1, 2}
    assert model.fit(X).n_iter_ <= 2
    assert_same_mixture(model.mixture_, before, 1e-6)
    assert model.mixture_.noise.log_density == before.noise.log_density
    assert model.set_params(noise=False).fit(X).mixture_.noise is None


# --- what is wrong -----------------------------------------------------------------------------------------

ROWS = np.random.default_rng(0).normal(size=(40, 2))
BEGUN = Mixture([0.5], [[0.0, 0.0]], [1.0], "spherical", noise=Noise(0.5, -3.0))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"noise": 1.0}, "noise must be True or False, a share of the rows over 0 and under 1, .*; got 1.0"),
        ({"noise": "yes"}, "noise must be .*; got 'yes'"),
        ({"noise": Noise(0.0, -3.0)}, "noise must begin with a weight over 0 and under 1"),
        ({"noise": Noise.between([0.0], [1.0])}, "the box of the noise has 1 features, and the mixture 2"),
        ({"trim": 1.0}, "trim must be a share of at least 0 and under 1; got 1.0"),
        ({"trim": -0.1}, "trim must be"),
        ({"trim": True}, "trim must be"),
        ({"trim": 0.99}, "trim=0.99 leaves fewer rows than the 1 components; there are 40"),
        (
            {"start": BEGUN, "covariance_type": "spherical"},
            "start has a noise component; fit with noise=True",
        ),
    ],
)
def test_wrong_arguments_are_named(options, match):
    with pytest.raises(ValueError, match=match):
        fit_mixture(ROWS, 1, **options)


def test_rows_without_volume_and_noise_without_a_box():
    flat = np.column_stack([ROWS, np.ones(40)])
    with pytest.raises(ValueError, match="column 2 is constant, .* give a gaussmix.Noise with a log_density"):
        fit_mixture(flat, 1, noise=True)
    fitted = fit_mixture(flat[:, [0, 1, 0]], 1, noise=Noise(log_density=-20.0)).mixture
    with pytest.raises(ValueError, match="a density but no box to draw rows from"):
        fitted.sample(2000, 0)
    with pytest.raises(ValueError, match="weights must sum to 1 with that of the noise; they sum to 1.5"):
        Mixture([1.0], [[0.0]], [1.0], "spherical", noise=Noise(0.5, -1.0))
    with pytest.raises(ValueError, match="the noise has no density"):
        Mixture([0.5], [[0.0]], [1.0], "spherical", noise=Noise(0.5))
    with pytest.raises(ValueError, match="from 0 to 1; got 1.5"):
        Noise(1.5)
    with pytest.raises(ValueError, match="low under high"):
        Noise.between([0.0], [0.0])


def test_noise_that_takes_all_is_said_to():
    result = fit_mixture(ROWS, 2, noise=Noise(0.5, log_density=700.0), random_state=0)
    assert result.mixture.noise.weight > 0.999 and result.advice
