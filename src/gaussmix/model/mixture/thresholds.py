"""Where the labels of one feature change: between components whose weighted densities cross."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self, overload

import numpy as np

from gaussmix._text import make_html_notes, make_html_table, make_text_table
from gaussmix._typing import BoolArray, Float64Array, IntArray
from gaussmix.model.mixture.printing import default_names
from gaussmix.model.mixture.properties import MixtureProperties

#: Relative difference of variances, and difference of means in deviations, that no crossing comes from.
EQUAL = 1e-9
#: Relative size of a discriminant under which two densities touch and do not cross.
TOUCH = 1e-12
#: Distance of crossings, relative to themselves, at which they are one point.
SAME_POINT = 1e-12
#: Decimals, and the size of points, beyond which a table has six significant digits instead.
MOST_DECIMALS = 6
LARGEST = 1e10
#: The label of the noise.
NOISE = -1


@dataclass(frozen=True)
class Threshold:
    """A point at which the most probable component changes.

    Parameters
    ----------
    point : float
        In units of the feature.
    below, above : int
        The labels on each side; -1 is the noise.
    error_below : float
        The probability that a row of the component below lies above the point, where it is labelled
        otherwise. NaN for noise without a box.
    error_above : float
        The probability that a row of the component above lies below the point and is labelled otherwise.
    error : float
        The probability that any row of the mixture is one of these: w_below e_below + w_above e_above.
    """

    point: float
    below: int
    above: int
    error_below: float
    error_above: float
    error: float


@dataclass(frozen=True, eq=False, repr=False)
class Thresholds(Sequence[Threshold]):
    """The points at which labels change, in order; printed, a table.

    Parameters
    ----------
    thresholds : tuple of Threshold
    labels : tuple of int
        The label of each interval, one more than there are points; a component may have several intervals,
        or none.
    error_rates : ndarray of shape (k,)
        The probability that a row of each component is labelled otherwise.
    error_rate : float
        The same for any row of the mixture: the least that a rule can reach. NaN with noise without a box.
    feature_name : str
    decimals : int
        Of the points in print: those that the smallest standard deviation needs.
    """

    thresholds: tuple[Threshold, ...]
    labels: tuple[int, ...]
    error_rates: Float64Array
    error_rate: float
    feature_name: str
    decimals: int

    @property
    def points(self) -> Float64Array:
        """The points alone, shape (m,)."""
        return np.array([threshold.point for threshold in self.thresholds])

    def __len__(self) -> int:
        return len(self.thresholds)

    @overload
    def __getitem__(self, place: int) -> Threshold: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Threshold, ...]: ...
    def __getitem__(self, place: int | slice) -> Threshold | tuple[Threshold, ...]:
        return self.thresholds[place]

    def __repr__(self) -> str:
        rows = self._write_rows()
        return "\n".join([*([make_text_table(rows)] if len(rows) > 1 else []), *self._write_notes()])

    def _repr_html_(self) -> str:
        rows = self._write_rows()
        return (make_html_table(rows) if len(rows) > 1 else "") + make_html_notes(self._write_notes())

    def _write_rows(self) -> list[list[str]]:
        header = [self.feature_name, "below", "above", "error below", "error above", "error"]
        return [
            header,
            *(
                [self._write_point(each.point), _write_label(each.below), _write_label(each.above)]
                + [_write_rate(rate) for rate in (each.error_below, each.error_above, each.error)]
                for each in self.thresholds
            ),
        ]

    def _write_point(self, point: float) -> str:
        short = self.decimals > MOST_DECIMALS or abs(point) >= LARGEST
        return f"{point:.6g}" if short else f"{point:z.{self.decimals}f}"

    def _write_notes(self) -> list[str]:
        never = [str(k) for k in range(len(self.error_rates)) if k not in self.labels]
        lines = [f"Error rate in all: {_write_rate(self.error_rate)}."]
        if not self.thresholds:
            lines.insert(0, f"No threshold: every row is labelled {_write_label(self.labels[0])}.")
        return [*lines, f"Labels of no row: {', '.join(never)}."] if never else lines


class Curves(NamedTuple):
    """Logarithms of weighted densities, c - p (x - m)^2 / 2 for each component; p is 0 for the noise."""

    precisions: Float64Array
    means: Float64Array
    constants: Float64Array
    #: The label that each stands for.
    labels: IntArray

    @classmethod
    def of(cls, mixture: MixtureProperties) -> Self:
        """The curves of the components of positive weight, and of the noise."""
        labels = np.flatnonzero(mixture.weights > 0.0)
        variances = mixture.variances[labels, 0]
        constants = np.log(mixture.weights[labels]) - 0.5 * np.log(2.0 * np.pi * variances)
        parts = [1.0 / variances, mixture.means[labels, 0], constants, labels]
        noise = mixture.noise
        if noise is not None and noise.weight > 0.0:
            parts = [np.append(*pair) for pair in zip(parts, (0.0, 0.0, noise.log_joint, NOISE), strict=True)]
        return cls(*parts)

    def find_overtakings(self) -> Float64Array:
        """Where curve j comes to lie above curve i, at entry (i, j): once at most; infinity where nowhere."""
        p, m, c = (array[:, None] for array in self[:3])
        q, n, e = self[:3]
        centres = np.where(p >= q, m, n)  # of the narrower of two, about which nothing cancels
        quadratic, linear = 0.5 * (p - q), q * (n - centres) - p * (m - centres)
        constant = e - c - 0.5 * q * (n - centres) ** 2 + 0.5 * p * (m - centres) ** 2
        quadratic[np.abs(p - q) <= EQUAL * np.maximum(p, q)] = 0.0
        straight = quadratic == 0.0
        linear[straight & (np.abs(linear) <= EQUAL * np.sqrt(np.maximum(p, q)))] = 0.0
        scale = linear * linear + 4.0 * np.abs(quadratic * constant)
        discriminants = linear * linear - 4.0 * quadratic * constant
        crossing = (discriminants > TOUCH * scale) & ~(straight & (linear <= 0.0))
        roots = np.sqrt(np.where(crossing, discriminants, 1.0))
        with np.errstate(divide="ignore", invalid="ignore"):  # where they do not cross
            found = np.where(
                linear > 0.0, -2.0 * constant / (linear + roots), (roots - linear) / (2.0 * quadratic)
            )
        return np.where(crossing, centres + found, np.inf)

    def find_leftmost(self) -> int:
        """The curve that lies above all others far to the left, the first of equals."""
        p, m, c, _ = self
        widest = np.flatnonzero(p - p.min() <= EQUAL * p)
        first = widest[(m[widest] - m[widest].min()) * np.sqrt(p[widest]) <= EQUAL]
        return int(first[np.argmax(c[first])])

    def find_envelope(self) -> tuple[list[float], list[int]]:
        """The points at which the highest curve changes, and the highest curves: one more than points."""
        overtakings = self.find_overtakings()
        points: list[float] = []
        highest = [self.find_leftmost()]
        here = -math.inf
        while True:
            candidates = np.where(overtakings[highest[-1]] > here, overtakings[highest[-1]], np.inf)
            point = float(candidates.min())
            if not math.isfinite(point):
                return points, highest
            together = np.flatnonzero(candidates <= point + SAME_POINT * abs(point))
            slopes = -self.precisions[together] * (point - self.means[together])
            points.append(point)
            highest.append(int(together[np.argmax(slopes)]))
            here = point


def find_thresholds(mixture: MixtureProperties) -> Thresholds:
    """The points at which the labels of a mixture of one feature change, and how many rows they mislabel."""
    if mixture.n_features != 1:
        raise ValueError(
            f"thresholds are points of one feature, and this mixture has {mixture.n_features}; fit one column"
        )
    names = mixture.feature_names or default_names(1)
    if not mixture.weights.any() and (mixture.noise is None or not mixture.noise.weight):
        raise ValueError("all weights are zero: no component has any row")
    curves = Curves.of(mixture)
    points, highest = curves.find_envelope()
    labels = tuple(int(curves.labels[curve]) for curve in highest)
    masses = _find_masses(mixture, np.array([-math.inf, *points, math.inf]))
    weights = np.append(mixture.weights, 0.0 if mixture.noise is None else mixture.noise.weight)
    is_its_own = np.array(labels) == np.append(np.arange(mixture.n_components), NOISE)[:, None]
    thresholds = tuple(
        _make_threshold(point, place + 1, labels, masses, weights, is_its_own)
        for place, point in enumerate(points)
    )
    errors, present = np.where(is_its_own, 0.0, masses).sum(axis=1), weights > 0.0
    rates = errors[:-1]
    rates.setflags(write=False)
    return Thresholds(
        thresholds,
        labels,
        error_rates=rates,
        error_rate=float(weights[present] @ errors[present]),
        feature_name=names[0],
        decimals=max(0, 2 - math.floor(math.log10(float(np.sqrt(mixture.variances.min()))))),
    )


def _make_threshold(
    point: float,
    place: int,
    labels: tuple[int, ...],
    masses: Float64Array,
    weights: Float64Array,
    is_its_own: BoolArray,
) -> Threshold:
    """The threshold between the intervals `place - 1` and `place`."""
    below, above = labels[place - 1], labels[place]
    over = float(masses[below, place:] @ ~is_its_own[below, place:])
    under = float(masses[above, :place] @ ~is_its_own[above, :place])
    error = float(weights[below] * over + weights[above] * under)
    return Threshold(point, below, above, over, under, error)


def _find_masses(mixture: MixtureProperties, borders: Float64Array) -> Float64Array:
    """The probability of each interval under each component and, last, the noise, shape (k + 1, m + 1)."""
    from scipy.special import ndtr  # a mixture alone does not load SciPy

    z = (borders - mixture.means) / np.sqrt(mixture.variances)
    low, high = z[:, :-1], z[:, 1:]
    upper = low > 0.0  # the upper tail, by its mirror image, keeps its digits
    masses = ndtr(np.where(upper, -low, high)) - ndtr(np.where(upper, -high, low))
    noise = mixture.noise
    if noise is None or noise.box is None:
        of_noise = np.full(len(borders) - 1, 0.0 if noise is None else math.nan)
    else:
        corner, edge = np.asarray(noise.box)[:, 0]
        of_noise = np.diff(np.clip((borders - min(corner, corner + edge)) / abs(edge), 0.0, 1.0))
    return np.concatenate([masses, of_noise[None]])


def _write_label(label: int) -> str:
    return "noise" if label == NOISE else str(label)


def _write_rate(rate: float) -> str:
    return "-" if math.isnan(rate) else f"{rate:.4f}"
