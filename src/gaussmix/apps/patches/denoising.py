"""Denoising with a prior of patches, as users call it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix._typing import Float64Array
from gaussmix.apps.patches.images import OPPONENT, read_image
from gaussmix.apps.patches.posterior import Spectrum
from gaussmix.apps.patches.prior import PatchPrior
from gaussmix.apps.patches.splitting import restore_image
from gaussmix.apps.patches.windows import read_patches

#: A cosine is fine if its two frequencies, in half waves a patch, add up to this many patch sizes.
FINE = 1.25
#: The share of patches that are taken for smooth.
SMOOTH = 0.1
#: How far beyond black and white values may be, in units of the range, besides six deviations of the noise.
BEYOND = 0.5


def denoise(
    image: npt.ArrayLike, sigma: float | None = None, prior: PatchPrior | None = None
) -> Float64Array:
    """Remove white Gaussian noise from an image, by what patches of images look like.

    Expected patch log-likelihood (EPLL): of all images x the one that minimises
    ``|x - y|^2 / (2 sigma^2) - (1 / p^2) sum_i log p(P_i x)``, with y the noisy image, P_i x its patch of
    p x p pixels at place i, and p the density of `prior`. Half-quadratic splitting finds it in five rounds,
    each of them the posterior of every patch under the mixture.

    Parameters
    ----------
    image : array-like of shape (height, width) or (height, width, 3)
        Grey, or red, green and blue. As in scikit-image, uint8 is from 0 to 255 and uint16 from 0 to 65535,
        and floats are from 0 (black) to 1 (white); noise may lead beyond.
    sigma : float, optional
        Standard deviation of the noise in each pixel and channel, in units of the image: 25 of bytes is
        25 / 255 of floats. By default it is estimated, from the fine cosines of smooth patches.
    prior : PatchPrior, optional
        By default :meth:`PatchPrior.natural`.

    Returns
    -------
    ndarray of the shape of the image, float64
        From 0 (black) to 1 (white), whatever the type of the image.

    Raises
    ------
    ValueError
        If the image has another shape, is smaller than a patch, has entries that are not finite or far
        outside its range; or sigma is negative or larger than the range.

    References
    ----------
    D. Zoran and Y. Weiss, From learning models of natural image patches to whole image restoration, ICCV
    2011, 479-486.

    Examples
    --------
    >>> import gaussmix, numpy as np
    >>> clean = np.zeros((24, 24))
    >>> clean[:, 12:] = 0.8
    >>> noisy = clean + np.random.default_rng(0).normal(0, 0.1, clean.shape)
    >>> restored = gaussmix.denoise(noisy, 0.1)
    >>> bool(np.abs(restored - clean).mean() < 0.3 * np.abs(noisy - clean).mean())
    True
    """
    prior = PatchPrior.natural() if prior is None else prior
    if not isinstance(prior, PatchPrior):
        raise ValueError(f"prior must be a PatchPrior; got {type(prior).__name__}")
    size = prior.patch_size
    values, span = read_image(image, size)
    channels = [values] if values.ndim == 2 else list(np.moveaxis(values @ OPPONENT.T, 2, 0))
    if sigma is None:
        deviations = [estimate_sigma(channel, size) for channel in channels]
    else:
        deviation = _check_sigma(sigma, span)
        _check_range(values, deviation)
        deviations = [deviation if values.ndim == 2 else deviation / math.sqrt(3.0)] * len(channels)
    spectrum = Spectrum.of(prior.mixture)
    restored = [
        restore_image(channel, deviation, spectrum, size) if deviation > 0.0 else channel
        for channel, deviation in zip(channels, deviations, strict=True)
    ]
    # the inverse of the opponent axes, which are orthonormal over the root of three
    result = restored[0] if values.ndim == 2 else np.stack(restored, axis=2) @ (3.0 * OPPONENT)
    return np.clip(result, 0.0, 1.0).astype(np.float64)


def estimate_sigma(image: Float64Array, patch_size: int) -> float:
    """The standard deviation of white noise, by the fine cosines of the patches that have least of them.

    Of m fine cosines of pure noise the sum of squares is sigma^2 times chi-square of m degrees of freedom. Of
    many patches of an image a low quantile is that of the smooth ones, where the image adds little.
    """
    from scipy.special import gammaincinv

    frequencies = np.add.outer(np.arange(patch_size), np.arange(patch_size)).ravel()[1:]
    fine = frequencies >= FINE * patch_size
    energies = np.square(read_patches(image, patch_size)[0][:, fine]).sum(axis=1)
    expected = 2.0 * gammaincinv(0.5 * np.count_nonzero(fine), SMOOTH)
    return float(np.sqrt(np.quantile(energies, SMOOTH) / expected))


def _check_sigma(sigma: Any, span: float) -> float:
    """The standard deviation in units of the range."""
    if isinstance(sigma, bool) or not isinstance(sigma, int | float | np.number):
        raise ValueError(f"sigma must be a number; got {sigma!r}")
    if not 0.0 <= sigma <= span:
        raise ValueError(
            f"sigma must be from 0 to the range of the image, {span:g}, in whose units it is; got {sigma!r}"
        )
    return float(sigma) / span


def _check_range(values: Float64Array, deviation: float) -> None:
    """Raise ValueError where brightness is outside of what noise explains: floats from 0 to 255, for one."""
    slack = BEYOND + 6.0 * deviation
    least, most = float(values.min()), float(values.max())
    if least < -slack or most > 1.0 + slack:
        raise ValueError(
            f"image has values from {least:.4g} to {most:.4g}, where 0 is black and 1 is white: divide it "
            "(and sigma) by its range, or give integers"
        )
