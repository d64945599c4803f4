"""Normal variables between limits: their probability and exact draws, by minimax exponential tilting.

With C = L L', x = L z is drawn entry by entry, each z_j from a normal of mean mu_j between the limits that
the entries before leave it. The logarithm of the likelihood ratio of a draw is

    psi(z, mu) = sum_j log P(l_j <= N(mu_j, 1) <= u_j) + mu_j^2 / 2 - mu_j z_j

The probability that is sought is the mean of its exponential. At the saddle point, over mu the least of the
greatest psi over z, psi has a bound near to its mean: draws accepted with probability exp(psi - bound) are
exact, and the relative error of the mean stays small however improbable the limits are.

Z. I. Botev, The normal law under linear restrictions: simulation and estimation via minimax tilting, J. R.
Stat. Soc. B 79 (2017) 125-148.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.mixture.density.intervals import find_between, find_hazards, find_log_interval

#: Newton's steps to the saddle point, and halvings of one that leads astray.
MOST_STEPS, MOST_HALVINGS = 100, 30
#: Relative length of a step at which the saddle point is found.
SHORT = 1e-9
#: Gain of a step, relative to psi, at which the greatest psi is found.
NO_GAIN = 1e-15


@dataclass(frozen=True)
class Tilted:
    """Standard normal variables z between limits on L z, where L has ones on its diagonal; and their tilt."""

    #: The order in which the variables are drawn.
    order: IntArray
    #: L less the identity: strictly lower triangular, each row in units of its own conditional deviation.
    before: Float64Array
    #: Conditional deviations of the variables, in order.
    scales: Float64Array
    low: Float64Array
    high: Float64Array
    #: High less low.
    lengths: Float64Array
    #: Means of z.
    tilt: Float64Array
    #: The greatest psi.
    log_bound: float

    @classmethod
    def of(cls, covariance: Float64Array, low: Float64Array, high: Float64Array) -> Self:
        """Variables of mean zero between limits of shape (r,), some of which may be infinite."""
        order, root = order_variables(covariance, low, high)
        lengths = high - low
        scales = np.diagonal(root).copy()
        before = np.tril(root / scales[:, None], -1)
        low, high = low[order] / scales, high[order] / scales
        lengths = lengths[order] / scales
        tilt, log_bound = find_saddle(before, low, high, lengths)
        return cls(order, before, scales, low, high, lengths, tilt, log_bound)

    @property
    def independent(self) -> bool:
        """Whether no variable depends on another: all draws have the same likelihood ratio."""
        return not self.before.any()

    def draw(self, shares: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Variables (n, r), in their own order, and psi of each, from uniform shares (n, r)."""
        n, r = len(shares), self.low.size
        z, log_ratio = np.zeros((n, r)), np.zeros(n)
        for j in range(r):
            shift = z[:, :j] @ self.before[j, :j] + self.tilt[j]
            low, high = self.low[j] - shift, self.high[j] - shift
            z[:, j] = self.tilt[j] + find_between(shares[:, j], low, high)
            log_ratio += find_log_interval(low, high, self.lengths[j]) + self.tilt[j] * (
                0.5 * self.tilt[j] - z[:, j]
            )
        x = np.empty((n, r))
        x[:, self.order] = (z + z @ self.before.T) * self.scales
        return x, log_ratio

    def find_log_ratios(self, shares: Float64Array) -> Float64Array:
        """Psi of draws from uniform shares (n, r - 1): nothing depends on the last variable."""
        n, r = len(shares), self.low.size
        z, log_ratio = np.zeros((n, r - 1)), np.zeros(n)
        for j in range(r):
            shift = z[:, :j] @ self.before[j, :j] + self.tilt[j]
            low, high = self.low[j] - shift, self.high[j] - shift
            log_ratio += find_log_interval(low, high, self.lengths[j])
            if j < r - 1:
                z[:, j] = self.tilt[j] + find_between(shares[:, j], low, high)
                log_ratio += self.tilt[j] * (0.5 * self.tilt[j] - z[:, j])
        return log_ratio


def order_variables(
    covariance: Float64Array, low: Float64Array, high: Float64Array
) -> tuple[IntArray, Float64Array]:
    """The variables, the least probable first given the expected values of those before, and the root L.

    A. Genz and F. Bretz, Computation of Multivariate Normal and t Probabilities, Springer 2009, 4.1.3.
    """
    C, low, high = np.array(covariance), np.array(low), np.array(high)
    r = low.size
    L, z, order = np.zeros((r, r)), np.zeros(r), np.arange(r)
    rest = np.array(np.diagonal(C))
    for j in range(r):
        spread = np.sqrt(np.maximum(rest[j:], np.finfo(np.float64).tiny))
        shift = L[j:, :j] @ z[:j]
        chances = find_log_interval((low[j:] - shift) / spread, (high[j:] - shift) / spread)
        best = j + int(np.argmin(chances))
        swap, back = [j, best], [best, j]
        for array in (low, high, order, L, rest, C):
            array[swap] = array[back]
        C[:, swap] = C[:, back]
        L[j, j] = np.sqrt(np.maximum(rest[j], np.finfo(np.float64).tiny))
        L[j + 1 :, j] = (C[j + 1 :, j] - L[j + 1 :, :j] @ L[j, :j]) / L[j, j]
        rest[j + 1 :] -= L[j + 1 :, j] ** 2
        before = float(L[j, :j] @ z[:j])
        ends = [np.array([(limit - before) / L[j, j]]) for limit in (low[j], high[j])]
        z[j] = find_mean(ends[0], ends[1])[0]
    return order, L


