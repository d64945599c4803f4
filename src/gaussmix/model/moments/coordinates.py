"""Statistics as vectors of unconstrained numbers: any vector is the statistics of some rows.

The coordinates are log shares, means, and logarithms of the covariances, matrices where a family has them.
What turns the axes turns these, so a fit that goes by them does not depend on the axes. An M-step makes a
mixture of whatever they say: floors, ridges and families of covariances hold for a vector that was
extrapolated as for any other.

References
----------
J. C. Pinheiro and D. M. Bates, Unconstrained parametrizations for variance-covariance matrices, Statistics
and Computing 6 (1996) 289-296 (the matrix logarithm is one of theirs).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.moments.blocks import VECH, Block, Form
from gaussmix.model.moments.statistics import Moments

#: Spreads that are rounding, as a part of the largest.
ROUNDING = 1e-13


class NoCoordinatesError(ArithmeticError):
    """Statistics at the border: an empty component, or a covariance without spread in some direction."""


@dataclass(frozen=True)
class Coordinates:
    """Coordinates of the statistics of k components in d dimensions."""

    form: Form
    k: int
    d: int

    @property
    def size(self) -> int:
        """The number of coordinates, p."""
        own, pooled = self.form.own.size(self.d), self.form.pooled.size(self.d)
        return self.k * (1 + self.d + own) + pooled

    def leap(self, step: Float64Array) -> float:
        """The largest change of a logarithm, of shares and of spreads, that a step makes."""
        shares, _, own, pooled = self._split(step[None, :])
        changes: list[Float64Array] = [shares]
        for steps, block in ((own, self.form.own), (pooled, self.form.pooled)):
            if block.general:
                changes.append(np.asarray(np.linalg.eigvalsh(_unpack(steps, self.d))))
            elif not block.empty:
                changes.append(steps)
        return max(float(np.abs(change).max()) for change in changes)

    def vector(self, moments: Moments) -> Float64Array:
        """The coordinates of statistics, shape (p,); NoCoordinatesError where they have none."""
        if not np.minimum.reduce(moments.counts) > 0.0:
            raise NoCoordinatesError
        parts = [np.log(moments.counts / moments.weight), moments.means().ravel()]
        if not self.form.own.empty:
            parts.append(_take_logarithms(moments.covariances(), self.form.own))
        if not self.form.pooled.empty:
            parts.append(_take_logarithms(moments.pooled_covariances(), self.form.pooled))
        vector = np.concatenate(parts)
        if not np.isfinite(vector).all():
            raise NoCoordinatesError
        return vector

    def moments(self, vector: Float64Array, weight: float) -> Moments:
        """The moments with these coordinates and total weight.

        A number that is common to the log shares does not matter.
        """
        shares, means, own, pooled = self._split(vector[None, :])
        counts = np.exp(shares[0] - np.maximum.reduce(shares[0]))
        counts *= weight / np.add.reduce(counts)
        return Moments(
            self.form,
            counts,
            np.zeros((self.k, self.d)),
            counts[:, None] * _restore_moments(own[0], self.form.own, self.d),
            weight * _restore_moments(pooled[0], self.form.pooled, self.d)[0],
            means[0],
        )

    def whiten(self, rows: Float64Array, at: Moments) -> Float64Array:
        """Steps, shape (m, p), in units in which the information of complete data is the identity.

        With I that information at the statistics `at`, for each unit of weight, the product of two whitened
        steps is a' I b, and a' I a / 2 is the divergence, in nats, that a small step makes. Of a covariance
        it is tr((C^-1 dC)^2) / 4; tr((d log C)^2) / 4 is taken for it, which is less where a step turns long
        axes. Raises NoCoordinatesError where there are none.
        """
        shares, means, own, pooled = self._split(rows)
        of_each = at.counts / at.weight
        parts = [shares * np.sqrt(of_each)]
        whitened = means
        for steps, block, moments, weights in (
            (pooled, self.form.pooled, at.pooled_covariances, np.ones(1)),
            (own, self.form.own, at.covariances, of_each),
        ):
            if not block.empty:
                parts.append(steps * np.sqrt(0.5 * block.n_merged(self.d) * weights)[:, None])
                whitened = _divide_by_spreads(means, moments(), block)
        parts.append(whitened * np.sqrt(of_each)[:, None])
        return np.concatenate([part.reshape(len(rows), -1) for part in parts], axis=1)

    def _split(self, rows: Float64Array) -> tuple[Float64Array, Float64Array, Float64Array, Float64Array]:
        """Rows (m, p): log shares (m, k), means (m, k, d), own (m, k, ...) and pooled (m, 1, ...) blocks."""
        k, d, m = self.k, self.d, len(rows)
        means = k + k * d
        own = means + k * self.form.own.size(d)
        return (
            rows[:, :k],
            rows[:, k:means].reshape(m, k, d),
            rows[:, means:own].reshape(m, k, -1),
            rows[:, own:].reshape(m, 1, -1),
        )


@lru_cache(maxsize=64)
def _scales(d: int) -> Float64Array:
    """What the entries of a packed symmetric (d, d) matrix are multiplied by, so that products are kept."""
    rows, columns = np.tril_indices(d)
    return np.where(rows == columns, 1.0, np.sqrt(2.0))


def _divide_by_spreads(means: Float64Array, moments: Float64Array, block: Block) -> Float64Array:
    """Steps of means (m, k, d) in units of spreads, with second moments of this block for each component."""
    if block.general:
        try:
            return (np.linalg.inv(np.linalg.cholesky(moments)) @ means[..., None])[..., 0]
        except np.linalg.LinAlgError:
            raise NoCoordinatesError from None
    variances = moments[:, None] / means.shape[-1] if moments.ndim == 1 else moments
    return means / np.sqrt(variances)


def _take_logarithms(moments: Float64Array, block: Block) -> Float64Array:
    """Logarithms of a stack of second moments, flat."""
    if not block.general:
        if not np.minimum.reduce(moments, axis=None) > 0.0:
            raise NoCoordinatesError
        return np.asarray(np.log(moments).ravel())
    spreads, axes = np.linalg.eigh(moments)
    if not (spreads[:, 0] > ROUNDING * spreads[:, -1]).all():
        raise NoCoordinatesError
    logarithms = (axes * np.log(spreads)[:, None, :]) @ np.swapaxes(axes, -1, -2)
    return np.asarray(block.pack(logarithms) * _scales(moments.shape[-1])).ravel()


def _restore_moments(logarithms: Float64Array, block: Block, d: int) -> Float64Array:
    """Packed second moments (m, size) from their coordinates (m, size)."""
    if not block.general:
        return np.exp(logarithms)
    spreads, axes = np.linalg.eigh(_unpack(logarithms, d))
    return np.asarray(
        block.pack((axes * np.exp(spreads)[:, None, :]) @ np.swapaxes(axes, -1, -2)), dtype=np.float64
    )


def _unpack(vectors: Float64Array, d: int) -> Float64Array:
    """Symmetric matrices (..., d, d) from packed and scaled vectors (..., size)."""
    return VECH.unpack(vectors / _scales(d), d)
