"""What a fitted regressor says of rows: points, spreads, quantiles, distributions, and scores of these."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from gaussmix._check import check_finite
from gaussmix._reading.rows import read_sample_weight
from gaussmix._typing import Float64Array, FloatArray
from gaussmix.apps.regression.grouped import Predictive
from gaussmix.apps.regression.scoring import DRAWS, crps, energy_score, read_observed
from gaussmix.estimators._validate import read_estimator_rows

#: Points that stand for a distribution.
POINTS = ("mean", "median", "mode")


class Regression(Protocol):
    """The model of a regressor."""

    def predict(self, rows: FloatArray) -> Predictive:
        """The predictive distributions of rows."""

    def find_means(self, rows: FloatArray) -> Float64Array:
        """Their means, shape (n, q)."""

    def find_moments(self, rows: FloatArray) -> tuple[Float64Array, Float64Array]:
        """Their means and standard deviations, shape (n, q)."""

    def find_log_densities(self, rows: FloatArray) -> Float64Array:
        """The log-density of each row, shape (n,)."""


class Predicting:
    """The methods of a regressor that has a predictive mixture for each row."""

    _regression: Regression
    #: Whether y had one axis.
    _single: bool

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
            NaN, or a missing cell of a data frame, stands for an input that is not known: the prediction is
            what the others say. A row without any has the distribution of y.
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
            The shape follows that of y in the fit. If nothing else is asked for, it is returned alone, else
            as the first of a tuple.
        std, cov, quantiles : ndarray
            What is asked for, in this order.
        mixture : MixtureBatch or GroupedBatch
            The latter where rows lack different inputs.

        Raises
        ------
        ValueError
            If X has other features, or infinite numbers, or a parameter is wrong.
        """
        if point not in POINTS:
            raise ValueError(f"point must be one of {', '.join(POINTS)}; got {point!r}")
        shares = None if quantiles is None else read_shares(quantiles)
        rows = self._read_inputs(X)
        if point == "mean" and shares is None and not (return_cov or return_mixture):
            if not return_std:
                return self._shape(np.array(self._regression.find_means(rows)))
            mean, std = self._regression.find_moments(rows)
            return self._shape(np.array(mean)), self._shape(np.array(std))
        batch = self._regression.predict(rows)
        found: list[Any] = [self._find_point(batch, point)]
        if return_std:
            found.append(self._shape(batch.std))
        if return_cov:
            found.append(np.array(batch.covariance))
        if shares is not None:
            found.append(self._shape(find_quantiles(batch, shares)))
        if return_mixture:
            found.append(batch)
        return found[0] if len(found) == 1 else tuple(found)

    def score_samples(self, X: Any) -> Float64Array:
        """Log-density of the inputs of each row, in nats, shape (n_samples,).

        Low values are inputs far from those of the fit, of which a prediction is an extrapolation. Missing
        inputs count for nothing.
        """
        return self._regression.find_log_densities(self._read_inputs(X))

    def log_prob(self, X: Any, y: Any) -> Float64Array:
        """Predictive log-density of y given X, log p(y | x), in nats, for each row; shape (n_samples,).

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        """
        batch = self._regression.predict(self._read_inputs(X))
        return batch.log_prob(read_observed(y, batch))

    def log_score(self, X: Any, y: Any, sample_weight: npt.ArrayLike | None = None) -> float:
        """Mean of :meth:`log_prob` over the rows, in nats; higher is better."""
        densities = self.log_prob(X, y)
        return float(np.average(densities, weights=read_sample_weight(sample_weight, len(densities))))

    def crps(self, X: Any, y: Any, sample_weight: npt.ArrayLike | None = None) -> float | Float64Array:
        """Mean continuous ranked probability score over the rows, in the units of y; lower is better.

        Returns
        -------
        float or ndarray of shape (n_outputs,)
            One number for each output, where y has two axes. :func:`gaussmix.crps` has those of each row.
        """
        batch = self._regression.predict(self._read_inputs(X))
        scores = crps(batch, read_observed(y, batch))
        means = np.average(scores, axis=0, weights=read_sample_weight(sample_weight, len(scores)))
        return float(means[0]) if self._single else np.asarray(means)

    def energy_score(
        self,
        X: Any,
        y: Any,
        sample_weight: npt.ArrayLike | None = None,
        *,
        n_samples: int = DRAWS,
        rng: np.random.Generator | int | None = None,
    ) -> float:
        """Mean :func:`gaussmix.energy_score` over the rows, of all outputs together; lower is better."""
        batch = self._regression.predict(self._read_inputs(X))
        scores = energy_score(batch, y, n_samples=n_samples, rng=rng)
        return float(np.average(scores, weights=read_sample_weight(sample_weight, len(scores))))

    def sample(
        self, X: Any, n_samples: int = 1, rng: np.random.Generator | int | None = None
    ) -> Float64Array:
        """Draw from the predictive distribution of each row.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
        n_samples : int, default=1
            Draws for each row.
        rng : numpy.random.Generator, int or None
            A generator goes on from where it is, so that each call draws afresh; an int seeds a new one.

        Returns
        -------
        ndarray of shape (n, n_samples) or (n, n_samples, n_outputs)
        """
        draws = self._regression.predict(self._read_inputs(X)).sample(n_samples, rng)[0]
        return draws[:, :, 0] if self._single else draws

    def _find_point(self, batch: Predictive, point: str) -> Float64Array:
        if point == "mean":
            return self._shape(np.array(batch.mean))
        return self._shape(batch.mode() if point == "mode" else find_quantiles(batch, np.array(0.5)))

    def _shape(self, values: Float64Array) -> Float64Array:
        """Values of the outputs, (n, q, ...), without the axis of outputs where y had none."""
        return values[:, 0] if self._single else values

    def _read_inputs(self, X: Any) -> FloatArray:
        check_is_fitted(self)
        return read_inputs(self, X)


def read_inputs(estimator: Any, X: Any, *, reset: bool = False) -> FloatArray:
    """Inputs, NaN where they are missing; ValueError where they are infinite or no numbers."""
    rows = read_estimator_rows(estimator, X, reset=reset, missing=True)
    if not np.isfinite(rows).all():  # NaN is a missing input, infinity is none
        names = getattr(estimator, "feature_names_in_", None)
        check_finite(np.where(np.isnan(rows), rows.dtype.type(0.0), rows), "X", names)
    return rows


def find_quantiles(batch: Predictive, shares: Float64Array) -> Float64Array:
    """Quantiles of each output, shape (n, q) or (n, q, m)."""
    each = [batch.marginal(j).quantile(shares) for j in range(batch.n_features)]
    return np.stack(each, axis=1)


def read_shares(quantiles: npt.ArrayLike) -> Float64Array:
    """Shares from 0 to 1, one or several; ValueError where they are anything else."""
    try:
        shares = np.asarray(quantiles, dtype=np.float64)
    except (TypeError, ValueError):
        shares = np.array(np.nan)
    if shares.ndim > 1 or not shares.size or not ((shares >= 0.0) & (shares <= 1.0)).all():
        raise ValueError(f"quantiles must be one share or several, each from 0 to 1; got {quantiles!r}")
    return shares
