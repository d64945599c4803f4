"""Labels of the rows for mixtures of experts to begin with: of several kinds, cheap, many to choose from.

References
----------
D. Arthur and S. Vassilvitskii, k-means++: the advantages of careful seeding, Proc. 18th ACM-SIAM Symp. on
Discrete Algorithms (2007) 1027-1035. M. A. Fischler and R. C. Bolles, Random sample consensus, Commun. ACM
24 (1981) 381-395.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np
from numpy.random import RandomState

from gaussmix._typing import Float64Array, IntArray
from gaussmix.apps.experts.design import Design
from gaussmix.fit.race.labelled import divide_by_means

#: Regressions through few random rows, of which the best is kept for each expert.
TRIES = 12
#: Steps of fitting a regression to the rows nearest to it, and moving rows to the nearest regression.
STEPS = 3
#: A ridge of regressions of few rows, relative to their mean square.
RIDGE = 1e-6


@dataclass(frozen=True, eq=False)
class StartRows:
    """What starts see of the rows, in coordinates of mean zero and unit covariance or variances."""

    #: Columns (1, x) of the experts, shape (1 + r, n).
    columns: Float64Array
    #: Outputs in units of their spreads, shape (m, n).
    outputs: Float64Array
    #: Features of the gate, shape (s, n).
    gate_columns: Float64Array
    masses: Float64Array

    @classmethod
    def of_rows(cls, X: Float64Array, Y: Float64Array, Z: Float64Array, masses: Float64Array) -> Self:
        """Those of features X, outputs Y and the gate's features Z, each with a row for each row."""
        found = Design.of_rows(Y, masses)
        outputs = ((Y - found.centre) / found.spreads).T
        return cls(
            Design.of_rows(X, masses).columns,
            np.ascontiguousarray(outputs),
            Design.of_rows(Z, masses).columns[1:],
            masses,
        )

    def take(self, rows: IntArray) -> Self:
        """Some of the rows."""
        columns, outputs, gate_columns = (
            np.ascontiguousarray(each[:, rows]) for each in (self.columns, self.outputs, self.gate_columns)
        )
        return type(self)(columns, outputs, gate_columns, self.masses[rows])


#: From rows, k and a generator to the label of each row, 0 .. k - 1.
Labelling: TypeAlias = Callable[[StartRows, int, RandomState], IntArray]


def label_by_lines(rows: StartRows, k: int, rng: RandomState) -> IntArray:
    """Each row belongs to the nearest of k regressions through few rows.

    Regressions are chosen one after the other: of a few through random rows, which are drawn in proportion
    to their distance from those chosen before, the one that lies nearest to the rows with these.
    """
    T, Y, (size, n) = rows.columns, rows.outputs, rows.columns.shape
    count = min(size + 1, n)
    left = np.full(n, np.inf)
    lines: list[Float64Array] = []
    for _ in range(k):
        chances = rows.masses * np.where(np.isfinite(left), left, 1.0)
        chances = chances if chances.any() else rows.masses
        draws = _draw_rows(chances / chances.sum(), count, rng)
        found = _fit_lines(T, Y, np.ones(draws.shape), draws)
        distances = np.minimum(left, _measure(T, Y, found))
        best = int((distances @ rows.masses).argmin())
        left = distances[best]
        lines.append(found[best])
    B = np.stack(lines)
    labels = _measure(T, Y, B).argmin(axis=0)
    for _ in range(STEPS):
        own = np.where(labels == np.arange(k)[:, None], rows.masses, 0.0)
        after = _measure(T, Y, _fit_lines(T, Y, own)).argmin(axis=0)
        if np.array_equal(after, labels):
            break
        labels = after
    return np.asarray(labels)


def label_by_residuals(rows: StartRows, k: int, rng: RandomState) -> IntArray:
    """Each row belongs to its cluster of the residuals of one regression of all rows."""
    B = _fit_lines(rows.columns, rows.outputs, rows.masses[None])[0]
    residuals = (rows.outputs - B @ rows.columns).T
    return divide_by_means(np.ascontiguousarray(residuals), rows.masses, k, rng)


def label_by_clusters(rows: StartRows, k: int, rng: RandomState) -> IntArray:
    """Each row belongs to its cluster of features and outputs together."""
    joint = np.concatenate([rows.columns[1:], rows.gate_columns, rows.outputs])
    return divide_by_means(np.ascontiguousarray(joint.T), rows.masses, k, rng)


def label_by_inputs(rows: StartRows, k: int, rng: RandomState) -> IntArray:
    """Each row belongs to its cluster of the gate's features; of the experts', if the gate has none."""
    seen = rows.gate_columns if len(rows.gate_columns) else rows.columns
    return divide_by_means(np.ascontiguousarray(seen.T), rows.masses, k, rng)


def label_at_random(rows: StartRows, k: int, rng: RandomState) -> IntArray:
    """Each row belongs to any expert."""
    return np.asarray(rng.randint(k, size=len(rows.masses)), dtype=np.int64)


#: The kinds of starts by name.
STARTS: dict[str, Labelling] = {
    "lines": label_by_lines,
    "inputs": label_by_inputs,
    "clusters": label_by_clusters,
    "residuals": label_by_residuals,
    "random": label_at_random,
}


def _draw_rows(chances: Float64Array, count: int, rng: RandomState) -> IntArray:
    """Rows for each try, different ones within it where enough have a chance, shape (TRIES, count)."""
    # the rows of the largest Gumbel-shifted log-chances are a draw without replacement
    with np.errstate(divide="ignore"):
        keys = np.log(chances) + rng.gumbel(size=(TRIES, len(chances)))
    return np.asarray(np.argpartition(-keys, count - 1, axis=1)[:, :count])


def _fit_lines(
    T: Float64Array, Y: Float64Array, weights: Float64Array, draws: IntArray | None = None
) -> Float64Array:
    """Regressions by weights, shape (s, n), or of drawn rows with weights (s, count); shape (s, m, size)."""
    columns = T[:, None, :] if draws is None else T[:, draws]
    outputs = Y[:, None, :] if draws is None else Y[:, draws]
    left = np.swapaxes(columns * weights, 0, 1)
    G = left @ np.transpose(columns, (1, 2, 0))
    C = left @ np.transpose(outputs, (1, 2, 0))
    size = len(T)
    ridge = RIDGE * np.trace(G, axis1=1, axis2=2) / size + np.finfo(float).tiny
    return np.swapaxes(np.linalg.solve(G + ridge[:, None, None] * np.eye(size), C), 1, 2)


def _measure(T: Float64Array, Y: Float64Array, B: Float64Array) -> Float64Array:
    """Squared distances of the rows from each regression, shape (s, n)."""
    errors = Y - B @ T
    return np.asarray(np.square(errors).sum(axis=1))
