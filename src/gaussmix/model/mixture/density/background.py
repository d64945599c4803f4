"""The noise of a mixture as a distribution: uniform over its box, where it has one."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.mixture.properties import MixtureProperties
from gaussmix.model.noise import Noise

#: What to do about noise that an answer has no place for.
REMEDY = "take mixture.without_noise()"


def find_noise(mixture: MixtureProperties) -> Noise | None:
    """The noise if it has any weight; ValueError where it has no box, and so is no distribution."""
    noise = mixture.noise
    if noise is None or noise.weight == 0.0:
        return None
    if noise.box is None:
        raise ValueError(
            "the noise of this mixture has a density but no box over which it is a distribution: give its "
            f"Noise a box, or {REMEDY}"
        )
    return noise


def refuse_noise(mixture: MixtureProperties, what: str) -> None:
    """Raise ValueError where a mixture has noise, whose density is the same everywhere."""
    if mixture.noise is not None and mixture.noise.weight > 0.0:
        raise ValueError(
            f"{what} a mixture with noise does not exist: its density is the same everywhere; {REMEDY}"
        )


def find_sides(noise: Noise) -> tuple[Float64Array, Float64Array]:
    """The lower and upper limits of a box whose edges lie along the features; ValueError for another."""
    box = np.asarray(noise.box)
    edges = box[1:]
    along = edges != 0.0
    if (along.sum(axis=0) > 1).any() or (along.sum(axis=1) > 1).any():
        raise ValueError(
            f"the edges of the noise's box are not along the features, which no closed form covers; {REMEDY}"
        )
    ends = edges.sum(axis=0)
    return box[0] + np.minimum(ends, 0.0), box[0] + np.maximum(ends, 0.0)


def find_inside(noise: Noise, low: Float64Array, high: Float64Array) -> Float64Array:
    """The shares of the noise that lie in some boxes, shape (m,)."""
    first, last = find_sides(noise)
    lengths = np.minimum(high, last) - np.maximum(low, first)
    return np.asarray(np.prod(np.maximum(lengths, 0.0) / (last - first), axis=-1))
