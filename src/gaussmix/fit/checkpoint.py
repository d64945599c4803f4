"""Checkpoints: where a long fit is, in a file, and going on from there to the same bits."""

from __future__ import annotations

import hashlib
import os
import reprlib
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from gaussmix import _container
from gaussmix._typing import Float64Array, FloatArray
from gaussmix.errors import ModelFileError
from gaussmix.fit.em import Run
from gaussmix.fit.restart import Position
from gaussmix.fit.result import FitStatus
from gaussmix.fit.start import Given
from gaussmix.model import schema
from gaussmix.model.mixture import Mixture

#: Version of the schema of checkpoints. A checkpoint is for going on, not for keeping: others are refused.
VERSION = 1
KIND = "checkpoint"
RUNS = ("running", "here", "best")
PARAMETERS = ("weights", "means", "covariances", "precisions_cholesky")

Path = str | os.PathLike[str]


def identity(
    X: FloatArray, weights: Float64Array | None, given: Given, options: Mapping[str, Any]
) -> dict[str, Any]:
    """What two fits must share for one to go on where the other stopped: the options and the numbers."""
    return {
        **options,
        "shape of the data": list(X.shape),
        "dtype of the data": X.dtype.name,
        "data": _digest(X, weights),
        "start": _digest(given.weights, given.means, given.factors),
    }


def _digest(*arrays: FloatArray | None) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(b"-" if array is None else b"+")
        for i in range(0, 0 if array is None else len(array), 65536):
            assert array is not None
            digest.update(np.ascontiguousarray(array[i : i + 65536]).data)
    return digest.hexdigest()


class Saver:
    """Writes positions of a fit to one file, atomically, and not more often than asked.

    Parameters
    ----------
    path : str or path
    identity : mapping
        As :func:`identity` gives it.
    rng : RandomState
        What the starts draw from; its state is saved too.
    interval : float
        Seconds between two writes; the first iteration is written at once, the end always.
    """

    def __init__(
        self, path: Path, identity: Mapping[str, Any], rng: np.random.RandomState, interval: float
    ) -> None:
        self.path, self.identity, self.rng, self.interval = path, identity, rng, interval
        self.due = -np.inf

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
                tensors.update({f"{name}.{field}": getattr(run.mixture, field) for field in PARAMETERS})
        state = self.rng.get_state(legacy=False)
        tensors["rng"] = state["state"]["key"].astype(np.float64)
        document = {
            "kind": KIND,
            "schema": VERSION,
            "fit": dict(self.identity),
            "statuses": statuses,
            "start": position.start,
            "attempt": position.attempt,
            "failures": list(position.failures),
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


def load(path: Path, identity: Mapping[str, Any], rng: np.random.RandomState) -> Position:
    """The position in a file; `rng` goes on from its state there.

    Raises
    ------
    ModelFileError
        If the file is damaged, no checkpoint, or of another fit; the message says which.
    OSError
        If it cannot be opened.
    """
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
    _check_same_fit(path, document["fit"], identity)
    runs: dict[str, Any] = {
        name: _run(content.tensors, name, status, identity) for name, status in document["statuses"].items()
    }
    key = content.tensors["rng"].astype(np.uint32)
    state = {"key": key, "pos": document["rng"]["pos"]}
    rng.set_state(
        {
            "bit_generator": "MT19937",
            "state": state,
            "has_gauss": document["rng"]["has_gauss"],
            "gauss": document["rng"]["gauss"],
        }
    )
    return Position(
        start=document["start"],
        attempt=document["attempt"],
        failures=tuple(document["failures"]),
        n_reseeds=document["n_reseeds"],
        **runs,
    )


def _check_same_fit(path: Path, saved: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    for name, value in asked.items():
        if saved.get(name) != value:
            what = (
                "was made with other data"
                if name == "data"
                else "was made with another start"
                if name == "start"
                else f"was made with {name} = {reprlib.repr(saved.get(name))}, not {reprlib.repr(value)}"
            )
            raise ModelFileError(f"{path}: the checkpoint {what}; resume with what it was made with")


def _run(tensors: Mapping[str, Float64Array], name: str, status: str, identity: Mapping[str, Any]) -> Run:
    state = {field: tensors[f"{name}.{field}"] for field in PARAMETERS}
    fields = schema.restored({**state, "covariance_type": identity["covariance_type"], "feature_names": None})
    history = tuple(float(value) for value in tensors[f"{name}.history"])
    return Run(Mixture._trusted(**fields), FitStatus(status), history)
