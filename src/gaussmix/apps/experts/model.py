"""A mixture of experts: the value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Generic, Self

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.apps.experts.protocols import E, G
from gaussmix.model.kernels.softmax import softmax


@dataclass(frozen=True, eq=False)
class MixtureOfExperts(Generic[G, E]):
    """The conditional density p(y | x) = sum_k g_k(z) p_k(y | x).

    Parameters
    ----------
    gate : Gate
        g_k(z), the share of each expert.
    experts : Experts
        p_k(y | x).
    """

    gate: G
    experts: E

    @property
    def n_experts(self) -> int:
        """Number of experts k."""
        return self.experts.n_experts

    @property
    def n_parameters(self) -> int:
        """Free parameters of gate and experts."""
        return self.gate.n_parameters + self.experts.n_parameters

    def log_prob(self, X: Any, y: Any, Z: Float64Array) -> Float64Array:
        """Log p(y_i | x_i) of each row, in nats, shape (n,)."""
        return weigh_experts(self.gate.log_shares(Z), self.experts.log_prob(X, y))[1]

    def responsibilities(self, X: Any, y: Any, Z: Float64Array) -> Float64Array:
        """Posterior probability of each expert for each row, g_k p_k / p, shape (n, k)."""
        return weigh_experts(self.gate.log_shares(Z), self.experts.log_prob(X, y))[0]

    def take(self, order: IntArray) -> Self:
        """The same with experts in another order."""
        return replace(self, gate=self.gate.take(order), experts=self.experts.take(order))


def weigh_experts(log_weights: Float64Array, log_prob: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Responsibilities, shape (n, k), and log-densities, (n,), from the terms of gate and experts, (n, k).

    Of a y that no expert allows the log-density is minus infinity, and responsibilities are the shares.
    """
    joint = np.add(log_weights.T, log_prob.T, order="C")
    with np.errstate(invalid="ignore"):
        density = np.asarray(softmax(joint), dtype=np.float64)
    if np.isnan(density).any():
        impossible = (log_prob == -np.inf).all(axis=1)
        density[impossible], joint[:, impossible] = -np.inf, np.exp(log_weights[impossible].T)
    return joint.T, density
