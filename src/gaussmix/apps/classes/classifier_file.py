"""The file of a classifier: the container of model files, a mixture and the classes of its components."""

from __future__ import annotations

import itertools
import math
import os
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gaussmix import _container
from gaussmix._typing import Float64Array
from gaussmix.apps.classes.calibration import Calibration
from gaussmix.apps.classes.classed_mixture import ClassedMixture
from gaussmix.model.mixture import schema
from gaussmix.model.mixture.several import describe_mixtures, restore_mixtures

#: Version of the files of classifiers; a reader knows this one.
VERSION = 1
FIELDS = ("kind", "schema", "models", "classes", "fitted", "parameters", "info")
#: How far the shares of a component may sum from one.
SUM_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class ClassifierState:
    """All that a fitted classifier knows of rows that come later.

    Parameters
    ----------
    classed : ClassedMixture
    classes : tuple of str, int, float or bool
        All of one type, in ascending order.
    calibration : Calibration
    density_threshold : float
        In nats; minus infinity where no row is rejected by it.
    fitted : mapping
        What the fit has found besides, as JSON can hold it.
    parameters : mapping
        Of the estimator, likewise.
    info : mapping
        What the author of the file wanted to keep.
    """

    classed: ClassedMixture
    classes: tuple[Any, ...]
    calibration: Calibration
    density_threshold: float
    fitted: Mapping[str, Any]
    parameters: Mapping[str, Any]
    info: Mapping[str, Any]


def write_classifier(path: str | os.PathLike[str], state: ClassifierState) -> None:
    """Write a classifier, atomically.

    Raises TypeError or ValueError where JSON cannot hold the info, OSError where the file cannot be written.
    """
    tensors, documents = describe_mixtures([state.classed.mixture])
    tensors["shares"] = state.classed.shares
    tensors["calibration"] = np.array([state.calibration.temperature, state.calibration.floor])
    if math.isfinite(state.density_threshold):
        tensors["density_threshold"] = np.array([state.density_threshold])
    document = {
        "kind": schema.CLASSIFIER,
        "schema": VERSION,
        "models": documents,
        "classes": list(state.classes),
        "fitted": dict(state.fitted),
        "parameters": dict(state.parameters),
        "info": dict(state.info),
    }
    _container.write(path, tensors, document)


def read_classifier(path: str | os.PathLike[str]) -> ClassifierState:
    """Read a classifier. The file is not trusted, and nothing in it is executed.

    Raises
    ------
    ModelFileError
        If the file is damaged, truncated, or no classifier; the message names the file and the cause.
    OSError
        If it cannot be opened.
    """

    def restore_state(document: Mapping[str, Any], tensors: Mapping[str, Float64Array]) -> ClassifierState:
        _check_document(document)
        return _read_state(path, document, tensors)

    return schema.read_kind(path, schema.CLASSIFIER, VERSION, restore_state)


def _read_state(
    path: str | os.PathLike[str], document: Mapping[str, Any], tensors: Mapping[str, Float64Array]
) -> ClassifierState:
    mixture, *others = restore_mixtures(path, tensors, document["models"])
    if others or mixture.noise is not None:
        raise ValueError("models must hold one mixture, without noise")
    classes = tuple(document["classes"])
    shares = tensors["shares"]
    shape = (mixture.n_components, len(classes))
    if shares.shape != shape or not (np.isfinite(shares).all() and (shares >= 0.0).all()):
        raise ValueError(f"the tensor 'shares' must hold numbers, 0 or more, of the shape {shape}")
    if np.abs(shares.sum(axis=1) - 1.0).max() > SUM_TOLERANCE:
        raise ValueError("the shares of each component must sum to 1")
    calibration = tensors["calibration"]
    if calibration.shape != (2,) or not (1.0 <= calibration[0] < math.inf and 0.0 <= calibration[1] < 1.0):
        raise ValueError("the tensor 'calibration' must hold a temperature of at least 1 and a floor below 1")
    threshold = tensors.get("density_threshold", np.array([-np.inf]))
    if threshold.shape != (1,) or not threshold[0] < math.inf:
        raise ValueError("the tensor 'density_threshold' must hold one number")
    return ClassifierState(
        ClassedMixture(mixture, shares),
        classes,
        Calibration(float(calibration[0]), float(calibration[1])),
        float(threshold[0]),
        document["fitted"],
        document["parameters"],
        document["info"],
    )


def _check_document(document: Mapping[str, Any]) -> None:
    """Raise ValueError where a field is missing or of another kind than it must be."""
    if document.keys() != set(FIELDS):
        raise ValueError(f"expected the fields {', '.join(FIELDS)}; got {reprlib.repr(sorted(document))}")
    classes = document["classes"]
    kinds = {type(name) for name in classes} if isinstance(classes, list) else set()
    if len(kinds) != 1 or not kinds <= {str, int, float, bool}:
        raise ValueError("classes must be a list of texts or of numbers")
    if len(classes) < 2 or any(not one < other for one, other in itertools.pairwise(classes)):
        raise ValueError("classes must be two or more, in ascending order")
    for name in ("fitted", "parameters", "info"):
        if not isinstance(document[name], dict):
            raise ValueError(f"{name} must be an object; got {reprlib.repr(document[name])}")
