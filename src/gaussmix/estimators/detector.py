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
    """Anomalies: rows where the density of the normal rows is low.

    The rows of the fit may hold anomalies: scattered ones up to two fifths of the rows, or a cluster of up to
    an eighth, which becomes no component; a larger cluster counts as normal. With ``novelty=True`` the rows
    of the fit are known to be normal, and the density follows them closely.

    Parameters
    ----------
    n_components : int or "auto", default="auto"
        "auto" is one or six, by BIC of the rows that are kept; of clean rows one or sixteen, by the
        likelihood of rows that are held out. A component of few rows is then taken for a cluster of
        anomalies and left out of the density.
    covariance_type : str, default="auto"
        "auto" is one shape for all components, so that no tight cluster of anomalies has a density of its
        own; of clean rows also a shape for each, shrunk towards the common one. It is that of factor
        analysers with six factors for more than 64 features, and variances alone for fewer rows than
        features. Or a family of :class:`GaussianMixture`, fitted to all rows as it is.
    contamination : float or "auto", default="auto"
        The share of the rows of the fit that is flagged. "auto" flags what is far: with r = sqrt(2 (max s -
        s)) of the scores s, a row whose r is above its median by more than four times the distance of the
        median from the lower quartile. Of normally distributed r that is one in 300.
    fpr : float, optional
        The share of *normal* rows that is flagged, in place of `contamination`: by the calibration, so that
        it holds for new rows, or else of the rows of the fit that are not far.
    novelty : bool, default=False
        Whether the rows of the fit are known to be normal.
    trim : float or "auto", default="auto"
        The share of the rows that no iteration of EM takes notice of. "auto" is .15, and none of clean rows.
    scaling : {"auto", "robust", "standard"} or None, default="auto"
        The scales of the columns: median and quartiles ("robust", which is "auto"), mean and standard
        deviation, or none. The scores depend on no unit but where there is none.
    calibration : {"split", "cross"}, SplitCalibration, CrossCalibration or None, default=None
        Where the scores of normal rows come from that `pvalues`, `select` and `fpr` count with
        (docs/pvalues.md).
    random_state : int, RandomState instance or None, default=None
        Of samples, starts and held-out rows.

    Attributes
    ----------
    model_ : NormalModel
        The columns' scales, and ``model_.mixture``, the density in these coordinates.
    offset_ : float
        The score under which a row is an anomaly.
    n_components_ : int
        Components of ``model_.mixture``: without trimming those of one mixture, else of the average of three.
    covariance_type_ : str
    trim_ : float
    calibration_ : CalibratedModels or None
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only when X was a data frame whose columns all have names of text.

    Notes
    -----
    Scores are log p(z), in nats, of z = (x - centre) / scale. How anomalies are kept out is described in
    docs/anomalies.md.

    References
    ----------
    P. J. Rousseeuw and K. Van Driessen, A fast algorithm for the minimum covariance determinant estimator,
    Technometrics 41 (1999) 212-223.

    Examples
    --------
    A cluster of anomalies among normal rows:

    >>> import numpy as np
    >>> from gaussmix import GaussianMixtureDetector
    >>> rng = np.random.default_rng(0)
    >>> X = np.concatenate([rng.normal(size=(270, 2)), rng.normal(7, 0.1, size=(30, 2))])
    >>> detector = GaussianMixtureDetector(random_state=0).fit(X)
    >>> int((detector.predict(X[-30:]) == -1).sum()), bool((detector.predict(X[:-30]) == 1).mean() > 0.95)
    (30, True)

    Three rows in a hundred of the normal ones may be flagged:

    >>> clean = GaussianMixtureDetector(novelty=True, fpr=0.03, calibration="cross", random_state=0)
    >>> clean.fit(X[:-30]).predict([[0.0, 0.5], [7.0, 7.0]])
    array([ 1, -1])
    """

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
        """Fit the density of the normal rows among X.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
        y : ignored
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative. An integer weight is that many copies of the row; a zero is a row that is absent.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the data or a parameter is wrong, or both `fpr` and `contamination` are given.
        """
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
