"""Covariances as general matrices, one a component: stacks of shape (k, d, d)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.covariance.algebra import Algebra, NotPositiveDefiniteError, Whitening
from gaussmix.model.moments.blocks import VECH
from gaussmix.model.moments.frame import Frame


class Matrices(Algebra):
    """Covariances of shape (k, d, d), or (1, d, d) where components share one."""

    block = VECH
    own_family = "VVV"

    def shape(self, d: int) -> tuple[int, ...]:
        return (d, d)

    def find_roots(self, covariances: Float64Array) -> Float64Array:
        return upper_roots(covariances)

    def roots_of_precisions(self, precisions: Float64Array) -> Float64Array:
        # the Cholesky factor of P with rows and columns reversed
        try:
            flipped = np.asarray(np.linalg.cholesky(precisions[..., ::-1, ::-1]), dtype=np.float64)
        except np.linalg.LinAlgError:
            raise not_positive_definite(precisions) from None
        return flipped[..., ::-1, ::-1]

    def covariances_of_roots(self, roots: Float64Array) -> Float64Array:
        inverse = invert_lower(np.swapaxes(roots, -1, -2))
        return inverse @ np.swapaxes(inverse, -1, -2)

    def precisions(self, roots: Float64Array) -> Float64Array:
        return roots @ np.swapaxes(roots, -1, -2)

    def diagonal(self, roots: Float64Array) -> Float64Array:
        return np.diagonal(roots, axis1=-2, axis2=-1)

    def whiten(self, roots: Float64Array, vectors: Float64Array) -> Float64Array:
        if len(roots) == 1:  # one product for all
            return np.asarray(vectors @ roots[0])
        return (vectors[:, None, :] @ roots)[:, 0, :]

    def find_whitening(self, roots: Float64Array) -> Whitening:
        return Whitening(matrices=roots)

    def unwhiten(self, roots: Float64Array, vectors: Float64Array) -> Float64Array:
        if len(roots) == 1:
            return np.asarray(vectors @ roots[0].T)
        return (roots @ vectors[:, :, None])[:, :, 0]

    def to_dense(self, covariances: Float64Array, k: int, d: int) -> Float64Array:
        return covariances if len(covariances) == k else np.broadcast_to(covariances, (k, d, d))

    def variances(self, covariances: Float64Array, k: int, d: int) -> Float64Array:
        diagonals = covariances.diagonal(0, -2, -1)
        return diagonals if len(diagonals) == k else np.broadcast_to(diagonals, (k, d))

    def conditional_variances(self, roots: Float64Array, d: int) -> Float64Array:
        return np.asarray(1.0 / np.vecdot(roots, roots))

    def marginal(self, covariances: Float64Array, features: IntArray) -> Float64Array:
        return covariances[:, features[:, None], features]

    def to_parts(self, covariances: Float64Array, k: int, d: int) -> None:
        return None

    def of_parts(self, loadings: Float64Array, uniquenesses: Float64Array) -> Float64Array:
        diagonal = uniquenesses[:, :, None] * np.eye(uniquenesses.shape[1])
        return np.asarray(loadings @ np.swapaxes(loadings, 1, 2) + diagonal)

    def halves(self, roots: Float64Array, d: int) -> Float64Array:
        return invert_lower(np.swapaxes(roots, -1, -2))

    def map_covariances(self, covariances: Float64Array, matrix: Float64Array) -> Float64Array:
        if matrix.ndim == 2:
            product = matrix @ covariances @ matrix.T
            return 0.5 * (product + np.swapaxes(product, -1, -2))
        diagonal = np.broadcast_to(matrix, covariances.shape[-1:])
        return covariances * diagonal[:, None] * diagonal

    def map_roots(self, roots: Float64Array, inverse: Float64Array) -> Float64Array:
        if inverse.ndim == 2:  # upper triangular like both of its factors
            return inverse.T @ roots
        return np.broadcast_to(inverse, roots.shape[-1:])[:, None] * roots

    def map_variances(self, variances: Float64Array, frame: Frame) -> Float64Array:
        A = frame.matrix
        return (A * variances) @ A.T if A.ndim == 2 else np.diag(variances * A * A)

    def raise_to_floor(self, moments: Float64Array, least: Float64Array) -> Float64Array:
        return raise_matrices(moments, least)

    def keep_above_floor(
        self, covariances: Float64Array, least: Float64Array, largest: float
    ) -> tuple[Float64Array, Float64Array]:
        if len(covariances) == 1:
            return super().keep_above_floor(covariances, least, largest)
        roots, low = find_low_roots(covariances, largest)
        if low.size:  # an eigendecomposition costs ten times a root: of those alone
            covariances = covariances.copy()
            covariances[low] = raise_matrices(covariances[low], least)
            roots[low] = upper_roots(covariances[low])
        return covariances, roots

    def stiffness(self, roots: Float64Array, least: Float64Array) -> Float64Array:
        return np.asarray(np.einsum("kij,ij->k", self.precisions(roots), least))

    def asymmetry(self, covariances: Float64Array) -> float:
        return float(np.abs(covariances - np.swapaxes(covariances, -1, -2)).max())

    def colour(self, draws: Float64Array, root: Float64Array) -> Float64Array:
        from scipy.linalg import solve_triangular

        return np.asarray(solve_triangular(root, draws.T, trans="T").T)


MATRICES = Matrices()


def upper_roots(covariances: Float64Array) -> Float64Array:
    """U = L^-T for each matrix L L' of a stack (k, d, d)."""
    if _is_stack_faster(covariances):
        try:
            lower = np.asarray(np.linalg.cholesky(covariances), dtype=np.float64)
        except np.linalg.LinAlgError:
            raise not_positive_definite(covariances) from None
        # side by side, so that a copy that went through a file gives the same bits
        return np.ascontiguousarray(np.swapaxes(invert_lower(lower), -1, -2))
    roots, n_failed = _find_roots_singly(covariances)
    if n_failed:
        raise not_positive_definite(covariances)
    return roots


