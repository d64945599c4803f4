"""The covariances of factor analysers, made when asked for, since as matrices they would be large."""

from __future__ import annotations

from typing import Any

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.covariance.matrices import upper_roots
from gaussmix.model.mixture import Mixture


class MatrixAttributes:
    """Attributes of the covariances of factor analysers.

    They are made of loadings and noise when they are asked for, as matrices of the shape (n_components,
    n_features, n_features): an estimator that never is asked never has them. They are read-only, since an
    edit of what is made anew each time would be lost.
    """

    def __getattr__(self, name: str) -> Any:
        mixture: Mixture | None = self.__dict__.get("_mixture")
        if name not in MADE or mixture is None or not mixture.n_factors:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        made = MADE[name](mixture)
        if isinstance(made, int):
            return made
        array = made.astype(np.asarray(self.__dict__["means_"]).dtype)
        array.flags.writeable = False
        return array


def _precisions(mixture: Mixture) -> Float64Array:
    """By Woodbury's identity: Psi^-1 - V V'."""
    V, inverse = mixture.precisions[:, :, :-1], mixture.precisions[:, :, -1]
    return np.asarray(inverse[:, :, None] * np.eye(inverse.shape[1]) - V @ np.swapaxes(V, 1, 2))


MADE: dict[str, Any] = {
    "n_factors_": lambda mixture: mixture.n_factors,
    "loadings_": lambda mixture: mixture.loadings,
    "noise_variances_": lambda mixture: mixture.noise_variances,
    "covariances_": lambda mixture: mixture.dense_covariances,
    "precisions_": _precisions,
    "precisions_cholesky_": lambda mixture: upper_roots(mixture.dense_covariances),
}
