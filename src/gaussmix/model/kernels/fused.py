"""The product form compiled: one pass over memory for features, product, softmax and statistics.

Rows go through in blocks of ``BLOCK``; in every scratch array a feature (or a component) is a run of
BLOCK numbers, so that each inner loop has a constant length and walks along the SIMD lanes. Two habits of
this file exist for the vectoriser alone: all indices are unsigned (a signed index drags a test for negative
values, which hides the stride from LLVM), and exp and log come from `lanes`. The last block of a chunk is
padded with zeros that get no weight.

Import this module only where numba is wanted: it imports it.
"""

# mypy: ignore-errors
# (compiled functions have the types that numba infers)

from __future__ import annotations

import numpy as np

from gaussmix.model.kernels.lanes import compiled, exp, log, wide

BLOCK_ROWS = 128
TILE = 4  # features and components are taken four at a time
LOG_EVERY = 4  # blocks whose sums of exponentials are multiplied before one logarithm is taken

BLOCK = np.uintp(BLOCK_ROWS)
U0, U1, U2, U3, U4 = (np.uintp(i) for i in range(5))
LAST_OF_FEW = np.uintp((LOG_EVERY - 1) * BLOCK_ROWS)  # bits of the first row of every LOG_EVERY-th block
B2, B3 = np.uintp(2 * BLOCK_ROWS), np.uintp(3 * BLOCK_ROWS)

NONE, RADIAL, SQUARES, VECH = range(4)
LOG_PROB, JOINT, RESPONSIBILITIES, LABELS = range(4)


@compiled
def _features(X, start, stop, origin, A, diagonal, block, T):
    """T(z) of the rows start .. stop into T, z = A (x - origin); the rest of the block becomes z = 0."""
    wide()
    d = np.uintp(X.shape[1])
    zero, one = X.dtype.type(0), X.dtype.type(1)
    rows = stop - start
    for i in range(d):
        o, t = origin[i], (U1 + i) * BLOCK
        a = A[i, i] if diagonal else one
        for s in range(rows):
            T[t + s] = a * (X[start + s, i] - o)
        for s in range(rows, BLOCK):
            T[t + s] = zero
    if not diagonal:
        for e in range(d):
            j = d - U1 - e  # from the last row up, each in place: the rows above are still x - origin
            t = (U1 + j) * BLOCK
            a = A[j, j]
            for s in range(BLOCK):
                T[t + s] *= a
            for i in range(j):
                a, u = A[j, i], (U1 + i) * BLOCK
                for s in range(BLOCK):
                    T[t + s] += a * T[u + s]
    t = (U1 + d) * BLOCK
    if block == RADIAL:
        for s in range(BLOCK):
            T[t + s] = zero
    for i in range(d):
        u = (U1 + i) * BLOCK
        if block == RADIAL:
            for s in range(BLOCK):
                T[t + s] += T[u + s] * T[u + s]
        elif block != NONE:
            first = U0 if block == VECH else i
            for j in range(first, i + U1):
                v = (U1 + j) * BLOCK
                for s in range(BLOCK):
                    T[t + s] = T[u + s] * T[v + s]
                t += BLOCK


