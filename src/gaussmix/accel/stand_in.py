"""The class that stands in for scikit-learn's: it behaves as ours, and its instances are of both classes.

It inherits from both, ours first. So `isinstance` with the original class, or with scikit-learn's base class
of mixtures, still holds. The original stays where it is defined, in ``sklearn.mixture._gaussian_mixture``,
since old and new pickles of its instances name it by that place.
"""

from __future__ import annotations

import functools
import logging
import sys
from abc import ABCMeta
from typing import Any

import sklearn.mixture
from sklearn.mixture._gaussian_mixture import GaussianMixture as Original

from gaussmix.estimators.gaussian import GaussianMixture as Ours

LOGGER = logging.getLogger("gaussmix")

#: The modules that have made a stand-in, each of which is logged once.
users: set[str] = set()


class StandInMeta(ABCMeta):
    """Defines which objects count as instances of the stand-in, and which classes as its subclasses."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return super().__instancecheck__(instance) or issubclass(type(instance), cls)

    def __subclasscheck__(cls, subclass: type) -> bool:
        # scikit-learn's class always counts: a program may have kept the name. Ours counts under the patch
        # alone: an abstract class asks its subclasses, so that ours would else pass for the original, too.
        kinds = {Original, Ours} if is_patched() else {Original}
        return super().__subclasscheck__(subclass) or (
            cls is GaussianMixture and not kinds.isdisjoint(subclass.__mro__)
        )


class GaussianMixture(Ours, Original, metaclass=StandInMeta):  # type: ignore[misc]
    """:class:`gaussmix.GaussianMixture` under the name ``sklearn.mixture.GaussianMixture``.

    Parameters, defaults, attributes and methods are those of :class:`gaussmix.GaussianMixture`; an instance
    is one of scikit-learn's class, too. Instances of either class count as instances of this one.

    References
    ----------
    docs/accel.md
    """

    # inspect.signature, and so get_params, finds our parameters.
    @functools.wraps(Ours.__init__)  # type: ignore[misc]
    def __init__(self, *args: Any, **parameters: Any) -> None:
        caller = sys._getframe(1).f_globals.get("__name__", "?")
        if caller not in users and caller.split(".")[0] != "sklearn":  # sklearn.clone() makes models, too
            users.add(caller)
            LOGGER.info("gaussmix.accel: %s uses gaussmix's GaussianMixture", caller)
        super().__init__(*args, **parameters)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.array_api_support = False  # arrays of other libraries become NumPy's
        return tags


GaussianMixture.__module__ = "gaussmix.accel"  # where pickles look for it


def is_patched() -> bool:
    """Whether ``sklearn.mixture.GaussianMixture`` is ours."""
    return sklearn.mixture.GaussianMixture is GaussianMixture
