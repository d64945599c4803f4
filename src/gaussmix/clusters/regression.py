"""The regression of one feature on others, as the alternative to its telling clusters apart."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from gaussmix._typing import Float64Array

#: Predictors of which all subsets are tried; of more, they leave one by one.
MOST_TRIED = 8
#: Residual variance, relative to the feature's own, that is rounding.
NOTHING = 1e-12


@dataclass(frozen=True, eq=False)
class Regression:
    """The weighted correlations of features, from which every regression follows without the rows."""

    correlations: Float64Array
    variances: Float64Array
    #: Total weight of the rows.
    n: float

    @classmethod
    def of(cls, rows: Float64Array, weights: Float64Array | None) -> Regression:
        """That of rows, shape (n, d). Features without variance correlate with none."""
        n = float(len(rows) if weights is None else weights.sum())
        masses = np.ones(len(rows)) if weights is None else weights
        apart = rows - masses @ rows / n
        variances = masses @ apart**2 / n
        scaled = apart / np.sqrt(np.where(variances > 0.0, variances, 1.0))
        return cls((scaled * masses[:, None]).T @ scaled / n, variances, n)

    def find_bic(self, feature: int, predictors: Iterable[int]) -> float:
        """The least BIC of a regression on some of the predictors; minus infinity where they tell it exactly.

        n log(2 pi s^2) + n + (number of predictors + 2) log n, with s^2 the residual variance.
        """
        among = sorted(predictors)
        if len(among) <= MOST_TRIED:
            subsets = (subset for size in range(len(among) + 1) for subset in combinations(among, size))
            return min(self._find_bic_on_all(feature, subset) for subset in subsets)
        best = self._find_bic_on_all(feature, among)
        while among:
            fewer = [[other for other in among if other != leaving] for leaving in among]
            values = [self._find_bic_on_all(feature, subset) for subset in fewer]
            least = int(np.argmin(values))
            if values[least] > best:
                break
            best, among = values[least], fewer[least]
        return best

    def _find_bic_on_all(self, feature: int, predictors: Sequence[int]) -> float:
        on = list(predictors)
        unexplained = 1.0
        if on:
            shared = self.correlations[on, feature]
            slopes = np.linalg.lstsq(self.correlations[np.ix_(on, on)], shared, rcond=None)[0]
            unexplained -= float(shared @ slopes)
        if unexplained <= NOTHING:
            return -math.inf
        variance = unexplained * float(self.variances[feature])
        return self.n * (math.log(2.0 * math.pi * variance) + 1.0) + (len(on) + 2) * math.log(self.n)
