"""Where rows lie in memory changes no bit: pieces, orders, strides and files."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gaussmix import FitStatus, fit_mixture
from gaussmix.data.rows import Chunks, Rows
from gaussmix.engines import choose_engine
from gaussmix.fit.iterate.em import Run, em
from gaussmix.fit.iterate.stopping import Rule
from gaussmix.fit.mstep.maximise import Maximise
from gaussmix.fit.mstep.regularise import make_regularise
from gaussmix.model.covariance import STRUCTURES
from tests.helpers import EXECUTORS, KINDS, environment, near, random_mixture


def in_chunks(X, borders):
    """The rows, cut at some places, to be read again and again."""
    return Chunks(lambda: np.split(X, borders))


def problem(name, n=20_001, d=3, k=4):
    """More rows than a chunk of any executor holds, a heap that meets the floor, weights, and a start."""
    rng = np.random.default_rng(0)
    mixture = random_mixture(name, k, d, rng)
    X, _ = mixture.sample(n, rng)
    X[: n // 4] = X[0]
    return X, rng.uniform(0.5, 2.0, n), near(mixture, rng)


def outcome(X, weights, start):
    """Two iterations of EM over whatever holds the rows."""
    structure = STRUCTURES[start.covariance_type]
    rows = Rows(X, weights)
    engine = choose_engine(rows)(rows, structure)
    regularise = make_regularise("auto", structure, engine)
    run = em(
        engine,
        Run(start.seen_from(engine.frame), FitStatus.NOT_RUN, ()),
        Maximise(structure, regularise),
        rule=Rule(0.0),
        max_iter=2,
    )
    frame = engine.frame
    mixture = run.mixture
    return frame.origin, frame.matrix, run.history, mixture.weights, mixture.means, mixture.covariances


def assert_same_bits(one, other):
    for a, b in zip(one, other, strict=True):
        assert_array_equal(a, b)


def test_chunks_give_what_slices_of_the_array_give():
    X = np.arange(20.0).reshape(10, 2)
    for borders in ([], [3, 4, 4, 9], [1, 2, 3, 4, 5, 6, 7, 8, 9]):
        chunks = in_chunks(X, borders)
        assert chunks.shape == X.shape and chunks.dtype == X.dtype and len(chunks) == 10
        for start in range(11):
            for stop in range(start, 14):
                assert_array_equal(chunks[start:stop], X[start:stop])
        assert_array_equal(chunks.take(np.array([8, 0, 3, 3])), X[[8, 0, 3, 3]])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("name", KINDS)
def test_rows_in_chunks(name, executor, dtype):
    X, weights, start = problem(name)
    X = X.astype(dtype)
    with environment(GAUSSMIX_EXECUTOR=executor):
        whole = outcome(X, weights, start)
        for borders in ([1], [8192, 16384], [5, 77, 5_000, 12_345, 20_000]):
            assert_same_bits(outcome(in_chunks(X, borders), weights, start), whole)
        # and it does depend on the rows
        assert outcome(in_chunks(X[::-1], [7]), weights, start)[2] != whole[2]


def strided(X, _):
    wide = np.zeros((2 * X.shape[0], 3 * X.shape[1]), X.dtype)
    wide[::2, ::3] = X
    return wide[::2, ::3]


def backwards(X, _):
    return np.ascontiguousarray(X[::-1, ::-1])[::-1, ::-1]


def in_a_file(X, folder):
    np.save(folder / "rows.npy", X)
    return np.load(folder / "rows.npy", mmap_mode="r")


def read_only(X, _):
    copy = X.copy()
    copy.flags.writeable = False
    return copy


LAYOUTS = {
    "Fortran order": lambda X, _: np.asfortranarray(X),
    "strided": strided,
    "backwards": backwards,
    "in a file": in_a_file,
    "read-only": read_only,
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("name", KINDS)
def test_layouts(name, executor, layout, tmp_path):
    X, weights, start = problem(name)
    other = LAYOUTS[layout](X, tmp_path)
    assert_array_equal(other, X)
    options = {"covariance_type": name, "start": start, "tol": 0.0, "max_iter": 2}
    with environment(GAUSSMIX_EXECUTOR=executor):
        one, two = (fit_mixture(rows, 4, sample_weight=weights, **options) for rows in (X, other))
        assert one.history == two.history
        for field in ("weights", "means", "covariances"):
            assert_array_equal(getattr(one.mixture, field), getattr(two.mixture, field))
        assert_array_equal(one.mixture.log_prob(X[:5_000]), two.mixture.log_prob(other[:5_000]))
