"""What `gaussmix fit` is asked to do: its files, and the options of the library that its flags stand for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gaussmix.cli.reading_options import cut_names, make_reading
from gaussmix.data.reading import Reading
from gaussmix.errors import InputError
from gaussmix.fit.options import OPTIONS
from gaussmix.model.constraints import Constraints
from gaussmix.model.covariance import get_structure
from gaussmix.select.criteria import CRITERIA
from gaussmix.select.many_models import FOURTEEN

STRATEGIES = ("em", "message-length")
#: Numbers of components to choose from.
NUMBERS = range(1, 10)
#: Digits of a number of components.
MOST_DIGITS = 9
#: Numbers of components that one part of -k may name.
MOST_NUMBERS = 1000
#: What stands for mclust's families.
ALL = "all"
#: Options of the command that a search does not have.
OF_ONE_MODEL = ("checkpoint", "resume", "acceleration", "stopping")
#: Where a search ends its iterations, unless the command is told otherwise: criteria compare likelihoods.
OF_A_SEARCH = {"tol": 1e-5, "max_iter": 1000}

#: Options that say which models there are to choose from.
MODEL = ("n_components", "covariance_type")
#: Arguments that do not tell what is fitted, and those that are told apart.
UNTOLD = ("data", "output", "plot", "plot_columns", "report", "quiet", "seed", "checkpoint", "resume")
#: Defaults of options that the library does not have.
USUAL = {"criterion": "bic", "stability": 0, "strategy": STRATEGIES[0], "min_weight": 0.0}
#: Options of the command that together are the library's `constraints`.
CONSTRAINTS = ("eigenvalue_ratio", "equal_weights", "min_weight")

#: Options that a descent to the shortest message takes; `n_components` is where it begins.
OF_MESSAGE_LENGTH = ("n_components", "covariance_type", "reg_covar", "n_factors", "n_init", "tol", "max_iter")
#: Options that a search takes, by the names of the library.
OF_SEARCH = (
    *("tol", "reg_covar", "max_iter", "n_init", "init_params", "n_factors"),
    *("prior", "constraints", "noise", "trim"),
)
#: Options that it does not have.
NOT_OF_MESSAGE_LENGTH = ("init_params", "prior", *CONSTRAINTS, "noise", "trim", "acceleration", "stopping")


@dataclass(frozen=True, kw_only=True)
class FitTask:
    """What `gaussmix fit` is asked to do: files to read and to write, and how to fit."""

    data: Sequence[Path]
    reading: Reading  # how the data are to be read, and which columns
    output: Path | None
    plot: Path | None
    checkpoint: Path | None  # to be kept up to date: that of `resume`, unless another is given
    resume: Path | None
    plot_columns: Sequence[str] | None  # None: those that tell components apart
    strategy: str
    seed: int | None
    quiet: bool
    report: Path | None
    #: What to choose from.
    numbers: Sequence[int]
    #: Families to choose from; None stands for all of mclust's.
    families: Sequence[str] | None
    #: What to choose by.
    criterion: str
    #: Resamples that are searched, too.
    stability: int
    #: What :func:`gaussmix.fit_mixture` takes, by its names; "message-length" begins with `n_components`.
    options: Mapping[str, Any]
    #: The command's words, but for the files that it writes.
    words: Sequence[str]

    @property
    def searches(self) -> bool:
        """Whether there is a model to choose."""
        return len(self.numbers) > 1 or self.families is None or len(self.families) > 1


def read_task(said: Mapping[str, Any]) -> FitTask:
    """The task of a fit, from all arguments of the command by name. Raises InputError if one is wrong."""
    strategy = said["strategy"]
    if strategy not in STRATEGIES:
        raise InputError(f"--strategy must be one of {', '.join(STRATEGIES)}; got {strategy!r}")
    if not math.isfinite(said["tol"]):
        raise InputError(f"--tol must be a finite number; got {said['tol']}")
    if said["criterion"] not in CRITERIA:
        raise InputError(f"--criterion must be one of {', '.join(CRITERIA)}; got {said['criterion']!r}")
    numbers, families = _read_models(said)
    try:
        values = {
            name: option.parse(said[name])
            for name, option in OPTIONS.items()
            if option.flag
            and (option.words or option.numbers)
            and name not in MODEL
            and said[name] is not None
        }
    except ValueError as error:
        raise InputError(str(error)) from None
    if len(numbers) == 1 and families is not None and len(families) == 1:
        values |= {"n_components": numbers[0], "covariance_type": families[0]}
    else:
        for name, value in OF_A_SEARCH.items():
            values[name] = value if values[name] == OPTIONS[name].default else values[name]
    values["constraints"] = _read_constraints(said, numbers, families)
    if strategy != "em":
        _check_known(said)
    if said["plot_columns"] is not None and said["plot"] is None:
        raise InputError("--plot-columns says what --plot shows; give --plot PNG as well")
    names = (
        "data",
        "output",
        "plot",
        "resume",
        "seed",
        "quiet",
        "report",
        "criterion",
        "stability",
    )
    return FitTask(
        **{name: said[name] for name in names},
        numbers=numbers,
        families=families,
        words=list_words(said),
        reading=make_reading(said),
        plot_columns=None
        if said["plot_columns"] is None
        else cut_names(said["plot_columns"], "--plot-columns"),
        checkpoint=said["resume"] if said["checkpoint"] is None else said["checkpoint"],
        strategy=strategy,
        options=values,
    )


def list_words(said: Mapping[str, Any]) -> list[str]:
    """The words of a command that fits the same again, but for the files that it writes."""
    words = ["gaussmix", "fit", *map(str, said["data"])]
    for name, value in said.items():
        default = OPTIONS[name].default if name in OPTIONS else USUAL.get(name)
        if name in UNTOLD or value is None or value == default or (value is False and name != "header"):
            continue
        if name == "header":
            words.append("--header" if value else "--no-header")
            continue
        flag = "-k" if name == "n_components" else _find_flag(name)
        words += [flag] if value is True else [flag, str(value)]
    return words


def _read_models(said: Mapping[str, Any]) -> tuple[list[int], list[str] | None]:
    """The numbers of components and the families to choose from; None stands for all of mclust's families.

    Raises InputError where one of them is none, or where an option for one model meets several.
    """
    text, names = said["n_components"], said["covariance_type"]
    numbers = list(NUMBERS) if text is None else parse_numbers(text)
    families = None if names in (None, ALL) else [name.strip() for name in names.split(",")]
    try:
        for name in families or ():
            OPTIONS["covariance_type"].parse(name)
    except ValueError as error:
        raise InputError(str(error)) from None
    if families is not None and len(set(families)) < len(families):
        raise InputError(f"--covariance names a family twice: {names}")
    alone = [_find_flag(name) for name in OF_ONE_MODEL if said[name] not in (None, OPTIONS[name].default)]
    if said["strategy"] != STRATEGIES[0]:
        alone.append("--strategy")
    if alone and families is None and names is None:
        families = [OPTIONS["covariance_type"].default]
    if alone and (families is None or len(numbers) * len(families) > 1):
        raise InputError(
            f"{alone[0]} is for one model: name it with -k K and, unless it is full, --covariance NAME"
        )
    return numbers, families


def parse_numbers(text: str) -> list[int]:
    """The numbers that a text such as 3, 2-6 or 2,4,8 stands for, in order; else InputError."""
    wrong = f"Invalid value for '-k': it must be a number of at least 1, or 2-6, or 2,4,8; got {text!r}"
    numbers: set[int] = set()
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if not (first.isdecimal() and (last.isdecimal() or "-" not in part)):
            raise InputError(wrong)
        if len(first) > MOST_DIGITS or len(last) > MOST_DIGITS:
            raise InputError(wrong)
        found = range(int(first), int(last or first) + 1)
        if not found or found[0] < 1 or len(found) > MOST_NUMBERS:
            raise InputError(wrong)
        numbers.update(found)
    return sorted(numbers)


def _read_constraints(
    said: Mapping[str, Any], numbers: Sequence[int], families: Sequence[str] | None
) -> Constraints | None:
    if not any(said[name] for name in CONSTRAINTS):
        return None
    try:
        constraints = Constraints(**{name: said[name] for name in CONSTRAINTS})
        for name in families or FOURTEEN:
            constraints.check(get_structure(name), min(numbers))
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
