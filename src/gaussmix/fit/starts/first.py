"""The first mixture of a fit: what is given, the rest by a start from the table."""

from __future__ import annotations

from numpy.random import RandomState

from gaussmix._typing import Float64Array
from gaussmix.engines import Engine
from gaussmix.fit.iterate.em import MStep
from gaussmix.fit.starts.base import accumulate_nearest, count_enough_rows
from gaussmix.fit.starts.given import Given, accumulate_memberships
from gaussmix.fit.starts.table import STARTS
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import Noise


def with_means(mixture: Mixture, means: Float64Array | None) -> Mixture:
    """The mixture with other means (None: its own)."""
    return mixture if means is None else mixture.replace(means=means)


def place_given(engine: Engine, k: int, m_step: MStep[Mixture], given: Given) -> Mixture:
    """The start that the caller gives whole, in the frame's coordinates."""
    if given.memberships is not None:
        return m_step(accumulate_memberships(engine, given.memberships, k), None)
    assert given.weights is not None and given.means is not None and given.factors is not None
    covariances = engine.structure.algebra.covariances_of_roots(given.factors)
    shares = given.weights / given.weights.sum()
    begun = Mixture.of_parts(engine.structure, shares, given.means, covariances, given.factors)
    return _beside(begun, given.noise).seen_from(engine.frame)


def first_mixture(
    engine: Engine,
    k: int,
    m_step: MStep[Mixture],
    name: str,
    rng: RandomState,
    given: Given,
    nearest: bool = False,
    turn: int = 0,
) -> Mixture:
    """The start of that name, in the frame's coordinates, with what is given of it.

    A start that is named works from a sample of many rows.

    `nearest` has the rows belong to the nearest of the means given instead, which need to be known by number.
    `turn` is the number of the start.
    """
    structure = engine.structure
    by_means = given.means if nearest else None
    rows = engine.sample(count_enough_rows(k, engine.rows.shape[1]), rng)
    moments, chosen = (
        STARTS[name](rows, k, rng, turn) if by_means is None else accumulate_nearest(rows, by_means)
    )
    if rows is not engine:  # a prior weighs against all rows
        moments = moments.scale(engine.weight / rows.weight)
    found = with_means(m_step(moments, None), chosen)
    if given.empty:
        return found
    own = found.mapped(engine.frame.inverse, engine.frame.matrix, engine.frame.origin)
    weights = own.weights if given.weights is None else given.weights / given.weights.sum()
    means = own.means if given.means is None else given.means
    factors = own.roots if given.factors is None else given.factors
    covariances = (
        own.covariance_stack if given.factors is None else structure.algebra.covariances_of_roots(factors)
    )
    begun = Mixture.of_parts(structure, weights, means, covariances, factors)
    return _beside(begun, given.noise).seen_from(engine.frame)


def _beside(mixture: Mixture, noise: Noise | None) -> Mixture:
    """The Gaussians of a mixture beside the noise that is given."""
    return mixture if noise is None else mixture.with_noise(noise)
