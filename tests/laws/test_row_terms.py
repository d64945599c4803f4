"""Terms of rows come into the softmax; each executor gives what the definition says. So does the entropy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import entr, logsumexp

from gaussmix import Mixture, Noise, fit_mixture
from gaussmix.model.kernels.blas import Blas
from gaussmix.model.kernels.centred import Centred
from gaussmix.model.kernels.compiled import Compiled
from gaussmix.model.kernels.executor import Operands
from gaussmix.model.kernels.natural import LOG_ZERO
from gaussmix.model.kernels.projected import Projected, ProjectedCentred
from gaussmix.model.kernels.sweep import EXECUTORS as REGISTRY
from gaussmix.model.kernels.sweep import SMALL_PASS, Sweep, choose_executor
from gaussmix.model.moments.blocks import VECH, AlongAxes, Form
from gaussmix.model.moments.frame import Frame
from gaussmix.model.moments.groups import Groups
from tests.helpers import EXECUTORS, KINDS, direct_joint, environment, random_mixture, stats_of

TOLERANCE = {"float64": 1e-9, "float32": 5e-4}
N, K = 700, 4


class Problem:
    """Weighted rows of a mixture, with or without noise, in the frame that whitens it."""

    def __init__(self, executor, name="full", dtype="float64", noise=False, seed=0, tight=False):
        rng = np.random.default_rng(seed)
        mixture = random_mixture(name, K, 3, rng)
        if tight:  # far from the origin, so that the product form would blur it
            covariances = mixture.covariances.copy()
            covariances[0] *= {"float64": 1e-12, "float32": 1e-3}[dtype]
            mixture = Mixture(mixture.weights, mixture.means, covariances, name)
        self.X = mixture.sample(N, rng)[0].astype(dtype)
        self.weights = rng.uniform(0.1, 2.0, N).astype(dtype)
        if noise:
            mixture = mixture.with_noise(Noise(0.2, log_density=-6.0))
        self.frame = Frame.of_moments(mixture.mean, mixture.covariance, mixture.structure.group, self.X.dtype)
        self.mixture = mixture.seen_from(self.frame)
        self.natural, self.name = self.mixture.natural, name
        A = self.frame.matrix
        A = A if A.ndim == 2 else np.diag(np.broadcast_to(A, (3,)))
        self.Z = (self.X.astype(np.float64) - self.frame.origin) @ A.T
        self.joint = direct_joint(self.mixture, self.Z)
        if noise:
            column = np.full((N, 1), self.mixture.noise.log_joint)
            self.joint = np.concatenate([self.joint, column], axis=1)
        pooled = stats_of(name, self.Z, np.full((N, K), 1.0 / K), self.weights).pooled
        form, k = self.mixture.form, self.natural.n_rows
        with environment(GAUSSMIX_EXECUTOR=executor):
            self.sweep = Sweep(self.X, self.frame, form, k, self.weights, pooled)
        self.executor, self.dtype = executor, dtype

    def ask(self, method, *arguments, **named):
        """What a method of the sweep gives; the executor of passes with terms is chosen when first needed."""
        with environment(GAUSSMIX_EXECUTOR=self.executor):
            return getattr(self.sweep, method)(*arguments, **named)

    def check(self, terms):
        """Moments, log-likelihood, entropy and densities against the definition."""
        joint = self.joint + np.maximum(terms.T, LOG_ZERO)
        log_density = logsumexp(joint, axis=1)
        R, w = np.exp(joint - log_density[:, None]), self.weights.astype(np.float64)
        answers = {
            "log_prob": log_density,
            "responsibilities": R,
            "joint": np.where(joint > 0.5 * LOG_ZERO, joint, 0.0),
        }
        tolerance = TOLERANCE[self.dtype]

        def rows(part):
            return terms[:, part]

        for method, wanted in answers.items():
            found = self.ask("evaluate", self.natural, method, rows)
            if method == "joint":
                found = np.where(joint > 0.5 * LOG_ZERO, found, 0.0)
            assert_allclose(found, wanted, rtol=0, atol=tolerance * (1.0 + np.abs(wanted).max()))
        found = self.ask("accumulate", self.natural, rows, entropy=True)
        size = w.sum() * (1.0 + np.abs(log_density).max())
        assert_allclose(found.log_likelihood, w @ log_density, rtol=0, atol=tolerance * size)
        assert_allclose(found.entropy, w @ entr(R).sum(axis=1), rtol=0, atol=tolerance * size)
        expected = stats_of(self.name, self.Z, R[:, :K], w, found.moments.centres)
        own = ("second",) if found.moments.form == expected.form else ()  # with noise, each has its own
        for field in ("counts", "first", *own):
            value = getattr(expected, field)
            scale = w.sum() * (1.0 + np.abs(value).max(initial=0.0) / w.sum())
            assert_allclose(getattr(found.moments, field), value, rtol=0, atol=tolerance * scale)
        noise = R[:, K:].sum(axis=1)
        assert_allclose(found.moments.noise, w @ noise, rtol=0, atol=tolerance * w.sum())
        assert_allclose(found.kept_weight, w.sum(), rtol=1e-6)
        chosen = joint[np.arange(N), self.ask("evaluate", self.natural, "labels", rows)]
        assert (chosen >= joint.max(axis=1) - tolerance * (1.0 + np.abs(self.joint).max())).all()


@pytest.fixture(params=EXECUTORS)
def executor(request):
    return request.param


@pytest.fixture(params=TOLERANCE)
def dtype(request):
    return request.param


@pytest.mark.parametrize("name", KINDS)
def test_terms_are_added_before_the_softmax(executor, name, dtype):
    Problem(executor, name, dtype).check(np.random.default_rng(1).normal(0.0, 2.0, (K, N)))


@pytest.mark.parametrize("name", ["full", "tied", "spherical"])
def test_terms_of_the_noise_come_last(executor, name, dtype):
    Problem(executor, name, dtype, noise=True).check(np.random.default_rng(1).normal(0.0, 2.0, (K + 1, N)))


@pytest.mark.parametrize("name", ["full", "diag"])
def test_components_apart_have_terms_too(executor, name, dtype):
    problem = Problem(executor, name, dtype, tight=True)
    apart = problem.sweep._plan_pass(problem.natural, None)[1].apart
    assert executor == "centred" or apart.tolist() == [0], "or this tests nothing"
    terms = np.random.default_rng(1).normal(0.0, 2.0, (K, N))
    plain, shifted = (
        problem.ask("evaluate", problem.natural, "joint", t) for t in (None, lambda rows: terms[:, rows])
    )
    assert_allclose(shifted, plain + terms.T.astype(dtype), rtol=1e-6, atol=1e-3)


@pytest.mark.parametrize("name", KINDS)
def test_terms_of_zero_change_nothing(executor, name, dtype):
    problem = Problem(executor, name, dtype)
    zeros = np.zeros((K, N))
    plain = problem.ask("accumulate", problem.natural)
    same = problem.ask("accumulate", problem.natural, lambda rows: zeros[:, rows])
    for field in ("counts", "first", "second", "pooled"):
        one, other = getattr(plain.moments, field), getattr(same.moments, field)
        if executor == "compiled":  # passes with terms go through NumPy
            assert_allclose(
                other, one, rtol=0, atol=TOLERANCE[dtype] * N * (1.0 + np.abs(one).max(initial=0))
            )
        else:
            assert_array_equal(other, one)
    if executor != "compiled":
        assert same.log_likelihood == plain.log_likelihood


@pytest.mark.parametrize("name", KINDS)
def test_rows_that_belong_to_one_component_give_hard_statistics(executor, name, dtype):
    """Terms of log(0) and log(1): labels of the rows."""
    problem = Problem(executor, name, dtype)
    labels = np.random.default_rng(2).integers(K, size=N)
    with np.errstate(divide="ignore"):
        terms = np.log(labels == np.arange(K)[:, None])
    found = problem.ask("accumulate", problem.natural, lambda rows: terms[:, rows], entropy=True)
    hard = problem.ask(
        "accumulate_given", lambda rows: np.exp(terms[:, rows]), centres=found.moments.centres.copy()
    )
    w = problem.weights.astype(np.float64)
    for field in ("counts", "first", "second"):
        one, other = getattr(hard, field), getattr(found.moments, field)
        assert_allclose(other, one, rtol=0, atol=TOLERANCE[dtype] * (N + np.abs(one).max(initial=0)))
    own = problem.joint[np.arange(N), labels]
    assert_allclose(found.log_likelihood, w @ own, rtol=TOLERANCE[dtype])
    assert found.entropy == pytest.approx(0.0, abs=1e-9)
    assert_array_equal(
        problem.ask("evaluate", problem.natural, "labels", lambda rows: terms[:, rows]), labels
    )


@pytest.mark.parametrize("name", KINDS)
def test_terms_alike_for_all_rows_are_other_weights(executor, name, dtype):
    problem = Problem(executor, name, dtype)
    mixture, others = problem.mixture, np.random.default_rng(3).dirichlet(np.full(K, 2.0))
    terms = np.log(others / mixture.weights)[:, None]
    found = problem.ask("accumulate", problem.natural, lambda rows: terms)
    wanted = problem.ask("accumulate", mixture.replace(weights=others).natural)
    size = N * (1.0 + abs(wanted.log_likelihood) / N)
    assert_allclose(found.log_likelihood, wanted.log_likelihood, rtol=0, atol=TOLERANCE[dtype] * size)
    for field in ("counts", "first", "second"):
        one, other = getattr(wanted.moments, field), getattr(found.moments, field)
        assert_allclose(other, one, rtol=0, atol=TOLERANCE[dtype] * (N + np.abs(one).max(initial=0)))


@pytest.mark.parametrize("blurred", [False, True])
def test_terms_where_float32_is_too_short(executor, blurred):
    """Then rows are worked on in double precision, with terms or without."""
    problem = Problem(executor, dtype="float32")
    natural = problem.natural
    if blurred:
        seen = problem.mixture
        natural = Mixture(seen.weights, seen.means, 1e-5 * seen.covariances).natural
    chosen = problem.ask("_plan_pass", natural, lambda rows: np.zeros((K, 1)))[0]
    assert type(chosen) is (Centred if executor == "centred" else Blas)
    assert (chosen.operands.dtype == np.float64) == blurred


def test_terms_of_mixtures_side_by_side():
    """Each mixture's softmax has its own terms."""
    problem, terms = Problem("blas"), np.random.default_rng(4).normal(size=(K, N))
    both = replace(problem.natural, groups=Groups((1, 3)))
    found = problem.sweep.accumulate_groups(both, lambda rows: terms[:, rows])
    joint, w = problem.joint + terms.T, problem.weights
    parts = [logsumexp(joint[:, :1], axis=1), logsumexp(joint[:, 1:], axis=1)]
    assert_allclose(found.log_likelihoods, [w @ part for part in parts], rtol=1e-9)
    assert_allclose(found.moments.counts[1:], w @ np.exp(joint[:, 1:] - parts[1][:, None]), rtol=1e-8)
    assert_allclose(found.kept_weight, w.sum())


