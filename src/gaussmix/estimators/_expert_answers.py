"""What a fitted mixture of experts says of rows, beside what every regressor does."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import r2_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from gaussmix._check import check_finite
from gaussmix._reading.rows import read_sample_weight
from gaussmix._typing import BoolArray, Float64Array, FloatArray
from gaussmix.apps.experts.errors import ExpertErrors
from gaussmix.apps.experts.regression import ExpertsRegression
from gaussmix.apps.regression.scoring import read_came
from gaussmix.estimators._expert_errors import estimate_expert_errors, read_masses
from gaussmix.estimators._predicting import Predicting
from gaussmix.estimators._validate import read_estimator_rows


def _has_density(model: Any) -> bool:
    """Whether the gate is a density of its features."""
    return bool(model.gate == "gaussian")


class ExpertAnswers(Predicting):
    """The methods of a regressor of experts."""

    _regression: ExpertsRegression
    #: Log-density of the gate's features below which rows are rejected.
    density_threshold_: float
    n_outputs_: int
    alpha: float
    gate_alpha: float

    def predict(
        self,
        X: Any,
        *,
        return_std: bool = False,
        return_cov: bool = False,
        quantiles: npt.ArrayLike | None = None,
        return_mixture: bool = False,
        point: str = "mean",
    ) -> Any:
        """What is to be expected of y, and how sure that is.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
        return_std : bool, default=False
            Whether to return the standard deviation of each output, in the shape of the point.
        return_cov : bool, default=False
            Whether to return the covariance of the outputs, shape (n_samples, n_outputs, n_outputs).
        quantiles : float or array-like of shape (n_quantiles,), optional
            Shares from 0 to 1. The quantiles of each output have the shape of the point, with one more axis
            at the end for several shares.
        return_mixture : bool, default=False
            Whether to return the predictive distributions.
        point : {"mean", "median", "mode"}, default="mean"
            What is returned first: the mean; the median of each output; or a point of highest density of all
            outputs together.

        Returns
        -------
        point : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The shape follows that of y in the fit; NaN for rows that are rejected (`reject_density`). If
            nothing else is asked for, it is returned alone, else as the first of a tuple.
        std, cov, quantiles : ndarray
            What is asked for, in this order.
        mixture : MixtureBatch
            The mixture of the experts for each row, with their shares as weights.

        Raises
        ------
        ValueError
            If X has other features, or numbers that are not finite, or a parameter is wrong.
        """
        found = super().predict(
            X,
            return_std=return_std,
            return_cov=return_cov,
            quantiles=quantiles,
            return_mixture=return_mixture,
            point=point,
        )
        if np.isfinite(self.density_threshold_):
            first = found[0] if isinstance(found, tuple) else found
            first[self.find_rejected(X)] = np.nan
        return found

    def score(self, X: Any, y: Any, sample_weight: npt.ArrayLike | None = None) -> float:
        """R squared of the points predicted for rows that are not rejected; best is 1.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), optional

        Raises
        ------
        ValueError
            If all rows are rejected, or as for :meth:`predict`.
        """
        points = self.predict(X)
        came = self._read_observed(points, y)
        kept = ~np.isnan(points.reshape(len(points), -1)).any(axis=1)
        if not kept.any():
            raise ValueError("all rows are rejected (reject_density), so that there is no point to score")
        weights = read_sample_weight(sample_weight, len(points))
        return float(
            r2_score(came[kept], points[kept], sample_weight=None if weights is None else weights[kept])
        )

    def predict_experts(self, X: Any) -> Float64Array:
        """The mean of each expert, shape (n_samples, n_experts), or (n_samples, n_experts, n_outputs)."""
        means = self._regression.locate(self._read_inputs(X))
        return means[:, :, 0] if self._single else means

    def predict_shares(self, X: Any) -> Float64Array:
        """The share that the gate gives each expert, g_k(x), shape (n_samples, n_experts)."""
        rows = self._read_inputs(X)
        return np.asarray(np.exp(self._regression.find_log_shares(rows)))

    def responsibilities(self, X: Any, y: Any) -> Float64Array:
        """Posterior probability of each expert, given a row and its y, g_k p_k / p.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)

        Returns
        -------
        ndarray of shape (n_samples, n_experts)
            Rows sum to one.
        """
        rows = self._read_inputs(X)
        return self._regression.responsibilities(rows, self._read_observed(rows, y))

    def log_prob(self, X: Any, y: Any) -> Float64Array:
        """Predictive log-density of y given X, log p(y | x), in nats, for each row; shape (n_samples,).

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        """
        rows = self._read_inputs(X)
        return self._regression.log_prob(rows, self._read_observed(rows, y))

    def estimate_errors(
        self,
        X: Any,
        y: Any,
        sample_weight: npt.ArrayLike | None = None,
        *,
        information: str = "observed",
    ) -> ExpertErrors:
        """Standard errors of a fit with Gaussian linear experts and a softmax gate or none.

        They are those of the matrix V, with l the log-likelihood, less the ridges, and t free coordinates of
        the parameters, taken to each parameter by the delta method::

            observed    V = I^-1,  I = -d^2 l / dt^2
            sandwich    V = I^-1 J I^-1,  J = sum_i w_i s_i s_i',  s_i = d log p(y_i | x_i) / dt

        Parameters
        ----------
        X, y, sample_weight
            Those of the fit.
        information : {"observed", "sandwich"}
            The sandwich holds where the model is wrong, too.

        Returns
        -------
        ExpertErrors
            `standard_errors`, in the shapes of the estimates, and tables: `to_dict`, `to_frame`, `summary`.

        Raises
        ------
        ValueError
            If experts or gate are of another kind, or the information is not positive definite.

        References
        ----------
        T. A. Louis, Finding the observed information matrix when using the EM algorithm, J. R. Stat. Soc. B
        44 (1982) 226-233.
        """
        rows = self._read_inputs(X)
        came = self._read_observed(rows, y)
        present, masses = read_masses(read_sample_weight(sample_weight, len(rows)), len(rows))
        names = getattr(self, "feature_names_in_", [f"x{j}" for j in range(rows.shape[1])])
        return estimate_expert_errors(
            self._regression,
            np.asarray(rows[present], dtype=np.float64),
            came[present],
            masses,
            tuple(map(str, names)),
            alpha=float(self.alpha),
            gate_alpha=float(self.gate_alpha),
            information=information,
        )

    @available_if(_has_density)  # type: ignore[untyped-decorator]
    def score_samples(self, X: Any) -> Float64Array:
        """Log-density of the gate's features of each row, in nats, shape (n_samples,); of a Gaussian gate.

        Low values are rows far from those of the fit, of which a prediction is an extrapolation.
        """
        rows = self._read_inputs(X)
        return self._regression.find_log_densities(rows)

    @available_if(_has_density)  # type: ignore[untyped-decorator]
    def find_rejected(self, X: Any) -> BoolArray:
        """Which rows are less dense than `reject_density` of the training rows, shape (n_samples,)."""
        rows = self._read_inputs(X)
        return np.asarray(self._regression.find_log_densities(rows) < self.density_threshold_)

    def _read_inputs(self, X: Any) -> FloatArray:
        check_is_fitted(self)
        rows = read_estimator_rows(self, X)
        check_finite(rows, "X", getattr(self, "feature_names_in_", None))
        return rows

    def _read_observed(self, rows: FloatArray, y: Any) -> Float64Array:
        return read_came(y, self.n_outputs_, len(rows))
