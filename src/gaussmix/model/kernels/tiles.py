"""The tiles of the compiled kernels: features, and the two matrix products, of a block of rows.

Rows go through in blocks of ``BLOCK``. In every scratch array a feature (or a component) is a run of BLOCK
numbers, so that each inner loop has a constant length and walks along the SIMD lanes. Two habits of these
files exist for the vectoriser alone. All indices are unsigned: a signed index drags a test for negative
values, which hides the stride from LLVM. And exp and log come from `lanes`. Scratch arrays begin with a line
of the cache.
"""

# mypy: ignore-errors
# (compiled functions have the types that numba infers)

from __future__ import annotations

import numpy as np

from gaussmix.model.kernels.lanes import compile_kernel, widen_vectors

BLOCK_ROWS = 256
TILE = 4  # features and components are taken four at a time

BLOCK = np.uintp(BLOCK_ROWS)
U0, U1, U2, U3, U4 = (np.uintp(i) for i in range(5))
B2, B3 = np.uintp(2 * BLOCK_ROWS), np.uintp(3 * BLOCK_ROWS)

NONE, RADIAL, SQUARES, VECH = range(4)


@compile_kernel
def fill_features(X, start, stop, origin, A, diagonal, block, T):
    """T(z) of the rows start .. stop into T, z = A (x - origin); the rest of the block becomes z = 0."""
    widen_vectors()
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


@compile_kernel
def multiply(H, T, L):
    """L = H T, by tiles of four components and four features held in registers."""
    widen_vectors()
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


@compile_kernel
def add_statistics(k, F, L, T, S):
    """S += R T', with sums over a block kept in registers and added to S in double precision."""
    widen_vectors()
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
