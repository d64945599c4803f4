"""From fitted attributes that somebody assigned to the mixture that they describe."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import NotFittedError

from gaussmix import _check
from gaussmix._typing import Float64Array
from gaussmix.model.covariance import NotPositiveDefiniteError, Structure, get_structure
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import Noise

#: The attributes of an estimator, and what a mixture calls them.
VECTORS = {"weights_": "weights", "means_": "means"}
MATRICES = {
    "covariances_": "covariances",
    "precisions_cholesky_": "precisions_cholesky",
    "precisions_": "precisions",
}

#: Relative difference of covariances up to which two attributes agree, since numbers may be short decimals.
#: Where both are assigned, densities are those of `precisions_cholesky_`, and draws have the `covariances_`,
#: as in scikit-learn.
AGREEMENT = 1e-2


@dataclass(frozen=True)
class Assigned:
    """Fitted attributes as they are, and which of them were edited.

    Parameters
    ----------
    values : mapping of str to array-like
        The attributes that there are.
    edited : sequence of str
        Names of the edited attributes. All others are those of the mixture `before`, or made anew.
    before : Mixture, optional
        The mixture that the attributes described before the edits.
    """

    values: Mapping[str, Any]
    edited: Sequence[str]
    before: Mixture | None

    @property
    def sources(self) -> list[str]:
        """The edited attributes that the covariances come from."""
        return [name for name in MATRICES if name in self.edited and name in self.values]

    @property
    def keeps_matrices(self) -> bool:
        """Whether the covariances are those of the mixture before."""
        if self.before is None or self.sources:
            return False
        return bool(self.before.n_factors) or any(name in self.values for name in MATRICES)

    @property
    def noise(self) -> Noise | None:
        """The noise beside the Gaussians, which no attribute shows."""
        return None if self.before is None else self.before.noise


def assemble_mixture(
    assigned: Assigned, covariance_type: str, feature_names: Sequence[str] | None
) -> tuple[Mixture, float]:
    """The mixture of the attributes, and what their weights sum to; those of the mixture sum to one.

    Raises NotFittedError where an attribute is missing, ValueError where they describe no mixture or
    contradict each other.
    """
    values, before = assigned.values, assigned.before
    for name in VECTORS:
        if name not in values:
            raise _make_missing_error(name)
    means = np.asarray(values["means_"])
    if means.ndim != 2 or 0 in means.shape:
        raise ValueError(f"means_ must have the shape (n_components, n_features); got {means.shape}")
    k, d = means.shape
    try:
        weights, weight_sum = _read_weights(values["weights_"], k, assigned.noise)
        if before is not None and "weights_" not in assigned.edited:
            weights = before.weights
        if before is not None and "means_" not in assigned.edited:
            means = before.means
        names = None if feature_names is None or len(feature_names) != d else tuple(feature_names)
        if assigned.keeps_matrices:
            assert before is not None
            mixture = _replace_vectors(before, weights, means, names)
        else:
            mixture = _replace_matrices(assigned, weights, means, covariance_type, names)
    except NotFittedError:
        raise
    except ValueError as error:
        raise ValueError(f"the fitted attributes, as they were assigned, make no mixture: {error}") from None
    return mixture, weight_sum


def _make_missing_error(name: str) -> NotFittedError:
    return NotFittedError(
        f"This estimator has no {name}, without which it is not fitted: assign it, or call 'fit'."
    )


def _read_weights(values: npt.ArrayLike, k: int, noise: Noise | None) -> tuple[npt.NDArray[Any], float]:
    """Weights divided by their sum, and that sum; one where they have not been divided.

    scikit-learn takes any weights as they are. Labels and responsibilities do not depend on the sum.
    Log-densities are greater by its logarithm.
    """
    weights = np.asarray(values)
    total = float(weights.sum()) if weights.shape == (k,) and weights.dtype.kind in "fiu" else 0.0
    if noise is not None or not 0.0 < total < math.inf:
        return weights, 1.0  # the noise has its part of one, or the mixture says what is wrong
    return weights / total, total


def _replace_vectors(
    before: Mixture, weights: npt.ArrayLike, means: npt.ArrayLike, names: tuple[str, ...] | None
) -> Mixture:
    """Other weights and means beside the same covariances."""
    k, d = np.shape(means)
    expected = before.structure.shape(k, d)
    if before.covariances.shape != expected:
        raise ValueError(
            f"for means_ of the shape {(k, d)}, covariances_ must have the shape {expected}; got "
            f"{before.covariances.shape}"
        )
    return before.replace(
        weights=_check.read_weights(weights, k, 0.0 if before.noise is None else before.noise.weight),
        means=_check.read_parameter(means, (k, d), "means_", "(n_components, n_features)"),
        feature_names=names,
    )


def _replace_matrices(
    assigned: Assigned,
    weights: npt.ArrayLike,
    means: npt.ArrayLike,
    covariance_type: str,
    names: tuple[str, ...] | None,
) -> Mixture:
    """The mixture of covariances, precisions or their roots, which must agree where there are several."""
    sources = assigned.sources
    if not sources:
        raise _make_missing_error("covariances_")
    k, d = np.shape(means)
    structure = get_structure(covariance_type, d)
    if structure.n_factors:
        raise ValueError(
            f"covariances of factor analysers cannot be assigned; build a gaussmix.Mixture of loadings and "
            f"noise variances, or choose another covariance_type than {covariance_type!r}"
        )
    shape, first = structure.shape(k, d), sources[0]
    arrays = {name: _check_shape(assigned.values[name], shape, name, covariance_type) for name in sources}
    roots = {
        name: _find_root(structure, name, structure.stack(arrays[name], d))
        for name in sources
        if name != "covariances_"
    }
    algebra = structure.algebra
    found = {name: structure.unstack(algebra.covariances_of_roots(root)) for name, root in roots.items()}
    if first == "covariances_":  # of their own type of numbers, which says how symmetric they are
        found[first] = arrays[first].astype(np.asarray(assigned.values[first]).dtype)
    mixture = Mixture(
        weights, means, found[first], covariance_type, feature_names=names, noise=assigned.noise
    )
    for name in sources[1:]:
        _check_agreement(structure, mixture.covariances, found[name], first, name)
    if "precisions_cholesky_" not in sources:
        return mixture
    return mixture.replace(roots=roots["precisions_cholesky_"])


def _check_shape(
    values: npt.ArrayLike, shape: tuple[int, ...], name: str, covariance_type: str
) -> Float64Array:
    """An attribute of this shape, give or take axes of length one, which scikit-learn overlooks."""
    array = np.asarray(values)
    if [n for n in array.shape if n > 1] == [n for n in shape if n > 1]:
        array = array.reshape(shape)
    return _check.read_parameter(array, shape, name, f"for covariance_type={covariance_type!r}")


def _find_root(structure: Structure, name: str, array: Float64Array) -> Float64Array:
    """The family's own roots U of precisions U U' for a stack of `precisions_` or `precisions_cholesky_`."""
    algebra = structure.algebra
    try:
        if name == "precisions_":
            return algebra.roots_of_precisions(array)
        # any A with A A' = U U' has the same densities: NumPy's Cholesky of precisions is lower triangular
        root = algebra.roots_of_precisions(algebra.precisions(array))
    except NotPositiveDefiniteError:
        raise ValueError(f"{name} must be of positive-definite matrices (variances: positive)") from None
    is_own = np.allclose(root, array, rtol=1e-4, atol=1e-4 * float(np.abs(array).max()))
    return np.where(root == 0.0, 0.0, array) if is_own else root


def _check_agreement(
    structure: Structure, one: Float64Array, other: Float64Array, first: str, second: str
) -> None:
    """Raise ValueError where covariances that come from two attributes are different ones."""
    if structure.form.general:
        spread = np.sqrt(np.diagonal(one, axis1=-2, axis2=-1))
        scale = spread[..., :, None] * spread[..., None, :]
    else:
        scale = one
    difference = float((np.abs(one - other) / scale).max())
    if difference > AGREEMENT:
        raise ValueError(
            f"{first} and {second} contradict each other: covariances of the one and of the other differ by "
            f"{difference:.3g} of the variances. Assign one of them and delete the other, which then follows "
            f"(`del model.{second}`). precisions_cholesky_ is U with U U' = inv(covariances_): "
            "numpy.linalg.cholesky(inv(C)) is such a U, and its transpose is not"
        )
