"""The covariances of a fitted estimator: kept, or made when asked for where they would be large."""

from __future__ import annotations

from typing import Any

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.mixture import Mixture
from gaussmix.model.structures.base import upper_factors

#: For families whose matrices are kept.
KEPT = {
    "covariances_": "covariances",
    "precisions_": "precisions",
    "precisions_cholesky_": "precisions_cholesky",
}


class MatrixAttributes:
    """Attributes of the covariances.

    Those of factor analysers are made of loadings and noise when they are asked for, as matrices of the shape
    (n_components, n_features, n_features): an estimator that never is asked never has them.
    """

    def _set_matrices(self, mixture: Mixture, dtype: np.dtype[Any]) -> None:
        for attribute, name in KEPT.items():
            if mixture.n_factors:
                self.__dict__.pop(attribute, None)  # of an earlier fit
            else:
                setattr(self, attribute, getattr(mixture, name).astype(dtype))

    def __getattr__(self, name: str) -> Any:
        mixture: Mixture | None = self.__dict__.get("mixture_")
        if name not in MADE or mixture is None or not mixture.n_factors:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        made = MADE[name](mixture)
        return made if isinstance(made, int) else made.astype(self.__dict__["means_"].dtype)


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
    "precisions_cholesky_": lambda mixture: upper_factors(mixture.dense_covariances),
}
