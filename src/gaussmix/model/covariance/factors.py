"""Factor analysers: C_k = L_k L_k' + diag(psi_k), a few loadings and the noise of each feature.

Which parts all components share, and whether noise is the same for all features, makes eight families.
Nothing here is of the size d x d but what is asked for as such: a component costs O(d q) numbers and O(d q^2)
work.

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
from gaussmix.model.covariance.analysis import Analysis, Scatters, Sharing, maximised, principal, sharper
from gaussmix.model.covariance.matrices import positive_roots, upper_factors
from gaussmix.model.covariance.structure import LOG_2PI, Structure, log_or_zero
from gaussmix.model.kernels.natural import Natural
from gaussmix.model.kernels.projected import ProjectedNatural
from gaussmix.model.moments.blocks import Form, natural_block
from gaussmix.model.moments.frame import Frame, Group
from gaussmix.model.moments.statistics import Moments

#: Axes beyond the factors, in the statistics that a start is made of: they catch what random axes miss.
MORE_AXES = 8


class Factors(Structure):
    """A family of factor analysers of a number of factors q.

    The covariance parameter has the shape (k, d, q + 1), whatever is shared: loadings L and, last, the noise
    variances psi. Its factor is [Psi^-1 L | psi^-1/2], from which all else follows without cancellation; the
    precision parameter is [V | 1 / psi], with C^-1 = Psi^-1 - V V'.

    Parameters
    ----------
    name : str
    sharing : Sharing
    n_factors : int
    """

    def __init__(self, name: str, sharing: Sharing, n_factors: int = 1) -> None:
        self.name, self.sharing, self.n_factors = name, sharing, n_factors
        self.form = Form(own="squares", pooled="none", n_axes=n_factors)
        self.group: Group = "uniform" if sharing.isotropic else "scale"

    @cached_property
    def _others(self) -> dict[int, Factors]:
        """The same family of other numbers of factors: one object for each, as for other families."""
        return {}

    def holding(self, shape: tuple[int, ...]) -> Factors:
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
        return self._others.setdefault(q, Factors(self.name, self.sharing, q))

    def shape(self, k: int, d: int) -> tuple[int, ...]:
        return (k, d, self.n_factors + 1)

    def n_covariance_parameters(self, k: int, d: int) -> int:
        q, sharing = self.n_factors, self.sharing
        loadings = (k if sharing.own_loadings else 1) * (d * q - q * (q - 1) // 2)
        return loadings + (k if sharing.own_noise else 1) * (1 if sharing.isotropic else d)

    @property
    def coupled(self) -> bool:
        return False  # noise is bounded one by one, whatever is shared

    def probes(self, k: int, d: int) -> Float64Array:
        # always the same: a start depends on the rows and their labels alone
        m = min(self.n_factors + MORE_AXES, d)
        axes = np.linalg.qr(np.random.default_rng(0).standard_normal((d, m)))[0]
        return np.broadcast_to(axes, (k, d, m))

    def sharpened(self, stats: Moments) -> Float64Array:
        return sharper(_scatters(stats), stats.counts, self.sharing)

    def moments(self, stats: Moments) -> Float64Array:
        return _scatters(stats).pack()

    def combine(
        self, moments: Float64Array, shares: Float64Array, warm: Float64Array | None = None
    ) -> Float64Array:
        """A step of EM from `warm`, along whose axes the moments are; without it, a start."""
        scatters = Scatters.unpack(moments)
        if warm is None:
            return _packed(*principal(scatters, shares, self.sharing, self.n_factors))
        return _packed(*maximised(scatters, shares, Analysis(*_unpacked(warm)), self.sharing))

    def nearest(self, covariances: Float64Array, shares: Float64Array) -> Float64Array:
        loadings, noise = _unpacked(covariances)
        alike = self.sharing.noise(noise, shares)
        if self.sharing.own_loadings and alike is noise:
            return covariances
        if not self.sharing.own_loadings:
            loadings = np.broadcast_to(np.tensordot(shares, loadings, axes=1), loadings.shape)
        return _packed(loadings, alike)

    def ridged(self, moments: Float64Array, ridge: Float64Array) -> Float64Array:
        return Scatters.unpack(moments).plus(ridge).pack()

    def uncorrelated(self, ridge: Float64Array, d: int) -> Float64Array:
        return _packed(np.zeros((1, d, self.n_factors)), ridge[None])

    def ridge(self, variances: Float64Array, frame: Frame) -> Float64Array:
        seen = variances * frame.matrix**2
        return np.full(seen.shape, seen.mean()) if self.sharing.isotropic else np.asarray(seen)

    def floored(self, moments: Float64Array, least: Float64Array) -> Float64Array:
        loadings, noise = _unpacked(moments)
        return _packed(loadings, np.maximum(noise, least))

    def stiffness(self, factors: Float64Array, least: Float64Array) -> Float64Array:
        V, inverse = _unpacked(self.precisions(factors))
        return np.asarray((inverse - np.vecdot(V, V)) @ least)

    def least_rows(self, d: int) -> int:
        return self.n_factors + 2 if self.sharing.own_noise else 0

    def mapped(self, covariances: Float64Array, matrix: Float64Array) -> Float64Array:
        loadings, noise = _unpacked(covariances)
        return _packed(_rows(matrix) * loadings, noise * matrix**2)

    def mapped_factor(self, factors: Float64Array, inverse: Float64Array) -> Float64Array:
        return _rows(inverse) * factors

    def factor(self, covariances: Float64Array) -> Float64Array:
        loadings, noise = _unpacked(covariances)
        roots = positive_roots(noise)
        analysis = Analysis(loadings, noise)
        _ = analysis.root  # raises where it does not exist
        return _packed(analysis.regression, 1.0 / roots)

    def covariances_of_factor(self, factors: Float64Array) -> Float64Array:
        regression, roots = _unpacked(factors)
        noise = roots**-2.0
        return _packed(noise[:, :, None] * regression, noise)

    def precisions(self, factors: Float64Array) -> Float64Array:
        analysis = self._analysis(factors)
        return _packed(analysis.axes, 1.0 / analysis.noise)

    def factor_of_precisions(self, precisions: Float64Array) -> Float64Array:
        # I - V'Psi V = G^-1 G'^-1 and B = V G'
        V, inverse = _unpacked(precisions)
        roots = positive_roots(inverse)
        whitened = V / roots[:, :, None]
        rest = np.eye(self.n_factors) - np.swapaxes(whitened, 1, 2) @ whitened
        return _packed(V @ upper_factors(rest), roots)

    def diagonal(self, factors: Float64Array) -> Float64Array:
        """psi^-1/2: the sharpest that a component is in any direction is no more."""
        return factors[:, :, -1]

    def log_det(self, factors: Float64Array, d: int) -> Float64Array:
        return -0.5 * self._analysis(factors).log_det

    def whiten(self, factors: Float64Array, vectors: Float64Array) -> Float64Array:
        seen, axes, gains = vectors * factors[:, :, -1], *self._principal(factors)
        return seen - _times(axes, gains * _across(axes, seen))

    def unwhiten(self, factors: Float64Array, vectors: Float64Array) -> Float64Array:
        axes, gains = self._principal(factors)
        return (vectors - _times(axes, gains * _across(axes, vectors))) * factors[:, :, -1]

    def dense(self, covariances: Float64Array, k: int, d: int) -> Float64Array:
        loadings, noise = _unpacked(covariances)
        return loadings @ np.swapaxes(loadings, 1, 2) + noise[:, :, None] * np.eye(d)

    def average(self, covariances: Float64Array, weights: Float64Array, d: int) -> Float64Array:
        loadings, noise = _unpacked(covariances)
        side_by_side = np.moveaxis(loadings * np.sqrt(weights)[:, None, None], 0, 1).reshape(d, -1)
        return np.asarray(side_by_side @ side_by_side.T + np.diag(weights @ noise))

    def variances(self, covariances: Float64Array, k: int, d: int) -> Float64Array:
        loadings, noise = _unpacked(covariances)
        return np.asarray(np.vecdot(loadings, loadings) + noise)

    def parts(self, covariances: Float64Array) -> tuple[Float64Array, Float64Array]:
        return _unpacked(covariances)

    def n_noises(self, d: int) -> int:
        return self.n_factors + d

    def coloured(self, noise: Float64Array, factor: Float64Array) -> Float64Array:
        regression, roots = factor[:, :-1], factor[:, -1]
        scores, rest = noise[:, : self.n_factors], noise[:, self.n_factors :]
        return np.asarray(scores @ (regression / (roots * roots)[:, None]).T + rest / roots)

    def natural(
        self,
        weights: Float64Array,
        means: Float64Array,
        covariances: Float64Array,
        factors: Float64Array,
        form: Form | None = None,
    ) -> Natural:
        analysis, d = self._analysis(factors), means.shape[1]
        inverse = 1.0 / analysis.noise
        linear = inverse * means
        return ProjectedNatural(
            form=self.form,
            constants=log_or_zero(weights) - 0.5 * (analysis.log_det + d * LOG_2PI),
            means=means,
            factors=factors,
            linear=linear,
            quadratic=np.vecdot(means, linear),
            second=natural_block(inverse, "squares"),
            spread=np.add.reduce(self.variances(covariances, *means.shape), axis=1),
            axes=analysis.axes,
            uniquenesses=analysis.noise,
            scores=np.swapaxes(analysis.inverse_root, 1, 2),
            stretch=np.linalg.norm(analysis.signal, ord=2, axis=(1, 2)),
        )

    def _analysis(self, factors: Float64Array) -> Analysis:
        return Analysis(*_unpacked(self.covariances_of_factor(factors)))

    def _principal(self, factors: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Orthonormal axes H and gains g with U = Psi^-1/2 (I - H diag(g) H').

        From Psi^-1/2 L = H diag(s) V', since U U' = Psi^-1/2 (I + H diag(s^2) H')^-1 Psi^-1/2.
        """
        regression, roots = _unpacked(factors)
        H, sizes, _ = np.linalg.svd(regression / roots[:, :, None], full_matrices=False)
        return H, 1.0 - 1.0 / np.sqrt(1.0 + sizes * sizes)