@pytest.mark.parametrize("setting", ["blas", "centred"])
def test_terms_of_factor_analysers(setting):
    rng = np.random.default_rng(5)
    X = rng.normal(size=(300, 5)) @ rng.normal(size=(5, 5)) + rng.integers(2, size=(300, 1)) * 3.0
    mixture = fit_mixture(X, 2, covariance_type="factor", n_factors=2, max_iter=2, random_state=0).mixture
    frame = Frame.of_moments(mixture.mean, mixture.total_variances, mixture.structure.group, X.dtype)
    seen, terms = mixture.seen_from(frame), rng.normal(size=(2, 300))
    with environment(GAUSSMIX_EXECUTOR=setting):
        sweep = Sweep(X, frame, seen.form, 2)
    joint = direct_joint(seen, np.ascontiguousarray(frame.apply(X).T)) + terms.T
    log_density = logsumexp(joint, axis=1)
    R = np.exp(joint - log_density[:, None])
    found = sweep.accumulate(seen.natural, lambda rows: terms[:, rows], entropy=True)
    assert_allclose(found.log_likelihood, log_density.sum(), rtol=1e-9)
    assert_allclose(found.moments.counts, R.sum(axis=0), rtol=1e-9)
    assert_allclose(found.entropy, entr(R).sum(), rtol=1e-7)
    assert_allclose(
        sweep.evaluate(seen.natural, "joint", lambda rows: terms[:, rows]), joint, rtol=1e-7, atol=1e-6
    )


