"""Distribution functions and quantiles of many mixtures of one feature, exact in both tails.

Quantiles solve log F(x) = log q below the middle, and log(1 - F(x)) = log(1 - q) above it, by Newton's method
within a bracket: the quantile of a mixture lies between the least and the greatest of its components.
"""

from __future__ import annotations

import numpy as np

from gaussmix._typing import BoolArray, Float64Array
from gaussmix.model.covariance.algebra import LOG_2PI
from gaussmix.model.kernels.softmax import sum_exponentials

#: Steps of Newton's method or of bisection; halving alone takes some 60 in a bracket of any size.
MOST_STEPS = 200
#: Rounding of a logarithm, relative to its size and to one: a quantile is found when the tail is that near.
ROUNDING = 8.0 * float(np.finfo(np.float64).eps)


def find_log_tails(
    x: Float64Array,
    log_weights: Float64Array,
    means: Float64Array,
    deviations: Float64Array,
    upper: BoolArray,
) -> Float64Array:
    """Logarithm of F(x), or of 1 - F(x) where `upper`, shape (b,); parts of shape (b, k)."""
    from scipy.special import log_ndtr

    scores = (x[:, None] - means) / deviations
    return sum_exponentials(log_weights + log_ndtr(np.where(upper[:, None], -scores, scores)))


def find_log_densities(
    x: Float64Array, log_weights: Float64Array, means: Float64Array, deviations: Float64Array
) -> Float64Array:
    """Log-densities, shape (b,)."""
    scores = (x[:, None] - means) / deviations
    with np.errstate(over="ignore"):
        return sum_exponentials(log_weights - 0.5 * LOG_2PI - np.log(deviations) - 0.5 * scores * scores)


def find_quantiles(
    q: Float64Array, log_weights: Float64Array, means: Float64Array, deviations: Float64Array
) -> Float64Array:
    """The quantile of row i at q_i in (0, 1), shape (b,), of mixtures with parts of shape (b, k)."""
    from scipy.special import ndtri

    upper = q > 0.5
    aims = np.log(np.where(upper, 1.0 - q, q))
    present = np.isfinite(log_weights)
    each = means + deviations * ndtri(q)[:, None]
    low = np.where(present, each, np.inf).min(axis=1)
    high = np.where(present, each, -np.inf).max(axis=1)
    x = np.where(present, np.exp(log_weights) * each, 0.0).sum(axis=1)
    np.clip(x, low, high, out=x)
    near = ROUNDING * (1.0 - aims)
    before = np.full(len(q), np.inf)
    active = np.flatnonzero(high > low)
    for _ in range(MOST_STEPS):
        if not active.size:
            break
        at, up = x[active], upper[active]
        parts = log_weights[active], means[active], deviations
        tails, densities = find_log_tails(at, *parts, up), find_log_densities(at, *parts)
        excess = np.where(up, aims[active] - tails, tails - aims[active])
        high[active] = np.where(excess > 0.0, at, high[active])
        low[active] = np.where(excess > 0.0, low[active], at)
        apart = np.abs(excess)
        with np.errstate(over="ignore", invalid="ignore"):
            moved = at - excess * np.exp(tails - densities)
        # the bracket is halved where Newton's method leaves it, or has not come twice as near
        inside = (moved > low[active]) & (moved < high[active]) & (apart < 0.5 * before[active])
        middle = 0.5 * (low[active] + high[active])
        before[active] = apart
        found = (apart <= near[active]) | (middle <= low[active]) | (middle >= high[active])
        x[active] = np.where(found, at, np.where(inside, moved, middle))
        active = active[~found]
    return np.asarray(x)