def _scatters(stats: Moments) -> Scatters:
    """About the means."""
    assert stats.axes is not None
    k, d, m = stats.axes.shape
    packed = stats.covariances()
    along = np.swapaxes(packed[:, d:].reshape(k, m, d), 1, 2)
    return Scatters(along, stats.axes, np.maximum(packed[:, :d], 0.0))


def _packed(columns: Float64Array, last: Float64Array) -> Float64Array:
    """Columns (k, d, q) and one more, shape (k, d), as one array."""
    return np.concatenate([columns, last[:, :, None]], axis=2)


def _unpacked(array: Float64Array) -> tuple[Float64Array, Float64Array]:
    """The columns but the last, and the last."""
    return array[:, :, :-1], array[:, :, -1]


def _rows(diagonal: Float64Array) -> Float64Array:
    """A diagonal or a scalar, to multiply rows by."""
    return diagonal[:, None] if diagonal.ndim else diagonal


def _across(axes: Float64Array, vectors: Float64Array) -> Float64Array:
    """H'v for one vector a component."""
    return np.asarray(np.einsum("kdq,kd->kq", axes, vectors))


def _times(axes: Float64Array, scores: Float64Array) -> Float64Array:
    """H s for one vector a component."""
    return np.asarray(np.einsum("kdq,kq->kd", axes, scores))
