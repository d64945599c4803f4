"""Acceleration never goes down, stays in the family, ends where EM ends, and is slower nowhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from gaussmix import GaussianMixture, Mixture, fit_mixture
from gaussmix.datasets import load_faithful
from gaussmix.fit.iterate.acceleration import METHODS, SAFE, Memory, quasi_newton
from gaussmix.fit.iterate.stopping import estimate_distance
from gaussmix.model.covariance import STRUCTURES
from gaussmix.model.moments.blocks import NONE, RADIAL, SQUARES, VECH, Form
from gaussmix.model.moments.coordinates import Coordinates, NoCoordinatesError
from tests.helpers import best_covariances, near, random_mixture, random_stats, stats_of

problems = {"d": st.integers(1, 4), "k": st.integers(2, 4), "seed": st.integers(0, 2**32 - 1)}


def overlapping(name, k, d, seed, spread=1.0):
    rng = np.random.default_rng(seed)
    mixture = random_mixture(name, k, d, rng, spread)
    return mixture.sample(60 * k * (d + 1), rng)[0], near(mixture, rng), rng


def passes_until(history, goal):
    return int(np.argmax(np.array(history) >= goal))


# --- the coordinates ---------------------------------------------------------------------------------------


@given(**problems)
def test_coordinates_are_there_and_back(name, d, k, seed):
    stats = random_stats(name, k, d, np.random.default_rng(seed)).rebase(np.ones((k, d)))
    coordinates = Coordinates(stats.form, k, d)
    vector = coordinates.vector(stats)
    assert vector.shape == (coordinates.size,)
    back = coordinates.moments(vector, stats.weight)
    assert_allclose(coordinates.vector(back), vector, rtol=1e-8, atol=1e-8)
    one, other = (STRUCTURES[name].moments(s) for s in (stats, back))
    assert_allclose(one, other, rtol=1e-8, atol=1e-10 * np.abs(one).max())
    assert back.weight == pytest.approx(stats.weight)


@given(**problems)
def test_every_vector_is_the_statistics_of_a_mixture(name, d, k, seed):
    rng = np.random.default_rng(seed)
    structure = STRUCTURES[name]
    coordinates = Coordinates(structure.form, k, d)
    stats = coordinates.moments(rng.normal(size=coordinates.size), 100.0)
    Mixture(stats.counts / stats.weight, stats.means(), best_covariances(name, stats), name)  # checks it all


@given(seed=st.integers(0, 2**32 - 1))
def test_the_metric_is_the_divergence_of_complete_data(seed):
    """One component: half the squared length of a small whitened step is the Kullback-Leibler divergence."""
    rng = np.random.default_rng(seed)
    d = 3
    for form in (
        Form(SQUARES),
        Form(RADIAL),
        Form(NONE, RADIAL),
        Form(NONE, VECH),
    ):
        coordinates = Coordinates(form, 1, d)
        at, step = rng.normal(size=(2, coordinates.size))
        if form.general:
            at[[5, 7, 8]] = step[[5, 7, 8]] = 0.0  # for steps that turn axes it is an approximation
        step[0] = 0.0  # of one component, the share is one
        size = 1e-4
        one, other = (coordinates.moments(v, 1.0) for v in (at, at + size * step))
        C, D = (dense_moments(s, form, d) for s in (one, other))
        shift = np.linalg.solve(D, (one.means() - other.means())[0]) @ (one.means() - other.means())[0]
        ratio = np.linalg.solve(D, C)
        divergence = 0.5 * (np.trace(ratio) - d - np.linalg.slogdet(ratio)[1] + shift)
        length = np.linalg.norm(coordinates.whiten(step[None], one))
        assert_allclose(0.5 * (size * length) ** 2, divergence, rtol=5e-3)


def dense_moments(stats, form, d):
    moments = np.asarray(stats.covariances()[0] if not form.shared else stats.pooled_covariances()[0])
    moments = moments / d if form.block == RADIAL else moments
    return moments if moments.ndim == 2 else np.eye(d) * moments


def test_statistics_at_the_border_have_no_coordinates():
    X = np.array([[0.0, 0.0], [1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])
    empty, collinear = np.array([[1.0, 0.0]] * 4), np.full((4, 2), 0.5)
    for name, R in (("full", collinear), ("diag", empty), ("tied", collinear), ("spherical", empty)):
        stats = stats_of(name, X, R)
        with pytest.raises(NoCoordinatesError):
            Coordinates(stats.form, 2, 2).vector(stats)


# --- the fit -----------------------------------------------------------------------------------------------


@given(**problems, method=st.sampled_from(list(METHODS)), weighted=st.booleans(), ridged=st.booleans())
def test_it_never_goes_down_and_stays_in_the_family(name, method, d, k, seed, weighted, ridged):
    X, start, rng = overlapping(name, k, d, seed)
    weights = rng.uniform(0.2, 2.0, len(X)) if weighted else None
    result = fit_mixture(
        *(X, k),
        covariance_type=name,
        start=start,
        sample_weight=weights,
        reg_covar=1e-13 * X.var(axis=0).min() if ridged else "auto",
        tol=0.0,
        max_iter=25,
        acceleration=method,
    )
    history = np.array(result.history)
    assert (np.diff(history) >= -1e-11 * (1.0 + np.abs(history[1:]))).all()
    found = result.mixture
    Mixture(found.weights, found.means, found.covariances, name)  # its checks
    assert history[-1] == pytest.approx(np.average(found.log_prob(X), weights=weights), abs=1e-9)


def test_its_end_is_a_fixed_point_of_em_found_in_no_more_passes(name):
    """One step of EM from there changes next to nothing; EM alone from the same start ends no higher."""
    X, start, _ = overlapping(name, 3, 2, seed=5, spread=2.0)
    options = {"covariance_type": name, "start": start, "tol": 1e-8, "max_iter": 2000}
    em = fit_mixture(X, 3, **options, acceleration=None)
    goal = em.mean_log_likelihood - 1e-6
    assert em.converged
    for method in METHODS:
        fast = fit_mixture(X, 3, **options, acceleration=method)
        assert fast.converged and fast.mean_log_likelihood >= goal
        more = fit_mixture(X, 3, **options | {"start": fast.mixture, "max_iter": 1, "acceleration": None})
        assert 0.0 <= more.history[1] - more.history[0] + 1e-12 < 1e-8
        assert passes_until(fast.history, goal) <= 1.2 * passes_until(em.history, goal)


@pytest.mark.parametrize("k", [4, 5, 6])
def test_slow_fits_take_a_quarter_of_the_passes(k):
    X, _ = load_faithful()
    options = {"init_params": "kmeans", "random_state": 0, "tol": 0.0}
    em = fit_mixture(X, k, **options, max_iter=1000, acceleration=None).history
    fast = fit_mixture(X, k, **options, max_iter=150).history
    assert fast[-1] >= em[-1] - 1e-8
    passes, plain = (passes_until(h, em[-1] - 1e-6) for h in (fast, em))
    assert 4 * passes <= plain


def test_by_default_em_is_left_alone_until_it_is_slow_near_its_end():
    X, _ = load_faithful()
    for k in (2, 3, 4, 5):
        one, other = (
            fit_mixture(X, k, init_params="kmeans", random_state=0, acceleration=a) for a in ("auto", None)
        )
        assert one.history == other.history  # the default of tol
    slow = {"init_params": "kmeans", "random_state": 0, "tol": 1e-10, "max_iter": 1000}
    auto, em = (fit_mixture(X, 4, **slow, acceleration=a) for a in ("auto", None))
    assert auto.mean_log_likelihood >= em.mean_log_likelihood - 1e-7
    assert 4 * auto.n_iter < em.n_iter
    far = int(np.argmax(np.diff(em.history) < 1e-3))
    assert auto.history[: far + 2] == em.history[: far + 2]


def test_a_refused_proposal_leaves_the_mixture_as_it_was():
    X, _ = load_faithful()
    seen = []
    options = {"random_state": 0, "tol": 0.0, "max_iter": 60, "acceleration": "anderson"}
    options["init_params"] = "kmeans"
    fit_mixture(X, 5, **options, on_progress=lambda p: p.iteration and seen.append(p.mean_log_likelihood))
    refused = np.flatnonzero(np.diff(seen) == 0.0)
    assert refused.size  # else this test is of nothing
    at, after = (
        fit_mixture(X, 5, **options | {"max_iter": int(n)}) for n in (refused[0] + 1, refused[0] + 2)
    )
    assert at.mixture.means.tolist() == after.mixture.means.tolist() and at.history[-1] == after.history[-1]


def test_two_refusals_in_a_row_at_most_then_em_steps():
    X, _ = load_faithful()
    options = {"random_state": 0, "tol": 0.0, "max_iter": 120, "acceleration": "quasi-newton"}
    options["init_params"] = "kmeans"
    runs = []
    for k in (3, 4, 5):
        seen = np.array(fit_mixture(X, k, **options).history)
        far = seen[: passes_until(seen, seen[-1] - 1e-9)]  # at the end, EM's own steps gain nothing either
        runs.append("".join("x" if gain == 0.0 else "." for gain in np.diff(far)))
    assert any("xx" in run for run in runs) and not any("xxx" in run for run in runs)


def test_steps_of_at_most_twice_ems_where_nothing_else_is_known():
    """Of a quadratic whose curvature is that of one pair alone: its minimum along it, and SAFE across."""
    f, step, fall = np.array([1.0, 1.0]), np.array([1.0, 0.0]), np.array([0.25, 0.0])
    rows = np.stack([step, -fall, f])
    assert_allclose(quasi_newton(rows @ rows.T) @ rows, [4.0, SAFE])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["full", "tied", "VEV"])
def test_turned_rows_are_on_the_turned_path(name, method):
    X, start, rng = overlapping(name, 3, 3, seed=4)
    Q = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turned = Mixture(start.weights, start.means @ Q, Q.T @ start.covariances @ Q, name)
    options = {"covariance_type": name, "tol": 0.0, "max_iter": 12, "acceleration": method}
    plain, other = (fit_mixture(rows, 3, start=at, **options) for rows, at in ((X, start), (X @ Q, turned)))
    plain_em = fit_mixture(X, 3, start=start, **options | {"acceleration": None})
    assert_allclose(other.history, plain.history, rtol=1e-8)
    assert_allclose(other.mixture.means, plain.mixture.means @ Q, atol=1e-5)
    assert plain.history[-1] > plain_em.history[-1] + 1e-6  # it is another path than EM's


# --- when to stop ------------------------------------------------------------------------------------------


def test_the_distance_to_the_limit_of_gains_that_fall_geometrically():
    history = [-(0.9**i) for i in range(40)]
    assert estimate_distance(history) == pytest.approx(0.9**39, rel=1e-6)
    assert estimate_distance(history[:3]) == np.inf
    assert estimate_distance([0.0, 1.0, 2.0, 4.0]) == np.inf
    assert estimate_distance([0.0, 1.0, 1.0, 1.0]) == 0.0


@pytest.mark.parametrize("acceleration", [None, "auto"])
@pytest.mark.parametrize("k", [3, 4])
def test_tol_bounds_the_distance_to_the_optimum(acceleration, k):
    """With scikit-learn's rule EM stops 4 and 50 times as far away as `tol` says here."""
    X, _ = load_faithful()
    options = {"init_params": "kmeans", "random_state": 0, "tol": 1e-6, "max_iter": 3000}
    end = fit_mixture(X, k, **options, acceleration=acceleration, stopping="aitken")
    best = fit_mixture(X, k, start=end.mixture, tol=0.0, max_iter=300, acceleration="quasi-newton")
    assert end.converged
    assert best.mean_log_likelihood - end.mean_log_likelihood < 1.5e-6
    plain = fit_mixture(X, k, **options, acceleration=None)
    assert best.mean_log_likelihood - plain.mean_log_likelihood > 4e-6


