"""Columns on a common scale: one increasing function for each, from the data's units to the model's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gaussmix._typing import Float64Array
from gaussmix.engines.bulk import MIDDLES

#: Rows, evenly spaced, that quantiles are taken of.
MOST_ROWS = 20_000
#: Relative spread of a column that may be rounding.
ROUNDING = 1e-12
#: The scale of a constant column, relative to its value.
OF_CONSTANT = 0.01
#: Scales from the centre beyond which a value is taken to be that far away, lest its square overflow.
FARTHEST = 1e90


@dataclass(frozen=True, eq=False)
class Columns:
    """z = (x - centre) / scale, for each column."""

    #: In units of the data, shape (d,).
    centre: Float64Array
    #: In units of the data, shape (d,), positive.
    scale: Float64Array

    def apply(self, X: npt.ArrayLike) -> Float64Array:
        """Rows in the model's coordinates, shape (n, d)."""
        with np.errstate(over="ignore"):
            deviations = (np.asarray(X, dtype=np.float64) - self.centre) / self.scale
        return np.clip(deviations, -FARTHEST, FARTHEST)

    def invert(self, Z: npt.ArrayLike) -> Float64Array:
        """Rows in units of the data, shape (n, d)."""
        return np.asarray(np.asarray(Z, dtype=np.float64) * self.scale + self.centre)


def measure_columns(X: Float64Array, weights: Float64Array, scaling: str | None) -> Columns:
    """Centres and scales: "robust", "standard", or None for the data's own units.

    Robust ones are the median and the distance between the quartiles, which a quarter of anomalies hardly
    change. A column of which more than half of the rows are one value has the spread of more of its middle,
    or that of all rows. A constant column has a hundredth of its value for a scale, or one.
    """
    d = X.shape[1]
    if scaling is None:
        return Columns(np.zeros(d), np.ones(d))
    # powers of two round nothing, and keep squares within bounds
    unit = np.ldexp(1.0, np.frexp(np.abs(X).max(axis=0))[1] - 1)
    mean = np.average(X / unit, axis=0, weights=weights)
    deviation = np.sqrt(np.average((X / unit - mean) ** 2, axis=0, weights=weights)) * unit
    mean = mean * unit
    # what rounding leaves of a constant column is no spread
    constant = deviation <= ROUNDING * np.abs(mean)
    deviation = np.where(constant, np.where(mean == 0.0, 1.0, OF_CONSTANT * np.abs(mean)), deviation)
    if scaling == "standard":
        return Columns(mean, deviation)
    step = max(1, len(X) // MOST_ROWS)
    ends = [0.5 + 0.5 * sign * share for share, _ in MIDDLES for sign in (-1.0, 1.0)]
    median, *found = find_quantiles(X[::step], weights[::step], [0.5, *ends])
    spread = np.zeros(d)
    for i, (_, half) in enumerate(MIDDLES):
        spread = np.where(spread > 0.0, spread, (found[2 * i + 1] - found[2 * i]) / (2.0 * half))
    return Columns(median, np.where((spread > 0.0) & ~constant, spread, deviation))


def find_quantiles(X: Float64Array, weights: Float64Array, shares: list[float]) -> Float64Array:
    """The values of each column below which these shares of the weight lie, shape (len(shares), d).

    Between values they are the average of both, so that copies of a row are the same as a weight.
    """
    order = np.argsort(X, axis=0, kind="stable")
    ordered = np.take_along_axis(X, order, axis=0)
    below = np.cumsum(weights[order], axis=0)
    total, found = below[-1], np.empty((len(shares), X.shape[1]))
    for i, share in enumerate(shares):
        target = share * total
        lower = np.minimum((below < target * (1.0 - 1e-12)).sum(axis=0), len(X) - 1)
        upper = np.minimum((below <= target * (1.0 + 1e-12)).sum(axis=0), len(X) - 1)
        columns = np.arange(X.shape[1])
        found[i] = 0.5 * (ordered[lower, columns] + ordered[upper, columns])
    return found
