"""The file of a prior of patches: the container of model files, with numbers of single precision.

Of each covariance there is the lower triangle alone, row by row: "triangles", shape (k, d (d + 1) / 2),
beside "weights" (k,) and "means" (k, d), with d = patch_size^2 - 1.
"""

from __future__ import annotations

import math
import os
import reprlib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from gaussmix import _container
from gaussmix._typing import Float64Array
from gaussmix.model.mixture import Mixture, schema

#: Version of the files of priors; a reader knows this one.
VERSION = 1
FIELDS = {"kind", "schema", "patch_size", "info"}

P = TypeVar("P")


def write_prior(
    path: str | os.PathLike[str], mixture: Mixture, patch_size: int, info: Mapping[str, Any] | None
) -> None:
    """Write a prior, atomically. Raises TypeError or ValueError where JSON cannot hold the info."""
    lower = np.tril_indices(mixture.n_features)
    tensors = {
        "weights": mixture.weights.astype(np.float32),
        "means": mixture.means.astype(np.float32),
        "triangles": mixture.dense_covariances[:, lower[0], lower[1]].astype(np.float32),
    }
    document = {
        "kind": schema.PATCH_PRIOR,
        "schema": VERSION,
        "patch_size": int(patch_size),
        "info": dict(info or {}),
    }
    _container.write(path, tensors, document)


def read_prior(path: str | os.PathLike[str], build: Callable[[Mixture, int], P]) -> P:
    """Read what `build` makes of a prior's mixture and size. The file is not trusted.

    Raises ModelFileError where it holds no prior, OSError where it cannot be opened.
    """

    def restore(document: Mapping[str, Any], tensors: Mapping[str, Float64Array]) -> P:
        if document.keys() != FIELDS:
            raise ValueError(f"expected the fields {', '.join(sorted(FIELDS))}; got {reprlib.repr(document)}")
        return build(_restore_mixture(tensors), document["patch_size"])

    return schema.read_kind(path, schema.PATCH_PRIOR, VERSION, restore)


def _restore_mixture(tensors: Mapping[str, Float64Array]) -> Mixture:
    weights, means, triangles = (tensors[name] for name in ("weights", "means", "triangles"))
    n = triangles.shape[-1] if triangles.ndim == 2 else 0
    d = (math.isqrt(8 * n + 1) - 1) // 2
    if n == 0 or d * (d + 1) != 2 * n:
        raise ValueError(f"triangles must have the shape (k, d (d + 1) / 2); got {triangles.shape}")
    covariances = np.empty((len(triangles), d, d))
    rows, columns = np.tril_indices(d)
    covariances[:, rows, columns] = triangles
    covariances[:, columns, rows] = triangles
    total = weights.sum()
    if not 0.0 < total < math.inf:
        raise ValueError("weights must be finite and sum to one")
    return Mixture(weights / total, means, covariances)
