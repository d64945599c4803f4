"""Moves that EM cannot make by itself: split and merge, and components seeded anew.

References
----------
N. Ueda, R. Nakano, Z. Ghahramani and G. E. Hinton, SMEM algorithm for mixture models, Neural Comput. 12
(2000) 2109-2128.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.random import RandomState

from gaussmix._typing import Float64Array
from gaussmix.engines import Engine
from gaussmix.fit.iterate.em import MStep
from gaussmix.fit.memberships import make_responsibilities
from gaussmix.model.covariance import NotPositiveDefiniteError
from gaussmix.model.covariance.structure import take_logarithms
from gaussmix.model.mixture import Mixture
from gaussmix.model.moments.statistics import Moments

#: Pairs that are joined.
MERGES = 3
#: Components that are divided for each pair.
SPLITS = 3
#: Components that are seeded anew in a round of moves.
RESEEDED = 14
#: Moves of a round.
MOST_MOVES = RESEEDED + MERGES * SPLITS
#: Second moments of numbers up to one count as zero up to here: their squares would underflow.
FLAT = 1e-150


def propose_moves(
    engine: Engine, mixture: Mixture, m_step: MStep[Mixture], rng: RandomState, most: int
) -> list[tuple[str, Mixture]]:
    """Splits and merges, and components seeded anew, with what reports call them; none if but one may be."""
    if most < 2:
        return []
    divided = split_and_merge(engine, mixture, m_step)[: most - most // 2]
    moves = [("split and merge", each) for each in divided]
    for _ in range(min(RESEEDED, most - len(moves))):
        component = int(rng.randint(len(mixture.means)))
        moves.append(("seeded anew", reseed(engine, mixture, (component,), rng)))
    return moves


def split_and_merge(engine: Engine, mixture: Mixture, m_step: MStep[Mixture]) -> list[Mixture]:
    """Mixtures in which a pair is one component and another component is two, the most promising first.

    Joined are pairs whose responsibilities overlap most; divided, across the principal axis that looks most
    like two clusters, are components that fit their rows worst: sum_i f_i (log f_i - log p_i), f_i being a
    row's share in the component.
    """
    k = len(mixture.means)
    if k < 3:
        return []
    R, worst = _find_misfits(engine, mixture)
    pairs = _rank_pairs(R, engine.rows.masses)[:MERGES]
    moments, halves = _halve_components(engine, R)
    found = []
    for pair in pairs:
        for split in [int(c) for c in worst if c not in pair][:SPLITS]:
            try:
                found.append(m_step(_move_halves(moments, halves, *pair, split), mixture))
            except NotPositiveDefiniteError:
                continue
    return found


def divide_components(engine: Engine, mixture: Mixture, m_step: MStep[Mixture], most: int) -> list[Mixture]:
    """Mixtures of one component more: one that fits its rows badly is two, the worst first."""
    R, worst = _find_misfits(engine, mixture)
    moments, halves = _halve_components(engine, R)
    found = []
    for split in worst[:most]:
        try:
            found.append(m_step(_divide_moments(moments, halves, split), None))
        except NotPositiveDefiniteError:
            continue
    return found


def join_components(engine: Engine, mixture: Mixture, m_step: MStep[Mixture], most: int) -> list[Mixture]:
    """Mixtures of one component less: two that lose least as one are one, the most promising first.

    The loss of a pair is n_ij log det C_ij - n_i log det C_i - n_j log det C_j, with n for effective rows
    and C_ij the covariance of both together.
    """
    k = mixture.n_components
    R = engine.evaluate(mixture, "responsibilities").astype(np.float64)
    found = []
    for i, j in _rank_losses(mixture)[:most]:
        joined = np.delete(R, j, axis=1)
        joined[:, i] += R[:, j]
        try:
            found.append(m_step(engine.accumulate_given(make_responsibilities(joined, k - 1), k - 1), None))
        except NotPositiveDefiniteError:
            continue
    return found


def _rank_losses(mixture: Mixture) -> list[tuple[int, int]]:
    """Pairs i < j of components by what the likelihood loses if they are one, the least first."""
    w, means, covariances = mixture.weights, mixture.means, mixture.dense_covariances
    firsts, seconds = np.triu_indices(len(w), 1)
    wi, wj = w[firsts], w[seconds]
    total = np.maximum(wi + wj, 1e-300)
    apart = means[firsts] - means[seconds]
    between = (wi * wj / total**2)[:, None, None] * apart[:, :, None] * apart[:, None, :]
    within = wi[:, None, None] * covariances[firsts] + wj[:, None, None] * covariances[seconds]
    size = np.linalg.slogdet(covariances)[1]
    joined = np.linalg.slogdet(within / total[:, None, None] + between)[1]
    losses = (wi + wj) * joined - wi * size[firsts] - wj * size[seconds]
    return [(int(firsts[p]), int(seconds[p])) for p in np.argsort(losses, kind="stable")]


def _find_misfits(engine: Engine, mixture: Mixture) -> tuple[Float64Array, list[int]]:
    """Responsibilities, and the components by how badly they fit their rows, the worst first."""
    L = engine.evaluate(mixture, "joint").astype(np.float64)
    R = np.exp(L - L.max(axis=1, keepdims=True))
    R /= R.sum(axis=1, keepdims=True)
    log_p = L - np.log(np.maximum(mixture.weights, 1e-300))
    return R, _rank_misfits(log_p, R * engine.rows.masses[:, None])


def _rank_pairs(R: Float64Array, weights: Float64Array) -> list[tuple[int, int]]:
    """Pairs of components by the cosine between their responsibilities, the largest first."""
    inner = (R * weights[:, None]).T @ R
    size = np.sqrt(np.maximum(np.diagonal(inner), 1e-300))
    cosine = inner / size / size[:, None]
    pairs = combinations(range(len(inner)), 2)
    return sorted(pairs, key=lambda pair: -cosine[pair])


def _rank_misfits(log_p: Float64Array, shares: Float64Array) -> list[int]:
    """Components by Ueda's measure of how badly they fit their rows, the worst first."""
    f = shares / np.maximum(shares.sum(axis=0), 1e-300)
    misfit = np.sum(f * (np.log(np.maximum(f, 1e-300)) - log_p), axis=0)
    return [int(c) for c in np.argsort(-misfit, kind="stable")]


