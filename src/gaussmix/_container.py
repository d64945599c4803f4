"""Model files: a safetensors container with one JSON document in its header. No pickle, nothing executed."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.errors import ModelFileError

#: The entry of the safetensors metadata that holds our JSON document.
KEY = "gaussmix"


def write(
    path: str | os.PathLike[str], tensors: Mapping[str, Float64Array], document: Mapping[str, Any]
) -> None:
    """Write atomically: the file is complete under its name, or as it was before."""
    from safetensors.numpy import save

    content = save(
        {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()},
        metadata={KEY: json.dumps(document, allow_nan=False)},
    )
    write_bytes(path, content)


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Replace the file's content atomically; nothing half-written is left behind."""
    target = Path(path)
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())  # mkstemp keeps the file to its owner
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Float64Array], dict[str, Any]]:
    """The tensors and the document of a model file. ModelFileError if damaged, OSError if unreadable."""
    import safetensors

    with open(path, "rb") as file:  # a missing file or a folder is the operating system's error to name
        start = file.read(8)
    if len(start) < 8:
        raise ModelFileError(f"{path}: not a gaussmix model: the file is only {len(start)} bytes long")
    try:
        with safetensors.safe_open(path, framework="np") as content:
            metadata = content.metadata() or {}
            if KEY not in metadata:
                raise ModelFileError(f"{path}: a safetensors file, but not a gaussmix model")
            tensors = {name: np.asarray(content.get_tensor(name)) for name in content.keys()}  # noqa: SIM118
    except ModelFileError:
        raise
    except Exception as error:  # the reader's own errors share no base class
        raise ModelFileError(f"{path}: damaged, truncated, or not a gaussmix model ({error})") from None
    try:
        document = json.loads(metadata[KEY])
    except ValueError as error:
        raise ModelFileError(f"{path}: the model's header is not JSON ({error})") from None
    if not isinstance(document, dict):
        raise ModelFileError(f"{path}: the model's header is not a JSON object")
    return tensors, document


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
