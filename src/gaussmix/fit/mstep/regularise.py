"""What keeps covariances from becoming singular: scikit-learn's ridge, or a floor relative to the data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, Protocol

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.engines import Engine
from gaussmix.model.bounds import Bound
from gaussmix.model.covariance import NotPositiveDefiniteError, Structure
from gaussmix.model.mixture import Mixture

#: What users may ask for: "auto", or an amount in squared units of the data.
RegCovar = float | Literal["auto"]

#: The least variance of a component in any direction, relative to the variances of the data's features.
FLOOR = 1e-10
#: Fewer rows than this are too few for a component with a covariance of its own, whatever the family.
FEW_ROWS = 3
#: Fewer rows than this are none: the component has lost all that it had.
NO_ROWS = 1e-3
#: Standard deviations, relative to those of all rows (geometric mean), under which few rows are a spike.
THIN = 1e-2
#: What the rounding of numbers may come to in sums of them, relative to their size.
ROUNDING = 64.0 * float(np.finfo(np.float64).eps)
#: Variances, relative to the largest, under which a covariance that shares a part is lost to rounding.
NEEDLE = 1e-11
#: tr(floor P) beyond that of all rows at which the floor, and not the rows, decides about a variance.
HELD = 0.5


class Caveats(NamedTuple):
    """What a result should say of how its covariances were kept regular."""

    #: Components of which a bound, and not the rows, decides some variance.
    held: tuple[int, ...] = ()
    #: Whether variances have a least value, so that iteration goes on beside a collapse.
    bounded: bool = False
    #: Whether the rows as a whole have no spread in some direction: constant or collinear features.
    holds_all: bool = False


class Regularise(Protocol):
    """From second moments, shares and the covariances before to covariances and their roots."""

    #: Whether what comes out is never singular, whatever goes in.
    bounded: bool

    def find_held(self, mixture: Mixture) -> tuple[int, ...]:
        """Components of which it, and not the rows, decides some variance."""

    def find_spikes(self, mixture: Mixture, n_rows: float) -> tuple[int, ...]:
        """Components that it alone keeps from collapsing, next to no rows in next to no volume."""

    def find_caveats(self, mixture: Mixture) -> Caveats:
        """What a result should say of it."""

    def __call__(
        self, moments: Float64Array, shares: Float64Array, warm: Float64Array | None
    ) -> tuple[Float64Array, Float64Array]:
        """Raises NotPositiveDefiniteError where what comes out is singular."""


@dataclass(frozen=True, eq=False)
class Ridge:
    """Add the same to all moments: no longer the maximum of the likelihood, but what is widely done."""

    structure: Structure
    #: In the shape of one component's covariance parameter, in the frame's coordinates.
    ridge: Float64Array
    #: What the rounding of the rows alone may amount to, likewise.
    rounding: Float64Array
    #: Of the ratio of different components' sizes.
    bound: Bound | None = None
    bounded = False

    def __call__(
        self, moments: Float64Array, shares: Float64Array, warm: Float64Array | None
    ) -> tuple[Float64Array, Float64Array]:
        combine = self.bound or self.structure.combine
        ridged = self.structure.algebra.add_ridge(moments, self.ridge)
        covariances = combine(ridged, shares, warm)
        roots = self.structure.find_roots(covariances)
        if float(np.vdot(roots, roots)) * self._largest < 1.0:
            return covariances, roots  # every variance is far above rounding
        blurred = np.flatnonzero(self.structure.algebra.stiffness(roots, self.rounding) > 1.0)
        if blurred.size:
            raise NotPositiveDefiniteError(
                () if self.structure.shared else tuple(int(i) for i in blurred), 0.0
            )
        return covariances, roots

    def find_spikes(self, mixture: Mixture, n_rows: float) -> tuple[int, ...]:
        """None: a component that collapses ends the iteration instead."""
        return ()

    def find_caveats(self, mixture: Mixture) -> Caveats:
        """None: the ridge was asked for."""
        return Caveats()

    def find_held(self, mixture: Mixture) -> tuple[int, ...]:
        """Components of which the ridge makes most of some variance."""
        stiffness = self.structure.algebra.stiffness(mixture.roots, self.ridge)
        held = np.broadcast_to(stiffness > HELD, mixture.weights.shape)
        return tuple(int(i) for i in np.flatnonzero(held))

    @cached_property
    def _largest(self) -> float:
        return largest(self.rounding)


@dataclass(frozen=True, eq=False)
class Floor:
    """Maximise the likelihood among covariances not below `least`; EM still never goes down.

    Families in which components share a part of their covariances end at the floor, as in mclust, and so do
    fits with a bounded ratio of determinants. A bounded ratio of eigenvalues has its own least eigenvalue.
    """

    structure: Structure
    #: In the shape of one component's covariance parameter, in the frame's coordinates.
    least: Float64Array
    #: The covariance of all rows in the same shape and coordinates.
    pooled: Float64Array
    #: Of the ratio of different components' sizes.
    bound: Bound | None = None
    bounded = True

    def __call__(
        self, moments: Float64Array, shares: Float64Array, warm: Float64Array | None
    ) -> tuple[Float64Array, Float64Array]:
        structure, combine = self.structure, self.bound or self.structure.combine
        if self.bound is not None and self.bound.bounds_all:
            found = combine(moments, shares, warm)
            return found, structure.find_roots(found)
        if self.ends and warm is None:  # a start; its collapse is for the iterations to meet
            floored = combine(structure.algebra.raise_to_floor(moments, self.least), shares, None)
            return floored, structure.find_roots(floored)
        if self.ends:
            return self._bounded(combine(moments, shares, warm))
        return structure.algebra.keep_above_floor(
            structure.combine(moments, shares, warm), self.least, self._largest
        )

    def _bounded(self, covariances: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Covariances that share a part cannot be held one by one: at the floor, or as needles, EM ends."""
        roots, groups = self.structure.find_roots(covariances), self.structure.groups
        least = max(self._largest, NEEDLE * float(np.abs(covariances).max()))
        if float(np.vdot(roots, roots)) * least < 1.0:
            return covariances, roots
        sharpness = groups.total(_of_each(np.square(roots)).sum(axis=1))
        size = groups.highest(_of_each(np.abs(covariances)).max(axis=1))
        if (sharpness * np.maximum(self._largest, NEEDLE * size) < 1.0).all():  # each mixture by itself
            return covariances, roots
        low = self.structure.algebra.stiffness(roots, self.least) > HELD
        raise NotPositiveDefiniteError(tuple(int(i) for i in np.flatnonzero(low)), 0.0)

    @property
    def ends(self) -> bool:
        """Whether EM ends at the floor, because the covariances there depend on each other."""
        return self.structure.coupled or (self.bound is not None and not self.bound.bounds_all)

    @cached_property
    def _largest(self) -> float:
        return largest(self.least)

    @cached_property
    def _reference(self) -> Float64Array:
        """The root of the covariance of all rows, held at the floor like any other."""
        algebra = self.structure.algebra
        return algebra.keep_above_floor(algebra.of_uncorrelated(self.pooled), self.least, self._largest)[1]

    def find_caveats(self, mixture: Mixture) -> Caveats:
        """Where the floor, and not the rows, decides."""
        return Caveats(self.find_held(mixture), not self.ends, bool(self._stiffness_of_all > HELD))

    @cached_property
    def _stiffness_of_all(self) -> float:
        return float(self.structure.algebra.stiffness(self._reference, self.least)[0])

    def find_held(self, mixture: Mixture) -> tuple[int, ...]:
        """Components of which the floor decides some variance, where it does not for all rows together."""
        stiffness = self.structure.algebra.stiffness(mixture.roots, self.least)
        held = np.broadcast_to(stiffness > HELD + self._stiffness_of_all, mixture.weights.shape)
        return tuple(int(i) for i in np.flatnonzero(held))

    def find_spikes(self, mixture: Mixture, n_rows: float) -> tuple[int, ...]:
        """Components that are spikes, next to no rows in next to no volume, or that have no rows at all."""
        k, d = mixture.means.shape
        counts = mixture.weights * n_rows
        few = counts < max(rows_needed(self.structure, d), NO_ROWS)
        if (k == 1 and mixture.noise is None) or not few.any():
            return ()
        roots = mixture.roots
        shrunk = self.structure.algebra.log_det(self._reference, d) - self.structure.algebra.log_det(roots, d)
        thin = np.broadcast_to(shrunk < d * np.log(THIN), few.shape) | (counts < NO_ROWS)
        thin[list(self.find_held(mixture))] = True
        return tuple(int(i) for i in np.flatnonzero(few & thin))


