"""Two features of a mixture: rows, ellipses, regions of highest density and borders between labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.mixture import Mixture
from gaussmix.plot.figures import hide_spines, import_matplotlib
from gaussmix.plot.labelling import ByMixture, compute_margins
from gaussmix.plot.palette import BORDER, DENSITY, INK, SHADES, pick_colour, pick_style
from gaussmix.plot.points import Artists, Style, draw_points, draw_raster
from gaussmix.plot.view import View, make_marginal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Ellipse
    from matplotlib.text import Text

#: Standard deviations at which ellipses are drawn.
STANDARD_DEVIATIONS = (1.0, 2.0)
#: Width that the pale edge adds to the line of an ellipse, in points.
CASING = 1.4
#: Masses of the highest-density regions that are shaded.
MASSES = (0.95, 0.75, 0.5, 0.25)
#: Draws of the mixture by which the levels of these regions are found.
DRAWS = 4000
#: Uncertainties at which the plane is shaded, and the greys from each of them on.
DOUBTS = (0.05, 0.15, 0.25, 0.35)
DOUBT_SHADES = ("0.95", "0.92", "0.88", "0.83")
#: Points of the grid along each side on which densities and borders are evaluated.
GRID = 160


def draw_plane(panel: Axes, view: View, j: int, i: int, style: Style, drawn: Artists) -> None:
    """Draw feature `i` over feature `j`."""
    alone = view.n_shown == 2
    pair = None if view.mixture is None else make_marginal(view.mixture, [j, i])
    density = style.kind == "density"
    if pair is not None and (density or (alone and style.kind == "classification")):
        _shade_regions(panel, pair, view.limits[[j, i]], view.seed, drawn, subject=density, labelled=alone)
    if pair is not None and alone and not density:
        _draw_borders(panel, view, drawn, shaded=style.kind == "uncertainty")
    if view.points is not None:
        draw_points(panel, view.points, j, i, style, 1.0 if alone else 0.5, drawn)
    elif view.rasters:
        draw_raster(panel, view, j, i, style, drawn)
    if pair is not None:
        quiet: dict[str, Any] = {"alpha": 0.55} if density else {}
        ellipses, numbers = add_ellipses(
            panel,
            pair,
            view.clusters,
            style.standard_deviations,
            size=9.0 if alone else 7.0,
            options=quiet | dict(style.ellipse_options),
        )
        drawn.ellipses += ellipses
        drawn.numbers += numbers
    panel.set_xlim(*view.limits[j])
    panel.set_ylim(*view.limits[i])
    hide_spines(panel)


def add_ellipses(
    panel: Axes,
    pair: Mixture,
    clusters: IntArray,
    standard_deviations: Sequence[float],
    *,
    size: float | None,
    options: Mapping[str, Any],
) -> tuple[list[Ellipse], list[Text]]:
    """Add the ellipses of each component of two features, and its number in this size of text."""
    ellipse = import_matplotlib("patches").Ellipse
    variances, axes = np.linalg.eigh(pair.dense_covariances)
    ellipses, numbers = [], []
    for c, label in enumerate(clusters):
        width, height = 2.0 * np.sqrt(np.maximum(variances[c, ::-1], 0.0))
        angle = float(np.degrees(np.arctan2(axes[c, 1, 1], axes[c, 0, 1])))
        for r in standard_deviations:
            look: dict[str, Any] = {
                "edgecolor": pick_colour(int(label)),
                "linestyle": pick_style(int(label)),
                "linewidth": max(0.8, 2.2 - 0.5 * r),
                "fill": False,
                "zorder": 3,
            }
            patch = ellipse(tuple(pair.means[c]), r * width, r * height, angle=angle, **look | dict(options))
            # On rows of its own colour a line is seen by its pale edge only.
            edge = {"linewidth": patch.get_linewidth() + CASING, "foreground": "white", "alpha": 0.75}
            patch.set_path_effects([import_matplotlib("patheffects").withStroke(**edge)])
            panel.add_patch(patch)
            ellipses.append(patch)
        if size is not None:
            numbers.append(put_number(panel, c, int(label), *map(float, pair.means[c]), size=size))
    return ellipses, numbers


def put_number(panel: Axes, component: int, label: int, x: float, y: float, *, size: float) -> Text:
    """Write the component's number in a disc, visible even where the component is smaller than a dot."""
    disc: dict[str, Any] = {
        "boxstyle": "circle,pad=0.2",
        "facecolor": "white",
        "edgecolor": pick_colour(label),
        "linewidth": 1.3,
    }
    text = panel.text(x, y, str(component), fontsize=size, color=INK, ha="center", va="center")
    text.set(bbox=disc, clip_on=True, zorder=4)
    return text


