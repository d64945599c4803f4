"""The M-step of Gaussian linear experts: weighted least squares, from moments about the regressions before.

With residuals e_i = y_i - B_k t_i of the experts before, and R_ik responsibilities times weights::

    G = sum_i R_ik t_i t_i'     C = sum_i R_ik e_i t_i'     S = sum_i R_ik e_i e_i'
    D = (C - B P) (G + P + Q)^-1                            B + D are the new regressions
    S - D C' - C D' + D G D' + (B + D) P (B + D)'           are their residual moments

P is a ridge. Q is tiny: it keeps an expert where its rows say nothing, and what it costs in one step the next
makes good, since all is about the step before. So are the residual moments exact where residuals are small.

The ridge's penalty is -tr(Sigma_k^-1 B P B') / 2: alpha rows of unit spread and slope zero.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.apps.experts.design import Design
from gaussmix.apps.experts.linear import LinearExperts, step_residuals, whiten_all
from gaussmix.apps.experts.products import sum_products
from gaussmix.fit.mstep.regularise import FLOOR, HELD, NO_ROWS, THIN, Floor
from gaussmix.model.covariance import NotPositiveDefiniteError, Structure
from gaussmix.model.moments.frame import Frame, Group
from gaussmix.model.moments.statistics import Moments

#: Q, relative to the mean diagonal of G.
PROXIMITY = 1e-10
#: An expert that is thin is a spike below so many rows for each number of a regression, and a constant.
SPIKE_ROWS = 5


@dataclass(frozen=True, eq=False)
class Outputs:
    """Outputs of the training rows with mean zero and unit variances, and the map to them."""

    #: Shape (m, n).
    columns: Float64Array
    centre: Float64Array
    #: The units, shape (m,); of shape () where the family of their covariances bears but one for all.
    spreads: Float64Array

    @classmethod
    def of_rows(cls, Y: Float64Array, masses: Float64Array, group: Group) -> Self:
        """Those of rows, shape (n, m), of positive weights."""
        design = Design.of_rows(Y, masses)
        spreads, varies = design.spreads, design.varies
        if group == "uniform":
            own = spreads[varies] if varies.any() else np.ones(1)
            spreads = np.full((), float(own.max() * np.sqrt(np.mean(np.square(own / own.max())))))
        return cls(np.ascontiguousarray(((Y - design.centre) / spreads).T), design.centre, spreads)

    @property
    def log_det(self) -> float:
        """The logarithm of the determinant of the map from the data, for each row."""
        return -float(np.log(np.broadcast_to(self.spreads, self.centre.shape)).sum())


@dataclass(frozen=True, eq=False)
class LinearStep:
    """The M-step of linear experts for the training rows."""

    design: Design
    outputs: Outputs
    masses: Float64Array
    #: The family of the covariances of the residuals.
    structure: Structure
    #: P, shape (1 + r, 1 + r).
    ridge: Float64Array

    @classmethod
    def of_rows(
        cls,
        X: Float64Array,
        Y: Float64Array,
        masses: Float64Array,
        structure: Structure,
        alpha: float = 0.0,
    ) -> Self:
        """The step of rows X, shape (n, p), and Y, (n, m), of positive weights.

        Alpha is a ridge on slopes of features in units of their spreads. ValueError where the family is one
        of factor analysers.
        """
        if structure.n_factors:
            raise ValueError(
                f"covariance_type={structure.name!r} is for factor analysers, and residuals have no factors; "
                'use one of mclust\'s families, such as "full" or "diag"'
            )
        design = Design.of_rows(X, masses)
        return cls(
            design, Outputs.of_rows(Y, masses, structure.group), masses, structure, design.make_ridge(alpha)
        )

    def update(self, R: Float64Array, before: LinearExperts | None) -> LinearExperts:
        """The experts of greatest expected log-likelihood."""
        R = np.ascontiguousarray(R.T)
        k, m, size = len(R), len(self.outputs.columns), len(self.design.columns)
        B = np.zeros((k, m, size)) if before is None else before.coefficients
        counts = R.sum(axis=1)
        if not (counts >= NO_ROWS).all():
            raise NotPositiveDefiniteError(tuple(int(i) for i in np.flatnonzero(~(counts >= NO_ROWS))), 0.0)
        G, C, S = sum_products(R, self.design.columns), np.zeros((k, m, size)), np.zeros((k, m, m))
        for part, errors in step_residuals(B, self.design.columns, self.outputs.columns):
            weighted = errors * R[:, None, part]
            C += (weighted.reshape(k * m, -1) @ self.design.columns[:, part].T).reshape(k, m, size)
            S += weighted @ np.swapaxes(errors, 1, 2)
        near = PROXIMITY * np.trace(G, axis1=1, axis2=2) / size
        system = G + self.ridge + near[:, None, None] * np.eye(size)
        D = np.swapaxes(np.linalg.solve(system, np.swapaxes(C - B @ self.ridge, 1, 2)), 1, 2)
        B = B + D
        crossed = D @ np.swapaxes(C, 1, 2)
        S = S - crossed - np.swapaxes(crossed, 1, 2) + D @ G @ np.swapaxes(D, 1, 2)
        S += B @ self.ridge @ np.swapaxes(B, 1, 2)
        warm = None if before is None else before.covariance_stack
        covariances, roots = self.find_covariances(S, counts, warm)
        slopes = np.swapaxes(B[:, :, 1:], 1, 2)
        rank = self.design.rank
        return LinearExperts(np.zeros(rank), B[:, :, 0], slopes, self.structure, covariances, roots, rank)

    def evaluate(self, experts: LinearExperts) -> Float64Array:
        """Log p_k(y_i | x_i) of the training rows, shape (n, k)."""
        densities = experts.measure(self.design.columns, self.outputs.columns)
        densities += self.outputs.log_det
        return densities.T

    def log_prior(self, experts: LinearExperts) -> float:
        """-sum_k tr(Sigma_k^-1 B_k P B_k') / 2."""
        if not self.ridge.any():
            return 0.0
        values, vectors = np.linalg.eigh(self.ridge)
        halves = experts.coefficients @ (vectors * np.sqrt(np.maximum(values, 0.0)))
        scores = whiten_all(self.structure, experts.roots, np.swapaxes(halves, 1, 2))
        return -0.5 * float(np.vdot(scores, scores))

    def find_spikes(self, experts: LinearExperts, counts: Float64Array) -> tuple[int, ...]:
        """Experts of few rows whose residuals are next to nothing beside those of one regression of all."""
        if not self.structure.least_rows(experts.n_outputs):
            return ()
        algebra = self.structure.algebra
        thin = algebra.stiffness(experts.roots, self._thin) > 1.0
        few = counts < SPIKE_ROWS * (1 + self.design.rank)
        return tuple(int(i) for i in np.flatnonzero(few & thin))

    def find_held(self, experts: LinearExperts) -> tuple[int, ...]:
        """Experts whose residuals have no spread in some direction."""
        stiffness = self.structure.algebra.stiffness(experts.roots, self.regularise.least)
        held = np.broadcast_to(stiffness > HELD, experts.n_experts)
        return tuple(int(i) for i in np.flatnonzero(held))

    def publish(self, experts: LinearExperts) -> LinearExperts:
        """The experts in the data's units."""
        outputs, algebra = self.outputs, self.structure.algebra
        return replace(
            experts,
            centre=self.design.centre,
            levels=outputs.centre + experts.levels * outputs.spreads,
            slopes=(self.design.matrix @ experts.slopes) * outputs.spreads,
            covariance_stack=algebra.map_covariances(experts.covariance_stack, outputs.spreads),
            roots=algebra.map_roots(experts.roots, 1.0 / outputs.spreads),
        )

    def take(self, rows: IntArray) -> Self:
        """The same M-step for some of the training rows."""
        columns = np.ascontiguousarray(self.outputs.columns[:, rows])
        outputs = replace(self.outputs, columns=columns)
        return replace(self, design=self.design.take(rows), outputs=outputs, masses=self.masses[rows])

    @cached_property
    def regularise(self) -> Floor:
        """The floor of the residual variances, in units of the outputs' spreads."""
        unit = _make_unit(self.structure, len(self.outputs.columns))
        return Floor(self.structure, FLOOR * unit, unit)

    @cached_property
    def _thin(self) -> Float64Array:
        """Residual variances that are next to nothing."""
        one = self.update(self.masses[:, None], None)
        scale = float(np.exp(np.mean(np.log(one.variances))))
        return np.asarray(max(THIN**2 * scale, 2.0 * FLOOR) * self.regularise.pooled)

    def find_covariances(
        self, S: Float64Array, counts: Float64Array, warm: Float64Array | None
    ) -> tuple[Float64Array, Float64Array]:
        """The covariances of residual moments, shape (k, m, m), no less than the floor, and their roots."""
        structure, (k, m) = self.structure, S.shape[:2]
        block = structure.own_form.own
        S = 0.5 * (S + np.swapaxes(S, 1, 2))
        second = S[:, 0] if m == 1 else np.array([block.pack(each) for each in S])
        nothing = np.zeros((k, m))
        moments = Moments(structure.own_form, counts, nothing, second, np.zeros(0), nothing)
        return self.regularise(structure.moments(moments), structure.shares(counts), warm)


def _make_unit(structure: Structure, m: int) -> Float64Array:
    """Unit variances, in the shape of one covariance of the family."""
    frame = Frame(np.zeros(m), np.asarray(1.0), np.asarray(1.0))
    return structure.algebra.map_variances(np.ones(m), frame)
