"""Intervals of parameters, by a standard error or by the quantiles of resamples.

The normal approximation holds sooner for some functions of a parameter than for the parameter itself. So
weights are taken as log w / (1 - w) and variances as log v, and the ends are mapped back: they stay within
the bounds. Means and covariances are taken as they are. In simulations these intervals cover as often as they
promise from fewer rows than others (``python -m benchmarks.coverage``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, get_args

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.infer.estimates import Parameters, list_variances
from gaussmix.model.mixture import Mixture

#: How the ends of intervals are found from resamples.
Interval = Literal["normal", "percentile", "basic"]
INTERVALS: tuple[Interval, ...] = get_args(Interval)
#: A weight this near to zero or one has no logarithm of its odds to speak of.
EDGE = 1e-12


class Bounds(NamedTuple):
    """The lower and the upper ends of intervals."""

    lower: Parameters
    upper: Parameters


def bound_by_errors(mixture: Mixture, errors: Parameters, level: float) -> Bounds:
    """Normal intervals by standard errors, which the delta method takes to the scale of each parameter.

    On the scale f(t) of a parameter t with standard error s the interval is f(t) - z f'(t) s to
    f(t) + z f'(t) s.
    """
    z = find_normal_quantile(level)
    estimates = Parameters.of(mixture)
    ends: tuple[list[Float64Array], list[Float64Array]] = ([], [])
    for scale, value, error in zip(
        _list_scales(mixture), estimates.list_arrays(), errors.list_arrays(), strict=True
    ):
        reach = z * error * scale.slope(value)
        for sign, end in zip((-1.0, 1.0), ends, strict=True):
            end.append(scale.invert(scale(value) + sign * reach))
    return Bounds(*(Parameters.of_arrays(end) for end in ends))


def bound_by_resamples(
    mixture: Mixture, resampled: list[Float64Array], level: float, kind: Interval
) -> Bounds:
    """Intervals from the parameters of resamples, arrays with an axis of resamples first.

    normal       f(t) -+ z s, with s the standard deviation of f over the resamples
    percentile   from the quantile (1 - level) / 2 of the resamples to the quantile (1 + level) / 2
    basic        from 2 t less the upper of these quantiles to 2 t less the lower one
    """
    z, tail = find_normal_quantile(level), 0.5 * (1.0 - level)
    ends: tuple[list[Float64Array], list[Float64Array]] = ([], [])
    estimates = Parameters.of(mixture).list_arrays()
    for scale, value, values in zip(_list_scales(mixture), estimates, resampled, strict=True):
        if kind == "normal":
            reach = z * scale(values).std(axis=0, ddof=1)
            lower, upper = (scale.invert(scale(value) + sign * reach) for sign in (-1.0, 1.0))
        else:
            lower, upper = np.quantile(values, [tail, 1.0 - tail], axis=0)
            if kind == "basic":
                lower, upper = 2.0 * value - upper, 2.0 * value - lower
        ends[0].append(lower)
        ends[1].append(upper)
    return Bounds(*(Parameters.of_arrays(end) for end in ends))


def find_normal_quantile(level: float) -> float:
    """Two-sided quantile of the standard normal: 1.96 for a level of 0.95."""
    from scipy.special import ndtri

    return float(ndtri(0.5 * (1.0 + level)))


class Scale:
    """The scale of an array of parameters on which an interval is symmetric: here, that of the array."""

    def __call__(self, values: Float64Array) -> Float64Array:
        """F of the parameters."""
        return values

    def slope(self, values: Float64Array) -> Float64Array:
        """The derivative of f."""
        return np.ones(values.shape)

    def invert(self, values: Float64Array) -> Float64Array:
        """The parameters from f."""
        return values


class LogOdds(Scale):
    """Log w / (1 - w), for weights; one that is zero or one stays what it is."""

    def __call__(self, values: Float64Array) -> Float64Array:
        inside = np.clip(values, EDGE, 1.0 - EDGE)
        return np.asarray(np.log(inside) - np.log1p(-inside))

    def slope(self, values: Float64Array) -> Float64Array:
        inside = np.clip(values, EDGE, 1.0 - EDGE)
        return np.asarray(1.0 / (inside * (1.0 - inside)))

    def invert(self, values: Float64Array) -> Float64Array:
        from scipy.special import expit

        return np.asarray(expit(values))


class LogVariances(Scale):
    """Log v for variances; covariances as they are."""

    def __init__(self, variances: np.ndarray) -> None:
        #: Which numbers are variances, in the shape of the last axes.
        self.variances = variances

    def __call__(self, values: Float64Array) -> Float64Array:
        return np.where(self.variances, np.log(np.where(self.variances, values, 1.0)), values)

    def slope(self, values: Float64Array) -> Float64Array:
        return np.where(self.variances, 1.0 / np.where(self.variances, values, 1.0), 1.0)

    def invert(self, values: Float64Array) -> Float64Array:
        return np.where(self.variances, np.exp(np.where(self.variances, values, 0.0)), values)


def _list_scales(mixture: Mixture) -> Iterator[Scale]:
    """The scales of weights, means and covariances, and of the weight of the noise if there is any."""
    yield LogOdds()
    yield Scale()
    yield LogVariances(list_variances(mixture))
    if mixture.noise is not None:
        yield LogOdds()
