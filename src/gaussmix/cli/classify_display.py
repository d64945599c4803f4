"""What `gaussmix classify` prints: the classes, the model, and how it does on rows that were held out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer

from gaussmix._text import list_first, make_printable, make_text_table, shorten
from gaussmix.apps.classes.describing import describe_model
from gaussmix.estimators._holding_out import HeldOut

#: Classes that are named, and that the table of confusions has.
MOST_CLASSES = 12
#: Characters of a class's name.
MOST_NAME = 20


def print_classification(
    model: Any, target: str, counts: Sequence[float], n: int, held: HeldOut | None
) -> None:
    """Print the classes and their rows, the model, and what rows that were held out say of it."""
    lines = [*describe_rows(model.classes_, target, counts, n), describe_model(model)]
    if held is not None:
        lines += ["", *describe_held_out(held), "", *tabulate_confusion(held)]
    for line in lines:
        typer.echo(make_printable(line))


def describe_rows(classes: Any, target: str, counts: Sequence[float], n: int) -> list[str]:
    """How many rows there are of which class."""
    names = [f"{write_class(name)} {count:,g}" for name, count in zip(classes, counts, strict=True)]
    known = sum(counts)
    listed = list_first(names, MOST_CLASSES)
    if known == n:
        return [f"{n:,} rows of {len(names)} classes ({target}): {listed}."]
    return [f"{n:,} rows, {known:,g} of them of {len(names)} known classes ({target}): {listed}."]


def describe_held_out(held: HeldOut) -> list[str]:
    """Accuracy and losses of rows that were held out, a line each."""
    found = held.reliability
    lines = [f"Rows that were held out, in {held.n_folds} folds:"]
    share = held.weights @ held.rejected / held.weights.sum()
    facts = {
        "accuracy": f"{found.accuracy:.4f}",
        "log-loss": f"{found.log_loss:.4f} nats",
        "Brier score": f"{found.brier:.4f}",
        "calibration error": f"{found.calibration_error:.4f}",
        **({"no class given": f"{100.0 * share:.3g} %"} if held.rejected.any() else {}),
    }
    width = max(map(len, facts))
    return [*lines, *(f"  {name.ljust(width)}  {value}" for name, value in facts.items())]


def tabulate_confusion(held: HeldOut) -> list[str]:
    """The rows of each class (a line) that were taken for each class (a column), those of most rows first."""
    table = held.confusion
    shown = sorted(range(len(table)), key=lambda i: -table[i].sum())[:MOST_CLASSES]
    shown.sort()
    names = [write_class(held.classes[i]) for i in shown]
    cells = [[names[a], *(f"{table[i, j]:,g}" for j in shown)] for a, i in enumerate(shown)]
    lines = make_text_table([["class", *(f"as {name}" for name in names)], *cells]).splitlines()
    left = len(table) - len(shown)
    return [*lines, *([f"{left} smaller classes are not shown."] if left else [])]


def write_class(name: Any) -> str:
    """A class as a word."""
    return shorten(str(name), MOST_NAME)
