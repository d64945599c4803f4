"""Where the density of one feature is above a level: between crossings, one in each monotone piece."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.mixture.density.line import Line

#: Places at which the sign of the slope is looked at, in standard deviations from each mean.
PLACES = np.concatenate([np.arange(-8.0, 8.05, 0.1), [-40.0, -30.0, -20.0, -12.0, 12.0, 20.0, 30.0, 40.0]])
#: The least distance of two such places, in the smallest standard deviation.
LEAST_STEP = 0.05
#: Halvings of a bracket: from any length to the last digit.
N_HALVINGS = 100


@dataclass(frozen=True)
class Slopes:
    """A density of one feature in pieces, in each of which it rises all the way, or falls."""

    line: Line
    #: The borders of the pieces: the ends of what counts, and in between modes and antimodes.
    borders: Float64Array
    #: Log-densities at the borders.
    heights: Float64Array

    @classmethod
    def of(cls, line: Line) -> Slopes:
        """The pieces between places at which the slope changes its sign."""
        places = (line.means[:, None] - line.means[0] + line.deviations[:, None] * PLACES).ravel()
        least = LEAST_STEP * float(line.deviations.min())
        places = np.unique(np.round(places / least)) * least + line.means[0]
        rising = line.find_slope(places) > 0.0
        turns = np.flatnonzero(rising[1:] != rising[:-1])
        low, high, up = places[turns], places[turns + 1], rising[turns]
        for _ in range(N_HALVINGS):
            middle = 0.5 * low + 0.5 * high
            same = (line.find_slope(middle) > 0.0) == up
            low, high = np.where(same, middle, low), np.where(same, high, middle)
        borders = np.concatenate([places[:1], 0.5 * low + 0.5 * high, places[-1:]])
        return cls(line, borders, line.find_log_density(borders))

    def find_intervals(self, log_level: float) -> Float64Array:
        """Where the log-density is above a level, shape (m, 2)."""
        above = self.heights > log_level
        pieces = np.flatnonzero(above[1:] != above[:-1])
        low, high, first = self.borders[pieces], self.borders[pieces + 1], above[pieces]
        for _ in range(N_HALVINGS):
            middle = 0.5 * low + 0.5 * high
            if ((middle == low) | (middle == high)).all():
                break
            same = (self.line.find_log_density(middle) > log_level) == first
            low, high = np.where(same, middle, low), np.where(same, high, middle)
        return (0.5 * low + 0.5 * high).reshape(-1, 2)

    def find_mass(self, intervals: Float64Array) -> float:
        """The probability of some intervals."""
        below, above, _ = self.line.look(intervals.ravel())
        below, above = below.reshape(-1, 2), above.reshape(-1, 2)
        parts = np.where(below[:, 0] < 0.5, below[:, 1] - below[:, 0], above[:, 0] - above[:, 1])
        return float(parts.sum())

    def find_level(self, mass: float) -> tuple[float, Float64Array]:
        """The log-density above which this probability lies, and the intervals where it does."""
        from scipy.optimize import brentq

        def find_excess(log_level: float) -> float:
            return self.find_mass(self.find_intervals(log_level)) - mass

        top = float(self.heights.max())
        fall = 1.0
        while find_excess(top - fall) < 0.0:
            fall *= 2.0
        log_level = float(brentq(find_excess, top - fall, top, xtol=1e-300, rtol=1e-15))
        while find_excess(log_level) < 0.0:  # by a last digit
            log_level = float(np.nextafter(log_level, -np.inf))
        intervals = self.find_intervals(log_level)
        # near a mode the mass grows as the root of the fall: what the level's last digit decides is taken off
        beyond = self.find_mass(intervals) - mass
        trim = beyond / (intervals.size * np.exp(log_level))
        return log_level, intervals + trim * np.array([1.0, -1.0])
