r"""M-steps of gates.

The softmax gate is a multinomial regression of the responsibilities R_ik (times weights w_i of rows) on
t = (1, A'(z - c)). With c_i = sum_k R_ik, the last expert's function held at zero and P a ridge::

    Q        = sum_ik R_ik log g_ik - tr(B_ P B_') / 2,   B_ the functions less their mean over experts
    gradient = sum_i (R_ia - c_i g_ia) t_i - (P B_)_a
    -Hessian = sum_i c_i g_ia (delta_ab - g_ib) t_i t_i' + (delta_ab - 1/k) P

A step of Newton's method is halved until Q does not fall: EM is then a generalised EM and rises. Where the
Hessian is large, its bound (I - 1/k) (x) (T C T' / 2 + P) takes its place, whose step never makes Q fall.

References
----------
M. I. Jordan and R. A. Jacobs, Hierarchical mixtures of experts and the EM algorithm, Neural Computation 6
(1994) 181-214.
D. Boehning, Multinomial logistic regression algorithm, Ann. Inst. Stat. Math. 44 (1992) 197-200.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.apps.experts.design import Design
from gaussmix.apps.experts.gates import ConstantGate, SoftmaxGate, normalise_logits
from gaussmix.apps.experts.products import sum_products
from gaussmix.model.covariance.structure import take_logarithms

#: Steps of Newton's method from a flat gate, at a start; afterwards an M-step takes one.
FIRST_STEPS = 3
#: Free parameters beyond which the bound takes the place of the Hessian.
MOST_PARAMETERS = 300
#: How often a step is halved before none is taken.
MOST_HALVINGS = 30
#: Gains of Q below this, for a unit of Q or of weight, are rounding: the gate is where it is wanted.
ROUNDING = 64.0 * float(np.finfo(np.float64).eps)
#: A ridge of the Hessian, relative to its mean diagonal, for functions that the rows say nothing of.
TINY_RIDGE = 1e-12


@dataclass(frozen=True, eq=False)
class ConstantStep:
    """The M-step of constant shares: the mean responsibilities."""

    n_rows: int

    def update(self, R: Float64Array, before: ConstantGate | None) -> ConstantGate:
        """The gate of the mean responsibilities."""
        counts = R.sum(axis=0)
        return ConstantGate(counts / counts.sum())

    def evaluate(self, gate: ConstantGate) -> Float64Array:
        """Log w_k of the training rows, shape (n, k)."""
        return np.broadcast_to(take_logarithms(gate.weights), (self.n_rows, gate.n_experts))

    def log_prior(self, gate: ConstantGate) -> float:
        """Zero: there is no penalty."""
        return 0.0

    def find_spikes(self, gate: ConstantGate, counts: Float64Array) -> tuple[int, ...]:
        """None: shares are bounded."""
        return ()

    def publish(self, gate: ConstantGate) -> ConstantGate:
        """The same gate: it has no units."""
        return gate

    def take(self, rows: IntArray) -> Self:
        """The same M-step for some of the rows."""
        return replace(self, n_rows=len(rows))


@dataclass(frozen=True, eq=False)
class SoftmaxStep:
    """The M-step of a softmax gate."""

    design: Design
    #: P, shape (1 + r, 1 + r).
    ridge: Float64Array

    @classmethod
    def of_rows(cls, Z: Float64Array, masses: Float64Array, alpha: float) -> Self:
        """The step of rows, with a ridge of alpha on the slopes of features in units of their spreads."""
        design = Design.of_rows(Z, masses)
        return cls(design, design.make_ridge(alpha))

    def update(self, R: Float64Array, before: SoftmaxGate | None) -> SoftmaxGate:
        """The gate after a step of Newton's method; at a start, after a few from a flat one."""
        R = np.ascontiguousarray(R.T)
        if before is None:
            counts = np.maximum(R.sum(axis=1), np.finfo(float).tiny)
            B = np.zeros((len(R), len(self.design.columns)))
            B[:, 0] = np.log(counts) - np.log(counts).mean()
            for _ in range(FIRST_STEPS):
                B = self.climb(R, B)
        else:
            B = self.climb(R, _join(before))
        return SoftmaxGate(np.zeros(self.design.rank), B[:, 0], B[:, 1:], self.design.rank)

    def evaluate(self, gate: SoftmaxGate) -> Float64Array:
        """Log g_k of the training rows, shape (n, k)."""
        return np.asarray(self._find_log_shares(_join(gate)).T)

    def log_prior(self, gate: SoftmaxGate) -> float:
        """The ridge, -tr(B P B') / 2."""
        return -self.measure_penalty(_join(gate))

    def find_spikes(self, gate: SoftmaxGate, counts: Float64Array) -> tuple[int, ...]:
        """None: shares are bounded."""
        return ()

    def publish(self, gate: SoftmaxGate) -> SoftmaxGate:
        """The gate in the data's units."""
        return replace(gate, centre=self.design.centre, slopes=gate.slopes @ self.design.matrix.T)

    def take(self, rows: IntArray) -> Self:
        """The same M-step for some of the rows."""
        return replace(self, design=self.design.take(rows))

    def _find_log_shares(self, B: Float64Array) -> Float64Array:
        return normalise_logits(B @ self.design.columns)

    def measure_penalty(self, B: Float64Array) -> float:
        """tr(B P B') / 2, in nats."""
        return 0.5 * float(np.vdot(B @ self.ridge, B))

    def climb(self, R: Float64Array, B: Float64Array) -> Float64Array:
        """The functions, shape (k, 1 + r), after a step that does not lower Q."""
        k = len(B)
        if k == 1:
            return B
        log_shares = self._find_log_shares(B)
        value = float(np.vdot(R, log_shares)) - self.measure_penalty(B)
        counts, shares = R.sum(axis=0), np.exp(log_shares)
        gradient = (R - shares * counts) @ self.design.columns.T - B @ self.ridge
        if (k - 1) * B.shape[1] <= MOST_PARAMETERS:
            step = self._find_newton_step(shares, counts, gradient)
        else:
            step = self._find_bounded_step(counts, gradient)
        most = max(abs(value), float(R.sum()))
        if not np.vdot(gradient, step) > ROUNDING * most:  # twice what there is to gain
            return B
        for _ in range(MOST_HALVINGS):
            after = B + step
            reached = float(np.vdot(R, self._find_log_shares(after))) - self.measure_penalty(after)
            if reached >= value:
                return after
            step = 0.5 * step
        return B

    def _find_newton_step(
        self, shares: Float64Array, counts: Float64Array, gradient: Float64Array
    ) -> Float64Array:
        (k, size), free = gradient.shape, len(gradient) - 1
        rows, columns = np.tril_indices(free)
        weighted = shares[:free] * counts
        pairs = -weighted[rows] * shares[columns]
        pairs[rows == columns] += weighted
        blocks = sum_products(pairs, self.design.columns)
        blocks += np.where(rows == columns, 1.0 - 1.0 / k, -1.0 / k)[:, None, None] * self.ridge
        hessian = np.empty((free, size, free, size))
        hessian[rows, :, columns] = blocks
        hessian[columns, :, rows] = blocks
        matrix = hessian.reshape(free * size, free * size)
        matrix.flat[:: len(matrix) + 1] += TINY_RIDGE * np.trace(matrix) / len(matrix)
        step = np.zeros_like(gradient)
        step[:free] = np.linalg.solve(matrix, gradient[:free].ravel()).reshape(free, size)
        return np.asarray(step - step.mean(axis=0))

    def _find_bounded_step(self, counts: Float64Array, gradient: Float64Array) -> Float64Array:
        curvature = 0.5 * sum_products(counts[None], self.design.columns)[0] + self.ridge
        # (I - 1/k) has the inverse I on functions that sum to zero, as the gradient does
        return np.asarray(np.linalg.solve(curvature, gradient.T).T)


def _join(gate: SoftmaxGate) -> Float64Array:
    """Levels and slopes, shape (k, 1 + r)."""
    return np.concatenate([gate.levels[:, None], gate.slopes], axis=1)
