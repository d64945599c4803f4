"""From a detector and rows to what a page about anomalies says: a frozen value of plain words and numbers."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gaussmix._reading.named_rows import NamedRows
from gaussmix._text import count_noun
from gaussmix._typing import FloatArray, IntArray
from gaussmix._version import __version__
from gaussmix.apps.anomaly.detection import Detection
from gaussmix.apps.anomaly.explanation import Explanation, write_nats, write_values
from gaussmix.plot.score_bins import ScoreHistogram, count_scores
from gaussmix.report.features import round_numbers

#: Rows of lowest score that are listed.
MOST_LISTED = 50
#: Rows in the picture that are no anomalies, and anomalies in it beside those listed.
MOST_NORMAL, MOST_ANOMALIES = 2_500, 1_500
#: Features among which the reader chooses two.
MOST_FEATURES = 12
#: Features whose bars are shown for a row; the others are one bar.
MOST_BARS = 12
#: Features that the text of a row names.
MOST_REASONS = 3


@dataclass(frozen=True, eq=False)
class DetectionSummary:
    """All that a page about anomalies says.

    Parameters
    ----------
    title, subtitle : str
    verdict : tuple of str
        Sentences.
    histogram : ScoreHistogram
    listed : tuple of dict
        The rows of lowest score: number, score, p-value if any, whether an anomaly, component, reasons.
    features : tuple of str
        Names of the features in the picture, those that contribute most first.
    rows : dict
        The rows in the picture: numbers, columns, which are anomalies.
    complete : bool
        Whether all rows are in the picture.
    has_pvalues : bool
    recipe : tuple of (str, str)
    command, snippet : str
    """

    title: str
    subtitle: str
    verdict: tuple[str, ...]
    histogram: ScoreHistogram
    listed: tuple[dict[str, Any], ...]
    features: tuple[str, ...]
    rows: dict[str, Any]
    complete: bool
    has_pvalues: bool
    recipe: tuple[tuple[str, str], ...]
    command: str
    snippet: str


def summarise_detection(
    detector: Any,
    X: FloatArray,
    found: Detection,
    names: Sequence[str],
    *,
    numbers: IntArray,
    fit_numbers: IntArray | None,
    verdict: Sequence[str] | None,
    source: str | None,
    command: str | None,
    options: Mapping[str, Any],
    title: str | None,
) -> DetectionSummary:
    """The summary of what a detector says of the rows X, shape (n, d).

    `numbers` are what these rows are called, `fit_numbers` what those of the fit are, if not by their places.
    """
    places = found.rank(MOST_LISTED)
    why = replace(detector.explain(ask_rows(detector, X[places])), feature_names=tuple(names))
    if fit_numbers is not None and (why.neighbours >= 0).all():
        why = replace(why, neighbours=fit_numbers[why.neighbours])
    reasons = [[str(reason) for reason in row] for row in why.list_reasons(MOST_REASONS)]
    shown = choose_features(why, found.anomalous[places])
    drawn = draw_places(found, places)
    return DetectionSummary(
        title=title or ("Anomalies" if source is None else f"Anomalies in {source}"),
        subtitle=f"{len(X):,} row{'' if len(X) == 1 else 's'}, {count_noun(X.shape[1], 'feature')}.",
        verdict=tuple(verdict or write_verdict(detector, found, reasons, int(numbers[places[0]]))),
        histogram=count_scores(found.scores, found.threshold),
        listed=tuple(
            describe_row(i, why, found, int(place), int(numbers[place])) | {"reasons": reasons[i]}
            for i, place in enumerate(places)
        ),
        features=tuple(names[j] for j in shown),
        rows={
            "numbers": numbers[drawn].tolist(),
            "columns": [round_numbers(np.asarray(X[drawn, j], dtype=np.float64)) for j in shown],
            "anomalous": found.anomalous[drawn].astype(int).tolist(),
        },
        complete=len(drawn) == len(X),
        has_pvalues=found.pvalues is not None,
        recipe=tuple(list_facts(detector, X, found, source, options)),
        command=command or "",
        snippet=write_snippet(detector, source),
    )


def choose_features(why: Explanation, anomalous: Any) -> list[int]:
    """The features that contribute most to the anomalies among the rows explained, the first one first."""
    rows = anomalous if anomalous.any() else slice(None)
    with np.errstate(invalid="ignore", over="ignore"):
        sizes = np.maximum(why.contributions[rows], 0.0)
        shares = sizes / np.maximum(sizes.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    order = np.argsort(-shares.sum(axis=0), kind="stable")[:MOST_FEATURES]
    return [int(j) for j in order]


def draw_places(found: Detection, listed: IntArray) -> IntArray:
    """The rows in the picture, in order: those listed, and uniform samples of anomalies and of others."""
    generator = np.random.default_rng(0)
    kept = [listed]
    for chosen, most in ((found.anomalous, MOST_ANOMALIES), (~found.anomalous, MOST_NORMAL)):
        places = np.flatnonzero(chosen)
        kept.append(places if len(places) <= most else generator.choice(places, most, replace=False))
    return np.unique(np.concatenate(kept))


def write_verdict(
    detector: Any, found: Detection, reasons: Sequence[Sequence[str]], strangest: int
) -> list[str]:
    """Sentences for readers who know no statistics."""
    n, number = len(found.scores), found.n_anomalies
    are = "is an anomaly" if number == 1 else "are anomalies"
    lines = [f"{number:,} of {n:,} rows {are} ({100.0 * number / n:.3g} %)."]
    if number and reasons[0]:
        lines.append(f"The strangest is row {strangest}: {reasons[0][0]}.")
    if found.fdr is None:
        lines.append(f"A row is an anomaly if its score is below {found.threshold:.4g}.")
    else:
        share = f"{100.0 * found.fdr:g} %"
        lines.append(f"Anomalies were chosen so that {share} of them are normal at most, on average.")
    mixture = detector.model_.mixture
    number_of = count_noun(mixture.n_components, "component")
    trim = f"; the fit left out {100.0 * detector.trim_:.3g} % of its rows" if detector.trim_ else ""
    lines.append(f"Normal rows: {number_of}, covariance {mixture.covariance_type}{trim}.")
    return lines


def describe_row(i: int, why: Explanation, found: Detection, place: int, number: int) -> dict[str, Any]:
    """What the page says of the row at a place of the table, which is row i of those explained."""
    contributions = why.contributions[i]
    order = np.argsort(-np.abs(contributions), kind="stable")
    most = MOST_BARS if len(order) <= MOST_BARS else MOST_BARS - 1
    shown = sorted(order[:most].tolist(), key=lambda j: -contributions[j])
    described: dict[str, Any] = {
        "number": number,
        "score": f"{found.scores[place]:.6g}",
        "pvalue": None if found.pvalues is None else f"{found.pvalues[place]:.3g}",
        "anomalous": bool(found.anomalous[place]),
        "component": int(why.components[i]),
        "deficit": write_nats(float(why.deficits[i])),
        "features": [describe_feature(i, j, why) for j in shown],
        "others": None,
        "neighbour": None,
    }
    if most < len(order):
        described["others"] = [len(order) - most, round_finite(contributions[order[most:]].sum())]
    if why.neighbours[i] >= 0:
        described["neighbour"] = [int(why.neighbours[i]), f"{why.distances[i]:.3g}"]
    return described


def describe_feature(i: int, j: int, why: Explanation) -> dict[str, Any]:
    """What the page says of one feature of a row."""
    value, expected, typical, neighbour = (
        float(values[i, j]) for values in (why.values, why.expected, why.typical, why.neighbour_values)
    )
    text, told = write_values(value, expected)
    return {
        "name": why.feature_names[j],
        "contribution": round_finite(why.contributions[i, j]),
        "value": text,
        "expected": told,
        "typical": write_values(value, typical)[1],
        "neighbour": "" if np.isnan(neighbour) else write_values(value, neighbour)[1],
    }


def round_finite(value: Any) -> float:
    """A number with six digits; what is not finite, as the largest that JSON has."""
    return round_numbers(np.nan_to_num(np.asarray(value, dtype=np.float64), nan=0.0))[0]


def ask_rows(detector: Any, X: FloatArray) -> Any:
    """The rows under the names by which a detector knows its columns, if it does."""
    names = getattr(detector, "feature_names_in_", None)
    return X if names is None else NamedRows(X, [str(name) for name in names])


def list_facts(
    detector: Any, X: FloatArray, found: Detection, source: str | None, options: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """What was fitted and asked, with which options and versions, by name."""
    import numpy
    import scipy

    calibration = detector.calibration_
    facts = [
        ("Data", source or ""),
        ("Rows", f"{len(X):,} of {count_noun(X.shape[1], 'feature')}"),
        ("Threshold", f"{found.threshold:.6g}"),
        ("False-discovery rate", "" if found.fdr is None else f"{found.fdr:g}"),
        ("Left out of the fit", f"{100.0 * detector.trim_:.3g} %" if detector.trim_ else ""),
        ("Calibration rows", "" if calibration is None else f"{calibration.calibration.weight:,.10g}"),
        *((name, str(value)) for name, value in options.items() if value is not None),
        (
            "Versions",
            f"gaussmix {__version__}, NumPy {numpy.__version__}, SciPy {scipy.__version__}, "
            f"Python {platform.python_version()}",
        ),
    ]
    return [(name, value) for name, value in facts if value]


def write_snippet(detector: Any, source: str | None) -> str:
    """Lines of Python that make the page again, given the rows."""
    return "\n".join(
        [
            f"# X: the rows{'' if source is None else f' of {source!r}'}, or others to learn from",
            "import gaussmix",
            "",
            f"detector = gaussmix.{detector!r}.fit(X)",
            'gaussmix.write_report(detector, X, "report.html")',
        ]
    )
