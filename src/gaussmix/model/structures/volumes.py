"""What the families of Celeux and Govaert share: C_k = volume_k D_k shape_k D_k', |shape_k| = 1.

Volumes are |C_k|^(1/d), shapes diagonals of determinant one, orientations D_k orthogonal.

References
----------
G. Celeux and G. Govaert, Gaussian parsimonious clustering models, Pattern Recognition 28 (1995) 781-793.
B. N. Flury and W. Gautschi, SIAM J. Sci. Stat. Comput. 7 (1986) 169-184 (a common orientation).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.structures.base import NotPositiveDefiniteError

#: Relative change of a shape, and turn of an axis, under which the iterations of an M-step end.
CHANGE = 1e-12
TURN = 1e-12
#: Relative difference of two expected log-likelihoods that is rounding.
SLACK = 1e-12
#: How many iterations there may be.
MAX_ROUNDS = 500


def volumes(diagonals: Float64Array) -> Float64Array:
    """The geometric mean of each row, shape (k, 1). Raises NotPositiveDefiniteError where it is zero."""
    flat = ~(diagonals > 0.0)
    if flat.any():
        bad = tuple(int(i) for i in np.flatnonzero(flat.any(axis=1)))
        raise NotPositiveDefiniteError(bad, float(np.nanmin(diagonals)))
    return np.asarray(np.exp(np.log(diagonals).mean(axis=1, keepdims=True)))


def determinants(matrices: Float64Array) -> Float64Array:
    """|M|^(1/d) of each matrix, shape (k, 1, 1). Raises NotPositiveDefiniteError where one is singular."""
    sign, log_det = np.linalg.slogdet(matrices)
    singular = ~((sign > 0.0) & np.isfinite(log_det))
    if singular.any():
        raise NotPositiveDefiniteError(tuple(int(i) for i in np.flatnonzero(singular)), 0.0)
    return np.asarray(np.exp(log_det / matrices.shape[-1]))[:, None, None]


def fill_empty(moments: Float64Array, shares: Float64Array) -> Float64Array:
    """Moments in which a component without rows has the average of the others, so that it decides nothing."""
    empty = ~(shares > 0.0)
    if not empty.any():
        return moments
    filled = moments.copy()
    filled[empty] = np.tensordot(shares[~empty] / shares[~empty].sum(), moments[~empty], axes=1)
    return filled


def common_shape(
    diagonals: Float64Array, shares: Float64Array, shape: Float64Array | None = None
) -> Float64Array:
    """Rows volume_k shape, of one shape, that minimise sum_k s_k sum_j (log c_kj + m_kj / c_kj).

    Volumes given the shape and the shape given the volumes have closed forms; they take turns.
    """
    if shape is None:
        shape = shares @ diagonals
    shape = shape / volumes(shape[None, :])[0]
    for _ in range(MAX_ROUNDS):
        before = shape
        volume = (diagonals / shape).mean(axis=1)
        volumes(volume[:, None])
        shape = shares @ (diagonals / volume[:, None])
        shape = shape / volumes(shape[None, :])[0]
        if np.abs(shape - before).max() <= CHANGE * shape.max():
            break
    return np.asarray((diagonals / shape).mean(axis=1)[:, None] * shape)


def on_common_axes(
    moments: Float64Array, shares: Float64Array, warm: Float64Array | None, *, equal_volumes: bool
) -> Float64Array:
    """The best covariances of one orientation, found from the axes of `warm`, and never worse than it."""
    moments = fill_empty(moments, shares)
    axes = common_axes(moments if warm is None else warm, shares)
    axes, diagonals = common_orientation(moments, shares, axes, equal_volumes=equal_volumes)
    return no_worse((axes * diagonals[:, None, :]) @ axes.T, warm, moments, shares)


def common_axes(moments: Float64Array, shares: Float64Array) -> Float64Array:
    """Axes to begin with, shape (d, d): those of the average, each matrix in units of its size."""
    size = np.trace(moments, axis1=1, axis2=2)
    weights = shares / np.where(size > 0.0, size, 1.0) * (1.0 + 0.1 * np.arange(shares.size) / shares.size)
    return np.asarray(np.linalg.eigh(np.tensordot(weights, moments, axes=1))[1])


def common_orientation(
    moments: Float64Array, shares: Float64Array, axes: Float64Array, *, equal_volumes: bool
) -> tuple[Float64Array, Float64Array]:
    """The orientation D and the diagonals c_k for which D c_k D' are the best for the moments.

    Given the diagonals, each plane of two axes is turned to its own optimum, in closed form, which cannot
    make the objective worse; given the axes, the diagonals are those of D'MD (scaled, if volumes are equal).
    """
    d = moments.shape[-1]
    turned = axes.T @ moments @ axes
    diagonals = _diagonals(turned, shares, equal_volumes)
    for _ in range(MAX_ROUNDS if d > 1 else 0):
        largest = 0.0
        for first, second in _planes(d):
            rotation, turn = _rotation(turned, shares, diagonals, first, second)
            axes, turned = axes @ rotation, rotation.T @ turned @ rotation
            diagonals = _diagonals(turned, shares, equal_volumes)
            largest = max(largest, turn)
        if largest <= TURN:
            break
    return axes, diagonals


def _diagonals(turned: Float64Array, shares: Float64Array, equal_volumes: bool) -> Float64Array:
    """The best diagonals for the axes."""
    found = turned.diagonal(0, 1, 2)
    if equal_volumes:
        size = volumes(found)
        return np.asarray(found * (shares @ size / size))
    if not np.minimum.reduce(found, axis=None) > 0.0:
        volumes(found)  # says which
    return found


def _rotation(
    turned: Float64Array, shares: Float64Array, diagonals: Float64Array, first: IntArray, second: IntArray
) -> tuple[Float64Array, float]:
    """The turn of disjoint planes (first[i], second[i]) of axes, each to its optimum; and the largest sine.

    With M the moments in a plane, weighted by how much the component prefers one axis to the other, the first
    axis goes to the eigenvector of M's smaller eigenvalue.
    """
    inverse = shares[:, None] / diagonals
    pull = inverse[:, first] - inverse[:, second]
    found = turned.diagonal(0, 1, 2)
    apart = np.add.reduce(pull * (found[:, second] - found[:, first]))
    across = np.add.reduce(pull * turned[:, first, second])
    angle = 0.5 * np.arctan2(-2.0 * across, apart)
    rotation = np.eye(turned.shape[-1])
    rotation[first, first] = rotation[second, second] = np.cos(angle)
    rotation[second, first] = sine = np.sin(angle)
    rotation[first, second] = -sine
    return rotation, float(np.maximum.reduce(np.abs(sine)))


def no_worse(
    found: Float64Array, warm: Float64Array | None, moments: Float64Array, shares: Float64Array
) -> Float64Array:
    """What was found, or where an iteration began if it lost its way from there (needles, to rounding)."""
    if warm is None:
        return found
    try:
        now, before = _expected(found, moments, shares), _expected(warm, moments, shares)
    except np.linalg.LinAlgError:  # beyond what doubles can tell
        return found
    # to rounding, they are equal: that must not choose between them, or results would jump
    return found if now >= before - SLACK * (1.0 + abs(before)) else warm


def _expected(covariances: Float64Array, moments: Float64Array, shares: Float64Array) -> float:
    """-sum_k s_k (log|C_k| + tr(C_k^-1 M_k))."""
    traces = np.trace(np.linalg.solve(covariances, moments), axis1=1, axis2=2)
    return float(-shares @ (np.linalg.slogdet(covariances)[1] + traces))


@lru_cache(maxsize=64)
def _planes(d: int) -> list[tuple[IntArray, IntArray]]:
    """All pairs of axes, in rounds of disjoint pairs: a tournament in which everyone meets everyone."""
    players = [*range(d), *([] if d % 2 == 0 else [-1])]
    n, rounds = len(players), []
    for _ in range(n - 1):
        pairs = [(players[i], players[n - 1 - i]) for i in range(n // 2)]
        pairs = [(min(p), max(p)) for p in pairs if -1 not in p]
        rounds.append((np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])))
        players = [players[0], players[-1], *players[1:-1]]
    return rounds
