"""What a picture shows, computed before it is drawn: features, their range, rows and labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix import _check
from gaussmix._typing import BoolArray, Float64Array, FloatArray, IntArray
from gaussmix.clusters.projection import Projection
from gaussmix.model.mixture import Mixture
from gaussmix.plot.counting import OTHERS, Histograms, Raster, Rasters
from gaussmix.plot.labelling import Labelling

#: Features of a pairs picture unless the caller names others.
LEGIBLE_FEATURES = 6
#: Rows beyond which a picture has a raster in place of points, unless the caller says otherwise.
MOST_POINTS = 10_000
#: Rows that are labelled and counted at a time: labels of k components take 8 k bytes a row meanwhile.
CHUNK = 65_536


@dataclass(frozen=True)
class Points:
    """Rows that are drawn one by one: their values (m, shown), labels, uncertainties and weights (m,)."""

    values: Float64Array
    labels: IntArray
    uncertainty: Float64Array
    weights: Float64Array | None


@dataclass(frozen=True)
class View:
    """The features shown, the marginal mixture in them, and the rows in them."""

    names: tuple[str, ...]  # of the features shown
    n_features: int  # of the whole mixture or table
    limits: Float64Array  # (shown, 2)
    clusters: IntArray  # the label of each component
    shares: Float64Array  # the weight of each label
    mixture: Mixture | None = None  # the Gaussians in the features shown, in their order
    noise: float = 0.0  # the weight of the noise, of which no marginal is shown
    whole: Mixture | None = None  # the mixture itself where all of its features are shown
    order: tuple[int, ...] = ()  # the positions of the features shown
    n_rows: int = 0
    histograms: Float64Array | None = None  # (shown, bins), as densities
    points: Points | None = None  # where there are few rows
    rasters: dict[tuple[int, int], Raster] = field(default_factory=dict)  # by x and y, where there are many
    seed: int = 0

    @property
    def n_shown(self) -> int:
        """The number of features shown."""
        return len(self.names)

    @property
    def n_labels(self) -> int:
        """The number of components, or of clusters."""
        return len(self.shares)


@dataclass(frozen=True)
class Table:
    """Rows that are to be shown, their weights, and what labels them.

    With a projection it is the rows that are labelled, and their places in its directions that are shown.
    """

    rows: FloatArray  # (n, d)
    weights: Float64Array | None
    labelling: Labelling
    projection: Projection | None = None

    def read(self, places: slice | BoolArray, columns: Sequence[int]) -> Float64Array:
        """The values of some rows in some columns, or directions."""
        rows = self.rows[places]
        if self.projection is not None:
            rows = self.projection.transform(rows)
        return rows[:, list(columns)].astype(np.float64)

    def walk(self, columns: Sequence[int]) -> Iterator[tuple[Float64Array, IntArray, Float64Array, Any]]:
        """Values in these columns, labels, uncertainties and weights, some rows at a time."""
        for first in range(0, len(self.rows), CHUNK):
            places = slice(first, first + CHUNK)
            labels, uncertainty = self.labelling.label(self.rows[places], places)
            weights = None if self.weights is None else self.weights[places]
            yield self.read(places, columns), labels, uncertainty, weights


def read_table(X: npt.ArrayLike, d: int, sample_weight: npt.ArrayLike | None) -> tuple[FloatArray, Any]:
    """The rows of X and their weights, checked. Raises ValueError where there are none, or NaN among them."""
    rows, _ = _check.read_rows(X, d)
    if not len(rows):
        raise ValueError("X has no rows; leave it out to draw the mixture alone")
    weights = _check.read_sample_weight(sample_weight, len(rows))
    # Cells and points are compared with those of rows of weight one.
    return rows, None if weights is None else weights / weights[weights > 0.0].mean()


def make_view(
    mixture: Mixture | None,
    names: tuple[str, ...],
    features: Sequence[int | str] | None,
    clusters: IntArray,
    table: Table | None,
    *,
    max_points: int = MOST_POINTS,
    seed: int = 0,
) -> View:
    """The view of a mixture, of rows, or of both. Raises ValueError where features are unknown."""
    if max_points < 0:
        raise ValueError(f"max_points must be at least 0; got {max_points}")
    chosen = choose_features(names, features)
    marginal = None if mixture is None else make_marginal(mixture, chosen)
    limits = _find_limits(marginal, None if table is None else _find_range(table, chosen))
    view: dict[str, Any] = {
        "names": tuple(names[j] for j in chosen),
        "n_features": len(names),
        "limits": limits,
        "clusters": clusters,
        "mixture": marginal,
        "seed": seed,
    }
    if mixture is not None:
        view["noise"] = 0.0 if mixture.noise is None else mixture.noise.weight
        view["shares"] = np.bincount(clusters, weights=mixture.weights)
        view["order"] = tuple(chosen)
        view["whole"] = mixture if sorted(chosen) == list(range(len(names))) else None
    if table is not None:
        view |= _count_rows(table, chosen, limits, max_points)
        if mixture is None:
            view["shares"], view["noise"] = _find_shares(table)
    return View(**view)


def make_marginal(mixture: Mixture, features: Sequence[int]) -> Mixture:
    """The mixture of the Gaussians alone in these features, in this order; others are integrated out."""
    places = list(features)
    covariances = mixture.dense_covariances[:, places][:, :, places]
    return Mixture(mixture.without_noise().weights, mixture.means[:, places], covariances)


def choose_features(names: Sequence[str], features: Sequence[int | str] | None) -> list[int]:
    """The positions of the features that are asked for; of the first six, if none are."""
    if features is None:
        return list(range(min(len(names), LEGIBLE_FEATURES)))
    chosen = []
    for feature in [features] if isinstance(features, str) else features:
        if isinstance(feature, str):
            if feature not in names:
                raise ValueError(f"features names {feature!r}, but the mixture has {', '.join(names)}")
            chosen.append(list(names).index(feature))
        elif -len(names) <= feature < len(names):
            chosen.append(int(feature) % len(names))
        else:
            raise ValueError(f"features asks for position {feature}, but they go from 0 to {len(names) - 1}")
    if not chosen:
        raise ValueError("features is empty; give at least one position or name, or None for the first six")
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"features names a feature twice: {[names[j] for j in chosen]}")
    return chosen


def _find_range(table: Table, chosen: list[int]) -> tuple[Float64Array, Float64Array]:
    """The least and the largest value of each feature among rows of positive weight."""
    low, high = np.full(len(chosen), np.inf), np.full(len(chosen), -np.inf)
    for first in range(0, len(table.rows), CHUNK):
        places = slice(first, first + CHUNK)
        values = table.read(places, chosen)
        if table.weights is not None:
            values = values[table.weights[places] > 0.0]
        if len(values):
            low, high = np.minimum(low, values.min(axis=0)), np.maximum(high, values.max(axis=0))
    return low, high


def _find_limits(mixture: Mixture | None, ends: tuple[Float64Array, Float64Array] | None) -> Float64Array:
    """The first and the last value of each axis."""
    if mixture is not None:
        spread = np.sqrt(np.diagonal(mixture.dense_covariances, axis1=1, axis2=2))
        reach = 3.0 if ends is None else 2.5
        low = (mixture.means - reach * spread).min(axis=0)
        high = (mixture.means + reach * spread).max(axis=0)
    if ends is not None:
        first, last = ends
        if mixture is None:
            low, high = ends
        # One broad component must not reduce the data to a corner of the picture.
        room = np.where(last > first, last - first, np.inf)
        low = np.minimum(first, np.maximum(low, first - room / 2))
        high = np.maximum(last, np.minimum(high, last + room / 2))
    middle, half = (low + high) / 2, (high - low) / 2 * 1.05
    # For a single collapsed component the ends of an axis must still differ in floating point.
    least = 1e-9 * np.abs(middle)
    half = np.where(half > least, half, np.where(middle == 0, 1.0, 1e3 * least))
    return np.column_stack([middle - half, middle + half])


def _count_rows(table: Table, chosen: list[int], limits: Float64Array, max_points: int) -> dict[str, Any]:
    """Histograms of all rows, and either points or rasters of them."""
    present: BoolArray | slice = slice(None) if table.weights is None else table.weights > 0.0
    n = len(table.rows) if table.weights is None else int(np.count_nonzero(table.weights))
    if n <= max_points:
        rows = table.rows[present]
        labels, uncertainty = table.labelling.label(rows, np.flatnonzero(np.ones(len(table.rows))[present]))
        weights = None if table.weights is None else table.weights[present]
        points = Points(table.read(present, chosen), labels, uncertainty, weights)
        histograms = Histograms(limits, n)
        histograms.add(points.values, weights)
        return {"n_rows": n, "points": points, "histograms": histograms.find_densities()}
    histograms, rasters = Histograms(limits, n), Rasters(limits, n, table.labelling.n_labels)
    for values, labels, uncertainty, weights in table.walk(chosen):
        histograms.add(values, weights)
        rasters.add(values, labels, uncertainty, weights)
    return {"n_rows": n, "rasters": rasters.finish(), "histograms": histograms.find_densities()}


def _find_shares(table: Table) -> tuple[Float64Array, float]:
    """The share of the weight of each label, and that of the noise."""
    totals = np.zeros(table.labelling.n_labels + OTHERS)
    for _, labels, _, weights in table.walk([]):
        totals += np.bincount(labels % len(totals), weights, len(totals))
    totals /= totals.sum()
    return totals[:-OTHERS], float(totals[-1])
