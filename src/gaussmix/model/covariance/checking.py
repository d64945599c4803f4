"""The check of a covariance parameter that a caller gives: what is wrong with it, and by how much."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gaussmix import _check
from gaussmix._typing import Float64Array
from gaussmix.model.covariance.algebra import NotPositiveDefiniteError
from gaussmix.model.covariance.structure import Structure

#: Largest difference between mirrored entries, relative to the largest; for float32 input, the second.
SYMMETRY_TOLERANCE = {False: 1e-8, True: 1e-5}


#: How far covariances may be from their family, relative to the largest entry.
FAMILY_TOLERANCE = 1e-5


def check_covariances(
    structure: Structure, covariances: npt.ArrayLike, k: int, d: int
) -> tuple[Float64Array, Float64Array]:
    """The covariances that a caller gives, in float64, and their roots, as stacks.

    Raises ValueError if the shape is another, or one is not symmetric positive definite.
    """
    array = _check.read_parameter(
        covariances, structure.shape(k, d), "covariances", _describe_shape(structure)
    )
    single = bool(np.asarray(covariances).dtype == np.float32)
    asymmetry = _check_symmetry(structure, array, SYMMETRY_TOLERANCE[single])
    if single and asymmetry > 0.0:  # or a file of them would be refused by the tolerance for double
        array = 0.5 * (array + np.swapaxes(array, -1, -2))
        array.flags.writeable = False
    stack = structure.stack(array, d)
    try:
        roots = structure.find_roots(stack)
        check_family(structure, stack, k)
        return stack, roots
    except NotPositiveDefiniteError as error:
        raise ValueError(_tell_fault(structure, error)) from None


def _describe_shape(structure: Structure) -> str:
    """The shape of a covariance parameter in words."""
    k, d = 10**6, 10**7
    letters = {1: "1", k: "n_components", d: "n_features"}
    sizes = structure.shape(k, d)
    return "(" + ", ".join(letters.get(n, "n_factors + 1") for n in sizes) + ") for " + repr(structure.name)


def _check_symmetry(structure: Structure, covariances: Float64Array, tolerance: float) -> float:
    """The asymmetry; ValueError if it is more than rounding."""
    asymmetry, largest = structure.algebra.asymmetry(covariances), float(np.abs(covariances).max())
    if asymmetry > tolerance * largest:
        raise ValueError(
            f"covariances must be symmetric; mirrored entries differ by up to {asymmetry:.3g} "
            f"(the largest entry is {largest:.3g}). Use (C + C.T) / 2 if that is rounding"
        )
    return asymmetry


def check_family(structure: Structure, covariances: Float64Array, k: int) -> None:
    """Members of a family are what its M-step makes of them."""
    nearest = structure.find_nearest(covariances, np.full(k, 1.0 / k))
    if nearest is covariances:
        return
    distance, largest = float(np.abs(nearest - covariances).max()), float(np.abs(covariances).max())
    if distance > FAMILY_TOLERANCE * largest:
        raise ValueError(
            f"covariances are not of the family {structure.name!r}; the nearest that are differ by up to "
            f"{distance:.3g} (the largest entry is {largest:.3g}). covariance_type='full' takes any"
        )


def _tell_fault(structure: Structure, error: NotPositiveDefiniteError) -> str:
    whose = "the covariance" if not error.components else f"the covariance of component {error.components[0]}"
    others = f" (and {len(error.components) - 1} more)" if len(error.components) > 1 else ""
    return (
        f"covariances must be positive definite; {whose}{others} has the smallest eigenvalue "
        f"{error.smallest:.6g} (covariance_type={structure.name!r}). Add a small multiple of the identity"
    )
