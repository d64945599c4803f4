"""Rows in one array in memory; passes on the threads of this process."""

from __future__ import annotations

import numpy as np

from gaussmix import _threads
from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.model.features import outer, pack
from gaussmix.model.frame import Frame
from gaussmix.model.kernels.moments import pooled_moments, second_moments
from gaussmix.model.kernels.sweep import Responsibilities, Sweep
from gaussmix.model.mixture import Mixture
from gaussmix.model.stats import Stats
from gaussmix.model.structures import Structure

#: A frame that stretches features further is given moments of its own coordinates.
STRETCHED = 30.0


class LocalEngine:
    """The rows of an array, seen from the frame that whitens them.

    Parameters
    ----------
    X : ndarray of shape (n, d), float32 or float64, finite
    structure : Structure
        The family to be fitted: it decides the frame and which statistics are kept.
    n_components : int
    weights : ndarray of shape (n,), optional
        Positive weight of each row.
    """

    def __init__(
        self, X: FloatArray, structure: Structure, n_components: int, weights: Float64Array | None = None
    ) -> None:
        self.X, self.weights, self.structure, self.n_components = X, weights, structure, n_components
        _threads.n_threads()  # a wrong setting is an error for every fit, not only for those that use it
        self.weight = float(X.shape[0] if weights is None else weights.sum())
        #: Rows, or copies of them if the weights are more: weights may also come as shares of one.
        self.n_rows = max(self.weight, float(X.shape[0]))
        mean, covariance = pooled_moments(
            X, weights, oriented="vech" in (structure.form.own, structure.form.pooled)
        )
        self.frame = Frame.of_moments(mean, covariance, structure.group, X.dtype)
        #: The covariance of all rows in the frame, in the shape of one component's covariance parameter.
        self.covariance = self._covariance(mean, covariance)
        pooled = self._pooled_moments(mean)
        self._sweep = Sweep(X, self.frame, structure.form, n_components, weights, pooled)

    @property
    def small(self) -> bool:
        """Whether a pass is one chunk, done by the calling thread alone."""
        return bool(self._sweep.n_chunks == 1)

    def accumulate(self, mixture: Mixture) -> Stats:
        """One pass over the rows: statistics and log-likelihood of a mixture in the frame's coordinates."""
        return self._sweep.accumulate(mixture.natural)

    def statistics_of(
        self,
        responsibilities: Responsibilities,
        centres: Float64Array | None = None,
        axes: Float64Array | None = None,
    ) -> Stats:
        """The statistics under given responsibilities, asked for slice by slice in order.

        Moments are taken about the centres, shape (k, d), or the frame's origin, and along the axes, if any.
        """
        if axes is None:
            axes = self.structure.probes(self.n_components, self.X.shape[1])
        return self._sweep.accumulate_given(responsibilities, centres, axes)

    def labels(self, mixture: Mixture) -> IntArray:
        """The most probable component of each row under a mixture in the frame's coordinates."""
        return self._sweep.labels(mixture.natural)

    def _covariance(self, mean: Float64Array, covariance: Float64Array) -> Float64Array:
        if covariance.ndim == 1:
            return self.structure.ridge(covariance, self.frame)
        if self.frame.stretch < STRETCHED:
            return self.structure.mapped(covariance, self.frame.matrix)
        shift = self._shift(mean)
        return second_moments(self.X, self.weights, self.frame) - np.outer(shift, shift)

    def _shift(self, mean: Float64Array) -> Float64Array:
        """The mean in the frame: of the size of the rounding of its origin."""
        return np.asarray(self.frame.apply(mean[None, :])[:, 0], dtype=np.float64)

    def _pooled_moments(self, mean: Float64Array) -> Float64Array:
        """sum_i w_i q(z_i) in the frame, for the families that keep it."""
        block = self.structure.form.pooled
        if block == "none":
            return np.zeros(0)
        shift = self._shift(mean)[None, :]
        seen = self.covariance
        if seen.ndim == 1:
            seen = np.diag(np.broadcast_to(seen, mean.shape))
        return np.asarray(self.weight * (pack(seen, block) + outer(shift, block)[0]))
