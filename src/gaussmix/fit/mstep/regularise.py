"""Regular covariances: by scikit-learn's ridge, or by a floor relative to the data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.engines import Engine
from gaussmix.model.bounds import Bound
from gaussmix.model.covariance import NotPositiveDefiniteError, Structure
from gaussmix.model.mixture import Mixture

#: The values that users may pass: "auto", or an amount in squared units of the data.
RegCovar = float | Literal["auto"]

#: The least variance of a component in any direction, relative to the variances of the data's features.
FLOOR = 1e-10
#: A component of fewer rows is too small for a covariance of its own, whatever the family.
FEW_ROWS = 3
#: A component with fewer effective rows is empty.
NO_ROWS = 1e-3
#: A component of few rows is a spike where its standard deviations, relative to those of all rows (geometric
#: mean), are less.
THIN = 1e-2
#: Rounding error of a sum, relative to the size of its numbers.
ROUNDING = 64.0 * float(np.finfo(np.float64).eps)
#: A covariance that shares a part is a needle where a variance, relative to the largest, is less.
NEEDLE = 1e-11
#: A component is held where tr(floor P) exceeds that of all rows by more.
HELD = 0.5


class Caveats(NamedTuple):
    """The facts that a result reports of how its covariances were kept regular."""

    #: Components of which a bound, and not the rows, decides some variance.
    held: tuple[int, ...] = ()
    #: Whether variances have a least value, so that iteration goes on beside a collapse.
    bounded: bool = False
    #: Whether the rows as a whole have no spread in some direction: constant or collinear features.
    holds_all: bool = False


@dataclass(frozen=True, eq=False)
class Ridge:
    """Add the same to all moments: no longer the maximum of the likelihood, but what is widely done."""

    structure: Structure
    #: The variance to add, in the shape of one component's parameter, in the frame's coordinates.
    ridge: Float64Array
    #: Rounding error of the rows, in the same shape and coordinates.
    rounding: Float64Array
    #: The bound of the ratio of different components' sizes.
    bound: Bound | None = None
    #: Whether covariances are never singular, whatever the moments.
    bounded = False

    def __call__(
        self, moments: Float64Array, shares: Float64Array, warm: Float64Array | None
    ) -> tuple[Float64Array, Float64Array]:
        """Covariances and their roots, from second moments, shares and the covariances before.

        Raises NotPositiveDefiniteError where a covariance is singular.
        """
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
        """The facts to report: none, since the caller asked for the ridge."""
        return Caveats()

    def find_held(self, mixture: Mixture) -> tuple[int, ...]:
        """Components of which the ridge makes most of some variance."""
        stiffness = self.structure.algebra.stiffness(mixture.roots, self.ridge)
        held = np.broadcast_to(stiffness > HELD, mixture.weights.shape)
        return tuple(int(i) for i in np.flatnonzero(held))

    @cached_property
    def _largest(self) -> float:
        return bound_eigenvalue(self.rounding)


@dataclass(frozen=True, eq=False)
class Floor:
    """Maximise the likelihood among covariances not below `least`; EM still never goes down.

    Families in which components share a part of their covariances end at the floor, as in mclust, and so do
    fits with a bounded ratio of determinants. A bounded ratio of eigenvalues has its own least eigenvalue.
    """

    structure: Structure
    #: The least variances, in the shape of one component's parameter, in the frame's coordinates.
    least: Float64Array
    #: The covariance of all rows in the same shape and coordinates.
    pooled: Float64Array
    #: The bound of the ratio of different components' sizes.
    bound: Bound | None = None
    bounded = True

    def __call__(
        self, moments: Float64Array, shares: Float64Array, warm: Float64Array | None
    ) -> tuple[Float64Array, Float64Array]:
        """Covariances not below the floor, and roots; NotPositiveDefiniteError where EM ends at the floor."""
        structure, combine = self.structure, self.bound or self.structure.combine
        if self.bound is not None and self.bound.bounds_all:
            found = combine(moments, shares, warm)
            return found, structure.find_roots(found)
        if self.ends and warm is None:  # a start; its collapse is for the iterations to meet
            floored = combine(structure.algebra.raise_to_floor(moments, self.least), shares, None)
            return floored, structure.find_roots(floored)
        if self.ends:
            return self._end_at_floor(combine(moments, shares, warm))
        return structure.algebra.keep_above_floor(
            structure.combine(moments, shares, warm), self.least, self._largest
        )

    def _end_at_floor(self, covariances: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Covariances that share a part cannot be held one by one: at the floor, or as needles, EM ends."""
        roots, groups = self.structure.find_roots(covariances), self.structure.groups
        least = max(self._largest, NEEDLE * float(np.abs(covariances).max()))
        if float(np.vdot(roots, roots)) * least < 1.0:
            return covariances, roots
        sharpness = groups.total(_flatten_each(np.square(roots)).sum(axis=1))
        size = groups.maxima(_flatten_each(np.abs(covariances)).max(axis=1))
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
        return bound_eigenvalue(self.least)

    @cached_property
    def _reference(self) -> Float64Array:
        """The root of the covariance of all rows, held at the floor like any other."""
        algebra = self.structure.algebra
        return algebra.keep_above_floor(algebra.from_variances(self.pooled), self.least, self._largest)[1]

    def find_caveats(self, mixture: Mixture) -> Caveats:
        """The facts to report: where the floor, and not the rows, decides."""
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
        few = counts < max(count_rows_needed(self.structure, d), NO_ROWS)
        if (k == 1 and mixture.noise is None) or not few.any():
            return ()
        roots = mixture.roots
        shrunk = self.structure.algebra.log_det(self._reference, d) - self.structure.algebra.log_det(roots, d)
        thin = np.broadcast_to(shrunk < d * np.log(THIN), few.shape) | (counts < NO_ROWS)
        thin[list(self.find_held(mixture))] = True
        return tuple(int(i) for i in np.flatnonzero(few & thin))


def _flatten_each(stack: Float64Array) -> Float64Array:
    """The numbers of each component, one row each."""
    return stack.reshape(len(stack), -1)


def bound_eigenvalue(parameter: Float64Array) -> float:
    """A bound of the largest eigenvalue of one component's covariance parameter."""
    return float(np.trace(parameter) if parameter.ndim == 2 else parameter.max())


def count_rows_needed(structure: Structure, d: int) -> int:
    """Rows under which a component may be a spike; 0 where no component has a covariance of its own."""
    least = structure.least_rows(d)
    return max(least, FEW_ROWS) if least else 0


#: Most by which a ridge may exceed the variances of the rows: squares of what it leads to must not overflow.
MOST_RIDGE = 1e100


def make_regularise(
    reg_covar: RegCovar, structure: Structure, engine: Engine, bound: Bound | None = None
) -> Ridge | Floor:
    """The ridge or the floor that `reg_covar` asks for, in the coordinates of the engine's frame."""
    variances = engine.frame.variances
    if isinstance(reg_covar, str):
        return Floor(
            structure,
            structure.algebra.map_variances(FLOOR * variances, engine.frame),
            engine.scales.covariance,
            bound,
        )
    ridge = structure.algebra.map_variances(np.full(variances.shape, float(reg_covar)), engine.frame)
    if not np.abs(ridge).max() < MOST_RIDGE:
        raise ValueError(
            f"reg_covar = {float(reg_covar):g} is more than {MOST_RIDGE:g} times the variances of the rows; "
            'give a number in squared units of the rows, or "auto"'
        )
    rounding = ROUNDING**2 * (variances + engine.frame.origin**2)
    return Ridge(structure, ridge, structure.algebra.map_variances(rounding, engine.frame), bound)
