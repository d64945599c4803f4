"""The Gaussian gate: a Gaussian of the gate's features for each expert, with their density for nothing.

With p(k, z) = w_k N(z | mu_k, Sigma_k) the joint likelihood of z and y is maximised, and the M-step of the
gate is that of a Gaussian mixture, in closed form.

References
----------
L. Xu, M. I. Jordan and G. E. Hinton, An alternative model for mixtures of experts, NIPS 7 (1995) 633-640.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.apps.experts.design import Design
from gaussmix.data.rows import Rows
from gaussmix.engines import Engine
from gaussmix.engines.local import LocalEngine
from gaussmix.fit.ending import publish
from gaussmix.fit.judge import Judge
from gaussmix.fit.memberships import accumulate_memberships, make_responsibilities
from gaussmix.fit.mstep.maximise import Maximise
from gaussmix.fit.mstep.regularise import make_regularise
from gaussmix.model.covariance import Structure
from gaussmix.model.covariance.structure import take_logarithms
from gaussmix.model.kernels.softmax import sum_exponentials
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.order import take_components


@dataclass(frozen=True, eq=False)
class GaussianGate:
    """Shares in proportion to w_k N(z | mu_k, Sigma_k).

    Parameters
    ----------
    mixture : Mixture
        The density of the features z that vary in the training rows.
    columns : ndarray of shape (d,)
        Which features these are.
    """

    mixture: Mixture
    columns: IntArray

    @property
    def n_experts(self) -> int:
        """Number of experts k."""
        return self.mixture.n_components

    @property
    def n_parameters(self) -> int:
        """Free parameters of the mixture of z."""
        return self.mixture.n_parameters

    def log_weights(self, Z: Float64Array) -> Float64Array:
        """Log p(k, z) of each row, shape (n, k)."""
        joint = self.mixture.component_log_prob(np.ascontiguousarray(Z[:, self.columns]))
        return np.asarray(joint + take_logarithms(self.mixture.weights), dtype=np.float64)

    def log_shares(self, Z: Float64Array) -> Float64Array:
        """Log p(k | z) of each row, shape (n, k)."""
        joint = self.log_weights(Z)
        joint -= joint.max(axis=1, keepdims=True)  # of far rows the rest is lost beside it
        return np.asarray(joint - sum_exponentials(joint)[:, None])

    def log_density(self, Z: Float64Array) -> Float64Array:
        """Log p(z) of each row, in nats, shape (n,): low far from all training rows."""
        return sum_exponentials(self.log_weights(Z))

    def take(self, order: IntArray) -> Self:
        """The same with experts in another order."""
        return replace(self, mixture=take_components(self.mixture, order))


@dataclass(frozen=True, eq=False)
class GaussianStep:
    """The M-step of a Gaussian gate."""

    engine: Engine
    m_step: Maximise
    columns: IntArray

    @classmethod
    def of_rows(cls, Z: Float64Array, masses: Float64Array, structure: Structure) -> Self:
        """The step of rows, shape (n, q), of positive weights, with a family of covariances.

        ValueError where no feature varies.
        """
        columns = np.flatnonzero(Design.of_rows(Z, masses).varies)
        if not columns.size:
            raise ValueError(
                "gate='gaussian' needs a feature that varies over the rows: it is a density of the gate's "
                "features; use gate=None for shares that do not depend on the row"
            )
        if structure.n_factors:
            raise ValueError(
                f"gate_covariance_type={structure.name!r} is for factor analysers, which a gate cannot have; "
                'use one of mclust\'s families, such as "full" or "diag"'
            )
        weights = None if (masses == 1.0).all() else masses
        engine = LocalEngine(Rows(np.ascontiguousarray(Z[:, columns]), weights), structure)
        return cls(engine, Maximise(structure, make_regularise("auto", structure, engine)), columns)

    def update(self, R: Float64Array, before: GaussianGate | None) -> GaussianGate:
        """The mixture of the moments of the gate's features under the responsibilities."""
        engine, k = self.engine, R.shape[1]
        shares = R / engine.rows.masses[:, None]
        if before is None:
            mixture = self.m_step(accumulate_memberships(engine, shares, k), None)
        else:
            given = make_responsibilities(shares, k)
            moments = engine.accumulate_given(given, k, before.mixture.means)
            mixture = self.m_step(moments, before.mixture)
        return GaussianGate(mixture, self.columns)

    def evaluate(self, gate: GaussianGate) -> Float64Array:
        """Log p(k, z_i) of the training rows, shape (n, k)."""
        joint = np.asarray(self.engine.evaluate(gate.mixture, "joint"), dtype=np.float64)
        return joint + self.engine.frame.log_det

    def log_prior(self, gate: GaussianGate) -> float:
        """Zero: there is no penalty."""
        return 0.0

    def find_spikes(self, gate: GaussianGate, counts: Float64Array) -> tuple[int, ...]:
        """Components of few rows that are thin in some direction."""
        return Judge(self.engine, self.m_step).find_suspects(gate.mixture)

    def publish(self, gate: GaussianGate) -> GaussianGate:
        """The gate in the data's units."""
        return replace(gate, mixture=publish(gate.mixture, self.engine.frame, None)[0])

    def take(self, rows: IntArray) -> Self:
        """The same M-step for some of the rows."""
        return replace(self, engine=self.engine.take(rows))
