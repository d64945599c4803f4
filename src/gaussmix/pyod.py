"""The detector as one of PyOD's: higher scores for anomalies, labels 0 and 1, a share that is flagged.

It needs PyOD (``pip install pyod``), and goes wherever PyOD's own detectors go.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from gaussmix._reading.rows import read_named_rows
from gaussmix._typing import Float64Array
from gaussmix.estimators.detector import GaussianMixtureDetector

try:
    from pyod.models.base import BaseDetector
except ImportError as error:
    raise ImportError("gaussmix.pyod needs PyOD, which is not installed: pip install pyod") from error

__all__ = ["GaussianMixtureOD"]


class GaussianMixtureOD(BaseDetector):  # type: ignore[misc]
    """:class:`gaussmix.GaussianMixtureDetector` under PyOD's protocol.

    Every method of PyOD's `BaseDetector` does what PyOD says: `predict` gives 0 for normal rows and 1 for
    anomalies, and `predict_proba` two columns.

    Parameters
    ----------
    n_components, covariance_type, novelty, trim, scaling, random_state
        Those of :class:`gaussmix.GaussianMixtureDetector`.
    contamination : float or PyThresh object, default=0.1
        The share of the rows of the fit that are labelled 1, above 0 and at most 0.5.

    Attributes
    ----------
    detector_ : GaussianMixtureDetector
        The detector that was fitted. Its `offset_` and `predict` know nothing of `contamination`.
    decision_scores_ : ndarray of shape (n_samples,)
        Minus the log-densities of the rows of the fit, in nats; higher is more abnormal.
    threshold_ : float
        Rows whose score is above are labelled 1.
    labels_ : ndarray of shape (n_samples,)
        Labels of the rows of the fit.

    References
    ----------
    Y. Zhao, Z. Nasrullah and Z. Li, PyOD: A Python toolbox for scalable outlier detection, J. Mach. Learn.
    Res. 20 (2019) 1-7.

    Examples
    --------
    >>> import numpy as np
    >>> from gaussmix.pyod import GaussianMixtureOD
    >>> X = np.vstack([np.random.default_rng(0).normal(size=(95, 2)), np.full((5, 2), 9.0)])
    >>> model = GaussianMixtureOD(contamination=0.05, random_state=0).fit(X)
    >>> np.flatnonzero(model.labels_)
    array([95, 96, 97, 98, 99])
    >>> model.predict(np.array([[0.0, 0.0], [20.0, 20.0]]))
    array([0, 1])
    """

    def __init__(
        self,
        n_components: int | str = "auto",
        covariance_type: str = "auto",
        contamination: Any = 0.1,
        novelty: bool = False,
        trim: float | str = "auto",
        scaling: str = "auto",
        random_state: Any = None,
    ) -> None:
        super().__init__(contamination=contamination)
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.novelty = novelty
        self.trim = trim
        self.scaling = scaling
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit the density of the normal rows among X, of shape (n_samples, n_features); y is ignored."""
        self._set_n_classes(None)  # PyOD would warn of y, and count its classes
        detector = GaussianMixtureDetector(
            self.n_components,
            covariance_type=self.covariance_type,
            novelty=self.novelty,
            trim=self.trim,
            scaling=self.scaling,
            random_state=self.random_state,
        )
        self.detector_ = detector.fit(X)
        self.decision_scores_ = -detector.score_samples(X)
        self._process_decision_scores()
        return self

    def decision_function(self, X: Any) -> Float64Array:
        """Minus the log-density of each row, in nats, shape (n_samples,): higher is more abnormal."""
        check_is_fitted(self, ["decision_scores_", "threshold_", "labels_"])
        scores: Float64Array = -self.detector_.score_samples(X)
        return scores

    def predict_proba(self, X: Any, method: str = "linear", return_confidence: bool = False) -> Any:
        """Probabilities to be normal and to be an anomaly, shape (n_samples, 2).

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
        method : {"linear", "unify"}, default="linear"
            Scores between the least and the greatest of the fit, linearly; or by the error function of
            scores less their mean, in standard deviations.
        return_confidence : bool, default=False
            Also return the confidence of each prediction, of shape (n_samples,).
        """
        rows = X if hasattr(X, "shape") else np.asarray(read_named_rows(X)[0])  # PyOD asks for a shape
        return super().predict_proba(rows, method, return_confidence)
