"""The options of a fit, in frozen groups: every field is a row of one table.

A row has the option's default and the values that it may have. It says how the command spells and explains
the option, and how a checkpoint records it. All functions that fit, the estimator and the command take their
checks from the rows. So does a checkpoint take the values that two fits must share.

This module imports nothing heavy, since the command reads the table for its help.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from importlib import import_module
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import numpy.typing as npt

    from gaussmix._progress import OnProgress
    from gaussmix.fit.given import StartFrom
    from gaussmix.fit.iterate.acceleration import Acceleration
    from gaussmix.fit.iterate.stopping import Stopping
    from gaussmix.fit.mstep.regularise import RegCovar
    from gaussmix.fit.outliers import NoiseRequest
    from gaussmix.model.constraints import Constraints
    from gaussmix.model.priors import NormalInverseWishart

#: A number of factors, or the one of least BIC; None is the number that the start has, else 1.
NFactors: TypeAlias = int | Literal["auto"] | None


@dataclass(frozen=True)
class Numbers:
    """The numbers x with least <= x < end, or least < x < end where they are `open`."""

    least: float
    end: float = math.inf
    whole: bool = False
    open: bool = False

    def __contains__(self, value: Any) -> bool:
        if isinstance(value, bool):  # True is no number of things and no share, but it may be a tolerance
            return not self.whole and self.end == math.inf
        if not isinstance(value, Integral if self.whole else Real):
            return False
        number = float(value)
        return (self.least < number if self.open else self.least <= number) and number < self.end

    def __str__(self) -> str:
        if self.whole:
            return f"a whole number of at least {self.least}"
        if self.end == math.inf:
            return f"a finite number of at least {self.least}"
        return f"a share {'over' if self.open else 'of at least'} {self.least} and under {self.end}"


#: Shares of the rows that noise may begin with.
SHARES = Numbers(0, 1, open=True)


@dataclass(frozen=True)
class Option:
    """A row of the table."""

    default: Any
    #: Names that the option may have; "module:NAMES" stands for those that a module lists.
    words: tuple[str, ...] = ()
    #: Numbers that the option may have.
    numbers: Numbers | None = None
    #: Whether the option may also be something else, which is checked where it is used.
    other: bool = False
    #: How the command spells, shows and explains the option.
    flag: str = ""
    metavar: str | None = None
    help: str = ""
    #: Words of the command alone, and the values that they stand for. The library takes None where it is one
    #: of these values, or the default.
    spoken: Mapping[str, Any] = field(default_factory=dict)
    #: Makes plain JSON of the value, for a checkpoint. None where the value of another fit may differ.
    record: Callable[[Any], Any] | None = None

    def list_words(self) -> list[str]:
        """All names that the option may have."""
        listed: list[str] = []
        for word in self.words:
            module, _, names = word.partition(":")
            listed += getattr(import_module(module), names) if names else [word]
        return listed

    def check(self, value: Any, name: str) -> None:
        """Raise ValueError unless the library takes this value."""
        none = None in (self.default, *self.spoken.values())
        if self.other or not (self.words or self.numbers) or (value is None and none):
            return
        if self.numbers is not None and not isinstance(value, str):
            if value not in self.numbers:
                raise ValueError(f"{name} must be {self.numbers}; got {value!r}")
        elif value not in (words := self.list_words()):
            quoted = words if self.numbers is None else [f'"{word}"' for word in words]
            none_too = ", or None" if none and self.numbers is None else ""
            raise ValueError(f"{name} must be {self._describe(quoted)}{none_too}; got {value!r}")

    def parse(self, said: Any) -> Any:
        """The value of the library for what the command was told; ValueError names the flag."""
        words = [*self.list_words(), *self.spoken]
        if said in words:
            return self.spoken.get(said, said)
        if self.numbers is not None:
            with suppress(ValueError):  # of a text that is no number
                number = int(said) if self.numbers.whole and str(said).isdecimal() else float(said)
                if number in self.numbers:
                    return number
        raise ValueError(f"{self.flag} must be {self._describe(words)}; got {said!r}")

    def _describe(self, words: Sequence[str]) -> str:
        if self.numbers is None:
            return f"one of {', '.join(words)}"
        return " or ".join([*words, str(self.numbers)])


def make_row(default: Any, **facts: Any) -> Any:
    """The field of a group for an option with this default and the other facts of :class:`Option`."""
    return field(default=default, metadata={"option": Option(default, **facts)})


class Checked:
    """Options that belong together; ValueError where one has a value that the table does not allow."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not OPTIONS[name].default:
                OPTIONS[name].check(value, name)


