"""A mixture of which each component belongs to classes: the joint distribution of rows and their classes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.covariance.structure import take_logarithms
from gaussmix.model.kernels.softmax import sum_exponentials
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.order import find_stable_order, take_components


@dataclass(frozen=True, eq=False)
class ClassedMixture:
    """The mixture p(x, c) = sum_k w_k s_kc N(x | mu_k, Sigma_k) of rows x in classes c.

    A component belongs to one class, or its rows are of several, in the proportions of its shares.

    Parameters
    ----------
    mixture : Mixture
        The density of rows of any class.
    shares : ndarray of shape (k, n_classes)
        s_kc, the probability of class c among the rows of component k. Rows sum to one.
    """

    mixture: Mixture
    shares: Float64Array

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return int(self.shares.shape[1])

    @cached_property
    def class_prior(self) -> Float64Array:
        """The probability of each class, shape (n_classes,): sum_k w_k s_kc."""
        return np.asarray(self.mixture.weights @ self.shares)

    @property
    def classes_of_components(self) -> IntArray:
        """The class of each component, shape (k,); of one with rows of several, the most frequent."""
        return np.asarray(self.shares.argmax(axis=1))

    def log_joint(self, X: Any) -> Float64Array:
        """Log p(x, c) of each row and class, in nats, shape (n, n_classes)."""
        joint = self.mixture.component_log_prob(X) + take_logarithms(self.mixture.weights)
        found = np.full((len(joint), self.n_classes), -np.inf)
        for c, shares in enumerate(self.shares.T):
            own = np.flatnonzero(shares)
            if own.size:
                found[:, c] = sum_exponentials(joint[:, own] + np.log(shares[own]))
        return found

    def sorted_by_class(self) -> ClassedMixture:
        """The same with components class by class, those of each in an order that no rounding decides."""
        stable = find_stable_order(self.mixture)
        order = stable[np.argsort(self.classes_of_components[stable], kind="stable")]
        return ClassedMixture(take_components(self.mixture, order), self.shares[order])

    def named(self, feature_names: npt.ArrayLike | None) -> ClassedMixture:
        """The same with names of the features."""
        names = None if feature_names is None else tuple(map(str, np.asarray(feature_names)))
        return replace(self, mixture=self.mixture.replace(feature_names=names))

    def sample(self, n_samples: int, rng: np.random.Generator) -> tuple[Float64Array, IntArray]:
        """Independent rows, shape (n_samples, d), and the class of each."""
        X, components = self.mixture.sample(n_samples, rng)
        borders = np.cumsum(self.shares, axis=1)[components]
        classes = (rng.random(n_samples)[:, None] * borders[:, -1:] >= borders).sum(axis=1)
        return X, np.minimum(classes, self.n_classes - 1)


def find_log_posterior(log_joint: Float64Array) -> Float64Array:
    """Log p(c | x) from log p(x, c), shape (n, n_classes)."""
    # first the differences: they are lost to rounding in the joint densities of a row that is far away
    top = log_joint.max(axis=1, keepdims=True)
    below = log_joint - np.where(np.isfinite(top), top, 0.0)
    return np.asarray(below - sum_exponentials(below)[:, None])
