"""The whole image from the posteriors of its patches: half-quadratic splitting."""

from __future__ import annotations

import numpy as np

from gaussmix._threads import run_tasks
from gaussmix._typing import Float64Array, FloatArray
from gaussmix.apps.patches.posterior import Spectrum, estimate_patches
from gaussmix.apps.patches.windows import add_patches, count_patches, read_patches

#: beta sigma^2 in each step: how much more the estimates of the patches count than the noisy image.
SCHEDULE = (1.0, 4.0, 8.0, 16.0, 32.0)
#: Patches that are worked on together: 16 thousand of 64 pixels take 4 MB, and their joint densities 13.
BAND = 16_384


def restore_image(noisy: Float64Array, sigma: float, spectrum: Spectrum, size: int) -> FloatArray:
    """The image whose patches are likely under a prior, and which explains the noisy one.

    Minimises ``|x - y|^2 / (2 sigma^2) - (1 / p^2) sum_i log p(P_i x)`` over x, where P_i takes the patch at
    place i (p x p pixels): with a copy z_i of each patch, which ``beta / (2 p^2) |P_i x - z_i|^2`` ties to
    the image, z and x are found in turn while beta grows.

    Parameters
    ----------
    noisy : ndarray of shape (height, width)
    sigma : float
        Standard deviation of the noise, in units of the image.
    spectrum : Spectrum
        Of the prior.
    size : int
        Pixels along a side of a patch.

    Returns
    -------
    ndarray of shape (height, width), float32
    """
    y: FloatArray = noisy.astype(np.float32)
    image = y
    for weight in SCHEDULE:
        estimate = estimate_image(image, sigma**2 / weight, spectrum, size)
        image = (y + np.float32(weight) * estimate) / np.float32(1.0 + weight)
    return image


def estimate_image(image: FloatArray, variance: float, spectrum: Spectrum, size: int) -> FloatArray:
    """The mean, in each pixel, of the posterior means of all patches that hold it.

    Bands of the image have fixed borders and are added in order: the same bits with any number of threads.
    """
    height, width = image.shape[0] - size + 1, image.shape[1] - size + 1
    step = max(1, BAND // width)
    starts = range(0, height, step)
    posterior = spectrum.observe(variance, image.dtype)

    def sum_band(i: int) -> FloatArray:
        band = image[starts[i] : min(starts[i] + step, height) + size - 1]
        coordinates, means = read_patches(band, size)
        total = np.zeros_like(band)
        add_patches(estimate_patches(posterior, coordinates), means, total, size)
        return total

    total = np.zeros_like(image)
    for start, part in zip(starts, run_tasks(sum_band, len(starts)), strict=True):
        total[start : start + len(part)] += part
    return total / count_patches(image.shape, size).astype(image.dtype)
