"""Factors of stacks of matrices, and the error for those that have none."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from gaussmix._typing import Float64Array, IntArray


class NotPositiveDefiniteError(ValueError):
    """A covariance has no Cholesky factor.

    Attributes
    ----------
    components : tuple of int
        Those at fault; empty when the covariance is common to all.
    smallest : float
        The smallest eigenvalue (or variance) found.
    """

    def __init__(self, components: tuple[int, ...], smallest: float) -> None:
        super().__init__(f"covariance not positive definite: smallest eigenvalue {smallest:.3g}")
        self.components = components
        self.smallest = smallest


def upper_factors(covariances: Float64Array) -> Float64Array:
    """U = L^-T for each matrix L L' of a stack (k, d, d)."""
    if _stacked(covariances):
        try:
            roots = np.asarray(np.linalg.cholesky(covariances), dtype=np.float64)
        except np.linalg.LinAlgError:
            raise not_positive_definite(covariances) from None
        # side by side, so that a copy that went through a file gives the same bits
        return np.ascontiguousarray(np.swapaxes(invert_lower(roots), -1, -2))
    from scipy.linalg.lapack import dpotrf, dtrtri

    factors = np.empty(covariances.shape)
    for covariance, factor in zip(covariances, factors, strict=True):
        root, failed = dpotrf(covariance.T, lower=1, clean=1)
        if failed:
            raise not_positive_definite(covariances)
        factor[:] = dtrtri(root, lower=1, overwrite_c=1)[0].T
    return factors


def factors_above(covariances: Float64Array, largest: float) -> tuple[Float64Array, IntArray]:
    """U of each matrix of a stack, and the places of those with a variance near `largest`, or with no factor.

    What is in their places among the factors has no meaning.
    """
    try:
        factors = upper_factors(covariances) if _stacked(covariances) else None
    except NotPositiveDefiniteError:
        factors = None
    if factors is None:
        from scipy.linalg.lapack import dpotrf, dtrtri

        factors = np.full(covariances.shape, np.inf)
        for covariance, factor in zip(covariances, factors, strict=True):
            root, failed = dpotrf(covariance.T, lower=1, clean=1)
            if not failed:
                factor[:] = dtrtri(root, lower=1, overwrite_c=1)[0].T
    entries = factors.reshape(len(factors), -1)
    return factors, np.flatnonzero(~(np.vecdot(entries, entries) * largest < 1.0))


def not_positive_definite(matrices: Float64Array) -> NotPositiveDefiniteError:
    """The error for a stack of symmetric matrices of which some have no Cholesky factor."""
    finite = np.isfinite(matrices).all(axis=(-2, -1))
    smallest = np.full(matrices.shape[0], np.nan)
    smallest[finite] = np.linalg.eigvalsh(matrices[finite])[:, 0]
    # where Cholesky fails by rounding alone, no eigenvalue need be negative: name the smallest
    bad = np.flatnonzero(~(smallest > 0.0))
    components = bad if bad.size else np.array([int(np.argmin(smallest))])
    return NotPositiveDefiniteError(tuple(int(i) for i in components), float(smallest[components].min()))


def raise_to(covariances: Float64Array, least: Float64Array) -> Float64Array:
    """For each C of a stack, the C' >= least that minimises log|C'| + tr(C C'^-1).

    With G G' = least, the eigenvalues of G^-1 C G'^-1 below one become one.
    """
    root: Float64Array = np.asarray(np.linalg.cholesky(least))
    inverse = invert_lower(root[None])[0]
    values, vectors = np.linalg.eigh(inverse @ covariances @ inverse.T)
    low = values[:, 0] < 1.0
    if not low.any():
        return covariances
    basis = root @ vectors[low]
    raised = (basis * np.maximum(values[low], 1.0)[:, None, :]) @ np.swapaxes(basis, -1, -2)
    result = covariances.copy()
    result[low] = 0.5 * (raised + np.swapaxes(raised, -1, -2))
    return result


def invert_lower(roots: Float64Array) -> Float64Array:
    """Inverses of a stack of lower triangular matrices, themselves exactly lower triangular."""
    if _stacked(roots):
        return np.asarray(np.linalg.inv(roots) * _lower(roots.shape[-1]))
    from scipy.linalg.lapack import dtrtri

    # transposed, since LAPACK walks along columns; what it leaves of the other triangle is not its own
    return np.stack([np.tril(dtrtri(root.T, lower=0)[0].T) for root in roots])


def _stacked(matrices: Float64Array) -> bool:
    """Whether NumPy's stacks, of which the inverse is by LU, cost less than a LAPACK call for each matrix."""
    k, d, _ = matrices.shape
    return bool(k > 8 and d <= 8)


@lru_cache(maxsize=64)
def _lower(d: int) -> Float64Array:
    """Ones on and below the diagonal."""
    ones = np.tri(d)
    ones.flags.writeable = False
    return ones


def positive_roots(precisions: Float64Array) -> Float64Array:
    """Square roots of positive numbers, one row (or one number) a component."""
    bad = ~(precisions > 0.0)
    if bad.any():
        rows = bad if bad.ndim == 1 else bad.any(axis=1)
        raise NotPositiveDefiniteError(
            tuple(int(i) for i in np.flatnonzero(rows)), float(precisions[bad].min())
        )
    return np.sqrt(precisions)
