"""Gaussian mixture models: fast, exact, complete.

The names below are loaded when first used, so that ``import gaussmix`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "BICTable": "gaussmix.fit.bic_table",
    "Constraints": "gaussmix.model.constraints",
    "FitResult": "gaussmix.fit.result",
    "FitStatus": "gaussmix.fit.result",
    "FittedMixtures": "gaussmix.fit.several",
    "GaussianMixture": "gaussmix.estimators.gaussian",
    "MessageLengthResult": "gaussmix.fit.message_length",
    "Mixture": "gaussmix.model.mixture",
    "NormalInverseWishart": "gaussmix.model.priors",
    "Noise": "gaussmix.model.noise",
    "StartReport": "gaussmix.fit.result",
    "fit_message_length": "gaussmix.fit.message_length",
    "fit_mixture": "gaussmix.fit.fitting",
    "fit_mixtures": "gaussmix.fit.several",
    "show_config": "gaussmix.config",
}

if TYPE_CHECKING:
    from gaussmix.config import show_config
    from gaussmix.estimators.gaussian import GaussianMixture
    from gaussmix.fit.bic_table import BICTable
    from gaussmix.fit.fitting import fit_mixture
    from gaussmix.fit.message_length import MessageLengthResult, fit_message_length
    from gaussmix.fit.result import FitResult, FitStatus, StartReport
    from gaussmix.fit.several import FittedMixtures, fit_mixtures
    from gaussmix.model.constraints import Constraints
    from gaussmix.model.mixture import Mixture
    from gaussmix.model.noise import Noise
    from gaussmix.model.priors import NormalInverseWishart

__all__ = [
    "BICTable",
    "Constraints",
    "FitResult",
    "FitStatus",
    "FittedMixtures",
    "GaussianMixture",
    "MessageLengthResult",
    "Mixture",
    "Noise",
    "NormalInverseWishart",
    "StartReport",
    "__version__",
    "fit_message_length",
    "fit_mixture",
    "fit_mixtures",
    "show_config",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'gaussmix' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
