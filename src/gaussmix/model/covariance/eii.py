"""All components share one variance (mclust's EII; E for one feature)."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.covariance.eei import EEI
from gaussmix.model.covariance.spherical import Spherical
from gaussmix.model.covariance.structure import Structure
from gaussmix.model.moments.blocks import Form
from gaussmix.model.moments.frame import Frame
from gaussmix.model.moments.groups import Groups
from gaussmix.model.moments.statistics import Moments


class EII(EEI):
    """One variance, of shape (1,)."""

    name = "EII"
    separable = False
    form = Form(own="none", pooled="radial")
    group = "uniform"

    def shape(self, k: int, d: int) -> tuple[int, ...]:
        return (1,)

    def n_covariance_parameters(self, k: int, d: int) -> int:
        return 1

    def moments(self, stats: Moments) -> Float64Array:
        return np.asarray(stats.within() / stats.n_features)

    def beside(self, groups: Groups) -> Structure:
        return EIIBeside().beside(groups)

    def each(self, parameter: Float64Array, k: int) -> Float64Array:
        return np.broadcast_to(parameter, (k,))

    def common(self, parameter: Float64Array) -> Float64Array:
        return np.asarray(parameter[:1])

    def ridge(self, variances: Float64Array, frame: Frame) -> Float64Array:
        return np.asarray(variances.mean() * frame.matrix**2)[None]

    def stiffness(self, factors: Float64Array, least: Float64Array) -> Float64Array:
        return factors * factors * least


class EIIBeside(Spherical):
    """The same for several mixtures side by side: variances of shape (K,), equal where of one mixture."""

    name, form, group = EII.name, EII.form, EII.group

    def n_covariance_parameters(self, k: int, d: int) -> int:
        return 1

    def moments(self, stats: Moments) -> Float64Array:
        return self.groups.spread(stats.within(self.groups) / stats.n_features)
