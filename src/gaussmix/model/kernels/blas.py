"""The product form in plain NumPy: two matrix products for a chunk of rows, a softmax between them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gaussmix._typing import Float64Array, FloatArray
from gaussmix.model.features import Form, fill
from gaussmix.model.frame import Frame
from gaussmix.model.kernels.natural import Natural

#: Exponents below which a responsibility is negligible, by type of float.
LEAST_EXPONENT: dict[str, np.floating[Any]] = {"d": np.float64(-230.0), "f": np.float32(-60.0)}


def features(X: FloatArray, frame: Frame, form: Form, out: FloatArray) -> FloatArray:
    """T(z) of the rows of X as columns, shape (F, b), written into the front of `out`, shape (F, >= b)."""
    T = out[:, : X.shape[0]]
    fill(T, frame.apply(X), form.own)
    return T


def joint(T: FloatArray, natural: Natural) -> FloatArray:
    """Log w_k N(z | k) for each component and column, shape (k, b), less what all components share."""
    return natural.matrix.astype(T.dtype, copy=False) @ T


def softmax(L: FloatArray) -> FloatArray:
    """Turn joint log-densities into responsibilities, in place; returns log-sum-exp, shape (b,).

    Maximum and sum run along the leading axis, in place: rows of a chunk lie side by side, so that
    both are sweeps of whole vectors. Responsibilities are kept above e^-230 (e^-60 in float32): smaller ones
    count for nothing, but as subnormal numbers they would slow the product that follows a hundredfold.
    """
    top = L.max(axis=0)
    L -= top
    np.maximum(L, LEAST_EXPONENT[L.dtype.char], out=L)
    np.exp(L, out=L)
    total: FloatArray = L.sum(axis=0)
    L /= total
    np.log(total, out=total)
    total += top
    return total


def accumulate(T: FloatArray, weights: FloatArray | None, natural: Natural, S: Float64Array) -> float:
    """Add the statistics of a chunk to S, shape (k, F), in double precision; returns its log-likelihood."""
    R = joint(T, natural)
    log_density = softmax(R)
    if weights is None:
        S += R @ T.T
        return float(log_density.sum(dtype=np.float64))
    R *= weights
    S += R @ T.T
    return float(weights @ log_density)
