"""The centred form: (z - m)' P (z - m) by a triangular product, scatter about each component's own mean.

It subtracts no large numbers, whatever the distance between a component and the frame's origin, so it is
the reference that the product form is tested against. It is also the faster form where features are many
and components few: its products are square, while those of the product form are thin.
"""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array, FloatArray
from gaussmix.model.features import Form, fill_block, pack
from gaussmix.model.kernels.blas import softmax
from gaussmix.model.kernels.natural import Natural


def whitened(D: FloatArray, factor: FloatArray) -> FloatArray:
    """U'v for the columns v of D; U is a matrix, a diagonal or a scalar."""
    if factor.ndim == 2:
        return factor.T @ D
    return factor[:, None] * D if factor.ndim == 1 else factor * D


def joint(Z: FloatArray, natural: Natural) -> FloatArray:
    """Log w_k N(z | k) for each component and column of Z, shape (k, b), complete."""
    L = np.empty((natural.means.shape[0], Z.shape[1]), dtype=Z.dtype)
    for k, mean in enumerate(natural.means.astype(Z.dtype)):
        Y = whitened(Z - mean[:, None], natural.factor(k).astype(Z.dtype))
        np.einsum("ib,ib->b", Y, Y, out=L[k])
    L *= -0.5
    L += natural.constants.astype(Z.dtype)[:, None]
    return L


def accumulate(Z: FloatArray, weights: FloatArray | None, natural: Natural, S: Float64Array) -> float:
    """Add to S, shape (k, F), the moments of the columns of Z about the means; returns the log-likelihood."""
    R = joint(Z, natural)
    log_density = softmax(R)
    if weights is not None:
        R *= weights
    add_moments(Z, R, natural.means, natural.form, S)
    return float(log_density.sum(dtype=np.float64) if weights is None else weights @ log_density)


def add_moments(Z: FloatArray, R: FloatArray, centres: Float64Array, form: Form, S: Float64Array) -> None:
    """Add to S the moments of the columns of Z about the centres, under weighted responsibilities R."""
    d = Z.shape[0]
    S[:, 0] += R.sum(axis=1)
    for k, centre in enumerate(centres.astype(Z.dtype)):
        D = Z - centre[:, None]
        S[k, 1 : 1 + d] += D @ R[k]
        S[k, 1 + d :] += _scatter(D, R[k], form)


def _scatter(D: FloatArray, r: FloatArray, form: Form) -> FloatArray:
    """sum_b r_b q(D_b), packed."""
    if form.own == "vech":
        return pack((D * r) @ D.T, "vech")
    if form.own == "none":
        return np.empty(0, dtype=D.dtype)
    Q = np.empty((1 if form.own == "radial" else D.shape[0], D.shape[1]), dtype=D.dtype)
    fill_block(Q, D, form.own)
    return Q @ r
