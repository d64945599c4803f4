"""Likelihood and criteria of rows under a fitted estimator."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix._reading.rows import read_sample_weight
from gaussmix.estimators._state import State
from gaussmix.select.criteria import measure_doubt


class Scoring(State):
    """The methods of a fitted estimator that say how well it describes rows."""

    score_samples: Any
    predict_proba: Any

    def score(self, X: Any, y: Any = None, sample_weight: npt.ArrayLike | None = None) -> float:
        """Mean log-density of the rows, weighted by `sample_weight` if given.

        GridSearchCV compares models by it, on rows that each fold has held out. A criterion such as BIC pays
        for parameters already, and inside of cross-validation would make them pay twice (docs/choosing.md).
        """
        if sample_weight is None:
            return float(self.score_samples(X).mean())
        weight, log_likelihood = self._sum_log_density(X, sample_weight)
        return log_likelihood / weight

    def bic(self, X: Any, sample_weight: npt.ArrayLike | None = None) -> float:
        """Bayesian information criterion on X, p log n - 2 log L; lower is better. n is the total weight."""
        n, log_likelihood = self._sum_log_density(X, sample_weight)
        return self._n_parameters() * math.log(n) - 2.0 * log_likelihood

    def aic(self, X: Any, sample_weight: npt.ArrayLike | None = None) -> float:
        """Akaike's information criterion on X, 2 p - 2 log L; lower is better."""
        return 2.0 * self._n_parameters() - 2.0 * self._sum_log_density(X, sample_weight)[1]

    def icl(self, X: Any, sample_weight: npt.ArrayLike | None = None) -> float:
        """Integrated completed likelihood on X, BIC - 2 sum_i w_i log max_k r_ik; lower is better."""
        responsibilities = self.predict_proba(X)
        weights = read_sample_weight(sample_weight, len(responsibilities))
        return self.bic(X, sample_weight) + 2.0 * measure_doubt(responsibilities, weights)

    def _sum_log_density(self, X: Any, sample_weight: npt.ArrayLike | None) -> tuple[float, float]:
        """Total weight of the rows and their total log-likelihood."""
        log_density = self.score_samples(X)
        weights = read_sample_weight(sample_weight, log_density.shape[0])
        if weights is None:
            return float(log_density.shape[0]), float(log_density.sum(dtype=np.float64))
        return float(weights.sum()), float(weights @ log_density)

    def _n_parameters(self) -> int:
        """Free parameters, less those that constraints held in the fit."""
        mixture, result = self._get_mixture(), self.__dict__.get("fit_result_")
        return mixture.n_parameters - (0 if result is None else result.n_fixed_parameters)
