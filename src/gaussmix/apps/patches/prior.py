"""The mixture of small patches of photographs, as a prior of images."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from gaussmix import datasets
from gaussmix._progress import OnProgress
from gaussmix.apps.patches.images import read_photograph
from gaussmix.apps.patches.learning import draw_patches, fit_patches
from gaussmix.apps.patches.prior_file import read_prior, write_prior
from gaussmix.fit.arguments import make_generator
from gaussmix.model.mixture import Mixture

#: Pixels along a side of a patch of which a prior may be: at 16 the mixture has 255 features.
SMALLEST, LARGEST = 2, 16


@dataclass(frozen=True, eq=False)
class PatchPrior:
    """What small square patches of images look like: a mixture of Gaussians of their contents.

    A patch of p x p pixels is its mean, of which nothing is assumed, and p^2 - 1 coordinates c: its
    orthonormal discrete cosines without the constant one, vertical frequencies before horizontal ones. The
    prior of c is ``p(c) = sum_k w_k N(c | mu_k, Sigma_k)``. Brightness goes from 0 (black) to 1 (white).

    Parameters
    ----------
    mixture : Mixture
        Of p^2 - 1 features, of any family, without noise.
    patch_size : int
        p, pixels along a side, from 2 to 16.

    Raises
    ------
    ValueError
        If the mixture has another number of features, or a noise component.

    References
    ----------
    D. Zoran and Y. Weiss, From learning models of natural image patches to whole image restoration, ICCV
    2011, 479-486.

    Examples
    --------
    >>> import gaussmix
    >>> prior = gaussmix.PatchPrior.natural()
    >>> prior.patch_size, prior.mixture.n_components, prior.mixture.n_features
    (8, 200, 63)
    """

    mixture: Mixture
    patch_size: int

    def __post_init__(self) -> None:
        if not isinstance(self.mixture, Mixture):
            raise ValueError(f"mixture must be a Mixture; got {type(self.mixture).__name__}")
        check_size(self.patch_size)
        expected = self.patch_size**2 - 1
        if self.mixture.n_features != expected:
            raise ValueError(
                f"a mixture of patches of {self.patch_size} x {self.patch_size} pixels must have {expected} "
                f"features, one for each cosine but the constant; got {self.mixture.n_features}"
            )
        if self.mixture.noise is not None:
            raise ValueError("a prior of patches has no noise component; take mixture.without_noise()")

    @classmethod
    def learn(
        cls,
        images: Iterable[npt.ArrayLike],
        n_components: int = 200,
        patch_size: int = 8,
        *,
        n_patches: int = 400_000,
        max_iter: int = 32,
        random_state: Any = None,
        on_progress: OnProgress | None = None,
    ) -> Self:
        """Learn a prior from photographs.

        Patches are drawn at random, each mirrored at random, and their last digits made random within the
        step of a byte. EM goes from groups that are alike but for sign and contrast.

        Parameters
        ----------
        images : iterable of array-like of shape (height, width) or (height, width, 3)
            Numbers of type uint8 or uint16 over their whole range, or floats from 0 to 1. Colours are made
            grey. Photographs should be free of noise and of traces of compression: make them smaller by
            averages of 2 x 2 pixels or more.
        n_components : int
            k, at most a fiftieth of the patches.
        patch_size : int
            p, pixels along a side.
        n_patches : int
            Patches that are drawn from all images together, in proportion to their sizes.
        max_iter : int
            Iterations of EM; the first half is on a quarter of the patches.
        random_state : int, RandomState, Generator or None
        on_progress : callable, optional
            Called with a :class:`gaussmix.Progress` after each iteration (:func:`gaussmix.fit_mixture`).

        Returns
        -------
        PatchPrior

        Raises
        ------
        ValueError
            If there is no image, one is smaller than a patch or has entries that are not finite, or there are
            too few patches.

        Examples
        --------
        >>> import gaussmix, numpy as np
        >>> image = np.random.default_rng(0).random((60, 60)).cumsum(axis=1) / 60
        >>> prior = gaussmix.PatchPrior.learn([image], 3, 4, n_patches=500, random_state=0)
        >>> prior.mixture.n_features
        15
        """
        check_size(patch_size)
        photographs = [read_photograph(image, patch_size, i) for i, image in enumerate(images)]
        rng = np.random.default_rng(make_generator(random_state).randint(2**31))
        patches = draw_patches(photographs, patch_size, n_patches, rng)
        return cls(fit_patches(patches, n_components, max_iter, rng, on_progress), patch_size)

    @classmethod
    def natural(cls) -> PatchPrior:
        """Give the prior that ships with gaussmix: 8 x 8 patches of natural photographs, 200 components.

        `datasets/natural-patches.txt` in the package says which photographs, and how it was made.
        """
        return _load_natural()

    def save(self, path: str | os.PathLike[str], *, info: Mapping[str, Any] | None = None) -> None:
        """Write the prior to a file, atomically, in single precision, with all covariances whole.

        Parameters
        ----------
        path : str or path
            A safetensors file; docs/format.md describes it.
        info : mapping, optional
            Anything JSON can hold that should travel with it, such as how it was learnt.

        Raises
        ------
        TypeError, ValueError
            If JSON cannot hold the info.
        OSError
            If the file cannot be written.
        """
        write_prior(path, self.mixture, self.patch_size, info)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a prior that :meth:`save` wrote. The file is not trusted, and nothing in it is executed.

        Raises
        ------
        ModelFileError
            If the file is damaged, truncated, or no prior; the message names the file and the cause.
        OSError
            If it cannot be opened.
        """
        return read_prior(path, cls)


def check_size(size: Any) -> None:
    """Raise ValueError unless patches of a prior may have this size."""
    if isinstance(size, bool) or not isinstance(size, int | np.integer) or not SMALLEST <= size <= LARGEST:
        raise ValueError(f"patch_size must be a whole number from {SMALLEST} to {LARGEST}; got {size!r}")


@cache
def _load_natural() -> PatchPrior:
    return PatchPrior.load(datasets.natural_patches_path())
