"""From joint log-densities to what is asked of them: responsibilities, log-densities, labels."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np

from gaussmix._typing import Float64Array, FloatArray
from gaussmix.model.kernels.natural import LOG_ZERO, Natural
from gaussmix.model.moments.groups import Alone, Groups

#: What can be asked of each row: log p(z); log w_k N(z | k); responsibilities; the most probable component.
Question = Literal["log_prob", "joint", "responsibilities", "labels"]
QUESTIONS: tuple[Question, ...] = get_args(Question)

#: Exponents below which a responsibility is negligible, by type of float.
LEAST_EXPONENT: dict[str, np.floating[Any]] = {"d": np.float64(-230.0), "f": np.float32(-60.0)}


def add_terms(L: FloatArray, terms: FloatArray) -> None:
    """Add terms of each row and component to joint log-densities (k, b), in place; no sum is infinite."""
    L += np.maximum(terms, LOG_ZERO, dtype=L.dtype)


def sum_exponentials(logarithms: Float64Array) -> Float64Array:
    """Logarithm of sum_k e^l of each row, shape (n, k); minus infinity where all are.

    SciPy's function takes a millisecond for a few rows.
    """
    largest = logarithms.max(axis=1)
    finite = np.where(np.isfinite(largest), largest, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.exp(logarithms - finite[:, None]).sum(axis=1)) + finite)


def softmax(L: FloatArray) -> FloatArray:
    """Turn joint log-densities (.., k, b) into responsibilities, in place; returns log-sum-exp, (.., b).

    Maximum and sum run along the axis of components, in place: rows of a chunk lie side by side, so that
    both are sweeps of whole vectors. Responsibilities are kept above e^-230 (e^-60 in float32): smaller ones
    count for nothing, but as subnormal numbers they would slow the product that follows a hundredfold.
    """
    top = np.maximum.reduce(L, -2)  # named arguments would cost as much again, for few rows
    L -= top[..., None, :]
    np.maximum(L, LEAST_EXPONENT[L.dtype.char], out=L)
    np.exp(L, out=L)
    total: FloatArray = np.add.reduce(L, -2)
    L /= total[..., None, :]
    np.log(total, out=total)
    total += top
    return total


def softmax_of_each(L: FloatArray, groups: Alone) -> FloatArray:
    """The same for several mixtures whose components lie side by side: log-sum-exp of each, (g, b)."""
    if not isinstance(groups, Groups):
        return softmax(L)[None]
    if groups.equal:
        return softmax(L.reshape(len(groups), -1, L.shape[1]))
    top, total = (np.empty((len(groups), L.shape[1]), dtype=L.dtype) for _ in range(2))
    for g, own in enumerate(groups.slices):
        np.maximum.reduce(L[own], 0, None, top[g])
        L[own] -= top[g]
    np.maximum(L, LEAST_EXPONENT[L.dtype.char], out=L)
    np.exp(L, out=L)
    for g, own in enumerate(groups.slices):
        np.add.reduce(L[own], 0, None, total[g])
        L[own] /= total[g]
    np.log(total, out=total)
    total += top
    return total


def weigh(R: FloatArray, log_density: FloatArray, weights: FloatArray | None) -> Float64Array:
    """Multiply responsibilities by the rows' weights, in place; returns sum_i w_i log p(z_i), shape (..).

    The sum is in double precision if there are no weights.
    """
    if weights is None:
        return np.add.reduce(log_density, -1, np.float64)  # type: ignore[no-any-return]
    R *= weights
    return log_density @ weights


def shared_quadratic(Z: FloatArray, natural: Natural) -> FloatArray:
    """Z'Pz / 2 for the columns of Z, for forms in which it is the same for every component."""
    Y = natural.whiten_columns(0, Z)
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
