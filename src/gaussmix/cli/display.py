"""Print a mixture: a table that fits the width of the terminal, and the facts about the fit below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gaussmix._text import count_noun, make_printable, shorten
from gaussmix._typing import FloatArray
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.printing import (
    MOST_COMPONENTS,
    MOST_NAME,
    default_names,
    heading,
    means_and_deviations,
)

#: Characters of a fact beyond which it is cut.
MOST_TEXT = 2000
#: Blanks between columns: two of padding, and one for the border that is not drawn.
GAP = 3

#: The printed names of the facts that a fit saves, in the order of printing.
LABELS = {
    "source": "data",
    "n_samples": "samples",
    "n_trimmed": "left out",
    "weights": "weighted by",
    "log_likelihood": "log-likelihood",
    "bic": "BIC",
    "aic": "AIC",
    "message_length": "message length",
    "status": "status",
    "advice": "advice",
    "seed": "seed",
}
#: Facts that are printed in the line of another fact.
WITHIN = {"n_iter": "status", "n_rows": "n_samples"}


def print_model(
    mixture: Mixture, info: Mapping[str, Any], *, everything: bool = False, see_all: str = ""
) -> None:
    """Print a mixture and the facts about its fit.

    Parameters
    ----------
    mixture : Mixture
    info : mapping
        The facts saved with the mixture. Names that are not in `LABELS` are printed as they are.
    everything : bool
        Print every feature and component, in as many tables as the width needs.
    see_all : str
        The command that shows what does not fit.
    """
    console = _make_console()
    console.print(f"{heading(mixture)}\n")
    names = [
        shorten(name, MOST_NAME, console.encoding)
        for name in mixture.feature_names or default_names(mixture.n_features)
    ]
    deviations = np.sqrt(mixture.variances)
    shown = mixture.n_components if everything else min(mixture.n_components, MOST_COMPONENTS)
    plus_minus = "±" if console.encoding.startswith("utf") else "+-"
    cells = [
        means_and_deviations(mixture.means[:shown, j], deviations[:shown, j], plus_minus)
        for j in range(mixture.n_features)
    ]
    first = 0
    while first < mixture.n_features:
        if first:
            console.print()
        last = _find_last_column(names, cells, first, console.width)
        console.print(_make_table(mixture.weights[:shown], names[first:last], cells[first:last]))
        first = last
        if not everything:
            break
    console.print(f"Each cell: mean {plus_minus} standard deviation.")
    if mixture.noise is not None:
        noise = mixture.noise
        console.print(
            f"Noise: weight {noise.weight:.4f}, log-density {noise.known_log_density:.6g} everywhere."
        )
    left_out = {"feature": mixture.n_features - first, "component": mixture.n_components - shown}
    hidden = [count_noun(number, noun) for noun, number in left_out.items() if number]
    if hidden:
        way = make_printable(see_all, console.encoding)
        console.print(f"Not shown: {' and '.join(hidden)}. To see all: {way}", soft_wrap=True)
    if info:
        console.print()
        print_facts(info)


def print_facts(info: Mapping[str, Any]) -> None:
    """Print facts about a fit, one a line, by the names in `LABELS`.

    Facts may come from a file that anyone made: anything that JSON can hold is printed, and nothing executed.
    """
    console = _make_console()
    known = [name for name in LABELS if info.get(name) not in (None, "")]
    others = [name for name in info if name not in LABELS and WITHIN.get(name) not in known]
    labels = [shorten(LABELS.get(name, name), MOST_TEXT, console.encoding) for name in known + others]
    width = min(max(map(len, labels), default=0), MOST_NAME)
    for label, name in zip(labels, known + others, strict=True):
        # No line is broken, so that programs that read the output find whole lines.
        fact = shorten(_format_fact(name, info), MOST_TEXT, console.encoding)
        console.print(f"{label.ljust(width)}  {fact}", soft_wrap=True)


class _Console(Console):
    """A console that leaves a broken pipe to the command, whose exit code says that all is well."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def _make_console() -> Console:
    return _Console(highlight=False, markup=False, emoji=False)


def _format_fact(name: str, info: Mapping[str, Any]) -> str:
    value, number = info[name], _read_number(info[name])
    if name == "log_likelihood" and number is not None:
        n_samples = _read_number(info.get("n_samples"))
        return f"{number:.10g}" + (f" ({number / n_samples:.6g} per sample)" if n_samples else "")
    if name in ("bic", "aic", "message_length") and number is not None:
        return f"{number:.10g} (lower is better)"
    if name == "status" and "n_iter" in info:
        return f"{value} after {count_noun(info['n_iter'], 'iteration')}"
    if name == "n_trimmed" and number is not None:
        return f"{count_noun(value, 'row')} of lowest density"
    if name == "n_samples":
        text = str(value) if number is None else f"{number:.10g}"
        of = info.get("n_rows")
        return text + (f" (the sum of the weights of {of} rows)" if info.get("weights") and of else "")
    return str(value)


def _read_number(value: Any) -> float | None:
    """The value as a float; None if it is no number, or too large for a float."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _make_table(weights: FloatArray, names: Sequence[str], cells: Sequence[Sequence[str]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0))
    table.add_column("component", justify="right", no_wrap=True)
    table.add_column("weight", justify="right", no_wrap=True)
    for name in names:
        table.add_column(Text(name), justify="right", no_wrap=True)
    for k, weight in enumerate(weights):
        table.add_row(str(k), f"{weight:.4f}", *(Text(column[k]) for column in cells))
    return table


def _find_last_column(names: Sequence[str], cells: Sequence[Sequence[str]], first: int, width: int) -> int:
    """The end of the run of features from `first` on that fits into the width; at least one feature fits."""
    used = len("component") + len("weight") + 2 * GAP
    for j in range(first, len(names)):
        used += max(len(names[j]), *map(len, cells[j])) + GAP
        if used > width and j > first:
            return j
    return len(names)
