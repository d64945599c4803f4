"""Distances of two mixtures that do not ask which comes first, from the ratio of their densities."""

from __future__ import annotations

from typing import Any

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.comparison.affinity import estimate_log_affinity
from gaussmix.model.comparison.expectations import (
    N_SAMPLES,
    Method,
    OfRatio,
    Rng,
    check_samples,
    choose_method,
    expect_under_both,
)
from gaussmix.model.comparison.pair import are_equal, read_ordered_pair
from gaussmix.model.estimate import Estimate

#: Log-ratios under which terms come from a series: the plain formula loses their digits.
NEAR = 1e-2
#: Squared Hellinger distance up to which Bhattacharyya's distance comes from it.
MOST_OF_HELLINGER = 0.5


def js_divergence(
    p: Any, q: Any, method: Method = "auto", *, n_samples: int = N_SAMPLES, rng: Rng = None
) -> Estimate:
    """Jensen-Shannon divergence (KL(p || m) + KL(q || m)) / 2, m = (p + q) / 2, in nats: from 0 to log 2.

    Parameters
    ----------
    p, q : Mixture, FitResult, SearchResult or fitted GaussianMixture
        Of the same features, without noise; of any families and numbers of components.
    method : {"auto", "quadrature", "monte_carlo"}, default="auto"
        "auto" is "quadrature" for one feature and else "monte_carlo".
    n_samples : int, default=100_000
        Draws, half of each mixture, for "monte_carlo".
    rng : numpy.random.Generator, int or None
        As for :meth:`Mixture.sample`.

    Returns
    -------
    Estimate
        A float with its ``standard_error``, 0 for quadrature. Its square root is a metric.

    Raises
    ------
    ValueError
        If there is noise, features differ, or the method is not known.

    References
    ----------
    J. Lin, Divergence measures based on the Shannon entropy, IEEE Trans. Inf. Theory 37 (1991) 145-151.

    Examples
    --------
    >>> import gaussmix
    >>> p = gaussmix.Mixture([0.5, 0.5], [[-1.0], [1.0]], [0.5, 0.5], "spherical")
    >>> q = gaussmix.Mixture([1.0], [[90.0]], [1.5], "spherical")
    >>> print(f"{gaussmix.js_divergence(p, q):.6f}")
    0.693147
    """
    return _compare(p, q, _find_js_terms, method, n_samples, rng)


def total_variation(
    p: Any, q: Any, method: Method = "auto", *, n_samples: int = N_SAMPLES, rng: Rng = None
) -> Estimate:
    """Total variation distance, half the integral of abs(p(x) - q(x)): from 0 to 1.

    It is the greatest difference of the probabilities that the mixtures give to one event.

    Parameters
    ----------
    p, q, method, n_samples, rng
        As for :func:`js_divergence`.

    Returns
    -------
    Estimate

    References
    ----------
    A. B. Tsybakov, Introduction to Nonparametric Estimation, Springer 2009, section 2.4.

    Examples
    --------
    >>> import gaussmix
    >>> p = gaussmix.Mixture([1.0], [[0.0]], [1.0], "spherical")
    >>> q = gaussmix.Mixture([1.0], [[2.0]], [1.0], "spherical")
    >>> print(f"{gaussmix.total_variation(p, q):.6f}")              # 2 Phi(1) - 1
    0.682689
    """
    return _compare(p, q, lambda ratios: np.abs(np.tanh(0.5 * ratios)), method, n_samples, rng)


def hellinger_distance(
    p: Any, q: Any, method: Method = "auto", *, n_samples: int = N_SAMPLES, rng: Rng = None
) -> Estimate:
    """Hellinger distance sqrt(1 - B), B the integral of sqrt(p(x) q(x)): from 0 to 1; a metric.

    Parameters
    ----------
    p, q, method, n_samples, rng
        As for :func:`js_divergence`.

    Returns
    -------
    Estimate

    References
    ----------
    A. B. Tsybakov, Introduction to Nonparametric Estimation, Springer 2009, section 2.4.

    Examples
    --------
    >>> import gaussmix
    >>> p = gaussmix.Mixture([1.0], [[0.0]], [1.0], "spherical")
    >>> q = gaussmix.Mixture([1.0], [[2.0]], [1.0], "spherical")
    >>> print(f"{gaussmix.hellinger_distance(p, q):.6f}")           # sqrt(1 - exp(-1 / 2))
    0.627271
    """
    squared = _compare(p, q, _find_hellinger_terms, method, n_samples, rng)
    distance = np.sqrt(squared)
    return Estimate(distance, 0.5 * squared.standard_error / distance if distance > 0.0 else 0.0)


