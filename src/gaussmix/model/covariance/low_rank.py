"""Covariances of low rank plus a diagonal, L L' + diag(psi): stacks of shape (k, d, q + 1).

Nothing here is of the size d x d but what is asked for as such: a component costs O(d q) numbers and O(d q^2)
work.
"""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.covariance.algebra import Algebra, Whitening
from gaussmix.model.covariance.analysis import Analysis, Scatters
from gaussmix.model.covariance.diagonals import positive_roots
from gaussmix.model.covariance.matrices import upper_roots
from gaussmix.model.moments.blocks import AlongAxes
from gaussmix.model.moments.frame import Frame


class LowRank(Algebra):
    """Loadings L and, last, uniquenesses psi, as one array (k, d, q + 1).

    A root is [Psi^-1 L | psi^-1/2], from which all else follows without cancellation. A precision is
    [V | 1 / psi], with C^-1 = Psi^-1 - V V'. Moments are :class:`Scatters`, packed.

    Parameters
    ----------
    n_factors : int
        q.
    isotropic : bool
        Whether uniquenesses are the same for all features.
    """

    def __init__(self, n_factors: int, *, isotropic: bool) -> None:
        self.n_factors, self.isotropic = n_factors, isotropic
        self.block = AlongAxes(n_factors)
        self.own_family = "UUC" if isotropic else "UUU"

    def shape(self, d: int) -> tuple[int, ...]:
        return (d, self.n_factors + 1)

    def find_roots(self, covariances: Float64Array) -> Float64Array:
        loadings, uniquenesses = unpack_columns(covariances)
        roots = positive_roots(uniquenesses)
        analysis = Analysis(loadings, uniquenesses)
        _ = analysis.root  # raises where it does not exist
        return pack_columns(analysis.regression, 1.0 / roots)

    def roots_of_precisions(self, precisions: Float64Array) -> Float64Array:
        # I - V'Psi V = G^-1 G'^-1 and B = V G'
        V, inverse = unpack_columns(precisions)
        roots = positive_roots(inverse)
        whitened = V / roots[:, :, None]
        rest = np.eye(self.n_factors) - np.swapaxes(whitened, 1, 2) @ whitened
        return pack_columns(V @ upper_roots(rest), roots)

    def covariances_of_roots(self, roots: Float64Array) -> Float64Array:
        regression, last = unpack_columns(roots)
        uniquenesses = last**-2.0
        return pack_columns(uniquenesses[:, :, None] * regression, uniquenesses)

    def precisions(self, roots: Float64Array) -> Float64Array:
        analysis = self.analyse(roots)
        return pack_columns(analysis.axes, 1.0 / analysis.uniquenesses)

    def analyse(self, roots: Float64Array) -> Analysis:
        """What Woodbury's identity makes of the covariances."""
        return Analysis(*unpack_columns(self.covariances_of_roots(roots)))

    def diagonal(self, roots: Float64Array) -> Float64Array:
        """psi^-1/2: the sharpest that a component is in any direction is no more."""
        return roots[:, :, -1]

    def log_det(self, roots: Float64Array, d: int) -> Float64Array:
        return -0.5 * self.analyse(roots).log_det

    def whiten(self, roots: Float64Array, vectors: Float64Array) -> Float64Array:
        seen, axes, gains = vectors * roots[:, :, -1], *_decompose(roots)
        return seen - _combine(axes, gains * _project(axes, seen))

    def find_whitening(self, roots: Float64Array) -> Whitening:
        axes, gains = _decompose(roots)
        return Whitening(roots[:, None, :, -1], low_rank=(axes, np.swapaxes(axes * gains[:, None], 1, 2)))

    def unwhiten(self, roots: Float64Array, vectors: Float64Array) -> Float64Array:
        axes, gains = _decompose(roots)
        return (vectors - _combine(axes, gains * _project(axes, vectors))) * roots[:, :, -1]

    def to_dense(self, covariances: Float64Array, k: int, d: int) -> Float64Array:
        loadings, uniquenesses = unpack_columns(covariances)
        return loadings @ np.swapaxes(loadings, 1, 2) + uniquenesses[:, :, None] * np.eye(d)

    def variances(self, covariances: Float64Array, k: int, d: int) -> Float64Array:
        loadings, uniquenesses = unpack_columns(covariances)
        return np.asarray(np.vecdot(loadings, loadings) + uniquenesses)

    def conditional_variances(self, roots: Float64Array, d: int) -> Float64Array:
        # psi_j (C^-1)_jj = (1 - sum_q h_jq^2) + sum_q (1 - g_q)^2 h_jq^2: two terms that are not negative
        axes, gains = _decompose(roots)
        outside = np.maximum(1.0 - np.vecdot(axes, axes), 0.0)
        inside = np.vecdot(axes, axes * (1.0 - gains[:, None, :]) ** 2)
        return np.asarray(roots[:, :, -1] ** -2.0 / (outside + inside))

    def average(self, covariances: Float64Array, weights: Float64Array, d: int) -> Float64Array:
        loadings, uniquenesses = unpack_columns(covariances)
        side_by_side = np.moveaxis(loadings * np.sqrt(weights)[:, None, None], 0, 1).reshape(d, -1)
        return np.asarray(side_by_side @ side_by_side.T + np.diag(weights @ uniquenesses))

    def to_parts(self, covariances: Float64Array, k: int, d: int) -> tuple[Float64Array, Float64Array]:
        return unpack_columns(covariances)

    def of_parts(self, loadings: Float64Array, uniquenesses: Float64Array) -> Float64Array:
        missing = self.n_factors - loadings.shape[2]
        return pack_columns(np.pad(loadings, ((0, 0), (0, 0), (0, missing))), uniquenesses)

    def halves(self, roots: Float64Array, d: int) -> Float64Array:
        regression, last = unpack_columns(roots)
        loadings = regression / (last * last)[:, :, None]
        return np.concatenate([loadings, np.eye(d) / last[:, :, None]], axis=2)

    def map_covariances(self, covariances: Float64Array, matrix: Float64Array) -> Float64Array:
        loadings, uniquenesses = unpack_columns(covariances)
        return pack_columns(_as_column(matrix) * loadings, uniquenesses * matrix**2)

    def map_roots(self, roots: Float64Array, inverse: Float64Array) -> Float64Array:
        return _as_column(inverse) * roots

    def map_variances(self, variances: Float64Array, frame: Frame) -> Float64Array:
        seen = variances * frame.matrix**2
        return np.full(seen.shape, seen.mean()) if self.isotropic else np.asarray(seen)

    def from_variances(self, variances: Float64Array) -> Float64Array:
        return pack_columns(np.zeros((1, variances.size, self.n_factors)), variances[None])

    def add_ridge(self, moments: Float64Array, ridge: Float64Array) -> Float64Array:
        return Scatters.unpack(moments).add_ridge(ridge).pack()

    def raise_to_floor(self, moments: Float64Array, least: Float64Array) -> Float64Array:
        loadings, uniquenesses = unpack_columns(moments)
        return pack_columns(loadings, np.maximum(uniquenesses, least))

    def stiffness(self, roots: Float64Array, least: Float64Array) -> Float64Array:
        V, inverse = unpack_columns(self.precisions(roots))
        return np.asarray((inverse - np.vecdot(V, V)) @ least)

    def n_draws(self, d: int) -> int:
        return self.n_factors + d

    def colour(self, draws: Float64Array, root: Float64Array) -> Float64Array:
        regression, roots = root[:, :-1], root[:, -1]
        scores, rest = draws[:, : self.n_factors], draws[:, self.n_factors :]
        return np.asarray(scores @ (regression / (roots * roots)[:, None]).T + rest / roots)