def find_levels(mixture: Mixture, seed: int) -> Float64Array:
    """The log-densities that bound the regions of highest density that hold `MASSES`, from the lowest."""
    # The level that bounds a mass is a quantile of the density at draws of the mixture itself (Hyndman 1996).
    # So it does not depend on how fine the grid is.
    draws, _ = mixture.sample(DRAWS, np.random.default_rng(seed))
    levels: Float64Array = np.quantile(mixture.log_prob(draws), 1.0 - np.array(MASSES))
    return levels


def _shade_regions(
    panel: Axes,
    pair: Mixture,
    limits: Float64Array,
    seed: int,
    drawn: Artists,
    *,
    subject: bool,
    labelled: bool,
) -> None:
    """Shade the regions of highest density that hold each of `MASSES`; in blue where they are the subject."""
    levels = find_levels(pair, seed)
    x, y = (np.linspace(low, high, GRID) for low, high in limits)
    height = pair.log_prob(_make_corners(x, y)).reshape(GRID, GRID)
    shown = (levels > height.min()) & (levels < height.max())
    bounds, places = np.unique(levels[shown], return_index=True)
    if not len(bounds):
        return
    shades = np.array(DENSITY if subject else SHADES)[shown][places]
    regions = panel.contourf(x, y, height, levels=[*bounds, np.inf], colors=list(shades), zorder=0)
    drawn.regions.append(regions)
    if subject:
        look: dict[str, Any] = {"colors": [INK], "linewidths": 0.7, "linestyles": "solid", "zorder": 1}
        lines = panel.contour(x, y, height, levels=bounds, **look)
        drawn.regions.append(lines)
        if labelled:
            masses = np.array(MASSES)[shown][places]
            words = {level: f"{mass:.0%}" for level, mass in zip(bounds, masses, strict=True)}
            drawn.numbers += panel.clabel(lines, fmt=words, fontsize=8)


def _draw_borders(panel: Axes, view: View, drawn: Artists, *, shaded: bool) -> None:
    """Draw where the most probable label changes, if no feature is left out; shade where it is unsure."""
    if view.whole is None or view.n_labels + (view.noise > 0.0) < 2:
        return
    x, y = (np.linspace(low, high, GRID) for low, high in view.limits)
    rows = np.empty((GRID * GRID, 2))
    rows[:, list(view.order)] = _make_corners(x, y)
    margins = compute_margins(view.whole, view.clusters, rows)
    if shaded:
        _, doubt = ByMixture(view.whole, view.clusters, None).label(rows, slice(None))
        look: dict[str, Any] = {"levels": DOUBTS, "colors": DOUBT_SHADES, "extend": "max", "zorder": 0}
        drawn.regions.append(panel.contourf(x, y, doubt.reshape(GRID, GRID), **look))
    for margin in margins.T:
        height = margin.reshape(GRID, GRID)
        if height.min() < 0.0 < height.max():
            line = panel.contour(x, y, height, levels=[0.0], colors=[BORDER], linewidths=0.7, zorder=1)
            drawn.borders.append(line)


def _make_corners(x: Float64Array, y: Float64Array) -> Float64Array:
    corners: Float64Array = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    return corners
