"""The probability of rectangles under two correlated normal variables, by quadrature along the first.

P = int_a^b phi(x) [Phi((b' - rho x) / r) - Phi((a' - rho x) / r)] dx with r^2 = 1 - rho^2. The integrand is
log-concave, so that its mode and the ends of what counts are found by sections; the answer is relative to its
own size, however far the rectangle lies in a tail.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.covariance.algebra import LOG_2PI
from gaussmix.model.mixture.density.intervals import find_log_interval

#: How far the logarithm of the integrand falls from its mode until no more counts.
FALL = 42.0
#: The same in units of x: the logarithm is concave, with a second derivative of -1 or less.
REACH = float(np.sqrt(2.0 * FALL))
#: Golden sections that find the mode, and halvings that find the ends.
N_SECTIONS, N_HALVINGS = 40, 12
#: The golden section.
GOLDEN = 0.5 * (np.sqrt(5.0) - 1.0)
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
MOST_AT_ONCE = 4096


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
    ends: list[Float64Array] = []
    for end in (np.maximum(a, mode - REACH), np.minimum(b, mode + REACH)):
        near, far = np.array(mode), np.array(end)
        falls = find_height(far) < least
        for _ in range(N_HALVINGS):
            middle = 0.5 * (near + far)
            beyond = find_height(middle) < least
            near, far = np.where(beyond, near, middle), np.where(beyond, middle, far)
        ends.append(np.where(falls, far, end))
    borders = _place_borders(ends[0], ends[1], mode, np.concatenate([c, d], axis=1), rho, r)
    nodes, weights = np.polynomial.legendre.leggauss(N_NODES)
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
    """Where a concave function is highest between two places, by golden sections."""
    left, right = np.array(first), np.array(last)
    inner, outer = right - GOLDEN * (right - left), left + GOLDEN * (right - left)
    of_inner, of_outer = find_height(inner), find_height(outer)
    for _ in range(N_SECTIONS):
        rising = of_inner < of_outer
        left, right = np.where(rising, inner, left), np.where(rising, right, outer)
        length = GOLDEN * (right - left)
        new = np.where(rising, left + length, right - length)
        of_new = find_height(new)
        inner, outer = np.where(rising, outer, new), np.where(rising, new, inner)
        of_inner, of_outer = np.where(rising, of_outer, of_new), np.where(rising, of_new, of_inner)
    return 0.5 * (left + right)


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
