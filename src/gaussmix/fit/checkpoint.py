"""Checkpoints: where a long fit is, in a file, and going on from there to the same bits."""

from __future__ import annotations

import math
import os
import reprlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gaussmix import _container
from gaussmix._typing import Float64Array
from gaussmix.data.rows import Rows, digest_arrays
from gaussmix.errors import ModelFileError
from gaussmix.fit.given import Given
from gaussmix.fit.iterate.acceleration import Memory
from gaussmix.fit.iterate.em import Run
from gaussmix.fit.multistart import MAX_RESEEDS, Position
from gaussmix.fit.result import FitStatus, StartReport
from gaussmix.model.mixture import Mixture, schema
from gaussmix.model.moments.coordinates import Coordinates

#: Version of the schema of checkpoints. Others are refused: a checkpoint is for going on, not for keeping.
VERSION = 5
KIND = schema.CHECKPOINT
FIELDS = {
    *("kind", "schema", "fit", "seed", "start", "attempt"),
    *("statuses", "failures", "reports", "n_reseeds", "rng"),
}
RUNS = ("running", "here", "best")
PARAMETERS = ("weights", "means", "covariances", "precisions_cholesky")
#: The memory of an accelerator, of the run in progress.
MEMORY = ("memory", "memory.numbers")
#: The iterations of EM in a race before a run.
PAST = ("past.history", "past.log_priors")

#: Numbers in the state of the Mersenne Twister.
WORDS = 624

Path = str | os.PathLike[str]


