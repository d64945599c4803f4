"""A number that was estimated from draws, with its standard error."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Self

from gaussmix._typing import Float64Array


class Estimate(float):
    """A number with its standard error; it is a float in all else.

    Parameters
    ----------
    value : float
    standard_error : float, default=0.0
        Of the Monte Carlo mean; zero where the value is exact to rounding.

    Examples
    --------
    >>> import gaussmix
    >>> p = gaussmix.Mixture([0.5, 0.5], [[0.0, 0.0], [3.0, 0.0]], [1.0, 1.0], "spherical")
    >>> q = gaussmix.Mixture([1.0], [[1.5, 0.0]], [2.0], "spherical")
    >>> found = gaussmix.kl_divergence(p, q, rng=0)
    >>> abs(found - 0.25) < 0.05, found.standard_error < 0.01
    (True, True)
    """

    __slots__ = ("_standard_error",)
    _standard_error: float

    def __new__(cls, value: float, standard_error: float = 0.0) -> Self:
        """A float that also has a standard error."""
        self = super().__new__(cls, value)
        object.__setattr__(self, "_standard_error", float(standard_error))
        return self

    @property
    def value(self) -> float:
        """The number as a plain float."""
        return float(self)

    @property
    def standard_error(self) -> float:
        """The standard deviation of the value over repetitions, estimated."""
        return self._standard_error

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"an Estimate is immutable: {name!r} cannot be set")

    def __reduce__(self) -> tuple[type[Estimate], tuple[float, ...]]:
        return type(self), (float(self), self._standard_error)

    def __repr__(self) -> str:
        return f"Estimate({float(self):.6g}, standard_error={self._standard_error:.2g})"

    __str__ = __repr__


def estimate_mean(blocks: Iterable[Float64Array]) -> Estimate:
    """The mean of independent draws that come in blocks, and its standard error."""
    n, mean, squares = 0, 0.0, 0.0
    for block in blocks:  # means and squares about them add without cancellation
        m, own = block.size, float(block.mean())
        step = own - mean
        squares += float(((block - own) ** 2).sum()) + step * step * n * m / (n + m)
        mean += step * m / (n + m)
        n += m
    return Estimate(mean, math.sqrt(squares / max(n - 1, 1) / n))


def combine_strata(shares: Iterable[float], estimates: Iterable[Estimate]) -> Estimate:
    """The sum of shares times independent estimates."""
    pairs = list(zip(shares, estimates, strict=True))
    value = sum(share * each for share, each in pairs)
    return Estimate(value, math.sqrt(sum((share * each.standard_error) ** 2 for share, each in pairs)))
