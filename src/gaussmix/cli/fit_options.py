"""What `gaussmix fit` is asked to do: its files, and the options of the library that its flags stand for."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gaussmix.errors import InputError
from gaussmix.fit.options import OPTIONS
from gaussmix.model.constraints import Constraints
from gaussmix.model.covariance import get_structure

STRATEGIES = ("em", "message-length")

#: Options of the command that together are the library's `constraints`.
CONSTRAINTS = ("eigenvalue_ratio", "equal_weights", "min_weight")

#: Options that a descent to the shortest message takes; `n_components` is where it begins.
OF_MESSAGE_LENGTH = ("n_components", "covariance_type", "reg_covar", "n_factors", "n_init", "tol", "max_iter")
#: Options that it does not have.
NOT_OF_MESSAGE_LENGTH = ("init_params", "prior", *CONSTRAINTS, "noise", "trim", "acceleration", "stopping")


@dataclass(frozen=True, kw_only=True)
class FitTask:
    """What `gaussmix fit` is asked to do: files to read and to write, and how to fit."""

    data: Path
    output: Path | None
    plot: Path | None
    checkpoint: Path | None  # to be kept up to date: that of `resume`, unless another is given
    resume: Path | None
    columns: Sequence[str] | None  # None: all that are numeric
    weights: str | None  # a column
    strategy: str
    seed: int | None
    quiet: bool
    #: What :func:`gaussmix.fit_mixture` takes, by its names; "message-length" begins with `n_components`.
    options: Mapping[str, Any]


def read_task(said: Mapping[str, Any]) -> FitTask:
    """The task of a fit, from all arguments of the command by name. Raises InputError if one is wrong."""
    strategy = said["strategy"]
    if strategy not in STRATEGIES:
        raise InputError(f"--strategy must be one of {', '.join(STRATEGIES)}; got {strategy!r}")
    if not math.isfinite(said["tol"]):
        raise InputError(f"--tol must be a finite number; got {said['tol']}")
    try:
        values = {
            name: option.parse(said[name])
            for name, option in OPTIONS.items()
            if option.flag and (option.words or option.numbers) and said[name] is not None
        }
    except ValueError as error:
        raise InputError(str(error)) from None
    values["constraints"] = _read_constraints(said)
    if strategy != "em":
        _check_known(said)
    columns = said["columns"]
    return FitTask(
        **{name: said[name] for name in ("data", "output", "plot", "resume", "weights", "seed", "quiet")},
        # As a line of CSV, so that a name with a comma can be quoted.
        columns=None if columns is None else [name.strip() for name in next(csv.reader([columns]), [])],
        checkpoint=said["resume"] if said["checkpoint"] is None else said["checkpoint"],
        strategy=strategy,
        options=values,
    )


def _read_constraints(said: Mapping[str, Any]) -> Constraints:
    try:
        constraints = Constraints(**{name: said[name] for name in CONSTRAINTS})
        constraints.check(get_structure(said["covariance_type"]), said["n_components"])
    except ValueError as error:
        text = str(error)
        for name in CONSTRAINTS:
            text = text.replace(name, _find_flag(name))
        raise InputError(text) from None
    return constraints


def _check_known(said: Mapping[str, Any]) -> None:
    """Raise InputError if an option is given that the strategy does not have."""
    refused = ["--factors auto"] if said["n_factors"] == "auto" else []
    for name in NOT_OF_MESSAGE_LENGTH:
        default = OPTIONS[name].default if name in OPTIONS else None
        if said[name] not in (default, None, False):
            refused.append(_find_flag(name))
    if said["resume"] is not None:
        refused.append("--resume")
    elif said["checkpoint"] is not None:
        refused.append("--checkpoint")
    if refused:
        raise InputError(f"--strategy {said['strategy']} does not go with {', '.join(refused)}")


def _find_flag(name: str) -> str:
    return OPTIONS[name].flag if name in OPTIONS else f"--{name.replace('_', '-')}"
