"""The affinity of two mixtures, the integral of sqrt(p q): its logarithm, however far apart they are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.comparison.expectations import CHUNK
from gaussmix.model.comparison.quadrature import evaluate_on_line, integrate
from gaussmix.model.estimate import Estimate, estimate_mean
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.pairs.overlaps import measure_affinities

#: Pairs of components whose share of the integral is less than e to this, relative to the greatest, are left
#: out where pieces are placed.
LEAST_SHARE = -60.0
#: Matrices that are held at a time, when Gaussians of many pairs are drawn from: numbers of 8 bytes.
MATRICES = 2_000_000


def estimate_log_affinity(
    pair: tuple[Mixture, Mixture], method: str, n_samples: int, generator: np.random.Generator
) -> Estimate:
    """The logarithm of the affinity: closed for two Gaussians, on the line by quadrature, else by draws."""
    first, second = pair
    parts = measure_affinities(first, second)
    parts += 0.5 * (np.log(first.weights)[:, None] + np.log(second.weights))
    if method == "closed" and parts.size == 1:
        return Estimate(float(parts[0, 0]))
    if method == "quadrature" or (method == "closed" and first.n_features == 1):
        return Estimate(_integrate(first, second, parts))
    return _estimate(first, second, parts, n_samples, generator)


def _integrate(first: Mixture, second: Mixture, parts: Float64Array) -> float:
    """By pieces around the peaks sqrt(f_a g_b) of those pairs that matter."""
    a, b = np.nonzero(parts > parts.max() + LEAST_SHARE)
    ours, theirs = first.variances[a, 0], second.variances[b, 0]
    share = theirs / (ours + theirs)
    means = share * first.means[a, 0] + (1.0 - share) * second.means[b, 0]
    deviations = np.sqrt(2.0 * ours * share)

    def integrand(origins: Float64Array, offsets: Float64Array) -> tuple[Float64Array, Float64Array]:
        log_p, log_q = (evaluate_on_line(each, origins, offsets) for each in (first, second))
        return 0.5 * (log_p + log_q), np.ones(offsets.size)

    scale, rest = integrate(integrand, means, deviations)
    return scale + float(np.log(rest))


def _estimate(
    first: Mixture, second: Mixture, parts: Float64Array, n_samples: int, generator: np.random.Generator
) -> Estimate:
    """From draws of r = sum_ab sqrt(p_a f_a q_b g_b) / Z, which factors into sums over a and over b.

    sqrt(p q) / r = Z sqrt(p) / sum_a sqrt(p_a f_a) sqrt(q) / sum_b sqrt(q_b g_b), from Z / sqrt(k l) to Z.
    """
    from scipy.special import logsumexp

    top = float(logsumexp(parts))

    def find_ratios() -> Iterator[Float64Array]:
        for begin in range(0, n_samples, CHUNK):
            size = min(CHUNK, n_samples - begin)
            X = _draw(first, second, np.exp(parts - top), size, generator)
            yield np.exp(_find_excess(first, X) + _find_excess(second, X))

    mean = estimate_mean(find_ratios())
    return Estimate(top + float(np.log(mean)), mean.standard_error / mean)


def _find_excess(mixture: Mixture, X: Float64Array) -> Float64Array:
    """The logarithm of sqrt(sum_a p_a f_a) / sum_a sqrt(p_a f_a) of rows, from -log(k) / 2 to 0."""
    from scipy.special import logsumexp

    joint = mixture.component_log_prob(X) + np.log(mixture.weights)
    return np.asarray(0.5 * logsumexp(joint, axis=1) - logsumexp(0.5 * joint, axis=1))


def _draw(
    first: Mixture, second: Mixture, shares: Float64Array, size: int, generator: np.random.Generator
) -> Float64Array:
    """Rows of the mixture of the Gaussians proportional to sqrt(f_a g_b), with these shares, shape (k, l).

    With C = L L' and S = (C + C') / 2 the Gaussian has the mean m + C (C + C')^-1 (m' - m) and the covariance
    C S^-1 C'. It is that of x = m + u + C (C + C')^-1 (m' - m - u - v) for u of covariance 2 C and v of 2 C'
    (Matheron's rule), which takes no root of a matrix for each pair.
    """
    d = first.n_features
    chosen = generator.choice(shares.size, size=size, p=shares.ravel() / shares.sum())
    pairs, rows = np.unique(chosen, return_inverse=True)
    order = np.argsort(rows, kind="stable")
    borders = np.searchsorted(rows[order], np.arange(len(pairs) + 1))
    X = np.empty((size, d))
    step = max(1, MATRICES // (d * d))
    ours, theirs = first.dense_covariances, second.dense_covariances
    roots = [np.linalg.cholesky(each) for each in (ours, theirs)]
    for begin in range(0, len(pairs), step):
        a, b = np.unravel_index(pairs[begin : begin + step], shares.shape)
        gains = np.linalg.solve(ours[a] + theirs[b], ours[a])  # its transpose is C (C + C')^-1
        for i, (one, other) in enumerate(zip(a, b, strict=True)):
            own: IntArray = order[borders[begin + i] : borders[begin + i + 1]]
            draws = generator.standard_normal((2, len(own), d))
            u, v = np.sqrt(2.0) * draws[0] @ roots[0][one].T, np.sqrt(2.0) * draws[1] @ roots[1][other].T
            X[own] = first.means[one] + u + (second.means[other] - first.means[one] - u - v) @ gains[i]
    return X
