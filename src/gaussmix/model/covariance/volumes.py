"""Volumes |C_k|^(1/d), and covariances that differ in their volumes alone.

The families are those of :mod:`gaussmix.model.covariance.celeux_govaert`; a common orientation is in
:mod:`gaussmix.model.covariance.orientation`. Components may be of several mixtures side by side, which take
each step of an iteration together.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gaussmix._typing import BoolArray, Float64Array
from gaussmix.model.covariance.algebra import NotPositiveDefiniteError
from gaussmix.model.moments.groups import Alone

#: Relative change of volumes after which Newton's next would be that of its square.
QUADRATIC = 1e-5
#: Relative difference of two expected log-likelihoods that is rounding.
SLACK = 1e-12
#: The most iterations of an M-step.
MAX_ROUNDS = 500
#: Logarithm of a ratio of volumes, or of variances, at which a component has collapsed.
WIDE = 200.0


def compute_volumes(diagonals: Float64Array) -> Float64Array:
    """The geometric mean of each row, shape (k, 1). Raises NotPositiveDefiniteError where it is zero."""
    if not np.minimum.reduce(diagonals, axis=None) > 0.0:
        flat = ~(diagonals > 0.0)
        bad = tuple(int(i) for i in np.flatnonzero(flat.any(axis=1)))
        raise NotPositiveDefiniteError(bad, float(np.nanmin(diagonals)))
    return np.asarray(np.exp(np.add.reduce(np.log(diagonals), axis=1, keepdims=True) / diagonals.shape[1]))


def compute_matrix_volumes(matrices: Float64Array) -> Float64Array:
    """|M|^(1/d) of each matrix, shape (k, 1, 1). Raises NotPositiveDefiniteError where one is singular."""
    sign, log_det = np.linalg.slogdet(matrices)
    singular = ~((sign > 0.0) & np.isfinite(log_det))
    if singular.any():
        raise NotPositiveDefiniteError(tuple(int(i) for i in np.flatnonzero(singular)), 0.0)
    return np.asarray(np.exp(log_det / matrices.shape[-1]))[:, None, None]


def fill_empty(moments: Float64Array, shares: Float64Array, groups: Alone) -> Float64Array:
    """Moments in which a component without rows has the average of the others, so that it decides nothing."""
    if np.minimum.reduce(shares) > 0.0:
        return moments
    empty = ~(shares > 0.0)
    filled = moments.copy()
    filled[empty] = np.broadcast_to(groups.average(moments, shares), moments.shape)[empty]
    return filled


def share_all_but_volume(
    moments: Float64Array, shares: Float64Array, warm: Float64Array | None, groups: Alone
) -> Float64Array:
    """The best C_k = volume_k C for the moments, which are matrices (k, d, d) or diagonals (k, d).

    Given the volumes e^t_k the best C is S = sum_k s_k e^-t_k M_k, so that what is left to minimise is

        f(t) = d sum_k s_k t_k + log |S|,

    which is convex. With G_k = s_k e^-t_k S^-1 M_k its gradient is d s_k - tr G_k, its Hessian
    diag(tr G_k) - (tr G_j G_k). Newton's step is taken where f agrees, and otherwise
    t_k = log(tr(S^-1 M_k) / d), which cannot raise it. A component without rows decides nothing.
    Volumes begin at those of `warm`, which has the shape of the moments.
    """
    d, matrices = moments.shape[1], moments.ndim == 3
    moments = fill_empty(moments, shares, groups)
    start = _traces(moments if warm is None else warm, matrices)
    compute_volumes(start[:, None])
    M, s, logs = groups.stack(moments), groups.stack(shares) * groups.presence, groups.stack(np.log(start))
    at = _evaluate_profile(M, s, logs)
    for _ in range(MAX_ROUNDS):
        step, far = _find_newton_step(at, s)
        tried = _evaluate_profile(M, s, logs + step)
        worse = far | ~(tried.value <= at.value + SLACK)
        if worse.any():
            step[worse] = _find_safe_step(at, s)[worse]
            tried = _evaluate_profile(M, s, logs + step)
        logs, at = logs + step, tried
        if np.maximum.reduce(np.abs(step), axis=None) <= QUADRATIC:
            break
    own = s > 0.0
    volume = np.where(own, at.traces / (d * np.where(own, s, 1.0)) * np.exp(logs), 0.0)
    if not shares.all():
        volume = np.where(own, volume, np.vecdot(volume, s)[:, None])
    return groups.unstack(volume.reshape(*s.shape, *(1,) * (moments.ndim - 1)) * at.pooled[:, None])


class _Profile(NamedTuple):
    """At logarithms of volumes: f (g,), S (g, ...), the matrices or diagonals G_k (g, k, ...), tr G_k."""

    value: Float64Array
    pooled: Float64Array
    shaped: Float64Array
    traces: Float64Array


def _evaluate_profile(M: Float64Array, s: Float64Array, logs: Float64Array) -> _Profile:
    """F of the logarithms of volumes, and what its derivatives are made of."""
    d = M.shape[2]
    if (np.maximum.reduce(logs, axis=1) - np.minimum.reduce(logs, axis=1) > WIDE).any():
        raise NotPositiveDefiniteError((), 0.0)
    scaled = s * np.exp(-logs)
    pooled = (scaled[:, None, :] @ M.reshape(*s.shape, -1))[:, 0, :]
    if M.ndim == 3:
        if not (np.minimum.reduce(pooled, axis=1) > np.maximum.reduce(pooled, axis=1) * np.exp(-WIDE)).all():
            raise NotPositiveDefiniteError((), float(pooled.min()))
        log_det, shaped = np.add.reduce(np.log(pooled), axis=1), M / pooled[:, None]
    else:
        pooled = pooled.reshape(-1, d, d)
        try:
            shaped = M @ np.linalg.inv(pooled)[:, None]
        except np.linalg.LinAlgError:  # rounding leaves no inverse
            raise NotPositiveDefiniteError((), 0.0) from None
        log_det = np.linalg.slogdet(pooled)[1]
    shaped *= scaled.reshape(*s.shape, *(1,) * (M.ndim - 2))
    return _Profile(d * np.vecdot(s, logs) + log_det, pooled, shaped, _traces(shaped, M.ndim == 4))


def _find_newton_step(at: _Profile, s: Float64Array) -> tuple[Float64Array, BoolArray]:
    """Newton's step of the logarithms, shape (g, k), and where it would go far or is none: zero there."""
    (g, k), d = s.shape, at.shaped.shape[2]
    transposed = at.shaped if at.shaped.ndim == 3 else np.swapaxes(at.shaped, 2, 3)
    hessian = -(at.shaped.reshape(g, k, -1) @ np.swapaxes(transposed.reshape(g, k, -1), 1, 2))
    # f does not see a common factor of all volumes, nor the volume of a component without rows
    hessian += s[:, :, None] * s[:, None, :]
    hessian.reshape(g, -1)[:, :: k + 1] += at.traces + (s == 0.0)
    try:
        step = np.linalg.solve(hessian, (at.traces - d * s)[..., None])[..., 0]
    except np.linalg.LinAlgError:
        return np.zeros(s.shape), np.ones(g, dtype=bool)
    far = ~(np.maximum.reduce(np.abs(step), axis=1) < 1.0)
    if far.any():
        step[far] = 0.0
    return step, far


def _find_safe_step(at: _Profile, s: Float64Array) -> Float64Array:
    """The step of the logarithms to their best given S, shape (g, k)."""
    own = s > 0.0
    compute_volumes(at.traces[own][:, None])
    return np.log(np.where(own, at.traces, 1.0) / np.where(own, at.shaped.shape[2] * s, 1.0))


def _traces(stack: Float64Array, matrices: bool) -> Float64Array:
    """The traces of matrices (..., d, d), or the sums of diagonals (..., d)."""
    return np.asarray(stack.trace(0, -2, -1) if matrices else np.add.reduce(stack, axis=-1))
