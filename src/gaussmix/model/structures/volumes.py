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

#: Relative change of volumes after which Newton's next would be rounding.
QUADRATIC = 1e-8
#: Turn of an axis under which the iterations of an M-step end.
TURN = 1e-8
#: Relative difference of two expected log-likelihoods that is rounding.
SLACK = 1e-12
#: How many iterations there may be.
MAX_ROUNDS = 500
#: Logarithm of a ratio of volumes, or of variances, at which a component has collapsed.
WIDE = 200.0


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


def proportional(
    moments: Float64Array, shares: Float64Array, warm: Float64Array | None = None
) -> Float64Array:
    """The best C_k = volume_k C for the moments, which are matrices (k, d, d) or diagonals (k, d).

    Given the volumes e^t_k the best C is S = sum_k s_k e^-t_k M_k, so that what is left to minimise is

        f(t) = d sum_k s_k t_k + log |S|,

    which is convex. With G_k = s_k e^-t_k S^-1 M_k its gradient is d s_k - tr G_k, its Hessian
    diag(tr G_k) - (tr G_j G_k). Newton's step is taken where f agrees, and otherwise
    t_k = log(tr(S^-1 M_k) / d), which cannot raise it.
    Volumes begin at those of `warm`, which has the shape of the moments.
    """
    d = moments.shape[1]
    if not shares.all():  # components without rows decide nothing
        own = shares > 0.0
        some = proportional(moments[own], shares[own], None if warm is None else warm[own])
        moments = moments.copy()
        moments[own], moments[~own] = some, some[0]
        return moments
    start = _traces(moments if warm is None else warm)
    volumes(start[:, None])
    logs = np.log(start)
    value, pooled, shaped = _profile(moments, shares, logs)
    for _ in range(MAX_ROUNDS):
        traces = _traces(shaped)
        step = _newton(shaped, traces, shares)
        tried = None if step is None else _profile(moments, shares, logs + step)
        if step is None or tried is None or not tried[0] <= value + SLACK:
            volumes(traces[:, None])
            step = np.log(traces / (d * shares))
            tried = _profile(moments, shares, logs + step)
        logs, (value, pooled, shaped) = logs + step, tried
        if np.abs(step).max() <= QUADRATIC:
            break
    volume = _traces(shaped) / (d * shares) * np.exp(logs)
    return np.asarray(volume.reshape(-1, *(1,) * (moments.ndim - 1)) * pooled)


def _newton(shaped: Float64Array, traces: Float64Array, shares: Float64Array) -> Float64Array | None:
    """Newton's step of the volumes' logarithms; None where it would go far, or there is none."""
    k, d = shaped.shape[:2]
    transposed = shaped if shaped.ndim == 2 else np.swapaxes(shaped, 1, 2)
    hessian = np.diag(traces) - shaped.reshape(k, -1) @ transposed.reshape(k, -1).T
    try:
        # f does not see a common factor of all volumes
        step = np.linalg.solve(hessian + shares * shares[:, None], traces - d * shares)
    except np.linalg.LinAlgError:
        return None
    return np.asarray(step) if np.abs(step).max() < 1.0 else None


def _traces(stack: Float64Array) -> Float64Array:
    """The traces of matrices, or the sums of diagonals."""
    return np.asarray(np.trace(stack, axis1=1, axis2=2) if stack.ndim == 3 else np.add.reduce(stack, axis=1))


def _profile(
    moments: Float64Array, shares: Float64Array, logs: Float64Array
) -> tuple[float, Float64Array, Float64Array]:
    """F of the logarithms of volumes, S, and the matrices (or diagonals) G_k; see :func:`proportional`."""
    if logs.max() - logs.min() > WIDE:
        raise NotPositiveDefiniteError((), 0.0)
    scaled = shares * np.exp(-logs)
    if moments.ndim == 2:
        pooled = scaled @ moments
        if not np.minimum.reduce(pooled) > np.maximum.reduce(pooled) * np.exp(-WIDE):
            raise NotPositiveDefiniteError((), float(pooled.min()))
        log_det, shaped = float(np.add.reduce(np.log(pooled))), moments / pooled
    else:
        pooled = np.tensordot(scaled, moments, axes=1)
        shaped = moments @ inverted(pooled)
        log_det = float(np.linalg.slogdet(pooled)[1])
    value = moments.shape[1] * float(shares @ logs) + log_det
    return value, pooled, shaped * scaled.reshape(-1, *(1,) * (moments.ndim - 1))


def inverted(matrix: Float64Array) -> Float64Array:
    """The inverse; NotPositiveDefiniteError where rounding leaves none."""
    try:
        return np.asarray(np.linalg.inv(matrix))
    except np.linalg.LinAlgError:
        raise NotPositiveDefiniteError((), 0.0) from None


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
