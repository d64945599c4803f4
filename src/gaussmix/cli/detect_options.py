"""What `gaussmix detect` is asked to do: its files, and the parameters of the detector."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gaussmix.cli.reading_options import make_reading
from gaussmix.data.reading import Reading
from gaussmix.errors import InputError
from gaussmix.model.covariance import get_structure

AUTO = "auto"
CALIBRATIONS = (AUTO, "cross", "split")
#: Defaults of the options of a fit, none of which a fitted model takes.
OF_A_FIT = {
    "train": None,
    "novelty": False,
    "calibration": AUTO,
    "n_components": AUTO,
    "covariance_type": AUTO,
    "trim": AUTO,
    "columns": None,
    "exclude": None,
    "weights": None,
    "save": None,
}
#: Flags whose names are not those of the arguments.
FLAGS = {"n_components": "-k", "covariance_type": "--covariance"}
#: Which shares an option takes, and how to say it.
SHARES: Mapping[str, tuple[Callable[[float], bool], str]] = {
    "--contamination": (lambda share: 0.0 < share <= 0.5, "above 0 and at most 0.5"),
    "--trim": (lambda share: 0.0 <= share < 1.0, "from 0 to below 1"),
}


@dataclass(frozen=True, kw_only=True)
class DetectTask:
    """What `gaussmix detect` is asked to do."""

    #: Tables to look for anomalies in.
    data: Sequence[Path]
    #: Tables to learn from what is normal; none: the same.
    train: Sequence[Path]
    #: A saved model in place of a fit.
    model: Path | None
    reading: Reading
    #: Parameters of the detector, by name.
    options: Mapping[str, Any]
    #: "auto", "cross" or "split".
    calibration: str
    fdr: float | None
    #: Rows that are printed.
    worst: int
    #: Features that a reason names.
    explain: int
    output: Path | None
    save: Path | None
    plot: Path | None
    report: Path | None
    seed: int | None
    quiet: bool


def read_detection(said: Mapping[str, Any]) -> DetectTask:
    """The task, from all arguments of the command by name. Raises InputError if one is wrong."""
    train = [*(said["train"] or [])]
    if said["model"] is not None:
        refused = [
            FLAGS.get(name, f"--{name}")
            for name, default in OF_A_FIT.items()
            if said[name] != default and said[name] != []
        ]
        if refused:
            raise InputError(f"--model is fitted already, and does not go with {', '.join(refused)}")
    if said["calibration"] not in CALIBRATIONS:
        raise InputError(
            f"--calibration must be one of {', '.join(CALIBRATIONS)}; got {said['calibration']!r}"
        )
    if said["calibration"] != AUTO and not train:
        raise InputError("--calibration says how --train gives p-values; give --train TABLE as well")
    contamination = _read_share("--contamination", said["contamination"])
    rules = {"--contamination": contamination != AUTO, "--fpr": said["fpr"] is not None}
    rules["--fdr"] = said["fdr"] is not None
    given = [name for name, is_given in rules.items() if is_given]
    if len(given) > 1:
        raise InputError(f"{' and '.join(given)} are different thresholds; give one of them")
    for name in ("fpr", "fdr"):
        if said[name] is not None and not 0.0 < said[name] < 1.0:
            raise InputError(f"--{name} must be above 0 and below 1; got {said[name]}")
    if said["fdr"] is not None and not train and said["model"] is None:
        raise InputError(
            "--fdr compares rows with others that are known to be normal; name a table of those with --train"
        )
    options = {
        "n_components": _read_number(said["n_components"]),
        "covariance_type": _read_family(said["covariance_type"]),
        "contamination": contamination,
        "fpr": said["fpr"],
        "novelty": said["novelty"],
        "trim": _read_share("--trim", said["trim"]),
    }
    names = ("data", "model", "calibration", "fdr", "worst", "explain")
    files = ("output", "save", "plot", "report", "seed", "quiet")
    return DetectTask(
        **{name: said[name] for name in (*names, *files)},
        train=train,
        reading=make_reading(said),
        options=options,
    )


def _read_share(flag: str, text: str) -> float | str:
    """A share of the rows, or "auto". Raises InputError for all else."""
    if text == AUTO:
        return AUTO
    is_allowed, limits = SHARES[flag]
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not is_allowed(share):
        raise InputError(f"{flag} must be auto, or a share of the rows, {limits}; got {text!r}")
    return share


def _read_number(text: str) -> int | str:
    if text == AUTO:
        return AUTO
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise InputError(f"-k must be auto, or a number of components, 1 or more; got {text!r}")
    return int(text)


def _read_family(name: str) -> str:
    if name != AUTO:
        try:
            get_structure(name)
        except ValueError as error:
            raise InputError(f"--covariance must be auto, or the name of a family: {error}") from None
    return name
