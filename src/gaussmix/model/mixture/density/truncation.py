"""Exact draws from a mixture between limits: from each component by tilting, and accepted across components.

A component proposes rows at the rate w_k exp(bound_k), and accepts each with probability exp(psi - bound_k).
Those accepted have the density of the mixture in the box; the probability of the box cancels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.mixture.density.background import find_inside, find_noise, find_sides
from gaussmix.model.mixture.density.boxes import find_log_independent, is_uncorrelated
from gaussmix.model.mixture.density.intervals import find_between, find_log_interval
from gaussmix.model.mixture.density.tilting import Tilted
from gaussmix.model.mixture.properties import MixtureProperties

#: Nats below the greatest rate at which a component proposes no row.
NEGLIGIBLE = 60.0
#: Numbers, proposals times features, that are held at a time.
MOST_NUMBERS = 1 << 20
#: Proposals of which none is accepted after which a box is given up.
MOST_IN_VAIN = 20_000_000
#: Proposals for each row that is still wanted, beside what the share of those accepted so far asks for.
SURPLUS = 1.1


class Proposals(Protocol):
    """Rows of one component between limits, each accepted with a probability of its own."""

    @property
    def log_bound(self) -> float:
        """The logarithm of the greatest likelihood ratio: an upper bound of the box's probability."""

    def draw(self, n: int, generator: np.random.Generator) -> tuple[Float64Array, Float64Array]:
        """Rows (n, d), and the logarithms of the probabilities that each is accepted with."""


@dataclass(frozen=True)
class Uncorrelated:
    """A Gaussian of independent features: all rows are accepted."""

    mean: Float64Array
    deviations: Float64Array
    low: Float64Array
    high: Float64Array

    @property
    def log_bound(self) -> float:
        """The logarithm of the box's probability itself."""
        parts = self.low[None], self.high[None], self.mean[None], self.deviations[None]
        return float(find_log_independent(*parts)[0, 0])

    def draw(self, n: int, generator: np.random.Generator) -> tuple[Float64Array, Float64Array]:
        """Each feature by its inverse distribution function."""
        ends = ((end - self.mean) / self.deviations for end in (self.low, self.high))
        low, high = ends
        z = find_between(generator.random((n, self.mean.size)), low, high)
        return self.mean + self.deviations * z, np.zeros(n)


@dataclass(frozen=True)
class Correlated:
    """A Gaussian of which the features with limits are tilted, and the others drawn given those."""

    mean: Float64Array
    spread: Float64Array
    limited: IntArray
    free: IntArray
    tilted: Tilted
    #: Of the free features on those with limits, in standard deviations, and the root of what is left.
    slopes: Float64Array
    root: Float64Array

    @classmethod
    def of(cls, mean: Float64Array, covariance: Float64Array, low: Float64Array, high: Float64Array) -> Self:
        """That of one Gaussian with limits on at least one feature."""
        spread = np.sqrt(np.diagonal(covariance))
        correlation = covariance / np.multiply.outer(spread, spread)
        has_limit = np.isfinite(low) | np.isfinite(high)
        limited, free = np.flatnonzero(has_limit), np.flatnonzero(~has_limit)
        inner = correlation[np.ix_(limited, limited)]
        ends = ((end - mean)[limited] / spread[limited] for end in (low, high))
        slopes = np.linalg.solve(inner, correlation[np.ix_(limited, free)]).T
        rest = correlation[np.ix_(free, free)] - slopes @ correlation[np.ix_(limited, free)]
        root = np.linalg.cholesky(rest) if free.size else rest
        tilted = Tilted.of(inner, *ends)
        return cls(mean, spread, limited, free, tilted, np.asarray(slopes), np.asarray(root))

    @property
    def log_bound(self) -> float:
        """The bound of the tilted features; the others have no limits."""
        return self.tilted.log_bound

    def draw(self, n: int, generator: np.random.Generator) -> tuple[Float64Array, Float64Array]:
        """Tilted draws of the features with limits, and the others given those."""
        z = np.empty((n, self.mean.size))
        within, log_ratios = self.tilted.draw(generator.random((n, self.limited.size)))
        z[:, self.limited] = within
        z[:, self.free] = (
            within @ self.slopes.T + generator.standard_normal((n, self.free.size)) @ self.root.T
        )
        return self.mean + self.spread * z, np.minimum(log_ratios - self.log_bound, 0.0)


@dataclass(frozen=True)
class Uniform:
    """The noise: all rows are accepted."""

    log_bound: float
    low: Float64Array
    high: Float64Array

    def draw(self, n: int, generator: np.random.Generator) -> tuple[Float64Array, Float64Array]:
        """Rows anywhere between the limits."""
        shares = generator.random((n, self.low.size))
        return self.low + shares * (self.high - self.low), np.zeros(n)


