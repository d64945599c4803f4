"""Learning a prior: patches drawn from photographs, groups of them to begin with, and EM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gaussmix._progress import OnProgress
from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.apps.patches.windows import make_basis
from gaussmix.fit.one_mixture import fit_mixture
from gaussmix.model.mixture import Mixture

#: The step between two grey values of a byte. Patches are blurred by it, so that none is exactly constant.
STEP = 1 / 255
#: Added to every variance in each M-step: about that of rounding to bytes, STEP^2 / 12.
RIDGE = 1e-6
#: EM stops when an iteration gains less than this log-likelihood, in nats a patch.
TOLERANCE = 1e-3
#: Patches for each component, at least.
LEAST_PATCHES = 50
#: One patch in as many takes part in the first half of the iterations.
FIRST_PART = 4
#: Levels of contrast that the first groups are divided into.
LEVELS = 10
#: Rounds of finding the first groups within a level.
ROUNDS = 5


def draw_patches(images: Sequence[FloatArray], size: int, n: Any, rng: np.random.Generator) -> FloatArray:
    """Coordinates of n patches drawn at random from grey images, shape (n, size^2 - 1), float32."""
    if not images:
        raise ValueError("a prior is learnt from one image at least; got none")
    if not isinstance(n, int | np.integer) or n < 1:
        raise ValueError(f"n_patches must be a positive whole number; got {n!r}")
    heights, widths = (np.array([image.shape[axis] - size + 1 for image in images]) for axis in (0, 1))
    numbers = rng.multinomial(n, heights * widths / (heights * widths).sum())
    basis = make_basis(size).T.astype(np.float32)
    drawn = []
    for image, height, width, number in zip(images, heights, widths, numbers, strict=True):
        places = rng.integers(0, height, number), rng.integers(0, width, number)
        patches = np.lib.stride_tricks.sliding_window_view(image, (size, size))[places].astype(np.float32)
        patches += np.float32(STEP) * (rng.random(patches.shape, dtype=np.float32) - np.float32(0.5))
        upside_down, mirrored = rng.random((2, number)) < 0.5
        patches[upside_down] = patches[upside_down, ::-1]
        patches[mirrored] = patches[mirrored, :, ::-1]
        drawn.append(patches.reshape(number, size * size) @ basis)
    shuffled: FloatArray = np.concatenate(drawn)[rng.permutation(n)]
    return shuffled


def fit_patches(
    patches: FloatArray,
    n_components: int,
    max_iter: int,
    rng: np.random.Generator,
    on_progress: OnProgress | None = None,
) -> Mixture:
    """The mixture that EM finds of patches from groups of a contrast that are alike up to sign.

    The first half of the iterations sees a part of the patches, since these need no exact moments.
    """
    n = len(patches)
    if not 1 <= n_components <= n // LEAST_PATCHES:
        raise ValueError(
            f"n_components must be from 1 to a {LEAST_PATCHES}th of the patches, {n // LEAST_PATCHES}; got "
            f"{n_components}. Raise n_patches, or ask for fewer components"
        )
    first = patches[: max(n // FIRST_PART, n_components * LEAST_PATCHES)]

    def iterate(rows: FloatArray, start: IntArray | Mixture, iterations: int) -> Mixture:
        return fit_mixture(
            rows,
            n_components,
            start=start,
            reg_covar=RIDGE,
            max_iter=iterations,
            tol=TOLERANCE,
            acceleration=None,
            random_state=rng,
            on_progress=on_progress,
        ).mixture

    rough = iterate(first, group_patches(first, n_components, rng), max_iter // 2)
    return iterate(patches, rough, max_iter - max_iter // 2)


def group_patches(patches: FloatArray, k: int, rng: np.random.Generator) -> IntArray:
    """Labels of k groups, shape (n,): levels of contrast, and in each the lines that patches lie near.

    A patch and its negative are equally natural. So groups are not about means: each level is divided by
    k-means whose centres are lines through the origin.
    """
    norms = np.linalg.norm(patches, axis=1)
    labels = np.empty(len(patches), dtype=np.int64)
    n_levels = min(LEVELS, k)
    numbers = np.diff(np.arange(n_levels + 1) * k // n_levels)
    first = 0
    for level, number in zip(np.array_split(np.argsort(norms), n_levels), numbers, strict=True):
        directions = patches[level] / np.maximum(norms[level, None], np.finfo(np.float32).tiny)
        labels[level] = first + _find_lines(directions, int(number), rng)
        first += number
    return labels


def _find_lines(directions: FloatArray, k: int, rng: np.random.Generator) -> IntArray:
    """Labels of the k lines through the origin that unit vectors are nearest to; no group is empty."""
    chosen = rng.choice(len(directions), k, replace=False)
    lines = directions[chosen]
    for _ in range(ROUNDS):
        nearest: IntArray = np.argmax((directions @ lines.T) ** 2, axis=1)
        nearest[chosen] = np.arange(k)
        lines = np.stack([_find_axis(directions[nearest == j]) for j in range(k)])
    return nearest


def _find_axis(directions: FloatArray) -> Float64Array:
    """The line of the greatest scatter."""
    axis: Float64Array = np.linalg.eigh(directions.T @ directions)[1][:, -1]
    return axis
