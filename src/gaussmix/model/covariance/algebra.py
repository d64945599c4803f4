"""How covariances are stored, and what is computed with them, whatever components share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.moments.blocks import Block
from gaussmix.model.moments.frame import Frame

LOG_2PI = float(np.log(2.0 * np.pi))


class NotPositiveDefiniteError(ValueError):
    """A covariance has no Cholesky factor.

    Attributes
    ----------
    components : tuple of int
        The components at fault; empty when they share one covariance.
    smallest : float
        The smallest eigenvalue (or variance) found.
    """

    def __init__(self, components: tuple[int, ...], smallest: float) -> None:
        super().__init__(f"covariance not positive definite: smallest eigenvalue {smallest:.3g}")
        self.components = components
        self.smallest = smallest


class Whitening(NamedTuple):
    """U_k'v as products of plain arrays, for programs that know no algebra.

    With s = v * scales it is s, or s times `matrices`, or s - (s `down`) `up`. The axis of components is
    first, of length one where they share a covariance.
    """

    #: Shape (k, 1, d) or (k, 1, 1).
    scales: Float64Array | None = None
    #: Shape (k, d, d).
    matrices: Float64Array | None = None
    #: Shapes (k, d, q) and (k, q, d).
    low_rank: tuple[Float64Array, Float64Array] | None = None


class Algebra(ABC):
    """Covariances as matrices, diagonals, scalars, or low rank plus a diagonal.

    Covariances C come in stacks with an axis of components first, which is of length one where components
    share one. Their roots U, with C^-1 = U U', and precisions are stacks of the same shape. Vectors are one a
    component, shape (k, d). What is said of one covariance (a ridge, a floor) has no axis of components.
    Every method is pure.
    """

    #: The second moments that these covariances are made of.
    block: Block
    #: Factors in each component's covariance; zero but for low rank.
    n_factors: int = 0
    #: The family of such covariances in which components share nothing.
    own_family: str
    #: Whether all features have one variance, but for what factors add.
    isotropic: bool = False

    @abstractmethod
    def shape(self, d: int) -> tuple[int, ...]:
        """Shape of one covariance."""

    def from_moments(self, moments: Float64Array, d: int) -> Float64Array:
        """Second moments as a stack of covariances."""
        return moments

    @abstractmethod
    def find_roots(self, covariances: Float64Array) -> Float64Array:
        """U of each covariance; upper triangular. Raises NotPositiveDefiniteError."""

    @abstractmethod
    def roots_of_precisions(self, precisions: Float64Array) -> Float64Array:
        """U from U U'. Raises NotPositiveDefiniteError."""

    @abstractmethod
    def covariances_of_roots(self, roots: Float64Array) -> Float64Array:
        """(U U')^-1."""

    @abstractmethod
    def precisions(self, roots: Float64Array) -> Float64Array:
        """U U'."""

    @abstractmethod
    def diagonal(self, roots: Float64Array) -> Float64Array:
        """The diagonals of U, shape (k, d), or (k, 1) where features share one entry."""

    def log_det(self, roots: Float64Array, d: int) -> Float64Array:
        """Log |U| of each component, shape (k,)."""
        diagonal = self.diagonal(roots)
        return np.asarray(np.add.reduce(np.log(diagonal), axis=1) * (d / diagonal.shape[1]))

    def log_peaks(self, roots: Float64Array, d: int) -> Float64Array:
        """Log |U| - d/2 log 2 pi: the log-density of each component at its mean, shape (k,)."""
        return self.log_det(roots, d) - 0.5 * d * LOG_2PI

    @abstractmethod
    def whiten(self, roots: Float64Array, vectors: Float64Array) -> Float64Array:
        """U_k' v_k."""

    def find_whitening(self, roots: Float64Array) -> Whitening:
        """What :meth:`whiten` does to a vector, as arrays."""
        return Whitening(scales=self.diagonal(roots)[:, None, :])

    @abstractmethod
    def unwhiten(self, roots: Float64Array, vectors: Float64Array) -> Float64Array:
        """U_k v_k."""

    @abstractmethod
    def to_dense(self, covariances: Float64Array, k: int, d: int) -> Float64Array:
        """The covariances of k components as matrices, shape (k, d, d)."""

    @abstractmethod
    def variances(self, covariances: Float64Array, k: int, d: int) -> Float64Array:
        """The variance of each feature in each of k components, shape (k, d)."""

    @abstractmethod
    def conditional_variances(self, roots: Float64Array, d: int) -> Float64Array:
        """The variance of each feature given all others, 1 / (C^-1)_jj, for each root of the stack."""

    def marginal(self, covariances: Float64Array, features: IntArray) -> Float64Array:
        """The covariances of some features, in this order."""
        return np.asarray(covariances[:, features]) if covariances.ndim > 1 else covariances

    def to_parts(self, covariances: Float64Array, k: int, d: int) -> tuple[Float64Array, Float64Array] | None:
        """Loadings L (k, d, q) and uniquenesses psi (k, d) of covariances L L' + diag(psi).

        Diagonals have q = 0; general matrices have no such parts.
        """
        return np.zeros((k, d, 0)), self.variances(covariances, k, d)

    def of_parts(self, loadings: Float64Array, uniquenesses: Float64Array) -> Float64Array:
        """The covariances that have these parts, as :meth:`to_parts` gives them."""
        return uniquenesses

    def halves(self, roots: Float64Array, d: int) -> Float64Array:
        """H with H H' the covariance, shape (K, d, m), for each root of the stack."""
        return np.asarray(np.eye(d) / self.diagonal(roots)[:, :, None])

    def average(self, covariances: Float64Array, weights: Float64Array, d: int) -> Float64Array:
        """sum_k w_k C_k, shape (d, d)."""
        return np.tensordot(weights, self.to_dense(covariances, weights.size, d), axes=1)

    @abstractmethod
    def map_covariances(self, covariances: Float64Array, matrix: Float64Array) -> Float64Array:
        """The covariances of A x; A as in :class:`Frame`, a map that keeps their form."""

    def map_roots(self, roots: Float64Array, inverse: Float64Array) -> Float64Array:
        """The roots of A x, from those of x and the inverse of A: U becomes A^-T U."""
        return inverse * roots

    @abstractmethod
    def map_variances(self, variances: Float64Array, frame: Frame) -> Float64Array:
        """Uncorrelated features of these variances, shape (d,), in the data's units, as seen from the frame.

        One covariance, without an axis of components; of low rank, variances (d,).
        """

    def from_variances(self, variances: Float64Array) -> Float64Array:
        """A stack of one covariance, from what :meth:`map_variances` gives."""
        return variances[None]

    def add_ridge(self, moments: Float64Array, ridge: Float64Array) -> Float64Array:
        """The M-step's moments with a ridge, which is what :meth:`map_variances` gives."""
        return moments + ridge

    @abstractmethod
    def raise_to_floor(self, moments: Float64Array, least: Float64Array) -> Float64Array:
        """The M-step's answer to moments M among matrices C with C - least positive semi-definite.

        `least` is what :meth:`map_variances` gives. Moments that satisfy it stay as they are.
        """

    def keep_above_floor(
        self, covariances: Float64Array, least: Float64Array, largest: float
    ) -> tuple[Float64Array, Float64Array]:
        """The covariances, raised to the floor where they are near `least`, and their roots.

        `largest` bounds the eigenvalues of `least`: tr(P) largest < 1 shows that no direction is near it.
        """
        try:
            roots = self.find_roots(covariances)
        except NotPositiveDefiniteError:
            pass
        else:
            if float(np.vdot(roots, roots)) * largest < 1.0:
                return covariances, roots
        raised = self.raise_to_floor(covariances, least)
        return raised, self.find_roots(raised)

    @abstractmethod
    def stiffness(self, roots: Float64Array, least: Float64Array) -> Float64Array:
        """tr(least P) of each component, shape (k,): one or more where `least` is met."""

    def asymmetry(self, covariances: Float64Array) -> float:
        """Largest difference between an entry and its mirror image; what is no matrix has none."""
        return 0.0

    def n_draws(self, d: int) -> int:
        """Standard normal numbers that it takes to draw a row."""
        return d

    def colour(self, draws: Float64Array, root: Float64Array) -> Float64Array:
        """Rows of standard normal draws e given the covariance of one root: each becomes U^-T e."""
        return draws / root
