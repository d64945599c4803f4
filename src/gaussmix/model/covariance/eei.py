"""All components share one diagonal covariance (mclust's EEI)."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.covariance.diagonal import Diagonals
from gaussmix.model.covariance.matrices import NotPositiveDefiniteError, positive_roots
from gaussmix.model.covariance.structure import Shared, Structure
from gaussmix.model.moments.blocks import Form
from gaussmix.model.moments.frame import Frame, Group
from gaussmix.model.moments.groups import Groups
from gaussmix.model.moments.statistics import Moments


class EEI(Shared):
    """Variances of shape (d,). The total scatter never changes, so a pass needs only T = (1, z)."""

    name = "EEI"
    separable = True
    form = Form(own="none", pooled="squares")
    group: Group = "scale"

    def shape(self, k: int, d: int) -> tuple[int, ...]:
        return (d,)

    def n_covariance_parameters(self, k: int, d: int) -> int:
        return d

    def beside(self, groups: Groups) -> Structure:
        return EEIBeside().beside(groups)

    def ridge(self, variances: Float64Array, frame: Frame) -> Float64Array:
        return np.asarray(variances * frame.matrix**2)

    def floored(self, moments: Float64Array, least: Float64Array) -> Float64Array:
        return np.maximum(moments, least)

    def stiffness(self, factors: Float64Array, least: Float64Array) -> Float64Array:
        return np.asarray((factors * factors) @ least)[None]

    def mapped(self, covariances: Float64Array, matrix: Float64Array) -> Float64Array:
        return covariances * matrix**2

    def factor(self, covariances: Float64Array) -> Float64Array:
        return shared_roots(covariances)

    def precisions(self, factors: Float64Array) -> Float64Array:
        return factors * factors

    def diagonal(self, factors: Float64Array) -> Float64Array:
        return factors[None, :]

    def whiten(self, factors: Float64Array, vectors: Float64Array) -> Float64Array:
        return factors * vectors

    def unwhiten(self, factors: Float64Array, vectors: Float64Array) -> Float64Array:
        return factors * vectors

    def dense(self, covariances: Float64Array, k: int, d: int) -> Float64Array:
        return np.broadcast_to(np.diag(np.broadcast_to(covariances, (d,))), (k, d, d))

    def variances(self, covariances: Float64Array, k: int, d: int) -> Float64Array:
        return np.broadcast_to(covariances, (k, d))

    def factor_of_precisions(self, precisions: Float64Array) -> Float64Array:
        return 1.0 / shared_roots(precisions)

    def covariances_of_factor(self, factors: Float64Array) -> Float64Array:
        return np.asarray(factors**-2.0)


class EEIBeside(Diagonals):
    """The same for several mixtures side by side: variances of shape (K, d), equal where of one mixture."""

    name, form = EEI.name, EEI.form

    def n_covariance_parameters(self, k: int, d: int) -> int:
        return d

    def moments(self, stats: Moments) -> Float64Array:
        return self.groups.spread(stats.within(self.groups))


def shared_roots(variances: Float64Array) -> Float64Array:
    """One over the square roots of variances that all components share."""
    try:
        return np.asarray(1.0 / positive_roots(variances))
    except NotPositiveDefiniteError as error:
        raise NotPositiveDefiniteError((), error.smallest) from None
