"""What an observation says of the components of a mixture: how dense each is there, and where its mean moves.

Of what is observed, each component expects N(m, S). With S = C C', an observation y is z = C^-1 (y - m), its
log-density is log |C^-1| - p/2 log 2 pi - |z|^2 / 2, and means move by a gain times z. No difference is taken
but y - m, so that all is exact far from the means, in any units.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.covariance.algebra import LOG_2PI
from gaussmix.model.covariance.matrices import invert_lower, not_positive_definite
from gaussmix.model.mixture.properties import MixtureProperties

#: Numbers that a step over rows works on at once: 2 MB, about what a cache holds.
STEP = 2**18


@dataclass(frozen=True, eq=False)
class Observation(ABC):
    """What k components make of an observed vector y of p numbers, and of d unobserved ones x."""

    #: The mean of y in each component, shape (k, p).
    expected: Float64Array
    #: The mean of x in each component before y is known, shape (k, d).
    means: Float64Array
    #: The log-density of y at its mean, shape (k,) or (1,).
    log_peaks: Float64Array

    @abstractmethod
    def take(self, components: IntArray) -> Self:
        """The same of some components."""

    @abstractmethod
    def take_features(self, features: IntArray) -> Self:
        """The same of some of the unobserved numbers."""

    @abstractmethod
    def measure(self, differences: Float64Array) -> Float64Array:
        """|C^-1 e|^2 of differences e from the expected, shape (k, b, p); the result has shape (k, b)."""

    @abstractmethod
    def move(self, differences: Float64Array) -> Float64Array:
        """How far the means of x move, shape (k, b, d)."""

    @property
    def size(self) -> int:
        """Numbers that a row takes in a step."""
        return int(self.expected.size + self.means.size)

    def log_densities(self, rows: Float64Array) -> Float64Array:
        """The log-density of each row of y, shape (n, p), in each component; shape (n, k)."""
        densities = np.empty((len(rows), len(self.expected)))
        for part in step_over(len(rows), self.size):
            squares = self.measure(rows[part] - self.expected[:, None])
            densities[part] = (self.log_peaks[:, None] - 0.5 * squares).T
        return densities

    def locate(self, rows: Float64Array) -> Float64Array:
        """The mean of x in each component, given each row of y; shape (k, n, d)."""
        return self.means[:, None] + self.move(rows - self.expected[:, None])


@dataclass(frozen=True, eq=False)
class DenseObservation(Observation):
    """Of covariances as matrices."""

    #: U with z = U'(y - m), shape (K, p, p), one for all where components share it.
    roots: Float64Array
    #: The transposed gains: x moves by gain' z, shape (K, p, d).
    gains: Float64Array

    @cached_property
    def slopes(self) -> Float64Array:
        """How far the means of x move with each number of y, transposed, shape (K, p, d)."""
        return self.roots @ self.gains

    def take(self, components: IntArray) -> Self:
        shared = len(self.roots) < len(self.means)
        own = {} if shared else {name: getattr(self, name)[components] for name in ("roots", "gains")}
        return replace(
            self,
            expected=self.expected[components],
            means=self.means[components],
            log_peaks=self.log_peaks if len(self.log_peaks) == 1 else self.log_peaks[components],
            **own,
        )

    def take_features(self, features: IntArray) -> Self:
        return replace(self, means=self.means[:, features], gains=self.gains[:, :, features])

    def measure(self, differences: Float64Array) -> Float64Array:
        scores = differences @ self.roots
        return np.asarray(np.vecdot(scores, scores))

    def move(self, differences: Float64Array) -> Float64Array:
        return np.asarray(differences @ self.slopes)


@dataclass(frozen=True, eq=False)
class SeparateObservation(Observation):
    """Of features that are independent but for q factors: y = m + B f + noise, each y of another feature.

    With V the variances of the noise and M = I + B'V^-1 B = G G', the factors are expected at f = G'^-1 s,
    s = G^-1 B'V^-1 (y - m), and |z|^2 = |V^-1/2 (y - m - B f)|^2 + |f|^2. No matrix is of the size p x p.
    """

    #: V^-1/2, shape (k, p).
    precisions: Float64Array
    #: V^-1/2 B G'^-1, shape (k, p, q).
    scores: Float64Array
    #: G^-1, shape (k, q, q).
    turns: Float64Array
    #: The loadings of x once y is known, transposed, shape (k, q, d): x moves by them times s.
    gains: Float64Array
    #: How far each x moves with its own y besides, shape (k, d), and which y that is, shape (d,).
    direct: Float64Array
    sources: IntArray

    def take(self, components: IntArray) -> Self:
        names = ("expected", "means", "log_peaks", "precisions", "scores", "turns", "gains", "direct")
        return replace(self, **{name: getattr(self, name)[components] for name in names})

    def take_features(self, features: IntArray) -> Self:
        return replace(
            self,
            means=self.means[:, features],
            gains=self.gains[:, :, features],
            direct=self.direct[:, features],
            sources=self.sources[features],
        )

    def measure(self, differences: Float64Array) -> Float64Array:
        whitened = differences * self.precisions[:, None]
        if not self.n_factors:
            return np.asarray(np.vecdot(whitened, whitened))
        scores = whitened @ self.scores
        factors = scores @ self.turns
        whitened -= scores @ np.swapaxes(self.scores, 1, 2)
        return np.asarray(np.vecdot(whitened, whitened) + np.vecdot(factors, factors))

    @property
    def n_factors(self) -> int:
        """q; none where features are independent."""
        return int(self.scores.shape[2])

    def move(self, differences: Float64Array) -> Float64Array:
        moves = self.direct[:, None] * differences[:, :, self.sources]
        if self.n_factors:
            moves += ((differences * self.precisions[:, None]) @ self.scores) @ self.gains
        return np.asarray(moves)


def observe_apart(
    expected: Float64Array,
    means: Float64Array,
    loadings: Float64Array,
    variances: Float64Array,
    others: Float64Array,
    direct: Float64Array | None = None,
    sources: IntArray | None = None,
) -> SeparateObservation:
    """What features say that depend on the others through factors alone.

    Parameters
    ----------
    expected, means : ndarray of shape (k, p) and (k, d)
    loadings, variances : ndarray of shape (k, p, q) and (k, p)
        Of the observed features.
    others : ndarray of shape (k, d, q)
        The loadings of the unobserved ones, before y is known.
    direct, sources : ndarray of shape (k, d) and (d,), optional
        As :class:`SeparateObservation` has them; without them, none moves but by the factors.
    """
    (k, p), q = variances.shape, loadings.shape[2]
    precisions = 1.0 / np.sqrt(variances)
    scores, turns = loadings * precisions[:, :, None], np.zeros((k, q, q))
    log_peaks = np.log(precisions).sum(axis=1) - 0.5 * p * LOG_2PI
    if q:
        # the factors given y have the covariance M^-1, so that others times G'^-1 are loadings again
        lower = factorise(np.eye(q) + np.swapaxes(scores, 1, 2) @ scores)
        turns = invert_lower(lower)
        log_peaks = log_peaks - np.log(np.diagonal(lower, axis1=1, axis2=2)).sum(axis=1)
        scores, others = scores @ np.swapaxes(turns, 1, 2), others @ np.swapaxes(turns, 1, 2)
    return SeparateObservation(
        expected=expected,
        means=means,
        log_peaks=log_peaks,
        precisions=precisions,
        scores=scores,
        turns=turns,
        gains=np.swapaxes(others, 1, 2),
        direct=np.zeros(means.shape) if direct is None else direct,
        sources=np.zeros(means.shape[1], dtype=np.int64) if sources is None else sources,
    )


def observe_all(mixture: MixtureProperties) -> Observation:
    """All features observed: what is measured are the components' own densities."""
    (k, d), structure = mixture.means.shape, mixture.structure
    nothing = np.zeros((k, 0))
    parts = structure.algebra.to_parts(mixture.covariance_stack, k, d)
    if parts is not None:
        return observe_apart(mixture.means, nothing, *parts, np.zeros((k, 0, parts[0].shape[2])))
    log_peaks = structure.algebra.log_peaks(mixture.roots, d)
    gains = np.zeros((len(mixture.roots), d, 0))
    return DenseObservation(mixture.means, nothing, log_peaks, mixture.roots, gains)


