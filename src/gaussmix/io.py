"""Model files: the mixture, and the info saved beside it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from gaussmix.model.mixture import Mixture, schema


@dataclass(frozen=True)
class SavedModel:
    """A mixture from a file, and the info saved with it, such as how it was fitted."""

    mixture: Mixture
    info: dict[str, Any]


def load_model(path: str | os.PathLike[str]) -> SavedModel:
    """Read a model file: the mixture and its info.

    Raises
    ------
    ModelFileError
        If the file is damaged, truncated, or no model.
    OSError
        If the file cannot be opened.

    Examples
    --------
    >>> import gaussmix, gaussmix.io, tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "one.safetensors"
    >>> gaussmix.Mixture([1.0], [[0.0]], [1.0], "spherical").save(path, info={"from": "an example"})
    >>> gaussmix.io.load_model(path).info
    {'from': 'an example'}
    """
    return SavedModel(*schema.read(path, Mixture))
