"""Images as callers have them, and as denoising works on them: floats in which white is one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix import _check
from gaussmix._typing import Float64Array, FloatArray

#: White, by the type of numbers (truth values, integers, floats) and their bytes. Longer integers are
#: refused: they are often bytes all the same.
RANGES = {"b1": 1.0, "u1": 255.0, "u2": 65535.0, "f2": 1.0, "f4": 1.0, "f8": 1.0}
#: Brightness of red, green and blue (ITU-R BT.601), as most programs make colours grey.
LUMA = np.array([0.299, 0.587, 0.114])
#: Orthonormal axes of colour over the root of three: grey, red against blue, green against both. In them
#: white noise stays white and alike, and brightness keeps its range from 0 to 1.
OPPONENT = (
    np.array([[1.0, 1.0, 1.0], [1.5**0.5, 0.0, -(1.5**0.5)], [-(0.5**0.5), 2.0**0.5, -(0.5**0.5)]]) / 3.0
)


def read_image(image: npt.ArrayLike, patch_size: int, name: str = "image") -> tuple[Float64Array, float]:
    """An image in units of its range, shape (h, w) or (h, w, 3), and the range.

    The range is that of an integer type, and 1 of floats and of truth values.

    Raises
    ------
    ValueError
        If it has another shape, is smaller than a patch, or has entries of another type or not finite.
    """
    array = _check.make_plain(image, name)
    span = RANGES.get(array.dtype.str[1:])
    if span is None:
        raise ValueError(
            f"{name} must hold floats from 0 to 1, or integers of 8 or 16 bits without a sign, whose range "
            f"is known; got the type {array.dtype}"
        )
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3):
        raise ValueError(
            f"{name} must have the shape (height, width), or (height, width, 3) of red, green and blue; got "
            f"{array.shape}"
        )
    if min(array.shape[:2]) < patch_size:
        raise ValueError(
            f"{name} must be at least as large as a patch, {patch_size} x {patch_size} pixels; got "
            f"{array.shape[0]} x {array.shape[1]}"
        )
    values = array.astype(np.float64) / span
    _check.check_finite(values, name)
    return values, span


def read_photograph(image: Any, patch_size: int, place: int) -> FloatArray:
    """A grey image to learn from, its white one, shape (h, w)."""
    values, _ = read_image(image, patch_size, f"image {place}")
    extent = float(np.abs(values).max())
    if extent > 2.0:
        raise ValueError(
            f"image {place} has floats up to {extent:.4g}; white must be 1: divide them by their range, or "
            "give bytes"
        )
    return values if values.ndim == 2 else values @ LUMA
