"""The pictures of a page about anomalies: scores with their threshold, rows in a plane, reasons as bars."""

from __future__ import annotations

from gaussmix.report.look import FIT, SCHEMA, Spec, list_theme, make_config, measure

#: The colour of anomalies, which the page sets by its theme.
ANOMALY = "anomaly"
#: The foot of bars on a logarithmic axis: a bar of one row stands on it.
FOOT = 0.6


def _make_chart(datasets: list[str], height: int) -> Spec:
    return {
        "$schema": SCHEMA,
        "params": [*list_theme(), {"name": ANOMALY, "value": "gray"}],
        "config": make_config(),
        "datasets": {name: [] for name in datasets},
        "height": height,
        **FIT,
    }


def _colour_by(field: str) -> Spec:
    """The colour of anomalies where a field is one."""
    return {
        "condition": {"test": f"datum.{field} == 1", "value": {"expr": ANOMALY}},
        "value": {"expr": "quiet"},
    }


def make_histogram(low: float, high: float, most: int) -> Spec:
    """How many rows (`n`) score from `lo` to `hi`, anomalies (`a`) or not, and the threshold (`t`)."""
    x = {"scale": {"domain": [low, high], "nice": False, "zero": False}}
    title = "score (nats)"
    scale = {"type": "log", "domain": [FOOT, 1.6 * most], "nice": False}
    rows = {"title": "rows", "tickCount": 4, "format": ",d"}
    bars: Spec = {
        "data": {"name": "bars"},
        "mark": {"type": "bar", "binSpacing": 1},
        "encoding": {
            "x": measure("lo", axis={"title": title}, **x),
            "x2": {"field": "hi"},
            "y": measure("n", scale=scale, axis=rows),
            "y2": {"datum": FOOT},
            "color": _colour_by("a"),
            "tooltip": [
                {"field": "scores", "type": "nominal", "title": "scores"},
                measure("n", title="rows", format=",d"),
            ],
        },
    }
    rule: Spec = {
        "data": {"name": "threshold"},
        "mark": {"type": "rule", "strokeDash": [5, 4], "strokeWidth": 1.5, "color": {"expr": "ink"}},
        "encoding": {"x": measure("t", **x)},
    }
    return _make_chart(["bars", "threshold"], 220) | {"layer": [bars, rule]}


def make_plane() -> Spec:
    """Rows by two features, fields `x` and `y`: anomalies (`a`) before others, a ring about the chosen one.

    The page sets the titles of the axes, and draws anew when the reader chooses other features.
    """
    scale = {"zero": False, "nice": True}
    x, y = (measure(field, scale=scale, axis={"title": field, "tickCount": 6}) for field in "xy")
    # one text, made by the page: Vega reads titles of tooltips as parts of a program
    tip = {"field": "tip", "type": "nominal", "title": "row"}
    dots: Spec = {
        "data": {"name": "rows"},
        "mark": {"type": "point", "filled": True, "cursor": "pointer"},
        "encoding": {
            "x": x,
            "y": y,
            "color": _colour_by("a"),
            "opacity": {"condition": {"test": "datum.a == 1", "value": 0.9}, "value": 0.35},
            "size": {"condition": {"test": "datum.a == 1", "value": 55}, "value": 22},
            "order": measure("a"),
            "tooltip": [tip],
        },
    }
    ring: Spec = {
        "data": {"name": "chosen"},
        "mark": {"type": "point", "filled": False, "size": 190, "strokeWidth": 2, "stroke": {"expr": "ink"}},
        "encoding": {"x": x, "y": y},
    }
    return _make_chart(["rows", "chosen"], 340) | {"layer": [dots, ring]}


def make_reasons() -> Spec:
    """What features contribute to one row: `name` with its value, `v` in nats, `note` (what is expected)."""
    y: Spec = {
        "field": "name",
        "type": "nominal",
        "sort": None,
        "axis": {"title": None, "labelLimit": 230, "ticks": False, "domain": False},
    }
    tips: list[Spec] = [
        {"field": "name", "type": "nominal", "title": "feature"},
        {"field": "note", "type": "nominal", "title": "beside"},
        measure("v", title="nats", format=".4g"),
    ]
    bars: Spec = {
        "mark": {"type": "bar"},
        "encoding": {
            "x": measure("v", axis={"title": "contribution (nats)", "tickCount": 5}),
            "y": y,
            "color": {
                "condition": {"test": "datum.v > 0", "value": {"expr": ANOMALY}},
                "value": {"expr": "accent"},
            },
            "tooltip": tips,
        },
    }
    return _make_chart(["reasons"], 260) | {"data": {"name": "reasons"}, **bars}