def _find_roots_singly(covariances: Float64Array) -> tuple[Float64Array, int]:
    """U of each matrix, infinite where there is none, and the number of those; a LAPACK call for each."""
    from scipy.linalg.lapack import dpotrf, dtrtri

    roots, n_failed = np.empty(covariances.shape), 0
    for covariance, root in zip(covariances, roots, strict=True):
        lower, failed = dpotrf(covariance.T, lower=1, clean=1)
        if failed:
            root[:] = np.inf
            n_failed += 1
        else:
            root[:] = dtrtri(lower, lower=1, overwrite_c=1)[0].T
    return roots, n_failed


def find_low_roots(covariances: Float64Array, largest: float) -> tuple[Float64Array, IntArray]:
    """U of each matrix of a stack, and the places of those with a variance near `largest`, or with no root.

    What is in their places among the roots has no meaning.
    """
    try:
        stacked = _is_stack_faster(covariances)
        roots = upper_roots(covariances) if stacked else _find_roots_singly(covariances)[0]
    except NotPositiveDefiniteError:
        roots = _find_roots_singly(covariances)[0]
    entries = roots.reshape(len(roots), -1)
    return roots, np.flatnonzero(~(np.vecdot(entries, entries) * largest < 1.0))


def not_positive_definite(matrices: Float64Array) -> NotPositiveDefiniteError:
    """The error for a stack of symmetric matrices of which some have no Cholesky factor."""
    finite = np.isfinite(matrices).all(axis=(-2, -1))
    smallest = np.full(matrices.shape[0], np.nan)
    smallest[finite] = np.linalg.eigvalsh(matrices[finite])[:, 0]
    # where Cholesky fails by rounding alone, no eigenvalue need be negative: name the smallest
    bad = np.flatnonzero(~(smallest > 0.0))
    components = bad if bad.size else np.array([int(np.argmin(smallest))])
    return NotPositiveDefiniteError(tuple(int(i) for i in components), float(smallest[components].min()))


def raise_matrices(covariances: Float64Array, least: Float64Array) -> Float64Array:
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
    if _is_stack_faster(roots):
        return np.asarray(np.linalg.inv(roots) * _mask_lower(roots.shape[-1]))
    from scipy.linalg.lapack import dtrtri

    # transposed, since LAPACK walks along columns; what it leaves of the other triangle is not its own
    return np.stack([np.tril(dtrtri(root.T, lower=0)[0].T) for root in roots])


def _is_stack_faster(matrices: Float64Array) -> bool:
    """Whether NumPy's stacks, of which the inverse is by LU, cost less than a LAPACK call for each matrix."""
    k, d, _ = matrices.shape
    return bool(k > 8 and d <= 8)


@lru_cache(maxsize=64)
def _mask_lower(d: int) -> Float64Array:
    """Ones on and below the diagonal."""
    ones = np.tri(d)
    ones.flags.writeable = False
    return ones
