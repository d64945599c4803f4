"""The terms of an M-step beside the likelihood: a prior, constraints, and parameters that stay."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from gaussmix._typing import Float64Array
from gaussmix.engines import Engine
from gaussmix.fit.given import Given
from gaussmix.model.bounds import Bound
from gaussmix.model.constraints import Constraints, bound_weights
from gaussmix.model.covariance import Structure
from gaussmix.model.mixture import Mixture
from gaussmix.model.moments.frame import Group
from gaussmix.model.moments.statistics import Moments
from gaussmix.model.priors import Conjugate, NormalInverseWishart, RowScales

FREE = Constraints()
#: The argument of the estimators that gives each parameter.
GIVEN_BY = {"weights": "weights_init", "means": "means_init", "covariances": "precisions_init"}


@dataclass(frozen=True, eq=False)
class FixedParameter:
    """A parameter that stays, with its values, for the components of a mask."""

    mask: npt.NDArray[np.bool_]
    values: Float64Array


def keep_fixed(found: Float64Array, fixed: FixedParameter | None) -> Float64Array:
    """The values found, and the fixed ones in their places."""
    if fixed is None:
        return found
    if fixed.mask.all():
        return fixed.values
    mask = fixed.mask.reshape(-1, *(1,) * (found.ndim - 1))
    return np.where(mask, fixed.values, found)


@dataclass(frozen=True, eq=False)
class Terms:
    """The steps of an M-step in which a prior or a constraint has a say; without either they do nothing."""

    constraints: Constraints = FREE
    prior: Conjugate | None = None
    #: The bound of the covariances of different components.
    bound: Bound | None = None
    #: The parameters that stay, in the frame's coordinates.
    fixed_weights: FixedParameter | None = None
    fixed_means: FixedParameter | None = None
    fixed_covariances: FixedParameter | None = None
    fixed_roots: FixedParameter | None = None

    def centre(self, joined: Moments, means: Float64Array, counts: Float64Array) -> Moments:
        """The moments about the means, over the counts by which a prior has them divided."""
        if self.prior is None:
            return joined if self.fixed_means is None else joined.centre_on(means)
        return replace(joined.centre_on(means), counts=counts + self.prior.added_counts(counts.size))

    def find_weights(self, counts: Float64Array) -> Float64Array:
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
                weights[free] = bound_weights(counts[free], constraints.min_weight, left)
            return weights
        if constraints.min_weight:
            return bound_weights(counts, constraints.min_weight)
        return np.asarray(counts / np.add.reduce(counts))

    def constrain(self, mixture: Mixture) -> Mixture:
        """A beginning that satisfies the constraints, so that EM has nowhere to go but up."""
        if self.constraints == FREE:
            return mixture
        if mixture.noise is not None:  # constraints of weights are of the shares that the Gaussians have
            return self.constrain(mixture.without_noise()).with_noise(mixture.noise)
        structure, weights = mixture.structure, mixture.weights
        if self.constraints.equal_weights or self.constraints.min_weight or self.fixed_weights is not None:
            weights = replace(self, prior=None).find_weights(weights)
        covariances, roots = mixture.covariance_stack, mixture.roots
        if self.bound is not None:
            covariances = self.bound(covariances, weights)
            roots = roots if covariances is mixture.covariance_stack else structure.find_roots(covariances)
        return mixture.replace(
            weights=weights,
            means=keep_fixed(mixture.means, self.fixed_means),
            covariance_stack=keep_fixed(covariances, self.fixed_covariances),
            roots=keep_fixed(roots, self.fixed_roots),
        )

    def restore_given(self, mixture: Mixture, given: Given) -> Mixture:
        """A mixture of the data's coordinates in which what is fixed has the bits that were given."""
        means, covariances, roots = mixture.means, mixture.covariance_stack, mixture.roots
        if self.fixed_means is None and self.fixed_covariances is None:
            return mixture
        if self.fixed_means is not None and given.means is not None:
            means = keep_fixed(means, FixedParameter(self.fixed_means.mask, given.means))
        if self.fixed_covariances is not None and given.roots is not None:
            mask = self.fixed_covariances.mask
            own = mixture.structure.algebra.covariances_of_roots(given.roots)
            covariances = keep_fixed(covariances, FixedParameter(mask, own))
            roots = keep_fixed(roots, FixedParameter(mask, given.roots))
        return mixture.replace(means=means, covariance_stack=covariances, roots=roots)


def choose_frame_group(constraints: Constraints, structure: Structure) -> Group:
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
    _check_start(constraints, given, k)
    fixed: dict[str, FixedParameter] = {}
    if constraints.fixed_weights and given.weights is not None:
        values = given.weights / given.weights.sum()
        fixed["fixed_weights"] = FixedParameter(constraints.mask("weights", k), values)
    if constraints.fixed_means and given.means is not None:
        means = np.ascontiguousarray(frame.apply(given.means).T, dtype=np.float64)
        fixed["fixed_means"] = FixedParameter(constraints.mask("means", k), means)
    if constraints.fixed_covariances and given.roots is not None:
        mask, algebra = constraints.mask("covariances", k), structure.algebra
        own = algebra.map_covariances(algebra.covariances_of_roots(given.roots), frame.matrix)
        fixed["fixed_covariances"] = FixedParameter(mask, own)
        fixed["fixed_roots"] = FixedParameter(mask, algebra.map_roots(given.roots, frame.inverse))
    return Terms(constraints, conjugate, bound, **fixed)


def _check_start(constraints: Constraints, given: Given, k: int) -> None:
    """Raise ValueError where the start does not give what is fixed, or what is fixed leaves too little."""
    has = {"weights": given.weights, "means": given.means, "covariances": given.roots}
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