def _of_each(stack: Float64Array) -> Float64Array:
    """The numbers of each component, one row each."""
    return stack.reshape(len(stack), -1)


def largest(least: Float64Array) -> float:
    """A bound of the largest eigenvalue of one component's covariance parameter."""
    return float(np.trace(least) if least.ndim == 2 else least.max())


def rows_needed(structure: Structure, d: int) -> int:
    """Rows under which a component may be a spike; 0 where no component has a covariance of its own."""
    least = structure.least_rows(d)
    return max(least, FEW_ROWS) if least else 0


def make_regularise(
    reg_covar: RegCovar, structure: Structure, engine: Engine, bound: Bound | None = None
) -> Ridge | Floor:
    """What `reg_covar` asks for, in the coordinates of the engine's frame."""
    variances = engine.frame.variances
    if isinstance(reg_covar, str):
        return Floor(
            structure,
            structure.algebra.map_variances(FLOOR * variances, engine.frame),
            engine.scales.covariance,
            bound,
        )
    ridge = structure.algebra.map_variances(np.full(variances.shape, float(reg_covar)), engine.frame)
    rounding = ROUNDING**2 * (variances + engine.frame.origin**2)
    return Ridge(structure, ridge, structure.algebra.map_variances(rounding, engine.frame), bound)
