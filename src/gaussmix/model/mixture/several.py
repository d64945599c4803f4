"""Several mixtures in one file: those of a detector, or of the classes of a classifier.

The tensors of the mixture at place i are called "models.i.NAME", with the NAMEs that it has in a file of its
own; its document is the item at place i of a list.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from gaussmix._typing import Float64Array
from gaussmix.model.mixture import schema
from gaussmix.model.mixture.mixture import Mixture

#: Mixtures that a file may have.
MOST_MIXTURES = 10_000


def describe_mixtures(mixtures: Sequence[Mixture]) -> tuple[dict[str, Float64Array], list[dict[str, Any]]]:
    """The tensors and the documents of mixtures, to be written with others by :mod:`gaussmix._container`."""
    tensors: dict[str, Float64Array] = {}
    documents = []
    for i, mixture in enumerate(mixtures):
        fields = (*schema.TENSORS, "covariance_type", "feature_names")
        own, document = schema.describe(
            {name: getattr(mixture, name) for name in fields}, mixture.noise, None
        )
        tensors |= {f"models.{i}.{name}": tensor for name, tensor in own.items()}
        documents.append(document)
    return tensors, documents


def restore_mixtures(
    path: str | os.PathLike[str], tensors: Mapping[str, Float64Array], documents: Any
) -> list[Mixture]:
    """The mixtures that tensors and documents describe; nothing of them is trusted.

    Raises
    ------
    ModelFileError
        If one of them is no valid mixture; the message names the file.
    ValueError
        If the documents are no list of objects, or mixtures have different numbers of features.
    """
    n = len(documents) if isinstance(documents, list) else 0
    if not 1 <= n <= MOST_MIXTURES or not all(isinstance(document, dict) for document in documents):
        raise ValueError(f"models must be a list of 1 to {MOST_MIXTURES} objects")
    groups: list[dict[str, Float64Array]] = [{} for _ in documents]
    for name, tensor in tensors.items():
        kind, _, rest = name.partition(".")
        place, _, own = rest.partition(".")
        if kind == "models" and place.isascii() and place.isdigit() and int(place) < n:
            groups[int(place)][own] = tensor
    mixtures = [
        schema.restore(path, own, document, Mixture) for own, document in zip(groups, documents, strict=True)
    ]
    if any(mixture.n_features != mixtures[0].n_features for mixture in mixtures):
        raise ValueError("its mixtures have different numbers of features")
    return mixtures
