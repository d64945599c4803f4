"""The panels of a picture of a mixture: one, or one for each pair of features, and their legend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gaussmix.plot.captions import add_caption
from gaussmix.plot.figures import format_percent, import_matplotlib
from gaussmix.plot.line import draw_line, draw_strip, draw_thresholds, number_the_curves
from gaussmix.plot.names import FEW_CHARACTERS, name_axes
from gaussmix.plot.palette import DENSITY, INK, NOISE, QUIET, pick_colour, pick_marker, pick_style
from gaussmix.plot.plane import MASSES, draw_plane
from gaussmix.plot.points import MOST_UNCERTAIN, Artists, Style, colour_uncertainty
from gaussmix.plot.view import View
from gaussmix.plot.wording import describe_view

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Labels beyond which there is no legend: the numbers at the means tell components apart.
LEGIBLE_LABELS = 16
#: Uncertainties that the legend shows.
DEGREES = (0.0, 0.1, 0.25, 0.5)


def choose_figure_size(view: View) -> tuple[float, float]:
    """Width and height in inches, so that panels of any number stay legible."""
    if view.n_shown > 2:
        return 2.1 * view.n_shown, 2.1 * view.n_shown
    return (7.0, 4.2) if view.n_shown == 1 else (7.0, 5.2)


def read_panels(view: View, ax: Axes | NDArray[np.object_] | None, figure: Figure | None) -> Any:
    """The Axes to draw into, as a square array; those of `figure`, if it is given."""
    side = view.n_shown if view.n_shown > 2 else 1
    if figure is not None:
        return _make_panels(figure, side)
    given = np.asarray(ax, dtype=object)
    if given.size != side * side:
        raise ValueError(
            f"{view.n_shown} features take {side} x {side} Axes, but ax has the shape {given.shape}; pass "
            "such an array, no ax at all, or features= with one or two of them"
        )
    return given.reshape(side, side)


def _make_panels(figure: Figure, side: int) -> NDArray[np.object_]:
    """Axes of a new figure, of pairs the lower half and the corner for the legend: each takes its time."""
    grid = figure.add_gridspec(side, side)
    panels = np.full((side, side), None, dtype=object)
    for i in range(side):
        for j in [*range(i + 1), *([side - 1] if i == 0 < side - 1 else [])]:
            panels[i, j] = figure.add_subplot(grid[i, j])
    return panels


def draw_view(
    panels: Any,
    view: View,
    style: Style,
    *,
    legend: bool,
    caption: bool | None,
    figure: Figure | None,
    more: str = "",
) -> tuple[Any, Artists]:
    """Draw into these Axes. Returns them, without those that stay empty, and what has been drawn.

    `figure` is that of the Axes where the picture is all there is in it, so that there is room beside them.
    `more` is what the caption says beside what the view is.
    """
    drawn = Artists()
    if len(panels) > 1:
        used = _draw_pairs(panels, view, style, drawn)
        place = panels[0, -1]  # the corner above the diagonal is free
    else:
        place = panels[0, 0]
        _draw_alone(place, view, style, drawn)
        used = panels.copy()
    if legend:
        _add_legend(place, view, style, outside=figure is not None)
    text = " ".join(filter(None, [describe_view(view, style, drawn), more]))
    drawn.caption = add_caption(text, used, figure, wanted=caption)
    if drawn.caption is None:
        _say_what_is_left_out(panels[0, 0], view)
    return used, drawn


def _draw_alone(panel: Axes, view: View, style: Style, drawn: Artists) -> None:
    if view.n_shown == 1:
        draw_line(panel, view, 0, style, drawn)
        draw_strip(panel, view, style, drawn)
        if style.kind != "density":
            draw_thresholds(panel, view, drawn)
            number_the_curves(panel, view, drawn)
        panel.set_ylabel("density")
    else:
        draw_plane(panel, view, 0, 1, style, drawn)
        name_axes(panel, y=view.names[1])
    name_axes(panel, x=view.names[0])


def _draw_pairs(panels: Any, view: View, style: Style, drawn: Artists) -> NDArray[np.object_]:
    used = np.full(panels.shape, None, dtype=object)
    ticks = import_matplotlib("ticker").MaxNLocator
    last = view.n_shown - 1
    for (i, j), panel in np.ndenumerate(panels):
        if j > i:
            if panel is not None:
                panel.set_axis_off()
            continue
        used[i, j] = panel
        if i == j:
            draw_line(panel, view, i, style, drawn)
            panel.set_yticks([])
        else:
            draw_plane(panel, view, j, i, style, drawn)
            panel.yaxis.set_major_locator(ticks(4))
        panel.xaxis.set_major_locator(ticks(4))
        panel.tick_params(labelbottom=i == last, labelleft=j == 0 < i, labelsize=8)
        if i == last:
            name_axes(panel, x=view.names[j], most=FEW_CHARACTERS)
        if j == 0 < i:
            name_axes(panel, y=view.names[i], most=FEW_CHARACTERS)
    panels[0, 0].set_ylabel("density")
    return used


def _add_legend(panel: Axes, view: View, style: Style, *, outside: bool) -> None:
    if style.kind == "density":
        title, handles = _explain_density(view)
    elif style.kind == "uncertainty" and (view.n_rows or view.n_shown == 1):
        title, handles = _explain_uncertainty()
    else:
        title, handles = _explain_labels(view, style)
    if not handles:
        return
    pairs = view.n_shown > 2
    place: dict[str, Any] = {"loc": "upper right" if pairs else "best"}
    if outside and not pairs:
        place = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0.0}
    legend = panel.legend(handles=handles, title=title, fontsize=9, title_fontsize=9, **place)
    legend.set_frame_on(not outside and not pairs)
    # In the pairs picture the legend lies over empty panels, so the layout need not make room for it.
    legend.set_in_layout(not pairs)


def _explain_density(view: View) -> tuple[str, list[Any]]:
    patch = import_matplotlib("patches").Patch
    regions = zip(MASSES[::-1], DENSITY[::-1], strict=True)
    handles = [patch(facecolor=shade, edgecolor=INK, label=f"{mass:.0%}") for mass, shade in regions]
    if view.noise:
        handles.append(patch(facecolor="none", label=f"noise left out: {format_percent(view.noise)}"))
    return "smallest region with", handles


def _explain_uncertainty() -> tuple[str, list[Any]]:
    line = import_matplotlib("lines").Line2D
    colours = colour_uncertainty(np.array(DEGREES) / MOST_UNCERTAIN)
    handles = [
        line(
            [],
            [],
            linestyle="",
            marker="o",
            color=colour,
            markersize=3.0 + 4.0 * degree / MOST_UNCERTAIN,
            label=f"{degree:g}" if degree < MOST_UNCERTAIN else f"{degree:g} and more",
        )
        for degree, colour in zip(DEGREES, colours, strict=True)
    ]
    return "uncertainty", handles


def _explain_labels(view: View, style: Style) -> tuple[str, list[Any]]:
    line = import_matplotlib("lines").Line2D
    handles = []
    if view.n_labels <= LEGIBLE_LABELS:
        points = view.points is not None and view.n_shown > 1 and style.kind == "classification"
        for label, share in enumerate(view.shares):
            look: dict[str, Any] = {"color": pick_colour(label), "linestyle": pick_style(label)}
            look["linewidth"] = 2.0
            if points:
                look |= {"marker": pick_marker(label), "markersize": 4.5}
            if view.mixture is None:
                look["linestyle"] = ""
            handles.append(line([], [], label=_describe_label(view, label, share), **look))
    if view.noise:
        share = f"noise  ({format_percent(view.noise)})"
        marker, size = ("s", 7) if view.rasters else ("x", 4.5)
        handles.append(line([], [], color=NOISE, linestyle="", marker=marker, markersize=size, label=share))
    if _has_left_out(view):
        handles.append(line([], [], color=NOISE, linestyle="", marker="+", markersize=5, label="left out"))
    if view.n_shown != 2 and view.mixture is not None:
        handles.append(line([], [], color=INK, linewidth=1.6, label="mixture"))
    if view.n_labels > LEGIBLE_LABELS:
        return "", handles
    plain = len(np.unique(view.clusters)) == len(view.clusters) and view.mixture is not None
    return ("component (weight)" if plain else "cluster (weight)"), handles


def _describe_label(view: View, label: int, share: float) -> str:
    members = np.flatnonzero(view.clusters == label)
    several = "" if list(members) in ([], [label]) else " = " + " + ".join(map(str, members))
    return f"{label}{several}  ({format_percent(float(share))})"


def _has_left_out(view: View) -> bool:
    if view.points is not None:
        return bool((view.points.labels == -2).any())
    return any(raster.counts[-2].any() for raster in view.rasters.values())


def _say_what_is_left_out(panel: Axes, view: View) -> None:
    if view.n_shown < view.n_features:
        text = f"{view.n_shown} of {view.n_features} features shown"
        panel.set_title(text, loc="left", fontsize=9, color=QUIET)