@compiled
def _product(H, T, L):
    """L = H T, by tiles of four components and four features held in registers."""
    wide()
    k, F = np.uintp(H.shape[0]), np.uintp(H.shape[1])
    tiled = (k >> U2) << U2
    zero = T.dtype.type(0)
    for q in range(k * BLOCK):
        L[q] = zero
    for c in range(U0, tiled, U4):
        r = c * BLOCK
        for f in range(U0, F, U4):
            t = f * BLOCK
            a0, a1, a2, a3 = H[c, f], H[c, f + U1], H[c, f + U2], H[c, f + U3]
            b0, b1, b2, b3 = H[c + U1, f], H[c + U1, f + U1], H[c + U1, f + U2], H[c + U1, f + U3]
            c0, c1, c2, c3 = H[c + U2, f], H[c + U2, f + U1], H[c + U2, f + U2], H[c + U2, f + U3]
            d0, d1, d2, d3 = H[c + U3, f], H[c + U3, f + U1], H[c + U3, f + U2], H[c + U3, f + U3]
            for s in range(BLOCK):
                t0, t1, t2, t3 = T[t + s], T[t + BLOCK + s], T[t + B2 + s], T[t + B3 + s]
                L[r + s] += a0 * t0 + a1 * t1 + a2 * t2 + a3 * t3
                L[r + BLOCK + s] += b0 * t0 + b1 * t1 + b2 * t2 + b3 * t3
                L[r + B2 + s] += c0 * t0 + c1 * t1 + c2 * t2 + c3 * t3
                L[r + B3 + s] += d0 * t0 + d1 * t1 + d2 * t2 + d3 * t3
    for c in range(tiled, k):
        r = c * BLOCK
        for f in range(U0, F, U4):
            t = f * BLOCK
            a0, a1, a2, a3 = H[c, f], H[c, f + U1], H[c, f + U2], H[c, f + U3]
            for s in range(BLOCK):
                L[r + s] += a0 * T[t + s] + a1 * T[t + BLOCK + s] + a2 * T[t + B2 + s] + a3 * T[t + B3 + s]


@compiled
def _exponentials(k, L):
    """Turn the k joint rows of L into e^(L - max); row k gets the maximum, row k + 1 the sum."""
    wide()
    zero = L.dtype.type(0)
    top, total = k * BLOCK, (k + U1) * BLOCK
    for s in range(BLOCK):
        L[top + s] = L[s]
        L[total + s] = zero
    for c in range(U1, k):
        r = c * BLOCK
        for s in range(BLOCK):
            L[top + s] = max(L[top + s], L[r + s])
    for c in range(k):
        r = c * BLOCK
        for s in range(BLOCK):
            e = exp(L[r + s] - L[top + s])
            L[r + s] = e
            L[total + s] += e


@compiled
def _statistics(k, F, L, T, S):
    """S += R T', with sums over a block kept in registers and added to S in double precision."""
    wide()
    tiled = (k >> U2) << U2
    zero = T.dtype.type(0)
    for c in range(U0, tiled, U4):
        r = c * BLOCK
        for f in range(U0, F, U4):
            t = f * BLOCK
            a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = zero
            c0 = c1 = c2 = c3 = d0 = d1 = d2 = d3 = zero
            for s in range(BLOCK):
                t0, t1, t2, t3 = T[t + s], T[t + BLOCK + s], T[t + B2 + s], T[t + B3 + s]
                x = L[r + s]
                a0, a1, a2, a3 = a0 + x * t0, a1 + x * t1, a2 + x * t2, a3 + x * t3
                x = L[r + BLOCK + s]
                b0, b1, b2, b3 = b0 + x * t0, b1 + x * t1, b2 + x * t2, b3 + x * t3
                x = L[r + B2 + s]
                c0, c1, c2, c3 = c0 + x * t0, c1 + x * t1, c2 + x * t2, c3 + x * t3
                x = L[r + B3 + s]
                d0, d1, d2, d3 = d0 + x * t0, d1 + x * t1, d2 + x * t2, d3 + x * t3
            for e, (p, q, u, v) in enumerate(
                ((a0, b0, c0, d0), (a1, b1, c1, d1), (a2, b2, c2, d2), (a3, b3, c3, d3))
            ):
                g = f + np.uintp(e)
                S[c, g] += p
                S[c + U1, g] += q
                S[c + U2, g] += u
                S[c + U3, g] += v
    for c in range(tiled, k):
        r = c * BLOCK
        for f in range(U0, F, U4):
            t = f * BLOCK
            a0 = a1 = a2 = a3 = zero
            for s in range(BLOCK):
                x = L[r + s]
                a0, a1 = a0 + x * T[t + s], a1 + x * T[t + BLOCK + s]
                a2, a3 = a2 + x * T[t + B2 + s], a3 + x * T[t + B3 + s]
            S[c, f] += a0
            S[c, f + U1] += a1
            S[c, f + U2] += a2
            S[c, f + U3] += a3


