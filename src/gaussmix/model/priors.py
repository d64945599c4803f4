"""Conjugate priors as pseudo-statistics: what they add to the rows' own is all that an M-step needs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix import _check
from gaussmix._typing import Float64Array
from gaussmix.model.covariance import Structure
from gaussmix.model.covariance.structure import take_logarithms
from gaussmix.model.mixture import Mixture
from gaussmix.model.moments.blocks import Block
from gaussmix.model.moments.frame import Frame
from gaussmix.model.moments.statistics import Moments

#: Names of the prior that is NormalInverseWishart() with nothing given.
NAMES = ("mclust", "fraley-raftery")


@dataclass(frozen=True, eq=False)
class NormalInverseWishart:
    """A conjugate prior of means and covariances, the same for every component.

    With kappa the shrinkage, nu the degrees of freedom and Lambda the scale::

        mu_k | C_k ~ N(mean, C_k / kappa)        C_k ~ inverse Wishart(nu, Lambda)

    and for families of diagonal covariances, for each variance, the inverse gamma distribution of parameters
    nu / 2 and Lambda_jj / 2; for spherical ones that of nu / 2 and s / 2, s the scale if it is a number and
    tr(Lambda) / d if not. The density of a family in which components share a part of their covariances is
    that of independent components, on that family; where they share all, there is one covariance to have one.
    EM then climbs the log-likelihood plus the log-density of the prior.

    Parameters
    ----------
    mean : array-like of shape (d,), optional
        By default that of the rows.
    shrinkage : float, default=0.01
        How many rows at `mean` count as seen for each component; 0 leaves the means free.
    dof : float, optional
        By default d + 2.
    scale : float or array-like of shape (d,) or (d, d), optional
        A number stands for equal variances, a vector for a diagonal matrix. By default the rows' covariance
        over k^(2/d), for spherical and diagonal families the average variance over k^(2/d).
    concentration : float, default=1.0
        That of a symmetric Dirichlet prior of the weights, at least 1 (which is none).

    Raises
    ------
    ValueError
        If a number is out of its range, or the scale is not symmetric positive semi-definite.

    References
    ----------
    C. Fraley and A. E. Raftery, Bayesian regularization for normal mixture estimation and model-based
    clustering, J. Classif. 24 (2007) 155-181.

    Examples
    --------
    >>> import numpy as np, gaussmix
    >>> X = np.array([[0.0], [0.1], [5.0], [5.1], [9.0]])
    >>> free = gaussmix.fit_mixture(X, 3, reg_covar=0.0, random_state=0).status
    Traceback (most recent call last):
    ...
    gaussmix.errors.FitError: ...
    >>> prior = gaussmix.NormalInverseWishart(scale=0.1)
    >>> gaussmix.fit_mixture(X, 3, prior=prior, reg_covar=0.0, random_state=0).converged
    True
    """

    mean: npt.ArrayLike | None = None
    shrinkage: float = 0.01
    dof: float | None = None
    scale: npt.ArrayLike | None = None
    concentration: float = 1.0

    def __post_init__(self) -> None:
        _check.refuse_negative(self.shrinkage, "shrinkage")
        if self.dof is not None:
            _check.refuse_negative(self.dof, "dof")
        _check.refuse_negative(self.concentration, "concentration")
        if self.concentration < 1.0:
            raise ValueError(
                f"concentration must be at least 1, or weights would go to zero; got {self.concentration}"
            )
        for name in ("mean", "scale"):
            if getattr(self, name) is not None:
                array = np.array(getattr(self, name), dtype=np.float64)
                _check.check_finite(array, f"the prior's {name}")
                array.flags.writeable = False
                object.__setattr__(self, name, array)
        if self.scale is not None:
            _check_scale(np.asarray(self.scale))

    def described(self) -> dict[str, Any]:
        """The prior as plain JSON, to tell it from another."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: v.tolist() if isinstance(v, np.ndarray) else v for name, v in values.items()}

    def for_fit(self, structure: Structure, rows: RowScales, k: int) -> Conjugate:
        """The prior in the coordinates of a fit, with what is left to the rows filled in."""
        d, frame = rows.mean.size, rows.frame
        mean = rows.mean if self.mean is None else np.asarray(self.mean)
        if mean.shape not in ((), (d,)):
            raise ValueError(f"the prior's mean must have the shape ({d},); got {mean.shape}")
        block, dof = structure.algebra.block, float(d + 2 if self.dof is None else self.dof)
        return Conjugate(
            structure=structure,
            mean=np.asarray(frame.apply(np.broadcast_to(mean, (1, d)).astype(np.float64))[:, 0]),
            shrinkage=float(self.shrinkage),
            scale=self._map_scale(structure, block, rows, k),
            # of an inverse Wishart distribution, or of inverse gamma distributions
            power=dof + d + 1.0 if block.general else (dof + 2.0) / block.n_merged(d),
            concentration=float(self.concentration),
            log_det=frame.log_det,
        )

    def _map_scale(self, structure: Structure, block: Block, rows: RowScales, k: int) -> Float64Array:
        """Lambda in the shape of one component's covariance parameter, in the frame."""
        d, frame = rows.mean.size, rows.frame
        if self.scale is None:
            factor = rows.n / max(rows.n - 1.0, 1.0) / k ** (2.0 / d)
            if block.general and rows.n > d:
                return np.asarray(factor * rows.covariance)
            variances = rows.variances if block.general else np.full(d, rows.variances.mean())
            return structure.algebra.map_variances(factor * variances, frame)
        scale = np.asarray(self.scale)
        if scale.shape not in ((), (d,), (d, d)):
            raise ValueError(
                f"the prior's scale must be a number or of the shape ({d},) or ({d}, {d}); got {scale.shape}"
            )
        if scale.ndim == 2 and block.general:
            return structure.algebra.map_covariances(scale, frame.matrix)
        variances = np.diagonal(scale) if scale.ndim == 2 else np.broadcast_to(scale, (d,))
        return structure.algebra.map_variances(variances, frame)


