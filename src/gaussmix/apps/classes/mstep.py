"""M-steps of components that belong to classes: what the classes share, and a prior of the classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.fit.mstep.maximise import Maximise
from gaussmix.model.covariance import STRUCTURES, NotPositiveDefiniteError, Structure
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.order import take_components
from gaussmix.model.moments.statistics import Moments

LogPrior = Callable[[Mixture], float]


def find_general(structure: Structure) -> Structure:
    """The family of the same algebra whose components share nothing; factor analysers stay as they are."""
    if _shares_nothing(structure):
        return structure
    for other in STRUCTURES.values():
        if other.algebra is structure.algebra and _shares_nothing(other):
            return other
    raise ValueError(
        f"classes that share nothing cannot have covariances of the type {structure.name!r}, whose "
        'components share loadings; use "factor" or "ppca"'
    )


def _shares_nothing(structure: Structure) -> bool:
    """Whether two components have twice as many parameters as one, in a plane."""
    return structure.n_covariance_parameters(2, 2) == 2 * structure.n_covariance_parameters(1, 2)


@dataclass(frozen=True, eq=False)
class Proportions:
    """The weights of the classes together: those of the rows, or given ones."""

    #: The class of each component, shape (k,).
    owners: IntArray
    #: The probability of each class, shape (n_classes,), where it is given.
    class_prior: Float64Array | None = None

    def hold(self, mixture: Mixture) -> Mixture:
        """The mixture in which the components of each class have its probability together."""
        if self.class_prior is None:
            return mixture
        totals = np.bincount(self.owners, mixture.weights, minlength=len(self.class_prior))
        scale = self.class_prior / np.where(totals > 0.0, totals, 1.0)
        weights = mixture.weights * scale[self.owners]
        return mixture.replace(weights=weights / weights.sum())


@dataclass(frozen=True, eq=False)
class Together:
    """The M-step of classes whose components share what those of the family do."""

    step: Maximise
    proportions: Proportions

    @property
    def log_prior(self) -> LogPrior | None:
        """The log-density of the prior, where there is one."""
        return self.step.log_prior

    def __call__(self, moments: Moments, before: Mixture | None = None) -> Mixture:
        """The mixture of the moments."""
        return self.proportions.hold(self.step(moments, before))


@dataclass(frozen=True, eq=False)
class Apart:
    """The M-step of classes that share nothing: components of one class are of the family, by themselves."""

    #: The M-step of each class.
    steps: tuple[Maximise, ...]
    proportions: Proportions
    #: The family of all components, which share nothing.
    general: Structure

    @property
    def log_prior(self) -> LogPrior | None:
        """The log-densities of the priors of all classes, where there are any."""
        return self._sum_log_priors if self.steps[0].log_prior is not None else None

    def __call__(self, moments: Moments, before: Mixture | None = None) -> Mixture:
        """The mixture of the moments, in the general family."""
        parts = []
        for c, step in enumerate(self.steps):
            own = np.flatnonzero(self.proportions.owners == c)
            warm = None if before is None else take_components(before, own)
            try:
                parts.append(step(take_moments(moments, own), warm))
            except NotPositiveDefiniteError as error:
                collapsed = own if step.structure.shared else own[list(error.components)]
                raise NotPositiveDefiniteError(tuple(collapsed.tolist()), error.smallest) from None
        each = [(part.n_components, *part.roots.shape[1:]) for part in parts]
        pairs = list(zip(parts, each, strict=True))
        weights = moments.counts / moments.counts.sum()
        mixture = Mixture.of_parts(
            self.general,
            weights,
            np.concatenate([part.means for part in parts]),
            np.concatenate([np.broadcast_to(part.covariance_stack, shape) for part, shape in pairs]),
            np.concatenate([np.broadcast_to(part.roots, shape) for part, shape in pairs]),
        )
        return self.proportions.hold(mixture)

    def _sum_log_priors(self, mixture: Mixture) -> float:
        total = 0.0
        for c, step in enumerate(self.steps):
            assert step.log_prior is not None
            total += step.log_prior(take_components(mixture, np.flatnonzero(self.proportions.owners == c)))
        return total


@dataclass(frozen=True, eq=False)
class Common:
    """The M-step of classes that share the Gaussians: there is a copy of each for each class.

    Copies lie side by side and differ in their weights alone, w_k s_kc.
    """

    step: Maximise
    n_classes: int
    proportions: Proportions

    @property
    def log_prior(self) -> LogPrior | None:
        """The log-density of the prior of the Gaussians, where there is one."""
        if (log_prior := self.step.log_prior) is None:
            return None
        return lambda mixture: log_prior(self.join_copies(mixture))

    def __call__(self, moments: Moments, before: Mixture | None = None) -> Mixture:
        """The copies of the Gaussians of the moments of all classes."""
        whole = moments.rebase(np.repeat(moments.centres[:: self.n_classes], self.n_classes, axis=0))

        def join(values: Float64Array) -> Float64Array:
            each = values.reshape(len(values) // self.n_classes, self.n_classes, *values.shape[1:])
            return np.asarray(each.sum(axis=1))

        joined = replace(
            whole,
            counts=join(whole.counts),
            first=join(whole.first),
            second=join(whole.second),
            centres=whole.centres[:: self.n_classes],
        )
        found = self.step(joined, None if before is None else self.join_copies(before))
        copies = take_components(found, np.repeat(np.arange(found.n_components), self.n_classes))
        return self.proportions.hold(copies.replace(weights=moments.counts / moments.counts.sum()))

    def join_copies(self, mixture: Mixture) -> Mixture:
        """One of the copies of each Gaussian, with the weights of all."""
        weights = mixture.weights.reshape(-1, self.n_classes).sum(axis=1)
        first = np.arange(0, mixture.n_components, self.n_classes)
        return take_components(mixture, first, weights)


def take_moments(moments: Moments, components: IntArray) -> Moments:
    """The moments of some components, which keep second moments of their own."""
    rows = (moments.counts, moments.first, moments.second, moments.centres)
    counts, first, second, centres = (array[components] for array in rows)
    axes = None if moments.axes is None else moments.axes[components]
    return replace(moments, counts=counts, first=first, second=second, centres=centres, axes=axes)
