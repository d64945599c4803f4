"""The picture of rows and components, as a Vega-Lite specification without the numbers of any model.

The page hands over rows, components and curves as named data, and replaces them when the reader chooses
another model: nothing is compiled again. Columns stand under their position (`f0`, mean `m0`, deviation `s0`,
correlation `r10`), never under their name, since Vega reads dots, brackets and quotes in names as paths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gaussmix.report.features import Feature
from gaussmix.report.look import (
    AXIS_WIDTH,
    FIT,
    NOBODY,
    NOISE,
    SCHEMA,
    Spec,
    list_choices,
    list_theme,
    make_axis,
    make_colour,
    make_config,
    make_dash,
    make_opacity,
    make_position,
    measure,
)

#: Standard deviations at which ellipses are drawn.
RADII = (1, 2)
#: Points of an ellipse.
N_POINTS = 72
#: The share of a picture of one feature, below its axis, that shows the rows.
STRIP = 0.22
#: Pixels between panels of a figure of pairs.
SPACING = 8


def make_figure(features: Sequence[Feature], n_colours: int) -> Spec:
    """One feature gives densities over a histogram, two a plane, more a plane for each pair."""
    # a view knows only the data that one of its marks has, and a plane has no curves
    datasets = ["rows", "components", "pointed", *(["curves"] if len(features) != 2 else [])]
    sizes = [{"name": "palette", "value": ["gray"] * n_colours}, {"name": "pointSize", "value": 30}]
    base: Spec = {
        "$schema": SCHEMA,
        "params": [*list_theme(), *list_choices(), *sizes],
        "config": make_config(),
        "datasets": {name: [] for name in datasets},
    }
    panels = Panels(tuple(features), n_colours)
    if len(features) == 1:
        return base | FIT | {"height": 380, "layer": panels.draw_line(0)}
    if len(features) == 2:
        return base | FIT | {"height": 440, "layer": panels.draw_plane(0, 1)}
    grid = [panels.make_panel(j, i) for i in range(len(features)) for j in range(len(features))]
    # one flat grid: rows of a nested one would lie over each other where only panels are measured ("flush")
    return base | {"concat": grid, "columns": len(features), "spacing": SPACING, "bounds": "flush"}


@dataclass(frozen=True)
class Panels:
    """The layers of each panel: a panel alone, or the lower half of a square of them."""

    features: tuple[Feature, ...]
    n_colours: int

    @property
    def alone(self) -> bool:
        """Whether there is one panel."""
        return len(self.features) < 3

    def make_panel(self, j: int, i: int) -> Spec:
        """The panel in column j and row i of a figure of pairs; the page sets its size."""
        size: Spec = {"width": 100, "height": 100}
        if j > i:  # above the diagonal there is nothing
            return size | {"data": {"values": []}, "mark": "point"}
        return size | {"layer": self.draw_plane(j, i) if j < i else self.draw_line(i)}

    def draw_plane(self, j: int, i: int) -> list[Spec]:
        """Feature `i` over feature `j`."""
        features, last = self.features, len(self.features) - 1
        across = make_axis(features[j], shown=self.alone or i == last)
        up = make_axis(features[i], shown=self.alone or j == 0, across=False)

        def place(x: str, y: str) -> Spec:
            return {"x": make_position(x, features[j], across), "y": make_position(y, features[i], up)}

        at_rows, at_means = place(f"f{j}", f"f{i}"), place(f"m{j}", f"m{i}")
        return [
            self._draw_points(at_rows),
            self._draw_ellipses(place("x", "y"), j, i),
            *self._draw_numbers(at_means),
            _draw_ring(at_rows),
        ]

    def draw_line(self, j: int) -> list[Spec]:
        """One feature: the density of each component and of the whole over the histogram of all rows."""
        feature = self.features[j]
        top = find_top(feature)
        bottom = -STRIP * top if self.alone else 0.0
        across = make_position(
            "x", feature, make_axis(feature, shown=self.alone or j == len(self.features) - 1)
        )
        scale = {"domain": [bottom, top], "nice": False}
        up = measure("y", scale=scale, axis=self._make_density_axis(j))
        layers = [
            _draw_bars(feature, across, up),
            _draw_whole(j, {"x": across, "y": up}),
            self._draw_curves(j, {"x": across, "y": up}),
        ]
        if self.alone:
            below = {"transform": [{"calculate": f"{bottom} * (0.2 + 0.7 * datum.jitter)", "as": "y"}]}
            at_rows = {"x": {**across, "field": "f0"}, "y": up}
            layers += [self._draw_points(at_rows) | below, _draw_ring(at_rows) | below]
            layers += self._draw_numbers({"x": {**across, "field": "m0"}, "y": {**up, "field": "peak"}})
        return layers

    def _make_density_axis(self, j: int) -> Spec:
        extent = {"minExtent": AXIS_WIDTH, "maxExtent": AXIS_WIDTH}
        if self.alone:
            label = "datum.value < 0 ? '' : datum.label"  # the rows below the axis have no density
            return {"title": "density", "tickCount": 4, "labelExpr": label, **extent}
        if j == 0:  # the name of the first row of a figure of pairs, where heights do not matter
            return {"title": self.features[0].name, "labels": False, "ticks": False, **extent}
        return {"title": None, "labels": False, "ticks": False, "minExtent": 0, "maxExtent": 0}

    def _draw_points(self, place: Spec) -> Spec:
        left_out, size = "datum.u > 100", "pointSize" if self.alone else "0.6 * pointSize"
        uncertain = "datum.u > threshold && datum.u <= 100"
        named = [measure(f"f{i}", title=feature.name) for i, feature in enumerate(self.features)]
        tooltip = [
            measure("row", title="row"),
            *named,
            {"field": "label", "type": "nominal", "title": "component"},
            {"field": "sureness", "type": "nominal", "title": "uncertainty"},
        ]
        return {
            "data": {"name": "rows"},
            "mark": {"type": "point", "filled": True, "clip": True, "strokeWidth": 1.4},
            "encoding": {
                **place,
                "color": make_colour(self.n_colours),
                "shape": {"condition": {"test": left_out, "value": "cross"}, "value": "circle"},
                "size": {
                    "condition": {"test": left_out, "value": {"expr": f"1.6 * {size}"}},
                    "value": {"expr": size},
                },
                "stroke": {
                    "condition": {"test": uncertain, "value": {"expr": "ink"}},
                    "value": "transparent",
                },
                "opacity": make_opacity(0.72),
                "tooltip": tooltip,
            },
        }

    def _draw_ellipses(self, place: Spec, j: int, i: int) -> Spec:
        """Points at `RADII` standard deviations, from means, deviations and the correlation."""
        turn, r = f"datum.t * 2 * PI / {N_POINTS}", f"datum.r{i}{j}"
        along = f"{r} * cos({turn}) + sqrt(max(0, 1 - {r} * {r})) * sin({turn})"
        return {
            "data": {"name": "components"},
            "transform": [
                {"calculate": str(list(RADII)), "as": "radius"},
                {"flatten": ["radius"]},
                {"calculate": f"sequence({N_POINTS + 1})", "as": "t"},
                {"flatten": ["t"]},
                {"calculate": f"datum.m{j} + datum.radius * datum.s{j} * cos({turn})", "as": "x"},
                {"calculate": f"datum.m{i} + datum.radius * datum.s{i} * ({along})", "as": "y"},
            ],
            "mark": {"type": "line", "clip": True, "strokeWidth": 2},
            "encoding": {
                **place,
                "order": measure("t"),
                "detail": [{"field": "c", "type": "nominal"}, {"field": "radius", "type": "nominal"}],
                "color": make_colour(self.n_colours),
                "opacity": make_opacity(0.95),
                "strokeDash": make_dash(),
            },
        }

    def _draw_numbers(self, place: Spec) -> list[Spec]:
        """The number of each component in a disc at its mean."""
        size, text = (300, 12) if self.alone else (170, 9)
        opacity = make_opacity(1.0)
        disc = {
            "data": {"name": "components"},
            "mark": {"type": "point", "filled": True, "size": size, "clip": True, "strokeWidth": 1.8},
            "encoding": {
                **place,
                "fill": {"value": {"expr": "paper"}},
                "stroke": make_colour(self.n_colours),
                "opacity": opacity,
            },
        }
        number = {
            "data": {"name": "components"},
            "mark": {"type": "text", "fontSize": text, "fontWeight": 600, "clip": True},
            "encoding": {
                **place,
                "text": {"field": "c", "type": "nominal"},
                "color": {"value": {"expr": "ink"}},
                "opacity": opacity,
            },
        }
        return [disc, number]

    def _draw_curves(self, j: int, place: Spec) -> Spec:
        return {
            "data": {"name": "curves"},
            "transform": [{"filter": f"datum.f == {j} && datum.c >= {NOISE}"}],
            "mark": {"type": "line", "clip": True, "strokeWidth": 2},
            "encoding": {
                **place,
                "order": measure("x"),
                "detail": {"field": "c", "type": "nominal"},
                "color": make_colour(self.n_colours),
                "opacity": make_opacity(0.95),
                "strokeDash": make_dash(),
            },
        }


def find_top(feature: Feature) -> float:
    """The upper end of the axis of densities; a component that is a spike does not press the others down."""
    return 1.25 * feature.top


def _draw_bars(feature: Feature, across: Spec, up: Spec) -> Spec:
    bars = [
        {"x": float(x), "x2": float(x2), "y": float(f"{height:.4g}"), "y2": 0}
        for x, x2, height in zip(feature.edges[:-1], feature.edges[1:], feature.heights, strict=True)
    ]
    colour = {"value": {"expr": "faint"}}
    ends = {"x2": {"field": "x2"}, "y2": {"field": "y2"}}
    return {
        "data": {"values": bars},
        "mark": {"type": "rect", "clip": True},
        "encoding": {"x": across, "y": up, **ends, "color": colour},
    }


def _draw_whole(j: int, place: Spec) -> Spec:
    return {
        "data": {"name": "curves"},
        "transform": [{"filter": f"datum.f == {j} && datum.c == {NOBODY}"}],
        "mark": {"type": "line", "clip": True, "strokeWidth": 1.5},
        "encoding": {**place, "order": measure("x"), "color": {"value": {"expr": "ink"}}},
    }


def _draw_ring(place: Spec) -> Spec:
    """A ring around the row that the reader points at in a table."""
    return {
        "data": {"name": "pointed"},
        "mark": {"type": "point", "filled": False, "size": 260, "strokeWidth": 2.5, "clip": True},
        "encoding": {**place, "color": {"value": {"expr": "accent"}}},
    }
