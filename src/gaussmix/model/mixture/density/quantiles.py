"""Quantiles of a mixture of one feature, by Newton's method inside brackets, for all probabilities at once.

With W the weight of the components whose means are passed at x, the equation P(X <= x) = q is solved as

    (W - q) + (what components beyond have below x) - (what components passed have above x) = 0

in which tails alone are summed: a quantile between components that are far apart is as exact as any other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.mixture.density.line import MOST_NUMBERS, Line

#: Standard deviations from a mean beyond which there is no probability that a double can hold.
FARTHEST = 39.0
#: Places of the first brackets, in standard deviations from each mean.
PLACES = np.concatenate([np.linspace(0.0, 3.0, 13), [3.5, 4, 5, 6, 7, 8, 10, 13, 17, 22, 28, FARTHEST]])
#: Points of the first brackets in all.
MOST_PLACES = 4000
#: Newton's steps before every other step halves the bracket.
QUICK_STEPS = 6
#: Relative residual under which Newton's steps are taken to converge quadratically.
QUADRATIC = 1e-4
#: Steps in all: halving brackets comes to an end before.
MOST_STEPS = 300
#: Relative rounding of a double.
ROUNDING = float(np.finfo(np.float64).eps)


def find_quantiles(line: Line, q: Float64Array, p: Float64Array) -> Float64Array:
    """The x with P(X <= x) = q and P(X > x) = p, where q + p = 1, each of shape (n,).

    Whichever of q and p is the smaller is what counts.
    """
    x = np.empty(q.shape)
    ends = (q <= 0.0) | (p <= 0.0)
    low, high = (-np.inf, np.inf) if line.n_gaussians else (line.low, line.high)
    x[ends] = np.where(q[ends] <= 0.0, low, high)
    inner = np.flatnonzero(~ends)
    size = max(1, MOST_NUMBERS // line.weights.size)
    places = _Places.of(line)
    for first in range(0, inner.size, size):
        part = inner[first : first + size]
        x[part] = _solve(line, q[part], p[part], *places.bracket(q[part], p[part]))
    return x


@dataclass(frozen=True)
class _Places:
    """Points along the line, and how many standard deviations of a single Gaussian each would be at."""

    points: Float64Array
    scores: Float64Array

    @classmethod
    def of(cls, line: Line) -> _Places:
        k = line.n_gaussians
        z = np.unique(np.concatenate([-PLACES, PLACES]))
        points = (line.means[:k, None] + line.deviations[:k, None] * z).ravel()
        if line.noisy:
            points = np.append(points, [line.low, line.high])
        points = np.unique(points)
        if points.size > MOST_PLACES:
            kept = np.linspace(0, points.size - 1, MOST_PLACES).astype(np.int64)
            points = points[kept]
        below, above, _ = line.look(points)
        return cls(points, np.maximum.accumulate(_find_scores(below, above)))

    def bracket(self, q: Float64Array, p: Float64Array) -> tuple[Float64Array, Float64Array, Float64Array]:
        """Points on both sides of each quantile, with room for rounding, and where to begin between them."""
        wanted = _find_scores(q, p)
        last = self.points.size - 1
        left = np.maximum(np.searchsorted(self.scores, wanted, side="left") - 1, 0)
        right = np.minimum(np.searchsorted(self.scores, wanted, side="right"), last)
        low, high = self.points[left], self.points[right]
        first, rise = self.scores[left], self.scores[right] - self.scores[left]
        with np.errstate(invalid="ignore", divide="ignore"):
            share = (wanted - first) / rise
        share = np.where((share > 0.0) & (share < 1.0), share, 0.5)
        start = low + share * (high - low)
        return self.points[np.maximum(left - 1, 0)], self.points[np.minimum(right + 1, last)], start


def _find_scores(below: Float64Array, above: Float64Array) -> Float64Array:
    from scipy.special import ndtri

    scores = np.where(below <= above, ndtri(np.clip(below, 0.0, 1.0)), -ndtri(np.clip(above, 0.0, 1.0)))
    return np.asarray(scores)


def _solve(
    line: Line,
    q: Float64Array,
    p: Float64Array,
    low: Float64Array,
    high: Float64Array,
    start: Float64Array,
) -> Float64Array:
    """Newton's method on the logarithm of the smaller of q and p, inside the brackets."""
    answer = np.array(start)
    going = np.arange(q.size)
    means = np.sort(line.means)
    passed, left = line.passed
    lower = q <= p
    least = np.where(lower, q, p)
    x, low, high = np.array(start), np.array(low), np.array(high)
    before = np.full(q.size, np.nan)  # residual of the step before, where it led here
    for step in range(MOST_STEPS):
        under, over, density = line.find_tails(x)
        places = np.searchsorted(means, x, side="right")
        known = np.where(lower, passed[places] - q, p - left[places])
        excess = known + (over - under)
        low, high = np.where(excess < 0.0, x, low), np.where(excess > 0.0, x, high)
        signed = np.where(lower, excess, -excess)
        residual = np.abs(signed) / least
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            # quadratic convergence: the next residual is to this one's square as this to the last one's
            foretold = residual**3 / before**2
            move = np.log1p(signed / least) * (least + signed) / density
            new = x - np.where(lower, move, -move)
        halved = 0.5 * low + 0.5 * high
        outside = ~((new > low) & (new < high))
        if step >= QUICK_STEPS and step % 2:
            outside[:] = True
        ended = (residual <= ROUNDING) | (halved <= low) | (halved >= high)
        close = (residual < QUADRATIC) & (foretold < 0.1 * ROUNDING)
        ended |= ~outside & (close | (np.abs(new - x) <= 0.5 * ROUNDING * np.abs(x)))
        answer[going[ended]] = np.where(outside, x, new)[ended]
        kept = ~ended
        if not kept.any():
            return answer
        x = np.where(outside, halved, new)[kept]
        going, q, p, low, high = going[kept], q[kept], p[kept], low[kept], high[kept]
        lower, least = lower[kept], least[kept]
        before = np.where(outside, np.nan, residual)[kept]
    answer[going] = x
    return answer
