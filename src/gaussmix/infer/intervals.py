"""Intervals of parameters, by a standard error or by the quantiles of resamples.

The normal approximation holds sooner for some functions of a parameter than for the parameter itself: those
whose standard error does not depend on the parameter. So weights are taken as log w / (1 - w), variances as
log v, and covariances as asinh(c / a), and the ends are mapped back::

    a^2 = s^2 (1 - r^2) / (3 + r^2)        s^2 the product of the two variances, r the correlation

which has f''(c) / f'(c) = -(d sigma / dc) / sigma, as a covariance of normal rows has it: log c where r is
one. Means are taken as they are. Quantiles are Student's, of as many degrees of freedom as a component has
rows, less one. In simulations these intervals cover as often as they promise from fewer rows than others
(``python -m benchmarks.coverage``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, get_args

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.infer.estimates import Parameters, get_covariances
from gaussmix.model.mixture import Mixture

#: How the ends of intervals are found from resamples.
Interval = Literal["normal", "percentile", "basic"]
INTERVALS: tuple[Interval, ...] = get_args(Interval)
#: A weight this near to zero or one has no logarithm of its odds to speak of.
EDGE = 1e-12
#: Stands for a product of variances of zero.
TINY = 1e-300


class Bounds(NamedTuple):
    """The lower and the upper ends of intervals."""

    lower: Parameters
    upper: Parameters


def bound_by_errors(mixture: Mixture, errors: Parameters, level: float, n_samples: float) -> Bounds:
    """Intervals by standard errors, which the delta method takes to the scale of each parameter.

    On the scale f(t) of a parameter t with standard error s the interval is f(t) - q f'(t) s to
    f(t) + q f'(t) s, with q Student's quantile.
    """
    ends: tuple[list[Float64Array], list[Float64Array]] = ([], [])
    estimates, quantiles = Parameters.of(mixture), _list_quantiles(mixture, level, n_samples)
    scales = _list_scales(mixture)
    parts = zip(scales, quantiles, estimates.list_arrays(), errors.list_arrays(), strict=True)
    for scale, quantile, value, error in parts:
        reach = quantile * error * scale.slope(value)
        for sign, end in zip((-1.0, 1.0), ends, strict=True):
            end.append(scale.invert(scale(value) + sign * reach))
    return Bounds(*(Parameters.of_arrays(end) for end in ends))


def bound_by_resamples(
    mixture: Mixture, resampled: list[Float64Array], level: float, kind: Interval, n_samples: float
) -> Bounds:
    """Intervals from the parameters of resamples, arrays with an axis of resamples first.

    normal       f(t) -+ q s, with s the standard deviation of f over the resamples
    percentile   from the quantile (1 - level) / 2 of the resamples to the quantile (1 + level) / 2
    basic        from 2 t less the upper of these quantiles to 2 t less the lower one
    """
    tail = 0.5 * (1.0 - level)
    ends: tuple[list[Float64Array], list[Float64Array]] = ([], [])
    estimates, quantiles = Parameters.of(mixture).list_arrays(), _list_quantiles(mixture, level, n_samples)
    for scale, quantile, value, values in zip(
        _list_scales(mixture), quantiles, estimates, resampled, strict=True
    ):
        if kind == "normal":
            reach = quantile * scale(values).std(axis=0, ddof=1)
            lower, upper = (scale.invert(scale(value) + sign * reach) for sign in (-1.0, 1.0))
        else:
            lower, upper = np.quantile(values, [tail, 1.0 - tail], axis=0)
            if kind == "basic":
                lower, upper = 2.0 * value - upper, 2.0 * value - lower
        ends[0].append(lower)
        ends[1].append(upper)
    return Bounds(*(Parameters.of_arrays(end) for end in ends))


def _list_quantiles(mixture: Mixture, level: float, n_samples: float) -> list[Float64Array]:
    """Two-sided quantiles for weights, means and covariances, and for the noise if there is any."""
    from scipy.special import ndtri, stdtrit

    upper, k = 0.5 * (1.0 + level), mixture.n_components
    normal = np.asarray(ndtri(upper))
    own = np.asarray(stdtrit(np.maximum(n_samples * mixture.weights - 1.0, 1.0), upper))
    shared = np.asarray(stdtrit(max(n_samples - k, 1.0), upper))
    axes = (1,) * (get_covariances(mixture).ndim - 1)
    of_covariances = shared if mixture.structure.shared else own.reshape(k, *axes)
    found = [normal, own[:, None], of_covariances]
    return found if mixture.noise is None else [*found, normal]


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
    """Log v for variances."""

    def __call__(self, values: Float64Array) -> Float64Array:
        return np.log(values)

    def slope(self, values: Float64Array) -> Float64Array:
        return np.asarray(1.0 / values)

    def invert(self, values: Float64Array) -> Float64Array:
        return np.exp(values)


class OfMatrices(Scale):
    """Log v for the diagonals of matrices, and asinh(c / a) beside them."""

    def __init__(self, covariances: Float64Array) -> None:
        variances = np.diagonal(covariances, axis1=-2, axis2=-1)
        # of a constant column no covariance differs from zero
        products = np.maximum(variances[..., :, None] * variances[..., None, :], TINY)
        squares = np.minimum(covariances**2, (1.0 - EDGE) * products)
        #: a, of numbers beside the diagonal.
        self.widths = np.sqrt((products - squares) / (3.0 + squares / products))
        self.diagonal = np.eye(covariances.shape[-1], dtype=bool)

    def __call__(self, values: Float64Array) -> Float64Array:
        logarithms = np.log(np.where(self.diagonal, values, 1.0))
        return np.where(self.diagonal, logarithms, np.arcsinh(values / self.widths))

    def slope(self, values: Float64Array) -> Float64Array:
        return np.asarray(1.0 / np.where(self.diagonal, values, np.hypot(values, self.widths)))

    def invert(self, values: Float64Array) -> Float64Array:
        logarithms = np.where(self.diagonal, values, 0.0)
        beside = np.where(self.diagonal, 0.0, values)
        return np.where(self.diagonal, np.exp(logarithms), self.widths * np.sinh(beside))


def _list_scales(mixture: Mixture) -> Iterator[Scale]:
    """The scales of weights, means and covariances, and of the weight of the noise if there is any."""
    yield LogOdds()
    yield Scale()
    general = mixture.structure.form.general or mixture.n_factors > 0
    yield OfMatrices(get_covariances(mixture)) if general else LogVariances()
    if mixture.noise is not None:
        yield LogOdds()
