"""How well each feature by itself tells components apart, from the parameters of a mixture alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.mixture import Mixture

#: Points of each component over which expectations are taken: the middles of as many parts of equal mass.
#: 100 give two digits. Gauss-Hermite rules do worse: a narrow component at a node of theirs weighs too much.
POINTS = 100
#: Numbers that are held at a time, 8 bytes each.
HELD = 2_000_000
#: The least standard deviation of a component, relative to the spread of its feature.
LEAST_SPREAD = 1e-9
#: Separations nearer to each other than this are equal, and the first of such features goes first.
RESOLUTION = 1e-3


def measure_separation(mixture: Mixture, clusters: IntArray | None = None) -> Float64Array:
    r"""The share of the uncertainty of a row's component that each feature alone takes away.

    The mutual information of the component :math:`z` and the feature :math:`x_j`, relative to the entropy of
    the weights:

    .. math:: I(z; x_j) / H(z), \quad
        I(z; x_j) = \sum_k w_k \, E_k[\log (p_k(x_j) / p(x_j))], \quad
        H(z) = -\sum_k w_k \log w_k.

    It is 0 where all components are alike in a feature, and 1 where the feature alone says which component a
    row is of. Components that differ in their variance only count as well as those that differ in their mean.
    Noise is left out.

    Parameters
    ----------
    mixture : Mixture
    clusters : ndarray of int of shape (k,), optional
        The cluster of each component. Then :math:`z` is the cluster.

    Returns
    -------
    ndarray of shape (d,)
        Zeros where there is one component, or one cluster.

    References
    ----------
    T. M. Cover and J. A. Thomas, Elements of Information Theory, 2nd ed., Wiley 2006, chapter 2.

    Examples
    --------
    >>> from gaussmix import Mixture
    >>> mixture = Mixture([0.5, 0.5], [[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]], [[1, 1, 1], [1, 1, 25]], "diag")
    >>> measure_separation(mixture).round(1)
    array([1. , 0. , 0.4])
    """
    weights = mixture.without_noise().weights
    groups = np.arange(len(weights)) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    return separate_normals(weights, mixture.means, mixture.variances, groups)


def separate_normals(
    weights: npt.ArrayLike, means: npt.ArrayLike, variances: npt.ArrayLike, groups: IntArray
) -> Float64Array:
    """The same for normal distributions: weights (k,), means and variances (k, d), groups from 0 on."""
    w, mu, var = (np.asarray(values, dtype=np.float64) for values in (weights, means, variances))
    shares = np.bincount(groups, weights=w)
    shares = shares[shares > 0.0]
    entropy = -float(shares @ np.log(shares))
    separation = np.zeros(mu.shape[1])
    centre = w @ mu
    spread = np.sqrt(w @ (var + (mu - centre) ** 2))
    told = np.flatnonzero(spread > 0.0)
    if entropy <= 0.0 or not len(told):
        return separation
    # Units in which each feature has the mean 0 and the variance 1: no overflow, and one floor for all.
    mu = (mu - centre)[:, told] / spread[told]
    sd = np.maximum(np.sqrt(var[:, told]) / spread[told], LEAST_SPREAD)
    block = max(1, HELD // (POINTS * len(w)))
    parts = [
        _find_information(w, mu[:, first : first + block], sd[:, first : first + block], groups)
        for first in range(0, len(told), block)
    ]
    separation[told] = np.clip(np.concatenate(parts) / entropy, 0.0, 1.0)
    return separation


def rank_features(separation: Float64Array) -> IntArray:
    """The positions of the features, that which tells most first; of equal ones the first column first."""
    return np.argsort(-np.round(separation / RESOLUTION), kind="stable")


def _find_information(w: Float64Array, mu: Float64Array, sd: Float64Array, groups: IntArray) -> Float64Array:
    """The mutual information of the group and each feature of a block, in nats; shape (features,)."""
    quantiles = ndtri((np.arange(POINTS) + 0.5) / POINTS)
    information = np.zeros(mu.shape[1])
    with np.errstate(divide="ignore"):
        log_w = np.log(w)
    for k in np.flatnonzero(w > 0.0):
        points = mu[k][:, None] + sd[k][:, None] * quantiles
        apart = (points - mu[:, :, None]) / sd[:, :, None]  # axes are components, features, points
        joint = log_w[:, None, None] - np.log(sd)[:, :, None] - 0.5 * apart**2
        own = groups == groups[k]
        gain = _add_up(joint[own]) - np.log(w[own].sum()) - _add_up(joint)
        information += w[k] * gain.mean(axis=1)
    return information


def _add_up(joint: Float64Array) -> Float64Array:
    """The logarithm of the sum of exponentials over the first axis."""
    top = joint.max(axis=0)
    total: Float64Array = top + np.log(np.exp(joint - top).sum(axis=0))
    return total
