"""The orientation that covariances have in common: D and diagonals c_k for which D c_k D' are the best.

Given D the diagonals are those of D'M_k D, so that what is left to minimise, with a_kj = (D'M_k D)_jj, is

    f(D) = sum_k s_k u_k,                u_k = sum_j log a_kj,
    f(D) = d log sum_k s_k e^(u_k / d)   where volumes are equal.

With D e^X for D, X antisymmetric, and T = D'M_k D,

    a_kj = T_jj + 2 sum_i T_ji X_ij + sum_i [T, X]_ji X_ij + ...,

which gives gradient and Hessian. Newton's step is taken where f agrees. Otherwise each plane
of two axes is turned to its optimum for the diagonals as they are, in closed form, which cannot raise f.

References
----------
B. N. Flury and W. Gautschi, SIAM J. Sci. Stat. Comput. 7 (1986) 169-184.
D.-T. Pham, Joint approximate diagonalization of positive definite Hermitian matrices, SIAM J. Matrix Anal.
Appl. 22 (2001) 1136-1152.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.covariance.volumes import MAX_ROUNDS, SLACK, compute_volumes, fill_empty
from gaussmix.model.moments.groups import Alone

#: Largest sine of an angle, after a Newton step, at which the iteration ends; the next would be its square.
TURN = 3e-6
#: The same after a round of planes, whose error falls by a factor only.
PLANE_TURN = 1e-8
#: Features beyond which Newton's step costs more than it saves.
MANY = 16
#: Rounds of planes in an M-step beyond that: EM is monotone with any, and comes back for more.
FEW_ROUNDS = 2
#: The largest turn that Newton's step may make.
FAR = 0.5
#: What keeps the Hessian definite where no turn of a plane matters, relative to its size.
RIDGE = 1e-10
#: The same where the Hessian is zero.
TINY = float(np.finfo(np.float64).tiny)
#: Entries off the diagonal, relative to the largest, that are rounding.
ALIGNED = 1e-12


class _Turned(NamedTuple):
    """Axes (g, d, d), moments along them (k, d, d), f (g,), and what each component counts, (k,)."""

    axes: Float64Array
    moments: Float64Array
    value: Float64Array
    counts: Float64Array


def share_orientation(
    moments: Float64Array,
    shares: Float64Array,
    warm: Float64Array | None,
    groups: Alone,
    *,
    equal_volumes: bool,
) -> Float64Array:
    """The best covariances of one orientation, found from the axes of `warm`, and never worse than it."""
    moments = fill_empty(moments, shares, groups)
    criterion = _Criterion(shares, groups, equal_volumes)
    axes = _average_axes(moments if warm is None else warm, shares, groups)
    rotation = groups.expand(axes)
    # from axes of the one before, no round can make it worse
    safe = warm is None or _are_diagonal(np.swapaxes(rotation, -1, -2) @ warm @ rotation)
    at = criterion.turn(axes, moments, rotation)
    d = moments.shape[-1]
    wait, pause, before = 0 if d <= MANY else MAX_ROUNDS, 1, np.inf
    for _ in range(0 if d == 1 else MAX_ROUNDS if d <= MANY else FEW_ROUNDS):
        found = criterion.try_newton(at) if wait == 0 else None
        if found is not None:
            at, turn = found
            done = turn <= TURN
            slow, before = turn > 0.5 * before, turn
        else:
            at, turn = criterion.turn_planes(at)
            done = turn <= PLANE_TURN
            slow, before = wait == 0, np.inf
        # where Newton's step fails, or falls by less than half, the optimum is far: it is tried later again
        wait, pause = (pause, 2 * pause) if slow else (max(wait - 1, 0), pause)
        if done:
            break
    axes = groups.expand(at.axes)
    covariances = (axes * criterion.diagonals(at)[:, None, :]) @ np.swapaxes(axes, -1, -2)
    return covariances if safe or warm is None else _keep_better(covariances, warm, moments, shares, groups)


def _are_diagonal(matrices: Float64Array) -> bool:
    """Whether there is nothing off the diagonals but rounding."""
    off = np.abs(matrices * (1.0 - np.eye(matrices.shape[-1]))).max()
    return bool(off <= ALIGNED * np.abs(matrices).max())


def _average_axes(moments: Float64Array, shares: Float64Array, groups: Alone) -> Float64Array:
    """Axes to begin with, shape (g, d, d): those of the average, each matrix in units of its size."""
    size = np.trace(moments, axis1=1, axis2=2)
    weights = shares / np.where(size > 0.0, size, 1.0) * (1.0 + 0.1 * groups.places(shares.size))
    return np.asarray(np.linalg.eigh(groups.total(weights[:, None, None] * moments))[1])


@dataclass(frozen=True, eq=False)
class _Criterion:
    """f, and the turns of axes that make it less."""

    #: s_k, shape (k,).
    shares: Float64Array
    groups: Alone
    equal_volumes: bool

    def turn(self, axes: Float64Array, moments: Float64Array, rotation: Float64Array) -> _Turned:
        """Moments turned by rotations, shape (k, d, d) or (1, d, d), and the axes they then are along."""
        turned = np.swapaxes(rotation, -1, -2) @ moments @ rotation
        logs = np.add.reduce(np.log(_check_positive(turned.diagonal(0, 1, 2))), axis=1)
        if not self.equal_volumes:
            return _Turned(axes, turned, self.groups.total(self.shares * logs), self.shares)
        d = moments.shape[-1]
        sizes = self.shares * np.exp(logs / d)
        total = self.groups.total(sizes)
        return _Turned(axes, turned, d * np.log(total), sizes / self.groups.expand(total))

    def rotate(self, at: _Turned, rotation: Float64Array) -> _Turned:
        """The axes and moments turned by further rotations, shape (g, d, d)."""
        return self.turn(at.axes @ rotation, at.moments, self.groups.expand(rotation))

    def diagonals(self, at: _Turned) -> Float64Array:
        """The best diagonals c_k for the axes, shape (k, d)."""
        found = _check_positive(at.moments.diagonal(0, 1, 2))
        if self.equal_volumes:
            size = compute_volumes(found)
            return np.asarray(found * (self.groups.average(size, self.shares) / size))
        return found

    def try_newton(self, at: _Turned) -> tuple[_Turned, float] | None:
        """Newton's step and its largest turn (zero where f gains nothing); None where f rises, or none is."""
        newton = self.find_newton_step(at)
        if newton is None:
            return None
        rotation, turn = newton
        tried = self.rotate(at, rotation)
        gain, rounding = at.value - tried.value, SLACK * (1.0 + np.abs(at.value))
        if not (gain >= -rounding).all():
            return None
        return tried, turn if (gain > rounding).any() else 0.0

    def turn_planes(self, at: _Turned) -> tuple[_Turned, float]:
        """A turn of each plane of two axes, and the largest of them."""
        largest = 0.0
        for first, second in _planes(at.moments.shape[-1]):
            rotation, turn = self.find_plane_rotation(at, first, second)
            at, largest = self.rotate(at, rotation), max(largest, turn)
        return at, largest

    def find_newton_step(self, at: _Turned) -> tuple[Float64Array, float] | None:
        """Rotations (g, d, d) of Newton's step, and the largest turn; None if f is not convex, or it is far.

        With X = sum_p x_p (e_a e_b' - e_b e_a') over pairs p = (a, b), the second-order term of sum_k s_k u_k
        is sum_j X_j (N_j - sum_i N_i) X_j' less half of sum_k s_k |J_k x|^2. N_j is sum_k s_k T_k / a_kj; the
        matrix that is subtracted has its own row i of each N_i, and J_k is the gradient of log a_kj.
        """
        T, counts = at.moments, at.counts
        d = T.shape[-1]
        first, second, ends, index, signs = _pairs(d)
        inverse = 1.0 / T.diagonal(0, 1, 2)
        J = T[:, None, first, second] * ends * inverse[:, :, None]
        slopes = np.add.reduce(J, axis=1)
        weighted = counts[:, None] * inverse
        N = self.groups.total(weighted[:, :, None, None] * T[:, None])
        own = np.swapaxes(N.diagonal(0, 1, 2), 1, 2)
        F = N - 0.5 * (own + np.swapaxes(own, 1, 2))[:, None]
        squares = np.swapaxes(J, 1, 2) @ J
        gradient = self.groups.total(counts[:, None] * slopes)
        hessian = 2.0 * np.add.reduce(F.reshape(len(F), -1)[:, index] * signs, axis=1)
        if self.equal_volumes:
            squares -= slopes[:, :, None] * (slopes[:, None, :] / d)
            hessian -= gradient[:, :, None] * (gradient[:, None, :] / d)
        hessian -= self.groups.total(counts[:, None, None] * squares)
        size = np.abs(hessian).max(axis=(1, 2))
        hessian.reshape(len(hessian), -1)[:, :: len(first) + 1] += (RIDGE * size + TINY)[:, None]
        try:
            np.linalg.cholesky(hessian)
            x = -np.linalg.solve(hessian, gradient[..., None])[..., 0]
        except np.linalg.LinAlgError:
            return None
        largest = float(np.abs(x).max())
        if not largest < FAR:
            return None
        half = np.zeros((len(x), d, d))
        half[:, first, second] = 0.5 * x
        half -= np.swapaxes(half, 1, 2)
        eye = np.eye(d)
        return np.asarray(np.linalg.solve(eye - half, eye + half)), largest

    def find_plane_rotation(
        self, at: _Turned, first: IntArray, second: IntArray
    ) -> tuple[Float64Array, float]:
        """The turn of disjoint planes (first[i], second[i]) of axes, each to its optimum; the largest sine.

        With M the moments in a plane, weighted by how much the component prefers one axis to the other, the
        first axis goes to the eigenvector of M's smaller eigenvalue.
        """
        inverse = self.shares[:, None] / self.diagonals(at)
        pull = inverse[:, first] - inverse[:, second]
        turned = at.moments
        found = turned.diagonal(0, 1, 2)
        apart = self.groups.total(pull * (found[:, second] - found[:, first]))
        across = self.groups.total(pull * turned[:, first, second])
        angle = 0.5 * np.arctan2(-2.0 * across, apart)
        rotation = np.zeros((len(angle), *turned.shape[1:])) + np.eye(turned.shape[-1])
        rotation[:, first, first] = rotation[:, second, second] = np.cos(angle)
        rotation[:, second, first] = sine = np.sin(angle)
        rotation[:, first, second] = -sine
        return rotation, float(np.abs(sine).max())