def test_the_entropy_is_found_where_it_is_asked_for(executor, dtype):
    problem = Problem(executor, dtype=dtype)
    R = np.exp(problem.joint - logsumexp(problem.joint, axis=1, keepdims=True))
    wanted = problem.weights.astype(np.float64) @ entr(R).sum(axis=1)
    assert problem.ask("accumulate", problem.natural).entropy is None
    found = problem.ask("accumulate", problem.natural, entropy=True)
    assert_allclose(found.entropy, wanted, rtol=TOLERANCE[dtype])


FULL, AXES = Form(VECH), Form(AlongAxes(2))


@pytest.mark.parametrize(
    ("n", "d", "k", "form", "chosen"),
    [
        (200_000, 2, 5, FULL, Compiled),
        (272, 2, 3, FULL, Blas),
        (5_000, 256, 8, FULL, Centred),
        (50_000, 64, 64, FULL, Blas),
        (200_000, 16, 4, AXES, Projected),
    ],
)
def test_the_executor_is_chosen_by_the_shape_of_the_problem(n, d, k, form, chosen):
    X = np.empty((n, d))
    operands = Operands(X, None, None, form, k, X.dtype, SMALL_PASS)
    if chosen is Compiled and "compiled" not in EXECUTORS:
        chosen = Blas
    with environment(GAUSSMIX_EXECUTOR="auto"):
        assert choose_executor(operands) is chosen
        assert choose_executor(operands, with_terms=True) is (Blas if chosen is Compiled else chosen)
    by_name = {"centred": ProjectedCentred if form.n_axes else Centred}
    for setting in EXECUTORS:
        with environment(GAUSSMIX_EXECUTOR=setting):
            wanted = by_name.get(setting, Projected if form.n_axes else Blas)
            assert choose_executor(operands, with_terms=True) is wanted
            if setting == "compiled" and not form.n_axes:
                wanted = Compiled
            assert choose_executor(operands) is wanted
    assert len(REGISTRY) == 5
