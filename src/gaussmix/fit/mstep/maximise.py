"""The M-step: from the moments of a pass to the mixture of greatest expected log-likelihood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.fit.mstep.regularise import ROUNDING, Floor, Ridge
from gaussmix.fit.mstep.terms import FREE, Terms, keep_fixed
from gaussmix.model.covariance import NotPositiveDefiniteError, Structure
from gaussmix.model.mixture import Mixture
from gaussmix.model.moments.groups import Groups
from gaussmix.model.moments.statistics import Moments
from gaussmix.model.noise import Noise

#: No prior and no constraint.
UNBOUND = Terms()


@dataclass(frozen=True, eq=False)
class Maximise:
    """The M-step: weights, means and regularised covariances of moments."""

    structure: Structure
    regularise: Ridge | Floor
    #: A prior and constraints, which have their say.
    terms: Terms = UNBOUND
    #: The noise component that there is; its weight is that of the moments. A start, before which there is
    #: nothing, has the weight that was asked for.
    noise: Noise | None = None

    @property
    def stackable(self) -> bool:
        """Whether several mixtures can take it side by side: the likelihood of Gaussians alone, unbounded."""
        free = self.terms.prior is None and self.terms.constraints == FREE
        return free and self.noise is None and not self.structure.form.n_axes

    @property
    def log_prior(self) -> Callable[[Mixture], float] | None:
        """The log-density of the prior, where there is one."""
        return None if self.terms.prior is None else self.terms.prior.log_density

    def share_within(self, groups: Groups) -> Self:
        """The M-step of several mixtures whose components lie side by side."""
        structure = self.structure.share_within(groups)
        return replace(self, structure=structure, regularise=replace(self.regularise, structure=structure))

    def __call__(self, moments: Moments, before: Mixture | None = None) -> Mixture:
        """The mixture of the moments. Families that iterate begin at the covariances of the one `before`.

        Raises NotPositiveDefiniteError where a variance is zero, or so small that it is rounding, unless
        `regularise` sees to that.
        """
        if not np.add.reduce(moments.counts) > 0.0:  # all has gone to the noise
            raise NotPositiveDefiniteError(tuple(range(moments.n_components)), 0.0)
        structure, terms = self.structure, self.terms
        joined = moments if terms.prior is None else terms.prior.add_to(moments)
        means = keep_fixed(joined.means(), terms.fixed_means)
        central = terms.centre(joined, means, moments.counts)
        second = keep_fixed(structure.moments(central), terms.fixed_covariances)
        shares = structure.shares(central.counts)
        warm = None if before is None else before.covariance_stack
        covariances, roots = self.regularise(second, shares, warm)
        covariances = keep_fixed(covariances, terms.fixed_covariances)
        roots = keep_fixed(roots, terms.fixed_roots)
        weights, noise = terms.find_weights(moments.counts), self.noise
        if noise is not None:
            noise = noise if before is None else replace(noise, weight=moments.noise / moments.weight)
            weights = weights * (1.0 - noise.weight)
        mixture = Mixture.of_parts(structure, weights, means, covariances, roots, noise=noise)
        if self.regularise.bounded or ROUNDING * mixture.natural.condition < 0.5:
            return mixture  # every variance is far above rounding
        sharpest = structure.algebra.diagonal(roots).max(axis=1) ** 2
        collapsed = ~(sharpest * _estimate_rounding(moments, means, structure.shared) < 1.0)
        if collapsed.any():
            raise NotPositiveDefiniteError(
                tuple(int(i) for i in np.flatnonzero(collapsed)), 1.0 / sharpest.max()
            )
        return mixture


def _estimate_rounding(moments: Moments, means: Float64Array, shared: bool) -> Float64Array:
    """Rounding error of a component's variances: of what is subtracted, and of the rows themselves."""
    shift = means - moments.centres
    size = ROUNDING * np.sqrt(1.0 + np.vecdot(means, means))
    error: Float64Array = ROUNDING * np.vecdot(shift, shift) + size * size
    return error.max(keepdims=True) if shared else error
