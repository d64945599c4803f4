"""Distances of two mixtures from integrals of products of densities, in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.comparison.pair import read_ordered_pair
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.order import take_components
from gaussmix.model.mixture.pairs.overlaps import measure_overlaps

#: Components of the first whose products with all of the second are held at a time.
CHUNK = 256


def l2_distance(p: Any, q: Any) -> float:
    """The root of the integral of (p(x) - q(x))^2, in closed form.

    The integral of f_a g_b is N(m_a | m_b, C_a + C_b). Its unit is that of the root of a density.

    Parameters
    ----------
    p, q : Mixture, FitResult, SearchResult or fitted GaussianMixture
        Of the same features, without noise; of any families and numbers of components.

    Returns
    -------
    float
        From 0, for mixtures of the same components in any order. Below 1e-8 of the norm of p the digits are
        those of rounding.

    Raises
    ------
    ValueError
        If there is noise or features differ.

    References
    ----------
    D. W. Scott, Parametric statistical modeling by minimum integrated square error, Technometrics 43 (2001)
    274-285.

    Examples
    --------
    >>> import gaussmix
    >>> p = gaussmix.Mixture([0.5, 0.5], [[0.0], [3.0]], [1.0, 1.0], "spherical")
    >>> q = gaussmix.Mixture([1.0], [[0.0]], [1.0], "spherical")
    >>> print(f"{gaussmix.l2_distance(p, q):.6f}")
    0.355220
    """
    first, second = read_ordered_pair(p, q)
    ours, theirs = _cancel_weights(first, second)
    products = [
        _multiply(first, ours, first, ours),
        _multiply(first, ours, second, theirs),
        _multiply(second, theirs, second, theirs),
    ]
    top = max(products)
    if not np.isfinite(top):
        return 0.0
    squared = np.exp(products[0] - top) - 2.0 * np.exp(products[1] - top) + np.exp(products[2] - top)
    return float(np.exp(0.5 * top) * np.sqrt(max(squared, 0.0)))


def cauchy_schwarz_divergence(p: Any, q: Any) -> float:
    """Cauchy-Schwarz divergence -log(<p, q> / sqrt(<p, p> <q, q>)), with <p, q> the integral of pq.

    It has a closed form, from N(m_a | m_b, C_a + C_b) for each pair of components.

    Parameters
    ----------
    p, q : Mixture, FitResult, SearchResult or fitted GaussianMixture
        Of the same features, without noise; of any families and numbers of components.

    Returns
    -------
    float
        In nats, from 0; finite also where the products are less than any float.

    Raises
    ------
    ValueError
        If there is noise or features differ.

    References
    ----------
    K. Kampa, E. Hasanbelliu and J. C. Principe, Closed-form Cauchy-Schwarz PDF divergence for mixture of
    Gaussians, IJCNN 2011, 2578-2585.

    Examples
    --------
    >>> import gaussmix
    >>> p = gaussmix.Mixture([1.0], [[0.0]], [1.0], "spherical")
    >>> q = gaussmix.Mixture([1.0], [[100.0]], [1.0], "spherical")
    >>> print(f"{gaussmix.cauchy_schwarz_divergence(p, q):.4f}")
    2500.0000
    """
    first, second = read_ordered_pair(p, q)
    ours, theirs = np.log(first.weights), np.log(second.weights)
    across = _multiply(first, ours, second, theirs)
    within = 0.5 * (_multiply(first, ours, first, ours) + _multiply(second, theirs, second, theirs))
    return max(float(within - across), 0.0)


def _multiply(first: Mixture, ours: Float64Array, second: Mixture, theirs: Float64Array) -> float:
    """The logarithm of sum_ab e^(ours_a + theirs_b) <f_a, g_b>, with minus infinity for what is left out."""
    from scipy.special import logsumexp

    kept, others = np.flatnonzero(np.isfinite(ours)), np.flatnonzero(np.isfinite(theirs))
    if not (kept.size and others.size):
        return -np.inf
    second = take_components(second, others)
    sums = []
    for begin in range(0, len(kept), CHUNK):
        part = kept[begin : begin + CHUNK]
        overlaps = measure_overlaps(take_components(first, part), second)
        sums.append(logsumexp(overlaps + ours[part, None] + theirs[others]))
    return float(logsumexp(sums))


def _cancel_weights(first: Mixture, second: Mixture) -> tuple[Float64Array, Float64Array]:
    """Logarithms of what is left of the weights once equal Gaussians of the two have cancelled."""
    ours, theirs = first.weights.copy(), second.weights.copy()
    places: dict[bytes, list[int]] = {}
    for a, mean in enumerate(first.means):
        places.setdefault(mean.tobytes(), []).append(a)
    for b, mean in enumerate(second.means):
        for a in places.get(mean.tobytes(), ()):
            one, other = (take_components(m, np.array([i])) for m, i in ((first, a), (second, b)))
            if np.array_equal(one.dense_covariances, other.dense_covariances):
                common = min(ours[a], theirs[b])
                ours[a], theirs[b] = ours[a] - common, theirs[b] - common
    with np.errstate(divide="ignore"):
        return np.log(ours), np.log(theirs)
