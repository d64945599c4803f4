"""From a summary to the text of a page: the template filled, the numbers as JSON in a script."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from gaussmix._version import __version__
from gaussmix.report.bundle import read_bundle
from gaussmix.report.charts import make_doubts, make_scores, make_trace
from gaussmix.report.figure import find_top, make_figure
from gaussmix.report.grid import Grid
from gaussmix.report.look import THEME
from gaussmix.report.palette import DARK, LIGHT
from gaussmix.report.summary import Summary, explain_failure, explain_family, find_shade, name_cell, write_gap

FOLDER = Path(__file__).with_name("page")
#: The scripts of the page, in the order in which they are run.
SCRIPTS = ("shared.js", "models.js", "page.js")


def render_page(summary: Summary) -> str:
    """The page as HTML. Raises ImportError, which says what to install, where Jinja is absent."""
    grid = summary.grid
    many = len(summary.models) > 1
    return fill_page(
        "page.html.jinja",
        SCRIPTS,
        make_document(summary),
        title=summary.title,
        subtitle=summary.subtitle,
        verdict=summary.verdict,
        many=many,
        numbers=grid.numbers,
        grid=_list_cells(summary),
        grid_help=_explain_grid(summary),
        names=[feature.name for feature in summary.features],
        caption=_write_caption(summary),
        table_note=_write_table_note(summary),
        recipe=summary.recipe,
        command=summary.command,
        snippet=summary.snippet,
    )


def fill_page(template: str, scripts: Sequence[str], document: dict[str, Any], **texts: Any) -> str:
    """A template with its texts, and with what all pages have: style, scripts, and numbers that these read.

    Raises ImportError, which says what to install, where Jinja is absent.
    """
    page: str = _load_template(template).render(
        **texts,
        document=embed_json(document),
        style=(FOLDER / "page.css").read_text("utf-8"),
        scripts=[(FOLDER / name).read_text("utf-8") for name in scripts],
        vega=read_bundle(),
        version=__version__,
    )
    return page


@cache
def _load_template(name: str) -> Any:
    """A template of the folder. Raises ImportError, which says what to install, where Jinja is absent."""
    try:
        from jinja2 import Environment, StrictUndefined
    except ModuleNotFoundError as error:
        raise ImportError('a report needs Jinja: pip install "gaussmix[report]"') from error
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.from_string((FOLDER / name).read_text("utf-8"))


def embed_json(document: Any) -> str:
    r"""JSON that may stand in a script of a page: no character in it can end the script.

    Examples
    --------
    >>> print(embed_json({"name": "</script>"}))
    {"name":"\u003c/script\u003e"}
    """
    text = json.dumps(document, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def make_document(summary: Summary) -> dict[str, Any]:
    """What the script of the page reads."""
    grid, features = summary.grid, summary.features
    n_colours = summary.most_components
    first = next(
        i for i, model in enumerate(summary.models) if (model["family"], model["k"]) == grid.shown_first
    )
    described = [{"name": f.name, "low": f.low, "high": f.high, "top": find_top(f)} for f in features]
    drawn = {
        "figure": make_figure(features, n_colours),
        "trace": make_trace(),
        "doubts": make_doubts(),
        "scores": make_scores(grid.criterion.title, *find_score_limits(grid)),
    }
    return {
        "features": described,
        "models": summary.models,
        "first": first,
        "rows": summary.list_rows(),
        "specs": drawn,
        "theme": THEME,
        "palette": {"light": LIGHT, "dark": DARK},
        "colours": n_colours,
    }


def find_score_limits(grid: Grid) -> tuple[float, float]:
    """The ends of the axis of the criterion: from the best to what three models in four are better than."""
    if grid.best is None:
        return 0.0, 1.0
    best = grid.scores[grid.best]
    gaps = sorted(abs(score - best) for score in grid.scores.values())
    reach = max(1.5 * gaps[(3 * len(gaps)) // 4], 1e-9 * abs(best), 1e-9)
    low, high = (best - reach, best) if grid.criterion.greater_is_better else (best, best + reach)
    return low - 0.06 * reach, high + 0.06 * reach


def _list_cells(summary: Summary) -> list[dict[str, Any]]:
    """The grid row by row; None where a family was not asked for with that number."""
    grid = summary.grid
    index = {(model["family"], model["k"]): i for i, model in enumerate(summary.models)}
    rows = []
    for family in grid.families:
        cells: list[dict[str, Any] | None] = []
        for k in grid.numbers:
            key = family, k
            if key not in index:
                cells.append(None)
                continue
            gap = grid.find_gap(key)
            text = explain_failure(grid.reasons.get(key, "")) if gap is None else write_gap(gap)
            name, style = name_cell(grid, key), find_shade(grid, key)
            cells.append({"index": index[key], "text": text, "name": name, "style": style})
        rows.append({"family": family, "meaning": explain_family(grid, family), "cells": cells})
    return rows


def _explain_grid(summary: Summary) -> str:
    grid = summary.grid
    text = f"{grid.criterion.title} behind the best, by family and number of components: 0 is the best"
    text += (
        "."
        if grid.criterion.greater_is_better
        else ", less than 2 hardly differs, over 10 is strong evidence."
    )
    marks = {explain_failure(reason) for reason in grid.reasons.values()}
    meanings = {"x": "a component collapsed", "–": "every start failed", "·": "not fitted"}
    text += "".join(f" {mark} {meaning}." for mark, meaning in meanings.items() if mark in marks)
    return f"{text} Choose a cell to see its model; arrow keys move, Enter chooses."


def _write_caption(summary: Summary) -> str:
    features, sample = summary.features, summary.sample
    parts = []
    if len(features) == 1:
        parts.append(
            "Histogram of all rows, the density of each component and of the whole; the rows below the axis."
        )
    else:
        parts.append(
            "Each row has the colour of its most probable component. Ellipses hold 39 % and 86 % of theirs."
        )
    parts.append("Rows with a ring are more uncertain than the threshold below.")
    if not sample.complete:
        parts.append(f"A sample of {len(sample.places):,} of {len(sample.numbers):,} rows.")
    parts.append(_say_features(summary))
    return " ".join(part for part in parts if part)


def _say_features(summary: Summary) -> str:
    shown, d = len(summary.features), len(summary.names)
    if shown == d:
        return ""
    which = ": those that tell the components of the best model apart most" if summary.ranked else ""
    return f"{shown} of {d} features are shown{which}."


def _write_table_note(summary: Summary) -> str:
    rows = "rows" if summary.sample.complete else "rows of the sample"
    text = (
        f"Mean ± standard deviation of each feature; the {rows} whose most probable component it is, and how "
        "many of these are more uncertain than the threshold."
    )
    constant = [feature.name for feature in summary.features if feature.constant]
    if constant:
        text += f" The same in all rows: {', '.join(constant)}."
    return " ".join(part for part in (text, _say_features(summary)) if part)
