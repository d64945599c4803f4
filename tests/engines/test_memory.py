"""A fit holds the rows and little more: nothing that grows with rows times components."""

from __future__ import annotations

import sys
import tracemalloc

import numpy as np
import pytest

from gaussmix import GaussianMixture, fit_mixture
from tests.helpers import EXECUTORS, KINDS, environment, near, random_mixture, run_python

# A process of its own, because the peak of resident memory belongs to the process. Libraries are loaded, code is
# compiled and threads are started by a first fit of a part of the rows; what is over that is what the fit needs.
CODE = """
import ctypes
from pathlib import Path
import numpy as np
from gaussmix import Mixture, fit_mixture

def status(field):
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024

n, d, k = 1_000_000, 4, 8
rng = np.random.default_rng(0)
X = rng.standard_normal((n, d))
start = Mixture(np.full(k, 1 / k), rng.standard_normal((k, d)), [np.eye(d)] * k)
fit_mixture(X[:300_000], k, start=start, max_iter=1)
getattr(ctypes.CDLL(None), "malloc_trim", lambda keep: None)(0)
Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
before = status("VmRSS")
fit_mixture(X, k, start=start, tol=0.0, max_iter=2)
print(status("VmHWM") - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_a_fit_of_a_million_rows_needs_little_memory():
    assert int(run_python(CODE)) < 64 * 2**20


def peak(call):
    """The most that all arrays allocated by a call took together."""
    call()  # what is loaded and compiled once is not the call's
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(0).normal(size=(200_000, 4))


@pytest.mark.parametrize(
    ("name", "executor"),
    [*(("full", executor) for executor in EXECUTORS), *((name, "auto") for name in KINDS)],
)
def test_nothing_of_rows_times_components_is_allocated(rows, name, executor):
    """Nor a copy of the rows, which here is half of that."""
    n, d = rows.shape
    k = 8
    rng = np.random.default_rng(0)
    start = near(random_mixture(name, k, d, rng, spread=1.0), rng)
    with environment(GAUSSMIX_NUM_THREADS="2", GAUSSMIX_EXECUTOR=executor):
        used = peak(lambda: fit_mixture(rows, k, covariance_type=name, start=start, tol=0.0, max_iter=1))
    assert used < n * d * 8


@pytest.mark.parametrize("init_params", ["random", "random_from_data", "k-means++"])
def test_nor_by_a_start(rows, init_params):
    n, k = 50_000, 32
    model = GaussianMixture(k, init_params=init_params, max_iter=0, random_state=0)
    # scikit-learn's seeding keeps the distances of every row to a handful of candidates; each thread has a chunk
    share = 0.9 if init_params == "k-means++" else 0.6
    with environment(GAUSSMIX_NUM_THREADS="2"):
        used = peak(lambda: model.fit(rows[:n]))
    assert used < share * n * k * 8
