"""The pictures of a page about a classifier: how reliable it is, how sure, and its rows in a plane."""

from __future__ import annotations

from collections.abc import Sequence

from gaussmix.report.look import FIT, SCHEMA, Spec, list_theme, make_config, measure

#: Classes in the legend.
MOST_LEGEND = 12


def _make_chart(datasets: list[str], height: int, params: list[Spec] | None = None) -> Spec:
    return {
        "$schema": SCHEMA,
        "params": [*list_theme(), *(params or [])],
        "config": make_config(),
        "datasets": {name: [] for name in datasets},
        "height": height,
        **FIT,
    }


def make_reliability(low: float) -> Spec:
    """The share of rows (`y`) whose best class is right, by its mean probability (`x`) in each bin."""
    scale = {"domain": [0, 1], "nice": False}
    across = {"domain": [low, 1], "nice": False, "zero": False}
    x = measure("x", scale=across, axis={"title": "probability of the best class", "tickCount": 5})
    y = measure("y", scale=scale, axis={"title": "share of rows of that class", "tickCount": 5})
    honest: Spec = {
        "data": {"values": [{"x": low, "y": low}, {"x": 1, "y": 1}]},
        "mark": {"type": "line", "strokeDash": [5, 4], "strokeWidth": 1.5, "color": {"expr": "quiet"}},
        "encoding": {"x": x, "y": y},
    }
    bars: Spec = {
        "data": {"name": "bins"},
        "mark": {"type": "rule", "color": {"expr": "accent"}, "strokeWidth": 2},
        "encoding": {"x": x, "y": measure("lo", scale=scale), "y2": {"field": "hi"}},
    }
    dots: Spec = {
        "data": {"name": "bins"},
        "mark": {"type": "point", "filled": True, "opacity": 1, "size": 70, "color": {"expr": "accent"}},
        "encoding": {
            "x": x,
            "y": y,
            "tooltip": [
                measure("x", title="mean probability", format=".3f"),
                measure("y", title="share", format=".3f"),
                measure("n", title="rows", format=",.6g"),
            ],
        },
    }
    return _make_chart(["bins"], 300) | {"layer": [honest, bars, dots]}


def make_sureness(low: float) -> Spec:
    """How many rows (`n`) have a most probable class of a probability from `from` to `to`."""
    scale = {"domain": [low, 1], "nice": False, "zero": False}
    title = "probability of the best class"
    return _make_chart(["counts"], 150) | {
        "data": {"name": "counts"},
        "mark": {"type": "bar", "binSpacing": 1, "color": {"expr": "accent"}},
        "encoding": {
            "x": measure("from", scale=scale, axis={"title": title, "tickCount": 5}),
            "x2": {"field": "to"},
            "y": measure("n", axis={"title": "rows", "tickCount": 4}),
            "y2": {"datum": 0},
            "tooltip": [
                measure("from", title="from", format=".3f"),
                measure("to", title="to", format=".3f"),
                measure("n", title="rows", format=",.6g"),
            ],
        },
    }


def make_class_plane(classes: Sequence[str]) -> Spec:
    """Rows by two features, `x` and `y`, in the colours of their classes (`c`); a cross is a wrong one (`w`).

    The page sets the titles of the axes, and draws anew when the reader chooses other features.
    """
    scale = {"zero": False, "nice": True}
    x, y = (measure(field, scale=scale, axis={"title": field, "tickCount": 6}) for field in "xy")
    colours = [{"expr": f"palette[{c}]"} for c in range(len(classes))]
    legend = {
        "title": None,
        "orient": "top",
        "symbolLimit": MOST_LEGEND,
        "labelLimit": 160,
        "labelColor": {"expr": "ink"},
        "columns": 4,
    }
    dots: Spec = {
        "data": {"name": "rows"},
        "mark": {"type": "point", "filled": True, "opacity": 0.75},
        "encoding": {
            "x": x,
            "y": y,
            "color": {
                "field": "c",
                "type": "nominal",
                "scale": {"domain": list(classes), "range": colours},
                "legend": legend,
            },
            "shape": {"condition": {"test": "datum.w == 1", "value": "cross"}, "value": "circle"},
            "size": {"condition": {"test": "datum.w == 1", "value": 110}, "value": 28},
            "stroke": {"condition": {"test": "datum.w == 1", "value": {"expr": "ink"}}, "value": None},
            "order": measure("w"),
            # one text, made by the page: Vega reads titles of tooltips as parts of a program
            "tooltip": [{"field": "tip", "type": "nominal", "title": "row"}],
        },
    }
    palette = [{"name": "palette", "value": ["gray"] * len(classes)}]
    return _make_chart(["rows"], 380, palette) | {"layer": [dots]}