@compiled
def _normalise(k, L, weights, start, rows):
    """Turn exponentials into weighted responsibilities; returns the sum of w log p of the block.

    Without weights the logarithms of the sums are left to `_take_logs`: row k + 2 multiplies the sums up.
    """
    wide()
    zero, one = L.dtype.type(0), L.dtype.type(1)
    top, total, product = k * BLOCK, (k + U1) * BLOCK, (k + U2) * BLOCK
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
    for c in range(k):
        r = c * BLOCK
        for s in range(BLOCK):
            L[r + s] *= L[total + s]
    return log_likelihood


@compiled
def _take_logs(k, L):
    """The sum of the logarithms of row k + 2, which begins again at one."""
    wide()
    one, product = L.dtype.type(1), (k + U2) * BLOCK
    total = 0.0
    for s in range(BLOCK):
        total += log(L[product + s])
        L[product + s] = one
    return total


@compiled
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


@compiled
def accumulate(X, weights, origin, A, diagonal, block, H, S, T, L):
    """Add the statistics of the rows of X to S, shape (k, F); returns their log-likelihood.

    H and S have a multiple of four columns; T holds F and L k + 3 runs of BLOCK numbers. An empty
    `weights` stands for ones.
    """
    n, d = np.uintp(X.shape[0]), np.uintp(X.shape[1])
    k, F = np.uintp(H.shape[0]), np.uintp(H.shape[1])
    log_likelihood = 0.0
    _pad(F, d, block, T)
    for s in range(BLOCK):
        L[(k + U2) * BLOCK + s] = L.dtype.type(1)
    for start in range(U0, n, BLOCK):
        stop = min(start + BLOCK, n)
        _features(X, start, stop, origin, A, diagonal, block, T)
        _product(H, T, L)
        _exponentials(k, L)
        log_likelihood += _normalise(k, L, weights, start, stop - start)
        if start & LAST_OF_FEW == LAST_OF_FEW:
            log_likelihood += _take_logs(k, L)
        _statistics(k, F, L, T, S)
    return log_likelihood + _take_logs(k, L)


@compiled
def evaluate(X, origin, A, diagonal, block, H, what, out, labels, T, L):
    """Write what is asked for each row into `out`, of n or n k numbers, or `labels`, of n."""
    n, d = np.uintp(X.shape[0]), np.uintp(X.shape[1])
    k, F = np.uintp(H.shape[0]), np.uintp(H.shape[1])
    _pad(F, d, block, T)
    for start in range(U0, n, BLOCK):
        stop = min(start + BLOCK, n)
        rows = stop - start
        _features(X, start, stop, origin, A, diagonal, block, T)
        _product(H, T, L)
        if what == LABELS:
            _argmax(k, L, labels, start, rows)
        elif what == LOG_PROB:
            _exponentials(k, L)
            _log_sums(k, L, out, start, rows)
        else:
            if what == RESPONSIBILITIES:
                _exponentials(k, L)
                _divide(k, L)
            _transpose(k, L, out, start, rows)


@compiled
def _log_sums(k, L, out, start, rows):
    """Write max + log sum of exponentials."""
    wide()
    top, total = k * BLOCK, (k + U1) * BLOCK
    for s in range(rows):
        out[start + s] = L[top + s] + log(L[total + s])


@compiled
def _divide(k, L):
    """Turn exponentials into responsibilities."""
    wide()
    one, total = L.dtype.type(1), (k + U1) * BLOCK
    for s in range(BLOCK):
        L[total + s] = one / L[total + s]
    for q in range(k):
        for s in range(BLOCK):
            L[q * BLOCK + s] *= L[total + s]


@compiled
def _transpose(k, L, out, start, rows):
    """Write the rows of L as columns."""
    wide()
    for s in range(rows):
        q = (start + s) * k
        for c in range(k):
            out[q + c] = L[c * BLOCK + s]


@compiled
def _argmax(k, L, labels, start, rows):
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
