"""Statistics as vectors of unconstrained numbers: any vector is the statistics of some rows.

The coordinates are log shares, means, and log-Cholesky factors of the covariances (log variances, where a
family has no matrices). An M-step makes a mixture of whatever they say, so that floors, ridges and families
of covariances hold for a vector that was extrapolated as for any other.

References
----------
J. C. Pinheiro and D. M. Bates, Unconstrained parametrizations for variance-covariance matrices, Statistics
and Computing 6 (1996) 289-296.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.features import Block, Form, block_size
from gaussmix.model.stats import Stats


class NoCoordinatesError(ArithmeticError):
    """Statistics at the border: an empty component, or a covariance without spread in some direction."""


@dataclass(frozen=True)
class Coordinates:
    """Coordinates of the statistics of k components in d dimensions.

    Parameters
    ----------
    form : Form
    k, d : int
    """

    form: Form
    k: int
    d: int

    @property
    def size(self) -> int:
        """The number of coordinates, p."""
        own, pooled = block_size(self.form.own, self.d), block_size(self.form.pooled, self.d)
        return self.k * (1 + self.d + own) + pooled

    def leap(self, step: Float64Array) -> float:
        """The largest change of a logarithm, of shares and of spreads, that a step makes."""
        return float(np.maximum.reduce(np.abs(step[_logs(self.form, self.k, self.d)])))

    def vector(self, stats: Stats) -> Float64Array:
        """The coordinates of statistics, shape (p,); NoCoordinatesError where they have none."""
        if not np.minimum.reduce(stats.counts) > 0.0:
            raise NoCoordinatesError
        parts = [np.log(stats.counts / stats.weight), stats.means().ravel()]
        if self.form.own != "none":
            parts.append(_logarithms(stats.covariances(), self.form.own))
        if self.form.pooled != "none":
            parts.append(_logarithms(stats.within(), self.form.pooled))
        vector = np.concatenate(parts)
        if not np.isfinite(vector).all():
            raise NoCoordinatesError
        return vector

    def stats(self, vector: Float64Array, weight: float) -> Stats:
        """The statistics with these coordinates and total weight. Their log-likelihood is not known: NaN.

        A number that is common to the log shares does not matter.
        """
        shares, means, own, pooled = self._split(vector[None, :])
        counts = np.exp(shares[0] - np.maximum.reduce(shares[0]))
        counts *= weight / np.add.reduce(counts)
        return Stats(
            self.form,
            counts,
            np.zeros((self.k, self.d)),
            counts[:, None] * _moments(own[0], self.form.own, self.d),
            weight * _moments(pooled[0], self.form.pooled, self.d)[0],
            means[0],
            float("nan"),
        )

    def whiten(self, rows: Float64Array, at: Float64Array) -> Float64Array:
        """Steps, shape (m, p), in units in which the information of complete data is the identity.

        With I that information at the vector `at`, for each unit of weight, the product of two whitened steps
        is a' I b, and a' I a / 2 the divergence, in nats, that a small step makes. Entries of Cholesky
        factors off the diagonal are, nearly enough, in units of their row's own.
        """
        shares, means, own, pooled = self._split(rows)
        here = self._split(at[None, :])
        roots = np.exp(0.5 * here[0][0])
        parts = [shares * roots]
        whitening = np.ones((1, 1))
        for steps, logarithms, block, weight in (
            (pooled, here[3][0], self.form.pooled, np.ones(1)),
            (own, here[2][0], self.form.own, roots),
        ):
            if block != "none":
                whitening, scales = _information(logarithms, block, self.d)
                parts.append((steps * (weight[:, None] * scales)).reshape(len(rows), -1))
        if whitening.ndim == 3:
            means = (whitening @ means[..., None])[..., 0]
        else:
            means = whitening * means
        parts.append((means * roots[:, None]).reshape(len(rows), -1))
        return np.concatenate(parts, axis=1)

    def _split(self, rows: Float64Array) -> tuple[Float64Array, Float64Array, Float64Array, Float64Array]:
        """Rows (m, p): log shares (m, k), means (m, k, d), own (m, k, ...) and pooled (m, 1, ...) blocks."""
        k, d, m = self.k, self.d, len(rows)
        means = k + k * d
        own = means + k * block_size(self.form.own, d)
        return (
            rows[:, :k],
            rows[:, k:means].reshape(m, k, d),
            rows[:, means:own].reshape(m, k, -1),
            rows[:, own:].reshape(m, 1, -1),
        )


@lru_cache(maxsize=64)
def _entries(d: int) -> tuple[IntArray, IntArray, IntArray]:
    """Row and column of each entry of a packed (d, d) triangle, and where those on the diagonal are."""
    rows, columns = np.tril_indices(d)
    return rows, columns, np.flatnonzero(rows == columns)


@lru_cache(maxsize=64)
def _logs(form: Form, k: int, d: int) -> IntArray:
    """Where the log shares are in a vector, and the log spreads."""
    places, start = [np.arange(k)], k + k * d
    for block, m in ((form.own, k), (form.pooled, 1)):
        size = block_size(block, d)
        spreads = _entries(d)[2] if block == "vech" else np.arange(size)
        places.append((start + size * np.arange(m)[:, None] + spreads).ravel())
        start += m * size
    return np.concatenate(places)


def _logarithms(moments: Float64Array, block: Block) -> Float64Array:
    """Log-Cholesky factors, or logarithms, of a stack of second moments, flat."""
    if block != "vech":
        if not np.minimum.reduce(moments, axis=None) > 0.0:
            raise NoCoordinatesError
        return np.asarray(np.log(moments).ravel())
    rows, columns, diagonal = _entries(moments.shape[-1])
    try:
        packed = np.linalg.cholesky(moments)[:, rows, columns]
    except np.linalg.LinAlgError:
        raise NoCoordinatesError from None
    packed[:, diagonal] = np.log(packed[:, diagonal])
    return np.asarray(packed.ravel())


def _roots(logarithms: Float64Array, d: int) -> Float64Array:
    """Cholesky factors (m, d, d) from their coordinates (m, size)."""
    rows, columns, diagonal = _entries(d)
    packed = np.array(logarithms)
    packed[:, diagonal] = np.exp(packed[:, diagonal])
    roots = np.zeros((len(packed), d, d))
    roots[:, rows, columns] = packed
    return roots


def _moments(logarithms: Float64Array, block: Block, d: int) -> Float64Array:
    """Packed second moments (m, size) from their coordinates (m, size)."""
    if block != "vech":
        return np.exp(logarithms)
    rows, columns, _ = _entries(d)
    roots = _roots(logarithms, d)
    return np.asarray((roots @ np.swapaxes(roots, -1, -2))[:, rows, columns])


def _information(logarithms: Float64Array, block: Block, d: int) -> tuple[Float64Array, Float64Array]:
    """What whitens means, (m, d, d) or (m, d or 1), and the root of the information about each coordinate.

    For C = L L' and dL = L A, tr((C^-1 dC)^2) / 2 is twice the squares on the diagonal of A, which are those
    of d log L_ii, and once those below it.
    """
    if block != "vech":
        per_entry = 0.5 * d if block == "radial" else 0.5
        variances = np.exp(logarithms) / (d if block == "radial" else 1.0)
        return np.asarray(1.0 / np.sqrt(variances)), np.full((1, 1), per_entry**0.5)
    rows, _, diagonal = _entries(d)
    scales = np.exp(-logarithms[:, diagonal])[:, rows]
    scales[:, diagonal] = np.sqrt(2.0)
    return np.asarray(np.linalg.inv(_roots(logarithms, d))), scales
