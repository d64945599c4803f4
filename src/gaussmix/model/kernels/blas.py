"""The product form in plain NumPy: two matrix products for a chunk of rows, a softmax between them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gaussmix._typing import Float64Array, FloatArray
from gaussmix.model.features import Block, fill
from gaussmix.model.kernels.natural import Natural
from gaussmix.model.kernels.rows import Question, Rows

#: Exponents below which a responsibility is negligible, by type of float.
LEAST_EXPONENT: dict[str, np.floating[Any]] = {"d": np.float64(-230.0), "f": np.float32(-60.0)}


def joint(T: FloatArray, natural: Natural) -> FloatArray:
    """Log w_k N(z | k) for each component and column, shape (k, b), less what all components share."""
    return natural.matrix_as(T.dtype) @ T


def softmax(L: FloatArray) -> FloatArray:
    """Turn joint log-densities into responsibilities, in place; returns log-sum-exp, shape (b,).

    Maximum and sum run along the leading axis, in place: rows of a chunk lie side by side, so that
    both are sweeps of whole vectors. Responsibilities are kept above e^-230 (e^-60 in float32): smaller ones
    count for nothing, but as subnormal numbers they would slow the product that follows a hundredfold.
    """
    top = np.maximum.reduce(L)
    L -= top
    np.maximum(L, LEAST_EXPONENT[L.dtype.char], out=L)
    np.exp(L, out=L)
    total: FloatArray = np.add.reduce(L)
    L /= total
    np.log(total, out=total)
    total += top
    return total


def weigh(R: FloatArray, log_density: FloatArray, weights: FloatArray | None) -> float:
    """Multiply responsibilities by the rows' weights, in place; returns sum_i w_i log p(z_i)."""
    if weights is None:
        return float(np.add.reduce(log_density, dtype=np.float64))
    R *= weights
    return float(weights @ log_density)


def shared_quadratic(Z: FloatArray, natural: Natural) -> FloatArray:
    """Z'Pz / 2 for the columns of Z, for forms in which it is the same for every component."""
    U = natural.factors.astype(Z.dtype)
    Y = U.T @ Z if U.ndim == 2 else U[:, None] * Z
    return np.asarray(0.5 * np.einsum("ib,ib->b", Y, Y))


def answer(L: FloatArray, question: Question, out: Any) -> None:
    """Write what is asked of complete joint log-densities (k, b) into `out`, shape (b, 1) or (b, k)."""
    if question == "labels":
        out[:, 0] = L.argmax(axis=0)
    elif question == "log_prob":
        out[:, 0] = softmax(L)
    else:
        if question == "responsibilities":
            softmax(L)
        out[:] = L.T


class Blas:
    """The product form on NumPy's BLAS."""

    uses_blas = True

    def __init__(self, rows: Rows, chunk_rows: int) -> None:
        self.rows, self.block = rows, rows.form.own
        n, d = rows.shape
        self._shape = rows.form.n_features(d), min(n, chunk_rows)
        self._single = n <= chunk_rows
        self._kept: FloatArray | None = None
        self._spare: list[FloatArray] = []

    block: Block

    def centres(self, natural: Natural) -> Float64Array:
        """The origin, for all."""
        return np.zeros(natural.means.shape)

    def accumulate(self, rows: slice, natural: Natural, S: Float64Array) -> float:
        """As the protocol says."""
        T = self.features(rows)
        R = joint(T, natural)
        log_likelihood = weigh(R, softmax(R), self.rows.weights_of(rows))
        S += R @ T.T
        self.release(T)
        return log_likelihood

    def evaluate(self, rows: slice, natural: Natural, question: Question, out: Any) -> None:
        """As the protocol says."""
        T = self.features(rows)
        L = joint(T, natural)
        if natural.shared and question in ("log_prob", "joint"):
            L -= shared_quadratic(T[1:], natural)
        self.release(T)
        answer(L, question, out)

    def features(self, rows: slice) -> FloatArray:
        """T(z) of a slice, shape (F, b). Those of a single chunk are kept: no pass changes them."""
        if self._kept is not None:
            return self._kept
        buffer = self._spare.pop() if self._spare else np.empty(self._shape, dtype=self.rows.dtype)
        Z = self.rows.frame.apply(self.rows.values(rows))
        T = buffer[:, : Z.shape[1]]
        fill(T, Z, self.block)
        if self._single:
            self._kept = T
        return T

    def release(self, T: FloatArray) -> None:
        """Give the memory of features back for the next chunk."""
        if self._kept is None:
            self._spare.append(T if T.base is None else T.base)
