"""The highest point of the density of each of many mixtures that share their covariances.

With the responsibilities r_k at x, P_k the precisions, v_k = P_k (mu_k - x) and A = sum_k r_k P_k::

    gradient of log p      g = sum_k r_k v_k
    step of EM             A^-1 g, which never lowers the density
    Hessian of log p       H = sum_k r_k v_k v_k' - A - g g'
    Newton's step          -H^-1 g, taken where it goes up at least as far

References
----------
M. A. Carreira-Perpinan, Mode-finding for mixtures of Gaussian distributions, IEEE Trans. Pattern Anal. Mach.
Intell. 22 (2000) 1318-1323.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.covariance.matrices import invert_lower
from gaussmix.model.kernels.softmax import sum_exponentials
from gaussmix.model.mixture.algebra.observation import Observation, factorise, observe_all
from gaussmix.model.mixture.properties import MixtureProperties

#: Steps at most; Newton's method takes fewer than ten but where two modes are about to become one.
MOST_STEPS = 200
#: A mode is found when no feature moves by more than this, in the smallest deviation of a component.
TOLERANCE = 1e-10


@dataclass(frozen=True, eq=False)
class Peaks:
    """What is the same of all mixtures."""

    density: Observation
    #: P_k, shape (k, d, d).
    precisions: Float64Array
    #: The least deviation of each feature in a component, shape (d,).
    deviations: Float64Array

    @classmethod
    def of(cls, mixture: MixtureProperties) -> Self:
        """That of a mixture with the covariances."""
        algebra, (k, d) = mixture.structure.algebra, mixture.means.shape
        parts = algebra.to_parts(mixture.covariance_stack, k, d)
        if parts is None:
            precisions = algebra.precisions(mixture.roots)
        else:
            halves = invert_lower(factorise(mixture.dense_covariances))
            precisions = np.swapaxes(halves, 1, 2) @ halves
        precisions = np.broadcast_to(precisions, (k, d, d))
        return cls(observe_all(mixture), precisions, np.sqrt(mixture.variances.min(axis=0)))

    @property
    def size(self) -> int:
        """Numbers that a mixture takes in a step."""
        return int(self.precisions.size + self.precisions[:, 0].size * len(self.precisions))

    def find_highest(self, log_weights: Float64Array, means: Float64Array) -> Float64Array:
        """A mode of each mixture, shape (b, d), from weights (b, k) and means (b, k, d).

        It is no lower than the density at any component's mean: the ascent begins at the highest of these.
        """
        x = self._find_start(log_weights, means)
        active = np.arange(len(x))
        for _ in range(MOST_STEPS):
            if not active.size:
                break
            at, weights, centres = x[active], log_weights[active], means[active]
            after = self._ascend(at, weights, centres)
            x[active] = after
            active = active[(np.abs(after - at) > TOLERANCE * self.deviations).any(axis=1)]
        return x

    def _find_start(self, log_weights: Float64Array, means: Float64Array) -> Float64Array:
        """The mean of a component at which the density is highest."""
        b, k, _ = means.shape
        heights = np.empty((b, k))
        for j in range(k):
            heights[:, j] = sum_exponentials(self._find_joint(means[:, j], log_weights, means))
        best = heights.argmax(axis=1)
        return np.array(means[np.arange(b), best])

    def _find_joint(self, x: Float64Array, log_weights: Float64Array, means: Float64Array) -> Float64Array:
        """The log-density of x under each component with its weight, shape (b, k)."""
        squares = self.density.measure(x - np.swapaxes(means, 0, 1))
        return np.asarray(log_weights + (self.density.log_peaks[:, None] - 0.5 * squares).T)

    def _ascend(self, x: Float64Array, log_weights: Float64Array, means: Float64Array) -> Float64Array:
        """One step up from each x."""
        joint = self._find_joint(x, log_weights, means)
        height = sum_exponentials(joint)
        shares = np.exp(joint - height[:, None])
        k, d, _ = self.precisions.shape
        pulls = np.swapaxes((np.swapaxes(means, 0, 1) - x) @ self.precisions, 0, 1)
        gradient = (shares[:, None] @ pulls)[:, 0]
        average = (shares @ self.precisions.reshape(k, d * d)).reshape(-1, d, d)
        spread = np.swapaxes(pulls * shares[:, :, None], 1, 2) @ pulls
        bend = average + gradient[:, :, None] * gradient[:, None] - spread
        # in deviations of the features, so that their units make no difference to what is singular
        scale = self.deviations[:, None] * self.deviations
        steps = self._solve(average, gradient, scale)
        newton = self._solve(bend, gradient, scale)
        by_em = sum_exponentials(self._find_joint(x + steps, log_weights, means))
        by_newton = sum_exponentials(self._find_joint(x + newton, log_weights, means))
        better = (by_newton >= by_em) & (by_newton >= height)
        chosen = np.where(better[:, None], newton, steps)
        still = ~better & (by_em < height)  # rounding alone is left
        return np.asarray(x + np.where(still[:, None], 0.0, chosen))

    def _solve(self, matrices: Float64Array, vectors: Float64Array, scale: Float64Array) -> Float64Array:
        """The solutions of systems in the features' deviations; no step where one is singular."""
        try:
            solved = np.linalg.solve(matrices * scale, (vectors * self.deviations)[:, :, None])[:, :, 0]
        except np.linalg.LinAlgError:
            return np.zeros_like(vectors)
        return np.asarray(np.where(np.isfinite(solved), solved, 0.0) * self.deviations)