# --- options and files -------------------------------------------------------------------------------------


def test_wrong_names_are_told():
    X, _ = load_faithful()
    known = "acceleration must be one of auto, quasi-newton, anderson, squarem, or None; got 'fast'"
    with pytest.raises(ValueError, match=known):
        fit_mixture(X, 2, acceleration="fast")
    with pytest.raises(ValueError, match="stopping must be one of change, aitken; got 'soon'"):
        fit_mixture(X, 2, stopping="soon")
    with pytest.raises(ValueError, match="The 'acceleration' parameter of GaussianMixture"):
        GaussianMixture(2, acceleration="soon").fit(X)
    with pytest.raises(ValueError, match="does not go together with a prior, noise, trimming"):
        fit_mixture(X, 2, acceleration="anderson", noise=True)


def test_the_estimator_passes_it_on():
    X, _ = load_faithful()
    options = {"init_params": "kmeans", "tol": 1e-6, "max_iter": 500, "acceleration": "squarem"}
    model = GaussianMixture(4, random_state=0, **options).fit(X)
    assert model.lower_bounds_ == list(fit_mixture(X, 4, random_state=0, **options).history[1:])


@pytest.mark.parametrize("method", ["auto", *METHODS])
@pytest.mark.parametrize("what", ["full", "tied", "VEV"])
def test_a_fit_cut_off_anywhere_goes_on_to_the_same_bits(what, method, tmp_path):
    X, start, _ = overlapping(what, 3, 2, seed=1)
    options = {"covariance_type": what, "start": start, "tol": 1e-9, "max_iter": 24, "acceleration": method}
    whole = fit_mixture(X, 3, **options)
    for after in range(1, 20, 3 if what == "full" else 6):
        fit_mixture(
            *(X, 3),
            **options,
            checkpoint=tmp_path / "c",
            checkpoint_interval=3600,
            on_progress=lambda p, after=after: p.iteration == after,
        )
        resumed = fit_mixture(X, 3, **options, resume=tmp_path / "c")
        assert resumed.history == whole.history
        assert resumed.mixture.covariances.tobytes() == whole.mixture.covariances.tobytes()


def test_a_memory_that_is_none_is_refused():
    vectors, numbers = Memory.beginning(np.ones(3)).to_arrays()
    assert Memory.of_arrays(vectors, numbers).to_arrays()[0].tolist() == vectors.tolist()
    for wrong in (
        (np.ones((2, 3)), numbers),
        (np.ones(3), numbers),
        (vectors, numbers[:4]),
        (vectors, -numbers),
        (vectors, numbers + 1.0),
        (vectors, numbers + np.array([0.0, 0.0, 0.0, np.inf, 0.0])),
    ):
        with pytest.raises(ValueError):
            Memory.of_arrays(*wrong)
