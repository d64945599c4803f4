"""The file of a detector: the container of model files, with several mixtures and what belongs to them.

Beside the tensors of :mod:`gaussmix.model.mixture.several` there are those of the columns of each mixture,
"columns.i.NAME", and scores and weights of the calibration at place i, "calibration.i.NAME".
"""

from __future__ import annotations

import os
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from gaussmix import _container
from gaussmix._typing import Float64Array
from gaussmix.apps.anomaly.calibration import CalibratedModels
from gaussmix.apps.anomaly.columns import Columns
from gaussmix.apps.anomaly.conformal import Calibration, CalibrationScores
from gaussmix.apps.anomaly.normal_model import NormalModel
from gaussmix.apps.anomaly.normal_rows import NormalRows
from gaussmix.model.mixture import Mixture, schema
from gaussmix.model.mixture.several import describe_mixtures, restore_mixtures

#: Version of the files of detectors; a reader knows this one.
VERSION = 1
FIELDS = ("kind", "schema", "models", "scoring", "calibrated", "trim", "feature_names", "parameters", "info")


@dataclass(frozen=True, eq=False)
class DetectorState:
    """All that a fitted detector knows.

    Parameters
    ----------
    model : NormalModel
        By which rows are scored.
    calibration : CalibratedModels or None
    offset : float
    normal : NormalRows
    feature_names : tuple of str or None
    parameters : mapping
        Of the estimator, as JSON can hold them.
    info : mapping
        What the author of the file wanted to keep.
    """

    model: NormalModel
    calibration: CalibratedModels[NormalModel] | None
    offset: float
    normal: NormalRows
    feature_names: tuple[str, ...] | None
    parameters: Mapping[str, Any]
    info: Mapping[str, Any]


def write_detector(path: str | os.PathLike[str], state: DetectorState) -> None:
    """Write a detector, atomically.

    Raises TypeError or ValueError where JSON cannot hold the info, OSError where the file cannot be written.
    """
    calibrated = () if state.calibration is None else state.calibration.models
    models = list(dict.fromkeys((state.model, *calibrated)))
    tensors, documents = describe_mixtures([model.mixture for model in models])
    tensors["offset"] = np.array([state.offset])
    for i, model in enumerate(models):
        tensors |= {f"columns.{i}.{f.name}": getattr(model.columns, f.name) for f in fields(Columns)}
    if state.calibration is not None:
        for i, part in enumerate(state.calibration.calibration.parts):
            tensors[f"calibration.{i}.scores"] = part.scores
            tensors[f"calibration.{i}.weights"] = np.diff(part.cumulated)
    if len(state.normal.values):
        tensors["normal.values"] = state.normal.values
        tensors["normal.places"] = state.normal.places.astype(np.float64)
    document = {
        "kind": schema.DETECTOR,
        "schema": VERSION,
        "models": documents,
        "scoring": 0,
        "calibrated": [models.index(model) for model in calibrated],
        "trim": [model.trim for model in models],
        "feature_names": None if state.feature_names is None else list(state.feature_names),
        "parameters": dict(state.parameters),
        "info": dict(state.info),
    }
    _container.write(path, tensors, document)


def read_detector(path: str | os.PathLike[str]) -> DetectorState:
    """Read a detector. The file is not trusted, and nothing in it is executed.

    Raises
    ------
    ModelFileError
        If the file is damaged, truncated, or no detector; the message names the file and the cause.
    OSError
        If it cannot be opened.
    """

    def restore_state(document: Mapping[str, Any], tensors: Mapping[str, Float64Array]) -> DetectorState:
        _check_document(document)
        return _read_state(path, document, tensors)

    return schema.read_kind(path, schema.DETECTOR, VERSION, restore_state)


