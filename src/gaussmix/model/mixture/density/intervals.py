"""The standard normal between two limits: how probable the interval is, and what lies inside it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from gaussmix._typing import Float64Array
from gaussmix.model.covariance.algebra import LOG_2PI

#: Length, times one and the distance from zero, under which an interval is integrated by quadrature.
NARROW = 1.0
#: Nodes of that quadrature: its relative error is under 1e-16.
N_NODES = 8
#: Length under which the density between two limits is an exponential function but for 1e-11.
SHORT = 1e-5
#: Distance from zero beyond which the density is an exponential function but for 1e-8.
FAR = 1e4
#: The distance from zero up to which the tail's probability is a double with all its digits.
PLAIN = 37.0


@lru_cache(maxsize=8)
def find_nodes(n: int) -> tuple[Float64Array, Float64Array]:
    """Nodes and weights of Gauss and Legendre's rule between -1 and 1."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    for array in (nodes, weights):
        array.setflags(write=False)
    return nodes, weights


def find_log_interval(
    low: Float64Array, high: Float64Array, length: Float64Array | None = None
) -> Float64Array:
    """log(Phi(high) - Phi(low)) to rounding, in the tails and for narrow intervals, too.

    `length` is high - low where the caller knows it better than the difference of the rounded limits.
    Limits may be infinite; an interval without length has the logarithm minus infinity.
    """
    low, high = np.broadcast_arrays(low, high)
    answer = np.empty(low.shape)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):  # limits that are both infinite
        width = high - low if length is None else np.broadcast_to(length, low.shape)
        near, around = _find_nearest(low, high, width)
        beside = ~around
        answer[beside] = np.log(_find_ratio(near[beside], width[beside]))
        answer[beside] -= 0.5 * (near[beside] ** 2 + LOG_2PI)
        answer[around] = _find_around(low[around], high[around])
    answer[low >= high] = -np.inf
    return answer


def find_hazards(
    low: Float64Array, high: Float64Array, length: Float64Array
) -> tuple[Float64Array, Float64Array]:
    """phi(low) / P and phi(high) / P, with P the probability of the interval."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        near, around = _find_nearest(low, high, length)
        at_near = np.empty(low.shape)
        at_near[~around] = 1.0 / _find_ratio(near[~around], length[~around])
        log_density = -0.5 * (near[around] ** 2 + LOG_2PI)
        at_near[around] = np.exp(log_density - _find_around(low[around], high[around]))
        far = np.maximum(np.abs(low), np.abs(high))
        apart = np.where(around | (near < 0.0), far - np.abs(near), length)
        at_far = at_near * np.exp(-apart * (np.abs(near) + 0.5 * apart))
    at_far[~np.isfinite(far)] = 0.0
    is_low = np.abs(low) <= np.abs(high)
    return np.where(is_low, at_near, at_far), np.where(is_low, at_far, at_near)


def _find_nearest(
    low: Float64Array, high: Float64Array, width: Float64Array
) -> tuple[Float64Array, npt.NDArray[np.bool_]]:
    """The distance of the nearest end from zero, and whether zero is inside and the interval not narrow."""
    near = np.minimum(np.abs(low), np.abs(high))
    inside = (low < 0.0) & (high > 0.0)
    narrow = width * (1.0 + near) < NARROW
    # a narrow interval around zero begins at a negative distance from it
    return np.where(inside & narrow, -near, near), inside & ~narrow


def _find_around(low: Float64Array, high: Float64Array) -> Float64Array:
    """The log-probability of intervals around zero."""
    from scipy.special import ndtr

    return np.asarray(np.log1p(-(ndtr(low) + ndtr(-high))))


def _find_ratio(near: Float64Array, width: Float64Array) -> Float64Array:
    """P / phi(near) of intervals that begin there: the integral of exp(-near t - t^2 / 2) up to the width.

    In Mills' ratio R it is R(near) - exp(-near width - width^2 / 2) R(near + width).
    """
    from scipy.special import erfcx

    answer = np.empty(near.shape)
    narrow = width * (1.0 + np.abs(near)) < NARROW
    nodes, weights = find_nodes(N_NODES)
    t = 0.5 * width[narrow, None] * (1.0 + nodes)
    answer[narrow] = 0.5 * width[narrow] * (np.exp(-t * (near[narrow, None] + 0.5 * t)) @ weights)
    a, w = near[~narrow], width[~narrow]
    rest = np.exp(-w * (a + 0.5 * w)) * erfcx((a + w) * np.sqrt(0.5))
    answer[~narrow] = np.sqrt(0.5 * np.pi) * (erfcx(a * np.sqrt(0.5)) - rest)
    return answer


def find_between(share: Float64Array, low: Float64Array, high: Float64Array) -> Float64Array:
    """Where this share of the probability between two limits lies below: of uniform shares, exact draws."""
    from scipy.special import ndtr, ndtri

    share, low, high = np.broadcast_arrays(share, low, high)
    above = low > 0.0
    a, b = np.where(above, -high, low), np.where(above, -low, high)
    u = np.where(above, 1.0 - share, share)
    of_a, of_b = ndtr(a), ndtr(-b)
    inside = 1.0 - of_a - of_b
    tail = b < 0.0
    inside[tail] = ndtr(b[tail]) - of_a[tail]
    below, beyond = of_a + u * inside, of_b + (1.0 - u) * inside
    with np.errstate(invalid="ignore"):
        small = (b - a < SHORT) | (b < -FAR)
    x = np.where(below < beyond, ndtri(below), -ndtri(beyond))
    distant = (b < -PLAIN) & ~small
    x[distant] = _find_in_logarithms(u[distant], a[distant], b[distant])
    x[small] = _find_exponential(u[small], a[small], b[small])
    return np.asarray(np.clip(np.where(above, -x, x), low, high))


def _find_in_logarithms(u: Float64Array, a: Float64Array, b: Float64Array) -> Float64Array:
    from scipy.special import log_ndtr, ndtri_exp

    with np.errstate(divide="ignore"):
        mixed = np.logaddexp(log_ndtr(a) + np.log1p(-u), log_ndtr(b) + np.log(u))
    return np.asarray(ndtri_exp(mixed))


def _find_exponential(u: Float64Array, a: Float64Array, b: Float64Array) -> Float64Array:
    """From b down: the density falls as exp(-c t), with c between -b and -a where both are near."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        c = np.where(b - a < SHORT, -0.5 * (a + b), -b)
        # 1 - u of the probability lies between b - t and b
        fall = -np.log1p((1.0 - u) * np.expm1(-c * (b - a))) / c
        even = np.abs(c * (b - a)) < 1e-12
        return np.asarray(b - np.where(even, (1.0 - u) * (b - a), fall))