@dataclass(frozen=True, eq=False)
class ModelOptions(Checked):
    """What is fitted, and what keeps it from harm by outliers and by collapse."""

    n_components: int = make_row(
        1,
        numbers=Numbers(1, whole=True),
        flag="--components",
        metavar="K|A-B|A,B",
        help="Number of components, or several to choose from: 3, 2-6 or 2,4,8. Of message-length, the most. "
        "Default: 1-9.",
        record=int,
    )
    covariance_type: str = make_row(
        "full",
        words=("gaussmix.model.covariance:KNOWN",),
        flag="--covariance",
        metavar="NAME|A,B|all",
        help="full, tied, diag, spherical, one of mclust's names, such as VEV, or, for many columns, factor "
        "or ppca; several to choose from, or all: mclust's fourteen. Default: all.",
        record=str,
    )
    reg_covar: RegCovar = make_row(
        "auto",
        words=("auto",),
        numbers=Numbers(0),
        flag="--reg-covar",
        metavar="auto|NUMBER",
        help="auto keeps every variance above 1e-10 of its column's, and moves components that collapse. A "
        "number is added to the variances, in squared units of the data.",
        record=lambda amount: amount if isinstance(amount, str) else float(amount),
    )
    n_factors: NFactors = make_row(
        None,
        words=("auto",),
        numbers=Numbers(1, whole=True),
        flag="--factors",
        metavar="auto|NUMBER",
        help="Number of factors of factor and ppca, fewer than columns. auto: the one of least BIC.",
        record=int,
    )
    prior: str | NormalInverseWishart | None = make_row(
        None,
        words=("gaussmix.model.priors:NAMES",),
        other=True,
        flag="--prior",
        metavar="NAME",
        help="mclust: a weak prior that the data give, which keeps components from collapsing.",
        record=lambda prior: prior and prior.described(),
    )
    constraints: Constraints | None = make_row(
        None, record=lambda limits: None if limits == type(limits)() else limits.described()
    )
    noise: NoiseRequest = make_row(
        False,
        numbers=SHARES,
        other=True,
        flag="--noise",
        metavar="auto|SHARE",
        help="A component of constant density for outliers, begun with this share of the rows.",
        spoken={"auto": True},
        record=lambda noise: noise.tensors["noise"].tolist() if noise else [],
    )
    trim: float = make_row(
        0.0,
        numbers=Numbers(0, 1),
        flag="--trim",
        metavar="SHARE",
        help="Leave this share of the rows out: those of lowest density.",
        record=float,
    )


@dataclass(frozen=True, eq=False)
class StartOptions(Checked):
    """Where EM begins, and how many times."""

    init_params: str = make_row(
        "auto",
        words=("gaussmix.fit.starts.table:NAMES",),
        flag="--init",
        help="Where starts come from: auto (k-means, and a race against it), fast or thorough (races that "
        "cost less or more), kmeans, k-means++, random, random_from_data, agglomerative, pca or annealing.",
        record=str,
    )
    n_init: int = make_row(
        1,
        numbers=Numbers(1, whole=True),
        flag="--n-init",
        help="Number of starts; the best is kept.",
        record=int,
    )
    start: StartFrom | None = make_row(None)
    random_state: Any = make_row(None)


@dataclass(frozen=True, eq=False)
class IterationOptions(Checked):
    """When EM stops, how it needs fewer iterations, and who watches it."""

    tol: float = make_row(
        1e-3,
        numbers=Numbers(0),
        flag="--tol",
        help="Stop when an iteration gains less log-likelihood per sample.",
        record=float,
    )
    max_iter: int = make_row(
        100, numbers=Numbers(0, whole=True), flag="--max-iter", help="Most iterations of a start.", record=int
    )
    stopping: Stopping = make_row(
        "change",
        words=("change", "aitken"),
        flag="--stopping",
        help="What --tol bounds: change, in an iteration, or aitken, distance to the limit.",
        record=str,
    )
    acceleration: Acceleration = make_row(
        "auto",
        words=("auto", "gaussmix.fit.iterate.acceleration:METHODS"),
        flag="--acceleration",
        help="Of slow fits: auto, quasi-newton, anderson, squarem or none.",
        spoken={"none": None},
        record=lambda name: name,
    )
    #: Text in a checkpoint, since JSON has no infinity.
    previous: float = make_row(-math.inf, record=lambda value: repr(float(value)))
    on_progress: OnProgress | None = make_row(None)


@dataclass(frozen=True, eq=False)
class CheckpointOptions(Checked):
    """Where a fit is kept, to go on with it."""

    checkpoint: str | os.PathLike[str] | None = make_row(
        None,
        flag="--checkpoint",
        metavar="PATH",
        help="Keep here, every half minute, all it takes to go on with a fit that was cut off.",
    )
    checkpoint_interval: float = make_row(30.0, numbers=Numbers(0))
    resume: str | os.PathLike[str] | None = make_row(
        None,
        flag="--resume",
        metavar="PATH",
        help="Go on from this checkpoint, with the data and options that it was made with, and keep it (or "
        "that of --checkpoint) up to date.",
    )


#: The whole table, by the names of the options.
OPTIONS: dict[str, Option] = {
    item.name: item.metadata["option"]
    for group in (ModelOptions, StartOptions, IterationOptions, CheckpointOptions)
    for item in fields(group)
}


@dataclass(frozen=True, eq=False)
class Request:
    """All that is asked of a fit of one mixture, and what is known of the rows beside their numbers."""

    model: ModelOptions
    start: StartOptions
    iteration: IterationOptions
    checkpoint: CheckpointOptions
    sample_weight: npt.ArrayLike | None = None
    feature_names: Sequence[str] | None = None

    def record(self) -> dict[str, Any]:
        """What the checkpoint of another fit must agree with, as plain JSON."""
        values = {**vars(self.model), **vars(self.start), **vars(self.iteration)}
        if self.model.n_factors is None:  # of families without factors, nothing is said of any
            del values["n_factors"]
        records = {name: OPTIONS[name].record for name in values}
        return {name: record(values[name]) for name, record in records.items() if record is not None}