def _read_state(
    path: str | os.PathLike[str], document: Mapping[str, Any], tensors: Mapping[str, Float64Array]
) -> DetectorState:
    mixtures = restore_mixtures(path, tensors, document["models"])
    _check_places(document, len(mixtures))
    models = [_read_model(i, mixture, document["trim"][i], tensors) for i, mixture in enumerate(mixtures)]
    d = mixtures[0].n_features
    calibration = None
    if document["calibrated"]:
        parts = [_read_scores(i, tensors) for i in range(len(document["calibrated"]))]
        chosen = tuple(models[place] for place in document["calibrated"])
        calibration = CalibratedModels(chosen, Calibration(tuple(parts)))
    names = document["feature_names"]
    return DetectorState(
        model=models[document["scoring"]],
        calibration=calibration,
        offset=float(_check_tensor(tensors, "offset", (1,))[0]),
        normal=_read_normal(tensors, d),
        feature_names=schema.check_names(names, d),
        parameters=document["parameters"],
        info=document["info"],
    )


def _read_model(i: int, mixture: Mixture, trim: float, tensors: Mapping[str, Float64Array]) -> NormalModel:
    shape = (mixture.n_features,)
    columns = Columns(
        **{f.name: _check_tensor(tensors, f"columns.{i}.{f.name}", shape) for f in fields(Columns)}
    )
    if not (columns.scale > 0.0).all():
        raise ValueError(f"the tensor 'columns.{i}.scale' must be positive")
    return NormalModel(columns, mixture, float(trim), np.empty(0), np.empty(0))


def _read_scores(i: int, tensors: Mapping[str, Float64Array]) -> CalibrationScores:
    scores = tensors[f"calibration.{i}.scores"]
    weights = _check_tensor(tensors, f"calibration.{i}.weights", scores.shape)
    if scores.ndim != 1 or not (weights > 0.0).all():
        raise ValueError(f"calibration {i} must be a list of scores with positive weights")
    return CalibrationScores.of(scores, weights)


def _read_normal(tensors: Mapping[str, Float64Array], d: int) -> NormalRows:
    if "normal.values" not in tensors:
        return NormalRows(np.empty((0, d)), np.empty(0, dtype=np.int64))
    n = tensors["normal.values"].shape[0]
    values = _check_tensor(tensors, "normal.values", (n, d))
    whole = _check_tensor(tensors, "normal.places", (n,))
    if not ((whole >= 0.0) & (whole < 2.0**53) & (whole == np.trunc(whole))).all():
        raise ValueError("the tensor 'normal.places' must hold numbers of rows")
    return NormalRows(values, whole.astype(np.int64))


def _check_tensor(tensors: Mapping[str, Float64Array], name: str, shape: tuple[int, ...]) -> Float64Array:
    tensor = tensors[name]
    if tensor.shape != shape or not np.isfinite(tensor).all():
        raise ValueError(f"the tensor {name!r} must hold finite numbers of the shape {shape}")
    return tensor


def _check_document(document: Mapping[str, Any]) -> None:
    """Raise ValueError where a field is missing or of another kind than it must be."""
    if document.keys() != set(FIELDS):
        raise ValueError(f"expected the fields {', '.join(FIELDS)}; got {reprlib.repr(sorted(document))}")
    names = document["feature_names"]
    if names is not None and not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        raise ValueError(f"feature_names must be a list of text or null; got {reprlib.repr(names)}")
    for name in ("parameters", "info"):
        if not isinstance(document[name], dict):
            raise ValueError(f"{name} must be an object; got {reprlib.repr(document[name])}")


def _check_places(document: Mapping[str, Any], n: int) -> None:
    """Raise ValueError unless what is said of the n mixtures is about them."""
    calibrated, trim = document["calibrated"], document["trim"]
    places = [document["scoring"], *(calibrated if isinstance(calibrated, list) else [-1])]
    if not all(type(place) is int and 0 <= place < n for place in places):
        raise ValueError("scoring and calibrated must be places of models")
    shares = trim if isinstance(trim, list) and len(trim) == n else [-1.0]
    if not all(type(share) in (int, float) and 0.0 <= share < 1.0 for share in shares):
        raise ValueError("trim must be a list of shares, one a model")
