"""The commands that tell more of a saved model and its rows: how sure it is, and a page about it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from gaussmix._progress import Progress
from gaussmix._text import make_printable
from gaussmix.cli.outputs import check_report
from gaussmix.cli.progress import Stage, StopOnInterrupt, is_shown
from gaussmix.cli.using import read_model_and_rows, refuse_overwriting
from gaussmix.data.reading import Reading
from gaussmix.data.source import refuse_os_errors
from gaussmix.data.writing import check_output
from gaussmix.errors import InputError

#: Lines of the table of parameters, unless all are asked for.
MOST_LINES = 60


def bootstrap_table(
    model: Path,
    data: Sequence[Path],
    reading: Reading,
    *,
    method: str,
    number: int,
    level: float,
    seed: int | None,
    everything: bool,
) -> None:
    """Print standard errors and intervals of the parameters of a model."""
    saved, table = read_model_and_rows(model, data, reading)
    from gaussmix.infer.bootstrap import LEAST_RESAMPLES, bootstrap

    with StopOnInterrupt(begun=False) as interrupt, Stage(is_shown()) as stage:

        def on_progress(progress: Progress) -> bool:
            interrupt.begun = progress.done >= LEAST_RESAMPLES
            stage.update(progress)
            return interrupt.asked

        try:
            found = bootstrap(
                table.values,
                saved.mixture,
                method=method,  # type: ignore[arg-type]
                n_resamples=number,
                sample_weight=table.weights,
                random_state=seed,
                on_progress=on_progress,
            )
            summary = found.summary(level, max_rows=sys.maxsize if everything else MOST_LINES)
        except ValueError as error:
            raise InputError(f"{table.path}: {error}") from None
    typer.echo(make_lines_printable(summary))


def report_table(model: Path, data: Sequence[Path], output: Path, reading: Reading) -> None:
    """Write a page about a saved model and the rows that it was fitted to."""
    for path in (model, *data):
        refuse_overwriting(output, path)
    check_output(output)
    saved, table = read_model_and_rows(model, data, reading)
    check_report(output)
    from gaussmix.report import write_report

    with refuse_os_errors(output, "written"):
        write_report(
            saved.mixture,
            table.values,
            output,
            sample_weight=table.weights,
            source=table.path.name,
            command=shlex.join(["gaussmix", *sys.argv[1:]]),
            options={name: str(value) for name, value in saved.info.items()},
        )
    typer.echo(f"report saved in {make_printable(str(output))}")


def make_lines_printable(text: str) -> str:
    """The text with what would move a terminal's cursor escaped, line by line."""
    return "\n".join(make_printable(line) for line in text.splitlines())
