"""`gaussmix fit`: check the files before the work, then read, fit, save and print."""

from __future__ import annotations

import importlib.util
import itertools
import math
import secrets
import sys
from pathlib import Path
from typing import Any

import numpy as np
import typer

from gaussmix._text import count_noun, make_printable
from gaussmix.cli.display import print_model
from gaussmix.cli.fit_options import OF_MESSAGE_LENGTH, FitTask
from gaussmix.cli.progress import ProgressBar, StopOnInterrupt
from gaussmix.cli.using import refuse_overwriting, tell_notes
from gaussmix.data.source import refuse_os_errors
from gaussmix.data.tables import TABLE_SUFFIXES, Table, read_table
from gaussmix.data.writing import check_output, replace_file
from gaussmix.errors import FitError, InputError, ModelFileError
from gaussmix.fit.checkpoint import read_seed
from gaussmix.fit.multistart import Progress
from gaussmix.fit.one_mixture import fit_mixture
from gaussmix.fit.result import FitResult, FitStatus
from gaussmix.select.message_length import fit_message_length

PICTURE_SUFFIXES = (".png", ".pdf", ".svg")

EXIT_GOOD, EXIT_FAILED, EXIT_INTERRUPTED = 0, 1, 130


def fit_table(task: FitTask) -> int:
    """Fit, save and print; return the exit code."""
    data, output, plot = task.data, task.output, task.plot
    _check_outputs(task)
    seed = _choose_seed(task)
    table = read_table(data, columns=task.columns, weights=task.weights)
    if not task.quiet:
        tell_notes(table)
    _check_rows(table, task.options["n_components"])
    try:
        result = _fit_rows(table, task, seed)
    except (FitError, ArithmeticError) as error:
        typer.echo(f"error: {data}: the fit failed: {error}", err=True)
        return EXIT_FAILED
    except (InputError, ModelFileError):
        raise  # the message names the checkpoint
    except ValueError as error:  # what only the library checks of the rows, such as numbers out of range
        raise InputError(f"{data}: {error}") from None
    info = _describe_fit(result, table, task.weights, seed)
    if output is not None:
        with refuse_os_errors(output, "written"):
            result.mixture.save(output, info=info)
    if plot is not None:
        from gaussmix.plot import save_plot

        with refuse_os_errors(plot, "written"), replace_file(plot) as temporary:
            save_plot(result.mixture, table.values, path=temporary)
    if not task.quiet:
        saved_as = "MODEL" if output is None else str(output)
        first = "" if output is not None else "save the model with -o MODEL, then "
        print_model(result.mixture, info, see_all=f"{first}gaussmix show {saved_as} --all")
        for what, path in (("model", output), ("picture", plot)):
            if path is not None:
                typer.echo(f"{what} saved in {make_printable(str(path))}")
    return _find_exit_code(result, task)


def _check_outputs(task: FitTask) -> None:
    """Raise InputError, before the work, for outputs that could not be written after it."""
    output, plot, checkpoint = task.output, task.plot, task.checkpoint
    for what, path in (("model", output), ("checkpoint", checkpoint)):
        if path is not None and path.suffix.lower() in TABLE_SUFFIXES:
            raise InputError(f"{path}: a {what} is not a table; name it for example {path.stem}.safetensors")
    if plot is not None:
        _check_picture(plot)
    outputs = {"model": output, "checkpoint": checkpoint, "picture": plot}
    written = [(what, path) for what, path in outputs.items() if path is not None]
    for (what, path), (other, same) in itertools.combinations(written, 2):
        if path.resolve() == same.resolve():
            raise InputError(f"{same}: the {what} and the {other} cannot be the same file")
    for _, path in written:
        refuse_overwriting(path, task.data)
        check_output(path)


