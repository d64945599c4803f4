"""Rows in one array in memory; passes on the threads of this process."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.model.features import outer, pack
from gaussmix.model.frame import Frame
from gaussmix.model.kernels.sweep import Responsibilities, Sweep
from gaussmix.model.mixture import Mixture
from gaussmix.model.stats import Stats
from gaussmix.model.structures import Structure, get_structure

#: Rows looked at for a first idea of the spread, before the pass that measures it.
PILOT_ROWS = 1000


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
        self.weight = float(X.shape[0] if weights is None else weights.sum())
        mean, covariance = self._moments()
        self.frame = Frame.of_moments(mean, covariance, structure.group, X.dtype)
        pooled = self._pooled_moments(mean, covariance)
        self._sweep = Sweep(X, self.frame, structure.form, n_components, weights, pooled)

    def accumulate(self, mixture: Mixture) -> Stats:
        """One pass over the rows: statistics and log-likelihood of a mixture in the frame's coordinates."""
        return self._sweep.accumulate(mixture.natural)

    def statistics_of(self, responsibilities: Responsibilities, centres: Float64Array | None = None) -> Stats:
        """The statistics under given responsibilities, asked for slice by slice in order.

        Moments are taken about the centres, shape (k, d), or the frame's origin.
        """
        return self._sweep.accumulate_given(responsibilities, centres)

    def labels(self, mixture: Mixture) -> IntArray:
        """The most probable component of each row under a mixture in the frame's coordinates."""
        return self._sweep.labels(mixture.natural)

    def _moments(self) -> tuple[Float64Array, Float64Array]:
        """Mean and covariance (variances, for families without orientation) of all rows.

        They are the statistics of a mixture of one component, seen from a rough frame.
        """
        n, d = self.X.shape
        pilot = self.X[:: max(1, n // PILOT_ROWS)].astype(np.float64)
        spread = np.abs(pilot - pilot[0]).max(axis=0)
        scale = np.where(spread > 0.0, spread, 1.0)
        guess = Frame(pilot[0], 1.0 / scale, scale)
        affine = self.structure.group == "affine"
        one = get_structure("full" if affine else "diag")
        unit = np.eye(d)[None] if affine else np.ones((1, d))
        sweep = Sweep(self.X, guess, one.form, 1, self.weights)
        stats = sweep.accumulate(one.natural(np.ones(1), np.zeros((1, d)), unit, unit))
        covariance = one.mapped(stats.covariances(), scale)[0]
        return pilot[0] + scale * stats.means()[0], np.asarray(covariance)

    def _pooled_moments(self, mean: Float64Array, covariance: Float64Array) -> Float64Array:
        """sum_i w_i q(z_i) in the frame, for the families that keep it."""
        block = self.structure.form.pooled
        if block == "none":
            return np.zeros(0)
        shift: Float64Array = self.frame.apply(mean[None, :])[:, 0].astype(np.float64)
        packed = pack(self.structure.mapped(covariance, self.frame.matrix), block)
        return np.asarray(self.weight * (packed + outer(shift[None, :], block)[0]))
