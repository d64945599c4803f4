"""Conditional distributions: some features given others, for one set of values or many at once.

With the covariance of a component in the order given, left, and its Cholesky factor::

    S = [[G, 0], [C, R]] [[G, 0], [C, R]]'     x | y ~ N(m_x + C G^-1 (y - m_y), R R')
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.covariance.matrices import invert_lower
from gaussmix.model.mixture.algebra.batch import MixtureBatch
from gaussmix.model.mixture.algebra.families import (
    convert_stack,
    find_structure,
    refuse_noise,
    refuse_singular,
    replace_components,
)
from gaussmix.model.mixture.algebra.observation import (
    DenseObservation,
    Observation,
    factorise,
    find_log_peaks,
    observe_apart,
)
from gaussmix.model.mixture.features import select_names
from gaussmix.model.mixture.parts import Parts

M = TypeVar("M", bound=Parts)


def condition_on(mixture: M, given: IntArray, values: Float64Array) -> MixtureBatch[M]:
    """The mixtures of the other features, given values of some, shape (n, p)."""
    refuse_noise(mixture, "condition")
    left = np.setdiff1d(np.arange(mixture.n_features), given)
    if not left.size:
        raise ValueError("condition: all features are given, so that none is left; log_prob has the density")
    has_parts = mixture.structure.algebra.to_parts(mixture.covariance_stack, *mixture.means.shape) is not None
    condition = _condition_parts if has_parts else _condition_matrices
    with refuse_singular("condition"):
        template, observation = condition(mixture, given, left)
    return MixtureBatch.of_observation(template, observation, values, "condition")


def _condition_matrices(mixture: M, given: IntArray, left: IntArray) -> tuple[M, Observation]:
    """The conditional mixture of matrices, but for its weights and means, and what values say of these."""
    p, d = len(given), len(left)
    structure = mixture.structure
    target = find_structure(structure.find_conditional_family(d), d, 0)
    order = np.concatenate([given, left])
    lower = factorise(structure.algebra.marginal(mixture.covariance_stack, order))
    inverse = invert_lower(lower)
    rest = lower[:, p:, p:]
    template = replace_components(
        mixture,
        target,
        mixture.means[:, left],
        rest @ np.swapaxes(rest, 1, 2),
        select_names(mixture, left),
        "condition",
        roots=np.swapaxes(inverse[:, p:, p:], 1, 2),
    )
    observation = DenseObservation(
        expected=mixture.means[:, given],
        means=template.means,
        log_peaks=find_log_peaks(np.diagonal(lower[:, :p, :p], axis1=1, axis2=2), p),
        roots=np.ascontiguousarray(np.swapaxes(inverse[:, :p, :p], 1, 2)),
        gains=np.ascontiguousarray(np.swapaxes(lower[:, p:, :p], 1, 2)),
    )
    return template, observation


def _condition_parts(mixture: M, given: IntArray, left: IntArray) -> tuple[M, Observation]:
    """The same of diagonals and factor analysers."""
    (k, full), d, structure = mixture.means.shape, len(left), mixture.structure
    parts = structure.algebra.to_parts(mixture.covariance_stack, k, full)
    assert parts is not None
    loadings, variances = parts
    target = find_structure(structure.find_conditional_family(d), d, structure.n_factors)
    observation = observe_apart(
        mixture.means[:, given],
        mixture.means[:, left],
        loadings[:, given],
        variances[:, given],
        loadings[:, left],
    )
    if loadings.shape[2]:
        stack = target.algebra.of_parts(np.swapaxes(observation.gains, 1, 2), variances[:, left])
    else:
        own = structure.algebra.marginal(mixture.covariance_stack, left)
        stack = convert_stack(structure, target, own, k, d)
    names = select_names(mixture, left)
    template = replace_components(mixture, target, mixture.means[:, left], stack, names, "condition")
    return template, observation
