"""Which rows a calibration holds out, and the models that have not seen them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeAlias, TypeVar

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.apps.anomaly.conformal import Calibration, CalibrationScores
from gaussmix.apps.anomaly.thresholds import is_share, is_whole


class Scorer(Protocol):
    """A model of the normal rows: what gives rows their scores."""

    def log_prob(self, X: Float64Array) -> Float64Array:
        """The score of each row, of shape (n,); high for rows that look normal."""


M = TypeVar("M", bound=Scorer)
#: Fits a model to rows and their weights.
FitModel: TypeAlias = Callable[[Float64Array, Float64Array | None], M]


@dataclass(frozen=True)
class SplitCalibration:
    """Split-conformal calibration: one part of the rows is for the fit, the other for p-values.

    Parameters
    ----------
    n_calib : float or int, default=0.3
        The share of the rows that are held out, or their number. The least p-value is 1 / (number + 1).

    Examples
    --------
    >>> from gaussmix import SplitCalibration
    >>> SplitCalibration(n_calib=0.5)
    SplitCalibration(n_calib=0.5)
    """

    n_calib: float = 0.3

    def __post_init__(self) -> None:
        """Raise ValueError unless it is a share or a number of rows."""
        if not is_whole(self.n_calib, 1) and not is_share(self.n_calib):
            raise ValueError(
                "n_calib must be a share above 0 and below 1, or a whole number of rows; got "
                f"{self.n_calib!r}"
            )

    def hold_out(self, n: int, rng: np.random.Generator) -> list[IntArray]:
        """The rows of n that are held out, drawn at random."""
        number = int(self.n_calib) if is_whole(self.n_calib, 1) else math.ceil(n * self.n_calib)
        if number > n - 2:
            raise ValueError(
                f"n_calib={self.n_calib!r} of {n} rows leaves {max(n - number, 0)} for the fit, which needs "
                "2 or more. Hold out fewer rows"
            )
        return [np.sort(rng.permutation(n)[:number])]


@dataclass(frozen=True)
class CrossCalibration:
    """Cross-conformal calibration: every row is held out once, by the model of its fold.

    All rows serve both fit and p-values, which suits few rows. It takes `k` fits more.

    Parameters
    ----------
    k : int, default=5
        The number of folds; at most that of the rows.
    plus : bool, default=True
        Compare each calibration row with the score of the new row by the model of that fold (CV+): then what
        is proved holds, and a new row is scored `k` times. Otherwise the new row has the score of one model
        of all rows: faster, and nothing is proved.

    Examples
    --------
    >>> from gaussmix import CrossCalibration
    >>> CrossCalibration(k=10)
    CrossCalibration(k=10, plus=True)
    """

    k: int = 5
    plus: bool = True

    def __post_init__(self) -> None:
        """Raise ValueError unless there are two folds or more."""
        if not is_whole(self.k, 2):
            raise ValueError(f"k must be a whole number of folds, 2 or more; got {self.k!r}")
        if self.plus not in (True, False):
            raise ValueError(f"plus must be True or False; got {self.plus!r}")

    def hold_out(self, n: int, rng: np.random.Generator) -> list[IntArray]:
        """The rows of each fold, drawn at random, of sizes that differ by one at most."""
        if n < max(self.k, 3):
            raise ValueError(f"k={self.k} folds need as many rows or more, and at least 3; got {n}")
        return [np.sort(fold) for fold in np.array_split(rng.permutation(n), self.k)]


#: What asks for a calibration: a request, or the name of one with its defaults.
CalibrationRequest: TypeAlias = SplitCalibration | CrossCalibration
REQUESTS: dict[str, CalibrationRequest] = {"split": SplitCalibration(), "cross": CrossCalibration()}


@dataclass(frozen=True, eq=False)
class CalibratedModels(Generic[M]):
    """Models, and the scores that each gave to rows that it has not seen.

    Parameters
    ----------
    models : tuple of models
        One, or one for each fold.
    calibration : Calibration
        With one part for each model.
    """

    models: tuple[M, ...]
    calibration: Calibration

    def pvalues(
        self,
        X: Float64Array,
        sample_weight: Float64Array | None = None,
        rng: np.random.Generator | None = None,
    ) -> Float64Array:
        """The p-value of each row, as :meth:`Calibration.pvalues` has it."""
        scores = np.array([model.log_prob(X) for model in self.models], dtype=np.float64)
        return self.calibration.pvalues(scores, sample_weight, rng)


def calibrate_model(
    model: M, X: Float64Array, sample_weight: Float64Array | None = None
) -> CalibratedModels[M]:
    """A fitted model with rows that are held out and normal."""
    scores = CalibrationScores.of(model.log_prob(X), sample_weight)
    return CalibratedModels((model,), Calibration((scores,)))


def fit_calibrated(
    fit_model: FitModel[M],
    X: Float64Array,
    request: CalibrationRequest,
    rng: np.random.Generator,
    sample_weight: Float64Array | None = None,
) -> tuple[M, CalibratedModels[M]]:
    """The model that scores rows, and the models with their calibration.

    Of a split the first is the model of the rows that are not held out; of folds it is that of all rows. Rows
    of no weight take no part.
    """
    if sample_weight is not None:
        X, sample_weight = X[sample_weight > 0.0], sample_weight[sample_weight > 0.0]
    held_out = request.hold_out(len(X), rng)
    if isinstance(request, SplitCalibration):
        calibrated = _fit_without(fit_model, X, sample_weight, held_out)
        return calibrated.models[0], calibrated
    model = fit_model(X, sample_weight)
    calibrated = _fit_without(fit_model, X, sample_weight, held_out)
    if request.plus:
        return model, calibrated
    return model, CalibratedModels((model,), calibrated.calibration.pool())


def _fit_without(
    fit_model: FitModel[M], X: Float64Array, sample_weight: Float64Array | None, held_out: Sequence[IntArray]
) -> CalibratedModels[M]:
    """A model for each set of rows, fitted to all others, with its scores of these."""
    models, parts = [], []
    for held in held_out:
        rest = np.delete(np.arange(len(X)), held)
        model = fit_model(X[rest], None if sample_weight is None else sample_weight[rest])
        weights = None if sample_weight is None else sample_weight[held]
        models.append(model)
        parts.append(CalibrationScores.of(model.log_prob(X[held]), weights))
    return CalibratedModels(tuple(models), Calibration(tuple(parts)))
