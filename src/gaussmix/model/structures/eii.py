"""All components share one variance (mclust's EII; E for one feature)."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.features import Form
from gaussmix.model.frame import Frame
from gaussmix.model.stats import Stats
from gaussmix.model.structures.eei import EEI


class EII(EEI):
    """One variance, of shape (1,)."""

    name = "EII"
    form = Form(own="none", pooled="radial")
    group = "uniform"

    def shape(self, k: int, d: int) -> tuple[int, ...]:
        return (1,)

    def n_covariance_parameters(self, k: int, d: int) -> int:
        return 1

    def moments(self, stats: Stats) -> Float64Array:
        return np.asarray(stats.within() / stats.n_features)[None]

    def ridge(self, variances: Float64Array, frame: Frame) -> Float64Array:
        return np.asarray(variances.mean() * frame.matrix**2)[None]

    def stiffness(self, factors: Float64Array, least: Float64Array) -> Float64Array:
        return factors * factors * least
