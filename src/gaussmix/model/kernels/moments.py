"""Mean and covariance of all rows: what a frame is chosen from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gaussmix import _threads
from gaussmix._typing import Float64Array
from gaussmix.model.kernels.executor import Run, Source
from gaussmix.model.moments.frame import CONSTANT, Frame

CHUNK_ROWS = 8192
#: Spreads and means whose squares stay in range, with room for precisions; the inverse, for small ones.
LARGEST = {"d": 1e145, "f": 1e18}
#: Sums that exist at a time: each task adds up its own chunks, in order.
MAX_TASKS = 16


def pool_moments(
    X: Source, weights: Float64Array | None, *, oriented: bool, run: Run = _threads.run_tasks
) -> tuple[Float64Array, Float64Array]:
    """Weighted mean, shape (d,), and covariance (d, d), or variances (d,) alone unless `oriented`.

    Two passes in double precision: the second is about the mean of the first, so that no offset of the data
    costs digits.
    """
    total = float(X.shape[0] if weights is None else weights.sum())
    first = X[:1][0].astype(np.float64)  # as large as any offset of the data

    def values(rows: slice) -> Float64Array:
        with np.errstate(over="ignore", invalid="ignore"):
            D = np.subtract(X[rows].T, first[:, None], order="C")  # sums depend on the order in memory
            return np.asarray(D.sum(axis=1) if weights is None else D @ weights[rows])

    mean = first + _sum_chunks(values, X.shape[0], run) / total

    def scatter(rows: slice) -> Float64Array:
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            D = np.subtract(X[rows].T, mean[:, None], order="C")
            DW = D if weights is None else D * weights[rows]
            return np.asarray(DW @ D.T if oriented else np.vecdot(DW, D))

    covariance = _sum_chunks(scatter, X.shape[0], run) / total
    _check_range(X, mean, covariance if covariance.ndim == 1 else np.diagonal(covariance))
    return mean, covariance


def pool_products(
    X: Source, weights: Float64Array | None, frame: Frame, *, run: Run = _threads.run_tasks
) -> Float64Array:
    """Weighted mean of z z' in the frame's coordinates, shape (d, d).

    Mapping the covariance instead would cost the square of what the frame stretches a direction by.
    """

    def scatter(rows: slice) -> Float64Array:
        Z = frame.apply(X[rows].astype(np.float64))
        return np.asarray((Z if weights is None else Z * weights[rows]) @ Z.T)

    total = float(X.shape[0] if weights is None else weights.sum())
    return _sum_chunks(scatter, X.shape[0], run) / total


def _check_range(X: Source, mean: Float64Array, variances: Float64Array) -> None:
    """Raise ValueError where the squares of a column leave the range of its type of float."""
    largest = LARGEST[X.dtype.char]
    large = ~(variances < largest**2) | ~(np.abs(mean) < largest)
    for j in np.flatnonzero(large).tolist():
        raise ValueError(
            f"column {j} has values as large as {np.abs(_extremes(X, j)).max():.3g}, whose squares overflow; "
            "divide it by a power of ten" + (", or pass float64" if X.dtype == np.float32 else "")
        )
    for j in np.flatnonzero(variances < largest**-2.0).tolist():
        low, high = _extremes(X, j)
        spread = float(high) - float(low)
        if spread > CONSTANT * abs(mean[j]):
            raise ValueError(
                f"column {j} varies by {spread:.3g} only, the square of which underflows; multiply it by a "
                "power of ten" + (", or pass float64" if X.dtype == np.float32 else "")
            )


def _extremes(X: Source, column: int) -> Float64Array:
    """The least and the largest number of a column."""
    starts = range(0, X.shape[0], CHUNK_ROWS)
    chunks = (X[start : start + CHUNK_ROWS][:, column] for start in starts)
    ends = np.array([(chunk.min(), chunk.max()) for chunk in chunks])
    return np.array([ends[:, 0].min(), ends[:, 1].max()])


def _sum_chunks(part: Callable[[slice], Float64Array], n: int, run: Run) -> Float64Array:
    """The sum of part(rows) over chunks of the n rows, always in the same order."""
    n_chunks = -(-n // CHUNK_ROWS)
    n_tasks = min(n_chunks, MAX_TASKS)

    def task(i: int) -> Float64Array:
        chunks = range(i * n_chunks // n_tasks, (i + 1) * n_chunks // n_tasks)
        return np.asarray(sum(part(slice(c * CHUNK_ROWS, (c + 1) * CHUNK_ROWS)) for c in chunks))

    return np.asarray(sum(run(task, n_tasks)))
