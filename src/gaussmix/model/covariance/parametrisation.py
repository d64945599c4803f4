"""Free coordinates of a family near given covariances: how they move with each coordinate, and how they bend.

Where components share nothing, or a whole covariance, the coordinates are its numbers. Where they share a
part of it, they are the logarithm of the volume, those of the shape (which sum to zero), and the angles of a
rotation in each plane of two axes. As Celeux and Govaert have it, D_k are the axes, and near any covariance::

    C_k  =  exp(u) D_k exp(W) diag(exp(v)) exp(-W) D_k',    W = -W',  sum v = 0
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix._typing import Float64Array, IntArray

#: Weights of covariances of which the axes are sought that they share: no small sums of them cancel.
UNEQUAL = np.sqrt(2.0) - 1.0


@dataclass(frozen=True, eq=False)
class Local:
    """Coordinates of one covariance, a matrix or a diagonal, in its own axes."""

    #: D, shape (d, d); None stands for the identity, and covariances are diagonals then.
    axes: Float64Array | None
    #: The variances along the axes, shape (d,).
    values: Float64Array
    #: How the logarithms of the variances move with the coordinates of volume and shape, shape (d, s).
    slopes: Float64Array
    #: The planes of the coordinates that are angles, shape (m, 2).
    planes: IntArray

    @property
    def tangents(self) -> Float64Array:
        """The derivatives of the covariance by each coordinate, shape (s + m, d, d) or (s, d)."""
        moves = (self.slopes * self.values[:, None]).T
        if self.axes is None:
            return moves
        whole = np.concatenate([moves[:, :, None] * np.eye(len(self.values)), self._turn(self.values)])
        return np.asarray(self.axes @ whole @ self.axes.T)

    def bend(self, gradient: Float64Array) -> Float64Array:
        """The second derivatives of <gradient, C>, shape (s + m, s + m)."""
        if self.axes is None:
            return np.asarray((self.slopes.T * (gradient * self.values)) @ self.slopes)
        G, s, m = self.axes.T @ gradient @ self.axes, self.slopes.shape[1], len(self.planes)
        second = np.empty((s + m, s + m))
        second[:s, :s] = (self.slopes.T * (np.diagonal(G) * self.values)) @ self.slopes
        for j in range(s):  # turning what the coordinate of the variances adds
            turned = self._turn(self.slopes[:, j] * self.values)
            second[j, s:] = second[s:, j] = (turned * G).sum(axis=(1, 2))
        # <G, [E, [F, V]]> = <[G, E], [F, V]>, symmetrised, for planes E and F and the diagonal V
        E = self._skew
        crossed = (G @ E - E @ G).reshape(m, G.size)
        crossed = crossed @ np.swapaxes(self._turn(self.values), 1, 2).reshape(m, G.size).T
        second[s:, s:] = 0.5 * (crossed + crossed.T)
        return second

    @property
    def _skew(self) -> Float64Array:
        """E with E_ij = 1 = -E_ji for each plane (i, j)."""
        d, m = len(self.values), len(self.planes)
        E = np.zeros((m, d, d))
        E[np.arange(m), self.planes[:, 0], self.planes[:, 1]] = 1.0
        return E - np.swapaxes(E, 1, 2)

    def _turn(self, values: Float64Array) -> Float64Array:
        """[E, V] = E V - V E for each plane and the diagonal V."""
        E = self._skew
        return np.asarray(E * values - values[:, None] * E)


@dataclass(frozen=True, eq=False)
class Parametrisation:
    """Coordinates of a stack of covariances, of which some are shared."""

    #: How the stack moves with each coordinate, shape (p, K, ...).
    tangents: Float64Array
    #: The coordinates of each covariance, and which of all these are; none where the stack moves along lines.
    locals: Sequence[Local] = ()
    places: Sequence[IntArray] = ()

    def bend(self, gradient: Float64Array) -> Float64Array:
        """The second derivatives of <gradient, C> by the coordinates, for a gradient of the stack's shape."""
        p = len(self.tangents)
        second = np.zeros((p, p))
        for own, places, G in zip(self.locals, self.places, gradient, strict=False):
            second[np.ix_(places, places)] += own.bend(G)
        return second


def parametrise_numbers(covariances: Float64Array) -> Parametrisation:
    """Each number of the stack by itself; of matrices, each on and below the diagonal."""
    K, shape = len(covariances), covariances.shape[1:]
    if len(shape) == 2:
        rows, columns = np.tril_indices(shape[0])
        units = np.zeros((len(rows), *shape))
        units[np.arange(len(rows)), rows, columns] = units[np.arange(len(rows)), columns, rows] = 1.0
    else:
        units = np.eye(int(np.prod(shape))).reshape(-1, *shape)
    tangents = np.zeros((K, len(units), K, *shape))
    tangents[np.arange(K), :, np.arange(K)] = units
    return Parametrisation(tangents.reshape(-1, K, *shape))


def parametrise_parts(covariances: Float64Array, letters: str) -> Parametrisation:
    """Volume, shape and orientation, each shared (E), of each component (V), or the identity (I)."""
    (k, d), orientation = covariances.shape[:2], letters[2]
    slopes = np.concatenate([np.ones((d, 1)), make_contrasts(d)], axis=1)
    planes = (
        np.argwhere(np.tri(d, k=-1, dtype=bool).T) if orientation != "I" else np.empty((0, 2), dtype=np.int64)
    )
    sizes = 1, d - 1, len(planes)
    columns, n_coordinates = [], 0
    for letter, size in zip(letters, sizes, strict=True):
        own = np.arange(k)[:, None] * size if letter == "V" else np.zeros((k, 1), dtype=np.int64)
        columns.append(n_coordinates + own + np.arange(size))
        n_coordinates += size * (k if letter == "V" else 1)
    places = np.concatenate(columns, axis=1)
    common = _find_common_axes(covariances) if orientation == "E" else None
    parts, tangents = [], np.zeros((n_coordinates, *covariances.shape))
    for component, covariance in enumerate(covariances):
        if orientation == "I":
            own = Local(None, covariance, slopes, planes)
        elif common is None:
            values, axes = np.linalg.eigh(covariance)
            own = Local(axes, values, slopes, planes)
        else:
            own = Local(common, np.diagonal(common.T @ covariance @ common), slopes, planes)
        parts.append(own)
        tangents[places[component], component] = own.tangents
    return Parametrisation(tangents, parts, list(places))


def make_contrasts(m: int) -> Float64Array:
    """An orthonormal basis of the vectors of m numbers that sum to zero, shape (m, m - 1)."""
    from scipy.linalg import helmert

    return np.asarray(helmert(m).T) if m > 1 else np.zeros((1, 0))


def _find_common_axes(covariances: Float64Array) -> Float64Array:
    """The axes that all covariances share: those of a sum in which no two of them cancel."""
    sizes = np.trace(covariances, axis1=1, axis2=2)
    weights = (1.0 + UNEQUAL * np.arange(len(covariances))) / sizes
    return np.asarray(np.linalg.eigh(np.tensordot(weights, covariances, axes=1))[1])
