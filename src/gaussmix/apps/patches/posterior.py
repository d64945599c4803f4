"""What patches probably were before noise came in: the posterior of each under the prior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from gaussmix._typing import Float64Array, FloatArray
from gaussmix.model.mixture import Mixture

#: Components of a lower posterior probability do not count.
LEAST_PROBABILITY = 0.05


@dataclass(frozen=True, eq=False)
class Observed:
    """A prior of patches that are seen with noise of one variance v.

    Parameters
    ----------
    blurred : Mixture
        Of what is seen: covariances Sigma_k + v I.
    means : ndarray of shape (k, d)
        mu_k.
    filters : ndarray of shape (k, d, d)
        G_k = Sigma_k (Sigma_k + v I)^-1, symmetric.
    """

    blurred: Mixture
    means: FloatArray
    filters: FloatArray


@dataclass(frozen=True, eq=False)
class Spectrum:
    """A mixture with the principal axes of its components, so that noise of any variance costs no more.

    With Sigma_k = U_k diag(l_k) U_k', Sigma_k + v I has the same axes and the variances l_k + v.

    Parameters
    ----------
    mixture : Mixture
    variances : ndarray of shape (k, d)
        l_k, the variances along the axes.
    axes : ndarray of shape (k, d, d)
        U_k, an axis a column.
    """

    mixture: Mixture
    variances: Float64Array
    axes: Float64Array

    @classmethod
    def of(cls, mixture: Mixture) -> Self:
        """The axes of a mixture's components."""
        variances, axes = np.linalg.eigh(mixture.dense_covariances)
        return cls(mixture, np.maximum(variances, 0.0), axes)

    def observe(self, variance: float, dtype: np.dtype[Any]) -> Observed:
        """The prior seen with noise of this variance in each coordinate, for patches of a type of float."""
        gains = self.variances / (self.variances + variance)
        filters = (self.axes * gains[:, None, :]) @ self.axes.transpose(0, 2, 1)
        blurred = self.mixture.convolve(variance)
        blurred.view(dtype)  # made here, since several threads will ask for it
        return Observed(blurred, self.mixture.means.astype(dtype), filters.astype(dtype))


def estimate_patches(prior: Observed, patches: FloatArray) -> FloatArray:
    """The posterior mean of each patch.

    Parameters
    ----------
    prior : Observed
    patches : ndarray of shape (n, d)
        Noisy coordinates y; float32 is worked on as float32.

    Returns
    -------
    ndarray of shape (n, d)
        sum_k r_k (mu_k + G_k (y - mu_k)), with r_k the posterior probability of component k given y, of those
        that have at least :data:`LEAST_PROBABILITY`.
    """
    probabilities = prior.blurred.responsibilities(patches)
    least = np.minimum(LEAST_PROBABILITY, probabilities.max(axis=1))
    components, rows = np.nonzero((probabilities >= least[:, None]).T)
    shares = probabilities[rows, components]
    estimates = np.zeros_like(patches)
    ends = np.cumsum(np.bincount(components, minlength=len(prior.means)))[:-1]
    for k, (own, share) in enumerate(zip(np.split(rows, ends), np.split(shares, ends), strict=True)):
        if len(own):
            mean = prior.means[k]
            estimates[own] += share[:, None] * (mean + (patches[own] - mean) @ prior.filters[k])
    totals = np.bincount(rows, weights=shares, minlength=len(patches))
    estimates /= totals[:, None].astype(patches.dtype)
    return estimates
