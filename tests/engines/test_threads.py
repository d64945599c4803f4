"""Threads change nothing but the time: same bits, limits put back, errors and interrupts passed on."""

from __future__ import annotations

import itertools
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from threadpoolctl import threadpool_info, threadpool_limits

from gaussmix import FitStatus, GaussianMixture, _threads, fit_mixture
from gaussmix.model.covariance import STRUCTURES
from tests.helpers import EXECUTORS, KINDS, environment, near, random_mixture, run_python


@pytest.fixture(scope="module")
def problem():
    """More rows than several chunks of any executor hold; the last chunk is not full."""

    def make(name, n=20_001, d=3, k=5):
        rng = np.random.default_rng(0)
        mixture = random_mixture(name, k, d, rng)
        return mixture.sample(n, rng)[0], near(mixture, rng)

    return make


def blas_threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize(
    ("name", "dtype"),
    [*((name, np.float64) for name in KINDS), (KINDS[0], np.float32), (KINDS[1], np.float32)],
)
def test_any_number_of_threads_gives_the_same_bits(problem, name, executor, dtype):
    X, start = problem(name)
    X = X.astype(dtype)
    weights = np.random.default_rng(1).uniform(0.5, 2.0, len(X))
    seen = []
    for n_threads in ("1", "2", "3", "8"):
        with environment(GAUSSMIX_NUM_THREADS=n_threads, GAUSSMIX_EXECUTOR=executor):
            result = fit_mixture(
                X, 5, covariance_type=name, start=start, sample_weight=weights, tol=0.0, max_iter=2
            )
            mixture = result.mixture
            answers = (mixture.log_prob(X), mixture.responsibilities(X), mixture.predict(X))
            seen.append((result.history, mixture.weights, mixture.means, mixture.covariances, *answers))
    for other in seen[1:]:
        for value, first in zip(other, seen[0], strict=True):
            assert_array_equal(value, first)


