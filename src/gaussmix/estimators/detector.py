"""The scikit-learn face of anomaly detection: a density of the normal rows and a threshold."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, OutlierMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from gaussmix._check import check_finite
from gaussmix._reading.rows import read_sample_weight
from gaussmix._typing import Float64Array, IntArray
from gaussmix.apps.anomaly.calibration import CrossCalibration, SplitCalibration
from gaussmix.apps.anomaly.density import DensityRequest
from gaussmix.apps.anomaly.normal_model import NormalModel, find_fence, fit_normal_model
from gaussmix.apps.anomaly.thresholds import find_share_threshold
from gaussmix.estimators._explaining import Explaining
from gaussmix.estimators._keeping import Keeping
from gaussmix.estimators._pvalues import PValues
from gaussmix.estimators._validate import list_allowed, read_estimator_rows


class GaussianMixtureDetector(Explaining, PValues, Keeping, OutlierMixin, BaseEstimator):  # type: ignore[misc]
    """Anomalies: rows where the density of the normal rows is low."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_components": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "covariance_type": [*list_allowed("covariance_type"), StrOptions({"auto"})],
        "contamination": [Interval(Real, 0, 0.5, closed="right"), StrOptions({"auto"})],
        "fpr": [Interval(Real, 0, 1, closed="neither"), None],
        "novelty": ["boolean"],
        "trim": [Interval(Real, 0, 1, closed="left"), StrOptions({"auto"})],
        "scaling": [StrOptions({"auto", "robust", "standard"}), None],
        "calibration": [StrOptions({"split", "cross"}), SplitCalibration, CrossCalibration, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components: int | str = "auto",
        *,
        covariance_type: str = "auto",
        contamination: float | str = "auto",
        fpr: float | None = None,
        novelty: bool = False,
        trim: float | str = "auto",
        scaling: str | None = "auto",
        calibration: str | SplitCalibration | CrossCalibration | None = None,
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.contamination = contamination
        self.fpr = fpr
        self.novelty = novelty
        self.trim = trim
        self.scaling = scaling
        self.calibration = calibration
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any = None, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Fit the density of the normal rows among X."""
        if self.fpr is not None and not isinstance(self.contamination, str):
            raise ValueError(
                f"contamination={self.contamination!r} and fpr={self.fpr!r} are two thresholds: give one"
            )
        rows = self._read(X, reset=True)
        weights = read_sample_weight(sample_weight, len(rows))
        model, calibrated = self._fit_models(self._fit_model, rows, weights)
        # with a calibration, the rows that `model` has seen are not all
        scores = model.training_scores if calibrated is None else model.log_prob(rows)
        if self.fpr is None:
            offset = self._find_offset(scores, weights)
        else:
            offset = self._find_offset_of_fpr(self.fpr, model, calibrated)
        self.model_, self.calibration_, self.offset_ = model, calibrated, offset
        self.n_components_ = self.model_.mixture.n_components
        self.covariance_type_ = self.model_.mixture.covariance_type
        self.trim_ = self.model_.trim
        self._keep_normal_rows(rows, scores, weights)
        return self

    def _fit_model(self, rows: Float64Array, weights: Float64Array | None) -> NormalModel:
        return fit_normal_model(
            rows,
            DensityRequest(self.n_components, self.covariance_type, self.trim, self.novelty),
            scaling="robust" if self.scaling == "auto" else self.scaling,
            weights=weights,
            random_state=self.random_state,
        )

    def _find_offset(self, scores: Float64Array, weights: Float64Array | None) -> float:
        """The threshold by which the share of the rows that `contamination` says is flagged."""
        if isinstance(self.contamination, str):
            return find_fence(scores, np.ones(len(scores)) if weights is None else weights)
        return find_share_threshold(scores, float(self.contamination), weights)

    def score_samples(self, X: Any) -> Float64Array:
        """Log-density of each row under the density of the normal rows, in nats, shape (n_samples,)."""
        check_is_fitted(self)
        return self.model_.log_prob(self._read(X))

    def decision_function(self, X: Any) -> Float64Array:
        """`score_samples` less `offset_`, negative for anomalies, shape (n_samples,)."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> IntArray:
        """1 for normal rows and -1 for anomalies, shape (n_samples,)."""
        return np.where(self.decision_function(X) < 0.0, -1, 1)

    def _read(self, X: Any, *, reset: bool = False) -> Float64Array:
        rows = np.asarray(read_estimator_rows(self, X, reset=reset), dtype=np.float64)
        check_finite(rows, "X", getattr(self, "feature_names_in_", None))
        return rows
