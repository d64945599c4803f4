"""Many small symmetric systems at once, with the systems along the last axis.

A stack of shape (d, d, n) is eliminated by d steps, each over all n systems. For a few features that is
several times as fast as a call of LAPACK for each.
"""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array

#: Numbers of a chunk of matrices: 512 kB, so that it stays in the cache.
CHUNK = 65_536
#: Systems of a chunk at least, lest calls cost more than arithmetic.
LEAST_SYSTEMS = 16
#: The least pivot, relative to the diagonal's entry: what rounding leaves of one.
LEAST_PIVOT = float(np.finfo(np.float64).eps)
#: Most unknowns for which elimination is faster than a call of LAPACK for each system.
FEW_UNKNOWNS = 7


def count_systems(d: int) -> int:
    """How many systems of d unknowns a chunk has."""
    return max(LEAST_SYSTEMS, CHUNK // (d * d))


def find_half_log_dets(matrices: Float64Array) -> Float64Array:
    """Half of log |A| for positive definite matrices A, shape (d, d, n); may overwrite them."""
    if len(matrices) > FEW_UNKNOWNS:
        roots = _find_roots(matrices)
        if roots is not None:
            return _sum_logs(roots)
    return _eliminate(matrices, None)[0]


def solve_lengths(matrices: Float64Array, vectors: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Half of log |A|, and v' A^-1 v, both of shape (n,).

    May overwrite the matrices, shape (d, d, n), and the vectors, shape (d, n).
    """
    if len(matrices) > FEW_UNKNOWNS:
        roots = _find_roots(matrices)
        if roots is not None:
            whitened = np.linalg.solve(roots, vectors.T[:, :, None])[:, :, 0]
            return _sum_logs(roots), np.vecdot(whitened, whitened)
    return _eliminate(matrices, vectors)


def _find_roots(matrices: Float64Array) -> Float64Array | None:
    """Cholesky factors, shape (n, d, d); None where rounding has left one matrix without."""
    try:
        return np.asarray(np.linalg.cholesky(np.moveaxis(matrices, -1, 0)), dtype=np.float64)
    except np.linalg.LinAlgError:
        return None


def _sum_logs(roots: Float64Array) -> Float64Array:
    return np.asarray(np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(axis=1))


def _eliminate(matrices: Float64Array, vectors: Float64Array | None) -> tuple[Float64Array, Float64Array]:
    d, _, n = matrices.shape
    least = LEAST_PIVOT * np.einsum("iin->in", matrices)
    log_dets, lengths = np.zeros(n), np.zeros(n)
    for j in range(d):
        pivots = np.maximum(matrices[j, j], least[j])
        log_dets += np.log(pivots)
        column = matrices[j + 1 :, j]
        factors = column / pivots
        if vectors is not None:
            lengths += vectors[j] * (vectors[j] / pivots)
            vectors[j + 1 :] -= factors * vectors[j]
        for i, factor in enumerate(factors):  # rows down from the next pivot: the lower triangle alone
            matrices[j + 1 + i, j + 1 : j + 2 + i] -= factor * column[: i + 1]
    return 0.5 * log_dets, lengths
