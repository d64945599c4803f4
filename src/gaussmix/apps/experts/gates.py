"""Gates: constant weights (mixtures of regressions), and the softmax of linear functions.

References
----------
M. I. Jordan and R. A. Jacobs, Hierarchical mixtures of experts and the EM algorithm, Neural Computation 6
(1994) 181-214.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.covariance.structure import take_logarithms


@dataclass(frozen=True, eq=False)
class ConstantGate:
    """The same shares for every row: g_k(z) = w_k.

    Parameters
    ----------
    weights : ndarray of shape (k,)
        The share of each expert.
    """

    weights: Float64Array

    @property
    def n_experts(self) -> int:
        """Number of experts k."""
        return len(self.weights)

    @property
    def n_parameters(self) -> int:
        """Free parameters: k - 1."""
        return self.n_experts - 1

    def log_weights(self, Z: Float64Array) -> Float64Array:
        """Log w_k for each row, shape (n, k)."""
        return np.broadcast_to(take_logarithms(self.weights), (len(Z), self.n_experts))

    def log_shares(self, Z: Float64Array) -> Float64Array:
        """Log w_k for each row, shape (n, k)."""
        return self.log_weights(Z)

    def take(self, order: IntArray) -> Self:
        """The same with experts in another order."""
        return replace(self, weights=self.weights[order])


@dataclass(frozen=True, eq=False)
class SoftmaxGate:
    """Shares in proportion to exp(a_k + b_k'(z - c)).

    Levels and slopes sum to zero over experts, which changes no share.

    Parameters
    ----------
    centre : ndarray of shape (q,)
        c, the mean of the training rows: differences from it are exact far from zero.
    levels : ndarray of shape (k,)
        a_k, the linear function at the centre.
    slopes : ndarray of shape (k, q)
        b_k.
    rank : int
        Features that are independent of each other.
    """

    centre: Float64Array
    levels: Float64Array
    slopes: Float64Array
    rank: int

    @property
    def n_experts(self) -> int:
        """Number of experts k."""
        return len(self.levels)

    @property
    def n_parameters(self) -> int:
        """Free parameters: (k - 1) (1 + rank)."""
        return (self.n_experts - 1) * (1 + self.rank)

    @cached_property
    def intercepts(self) -> Float64Array:
        """The linear functions at z = 0, shape (k,)."""
        return np.asarray(self.levels - self.slopes @ self.centre)

    def log_weights(self, Z: Float64Array) -> Float64Array:
        """Log g_k(z) of each row, shape (n, k)."""
        return self.log_shares(Z)

    def log_shares(self, Z: Float64Array) -> Float64Array:
        """Log g_k(z) of each row, shape (n, k)."""
        logits = self.slopes @ (Z - self.centre).T
        logits += self.levels[:, None]
        return np.asarray(normalise_logits(logits).T)

    def take(self, order: IntArray) -> Self:
        """The same with experts in another order."""
        return replace(self, levels=self.levels[order], slopes=self.slopes[order])


def normalise_logits(logits: Float64Array) -> Float64Array:
    """Logits less the logarithm of the sum of their exponentials over experts, (k, n), in place."""
    logits -= logits.max(axis=0)
    logits -= np.log(np.exp(logits).sum(axis=0))
    return logits
