"""What all pictures share: the look, the theme, axes, colours. Vega-Lite as plain dicts.

Altair would say the same at the price of importing it (0.4 s); the tests check every specification against
its schema.
"""

from __future__ import annotations

from typing import Any

from gaussmix.report.features import Feature

Spec = dict[str, Any]

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
#: Colours that the page sets by its theme: parameters of every picture.
THEME = ("ink", "quiet", "paper", "faint", "accent")
#: The label of rows that are noise, in the page.
NOISE = -1
#: In place of a component, where none is pointed at.
NOBODY = -9
#: Opacity of what belongs to another component than the one that is pointed at.
FAINT = 0.08
#: Room for the numbers of an axis, in pixels: the same in all panels of a figure, so that these are aligned.
AXIS_WIDTH, AXIS_HEIGHT = 46, 22
#: A picture takes the width that there is, its axes included.
FIT: Spec = {"width": "container", "autosize": {"type": "fit", "contains": "padding"}}


def list_theme() -> list[Spec]:
    """The parameters that stand for colours."""
    return [{"name": name, "value": "gray"} for name in THEME]


def list_choices() -> list[Spec]:
    """The parameters that stand for what the reader points at and has chosen."""
    return [{"name": "hovered", "value": NOBODY}, {"name": "threshold", "value": 20}]


def make_config() -> Spec:
    """The look of all pictures."""
    text = {"labelColor": {"expr": "quiet"}, "titleColor": {"expr": "ink"}}
    lines = {"domainColor": {"expr": "quiet"}, "tickColor": {"expr": "quiet"}}
    fonts = {"labelFontSize": 11, "titleFontSize": 12, "titleFontWeight": "normal"}
    return {
        "background": "transparent",
        "font": "system-ui, sans-serif",
        "view": {"stroke": None},
        "axis": {**text, **lines, **fonts, "grid": False, "titleLimit": 220},
    }


def make_axis(feature: Feature, *, shown: bool = True, across: bool = True) -> Spec:
    """The axis of a feature; where it is not shown its ticks are."""
    axis: Spec = {
        "title": feature.name if shown else None,
        "labels": shown,
        "tickCount": 5,
        "labelOverlap": True,
    }
    extent = (AXIS_HEIGHT if across else AXIS_WIDTH) if shown else 0
    axis |= {"minExtent": extent, "maxExtent": extent}
    return axis | ({"format": feature.format} if feature.format else {})


def make_position(field: str, feature: Feature, axis: Spec) -> Spec:
    """A channel of position along a feature, whose ends are the same for every model."""
    scale = {"domain": [feature.low, feature.high], "nice": False, "zero": False}
    return {"field": field, "type": "quantitative", "scale": scale, "axis": axis}


def make_colour(n_colours: int) -> Spec:
    """The colour of a component, field `c`."""
    colours: list[Spec] = [{"expr": "quiet"}, *({"expr": f"palette[{c}]"} for c in range(n_colours))]
    scale = {"domain": [NOISE, *range(n_colours)], "range": colours}
    return {"field": "c", "type": "nominal", "scale": scale, "legend": None}


def make_opacity(full: float) -> Spec:
    """Full opacity, but where another component is pointed at."""
    test = f"hovered == {NOBODY} || hovered == datum.c"
    return {"condition": {"test": test, "value": full}, "value": FAINT}


def make_dash() -> Spec:
    """Dashes where colours repeat."""
    return {"condition": {"test": "datum.dashed", "value": [6, 3]}, "value": [1, 0]}


def measure(field: str, **parts: Any) -> Spec:
    """A channel of a number."""
    return {"field": field, "type": "quantitative", **parts}
