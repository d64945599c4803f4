"""The natural parameters of a mixture: what every kernel reads, and all that it knows of the model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol, Self

import numpy as np

from gaussmix._typing import Float64Array, FloatArray
from gaussmix.model.moments.blocks import Form
from gaussmix.model.moments.groups import ALONE, Alone, Groups

#: Stands for the logarithm of a zero weight: finite, so that products stay finite, and e to it is zero.
LOG_ZERO = -1e30

#: Predicted error of a log-density, in nats, above which a component is evaluated centred, by type of float.
#: The promise is 1e-7 and 1e-3.
TOLERANCE = {"d": 5e-8, "f": 8e-4}
EPS = {"d": float(np.finfo(np.float64).eps), "f": float(np.finfo(np.float32).eps)}


@dataclass(frozen=True, eq=False)
class Natural:
    """log w_k N(z | m_k, (U_k U_k')^-1) in the two ways that kernels evaluate it.

    Product form: the rows of :attr:`matrix` times T(z). Centred form: ``constants - |U'(z - m)|^2 / 2``.
    """

    form: Form
    #: log w_k + log |U_k| - d/2 log 2 pi, shape (k,).
    constants: Float64Array
    #: m_k, shape (k, d).
    means: Float64Array
    #: U_k: matrices, diagonals or scalars, one a component; one alone where all share it.
    roots: Float64Array
    #: P_k m_k with P = U U', shape (k, d).
    linear: Float64Array
    #: m_k' P_k m_k, shape (k,).
    quadratic: Float64Array
    #: Coefficients of the second-order features, shape (k, F2).
    second: Float64Array
    #: tr C_k, the trace of the covariance, shape (k,), or (1,) if all share it.
    traces: Float64Array
    #: log w_0 + log density of a noise component: one more row of H, which is constant.
    noise: float | None = None
    #: Whose components they are, if of several mixtures side by side.
    groups: Alone = ALONE

    @cached_property
    def matrix(self) -> Float64Array:
        """H, shape (k, F): log joint density = H T(z), less the part that all components share.

        A noise component is one more row, the last.
        """
        constant = self.constants - 0.5 * self.quadratic
        matrix = np.concatenate([constant[:, None], self.linear, self.second], axis=1)
        if self.noise is None:
            return matrix
        last = np.zeros((1, matrix.shape[1]))
        last[0, 0] = self.noise
        return np.concatenate([matrix, last])

    def temper(self, beta: float) -> Self:
        """Natural parameters of (w_k N_k)^beta, which no executor knows from others."""
        return replace(
            self,
            constants=beta * self.constants,
            roots=np.sqrt(beta) * self.roots,
            linear=beta * self.linear,
            quadratic=beta * self.quadratic,
            second=beta * self.second,
            traces=self.traces / beta,
            noise=None if self.noise is None else beta * self.noise,
        )

    @property
    def n_rows(self) -> int:
        """Rows of :attr:`matrix`: components, the noise among them."""
        return len(self.means) + (self.noise is not None)

    def matrix_as(self, dtype: np.dtype[Any], columns: int | None = None) -> FloatArray:
        """H in another type, with zero columns at the end to make up the number asked for."""
        key = dtype.char, columns
        if key not in self._kept:
            matrix = self.matrix
            if columns is not None and columns > matrix.shape[1]:
                matrix = np.concatenate([matrix, np.zeros((len(matrix), columns - matrix.shape[1]))], axis=1)
            self._kept[key] = matrix.astype(dtype, copy=False)
        kept: FloatArray = self._kept[key]
        return kept

    @cached_property
    def _kept(self) -> dict[Any, Any]:
        """What was made for a type of float."""
        return {}

    @property
    def precision_bound(self) -> Float64Array:
        """An upper bound of lambda_max(U U'), shape (k,), or (1,) if shared; exact for diagonal ones."""
        if self.form.general:
            entries = self.roots.reshape(len(self.roots), -1)
            return np.asarray(np.vecdot(entries, entries))
        squares = self.roots * self.roots
        return squares if squares.ndim == 1 else np.asarray(squares.max(axis=1))

    @property
    def reach(self) -> Float64Array:
        """The squared size of the numbers that the product form adds up, shape (k,).

        |m_k|^2 + (4 + 60 / d) tr C_k: a point 30 + 2 d nats from the peak is 60 + 4 d squared spreads away.
        """
        farthest = 4.0 + 60.0 / self.means.shape[1]
        reach = np.vecdot(self.means, self.means) + farthest * self.traces
        # the squared length is rounded once for the sum and once more in the product
        roundings = self.form.own.roundings
        return np.asarray(reach if roundings == 1.0 else roundings * reach)

    @cached_property
    def condition(self) -> float:
        """A bound of lambda_max(P_k) times the reach: how many times eps a log-density may be wrong."""
        return float(np.maximum.reduce(self.reach * self.precision_bound))

    @property
    def shared(self) -> bool:
        """Whether one quadratic form serves all components and is left out of :attr:`matrix`."""
        return self.form.shared

    def shared_quadratics(self, pooled: Float64Array) -> Float64Array:
        """-sum_i w_i z_i'P z_i / 2 of each mixture, from pooled moments, for forms in which P is shared."""
        U = self.roots
        U = U[self.groups.starts] if isinstance(self.groups, Groups) else U
        precisions = U @ np.swapaxes(U, 1, 2) if U.ndim == 3 else U * U
        return self.form.block.coefficients(precisions) @ pooled

    def root(self, k: int) -> Float64Array:
        """U of component k: a matrix, a vector (its diagonal) or a scalar."""
        return np.asarray(self.roots[k if len(self.roots) > 1 else 0])

    def whiten_columns(self, k: int, D: FloatArray) -> FloatArray:
        """U_k'v for the columns v of D, in their type of float."""
        U = self.root(k).astype(D.dtype)
        return U.T @ D if U.ndim == 2 else U[..., None] * D


class HasNatural(Protocol):
    """What a pass over the rows can be made of: anything that has natural parameters in a form."""

    @property
    def form(self) -> Form:
        """The second moments that its own passes keep."""

    @property
    def natural(self) -> Natural:
        """The natural parameters in this form."""

    def natural_in(self, form: Form) -> Natural:
        """The natural parameters in another form."""