def _check_positive(diagonals: Float64Array) -> Float64Array:
    """The same diagonals; NotPositiveDefiniteError, which says whose, where an entry is not positive."""
    if not np.minimum.reduce(diagonals, axis=None) > 0.0:
        compute_volumes(diagonals)  # raises
    return diagonals


def _keep_better(
    found: Float64Array,
    warm: Float64Array,
    moments: Float64Array,
    shares: Float64Array,
    groups: Alone,
) -> Float64Array:
    """What was found, or `warm` for mixtures whose iteration lost its way from there (needles do)."""
    try:
        now, before = (_expect_log_likelihoods(c, moments, shares, groups) for c in (found, warm))
    except np.linalg.LinAlgError:  # beyond what doubles can tell
        return found
    # to rounding, they are equal: that must not choose between them, or results would jump
    good = now >= before - SLACK * (1.0 + np.abs(before))
    if good.all():
        return found
    kept = groups.expand(good.astype(np.float64))[:, None, None] > 0.0
    return np.where(kept, found, warm)


def _expect_log_likelihoods(
    covariances: Float64Array, moments: Float64Array, shares: Float64Array, groups: Alone
) -> Float64Array:
    """-sum_k s_k (log|C_k| + tr(C_k^-1 M_k)) of each mixture, shape (g,)."""
    traces = np.trace(np.linalg.solve(covariances, moments), axis1=1, axis2=2)
    return -groups.total(shares * (np.linalg.slogdet(covariances)[1] + traces))


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


@lru_cache(maxsize=64)
def _pairs(d: int) -> tuple[IntArray, IntArray, IntArray, IntArray, IntArray]:
    """All pairs (a, b), a < b, and what makes J of T and a quadratic form of pairs of sum_j X_j F_j X_j'.

    For J: two where an axis is a pair's b, and minus two where it is its a, shape (d, pairs). For the form:
    with X = e_a e_b' - e_b e_a' and Y = e_c e_f' - e_f e_c' the rows that both have are a or b and c or f:
    four entries of F, shape (d, d, d), to be taken from its numbers, with a sign, or zero where rows differ.
    """
    a, b = np.triu_indices(d, 1)
    index = np.zeros((4, len(a), len(a)), dtype=np.int64)
    signs = np.zeros(index.shape, dtype=np.int64)
    parts = ((a, b, 1), (b, a, -1))
    for i, (row, column, sign) in enumerate(parts):
        for j, (other_row, other_column, other_sign) in enumerate(parts):
            index[2 * i + j] = (row[:, None] * d + column[:, None]) * d + other_column
            signs[2 * i + j] = sign * other_sign * (row[:, None] == other_row)
    axes = np.arange(d)[:, None]
    return a, b, 2 * (axes == b) - 2 * (axes == a), index, signs
