"""What `gaussmix detect` prints: what was fitted, how many rows are anomalies, and the worst of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer

from gaussmix._reading.named_rows import NamedRows
from gaussmix._text import GAP, count_noun, make_printable, make_text_table
from gaussmix.apps.anomaly.detection import Detection
from gaussmix.cli.detect_options import DetectTask
from gaussmix.cli.using import number_rows
from gaussmix.data.tables import Table


def print_detection(detector: Any, table: Table, found: Detection, task: DetectTask, seed: int) -> None:
    """Print the summary of a detection."""
    lines = [*describe_detection(detector, table, found, task.fdr), ""]
    lines += list_worst(detector, table, found, task.worst, task.explain)
    lines += ["", f"seed   {seed}"] if task.model is None else []
    for line in lines:
        typer.echo(make_printable(line))


def describe_detection(detector: Any, table: Table, found: Detection, fdr: float | None) -> list[str]:
    """How many rows are anomalies, by which rule, beside which normal rows."""
    n, n_anomalies = len(found.scores), found.n_anomalies
    are = "is an anomaly" if n_anomalies == 1 else "are anomalies"
    rows = "row" if n == 1 else "rows"
    rule = (
        f"they score below {detector.offset_:.6g}"
        if fdr is None
        else f"chosen so that {100 * fdr:g} % of them are normal at most, on average"
    )
    lines = [f"Of {n:,} {rows} {n_anomalies:,} {are} ({100 * n_anomalies / n:.3g} %): {rule}."]
    mixture = detector.model_.mixture
    trim = f"; the fit left out {100 * detector.trim_:.3g} % of its rows" if detector.trim_ else ""
    lines.append(
        f"Normal rows: {count_noun(mixture.n_components, 'component')}, "
        f"{count_noun(mixture.n_features, 'feature')}, covariance {mixture.covariance_type}{trim}."
    )
    return lines


def list_worst(detector: Any, table: Table, found: Detection, number: int, n_features: int) -> Sequence[str]:
    """The rows of lowest score, a line each: row, score, p-value, whether an anomaly, reasons."""
    if not number:
        return []
    worst = found.rank(number)
    rows = number_rows(table)[worst]
    header = ["row", "score", *(["p-value"] if found.pvalues is not None else []), "anomaly"]
    cells = [
        [
            str(row),
            f"{found.scores[i]:.6g}",
            *([f"{found.pvalues[i]:.3g}"] if found.pvalues is not None else []),
            "yes" if found.anomalous[i] else "no",
        ]
        for row, i in zip(rows, worst, strict=True)
    ]
    lines = make_text_table([header, *cells]).splitlines()
    if n_features:
        reasons = detector.explain(NamedRows(table.values[worst], table.names)).reasons(n_features)
        lines = [GAP.join(pair) for pair in zip(lines, ["reasons", *reasons], strict=True)]
    return [line.rstrip() for line in lines]