def triangulate(halves: Float64Array) -> Float64Array:
    """R, upper triangular with a diagonal that is not negative, with R'R = H'H for each H, (m, n), m >= n."""
    upper = np.linalg.qr(halves, mode="r")
    signs = np.where(np.diagonal(upper, axis1=1, axis2=2) < 0.0, -1.0, 1.0)
    return np.asarray(np.triu(upper * signs[:, :, None]))


def factorise(covariances: Float64Array) -> Float64Array:
    """The lower Cholesky factors of a stack. Raises NotPositiveDefiniteError."""
    try:
        return np.asarray(np.linalg.cholesky(covariances), dtype=np.float64)
    except np.linalg.LinAlgError:
        raise not_positive_definite(covariances) from None


def find_log_peaks(halves: Float64Array, p: int) -> Float64Array:
    """Minus log |C| - p/2 log 2 pi, from the diagonals of triangular C, shape (k, p)."""
    return np.asarray(-np.log(halves).sum(axis=1) - 0.5 * p * LOG_2PI)


def step_over(n: int, size: int) -> Iterator[slice]:
    """Slices of n rows, each of about :data:`STEP` numbers, where a row takes `size`."""
    step = max(1, STEP // max(size, 1))
    for first in range(0, n, step):
        yield slice(first, min(first + step, n))
