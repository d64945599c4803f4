"""The bins of a histogram: their width, where they begin, finer ones for narrow components; its height."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from gaussmix._typing import Float64Array, IntArray

#: Bins of one width, at least; and at most, in a picture of its own and in a panel of pairs.
FEWEST_BINS = 5
MOST_BINS = 120
FEW_BINS = 60
#: How often one of the most bins may be divided by three for a narrow component; nine of them take a dot.
MOST_DIVISIONS = 2
#: Widths that differ by less than this factor become one, the finer; beyond it, fine bins stay local.
ALIKE = 2.0
#: Interquartile range of a normal distribution, in standard deviations.
NORMAL_RANGE = 1.349
#: Bins of a component are no wider than this many of its standard deviations, however few its rows are.
WIDEST = 0.8
#: Effective rows below which a component has no bins of its own: they would show single rows.
LEAST_ROWS = 5.0
#: Standard deviations to both sides of its mean within which a narrow component has finer bins.
REACH = 3.0
#: Standard deviation, as a share of the axis, below which a component is a line on the screen: thin.
THIN = 1.0 / 150.0
#: How far thin components may rise above all others, which would otherwise be flat; the rest is cut off.
MOST_OF_THIN = 6.0
#: Rows from which the quartiles and the step of a feature are taken, at most.
SAMPLE = 20_000
#: Steps of discrete values in a bin beyond which it no longer matters how many there are.
STEPS = 50
#: Standard deviation, in steps, below which a component is on one value of a discrete feature.
ON_ONE_VALUE = 0.25
#: How far a value may lie from a multiple of the step, in steps, for the feature to be discrete.
TOLERANCE = 0.05


@dataclass(frozen=True)
class Parts:
    """The normal parts of one feature: weights, means and standard deviations, each of shape (k,)."""

    weights: Float64Array
    means: Float64Array
    deviations: Float64Array


@dataclass(frozen=True)
class Bins:
    """Cells of one width from `low` to `high`, taken together to bins that begin at the cells `starts`."""

    low: float
    high: float
    n_cells: int
    starts: IntArray
    step: float = 0.0  # of which all values are multiples, from the first on

    @property
    def edges(self) -> Float64Array:
        """Where the bins begin and end, one number more than there are bins."""
        places = np.append(self.starts, self.n_cells)
        edges: Float64Array = self.low + (self.high - self.low) * (places / self.n_cells)
        return edges


def plan_bins(
    values: Float64Array,
    weights: Float64Array | None,
    ends: tuple[float, float],
    n_rows: float,
    parts: Parts,
    most: int,
) -> Bins:
    r"""The bins of one feature.

    Their width is that of Freedman and Diaconis, :math:`2 Q n^{-1/3}` with :math:`Q` the interquartile range
    of the n rows, or what the rule gives one of the components, if that is less: :math:`2 Q_k (n w_k)^{-1/3}`
    with :math:`Q_k = 1.349 \sigma_k`. Quartiles of all rows alone give too few bins where there are several
    modes.

    There are 5 to `most` bins. A component so narrow that its own width is less than half of that of the
    others does not decide; bins within three of its standard deviations are divided by three as often as it
    needs, but no finer than the range over nine times `most`, which is less than a dot of a screen.

    Values that are multiples of one step, such as whole numbers, stand in the middle of bins whose width is a
    multiple of it, so that no bin holds more of them than its neighbour. Few values have fewer than 5 bins.
    Bins of less than a step are only where a component is on one value, with less than a quarter of a step of
    standard deviation.

    Parameters
    ----------
    values : ndarray of shape (m,)
        A sample of the rows.
    weights : ndarray of shape (m,), optional
    ends : (float, float)
        The least and the largest value of all rows.
    n_rows : float
        The number of all rows; of weighted ones, how many of equal weight would say as much.
    parts : Parts
        The components, or the labels; there may be none.
    most : int

    References
    ----------
    D. Freedman and P. Diaconis, On the histogram as a density estimator: L2 theory, Z. Wahrscheinlichkeits-
    theorie verw. Gebiete 57 (1981) 453-476.
    """
    first, last = ends
    extent = last - first
    if not extent > 0.0:
        raise ValueError("a feature of one value has no bins")
    widths = _find_widths(parts, n_rows)
    width = _choose_width(values, weights, n_rows, widths, parts.weights)
    width = float(np.clip(width, extent / most, extent / FEWEST_BINS))
    step = find_step(values, first, extent, most)
    if step == 0.0:
        count = math.ceil(extent / width - 1e-6)
        return _divide(first, last, count, parts, widths, most)
    multiple = max(1, round(width / step), math.ceil((extent / step + 1.0) / most))
    # Thirds of bins have whole steps as well, down to one step.
    thirds = 3 ** int(_find_depths(step * multiple, np.maximum(widths, step)).max(initial=0))
    multiple = thirds * -(-multiple // thirds)
    cells = plan_cells(first, last, step, multiple)
    on_one_value = parts.deviations < ON_ONE_VALUE * step
    widths = np.where(on_one_value, widths, np.maximum(widths, step))
    return replace(_divide(*cells, parts, widths, most), step=step)


def plan_cells(first: float, last: float, step: float, multiple: int) -> tuple[float, float, int]:
    """The ends and the number of cells of so many steps each; values are in the middle of their steps."""
    width = step * multiple
    low, count = first - step / 2.0, math.ceil((last - first + step) / width - 1e-6)
    return low, low + count * width, count


def _find_widths(parts: Parts, n_rows: float) -> Float64Array:
    """The width that the rule gives each component by itself; infinity for those of too few rows."""
    rows = n_rows * parts.weights
    few = (rows < LEAST_ROWS) | (parts.deviations <= 0.0)
    share = np.minimum(2.0 * NORMAL_RANGE / np.cbrt(np.maximum(rows, 1.0)), WIDEST)
    widths: Float64Array = np.where(few, np.inf, share * parts.deviations)
    return widths


def _choose_width(
    values: Float64Array,
    weights: Float64Array | None,
    n_rows: float,
    widths: Float64Array,
    shares: Float64Array,
) -> float:
    """The width of the bins before it is bounded: that of the rows, or of components that are not narrow."""
    low, high = _find_quantiles(values, weights, (0.25, 0.75))
    of_rows = 2.0 * (high - low) / np.cbrt(n_rows)
    usual = math.inf
    known = np.isfinite(widths)
    if known.any():
        usual = float(_find_quantiles(widths[known], shares[known], (0.5,))[0])
    width = min(of_rows if of_rows > 0.0 else math.inf, usual)
    if math.isinf(width):  # half of the rows have one value, and there are no components
        return float(np.ptp(values)) / max(1.5 * math.sqrt(n_rows), 1.0)
    return float(min([width, *widths[widths >= width / ALIKE]]))


def _find_quantiles(values: Float64Array, weights: Float64Array | None, at: tuple[float, ...]) -> list[float]:
    """Quantiles of weighted values: the first values that the shares of the weight reach."""
    order = np.argsort(values)
    reached = np.cumsum(np.ones(len(values)) if weights is None else weights[order])
    places = np.searchsorted(reached, np.array(at) * reached[-1])
    return [float(value) for value in values[order][np.minimum(places, len(values) - 1)]]


def limit_height(parts: Parts, extent: float) -> float:
    """How high a panel of this extent goes, so that thin components do not make all others flat.

    Infinite where no component is thin, a line on the screen, or where thin ones have half of the weight.
    """
    thin = parts.deviations < THIN * extent
    if not thin.any() or parts.weights[thin].sum() >= 0.5 * parts.weights.sum():
        return math.inf
    w, mu, sd = parts.weights[~thin], parts.means[~thin], parts.deviations[~thin]
    heights = np.exp(-0.5 * ((mu[:, None] - mu) / sd) ** 2) @ (w / (sd * math.sqrt(2.0 * math.pi)))
    return MOST_OF_THIN * float(heights.max())


def find_step(values: Float64Array, first: float, extent: float, most: int) -> float:
    """The step of which all values are multiples from the first on; 0 where there is none that matters.

    Examples
    --------
    >>> round(find_step(np.array([1.2, 1.5, 1.3, 2.0, 1.2]), 1.2, 0.8, 100), 6)
    0.1
    >>> find_step(np.array([0.0, 0.31, 0.47, 1.0]), 0.0, 1.0, 100)
    0.0
    """
    finest = extent / (STEPS * most)
    different = np.unique(values)
    if len(different) == len(values):  # none occurs twice
        return 0.0
    gaps = np.diff(different)
    gaps = gaps[gaps > 0.5 * finest]  # smaller ones are rounding, or there are too many steps
    if not len(gaps):
        return 0.0
    least = float(gaps.min())
    least = float(gaps[gaps < 1.5 * least].mean())
    if least < finest:
        return 0.0
    step = extent / max(round(extent / least), 1)
    steps = (values - first) / step
    return step if bool((np.abs(steps - np.round(steps)) < TOLERANCE).all()) else 0.0


def _divide(low: float, high: float, count: int, parts: Parts, widths: Float64Array, most: int) -> Bins:
    """So many bins of one width; those where narrow components lie are divided by three, and again."""
    width = (high - low) / count
    bound = int(math.log(most * 3**MOST_DIVISIONS / count, 3.0) + 1e-9)
    depths = np.minimum(_find_depths(width, widths), bound)
    deepest = int(depths.max(initial=0))
    size = 3**deepest
    n_cells = count * size
    starts = size * np.arange(count)
    done = []
    for depth in range(deepest):
        means, reach = parts.means[depths > depth], REACH * parts.deviations[depths > depth]
        begin = low + (high - low) * (starts[:, None] / n_cells)
        near = ((begin < means + reach) & (begin + width / 3**depth > means - reach)).any(axis=1)
        done.append(starts[~near])
        # Three is odd: what is in the middle of a bin is in the middle of one of its thirds.
        size //= 3
        starts = (starts[near, None] + size * np.arange(3)).ravel()
    return Bins(low, high, n_cells, np.sort(np.concatenate([*done, starts])))


def _find_depths(width: float, widths: Float64Array) -> IntArray:
    """How often a bin is to be divided by three for each component, which needs bins of these widths."""
    narrow = np.minimum(widths, width)
    depths = np.where(narrow * math.sqrt(3.0) < width, np.round(np.log(width / narrow) / math.log(3.0)), 0.0)
    return depths.astype(np.int64)
