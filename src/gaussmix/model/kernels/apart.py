"""The centred form compiled, for the few components of a pass that the product form would blur."""

# mypy: ignore-errors
# (compiled functions have the types that numba infers)

from __future__ import annotations

import numpy as np

from gaussmix.model.kernels.lanes import compile_kernel, widen_vectors
from gaussmix.model.kernels.tiles import BLOCK, SQUARES, U0, U1, VECH, add_statistics, multiply


@compile_kernel
def _centre(mean, d, T, D):
    """The coordinates in T less a mean; D has a multiple of four runs, zero beyond d."""
    widen_vectors()
    zero = T.dtype.type(0)
    for i in range(d):
        m, r, t = mean[i], i * BLOCK, (U1 + i) * BLOCK
        for s in range(BLOCK):
            D[r + s] = T[t + s] - m
    for q in range(d * BLOCK, np.uintp(mean.shape[0]) * BLOCK):
        D[q] = zero


@compile_kernel
def fill_joint_apart(components, constants, means, roots, block, d, T, D, L):
    """The joint log-densities of the components apart, centred: constant - |U'(z - m)|^2 / 2."""
    widen_vectors()
    zero, half = T.dtype.type(0), T.dtype.type(0.5)
    size = np.uintp(means.shape[1]) * BLOCK
    Y = D[size:]
    for m in range(np.uintp(components.shape[0])):
        r, constant = np.uintp(components[m]) * BLOCK, constants[m]
        for s in range(BLOCK):
            L[r + s] = zero
        if block == VECH:
            _centre(means[m], d, T, D)
            multiply(roots[m], D, Y)
            for i in range(d):
                y = i * BLOCK
                for s in range(BLOCK):
                    L[r + s] += Y[y + s] * Y[y + s]
        else:
            for i in range(d):
                mean, t = means[m, i], (U1 + i) * BLOCK
                u = roots[m, 0, i if block == SQUARES else U0]
                for s in range(BLOCK):
                    v = u * (T[t + s] - mean)
                    L[r + s] += v * v
        for s in range(BLOCK):
            L[r + s] = constant - half * L[r + s]


@compile_kernel
def _add_scatter(c, mean, d, T, D, scatter, L, S):
    """Add the first moments of component c about its mean to S, and the packed products."""
    widen_vectors()
    zero = T.dtype.type(0)
    padded = np.uintp(mean.shape[0])
    Y, r = D[padded * BLOCK :], c * BLOCK
    _centre(mean, d, T, D)
    for i in range(padded):
        y = i * BLOCK
        total = zero
        for s in range(BLOCK):
            v = L[r + s] * D[y + s]
            Y[y + s] = v
            total += v
        if i < d:
            S[c, U1 + i] += total
        for j in range(padded):
            scatter[i, j] = 0.0
    add_statistics(padded, padded, Y, D, scatter)
    q = U1 + d
    for i in range(d):
        for j in range(i + U1):
            S[c, q] += scatter[i, j]
            q += U1


@compile_kernel
def _add_squares(c, mean, block, d, T, L, S):
    """Add the first moments of component c about its mean to S, and the squares or their sum."""
    widen_vectors()
    r = c * BLOCK
    for i in range(d):
        m, t = mean[i], (U1 + i) * BLOCK
        total = square = T.dtype.type(0)
        for s in range(BLOCK):
            v = T[t + s] - m
            total += L[r + s] * v
            square += L[r + s] * v * v
        S[c, U1 + i] += total
        S[c, U1 + d + (i if block == SQUARES else U0)] += square


@compile_kernel
def add_moments_apart(components, means, block, d, T, D, scatter, L, S):
    """Add the moments of the components apart about their means; their rows of L become zero."""
    widen_vectors()
    zero = T.dtype.type(0)
    for m in range(np.uintp(components.shape[0])):
        c = np.uintp(components[m])
        r = c * BLOCK
        total = zero
        for s in range(BLOCK):
            total += L[r + s]
        S[c, 0] += total
        if block == VECH:
            _add_scatter(c, means[m], d, T, D, scatter, L, S)
        else:
            _add_squares(c, means[m], block, d, T, L, S)
        for s in range(BLOCK):
            L[r + s] = zero