@dataclass(frozen=True, eq=False)
class RowScales:
    """What a prior takes from the rows where the caller leaves its location or scale open."""

    #: Number of rows n.
    n: float
    #: Mean and variances in the coordinates of the data, shape (d,).
    mean: Float64Array
    variances: Float64Array
    #: Covariance in the frame, in the shape of one component's covariance parameter.
    covariance: Float64Array
    frame: Frame


@dataclass(frozen=True, eq=False)
class Conjugate:
    """A prior in the coordinates of a fit: -1/2 (a log|C| + tr(C^-1 (Lambda + kappa (m - mean)(m - mean)'))).

    Rows at `mean` with scatter Lambda would add the same to the log-likelihood, but for the factor a of
    log|C|. So the prior is added to the statistics, and the counts that divide them are n_k + a.
    """

    structure: Structure
    #: The prior mean of component means, shape (d,).
    mean: Float64Array
    #: kappa, the number of rows that it counts as.
    shrinkage: float
    #: Lambda, in the shape of one component's covariance parameter.
    scale: Float64Array
    #: What the prior of one covariance adds to a; each mean adds 1, if its shrinkage is not zero.
    power: float
    concentration: float
    #: Log |det A| of the map A into these coordinates.
    log_det: float

    def add_to(self, moments: Moments) -> Moments:
        """The statistics of the rows and those that stand for the prior."""
        k, form, block = moments.n_components, moments.form, self.structure.algebra.block
        packed = self.scale.reshape(-1)
        if block.general:
            packed = np.asarray(block.pack(self.scale), dtype=np.float64)
        shared = form.shared
        return moments + replace(
            Moments.zero(form, k, self.mean.size),
            counts=np.full(k, self.shrinkage),
            second=np.zeros((k, 0)) if shared else np.tile(packed, (k, 1)),
            pooled=packed if shared else np.zeros(0),
            centres=np.tile(self.mean, (k, 1)),
        )

    def added_counts(self, k: int) -> Float64Array:
        """What the prior adds to each component's count where it multiplies log|C_k|, shape (k,)."""
        covariances = self.power / k if self.structure.shared else self.power
        return np.full(k, covariances + (self.shrinkage > 0.0))

    def log_density(self, mixture: Mixture) -> float:
        """Log-density, in the data's coordinates and up to a constant, of a mixture of these coordinates."""
        algebra, U = self.structure.algebra, mixture.roots
        k, d = mixture.means.shape
        log_det = np.broadcast_to(algebra.log_det(U, d), (k,)) + self.log_det
        off = algebra.whiten(U, mixture.means - self.mean)
        traces = algebra.stiffness(U, self.scale).sum() + self.shrinkage * np.vdot(off, off)
        shares = mixture.weights / mixture.weights.sum()  # beside noise, they sum to less
        weights = (self.concentration - 1.0) * take_logarithms(shares).sum()
        return float(self.added_counts(k) @ log_det - 0.5 * traces + weights)


def get_prior(prior: str | NormalInverseWishart | None) -> NormalInverseWishart | None:
    """The prior of a name of :data:`NAMES`; any other prior as it is."""
    if prior is None or isinstance(prior, NormalInverseWishart):
        return prior
    if prior not in NAMES:
        raise ValueError(f"prior must be {' or '.join(NAMES)}, or a NormalInverseWishart; got {prior!r}")
    return NormalInverseWishart()


def _check_scale(scale: Float64Array) -> None:
    matrix = np.diag(np.atleast_1d(scale)) if scale.ndim < 2 else scale
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(
            f"the prior's scale must be a number, a vector or a square matrix; got {scale.shape}"
        )
    asymmetry, largest = float(np.abs(matrix - matrix.T).max()), float(np.abs(matrix).max())
    if asymmetry > 1e-8 * largest:
        raise ValueError(
            f"the prior's scale must be symmetric; mirrored entries differ by up to {asymmetry:.3g}"
        )
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    if smallest < -1e-8 * largest:
        raise ValueError(
            f"the prior's scale must have no negative eigenvalue; the smallest is {smallest:.3g}"
        )
