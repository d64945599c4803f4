"""Regions of highest density: the smallest that have a given probability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix._typing import Float64Array
from gaussmix.model.mixture.density.background import refuse_noise
from gaussmix.model.mixture.density.entropy import find_log_draws
from gaussmix.model.mixture.density.level_sets import Slopes
from gaussmix.model.mixture.density.line import Line
from gaussmix.model.mixture.density.points import make_float64, read_points
from gaussmix.model.mixture.evaluated import Evaluated
from gaussmix.model.mixture.order import take_components

#: Independently scrambled sets of draws, whose spread is the standard error.
N_COPIES = 16


@dataclass(frozen=True, eq=False, repr=False)
class Region:
    """All points at which the density is at least a level.

    Parameters
    ----------
    mass : float
        The probability of the region.
    log_level : float
        The logarithm of the density on its border, in nats.
    standard_error : float
        Of the mass, zero where the level is exact: of one Gaussian, and of one feature.
    intervals : ndarray of shape (m, 2) or None
        Of one feature, where the region begins and ends, in units of the feature, in order.
    mixture : Mixture
    """

    mass: float
    log_level: float
    standard_error: float
    intervals: Float64Array | None
    mixture: Evaluated

    @property
    def level(self) -> float:
        """The density on the border, in one over the product of the features' units."""
        return float(np.exp(self.log_level))

    def contains(self, X: npt.ArrayLike) -> Any:
        """Whether points lie inside.

        Parameters
        ----------
        X : array-like of shape (..., d)
            Of one feature also a number, or an array of shape (n,).

        Returns
        -------
        bool or ndarray of bool, shape (...,)
        """
        points, shape = read_points(self.mixture, X)
        if self.intervals is not None:
            between: Any = (self.intervals[:, 0] <= points) & (points <= self.intervals[:, 1])
            return between.any(axis=1).reshape(shape)[()]
        inside: Any = np.greater_equal(self.mixture.log_prob(points), self.log_level)
        return inside.reshape(shape)[()]

    def __repr__(self) -> str:
        return (
            f"Region(mass={self.mass:.6g}, log_level={self.log_level:.6g}, "
            f"standard_error={self.standard_error:.2g})"
        )


def read_masses(mass: Any) -> Float64Array:
    """Probabilities between 0 and 1, of any shape."""
    masses = make_float64(mass, "mass")
    bad = ~((masses > 0.0) & (masses < 1.0))
    if bad.any():
        raise ValueError(f"mass must be a probability between 0 and 1; got {masses[bad][0]}")
    return masses


def find_region(
    mixture: Evaluated, mass: float, n_draws: int, rng: np.random.Generator | int | None
) -> Region:
    """The region of a probability: exact for d = 1 and for k = 1, else of draws."""
    masses = read_masses(mass).ravel()
    if masses.size != 1:
        raise ValueError(f"mass must be one probability, since each has a region; got {masses.size}")
    (log_level,), (error,), intervals = find_levels(mixture, masses, n_draws, rng)
    return Region(float(masses[0]), log_level, error, intervals, mixture)


def find_levels(
    mixture: Evaluated, masses: Float64Array, n_draws: int, rng: np.random.Generator | int | None
) -> tuple[list[float], list[float], Float64Array | None]:
    """Log-densities on the borders of regions, standard errors of their masses, the last one's intervals."""
    from scipy.special import chdtri

    refuse_noise(mixture, "a region of highest density of")
    mixture = take_components(mixture, np.flatnonzero(mixture.weights > 0.0))
    d = mixture.n_features
    if d == 1:
        slopes = Slopes.of(Line.of(mixture))
        found = [slopes.find_level(float(mass)) for mass in masses]
        intervals = found[-1][1] if found else None
        if intervals is not None:
            intervals.setflags(write=False)
        return [level for level, _ in found], [0.0] * len(found), intervals
    if mixture.n_components == 1:
        peak = float(mixture.structure.algebra.log_peaks(mixture.roots, d)[0])
        return [peak - 0.5 * float(chdtri(d, 1.0 - mass)) for mass in masses], [0.0] * masses.size, None
    copies = find_log_draws(mixture, n_draws, N_COPIES, rng)
    levels = np.quantile(np.concatenate(copies), 1.0 - masses)
    shares = np.array([(copy[:, None] >= levels).mean(axis=0) for copy in copies])
    errors = shares.std(axis=0, ddof=1) / np.sqrt(N_COPIES)
    return levels.tolist(), errors.tolist(), None
