"""What a picture shows, computed before it is drawn: features, their range, rows and labels."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix._reading.rows import read_rows, read_sample_weight
from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.clusters.separation import RESOLUTION, rank_features, separate_normals
from gaussmix.model.mixture import Mixture
from gaussmix.plot.binning import FEW_BINS, FEWEST_BINS, MOST_BINS, Bins, Parts, plan_bins, plan_cells
from gaussmix.plot.counting import Grid, Histogram, Histograms, Raster, Rasters
from gaussmix.plot.table import Table

#: Features of a pairs picture unless the caller names others.
LEGIBLE_FEATURES = 6
#: Rows beyond which a picture has a raster in place of points, unless the caller says otherwise.
MOST_POINTS = 20_000
#: Cells along a side of a raster, at least; at most in a picture of its own, and in a panel of pairs.
FEWEST_CELLS = 64
MOST_CELLS = 220
FEW_CELLS = 110
#: Why features are shown: there are no others, the caller asked for them, they tell components apart most, or
#: they are the first, since none tells anything.
CHOICES = ALL, ASKED, TELLING, FIRST = "all", "asked", "telling", "first"


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
    choice: str  # why these features are shown, one of `CHOICES`
    limits: Float64Array  # (shown, 2)
    clusters: IntArray  # the label of each component
    shares: Float64Array  # the weight of each label
    mixture: Mixture | None = None  # the Gaussians in the features shown, in their order
    noise: float = 0.0  # the weight of the noise, of which no marginal is shown
    whole: Mixture | None = None  # the mixture itself where all of its features are shown
    order: tuple[int, ...] = ()  # the positions of the features shown
    n_rows: int = 0
    histograms: tuple[Histogram, ...] = ()  # of each feature, of all rows
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


def read_table(X: npt.ArrayLike, d: int, sample_weight: npt.ArrayLike | None) -> tuple[FloatArray, Any]:
    """The rows of X and their weights, checked. Raises ValueError where there are none, or NaN among them."""
    rows, _ = read_rows(X, d)
    if not len(rows):
        raise ValueError("X has no rows; leave it out to draw the mixture alone")
    weights = read_sample_weight(sample_weight, len(rows))
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
    normals = _find_normals(mixture, table)
    groups = clusters if mixture is not None else np.arange(len(normals[0]))
    chosen, choice = pick_features(names, features, lambda: separate_normals(*normals, groups))
    marginal = None if mixture is None else make_marginal(mixture, chosen)
    ends = None if table is None else table.find_range(chosen)
    limits = _find_limits(marginal, ends)
    bins = []
    if table is not None and ends is not None:
        bins = _plan_bins(table, chosen, ends, limits, normals)
        limits = _make_room(limits, bins)
    view: dict[str, Any] = {
        "names": tuple(names[j] for j in chosen),
        "n_features": len(names),
        "choice": choice,
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
    if table is not None and ends is not None:
        view |= _count_rows(table, chosen, ends, limits, bins, max_points)
        if mixture is None:
            view["shares"], view["noise"] = table.find_shares()
    return View(**view)


def make_marginal(mixture: Mixture, features: Sequence[int]) -> Mixture:
    """The mixture of the Gaussians alone in these features, in this order; others are integrated out."""
    places = list(features)
    covariances = mixture.dense_covariances[:, places][:, :, places]
    return Mixture(mixture.without_noise().weights, mixture.means[:, places], covariances)


def pick_features(
    names: Sequence[str], features: Sequence[int | str] | None, measure: Callable[[], Float64Array]
) -> tuple[list[int], str]:
    """The positions of the features to show, in the order of the columns unless the caller has one, and why.

    Why is one of `CHOICES`. Without wishes they are the six that by themselves tell components apart most:
    whose `measure`, that of :func:`gaussmix.clusters.separation.measure_separation`, is largest.
    """
    if features is not None:
        chosen = choose_features(names, features)
        return chosen, ALL if len(chosen) == len(names) else ASKED
    if len(names) <= LEGIBLE_FEATURES:
        return list(range(len(names))), ALL
    separation = measure()
    chosen = sorted(rank_features(separation)[:LEGIBLE_FEATURES].tolist())
    return chosen, TELLING if float(separation.max()) > RESOLUTION else FIRST


def tell_features(n_shown: int, n_features: int, choice: str) -> str:
    """Which features are shown, as a sentence; nothing where all are."""
    if n_shown == n_features:
        return ""
    why = {TELLING: ", those that tell components apart most", FIRST: ", the first"}
    return f"{n_shown} of {n_features} features{why.get(choice, '')}."


def choose_features(names: Sequence[str], features: Sequence[int | str]) -> list[int]:
    """The positions of the features that are asked for."""
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
        raise ValueError("features is empty; give at least one position or name, or None for the usual ones")
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"features names a feature twice: {[names[j] for j in chosen]}")
    return chosen


def _find_normals(
    mixture: Mixture | None, table: Table | None
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Weights, means and variances of the components, or of the rows of each label."""
    if mixture is not None:
        return mixture.without_noise().weights, mixture.means, mixture.variances
    return (np.empty(0), np.empty((0, 0)), np.empty((0, 0))) if table is None else table.describe_labels()


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


