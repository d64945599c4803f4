"""Integrals over the line, piece by piece, with weights that may be too small for a float."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gaussmix._typing import BoolArray, Float64Array
from gaussmix.model.covariance.algebra import LOG_2PI
from gaussmix.model.mixture.properties import MixtureProperties

#: From points c + u, given as c and u of shape (n,), to the logarithm of a weight and a factor of the
#: integrand, both (n,).
Integrand = Callable[[Float64Array, Float64Array], tuple[Float64Array, Float64Array]]

#: Standard deviations from a Gaussian's mean at which pieces end.
BORDERS = np.array([0.0, 1.0, 2.5, 4.5, 7.0, 11.0, 17.0, 26.0, 39.0])
#: The least width of a piece to begin with, in the smallest standard deviation: many Gaussians share pieces.
LEAST_WIDTH = 0.5
#: Difference of the two rules on a piece, relative to the whole, at which it is not halved again.
TOLERANCE = 1e-12
#: What counts as a factor's size at least, when doubts are judged: logarithms have rounding of their own.
LEAST_FACTOR = 1e-2
#: Halvings of a piece at most: 2^-50 of it is rounding.
MOST_HALVINGS = 50
#: Pieces that are evaluated at a time.
CHUNK = 4_096
#: Pieces that are halved at most, lest a function that is all noise take all memory.
MOST_PIECES = 100_000

#: Numbers of rows times components that are held at a time.
TABLE = 2_000_000

# Gauss's rule of 10 points and Kronrod's of 21 that has them among its own (QUADPACK).
_NODES = np.array(
    [
        0.995657163025808080735527280689003,
        0.973906528517171720077964012084452,
        0.930157491355708226001207180059508,
        0.865063366688984510732096688423493,
        0.780817726586416897063717578345042,
        0.679409568299024406234327365114874,
        0.562757134668604683339000099272694,
        0.433395394129247190799265943165784,
        0.294392862701460198131126603103866,
        0.148874338981631210884826001129720,
        0.0,
    ]
)
_KRONROD = np.array(
    [
        0.011694638867371874278064396062192,
        0.032558162307964727478818972459390,
        0.054755896574351996031381300244580,
        0.075039674810919952767043140916190,
        0.093125454583697605535065465083366,
        0.109387158802297641899210590325805,
        0.123491976262065851077958109585166,
        0.134709217311473325928054001771707,
        0.142775938577060080797094273138717,
        0.147739104901338491374841515972068,
        0.149445554002916905664936468389821,
    ]
)
_GAUSS = np.zeros(11)
_GAUSS[1::2] = [
    0.066671344308688137593568809893332,
    0.149451349150580593145863396957658,
    0.219086362515982043995534934228163,
    0.269266719309996355091226921569469,
    0.295524224714752870173815619188769,
]
NODES = np.concatenate([-_NODES[:-1], _NODES[::-1]])
KRONROD = np.concatenate([_KRONROD[:-1], _KRONROD[::-1]])
GAUSS = np.concatenate([_GAUSS[:-1], _GAUSS[::-1]])


def integrate(integrand: Integrand, means: Float64Array, deviations: Float64Array) -> tuple[float, float]:
    """The integral over the line of what lives where Gaussians do: the logarithm of a scale, and the rest.

    The line is cut into pieces at some deviations of each Gaussian. A piece is halved where Gauss's rule and
    Kronrod's differ. Points are measured from the nearest mean: beside one that is narrow and far from zero,
    sums would lose the digits that tell them apart.
    """
    steps = np.multiply.outer(deviations, np.concatenate([-BORDERS[:0:-1], BORDERS]))
    borders, centres = np.unique(means[:, None] + steps), np.unique(means)
    borders = _thin(borders, LEAST_WIDTH * float(deviations.min()))
    middles = 0.5 * (borders[:-1] + borders[1:])
    origins = centres[np.searchsorted(0.5 * (centres[:-1] + centres[1:]), middles)]
    lows, highs = borders[:-1] - origins, borders[1:] - origins
    scale, done = -np.inf, 0.0
    size = 0.0  # the integral of absolute values, so far
    for halvings in range(MOST_HALVINGS + 1):
        logs, factors, half = _evaluate(integrand, origins, lows, highs)
        top = max(scale, float(logs.max()))
        if not np.isfinite(top):
            return 0.0, 0.0
        done, size, scale = done * np.exp(scale - top), size * np.exp(scale - top), top
        values = np.exp(logs - top) * factors
        found = half * (values @ KRONROD)
        doubt = np.abs(found - half * (values @ GAUSS))
        sizes = half * ((np.exp(logs - top) * np.maximum(np.abs(factors), LEAST_FACTOR)) @ KRONROD)
        halved: BoolArray = doubt > TOLERANCE * (size + sizes.sum())
        if halvings == MOST_HALVINGS or np.count_nonzero(halved) > MOST_PIECES:
            halved[:] = False
        done += float(found[~halved].sum())
        size += float(sizes[~halved].sum())
        if not halved.any():
            break
        middles = 0.5 * (lows[halved] + highs[halved])
        lows, highs = np.concatenate([lows[halved], middles]), np.concatenate([middles, highs[halved]])
        origins = np.tile(origins[halved], 2)
    return scale, done


def _thin(borders: Float64Array, width: float) -> Float64Array:
    """The first of the borders in each cell of a width, and the last of all."""
    cells = np.floor((borders - borders[0]) / width)
    first = np.append(True, cells[1:] > cells[:-1])
    first[-1] = True
    return np.asarray(borders[first])


def _evaluate(
    integrand: Integrand, origins: Float64Array, lows: Float64Array, highs: Float64Array
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Logarithms and factors at the nodes of each piece, shape (m, 21), and half of its width."""
    half = 0.5 * (highs - lows)
    logs, factors = np.empty((len(half), NODES.size)), np.empty((len(half), NODES.size))
    for begin in range(0, len(half), CHUNK):
        part = slice(begin, begin + CHUNK)
        points = 0.5 * (lows[part] + highs[part])[:, None] + np.multiply.outer(half[part], NODES)
        log, factor = integrand(np.repeat(origins[part], NODES.size), points.ravel())
        logs[part], factors[part] = log.reshape(points.shape), factor.reshape(points.shape)
    return logs, factors, half


def evaluate_on_line(
    mixture: MixtureProperties, origins: Float64Array, offsets: Float64Array
) -> Float64Array:
    """The log-density of a mixture of one feature, at points c + u given as c and u of shape (n,)."""
    from scipy.special import logsumexp

    deviations = np.sqrt(mixture.variances[:, 0])
    constants = np.log(mixture.weights / deviations) - 0.5 * LOG_2PI
    logs = np.empty(len(offsets))
    size = max(1, TABLE // mixture.n_components)
    for begin in range(0, len(offsets), size):
        part = slice(begin, begin + size)
        apart = (origins[part, None] - mixture.means[:, 0]) + offsets[part, None]
        logs[part] = logsumexp(constants - 0.5 * (apart / deviations) ** 2, axis=1)
    return logs
