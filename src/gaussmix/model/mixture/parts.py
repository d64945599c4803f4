"""The parts of a mixture: it is made of them once, never changes, and gives others by replacing some."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NoReturn, Self, TypeVar, cast

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.covariance import Structure
from gaussmix.model.mixture.properties import MixtureProperties
from gaussmix.model.noise import Noise

#: The arguments of `Parts.of_parts`.
PARTS = ("structure", "weights", "means", "covariance_stack", "roots", "feature_names", "noise")
#: What a fitted estimator of scikit-learn has, in the order of a mixture's arguments.
FITTED = ("weights_", "means_", "covariances_", "covariance_type")

M = TypeVar("M", bound="Parts")


class Parts(MixtureProperties):
    """What :class:`gaussmix.Mixture` is made of; frozen."""

    @classmethod
    def of_parts(
        cls,
        structure: Structure,
        weights: Float64Array,
        means: Float64Array,
        covariance_stack: Float64Array,
        roots: Float64Array,
        *,
        feature_names: tuple[str, ...] | None = None,
        noise: Noise | None = None,
    ) -> Self:
        """A mixture of parts that are known to be sound: nothing is checked or copied.

        Covariances and their roots are stacks, as ``gaussmix.model.covariance.Structure`` has them.
        """
        mixture = cls.__new__(cls)
        # Rows after rows, as files have them: products of arrays in another order round differently.
        parts = weights, means, covariance_stack, roots
        arrays = [np.ascontiguousarray(array) for array in parts]
        for array in arrays:
            array.setflags(write=False)
        mixture.__dict__.update(
            zip(("weights", "means", "covariance_stack", "roots"), arrays, strict=True),
            structure=structure,
            covariance_type=structure.name,
            feature_names=feature_names,
            noise=noise,
        )
        return mixture

    def replace(self, **parts: Any) -> Self:
        """The mixture with some parts replaced by others that are known to be sound.

        Nothing is checked or copied. Noise and names stay unless they are replaced, too.

        Parameters
        ----------
        **parts
            Arguments of :meth:`of_parts`. A ``covariance_stack`` goes together with its ``roots``.
        """
        return self.of_parts(**{name: self.__dict__[name] for name in PARTS} | parts)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a Mixture is immutable: make a new one instead of setting {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a Mixture is immutable: {name!r} cannot be deleted")


def read_several(values: Any, name: str) -> list[Any]:
    """What a sequence of mixtures holds; ValueError where it is none, or holds nothing."""
    if isinstance(values, str | Parts) or not isinstance(values, Iterable):
        raise ValueError(f"{name} must be a sequence of mixtures; got {type(values).__name__}")
    several = list(values)
    if not several:
        raise ValueError(f"{name} must hold at least one mixture; got none")
    return several


def read_mixture(value: Any, name: str, make: Callable[..., M]) -> M:
    """The mixture that a value is, or that a result of a fit or a fitted estimator has.

    `make` is the class of mixtures, for one of the attributes of scikit-learn's estimator. ValueError where
    there is none.
    """
    for holder in (value, getattr(value, "best", None)):
        for found in (holder, getattr(holder, "mixture", None), getattr(holder, "mixture_", None)):
            if isinstance(found, Parts):
                return cast(M, found)
    if all(hasattr(value, attribute) for attribute in FITTED):
        return make(*(getattr(value, attribute) for attribute in FITTED))
    raise ValueError(
        f"{name} must be a Mixture, a FitResult, a SearchResult or a fitted GaussianMixture; got "
        f"{type(value).__name__}"
    )
