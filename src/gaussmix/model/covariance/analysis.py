"""The algebra of factor analysis: what a covariance L L' + Psi comes to, its M-step, and where one begins.

All of it is stacked, one entry a component, and needs of a component's scatter S only its diagonal and S A
for a few axes A.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.covariance.algebra import NotPositiveDefiniteError
from gaussmix.model.covariance.matrices import invert_lower

#: Eigenvalues, relative to the largest, that are rounding.
NEGLIGIBLE = 1e-12
#: The least uniqueness of a start, relative to the variance of the feature.
LEAST_UNIQUENESS = 1e-2


@dataclass(frozen=True)
class Sharing:
    """Which parts of factor analysers are each component's own, and whether uniquenesses are isotropic."""

    own_loadings: bool
    own_uniquenesses: bool
    isotropic: bool

    def share(self, uniquenesses: Float64Array, shares: Float64Array) -> Float64Array:
        """Uniquenesses (k, d) of the kind nearest to those given: the same object where any are."""
        if self.isotropic:
            uniquenesses = np.broadcast_to(uniquenesses.mean(axis=1, keepdims=True), uniquenesses.shape)
        if not self.own_uniquenesses:
            uniquenesses = np.broadcast_to(shares @ uniquenesses, uniquenesses.shape)
        return uniquenesses


@dataclass(frozen=True, eq=False)
class Analysis:
    """Covariances L L' + Psi, by what Woodbury's identity makes of them.

    With B = Psi^-1 L and M = I + L'Psi^-1 L = G G', G lower triangular::

        C^-1 = Psi^-1 - W W'        W = B G'^-1
    """

    #: L, shape (k, d, q).
    loadings: Float64Array
    #: The diagonal of Psi, shape (k, d).
    uniquenesses: Float64Array

    @cached_property
    def regression(self) -> Float64Array:
        """B, shape (k, d, q)."""
        return self.loadings / self.uniquenesses[:, :, None]

    @cached_property
    def signal(self) -> Float64Array:
        """M, shape (k, q, q)."""
        q = self.loadings.shape[2]
        return np.asarray(np.eye(q) + np.swapaxes(self.loadings, 1, 2) @ self.regression)

    @cached_property
    def root(self) -> Float64Array:
        """G, shape (k, q, q)."""
        try:
            return np.asarray(np.linalg.cholesky(self.signal), dtype=np.float64)
        except np.linalg.LinAlgError:  # loadings beyond what doubles can square
            bad = [k for k, M in enumerate(self.signal) if not _has_cholesky(M)]
            raise NotPositiveDefiniteError(tuple(bad), 0.0) from None

    @cached_property
    def inverse_root(self) -> Float64Array:
        """G^-1, shape (k, q, q)."""
        return invert_lower(self.root)

    @property
    def axes(self) -> Float64Array:
        """W, shape (k, d, q)."""
        return self.regression @ np.swapaxes(self.inverse_root, 1, 2)

    @property
    def log_det(self) -> Float64Array:
        """Log |C| of each component, shape (k,)."""
        diagonal = np.diagonal(self.root, axis1=1, axis2=2)
        return np.asarray(np.log(self.uniquenesses).sum(axis=1) + 2.0 * np.log(diagonal).sum(axis=1))


def _has_cholesky(matrix: Float64Array) -> bool:
    try:
        return bool(np.isfinite(np.linalg.cholesky(matrix)).all())
    except np.linalg.LinAlgError:
        return False


@dataclass(frozen=True, eq=False)
class Scatters:
    """What is known of the components' scatters S, for each unit of weight."""

    #: S A, shape (k, d, m).
    along: Float64Array
    #: A, shape (k, d, m).
    axes: Float64Array
    #: The diagonal of S, shape (k, d).
    variances: Float64Array

    @classmethod
    def unpack(cls, moments: Float64Array) -> Scatters:
        """Scatters from the array (k, d, 2 m + 1) that :meth:`pack` makes."""
        m = moments.shape[2] // 2
        return cls(moments[:, :, :m], moments[:, :, m:-1], moments[:, :, -1])

    def pack(self) -> Float64Array:
        """S A, A and the diagonal of S as columns of one array (k, d, 2 m + 1)."""
        return np.concatenate([self.along, self.axes, self.variances[:, :, None]], axis=2)

    @property
    def within(self) -> Float64Array:
        """A'S A, shape (k, m, m)."""
        product = np.swapaxes(self.axes, 1, 2) @ self.along
        return 0.5 * (product + np.swapaxes(product, 1, 2))

    def add_ridge(self, ridge: Float64Array) -> Scatters:
        """The scatters S + diag(ridge), ridge of shape (d,)."""
        return Scatters(self.along + ridge[:, None] * self.axes, self.axes, self.variances + ridge)

    def pool(self, shares: Float64Array) -> Scatters:
        """The average scatter, of components that have the same axes."""
        return Scatters(
            np.tensordot(shares, self.along, axes=1)[None], self.axes[:1], (shares @ self.variances)[None]
        )


