"""What an M-step heeds beside the likelihood: a prior, constraints, and parameters that stay as they are."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from gaussmix._typing import Float64Array
from gaussmix.engines import Engine
from gaussmix.fit.given import Given
from gaussmix.model.bounds import Bound
from gaussmix.model.constraints import Constraints, weights_within
from gaussmix.model.covariance import Structure
from gaussmix.model.mixture import Mixture
from gaussmix.model.moments.frame import Group
from gaussmix.model.moments.statistics import Moments
from gaussmix.model.priors import Conjugate, NormalInverseWishart, RowScales

FREE = Constraints()
#: The argument of the estimators that gives each parameter.
GIVEN_BY = {"weights": "weights_init", "means": "means_init", "covariances": "precisions_init"}


@dataclass(frozen=True, eq=False)
class Fixed:
    """A parameter that stays, with its values, for the components of a mask."""

    mask: npt.NDArray[np.bool_]
    values: Float64Array

    def put(self, found: Float64Array) -> Float64Array:
        """What was found, and the fixed values in their places."""
        if self.mask.all():
            return self.values
        mask = self.mask.reshape(-1, *(1,) * (found.ndim - 1))
        return np.where(mask, self.values, found)


@dataclass(frozen=True, eq=False)
class Terms:
    """The steps of an M-step in which a prior or a constraint has a say; without either they do nothing."""

    constraints: Constraints = FREE
    prior: Conjugate | None = None
    #: Of the covariances of different components.
    bound: Bound | None = None
    #: What stays, in the frame's coordinates.
    fixed_weights: Fixed | None = None
    fixed_means: Fixed | None = None
    fixed_covariances: Fixed | None = None
    fixed_roots: Fixed | None = None

    def joined(self, moments: Moments) -> Moments:
        """The statistics of the rows and of those that stand for the prior."""
        return moments if self.prior is None else self.prior.add_to(moments)

    def means(self, joined: Moments) -> Float64Array:
        """The best means, but for those that are fixed."""
        means = joined.means()
        return means if self.fixed_means is None else self.fixed_means.put(means)

    def central(self, joined: Moments, means: Float64Array, counts: Float64Array) -> Moments:
        """The statistics about the means, over the counts by which a prior has them divided."""
        if self.prior is None:
            return joined if self.fixed_means is None else joined.centre_on(means)
        return replace(joined.centre_on(means), counts=counts + self.prior.added_counts(counts.size))

    def moments(self, moments: Float64Array) -> Float64Array:
        """Second moments, in which components of fixed covariances have these."""
        return moments if self.fixed_covariances is None else self.fixed_covariances.put(moments)

    def covariances(
        self, covariances: Float64Array, roots: Float64Array
    ) -> tuple[Float64Array, Float64Array]:
        """Covariances and their roots, but for those that are fixed."""
        if self.fixed_covariances is None or self.fixed_roots is None:
            return covariances, roots
        return self.fixed_covariances.put(covariances), self.fixed_roots.put(roots)

    def weights(self, counts: Float64Array) -> Float64Array:
        """The best weights."""
        constraints, k = self.constraints, counts.size
        if self.prior is not None:
            counts = counts + (self.prior.concentration - 1.0)
        if constraints.equal_weights:
            return np.full(k, 1.0 / k)
        if self.fixed_weights is not None:
            fixed = self.fixed_weights
            weights, free = fixed.values.copy(), ~fixed.mask
            left = 1.0 - float(weights[fixed.mask].sum())
            if free.any():
                weights[free] = weights_within(counts[free], constraints.min_weight, left)
            return weights
        if constraints.min_weight:
            return weights_within(counts, constraints.min_weight)
        return np.asarray(counts / np.add.reduce(counts))

    def start(self, mixture: Mixture) -> Mixture:
        """A start that satisfies the constraints, so that EM has nowhere to go but up."""
        if self.constraints == FREE:
            return mixture
        if mixture.noise is not None:  # constraints of weights are of the shares that the Gaussians have
            return self.start(mixture.without_noise()).with_noise(mixture.noise)
        structure, weights = mixture.structure, mixture.weights
        if self.constraints.equal_weights or self.constraints.min_weight or self.fixed_weights is not None:
            weights = replace(self, prior=None).weights(weights)
        covariances, roots = mixture.covariance_stack, mixture.roots
        if self.bound is not None:
            covariances = self.bound(covariances, weights)
            roots = roots if covariances is mixture.covariance_stack else structure.find_roots(covariances)
        covariances, roots = self.covariances(covariances, roots)
        means = mixture.means if self.fixed_means is None else self.fixed_means.put(mixture.means)
        return mixture.replace(weights=weights, means=means, covariance_stack=covariances, roots=roots)

    def log_prior(self, mixture: Mixture) -> float:
        """The log-density of the prior at a mixture of the frame's coordinates, but for a constant."""
        return 0.0 if self.prior is None else self.prior.log_density(mixture)

    def restored(self, mixture: Mixture, given: Given) -> Mixture:
        """A mixture of the data's coordinates in which what is fixed has the bits that were given."""
        means, covariances, roots = mixture.means, mixture.covariance_stack, mixture.roots
        if self.fixed_means is None and self.fixed_covariances is None:
            return mixture
        if self.fixed_means is not None and given.means is not None:
            means = Fixed(self.fixed_means.mask, given.means).put(means)
        if self.fixed_covariances is not None and given.factors is not None:
            mask = self.fixed_covariances.mask
            own = mixture.structure.algebra.covariances_of_roots(given.factors)
            covariances, roots = Fixed(mask, own).put(covariances), Fixed(mask, given.factors).put(roots)
        return mixture.replace(means=means, covariance_stack=covariances, roots=roots)


