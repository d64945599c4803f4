"""`gaussmix classify`: check the files before the work, then read, fit, hold out, write and print."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import typer
from numpy.typing import NDArray

from gaussmix._reading.named_rows import NamedRows
from gaussmix._text import count_noun, make_printable, show_name
from gaussmix._typing import BoolArray, Float64Array, IntArray
from gaussmix.cli.classify_display import print_classification
from gaussmix.cli.classify_options import ClassifyTask
from gaussmix.cli.messages import print_message
from gaussmix.cli.outputs import check_files, list_files, write_command
from gaussmix.cli.progress import Stage, is_shown
from gaussmix.cli.saved_classifier import load_classifier
from gaussmix.cli.using import BLOCK_ROWS, name_data, number_rows, tell_notes
from gaussmix.data.several import read_matching_tables, read_tables
from gaussmix.data.source import refuse_os_errors
from gaussmix.data.tables import Table
from gaussmix.data.targets import read_classes
from gaussmix.data.writing import replace_file, write_table
from gaussmix.errors import FitError, InputError
from gaussmix.estimators._holding_out import HeldOut, find_rejected, hold_out
from gaussmix.estimators.classifier import GaussianMixtureClassifier
from gaussmix.model.mixture.printing import default_names

EXIT_GOOD, EXIT_FAILED = 0, 1
#: Different classes that a target may have; a column of more is rather a number to predict, or names rows.
MOST_CLASSES = 1000


@dataclass(frozen=True, eq=False)
class Answer:
    """What a classifier says of rows."""

    probabilities: Float64Array
    log_densities: Float64Array
    rejected: BoolArray


def classify_table(task: ClassifyTask) -> int:
    """Fit or load, hold out, write and print; return the exit code."""
    check_files(_name_files(task), [*task.data, *task.predict, *([task.model] if task.model else [])])
    if task.model is not None:
        return _use_model(task, task.model)
    seed = secrets.randbelow(2**31) if task.seed is None else task.seed
    table = _read(task, task.data)
    classes = _find_classes(table, str(task.reading.target))
    try:
        model, held = _learn(task, table, classes, seed)
    except (FitError, ArithmeticError) as error:
        print_message("error", f"{table.path}: the fit failed: {error}")
        return EXIT_FAILED
    if task.save is not None:
        with refuse_os_errors(task.save, "written"):
            model.save(task.save, info={"source": table.path.name, "target": str(task.reading.target)})
    if task.output is not None or task.predict:
        _write_rows(task, model, table, held)
    if task.plot is not None and held is not None:
        from gaussmix.plot.reliability import save_reliability

        with refuse_os_errors(task.plot, "written"), replace_file(task.plot) as temporary:
            save_reliability(held.reliability, temporary)
    if task.report is not None and held is not None:
        _write_report(task.report, model, table, held, str(task.reading.target), seed)
    if not task.quiet and (task.output is not None or not task.predict):
        _print(task, model, table, classes, held, seed)
    return EXIT_GOOD


def _use_model(task: ClassifyTask, path: Path) -> int:
    """Classify the rows of a table by a saved classifier."""
    model = load_classifier(path)
    model.reject_posterior = task.options["reject_posterior"] or model.reject_posterior
    table = _read(task, task.data, _list_names(model))
    write_table(task.output, _list_blocks(model, table, None))
    if task.output is not None and not task.quiet:
        typer.echo(f"table saved in {make_printable(str(task.output))}")
    return EXIT_GOOD


def _list_names(model: Any) -> Sequence[str]:
    """The names of the columns that a classifier knows."""
    names = getattr(model, "feature_names_in_", None)
    return default_names(model.n_features_in_) if names is None else [str(name) for name in names]


def _read(task: ClassifyTask, data: Sequence[Path], names: Sequence[str] | None = None) -> Table:
    """The rows of tables; with names, the columns that a classifier knows."""
    with Stage(is_shown(task.quiet), f"reading {name_data(data)}"):
        if names is None:
            table = read_tables(data, task.reading)
        else:
            table = read_matching_tables(data, names, task.reading.of_model())
    if not task.quiet:
        tell_notes(table)
    return table


def _find_classes(table: Table, target: str) -> NDArray[np.object_]:
    """The class of each row. Raises InputError for a column that has no classes."""
    classes = read_classes(table.labels)
    known = {name for name in classes if name is not None}
    where = f"{table.path}: column {show_name(target)}"
    if len(known) < 2:
        held = "no class at all" if not known else f"one class, {show_name(str(known.pop()))}"
        raise InputError(f"{where} has {held}; expected two classes or more")
    fractions = [name for name in known if isinstance(name, float)]
    if fractions:
        raise InputError(f"{where} has numbers such as {min(fractions):g}, which are no classes")
    if len(known) > MOST_CLASSES:
        raise InputError(f"{where} has {count_noun(len(known), 'different value')}; a class has many rows")
    return classes


def _learn(
    task: ClassifyTask, table: Table, classes: NDArray[np.object_], seed: int
) -> tuple[GaussianMixtureClassifier, HeldOut | None]:
    model = GaussianMixtureClassifier(**task.options, random_state=seed)

    def take(places: IntArray) -> NamedRows:
        return NamedRows(table.values[places], table.names)

    held = None
    try:
        with Stage(is_shown(task.quiet), "fitting"):
            model.fit(NamedRows(table.values, table.names), classes, sample_weight=table.weights)
        if task.folds:
            with Stage(is_shown(task.quiet), "holding out folds") as stage:
                held = hold_out(
                    model,
                    take,
                    classes,
                    table.weights,
                    n_folds=task.folds,
                    seed=seed,
                    on_progress=stage.update,
                )
    except FitError:
        raise
    except ValueError as error:
        hint = "; --folds 0 holds none out" if "held out" in str(error) else ""
        raise InputError(f"{table.path}: {error}{hint}") from None
    return model, held


def _write_rows(
    task: ClassifyTask, model: GaussianMixtureClassifier, table: Table, held: HeldOut | None
) -> None:
    """Write what is said of the rows that are to be classified: those of --predict, or those of the fit."""
    if task.predict:
        table, held = _read(task, task.predict, table.names), None
    write_table(task.output, _list_blocks(model, table, held))


def _write_report(path: Path, model: Any, table: Table, held: HeldOut, target: str, seed: int) -> None:
    from gaussmix.report import save_page
    from gaussmix.report.classification_page import make_classification_report

    page = make_classification_report(
        model,
        table.values,
        held,
        table.names,
        numbers=number_rows(table),
        target=target,
        source=table.path.name,
        command=write_command(seed),
    )
    with refuse_os_errors(path, "written"):
        save_page(page, path)


def _list_blocks(model: Any, table: Table, held: HeldOut | None) -> Iterator[dict[str, NDArray[Any]]]:
    """The columns of the output, some rows at a time; of rows that were held out, what was said then."""
    numbers = number_rows(table)
    said = np.full(len(numbers), -1)
    if held is not None:
        said[held.places] = np.arange(len(held.places))
    for start in range(0, len(numbers), BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        answer = _answer(model, NamedRows(table.values[block], table.names))
        if held is not None:
            own, places = np.flatnonzero(said[block] >= 0), said[block][said[block] >= 0]
            answer.probabilities[own] = held.probabilities[places]
            answer.log_densities[own] = held.log_densities[places]
            answer.rejected[own] = held.rejected[places]
        labels = model.classes_[answer.probabilities.argmax(axis=1)]
        columns: dict[str, NDArray[Any]] = {"row": numbers[block], "label": labels}
        if model.reject_posterior or np.isfinite(model.density_threshold_):
            columns["rejected"] = answer.rejected
        columns |= {f"p_{name}": answer.probabilities[:, c] for c, name in enumerate(model.classes_)}
        yield columns | {"log_density": answer.log_densities}


def _answer(model: Any, rows: NamedRows) -> Answer:
    probabilities = np.array(model.predict_proba(rows))
    log_densities = np.array(model.score_samples(rows))
    return Answer(probabilities, log_densities, find_rejected(model, probabilities, log_densities))


def _print(
    task: ClassifyTask,
    model: Any,
    table: Table,
    classes: NDArray[np.object_],
    held: HeldOut | None,
    seed: int,
) -> None:
    counts = [float((classes == name).sum()) for name in model.classes_.tolist()]
    print_classification(model, str(task.reading.target), counts, len(table.values), held)
    typer.echo(f"\nseed   {seed}")
    for what, path in list_files(_name_files(task)):
        typer.echo(f"{what} saved in {make_printable(str(path))}")


def _name_files(task: ClassifyTask) -> dict[str, Path | None]:
    """The files to write, by what they are."""
    return {"table": task.output, "classifier": task.save, "picture": task.plot, "report": task.report}
