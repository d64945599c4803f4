"""Put the stand-in in the place of scikit-learn's class, and take it out again."""

from __future__ import annotations

import sys

import sklearn
from sklearn.mixture._base import BaseMixture
from sklearn.mixture._gaussian_mixture import GaussianMixture as Original

import gaussmix
from gaussmix.accel.stand_in import LOGGER, GaussianMixture, is_patched

#: Where the original is defined: pickles of its instances look for it there.
HOME = "sklearn.mixture._gaussian_mixture"


def patch_sklearn() -> None:
    """Make ``sklearn.mixture.GaussianMixture`` ours, in this process, until `unpatch_sklearn`.

    Modules that have imported the class before, under whatever name, get ours, too: every global variable
    that is the original class is exchanged. Other references to the original class stay: base classes,
    default arguments, instances. The module ``sklearn.mixture._gaussian_mixture`` keeps the original, since
    pickles name it there. A second call exchanges variables that were made since the first one.

    The logger "gaussmix" reports the patch at the level INFO.

    See Also
    --------
    unpatch_sklearn : the reverse

    References
    ----------
    docs/accel.md

    Examples
    --------
    >>> import gaussmix.accel, sklearn.mixture
    >>> gaussmix.accel.patch_sklearn()
    >>> model = sklearn.mixture.GaussianMixture(2)
    >>> isinstance(model, gaussmix.GaussianMixture), isinstance(model, sklearn.mixture.GaussianMixture)
    (True, True)
    >>> gaussmix.accel.unpatch_sklearn()
    >>> isinstance(sklearn.mixture.GaussianMixture(2), gaussmix.GaussianMixture)
    False
    """
    was_patched = is_patched()
    modules = _exchange_class(Original, GaussianMixture)
    if not was_patched:
        LOGGER.info("gaussmix.accel: %s, in %d modules so far", describe_patch(), len(modules))


def unpatch_sklearn() -> None:
    """Give ``sklearn.mixture.GaussianMixture`` back to scikit-learn, in every module.

    Models made under the patch stay ours, and instances of scikit-learn's class. Without a patch nothing
    happens.

    See Also
    --------
    patch_sklearn : with an example of both
    """
    was_patched = is_patched()
    _exchange_class(GaussianMixture, Original)
    if was_patched:
        LOGGER.info("gaussmix.accel: sklearn.mixture.GaussianMixture is scikit-learn's again")


def describe_patch() -> str:
    """One line on what the patch does, with the versions."""
    versions = f"{gaussmix.__version__}'s (scikit-learn {sklearn.__version__})"
    return f"sklearn.mixture.GaussianMixture is gaussmix {versions}"


def _exchange_class(old: type, new: type) -> list[str]:
    """Replace the class `old` by `new` in every global variable; returns the names of the modules changed."""
    changed = []
    for module_name, module in list(sys.modules.items()):
        if module_name == HOME or module_name.split(".")[0] == "gaussmix":
            continue
        variables = getattr(module, "__dict__", None)
        if not isinstance(variables, dict):
            continue
        names = [name for name, value in list(variables.items()) if value is old]
        variables.update(dict.fromkeys(names, new))
        if names:
            changed.append(module_name)
    for kind in (Original, BaseMixture):  # their caches of subclasses are from before
        kind._abc_caches_clear()
    return changed
