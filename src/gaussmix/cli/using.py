"""The commands that use a saved model: predict, score, sample, show."""

from __future__ import annotations

import os
import reprlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import typer
from numpy.typing import NDArray

from gaussmix._text import printable
from gaussmix._typing import FloatArray
from gaussmix.cli.display import print_facts, print_model
from gaussmix.data.tables import Table, read_matching
from gaussmix.data.writing import check_table_output, write_table
from gaussmix.errors import InputError
from gaussmix.io import SavedModel, load_model
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.printing import default_names

#: Rows whose results are held at a time.
BLOCK_ROWS = 1 << 16


def predict_table(model: Path, data: Path, output: Path | None) -> None:
    """Write label, responsibilities and log-density of each row."""
    mixture = _load(model, output).mixture
    table = _read(mixture, data, output)

    def results(X: FloatArray) -> dict[str, NDArray[Any]]:
        responsibilities = mixture.responsibilities(X)
        columns: dict[str, NDArray[Any]] = {"label": find_labels(mixture, responsibilities)}
        columns |= {f"p_{k}": responsibilities[:, k] for k in range(mixture.n_components)}
        if mixture.noise is not None:
            columns["p_noise"] = responsibilities[:, -1]
        return columns | {"log_density": mixture.log_prob(X)}

    write_table(output, _compute_blocks(table.values, results))


def find_labels(mixture: Mixture, responsibilities: FloatArray) -> NDArray[Any]:
    """Return the most probable component of each row, -1 for the noise."""
    labels = responsibilities.argmax(axis=1)
    return np.where(labels == mixture.n_components, -1, labels)


def score_table(model: Path, data: Path, weights: str | None, output: Path | None, rows: bool) -> None:
    """Print the log-likelihood, BIC and AIC of a table; write the log-density of each row if asked to."""
    if rows and output is not None:
        raise InputError(f"{output}: --rows prints what -o writes; give one of them")
    mixture = _load(model, output).mixture
    table = _read(mixture, data, output, weights)
    densities = [block["log_density"] for block in _compute_blocks(table.values, _make_scorer(mixture))]
    log_density = np.concatenate(densities)
    if rows or output is not None:
        write_table(output, [{"log_density": log_density}])
    if rows:
        return
    in_double = log_density.astype(np.float64)
    n_samples = float(len(in_double)) if table.weights is None else float(table.weights.sum())
    total = float(in_double.sum()) if table.weights is None else float(in_double @ table.weights)
    print_facts(compute_facts(total, n_samples, mixture.n_parameters))


def compute_facts(log_likelihood: float, n_samples: float, n_parameters: int) -> dict[str, float]:
    """The log-likelihood and the criteria that follow from it, by the names of a model's info."""
    return {
        "n_samples": n_samples,
        "log_likelihood": log_likelihood,
        "bic": n_parameters * float(np.log(n_samples)) - 2 * log_likelihood,
        "aic": 2 * n_parameters - 2 * log_likelihood,
    }


def sample_table(model: Path, number: int, seed: int | None, output: Path | None) -> None:
    """Write rows drawn from a model."""
    mixture = _load(model, output).mixture
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

    def blocks() -> Iterator[Mapping[str, NDArray[Any]]]:
        for start in range(0, number, BLOCK_ROWS):
            X, components = mixture.sample(min(BLOCK_ROWS, number - start), generator)
            yield dict(zip(names, X.T, strict=True)) | {label: components}

    write_table(output, blocks())


def show_model(model: Path, everything: bool) -> None:
    """Print a model with its info."""
    saved = _load(model, None)
    print_model(saved.mixture, saved.info, everything=everything, see_all=f"gaussmix show {model} --all")


def refuse_overwriting(output: Path, inputs: list[Path]) -> None:
    """Raise InputError if the output is the same file as an input."""
    for path in inputs:
        if output.exists() and path.exists() and os.path.samefile(output, path):
            raise InputError(f"{output}: is also the input; write to another file")


def tell_notes(table: Table) -> None:
    """Print the notes on how a table was read to stderr."""
    for note in table.notes:
        typer.echo(f"note: {printable(note)}", err=True)


def _load(model: Path, output: Path | None) -> SavedModel:
    if output is not None:
        refuse_overwriting(output, [model])
        check_table_output(output)
    if model.is_dir():
        raise InputError(f"{model}: is a directory; expected a model")
    if not model.exists():
        raise InputError(f"{model}: no such file")
    try:
        return load_model(model)
    except OSError as error:
        raise InputError(f"{model}: cannot be read: {error.strerror or error}") from error


def _read(mixture: Mixture, data: Path, output: Path | None, weights: str | None = None) -> Table:
    if output is not None:
        refuse_overwriting(output, [data])
    names = mixture.feature_names or default_names(mixture.n_features)
    table = read_matching(data, names, weights=weights)
    tell_notes(table)
    return table


def _make_scorer(mixture: Mixture) -> Callable[[FloatArray], dict[str, NDArray[Any]]]:
    return lambda X: {"log_density": mixture.log_prob(X)}


def _compute_blocks(
    values: FloatArray, results: Callable[[FloatArray], dict[str, NDArray[Any]]]
) -> Iterator[dict[str, NDArray[Any]]]:
    for start in range(0, len(values), BLOCK_ROWS):
        yield results(values[start : start + BLOCK_ROWS])
