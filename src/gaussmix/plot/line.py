"""One feature of a mixture: its density as the sum of the components', over the histogram of the rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.mixture import Mixture
from gaussmix.plot.binning import THIN, Parts, limit_height
from gaussmix.plot.figures import hide_spines, import_matplotlib
from gaussmix.plot.labelling import NOISE as NOISE_LABEL
from gaussmix.plot.labelling import ByMixture
from gaussmix.plot.palette import DENSITY, INK, NOISE, PALE, QUIET, pick_colour, pick_style
from gaussmix.plot.plane import find_levels, put_number
from gaussmix.plot.points import MOST_UNCERTAIN, Artists, Style, colour_uncertainty
from gaussmix.plot.view import View, make_marginal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: How far thin components may rise above the histogram: those that have collapsed can have any height.
MOST_ABOVE = 1.3
#: The share of the highest curve or bar that has to be within the panel; less, and the caption says so.
LEAST_SHOWN = 0.98
#: Height of the strip below the axis that says which label is the most probable, as a share of the panel's.
STRIP = 0.04
#: Size of the numbers at thresholds, in points; width of a digit, height of a line, distance from the dashes.
NUMBER_SIZE = 8.5
NUMBER_WIDTH = 5.6
NUMBER_HEIGHT = 10.0
NUMBER_GAP = 3.0
#: Lines of them, and the least distance of two dashes with numbers, in points; other numbers are left out.
MOST_LINES = 3
LEAST_DISTANCE = 4.0
#: Points in an inch.
POINTS = 72.0
#: Cells of that strip.
STRIP_CELLS = 800


def draw_line(panel: Axes, view: View, j: int, style: Style, drawn: Artists) -> None:
    """The density of one feature and each component's share of it, over the histogram of the rows."""
    bars = curve = 0.0
    if view.histograms:
        histogram = view.histograms[j]
        look: dict[str, Any] = {"fill": True, "color": PALE, "zorder": 0.5}
        drawn.histograms.append(panel.stairs(histogram.heights, histogram.edges, **look))
        bars = float(histogram.heights.max())
    top = bars
    if view.mixture is not None:
        mixture = make_marginal(view.mixture, [j])
        grid = _make_fine_grid(mixture, *map(float, view.limits[j]))
        shares = _compute_shares(mixture, grid, view)
        curve = float(shares.sum(axis=1).max())
        _draw_curves(panel, mixture, grid, shares, view, style, drawn)
        top = _find_top(mixture, curve, bars, view, view.limits[j])
    drawn.cut |= top < LEAST_SHOWN * max(curve, bars)
    panel.set_xlim(*view.limits[j])
    panel.set_ylim(0.0, 1.08 * top)
    hide_spines(panel)


def _find_top(mixture: Mixture, curve: float, bars: float, view: View, limits: Float64Array) -> float:
    """The height of the panel: that of the highest curve or bar, unless that would hide the others."""
    deviations = np.sqrt(mixture.dense_covariances[:, 0, 0])
    parts = Parts((1.0 - view.noise) * mixture.weights, mixture.means[:, 0], deviations)
    extent = float(np.ptp(limits))
    top = min(max(curve, bars), limit_height(parts, extent))
    return min(top, MOST_ABOVE * bars) if bars and (deviations < THIN * extent).any() else top


def _draw_curves(
    panel: Axes,
    mixture: Mixture,
    grid: Float64Array,
    shares: Float64Array,
    view: View,
    style: Style,
    drawn: Artists,
) -> None:
    """Draw the components and their sum."""
    total: Float64Array = shares.sum(axis=1)
    if style.kind == "density":
        with np.errstate(divide="ignore"):
            log_total = np.log(total / (1.0 - view.noise))
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


def number_the_curves(panel: Axes, view: View, drawn: Artists) -> None:
    """Write the number of each component at the peak of its curve."""
    if view.mixture is None:
        return
    means = view.mixture.means[:, 0]
    heights = np.diagonal(_compute_shares(view.mixture, means, view))
    for c, (x, height) in enumerate(zip(means, heights, strict=True)):
        y = min(float(height), 0.97 * panel.get_ylim()[1])
        drawn.numbers.append(put_number(panel, c, int(view.clusters[c]), float(x), y, size=9))


def _compute_shares(mixture: Mixture, points: Float64Array, view: View) -> Float64Array:
    """The density of each component at these points, by its weight beside that of the noise; (n, k)."""
    weights = (1.0 - view.noise) * mixture.weights
    weighted: Float64Array = np.exp(mixture.component_log_prob(points[:, None])) * weights
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
    digits = max(0, 2 - math.floor(math.log10(high - low)))  # as many as tell values of this axis apart
    room = panel.bbox.width * POINTS / panel.figure.dpi
    ends: list[float] = []  # of the numbers on each line, in points
    before = -math.inf
    for threshold in view.whole.thresholds():
        changes = label_of[threshold.below] != label_of[threshold.above]
        if not changes or not low < threshold.point < high:
            continue
        look: dict[str, Any] = {"color": QUIET, "linewidth": 1.0, "linestyle": "--", "zorder": 2.5}
        drawn.thresholds.append(panel.axvline(threshold.point, **look))
        text = f"{round(threshold.point, digits) + 0.0:.{digits}f}"  # adding zero takes the sign from "-0"
        place = room * (threshold.point - low) / (high - low)
        # A number that has no room beside the one before stands a line lower.
        line = next((i for i, end in enumerate(ends) if end < place), len(ends))
        if line >= MOST_LINES or place - before < LEAST_DISTANCE:
            continue
        before, width = place, NUMBER_WIDTH * len(text) + 2 * NUMBER_GAP
        ends[line : line + 1] = [place + width]
        aside, ha = (NUMBER_GAP, "left") if place + width < room else (-NUMBER_GAP, "right")
        offset = (aside, -2.0 - NUMBER_HEIGHT * line)
        at = (threshold.point, 1.0)
        note = panel.annotate(text, at, offset, panel.get_xaxis_transform(), "offset points")
        note.set(va="top", ha=ha, fontsize=NUMBER_SIZE)
        drawn.thresholds.append(note)


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
