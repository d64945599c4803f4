"""The probability of boxes under a factor analyser, as an integral over its few factors.

Given the factors f, features are independent: P = E_f prod_j P(low_j <= mu_j + L_j f + e_j <= high_j). The
logarithm of the integrand, log N(f | 0, I) included, is concave. It is integrated about its mode m, where its
Hessian is -H, by points from (N(m, H^-1) + N(m, I)) / 2: the first has the integrand's shape there, and the
second bounds the ratio of the two.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.mixture.density.intervals import find_hazards, find_log_interval

#: Newton's steps to the mode, and halvings of one that leads down.
MOST_STEPS, MOST_HALVINGS = 100, 40
#: Gain of a step, relative to the log-probability, at which the mode is found.
NO_GAIN = 1e-13
#: Numbers, points times features, that are held at a time.
MOST_NUMBERS = 1 << 19
#: The least distance of a point from a face of its cube.
LEAST_SHARE = 2.0**-54


@dataclass(frozen=True)
class FactorBox:
    """A box of features, each in units of its own uniqueness, and their loadings (r, q)."""

    loadings: Float64Array
    low: Float64Array
    high: Float64Array
    lengths: Float64Array
    mode: Float64Array
    #: Lower root of H^-1, and the logarithm of its determinant.
    root: Float64Array
    log_det: float

    @classmethod
    def of(
        cls, loadings: Float64Array, uniquenesses: Float64Array, low: Float64Array, high: Float64Array
    ) -> FactorBox:
        """That of features about their means."""
        spread = np.sqrt(uniquenesses)
        loadings, low, high = loadings / spread[:, None], low / spread, high / spread
        start = cls(
            loadings, low, high, high - low, np.zeros(loadings.shape[1]), np.eye(loadings.shape[1]), 0.0
        )
        mode, curvature = start.climb()
        inverse = np.linalg.inv(np.linalg.cholesky(curvature))
        # H = C C', and C'^-1 e has the covariance H^-1
        log_det = float(np.log(np.diagonal(inverse)).sum())
        return cls(loadings, low, high, high - low, mode, np.asarray(inverse.T), log_det)

    def find_height(self, factors: Float64Array) -> Float64Array:
        """The logarithm of the integrand at factors (n, q), but for N(f | 0, I)'s constant."""
        answer = -0.5 * np.vecdot(factors, factors)
        size = max(1, MOST_NUMBERS // self.low.size)
        for first in range(0, len(factors), size):
            part = slice(first, first + size)
            shift = factors[part] @ self.loadings.T
            chances = find_log_interval(self.low - shift, self.high - shift, self.lengths)
            answer[part] += chances.sum(axis=1)
        return np.asarray(answer)

    def climb(self) -> tuple[Float64Array, Float64Array]:
        """The mode, and H there: Newton's method on a concave function."""
        f = np.zeros(self.loadings.shape[1])
        height = float(self.find_height(f[None])[0])
        for _ in range(MOST_STEPS):
            gradient, curvature = self._look_around(f)
            step = np.linalg.solve(curvature, gradient)
            if not 0.5 * float(gradient @ step) > NO_GAIN * (1.0 + abs(height)):
                break
            shares = 0.5 ** np.arange(MOST_HALVINGS)
            for share in shares:
                new = float(self.find_height((f + share * step)[None])[0])
                if new > height:
                    f, height = f + share * step, new
                    break
            else:
                break
        return f, self._look_around(f)[1]

    def _look_around(self, f: Float64Array) -> tuple[Float64Array, Float64Array]:
        """The gradient, and minus the Hessian, which is at least the identity."""
        shift = self.loadings @ f
        a, b = self.low - shift, self.high - shift
        at_a, at_b = find_hazards(a, b, self.lengths)
        means = at_a - at_b
        bends = -means * means
        for end, hazard, sign in ((a, at_a, 1.0), (b, at_b, -1.0)):
            finite = np.isfinite(end)
            bends[finite] += sign * end[finite] * hazard[finite]
        bends = np.clip(bends, -1.0, 0.0)
        curvature = np.eye(f.size) - self.loadings.T @ (bends[:, None] * self.loadings)
        return self.loadings.T @ means - f, np.asarray(curvature)

    def find_log_ratios(self, shares: Float64Array) -> Float64Array:
        """Logarithms of the integrand over the points' density: the mean of their exponentials is P.

        Each share (n, q) makes one point of either kind, so that the ratio is a smooth function of it.
        """
        from scipy.special import ndtri

        e = ndtri(np.clip(shares, LEAST_SHARE, 1.0 - LEAST_SHARE))
        ratios = []
        for apart in (e @ self.root.T, e):
            whitened = np.linalg.solve(self.root, apart.T).T
            narrow = -0.5 * np.vecdot(whitened, whitened) - self.log_det
            proposal = np.logaddexp(narrow, -0.5 * np.vecdot(apart, apart))
            ratios.append(self.find_height(self.mode + apart) - proposal)
        return np.asarray(np.logaddexp(*ratios))
