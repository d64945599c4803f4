"""What a family of covariances is: everything that the rest of the package may ask of one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import copy
from typing import Self

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.covariance.algebra import Algebra, NotPositiveDefiniteError
from gaussmix.model.covariance.parametrisation import Parametrisation
from gaussmix.model.kernels.natural import LOG_ZERO, Natural
from gaussmix.model.moments.blocks import NONE, Form
from gaussmix.model.moments.frame import Group
from gaussmix.model.moments.groups import ALONE, Alone, Groups
from gaussmix.model.moments.statistics import Moments


class Structure(ABC):
    """A family of covariances: an algebra, and what components share.

    Covariances and their roots are stacks as :class:`Algebra` has them. Where components share one
    covariance, a stack has one entry, or one for each of several mixtures side by side.

    Parameters
    ----------
    name : str
    algebra : Algebra
    group : {"affine", "scale", "uniform"}
        The maps under which the family is closed.
    shared : bool
        Whether all components have the same covariance.
    coupled : bool
        Whether components share a part of covariances that are otherwise their own.
    separable : bool
        Whether features that vary in no component are independent of all else: a fit can leave them out.
    """

    #: Which components share what they share: those of one mixture.
    groups: Alone = ALONE

    def __init__(
        self,
        name: str,
        algebra: Algebra,
        group: Group,
        *,
        shared: bool = False,
        coupled: bool = False,
        separable: bool = False,
    ) -> None:
        self.name, self.algebra, self.group = name, algebra, group
        self.shared, self.coupled, self.separable = shared, coupled, separable
        #: Where some rows may belong to no Gaussian, the quadratic part that components share does not cancel
        #: and their total scatter is no constant. Then each component keeps its own second moments, which are
        #: pooled when they are asked for.
        self.own_form = Form(own=algebra.block)
        self.form = Form(own=NONE, pooled=algebra.block) if shared else self.own_form

    @property
    def n_factors(self) -> int:
        """Factors in each component's covariance; none in families of other matrices."""
        return self.algebra.n_factors

    def of_shape(self, shape: tuple[int, ...]) -> Structure:
        """The member of the family whose covariance parameter has this shape, where there are several.

        Raises ValueError where there cannot be so many factors.
        """
        return self

    def share_within(self, groups: Groups) -> Self:
        """The family as components of several mixtures have it, side by side."""
        family = copy(self)
        family.groups = groups
        return family

    def shape(self, k: int, d: int) -> tuple[int, ...]:
        """Shape of the covariance parameter that users see: without an axis of components if it is shared."""
        one = self.algebra.shape(d)
        return (k, *one) if not self.shared else one or (1,)

    def stack(self, parameter: Float64Array, d: int) -> Float64Array:
        """The covariances, roots or precisions that users see, as a stack."""
        return parameter.reshape(-1, *self.algebra.shape(d))

    def unstack(self, stack: Float64Array) -> Float64Array:
        """The inverse of :meth:`stack`, for one mixture."""
        return stack[0] if self.shared and stack.ndim > 1 else stack

    def select(self, stack: Float64Array, components: IntArray) -> Float64Array:
        """Covariances or roots of some components, in order."""
        return stack if self.shared else np.asarray(stack[components])

    @property
    def own_family(self) -> str:
        """The family of covariances stored alike in which components share nothing."""
        return self.algebra.own_family

    @property
    def matrix_family(self) -> str:
        """The family of general matrices, of one where components share one covariance."""
        return "EEE" if self.shared else "VVV"

    @abstractmethod
    def find_marginal_family(self, d: int) -> str:
        """The narrowest family that has the covariances of any d features, fewer than there are."""

    def find_conditional_family(self, d: int) -> str:
        """The narrowest family that has the covariances of d features, where the others are given."""
        return self.find_marginal_family(d)

    @abstractmethod
    def find_mapped_family(self, group: Group) -> str:
        """The narrowest family that has the covariances of A x, for a square A of a group of maps."""

    @abstractmethod
    def find_sum_family(self, *, uniform: bool) -> str:
        """The narrowest family that has the sums with one diagonal, or one multiple of the identity."""

    def find_updated_family(self, *, uniform: bool) -> str:
        """The same of inverses of the sums of precisions with one diagonal."""
        return self.find_sum_family(uniform=uniform)

    @abstractmethod
    def describe(self, d: int) -> str:
        """What covariances of d features look like, in plain words."""

    @abstractmethod
    def n_covariance_parameters(self, k: int, d: int) -> int:
        """Free parameters of the covariances, for information criteria."""

    @abstractmethod
    def least_rows(self, d: int) -> int:
        """How many rows in general position keep a component from shrinking; 0 where none shrinks alone."""

    def estimate(self, stats: Moments, warm: Float64Array | None = None) -> Float64Array:
        """The M-step: the covariances of greatest expected log-likelihood; `warm` as in :meth:`combine`."""
        return self.combine(self.moments(stats), self.shares(stats.counts), warm)

    def shares(self, counts: Float64Array) -> Float64Array:
        """The counts of components, shape (k,), as shares of their mixture's."""
        return counts / self.groups.expand(self.groups.total(counts))

    def moments(self, stats: Moments) -> Float64Array:
        """The second moments that the M-step starts from, about the means, for each unit of weight."""
        found = stats.pooled_covariances(self.groups) if self.shared else stats.covariances()
        return self.algebra.from_moments(found, stats.n_features)

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

    def find_nearest(self, covariances: Float64Array, shares: Float64Array) -> Float64Array:
        """The member of the family nearest to covariances: the same object where any are of the family."""
        return self.combine(covariances, shares)

    def probes(self, k: int, d: int) -> Float64Array | None:
        """Axes for the moments of a start, shape (k, d, m), where the family keeps moments along axes."""
        return None

    def sharpen_axes(self, stats: Moments) -> Float64Array | None:
        """Better axes than those of the statistics, if it takes another pass to begin well."""
        return None

    def parametrise(self, covariances: Float64Array) -> Parametrisation:
        """Free coordinates of a stack of covariances of the family; ValueError where it has none."""
        raise ValueError(f"covariances of the type {self.name!r} have no coordinates of their own")

    def parts(self, covariances: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Loadings (k, d, q) and uniquenesses (k, d), of families that have them."""
        raise AttributeError(f"covariances of the type {self.name!r} have no loadings")

    def find_roots(self, covariances: Float64Array) -> Float64Array:
        """U with (U U')^-1 the covariance.

        Raises NotPositiveDefiniteError, which names no component where all share one covariance.
        """
        try:
            return self.algebra.find_roots(covariances)
        except NotPositiveDefiniteError as error:
            raise NotPositiveDefiniteError(() if self.shared else error.components, error.smallest) from None

    def natural(
        self,
        weights: Float64Array,
        means: Float64Array,
        covariances: Float64Array,
        roots: Float64Array,
        form: Form | None = None,
    ) -> Natural:
        """The natural parameters of a mixture of this family, in its own form or its :attr:`own_form`."""
        (k, d), algebra = means.shape, self.algebra
        form = self.form if form is None else form
        if self.shared:  # for each component that of its mixture
            covariances, roots = self.groups.expand(covariances), self.groups.expand(roots)
        whitened = algebra.whiten(roots, means)
        log_weights = np.log(weights) if weights.all() else take_logarithms(weights)
        constants, linear = log_weights + algebra.log_peaks(roots, d), algebra.unwhiten(roots, whitened)
        if form.shared:
            precisions = np.empty((k, 0))
        else:
            precisions = algebra.precisions(roots)
            if self.shared:  # what all components share, once for each
                each = (k, *roots.shape[1:])
                roots, precisions = np.broadcast_to(roots, each), np.broadcast_to(precisions, each)
        return Natural(
            form=form,
            constants=constants,
            means=means,
            roots=roots,
            linear=linear,
            quadratic=np.vecdot(whitened, whitened),
            second=form.own.coefficients(precisions),
            traces=np.add.reduce(algebra.variances(covariances, len(covariances), d), axis=1),
            groups=self.groups,
        )


def take_logarithms(weights: Float64Array) -> Float64Array:
    """Logarithms of weights; that of zero is LOG_ZERO."""
    logarithms = np.full(weights.shape, LOG_ZERO)
    return np.log(weights, out=logarithms, where=weights > 0.0)
