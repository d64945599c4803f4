"""Model-based agglomerative clustering: merge, again and again, the two clusters that cost least likelihood.

The cost is that of Gaussian clusters with general covariances (mclust's VVV), kept finite for clusters of few
rows, and so of few dimensions, for which the scaling of the rows matters.

References
----------
C. Fraley, Algorithms for model-based Gaussian hierarchical clustering, SIAM J. Sci. Comput. 20 (1998)
270-281.
L. Scrucca and A. E. Raftery, Improved initialisation of model-based clustering using Gaussian hierarchical
partitions, Adv. Data Anal. Classif. 9 (2015) 447-460.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

import numpy as np

from gaussmix._typing import Float64Array, FloatArray, IntArray

#: Scalings of the rows, each of which gives another hierarchy: principal components divided by the roots of
#: their spreads; the same divided by their spreads; features divided by their spreads; none.
SCALINGS = ("svd", "sphered", "features", "none")
#: Singular values, relative to the largest, of components that are rounding.
NEGLIGIBLE = 1e-8
#: Hierarchies that are remembered. A model with noise or trimming begins at those of several cores of the
#: rows, in turn: with fewer places every model of a search would make them all again.
REMEMBERED = 16


def find_clusters(X: FloatArray, weights: Float64Array | None, scaling: int, k: int) -> IntArray:
    """The cluster, 0 .. k - 1, of each row in a hierarchy of :func:`find_merges` where k are left."""
    return _find_clusters(_make_key(X, weights, scaling), k)


def find_merges(X: FloatArray, weights: Float64Array | None = None, scaling: int = 0) -> IntArray:
    """The order in which clusters merge, shape (n - 1, 2).

    Each row names two clusters by their smallest row; the merged one has the name in front, the smaller. Rows
    are scaled by one of :data:`SCALINGS`, counted on from the last to the first again. The array is
    read-only: fits of several models to the same rows are given the same one.
    """
    return _find_merges(_make_key(X, weights, scaling))


#: Rows, their shape and type, weights and scaling, as what is remembered is asked for.
_Key: TypeAlias = tuple[bytes, tuple[int, ...], str, bytes | None, int]


def _make_key(X: FloatArray, weights: Float64Array | None, scaling: int) -> _Key:
    w = None if weights is None else weights.tobytes()
    return np.ascontiguousarray(X).tobytes(), X.shape, X.dtype.char, w, scaling % len(SCALINGS)


@lru_cache(maxsize=64)
def _find_clusters(key: _Key, k: int) -> IntArray:
    labels = label_rows(_find_merges(key), k)
    labels.flags.writeable = False
    return labels


@lru_cache(maxsize=REMEMBERED)
def _find_merges(key: _Key) -> IntArray:
    X, shape, dtype, weights, scaling = key
    w = None if weights is None else np.frombuffer(weights)
    rows = np.frombuffer(X, dtype=dtype).reshape(shape)
    order = _Clusters(scale_rows(rows, w, SCALINGS[scaling]), w).merge_all()
    order.flags.writeable = False
    return order


def label_rows(order: IntArray, k: int) -> IntArray:
    """The cluster, 0 .. k - 1, of each row when k are left."""
    n = len(order) + 1
    names = list(range(n))
    for keep, gone in order[: max(n - k, 0)].tolist():
        names[gone] = keep
    for row, name in enumerate(names):  # names are smaller than what they were given to
        names[row] = names[name]
    return np.asarray(np.unique(names, return_inverse=True)[1])


def scale_rows(X: FloatArray, weights: Float64Array | None, scaling: str = "svd") -> Float64Array:
    """The rows as one of :data:`SCALINGS` has them."""
    rows = X.astype(np.float64)
    mean = np.average(rows, axis=0, weights=weights)
    rows = rows - mean
    spread = np.sqrt(np.average(rows**2, axis=0, weights=weights))
    if scaling != "none":
        rows /= np.where(spread > 0.0, spread, 1.0)
    if scaling in ("none", "features"):
        return rows
    _, values, axes = np.linalg.svd(rows, full_matrices=False)
    kept = values > NEGLIGIBLE * max(values[0], np.finfo(np.float64).tiny)
    if not kept.any():
        return rows[:, :1]
    sizes = np.sqrt(values[kept]) if scaling == "svd" else values[kept]
    return np.asarray(rows @ (axes[kept].T / sizes))


def label_by_parts(Z: Float64Array, weights: Float64Array, parts: IntArray, k: int) -> IntArray:
    """The cluster of each row in a hierarchy that begins at parts of the rows, 0 .. m - 1.

    Parts whose rows are all equal or few are finite like any other; a hierarchy of m parts costs m^2.
    """
    present, parts = np.unique(parts, return_inverse=True)
    m, d = len(present), Z.shape[1]
    sizes = np.bincount(parts, weights, minlength=m).astype(np.float64)
    order = np.argsort(parts, kind="stable")
    bounds = np.searchsorted(parts[order], np.arange(m + 1))
    centres, scatters = np.empty((m, d)), np.empty((m, d, d))
    for part in range(m):
        rows = order[bounds[part] : bounds[part + 1]]
        w = weights[rows]
        centres[part] = w @ Z[rows] / sizes[part]
        D = Z[rows] - centres[part]
        scatters[part] = (D.T * w) @ D
    return label_rows(_Clusters(centres, sizes, scatters).merge_all(), k)[parts]


class _Clusters:
    """Clusters that merge: sizes, centres, scatters, and what each pair would cost."""

    def __init__(
        self, Z: Float64Array, weights: Float64Array | None, scatters: Float64Array | None = None
    ) -> None:
        n, d = Z.shape
        self.sizes = np.ones(n) if weights is None else weights.copy()
        if weights is not None and scatters is None:
            self.sizes *= n / weights.sum()
        self.centres, self.scatters = Z.copy(), np.zeros((n, d, d)) if scatters is None else scatters
        total = float(self.sizes.sum())
        # the typical variance; rows that are all the same need any number
        between = float((self.sizes @ (Z - self.sizes @ Z / total) ** 2).sum())
        self.least = (between + float(np.trace(self.scatters.sum(axis=0)))) / (total * d) or 1.0
        self.terms = self._compute_terms(self.sizes, self.scatters)
        self.active = np.ones(n, dtype=bool)
        self.costs = np.full((n, n), np.inf)
        for i in range(n - 1):
            self.costs[i, i + 1 :] = self.costs[i + 1 :, i] = self._compute_costs(i, np.arange(i + 1, n))
        self.nearest = self.costs.argmin(axis=1)
        self.smallest = self.costs[np.arange(n), self.nearest]

    def merge_all(self) -> IntArray:
        n = len(self.sizes)
        order = np.empty((n - 1, 2), dtype=np.int64)
        for step in range(n - 1):
            i = int(self.smallest.argmin())
            j = int(self.nearest[i])
            i, j = min(i, j), max(i, j)
            order[step] = i, j
            self._merge(i, j)
        return order

    def _compute_terms(self, sizes: Float64Array, scatters: Float64Array) -> Float64Array:
        """n_k log of the generalised variance; a typical variance is added where few rows make it vanish."""
        d = scatters.shape[-1]
        logs = np.log(sizes)
        values = np.log(np.trace(scatters, axis1=-2, axis2=-1) + self.least) - logs
        many = sizes > d
        if many.any():
            log_det = np.linalg.slogdet(scatters[many])[1] - d * logs[many]
            values[many] = np.logaddexp(log_det, values[many])
        return np.asarray(sizes * values)

    def _compute_costs(self, i: int, others: IntArray) -> Float64Array:
        """How much more all terms are together once i has merged with each of the others."""
        sizes, scatters = self._join(i, others)
        return np.asarray(self._compute_terms(sizes, scatters) - self.terms[i] - self.terms[others])

    def _join(self, i: int, others: IntArray) -> tuple[Float64Array, Float64Array]:
        sizes = self.sizes[i] + self.sizes[others]
        apart = self.centres[others] - self.centres[i]
        between = (self.sizes[i] * self.sizes[others] / sizes)[:, None] * apart
        scatters = self.scatters[i] + self.scatters[others] + between[:, :, None] * apart[:, None, :]
        return sizes, scatters

    def _merge(self, i: int, j: int) -> None:
        size, scatter = self._join(i, np.array([j]))
        self.centres[i] += (self.centres[j] - self.centres[i]) * (self.sizes[j] / size[0])
        self.sizes[i], self.scatters[i] = size[0], scatter[0]
        self.terms[i] = self._compute_terms(size, scatter)[0]
        self.active[j] = False
        self.costs[j, :] = self.costs[:, j] = np.inf
        self.smallest[j] = np.inf
        others = np.flatnonzero(self.active)
        others = others[others != i]
        if others.size == 0:
            return
        costs = self._compute_costs(i, others)
        self.costs[i, others] = self.costs[others, i] = costs
        stale = (self.nearest[others] == i) | (self.nearest[others] == j)
        closer = ~stale & (costs < self.smallest[others])
        self.nearest[others[closer]], self.smallest[others[closer]] = i, costs[closer]
        for row in (i, *others[stale]):
            self.nearest[row] = int(self.costs[row].argmin())
            self.smallest[row] = self.costs[row, self.nearest[row]]
