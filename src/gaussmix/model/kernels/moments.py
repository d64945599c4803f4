"""Mean and covariance of all rows: what a frame is chosen from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gaussmix import _threads
from gaussmix._typing import Float64Array, FloatArray

CHUNK_ROWS = 8192
#: Sums that exist at a time: each task adds up its own chunks, in order.
MAX_TASKS = 16


def pooled_moments(
    X: FloatArray, weights: Float64Array | None, *, oriented: bool
) -> tuple[Float64Array, Float64Array]:
    """Weighted mean, shape (d,), and covariance (d, d), or variances (d,) alone unless `oriented`.

    Two passes in double precision: the second is about the mean of the first, so that no offset of the data
    costs digits.
    """
    total = float(X.shape[0] if weights is None else weights.sum())
    first = X[0].astype(np.float64)  # as large as any offset of the data

    def values(rows: slice) -> Float64Array:
        D = X[rows] - first
        return np.asarray(D.sum(axis=0) if weights is None else weights[rows] @ D)

    mean = first + _summed(values, X.shape[0]) / total

    def scatter(rows: slice) -> Float64Array:
        D = X[rows] - mean
        DW = D if weights is None else D * weights[rows, None]
        return np.asarray(DW.T @ D if oriented else np.einsum("ij,ij->j", DW, D))

    return mean, _summed(scatter, X.shape[0]) / total


def _summed(part: Callable[[slice], Float64Array], n: int) -> Float64Array:
    """The sum of part(rows) over chunks of the n rows, always in the same order."""
    n_chunks = -(-n // CHUNK_ROWS)
    n_tasks = min(n_chunks, MAX_TASKS)

    def task(i: int) -> Float64Array:
        chunks = range(i * n_chunks // n_tasks, (i + 1) * n_chunks // n_tasks)
        return np.asarray(sum(part(slice(c * CHUNK_ROWS, (c + 1) * CHUNK_ROWS)) for c in chunks))

    return np.asarray(sum(_threads.run(task, n_tasks)))
