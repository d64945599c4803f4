"""What a family of covariances is: everything that the rest of the package may ask of one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import copy

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.covariance.matrices import NotPositiveDefiniteError
from gaussmix.model.kernels.natural import LOG_ZERO, Natural
from gaussmix.model.moments.blocks import Form, natural_block
from gaussmix.model.moments.frame import Frame, Group
from gaussmix.model.moments.groups import ALONE, Alone, Groups
from gaussmix.model.moments.statistics import Moments

LOG_2PI = float(np.log(2.0 * np.pi))


class Structure(ABC):
    """A family of covariances, end to end.

    A covariance parameter is an array in the shape that scikit-learn uses for the family; a factor is
    U with precision U U', in the same shape. Every method is pure.
    """

    name: str
    form: Form
    group: Group
    #: Whether features that vary in no component are independent of all else: a fit can leave them out.
    separable: bool = False
    #: Factors in each component's covariance; none in families of other matrices.
    n_factors: int = 0
    #: Which components share what they share: those of one mixture.
    groups: Alone = ALONE

    def holding(self, shape: tuple[int, ...]) -> Structure:
        """The member of the family whose covariance parameter has this shape, where there are several.

        Raises ValueError where there cannot be so many factors.
        """
        return self

    def beside(self, groups: Groups) -> Structure:
        """The family as components of several mixtures have it, each a covariance in an array of them all."""
        family = copy(self)
        family.groups = groups
        return family

    def each(self, parameter: Float64Array, k: int) -> Float64Array:
        """Covariances or factors, one for each of k components, whatever they share."""
        return parameter

    def taken(self, parameter: Float64Array, components: IntArray) -> Float64Array:
        """Covariances or factors of some components, in order."""
        return np.asarray(parameter[components])

    def common(self, parameter: Float64Array) -> Float64Array:
        """The inverse of :meth:`each`."""
        return parameter

    @property
    def own_form(self) -> Form:
        """The form in which each component keeps its second moments, pooled when they are asked for.

        For passes in which not all rows belong to the Gaussians: there the quadratic part that families of
        one covariance share does not cancel, and their total scatter is no constant.
        """
        return self.form if self.form.own != "none" else Form(own=self.form.pooled, pooled="none")

    @abstractmethod
    def shape(self, k: int, d: int) -> tuple[int, ...]:
        """Shape of the covariance parameter."""

    @abstractmethod
    def n_covariance_parameters(self, k: int, d: int) -> int:
        """Free parameters of the covariances, for information criteria."""

    def estimate(self, stats: Moments, warm: Float64Array | None = None) -> Float64Array:
        """The M-step: the covariances of greatest expected log-likelihood; `warm` as in :meth:`combine`."""
        return self.combine(self.moments(stats), self.shares(stats.counts), warm)

    def shares(self, counts: Float64Array) -> Float64Array:
        """The counts of components, shape (k,), as shares of their mixture's."""
        return counts / self.groups.spread(self.groups.total(counts))

    @property
    def coupled(self) -> bool:
        """Whether components share a part of covariances that are otherwise their own."""
        return type(self).combine is not Structure.combine

    @abstractmethod
    def moments(self, stats: Moments) -> Float64Array:
        """The second moments that the M-step starts from, about the means, for each unit of weight."""

    def combine(
        self, moments: Float64Array, shares: Float64Array, warm: Float64Array | None = None
    ) -> Float64Array:
        """The member of the family nearest to the moments: the maximum of -sum_k s_k (log|C| + tr(C^-1 M))_k.

        Parameters
        ----------
        moments : ndarray
            As :meth:`moments` gives them.
        shares : ndarray of shape (k,)
            s_k, the weights of the components.
        warm : ndarray, optional
            Covariances of the family near the answer, where the families that iterate begin. The answer is
            never worse than these.
        """
        return moments

    def nearest(self, covariances: Float64Array, shares: Float64Array) -> Float64Array:
        """The member of the family nearest to covariances: the same object where any are of the family."""
        return self.combine(covariances, shares)

    def probes(self, k: int, d: int) -> Float64Array | None:
        """Axes for the moments of a start, shape (k, d, m), where the family keeps moments along axes."""
        return None

    def sharpened(self, stats: Moments) -> Float64Array | None:
        """Better axes than those of the statistics, if it takes another pass to begin well."""
        return None

    def ridged(self, moments: Float64Array, ridge: Float64Array) -> Float64Array:
        """Moments with the ridge added."""
        return moments + ridge

    def uncorrelated(self, ridge: Float64Array, d: int) -> Float64Array:
        """The covariance parameter of one component, from what :meth:`ridge` gives."""
        return ridge.reshape(self.shape(1, d))

    @abstractmethod
    def ridge(self, variances: Float64Array, frame: Frame) -> Float64Array:
        """Uncorrelated features of these variances, shape (d,), in the data's units, as seen from the frame.

        In the shape of one component's covariance parameter; of families with factors, variances (d,).
        """

    @abstractmethod
    def floored(self, moments: Float64Array, least: Float64Array) -> Float64Array:
        """The M-step's answer to moments M among matrices C with C - least positive semi-definite.

        `least` is of the shape that :meth:`ridge` has. Moments that satisfy it stay as they are.
        """

    def held_above(
        self, covariances: Float64Array, least: Float64Array, largest: float
    ) -> tuple[Float64Array, Float64Array]:
        """The covariances, :meth:`floored` where they are near `least`, and their factors.

        `largest` bounds the eigenvalues of `least`: tr(P) largest < 1 shows that no direction is near it.
        """
        try:
            factors = self.factor(covariances)
        except NotPositiveDefiniteError:
            pass
        else:
            if float(np.vdot(factors, factors)) * largest < 1.0:
                return covariances, factors
        floored = self.floored(covariances, least)
        return floored, self.factor(floored)

    @abstractmethod
    def stiffness(self, factors: Float64Array, least: Float64Array) -> Float64Array:
        """tr(least P) of each component, shape (k,) or (1,): one or more where `least` is met."""

    @abstractmethod
    def least_rows(self, d: int) -> int:
        """How many rows in general position keep a component from shrinking; 0 where none shrinks alone."""

    @abstractmethod
    def mapped(self, covariances: Float64Array, matrix: Float64Array) -> Float64Array:
        """The covariances of A x; A as in :class:`Frame`, within the family's group."""

    def mapped_factor(self, factors: Float64Array, inverse: Float64Array) -> Float64Array:
        """The factors of A x, from those of x and the inverse of A: U becomes A^-T U."""
        return inverse * factors

    @abstractmethod
    def factor(self, covariances: Float64Array) -> Float64Array:
        """U with (U U')^-1 the covariance; upper triangular. Raises NotPositiveDefiniteError."""

    @abstractmethod
    def precisions(self, factors: Float64Array) -> Float64Array:
        """U U'."""

    @abstractmethod
    def diagonal(self, factors: Float64Array) -> Float64Array:
        """The diagonals of U, shape (k or 1, d or 1): 1 where all components or features share one entry."""

    def log_det(self, factors: Float64Array, d: int) -> Float64Array:
        """Log |U| of each component, shape (k,), or (1,) if common to all."""
        diagonal = self.diagonal(factors)
        return np.asarray(np.add.reduce(np.log(diagonal), axis=1) * (d / diagonal.shape[1]))

    def constants(self, factors: Float64Array, d: int) -> Float64Array:
        """Log |U| - d/2 log 2 pi: the log-density of a component at its mean, shape (k,) or (1,)."""
        return self.log_det(factors, d) - 0.5 * d * LOG_2PI

    @abstractmethod
    def whiten(self, factors: Float64Array, vectors: Float64Array) -> Float64Array:
        """U_k' v_k for one vector a component, shape (k, d)."""

    @abstractmethod
    def unwhiten(self, factors: Float64Array, vectors: Float64Array) -> Float64Array:
        """U_k v_k for one vector a component, shape (k, d)."""

    @abstractmethod
    def dense(self, covariances: Float64Array, k: int, d: int) -> Float64Array:
        """The covariances as matrices, shape (k, d, d)."""

    @abstractmethod
    def factor_of_precisions(self, precisions: Float64Array) -> Float64Array:
        """U from U U'. Raises NotPositiveDefiniteError."""

    @abstractmethod
    def covariances_of_factor(self, factors: Float64Array) -> Float64Array:
        """(U U')^-1."""

    @abstractmethod
    def variances(self, covariances: Float64Array, k: int, d: int) -> Float64Array:
        """The variance of each feature in each component, shape (k, d)."""

    def average(self, covariances: Float64Array, weights: Float64Array, d: int) -> Float64Array:
        """sum_k w_k C_k, shape (d, d)."""
        return np.tensordot(weights, self.dense(covariances, weights.size, d), axes=1)

    def parts(self, covariances: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Loadings (k, d, q) and noise variances (k, d), of families that have them."""
        raise AttributeError(f"covariances of the type {self.name!r} have no loadings")

    def n_noises(self, d: int) -> int:
        """Standard normal numbers that it takes to draw a row."""
        return d

    def coloured(self, noise: Float64Array, factor: Float64Array) -> Float64Array:
        """Rows of standard normal noise given the covariance (U U')^-1: each row e becomes U^-T e."""
        if factor.ndim < 2:
            return noise / factor
        from scipy.linalg import solve_triangular

        return np.asarray(solve_triangular(factor, noise.T, trans="T").T)

    def asymmetry(self, covariances: Float64Array) -> float:
        """Largest difference between an entry and its mirror image; families without matrices have none."""
        return 0.0

    def natural(
        self,
        weights: Float64Array,
        means: Float64Array,
        covariances: Float64Array,
        factors: Float64Array,
        form: Form | None = None,
    ) -> Natural:
        """The natural parameters of a mixture of this family, in its own form or its :attr:`own_form`."""
        k, d = means.shape
        whitened = self.whiten(factors, means)
        log_weights = np.log(weights) if weights.all() else log_or_zero(weights)
        form = self.form if form is None else form
        own = form.own
        precisions = np.empty((k, 0)) if own == "none" else self.precisions(factors)
        if form != self.form:  # what all components share, once for each
            shape = {"vech": (k, d, d), "squares": (k, d), "radial": (k,)}[own]
            each, precisions = np.broadcast_to(factors, shape), np.broadcast_to(precisions, shape)
        else:
            each = factors
        return Natural(
            form=form,
            constants=log_weights + self.constants(factors, d),
            means=means,
            factors=each,
            linear=self.unwhiten(factors, whitened),
            quadratic=np.vecdot(whitened, whitened),
            second=natural_block(precisions, own),
            spread=np.add.reduce(self.variances(covariances, k, d), axis=1),
            groups=self.groups,
        )


class Shared(Structure):
    """A family whose components have one covariance, an array with no axis of components."""

    def moments(self, stats: Moments) -> Float64Array:
        return np.asarray(stats.within()[0])

    def each(self, parameter: Float64Array, k: int) -> Float64Array:
        return np.broadcast_to(parameter, (k, *parameter.shape))

    def taken(self, parameter: Float64Array, components: IntArray) -> Float64Array:
        return parameter

    def common(self, parameter: Float64Array) -> Float64Array:
        return np.asarray(parameter[0])

    def least_rows(self, d: int) -> int:
        return 0  # no component has a covariance of its own


def log_or_zero(weights: Float64Array) -> Float64Array:
    """Logarithms of weights; that of zero is LOG_ZERO."""
    logarithms = np.full(weights.shape, LOG_ZERO)
    return np.log(weights, out=logarithms, where=weights > 0.0)