def _plan_bins(
    table: Table,
    chosen: list[int],
    ends: tuple[Float64Array, Float64Array],
    limits: Float64Array,
    normals: tuple[Float64Array, Float64Array, Float64Array],
) -> list[Bins]:
    """The bins of the histogram of each feature shown; one in the middle where it has one value."""
    most = MOST_BINS if len(chosen) < 3 else FEW_BINS
    values, weights = table.take_sample(chosen)
    shares, means, variances = normals
    bins = []
    for place, j in enumerate(chosen):
        first, last = float(ends[0][place]), float(ends[1][place])
        if not first < last:
            half = float(np.ptp(limits[place])) / (2 * FEWEST_BINS)
            bins.append(Bins(first - half, first + half, 1, np.zeros(1, dtype=np.int64)))
            continue
        parts = Parts(shares, means[:, j], np.sqrt(variances[:, j]))
        bins.append(plan_bins(values[:, place], weights, (first, last), table.n_effective, parts, most))
    return bins


def _make_room(limits: Float64Array, bins: list[Bins]) -> Float64Array:
    """The limits, so wide that all bins are within: those of discrete values go beyond the rows."""
    low, high = np.array([[each.low, each.high] for each in bins]).T
    return np.column_stack([np.minimum(limits[:, 0], low), np.maximum(limits[:, 1], high)])


def _plan_grids(
    ends: tuple[Float64Array, Float64Array], limits: Float64Array, bins: list[Bins], n_rows: int
) -> list[Grid]:
    """The cells of rasters along each axis; discrete values are in the middle of theirs."""
    most = MOST_CELLS if len(bins) < 3 else FEW_CELLS
    n_cells = int(np.clip(3.0 * np.cbrt(n_rows), FEWEST_CELLS, most))
    grids = []
    for first, last, axis, each in zip(*ends, limits, bins, strict=True):
        if each.step:
            multiple = math.ceil(((last - first) / each.step + 1.0) / n_cells - 1e-6)
            grids.append(Grid(*plan_cells(float(first), float(last), each.step, multiple)))
        else:
            grids.append(Grid(float(axis[0]), float(axis[1]), n_cells))
    return grids


def _count_rows(
    table: Table,
    chosen: list[int],
    ends: tuple[Float64Array, Float64Array],
    limits: Float64Array,
    bins: list[Bins],
    max_points: int,
) -> dict[str, Any]:
    """Histograms of all rows, and either points or rasters of them."""
    n, present = table.n_present, table.present
    histograms = Histograms(bins)
    if n <= max_points:
        rows = table.rows[present]
        labels, uncertainty = table.labelling.label(rows, np.flatnonzero(np.ones(len(table.rows))[present]))
        weights = None if table.weights is None else table.weights[present]
        points = Points(table.read(present, chosen), labels, uncertainty, weights)
        histograms.add(points.values, weights)
        return {"n_rows": n, "points": points, "histograms": histograms.finish()}
    rasters = Rasters(_plan_grids(ends, limits, bins, n), table.labelling.n_labels)
    for values, labels, uncertainty, weights in table.walk(chosen):
        histograms.add(values, weights)
        rasters.add(values, labels, uncertainty, weights)
    return {"n_rows": n, "rasters": rasters.finish(), "histograms": histograms.finish()}