def _check_picture(plot: Path) -> None:
    if importlib.util.find_spec("matplotlib") is None:
        raise InputError(f"{plot}: --plot needs Matplotlib: pip install 'gaussmix[plot]'")
    if plot.suffix.lower() not in PICTURE_SUFFIXES:
        known = ", ".join(PICTURE_SUFFIXES)
        raise InputError(f"{plot}: cannot write a picture ending in {plot.suffix!r}; expected one of {known}")


def _choose_seed(task: FitTask) -> int | None:
    """The seed of the options, else that of the checkpoint to resume from (may be None), else one drawn."""
    if task.resume is None:
        return secrets.randbelow(2**31) if task.seed is None else task.seed
    with refuse_os_errors(task.resume, "read"):
        if not task.resume.exists():
            raise InputError(f"{task.resume}: no such file")
        saved = read_seed(task.resume)
    return saved if task.seed is None else task.seed


def _check_rows(table: Table, n_components: int) -> None:
    n_rows = len(table.values) if table.weights is None else int(np.count_nonzero(table.weights))
    if n_rows < n_components:
        which = "row" if table.weights is None else "row of positive weight"
        which = which if n_rows == 1 else which.replace("row", "rows", 1)
        raise InputError(
            f"{table.path}: {n_rows} {which}, fewer than the {n_components} components of -k {n_components}"
        )


def _fit_rows(table: Table, task: FitTask, seed: int | None) -> FitResult:
    shown = not task.quiet and sys.stderr.isatty()
    with StopOnInterrupt(begun=task.resume is not None) as interrupt, ProgressBar(shown) as bar:

        def on_iteration(progress: Progress) -> bool:
            interrupt.begun = True
            bar.update(progress)
            return interrupt.asked

        asked: dict[str, Any] = {
            "sample_weight": table.weights,
            "random_state": seed,
            "feature_names": table.names,
            "on_iteration": on_iteration,
        }
        if task.strategy == "message-length":
            own = {name: task.options[name] for name in OF_MESSAGE_LENGTH}
            return fit_message_length(table.values, own.pop("n_components"), **own, **asked)
        asked |= {"checkpoint": task.checkpoint, "resume": task.resume}
        if task.checkpoint is None:
            return fit_mixture(table.values, **task.options, **asked)
        with refuse_os_errors(task.checkpoint, "written"):
            return fit_mixture(table.values, **task.options, **asked)


def _describe_fit(result: FitResult, table: Table, weights: str | None, seed: int | None) -> dict[str, Any]:
    """The facts saved with the model: plain JSON, without empty and non-finite values."""
    info = {
        "source": table.path.name,
        "n_rows": len(table.values),
        "n_samples": result.n_samples,
        "weights": weights,
        "log_likelihood": result.log_likelihood,
        "bic": result.bic,
        "aic": result.aic,
        "status": str(result.status),
        "n_iter": result.n_iter,
        "advice": result.advice,
        "seed": seed,
        "n_trimmed": None if result.trimmed is None else int(np.count_nonzero(result.trimmed)),
        "message_length": getattr(result, "message_length", None),
    }
    return {
        name: value
        for name, value in info.items()
        if value not in (None, "") and not (isinstance(value, float) and not math.isfinite(value))
    }


def _find_exit_code(result: FitResult, task: FitTask) -> int:
    if result.status == FitStatus.INTERRUPTED:
        nothing = "no model was saved" if task.checkpoint else "nothing was saved"
        kept = (
            f"{nothing}: there was no -o" if task.output is None else f"the best so far is in {task.output}"
        )
        more = "" if task.checkpoint is None else f"; go on with --resume {task.checkpoint}"
        typer.echo(f"interrupted after {count_noun(result.n_iter, 'iteration')}; {kept}{more}", err=True)
        return EXIT_INTERRUPTED if task.output is None else EXIT_GOOD
    if result.status == FitStatus.DEGENERATE:
        typer.echo(f"error: the fit failed: {result.status}: {result.advice}", err=True)
        return EXIT_FAILED
    return EXIT_GOOD
