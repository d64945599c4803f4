r"""The features that have to change for a row to be as others are: few where few are wrong.

Of a component with precision P let g = P (z - m). If the features of a set S get the values that all others
let expect, the deficit D = 1/2 (z - m)' P (z - m) of a row falls by

    1/2 g_S' (P_SS)^-1 g_S.

The set grows one feature at a time, by the one that makes D fall most. Once a feature is in S, it is as if it
had not been measured: the precision of the others is the Schur complement. With the column c of P at j,

    fall = 1/2 g_j^2 / c_j,     P <- P - c c' / c_j,     g <- g - c g_j / c_j.

So a wrong value does not make the features that go with it look wrong, as it does in the drops and in the
contributions of :mod:`gaussmix.apps.anomaly.attribution`. `python -m benchmarks.reasons` measures that. The
falls of all d features sum to D.

References
----------
J. Raymaekers and P. J. Rousseeuw, Handling cellwise outliers by sparse regression and robust covariance, J.
Data Sci. Stat. Vis. 1 (2021), issue 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.apps.anomaly.attribution import Attribution, select_root
from gaussmix.model.mixture import Mixture

#: Numbers of the columns of precisions that are held at a time.
MOST_NUMBERS = 4_000_000


@dataclass(frozen=True, eq=False)
class Ranking:
    """The features of n rows whose change makes the rows most like others, s of them, in order.

    Parameters
    ----------
    features : ndarray of shape (n, s)
    falls : ndarray of shape (n, s)
        By how much the deficit falls when the feature changes, after those before it, in nats.
    expected : ndarray of shape (n, s)
        The mean of the feature given all those that have not changed, in the coordinates of the mixture.
    """

    features: IntArray
    falls: Float64Array
    expected: Float64Array


def rank_features(mixture: Mixture, rows: Float64Array, found: Attribution, n_features: int) -> Ranking:
    """Rank the features of rows, shape (n, d), by what an attribution found; `n_features` of them."""
    n, d = rows.shape
    n_features = min(n_features, d)
    features = np.zeros((n, n_features), dtype=np.int64)
    falls, expected = np.zeros((n, n_features)), np.zeros((n, n_features))
    most = max(1, MOST_NUMBERS // (d * n_features))
    for component in np.unique(found.components):
        places = np.flatnonzero(found.components == component)
        for start in range(0, len(places), most):
            block = places[start : start + most]
            ranked = _rank_block(mixture, int(component), rows[block], n_features)
            features[block], falls[block], expected[block] = ranked
    return Ranking(features, falls, expected)


def _rank_block(
    mixture: Mixture, component: int, rows: Float64Array, n_features: int
) -> tuple[IntArray, Float64Array, Float64Array]:
    """Features, falls and expected values of some rows of one component."""
    n, d = rows.shape
    algebra, root = mixture.structure.algebra, select_root(mixture, component)
    least = 1.0 / mixture.variances[component]  # what the diagonal of P comes down to, but for rounding
    diagonal = np.repeat(1.0 / algebra.conditional_variances(root, d), n, axis=0)
    left = np.ones((n, d), dtype=bool)
    columns, pivots = np.empty((n_features, n, d)), np.empty((n_features, n))
    features = np.empty((n, n_features), dtype=np.int64)
    falls, expected = np.empty((n, n_features)), np.empty((n, n_features))
    all_rows = np.arange(n)
    with np.errstate(over="ignore", invalid="ignore"):
        gradients = algebra.unwhiten(root, algebra.whiten(root, rows - mixture.means[component]))
        for s in range(n_features):
            drops = np.where(left, 0.5 * gradients * (gradients / diagonal), -1.0)
            chosen = np.nan_to_num(drops, nan=np.inf).argmax(axis=1)
            pivot, slope = diagonal[all_rows, chosen], gradients[all_rows, chosen]
            features[:, s], falls[:, s] = chosen, drops[all_rows, chosen]
            expected[:, s] = rows[all_rows, chosen] - slope / pivot
            used, inverse = np.unique(chosen, return_inverse=True)
            units = np.zeros((len(used), d))
            units[np.arange(len(used)), used] = 1.0
            column = algebra.unwhiten(root, algebra.whiten(root, units))[inverse]
            for earlier, by in zip(columns[:s], pivots[:s], strict=True):
                column = column - earlier * (earlier[all_rows, chosen] / by)[:, None]
            columns[s], pivots[s] = column, pivot
            gradients = gradients - column * (slope / pivot)[:, None]
            diagonal = np.maximum(diagonal - column * (column / pivot[:, None]), least)
            left[all_rows, chosen] = False
    return features, falls, expected