class Source(NamedTuple):
    """Who proposes, at which rate, and the label of its rows."""

    label: int
    log_rate: float
    proposals: Proposals


def draw_truncated(
    mixture: MixtureProperties, n: int, low: Float64Array, high: Float64Array, generator: np.random.Generator
) -> tuple[Float64Array, IntArray]:
    """Rows of the mixture between limits (d,), and where each came from: a component, or -1 for the noise."""
    sources = list(find_sources(mixture, low, high))
    rates = np.array([source.log_rate for source in sources])
    if not sources or not np.isfinite(rates).any():
        raise ValueError("the box has no probability: each feature needs low < high")
    chances = np.exp(rates - rates.max())
    chances /= chances.sum()
    rows, labels = np.empty((n, low.size)), np.empty(n, dtype=np.int64)
    found = n_tried = 0
    most = max(64, MOST_NUMBERS // low.size)
    while found < n:
        share = (found + 1) / (n_tried + 1)
        n_next = int(min(most, SURPLUS * (n - found) / share + 16))
        if n_tried > MOST_IN_VAIN and not found:
            raise ValueError(f"none of {n_tried} draws was accepted: the box is too intricate to draw from")
        X, came_from = _draw_accepted(sources, chances, n_next, generator)
        n_taken = min(len(X), n - found)
        rows[found : found + n_taken], labels[found : found + n_taken] = X[:n_taken], came_from[:n_taken]
        found, n_tried = found + n_taken, n_tried + n_next
    return np.clip(rows, low, high), labels


def _draw_accepted(
    sources: list[Source], chances: Float64Array, n: int, generator: np.random.Generator
) -> tuple[Float64Array, IntArray]:
    """The accepted ones among n proposals, in an order that says nothing."""
    counts = generator.multinomial(n, chances)
    rows, labels = [], []
    for source, count in zip(sources, counts.tolist(), strict=True):
        if count:
            X, log_chances = source.proposals.draw(count, generator)
            accepted = -generator.standard_exponential(count) <= log_chances
            rows.append(X[accepted])
            labels.append(np.full(len(rows[-1]), source.label))
    order = generator.permutation(sum(map(len, rows)))
    return np.concatenate(rows)[order], np.concatenate(labels)[order]


def find_sources(mixture: MixtureProperties, low: Float64Array, high: Float64Array) -> Iterator[Source]:
    """Components that propose rows: all whose rate could matter, the likeliest first, and the noise."""
    noise = find_noise(mixture)
    greatest = -np.inf
    if noise is not None:
        with np.errstate(divide="ignore"):
            greatest = float(np.log(noise.weight * find_inside(noise, low, high)))
        first, last = find_sides(noise)
        yield Source(-1, greatest, Uniform(greatest, np.maximum(low, first), np.minimum(high, last)))
    present = np.flatnonzero(mixture.weights > 0.0)
    deviations = np.sqrt(mixture.variances)
    # no box is likelier than its most improbable side, which costs next to nothing
    ends = ((end - mixture.means[present]) / deviations[present] for end in (low, high))
    at_most = np.log(mixture.weights[present]) + find_log_interval(*ends).min(axis=1)
    make = _choose_proposals(mixture, deviations, low, high)
    for place in np.argsort(-at_most, kind="stable"):
        if at_most[place] <= greatest - NEGLIGIBLE:
            break
        component = int(present[place])
        proposals = make(component)
        log_rate = float(np.log(mixture.weights[component])) + proposals.log_bound
        greatest = max(greatest, log_rate)
        yield Source(component, log_rate, proposals)


def _choose_proposals(
    mixture: MixtureProperties, deviations: Float64Array, low: Float64Array, high: Float64Array
) -> Callable[[int], Proposals]:
    """What makes the proposals of a component."""
    structure, d = mixture.structure, mixture.n_features
    independent = d == 1 or not (structure.form.general or structure.n_factors)
    unlimited = not (np.isfinite(low) | np.isfinite(high)).any()

    def make(component: int) -> Proposals:
        mean, own = mixture.means[component], deviations[component]
        if independent:
            return Uncorrelated(mean, own, low, high)
        stack = structure.select(mixture.covariance_stack, np.array([component]))
        covariance = structure.algebra.to_dense(stack, 1, d)[0]
        if not unlimited and is_uncorrelated(covariance / np.multiply.outer(own, own)):
            return Uncorrelated(mean, own, low, high)
        return Correlated.of(mean, covariance, low, high)

    return make
