"""The components that are left while they merge two by two, in the coordinates that whiten the mixture."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.covariance.matrices import MATRICES
from gaussmix.model.mixture.algebra.families import refuse_singular
from gaussmix.model.mixture.pairs.elimination import count_systems, find_half_log_dets
from gaussmix.model.mixture.parts import Parts


class Cloud:
    """Components in arrays with the components last, of which the first `n` are left.

    Everything is in whitened coordinates, in which the whole mixture has mean 0 and covariance I. Merging
    overwrites the arrays.

    Attributes
    ----------
    weights : ndarray of shape (n,)
    means : ndarray of shape (d, n)
    covariances : ndarray of shape (d, d, n)
    half_log_dets : ndarray of shape (n,)
    owners : ndarray of shape (k,)
        Where each component of the mixture is now; -1 for one of no weight.
    """

    def __init__(self, mixture: Parts) -> None:
        kept = np.flatnonzero(mixture.weights > 0.0)
        self.n, d = len(kept), mixture.n_features
        scales = np.sqrt(mixture.total_variances)
        with refuse_singular("reduce"):
            root = MATRICES.find_roots((mixture.covariance / np.multiply.outer(scales, scales))[None])[0]
        inverse = root.T / scales
        self.weights = mixture.weights[kept].copy()
        self.means = inverse @ (mixture.means[kept] - mixture.mean).T
        whitened = inverse @ mixture.dense_covariances[kept] @ inverse.T
        self.covariances = np.ascontiguousarray(np.moveaxis(whitened, 0, -1))
        # the logarithm of a determinant is the root's: whitening may lose digits of a thin covariance
        log_dets = -mixture.structure.algebra.log_det(mixture.roots, d)
        shift = float(np.log(np.diagonal(inverse)).sum())
        self.half_log_dets = np.broadcast_to(log_dets, (mixture.n_components,))[kept] + shift
        self._work = np.empty((2, d, d, min(self.n, count_systems(d))))  # fresh memory costs more than sums
        self.owners = np.full(mixture.n_components, -1)
        self.owners[kept] = np.arange(self.n)

    def measure_losses(self, place: int, others: slice) -> Float64Array:
        """What merging a component with each of the others loses at most, in nats.

        It is (w log |C| - w_i log |C_i| - w_j log |C_j|) / 2, with w and C those of the merged component.
        """
        d = len(self.means)
        losses = np.empty(others.stop - others.start)
        size = count_systems(d)
        own = self.weights[place]
        for begin in range(others.start, others.stop, size):
            part = slice(begin, min(begin + size, others.stop))
            weights = self.weights[part]
            totals = own + weights
            shares = own / totals
            apart = self.means[:, place, None] - self.means[:, part]
            merged, other = (work[:, :, : len(weights)] for work in self._work)
            np.multiply(self.covariances[:, :, part], 1.0 - shares, out=merged)
            merged += np.multiply(self.covariances[:, :, place, None], shares, out=other)
            merged += np.multiply(shares * (1.0 - shares) * apart, apart[:, None], out=other)
            found = totals * find_half_log_dets(merged)
            found -= own * self.half_log_dets[place] + weights * self.half_log_dets[part]
            losses[part.start - others.start : part.stop - others.start] = found
        return np.maximum(losses, 0.0)

    def measure_distances(self, place: int, others: slice) -> Float64Array:
        """The squared Mahalanobis distances of means, by the covariance of the whole."""
        apart = self.means[:, others] - self.means[:, place, None]
        return np.asarray(np.einsum("dn,dn->n", apart, apart))

    def measure_joining(self, place: int, others: slice) -> Float64Array:
        """Salmond's distances: by how much merging moves variance from between components into them.

        They are w_i w_j / (w_i + w_j) times the squared Mahalanobis distance of the means.
        """
        own, weights = self.weights[place], self.weights[others]
        return np.asarray(own * weights / (own + weights) * self.measure_distances(place, others))

    def merge(self, first: int, second: int) -> None:
        """Put what two components are together in the first place, and the last component in the second."""
        share = self.weights[first] / (self.weights[first] + self.weights[second])
        apart = self.means[:, second] - self.means[:, first]
        merged = share * self.covariances[:, :, first] + (1.0 - share) * self.covariances[:, :, second]
        merged += share * (1.0 - share) * np.multiply.outer(apart, apart)
        self.weights[first] += self.weights[second]
        self.means[:, first] += (1.0 - share) * apart
        self.covariances[:, :, first] = merged
        self.half_log_dets[first] = find_half_log_dets(merged[:, :, None].copy())[0]
        self.owners[self.owners == second] = first
        self._drop(second)

    def _drop(self, place: int) -> None:
        """The last component takes this place."""
        last = self.n - 1
        for array in (self.weights, self.means, self.covariances, self.half_log_dets):
            array[..., place] = array[..., last]
        self.owners[self.owners == last] = place
        self.n = last

    def find_labels(self) -> IntArray:
        """The group of each component of the mixture, in the order of their first members; -1 for none."""
        labels = np.full(len(self.owners), -1)
        kept = self.owners >= 0
        _, first, groups = np.unique(self.owners[kept], return_index=True, return_inverse=True)
        order = np.empty(len(first), dtype=np.int64)
        order[np.argsort(first)] = np.arange(len(first))
        labels[kept] = order[groups]
        return labels
