"""A fitted mixture of experts as a regression of rows: what each part of the model sees of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix._typing import Float64Array, IntArray
from gaussmix.apps.experts.features import Features
from gaussmix.apps.experts.model import MixtureOfExperts


@dataclass(frozen=True, eq=False)
class ExpertsRegression:
    """The conditional density of outputs, given rows of shape (n, d).

    Parameters
    ----------
    model : MixtureOfExperts
    features : Features
        What experts see of a row.
    gate_columns : ndarray of int
        The columns that the gate sees.
    """

    model: MixtureOfExperts[Any, Any]
    features: Features
    gate_columns: IntArray

    def find_gate_features(self, rows: npt.NDArray[Any]) -> Float64Array:
        """What the gate sees of rows."""
        return np.asarray(rows[:, self.gate_columns], dtype=np.float64)

    def find_log_shares(self, rows: npt.NDArray[Any]) -> Float64Array:
        """Log g_k of each row, shape (n, k)."""
        return np.asarray(self.model.gate.log_shares(self.find_gate_features(rows)))

    def predict(self, rows: npt.NDArray[Any]) -> Any:
        """The predictive distributions."""
        gate, Z = self.model.gate, self.find_gate_features(rows)
        evidence = gate.log_density(Z) if hasattr(gate, "log_density") else np.zeros(len(rows))
        return self.model.experts.make_batch(gate.log_shares(Z), self.features.apply(rows), evidence)

    def locate(self, rows: npt.NDArray[Any]) -> Float64Array:
        """The mean of each expert, shape (n, k, m)."""
        return np.asarray(self.model.experts.locate(self.features.apply(rows)))

    def find_means(self, rows: npt.NDArray[Any]) -> Float64Array:
        """The means of the predictive distributions, shape (n, m)."""
        shares = np.exp(self.find_log_shares(rows))
        with np.errstate(invalid="ignore"):
            means = np.asarray((shares[:, None] @ self.locate(rows))[:, 0])
        # no share of an infinite mean, which counts may have far from all rows, is no number
        return self.predict(rows).mean if np.isnan(means).any() else means

    def find_log_probabilities(self, rows: npt.NDArray[Any]) -> Float64Array:
        """Log P(c | x_i) of each class, in nats, shape (n, n_classes); of experts that are classifiers."""
        from scipy.special import logsumexp

        experts, X = self.model.experts, self.features.apply(rows)
        if hasattr(experts, "find_log_probabilities"):  # finite where probabilities are too small for a float
            each = experts.find_log_probabilities(X)
        else:
            with np.errstate(divide="ignore"):
                each = np.log(experts.locate(X))
        return np.asarray(logsumexp(self.find_log_shares(rows)[:, :, None] + each, axis=1))

    def find_moments(self, rows: npt.NDArray[Any]) -> tuple[Float64Array, Float64Array]:
        """The means and standard deviations of the predictive distributions, shape (n, m)."""
        batch = self.predict(rows)
        return batch.mean, batch.std

    def find_log_densities(self, rows: npt.NDArray[Any]) -> Float64Array:
        """The log-density of what the gate sees, shape (n,). ValueError of gates that are no density."""
        gate = self.model.gate
        if not hasattr(gate, "log_density"):
            raise ValueError("only a gate of the kind 'gaussian' has a density of its features")
        return np.asarray(gate.log_density(self.find_gate_features(rows)))

    def log_prob(self, rows: npt.NDArray[Any], y: Any) -> Float64Array:
        """Log p(y_i | x_i), in nats, shape (n,)."""
        return self.model.log_prob(self.features.apply(rows), y, self.find_gate_features(rows))

    def responsibilities(self, rows: npt.NDArray[Any], y: Any) -> Float64Array:
        """Posterior probability of each expert for each row and its y, shape (n, k)."""
        return self.model.responsibilities(self.features.apply(rows), y, self.find_gate_features(rows))
