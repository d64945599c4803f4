"""Factor analysers: the laws of every structure, and those of their own, against the definition with matrices."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gaussmix import FitStatus, Mixture, fit_mixture
from gaussmix.errors import ModelFileError
from gaussmix.fit.factor_count import CANDIDATES, find_candidates
from gaussmix.fit.mstep.regularise import FLOOR
from gaussmix.model.covariance import FACTORS, STRUCTURES, get_structure
from gaussmix.model.kernels.guard import find_imprecise
from gaussmix.model.kernels.sweep import Sweep
from gaussmix.model.moments.statistics import Moments
from tests.helpers import (
    EXECUTORS,
    direct_joint,
    direct_log_prob,
    direct_responsibilities,
    environment,
    near,
    random_mixture,
    stats_of,
)
from tests.laws import test_em as em
from tests.laws import test_equivariance as equivariance
from tests.laws import test_mixture as distribution
from tests.laws import test_precision as precision
from tests.laws import test_statistics as statistics
from tests.laws import test_stress as stress

FAMILIES = tuple(FACTORS)
few = settings(max_examples=3)
problems = {"d": st.integers(3, 6), "k": st.integers(1, 3), "seed": st.integers(0, 2**32 - 1)}

#: Laws of every structure, with what they ask for beside d, k and seed.
LAWS = (
    (em.test_em_never_goes_down, {"weighted": True, "reg": 1e-13}),
    (em.test_em_in_single_precision_goes_down_by_rounding_only, {}),
    (em.test_em_never_goes_down_whoever_computes, {"executor": "blas"}),
    (em.test_em_never_goes_down_whoever_computes, {"executor": "centred"}),
    (equivariance.test_the_order_of_the_components_is_kept, {}),
    (equivariance.test_the_order_of_the_rows_does_not_matter, {"weighted": True}),
    (equivariance.test_the_order_of_the_features_does_not_matter, {}),
    (equivariance.test_scaled_features_give_the_scaled_fit, {}),
    (equivariance.test_shifted_data_give_the_shifted_fit, {}),
    (equivariance.test_a_shift_by_a_hundred_million_deviations_costs_only_its_rounding, {}),
    (equivariance.test_a_ridge_in_the_units_of_the_data_scales_with_them, {"factor": 1e-2}),
    (equivariance.test_integer_weights_are_copies, {}),
    (equivariance.test_rows_without_weight_might_as_well_not_be_there, {}),
    (distribution.test_samples_have_the_moments_of_the_mixture, {}),
    (distribution.test_seen_from_a_frame_it_is_the_same_distribution, {}),
    (distribution.test_a_structure_is_consistent_with_itself, {}),
    (statistics.test_addition_is_associative, {}),
    (statistics.test_addition_is_commutative, {}),
    (statistics.test_rebasing_there_and_back, {}),
    (statistics.test_rebased_statistics_are_those_taken_about_the_other_points, {}),
    (statistics.test_a_component_without_rows_has_its_centre_for_a_mean, {}),
)


@pytest.fixture(autouse=True, scope="module")
def in_the_table():
    """The laws look structures up in the table: let it have these, of two factors each, for a while."""
    STRUCTURES.update({name: get_structure(name, 9, 2) for name in FAMILIES})
    yield
    for name in FAMILIES:
        del STRUCTURES[name]


def of_two(name):
    return get_structure(name, 9, 2)


def random_factors(name, k, d, q, rng, noise=1.0):
    """A mixture of the family, its parts drawn at random."""
    sharing = FACTORS[name].sharing
    loadings = rng.normal(size=(k if sharing.own_loadings else 1, d, q)) + np.zeros((k, 1, 1))
    psi = np.exp(rng.normal(size=(k if sharing.own_uniquenesses else 1, 1 if sharing.isotropic else d)))
    covariances = np.concatenate([loadings, noise * (psi + np.zeros((k, d)))[:, :, None]], axis=2)
    return Mixture(rng.dirichlet(np.full(k, 4.0)), 2.0 * rng.normal(size=(k, d)), covariances, name)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law[0].__name__[5:45])
@pytest.mark.parametrize("name", ["factor", "CUC"])
@given(**problems)
@few
def test_the_laws_of_every_structure_hold(law, name, d, k, seed):
    test, more = law
    test.hypothesis.inner_test(name=name, d=d, k=k, seed=seed, **more)


@pytest.mark.parametrize("name", FAMILIES)
@given(**problems)
@few
def test_em_never_goes_down_in_any_family(name, d, k, seed):
    em.test_em_never_goes_down.hypothesis.inner_test(name, d, k, seed, weighted=True, reg=0.0)


@pytest.mark.parametrize("name", FAMILIES)
@given(q=st.integers(1, 3), d=st.integers(4, 6), k=st.integers(1, 3), seed=st.integers(0, 2**32 - 1))
@few
def test_a_density_is_that_of_the_matrices(name, q, d, k, seed):
    rng = np.random.default_rng(seed)
    mixture = random_factors(name, k, d, q, rng)
    assert mixture.n_factors == q and mixture.loadings.shape == (k, d, q)
    X = mixture.sample(20, rng)[0]
    assert_allclose(mixture.log_prob(X), direct_log_prob(mixture, X), rtol=1e-11)
    joint = direct_joint(mixture, X) - np.log(mixture.weights)
    assert_allclose(mixture.component_log_prob(X), joint, rtol=1e-11, atol=1e-11)
    L, psi = mixture.loadings, mixture.noise_variances
    assert_allclose(mixture.dense_covariances, L @ L.swapaxes(1, 2) + psi[:, :, None] * np.eye(d))
    within = np.tensordot(mixture.weights, mixture.dense_covariances, axes=1)
    between = np.cov(mixture.means.T, aweights=mixture.weights, ddof=0)
    assert_allclose(mixture.covariance, within + between, atol=1e-12)
    V, inverse = mixture.precisions[:, :, :-1], mixture.precisions[:, :, -1]
    woodbury = inverse[:, :, None] * np.eye(d) - V @ V.swapaxes(1, 2)
    assert_allclose(woodbury @ mixture.dense_covariances, np.tile(np.eye(d), (k, 1, 1)), atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("tight", [1.0, 1e-7])
def test_an_executor_computes_the_definition(executor, dtype, tight):
    """Also where a feature is tight and far away, and where loadings are large beside the noise."""
    rng = np.random.default_rng(3)
    k, d, n = 3, 5, 2_500
    plain = random_factors("factor", k, d, 2, rng)
    C = plain.covariances.copy()
    C[0, 1] *= np.sqrt(tight) ** np.array([1.0, 1.0, 2.0])
    C[1, :, -1] *= tight
    mixture = Mixture(plain.weights, plain.means, C, "factor")
    X = mixture.sample(n, rng)[0].astype(dtype).astype(np.float64)
    w = rng.uniform(0.1, 2.0, n).astype(dtype)
    frame, natural, _ = mixture.view(np.dtype(dtype))
    if tight < 1.0 and dtype is np.float64:
        assert natural.find_far(np.dtype(dtype)) and find_imprecise(natural, np.dtype(dtype)).tolist() == [
            False,
            True,
            False,
        ]
    with environment(GAUSSMIX_EXECUTOR=executor):
        sweep = Sweep(X.astype(dtype), frame, mixture.structure.form, k, w)
        found = sweep.accumulate(natural)
    seen, Z, stats = mixture.seen_from(frame), frame.apply(X).T, found.moments
    R = direct_responsibilities(seen, Z)
    expected = stats_of("factor", Z, R, w.astype(np.float64), stats.centres, natural.axes)
    tolerance = 1e-9 if dtype is np.float64 else 1e-3
    for field in ("counts", "first", "second"):
        wanted = getattr(expected, field)
        size = np.abs(wanted).max(axis=tuple(range(1, wanted.ndim)), keepdims=True)
        assert np.all(np.abs(getattr(stats, field) - wanted) <= tolerance * (size + n)), field
    assert_allclose(found.log_likelihood, w @ direct_log_prob(seen, Z), rtol=tolerance)
    joint = sweep.evaluate(natural, "joint")
    assert_allclose(joint, direct_joint(seen, Z), rtol=1e-7 if dtype is np.float64 else 1e-3, atol=1e-2)


def test_statistics_along_different_axes_do_not_add():
    rng = np.random.default_rng(0)
    X, R = rng.normal(size=(30, 4)), rng.dirichlet(np.ones(3), size=30)
    one = stats_of("factor", X, R)
    other = stats_of("factor", X, R, axes=rng.normal(size=(3, 4, 2)))
    with pytest.raises(ValueError, match="different axes"):
        one + other
    nothing = Moments.zero(one.form, 3, 4)
    for both in (nothing + other, other + nothing):
        assert_array_equal(both.second, other.second)
        assert_array_equal(both.axes, other.axes)


@given(**problems)
@few
def test_moments_are_the_scatter_about_the_mean_along_the_axes(d, k, seed):
    rng = np.random.default_rng(seed)
    X, R = rng.normal(size=(40, d)), rng.dirichlet(np.ones(k), size=40)
    stats = stats_of("factor", X, R, centres=rng.normal(size=(k, d)))
    moments = of_two("factor").moments(stats)
    for j in range(k):
        S = np.cov(X.T, aweights=R[:, j], ddof=0)
        assert_allclose(moments[j, :, :2], S @ stats.axes[j], atol=1e-12)
        assert_allclose(moments[j, :, -1], np.diagonal(S), atol=1e-12)


class Complete:
    """The expected log-likelihood of rows and factors together, by matrices: what an M-step maximises."""

    def __init__(self, X, R, before):
        L, C = before.loadings, before.dense_covariances
        self.shares = R.mean(axis=0)
        self.S = np.array([np.cov(X.T, aweights=r, ddof=0) for r in R.T])
        beta = np.swapaxes(np.linalg.solve(C, L), 1, 2)
        self.across = self.S @ np.swapaxes(beta, 1, 2)
        self.inside = np.eye(L.shape[2]) - beta @ L + beta @ self.across

    def __call__(self, covariances):
        L, psi = covariances[:, :, :-1], covariances[:, :, -1]
        residuals = (
            np.einsum("kii->ki", self.S)
            - 2.0 * np.einsum("kdq,kdq->kd", L, self.across)
            + np.einsum("kdq,kqp,kdp->kd", L, self.inside, L)
        )
        return -float(self.shares @ (np.log(psi) + residuals / psi).sum(axis=1))


@pytest.mark.parametrize("name", FAMILIES)
@given(**problems)
@few
def test_an_m_step_beats_every_perturbation(name, d, k, seed):
    """Of its loadings (where these are shared, given the noise before) and of its noise."""
    rng = np.random.default_rng(seed)
    before = random_factors(name, k, d, 2, rng)
    X = before.sample(40 * k, rng)[0] * np.exp(0.3 * rng.normal(size=d))
    R = rng.dirichlet(np.full(k, 0.4), size=len(X))
    structure, axes = before.structure, before.natural.axes
    stats = stats_of(name, X, R, centres=rng.normal(size=(k, d)), axes=axes)
    after = structure.estimate(stats, before.covariances)
    expected, shares = Complete(X, R, before), R.mean(axis=0)
    assert_allclose(structure.find_nearest(after, shares), after, rtol=1e-12)
    given_noise = after if structure.sharing.own_loadings else before.covariances
    assert expected(after) >= expected(before.covariances) - 1e-12 * abs(expected(after))
    for size in (1e-3, 1e-1, 1.0):
        other = random_factors(name, k, d, 2, rng).covariances
        loadings = np.concatenate([after[:, :, :-1], given_noise[:, :, -1:]], axis=2)
        moved = loadings.copy()
        moved[:, :, :-1] += size * other[:, :, :-1]
        assert expected(moved) <= expected(loadings) + 1e-11 * abs(expected(after))
        noisy = after.copy()
        noisy[:, :, -1] *= other[:, :, -1] ** size
        assert expected(noisy) <= expected(after) + 1e-11 * abs(expected(after))


@pytest.mark.parametrize("name", FAMILIES)
def test_a_fixed_point_beats_every_perturbation(name):
    rng = np.random.default_rng(1)
    X = random_factors(name, 2, 5, 1, rng).sample(600, rng)[0]
    best = fit_mixture(X, 2, covariance_type=name, n_factors=1, random_state=0, tol=1e-10, max_iter=2000)
    assert best.status is FitStatus.CONVERGED
    mixture, top = best.mixture, best.mean_log_likelihood
    for size in (1e-2, 0.1, 0.5):
        for _ in range(4):
            other = random_factors(name, 2, 5, 1, rng)
            C = mixture.covariances.copy()
            C[:, :, :-1] += size * other.loadings * C[:, :, :-1].std()
            C[:, :, -1] *= other.noise_variances**size
            means = mixture.means + size * rng.normal(size=mixture.means.shape)
            for parameters in ((mixture.means, C), (means, mixture.covariances), (means, C)):
                worse = Mixture(mixture.weights, *parameters, name).log_prob(X).mean()
                assert worse <= top + 1e-8


def counted(name, k, d, q):
    """McNicholas and Murphy (2008), table 1."""
    loadings = d * q - q * (q - 1) // 2
    return {
        "CCC": loadings + 1,
        "CCU": loadings + d,
        "CUC": loadings + k,
        "CUU": loadings + k * d,
        "UCC": k * loadings + 1,
        "UCU": k * loadings + d,
        "ppca": k * loadings + k,
        "factor": k * loadings + k * d,
    }[name]


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize(("k", "d", "q"), [(1, 4, 1), (2, 6, 2), (3, 7, 3)])
def test_the_parameters_are_counted(name, k, d, q):
    structure = get_structure(name, d, q)
    assert structure.n_covariance_parameters(k, d) == counted(name, k, d, q)
    # as many as the family has dimensions at one of its members: the rank of the derivative of the matrices
    rng = np.random.default_rng(0)
    at = random_factors(name, k, d, q, rng).covariances
    steps = []
    for _ in range(counted(name, k, d, q) + 5):
        step = random_factors(name, k, d, q, rng).covariances
        ends = [structure.algebra.to_dense(at + h * step, k, d).ravel() for h in (1e-6, -1e-6)]
        steps.append((ends[0] - ends[1]) / 2e-6)
    assert np.linalg.matrix_rank(np.array(steps), tol=1e-6) == counted(name, k, d, q)


def test_one_component_is_factor_analysis():
    from sklearn.decomposition import FactorAnalysis

    rng = np.random.default_rng(0)
    X = random_factors("factor", 1, 8, 2, rng, noise=0.5).sample(800, rng)[0]
    ours = fit_mixture(X, 1, covariance_type="factor", n_factors=2, tol=1e-12, max_iter=5000, reg_covar=0.0)
    theirs = FactorAnalysis(2, tol=1e-12, max_iter=10_000, svd_method="lapack").fit(X)
    assert ours.mean_log_likelihood == pytest.approx(theirs.score(X), abs=1e-6)
    assert_allclose(ours.mixture.dense_covariances[0], theirs.get_covariance(), rtol=1e-3, atol=1e-3)


def test_one_component_of_isotropic_noise_is_that_of_principal_components():
    """Tipping and Bishop (1999): the start has it already."""
    rng = np.random.default_rng(0)
    X = random_factors("ppca", 1, 8, 2, rng).sample(500, rng)[0]
    result = fit_mixture(X, 1, covariance_type="ppca", n_factors=2, tol=1e-12, reg_covar=0.0)
    values, vectors = np.linalg.eigh(np.cov(X.T, ddof=0))
    rest = values[:-2].mean()
    covariance = (vectors[:, -2:] * (values[-2:] - rest)) @ vectors[:, -2:].T + rest * np.eye(8)
    assert_allclose(result.mixture.dense_covariances[0], covariance, rtol=1e-9, atol=1e-9)
    assert result.n_iter <= 2


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_constant_columns_and_heaps_of_rows_are_held_at_the_floor(name, dtype):
    rng = np.random.default_rng(2)
    X = random_factors("factor", 2, 6, 2, rng).sample(300, rng)[0]
    X[:, 1], X[:, 4], X[:40] = 4.2, 0.0, X[0]
    X[0, 4] = 1.0  # nearly constant
    result = fit_mixture(
        X.astype(dtype), 3, covariance_type=name, n_factors=2, random_state=0, max_iter=60, tol=0.0
    )
    falls = -np.diff(result.history) / (1.0 + np.abs(result.history[1:]))
    assert falls.max() <= (1e-6 if dtype is np.float64 else 1e-4)
    assert np.isfinite(result.history).all()
    spread = np.where(X.var(axis=0) > 1e-20, X.var(axis=0), 4.2**2)
    least = spread if of_two(name).group == "scale" else np.full(6, X.var(axis=0).mean())
    assert (result.mixture.noise_variances >= 0.999 * FLOOR * least).all()
    if of_two(name).group == "scale":
        assert "no spread in some direction" in result.advice
    log_prob = result.mixture.log_prob(X.astype(dtype)).astype(np.float64)
    assert log_prob.mean() == pytest.approx(result.mean_log_likelihood, rel=1e-3)


def extended(mixture, k, X):
    """Log-density of component k, of two factors, and distance in nats from its peak, in extended precision."""
    long = np.longdouble
    L, psi = mixture.loadings[k].astype(long), mixture.noise_variances[k].astype(long)
    D = (X.astype(long) - mixture.means[k].astype(long)).T
    (a, b), (_, c) = np.eye(2) + L.T @ (L / psi[:, None])
    det = a * c - b * b
    Y = np.array([[c, -b], [-b, a]]) / det @ (L.T @ (D / psi[:, None]))
    E = D - L @ Y
    nats = ((E * E / psi[:, None]).sum(axis=0) + (Y * Y).sum(axis=0)) / 2
    return -nats - (np.log(psi).sum() + np.log(det) + len(psi) * np.log(2 * long(np.pi))) / 2, nats


@pytest.mark.skipif(np.finfo(np.longdouble).eps > 1e-18, reason="this platform has no extended precision")
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("d", [3, 16, 64])
def test_the_error_of_a_log_density_is_bounded(d, dtype):
    """As docs/numerics.md promises: tight components, far away, with loadings up to a million times the noise."""
    rng = np.random.default_rng(d)
    for offset, ratios in ((0.0, (1.0, 1e-2, 1e-4, 1e-6)), (1e6, (1.0, 1e-2)), (1e8, (1.0,))):
        if dtype is np.float32 and offset > 1e6:
            continue
        for ratio in ratios:
            plain = random_factors("factor", 3, d, 2, rng)
            C = plain.covariances * np.array([1.0, ratio, 1.0])[:, None, None] ** np.array([1.0, 1.0, 2.0])
            C[2, :, -1] *= ratio**2
            mixture = Mixture(plain.weights, plain.means + offset, C, "factor")
            X = precision.points(mixture, dtype, rng)
            exact, nats = zip(*(extended(mixture, k, X) for k in range(3)), strict=True)
            close = np.array(nats) <= 30 + 2 * d
            error = np.abs(mixture.component_log_prob(X).T - np.array(exact))[close].max()
            assert error < precision.LIMIT[dtype], (offset, ratio)


def test_no_matrix_of_all_features_is_made():
    rng = np.random.default_rng(0)
    n, d = 80, 2_000
    X = rng.normal(size=(n, 2)) @ rng.normal(size=(2, d)) + rng.normal(size=(n, d))
    fit_mixture(
        X, 2, covariance_type="factor", random_state=0, max_iter=1
    )  # what is loaded once is not the fit's
    tracemalloc.start()
    try:
        result = fit_mixture(X, 2, covariance_type="factor", random_state=0, max_iter=3, tol=0.0)
        result.mixture.sample(5, 0)
        result.mixture.log_prob(X)
        assert tracemalloc.get_traced_memory()[1] < 8 * d * d / 2
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["factor", "CUC"])
def test_any_number_of_threads_gives_the_same_bits(name):
    rng = np.random.default_rng(0)
    X = random_factors(name, 3, 5, 2, rng).sample(20_000, rng)[0]
    seen = []
    for n_threads in ("1", "3"):
        with environment(GAUSSMIX_NUM_THREADS=n_threads):
            result = fit_mixture(X, 3, covariance_type=name, n_factors=2, random_state=0, max_iter=3, tol=0.0)
            seen.append((result.history, result.mixture.covariances, result.mixture.log_prob(X)))
    for one, other in zip(*seen, strict=True):
        assert_array_equal(one, other)


def test_a_fit_that_was_cut_off_goes_on_to_the_same_bits(tmp_path):
    rng = np.random.default_rng(0)
    X = random_factors("factor", 2, 5, 2, rng).sample(300, rng)[0]
    options = {"covariance_type": "UUU", "n_factors": 2, "random_state": 0, "max_iter": 8, "tol": 0.0}
    path = tmp_path / "fit.checkpoint"
    fit_mixture(
        X, 2, **options, checkpoint=path, checkpoint_interval=0.0, on_progress=lambda p: p.iteration == 3
    )
    whole, resumed = fit_mixture(X, 2, **options), fit_mixture(X, 2, **options, resume=path)
    assert resumed.history == whole.history
    assert_array_equal(resumed.mixture.covariances, whole.mixture.covariances)
    with pytest.raises(ModelFileError, match="n_factors = 2, not 1"):
        fit_mixture(X, 2, **{**options, "n_factors": 1}, resume=path)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_file_has_the_same_bits(name, tmp_path):
    mixture = random_factors(name, 3, 4, 2, np.random.default_rng(0))
    mixture.save(tmp_path / "m.safetensors")
    again = Mixture.load(tmp_path / "m.safetensors")
    assert_array_equal(again.covariances, mixture.covariances)
    assert again.structure is mixture.structure
    X = mixture.sample(5, 0)[0]
    assert_array_equal(again.log_prob(X), mixture.log_prob(X))


def test_the_number_of_factors_is_that_of_least_bic():
    rng = np.random.default_rng(5)
    X = random_factors("factor", 2, 9, 3, rng, noise=0.2).sample(800, rng)[0]
    options = {"covariance_type": "factor", "random_state": 0, "max_iter": 300}
    chosen = fit_mixture(X, 2, n_factors="auto", **options)
    bics = {q: fit_mixture(X, 2, n_factors=q, **options).bic for q in find_candidates(9)}
    assert chosen.mixture.n_factors == min(bics, key=bics.__getitem__) == 3
    assert chosen.bic == min(bics.values())
    assert fit_mixture(X, 2, n_factors="auto", covariance_type="diag").mixture.n_factors == 0
    stopped = fit_mixture(X, 2, n_factors="auto", **options, on_progress=lambda p: p.iteration == 2)
    assert stopped.status is FitStatus.INTERRUPTED and stopped.mixture.n_factors == 1


def test_auto_tries_a_short_range():
    assert find_candidates(2) == find_candidates(3) == (1,)
    assert find_candidates(6) == (1, 2, 3)
    assert find_candidates(784) == CANDIDATES


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_factors": 4}, "n_factors must be less than the number of features, from 1 to 3; got 4"),
        ({"n_factors": 0}, "n_factors must be a whole number of at least 1; got 0"),
        ({"n_factors": 1.5}, "n_factors must be a whole number of at least 1; got 1.5"),
        ({"n_factors": "all"}, "n_factors must be \"auto\" or a whole number of at least 1; got 'all'"),
        ({"n_factors": "auto", "checkpoint": "x"}, 'n_factors="auto" and checkpoint do not go together'),
    ],
)
def test_a_wrong_number_of_factors_is_one_clear_error(change, message):
    X = np.random.default_rng(0).normal(size=(30, 4))
    with pytest.raises(ValueError, match=message):
        fit_mixture(X, 2, covariance_type="ppca", **change)


def test_other_wrong_input():
    rng = np.random.default_rng(0)
    X, mixture = rng.normal(size=(30, 4)), random_factors("CCU", 2, 4, 2, rng)
    with pytest.raises(ValueError, match="'factor' is for two features or more; for one use 'full'"):
        fit_mixture(X[:, :1], 2, covariance_type="factor")
    with pytest.raises(ValueError, match="start has n_factors 2, but 1 are to be fitted"):
        fit_mixture(X, 2, covariance_type="CCU", n_factors=1, start=mixture)
    C = mixture.covariances.copy()
    C[0, 0, 0] += 1.0
    with pytest.raises(ValueError, match="not of the family 'CCU'"):
        Mixture(mixture.weights, mixture.means, C, "CCU")
    C[1, 2, -1] = -0.5
    with pytest.raises(ValueError, match="covariance of component 1 has the smallest eigenvalue -0.5"):
        Mixture(mixture.weights, mixture.means, C, "factor")
    with pytest.raises(ValueError, match=r"\(n_components, n_features, n_factors \+ 1\) for 'ppca'"):
        Mixture(mixture.weights, mixture.means, C[0], "ppca")
    with pytest.raises(AttributeError, match="'diag' have no loadings"):
        _ = random_mixture("diag", 2, 3, rng).loadings


def test_components_that_collapse_are_moved_or_reported():
    rng = np.random.default_rng(0)
    X = random_factors("factor", 2, 5, 1, rng).sample(200, rng)[0]
    start = np.repeat([0, 1], 100)
    start[:2] = 2
    X[:2] = X[0] + 1e-12 * X[:2]  # two rows that are the same but for rounding
    options = {"covariance_type": "factor", "n_factors": 1, "random_state": 0, "max_iter": 50}
    result = fit_mixture(X, 3, start=start, **options)
    assert np.isfinite(result.history).all()
    assert result.status is FitStatus.DEGENERATE or not result.collapsed
    assert result.n_reseeds > 0


@pytest.mark.parametrize("family", sorted(set(stress.FAMILIES) - {"one column"}))
@pytest.mark.parametrize("name", ["factor", "CUC"])
def test_a_fit_of_data_that_break_mixtures_is_usable(name, family, tmp_path):
    stress.test_a_fit_is_usable_or_one_clear_error(stress.Case(family, 1.0, np.float64, name), tmp_path)


def test_a_start_nearby_is_gone_on_from():
    rng = np.random.default_rng(0)
    mixture = random_factors("UCU", 2, 5, 2, rng)
    X = mixture.sample(400, rng)[0]
    result = fit_mixture(X, 2, covariance_type="UCU", start=near(mixture, rng))
    assert result.mixture.n_factors == 2  # the start's
    assert result.converged
