"""A mixture as the arrays that a fitted estimator of scikit-learn has, and from these."""

from __future__ import annotations

from typing import Any

import numpy as np

from gaussmix import _check
from gaussmix._typing import Float64Array
from gaussmix.model.covariance import Structure, get_structure
from gaussmix.model.covariance.matrices import upper_roots
from gaussmix.model.mixture.properties import MixtureProperties

#: What scikit-learn's predictions need.
FITTED = ("weights_", "means_", "precisions_cholesky_")


def find_sklearn_type(structure: Structure) -> str:
    """The smallest of scikit-learn's four families of covariances that holds this one."""
    if structure.n_factors:
        return "full"
    full = "tied" if structure.shared else "full"
    return {"vech": full, "squares": "diag", "radial": "spherical"}[structure.algebra.block.name]


def make_sklearn_arrays(mixture: MixtureProperties) -> dict[str, Float64Array]:
    """Covariances, precisions and their roots as :func:`find_sklearn_type` has them, with their names."""
    structure = mixture.structure
    if structure.n_factors:
        covariances = mixture.dense_covariances
        roots = upper_roots(covariances)
        precisions = roots @ np.swapaxes(roots, 1, 2)
    else:
        covariances, roots = mixture.covariance_stack, mixture.roots
        precisions = structure.algebra.precisions(roots)
    arrays = {"covariances_": covariances, "precisions_": precisions, "precisions_cholesky_": roots}
    if find_sklearn_type(structure) == "tied":
        return {name: np.array(stack[0]) for name, stack in arrays.items()}
    k = mixture.n_components
    return {name: np.array(np.broadcast_to(stack, (k, *stack.shape[1:]))) for name, stack in arrays.items()}


def read_sklearn_state(model: Any) -> dict[str, Any]:
    """The state of the mixture that scikit-learn's predictions are of.

    The roots decide, not the covariances. Raises ValueError where the estimator is not fitted, or is no
    mixture of Gaussians.
    """
    if any(getattr(model, name, None) is None for name in (*FITTED, "covariance_type")):
        raise ValueError(
            "estimator must be a fitted GaussianMixture or BayesianGaussianMixture, with weights_, means_ "
            f"and precisions_cholesky_; got {type(model).__name__}{_explain_lack(model)}"
        )
    structure = get_structure(model.covariance_type)
    roots = np.array(model.precisions_cholesky_, dtype=np.float64)
    covariances = getattr(model, "covariances_", None)
    if covariances is None:  # a start from precisions that was never iterated
        covariances = structure.algebra.precisions(roots)
        covariances = np.linalg.inv(covariances) if structure.group == "affine" else 1.0 / covariances
    names = getattr(model, "feature_names_in_", None)
    return {
        "weights": _check.read_weights(model.weights_, len(model.means_)),
        "means": model.means_,
        "covariances": covariances,
        "precisions_cholesky": roots,
        "covariance_type": structure.name,
        "feature_names": None if names is None else list(names),
    }


def _explain_lack(model: Any) -> str:
    return ", not fitted yet" if hasattr(model, "covariance_type") else ""
