"""The small pictures of a page: the criterion of all models, uncertainties, the likelihood trace."""

from __future__ import annotations

from gaussmix.report.look import FIT, SCHEMA, Spec, list_choices, list_theme, make_config, measure

#: Whole numbers alone are written at an axis.
WHOLE: Spec = {"labelExpr": "datum.value % 1 == 0 ? format(datum.value, ',d') : ''"}


def _make_chart(dataset: str, height: int, params: list[Spec] | None = None) -> Spec:
    return {
        "$schema": SCHEMA,
        "params": [*list_theme(), *(params or [])],
        "config": make_config(),
        "datasets": {dataset: []},
        "data": {"name": dataset},
        "height": height,
        **FIT,
    }


def make_trace() -> Spec:
    """The mean log-likelihood of each iteration: fields `i` and `v`."""
    title, colour = "mean log-likelihood", {"expr": "accent"}
    tooltip = [measure("i", title="iteration"), measure("v", title=title, format=".8g")]
    return _make_chart("trace", 170) | {
        "mark": {"type": "line", "point": {"size": 18, "color": colour}, "color": colour},
        "encoding": {
            "x": measure("i", axis={"title": "iteration", **WHOLE}),
            "y": measure("v", axis={"title": title, "tickCount": 5}, scale={"zero": False}),
            "tooltip": tooltip,
        },
    }


def make_doubts() -> Spec:
    """How many rows (`n`) are more uncertain than each threshold (`t`), and the threshold that is set."""
    scale = {"domain": [0, 100], "nice": False}
    x = measure("t", scale=scale, axis={"title": "uncertainty threshold (%)"})
    y = measure("n", axis={"title": "rows above", "tickCount": 5, **WHOLE})
    area = {"type": "area", "interpolate": "step-after", "color": {"expr": "accent"}, "opacity": 0.25}
    ink = {"color": {"expr": "ink"}, "opacity": 1}
    here = [{"filter": "datum.t == threshold"}]
    return _make_chart("doubts", 170, list_choices()) | {
        "layer": [
            {"mark": {**area, "line": {"color": {"expr": "accent"}}}, "encoding": {"x": x, "y": y}},
            {"transform": here, "mark": {"type": "rule", "strokeDash": [4, 3], **ink}, "encoding": {"x": x}},
            {
                "transform": here,
                "mark": {"type": "point", "filled": True, "size": 70, **ink},
                "encoding": {"x": x, "y": y},
            },
        ],
    }


def make_scores(title: str, low: float, high: float) -> Spec:
    """The criterion (`v`) by number of components (`k`), a line for each family (`f`).

    Values beyond the ends are cut off: those of hopeless models would press all others together.
    """
    chosen = "datum.f == family"
    x = measure("k", axis={"title": "components", **WHOLE}, scale={"nice": False, "padding": 10})
    scale = {"domain": [low, high], "zero": False, "nice": True}
    y = measure("v", axis={"title": title, "tickCount": 5}, scale=scale)
    colour = {"condition": {"test": chosen, "value": {"expr": "accent"}}, "value": {"expr": "quiet"}}
    line = {
        "mark": {"type": "line", "strokeWidth": 1.5, "clip": True},
        "encoding": {
            "x": x,
            "y": y,
            "detail": {"field": "f", "type": "nominal"},
            "color": colour,
            "opacity": {"condition": {"test": chosen, "value": 1}, "value": 0.35},
        },
    }
    big = {"condition": {"test": f"{chosen} && datum.k == number", "value": 130}, "value": 26}
    dot = {
        "mark": {"type": "point", "filled": True, "cursor": "pointer", "clip": True},
        "encoding": {
            "x": x,
            "y": y,
            "size": big,
            "color": colour,
            "opacity": {"condition": {"test": chosen, "value": 1}, "value": 0.5},
            "tooltip": [
                {"field": "f", "type": "nominal", "title": "family"},
                measure("k", title="components"),
                measure("v", title=title, format=".6g"),
            ],
        },
    }
    choice: list[Spec] = [{"name": "family", "value": ""}, {"name": "number", "value": 0}]
    return _make_chart("scores", 220, choice) | {"layer": [line, dot]}
