"""Calibration, p-values and selection: how unusual rows are among normal ones."""

from __future__ import annotations

import warnings
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from gaussmix._reading.rows import read_sample_weight
from gaussmix._typing import BoolArray, Float64Array
from gaussmix.apps.anomaly.calibration import (
    REQUESTS,
    CalibratedModels,
    CalibrationRequest,
    FitModel,
    calibrate_model,
    fit_calibrated,
)
from gaussmix.apps.anomaly.normal_model import NormalModel
from gaussmix.apps.anomaly.selection import advise_more_rows, select_anomalies
from gaussmix.apps.anomaly.thresholds import find_share_threshold

#: How equal scores count in a p-value: in full, or by a random share.
TieBreak = Literal["classical", "randomized"]


class PValues:
    """A detector whose scores can be calibrated on normal rows that its density has not seen."""

    calibration: Any
    fpr: float | None
    random_state: Any
    model_: NormalModel
    calibration_: CalibratedModels[NormalModel] | None
    offset_: float
    _read: Any

    def calibrate(self, X: Any, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Calibrate the fitted density on rows that are normal and were not in the fit.

        It takes the place of a calibration that the fit has made. With `fpr`, `offset_` follows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The least p-value is 1 / (n_samples + 1). Anomalies among these rows make p-values larger than
            they need be.
        sample_weight : array-like of shape (n_samples,), optional
            How many rows each stands for; or, under covariate shift, the density of the rows to come over
            that of these rows.

        Returns
        -------
        self
        """
        check_is_fitted(self)
        rows = self._read(X)
        calibrated = calibrate_model(self.model_, rows, read_sample_weight(sample_weight, len(rows)))
        if self.fpr is not None:
            self.offset_ = calibrated.calibration.find_threshold(self.fpr)
        self.calibration_ = calibrated
        return self

    def pvalues(
        self, X: Any, sample_weight: npt.ArrayLike | None = None, *, tie_break: TieBreak = "classical"
    ) -> Float64Array:
        """Conformal p-values: the share of normal rows that look as unusual as each row of X.

        p = (sum of the weights of calibration rows that score at most as high, and w) / (sum of all, and w),
        with w the row's own weight. The p-value of a new normal row is at most a with a probability of at
        most a, over draws of it and of the calibration rows, however badly the density fits. For folds at
        most 2 a and a little is proved, and about a found (docs/pvalues.md).

        Rows of the fit do not count as new. Where anomalies were among the calibration rows, p-values are
        conservative: too large, and the share is below a.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        sample_weight : array-like of shape (n_samples,), optional
            Weights of these rows, in units of those of the calibration rows; one by default. Under covariate
            shift: the density of new rows over that of calibration rows, up to the same factor.
        tie_break : {"classical", "randomized"}, default="classical"
            "randomized" counts the row itself, and calibration rows of equal score, by a random share, which
            makes p-values of normal rows uniform. `random_state` decides it.

        Returns
        -------
        ndarray of shape (n_samples,)

        Raises
        ------
        NotFittedError
            Where there is no calibration.

        References
        ----------
        S. Bates, E. Candes, L. Lei, Y. Romano and M. Sesia, Testing for outliers with conformal p-values,
        Ann. Stat. 51 (2023) 149-178.

        Examples
        --------
        >>> import numpy as np
        >>> from gaussmix import GaussianMixtureDetector
        >>> X = np.random.default_rng(0).normal(size=(1000, 2))
        >>> detector = GaussianMixtureDetector(novelty=True, calibration="split", random_state=0).fit(X)
        >>> p = detector.pvalues([[0.0, 0.0], [9.0, 9.0]])
        >>> bool(p[0] > 0.5), bool(p[1] == 1 / 301)
        (True, True)
        """
        if tie_break not in ("classical", "randomized"):
            raise ValueError(f"tie_break must be 'classical' or 'randomized'; got {tie_break!r}")
        calibrated = self._get_calibrated()
        rows = self._read(X)
        rng = self._make_generator() if tie_break == "randomized" else None
        return calibrated.pvalues(rows, read_sample_weight(sample_weight, len(rows)), rng)

    def select(self, X: Any, fdr: float = 0.1, sample_weight: npt.ArrayLike | None = None) -> BoolArray:
        """The rows of X that are anomalies, of which a share of about `fdr` at most is normal.

        Benjamini and Hochberg's procedure on the p-values of all rows together: the expected share of normal
        rows among those selected is at most `fdr` for split-conformal p-values of unit weights. For folds and
        for weights nothing is proved, and simulations find it held (docs/pvalues.md). Of m rows, i are
        selected only if the least p-value of n calibration rows allows it: 1 / (n + 1) <= fdr i / m. Where
        this alone is why no row is selected, a UserWarning says so.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows to choose from, all at once.
        fdr : float, default=0.1
            False-discovery rate, above 0 and below 1.
        sample_weight : array-like of shape (n_samples,), optional
            As in `pvalues`.

        Returns
        -------
        ndarray of bool, of shape (n_samples,)

        References
        ----------
        Y. Benjamini and Y. Hochberg, Controlling the false discovery rate, J. R. Stat. Soc. B 57 (1995)
        289-300.

        Examples
        --------
        >>> import numpy as np
        >>> from gaussmix import GaussianMixtureDetector
        >>> rng = np.random.default_rng(0)
        >>> detector = GaussianMixtureDetector(novelty=True, calibration="split", random_state=0)
        >>> detector = detector.fit(rng.normal(size=(1000, 2)))
        >>> X = np.vstack([rng.normal(size=(95, 2)), np.full((5, 2), 9.0)])
        >>> bool(detector.select(X, fdr=0.2)[-5:].all())
        True
        """
        pvalues = self.pvalues(X, sample_weight)
        selected = select_anomalies(pvalues, fdr)
        if sample_weight is None:
            advice = advise_more_rows(pvalues, self._get_calibrated().calibration.weight, fdr)
            if advice:
                warnings.warn(advice, stacklevel=2)
        return selected

    def _get_calibrated(self) -> CalibratedModels[NormalModel]:
        check_is_fitted(self)
        if self.calibration_ is None:
            raise NotFittedError(
                f"this {type(self).__name__} has no calibration: set calibration='split' or 'cross' before "
                "`fit`, or call `calibrate` with normal rows that were not in the fit"
            )
        return self.calibration_

    def _fit_models(
        self, fit_model: FitModel[NormalModel], rows: Float64Array, weights: Float64Array | None
    ) -> tuple[NormalModel, CalibratedModels[NormalModel] | None]:
        """The model that scores rows, and the calibration that is asked for, if any."""
        if self.calibration is None:
            return fit_model(rows, weights), None
        asked = self.calibration
        request: CalibrationRequest = REQUESTS[asked] if isinstance(asked, str) else asked
        return fit_calibrated(fit_model, rows, request, self._make_generator(), weights)

    def _find_offset_of_fpr(
        self, fpr: float, model: NormalModel, calibrated: CalibratedModels[NormalModel] | None
    ) -> float:
        """The threshold of a false-positive rate: by calibration, else of training rows that are normal."""
        if calibrated is not None:
            return calibrated.calibration.find_threshold(fpr)
        return find_share_threshold(model.training_scores, fpr, model.kept)

    def _make_generator(self) -> np.random.Generator:
        return np.random.default_rng(check_random_state(self.random_state).randint(2**31, size=4))
