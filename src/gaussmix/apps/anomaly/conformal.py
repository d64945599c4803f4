"""Conformal p-values: the share of normal rows that score as low as a new row, from calibration rows.

Scores are high for rows that look normal. With calibration scores c_i of weights w_i and a new row of score s
and weight w,

    p = (sum of the w_i with c_i <= s, and w) / (sum of all w_i, and w)

A weight is how many rows a row stands for, and a new row is one: p = (1 + number of c_i <= s) / (n + 1).
Under covariate shift a weight is the density of the new rows over that of the calibration rows, up to one
factor for both.

Of several models (cross-conformal p-values) each calibration row has the score of the model that has not seen
it, and is compared with the score that this same model gives the new row; the sums go over all of them.

References
----------
V. Vovk, A. Gammerman and G. Shafer, Algorithmic Learning in a Random World, Springer 2005, chapter 2.
S. Bates, E. Candes, L. Lei, Y. Romano and M. Sesia, Testing for outliers with conformal p-values, Ann. Stat.
51 (2023) 149-178.
V. Vovk, Cross-conformal predictors, Ann. Math. Artif. Intell. 74 (2015) 9-28.
R. F. Barber, E. J. Candes, A. Ramdas and R. J. Tibshirani, Predictive inference with the jackknife+, Ann.
Stat. 49 (2021) 486-507.
R. J. Tibshirani, R. F. Barber, E. J. Candes and A. Ramdas, Conformal prediction under covariate shift,
NeurIPS 2019.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from gaussmix._typing import Float64Array

#: What a search among sorted scores counts: those below a score, or also those equal to it.
Side = Literal["left", "right"]


@dataclass(frozen=True, eq=False)
class CalibrationScores:
    """Scores that one model gives to rows that it has not seen, in order, with their weights.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        In ascending order.
    cumulated : ndarray of shape (n + 1,)
        The weight of the first 0, 1, ..., n of them.
    """

    scores: Float64Array
    cumulated: Float64Array

    @classmethod
    def of(cls, scores: npt.ArrayLike, sample_weight: Float64Array | None = None) -> CalibrationScores:
        """From scores in any order; without weights each counts once. Rows of no weight are left out."""
        values = _check_scores(scores, 1)
        weights = np.ones(len(values)) if sample_weight is None else sample_weight
        values, weights = values[weights > 0.0], weights[weights > 0.0]
        if not len(values):
            raise ValueError("calibration needs at least one row whose weight is above zero; got none")
        order = np.argsort(values, kind="stable")
        return cls(values[order], np.concatenate([[0.0], np.cumsum(weights[order])]))

    @property
    def weight(self) -> float:
        """The weight of all rows."""
        return float(self.cumulated[-1])

    def weigh(self, scores: Float64Array, side: Side) -> Float64Array:
        """The weight of the rows that score below each of these scores ("left"), or as low ("right")."""
        return self.cumulated[np.searchsorted(self.scores, scores, side=side)]


@dataclass(frozen=True, eq=False)
class Calibration:
    """From scores of new rows to p-values.

    Parameters
    ----------
    parts : tuple of CalibrationScores
        Those of each model: one, or one for each fold.
    """

    parts: tuple[CalibrationScores, ...]

    @property
    def weight(self) -> float:
        """The weight of all calibration rows."""
        return sum(part.weight for part in self.parts)

    def pvalues(
        self,
        scores: npt.ArrayLike,
        sample_weight: Float64Array | None = None,
        rng: np.random.Generator | None = None,
    ) -> Float64Array:
        """The p-value of each new row.

        Parameters
        ----------
        scores : array-like of shape (m,), or (number of models, m)
            Scores of the new rows, by each of the models.
        sample_weight : ndarray of shape (m,), optional
            Weights of the new rows in units of those of the calibration rows; one by default.
        rng : Generator, optional
            Breaks ties at random: the weight of equal scores and of the row itself counts by a share that is
            uniform between zero and one. Such p-values of normal rows are exactly uniform.

        Returns
        -------
        ndarray of shape (m,)
            Above zero, at most one; at least w / (weight of all calibration rows + w), unless `rng` is given.
        """
        values = np.atleast_2d(_check_scores(scores, 2))
        if len(values) != len(self.parts):
            raise ValueError(
                f"scores must have one row for each of the {len(self.parts)} models; got {len(values)}"
            )
        own = np.ones(values.shape[1]) if sample_weight is None else sample_weight
        # from one part on, so that the sums of numerator and denominator round alike: no p-value is above one
        total = self.weight + own
        if rng is None:
            return (self._weigh(values, "right") + own) / total
        below = self._weigh(values, "left")
        equal = self._weigh(values, "right") - below
        return np.asarray((below + rng.uniform(size=len(own)) * (equal + own)) / total)

    def _weigh(self, scores: Float64Array, side: Side) -> Float64Array:
        return np.asarray(sum(part.weigh(row, side) for part, row in zip(self.parts, scores, strict=True)))

    def pool(self) -> Calibration:
        """All scores as those of one model: what to compare with the scores of a model that saw all rows."""
        if len(self.parts) == 1:
            return self
        scores = np.concatenate([part.scores for part in self.parts])
        weights = np.concatenate([np.diff(part.cumulated) for part in self.parts])
        return Calibration((CalibrationScores.of(scores, weights),))

    def find_threshold(self, fpr: float) -> float:
        """The largest threshold below which every score has a p-value of at most `fpr`.

        Of a new normal row that counts once, the probability to score below it is at most `fpr`. Raises
        ValueError where so few calibration rows allow no such threshold. Scores of several models are pooled.
        """
        part = self.pool().parts[0]
        steps = (part.cumulated[:-1] + 1.0) / (part.weight + 1.0)
        reached = int(np.searchsorted(steps, fpr, side="right"))
        if not reached:
            least = 1.0 / fpr - 1.0
            raise ValueError(
                f"fpr={fpr:.6g} needs a weight of {least:.6g} calibration rows or more: with "
                f"{part.weight:.6g} no p-value is below {steps[0]:.3g}. Calibrate on "
                "more rows, or ask for a larger fpr"
            )
        return float(part.scores[reached - 1])


def _check_scores(scores: npt.ArrayLike, most_axes: int) -> Float64Array:
    values = np.asarray(scores, dtype=np.float64)
    if not 1 <= values.ndim <= most_axes:
        raise ValueError(f"scores must have one number for each row; got the shape {values.shape}")
    if np.isnan(values).any():
        raise ValueError("scores must be numbers; there are NaNs among them")
    return values
