"""The page about a classifier as HTML: a template filled with the summary, and what its script reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gaussmix._typing import FloatArray, IntArray
from gaussmix.apps.classes.calibration import Reliability
from gaussmix.estimators._holding_out import HeldOut
from gaussmix.report.classification import ClassificationSummary, summarise_classification
from gaussmix.report.classification_charts import make_class_plane, make_reliability, make_sureness
from gaussmix.report.look import THEME
from gaussmix.report.pages import fill_page
from gaussmix.report.palette import DARK, LIGHT

#: The scripts of the page, in the order in which they are run.
SCRIPTS = ("shared.js", "classification.js")
#: Standard errors of the share in a bin, each way, that its bar shows.
WIDTH = 2.0


def make_classification_report(
    model: Any,
    X: FloatArray,
    held: HeldOut,
    feature_names: Sequence[str],
    *,
    numbers: IntArray,
    target: str,
    source: str | None = None,
    command: str | None = None,
) -> str:
    """The page about a fitted classifier and what was said of rows that were held out, as a text.

    Raises ImportError, which says what to install, where Jinja is absent.
    """
    summary = summarise_classification(
        model, X, held, feature_names, numbers=numbers, target=target, source=source, command=command
    )
    return render_classification(summary)


def render_classification(summary: ClassificationSummary) -> str:
    """The page as HTML."""
    return fill_page(
        "classification.html.jinja",
        SCRIPTS,
        make_document(summary),
        title=summary.title,
        subtitle=summary.subtitle,
        verdict=summary.verdict,
        facts=summary.facts,
        table=summary.table,
        shown=summary.shown,
        n_left=len(summary.classes) - len(summary.shown),
        listed=summary.listed,
        features=list(enumerate(summary.features)),
        plane_caption=_write_plane_caption(summary),
        recipe=summary.recipe,
        command=summary.command,
        snippet=summary.snippet,
    )


def make_document(summary: ClassificationSummary) -> dict[str, Any]:
    """What the script of the page reads."""
    found = summary.reliability
    low = float(found.edges[0])
    return {
        "classes": summary.classes,
        "features": summary.features,
        "rows": summary.rows,
        "bins": list_bins(found),
        "counts": [
            {"from": float(one), "to": float(other), "n": float(n)}
            for one, other, n in zip(found.edges[:-1], found.edges[1:], found.counts, strict=True)
        ],
        "specs": {
            "reliability": make_reliability(low),
            "sureness": make_sureness(low),
            "plane": make_class_plane(summary.classes),
        },
        "palette": {"light": LIGHT, "dark": DARK},
        "theme": THEME,
    }


def list_bins(found: Reliability) -> list[dict[str, float]]:
    """The bins that have rows: mean probability, share, and what it may be by chance (Agresti and Coull)."""
    bins = []
    for x, y, n in zip(found.stated, found.found, found.counts, strict=True):
        if n > 0.0:
            size = n + WIDTH**2
            centre = (y * n + 0.5 * WIDTH**2) / size
            off = WIDTH * float(np.sqrt(centre * (1.0 - centre) / size))
            ends = {"lo": max(0.0, centre - off), "hi": min(1.0, centre + off)}
            bins.append(
                {"x": float(x), "y": float(y), "n": float(n), **{k: float(v) for k, v in ends.items()}}
            )
    return bins


def _write_plane_caption(summary: ClassificationSummary) -> str:
    text = "Rows in the colours of their classes; a cross is a row that got another class."
    if not summary.complete:
        text += f" A sample of {len(summary.rows['numbers']):,} rows, with those of the table above."
    return text
