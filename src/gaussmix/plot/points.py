"""The rows of a plane: points where there are few, a raster where there are many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.plot.figures import import_matplotlib
from gaussmix.plot.labelling import LEFT_OUT
from gaussmix.plot.labelling import NOISE as NOISE_LABEL
from gaussmix.plot.palette import INK, NOISE, UNCERTAINTY, pick_colour, pick_marker
from gaussmix.plot.view import Points, View

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Uncertainty that has the darkest colour: that of a row between two equal components.
MOST_UNCERTAIN = 0.5
#: Opacity of a row that is certain; each unit of uncertainty takes as much away.
OPACITY = 0.75
#: Area of all points together and of one, at least and at most, in square points.
AREA = 9000.0
AREAS = (3.0, 22.0)
#: Rows up to which points are as opaque as that; with n of them opacity falls with the root of n, to a third.
CLEAR = 2500
FAINTEST = 0.34
#: Opacity of the emptiest and of full cells of a raster, so that what lies below is seen through it.
OPACITIES = (0.1, 0.8)
PLAIN_OPACITIES = (0.06, 0.4)
#: The share of the cells with rows in them that hold no more than a full one.
FULL = 0.995
#: Markers of rows that belong to no component.
CROSSES = {NOISE_LABEL: "x", LEFT_OUT: "+"}


@dataclass(frozen=True)
class Style:
    """What is drawn, and how."""

    kind: str
    standard_deviations: Sequence[float]
    scatter_options: Mapping[str, Any] = field(default_factory=dict)
    ellipse_options: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Artists:
    """What has been drawn, by what it shows; filled while a picture is drawn."""

    points: list[Any] = field(default_factory=list)
    rasters: list[Any] = field(default_factory=list)
    ellipses: list[Any] = field(default_factory=list)
    numbers: list[Any] = field(default_factory=list)
    regions: list[Any] = field(default_factory=list)
    borders: list[Any] = field(default_factory=list)
    histograms: list[Any] = field(default_factory=list)
    curves: list[Any] = field(default_factory=list)
    thresholds: list[Any] = field(default_factory=list)
    caption: Any = None
    #: Whether a curve or a bar goes beyond its panel.
    cut: bool = False


def draw_points(
    panel: Axes, points: Points, j: int, i: int, style: Style, scale: float, drawn: Artists
) -> None:
    """Draw feature `i` of each row over feature `j`."""
    n = len(points.values)
    areas = np.full(n, scale * float(np.clip(AREA / max(n, 1), *AREAS)))
    if points.weights is not None:
        areas *= np.clip(points.weights, 0.2, 5.0)
    parts = {"classification": _colour_labels, "uncertainty": _colour_doubts, "density": _colour_plainly}
    for rows, look in parts[style.kind](points, areas):
        look |= {"rasterized": True, "zorder": 2} | dict(style.scatter_options)
        drawn.points.append(panel.scatter(points.values[rows, j], points.values[rows, i], **look))


def _colour_labels(points: Points, areas: Float64Array) -> list[tuple[Any, dict[str, Any]]]:
    """Which rows are drawn together, and how: those of one label, the more opaque the surer."""
    to_rgba = import_matplotlib("colors").to_rgba
    share = find_opacity(len(areas))
    parts = []
    for label in np.unique(points.labels).tolist():
        rows = np.flatnonzero(points.labels == label)
        look: dict[str, Any] = {"s": areas[rows], "linewidths": 0.8, "marker": CROSSES.get(label)}
        if label >= 0:
            look |= {"linewidths": 0, "marker": pick_marker(label)}
            look["c"] = np.tile(to_rgba(pick_colour(label)), (len(rows), 1))
            look["c"][:, 3] = share * (OPACITY - np.minimum(points.uncertainty[rows], MOST_UNCERTAIN))
        else:
            look["color"] = to_rgba(NOISE, share)
        parts.append((rows, look))
    return parts


def _colour_doubts(points: Points, areas: Float64Array) -> list[tuple[Any, dict[str, Any]]]:
    """All rows, the larger and darker the less certain, and those on top of the others."""
    order = np.argsort(points.uncertainty, kind="stable")
    degree = np.minimum(points.uncertainty[order] / MOST_UNCERTAIN, 1.0)
    look = {"c": colour_uncertainty(degree), "s": areas[order] * (0.5 + 2.5 * degree), "linewidths": 0}
    return [(order, look)]


def _colour_plainly(points: Points, areas: Float64Array) -> list[tuple[Any, dict[str, Any]]]:
    look = {"color": INK, "alpha": 0.35 * find_opacity(len(areas)), "s": 0.5 * areas, "linewidths": 0}
    return [(slice(None), look)]


def find_opacity(n: int) -> float:
    """The opacity of each of n points relative to that of few, so that many of them show their density."""
    return float(np.clip(np.sqrt(CLEAR / max(n, 1)), FAINTEST, 1.0))


def colour_uncertainty(degree: Float64Array) -> Float64Array:
    """Colours (m, 4) of degrees of uncertainty from 0 to 1."""
    stops = import_matplotlib("colors").to_rgba_array(UNCERTAINTY)
    at = np.linspace(0.0, 1.0, len(stops))
    return np.stack([np.interp(degree, at, channel) for channel in stops.T], axis=-1)


def draw_raster(panel: Axes, view: View, j: int, i: int, style: Style, drawn: Artists) -> None:
    """Draw cells the more opaque the more rows are in them, coloured by the labels of these."""
    raster = view.rasters[min(i, j), max(i, j)]
    counts, uncertainty = raster.counts, raster.uncertainty
    if i < j:
        counts, uncertainty = counts.transpose(0, 2, 1), uncertainty.T
    total = counts.sum(axis=0)
    if style.kind == "uncertainty":
        image = colour_uncertainty(np.minimum(uncertainty / MOST_UNCERTAIN, 1.0))
    else:
        plain = style.kind == "density"
        colours = [INK if plain else pick_colour(label) for label in range(view.n_labels)]
        palette = import_matplotlib("colors").to_rgba_array([*colours, NOISE, NOISE])
        image = np.tensordot(counts / np.maximum(total, 1e-300), palette, axes=(0, 0))
    least, most = PLAIN_OPACITIES if style.kind == "density" else OPACITIES
    image[..., 3] = np.where(total > 0.0, least + (most - least) * shade_counts(total), 0.0)
    left, right, bottom, top = raster.extent
    extent = (left, right, bottom, top) if j < i else (bottom, top, left, right)
    look: dict[str, Any] = {"origin": "lower", "aspect": "auto", "interpolation": "nearest", "zorder": 0.5}
    drawn.rasters.append(panel.imshow(image, extent=extent, **look))


def shade_counts(counts: Float64Array) -> Float64Array:
    """Depths from 0 to 1 of cells with these counts: their cube roots, relative to that of a full cell.

    Counts differ by orders of magnitude. A logarithm makes the middle of a cloud of a million rows one flat
    patch, and to a linear scale single rows are not seen.
    """
    held = counts[counts > 0.0]
    if not len(held):
        return np.zeros_like(counts)
    full = float(np.quantile(held, FULL))  # heaps would otherwise leave all other cells pale
    return np.cbrt(np.minimum(counts / full, 1.0))
