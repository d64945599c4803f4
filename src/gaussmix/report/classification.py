"""From a classifier and rows that were held out to what a page says: a frozen value of words and numbers."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gaussmix._text import count_noun, shorten
from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix._version import __version__
from gaussmix.apps.classes.calibration import Reliability
from gaussmix.apps.classes.describing import describe_model
from gaussmix.estimators._holding_out import HeldOut
from gaussmix.report.features import round_numbers

#: Rows that are listed, those whose own class seemed least probable.
MOST_LISTED = 50
#: Rows in the picture that got their own class; and others, beside those listed.
MOST_RIGHT, MOST_WRONG = 2_500, 1_500
#: Features among which the reader chooses two.
MOST_FEATURES = 12
#: Classes in the table of what was taken for what.
MOST_CLASSES = 20
#: Characters of a class's name.
MOST_NAME = 40


@dataclass(frozen=True, eq=False)
class ClassificationSummary:
    """All that a page about a classifier says.

    Parameters
    ----------
    title, subtitle : str
    verdict : tuple of str
        Sentences.
    facts : tuple of (str, str)
        Accuracy and losses.
    reliability : Reliability
    classes : tuple of str
    table : tuple of dict
        A class each, those of most rows first: name, rows, recall, precision, what its rows were taken for.
    shown : tuple of str
        The classes of the columns of the table, in its order.
    listed : tuple of dict
        The rows whose own class seemed least probable: number, class, label, both probabilities, log-density.
    features : tuple of str
        Names of the features in the picture, those that tell classes apart most first.
    rows : dict
        The rows in the picture: numbers, columns, classes, and which got another class.
    complete : bool
        Whether all rows that were held out are in the picture.
    recipe : tuple of (str, str)
    command, snippet : str
    """

    title: str
    subtitle: str
    verdict: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    reliability: Reliability
    classes: tuple[str, ...]
    table: tuple[dict[str, Any], ...]
    shown: tuple[str, ...]
    listed: tuple[dict[str, Any], ...]
    features: tuple[str, ...]
    rows: dict[str, Any]
    complete: bool
    recipe: tuple[tuple[str, str], ...]
    command: str
    snippet: str


def summarise_classification(
    model: Any,
    X: FloatArray,
    held: HeldOut,
    names: Sequence[str],
    *,
    numbers: IntArray,
    target: str,
    source: str | None,
    command: str | None,
) -> ClassificationSummary:
    """The summary of a classifier by what its kind said of rows among X, shape (n, d), that were held out.

    `numbers` are what the rows of X are called.
    """
    classes = tuple(shorten(str(name), MOST_NAME) for name in held.classes)
    found, confusion = held.reliability, held.confusion
    own = held.probabilities[np.arange(len(held.truth)), held.truth]
    listed = np.argsort(own, kind="stable")[:MOST_LISTED]
    drawn = draw_rows(held, listed)
    features = rank_features(np.asarray(X[held.places], dtype=np.float64), held.truth)[:MOST_FEATURES]
    table, shown = tabulate(classes, confusion)
    n = len(held.truth)
    return ClassificationSummary(
        title=f"Classes of {target}" if source is None else f"Classes of {target} in {source}",
        subtitle=f"{n:,} rows of {len(classes)} classes, {count_noun(X.shape[1], 'feature')}.",
        verdict=tuple(write_verdict(model, classes, held, found)),
        facts=tuple(list_losses(held, found)),
        reliability=found,
        classes=classes,
        table=table,
        shown=shown,
        listed=tuple(describe_row(held, classes, int(i), int(numbers[held.places[i]])) for i in listed),
        features=tuple(names[j] for j in features),
        rows={
            "numbers": numbers[held.places[drawn]].tolist(),
            "columns": [
                round_numbers(np.asarray(X[held.places[drawn], j], dtype=np.float64)) for j in features
            ],
            "classes": held.truth[drawn].tolist(),
            "wrong": (held.labels != held.truth)[drawn].astype(int).tolist(),
        },
        complete=len(drawn) == n,
        recipe=tuple(list_facts(model, X, held, source)),
        command=command or "",
        snippet=write_snippet(model, source, target),
    )


def rank_features(X: Float64Array, labels: IntArray) -> list[int]:
    """The features in the order of the variance between classes, as a share of the whole."""
    counts = np.bincount(labels)
    scale = np.maximum(np.abs(X).max(axis=0), np.finfo(float).tiny)
    Z = X / scale  # squares of huge numbers are none
    means = np.array([Z[labels == c].mean(axis=0) for c in range(len(counts))])
    between = counts @ np.square(means - Z.mean(axis=0))
    whole = np.square(Z - Z.mean(axis=0)).sum(axis=0)
    shares = np.divide(between, whole, out=np.zeros(len(whole)), where=whole > 0.0)
    return [int(j) for j in np.argsort(-shares, kind="stable")]


def draw_rows(held: HeldOut, listed: IntArray) -> IntArray:
    """The rows in the picture, in order: those listed, and uniform samples of right and wrong ones."""
    generator, wrong = np.random.default_rng(0), held.labels != held.truth
    kept = [listed]
    for chosen, most in ((wrong, MOST_WRONG), (~wrong, MOST_RIGHT)):
        places = np.flatnonzero(chosen)
        kept.append(places if len(places) <= most else generator.choice(places, most, replace=False))
    return np.unique(np.concatenate(kept))


def tabulate(
    classes: Sequence[str], confusion: Float64Array
) -> tuple[tuple[dict[str, Any], ...], tuple[str, ...]]:
    """A line for each class, those of most rows first, and the classes of the columns."""
    order = np.argsort(-confusion.sum(axis=1), kind="stable")[:MOST_CLASSES]
    lines = []
    for i in order:
        rows, taken = confusion[i].sum(), confusion[:, i].sum()
        share = confusion[i] / rows if rows else confusion[i]
        cells = [
            {"n": f"{confusion[i, j]:,.6g}", "shade": int(np.ceil(4.0 * share[j])), "own": bool(i == j)}
            for j in order
        ]
        lines.append(
            {
                "name": classes[i],
                "rows": f"{rows:,.6g}",
                "recall": f"{100.0 * share[i]:.3g} %" if rows else "",
                "precision": f"{100.0 * confusion[i, i] / taken:.3g} %" if taken else "",
                "cells": cells,
            }
        )
    return tuple(lines), tuple(classes[i] for i in order)


def describe_row(held: HeldOut, classes: Sequence[str], i: int, number: int) -> dict[str, Any]:
    """What the page says of a row that was held out."""
    truth, label = int(held.truth[i]), int(held.labels[i])
    return {
        "number": number,
        "truth": classes[truth],
        "label": classes[label],
        "wrong": truth != label,
        "own": f"{held.probabilities[i, truth]:.3g}",
        "best": f"{held.probabilities[i, label]:.3g}",
        "log_density": f"{held.log_densities[i]:.4g}",
    }


def write_verdict(model: Any, classes: Sequence[str], held: HeldOut, found: Reliability) -> list[str]:
    """Sentences for readers who know no statistics."""
    confusion = held.confusion
    shares = confusion.sum(axis=1) / confusion.sum()
    most = int(shares.argmax())
    lines = [
        f"{100.0 * found.accuracy:.3g} % of the rows got their own class from a fit that had not seen them; "
        f"always saying {classes[most]} would be right in {100.0 * shares[most]:.3g} %."
    ]
    mistakes = confusion - np.diag(np.diag(confusion))
    if mistakes.any():
        i, j = (int(place) for place in np.unravel_index(int(mistakes.argmax()), mistakes.shape))
        lines.append(f"Most often mistaken: {classes[i]} for {classes[j]}, {_count_rows(mistakes[i, j])}.")
    sure = float(held.weights @ held.probabilities.max(axis=1) / held.weights.sum())
    lines.append(
        f"The most probable class of a row has a probability of {100.0 * sure:.3g} % on average, and is "
        f"right in {100.0 * found.accuracy:.3g} %."
    )
    return [*lines, describe_model(model)]


def _count_rows(weight: float) -> str:
    return "1 row" if weight == 1.0 else f"{weight:,.6g} rows"


def list_losses(held: HeldOut, found: Reliability) -> list[tuple[str, str]]:
    """Accuracy and losses by name."""
    share = float(held.weights @ held.rejected / held.weights.sum())
    facts = [
        ("Accuracy", f"{found.accuracy:.4f}"),
        ("Log-loss (nats)", f"{found.log_loss:.4f}"),
        ("Brier score", f"{found.brier:.4f}"),
        ("Calibration error", f"{found.calibration_error:.4f}"),
        ("No class given", f"{100.0 * share:.3g} %" if held.rejected.any() else ""),
    ]
    return [(name, value) for name, value in facts if value]


def list_facts(model: Any, X: FloatArray, held: HeldOut, source: str | None) -> list[tuple[str, str]]:
    """What was fitted, with which versions, by name."""
    import numpy
    import scipy

    unknown = len(X) - len(held.places)
    facts = [
        ("Data", source or ""),
        ("Rows", f"{len(X):,} of {count_noun(X.shape[1], 'feature')}"),
        ("Rows of unknown class", f"{unknown:,}" if unknown else ""),
        ("Folds", str(held.n_folds)),
        (
            "Versions",
            f"gaussmix {__version__}, NumPy {numpy.__version__}, SciPy {scipy.__version__}, "
            f"Python {platform.python_version()}",
        ),
    ]
    return [(name, value) for name, value in facts if value]


def write_snippet(model: Any, source: str | None, target: str) -> str:
    """Lines of Python that fit the classifier again, given the rows."""
    return "\n".join(
        [
            f"# X, y: the rows{'' if source is None else f' of {source!r}'}, and their classes, {target!r}",
            "import gaussmix",
            "",
            f"model = gaussmix.{model!r}.fit(X, y)",
            "print(model.measure_reliability(new_X, new_y))",
        ]
    )
