"""Every executor computes the statistics of the definition: responsibilities by SciPy, sums written out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gaussmix.model.covariance import STRUCTURES
from gaussmix.model.kernels.sweep import Sweep
from gaussmix.model.moments.frame import Frame
from tests.helpers import (
    EXECUTORS,
    KINDS,
    direct_joint,
    direct_log_prob,
    direct_responsibilities,
    environment,
    random_mixture,
    stats_of,
)

TOLERANCE = {"float64": 1e-10, "float32": 2e-4}


@pytest.fixture(params=KINDS, scope="session")
def name(request):
    """The name of a covariance structure, one of each kind."""
    return request.param


class Problem:
    """Rows of a mixture in the frame that whitens it, the kernel's answer and that of the definition."""

    def __init__(self, name, n, d, k, seed, dtype="float64", weighted=False):
        rng = np.random.default_rng(seed)
        self.structure = STRUCTURES[name]
        mixture = random_mixture(name, k, d, rng)
        self.X = mixture.sample(n, rng)[0].astype(dtype)
        self.weights = rng.uniform(0.1, 3.0, n).astype(dtype) if weighted else None
        self.frame = Frame.of_moments(mixture.mean, mixture.covariance, self.structure.group, self.X.dtype)
        self.seen = mixture.seen_from(self.frame)
        self.Z = (self.X.astype(np.float64) - self.frame.origin) @ np.atleast_2d(self._matrix(d)).T
        w = np.ones(n) if self.weights is None else self.weights.astype(np.float64)
        R = direct_responsibilities(self.seen, self.Z)
        self.expected = stats_of(name, self.Z, R, w)
        self.log_likelihood = float(w @ direct_log_prob(self.seen, self.Z))
        self.tolerance = TOLERANCE[dtype]

    def _matrix(self, d):
        A = self.frame.matrix
        return A if A.ndim == 2 else np.diag(np.broadcast_to(A, (d,)))

    def sweep(self, executor, rows=slice(None)):
        weights = None if self.weights is None else self.weights[rows]
        pooled = self.expected.pooled
        with environment(GAUSSMIX_EXECUTOR=executor):
            return Sweep(
                self.X[rows], self.frame, self.structure.form, self.seen.n_components, weights, pooled
            )

    def check(self, executor):
        found = self.sweep(executor).accumulate(self.seen.natural)
        actual = found.moments.rebase(np.zeros_like(found.moments.centres))
        W = self.expected.weight
        # no pass of a product form computes what is pooled: it hands on what it was given
        fields = ("counts", "first", "second", *(("pooled",) if executor == "centred" else ()))
        for field in fields:
            wanted = getattr(self.expected, field)
            scale = W * (1.0 + np.abs(wanted).max(initial=0.0) / W)
            assert_allclose(
                getattr(actual, field), wanted, rtol=0, atol=self.tolerance * scale, err_msg=field
            )
        size = W * (1.0 + abs(self.log_likelihood) / W)
        assert_allclose(found.log_likelihood, self.log_likelihood, rtol=0, atol=self.tolerance * size)


problems = {
    "n": st.integers(1, 700),
    "d": st.integers(1, 7),
    "k": st.integers(1, 9),
    "seed": st.integers(0, 2**32 - 1),
    "weighted": st.booleans(),
}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("executor", EXECUTORS)
@given(**problems)
@example(n=1, d=1, k=1, seed=0, weighted=False)
@example(n=256, d=1, k=4, seed=0, weighted=True)
@example(n=255, d=2, k=5, seed=0, weighted=False)
@example(n=257, d=3, k=6, seed=0, weighted=True)
@example(n=513, d=4, k=7, seed=0, weighted=False)
def test_an_executor_computes_the_definition(name, executor, dtype, n, d, k, seed, weighted):
    Problem(name, n, d, k, seed, dtype, weighted).check(executor)


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize(
    ("n", "d", "k"), [(8192, 2, 3), (8193, 2, 5), (20_001, 1, 2), (5_003, 12, 6), (2_500, 25, 3)]
)
def test_chunks_of_every_size_add_up(name, executor, n, d, k):
    """More rows than a chunk holds, by none, by one, by some; many features."""
    Problem(name, n, d, k, seed=1, weighted=True).check(executor)


