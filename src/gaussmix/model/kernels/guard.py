"""The precision guard: components that the product form would blur are evaluated centred, in float64.

The product form subtracts large numbers where a component is tight and far from the frame's origin. Its error
is predictable before the pass: err_k < eps lambda_max(P_k) |z|^2, in the frame's coordinates, with |z|^2 the
reach of the component (measured: the true error is 0.05 to 1.2 times that, over d = 2 .. 64, both types).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix._typing import Float64Array, FloatArray
from gaussmix.model.features import Block
from gaussmix.model.kernels.blas import Blas, answer, joint, softmax, weigh
from gaussmix.model.kernels.centred import add_moments, fill_joint
from gaussmix.model.kernels.natural import EPS, TOLERANCE, Natural
from gaussmix.model.kernels.rows import Question, Rows


def predicted_error(natural: Natural, dtype: np.dtype[Any]) -> Float64Array:
    """err_k of each component, shape (k,), in nats."""
    return np.asarray(EPS[dtype.char] * natural.reach * largest_precision(natural))


def guarded(natural: Natural, dtype: np.dtype[Any]) -> npt.NDArray[np.bool_] | None:
    """The components to be evaluated centred, shape (k,); None if there is none."""
    eps, tolerance = EPS[dtype.char], TOLERANCE[dtype.char]
    if eps * natural.condition < tolerance:
        return None  # the cheap bound settles it for data that behave
    mask = predicted_error(natural, dtype) > tolerance
    if not mask.any():
        return None
    # with one quadratic form for all, what is left out of the product is left out for all
    return np.ones_like(mask) if natural.shared else mask


def largest_precision(natural: Natural) -> Float64Array:
    """lambda_max(U U') of each component, by power iteration; shape (k,), or (1,) if shared."""
    factors = natural.factors
    if natural.form.own in ("squares", "radial"):
        return natural.precision_bound
    if factors.ndim == 1:
        return np.maximum.reduce(factors * factors, keepdims=True)
    U = factors[None] if natural.shared else factors
    P = U @ np.swapaxes(U, -1, -2)
    rows = np.diagonal(P, axis1=-2, axis2=-1).argmax(axis=1)
    v = P[np.arange(P.shape[0]), rows][:, :, None]
    for _ in range(8):
        v = v / np.linalg.norm(v, axis=1, keepdims=True)
        v = P @ v
    return np.asarray(np.linalg.norm(v, axis=1)[:, 0])


class Guarded:
    """The product form for most components, the centred form in double precision for those of the mask."""

    uses_blas = True

    def __init__(self, rows: Rows, product: Blas | None, mask: npt.NDArray[np.bool_]) -> None:
        self.rows, self.product, self.mask = rows, product, mask
        if product is None or rows.form.own == "none":
            self.mask = np.ones_like(mask)
        self.centred = [int(k) for k in np.flatnonzero(self.mask)]
        self.others = np.flatnonzero(~self.mask)
        self.block: Block = rows.form.pooled if rows.form.own == "none" else rows.form.own

    def centres(self, natural: Natural) -> Float64Array:
        """The means of the guarded components, the origin for the others."""
        return np.where(self.mask[:, None], natural.means, 0.0)

    def accumulate(self, rows: slice, natural: Natural, S: Float64Array) -> float:
        """As the protocol says."""
        T, Z, R = self._joint(rows, natural)
        weights = self.rows.weights_of(rows)
        log_likelihood = weigh(R, softmax(R), weights)
        add_moments(Z, R, natural.means, self.block, S, self.centred)
        if T is not None and self.product is not None:
            S[self.others] += R[self.others].astype(T.dtype) @ T.T
            self.product.release(T)
        return log_likelihood

    def evaluate(self, rows: slice, natural: Natural, question: Question, out: Any) -> None:
        """As the protocol says."""
        T, _, L = self._joint(rows, natural)
        if T is not None and self.product is not None:
            self.product.release(T)
        answer(L, question, out)

    def _joint(self, rows: slice, natural: Natural) -> tuple[FloatArray | None, FloatArray, FloatArray]:
        """Features (None if no component needs them), coordinates, and joint log-densities in float64."""
        Z = self.rows.frame.apply(self.rows.X[rows].astype(np.float64))
        T = None
        if self.others.size and self.product is not None:
            T = self.product.features(rows)
            L = joint(T, natural).astype(np.float64)
        else:
            L = np.empty((self.mask.size, Z.shape[1]))
        fill_joint(L, Z, natural, self.centred)
        return T, Z, L
