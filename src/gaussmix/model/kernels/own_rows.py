"""A pass of mixtures side by side of which each has rows, or weights of the rows, of its own.

It is the product form, one for each mixture, in stacked products: made for many mixtures of few rows, such as
those of resamples, where a pass for each would cost more calls of NumPy than arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.kernels.centred import add_moments, fill_joint
from gaussmix.model.kernels.executor import DOUBLE, NONE_APART
from gaussmix.model.kernels.guard import find_imprecise
from gaussmix.model.kernels.natural import Natural
from gaussmix.model.kernels.softmax import softmax
from gaussmix.model.moments.blocks import Form
from gaussmix.model.moments.statistics import Moments, Pass


@dataclass(frozen=True, eq=False)
class OwnRows:
    """The features of the rows of g mixtures, and weights.

    Mixtures have the same number of components, no noise, and a form without pooled moments.
    """

    form: Form
    #: T(z) of the rows of each, shape (g, F, n), or (1, F, n) where all have the same rows.
    features: Float64Array
    #: Shape (g, n); None stands for ones.
    weights: Float64Array | None
    #: d.
    n_features: int

    @classmethod
    def of(cls, form: Form, Z: Float64Array, weights: Float64Array | None) -> OwnRows:
        """Coordinates in a frame, shape (g, d, n) or (1, d, n), and weights."""
        features = np.empty((len(Z), form.n_features(Z.shape[1]), Z.shape[2]))
        for T, rows in zip(features, Z, strict=True):
            form.own.fill(T, rows)
        return cls(form, features, weights, Z.shape[1])

    @property
    def weight(self) -> float:
        """The sum of the weights of a mixture's rows, which is the same for each."""
        return float(self.features.shape[2] if self.weights is None else self.weights[0].sum())

    def take(self, kept: list[int]) -> OwnRows:
        """Those of some of the mixtures."""
        features = self.features if len(self.features) == 1 else self.features[kept]
        return replace(self, features=features, weights=None if self.weights is None else self.weights[kept])

    def accumulate(self, natural: Natural) -> Pass:
        """The moments of all components and the log-likelihood of each mixture."""
        T, g, (K, d) = self.features, len(natural.groups), natural.means.shape
        imprecise = find_imprecise(natural, DOUBLE)
        apart = NONE_APART if imprecise is None else np.flatnonzero(imprecise)
        common = len(T) == 1
        H = natural.matrix
        L = (H @ T[0] if common else H.reshape(g, -1, T.shape[1]) @ T).reshape(K, -1)
        S, centres = np.zeros((K, T.shape[1])), np.zeros((K, d))
        owners = np.repeat(np.arange(g), K // g)
        for component in apart:
            fill_joint(L, self._find_rows(owners[component], d), natural, [component])
        stacked = L.reshape(g, K // g, -1)
        log_densities = softmax(stacked)
        if self.weights is None:
            log_likelihoods = log_densities.sum(axis=-1)
        else:
            stacked *= self.weights[:, None, :]
            log_likelihoods = np.vecdot(log_densities, self.weights)
        for component in apart:
            rows = self._find_rows(owners[component], d)
            add_moments(rows, L, natural.means, self.form.own, S, [component])
            L[component] = 0.0
        centres[apart] = natural.means[apart]
        S += L @ T[0].T if common else (stacked @ np.swapaxes(T, 1, 2)).reshape(K, -1)
        return Pass(self._as_moments(S, centres), log_likelihoods)

    def accumulate_labels(self, labels: IntArray, k: int) -> Moments:
        """The moments of k components of each, which the rows belong to by labels, shape (g, n)."""
        members = labels[:, None, :] == np.arange(k)[None, :, None]
        R = members * (1.0 if self.weights is None else self.weights[:, None, :])
        S = (R @ np.swapaxes(self.features, 1, 2)).reshape(len(labels) * k, -1)
        return self._as_moments(S, np.zeros((len(S), self.n_features)))

    def _as_moments(self, S: Float64Array, centres: Float64Array) -> Moments:
        d = self.n_features
        return Moments(self.form, S[:, 0], S[:, 1 : 1 + d], S[:, 1 + d :], np.zeros(0), centres)

    def _find_rows(self, group: int, d: int) -> Float64Array:
        """The coordinates of the rows of a mixture, shape (d, n)."""
        return self.features[group if len(self.features) > 1 else 0, 1 : 1 + d]
