"""Which two clusters overlap most: by the entropy that a merge takes away, and by misclassified rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.clusters.classified import Classified, multiply_by_log

#: How much some other clusters, a slice of them, overlap with the one given.
Overlaps: TypeAlias = Callable[[Classified, int, slice], Float64Array]


class Merge(NamedTuple):
    """The second of two clusters becomes a part of the first; `overlap` is what the method said of them."""

    first: int
    second: int
    overlap: float
    #: The entropy of the classification afterwards.
    entropy: float


def measure_entropy(rows: Classified, cluster: int, others: slice) -> Float64Array:
    """The entropy that merging with each of the others takes away, in nats.

    sum_i w_i ((s + t) log(s + t) - s log s - t log t), with s and t the responsibilities of the two.
    """
    R, own = rows.responsibilities, rows.sums_by_log
    mine = R[cluster]
    together = [rows.weights @ multiply_by_log(mine + other) for other in R[others]]
    return np.asarray(np.array(together) - own[others] - own[cluster])


def measure_misclassification(rows: Classified, cluster: int, others: slice) -> Float64Array:
    """The greater of two probabilities: that a row of either cluster looks more like one of the other.

    P(i | j) = sum of w t_j over rows with t_i > t_j, divided by the sum of w t_j over all rows.
    """
    R, counts = rows.responsibilities[others], rows.counts
    mine = rows.responsibilities[cluster]
    lost = np.array([rows.weights @ np.where(other > mine, mine, 0.0) for other in R])
    taken = np.array([rows.weights @ np.where(mine >= other, other, 0.0) for other in R])
    return np.maximum(_divide(lost, counts[cluster]), _divide(taken, counts[others]))


def find_merges(rows: Classified, measure: Overlaps) -> Iterator[Merge]:
    """Merge the two clusters that overlap most, until one is left; the first of equals."""
    k = len(rows.counts)
    overlaps = np.full((k, k), -np.inf)
    for cluster in range(k - 1):
        overlaps[cluster, cluster + 1 :] = measure(rows, cluster, slice(cluster + 1, None))
    while k > 1:
        first, second = (int(place) for place in np.unravel_index(np.argmax(overlaps), overlaps.shape))
        overlap = float(overlaps[first, second])
        rows = rows.merge(first, second)
        yield Merge(first, second, overlap, rows.entropy)
        k -= 1
        overlaps = np.delete(np.delete(overlaps, second, axis=0), second, axis=1)
        overlaps[:first, first] = measure(rows, first, slice(first))
        overlaps[first, first + 1 :] = measure(rows, first, slice(first + 1, None))


def find_elbow(entropies: Float64Array) -> int:
    """The number of clusters at which two straight lines that fit the entropies best meet.

    Entropies are those of 1, 2, ... clusters. The sum of squared residuals is least, the first of equals.
    Two clusters are too few to fit two lines; then it is 2.
    """
    k = len(entropies)
    if k < 3:
        return k
    numbers = np.arange(1.0, k + 1.0)
    residuals = [
        _fit_line(numbers[:place], entropies[:place])
        + _fit_line(numbers[place - 1 :], entropies[place - 1 :])
        for place in range(2, k)
    ]
    return 2 + int(np.argmin(residuals))


def _fit_line(x: Float64Array, y: Float64Array) -> float:
    """The sum of squared residuals of a straight line."""
    apart, height = x - x.mean(), y - y.mean()
    slope = float(apart @ height) / float(apart @ apart)
    return float(((height - slope * apart) ** 2).sum())


def _divide(numbers: Float64Array, counts: Float64Array | np.float64) -> Float64Array:
    """Numbers by counts; zero where there is no row."""
    shape = np.broadcast(numbers, counts).shape
    return np.divide(numbers, counts, out=np.zeros(shape), where=np.broadcast_to(counts, shape) > 0.0)
