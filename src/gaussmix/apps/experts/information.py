r"""The information of rows about the parameters of a mixture of linear experts.

With r_ik the responsibilities and s_ik the score (the derivative of log g_k(z_i) N(y_i | B_k t_i, Sigma_k) by
all parameters), s_i = sum_k r_ik s_ik is that of log p(y_i | x_i), and Louis (1982) has::

    I  =  - d^2 Q  -  sum_i w_i (sum_k r_ik s_ik s_ik' - s_i s_i')

Q is the likelihood of rows whose experts are known up to the r_ik. With G, C, S the sums of r t t', r e t'
and r e e' of residuals e, P = Sigma^-1 and T_j the derivative of Sigma by a coordinate j::

    gate          sum_i w_i (diag g - g g') (x) u u'         functions of u less those of the first expert
    B and B       P (x) G
    B and j       P T_j P C
    j and l       tr(P T_j P T_l P S) - n tr(P T_j P T_l) / 2 - what the coordinates bend

Ridges count as the log-densities that they are. t and u are features in coordinates of mean zero and unit
covariance, so that no units matter.

References
----------
T. A. Louis, Finding the observed information matrix when using the EM algorithm, J. R. Stat. Soc. B 44 (1982)
226-233.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.apps.experts.design import Design
from gaussmix.apps.experts.linear import LinearExperts
from gaussmix.apps.experts.model import MixtureOfExperts
from gaussmix.apps.experts.products import sum_products
from gaussmix.model.covariance.parametrisation import Parametrisation
from gaussmix.model.mixture.algebra.observation import step_over


@dataclass(frozen=True, eq=False)
class ExpertInformation:
    """The information of rows about a mixture of linear experts with a softmax gate or constant shares.

    Parameters are the gate's functions of the experts after the first, shape (k - 1, 1 + q), those of the
    experts, (k, m, 1 + r), and the coordinates of the covariances, all in coordinates of the designs.
    """

    model: MixtureOfExperts[Any, LinearExperts]
    #: Features of the experts and of the gate; of constant shares without any.
    design: Design
    gate_design: Design
    masses: Float64Array
    #: Shape (n, k).
    R: Float64Array
    shares: Float64Array
    #: Shape (k, m, n).
    residuals: Float64Array
    #: Ridges, as in the M-steps.
    ridge: Float64Array
    gate_ridge: Float64Array

    @classmethod
    def of_rows(
        cls,
        model: MixtureOfExperts[Any, LinearExperts],
        X: Float64Array,
        Y: Float64Array,
        Z: Float64Array,
        masses: Float64Array,
        *,
        alpha: float = 0.0,
        gate_alpha: float = 0.0,
    ) -> ExpertInformation:
        """That of rows of features X, outputs Y and features Z of the gate, of positive weights."""
        design, gate_design = Design.of_rows(X, masses), Design.of_rows(Z, masses)
        residuals = np.ascontiguousarray(np.transpose(Y[:, None] - model.experts.locate(X), (1, 2, 0)))
        return cls(
            model,
            design,
            gate_design,
            masses,
            model.responsibilities(X, Y, Z),
            np.exp(model.gate.log_shares(Z)),
            residuals,
            design.make_ridge(alpha),
            gate_design.make_ridge(gate_alpha),
        )

    @property
    def sizes(self) -> tuple[int, int, int]:
        """How many parameters the gate has, the experts' means, and their covariances."""
        k, m = self.residuals.shape[:2]
        gate = (k - 1) * len(self.gate_design.columns)
        return gate, k * m * len(self.design.columns), len(self.tangents)

    @cached_property
    def parametrisation(self) -> Parametrisation:
        """Coordinates of the covariances. ValueError where their family has none."""
        experts = self.model.experts
        return experts.structure.parametrise(experts.covariance_stack)

    @cached_property
    def tangents(self) -> Float64Array:
        """T_j of each expert as matrices, shape (p, k, m, m)."""
        k, m = self.residuals.shape[:2]
        found = self.parametrisation.tangents
        found = np.broadcast_to(found, (len(found), k, *found.shape[2:]))
        if found.ndim == 4:
            return found
        return np.asarray((found if found.ndim == 3 else found[:, :, None])[..., None] * np.eye(m))

    @cached_property
    def precisions(self) -> Float64Array:
        """P of each expert, shape (k, m, m)."""
        experts = self.model.experts
        k, m = self.residuals.shape[:2]
        places = np.zeros(k, dtype=np.int64) if experts.structure.shared else np.arange(k)
        algebra = experts.structure.algebra
        roots = [algebra.unwhiten(experts.roots[place : place + 1], np.eye(m)).T for place in places]
        return np.stack([root @ root.T for root in roots])

    @cached_property
    def coefficients(self) -> Float64Array:
        """The experts' functions of t, shape (k, m, 1 + r)."""
        experts = self.model.experts
        slopes = _project(self.design, np.swapaxes(experts.slopes, 1, 2))
        levels = experts.locate(self.design.centre[None])[0]
        return np.concatenate([levels[:, :, None], slopes], axis=2)

    @cached_property
    def sums(self) -> tuple[Float64Array, Float64Array, Float64Array, Float64Array]:
        """Effective rows (k,), G (k, 1 + r, 1 + r), C (k, m, 1 + r) and S (k, m, m)."""
        weighted = (self.R.T * self.masses)[:, None] * self.residuals
        G = sum_products(self.R.T * self.masses, self.design.columns)
        C = weighted @ self.design.columns.T
        return self.masses @ self.R, G, C, weighted @ np.swapaxes(self.residuals, 1, 2)

    @cached_property
    def products(self) -> tuple[Float64Array, Float64Array, Float64Array]:
        """sum_i w_i sum_k r_ik s_ik s_ik', sum_i w_i s_i s_i' and sum_i w_i s_i."""
        P = sum(self.sizes)
        known, empirical, gradient = np.zeros((P, P)), np.zeros((P, P)), np.zeros(P)
        for part in step_over(len(self.R), self.R.shape[1] * P):
            scores, masses = self._find_scores(part), self.masses[part]
            weighted = scores * np.sqrt(self.R[part] * masses[:, None])[:, :, None]
            flat = weighted.reshape(-1, P)
            known += flat.T @ flat
            own = (self.R[part, None] @ scores)[:, 0] * np.sqrt(masses)[:, None]
            empirical += own.T @ own
            gradient += np.sqrt(masses) @ own
        return known, empirical, gradient

    def _find_scores(self, part: slice) -> Float64Array:
        """s_ik of some rows, shape (b, k, P)."""
        shares, columns = self.shares[part], self.design.columns[:, part].T
        (b, k), (n_gate, n_means, n_covariances) = shares.shape, self.sizes
        scores = np.zeros((b, k, n_gate + n_means + n_covariances))
        pulls = np.eye(k)[:, 1:] - shares[:, None, 1:]
        u = self.gate_design.columns[:, part].T
        scores[:, :, :n_gate] = (pulls[..., None] * u[:, None, None]).reshape(b, k, n_gate)
        size = n_means // k
        for expert in range(k):
            pulled = self.residuals[expert, :, part].T @ self.precisions[expert]
            own = slice(n_gate + expert * size, n_gate + (expert + 1) * size)
            scores[:, expert, own] = (pulled[:, :, None] * columns[:, None]).reshape(b, size)
            T = self.tangents[:, expert]
            traces = np.einsum("jab,ab->j", T, self.precisions[expert])
            squares = np.einsum("ia,jab,ib->ij", pulled, T, pulled, optimize=True)
            scores[:, expert, n_gate + n_means :] = 0.5 * (squares - traces)
        return scores

    @cached_property
    def gradient(self) -> Float64Array:
        """The derivative of the log-likelihood and the log-prior, shape (P,): zero where EM has converged."""
        n_gate, n_means, _ = self.sizes
        gradient = self.products[2].copy()
        functions = self._find_gate_functions()
        gradient[:n_gate] -= (functions @ self.gate_ridge)[1:].ravel()
        C, S = self._find_prior_sums()
        P = self.precisions
        gradient[n_gate : n_gate + n_means] += (P @ C).ravel()
        gradient[n_gate + n_means :] += 0.5 * np.einsum("jkab,kab->j", self.tangents, P @ S @ P)
        return gradient

    @cached_property
    def observed(self) -> Float64Array:
        """Minus the second derivative of log-likelihood and log-prior, shape (P, P), by Louis' formula."""
        known, empirical, _ = self.products
        return np.asarray(self._complete - known + empirical)

    @property
    def _complete(self) -> Float64Array:
        """-d^2 Q, less that of the log-prior."""
        n_gate, n_means, n_covariances = self.sizes
        k, size = len(self.residuals), n_means // len(self.residuals)
        found = np.zeros((n_gate + n_means + n_covariances,) * 2)
        found[:n_gate, :n_gate] = self._curve_gate()
        counts, G, C, S = self.sums
        more_C, more_S = self._find_prior_sums()
        G, C, S = G + self.ridge, C + more_C, S + more_S
        rest = slice(n_gate + n_means, None)
        gradients = []
        for expert in range(k):
            P, T = self.precisions[expert], self.tangents[:, expert]
            own = slice(n_gate + expert * size, n_gate + (expert + 1) * size)
            found[own, own] = np.kron(P, G[expert])
            crossed = (P @ T @ P @ C[expert]).reshape(n_covariances, size)
            found[own, rest], found[rest, own] = crossed.T, crossed
            PT = P @ T
            flat, turned = PT.reshape(n_covariances, -1), np.swapaxes(PT, 1, 2).reshape(n_covariances, -1)
            twisted = (PT @ P @ S[expert]).reshape(n_covariances, -1) @ turned.T
            twisted = 0.5 * (twisted + twisted.T) - 0.5 * counts[expert] * flat @ turned.T
            found[rest, rest] += twisted
            gradients.append(0.5 * (P @ S[expert] @ P - counts[expert] * P))
        found[rest, rest] -= self.parametrisation.bend(self._fold(np.stack(gradients)))
        return found

    def _fold(self, gradients: Float64Array) -> Float64Array:
        """Derivatives by matrices (k, m, m) as those by covariances in the shape of the family's stack."""
        axes = self.parametrisation.tangents.ndim - 2
        if axes == 1:
            gradients = np.diagonal(gradients, axis1=1, axis2=2)
        elif axes == 0:
            gradients = np.trace(gradients, axis1=1, axis2=2)
        shared = self.model.experts.structure.shared
        return np.asarray(gradients.sum(axis=0, keepdims=True) if shared else gradients)

    def _curve_gate(self) -> Float64Array:
        """The part of the gate, shape ((k - 1) (1 + q),) * 2."""
        k, u = self.R.shape[1], self.gate_design.columns
        rows, columns = np.tril_indices(k - 1)
        free = self.shares.T[1:]
        pairs = -free[rows] * free[columns]
        pairs[rows == columns] += free
        blocks = sum_products(pairs * self.masses, u)
        blocks += np.where(rows == columns, 1.0 - 1.0 / k, -1.0 / k)[:, None, None] * self.gate_ridge
        found = np.empty((k - 1, len(u), k - 1, len(u)))
        found[rows, :, columns] = blocks
        found[columns, :, rows] = blocks
        return np.asarray(found.reshape((k - 1) * len(u), -1))

    def _find_gate_functions(self) -> Float64Array:
        """The gate's functions of u less their mean over experts, shape (k, 1 + q)."""
        k, gate = self.R.shape[1], self.model.gate
        functions = np.zeros((k, len(self.gate_design.columns)))
        if hasattr(gate, "slopes"):
            functions[:, 1:] = _project(self.gate_design, gate.slopes)
        return np.asarray(functions - functions.mean(axis=0))

    def _find_prior_sums(self) -> tuple[Float64Array, Float64Array]:
        """What the ridge adds to C and S: those of rows of outputs zero, whose products are the ridge."""
        B = self.coefficients
        return -B @ self.ridge, B @ self.ridge @ np.swapaxes(B, 1, 2)


def _project(design: Design, slopes: Float64Array) -> Float64Array:
    """Slopes of features, shape (..., p), as those of the coordinates t, shape (..., r)."""
    standard = design.matrix * design.spreads[:, None]
    found = np.linalg.lstsq(standard, (slopes * design.spreads).reshape(-1, len(design.spreads)).T)[0]
    return np.asarray(found.T.reshape(*slopes.shape[:-1], design.rank))
