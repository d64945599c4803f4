"""The product form compiled: one pass over memory for features, product, softmax and statistics.

The last block of a chunk is padded with zeros that get no weight.

Import this module only where numba is wanted: it imports it.
"""

# mypy: ignore-errors
# (compiled functions have the types that numba infers)

from __future__ import annotations

import numpy as np

from gaussmix.model.kernels.apart import add_moments_apart, fill_joint_apart
from gaussmix.model.kernels.lanes import compile_kernel, exp, log, widen_vectors
from gaussmix.model.kernels.tiles import (
    BLOCK,
    BLOCK_ROWS,
    RADIAL,
    SQUARES,
    U0,
    U1,
    U2,
    U3,
    VECH,
    add_statistics,
    fill_features,
    multiply,
)

LOG_EVERY = 4  # blocks whose sums of exponentials are multiplied before one logarithm is taken
LAST_OF_FEW = np.uintp((LOG_EVERY - 1) * BLOCK_ROWS)  # bits of the first row of every LOG_EVERY-th block
LOG_PROB, JOINT, RESPONSIBILITIES, LABELS = range(4)  # in the order of softmax.QUESTIONS


@compile_kernel
def _exponentiate(first, stop, after, L):
    """Turn joint rows of L into e^(L - max); row `after` gets the maximum, the next one the sum."""
    widen_vectors()
    zero = L.dtype.type(0)
    top, total = after * BLOCK, (after + U1) * BLOCK
    for s in range(BLOCK):
        L[top + s] = L[first * BLOCK + s]
        L[total + s] = zero
    for c in range(first + U1, stop):
        r = c * BLOCK
        for s in range(BLOCK):
            L[top + s] = max(L[top + s], L[r + s])
    for c in range(first, stop):
        r = c * BLOCK
        for s in range(BLOCK):
            e = exp(L[r + s] - L[top + s])
            L[r + s] = e
            L[total + s] += e


@compile_kernel
def _normalise(first, stop, after, L, weights, start, rows):
    """Turn exponentials into weighted responsibilities; returns the sum of w log p of the block.

    Without weights the logarithms of the sums are left to `_take_logs`: row after + 2 multiplies the sums up.
    """
    widen_vectors()
    zero, one = L.dtype.type(0), L.dtype.type(1)
    top, total, product = after * BLOCK, (after + U1) * BLOCK, (after + U2) * BLOCK
    log_likelihood = 0.0
    if weights.shape[0] == 0:
        for s in range(rows):
            log_likelihood += L[top + s]
            L[product + s] *= L[total + s]
            L[total + s] = one / L[total + s]
    else:
        for s in range(rows):
            w = weights[start + s]
            log_likelihood += w * (L[top + s] + log(L[total + s]))
            L[total + s] = w / L[total + s]
    for s in range(rows, BLOCK):
        L[total + s] = zero
    for c in range(first, stop):
        r = c * BLOCK
        for s in range(BLOCK):
            L[r + s] *= L[total + s]
    return log_likelihood


@compile_kernel
def _take_logs(after, L):
    """The sum of the logarithms of row after + 2, which begins again at one."""
    widen_vectors()
    one, product = L.dtype.type(1), (after + U2) * BLOCK
    total = 0.0
    for s in range(BLOCK):
        total += log(L[product + s])
        L[product + s] = one
    return total


@compile_kernel
def _pad(F, d, block, T):
    """Set the constant feature to one and the features that only fill the last tile to zero."""
    zero, one = T.dtype.type(0), T.dtype.type(1)
    n_second = U0
    if block == VECH:
        n_second = (d * (d + U1)) >> U1
    elif block == SQUARES:
        n_second = d
    elif block == RADIAL:
        n_second = U1
    for s in range(BLOCK):
        T[s] = one
    for q in range((U1 + d + n_second) * BLOCK, F * BLOCK):
        T[q] = zero