def bhattacharyya_distance(
    p: Any, q: Any, method: Method = "auto", *, n_samples: int = N_SAMPLES, rng: Rng = None
) -> Estimate:
    """Bhattacharyya distance -log B, B the integral of sqrt(p(x) q(x)), in nats.

    Unlike Hellinger's it tells far from farther: also where B is less than any float.

    Parameters
    ----------
    p, q, method, n_samples, rng
        As for :func:`js_divergence`. Two Gaussians have a closed form, which "auto" takes.

    Returns
    -------
    Estimate

    Notes
    -----
    Of mixtures that are far apart, draws are from the Gaussians proportional to sqrt(f_a g_b), for all pairs
    of components. The ratio of sqrt(p q) to the density of these draws varies by a factor of sqrt(k l) at
    most, so that the standard error of -log B is small however far apart they are.

    References
    ----------
    A. Bhattacharyya, On a measure of divergence between two statistical populations defined by their
    probability distributions, Bull. Calcutta Math. Soc. 35 (1943) 99-109.

    Examples
    --------
    >>> import gaussmix
    >>> p = gaussmix.Mixture([0.5, 0.5], [[0.0], [1.0]], [1.0, 1.0], "spherical")
    >>> q = gaussmix.Mixture([1.0], [[200.0]], [1.0], "spherical")
    >>> print(f"{gaussmix.bhattacharyya_distance(p, q):.3f}")
    4950.472
    """
    check_samples(n_samples)
    pair = read_ordered_pair(p, q)
    if are_equal(*pair):
        return Estimate(0.0)
    generator = np.random.default_rng(rng)
    if not (method == "auto" and pair[0].n_components == pair[1].n_components == 1):
        squared = expect_under_both(pair, _find_hellinger_terms, method, n_samples, generator)
        if squared < MOST_OF_HELLINGER:
            return Estimate(-np.log1p(-squared), squared.standard_error / (1.0 - squared))
    chosen = "closed" if method == "auto" else choose_method(pair, method)
    found = estimate_log_affinity(pair, chosen, n_samples, generator)
    return Estimate(max(-found, 0.0), found.standard_error)


def _compare(p: Any, q: Any, function: OfRatio, method: Method, n_samples: int, rng: Rng) -> Estimate:
    check_samples(n_samples)
    pair = read_ordered_pair(p, q)
    choose_method(pair, method)  # raises where there is none
    if are_equal(*pair):
        return Estimate(0.0)
    found = expect_under_both(pair, function, method, n_samples, rng)
    return Estimate(max(found, 0.0), found.standard_error)


def _find_js_terms(ratios: Float64Array) -> Float64Array:
    """The terms log 2 - H(s), with H the entropy of a coin of s = 1 / (1 + e^-t), for log-ratios t."""
    sizes = np.abs(ratios)
    less = np.exp(-sizes)  # of the less probable side, relative to the other
    terms = np.log(2.0) - np.log1p(less) - sizes * less / (1.0 + less)
    squares = np.minimum(sizes, NEAR) ** 2
    series = squares * (0.125 - squares * (1.0 / 64.0 - squares / 576.0))
    return np.asarray(np.where(sizes < NEAR, series, terms))


def _find_hellinger_terms(ratios: Float64Array) -> Float64Array:
    """1 - 1 / cosh(t / 2) for log-ratios t: (sqrt p - sqrt q)^2 / (p + q)."""
    less = np.exp(-0.5 * np.abs(ratios))
    return np.asarray((1.0 - less) ** 2 / (1.0 + less * less))
