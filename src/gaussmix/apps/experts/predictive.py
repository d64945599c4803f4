"""Predictive distributions of experts with Gaussian residuals, whatever their means are made by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.algebra.batch import MixtureBatch
from gaussmix.model.mixture.algebra.batch_parts import freeze
from gaussmix.model.mixture.algebra.observation import Observation


@dataclass(frozen=True, eq=False)
class GivenMeans(Observation):
    """What is observed are the means of all components themselves, as k d numbers, which say no more."""

    #: Which number is the mean of a feature in a component, shape (k, d).
    places: IntArray

    def take(self, components: IntArray) -> Self:
        """The same of some components."""
        return self._of(self.places[components])

    def take_features(self, features: IntArray) -> Self:
        """The same of some features."""
        return self._of(self.places[:, features])

    def measure(self, differences: Float64Array) -> Float64Array:
        """Zero for each component: means tell components no more or less likely."""
        return np.zeros(differences.shape[:2])

    def move(self, differences: Float64Array) -> Float64Array:
        """The numbers that are the means of each component, from what each is given, shape (k, b, k d)."""
        return np.take_along_axis(differences, self.places[:, None, :], axis=2)

    def locate(self, rows: Float64Array) -> Float64Array:
        """The mean of each component, shape (k, n, d)."""
        return np.swapaxes(rows[:, self.places], 0, 1)

    def _of(self, places: IntArray) -> Self:
        nothing = np.zeros(places.shape)
        return replace(self, places=places, means=nothing, expected=nothing[:, :0])


def make_gaussian_batch(
    residuals: Mixture, log_shares: Float64Array, means: Float64Array, log_evidence: Float64Array
) -> MixtureBatch[Mixture]:
    """The mixtures p_i(y) = sum_k g_ik N(y | m_ik, Sigma_k).

    Parameters
    ----------
    residuals : Mixture
        With the covariances Sigma_k, their family, and names of the outputs; its weights and means count for
        nothing.
    log_shares : ndarray of shape (n, k)
        Log g_ik.
    means : ndarray of shape (n, k, d)
        m_ik.
    log_evidence : ndarray of shape (n,)
        The log-density of what shares and means depend on; zero where there is none.
    """
    n, k, d = means.shape
    nothing = np.zeros((k, d))
    observation = GivenMeans(nothing[:, :0], nothing, np.zeros(k), np.arange(k * d).reshape(k, d))
    rows, shares = np.ascontiguousarray(means.reshape(n, k * d)), np.ascontiguousarray(log_shares)
    return MixtureBatch(residuals, observation, freeze(rows), freeze(shares), freeze(np.array(log_evidence)))
