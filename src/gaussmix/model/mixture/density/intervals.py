"""The standard normal between two limits: how probable the interval is, and what lies inside it."""

from __future__ import annotations

import numpy as np

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


def find_log_interval(
    low: Float64Array, high: Float64Array, length: Float64Array | None = None
) -> Float64Array:
    """log(Phi(high) - Phi(low)) to rounding, in the tails and for narrow intervals, too.

    `length` is high - low where the caller knows it better than the difference of the rounded limits.
    Limits may be infinite; an interval without length has the logarithm minus infinity.
    """
    from scipy.special import log_ndtr, ndtr

    low, high = np.broadcast_arrays(low, high)
    above = low > 0.0  # the lower tail keeps its digits, and is the upper one's mirror image
    a, b = np.where(above, -high, low), np.where(above, -low, high)
    answer = np.empty(a.shape)
    tail = b <= 0.0
    upper = log_ndtr(b[tail])
    with np.errstate(divide="ignore", invalid="ignore"):  # an interval without length
        answer[tail] = upper + np.log1p(-np.exp(log_ndtr(a[tail]) - upper))
        answer[~tail] = np.log1p(-(ndtr(a[~tail]) + ndtr(-b[~tail])))
        width = b - a if length is None else np.broadcast_to(length, a.shape)
        narrow = width * (1.0 + np.maximum(np.abs(a), np.abs(b))) < NARROW
    if narrow.any():
        answer[narrow] = _integrate_narrow(0.5 * (a[narrow] + b[narrow]), width[narrow])
    answer[low >= high] = -np.inf
    return answer


def _integrate_narrow(centre: Float64Array, width: Float64Array) -> Float64Array:
    """The logarithm of the integral of exp(-(c + t)^2 / 2) over |t| <= width / 2, over root 2 pi."""
    nodes, weights = np.polynomial.legendre.leggauss(N_NODES)
    t = 0.5 * width[:, None] * nodes
    within = np.exp(-t * (centre[:, None] + 0.5 * t)) @ weights
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(0.5 * width * within) - 0.5 * (centre * centre + LOG_2PI))


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
