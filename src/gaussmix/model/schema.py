"""What a model file says of a mixture: the names of its tensors and the JSON document beside them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from gaussmix._typing import Float64Array
from gaussmix.errors import ModelFileError

#: Version of the schema; a reader knows this one and all before it.
VERSION = 1
TENSORS = ("weights", "means", "covariances")


def document(
    covariance_type: str, feature_names: Sequence[str] | None, info: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The document of a mixture."""
    return {
        "schema": VERSION,
        "covariance_type": covariance_type,
        "feature_names": None if feature_names is None else list(feature_names),
        "info": dict(info or {}),
    }


def arguments(
    path: str | os.PathLike[str], tensors: Mapping[str, Float64Array], document: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments of the mixture that a file describes; `path` is for the message of ModelFileError."""
    version = document.get("schema")
    if version != VERSION:
        raise ModelFileError(
            f"{path}: schema {version!r} of model files is unknown to this version of gaussmix"
        )
    missing = set(TENSORS) - tensors.keys()
    if missing:
        raise ModelFileError(f"{path}: the model lacks {', '.join(sorted(missing))}")
    names = document.get("feature_names")
    if names is not None and not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        raise ModelFileError(f"{path}: the model's feature_names are not a list of text")
    given = {name: tensors[name] for name in TENSORS}
    return {**given, "covariance_type": document.get("covariance_type"), "feature_names": names}
