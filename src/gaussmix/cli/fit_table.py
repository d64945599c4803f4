"""`gaussmix fit`: check the files before the work, then read, fit, save and print."""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence
from typing import Any

import numpy as np
import typer

from gaussmix._progress import Progress
from gaussmix._text import count_noun, make_printable
from gaussmix.cli.display import print_model
from gaussmix.cli.fit_options import OF_MESSAGE_LENGTH, OF_SEARCH, FitTask
from gaussmix.cli.messages import print_line, print_message
from gaussmix.cli.outputs import check_outputs, check_plot_columns, choose_outputs, write_command
from gaussmix.cli.progress import Stage, StopOnInterrupt, is_shown
from gaussmix.cli.search_display import describe_search, print_search
from gaussmix.cli.using import name_data, tell_notes
from gaussmix.data.several import read_tables
from gaussmix.data.source import refuse_os_errors
from gaussmix.data.tables import Table
from gaussmix.data.writing import replace_file
from gaussmix.errors import FitError, InputError, ModelFileError
from gaussmix.fit.checkpoint import read_seed
from gaussmix.fit.one_mixture import fit_mixture
from gaussmix.fit.result import FitResult, FitStatus
from gaussmix.select.message_length import fit_message_length
from gaussmix.select.search import search
from gaussmix.select.search_result import SearchResult

EXIT_GOOD, EXIT_FAILED, EXIT_INTERRUPTED = 0, 1, 130


def fit_table(task: FitTask) -> int:
    """Fit, save and print; return the exit code."""
    task = choose_outputs(task)
    check_outputs(task)
    if task.reading.columns is not None:
        check_plot_columns(task, task.reading.columns)
    seed = _choose_seed(task)
    with Stage(is_shown(task.quiet), f"reading {name_data(task.data)}"):
        table = read_tables(task.data, task.reading)
    if not task.quiet:
        tell_notes(table)
    _check_rows(table, min(task.numbers))
    check_plot_columns(task, table.names)
    found: SearchResult | None = None
    try:
        if task.searches:
            found = _search_rows(table, task, seed)
            result = found.best
        else:
            result = _fit_rows(table, task, seed)
    except (FitError, ArithmeticError) as error:
        print_message("error", f"{table.path}: the fit failed: {error}")
        return EXIT_FAILED
    except (InputError, ModelFileError):
        raise  # the message names the checkpoint
    except ValueError as error:  # what only the library checks of the rows, such as numbers out of range
        raise InputError(f"{table.path}: {error}") from None
    info = _describe_fit(result, table, task.reading.weights, seed) | describe_search(found)
    verdict = [] if found is None else _judge_search(found, table, task, seed)
    _save(task, table, found or result, info, verdict)
    if not task.quiet:
        if found is not None:
            print_search(found, verdict)
        _print_fit(task, result, info)
    return _find_exit_code(result, task)


def _save(
    task: FitTask,
    table: Table,
    found: FitResult | SearchResult,
    info: dict[str, Any],
    verdict: Sequence[str],
) -> None:
    """Write the model, the picture and the page that are asked for."""
    result = found.best if isinstance(found, SearchResult) else found
    if task.output is not None:
        with refuse_os_errors(task.output, "written"):
            result.mixture.save(task.output, info=info)
    if task.plot is not None:
        from gaussmix.plot import save_plot

        with refuse_os_errors(task.plot, "written"), replace_file(task.plot) as temporary:
            save_plot(
                result.mixture,
                table.values,
                path=temporary,
                features=task.plot_columns,
                sample_weight=table.weights,
                left_out=result.trimmed,
            )
    if task.report is not None:
        from gaussmix.report import write_report

        with refuse_os_errors(task.report, "written"):
            write_report(
                found,
                table.values,
                task.report,
                feature_names=table.names,
                sample_weight=table.weights,
                verdict=verdict or None,
                source=table.path.name,
                command=write_command(info.get("seed")),
                options={"random_state": info.get("seed"), **task.options},
            )


def _print_fit(task: FitTask, result: FitResult, info: dict[str, Any]) -> None:
    """Print the model, and where it was saved."""
    saved_as = "MODEL" if task.output is None else str(task.output)
    first = "" if task.output is not None else "save the model with -o MODEL, then "
    print_model(result.mixture, info, see_all=f"{first}gaussmix show {saved_as} --all")
    for what, path in (("model", task.output), ("picture", task.plot), ("report", task.report)):
        if path is not None:
            typer.echo(f"{what} saved in {make_printable(str(path))}")


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


def _search_rows(table: Table, task: FitTask, seed: int | None) -> SearchResult:
    options = {name: task.options[name] for name in OF_SEARCH if name in task.options}
    with StopOnInterrupt(begun=False) as interrupt, Stage(is_shown(task.quiet)) as stage:

        def on_progress(progress: Progress) -> bool:
            # of held-out likelihoods nothing is kept before two folds are done
            interrupt.begun = not math.isnan(progress.mean_log_likelihood)
            stage.update(progress)
            return interrupt.asked

        return search(
            table.values,
            task.numbers,
            covariance_type="all" if task.families is None else task.families,
            criterion=task.criterion,
            sample_weight=table.weights,
            random_state=seed,
            feature_names=table.names,
            on_progress=on_progress,
            **options,
        )


def _judge_search(found: SearchResult, table: Table, task: FitTask, seed: int | None) -> list[str]:
    """The verdict, with the stability of the choice if it is asked for."""
    if not task.stability:
        return found.verdict()
    from gaussmix.infer.stability import measure_stability

    options = {name: task.options[name] for name in OF_SEARCH if name in task.options}
    with StopOnInterrupt(begun=False) as interrupt, Stage(is_shown(task.quiet)) as stage:

        def on_progress(progress: Progress) -> bool:
            interrupt.begun = progress.done > 0
            stage.update(progress)
            return interrupt.asked

        stability = measure_stability(
            table.values,
            found,
            n_resamples=task.stability,
            sample_weight=table.weights,
            random_state=seed,
            on_progress=on_progress,
            **options,
        )
    return found.verdict(stability)


def _fit_rows(table: Table, task: FitTask, seed: int | None) -> FitResult:
    resumed = task.resume is not None
    with StopOnInterrupt(begun=resumed) as interrupt, Stage(is_shown(task.quiet)) as stage:

        def on_progress(progress: Progress) -> bool:
            interrupt.begun = interrupt.begun or not math.isnan(progress.mean_log_likelihood)
            stage.update(progress)
            return interrupt.asked

        asked: dict[str, Any] = {
            "sample_weight": table.weights,
            "random_state": seed,
            "feature_names": table.names,
            "on_progress": on_progress,
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
        after = count_noun(result.n_iter, "iteration")
        print_line(f"interrupted after {after}; {kept}{more}")
        return EXIT_INTERRUPTED if task.output is None else EXIT_GOOD
    if result.status == FitStatus.DEGENERATE:
        print_message("error", f"the fit failed: {result.status}: {result.advice}")
        return EXIT_FAILED
    return EXIT_GOOD