def _decompose(roots: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Orthonormal axes H and gains g with U = Psi^-1/2 (I - H diag(g) H').

    From Psi^-1/2 L = H diag(s) V', since U U' = Psi^-1/2 (I + H diag(s^2) H')^-1 Psi^-1/2.
    """
    regression, last = unpack_columns(roots)
    H, sizes, _ = np.linalg.svd(regression / last[:, :, None], full_matrices=False)
    return H, 1.0 - 1.0 / np.sqrt(1.0 + sizes * sizes)


def pack_columns(columns: Float64Array, last: Float64Array) -> Float64Array:
    """Columns (k, d, q) and one more, shape (k, d), as one array."""
    return np.concatenate([columns, last[:, :, None]], axis=2)


def unpack_columns(array: Float64Array) -> tuple[Float64Array, Float64Array]:
    """The columns but the last, and the last."""
    return array[:, :, :-1], array[:, :, -1]


def _as_column(diagonal: Float64Array) -> Float64Array:
    """A diagonal or a scalar, to multiply rows by."""
    return diagonal[:, None] if diagonal.ndim else diagonal


def _project(axes: Float64Array, vectors: Float64Array) -> Float64Array:
    """H'v for one vector a component."""
    return np.asarray(np.einsum("kdq,kd->kq", axes, vectors))


def _combine(axes: Float64Array, scores: Float64Array) -> Float64Array:
    """H s for one vector a component."""
    return np.asarray(np.einsum("kdq,kq->kd", axes, scores))
