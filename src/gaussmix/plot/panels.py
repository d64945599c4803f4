"""The panels of a picture. This module imports Matplotlib when the first picture is drawn."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gaussmix._typing import Float64Array
from gaussmix.model.mixture import Mixture
from gaussmix.plot.view import View, make_marginal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Okabe and Ito's colours, which differ under every common kind of colour vision. Tol's wine and olive
#: replace their yellow, which is unreadable on white, and their black, which the whole mixture has.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255", "#999933")
#: Line styles: a new one for every eight components.
LINE_STYLES = ("-", "--", ":", "-.")
#: Colour of the whole mixture and of numbers.
INK = "#222222"
#: Colour of histograms.
PALE = "#DCDCDC"
#: Colour of rows that are noise.
NOISE = "#777777"
#: Standard deviations at which ellipses are drawn.
STANDARD_DEVIATIONS = (1.0, 2.0)
#: Masses of the highest-density regions that are shaded.
MASSES = (0.95, 0.75, 0.5, 0.25)
#: Components beyond which there is no legend.
LEGIBLE_COMPONENTS = 16


def import_matplotlib(module: str) -> Any:
    """Import a module of Matplotlib. Raises ImportError that says how to install it."""
    try:
        return import_module(f"matplotlib.{module}")
    except ModuleNotFoundError as error:
        raise ImportError('pictures need Matplotlib: pip install "gaussmix[plot]"') from error


def choose_figure_size(view: View) -> tuple[float, float]:
    """Width and height in inches, so that panels of any number stay legible."""
    if view.n_shown > 2:
        return 2.1 * view.n_shown, 2.1 * view.n_shown
    return (7.0, 4.2) if view.n_shown == 1 else (7.0, 5.2)


def draw_view(
    view: View, ax: Axes | NDArray[np.object_] | None, figure: Figure | None
) -> Axes | NDArray[np.object_]:
    """Draw into `figure` if it is given, else into `ax`."""
    side = view.n_shown if view.n_shown > 2 else 1
    given = np.asarray(ax if figure is None else figure.subplots(side, side), dtype=object)
    if given.size != side * side:
        raise ValueError(
            f"{view.n_shown} features take {side} x {side} Axes, but ax has the shape {given.shape}; pass "
            "such an array, no ax at all, or features= with one or two of them"
        )
    panels = given.reshape(side, side)
    if side > 1:
        return _draw_pairs(panels, view)
    panel: Axes = panels[0, 0]
    if view.n_shown == 1:
        _draw_line(panel, view, 0)
        _number_the_curves(panel, view)
        panel.set_ylabel("density")
    else:
        _shade_density(panel, view)
        _draw_plane(panel, view, 0, 1)
        panel.set_ylabel(view.names[1])
    panel.set_xlabel(view.names[0])
    _add_legend(panel, view, outside=figure is not None)
    _say_what_is_left_out(panel, view)
    return panel


def _draw_pairs(panels: NDArray[np.object_], view: View) -> NDArray[np.object_]:
    drawn = np.full(panels.shape, None, dtype=object)
    ticks = import_matplotlib("ticker").MaxNLocator
    last = view.n_shown - 1
    for (i, j), panel in np.ndenumerate(panels):
        if j > i:
            panel.set_axis_off()
            continue
        drawn[i, j] = panel
        if i == j:
            _draw_line(panel, view, i)
            panel.set_yticks([])
        else:
            _draw_plane(panel, view, j, i)
            panel.yaxis.set_major_locator(ticks(4))
        panel.xaxis.set_major_locator(ticks(4))
        panel.tick_params(labelbottom=i == last, labelleft=j == 0 < i, labelsize=8)
        if i == last:
            panel.set_xlabel(view.names[j])
        if j == 0:
            panel.set_ylabel(view.names[i] if i else "density")
    # The corner above the diagonal is free.
    _add_legend(panels[0, last], view, outside=False)
    _say_what_is_left_out(panels[0, 0], view)
    return drawn


def _draw_line(panel: Axes, view: View, j: int) -> None:
    """The density of one feature and each component's share of it, over the histogram of the data."""
    mixture = make_marginal(view.mixture, [j])
    low, high = view.limits[j]
    grid = _make_fine_grid(mixture, low, high)
    shares = _compute_shares(mixture, grid)
    total = shares.sum(axis=1)
    top = float(total.max())
    if view.rows is not None:
        # Rules based on quartiles give too few bins where there are several modes.
        n_bins = int(np.clip(1.5 * np.sqrt(len(view.rows)), 10, 80))
        edges = np.linspace(low, high, n_bins + 1)
        heights, _, _ = panel.hist(
            view.rows[:, j], bins=list(edges), density=True, histtype="stepfilled", color=PALE
        )
        # The density of a collapsed component can be of any height. The rest has to stay readable.
        top = min(max(top, float(np.max(heights))), 1.8 * float(np.max(heights)))
    for c, share in enumerate(shares.T):
        panel.fill_between(grid, share, color=_pick_colour(c), alpha=0.22, linewidth=0)
        panel.plot(grid, share, color=_pick_colour(c), linestyle=_pick_style(c), linewidth=1.4)
    panel.plot(grid, total, color=INK, linewidth=1.6)
    panel.set_xlim(low, high)
    panel.set_ylim(0, 1.08 * top)
    _hide_spines(panel)


