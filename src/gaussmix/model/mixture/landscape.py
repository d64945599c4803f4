"""The modes of a mixture's density, which components climb to which, and the passes between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gaussmix._typing import BoolArray, Float64Array, IntArray
from gaussmix.model.covariance.matrices import upper_roots
from gaussmix.model.mixture.properties import MixtureProperties

#: Steps of an ascent at most; near a mode they are Newton's.
MOST_STEPS = 1000
#: An ascent has ended where a step is shorter, in standard deviations of the density around its end.
SHORT = 1e-9
#: Ends of ascents that are nearer, in the same unit, are one mode.
SAME_MODE = 1e-3
#: Curvature, relative to the precisions around, over which a point is no mode but a saddle.
CURVED = 1e-8
#: How far an ascent leaves a saddle, in standard deviations of the whole mixture.
PUSH = 1e-3
#: How often an ascent leaves a saddle at most: each time it comes to a higher one.
MOST_SADDLES = 20
#: Relative ridge of the covariance that makes the coordinates.
RIDGE = 1e-14
#: What stands for a weight of zero, whose logarithm is none.
LEAST_WEIGHT = 1e-300
#: Difference of log-densities that may be rounding.
ROUNDING = 1e-12
#: Points at which the density between two components is looked at.
N_POINTS = 101


@dataclass(frozen=True)
class Landscape:
    """The Gaussians of a mixture in coordinates in which their whole covariance is the identity."""

    #: Logarithms of the weighted densities at the means, shape (k,), but for a constant.
    peaks: Float64Array
    means: Float64Array
    #: Roots U of the precisions U U', shape (k, d, d).
    roots: Float64Array

    @classmethod
    def of(cls, mixture: MixtureProperties) -> Landscape:
        """That of the Gaussians alone, since noise changes no mode."""
        scale = find_scale(mixture)
        roots = upper_roots(mixture.dense_covariances)
        return cls(
            peaks=np.log(np.maximum(mixture.weights, LEAST_WEIGHT))
            + np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(axis=1),
            means=np.asarray(np.linalg.solve(scale, (mixture.means - mixture.mean).T).T),
            roots=scale.T @ roots,
        )

    @cached_property
    def precisions(self) -> Float64Array:
        """Shape (k, d, d)."""
        return np.asarray(self.roots @ np.swapaxes(self.roots, 1, 2))

    def find_joint(self, points: Float64Array) -> Float64Array:
        """Log w_k N(x | mu_k, Sigma_k) but for a constant, shape (m, k)."""
        whitened = (points - self.means[:, None]) @ self.roots
        return np.asarray((self.peaks[:, None] - 0.5 * np.vecdot(whitened, whitened)).T)

    def find_log_density(self, points: Float64Array) -> Float64Array:
        """The logarithm of the density but for a constant, shape (m,)."""
        joint = self.find_joint(points)
        top = joint.max(axis=1)
        return np.asarray(top + np.log(np.exp(joint - top[:, None]).sum(axis=1)))

    def look_around(self, points: Float64Array) -> tuple[Float64Array, Float64Array, Float64Array]:
        """Gradients (m, d) and Hessians (m, d, d) of the log-density, and the mean precisions around."""
        joint = self.find_joint(points)
        R = np.exp(joint - joint.max(axis=1, keepdims=True))
        R /= R.sum(axis=1, keepdims=True)
        pulls = np.swapaxes((self.means[:, None] - points) @ self.precisions, 0, 1)
        gradients = np.einsum("mk,mkd->md", R, pulls)
        around = np.einsum("mk,kde->mde", R, self.precisions)
        hessians = np.einsum("mk,mkd,mke->mde", R, pulls, pulls, optimize=True) - around
        hessians -= gradients[:, :, None] * gradients[:, None, :]
        return gradients, hessians, around

    def climb(self, starts: Float64Array) -> Float64Array:
        """Where ascents from some points end: modes, or rarely saddles; shape (m, d).

        A step is that of EM for modes, x = (sum_k r_k P_k)^-1 sum_k r_k P_k mu_k, which never goes down.
        Where the log-density is concave and Newton's step goes up as far, it is that.
        """
        points = np.array(starts)
        going = np.arange(len(points))
        for _ in range(MOST_STEPS):
            here = points[going]
            gradients, hessians, around = self.look_around(here)
            steps = np.linalg.solve(around, gradients[:, :, None])[:, :, 0]
            concave = np.linalg.eigvalsh(hessians)[:, -1] < 0.0
            quick = np.array(steps)
            quick[concave] = np.linalg.solve(-hessians[concave], gradients[concave][:, :, None])[:, :, 0]
            gain = self.find_log_density(here + quick) - self.find_log_density(here + steps)
            better = gain >= -ROUNDING
            steps[better] = quick[better]
            points[going] = here + steps
            lengths = np.einsum("md,mde,me->m", steps, around, steps)
            going = going[lengths > SHORT**2]
            if not going.size:
                break
        return points

    def find_modes(self, starts: Float64Array) -> Float64Array:
        """The modes that ascents from some points end at, shape (m, d); from a saddle they go on."""
        points = self.climb(starts)
        for _ in range(MOST_SADDLES):
            _, hessians, around = self.look_around(points)
            values, vectors = np.linalg.eigh(hessians)
            saddles = np.flatnonzero(values[:, -1] > CURVED * np.trace(around, axis1=1, axis2=2))
            if not saddles.size:
                break
            away = vectors[saddles, :, -1]
            largest = np.argmax(np.abs(away) > 0.5 * np.abs(away).max(axis=1, keepdims=True), axis=1)
            away *= np.sign(away[np.arange(len(away)), largest])[
                :, None
            ]  # either way is up; this one is fixed
            points[saddles] = self.climb(points[saddles] + PUSH * away)
        return points

    def find_lowest(self, first: int, second: int) -> float:
        """The least log-density on the better of two ways from a mean to another.

        One is the ridge line, x(a) = ((1 - a) P + a P')^-1 ((1 - a) P mu + a P' mu'), on which all modes of
        the two by themselves lie; the other is straight.
        """
        share = np.linspace(0.0, 1.0, N_POINTS)[:, None]
        m, n = self.means[first], self.means[second]
        P, Q = self.precisions[first], self.precisions[second]
        straight = (1.0 - share) * m + share * n
        sums = (1.0 - share[:, :, None]) * P + share[:, :, None] * Q
        pulls = (1.0 - share) * (P @ m) + share * (Q @ n)
        ridge = np.linalg.solve(sums, pulls[:, :, None])[:, :, 0]
        return float(max(self.find_log_density(way).min() for way in (straight, ridge)))


def find_scale(mixture: MixtureProperties) -> Float64Array:
    """The matrix that takes a landscape's coordinates to the mixture's, about its mean, shape (d, d)."""
    ridge = np.diag(RIDGE * mixture.total_variances)
    return np.asarray(np.linalg.cholesky(mixture.covariance + ridge), dtype=np.float64)


def group_modes(landscape: Landscape) -> tuple[Float64Array, IntArray]:
    """The different modes, highest first, shape (m, d), and the mode of each component, shape (k,)."""
    ends = landscape.find_modes(landscape.means)
    _, _, around = landscape.look_around(ends)
    heights = landscape.find_log_density(ends)
    modes: list[int] = []
    labels = np.full(len(ends), -1)
    for end in np.argsort(-heights, kind="stable"):
        apart = ends[modes] - ends[end]
        same: BoolArray = np.einsum("md,de,me->m", apart, around[end], apart) < SAME_MODE**2
        if not same.any():
            modes.append(int(end))
        labels[end] = int(np.argmax(same)) if same.any() else len(modes) - 1
    return ends[modes], labels


def find_passes(landscape: Landscape, modes: Float64Array, labels: IntArray) -> Float64Array:
    """How high the pass between two components is, shape (k, k): its density over that of the lower mode.

    It is one for components of one mode. Otherwise the way goes from a mode to its component's mean, on to
    the other mean and up to the other mode, and the pass is its lowest point. Over a third component the way
    may be better; whoever merges the closest first takes that one.
    """
    heights = landscape.find_log_density(modes)[labels]
    at_means = landscape.find_log_density(landscape.means)
    k = len(labels)
    passes = np.ones((k, k))
    for first in range(k):
        for second in range(first + 1, k):
            if labels[first] != labels[second]:
                lowest = min(landscape.find_lowest(first, second), at_means[first], at_means[second])
                lower = min(heights[first], heights[second])
                passes[first, second] = passes[second, first] = np.exp(min(lowest - lower, 0.0))
    return passes