@pytest.mark.parametrize("name", KINDS)
def test_the_floor_and_new_seedings_do_so_too(problem, name):
    """A heap of equal rows, on which a component is held, and one row far from all others."""
    X, _ = problem(name)
    X[:5_000] = X[0]
    X[-1] = X.mean(axis=0) + 1e9 * X.std(axis=0)
    seen = []
    for n_threads in ("1", "2", "8"):
        with environment(GAUSSMIX_NUM_THREADS=n_threads):
            result = fit_mixture(X, 5, covariance_type=name, random_state=0, tol=0.0, max_iter=3, n_init=2)
            mixture = result.mixture
            outcome = (result.status, result.advice, result.n_reseeds, result.failed_starts, result.collapsed)
            seen.append((result.history, mixture.weights, mixture.means, mixture.covariances, *outcome))
    structure = STRUCTURES[name]
    if structure.least_rows(X.shape[1]) and not structure.coupled:
        assert "held" in seen[0][5] or "far from all others" in seen[0][5]
    for other in seen[1:]:
        for value, first in zip(other, seen[0], strict=True):
            assert_array_equal(value, first)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_many_features_give_the_same_bits_too(problem, executor):
    """Products that a BLAS would share among its own threads."""
    X, start = problem("full", n=4_500, d=24, k=6)
    histories = []
    for n_threads in ("1", "2", "3"):
        with environment(GAUSSMIX_NUM_THREADS=n_threads, GAUSSMIX_EXECUTOR=executor):
            histories.append(fit_mixture(X, 6, start=start, tol=0.0, max_iter=2).history)
    assert histories[0] == histories[1] == histories[2]


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(EXECUTORS, 2)))
@pytest.mark.parametrize("name", KINDS)
def test_executors_agree_over_a_whole_fit(problem, name, one, other):
    X, start = problem(name, n=9_001)
    results = []
    for executor in (one, other):
        with environment(GAUSSMIX_EXECUTOR=executor):
            results.append(fit_mixture(X, 5, covariance_type=name, start=start, tol=0.0, max_iter=10))
    np.testing.assert_allclose(results[0].history, results[1].history, rtol=1e-11)
    np.testing.assert_allclose(
        results[0].mixture.covariances, results[1].mixture.covariances, rtol=1e-7, atol=1e-9
    )
    np.testing.assert_allclose(results[0].mixture.means, results[1].mixture.means, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_large_problems_do_ask_for_threads(problem, executor, monkeypatch):
    """If all ran in one thread, the tests above would say nothing."""
    asked = []
    get_pool = _threads._get_pool
    monkeypatch.setattr(_threads, "_get_pool", lambda size: asked.append(size) or get_pool(size))
    X, start = problem("full")
    with environment(GAUSSMIX_NUM_THREADS="3", GAUSSMIX_EXECUTOR=executor):
        fit_mixture(X, 5, start=start, max_iter=1)
    assert asked and max(asked) in (1, 2)  # the caller is one of the three


@pytest.mark.parametrize("setting", ["0", "-1", "two", "1.5", " "])
def test_a_wrong_number_of_threads_is_named(setting):
    with environment(GAUSSMIX_NUM_THREADS=setting):
        with pytest.raises(ValueError, match=f"GAUSSMIX_NUM_THREADS must be .*, not {setting!r}"):
            _threads.count_threads()
        with pytest.raises(ValueError, match="GAUSSMIX_NUM_THREADS"):
            GaussianMixture(1).fit(np.zeros((2, 1)))


@pytest.mark.parametrize("setting", ["", "gpu", "BLAS", "numba"])
@pytest.mark.parametrize("what", ["fit", "log_prob"])
def test_a_wrong_executor_is_named(what, setting):
    mixture = random_mixture("full", 2, 2, np.random.default_rng(0))
    X = np.random.default_rng(0).normal(size=(20, 2))
    call = {"fit": lambda: fit_mixture(X, 2, start=mixture), "log_prob": lambda: mixture.log_prob(X)}[what]
    with (
        environment(GAUSSMIX_EXECUTOR=setting),
        pytest.raises(ValueError, match=f"GAUSSMIX_EXECUTOR must be auto, .*, not {setting!r}"),
    ):
        call()


def test_the_compiled_executor_without_numba_is_an_error(monkeypatch):
    from gaussmix.model.kernels import compiled as executor

    monkeypatch.setattr(executor, "find_spec", lambda name: None)
    monkeypatch.setenv("GAUSSMIX_EXECUTOR", "compiled")
    with pytest.raises(ValueError, match="GAUSSMIX_EXECUTOR=compiled needs numba, which is not installed"):
        random_mixture("full", 2, 2, np.random.default_rng(0)).log_prob([[0.0, 0.0]])


@pytest.mark.parametrize("name", KINDS)
def test_without_numba_the_rest_does_everything(problem, monkeypatch, name):
    """The same fit of a problem that is otherwise compiled."""
    from gaussmix.model.kernels import compiled as executor

    X, start = problem(name)
    options = {"covariance_type": name, "start": start, "tol": 0.0, "max_iter": 3}
    compiled = fit_mixture(X, 5, **options)
    monkeypatch.setattr(executor, "find_spec", lambda package: None)
    plain = fit_mixture(X, 5, **options)
    np.testing.assert_allclose(plain.history, compiled.history, rtol=1e-11)
    np.testing.assert_allclose(
        plain.mixture.responsibilities(X[:99]), compiled.mixture.responsibilities(X[:99]), atol=1e-7
    )


SMALL = """
import sys, threading
import numpy as np
from gaussmix import GaussianMixture, Mixture, fit_mixture
from gaussmix import _threads
from gaussmix.datasets import load_faithful

X, _ = load_faithful()
assert X.shape == (272, 2)
fitted = GaussianMixture(3, random_state=0).fit(X)
before = threading.active_count()
for name in ("full", "tied", "diag", "spherical"):
    start = fit_mixture(X, 3, covariance_type=name, init_params="random", random_state=0, max_iter=500)
    result = fit_mixture(X, 3, covariance_type=name, start=start.mixture, tol=1e-6, max_iter=500)
    assert result.converged
fitted.predict(X), fitted.predict_proba(X), fitted.score(X), fitted.bic(X), fitted.sample(10)
assert "numba" not in sys.modules, "numba was imported for a small problem"
assert "llvmlite" not in sys.modules
assert _threads._pool is None
assert threading.active_count() == before
print("good")
"""


def test_a_small_problem_needs_neither_numba_nor_threads():
    assert run_python(SMALL).strip() == "good"


@pytest.mark.parametrize("executor", EXECUTORS)
def test_the_threads_of_blas_are_put_back(problem, executor):
    X, start = problem("full")
    with (
        environment(GAUSSMIX_NUM_THREADS="2", GAUSSMIX_EXECUTOR=executor),
        threadpool_limits(3, user_api="blas"),
    ):
        before = blas_threads()
        assert before and set(before) == {3}, "this needs a BLAS with threads"
        fit_mixture(X, 5, start=start, max_iter=2)
        assert blas_threads() == before
        with pytest.raises(ZeroDivisionError):
            fit_mixture(X, 5, start=start, on_progress=lambda p: 1 / 0)
        assert blas_threads() == before
        with pytest.raises(ZeroDivisionError):
            _threads.run_tasks(lambda i: 1 / 0, 4)
        assert blas_threads() == before


def test_blas_has_one_thread_within_a_task():
    with environment(GAUSSMIX_NUM_THREADS="2"), threadpool_limits(3, user_api="blas"):
        assert all(set(seen) == {1} for seen in _threads.run_tasks(lambda i: blas_threads(), 4))
        assert all(
            set(seen) == {3} for seen in _threads.run_tasks(lambda i: blas_threads(), 4, hold_blas=False)
        )
        assert set(blas_threads()) == {3}


def test_overlapping_fits_put_the_threads_of_blas_back(problem):
    """From several threads at once, with the same results, whoever ends first."""
    X, start = problem("full")
    options = {"start": start, "tol": 0.0}
    with (
        environment(GAUSSMIX_NUM_THREADS="2", GAUSSMIX_EXECUTOR="blas"),
        threadpool_limits(3, user_api="blas"),
    ):
        before = blas_threads()
        expected = {n: fit_mixture(X, 5, max_iter=n, **options).history for n in (1, 2, 4)}
        with ThreadPoolExecutor(3) as pool:
            jobs = [(n, pool.submit(fit_mixture, X, 5, max_iter=n, **options)) for n in (4, 1, 2, 1)]
            for n, job in jobs:
                assert job.result().history == expected[n]
        assert blas_threads() == before


class TestErrors:
    def test_results_come_in_the_order_of_the_tasks(self):
        with environment(GAUSSMIX_NUM_THREADS="3"):
            assert _threads.run_tasks(lambda i: i * i, 50) == [i * i for i in range(50)]
            assert _threads.run_tasks(lambda i: i, 0) == []

    @pytest.mark.parametrize("n_threads", ["1", "2", "8"])
    @pytest.mark.parametrize("error", [ValueError("task 5"), KeyboardInterrupt()])
    def test_an_error_in_a_task_is_raised_and_nothing_hangs(self, n_threads, error):
        def task(i):
            if i == 5:
                raise error
            return i

        with environment(GAUSSMIX_NUM_THREADS=n_threads):
            with pytest.raises(type(error)) as caught:
                _threads.run_tasks(task, 20)
            assert caught.value is error
            assert _threads.run_tasks(lambda i: i, 20) == list(range(20))

    def test_after_an_error_no_further_task_begins(self):
        done = []

        def task(i):
            if i == 0:
                raise ValueError
            done.append(i)

        with environment(GAUSSMIX_NUM_THREADS="2"), pytest.raises(ValueError):
            _threads.run_tasks(task, 10_000)
        assert len(done) < 9_999

    def test_a_task_may_run_tasks(self):
        with environment(GAUSSMIX_NUM_THREADS="3"):
            totals = _threads.run_tasks(lambda i: sum(_threads.run_tasks(lambda j: i * j, 5)), 6)
        assert totals == [10 * i for i in range(6)]

    def test_the_pool_grows_when_more_threads_are_asked_for(self):
        for n_threads in ("2", "4", "3"):
            with environment(GAUSSMIX_NUM_THREADS=n_threads):
                assert _threads.run_tasks(lambda i: i, 9) == list(range(9))

    @pytest.mark.parametrize("executor", EXECUTORS)
    def test_an_interrupt_propagates_and_the_next_fit_works(self, problem, executor):
        X, start = problem("full")

        def interrupt(progress):
            if progress.iteration == 2:
                raise KeyboardInterrupt

        with environment(GAUSSMIX_NUM_THREADS="2", GAUSSMIX_EXECUTOR=executor):
            expected = fit_mixture(X, 5, start=start, tol=0.0, max_iter=4).history
            with pytest.raises(KeyboardInterrupt):
                fit_mixture(X, 5, start=start, tol=0.0, max_iter=4, on_progress=interrupt)
            again = fit_mixture(X, 5, start=start, tol=0.0, max_iter=4)
        assert again.status is FitStatus.MAX_ITER
        assert again.history == expected

    def test_an_interrupted_estimator_is_not_half_fitted(self, problem, monkeypatch):
        X, _ = problem("full", n=500)
        model = GaussianMixture(5, random_state=0, max_iter=500, init_params="kmeans")

        def interrupt(*arguments, **options):
            raise KeyboardInterrupt

        monkeypatch.setattr("gaussmix.estimators.gaussian.fit_mixture", interrupt)
        with pytest.raises(KeyboardInterrupt):
            model.fit(X)
        assert not hasattr(model, "means_")
        monkeypatch.undo()
        assert model.fit(X).converged_


FORK = """
import os, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of any fork beside threads
import numpy as np
from gaussmix import fit_mixture, _threads
from tests.helpers import EXECUTORS, near, random_mixture

rng = np.random.default_rng(0)
mixture = random_mixture("full", 5, 3, rng)
X, start = mixture.sample(20_001, rng)[0], near(mixture, rng)
for executor in EXECUTORS:
    os.environ["GAUSSMIX_EXECUTOR"] = executor
    expected = fit_mixture(X, 5, start=start, tol=0.0, max_iter=3).history
    assert _threads._pool is not None, "the parent must have threads for this to be a test"
    for generation in range(2):
        child = os.fork()
        if child == 0:
            same = fit_mixture(X, 5, start=start, tol=0.0, max_iter=3).history == expected
            os._exit(0 if same else 1)
        assert os.waitpid(child, 0)[1] == 0
    assert fit_mixture(X, 5, start=start, tol=0.0, max_iter=3).history == expected
print("good")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_a_forked_child_can_fit():
    root = str(Path(__file__).parents[2])
    code = f"import sys; sys.path.insert(0, {root!r})\n" + FORK
    assert run_python(code, GAUSSMIX_NUM_THREADS="2").strip() == "good"
