"""The commands that use a saved model: predict, score, sample, show."""

from __future__ import annotations

import os
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from gaussmix._text import make_printable
from gaussmix._typing import FloatArray, IntArray
from gaussmix.cli.display import print_facts, print_model
from gaussmix.cli.messages import print_message
from gaussmix.cli.progress import Stage, is_shown
from gaussmix.data.content import INPUT_NAME, STANDARD_INPUT
from gaussmix.data.reading import Reading
from gaussmix.data.several import read_matching_tables
from gaussmix.data.source import refuse_os_errors
from gaussmix.data.tables import Table
from gaussmix.data.writing import check_table_output, write_table
from gaussmix.errors import InputError
from gaussmix.io import SavedModel, load_model
from gaussmix.model.mixture import Mixture, schema
from gaussmix.model.mixture.printing import default_names

#: Rows whose results are held at a time.
BLOCK_ROWS = 1 << 16


def predict_table(model: Path, data: Sequence[Path], output: Path | None, reading: Reading) -> None:
    """Write label, responsibilities and log-density of each row."""
    mixture = _load_checked(model, output).mixture
    table = _read_columns(mixture, data, output, reading)
    rows = number_rows(table) if reading.drop_missing else None

    def compute_blocks() -> Iterator[dict[str, NDArray[Any]]]:
        for start, X in _cut_blocks(table.values):
            responsibilities = mixture.responsibilities(X)
            labels = responsibilities.argmax(axis=1)
            columns: dict[str, NDArray[Any]] = {} if rows is None else {"row": rows[start : start + len(X)]}
            columns |= {"label": np.where(labels == mixture.n_components, -1, labels)}
            columns |= {f"p_{k}": responsibilities[:, k] for k in range(mixture.n_components)}
            if mixture.noise is not None:
                columns["p_noise"] = responsibilities[:, -1]
            yield columns | {"log_density": mixture.log_prob(X)}

    write_table(output, compute_blocks())


def score_table(model: Path, data: Sequence[Path], output: Path | None, rows: bool, reading: Reading) -> None:
    """Print the log-likelihood, BIC and AIC of a table; write the log-density of each row if asked to."""
    if rows and output is not None:
        raise InputError(f"{output}: --rows prints what -o writes; give one of them")
    mixture = _load_checked(model, output).mixture
    table = _read_columns(mixture, data, output, reading)
    log_density = np.concatenate([mixture.log_prob(X) for _, X in _cut_blocks(table.values)])
    if rows or output is not None:
        first = {"row": number_rows(table)} if reading.drop_missing else {}
        write_table(output, [first | {"log_density": log_density}])
    if rows:
        return
    in_double = log_density.astype(np.float64)
    n_samples = float(len(in_double)) if table.weights is None else float(table.weights.sum())
    total = float(in_double.sum()) if table.weights is None else float(in_double @ table.weights)
    bic = mixture.n_parameters * float(np.log(n_samples)) - 2 * total
    aic = 2 * mixture.n_parameters - 2 * total
    print_facts({"n_samples": n_samples, "log_likelihood": total, "bic": bic, "aic": aic})


def sample_table(model: Path, number: int, seed: int | None, output: Path | None) -> None:
    """Write rows drawn from a model."""
    mixture = _load_checked(model, output).mixture
    names = mixture.feature_names or default_names(mixture.n_features)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(
            f"{model}: two features are called {reprlib.repr(twice)}, as columns of a table cannot"
        )
    label = "component"
    while label in names:
        label = f"mixture_{label}"
    generator = np.random.default_rng(seed)

    def draw_blocks() -> Iterator[Mapping[str, NDArray[Any]]]:
        for start in range(0, number, BLOCK_ROWS):
            X, components = mixture.sample(min(BLOCK_ROWS, number - start), generator)
            yield dict(zip(names, X.T, strict=True)) | {label: components}

    write_table(output, draw_blocks())


def show_model(model: Path, everything: bool) -> None:
    """Print a model with its info, or what a detector of anomalies or a classifier knows."""
    kind = schema.find_kind(model) if model.is_file() else ""
    if kind == schema.DETECTOR:
        from gaussmix.cli.saved_detector import show_detector

        show_detector(model)
        return
    if kind == schema.CLASSIFIER:
        from gaussmix.cli.saved_classifier import show_classifier

        show_classifier(model, everything=everything)
        return
    saved = _load_checked(model, None)
    print_model(saved.mixture, saved.info, everything=everything, see_all=f"gaussmix show {model} --all")


def refuse_overwriting(output: Path, source: Path) -> None:
    """Raise InputError if the output is the same file as the input."""
    if output.exists() and source.exists() and os.path.samefile(output, source):
        raise InputError(f"{output}: is also the input; write to another file")


def name_data(data: Sequence[Path]) -> str:
    """What tables are called while they are read."""
    first = INPUT_NAME if str(data[0]) == STANDARD_INPUT else make_printable(data[0].name)
    return first if len(data) == 1 else f"{first} and {len(data) - 1} more"


def tell_notes(table: Table) -> None:
    """Print the notes on how a table was read to stderr."""
    for note in table.notes:
        print_message("note", note)


def read_model_and_rows(model: Path, data: Sequence[Path], reading: Reading) -> tuple[SavedModel, Table]:
    """A saved model and the columns of a table that it is about."""
    saved = _load_checked(model, None)
    return saved, _read_columns(saved.mixture, data, None, reading)


def number_rows(table: Table) -> IntArray:
    """The numbers (from 1) in the file of the rows that were read."""
    return 1 + (np.arange(len(table.values)) if table.places is None else table.places)


def _load_checked(model: Path, output: Path | None) -> SavedModel:
    if output is not None:
        refuse_overwriting(output, model)
        check_table_output(output)
    if model.is_dir():
        raise InputError(f"{model}: is a directory; expected a model")
    if not model.exists():
        raise InputError(f"{model}: no such file")
    with refuse_os_errors(model, "read"):
        return load_model(model)


def _read_columns(mixture: Mixture, data: Sequence[Path], output: Path | None, reading: Reading) -> Table:
    for path in data if output is not None else ():
        refuse_overwriting(cast(Path, output), path)
    names = mixture.feature_names or default_names(mixture.n_features)
    with Stage(is_shown(), f"reading {name_data(data)}"):
        table = read_matching_tables(data, names, reading)
    tell_notes(table)
    return table


def _cut_blocks(values: FloatArray) -> Iterator[tuple[int, FloatArray]]:
    for start in range(0, len(values), BLOCK_ROWS):
        yield start, values[start : start + BLOCK_ROWS]
