"""Kullback-Leibler divergence of two mixtures: estimated, approximated and bounded."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, get_args, overload

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.comparison.expectations import N_SAMPLES, Method, Rng, check_samples, expect_under_first
from gaussmix.model.comparison.pair import are_equal, read_pair
from gaussmix.model.covariance.algebra import LOG_2PI
from gaussmix.model.estimate import Estimate
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.pairs.divergences import measure_divergences
from gaussmix.model.mixture.pairs.overlaps import find_own_half_log_dets, measure_overlaps

Approximation = Literal["variational", "product", "matched", "unscented"]

#: Steps of the bound's fixed point at most, and its change in nats at which it is done.
MOST_STEPS = 30
TOLERANCE = 1e-9


class KLBounds(NamedTuple):
    """Numbers that KL(p || q) lies between, in nats."""

    lower: float
    upper: float


@overload
def kl_divergence(
    p: Any, q: Any, method: Method = "auto", *, n_samples: int = N_SAMPLES, rng: Rng = None
) -> Estimate: ...
@overload
def kl_divergence(
    p: Any, q: Any, method: Approximation, *, n_samples: int = N_SAMPLES, rng: Rng = None
) -> float: ...
def kl_divergence(
    p: Any,
    q: Any,
    method: Method | Approximation = "auto",
    *,
    n_samples: int = N_SAMPLES,
    rng: Rng = None,
) -> Estimate | float:
    """Kullback-Leibler divergence KL(p || q) = E_p[log p(x) - log q(x)], in nats.

    Parameters
    ----------
    p, q : Mixture, FitResult, SearchResult or fitted GaussianMixture
        Of the same features, without noise; of any families and numbers of components.
    method : str, default="auto"
        "auto" is exact for two Gaussians, "quadrature" for one feature and else "monte_carlo". Approximations
        without draws, of which none is a bound, are

        - "variational": sum_a p_a log(sum_a' p_a' e^-KL(f_a || f_a') / sum_b q_b e^-KL(f_a || g_b));
        - "product": sum_a p_a log(sum_a' p_a' <f_a, f_a'> / sum_b q_b <f_a, g_b>), <f, g> the integral of fg;
        - "matched": each Gaussian with its best match in q, sum_a p_a min_b(KL(f_a || g_b) + log p_a / q_b);
        - "unscented": the mean of the log-ratio over 2 d points of each Gaussian of p.

    n_samples : int, default=100_000
        Draws from p, for "monte_carlo".
    rng : numpy.random.Generator, int or None
        As for :meth:`Mixture.sample`.

    Returns
    -------
    Estimate or float
        A float with its ``standard_error``, which is 0 where the value is exact to rounding; of an
        approximation a plain float.

    Raises
    ------
    ValueError
        If there is noise, features differ, or the method is not known.

    See Also
    --------
    kl_bounds : numbers that the divergence is certain to lie between.

    References
    ----------
    J. R. Hershey and P. A. Olsen, Approximating the Kullback Leibler divergence between Gaussian mixture
    models, ICASSP 2007, IV-317-320.
    J. Goldberger, S. Gordon and H. Greenspan, An efficient image similarity measure based on approximations
    of KL-divergence between two Gaussian mixtures, ICCV 2003, 487-493.

    Examples
    --------
    >>> import gaussmix
    >>> p = gaussmix.Mixture([0.5, 0.5], [[-1.0], [1.0]], [0.5, 0.5], "spherical")
    >>> q = gaussmix.Mixture([1.0], [[0.0]], [1.5], "spherical")
    >>> print(f"{gaussmix.kl_divergence(p, q):.6f}")
    0.049234
    >>> print(f"{gaussmix.kl_divergence(p, q, 'product'):.3f}")
    0.030
    """
    check_samples(n_samples)
    first, second = read_pair(p, q)
    if method in APPROXIMATIONS:
        return max(APPROXIMATIONS[method](first, second), 0.0)
    if method not in get_args(Method):
        known = ", ".join(map(repr, (*get_args(Method), *APPROXIMATIONS)))
        raise ValueError(f"method must be one of {known}; got {method!r}")
    if are_equal(first, second):
        return Estimate(0.0)
    if method == "auto" and first.n_components == second.n_components == 1:
        return Estimate(float(measure_divergences(first, second)[0, 0]))
    found = expect_under_first((first, second), lambda ratios: ratios, method, n_samples, rng)  # type: ignore[arg-type]
    return found if found.standard_error > 0.0 else Estimate(max(found, 0.0))


def kl_bounds(p: Any, q: Any) -> KLBounds:
    """Numbers that KL(p || q) is certain to lie between, in nats, without draws.

    With H the entropy of a Gaussian and <f, g> the integral of fg, the bounds are::

        lower = sum_a p_a (log sum_a' p_a' e^-KL(f_a || f_a') - log sum_b q_b <f_a, g_b> - H(f_a))
        upper = sum_a p_a (log sum_a' p_a' <f_a, f_a'> - log sum_b q_b e^-KL(f_a || g_b) + H(f_a))

    The lower one is 0 if that is greater, and the upper one is the variational bound of Hershey and Olsen,
    min sum_ab u_ab (log u_ab / v_ab + KL(f_a || g_b)) over u with sum_b u_ab = p_a and v with
    sum_a v_ab = q_b, if that is less.

    Parameters
    ----------
    p, q : Mixture, FitResult, SearchResult or fitted GaussianMixture
        As for :func:`kl_divergence`.

    Returns
    -------
    KLBounds
        A named tuple (lower, upper).

    References
    ----------
    J.-L. Durrieu, J.-P. Thiran and F. Kelly, Lower and upper bounds for approximation of the Kullback-Leibler
    divergence between Gaussian mixture models, ICASSP 2012, 4833-4836.
    J. R. Hershey and P. A. Olsen, Approximating the Kullback Leibler divergence between Gaussian mixture
    models, ICASSP 2007, IV-317-320.

    Examples
    --------
    >>> import gaussmix
    >>> p = gaussmix.Mixture([0.5, 0.5], [[-3.0], [3.0]], [0.5, 0.5], "spherical")
    >>> q = gaussmix.Mixture([0.3, 0.7], [[-2.0], [3.0]], [1.0, 0.5], "spherical")
    >>> bounds = gaussmix.kl_bounds(p, q)
    >>> bounds.lower <= gaussmix.kl_divergence(p, q) <= bounds.upper
    True
    """
    first, second = read_pair(p, q)
    within, across = measure_divergences(first, first), measure_divergences(first, second)
    if are_equal(first, second):
        return KLBounds(0.0, 0.0)
    entropies = find_own_half_log_dets(first) + 0.5 * first.n_features * (LOG_2PI + 1.0)
    variational = _sum_logs(first, -within), _sum_logs(second, -across)
    products = (
        _sum_logs(first, measure_overlaps(first, first)),
        _sum_logs(second, measure_overlaps(first, second)),
    )
    lower = float(first.weights @ (variational[0] - products[1] - entropies))
    upper = float(first.weights @ (products[0] - variational[1] + entropies))
    upper = max(min(upper, _minimise_bound(first, second, across)), 0.0)
    return KLBounds(min(max(lower, 0.0), upper), upper)


def _approximate_variational(first: Mixture, second: Mixture) -> float:
    ours, theirs = (_sum_logs(each, -measure_divergences(first, each)) for each in (first, second))
    return float(first.weights @ (ours - theirs))


def _approximate_product(first: Mixture, second: Mixture) -> float:
    ours, theirs = (_sum_logs(each, measure_overlaps(first, each)) for each in (first, second))
    return float(first.weights @ (ours - theirs))


def _approximate_matched(first: Mixture, second: Mixture) -> float:
    costs = measure_divergences(first, second) - np.log(second.weights)
    return float(first.weights @ (costs.min(axis=1) + np.log(first.weights)))


def _approximate_unscented(first: Mixture, second: Mixture) -> float:
    k, d = first.means.shape
    ratios = np.zeros(k)
    for a in range(k):
        axes = np.linalg.cholesky(first.dense_covariances[a]).T * np.sqrt(d)
        points = first.means[a] + np.concatenate([axes, -axes])
        ratios[a] = float((first.log_prob(points) - second.log_prob(points)).mean())
    return float(first.weights @ ratios)


APPROXIMATIONS = {
    "variational": _approximate_variational,
    "product": _approximate_product,
    "matched": _approximate_matched,
    "unscented": _approximate_unscented,
}


def _sum_logs(mixture: Mixture, logs: Float64Array) -> Float64Array:
    """The logarithm of sum_b w_b e^l_ab, shape (k,)."""
    from scipy.special import logsumexp

    return np.asarray(logsumexp(logs + np.log(mixture.weights), axis=1))


def _minimise_bound(first: Mixture, second: Mixture, divergences: Float64Array) -> float:
    """The least sum_ab u_ab (log u_ab / v_ab + KL_ab): u given v and v given u in turns, each the best."""
    from scipy.special import logsumexp

    log_p, log_q = np.log(first.weights), np.log(second.weights)
    v = log_p[:, None] + log_q  # logarithms throughout: u of far Gaussians would be zero
    bound = np.inf
    for _ in range(MOST_STEPS):
        inner = logsumexp(v - divergences, axis=1)
        before, bound = bound, float(first.weights @ (log_p - inner))
        if before - bound < TOLERANCE:
            break
        u = v - divergences + (log_p - inner)[:, None]
        v = u + (log_q - logsumexp(u, axis=0))
    return bound