@pytest.mark.parametrize("executor", EXECUTORS)
@given(**problems)
def test_the_statistics_of_the_halves_are_those_of_the_whole(name, executor, n, d, k, seed, weighted):
    problem = Problem(name, n + 1, d, k, seed, weighted=weighted)
    cut = 1 + seed % n
    natural = problem.seen.natural
    whole = problem.sweep(executor).accumulate(natural).moments
    front, back = (
        problem.sweep(executor, rows).accumulate(natural).moments for rows in (slice(cut), slice(cut, None))
    )
    both = (front + back).rebase(whole.centres)
    for field in ("counts", "first", "second"):
        wanted = getattr(whole, field)
        atol = 1e-11 * (n + np.abs(wanted).max(initial=0.0))
        assert_allclose(getattr(both, field), wanted, rtol=0, atol=atol)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("executor", EXECUTORS)
@given(**problems)
@example(n=1, d=1, k=1, seed=0, weighted=False)
@example(n=257, d=3, k=6, seed=0, weighted=False)
def test_an_executor_evaluates_the_definition(name, executor, dtype, n, d, k, seed, weighted):
    problem = Problem(name, n, d, k, seed, dtype)
    sweep, natural, joint = (
        problem.sweep(executor),
        problem.seen.natural,
        direct_joint(problem.seen, problem.Z),
    )
    tolerance = 10 * problem.tolerance * (1.0 + np.abs(joint).max(axis=1))
    assert (np.abs(sweep.evaluate(natural, "joint") - joint) <= tolerance[:, None]).all()
    assert (
        np.abs(sweep.evaluate(natural, "log_prob") - direct_log_prob(problem.seen, problem.Z)) <= tolerance
    ).all()
    R = direct_responsibilities(problem.seen, problem.Z)
    assert (np.abs(sweep.evaluate(natural, "responsibilities") - R) <= tolerance[:, None]).all()
    chosen = joint[np.arange(n), sweep.evaluate(natural, "labels")]
    assert (chosen >= joint.max(axis=1) - 2 * tolerance).all()


@pytest.mark.parametrize("executor", EXECUTORS)
def test_what_a_row_gets_does_not_depend_on_its_neighbours(name, executor):
    problem = Problem(name, 600, 3, 5, seed=3)
    natural = problem.seen.natural
    together = problem.sweep(executor).evaluate(natural, "responsibilities")
    for start in (0, 1, 255, 256, 511, 599):
        alone = problem.sweep(executor, slice(start, start + 1)).evaluate(natural, "responsibilities")
        assert_allclose(alone[0], together[start], rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_sweep_can_be_used_again(name, executor):
    """Nothing is left behind in the buffers that passes share."""
    problem = Problem(name, 9_000, 2, 3, seed=4)
    sweep, natural = problem.sweep(executor), problem.seen.natural
    other = random_mixture(name, 3, 2, np.random.default_rng(9)).natural
    first = sweep.accumulate(natural)
    sweep.evaluate(other, "log_prob"), sweep.accumulate(other), sweep.evaluate(other, "labels")
    second = sweep.accumulate(natural)
    assert first.log_likelihood == second.log_likelihood
    for field in ("counts", "first", "second"):
        assert_array_equal(getattr(first.moments, field), getattr(second.moments, field))


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_rows_that_no_component_explains_stay_finite(name, executor, dtype):
    """Exponents far under the least float: the nearest component takes such a row whole."""
    problem = Problem(name, 300, 2, 3, seed=5, dtype=dtype)
    problem.X[::7] += np.float32(1e4) * problem.X.std()
    found = problem.sweep(executor).accumulate(problem.seen.natural)
    assert np.isfinite(found.log_likelihood)
    assert_allclose(found.moments.counts.sum(), 300, rtol=1e-5)
    R = problem.sweep(executor).evaluate(problem.seen.natural, "responsibilities")
    assert_allclose(R.sum(axis=1), 1.0, rtol=1e-5)
    assert (R >= 0.0).all()


def test_what_an_executor_is_asked_for_it_must_have():
    with environment(GAUSSMIX_EXECUTOR="cuda"), pytest.raises(ValueError, match="blas.*compiled.*not 'cuda'"):
        random_mixture("full", 2, 2, np.random.default_rng(0)).log_prob([[0.0, 0.0]])
