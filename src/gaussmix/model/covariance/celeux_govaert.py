"""The families of Celeux and Govaert: which parts of C_k = volume_k D_k shape_k D_k' components share.

Volumes are |C_k|^(1/d), shapes diagonals of determinant one, orientations D_k orthogonal. Each of the three
is equal in all components (E), each component's own (V), or the identity (I). The letters name the family, as
in mclust.

References
----------
G. Celeux and G. Govaert, Gaussian parsimonious clustering models, Pattern Recognition 28 (1995) 781-793.
C. Fraley and A. E. Raftery, Model-based clustering, discriminant analysis, and density estimation, J. Amer.
Statist. Assoc. 97 (2002) 611-631.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.covariance.algebra import Algebra
from gaussmix.model.covariance.diagonals import DIAGONALS, SCALARS
from gaussmix.model.covariance.matrices import MATRICES
from gaussmix.model.covariance.parametrisation import (
    Parametrisation,
    parametrise_numbers,
    parametrise_parts,
)
from gaussmix.model.covariance.structure import Structure
from gaussmix.model.covariance.volumes import (
    compute_matrix_volumes,
    compute_volumes,
    fill_empty,
    share_all_but_volume,
)
from gaussmix.model.moments.frame import Group
from gaussmix.model.moments.groups import Alone

#: From moments, shares and covariances to begin with to the family's covariances; see Structure.combine.
Combine = Callable[[Float64Array, Float64Array, Float64Array | None, Alone], Float64Array]


class CeleuxGovaert(Structure):
    """The family of three letters: those of volume, shape and orientation.

    Parameters
    ----------
    name : str
    letters : str
        "E", "V" or "I" for each of the three.
    combine : callable, optional
        The M-step, where components share a part of covariances that are otherwise their own.
    """

    def __init__(self, name: str, letters: str, combine: Combine | None = None) -> None:
        self._letters, self._combine = letters, combine
        _, shape, orientation = tuple(letters)
        shared, coupled = "V" not in letters, {"E", "V"} <= set(letters)
        # maps that are no multiple of the identity keep shapes and axes equal only if both are
        closed: Group = "affine" if shape == orientation else "uniform"
        algebra: Algebra = MATRICES
        if orientation == "I":
            algebra, closed = (DIAGONALS, "scale") if shape != "I" else (SCALARS, "uniform")
        separable = not coupled and algebra is not SCALARS
        super().__init__(name, algebra, closed, shared=shared, coupled=coupled, separable=separable)

    def find_marginal_family(self, d: int) -> str:
        # multiples of one matrix stay so; volumes, shapes and axes of a part are not those of the whole
        return self.name if not self.coupled or "V" not in self._letters[1:] else self.own_family

    def find_mapped_family(self, group: Group) -> str:
        if group == "uniform" or self.group in ("affine", group):
            return self.name
        return self.matrix_family if group == "affine" else self._find_diagonal_family()

    def find_sum_family(self, *, uniform: bool) -> str:
        if self.coupled:
            return self.own_family
        return self.name if uniform else self._find_diagonal_family()

    def _find_diagonal_family(self) -> str:
        """The family itself, or of spheres that of diagonals."""
        if not self.algebra.isotropic:
            return self.name if self.group != "uniform" else self.own_family
        return "EEI" if self.shared else "VVI"

    def describe(self, d: int) -> str:
        volume, shape, orientation = tuple(self._letters)
        words = {"E": "equal", "V": "different"}
        if d == 1:
            return f"{words[volume]} variances"
        kind = "spheres" if shape == "I" else "axis-parallel ellipses" if orientation == "I" else "ellipses"
        letters = set(self._letters) - {"I"}
        if len(letters) == 1:
            return f"equal {kind}" if "E" in letters else f"{kind}, each its own"
        parts = (volume, "volumes"), (shape, "shapes"), (orientation, "directions")
        return f"{kind} of " + ", ".join(f"{words[letter]} {part}" for letter, part in parts if letter != "I")

    def n_covariance_parameters(self, k: int, d: int) -> int:
        sizes = 1, d - 1, d * (d - 1) // 2  # of a volume, a shape, an orientation
        times = {"I": 0, "E": 1, "V": k}
        return sum(times[letter] * size for letter, size in zip(self._letters, sizes, strict=True))

    def least_rows(self, d: int) -> int:
        volume, shape, orientation = tuple(self._letters)
        if volume == "E":
            return 0  # no component shrinks alone
        # where a shape or axes are shared or known, two rows have spread in every direction
        return d + 1 if shape == orientation == "V" else 2

    def combine(
        self, moments: Float64Array, shares: Float64Array, warm: Float64Array | None = None
    ) -> Float64Array:
        return moments if self._combine is None else self._combine(moments, shares, warm, self.groups)

    def parametrise(self, covariances: Float64Array) -> Parametrisation:
        if self.coupled:
            return parametrise_parts(covariances, self._letters)
        return parametrise_numbers(covariances)


def share_volume(
    moments: Float64Array, shares: Float64Array, warm: Float64Array | None, groups: Alone
) -> Float64Array:
    """One volume, each component with its own shape, and its own orientation if it has one: EVI and EVV."""
    moments = fill_empty(moments, shares, groups)
    size = compute_volumes(moments) if moments.ndim == 2 else compute_matrix_volumes(moments)
    return np.asarray(moments * (groups.average(size, shares) / size))


def share_eigenvalues(
    moments: Float64Array, shares: Float64Array, warm: Float64Array | None, groups: Alone
) -> Float64Array:
    """One volume and shape, each component with its own orientation: EEV."""
    values, axes = np.linalg.eigh(fill_empty(moments, shares, groups))
    common = groups.average(values, shares)
    return np.asarray((axes * common[:, None, :]) @ np.swapaxes(axes, -1, -2))


def share_shape(
    moments: Float64Array, shares: Float64Array, warm: Float64Array | None, groups: Alone
) -> Float64Array:
    """One shape, each component with its own volume and orientation: VEV."""
    values, axes = np.linalg.eigh(fill_empty(moments, shares, groups))
    start = None if warm is None else np.trace(warm, axis1=1, axis2=2)[:, None]
    found = share_all_but_volume(np.maximum(values, 0.0), shares, start, groups)
    return np.asarray((axes * found[:, None, :]) @ np.swapaxes(axes, -1, -2))
