"""All components share one general covariance matrix (mclust's EEE)."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.covariance.full import (
    Matrices,
    flipped_cholesky,
    gram_of_inverse,
    map_diagonal,
    map_factors,
    map_matrices,
)
from gaussmix.model.covariance.matrices import NotPositiveDefiniteError, raise_to, upper_factors
from gaussmix.model.covariance.structure import Shared, Structure
from gaussmix.model.moments.blocks import Form
from gaussmix.model.moments.frame import Frame
from gaussmix.model.moments.groups import Groups
from gaussmix.model.moments.statistics import Moments


class Tied(Shared):
    """A covariance of shape (d, d). The total scatter never changes, so a pass needs only T = (1, z)."""

    name = "tied"
    separable = True
    form = Form(own="none", pooled="vech")
    group = "affine"

    def shape(self, k: int, d: int) -> tuple[int, ...]:
        return (d, d)

    def n_covariance_parameters(self, k: int, d: int) -> int:
        return d * (d + 1) // 2

    def beside(self, groups: Groups) -> Structure:
        return TiedBeside().beside(groups)

    def ridge(self, variances: Float64Array, frame: Frame) -> Float64Array:
        return map_diagonal(frame.matrix, variances)

    def floored(self, moments: Float64Array, least: Float64Array) -> Float64Array:
        return np.asarray(raise_to(moments[None], least)[0])

    def stiffness(self, factors: Float64Array, least: Float64Array) -> Float64Array:
        return np.asarray(np.vdot(self.precisions(factors), least))[None]

    def mapped(self, covariances: Float64Array, matrix: Float64Array) -> Float64Array:
        return map_matrices(covariances, matrix)

    def mapped_factor(self, factors: Float64Array, inverse: Float64Array) -> Float64Array:
        return map_factors(factors, inverse)

    def factor(self, covariances: Float64Array) -> Float64Array:
        try:
            return np.asarray(upper_factors(covariances[None])[0])
        except NotPositiveDefiniteError as error:
            raise NotPositiveDefiniteError((), error.smallest) from None

    def precisions(self, factors: Float64Array) -> Float64Array:
        return factors @ factors.T

    def diagonal(self, factors: Float64Array) -> Float64Array:
        return np.diagonal(factors)[None, :]

    def whiten(self, factors: Float64Array, vectors: Float64Array) -> Float64Array:
        return vectors @ factors

    def unwhiten(self, factors: Float64Array, vectors: Float64Array) -> Float64Array:
        return vectors @ factors.T

    def dense(self, covariances: Float64Array, k: int, d: int) -> Float64Array:
        return np.broadcast_to(covariances, (k, d, d))

    def variances(self, covariances: Float64Array, k: int, d: int) -> Float64Array:
        return np.broadcast_to(np.diagonal(covariances), (k, d))

    def factor_of_precisions(self, precisions: Float64Array) -> Float64Array:
        return flipped_cholesky(precisions)

    def covariances_of_factor(self, factors: Float64Array) -> Float64Array:
        return np.asarray(gram_of_inverse(factors[None])[0])

    def asymmetry(self, covariances: Float64Array) -> float:
        return float(np.abs(covariances - covariances.T).max())


class TiedBeside(Matrices):
    """The same for several mixtures side by side: covariances (K, d, d), equal where of one mixture."""

    name, form, group = Tied.name, Tied.form, Tied.group

    def n_covariance_parameters(self, k: int, d: int) -> int:
        return d * (d + 1) // 2

    def moments(self, stats: Moments) -> Float64Array:
        return self.groups.spread(stats.within(self.groups))

    def factor(self, covariances: Float64Array) -> Float64Array:
        return self.groups.spread(upper_factors(self._one_each(covariances)))

    def held_above(
        self, covariances: Float64Array, least: Float64Array, largest: float
    ) -> tuple[Float64Array, Float64Array]:
        held, factors = super().held_above(self._one_each(covariances), least, largest)
        return self.groups.spread(held), self.groups.spread(factors)

    def _one_each(self, covariances: Float64Array) -> Float64Array:
        """The covariance of each mixture, once."""
        return covariances[self.groups.bounds(len(covariances))[:-1]]
