"""One feature of a mixture: its density as the sum of the components', over the histogram of the rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.mixture import Mixture
from gaussmix.plot.figures import hide_spines, import_matplotlib
from gaussmix.plot.labelling import NOISE as NOISE_LABEL
from gaussmix.plot.labelling import ByMixture
from gaussmix.plot.palette import DENSITY, INK, NOISE, PALE, QUIET, pick_colour, pick_style
from gaussmix.plot.plane import find_levels, put_number
from gaussmix.plot.points import MOST_UNCERTAIN, Artists, Style, colour_uncertainty
from gaussmix.plot.view import View, make_marginal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: How far the density may rise above the histogram: that of a collapsed component can have any height.
MOST_ABOVE = 1.8
#: Height of the strip below the axis that says which label is the most probable, as a share of the panel's.
STRIP = 0.04
#: Cells of that strip.
STRIP_CELLS = 800


def draw_line(panel: Axes, view: View, j: int, style: Style, drawn: Artists) -> None:
    """The density of one feature and each component's share of it, over the histogram of the rows."""
    low, high = view.limits[j]
    top = 0.0
    if view.histograms is not None:
        heights = view.histograms[j]
        edges = np.linspace(low, high, len(heights) + 1)
        drawn.histograms.append(panel.stairs(heights, edges, fill=True, color=PALE, zorder=0.5))
        top = float(heights.max())
    if view.mixture is not None:
        highest = _draw_curves(panel, make_marginal(view.mixture, [j]), view, j, style, drawn)
        top = min(max(highest, top), MOST_ABOVE * top) if top else highest
    panel.set_xlim(low, high)
    panel.set_ylim(0.0, 1.08 * top)
    hide_spines(panel)


def _draw_curves(panel: Axes, mixture: Mixture, view: View, j: int, style: Style, drawn: Artists) -> float:
    """Draw the components and their sum; returns the height of that."""
    grid = _make_fine_grid(mixture, *map(float, view.limits[j]))
    shares = _compute_shares(mixture, grid)
    total: Float64Array = shares.sum(axis=1)
    if style.kind == "density":
        with np.errstate(divide="ignore"):
            log_total = np.log(total)
        for level, shade in zip(find_levels(mixture, view.seed), DENSITY, strict=True):
            drawn.regions.append(
                panel.fill_between(
                    grid, total, where=log_total >= level, color=shade, linewidth=0, zorder=0.8
                )
            )
    else:
        for label, share in zip(view.clusters, shares.T, strict=True):
            colour = pick_colour(int(label))
            panel.fill_between(grid, share, color=colour, alpha=0.22, linewidth=0)
            drawn.curves += panel.plot(
                grid, share, color=colour, linestyle=pick_style(int(label)), linewidth=1.4
            )
    drawn.curves += panel.plot(grid, total, color=INK, linewidth=1.6)
    return float(total.max())


def number_the_curves(panel: Axes, view: View, drawn: Artists) -> None:
    """Write the number of each component at the peak of its curve."""
    if view.mixture is None:
        return
    means = view.mixture.means[:, 0]
    heights = np.diagonal(_compute_shares(view.mixture, means))
    for c, (x, height) in enumerate(zip(means, heights, strict=True)):
        y = min(float(height), 0.97 * panel.get_ylim()[1])
        drawn.numbers.append(put_number(panel, c, int(view.clusters[c]), float(x), y, size=9))


def _compute_shares(mixture: Mixture, points: Float64Array) -> Float64Array:
    weighted: Float64Array = np.exp(mixture.component_log_prob(points[:, None])) * mixture.weights
    return weighted


def _make_fine_grid(mixture: Mixture, low: float, high: float) -> Float64Array:
    """Points close enough together for the narrowest component."""
    means = mixture.means[:, 0]
    spread = np.sqrt(mixture.dense_covariances[:, 0, 0])
    around = means[:, None] + spread[:, None] * np.linspace(-5.0, 5.0, 101)
    grid: Float64Array = np.concatenate([np.linspace(low, high, 401), around.ravel()])
    return np.unique(np.clip(grid, low, high))


def draw_thresholds(panel: Axes, view: View, drawn: Artists) -> None:
    """Where the label changes, if the feature is all there is."""
    if view.whole is None or view.n_shown != 1:
        return
    low, high = view.limits[0]
    label_of = [*view.clusters.tolist(), NOISE_LABEL]
    for threshold in view.whole.thresholds():
        changes = label_of[threshold.below] != label_of[threshold.above]
        if not changes or not low < threshold.point < high:
            continue
        look: dict[str, Any] = {"color": QUIET, "linewidth": 1.0, "linestyle": "--", "zorder": 2.5}
        drawn.thresholds.append(panel.axvline(threshold.point, **look))
        # As many digits as tell values of this axis apart.
        text = f"{threshold.point:.{max(0, 2 - math.floor(math.log10(high - low)))}f}"
        place: dict[str, Any] = {
            "xytext": (3, -2),
            "textcoords": "offset points",
            "va": "top",
            "fontsize": 8.5,
        }
        at = (threshold.point, 1.0)
        drawn.thresholds.append(panel.annotate(text, at, xycoords=panel.get_xaxis_transform(), **place))


def draw_strip(panel: Axes, view: View, style: Style, drawn: Artists) -> None:
    """Below one feature that is all there is: the most probable label of each value, or how unsure it is."""
    if view.whole is None or view.n_shown != 1 or style.kind == "density":
        return
    low, high = view.limits[0]
    edges = np.linspace(low, high, STRIP_CELLS + 1)
    middles = (edges[:-1] + edges[1:]) / 2
    labels, doubt = ByMixture(view.whole, view.clusters, None).label(middles[:, None], slice(None))
    if style.kind == "uncertainty":
        colours = colour_uncertainty(np.minimum(doubt / MOST_UNCERTAIN, 1.0))
    else:
        palette = [pick_colour(label) for label in range(view.n_labels)]
        colours = import_matplotlib("colors").to_rgba_array([*palette, NOISE])[labels]
    top = panel.get_ylim()[1]
    extent = (low, high, -STRIP * top, 0.0)
    drawn.borders.append(panel.imshow(colours[None], aspect="auto", extent=extent, interpolation="nearest"))
    panel.set_xlim(low, high)
    panel.set_ylim(-STRIP * top, top)
