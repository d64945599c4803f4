"""The patches of an image, and the sum of patches that overlap."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from gaussmix._typing import Float64Array, FloatArray


@lru_cache(maxsize=8)
def make_basis(size: int) -> Float64Array:
    """The orthonormal cosines of a patch without the constant one, shape (size^2 - 1, size^2).

    Coordinates in them have no direction of no variance, which patches less their mean would have.
    """
    from scipy.fft import dct

    cosines = dct(np.eye(size), axis=0, norm="ortho")
    basis: Float64Array = np.kron(cosines, cosines)[1:]
    basis.setflags(write=False)
    return basis


def read_patches(image: FloatArray, size: int) -> tuple[FloatArray, FloatArray]:
    """The coordinates of all patches of an image, row by row, and their means.

    Parameters
    ----------
    image : ndarray of shape (height, width)
        Both at least `size`.

    Returns
    -------
    coordinates : ndarray of shape (n, size^2 - 1)
        n = (height - size + 1) (width - size + 1).
    means : ndarray of shape (n, 1)
    """
    windows = np.lib.stride_tricks.sliding_window_view(image, (size, size)).reshape(-1, size * size)
    return windows @ make_basis(size).T.astype(image.dtype), windows.mean(axis=1, keepdims=True)


def add_patches(coordinates: FloatArray, means: FloatArray, total: FloatArray, size: int) -> None:
    """Add all patches of an image to `total`, shape (height, width), which is overwritten."""
    rows, columns = total.shape[0] - size + 1, total.shape[1] - size + 1
    patches = coordinates @ make_basis(size).astype(coordinates.dtype)
    patches += means
    stack = patches.reshape(rows, columns, size, size)
    for i in range(size):
        for j in range(size):
            total[i : i + rows, j : j + columns] += stack[:, :, i, j]


def count_patches(shape: tuple[int, int], size: int) -> Float64Array:
    """How many patches hold each pixel of an image, shape (height, width)."""
    down, across = (_count_windows(length, size) for length in shape)
    return np.outer(down, across)


def _count_windows(length: int, size: int) -> Float64Array:
    return np.convolve(np.ones(length - size + 1), np.ones(size))
