"""What `gaussmix classify` is asked to do: its files, and the parameters of the classifier."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gaussmix.cli.fit_options import parse_numbers
from gaussmix.cli.reading_options import cut_names, make_reading
from gaussmix.data.reading import Reading
from gaussmix.errors import InputError
from gaussmix.model.covariance import get_structure

AUTO = "auto"
#: The words of options that have some.
WORDS = {"criterion": ("cv", "bic"), "share": ("covariances", "nothing", "components")}
#: Defaults of the options of a fit, none of which a fitted classifier takes.
OF_A_FIT = {
    "target": None,
    "n_components": AUTO,
    "covariance_type": AUTO,
    "criterion": "cv",
    "share": "covariances",
    "shrinkage": AUTO,
    "folds": 5,
    "reject_density": 0.0,
    "columns": None,
    "exclude": None,
    "weights": None,
    "save": None,
    "plot": None,
    "report": None,
}
#: Flags whose names are not those of the arguments.
FLAGS = {"n_components": "-k", "covariance_type": "--covariance", "reject_density": "--reject-density"}


@dataclass(frozen=True, kw_only=True)
class ClassifyTask:
    """What `gaussmix classify` is asked to do."""

    #: Tables to learn from, or with a model those to classify.
    data: Sequence[Path]
    #: Tables to classify in their place.
    predict: Sequence[Path]
    #: A saved classifier in place of a fit.
    model: Path | None
    reading: Reading
    #: Parameters of the classifier, by name.
    options: Mapping[str, Any]
    #: Parts of the rows that are held out in turn; 0 for none.
    folds: int
    output: Path | None
    save: Path | None
    plot: Path | None
    report: Path | None
    seed: int | None
    quiet: bool


def read_classification(said: Mapping[str, Any]) -> ClassifyTask:
    """The task, from all arguments of the command by name. Raises InputError if one is wrong."""
    predict = [*(said["predict"] or [])]
    if said["model"] is not None:
        refused = [
            FLAGS.get(name, f"--{name}")
            for name, default in OF_A_FIT.items()
            if said[name] != default and said[name] != []
        ]
        refused += ["--predict"] if predict else []
        if refused:
            raise InputError(f"--model is fitted already, and does not go with {', '.join(refused)}")
    elif said["target"] is None:
        raise InputError(
            "--target names the column with the classes; or give a saved classifier with --model"
        )
    _check_folds(said)
    for name, words in WORDS.items():
        if said[name] not in words:
            raise InputError(f"--{name} must be one of {', '.join(words)}; got {said[name]!r}")
    for name in ("reject_density", "reject_posterior"):
        if not 0.0 <= said[name] < 1.0:
            raise InputError(f"--{name.replace('_', '-')} must be from 0 to below 1; got {said[name]}")
    options = {
        "n_components": _read_numbers(said["n_components"]),
        "covariance_type": _read_families(said["covariance_type"]),
        "shrinkage": _read_shrinkage(said["shrinkage"]),
        **{name: said[name] for name in ("criterion", "share", "reject_density", "reject_posterior")},
    }
    names = ("data", "model", "folds", "output", "save", "plot", "report", "seed", "quiet")
    return ClassifyTask(
        **{name: said[name] for name in names}, predict=predict, reading=make_reading(said), options=options
    )


def _check_folds(said: Mapping[str, Any]) -> None:
    if said["folds"] == 1:
        raise InputError("--folds must be 0, or 2 or more: one fold would leave no rows to learn from")
    for name in ("plot", "report"):
        if not said["folds"] and said[name] is not None:
            raise InputError(f"--{name} shows rows that were held out; give --folds 2 or more")


def _read_numbers(text: str) -> int | str | list[int]:
    if text == AUTO:
        return AUTO
    numbers = parse_numbers(text)
    return numbers[0] if len(numbers) == 1 else numbers


def _read_families(text: str) -> str | list[str]:
    names = [*cut_names(text, "--covariance")]
    if names == [AUTO]:
        return AUTO
    for name in names:
        try:
            get_structure(name)
        except ValueError as error:
            raise InputError(f"--covariance must be auto, or names of families: {error}") from None
    if not names:
        raise InputError("--covariance names no family")
    return names[0] if len(names) == 1 else names


def _read_shrinkage(text: str) -> float | str:
    if text == AUTO:
        return AUTO
    try:
        rows = float(text)
    except ValueError:
        rows = math.nan
    if not 0.0 <= rows < math.inf:
        raise InputError(f"--shrinkage must be auto, or a number of rows, 0 or more; got {text!r}")
    return rows
