"""Mixtures side by side: sums over each one's components, EM of them all, fits of many models."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gaussmix import FitStatus, fit_mixture, fit_mixtures
from gaussmix.data.rows import Rows
from gaussmix.datasets import load_faithful
from gaussmix.engines.local import LocalEngine
from gaussmix.errors import FitError
from gaussmix.fit.given import Given
from gaussmix.fit.iterate.em import Run, em
from gaussmix.fit.iterate.stack import em_together
from gaussmix.fit.iterate.stopping import Rule
from gaussmix.fit.mstep.maximise import Maximise
from gaussmix.fit.mstep.regularise import make_regularise
from gaussmix.fit.starts.first import make_first_mixture
from gaussmix.model.covariance import STRUCTURES, orientation
from gaussmix.model.moments.groups import ALONE, Groups
from tests.helpers import EXECUTORS, random_stats

FAITHFUL = load_faithful()[0]
SIZES = (2, 5, 1, 3)
several = st.lists(st.integers(1, 6), min_size=1, max_size=5).map(tuple)


def slices(sizes):
    ends = np.cumsum(sizes)
    return [slice(end - k, end) for end, k in zip(ends, sizes, strict=True)]


@given(sizes=several, seed=st.integers(0, 2**32 - 1))
def test_sums_over_groups_are_sums_over_each(sizes, seed):
    rng = np.random.default_rng(seed)
    groups, values, weights = Groups(sizes), rng.normal(size=(sum(sizes), 3)), rng.uniform(size=sum(sizes))
    parts = slices(sizes)
    assert_allclose(groups.total(values), [values[part].sum(axis=0) for part in parts], atol=1e-12)
    assert_allclose(
        groups.sum_weighted(values, weights), [weights[part] @ values[part] for part in parts], atol=1e-12
    )
    assert_array_equal(groups.maxima(weights), [weights[part].max() for part in parts])
    assert_array_equal(groups.unstack(groups.stack(values)), values)
    assert_array_equal(groups.presence.sum(axis=1), sizes)
    assert_array_equal(groups.stack(values)[groups.presence > 0], values)
    assert_array_equal(groups.expand(groups.total(weights)), np.repeat(groups.total(weights), sizes))
    assert_array_equal(groups.components([len(sizes) - 1]), np.arange(sum(sizes))[parts[-1]])


@given(k=st.integers(1, 6), seed=st.integers(0, 2**32 - 1))
def test_one_group_is_none(k, seed):
    rng = np.random.default_rng(seed)
    one, values, weights = Groups((k,)), rng.normal(size=(k, 2)), rng.uniform(size=k)
    for name in ("total", "stack", "expand"):
        given_to = values if name != "expand" else values[:1]
        expected = np.broadcast_to(getattr(ALONE, name)(given_to), getattr(one, name)(given_to).shape)
        assert_allclose(getattr(one, name)(given_to), expected, atol=1e-13)
    assert_allclose(one.sum_weighted(values, weights), ALONE.sum_weighted(values, weights), atol=1e-13)
    assert_array_equal(one.places(k), ALONE.places(k))
    assert_array_equal(one.bounds(k), ALONE.bounds(k))


@pytest.mark.parametrize("d", [1, 2, 4])
@pytest.mark.parametrize("name", STRUCTURES)
def test_the_M_step_of_all_is_that_of_each(name, d):
    """Of groups of several sizes, one of which has a component without rows."""
    rng = np.random.default_rng(d)
    structure, groups = STRUCTURES[name], Groups(SIZES)
    stats = [random_stats(name, k, d, rng) for k in SIZES]
    form = structure.form
    if form.shared:  # all are of the same rows
        pooled = sum(s.pooled for s in stats) + 100.0 * np.abs(stats[0].pooled)
        stats = [s.__class__(**{**s.__dict__, "pooled": pooled}) for s in stats]
    parts = {
        field: np.concatenate([getattr(s, field) for s in stats])
        for field in ("counts", "first", "second", "centres")
    }
    joined = stats[0].__class__(**{**stats[0].__dict__, **parts})
    together = structure.share_within(groups).estimate(joined)
    for g, (s, part) in enumerate(zip(stats, slices(SIZES), strict=True)):
        found = together[g : g + 1] if structure.shared else together[part]
        assert_allclose(found, structure.estimate(s), rtol=1e-8, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("equal", [False, True])
@pytest.mark.parametrize("d", [2, 3, 6, 14])
def test_newtons_orientation_is_that_of_plane_after_plane(d, equal, monkeypatch):
    rng = np.random.default_rng(10 * d + equal)
    axes = np.linalg.qr(rng.normal(size=(d, d)))[0]
    moments = (axes * rng.uniform(0.2, 5.0, size=(4, 1, d))) @ axes.T + 0.05 * np.eye(d)
    noise = 0.2 * rng.normal(size=(4, d, d))
    moments += noise @ np.swapaxes(noise, 1, 2)
    shares = np.array([0.4, 0.3, 0.2, 0.1])
    newton = orientation.share_orientation(moments, shares, None, ALONE, equal_volumes=equal)
    monkeypatch.setattr(orientation, "MANY", 0)
    monkeypatch.setattr(orientation, "FEW_ROUNDS", orientation.MAX_ROUNDS)
    planes = orientation.share_orientation(moments, shares, None, ALONE, equal_volumes=equal)
    assert_allclose(newton, planes, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("equal", [False, True])
def test_a_few_rounds_of_planes_never_make_the_likelihood_less(equal):
    """Beyond MANY features an M-step is no maximum, but each is better than the one before."""
    d, rng = orientation.MANY + 4, np.random.default_rng(0)
    factors = rng.normal(size=(3, d, d))
    moments, shares = factors @ np.swapaxes(factors, 1, 2) + 0.1 * np.eye(d), np.array([0.5, 0.3, 0.2])
    found, values = None, []
    for _ in range(6):
        found = orientation.share_orientation(moments, shares, found, ALONE, equal_volumes=equal)
        traces = np.trace(np.linalg.solve(found, moments), axis1=1, axis2=2)
        values.append(-float(shares @ (np.linalg.slogdet(found)[1] + traces)))
    assert all(after > before for before, after in itertools.pairwise(values))


def fitting(X, name, weights=None, reg_covar="auto"):
    engine = LocalEngine(Rows(X, weights), STRUCTURES[name])
    return engine, Maximise(engine.structure, make_regularise(reg_covar, engine.structure, engine))


def starts(engine, m_step, sizes):
    rng = np.random.RandomState(0)
    return [make_first_mixture(engine, k, m_step, "random_from_data", rng, Given()) for k in sizes]


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("name", STRUCTURES)
def test_each_of_many_sizes_ends_as_it_does_alone(name, executor, monkeypatch):
    """Those that have converged leave, one after the other; evaluated centred, they go alone."""
    monkeypatch.setenv("GAUSSMIX_EXECUTOR", executor)
    weights = np.random.default_rng(1).uniform(0.5, 2.0, len(FAITHFUL))
    engine, m_step = fitting(FAITHFUL, name, weights)
    mixtures, rule = starts(engine, m_step, SIZES), Rule(1e-3)
    runs = em_together(engine, mixtures, m_step, rule=rule, max_iter=12)
    for begun, run in zip(mixtures, runs, strict=True):
        alone = em(engine, Run(begun, FitStatus.NOT_RUN, ()), m_step, rule=rule, max_iter=12)
        assert run.status == alone.status
        assert_allclose(run.history, alone.history, rtol=1e-9)
        for field in ("weights", "means", "covariances"):
            ours, theirs = getattr(run.mixture, field), getattr(alone.mixture, field)
            assert_allclose(ours, theirs, rtol=1e-6, atol=1e-7)
        assert run.mixture.structure is STRUCTURES[name]


def test_one_that_the_guard_has_centred_sends_the_others_alone():
    """A tight shared covariance: its product form is blurred, and so the whole of a stack."""
    X = 1e-7 * np.random.default_rng(0).normal(size=(60, 2)) + np.repeat(np.eye(2), 30, axis=0)
    engine, m_step = fitting(X, "tied")
    mixtures = [
        make_first_mixture(engine, 2, m_step, "kmeans", np.random.RandomState(0), Given()) for _ in range(2)
    ]
    runs = em_together(engine, mixtures, m_step, max_iter=3)
    alone = em(engine, Run(mixtures[0], FitStatus.NOT_RUN, ()), m_step, rule=Rule(0.0), max_iter=3)
    for run in runs:
        assert_allclose(run.history, alone.history, rtol=1e-12)


@pytest.mark.parametrize("stopping", ["change", "aitken"])
def test_no_iteration_and_none_left(stopping):
    engine, m_step = fitting(FAITHFUL, "full")
    mixtures = starts(engine, m_step, (2, 2))
    rule = Rule(1e-3, stopping)
    none = em_together(engine, mixtures, m_step, rule=rule, max_iter=0)
    assert [run.status for run in none] == [FitStatus.NOT_RUN] * 2
    assert [len(run.history) for run in none] == [1, 1]
    some = em_together(engine, mixtures, m_step, rule=rule, max_iter=500)
    assert all(run.status == FitStatus.CONVERGED for run in some)
    assert em_together(engine, [], m_step, max_iter=3) == []


@pytest.mark.parametrize("name", ["EII", "VEI", "EVE", "VEV", "VVV", "diag"])
def test_fits_of_many_models_are_those_of_each(name):
    models = fit_mixtures(FAITHFUL, range(1, 5), covariance_type=["EEE", name], tol=1e-4)
    assert list(models.fits) == [(kind, k) for kind in ("EEE", name) for k in range(1, 5)]
    for k in range(1, 5):
        fit = models.fits[name, k]
        alone = fit_mixture(
            *(FAITHFUL, k),
            covariance_type=name,
            init_params="agglomerative",
            acceleration=None,
            tol=1e-4,
            max_iter=1000,
        )
        assert fit.status == alone.status
        assert fit.n_iter == alone.n_iter
        assert fit.log_likelihood == pytest.approx(alone.log_likelihood, rel=1e-9)
        assert fit.bic == pytest.approx(alone.bic, rel=1e-9)
        assert [report.source for report in fit.starts] == ["agglomerative"]


def test_what_one_model_becomes_does_not_depend_on_the_others():
    options = {"init_params": "random", "n_init": 2, "random_state": 3, "max_iter": 20}
    many = fit_mixtures(FAITHFUL, (2, 3, 4), covariance_type=("full", "tied"), **options)
    one = fit_mixtures(FAITHFUL, 3, covariance_type="tied", **options)
    assert one.fits["tied", 3].history == pytest.approx(many.fits["tied", 3].history, rel=1e-9)
    assert len(one.fits["tied", 3].starts) == 2


def test_weights_are_copies_and_names_are_kept():
    X = np.repeat(FAITHFUL, 2, axis=0)
    weighed = fit_mixtures(
        *(FAITHFUL, (1, 2)),
        covariance_type="VEE",
        sample_weight=np.full(len(FAITHFUL), 2.0),
        feature_names=["a", "b"],
        init_params="pca",
    )
    copies = fit_mixtures(X, (1, 2), covariance_type="VEE", init_params="pca")
    for key, fit in copies.fits.items():
        assert weighed.fits[key].log_likelihood == pytest.approx(fit.log_likelihood, rel=1e-8)
    assert weighed.best.mixture.feature_names == ("a", "b")


def test_factor_analysers_among_them():
    X = np.random.default_rng(0).normal(size=(200, 5)) @ np.random.default_rng(1).normal(size=(5, 5))
    models = fit_mixtures(X, (1, 2), covariance_type=("factor", "VVV"), n_factors=2, max_iter=30)
    alone = fit_mixture(
        *(X, 2), covariance_type="factor", n_factors=2, init_params="agglomerative", tol=1e-5, max_iter=30
    )
    assert models.fits["factor", 2].mixture.n_factors == 2
    assert models.fits["factor", 2].history == pytest.approx(alone.history, rel=1e-9)


def test_one_feature_has_two_models():
    models = fit_mixtures(FAITHFUL[:, :1], range(1, 4))
    assert {name for name, _ in models.fits} == {"E", "V"}


def test_what_collapses_is_told_and_is_not_the_best():
    X = np.concatenate([FAITHFUL, np.repeat([[30.0, 500.0]], 3, axis=0)])
    models = fit_mixtures(X, (2, 3), covariance_type=("VVV", "EVV", "EEE"), reg_covar=0.0)
    assert set(models.fits) | set(models.failures) == {
        (name, k) for name in ("VVV", "EVV", "EEE") for k in (2, 3)
    }
    flawed = set(models.fits).difference(models.sound) | set(models.failures)
    assert ("VVV", 3) in flawed
    assert models.best in models.sound.values()
    nothing = fit_mixtures(np.zeros((5, 2)), 2, covariance_type="full", reg_covar=0.0)
    assert "collapsed" in nothing.failures["full", 2]
    with pytest.raises(FitError, match="collapsed"):
        nothing.best  # noqa: B018


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_components": []}, "one number or several different"),
        ({"n_components": [2, 2]}, "one number or several different"),
        ({"n_components": "2"}, "n_components"),
        ({"n_components": [1.5]}, "n_components"),
        ({"n_components": 0}, "n_components"),
        ({"n_components": 300}, "more than the 272 rows"),
        ({"covariance_type": []}, "one name or several"),
        ({"covariance_type": "fuzzy"}, "covariance_type must be one of"),
        ({"covariance_type": "V"}, "for one feature"),
        ({"init_params": "auto"}, "fit_mixture"),
        ({"init_params": "best"}, "init_params must be"),
        ({"tol": -1.0}, "tol"),
        ({"stopping": "never"}, "stopping must be"),
        ({"feature_names": ["a"]}, "feature_names"),
        ({"sample_weight": np.ones(3)}, "sample_weight"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        fit_mixtures(**({"X": FAITHFUL, "n_components": 2} | arguments))
