"""The first mixture of a fit: what is given, the rest by a start from the table."""

from __future__ import annotations

from numpy.random import RandomState

from gaussmix._typing import Float64Array
from gaussmix.engines import Engine
from gaussmix.fit.given import Given
from gaussmix.fit.memberships import accumulate_memberships, accumulate_nearest
from gaussmix.fit.mstep.maximise import Maximise
from gaussmix.fit.starts.table import STARTS
from gaussmix.model.mixture import Mixture

#: Rows that a start works from: beyond, a sample of that many.
ENOUGH = 20_000
#: Rows of that sample for each number of a component's mean, and a constant, where that is more.
ENOUGH_EACH = 50


def place_given(engine: Engine, k: int, m_step: Maximise, given: Given) -> Mixture:
    """The start that the caller gives whole, in the frame's coordinates."""
    if given.memberships is not None:
        return m_step(accumulate_memberships(engine, given.memberships, k))
    assert given.weights is not None and given.means is not None and given.roots is not None
    covariances = engine.structure.algebra.covariances_of_roots(given.roots)
    return _place(engine, given, given.weights, given.means, covariances, given.roots)


def make_first_mixture(
    engine: Engine, k: int, m_step: Maximise, name: str, rng: RandomState, given: Given, turn: int = 0
) -> Mixture:
    """The start of that name, in the frame's coordinates, with what is given of it.

    A start that is named works from a sample of many rows; `turn` is the number of the start. Where means are
    fixed, rows belong to the nearest of them instead: clusters of a start would not know them by number.
    """
    by_means = None if m_step.terms.fixed_means is None else given.means
    rows = engine.sample(max(ENOUGH, ENOUGH_EACH * k * (engine.rows.shape[1] + 1)), rng)
    if by_means is None:
        moments, chosen = STARTS[name](rows, k, rng, turn)
    else:
        moments, chosen = accumulate_nearest(rows, by_means)
    if rows is not engine:  # a prior weighs against all rows
        moments = moments.scale(engine.weight / rows.weight)
    found = m_step(moments)
    if chosen is not None:
        found = found.replace(means=chosen)
    if given.empty:
        return found
    own = found.mapped(engine.frame.inverse, engine.frame.matrix, engine.frame.origin)
    weights = own.weights if given.weights is None else given.weights
    means = own.means if given.means is None else given.means
    covariances, roots = own.covariance_stack, own.roots
    if given.roots is not None:
        covariances, roots = engine.structure.algebra.covariances_of_roots(given.roots), given.roots
    return _place(engine, given, weights, means, covariances, roots)


def _place(
    engine: Engine,
    given: Given,
    weights: Float64Array,
    means: Float64Array,
    covariances: Float64Array,
    roots: Float64Array,
) -> Mixture:
    """A mixture of the data's coordinates beside the noise that is given, in those of the frame."""
    shares = weights if given.weights is None else weights / weights.sum()
    begun = Mixture.of_parts(engine.structure, shares, means, covariances, roots)
    return (begun if given.noise is None else begun.with_noise(given.noise)).seen_from(engine.frame)