def _compute_shares(mixture: Mixture, grid: Float64Array) -> Float64Array:
    weighted: Float64Array = np.exp(mixture.component_log_prob(grid[:, None]) + np.log(mixture.weights))
    return weighted


def _make_fine_grid(mixture: Mixture, low: float, high: float) -> Float64Array:
    """Points close enough together for the narrowest component."""
    means = mixture.means[:, 0]
    spread = np.sqrt(mixture.dense_covariances[:, 0, 0])
    around = means[:, None] + spread[:, None] * np.linspace(-5.0, 5.0, 101)
    grid: Float64Array = np.concatenate([np.linspace(low, high, 401), around.ravel()])
    return np.unique(np.clip(grid, low, high))


def _number_the_curves(panel: Axes, view: View) -> None:
    means = view.mixture.means[:, 0]
    heights = np.diagonal(_compute_shares(view.mixture, means))
    for c, (x, height) in enumerate(zip(means, heights, strict=True)):
        _put_number(panel, c, float(x), min(float(height), 0.97 * panel.get_ylim()[1]), size=9)


def _draw_plane(panel: Axes, view: View, j: int, i: int) -> None:
    """Feature `i` over feature `j`: the data and each component's ellipses, with its number at the mean."""
    alone = view.n_shown == 2
    if len(view.points):
        size = float(np.clip(9000 / len(view.points), 5, 22)) * (1.0 if alone else 0.5)
        x, y, colours = view.points[:, j], view.points[:, i], _choose_point_colours(view)
        panel.scatter(x, y, s=size, c=colours, linewidths=0, rasterized=True, zorder=2)
    pair = make_marginal(view.mixture, [j, i])
    for c in range(pair.n_components):
        _draw_ellipses(panel, c, pair.means[c], pair.dense_covariances[c])
        _put_number(panel, c, *map(float, pair.means[c]), size=9 if alone else 7)
    panel.set_xlim(*view.limits[j])
    panel.set_ylim(*view.limits[i])
    _hide_spines(panel)


def _choose_point_colours(view: View) -> Float64Array:
    # noise has the label -1, the last place
    of_labels = [*(_pick_colour(c) for c in range(view.mixture.n_components)), NOISE]
    palette = import_matplotlib("colors").to_rgba_array(of_labels)
    colours: Float64Array = palette[view.labels]
    colours[:, 3] = 0.2 + 0.5 * view.sureness
    return colours