@compile_kernel
def accumulate(X, weights, origin, A, diagonal, block, H, S, apart, T, L, bounds, log_likelihoods):
    """Add the statistics of the rows of X to S, shape (K, F), and to the log-likelihoods, shape (groups,).

    The rows of H belong to as many mixtures side by side; `bounds` (groups + 1,) says which to which. H and S
    have a multiple of four columns; T holds F and L K + 3 groups runs of BLOCK numbers. An empty
    `weights` stands for ones. Components kept apart come as their numbers (m,), constants (m,), means (m, p)
    and roots (m, p, p) or (m, 1, p), with p a multiple of four. None stands for no component, and has a loop
    compiled for itself.
    """
    n, d = np.uintp(X.shape[0]), np.uintp(X.shape[1])
    K, F = np.uintp(H.shape[0]), np.uintp(H.shape[1])
    groups = np.uintp(log_likelihoods.shape[0])
    if apart is not None:
        components, constants, means, roots = apart
        padded = np.uintp(means.shape[1])
        D, scatter = np.empty(U2 * padded * BLOCK, dtype=X.dtype), np.empty((padded, padded))
    _pad(F, d, block, T)
    for g in range(groups):
        for s in range(BLOCK):
            L[(K + U3 * g + U2) * BLOCK + s] = L.dtype.type(1)
    for start in range(U0, n, BLOCK):
        stop = min(start + BLOCK, n)
        fill_features(X, start, stop, origin, A, diagonal, block, T)
        multiply(H, T, L)
        if apart is not None:
            fill_joint_apart(components, constants, means, roots, block, d, T, D, L)
        for g in range(groups):
            first, last, after = bounds[g], bounds[g + U1], K + U3 * g
            _exponentiate(first, last, after, L)
            log_likelihoods[g] += _normalise(first, last, after, L, weights, start, stop - start)
            if start & LAST_OF_FEW == LAST_OF_FEW:
                log_likelihoods[g] += _take_logs(after, L)
        if apart is not None:
            add_moments_apart(components, means, block, d, T, D, scatter, L, S)
        add_statistics(K, F, L, T, S)
    for g in range(groups):
        log_likelihoods[g] += _take_logs(K + U3 * g, L)


@compile_kernel
def evaluate(X, origin, A, diagonal, block, H, what, out, labels, apart, T, L):
    """Write what is asked for each row into `out`, of n or n k numbers, or `labels`, of n."""
    n, d = np.uintp(X.shape[0]), np.uintp(X.shape[1])
    k, F = np.uintp(H.shape[0]), np.uintp(H.shape[1])
    if apart is not None:
        components, constants, means, roots = apart
        D = np.empty(U2 * np.uintp(means.shape[1]) * BLOCK, dtype=X.dtype)
    _pad(F, d, block, T)
    for start in range(U0, n, BLOCK):
        stop = min(start + BLOCK, n)
        rows = stop - start
        fill_features(X, start, stop, origin, A, diagonal, block, T)
        multiply(H, T, L)
        if apart is not None:
            fill_joint_apart(components, constants, means, roots, block, d, T, D, L)
        if what == LABELS:
            _write_labels(k, L, labels, start, rows)
        elif what == LOG_PROB:
            _exponentiate(U0, k, k, L)
            _write_log_sums(k, L, out, start, rows)
        else:
            if what == RESPONSIBILITIES:
                _exponentiate(U0, k, k, L)
                _divide(k, L)
            _transpose(k, L, out, start, rows)


@compile_kernel
def _write_log_sums(k, L, out, start, rows):
    """Write max + log sum of exponentials."""
    widen_vectors()
    top, total = k * BLOCK, (k + U1) * BLOCK
    for s in range(rows):
        out[start + s] = L[top + s] + log(L[total + s])


@compile_kernel
def _divide(k, L):
    """Turn exponentials into responsibilities."""
    widen_vectors()
    one, total = L.dtype.type(1), (k + U1) * BLOCK
    for s in range(BLOCK):
        L[total + s] = one / L[total + s]
    for q in range(k):
        for s in range(BLOCK):
            L[q * BLOCK + s] *= L[total + s]


@compile_kernel
def _transpose(k, L, out, start, rows):
    """Write the rows of L as columns."""
    widen_vectors()
    for s in range(rows):
        q = (start + s) * k
        for c in range(k):
            out[q + c] = L[c * BLOCK + s]


@compile_kernel
def _write_labels(k, L, labels, start, rows):
    """The component of the largest joint density; the first of equals."""
    top = k * BLOCK
    for s in range(BLOCK):
        L[top + s] = L[s]
    for s in range(rows):
        labels[start + s] = 0
    for c in range(U1, k):
        r = c * BLOCK
        for s in range(rows):
            if L[r + s] > L[top + s]:
                L[top + s] = L[r + s]
                labels[start + s] = c
