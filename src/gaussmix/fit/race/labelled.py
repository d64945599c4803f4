"""Labels of the rows to begin a race with: cheap, and of many kinds.

Rows are seen in units of their spreads, or whitened (every second start of a kind), which shows other
clusters.

References
----------
D. Arthur and S. Vassilvitskii, k-means++: the advantages of careful seeding, Proc. 18th ACM-SIAM Symp. on
Discrete Algorithms (2007) 1027-1035.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.random import RandomState

from gaussmix._typing import Float64Array, IntArray
from gaussmix.engines import Engine
from gaussmix.fit.starts.hierarchy import label_by_parts
from gaussmix.fit.starts.pca import divide

#: From rows, k, a generator, how many starts are wanted and how many of the kind there were before: for each
#: start the label of each row, 0 .. k - 1.
Labelling: TypeAlias = Callable[[Engine, int, RandomState, int, int], list[IntArray]]

#: The most steps of k-means: it need not converge, since EM goes on from there.
STEPS = 5
#: Rows drawn for each seed, of which the best is kept.
TRIES = 3
#: Sets of seeds, of which k-means begins at the best.
SETS = 2
#: The fewest parts that rows are divided into before a hierarchy joins them.
PARTS = 25
#: Parts for each component, where these are more.
PARTS_EACH = 3


def label_by_seeds(engine: Engine, k: int, rng: RandomState, n_starts: int, before: int) -> list[IntArray]:
    """Each row belongs to the nearest of k rows that k-means++ seeding chose."""
    return _label_by_nearest(engine, k, rng, n_starts, spread=True)


def label_by_rows(engine: Engine, k: int, rng: RandomState, n_starts: int, before: int) -> list[IntArray]:
    """Each row belongs to the nearest of k rows drawn at random."""
    return _label_by_nearest(engine, k, rng, n_starts, spread=False)


def _label_by_nearest(
    engine: Engine, k: int, rng: RandomState, n_starts: int, *, spread: bool
) -> list[IntArray]:
    """One half of the starts go by distances of whitened rows, the other by those in units of spreads."""
    weights, labels = engine.rows.masses, []
    n_whitened = n_starts // 2
    for n, whitened in ((n_starts - n_whitened, False), (n_whitened, True)):
        if n:
            Z = find_coordinates(engine, whitened=whitened)
            chosen = choose_seeds(Z, weights, k, n, rng) if spread else _draw_rows(k, weights, n, rng)
            labels += list(find_nearest(Z, Z[chosen]))
    return labels


def _draw_rows(k: int, weights: Float64Array, n_starts: int, rng: RandomState) -> IntArray:
    p = weights / weights.sum()
    draw = [rng.choice(len(p), k, replace=False, p=p) for _ in range(n_starts)]
    return np.stack(draw)


def label_by_means(engine: Engine, k: int, rng: RandomState, n_starts: int, before: int) -> list[IntArray]:
    """Each row belongs to its cluster after some steps of k-means."""
    weights, labels = engine.rows.masses, []
    for start in range(n_starts):
        Z = find_coordinates(engine, whitened=(before + start) % 2 == 1)
        labels.append(divide_by_means(Z, weights, k, rng))
    return labels


def divide_by_means(Z: Float64Array, weights: Float64Array, k: int, rng: RandomState) -> IntArray:
    """The cluster of each row of Z, shape (n, d), after some steps of k-means."""
    found: IntArray = find_nearest(Z, Z[choose_spread_seeds(Z, weights, k, rng)][None])[0]
    for _ in range(STEPS):
        counts = np.bincount(found, weights, minlength=k)
        sums = np.stack([np.bincount(found, weights * z, minlength=k) for z in Z.T], axis=1)
        means = np.where(counts[:, None] > 0.0, sums / np.maximum(counts, 1e-300)[:, None], Z[:1])
        after = find_nearest(Z, means[None])[0]
        if np.array_equal(after, found):
            break
        found = after
    return found


def label_by_axes(engine: Engine, k: int, rng: RandomState, n_starts: int, before: int) -> list[IntArray]:
    """Each row belongs to its part of a divisive partition along principal axes; the first draws nothing."""
    Z = find_coordinates(engine, whitened=False)
    return [divide(Z, engine.rows.masses, k, rng if before + start else None) for start in range(n_starts)]


def cost_hierarchy(k: int) -> float:
    """Of :func:`label_by_hierarchy`, in the units of :mod:`gaussmix.fit.race.budget`."""
    return 1000.0 + 130.0 * max(PARTS, PARTS_EACH * k)


def label_by_hierarchy(
    engine: Engine, k: int, rng: RandomState, n_starts: int, before: int
) -> list[IntArray]:
    """Each row belongs to its cluster in a model-based hierarchy, which begins at small parts of the rows."""
    weights, labels = engine.rows.masses, []
    m = min(len(weights), max(PARTS, PARTS_EACH * k))
    for start in range(n_starts):
        Z = find_coordinates(engine, whitened=(before + start) % 2 == 0)
        parts = find_nearest(Z, Z[choose_seeds(Z, weights, m, 1, rng)])[0]
        labels.append(label_by_parts(Z, weights, parts, k))
    return labels


def find_coordinates(engine: Engine, *, whitened: bool) -> Float64Array:
    """The rows in the frame, or with each feature in units of its spread, as an array (n, d)."""
    X, frame = engine.rows.array.astype(np.float64), engine.frame
    if whitened:
        return np.ascontiguousarray(frame.apply(X).T)
    return np.asarray((X - frame.origin) / np.sqrt(frame.variances))


def choose_seeds(Z: Float64Array, weights: Float64Array, k: int, n_starts: int, rng: RandomState) -> IntArray:
    """Rows, k for each start, far from one another, shape (n_starts, k), all starts at once.

    Each is the best of a few drawn in proportion to the squared distance from the nearest of those before.
    """
    squares, n = np.vecdot(Z, Z), len(Z)
    chosen = np.empty((n_starts, k), dtype=np.int64)
    chosen[:, 0] = rng.choice(n, n_starts, p=weights / weights.sum())
    left = _measure_distances(Z, squares, chosen[:, 0])
    for place in range(1, k):
        total = np.cumsum(weights * left, axis=1)
        targets = rng.uniform(size=(n_starts, TRIES)) * total[:, -1:]
        tries = np.stack([np.searchsorted(t, u) for t, u in zip(total, targets, strict=True)])
        tries = np.minimum(tries, n - 1)
        apart = _measure_distances(Z, squares, tries.ravel()).reshape(n_starts, TRIES, n)
        np.minimum(apart, left[:, None, :], out=apart)
        best, each = (apart @ weights).argmin(axis=1), np.arange(n_starts)
        chosen[:, place], left = tries[each, best], apart[each, best]
    return chosen


def choose_spread_seeds(Z: Float64Array, weights: Float64Array, k: int, rng: RandomState) -> IntArray:
    """The seeds, of a few sets, that are nearest to the rows altogether."""
    sets = choose_seeds(Z, weights, k, SETS, rng)
    squares = np.vecdot(Z, Z)
    left = [_measure_distances(Z, squares, rows).min(axis=0) @ weights for rows in sets]
    return np.asarray(sets[int(np.argmin(left))])


def _measure_distances(Z: Float64Array, squares: Float64Array, rows: IntArray) -> Float64Array:
    """From each of some rows to all, shape (rows, n)."""
    return np.maximum(squares - 2.0 * Z[rows] @ Z.T + squares[rows, None], 0.0)


def find_nearest(Z: Float64Array, centres: Float64Array) -> IntArray:
    """The nearest of k centres for each row and start: centres (s, k, d) to labels (s, n)."""
    scores = centres @ Z.T
    scores -= 0.5 * np.vecdot(centres, centres)[:, :, None]
    return np.asarray(scores.argmax(axis=1))
