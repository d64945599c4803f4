"""The files that `gaussmix fit` writes: where they go, and what must not be there before the work."""

from __future__ import annotations

import difflib
import importlib.util
import itertools
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from glob import has_magic
from pathlib import Path

from gaussmix._text import list_first, show_name
from gaussmix.cli.fit_options import FitTask
from gaussmix.cli.reading_options import find_stem
from gaussmix.cli.using import refuse_overwriting
from gaussmix.data.content import STANDARD_INPUT
from gaussmix.data.tables import TABLE_SUFFIXES
from gaussmix.data.writing import check_output, check_table_output
from gaussmix.errors import InputError, ModelFileError
from gaussmix.io import load_model

#: Names that a message lists.
MOST_NAMES = 8
PICTURE_SUFFIXES = (".png", ".pdf", ".svg")
PAGE_SUFFIXES = (".html", ".htm")
#: What a report of ours has in its first characters.
REPORT_MARK = '<meta name="generator" content="gaussmix'
#: Characters of a page in which the mark is looked for.
HEAD = 4096
#: What a report needs beside gaussmix.
REPORT_MODULES = ("jinja2",)


def choose_outputs(task: FitTask) -> FitTask:
    """The task with files for the model and the page of a search that names neither.

    They have the name of the data, in the present folder. Raises InputError where a file of that name is
    there that gaussmix did not make.
    """
    if not task.searches or task.output is not None or task.report is not None:
        return task
    first = task.data[0]
    stem = "data" if str(first) == STANDARD_INPUT or has_magic(str(first)) else find_stem(first) or "data"
    output, report = Path(f"{stem}.safetensors"), Path(f"{stem}.html")
    if output.exists() and not is_model(output):
        raise InputError(f"{output}: is there, and is no model of gaussmix; name another file with -o MODEL")
    if not has_report():
        return replace(task, output=output)
    if report.exists() and not is_report(report):
        raise InputError(f"{report}: is there, and is no report of gaussmix; name another with --report HTML")
    return replace(task, output=output, report=report)


def has_report() -> bool:
    """Whether what a report needs is installed."""
    return all(importlib.util.find_spec(name) is not None for name in REPORT_MODULES)


def is_model(path: Path) -> bool:
    """Whether a file is a model of ours."""
    try:
        load_model(path)
    except (ModelFileError, OSError):
        return False
    return True


def is_report(path: Path) -> bool:
    """Whether a file is a report of ours."""
    try:
        with path.open(encoding="utf-8") as page:
            return REPORT_MARK in page.read(HEAD)
    except (UnicodeDecodeError, OSError):
        return False


def check_outputs(task: FitTask) -> None:
    """Raise InputError, before the work, for outputs that could not be written after it."""
    files = {"model": task.output, "checkpoint": task.checkpoint, "picture": task.plot, "report": task.report}
    check_files(files, task.data)


def check_files(files: Mapping[str, Path | None], sources: Sequence[Path]) -> None:
    """Raise InputError for files that could not be written, by what each is called; None stands for none.

    A "table", a "picture" and a "report" are so; all else is a model, and no table.
    """
    written = list_files(files)
    for what, path in written:
        if what in CHECKS:
            CHECKS[what](path)
        elif path.suffix.lower() in TABLE_SUFFIXES:
            raise InputError(f"{path}: a {what} is not a table; name it for example {path.stem}.safetensors")
    for (what, path), (other, same) in itertools.combinations(written, 2):
        if path.resolve() == same.resolve():
            raise InputError(f"{same}: the {what} and the {other} cannot be the same file")
    for _, path in written:
        for source in sources:
            refuse_overwriting(path, source)
        check_output(path)


def list_files(files: Mapping[str, Path | None]) -> list[tuple[str, Path]]:
    """The files that are written, with what each is called."""
    return [(what, path) for what, path in files.items() if path is not None]


def check_plot_columns(task: FitTask, names: Sequence[str]) -> None:
    """Raise InputError, before the work, for a column to show that is not among those that are fitted."""
    shown = task.plot_columns
    if shown is None:
        return
    if not shown:
        raise InputError("--plot-columns names no column")
    for name in shown:
        if shown.count(name) > 1:
            raise InputError(f"--plot-columns names {show_name(name)} twice")
        if name in names:
            continue
        near = difflib.get_close_matches(name, names, n=1)
        hint = (
            f"did you mean {show_name(near[0])}?"
            if near
            else f"they are {list_first(list(map(show_name, names)), MOST_NAMES)}"
        )
        raise InputError(f"--plot-columns: no column {show_name(name)} is fitted; {hint}")


def check_picture(plot: Path) -> None:
    """Raise InputError where a picture cannot be drawn, or has the name of something else."""
    if importlib.util.find_spec("matplotlib") is None:
        raise InputError(f"{plot}: --plot needs Matplotlib: pip install 'gaussmix[plot]'")
    if plot.suffix.lower() not in PICTURE_SUFFIXES:
        known = ", ".join(PICTURE_SUFFIXES)
        raise InputError(f"{plot}: cannot write a picture ending in {plot.suffix!r}; expected one of {known}")


def check_report(report: Path) -> None:
    """Raise InputError where a page cannot be made, or has the name of something else."""
    if report.suffix.lower() not in PAGE_SUFFIXES:
        raise InputError(f"{report}: a report is a page; name it for example {report.stem}.html")
    if not has_report():
        raise InputError(f"{report}: a report needs Jinja: pip install 'gaussmix[report]'")


#: What each kind of file has to be before it is written.
CHECKS = {"table": check_table_output, "picture": check_picture, "report": check_report}


def write_command(seed: int | None) -> str:
    """The command that makes the same again: with the seed, also where it was drawn."""
    arguments = sys.argv[1:]
    known = seed is None or any(argument.split("=")[0] == "--seed" for argument in arguments)
    return shlex.join(["gaussmix", *arguments, *([] if known else ["--seed", str(seed)])])
