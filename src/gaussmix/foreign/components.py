"""The arrays of a mixture as every other package can take them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gaussmix._typing import Float64Array


@dataclass(frozen=True, eq=False)
class Components:
    """The k Gaussians of a mixture of d features, with covariances L L' + diag(psi).

    One form serves all families, and tells what is the leanest way to store them: diagonals have no columns
    in L, general matrices have a lower triangular L and psi = 0, factor analysers have both.

    Parameters
    ----------
    log_weights : ndarray of shape (k,)
        That of a zero weight is finite, and so low that nothing remains of the component.
    means : ndarray of shape (k, d)
    loadings : ndarray of shape (k, d, q)
        L.
    uniquenesses : ndarray of shape (k, d)
        psi.
    """

    log_weights: Float64Array
    means: Float64Array
    loadings: Float64Array
    uniquenesses: Float64Array

    @property
    def is_diagonal(self) -> bool:
        """Whether features are independent within each component."""
        return not self.loadings.size

    @property
    def is_dense(self) -> bool:
        """Whether covariances are general matrices, whose root is L."""
        return not bool(self.uniquenesses.any())

    @property
    def scales(self) -> Float64Array:
        """The standard deviation of each feature in each component, shape (k, d)."""
        return np.asarray(np.sqrt(np.vecdot(self.loadings, self.loadings) + self.uniquenesses))

    @property
    def roots(self) -> Float64Array:
        """Lower triangular roots of the covariances, shape (k, d, d)."""
        if self.is_dense:
            return self.loadings
        diagonals = self.uniquenesses[:, :, None] * np.eye(self.means.shape[1])
        covariances = self.loadings @ np.swapaxes(self.loadings, 1, 2) + diagonals
        return np.asarray(np.linalg.cholesky(covariances), dtype=np.float64)

    @property
    def mean(self) -> Float64Array:
        """The mean of the whole, shape (d,)."""
        return np.asarray(np.exp(self.log_weights) @ self.means)

    def sample(self, generator: np.random.Generator, shape: tuple[int, ...]) -> Float64Array:
        """Independent rows x = mu_k + L_k e + psi_k^1/2 e', shape (*shape, d)."""
        k, d, q = self.loadings.shape
        n, weights = int(np.prod(shape)), np.exp(self.log_weights)
        labels = generator.choice(k, size=n, p=weights / weights.sum())
        rows = self.means[labels] + np.sqrt(self.uniquenesses)[labels] * generator.standard_normal((n, d))
        draws = generator.standard_normal((n, q))
        for component in np.unique(labels) if q else ():
            own = labels == component
            rows[own] += draws[own] @ self.loadings[component].T
        return rows.reshape(*shape, d)
