"""Questions to a mixture about rows, each answered by a pass over them; the noise, and other coordinates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from gaussmix._reading.rows import read_rows
from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.model.kernels.natural import Natural
from gaussmix.model.kernels.sweep import Sweep
from gaussmix.model.mixture.ordered import Ordered
from gaussmix.model.mixture.views import View
from gaussmix.model.moments.frame import Frame
from gaussmix.model.noise import Noise


class Evaluated(Ordered):
    """The methods of :class:`gaussmix.Mixture` that go over rows."""

    def log_prob(self, X: npt.ArrayLike) -> FloatArray:
        """Log-density of each row of X, shape (n, d), in nats.

        Returns
        -------
        ndarray of shape (n,)
            log sum_k w_k N(x | mu_k, Sigma_k), with w_0 c more in the sum if there is noise.
        """
        sweep, natural = self._make_sweep(X)
        log_density: FloatArray = sweep.evaluate(natural, "log_prob")
        log_density += log_density.dtype.type(sweep.frame.log_det)
        return log_density

    def component_log_prob(self, X: npt.ArrayLike) -> FloatArray:
        """Log-density of each row of X, shape (n, d), under each component alone, without its weight.

        Returns
        -------
        ndarray of shape (n, k), or (n, k + 1) with noise
            log N(x | mu_k, Sigma_k); the log-density of the noise comes last.
        """
        sweep, natural = self._make_sweep(X)
        log_det = sweep.frame.log_det
        at_means = self.structure.algebra.log_peaks(self.roots, self.n_features) - log_det
        noise = None if self.noise is None else self.noise.known_log_density - log_det
        unweighted = replace(natural, constants=at_means + np.zeros(self.n_components), noise=noise)
        log_density: FloatArray = sweep.evaluate(unweighted, "joint")
        log_density += log_density.dtype.type(sweep.frame.log_det)
        return log_density

    def responsibilities(self, X: npt.ArrayLike) -> FloatArray:
        """Posterior probability of each component for each row of X, shape (n, d).

        Returns
        -------
        ndarray of shape (n, k), or (n, k + 1) with noise
            w_k N(x | mu_k, Sigma_k) / p(x); the noise comes last; rows sum to one.
        """
        sweep, natural = self._make_sweep(X)
        responsibilities: FloatArray = sweep.evaluate(natural, "responsibilities")
        return responsibilities

    def visit_responsibilities(self, X: npt.ArrayLike, visit: Callable[[slice, Float64Array], None]) -> None:
        """Call a function with the responsibilities (b, k) of each chunk of rows, on several threads.

        They are never all in memory. Chunks come in any order.
        """
        sweep, natural = self._make_sweep(X)
        sweep.visit_responsibilities(natural, visit)

    def predict(self, X: npt.ArrayLike) -> IntArray:
        """The most probable component of each row, shape (n,); the first of equals; -1 is the noise."""
        sweep, natural = self._make_sweep(X)
        labels: IntArray = sweep.evaluate(natural, "labels")
        if self.noise is not None:
            labels[labels == self.n_components] = -1
        return labels

    def uncertainty(self, X: npt.ArrayLike) -> FloatArray:
        """How uncertain the component of each row of X is, shape (n, d).

        Returns
        -------
        ndarray of shape (n,)
            1 - max_k r_k, with r the responsibilities: the probability that :meth:`predict` is wrong, if the
            mixture is right. From 0 to 1 - 1 / k.

        Examples
        --------
        >>> import gaussmix
        >>> mixture = gaussmix.Mixture([0.5, 0.5], [[-2.0], [2.0]], [1.0, 1.0], "spherical")
        >>> mixture.uncertainty([[0.0], [9.0]]).round(4)
        array([0.5, 0. ])
        """
        return np.asarray(1.0 - self.responsibilities(X).max(axis=1))

    def with_noise(self, noise: Noise | None) -> Self:
        """The same Gaussians beside this noise, or none; their weights keep their proportions."""
        weights = self.shares
        if noise is not None:
            noise.check_features(self.n_features)
            weights = weights * (1.0 - noise.weight)
        return self.replace(weights=weights, noise=noise)

    def without_noise(self) -> Self:
        """The Gaussians alone, as a mixture whose weights sum to one."""
        return self.with_noise(None)

    def mapped(self, matrix: Float64Array, inverse: Float64Array, offset: Float64Array) -> Self:
        """The mixture of A x + b, for a map that keeps the covariance type.

        Parameters
        ----------
        matrix, inverse : ndarray of shape (d, d), (d,) or ()
            A and its inverse: lower triangular, a diagonal, or a multiple of the identity.
        offset : ndarray of shape (d,)
        """
        algebra = self.structure.algebra
        return self.replace(
            means=(self.means @ matrix.T if matrix.ndim == 2 else self.means * matrix) + offset,
            covariance_stack=np.array(algebra.map_covariances(self.covariance_stack, matrix)),
            roots=np.array(algebra.map_roots(self.roots, inverse)),
            noise=None if self.noise is None else self.noise.mapped(matrix, offset),
        )

    def seen_from(self, frame: Frame) -> Self:
        """The same distribution in the coordinates of a frame."""
        noise = None if self.noise is None else self.noise.mapped(np.asarray(1.0), -frame.origin)
        shifted = self.replace(means=self.means - frame.origin, noise=noise, feature_names=None)
        return shifted.mapped(frame.matrix, frame.inverse, np.zeros(self.n_features))

    def view(self, dtype: np.dtype[Any]) -> View:
        """How rows of a type see the mixture; made when it is first needed."""
        if dtype not in self._views:
            group = self.structure.group
            spread = self.covariance if group == "affine" else self.total_variances
            frame = Frame.of_moments(self.mean, spread, group, dtype)
            self._views[dtype] = View.of(frame, self.seen_from(frame).natural, dtype.char)
        return self._views[dtype]

    @cached_property
    def _views(self) -> dict[np.dtype[Any], View]:
        return {}

    def _make_sweep(self, X: npt.ArrayLike) -> tuple[Sweep, Natural]:
        """A pass over rows, once they are checked, and the natural parameters for it."""
        rows, extent = read_rows(X, self.n_features, names=self.feature_names)
        view = self.view(rows.dtype)
        return view.make_sweep(rows, extent), view.natural
