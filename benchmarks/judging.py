"""Which optima count: those without a component of next to no rows or next to no spread.

The likelihood has no bound where a component may shrink on a few rows, or on equal ones. The likelihood of
such a fit says nothing.
"""

from __future__ import annotations

import numpy as np

from benchmarks.real_data import Floats
from benchmarks.suite import Problem

#: Nats a row within which a fit has reached the best known.
WITHIN = 1e-4
#: Standard deviations in any direction, in those of all rows, under which a component is too thin to count.
THIN = 1e-2


def least_rows(weights: Floats, n: int) -> float:
    """The effective rows of the smallest component."""
    return float(n * np.min(weights))


def least_spread(covariances: Floats) -> float:
    """The least standard deviation of any component in any direction, of covariances of shape (k, d, d)."""
    return float(np.sqrt(max(np.linalg.eigvalsh(covariances).min(), 0.0)))


def reference(problem: Problem) -> Floats:
    """The matrix that gives the rows unit spread: in all directions, or in each feature for diagonal ones."""
    X = problem.X
    if problem.covariance == "diag":
        return np.diag(1.0 / X.std(axis=0))
    covariance = np.cov(X, rowvar=False, bias=True).reshape(X.shape[1], X.shape[1])
    return np.asarray(np.linalg.inv(np.linalg.cholesky(covariance)))


def is_spurious(rows: float, spread: float, d: int) -> bool:
    """Whether an optimum does not count."""
    return not (rows >= d + 1 and spread >= THIN)


def dense(covariances: Floats, problem: Problem) -> Floats:
    """Covariances as matrices (k, d, d), from the shape that scikit-learn uses for the problem's type."""
    d = problem.X.shape[1]
    if problem.covariance == "diag":
        return np.asarray(covariances[:, :, None] * np.eye(d))
    return np.broadcast_to(covariances, (problem.k, d, d))
