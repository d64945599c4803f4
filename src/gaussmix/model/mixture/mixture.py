"""The mixture of Gaussians as a value: immutable, and usable without any fit."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from gaussmix import _check
from gaussmix._reading.rows import read_rows
from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.model.covariance import get_structure
from gaussmix.model.covariance.checking import check_covariances
from gaussmix.model.kernels.natural import Natural
from gaussmix.model.kernels.sweep import Sweep
from gaussmix.model.mixture import schema
from gaussmix.model.mixture.ordered import Ordered
from gaussmix.model.mixture.printing import MOST_COMPONENTS, MOST_FEATURES, format_html, format_text
from gaussmix.model.mixture.sampling import draw_rows
from gaussmix.model.mixture.views import View
from gaussmix.model.moments.frame import Frame
from gaussmix.model.noise import Noise


class Mixture(Ordered):
    """A mixture of k Gaussians in d dimensions.

    The density is ``p(x) = sum_k w_k N(x | mu_k, Sigma_k)``. Instances are frozen and their arrays
    read-only; parameters are held in double precision. Densities are computed in the precision of the
    rows that are asked about: float32 rows give float32 answers.

    Parameters
    ----------
    weights : array-like of shape (k,)
        Non-negative, summing to one.
    means : array-like of shape (k, d)
    covariances : array-like
        Of shape (k, d, d) for "full", (d, d) for "tied", (k, d) for "diag", (k,) for "spherical". Of mclust's
        families, (1,) for EII, (d,) for EEI, (k, d) for VEI and EVI, (k, d, d) for the others. Of factor
        analysers (k, d, n_factors + 1): loadings and, last, noise variances.
    covariance_type : str, default="full"
        One of these four, of mclust's fourteen names, or of factor analysers' eight (docs/factor.md).
    feature_names : sequence of str, optional
        One name a feature; saved with the mixture. A table (a data frame, a structured array) that is asked
        about must have these columns in this order: all methods refuse it otherwise (docs/frames.md).
    noise : Noise, optional
        A component of constant density; the weights and its weight sum to one together.

    Raises
    ------
    ValueError
        If shapes disagree, weights do not sum to one, or a covariance is not symmetric positive definite;
        the message says which and by how much.

    References
    ----------
    C. M. Bishop, Pattern Recognition and Machine Learning, Springer 2006, section 9.2.

    Examples
    --------
    >>> import gaussmix
    >>> mixture = gaussmix.Mixture([0.3, 0.7], [[-2.0], [1.0]], [0.5, 1.0], "spherical")
    >>> mixture.log_prob([[0.0]]).round(4)
    array([-1.7575])
    >>> mixture.responsibilities([[0.0]]).round(4)
    array([[0.018, 0.982]])
    """

    __module__ = "gaussmix.model.mixture"  # what pickles and skops files know the class by

    def __init__(
        self,
        weights: npt.ArrayLike,
        means: npt.ArrayLike,
        covariances: npt.ArrayLike,
        covariance_type: str = "full",
        *,
        feature_names: Sequence[str] | None = None,
        noise: Noise | None = None,
    ) -> None:
        shape = np.shape(means)
        structure = get_structure(covariance_type, shape[-1] if len(shape) == 2 else None)
        structure = structure.of_shape(np.shape(covariances))
        k, d = schema.check_shape(shape)
        stack, roots = check_covariances(structure, covariances, k, d)
        names = schema.check_names(None if feature_names is None else tuple(feature_names), d)
        if noise is not None:
            noise.check_features(d)
        mixture = self.of_parts(
            structure,
            _check.read_weights(weights, k, 0.0 if noise is None else noise.weight),
            _check.read_parameter(means, (k, d), "means", "(n_components, n_features)"),
            stack,
            roots,
            feature_names=names,
            noise=noise,
        )
        self.__dict__.update(mixture.__dict__)

    def __repr__(self) -> str:
        return (
            f"Mixture(n_components={self.n_components}, n_features={self.n_features}, "
            f"covariance_type={self.covariance_type!r}"
            + (")" if self.noise is None else f", noise={self.noise!r})")
        )

    def summary(self, *, max_components: int = MOST_COMPONENTS, max_features: int = MOST_FEATURES) -> str:
        """The components as a table: weights, means and standard deviations.

        Parameters
        ----------
        max_components, max_features : int
            How many are shown; what is not is counted below the table.

        Examples
        --------
        >>> import gaussmix
        >>> means, variances = [[-2.0, 5.0], [1.0, 0.0]], [[0.5, 1.0], [1.0, 4.0]]
        >>> mixture = gaussmix.Mixture([0.3, 0.7], means, variances, "diag")
        >>> print(mixture.summary())
        Gaussian mixture: 2 components, 2 features, covariance diag
        <BLANKLINE>
        component   weight               x0            x1
                0   0.3000   -2.000 ± 0.707   5.00 ± 1.00
                1   0.7000    1.000 ± 1.000   0.00 ± 2.00
        Each cell: mean ± standard deviation.
        """
        return format_text(self, max_components, max_features)

    def _repr_html_(self) -> str:
        return format_html(self)

    def __getstate__(self) -> dict[str, Any]:
        fields = (*schema.TENSORS, "precisions_cholesky", "covariance_type", "feature_names")
        tensors = {} if self.noise is None else self.noise.tensors
        return {name: getattr(self, name) for name in fields} | tensors

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(Mixture.of_parts(**schema.check_state(state)).__dict__)

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

    def sample(
        self, n_samples: int = 1, rng: np.random.Generator | int | None = None
    ) -> tuple[Float64Array, IntArray]:
        """Draw independent rows.

        Parameters
        ----------
        n_samples : int, default=1
        rng : numpy.random.Generator, int or None
            A generator goes on from where it is, so that each call draws afresh; an int seeds a new one.

        Returns
        -------
        X : ndarray of shape (n_samples, d)
        labels : ndarray of shape (n_samples,)
            The component that each row came from, -1 for the noise.

        Raises
        ------
        ValueError
            If there is noise of which only the density is known: rows of it need a box.
        """
        if n_samples < 1:
            raise ValueError(f"Invalid value for 'n_samples': {n_samples}; at least one sample must be drawn")
        return draw_rows(self, n_samples, np.random.default_rng(rng))

    def with_noise(self, noise: Noise | None) -> Mixture:
        """The same Gaussians beside this noise, or none; their weights keep their proportions."""
        weights = self.shares
        if noise is not None:
            noise.check_features(self.n_features)
            weights = weights * (1.0 - noise.weight)
        return self.replace(weights=weights, noise=noise)

    def without_noise(self) -> Mixture:
        """The Gaussians alone, as a mixture whose weights sum to one."""
        return self.with_noise(None)

    def mapped(self, matrix: Float64Array, inverse: Float64Array, offset: Float64Array) -> Mixture:
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

    def seen_from(self, frame: Frame) -> Mixture:
        """The same distribution in the coordinates of a frame."""
        noise = None if self.noise is None else self.noise.mapped(np.asarray(1.0), -frame.origin)
        shifted = self.replace(means=self.means - frame.origin, noise=noise, feature_names=None)
        return shifted.mapped(frame.matrix, frame.inverse, np.zeros(self.n_features))

    def save(self, path: str | os.PathLike[str], *, info: Mapping[str, Any] | None = None) -> None:
        """Write the mixture to a file, atomically: a write that fails leaves what was there before.

        Parameters
        ----------
        path : str or path
            A safetensors file; ".safetensors" is the usual ending. docs/format.md describes it.
        info : mapping, optional
            Anything JSON can hold that should travel with it, such as how it was fitted.

        Raises
        ------
        TypeError, ValueError
            If JSON cannot hold the info, or the covariances are singular to rounding, so that
            :meth:`load` would refuse them.
        OSError
            If the file cannot be written.
        """
        fields = (*schema.TENSORS, "covariance_type", "feature_names")
        schema.write(path, Mixture, {name: getattr(self, name) for name in fields}, self.noise, info)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a mixture that :meth:`save` wrote. The file is not trusted, and nothing in it is executed.

        Raises
        ------
        ModelFileError
            If the file is damaged, truncated, or no model; the message names the file and the cause.
        OSError
            If the file cannot be opened.
        """
        return schema.read(path, cls)[0]

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
