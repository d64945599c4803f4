"""How a report was made, so that it can be made again: facts, a command, and lines of Python."""

from __future__ import annotations

import inspect
import platform
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gaussmix._text import count_noun, list_some
from gaussmix._version import __version__
from gaussmix.data.rows import Rows
from gaussmix.fit.one_mixture import fit_mixture
from gaussmix.report.grid import Grid
from gaussmix.select.many_models import fit_mixtures
from gaussmix.select.search import search

#: Functions that fit models, by name.
FITTERS: Mapping[str, Callable[..., Any]] = {
    "search": search,
    "fit_mixtures": fit_mixtures,
    "fit_mixture": fit_mixture,
}
#: Characters of the digest of the rows that are shown.
DIGEST = 16
#: Columns that are named in a line of Python.
MOST_NAMES = 8
#: Options of a fit that the models themselves tell.
GIVEN = ("n_components", "covariance_type", "criterion")
#: Characters of a line of Python.
LINE = 90
#: The file that a line of Python writes.
REPORT = '"report.html"'


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
        *((name, str(value)) for name, value in _list_changed(grid, options).items() if value is not None),
        (
            "Versions",
            f"gaussmix {__version__}, NumPy {numpy.__version__}, SciPy {scipy.__version__}, "
            f"Python {platform.python_version()}",
        ),
    ]
    return [(name, value) for name, value in facts if value]


def write_snippet(
    grid: Grid, options: Mapping[str, Any], names: Sequence[str], source: str | None, *, weighted: bool
) -> str:
    """Lines of Python that make the report again, given the rows."""
    columns = list_some([repr(name) for name in names], MOST_NAMES, MOST_NAMES)
    weights = ["sample_weight=weights"] if weighted else []
    made = grid.call.format(", ".join(["X", *weights])) if grid.call else _write_call(grid, options, weights)
    return "\n".join(
        [
            f"# X: the rows{'' if source is None else f' of {source!r}'}, columns {columns}",
            *(["# weights: one for each row"] if weighted else []),
            "import gaussmix",
            "",
            f"result = {made}",
            f"gaussmix.write_report({', '.join(['result', 'X', REPORT, *weights])})",
        ]
    )


def _write_call(grid: Grid, options: Mapping[str, Any], weights: list[str]) -> str:
    """The call that fitted the models, with those of its options that are not its defaults."""
    families, numbers = grid.families, grid.numbers
    if grid.made_by == "fit_mixture":
        arguments = [repr(numbers[0]), f"covariance_type={families[0]!r}"]
    else:
        arguments = [_write_numbers(numbers), f"covariance_type={list(families)!r}"]
    if grid.made_by == "search":
        arguments.append(f"criterion={grid.criterion.name!r}")
    known = inspect.signature(FITTERS[grid.made_by]).parameters
    changed = _list_changed(grid, options).items()
    arguments += weights + [f"{name}={value!r}" for name, value in changed if name in known]
    call = f"gaussmix.{grid.made_by}"
    line = f"{call}(X, {', '.join(arguments)})"
    if len(line) <= LINE:
        return line
    return "\n".join([f"{call}(", "    X,", *(f"    {argument}," for argument in arguments), ")"])


def _list_changed(grid: Grid, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that are not the defaults of the function, and that the models do not tell."""
    known = inspect.signature(FITTERS[grid.made_by]).parameters
    return {
        name: value
        for name, value in options.items()
        if name not in known or (name not in GIVEN and value != known[name].default)
    }


def _write_numbers(numbers: Sequence[int]) -> str:
    first, last = numbers[0], numbers[-1]
    consecutive = list(numbers) == list(range(first, last + 1))
    return f"range({first}, {last + 1})" if consecutive else repr(list(numbers))
