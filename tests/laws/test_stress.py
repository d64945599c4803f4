"""Data that break mixtures, in every structure, precision and unit: what comes out can be used, or is one error.

docs/numerics.md sums up what happens in each family of data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gaussmix import FitStatus, Mixture, fit_mixture
from gaussmix.fit.mstep.regularise import FLOOR
from gaussmix.fit.multistart import MAX_RESEEDS
from gaussmix.model.covariance import STRUCTURES
from tests.helpers import KINDS, NAMES, has_matrices

MAX_ITER = 60
#: Families in which a component has a covariance of its own, so that the floor can hold it alone.
OWN = [name for name in NAMES if STRUCTURES[name].least_rows(2) and not STRUCTURES[name].coupled]
#: Largest fall of the mean log-likelihood in an iteration that is rounding, in units of its size.
FALL = {np.float64: 1e-9, np.float32: 1e-5}
#: Beside a variance at the floor, a matrix of doubles holds that variance to this much of itself only.
FALL_AT_THE_FLOOR = 0.1 * np.finfo(float).eps / FLOOR
#: What log_prob says of the rows against the likelihood of the fit, in the same units.
AGREEMENT = {np.float64: 1e-6, np.float32: 1e-3}


def generator():
    return np.random.default_rng(0)


def clouds(n=60, d=2):
    """Two clusters that overlap little."""
    return generator().normal(size=(n, d)) + np.where(np.arange(n) % 2, 2.0, -2.0)[:, None]


def with_column(column):
    X = clouds(60, 3)
    X[:, 1] = column(X)
    return X


def outlier(n=60):
    X = clouds(n)
    X[7] = 1e6
    return X


#: Each gives the rows and the number of components to ask for.
FAMILIES = {
    "duplicated rows": lambda: (np.repeat(clouds(12), 5, axis=0), 4),
    "one row copied": lambda: (np.repeat(clouds(1), 30, axis=0), 2),
    "a heap in a cloud": lambda: (np.concatenate([clouds(40), np.full((20, 2), 1.25)]), 3),
    "a constant column": lambda: (with_column(lambda X: np.full(60, 4.2)), 2),
    "a column of zeros": lambda: (with_column(lambda X: np.zeros(60)), 2),
    "all columns constant": lambda: (np.full((20, 3), 4.2), 2),
    "collinear columns": lambda: (with_column(lambda X: 2.0 * X[:, 0] + 1.0), 2),
    "nearly collinear columns": lambda: (
        with_column(lambda X: 2.0 * X[:, 0] + 1.0 + 1e-9 * generator().normal(size=60)),
        2,
    ),
    "fewer distinct rows than components": lambda: (np.repeat(clouds(3), 10, axis=0), 5),
    "one row a component": lambda: (clouds(8), 8),
    "nearly one row a component": lambda: (clouds(9), 7),
    "one row": lambda: (clouds(1, 3), 1),
    "two rows": lambda: (clouds(2, 3), 2),
    "one column": lambda: (clouds(60, 1), 3),
    "two far points": lambda: (np.array([[0.0, 0.0], [1e8, -1e8]]), 2),
    "two far points in a cloud": lambda: (np.concatenate([clouds(40), [[1e4, 1e4], [-1e4, 2e4]]]), 4),
    "heavy tails": lambda: (generator().standard_cauchy(size=(80, 2)), 4),
    "integers": lambda: (generator().integers(-3, 4, size=(60, 2)), 3),
    "booleans": lambda: (generator().random((60, 4)) < 0.4, 3),
    "fewer rows than columns": lambda: (clouds(6, 10), 2),
    "an outlier": lambda: (outlier(), 3),
    "tiny values": lambda: (1e-140 * clouds(), 2),
    "huge values": lambda: (1e140 * clouds(), 2),
    "subnormal values": lambda: (5e-320 * clouds(), 2),
}
SCALES = (1e-12, 1.0, 1e12)
#: Families that mean something in their own units only.
UNITS = {"integers", "booleans", "tiny values", "huge values", "subnormal values"}
#: What a type of float cannot square, or cannot hold: one error, which says what to do.
ERRORS = {
    ("huge values", "float32", 1.0): "contains NaN or infinity",
    (
        "two far points",
        "float32",
        1e12,
    ): "whose squares overflow; divide it by a power of ten, or pass float64",
    ("subnormal values", "float64", 1.0): "the square of which underflows; multiply it by a power of ten",
}
#: Families in which some component of its own covariance has next to no rows, whatever is tried.
COLLAPSING = {
    "one row a component",
    "nearly one row a component",
    "two rows",
    "two far points",
    "an outlier",
}
#: Families without spread in some direction, of which the advice tells; the word is for all structures or those with matrices.
FLAT = {
    "one row copied": "all",
    "all columns constant": "all",
    "one row": "all",
    "fewer distinct rows than components": "all",
    "a constant column": "features",
    "a column of zeros": "features",
    "collinear columns": "matrices",
}


@dataclass(frozen=True)
class Case:
    family: str
    scale: float
    dtype: type
    name: str

    def data(self):
        """The rows and the number of components."""
        rows, k = FAMILIES[self.family]()
        if rows.dtype != np.float64:
            return rows.astype(np.float32) if self.dtype is np.float32 else rows, k
        with np.errstate(over="ignore", under="ignore"):
            return (self.scale * rows).astype(self.dtype), k

    @property
    def error(self):
        return ERRORS.get((self.family, self.dtype.__name__, self.scale))

    def __str__(self):
        return f"{self.family}, {self.name}, {self.dtype.__name__}, times {self.scale:g}"


CASES = [
    Case(family, scale, dtype, name)
    for family in FAMILIES
    for scale in ((1.0,) if family in UNITS else SCALES)
    for dtype in (np.float64, np.float32)
    for name in NAMES
    # what units and precision do is the same for all families of a kind
    if name in KINDS or (scale == 1.0 and dtype is np.float64)
]


def assert_usable(result, rows, path):
    """Finite, a mixture to any reader, the same after a file, and of the likelihood that is reported."""
    mixture = result.mixture
    for array in (mixture.weights, mixture.means, mixture.covariances, mixture.precisions_cholesky):
        assert np.isfinite(array).all()
    assert np.isfinite(result.history).all()
    assert abs(mixture.weights.sum() - 1.0) < 1e-12
    Mixture(mixture.weights, mixture.means, mixture.covariances, mixture.covariance_type)
    mixture.save(path)
    loaded = Mixture.load(path)
    assert_array_equal(loaded.covariances, mixture.covariances)
    assert (loaded.variances > 0.0).all()
    log_prob = loaded.log_prob(rows).astype(np.float64)
    tolerance = AGREEMENT[log_prob.dtype.type if rows.dtype != np.float32 else np.float32]
    assert_allclose(log_prob.mean(), result.mean_log_likelihood, rtol=tolerance, atol=tolerance)


def falls(history):
    """By how much each iteration lowers the likelihood, in units of its size."""
    history = np.asarray(history)
    return -np.diff(history) / (1.0 + np.abs(history[1:]))


def test_the_table_has_all_structures_and_precisions():
    assert len(CASES) >= 300
    assert {(case.name, case.dtype) for case in CASES} >= {(n, t) for n in KINDS for t in FALL}
    assert {case.name for case in CASES} == set(NAMES)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_fit_is_usable_or_one_clear_error(case, tmp_path):
    rows, k = case.data()
    options = {"covariance_type": case.name, "random_state": 0, "max_iter": MAX_ITER, "tol": 1e-6}
    options["init_params"] = "kmeans"
    if case.error:
        with pytest.raises(ValueError, match=case.error):
            fit_mixture(rows, k, **options)
        return
    result = fit_mixture(rows, k, **options)
    assert_usable(result, rows, tmp_path / "model.safetensors")
    assert isinstance(result.status, FitStatus)
    assert result.n_iter <= MAX_ITER and result.n_reseeds <= MAX_RESEEDS
    rounding = FALL[case.dtype]
    if "allowed" in result.advice:
        rounding = max(rounding, FALL_AT_THE_FLOOR)
    assert (falls(result.history[:-1]) <= rounding).all()
    # the last one is of the mixture as it is published: a covariance that no double can hold is widened there
    assert falls(result.history)[-1:].max(initial=0.0) <= max(rounding, 2e-5)
    if result.status is FitStatus.DEGENERATE:
        assert (result.collapsed or STRUCTURES[case.name].coupled) and result.failed_starts
        assert all(str(component) in result.advice for component in result.collapsed)
        assert "omponent" in result.advice and "se fewer components" in result.advice
    else:
        assert not result.collapsed and not result.failed_starts


@pytest.mark.parametrize("family", sorted(COLLAPSING))
@pytest.mark.parametrize("name", OWN)
def test_components_on_next_to_no_rows_are_reported(family, name):
    rows, k = FAMILIES[family]()
    result = fit_mixture(rows, k, covariance_type=name, init_params="kmeans", random_state=0)
    if family == "an outlier":  # which is a component by right, and named
        assert result.status is FitStatus.CONVERGED and "far from all others" in result.advice
        return
    assert result.status is FitStatus.DEGENERATE
    counts = result.mixture.weights[list(result.collapsed)] * len(rows)
    assert (counts < max(rows.shape[1] + 1, 3)).all()


@pytest.mark.parametrize("family", FLAT)
@pytest.mark.parametrize("name", NAMES)
def test_directions_without_spread_are_reported(family, name):
    rows, k = FAMILIES[family]()
    if STRUCTURES[name].coupled and (has_matrices(name) or FLAT[family] != "matrices"):
        result = fit_mixture(rows, k, covariance_type=name, init_params="kmeans", random_state=0)
        assert result.status is FitStatus.DEGENERATE and result.n_iter == 0
        return
    result = fit_mixture(rows, k, covariance_type=name, init_params="kmeans", random_state=0)
    group = STRUCTURES[name].group
    told = {
        "all": True,
        "features": has_matrices(name) or group != "uniform",
        "matrices": has_matrices(name),
    }[FLAT[family]]
    assert ("no spread in some direction" in result.advice) is told
