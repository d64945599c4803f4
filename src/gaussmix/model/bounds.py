"""Bounds on how far components may differ in size, and the best covariances within them.

Both bounds lead to one problem: of values v_i >= 0 with weights s_i, find

    the x_i >= 0 that minimise sum_i s_i (log x_i + v_i / x_i)  subject to  max x <= c min x.

Its answer is v clipped to [m, c m], and m is the root of a non-decreasing, piecewise linear function.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.covariance import Structure
from gaussmix.model.covariance.volumes import compute_volumes


@dataclass(frozen=True, eq=False)
class Bound:
    """The covariances nearest to second moments among those with a bounded ratio of sizes.

    Called like :meth:`Structure.combine`, of which it takes the place for families whose components share
    no part of their covariances, or all of them.

    References
    ----------
    L. A. Garcia-Escudero, A. Gordaliza, C. Matran and A. Mayo-Iscar, Ann. Statist. 36 (2008) 1324-1345.
    H. Fritz, L. A. Garcia-Escudero and A. Mayo-Iscar, Comput. Stat. Data Anal. 61 (2013) 124-136.
    """

    structure: Structure
    #: c >= 1, the largest size over the smallest.
    ratio: float
    #: What is compared: all eigenvalues of all components, or the determinants |C_k|.
    of: Literal["eigenvalues", "determinants"]
    #: The least eigenvalue, in squared units of the moments.
    least: float = 0.0

    def __call__(
        self, moments: Float64Array, shares: Float64Array, warm: Float64Array | None = None
    ) -> Float64Array:
        """The nearest covariances; the moments themselves where they are within the bound."""
        stack = moments[:, None] if moments.ndim == 1 else moments  # one variance a component
        weights = np.ones(1) if self.structure.shared else shares
        clip = self._clip_eigenvalues if self.bounds_all else self._clip_determinants
        found = clip(stack, weights)
        return moments if found is stack else found.reshape(moments.shape)

    @property
    def bounds_all(self) -> bool:
        """Whether no eigenvalue can vanish unless all do."""
        return self.of == "eigenvalues"

    def _clip_eigenvalues(self, stack: Float64Array, shares: Float64Array) -> Float64Array:
        if stack.ndim == 2:  # variances, which are eigenvalues
            return clip_values(stack, shares[:, None], self.ratio, self.least)
        values, axes = np.linalg.eigh(stack)
        found = clip_values(values, shares[:, None], self.ratio, self.least)
        moved = (found != values).any(axis=1)
        if not moved.any():
            return stack
        result = stack.copy()
        turned = (axes[moved] * found[moved, None, :]) @ np.swapaxes(axes[moved], -1, -2)
        result[moved] = 0.5 * (turned + np.swapaxes(turned, -1, -2))
        return result

    def _clip_determinants(self, stack: Float64Array, shares: Float64Array) -> Float64Array:
        """Of given volumes x_k = |C_k|^(1/d) the best C_k are x_k M_k / |M_k|^(1/d)."""
        values = stack if stack.ndim == 2 else np.linalg.eigvalsh(stack)
        size = compute_volumes(np.asarray(values))
        found = clip_values(size, shares[:, None], self.ratio ** (1.0 / values.shape[1]), 0.0)
        if found is size:
            return stack
        return np.asarray(stack * (found / size).reshape(-1, *(1,) * (stack.ndim - 1)))


def clip_values(values: Float64Array, weights: Float64Array, ratio: float, least: float) -> Float64Array:
    """The x within `ratio` of each other, none under `least`, that minimise sum w (log x + values / x).

    `weights` broadcast against the values. Values that are within the bounds come back as they are.
    """
    lowest, highest = float(values.min()), float(values.max())
    if lowest >= least and highest <= ratio * lowest:
        return values
    flat, w = values.ravel(), np.broadcast_to(weights, values.shape).ravel()
    m = max(_find_root(np.maximum(flat, 0.0), w, ratio), least)
    return np.clip(values, m, ratio * m)


def _find_root(values: Float64Array, weights: Float64Array, ratio: float) -> float:
    """The m at which sum w (m - v)+ = sum w (v / c - m)+: the low are raised by what the high are lowered by.

    With x = v clipped to [m, c m], the difference is the derivative of sum w (log x + v / x), up to a
    positive factor. It is piecewise linear and does not fall, so one pass over its sorted kinks finds it.
    """
    order = np.argsort(values, kind="stable")
    low, w = values[order], weights[order]
    high = low / ratio
    kinks = np.sort(np.concatenate([low, high]))
    below, above = (np.searchsorted(ends, kinks, side="right") for ends in (low, high))
    counts, low_sums, high_sums = (
        np.concatenate([[0.0], np.cumsum(terms)]) for terms in (w, w * low, w * high)
    )
    slope = counts[below] + (counts[-1] - counts[above])
    level = low_sums[below] + (high_sums[-1] - high_sums[above])
    rising = slope * kinks >= level
    after = int(np.argmax(rising)) if rising.any() else kinks.size - 1
    before = max(after - 1, 0)  # slope and level of a kink hold up to the next
    if not slope[before] > 0.0:
        return float(kinks[after])
    return float(np.clip(level[before] / slope[before], kinks[before], kinks[after]))