def find_mean(low: Float64Array, high: Float64Array) -> Float64Array:
    """The mean of a standard normal between limits: (phi(low) - phi(high)) / P."""
    at_low, at_high = find_hazards(low, high, high - low)
    mean = at_low - at_high
    return np.clip(np.where(np.isfinite(mean), mean, 0.0), low, high)


def find_saddle(
    before: Float64Array, low: Float64Array, high: Float64Array, lengths: Float64Array
) -> tuple[Float64Array, float]:
    """The tilt of the saddle point, shape (r,), and psi there, by Newton's method.

    Psi is concave in z and convex in the tilt. Whatever the tilt, the greatest psi is a bound, so it is found
    once more by itself.
    """
    r = low.size
    if r <= 1 or not before.any():
        return np.zeros(r), float(find_log_interval(low, high, lengths).sum())
    psi = Psi(before, low, high, lengths)
    y = np.zeros(2 * (r - 1))
    gradient, jacobian = psi.look_around(y)
    for _ in range(MOST_STEPS):
        step = _solve(jacobian, -gradient)
        size, share = float(np.linalg.norm(step)), 1.0
        if not size > SHORT * (1.0 + float(np.linalg.norm(y))):
            break
        for _ in range(MOST_HALVINGS):
            # the next step by the same Jacobian: a measure that no units of the gradient's entries change
            ahead, curvature = psi.look_around(y + share * step)
            if np.linalg.norm(_solve(jacobian, ahead)) <= (1.0 - 0.25 * share) * size:
                break
            share *= 0.5
        y, gradient, jacobian = y + share * step, ahead, curvature
    tilt = np.append(y[r - 1 :], 0.0)
    return tilt, psi.find_greatest(y[: r - 1], tilt)


def _solve(matrix: Float64Array, vector: Float64Array) -> Float64Array:
    """The solution, of least squares where the matrix is singular to rounding."""
    try:
        return np.asarray(np.linalg.solve(matrix, vector))
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(matrix, vector, rcond=None)[0])


@dataclass(frozen=True)
class Psi:
    """The logarithm of the likelihood ratio of z under a tilt, whose last entry is zero."""

    before: Float64Array
    low: Float64Array
    high: Float64Array
    lengths: Float64Array

    def find(self, z: Float64Array, tilt: Float64Array) -> float:
        """Psi at z, shape (r - 1,)."""
        shift = self.before[:, :-1] @ z + tilt
        chances = find_log_interval(self.low - shift, self.high - shift, self.lengths)
        return float(chances.sum() + tilt[:-1] @ (0.5 * tilt[:-1] - z))

    def find_greatest(self, z: Float64Array, tilt: Float64Array) -> float:
        """The greatest psi over z for a tilt, from a z near it: Newton's method on a concave function."""
        m = z.size
        highest = self.find(z, tilt)
        for _ in range(MOST_STEPS):
            gradient, jacobian = self.look_around(np.append(z, tilt[:-1]))
            step = _solve(jacobian[:m, :m], -gradient[:m])
            gain = 0.5 * float(gradient[:m] @ step)
            if gain < NO_GAIN * (1.0 + abs(highest)):
                break
            for share in 0.5 ** np.arange(MOST_HALVINGS):
                height = self.find(z + share * step, tilt)
                if height > highest:
                    z, highest = z + share * step, height
                    break
            else:
                break
        return highest

    def look_around(self, y: Float64Array) -> tuple[Float64Array, Float64Array]:
        """The gradient with respect to z and the tilt, but for the last entries, and its Jacobian."""
        m = self.low.size - 1
        z, tilt = y[:m], y[m:]
        shift = self.before[:, :m] @ z + np.append(tilt, 0.0)
        a, b = self.low - shift, self.high - shift
        at_a, at_b = find_hazards(a, b, self.lengths)
        means = at_a - at_b
        bends = -means * means
        for end, hazard, sign in ((a, at_a, 1.0), (b, at_b, -1.0)):
            finite = np.isfinite(end)
            bends[finite] += sign * end[finite] * hazard[finite]
        # minus the share of the variance that the limits take away: from -1 to 0
        bends = np.clip(bends, -1.0, 0.0)
        gradient = np.concatenate([means @ self.before[:, :m] - tilt, (tilt - z) + means[:m]])
        bent = bends[:, None] * self.before
        mixed = bent[:m, :m] - np.eye(m)
        inner = (self.before.T @ bent)[:m, :m]
        return gradient, np.block([[inner, mixed.T], [mixed, np.diag(1.0 + bends[:m])]])
