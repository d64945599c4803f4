"""The statistics of an engine are those of the definition, in its frame: what families pool, too, which no pass computes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gaussmix.data.rows import Chunks, Rows
from gaussmix.engines import choose_engine
from gaussmix.model.covariance import STRUCTURES
from tests.helpers import EXECUTORS, KINDS, direct_responsibilities, environment, random_mixture, stats_of

ROWS = {
    "clouds": lambda X, rng: X,
    "far from the origin": lambda X, rng: X + 1e4,
    "nearly collinear": lambda X, rng: np.column_stack([X[:, :2], X[:, 0] + 1e-4 * rng.normal(size=len(X))]),
    "a few rows far away": lambda X, rng: np.concatenate([X, 1e3 * rng.normal(size=(3, 3))]),
}


def assert_same_statistics(actual, expected, rtol=1e-9):
    """The same moments, those about the frame's origin; each to `rtol` of its largest."""
    actual = actual.rebase(np.zeros_like(actual.centres))
    for field in ("counts", "first", "second", "pooled"):
        wanted = getattr(expected, field)
        size = expected.weight + np.abs(wanted).max(initial=0.0)
        assert_allclose(getattr(actual, field), wanted, rtol=0, atol=rtol * size, err_msg=field)


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("part", [False, True], ids=["all rows", "some rows"])
@pytest.mark.parametrize("kept", ["array", "chunks"])
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("name", KINDS)
def test_a_pass_and_given_responsibilities(name, rows, kept, part, executor):
    rng = np.random.default_rng(0)
    X = ROWS[rows](random_mixture(name, 3, 3, rng).sample(300, rng)[0], rng)
    weights = rng.uniform(0.2, 2.0, len(X))
    with environment(GAUSSMIX_EXECUTOR=executor):
        held = Rows(X if kept == "array" else Chunks(lambda: np.array_split(X, 7)), weights)
        engine = choose_engine(held)(held, STRUCTURES[name])
        if part:
            chosen = np.sort(rng.choice(len(X), 120, replace=False))
            engine, X, weights = engine.take(chosen), X[chosen], weights[chosen]
        Z = engine.frame.apply(X).T
        mixture = random_mixture(name, 3, 3, rng)
        R = direct_responsibilities(mixture, Z)
        assert_same_statistics(engine.accumulate(mixture).moments, stats_of(name, Z, R, weights))
        R = rng.dirichlet(np.ones(3), size=len(X))
        given = engine.accumulate_given(lambda rows: R[rows].T, 3)
        assert_same_statistics(given, stats_of(name, Z, R, weights))
