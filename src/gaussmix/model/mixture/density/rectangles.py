"""The probability of rectangles under two correlated normal variables, by quadrature along the first.

P = int_a^b phi(x) [Phi((b' - rho x) / r) - Phi((a' - rho x) / r)] dx with r^2 = 1 - rho^2. The integrand is
log-concave, so that its mode and the ends of what counts are found by brackets; the answer is relative to its
own size, however far the rectangle lies in a tail.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.covariance.algebra import LOG_2PI
from gaussmix.model.mixture.density.intervals import find_log_interval, find_nodes

#: How far the logarithm of the integrand falls from its mode until no more counts.
FALL = 42.0
#: The same in units of x: the logarithm is concave, with a second derivative of -1 or less.
REACH = float(np.sqrt(2.0 * FALL))
#: Where a bracket is looked at, as shares of its length.
SECTIONS = np.arange(1.0, 9.0) / 9.0
#: Rounds in which the mode is found, each of which leaves two ninths of the bracket.
N_ROUNDS = 12
#: Rounds in which an end is found, each of which leaves one ninth.
N_ROUNDS_OF_FALL = 4
#: Panels of equal length, as shares of the whole.
EVEN = np.linspace(0.0, 1.0, 7)
#: Panels that grow from the mode to both ends, as shares of the way.
GRADED = 2.0 ** -np.arange(1.0, 9.0)
#: Borders of panels where the conditional probability rises or falls, in its own width there.
STEPS = np.array([-9.0, -6.0, -3.0, -1.5, 0.0, 1.5, 3.0, 6.0, 9.0])
#: Nodes in each panel.
N_NODES = 10
#: All rectangles.
EVERY = slice(None)
#: Rectangles at a time: some 400 numbers each.
MOST_AT_ONCE = 1024


def find_log_rectangle(low: Float64Array, high: Float64Array, rho: Float64Array) -> Float64Array:
    """Log P(low <= (x, y) <= high) for correlations rho (n,) and limits (n, 2) in standard deviations."""
    parts = [
        _integrate(low[i : i + MOST_AT_ONCE], high[i : i + MOST_AT_ONCE], rho[i : i + MOST_AT_ONCE, None])
        for i in range(0, max(len(rho), 1), MOST_AT_ONCE)
    ]
    return np.concatenate(parts)


def _integrate(low: Float64Array, high: Float64Array, rho: Float64Array) -> Float64Array:
    r = np.sqrt((1.0 - rho) * (1.0 + rho))
    a, b, c, d = low[:, :1], high[:, :1], low[:, 1:], high[:, 1:]
    lengths = (d - c) / r

    def find_height(x: Float64Array, rows: IntArray | slice = EVERY) -> Float64Array:
        """The logarithm of the integrand at points (n, m) of some rectangles."""
        slope, rest, lower, upper = rho[rows], r[rows], c[rows], d[rows]
        within = find_log_interval((lower - slope * x) / rest, (upper - slope * x) / rest, lengths[rows])
        return np.asarray(within - 0.5 * (x * x + LOG_2PI))

    limits = np.concatenate([low, high], axis=1)
    farthest = 10.0 + np.where(np.isfinite(limits), np.abs(limits), 0.0).max(axis=1, keepdims=True)
    first, last = np.maximum(a, -farthest), np.minimum(b, farthest)
    first, last = np.minimum(first, last), np.maximum(first, last)
    mode = _find_highest(find_height, first, last)
    least = find_height(mode) - FALL
    begin, end = np.maximum(a, mode - REACH), np.minimum(b, mode + REACH)
    begin, end = (_find_fall(find_height, mode, far, least) for far in (begin, end))
    borders = _place_borders(begin, end, mode, np.concatenate([c, d], axis=1), rho, r)
    nodes, weights = find_nodes(N_NODES)
    half = 0.5 * np.diff(borders, axis=1)
    rows, panels = np.nonzero(half)  # borders beyond an end have been moved there
    of_panels, left = half[rows, panels][:, None], borders[rows, panels][:, None]
    heights = find_height(left + of_panels * (1.0 + nodes), rows)
    top = np.full(len(low), -np.inf)
    np.maximum.at(top, rows, heights.max(axis=1))
    top[~np.isfinite(top)] = 0.0
    areas = np.exp(heights - top[rows, None]) @ weights * of_panels[:, 0]
    with np.errstate(divide="ignore"):
        answer = top + np.log(np.bincount(rows, areas, len(low)))
    answer[(low >= high).any(axis=1)] = -np.inf
    return np.asarray(answer)


def _find_highest(
    find_height: Callable[[Float64Array], Float64Array], first: Float64Array, last: Float64Array
) -> Float64Array:
    """Where a concave function is highest between two places: beside the best of a few, again and again."""
    left, right = first, last
    for _ in range(N_ROUNDS):
        step = (right - left) * SECTIONS[0]
        places = left + (right - left) * SECTIONS
        best = np.argmax(find_height(places), axis=1)[:, None]
        middle = np.take_along_axis(places, best, axis=1)
        left, right = np.maximum(middle - step, left), np.minimum(middle + step, right)
    return 0.5 * (left + right)


def _find_fall(
    find_height: Callable[[Float64Array], Float64Array],
    mode: Float64Array,
    end: Float64Array,
    least: Float64Array,
) -> Float64Array:
    """Where a concave function has fallen to a height on the way from its mode to an end, or the end."""
    near, far = mode, end
    for _ in range(N_ROUNDS_OF_FALL):
        places = near + (far - near) * SECTIONS
        n_above = (find_height(places) >= least).sum(axis=1)[:, None]
        step = (far - near) * SECTIONS[0]
        near, far = near + n_above * step, np.where(n_above < SECTIONS.size, near + (n_above + 1) * step, far)
    return far


def _place_borders(
    first: Float64Array,
    last: Float64Array,
    mode: Float64Array,
    limits: Float64Array,
    rho: Float64Array,
    r: Float64Array,
) -> Float64Array:
    """Borders of panels between the ends: even, finer about the mode and where y's limits come into play."""
    graded = [mode + (end - mode) * GRADED for end in (first, last)]
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = [limits[:, [j]] / rho + r / np.abs(rho) * STEPS for j in (0, 1)]
    places = np.concatenate([first + (last - first) * EVEN, mode, *graded, *steps], axis=1)
    places = np.where(np.isnan(places), first, places)
    return np.sort(np.clip(places, first, last), axis=1)
