"""How a report was made, so that it can be made again: facts, a command, and lines of Python."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from typing import Any

from gaussmix._text import count_noun
from gaussmix._version import __version__
from gaussmix.data.rows import Rows
from gaussmix.report.grid import Grid

#: Characters of the digest of the rows that are shown.
DIGEST = 16
#: Columns that are named in a line of Python.
MOST_NAMES = 8


def list_facts(
    rows: Rows, n_given: int, grid: Grid, source: str | None, options: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """What was fitted to what, with which options and versions, by name."""
    import numpy
    import scipy

    n, d = rows.shape
    absent = n_given - n
    models = len(grid.fits) + sum(key not in grid.fits for key in grid.reasons)
    weights = "" if rows.weights is None else f", weighted (sum of weights {rows.weight:.10g})"
    without = f"; {count_noun(absent, 'row')} of weight zero left out" if absent else ""
    facts = [
        ("Data", source or ""),
        ("Rows", f"{n:,} of {count_noun(d, 'feature')}, {rows.dtype}{weights}{without}"),
        ("Digest of the rows", f"sha256 {rows.digest[:DIGEST]}"),
        ("Models", count_noun(models, "model")),
        *((name, str(value)) for name, value in options.items()),
        (
            "Versions",
            f"gaussmix {__version__}, NumPy {numpy.__version__}, SciPy {scipy.__version__}, "
            f"Python {platform.python_version()}",
        ),
    ]
    return [(name, value) for name, value in facts if value]


def write_snippet(grid: Grid, options: Mapping[str, Any], names: Sequence[str], source: str | None) -> str:
    """Lines of Python that make the report again, given the rows."""
    columns = ", ".join(map(repr, names[:MOST_NAMES])) + (", ..." if len(names) > MOST_NAMES else "")
    return "\n".join(
        [
            f"# X: the rows{'' if source is None else f' of {source!r}'}, columns {columns}",
            "import gaussmix",
            "",
            f"result = {_write_call(grid, options)}",
            'gaussmix.write_report(result, X, "report.html")',
        ]
    )


def _write_call(grid: Grid, options: Mapping[str, Any]) -> str:
    families, numbers = grid.families, grid.numbers
    if len(families) == len(numbers) == 1:
        arguments = [repr(numbers[0]), f"covariance_type={families[0]!r}"]
        name = "fit_mixture"
    else:
        arguments = [_write_numbers(numbers), f"covariance_type={list(families)!r}"]
        name = "search"
        arguments.append(f"criterion={grid.criterion.name!r}")
    arguments += [f"{option}={value!r}" for option, value in options.items()]
    line = f"gaussmix.{name}(X, {', '.join(arguments)})"
    if len(line) <= 90:
        return line
    return f"gaussmix.{name}(\n    X,\n" + "".join(f"    {argument},\n" for argument in arguments) + ")"


def _write_numbers(numbers: Sequence[int]) -> str:
    first, last = numbers[0], numbers[-1]
    return (
        f"range({first}, {last + 1})"
        if list(numbers) == list(range(first, last + 1))
        else repr(list(numbers))
    )
