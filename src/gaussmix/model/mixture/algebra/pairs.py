"""Sums and products of two mixtures: each component of one with each of the other.

The sum of independent x and y has components N(m + m', C + C') with weights w w'. The product of two
densities has::

    N(x | m, C) N(x | m', C') = N(m' | m, C + C') N(x | m'', (C^-1 + C'^-1)^-1)

which is what a measurement m' of x with the noise C' leaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.covariance import Structure
from gaussmix.model.covariance.matrices import invert_lower
from gaussmix.model.mixture.algebra.families import (
    find_structure,
    refuse_noise,
    refuse_singular,
    replace_components,
)
from gaussmix.model.mixture.algebra.linear import Spread
from gaussmix.model.mixture.algebra.observation import Observation
from gaussmix.model.mixture.algebra.update import Posterior, observe_densely, observe_features
from gaussmix.model.mixture.features import join_names
from gaussmix.model.mixture.parts import Parts

M = TypeVar("M", bound=Parts)


def add_spread(mixture: M, spread: Spread) -> M:
    """The mixture of x + e, e ~ N(0, S); S need not be of full rank."""
    refuse_noise(mixture, "convolve")
    (k, d), structure = mixture.means.shape, mixture.structure
    parts = structure.algebra.to_parts(mixture.covariance_stack, k, d)
    if spread.is_diagonal:
        name = structure.find_sum_family(uniform=spread.is_uniform)
    else:
        name = structure.own_family if structure.coupled and parts is None else structure.matrix_family
    target = find_structure(name, d, structure.n_factors)
    if spread.is_diagonal and parts is not None:
        stack = target.algebra.of_parts(parts[0], parts[1] + spread.values)
    else:
        stack = structure.algebra.to_dense(mixture.covariance_stack, k, d) + spread.matrix
    stack = stack[:1] if target.shared else stack
    return replace_components(mixture, target, mixture.means, stack, mixture.feature_names, "convolve")


def add_mixture(mixture: M, other: Parts) -> M:
    """The mixture of x + y, for independent y."""
    pairs = Pairs.of(mixture, other, "convolve")
    if pairs.parts is None:
        first, second = (one.dense_covariances for one in (mixture, other))
        stack = pairs.repeat_first(first) + pairs.repeat_second(second)
    else:
        (loadings, own), (others, noise) = pairs.parts
        stack = pairs.structure.algebra.of_parts(np.concatenate([loadings, others], axis=2), own + noise)
    means = pairs.repeat_first(mixture.means) + pairs.repeat_second(other.means)
    return pairs.make(means, stack, pairs.weights)


def multiply(mixture: M, other: Parts) -> Posterior[M]:
    """The normalised product of two densities, and the logarithm of its integral."""
    pairs = Pairs.of(mixture, other, "product")
    means, d = pairs.repeat_first(mixture.means), mixture.n_features
    observation: Observation
    roots = None
    with refuse_singular("product"):
        if pairs.parts is None:
            halves, noise = pairs.halves
            observation, upper = observe_densely(means, means, halves, halves, noise)
            stack = np.swapaxes(upper, 1, 2) @ upper
            roots = np.swapaxes(invert_lower(np.swapaxes(upper, 1, 2)), 1, 2)
        else:
            own, (others, variances) = pairs.parts
            each, ones = np.arange(d), np.ones(d)
            observation, rest = observe_features(means, means, own, each, ones, variances, others)
            stack = pairs.structure.algebra.of_parts(*rest)
    differences = (pairs.repeat_second(other.means) - means)[:, None]
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        joint = np.log(pairs.weights) + observation.log_peaks - 0.5 * observation.measure(differences)[:, 0]
    largest = float(joint.max())
    if not np.isfinite(largest):
        raise ValueError(
            "product: the mixtures are so far from each other that the integral of their product cannot be "
            "computed; the squared distance in standard deviations is beyond floating-point numbers"
        )
    weights = np.exp(joint - largest)
    total = float(weights.sum())
    moved = means + observation.move(differences)[:, 0]
    return Posterior(pairs.make(moved, stack, weights / total, roots), largest + float(np.log(total)))


@dataclass(frozen=True, eq=False)
class Pairs(Generic[M]):
    """Each component of a mixture with each of another, in the order of the first."""

    mixture: M
    other: Parts
    #: The narrowest family that has sums of covariances, and inverses of sums of precisions.
    structure: Structure
    names: tuple[str, ...] | None
    operation: str

    @classmethod
    def of(cls, mixture: M, other: Parts, operation: str) -> Pairs[M]:
        """The pairs of two mixtures of the same features; ValueError where they are others, or have noise."""
        both, d = (mixture, other), mixture.n_features
        for one in both:
            refuse_noise(one, operation)
        names = join_names(both, operation)
        algebras = [one.structure.algebra for one in both]
        n_factors = sum(algebra.n_factors for algebra in algebras)
        isotropic = all(algebra.isotropic for algebra in algebras)
        # one Gaussian shares its covariance with itself, so that a tied mixture stays tied with it
        shared = any(one.structure.shared for one in both)
        shared = shared and all(one.structure.shared or one.n_components == 1 for one in both)
        if any(_find_parts(one) is None for one in both) or n_factors >= d:
            name = "EEE" if shared else "VVV"
        elif n_factors:
            name = "UUC" if isotropic else "UUU"
        else:
            name = ("EII" if isotropic else "EEI") if shared else ("VII" if isotropic else "VVI")
        return cls(mixture, other, find_structure(name, d, n_factors), names, operation)

    def repeat_first(self, array: Float64Array) -> Float64Array:
        """What each component of the mixture has, for each pair."""
        return np.repeat(array, self.other.n_components, axis=0)

    def repeat_second(self, array: Float64Array) -> Float64Array:
        """What each component of the other has, for each pair."""
        return np.tile(array, (self.mixture.n_components, *(1,) * (array.ndim - 1)))

    @property
    def weights(self) -> Float64Array:
        """Products of weights, one a pair."""
        return np.asarray(self.repeat_first(self.mixture.weights) * self.repeat_second(self.other.weights))

    @cached_property
    def parts(self) -> tuple[tuple[Float64Array, Float64Array], ...] | None:
        """Loadings and uniquenesses of the first and the second of each pair, where all have them."""
        first, second = _find_parts(self.mixture), _find_parts(self.other)
        if first is None or second is None:
            return None
        pairs = (self.repeat_first(first[0]), self.repeat_first(first[1]))
        return pairs, (self.repeat_second(second[0]), self.repeat_second(second[1]))

    @property
    def halves(self) -> tuple[Float64Array, Float64Array]:
        """H with H H' the covariance, of the first and the second of each pair; of one where all share it."""
        first, second = (
            one.structure.algebra.halves(one.roots, one.n_features) for one in (self.mixture, self.other)
        )
        if self.structure.shared:
            return first[:1], second[:1]
        k, n_others = self.mixture.n_components, self.other.n_components
        first = np.broadcast_to(first, (k, *first.shape[1:]))
        second = np.broadcast_to(second, (n_others, *second.shape[1:]))
        return self.repeat_first(first), self.repeat_second(second)

    def make(
        self,
        means: Float64Array,
        stack: Float64Array,
        weights: Float64Array,
        roots: Float64Array | None = None,
    ) -> M:
        """The mixture of the pairs."""
        stack = stack[:1] if self.structure.shared else stack
        parts = self.mixture, self.structure, means, stack, self.names, self.operation
        return replace_components(*parts, weights=weights / weights.sum(), roots=roots)


def _find_parts(mixture: Parts) -> tuple[Float64Array, Float64Array] | None:
    return mixture.structure.algebra.to_parts(mixture.covariance_stack, *mixture.means.shape)
