"""Experts that are estimators of scikit-learn: regressors with Gaussian residuals, and classifiers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from gaussmix._typing import Float64Array, IntArray
from gaussmix.apps.experts.linear import whiten_all
from gaussmix.apps.experts.predictive import make_gaussian_batch
from gaussmix.model.covariance import Structure
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.algebra.batch import MixtureBatch


@dataclass(frozen=True, eq=False)
class RegressorExperts:
    """Densities p_k(y | x) = N(y | f_k(x), Sigma_k) around the predictions f_k of regressors.

    Parameters
    ----------
    estimators : tuple of regressors
        Fitted with the responsibilities as weights.
    structure : Structure
        The family of the covariances.
    covariance_stack, roots : ndarray
        Sigma_k, and U with Sigma_k^-1 = U U', as the family stores them. They are those of residuals of rows
        that a regressor has not seen.
    n_outputs : int
    output_names : tuple of str, optional
    """

    estimators: tuple[Any, ...]
    structure: Structure
    covariance_stack: Float64Array
    roots: Float64Array
    n_outputs: int
    output_names: tuple[str, ...] | None = None

    @property
    def n_experts(self) -> int:
        """Number of experts k."""
        return len(self.estimators)

    @property
    def n_parameters(self) -> int:
        """Free parameters of the covariances; what regressors have is not known."""
        return self.structure.n_covariance_parameters(self.n_experts, self.n_outputs)

    @property
    def covariances(self) -> Float64Array:
        """The covariances of the residuals, in the shape of the family: (k, m, m) if full."""
        return self.structure.unstack(self.covariance_stack)

    @property
    def variances(self) -> Float64Array:
        """The variance of the residuals of each output in each expert, shape (k, m)."""
        return self.structure.algebra.variances(self.covariance_stack, self.n_experts, self.n_outputs)

    @property
    def residuals(self) -> Mixture:
        """The Gaussians N(0, Sigma_k) of the residuals, with equal weights."""
        k, m = self.n_experts, self.n_outputs
        parts = np.full(k, 1.0 / k), np.zeros((k, m)), self.covariance_stack, self.roots
        return Mixture.of_parts(self.structure, *parts, feature_names=self.output_names)

    def make_batch(
        self, log_shares: Float64Array, X: Any, log_evidence: Float64Array
    ) -> MixtureBatch[Mixture]:
        """The predictive distributions of n rows X, with shares of experts, (n, k)."""
        return make_gaussian_batch(self.residuals, log_shares, self.locate(X), log_evidence)

    def log_prob(self, X: Any, y: Float64Array) -> Float64Array:
        """Log p_k(y_i | x_i), in nats, shape (n, k); y of shape (n, m)."""
        errors = y[:, None, :] - self.locate(X)
        return np.asarray(measure_errors(self.structure, self.roots, np.swapaxes(errors, 0, 1)).T)

    def locate(self, X: Any) -> Float64Array:
        """The prediction of each regressor, shape (n, k, m)."""
        return np.stack([predict_outputs(each, X, self.n_outputs) for each in self.estimators], axis=1)

    def take(self, order: IntArray) -> Self:
        """The same with experts in another order."""
        return replace(
            self,
            estimators=tuple(self.estimators[place] for place in order),
            covariance_stack=self.structure.select(self.covariance_stack, order),
            roots=self.structure.select(self.roots, order),
        )


@dataclass(frozen=True, eq=False)
class ClassifierExperts:
    """Probabilities P_k(y | x) = (1 - f_k) q_k(y | x) + f_k / n_classes by the q_k of classifiers.

    Parameters
    ----------
    estimators : tuple of classifiers
        Fitted with the responsibilities as weights.
    floors : ndarray of shape (k,)
        f_k: how often a row that the classifier has not seen is of any class. It is to classifiers what
        residual variances are to regressors; trees give probabilities of zero without it.
    places : tuple of ndarray
        For each classifier the place of each of its classes among all.
    n_classes : int
    """

    estimators: tuple[Any, ...]
    floors: Float64Array
    places: tuple[IntArray, ...]
    n_classes: int

    @property
    def n_experts(self) -> int:
        """Number of experts k."""
        return len(self.estimators)

    @property
    def n_parameters(self) -> int:
        """Free parameters: the k floors; what classifiers have is not known."""
        return self.n_experts

    def log_prob(self, X: Any, y: IntArray) -> Float64Array:
        """Log P_k(y_i | x_i), in nats, shape (n, k); y are the places of the rows' classes, (n,)."""
        return np.log(self.locate(X)[np.arange(len(y)), :, y])

    def locate(self, X: Any) -> Float64Array:
        """The probability of each class in each expert, shape (n, k, n_classes)."""
        found = [
            predict_classes(each, X, places, self.n_classes)
            for each, places in zip(self.estimators, self.places, strict=True)
        ]
        return raise_floors(np.stack(found, axis=1), self.floors[:, None], self.n_classes)

    def take(self, order: IntArray) -> Self:
        """The same with experts in another order."""
        return replace(
            self,
            estimators=tuple(self.estimators[place] for place in order),
            floors=self.floors[order],
            places=tuple(self.places[place] for place in order),
        )


def measure_errors(structure: Structure, roots: Float64Array, errors: Float64Array) -> Float64Array:
    """Log-densities, shape (k, n), of residuals of each expert, (k, n, m)."""
    k, _, m = errors.shape
    scores = whiten_all(structure, roots, errors)
    peaks = np.broadcast_to(structure.algebra.log_peaks(roots, m), k)[:, None]
    return np.asarray(peaks - 0.5 * np.vecdot(scores, scores))


def predict_outputs(estimator: Any, X: Any, n_outputs: int) -> Float64Array:
    """What a regressor predicts, shape (n, m)."""
    return np.asarray(estimator.predict(X), dtype=np.float64).reshape(-1, n_outputs)


def predict_classes(estimator: Any, X: Any, places: IntArray, n_classes: int) -> Float64Array:
    """The probability of each of all classes, shape (n, n_classes); zero of those that it has not seen."""
    found = np.asarray(estimator.predict_proba(X), dtype=np.float64)
    wide = np.zeros((len(found), n_classes))
    wide[:, places] = found
    return wide


def raise_floors(
    probabilities: npt.NDArray[np.float64], floors: Float64Array, n_classes: int
) -> Float64Array:
    """(1 - f) q + f / n_classes."""
    return np.asarray((1.0 - floors) * probabilities + floors / n_classes)