def frame_group(constraints: Constraints, structure: Structure) -> Group:
    """The maps that a fit may use: ratios of eigenvalues are kept by rotations and one common scale alone."""
    return structure.group if constraints.eigenvalue_ratio is None else "uniform"


def make_terms(
    prior: NormalInverseWishart | None,
    constraints: Constraints,
    engine: Engine,
    given: Given,
    k: int,
    least: float,
) -> Terms:
    """Prior and constraints in the coordinates of the engine's frame.

    `least` is the least eigenvalue there. Raises ValueError where constraints and start do not agree.
    """
    structure, frame, scales = engine.structure, engine.frame, engine.scales
    bound = None
    if constraints.eigenvalue_ratio is not None:
        bound = Bound(structure, float(constraints.eigenvalue_ratio), "eigenvalues", least)
    elif constraints.determinant_ratio is not None and not structure.shared:
        d = frame.origin.size
        if structure.algebra.block.n_merged(d) == d:  # |C| = variance^d
            bound = Bound(structure, float(constraints.determinant_ratio) ** (1.0 / d), "eigenvalues", least)
        else:
            bound = Bound(structure, float(constraints.determinant_ratio), "determinants")
    conjugate = None
    if prior is not None and structure.n_factors:
        raise ValueError(
            f"a prior of covariances is not for factor analysers, and covariance_type is {structure.name!r}; "
            "use one of mclust's families"
        )
    if prior is not None:
        rows = RowScales(engine.n_rows, scales.mean, scales.variances, scales.covariance, frame)
        conjugate = prior.for_fit(structure, rows, k)
    terms = Terms(constraints, conjugate, bound)
    _check_start(constraints, given, k)
    if constraints.fixed_weights and given.weights is not None:
        values = given.weights / given.weights.sum()
        terms = replace(terms, fixed_weights=Fixed(constraints.mask("weights", k), values))
    if constraints.fixed_means and given.means is not None:
        means = np.ascontiguousarray(frame.apply(given.means).T, dtype=np.float64)
        terms = replace(terms, fixed_means=Fixed(constraints.mask("means", k), means))
    if constraints.fixed_covariances and given.factors is not None:
        mask = constraints.mask("covariances", k)
        own = structure.algebra.map_covariances(
            structure.algebra.covariances_of_roots(given.factors), frame.matrix
        )
        roots = structure.algebra.map_roots(given.factors, frame.inverse)
        terms = replace(terms, fixed_covariances=Fixed(mask, own), fixed_roots=Fixed(mask, roots))
    return terms


def _check_start(constraints: Constraints, given: Given, k: int) -> None:
    """Raise ValueError where the start does not give what is fixed, or what is fixed leaves too little."""
    has = {"weights": given.weights, "means": given.means, "covariances": given.factors}
    for name in constraints.fixed:
        if has[name] is None:
            raise ValueError(
                f"fixed_{name} keeps the {name} of the start, which gives none: pass {GIVEN_BY[name]}, or "
                "a Mixture as start"
            )
    if constraints.fixed_weights and given.weights is not None:
        mask = constraints.mask("weights", k)
        weights = given.weights / given.weights.sum()
        left, needed = 1.0 - float(weights[mask].sum()), constraints.min_weight * int((~mask).sum())
        if (weights[mask] < constraints.min_weight).any() or left < needed - 1e-12:
            raise ValueError(
                f"the fixed weights {weights[mask].tolist()} and min_weight={constraints.min_weight} for "
                "every component do not go together"
            )