def _draw_ellipses(panel: Axes, component: int, mean: Float64Array, covariance: Float64Array) -> None:
    ellipse = import_matplotlib("patches").Ellipse
    variances, axes = np.linalg.eigh(covariance)
    width, height = 2.0 * np.sqrt(np.maximum(variances[::-1], 0.0))
    angle = float(np.degrees(np.arctan2(axes[1, 1], axes[0, 1])))
    for r in STANDARD_DEVIATIONS:
        patch = ellipse(tuple(mean), r * width, r * height, angle=angle, fill=False, zorder=3)
        patch.set(
            edgecolor=_pick_colour(component),
            linestyle=_pick_style(component),
            linewidth=2.2 - 0.5 * r,
        )
        panel.add_patch(patch)


def _put_number(panel: Axes, component: int, x: float, y: float, *, size: float) -> None:
    """Write the component's number in a disc, visible even where the component is smaller than a dot."""
    colour = _pick_colour(component)
    disc = {"boxstyle": "circle,pad=0.2", "facecolor": "white", "edgecolor": colour, "linewidth": 1.3}
    text = panel.text(x, y, str(component), fontsize=size, color=INK, ha="center", va="center")
    text.set(bbox=disc, clip_on=True, zorder=4)


def _shade_density(panel: Axes, view: View) -> None:
    """Shade the regions of highest density that hold each of `MASSES`."""
    # The level that bounds a mass is a quantile of the density at draws of the mixture itself (Hyndman 1996).
    # So it does not depend on how fine the grid is.
    draws, _ = view.mixture.sample(4000, np.random.default_rng(view.seed))
    levels = np.quantile(view.mixture.log_prob(draws), 1.0 - np.array(MASSES))
    x, y = (np.linspace(low, high, 160) for low, high in view.limits)
    corners = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    height = view.mixture.log_prob(corners).reshape(len(y), len(x))
    bounds = np.unique(levels[(levels > height.min()) & (levels < height.max())])
    if len(bounds):
        shades = [str(shade) for shade in np.linspace(0.95, 0.82, len(bounds))]
        panel.contourf(x, y, height, levels=[*bounds, np.inf], colors=shades, zorder=0)


def _add_legend(panel: Axes, view: View, *, outside: bool) -> None:
    if view.mixture.n_components > LEGIBLE_COMPONENTS:
        return  # the numbers at the means identify the components
    line = import_matplotlib("lines").Line2D
    handles = []
    for c, weight in enumerate(view.mixture.weights):
        label = f"{c}  ({_format_percent((1.0 - view.noise) * weight)})"
        handles.append(
            line([], [], color=_pick_colour(c), linestyle=_pick_style(c), linewidth=2.5, label=label)
        )
    if view.noise:
        label = f"noise  ({_format_percent(view.noise)})"
        handles.append(line([], [], color=NOISE, linestyle="", marker="o", markersize=4, label=label))
    if view.n_shown != 2:
        handles.append(line([], [], color=INK, linewidth=1.6, label="mixture"))
    pairs = view.n_shown > 2
    place: dict[str, Any] = {"loc": "upper right" if pairs else "best"}
    if outside:
        place = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0.0}
    legend = panel.legend(handles=handles, title="component (weight)", fontsize=9, title_fontsize=9, **place)
    legend.set_frame_on(not outside and not pairs)
    # In the pairs picture the legend lies over empty panels, so the layout need not make room for it.
    legend.set_in_layout(not pairs)


def _format_percent(weight: float) -> str:
    return f"{weight:.0%}" if weight >= 0.005 else "< 1%"


def _say_what_is_left_out(panel: Axes, view: View) -> None:
    if view.n_shown < view.n_features:
        text = f"{view.n_shown} of {view.n_features} features shown"
        panel.set_title(text, loc="left", fontsize=9, color="#555555")


def _hide_spines(panel: Axes) -> None:
    panel.spines[["top", "right"]].set_visible(False)


def _pick_colour(component: int) -> str:
    return COLOURS[component % len(COLOURS)]


def _pick_style(component: int) -> str:
    return LINE_STYLES[component // len(COLOURS) % len(LINE_STYLES)]
