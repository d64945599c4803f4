"""The page about anomalies as HTML: a template filled with the summary, and what its script reads."""

from __future__ import annotations

from typing import Any

from gaussmix.plot.score_bins import ScoreHistogram
from gaussmix.report.detection import DetectionSummary
from gaussmix.report.detection_charts import ANOMALY, make_histogram, make_plane, make_reasons
from gaussmix.report.look import THEME
from gaussmix.report.pages import fill_page

#: The scripts of the page, in the order in which they are run.
SCRIPTS = ("shared.js", "detection.js")


def render_detection(summary: DetectionSummary) -> str:
    """The page as HTML. Raises ImportError, which says what to install, where Jinja is absent."""
    return fill_page(
        "detection.html.jinja",
        SCRIPTS,
        make_document(summary),
        title=summary.title,
        subtitle=summary.subtitle,
        verdict=summary.verdict,
        listed=summary.listed,
        has_pvalues=summary.has_pvalues,
        features=list(enumerate(summary.features)),
        histogram_caption=_write_histogram_caption(summary.histogram),
        plane_caption=_write_plane_caption(summary),
        n_anomalies=summary.histogram.n_anomalies,
        recipe=summary.recipe,
        command=summary.command,
        snippet=summary.snippet,
    )


def make_document(summary: DetectionSummary) -> dict[str, Any]:
    """What the script of the page reads."""
    found = summary.histogram
    bars = [
        {"lo": lo, "hi": hi, "n": n, "a": int(anomalous), "scores": _name_bar(found, i)}
        for i, (lo, hi, n, anomalous) in enumerate(
            zip(
                found.edges[:-1].tolist(),
                found.edges[1:].tolist(),
                found.counts.tolist(),
                found.anomalous,
                strict=True,
            )
        )
        if n
    ]
    low, high = float(found.edges[0]), float(found.edges[-1])
    return {
        "listed": summary.listed,
        "features": summary.features,
        "rows": summary.rows,
        "bars": bars,
        "threshold": found.threshold,
        "specs": {
            "histogram": make_histogram(low, high, int(found.counts.max())),
            "plane": make_plane(),
            "reasons": make_reasons(),
        },
        "theme": [*THEME, ANOMALY],
    }


def _name_bar(found: ScoreHistogram, i: int) -> str:
    if i == 0 and found.n_below:
        return f"below {found.edges[1]:.4g}"
    return f"{found.edges[i]:.4g} to {found.edges[i + 1]:.4g}"


def _write_histogram_caption(found: ScoreHistogram) -> str:
    text = f"Rows by score, on a logarithmic axis. The dashed line is the threshold, {found.threshold:.4g}."
    if found.n_below:
        text += f" The first bar holds {found.n_below:,} rows of lower scores, too."
    return text


def _write_plane_caption(summary: DetectionSummary) -> str:
    text = "Anomalies are larger. A click on one that is in the table shows its reasons."
    if not summary.complete:
        text += f" A sample of {len(summary.rows['numbers']):,} of {summary.histogram.n_rows:,} rows."
    return text
