"""Gaussian linear experts: regressions with covariances of the residuals of any family."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.apps.experts.predictive import make_gaussian_batch
from gaussmix.model.covariance import Structure
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.algebra.batch import MixtureBatch
from gaussmix.model.mixture.algebra.observation import step_over


@dataclass(frozen=True, eq=False)
class LinearExperts:
    """Densities p_k(y | x) = N(y | a_k + B_k'(x - c), Sigma_k).

    Parameters
    ----------
    centre : ndarray of shape (p,)
        c, the mean of the training rows: differences from it are exact far from zero.
    levels : ndarray of shape (k, m)
        a_k, the mean of y at the centre.
    slopes : ndarray of shape (k, p, m)
        B_k.
    structure : Structure
        The family of the covariances.
    covariance_stack, roots : ndarray
        Sigma_k, and U with Sigma_k^-1 = U U', as the family stores them.
    rank : int
        Features that are independent of each other.
    output_names : tuple of str, optional
    """

    centre: Float64Array
    levels: Float64Array
    slopes: Float64Array
    structure: Structure
    covariance_stack: Float64Array
    roots: Float64Array
    rank: int
    output_names: tuple[str, ...] | None = None

    @property
    def n_experts(self) -> int:
        """Number of experts k."""
        return len(self.levels)

    @property
    def n_outputs(self) -> int:
        """Number of outputs m."""
        return int(self.levels.shape[1])

    @property
    def n_parameters(self) -> int:
        """Free parameters: k m (1 + rank), and those of the covariances."""
        covariances = self.structure.n_covariance_parameters(self.n_experts, self.n_outputs)
        return self.levels.size * (1 + self.rank) + covariances

    @cached_property
    def intercepts(self) -> Float64Array:
        """The mean of y at x = 0, shape (k, m)."""
        return np.asarray(self.levels - np.einsum("p,kpm->km", self.centre, self.slopes))

    @property
    def covariances(self) -> Float64Array:
        """The covariances of the residuals, in the shape of the family: (k, m, m) if full."""
        return self.structure.unstack(self.covariance_stack)

    @property
    def variances(self) -> Float64Array:
        """The variance of the residuals of each output in each expert, shape (k, m)."""
        return self.structure.algebra.variances(self.covariance_stack, self.n_experts, self.n_outputs)

    @cached_property
    def residuals(self) -> Mixture:
        """The Gaussians N(0, Sigma_k) of the residuals, with equal weights."""
        k, m = self.levels.shape
        parts = np.full(k, 1.0 / k), np.zeros((k, m)), self.covariance_stack, self.roots
        return Mixture.of_parts(self.structure, *parts, feature_names=self.output_names)

    def log_prob(self, X: Float64Array, y: Float64Array) -> Float64Array:
        """Log p_k(y_i | x_i), in nats, shape (n, k).

        Parameters
        ----------
        X : ndarray of shape (n, p)
        y : ndarray of shape (n, m)
        """
        columns = np.concatenate([np.ones((1, len(X))), (X - self.centre).T])
        return np.asarray(self.measure(columns, np.ascontiguousarray(y.T)).T)

    def locate(self, X: Float64Array) -> Float64Array:
        """The mean of y in each expert, shape (n, k, m)."""
        k, m = self.levels.shape
        wide = np.swapaxes(self.slopes, 0, 1).reshape(-1, k * m)
        return np.asarray(((X - self.centre) @ wide).reshape(len(X), k, m) + self.levels)

    def make_batch(
        self, log_shares: Float64Array, X: Float64Array, log_evidence: Float64Array
    ) -> MixtureBatch[Mixture]:
        """The predictive distributions of rows X, shape (n, p), with shares of experts, (n, k)."""
        return make_gaussian_batch(self.residuals, log_shares, self.locate(X), log_evidence)

    def take(self, order: IntArray) -> Self:
        """The same with experts in another order."""
        return replace(
            self,
            levels=self.levels[order],
            slopes=self.slopes[order],
            covariance_stack=self.structure.select(self.covariance_stack, order),
            roots=self.structure.select(self.roots, order),
        )

    @cached_property
    def coefficients(self) -> Float64Array:
        """Levels and slopes as maps of columns (1, x - c), shape (k, m, 1 + p)."""
        return np.concatenate([self.levels[:, :, None], np.swapaxes(self.slopes, 1, 2)], axis=2)

    def measure(self, columns: Float64Array, outputs: Float64Array) -> Float64Array:
        """Log-densities, shape (k, n), of outputs (m, n) by columns (1, x - c), shape (1 + p, n)."""
        (k, m), algebra = self.levels.shape, self.structure.algebra
        densities = np.empty((k, columns.shape[1]))
        peaks = np.broadcast_to(algebra.log_peaks(self.roots, m), k)[:, None]
        for part, errors in step_residuals(self.coefficients, columns, outputs):
            if m == 1:
                halves = algebra.diagonal(self.roots).reshape(-1, 1, 1) * np.sqrt(0.5)
                errors *= halves
                np.square(errors, out=errors)
                np.subtract(peaks, errors[:, 0], out=densities[:, part])
            else:
                scores = whiten_all(self.structure, self.roots, np.swapaxes(errors, 1, 2))
                densities[:, part] = peaks - 0.5 * np.vecdot(scores, scores)
        return densities


def step_residuals(
    coefficients: Float64Array, columns: Float64Array, outputs: Float64Array
) -> Iterator[tuple[slice, Float64Array]]:
    """Slices of the rows, and y - B_k t of each expert in them, shape (k, m, b)."""
    k, m, size = coefficients.shape
    wide = coefficients.reshape(k * m, size)
    for part in step_over(columns.shape[1], 2 * k * m + size):
        errors = (wide @ columns[:, part]).reshape(k, m, -1)
        np.subtract(outputs[:, part], errors, out=errors)
        yield part, errors


def whiten_all(structure: Structure, roots: Float64Array, vectors: Float64Array) -> Float64Array:
    """U_k'v of many vectors of each expert, shape (k, n, m)."""
    found = structure.algebra.find_whitening(roots)
    scores = vectors if found.scales is None else vectors * found.scales
    if found.matrices is not None:
        scores = scores @ found.matrices
    if found.low_rank is not None:
        down, up = found.low_rank
        scores = scores - (scores @ down) @ up
    return np.asarray(scores)