def make_identity(rows: Rows, given: Given, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options and digests of the numbers, in which two fits agree if one can go on with the other."""
    return {
        **options,
        "shape of the data": list(rows.shape),
        "dtype of the data": rows.dtype.name,
        "data": rows.digest,
        "start": digest_arrays(given.weights, given.means, given.roots, given.memberships),
    }


class _Flaw(Exception):
    """What is wrong with a document or its tensors; the caller knows the file."""


@dataclass
class Saver:
    """Writes positions of a fit to one file, atomically, and not more often than asked."""

    path: Path
    #: The identity of the fit, from :func:`make_identity`.
    identity: Mapping[str, Any]
    #: The seed of the generator, where that is known.
    seed: int | None
    #: The generator of the starts, whose state is saved, too.
    rng: np.random.RandomState
    #: Seconds between two writes; the first iteration is written at once, the end always.
    interval: float
    #: The time of the next write, which each write moves.
    due: float = -math.inf

    def __call__(self, position: Position, last: bool = False) -> None:
        """Write the position if it is time, or the last one."""
        if not last and time.monotonic() < self.due:
            return
        tensors, statuses = {}, {}
        for name in RUNS:
            run: Run | None = getattr(position, name)
            if run is not None:
                statuses[name] = run.status.value
                tensors[f"{name}.history"] = np.array(run.history)
                if run.log_priors:
                    tensors[f"{name}.log_priors"] = np.array(run.log_priors)
                tensors.update({f"{name}.{field}": getattr(run.mixture, field) for field in PARAMETERS})
                if run.mixture.noise is not None:  # its box is not the fit's business
                    tensors[f"{name}.noise"] = run.mixture.noise.tensors["noise"]
                pasts = zip(PAST, run.past, strict=True)
                tensors.update({f"{name}.{field}": np.array(past) for field, past in pasts if past})
                if run.memory is not None:
                    arrays = zip(MEMORY, run.memory.to_arrays(), strict=True)
                    tensors.update({f"{name}.{field}": array for field, array in arrays})
        state = self.rng.get_state(legacy=False)
        tensors["rng"] = state["state"]["key"].astype(np.float64)  # 32 bits each: exact
        document = {
            "kind": KIND,
            "schema": VERSION,
            "fit": dict(self.identity),
            "seed": self.seed,
            "start": position.start,
            "attempt": position.attempt,
            "statuses": statuses,
            "failures": list(position.failures),
            "reports": [_write_report(report) for report in position.reports],
            "n_reseeds": position.n_reseeds,
            "rng": {"pos": state["state"]["pos"], "has_gauss": state["has_gauss"], "gauss": state["gauss"]},
        }
        _container.write(self.path, tensors, document)
        self.due = time.monotonic() + self.interval


def check_resumable(rng: np.random.RandomState) -> None:
    """Raise ValueError if a file cannot hold the state of this generator."""
    if rng.get_state(legacy=False)["bit_generator"] != "MT19937":
        raise ValueError(
            "a checkpoint can hold the state of the Mersenne Twister alone: give random_state an integer, "
            "or a RandomState made from one"
        )


def read_seed(path: Path) -> int | None:
    """The seed of the fit in a checkpoint, None where it was no number; raises as :func:`load_position`."""
    seed: int | None = _read_content(path).document["seed"]
    return seed


def load_position(
    path: Path, identity: Mapping[str, Any], n_starts: int, seed: int | None, rng: np.random.RandomState
) -> tuple[Position, int | None]:
    """The position in a file and the seed that its fit began with. Sets `rng` to the state in the file.

    A seed of None goes on with any fit.

    Raises
    ------
    ModelFileError
        If the file is damaged, no checkpoint, or of another fit. The message says which of these.
    OSError
        If it cannot be opened.
    """
    content = _read_content(path)
    document = content.document
    if seed is not None:
        identity = {**identity, "random_state": seed}
    saved = {**document["fit"], "random_state": document["seed"]}
    for name, value in identity.items():
        if name not in saved or saved[name] != value:
            raise ModelFileError(
                f"{path}: a checkpoint of another fit: {_describe_difference(name, saved.get(name), value)}"
            )
    try:
        position = _read_position(content, identity, n_starts)
        state = _read_state(content)
    except (_Flaw, ValueError) as error:
        raise ModelFileError(f"{path}: not a sound checkpoint: {error}") from None
    rng.set_state(state)
    return position, document["seed"]


def _read_content(path: Path) -> _container.Content:
    """A checkpoint whose checksum agrees and whose fields are those of one."""
    content = _container.read(path)
    document = content.document
    if document.get("kind") != KIND:
        raise ModelFileError(
            f"{path}: no checkpoint; a model is for predicting, not for going on with its fit"
        )
    if document.get("schema") != VERSION:
        raise ModelFileError(f"{path}: a checkpoint of another version of gaussmix; start the fit anew")
    if not content.intact:
        raise ModelFileError(f"{path}: damaged: its checksum is another; start the fit anew")
    seed = document.get("seed")
    if document.keys() != FIELDS or not isinstance(document["fit"], dict):
        raise ModelFileError(f"{path}: not a sound checkpoint: its fields are not those of one")
    if seed is not None and not _is_whole(seed, 2**32 - 1):
        raise ModelFileError(f"{path}: not a sound checkpoint: the seed {reprlib.repr(seed)}")
    return content


def _describe_difference(name: str, saved: Any, asked: Any) -> str:
    if name in ("data", "start"):  # of which there is only a digest
        return f"it was made with {'other data' if name == 'data' else 'another start'}"
    return f"it was made with {name} = {reprlib.repr(saved)}, not {reprlib.repr(asked)}"


def _read_position(content: _container.Content, identity: Mapping[str, Any], n_starts: int) -> Position:
    document, tensors = content.document, content.tensors
    statuses, failures = document["statuses"], document["failures"]
    if not isinstance(statuses, dict) or not statuses.keys() <= set(RUNS):
        raise _Flaw("its runs are unknown")
    optional = [name for name, key in (("log_priors", "prior"), ("noise", "noise")) if identity.get(key)]
    fields = ("history", *PARAMETERS, *optional)
    expected = {f"{name}.{field}" for name in statuses for field in fields} | {"rng"}
    memory = {f"{RUNS[0]}.{field}" for field in MEMORY} if RUNS[0] in statuses else set()
    past = {f"{name}.{field}" for name in statuses for field in PAST}
    if tensors.keys() - past not in (expected, expected | memory):
        raise _Flaw("its tensors are not those of its runs")
    if not isinstance(failures, list) or not all(isinstance(failure, str) for failure in failures):
        raise _Flaw("its failures are not text")
    most_of = {"start": n_starts, "attempt": MAX_RESEEDS, "n_reseeds": n_starts * MAX_RESEEDS}
    for name, most in most_of.items():
        if not _is_whole(document[name], most):
            raise _Flaw(f"{name} is {reprlib.repr(document[name])}, and at most {most}")
    runs: dict[str, Any] = {
        name: _read_run(tensors, name, status, identity) for name, status in statuses.items()
    }
    return Position(
        start=document["start"],
        attempt=document["attempt"],
        failures=tuple(failures),
        reports=_read_reports(document["reports"]),
        n_reseeds=document["n_reseeds"],
        **runs,
    )


def _write_report(report: StartReport) -> list[Any]:
    """A report as JSON has it, which has no infinity."""
    value = report.mean_log_likelihood
    return [report.source, report.n_iter, value if math.isfinite(value) else None, report.outcome]


def _read_reports(rows: Any) -> tuple[StartReport, ...]:
    for row in rows if isinstance(rows, list) else [None]:
        types = [type(value) for value in row] if isinstance(row, list) else []
        if types not in ([str, int, float, str], [str, int, type(None), str]):
            raise _Flaw(f"a report of a start is {reprlib.repr(row)}")
    return tuple(
        StartReport(source, n_iter, -math.inf if value is None else value, outcome)
        for source, n_iter, value, outcome in rows
    )


def _read_run(
    tensors: Mapping[str, Float64Array], name: str, status: Any, identity: Mapping[str, Any]
) -> Run:
    # The roots are those of the file: made anew from the covariances, they would differ in the last bits.
    state = {field: tensors[f"{name}.{field}"] for field in PARAMETERS}
    if identity["noise"]:
        state["noise"] = tensors[f"{name}.noise"]
    expected = identity["n_components"], identity["shape of the data"][1]
    if state["means"].shape != expected:
        raise _Flaw(f"its means have the shape {state['means'].shape}; expected {expected}")
    fields = schema.check_state(
        {**state, "covariance_type": identity["covariance_type"], "feature_names": None}
    )
    if fields["structure"].n_factors != identity.get("n_factors", 0):
        raise _Flaw(f"its covariances have {fields['structure'].n_factors} factors")
    if not (fields["structure"].algebra.variances(fields["covariance_stack"], *expected) > 0.0).all():
        raise _Flaw("its covariances have variances that are not positive")
    history = tensors[f"{name}.history"]
    if history.ndim != 1 or len(history) > identity["max_iter"] + 1:
        raise _Flaw(f"a history of the shape {history.shape}, for at most {identity['max_iter']} iterations")
    log_priors = tensors.get(f"{name}.log_priors", np.zeros(0))
    if log_priors.shape not in (history.shape, (0,)):
        raise _Flaw(f"log_priors of the shape {log_priors.shape}, beside a history of {history.shape}")
    before = [tensors.get(f"{name}.{field}", np.zeros(0)) for field in PAST]
    if any(past.ndim != 1 for past in before) or before[1].shape not in (before[0].shape, (0,)):
        raise _Flaw(f"a past of the shapes {before[0].shape} and {before[1].shape}")
    mixture = Mixture.of_parts(**fields)
    done, past = ((tuple(h.tolist()), tuple(p.tolist())) for h, p in ((history, log_priors), before))
    return Run(mixture, FitStatus(status), *done, _read_memory(tensors, name, mixture), past=past)


def _read_memory(tensors: Mapping[str, Float64Array], name: str, mixture: Mixture) -> Memory | None:
    if f"{name}.{MEMORY[0]}" not in tensors:
        return None
    memory = Memory.of_arrays(*(tensors[f"{name}.{field}"] for field in MEMORY))
    size = Coordinates(mixture.structure.form, *mixture.means.shape).size
    if memory.point.size != size:
        raise _Flaw(f"a memory of {memory.point.size} coordinates; expected {size}")
    return memory


def _read_state(content: _container.Content) -> dict[str, Any]:
    """The state of the generator, as it takes it."""
    key, rest = content.tensors["rng"], content.document["rng"]
    known = isinstance(rest, dict) and rest.keys() == {"pos", "has_gauss", "gauss"}
    sound = known and _is_whole(rest["pos"], WORDS) and _is_whole(rest["has_gauss"], 1)
    whole = key.shape == (WORDS,) and bool(((key >= 0.0) & (key < 2.0**32) & (key == np.trunc(key))).all())
    if not sound or type(rest["gauss"]) is not float or not whole:
        raise _Flaw("the state of its generator is not of one")
    return {
        "bit_generator": "MT19937",
        "state": {"key": key.astype(np.uint32), "pos": rest["pos"]},
        "has_gauss": rest["has_gauss"],
        "gauss": float(rest["gauss"]),
    }


def _is_whole(value: Any, most: int) -> bool:
    return type(value) is int and 0 <= value <= most  # type() rather than isinstance(): True is no number