def maximise_factors(
    scatters: Scatters, shares: Float64Array, before: Analysis, sharing: Sharing
) -> tuple[Float64Array, Float64Array]:
    """Loadings and uniquenesses of greater expected log-likelihood than before, along whose axes S is known.

    With the factors' regression beta = L'C^-1 before, their scatter is T = I - beta L + beta S beta'. The
    complete-data log-likelihood is greatest at L = S beta' T^-1. Loadings that are shared solve the sum of
    these equations over components, feature by feature, weighted by one over the uniquenesses before.
    Uniquenesses are those of the residuals, diag(S - 2 L beta S + L T L').
    """
    along = scatters.along @ before.inverse_root  # S beta'
    turn = before.inverse_root
    inside = np.swapaxes(turn, 1, 2) @ scatters.within @ turn  # beta S beta'
    scores = np.swapaxes(turn, 1, 2) @ turn + inside  # T, since I - beta L = M^-1
    if sharing.own_loadings:
        loadings = np.swapaxes(np.linalg.solve(scores, np.swapaxes(along, 1, 2)), 1, 2)
    else:
        weights = shares[:, None] / before.uniquenesses
        k, q = scores.shape[:2]
        left = (weights.T @ scores.reshape(k, q * q)).reshape(-1, q, q)
        right = np.einsum("kd,kdq->dq", weights, along)
        common = np.linalg.solve(left, right[:, :, None])[:, :, 0]
        loadings = np.broadcast_to(common, along.shape)
    residuals = scatters.variances + np.einsum("kdq,kdq->kd", loadings, loadings @ scores - 2.0 * along)
    return loadings, sharing.share(np.maximum(residuals, 0.0), shares)


def start_from_components(
    scatters: Scatters, shares: Float64Array, sharing: Sharing, q: int
) -> tuple[Float64Array, Float64Array]:
    """Loadings and uniquenesses to begin with, of the principal components of S that S A shows.

    S is taken to be S A (A'S A)^-1 A'S, which it is within the space of the axes: Nystrom's approximation, as
    in randomised singular value decompositions. Loadings are those of probabilistic principal components:
    each direction's spread less the average spread of the directions that are left out.
    """
    known = scatters if sharing.own_loadings else scatters.pool(shares)
    d = known.variances.shape[1]
    values, vectors = np.linalg.eigh(known.within)
    kept = values > NEGLIGIBLE * np.maximum(values[:, -1:], 0.0)
    inverse = np.where(kept, 1.0, 0.0) / np.sqrt(np.where(kept, values, 1.0))
    root = known.along @ vectors * inverse[:, None, :]  # S = root root'
    spreads, turns = np.linalg.eigh(np.swapaxes(root, 1, 2) @ root)
    spreads, turns = np.maximum(spreads[:, -q:], 0.0), turns[:, :, -q:]
    rest = np.maximum(known.variances.sum(axis=1) - spreads.sum(axis=1), 0.0) / (d - q)
    share = np.maximum(spreads - rest[:, None], 0.0) / np.where(spreads > 0.0, spreads, 1.0)
    loadings = np.broadcast_to(root @ turns * np.sqrt(share)[:, None, :], (*scatters.variances.shape, q))
    residuals = scatters.variances - np.vecdot(loadings, loadings)
    return loadings, sharing.share(np.maximum(residuals, LEAST_UNIQUENESS * scatters.variances), shares)


def sharpen_axes(scatters: Scatters, counts: Float64Array, sharing: Sharing) -> Float64Array:
    """Orthonormal axes nearer to the principal ones: one step of the power method."""
    if sharing.own_loadings:
        return np.asarray(np.linalg.qr(scatters.along)[0])
    common = np.linalg.qr(scatters.pool(counts).along)[0]
    return np.broadcast_to(common, scatters.along.shape)
