"""Factor analysers: C_k = L_k L_k' + diag(psi_k), a few loadings and the uniqueness of each feature.

Which parts all components share, and whether uniquenesses are the same for all features, makes eight
families.

References
----------
Z. Ghahramani and G. E. Hinton, The EM algorithm for mixtures of factor analyzers, CRG-TR-96-1, Toronto 1996.
P. D. McNicholas and T. B. Murphy, Parsimonious Gaussian mixture models, Stat. Comput. 18 (2008) 285-296.
M. E. Tipping and C. M. Bishop, Mixtures of probabilistic principal component analysers, Neural Comput. 11
(1999) 443-482.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.covariance.algebra import LOG_2PI
from gaussmix.model.covariance.analysis import (
    Analysis,
    Scatters,
    Sharing,
    maximise_factors,
    sharpen_axes,
    start_from_components,
)
from gaussmix.model.covariance.low_rank import LowRank, pack_columns, unpack_columns
from gaussmix.model.covariance.structure import Structure, take_logarithms
from gaussmix.model.kernels.natural import Natural
from gaussmix.model.kernels.projected import ProjectedNatural
from gaussmix.model.moments.blocks import SQUARES, Form
from gaussmix.model.moments.frame import Group
from gaussmix.model.moments.statistics import Moments

#: Axes beyond the factors, in the statistics that a start is made of: they catch what random axes miss.
MORE_AXES = 8


class FactorAnalyser(Structure):
    """A family of factor analysers of q factors, whose covariances are :class:`LowRank`, whatever is shared.

    Parameters
    ----------
    name : str
    letters : str
        Of McNicholas and Murphy, "C" (constrained) or "U" (not): whether loadings are shared, whether
        uniquenesses are, and whether these are isotropic.
    n_factors : int
    """

    def __init__(self, name: str, letters: str, n_factors: int = 1) -> None:
        loadings, uniquenesses, features = (letter == "U" for letter in letters)
        self.letters, self.sharing = letters, Sharing(loadings, uniquenesses, isotropic=not features)
        self.low_rank = LowRank(n_factors, isotropic=not features)
        super().__init__(name, self.low_rank, "scale" if features else "uniform")

    @cached_property
    def _others(self) -> dict[int, FactorAnalyser]:
        """The same family of other numbers of factors: one object for each, as for other families."""
        return {}

    def of_shape(self, shape: tuple[int, ...]) -> FactorAnalyser:
        if len(shape) != 3 or shape[2] < 2:
            return self
        d, q = shape[1], shape[2] - 1
        if d == 1:
            raise ValueError(f"covariance_type {self.name!r} is for two features or more; for one use 'full'")
        if q >= d:
            raise ValueError(
                f"n_factors must be less than the number of features, from 1 to {d - 1}; got {q}"
            )
        if q == self.n_factors:
            return self
        return self._others.setdefault(q, FactorAnalyser(self.name, self.letters, q))

    def find_marginal_family(self, d: int) -> str:
        return self.name if d > self.n_factors else self.matrix_family

    def find_conditional_family(self, d: int) -> str:
        # loadings become L G'^-1, in which G depends on the uniquenesses
        if d > self.n_factors and self.sharing.own_uniquenesses:
            return "U" + self.letters[1:]
        return self.find_marginal_family(d)

    def find_mapped_family(self, group: Group) -> str:
        if group == "affine":
            return self.matrix_family
        return self.find_sum_family(uniform=group == "uniform")

    def find_sum_family(self, *, uniform: bool) -> str:
        return self.name if uniform else self.letters[:2] + "U"

    def find_updated_family(self, *, uniform: bool) -> str:
        shared = "U" if self.sharing.own_uniquenesses else self.letters[0]
        return shared + self.letters[1] + (self.letters[2] if uniform else "U")

    def describe(self, d: int) -> str:
        own = {True: "own", False: "shared"}
        features = "one for all features" if self.low_rank.isotropic else "one a feature"
        q = self.n_factors
        return (
            f"{q} factor{'' if q == 1 else 's'}: loadings {own[self.sharing.own_loadings]}, "
            f"uniquenesses {own[self.sharing.own_uniquenesses]}, {features}"
        )

    def n_covariance_parameters(self, k: int, d: int) -> int:
        q, sharing = self.n_factors, self.sharing
        loadings = (k if sharing.own_loadings else 1) * (d * q - q * (q - 1) // 2)
        return loadings + (k if sharing.own_uniquenesses else 1) * (1 if sharing.isotropic else d)

    def least_rows(self, d: int) -> int:
        return self.n_factors + 2 if self.sharing.own_uniquenesses else 0

    def probes(self, k: int, d: int) -> Float64Array:
        # always the same: a start depends on the rows and their labels alone
        m = min(self.n_factors + MORE_AXES, d)
        axes = np.linalg.qr(np.random.default_rng(0).standard_normal((d, m)))[0]
        return np.broadcast_to(axes, (k, d, m))

    def sharpen_axes(self, stats: Moments) -> Float64Array:
        return sharpen_axes(_find_scatters(stats), stats.counts, self.sharing)

    def moments(self, stats: Moments) -> Float64Array:
        return _find_scatters(stats).pack()

    def combine(
        self, moments: Float64Array, shares: Float64Array, warm: Float64Array | None = None
    ) -> Float64Array:
        """A step of EM from `warm`, along whose axes the moments are; without it, a start."""
        scatters = Scatters.unpack(moments)
        if warm is None:
            return pack_columns(*start_from_components(scatters, shares, self.sharing, self.n_factors))
        before = Analysis(*unpack_columns(warm))
        return pack_columns(*maximise_factors(scatters, shares, before, self.sharing))

    def find_nearest(self, covariances: Float64Array, shares: Float64Array) -> Float64Array:
        loadings, uniquenesses = unpack_columns(covariances)
        alike = self.sharing.share(uniquenesses, shares)
        if self.sharing.own_loadings and alike is uniquenesses:
            return covariances
        if not self.sharing.own_loadings:
            loadings = np.broadcast_to(np.tensordot(shares, loadings, axes=1), loadings.shape)
        return pack_columns(loadings, alike)

    def parts(self, covariances: Float64Array) -> tuple[Float64Array, Float64Array]:
        return unpack_columns(covariances)

    def natural(
        self,
        weights: Float64Array,
        means: Float64Array,
        covariances: Float64Array,
        roots: Float64Array,
        form: Form | None = None,
    ) -> Natural:
        analysis, d = self.low_rank.analyse(roots), means.shape[1]
        inverse = 1.0 / analysis.uniquenesses
        linear = inverse * means
        return ProjectedNatural(
            form=self.form,
            constants=take_logarithms(weights) - 0.5 * (analysis.log_det + d * LOG_2PI),
            means=means,
            roots=roots,
            linear=linear,
            quadratic=np.vecdot(means, linear),
            second=SQUARES.coefficients(inverse),
            traces=np.add.reduce(self.algebra.variances(covariances, *means.shape), axis=1),
            axes=analysis.axes,
            uniquenesses=analysis.uniquenesses,
            scores=np.swapaxes(analysis.inverse_root, 1, 2),
            stretch=np.linalg.norm(analysis.signal, ord=2, axis=(1, 2)),
        )


def _find_scatters(stats: Moments) -> Scatters:
    """The scatters of statistics about the means."""
    assert stats.axes is not None
    k, d, m = stats.axes.shape
    packed = stats.covariances()
    along = np.swapaxes(packed[:, d:].reshape(k, m, d), 1, 2)
    return Scatters(along, stats.axes, np.maximum(packed[:, :d], 0.0))