def _halve_components(engine: Engine, R: Float64Array) -> tuple[Moments, Moments]:
    """The statistics of all components, and of the half of each beyond its mean on an axis of its own."""
    Z, weights = engine.frame.apply(engine.rows.array.astype(np.float64)), engine.rows.masses
    beyond = np.empty(R.shape, dtype=bool)
    for c, r in enumerate((R * weights[:, None]).T):
        D = Z - (Z @ r / max(r.sum(), 1e-300))[:, None]
        T = np.linalg.eigh((D * r) @ D.T)[1].T @ D
        beyond[:, c] = T[_find_two_sided(T, r)] > 0.0
    k = R.shape[1]
    whole, half = (engine.accumulate_given(make_responsibilities(shares, k), k) for shares in (R, R * beyond))
    return whole, half


def _find_two_sided(T: Float64Array, r: Float64Array) -> int:
    """The row of least kurtosis: what looks like two clusters, of whatever width, has next to no tails."""
    largest, total = np.abs(T).max(), r.sum()
    squares = (T / (largest or 1.0)) ** 2  # of numbers up to one: no fourth power overflows
    shares = r / (total or 1.0)
    second, fourth = squares @ shares, (squares * squares) @ shares
    flat = second <= max(1e-12 * second.max(), FLAT)
    return int(np.where(flat, np.inf, fourth / np.where(flat, 1.0, second) ** 2).argmin())


def _move_halves(moments: Moments, halves: Moments, i: int, j: int, split: int) -> Moments:
    """Moments, all about one point, where i takes j's rows, and j takes a half of those of `split`."""

    def after(whole: Float64Array, half: Float64Array) -> Float64Array:
        moved = whole.copy()
        moved[i] = whole[i] + whole[j]
        moved[j] = half[split]
        moved[split] = whole[split] - half[split]
        return moved

    return replace(
        moments,
        counts=after(moments.counts, halves.counts),
        first=after(moments.first, halves.first),
        second=after(moments.second, halves.second),
    )


def _divide_moments(moments: Moments, halves: Moments, split: int) -> Moments:
    """Moments, all about one point, where a new last component takes a half of the rows of `split`."""

    def after(whole: Float64Array, half: Float64Array) -> Float64Array:
        divided = np.concatenate([whole, half[split : split + 1]])
        divided[split] -= half[split]
        return divided

    return replace(
        moments,
        counts=after(moments.counts, halves.counts),
        first=after(moments.first, halves.first),
        second=after(moments.second, halves.second),
        centres=np.concatenate([moments.centres, moments.centres[split : split + 1]]),
    )


def reseed(engine: Engine, mixture: Mixture, spikes: tuple[int, ...], rng: RandomState) -> Mixture:
    """The mixture with each collapsed component moved to a row drawn at random.

    It takes the covariance and half the weight of the component that the row most probably belongs to.
    """
    structure, algebra = mixture.structure, mixture.structure.algebra
    weights, means = mixture.weights.copy(), mixture.means.copy()
    covariances, roots = mixture.covariance_stack.copy(), mixture.roots.copy()
    weights[list(spikes)] = 0.0
    weights /= weights.sum()
    for spike in spikes:
        row = engine.rows.take(engine.rows.draw(1, rng)).array
        z = engine.frame.apply(row)[:, 0].astype(np.float64)
        whitened = algebra.whiten(roots, z - means)
        peaks = take_logarithms(weights) + algebra.log_peaks(roots, z.size)
        parent = int((peaks - 0.5 * np.vecdot(whitened, whitened)).argmax())
        means[spike] = z
        weights[spike] = weights[parent] = 0.5 * weights[parent]
        if not structure.shared:
            covariances[spike], roots[spike] = covariances[parent], roots[parent]
    parts = {"means": means, "covariance_stack": covariances, "roots": roots}
    now = mixture.replace(weights=weights, noise=None, **parts)
    return now if mixture.noise is None else now.with_noise(mixture.noise)
