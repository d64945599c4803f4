"""The centred form: (z - m)' P (z - m) by a triangular product, scatter about each component's own mean.

It subtracts no large numbers, however far a component is from the frame's origin. So the product form is
tested against it, and the guard turns to it. It is also the faster form where features are many and
components few: its products are square, while those of the product form are thin.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.model.kernels.executor import DOUBLE, NONE_APART, Operands, Plan, Stepwise
from gaussmix.model.kernels.guard import needs_double
from gaussmix.model.kernels.natural import Natural
from gaussmix.model.moments.blocks import Block


def fill_joint(L: FloatArray, Z: FloatArray, natural: Natural, components: Iterable[int]) -> None:
    """Write log w_k N(z | k), complete, for the columns of Z into the rows of L that are named.

    Noise comes into the last row.
    """
    for k in components:
        D = Z - natural.means[k].astype(Z.dtype)[:, None]
        Y = natural.whiten_columns(k, D)
        L[k] = natural.constants[k] - 0.5 * np.einsum("ib,ib->b", Y, Y)
    if natural.noise is not None:
        L[-1] = natural.noise


def add_moments(
    Z: FloatArray,
    R: FloatArray,
    centres: Float64Array,
    block: Block,
    S: Float64Array,
    components: Iterable[int],
) -> None:
    """Add to the named rows of S the moments of the columns of Z about the centres, under weights R."""
    d = Z.shape[0]
    for k in components:
        D = Z - centres[k].astype(Z.dtype)[:, None]
        S[k, 0] += R[k].sum(dtype=np.float64)
        S[k, 1 : 1 + d] += D @ R[k]
        second = block.scatter(D, R[k])
        S[k, 1 + d : 1 + d + second.size] += second


class Centred(Stepwise[FloatArray]):
    """Every component by the centred form. What densities and moments have in common are the rows Z."""

    name = "centred"
    about_means = sums_shared = True

    @classmethod
    def is_fastest(cls, operands: Operands) -> bool:
        d = operands.shape[1]
        return operands.form.own.general and (d > 128 or (d >= 48 and 5 * operands.k < d))

    @classmethod
    def chunk_rows(cls, operands: Operands) -> int:
        return 1024

    def find_apart(self, natural: Natural) -> IntArray | None:
        """No component: all are evaluated centred anyway."""
        return None if self.operands.dtype != DOUBLE and needs_double(natural) else NONE_APART

    def compute_joint(self, rows: slice, plan: Plan) -> tuple[FloatArray, FloatArray]:
        natural = plan.natural
        Z = self.operands.frame.apply(self.operands.values(rows))
        L = np.empty((natural.n_rows, Z.shape[1]), dtype=Z.dtype)
        fill_joint(L, Z, natural, range(len(natural.means)))
        return L, Z

    def add_moments(self, chunk: FloatArray, R: FloatArray, plan: Plan, S: Float64Array) -> None:
        natural = plan.natural
        add_moments(chunk, R, natural.means, self.block, S, range(len(natural.means)))
        if natural.noise is not None:  # noise has a count and no moments
            S[-1, 0] += R[-1].sum(dtype=np.float64)
