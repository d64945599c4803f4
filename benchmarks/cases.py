"""The cases that are measured: one table of them, their data, and the start that every program gets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaussmix.datasets import load_faithful

Floats = NDArray[np.floating]

#: Rows of the real data that ship with the package.
FAITHFUL = 272
FULL_SIZES = (
    (FAITHFUL, 2, 3),
    (200_000, 2, 5),
    (200_000, 8, 16),
    (200_000, 16, 16),
    (100_000, 32, 32),
    (50_000, 64, 64),
    (5_000, 256, 8),
    (1_000_000, 4, 8),
)
OTHER_SIZE = (200_000, 64, 64)
DTYPES = ("float64", "float32")


@dataclass(frozen=True)
class Case:
    n: int
    d: int
    k: int
    covariance: str
    dtype: str

    @property
    def size(self) -> str:
        n = f"{self.n // 1_000_000}M" if self.n % 1_000_000 == 0 else f"{self.n // 1000}k"
        return f"{n if self.n >= 1000 else self.n},{self.d},{self.k}"

    @property
    def name(self) -> str:
        return f"{self.size},{self.covariance},{self.dtype}"

    def flops(self, *, passes: int) -> float:
        """Multiplications and additions of the product form: 2 k F for each sample and matrix product.

        An iteration of EM has two products (log-densities and statistics), an evaluation one. F is the number
        of features that the structure needs: 1 + d + d (d + 1) / 2 for full, 1 + 2 d for diag, 2 + d for
        spherical and, as the total scatter of a tied fit never changes, 1 + d for tied.
        """
        d = self.d
        F = {"full": 1 + d + d * (d + 1) // 2, "tied": 1 + d, "diag": 1 + 2 * d, "spherical": 2 + d}
        return float(self.n) * passes * 2 * self.k * F[self.covariance]


CASES = tuple(
    Case(*size, covariance, dtype)
    for size, covariance in [(size, "full") for size in FULL_SIZES]
    + [(OTHER_SIZE, covariance) for covariance in ("tied", "diag", "spherical")]
    for dtype in DTYPES
)


@dataclass(frozen=True)
class Problem:
    """The data of a case and where every program starts: weights, means and precisions."""

    case: Case
    X: Floats
    weights: Floats
    means: Floats
    precisions: Floats


def make_problem(case: Case, seed: int = 0) -> Problem:
    """The data of a case, and a start at k of the samples with equal weights and covariances."""
    rng = np.random.default_rng(seed)
    X = load_faithful()[0].astype(case.dtype) if case.n == FAITHFUL else _blobs(case, rng)
    weights = np.full(case.k, 1.0 / case.k)
    means = X[rng.choice(case.n, case.k, replace=False)]
    pooled = np.cov(X[: 20 * case.d + 1000].astype(np.float64), rowvar=False).reshape(case.d, case.d)
    pooled /= case.k  # with covariances of the whole spread EM would start on a plateau and stop there
    return Problem(case, X, weights.astype(case.dtype), means, _precisions(case, pooled).astype(case.dtype))


def _blobs(case: Case, rng: np.random.Generator) -> Floats:
    """k round Gaussian blobs that overlap a little."""
    centres = rng.normal(0.0, 3.0, (case.k, case.d))
    X = rng.standard_normal((case.n, case.d), dtype=np.float32).astype(case.dtype)
    X += centres[rng.integers(case.k, size=case.n)].astype(case.dtype)
    return X


def _precisions(case: Case, covariance: Floats) -> Floats:
    dense = np.linalg.inv(covariance)
    if case.covariance == "full":
        return np.tile(dense, (case.k, 1, 1))
    if case.covariance == "tied":
        return dense
    if case.covariance == "diag":
        return np.tile(1.0 / np.diag(covariance), (case.k, 1))
    return np.full(case.k, case.d / np.trace(covariance))
