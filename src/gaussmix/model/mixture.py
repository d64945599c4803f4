"""The mixture of Gaussians as a value: immutable, and usable without any fit."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, NoReturn, Self

import numpy as np
import numpy.typing as npt

from gaussmix import _check
from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.model import schema
from gaussmix.model.frame import Frame
from gaussmix.model.kernels.natural import Natural
from gaussmix.model.kernels.sweep import Sweep
from gaussmix.model.structures import Structure, get_structure
from gaussmix.model.structures.given import checked_covariances

#: Spreads of the mixture beyond which rows are taken to be that far away, by type of float.
FARTHEST = {"d": 1e100, "f": 1e12}


class Mixture:
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
        One name a feature; saved with the mixture.

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

    weights: Float64Array
    means: Float64Array
    covariances: Float64Array
    covariance_type: str
    feature_names: tuple[str, ...] | None

    def __init__(
        self,
        weights: npt.ArrayLike,
        means: npt.ArrayLike,
        covariances: npt.ArrayLike,
        covariance_type: str = "full",
        *,
        feature_names: Sequence[str] | None = None,
    ) -> None:
        shape = np.shape(means)
        structure = get_structure(covariance_type, shape[-1] if len(shape) == 2 else None)
        structure = structure.holding(np.shape(covariances))
        if len(shape) != 2 or 0 in shape:
            raise ValueError(
                f"means must have the shape (n_components, n_features), neither zero; got {shape}"
            )
        k, d = shape
        checked, factors = checked_covariances(structure, covariances, k, d)
        names = None if feature_names is None else tuple(str(name) for name in feature_names)
        if names is not None and len(names) != d:
            raise ValueError(f"feature_names must be {d} names, one a column of means; got {len(names)}")
        self._set(
            structure,
            _check.weights(weights, k),
            _check.parameter(means, (k, d), "means", "(n_components, n_features)"),
            checked,
            factors,
            names,
        )

    @classmethod
    def _trusted(
        cls,
        structure: Structure,
        weights: Float64Array,
        means: Float64Array,
        covariances: Float64Array,
        factors: Float64Array,
        feature_names: tuple[str, ...] | None = None,
    ) -> Self:
        """Without checks or copies, for values that the package computed itself."""
        mixture = cls.__new__(cls)
        mixture._set(structure, weights, means, covariances, factors, feature_names)
        return mixture

    def _set(
        self,
        structure: Structure,
        weights: Float64Array,
        means: Float64Array,
        covariances: Float64Array,
        factors: Float64Array,
        feature_names: tuple[str, ...] | None,
    ) -> None:
        # Rows after rows, as files have them: products of arrays in another order round differently.
        arrays = [np.ascontiguousarray(array) for array in (weights, means, covariances, factors)]
        for array in arrays:
            array.setflags(write=False)
        self.__dict__.update(
            zip(("weights", "means", "covariances", "precisions_cholesky"), arrays, strict=True),
            structure=structure,
            covariance_type=structure.name,
            feature_names=feature_names,
        )

    structure: Structure
    precisions_cholesky: Float64Array

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a Mixture is immutable: make a new one instead of setting {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a Mixture is immutable: {name!r} cannot be deleted")

    def __repr__(self) -> str:
        return (
            f"Mixture(n_components={self.n_components}, n_features={self.n_features}, "
            f"covariance_type={self.covariance_type!r})"
        )

    def __getstate__(self) -> dict[str, Any]:
        fields = (*schema.TENSORS, "precisions_cholesky", "covariance_type", "feature_names")
        return {name: self.__dict__[name] for name in fields}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._set(**schema.restored(state))

    @property
    def n_components(self) -> int:
        """K."""
        return int(self.means.shape[0])

    @property
    def n_features(self) -> int:
        """D."""
        return int(self.means.shape[1])

    @property
    def n_parameters(self) -> int:
        """Free parameters: k - 1 weights, k d means, and those of the covariances."""
        k, d = self.means.shape
        return int(k - 1 + k * d + self.structure.n_covariance_parameters(k, d))

    @cached_property
    def precisions(self) -> Float64Array:
        """Inverses of the covariances, in the same shape."""
        precisions = self.structure.precisions(self.precisions_cholesky)
        precisions.flags.writeable = False
        return precisions

    @property
    def dense_covariances(self) -> Float64Array:
        """The covariances of the components as matrices, shape (k, d, d), whatever the type."""
        return self.structure.dense(self.covariances, *self.means.shape)

    @property
    def variances(self) -> Float64Array:
        """The variance of each feature in each component, shape (k, d)."""
        return self.structure.variances(self.covariances, *self.means.shape)

    @property
    def n_factors(self) -> int:
        """Factors of each covariance; 0 but for factor analysers."""
        return self.structure.n_factors

    @property
    def loadings(self) -> Float64Array:
        """L of covariances L L' + diag(psi), shape (k, d, n_factors); for factor analysers."""
        return self.structure.parts(self.covariances)[0]

    @property
    def noise_variances(self) -> Float64Array:
        """The diagonals psi of covariances L L' + diag(psi), shape (k, d); for factor analysers."""
        return self.structure.parts(self.covariances)[1]

    @property
    def mean(self) -> Float64Array:
        """Mean of the whole mixture, shape (d,): sum_k w_k mu_k."""
        return self.weights @ self.means

    @property
    def covariance(self) -> Float64Array:
        """Covariance of the whole, shape (d, d): sum_k w_k (Sigma_k + (mu_k - mu)(mu_k - mu)')."""
        deviations = self.means - self.mean
        within = self.structure.average(self.covariances, self.weights, self.n_features)
        return np.asarray(within + (self.weights[:, None] * deviations).T @ deviations)

    def log_prob(self, X: npt.ArrayLike) -> FloatArray:
        """Log-density of each row, in nats.

        Parameters
        ----------
        X : array-like of shape (n, d)

        Returns
        -------
        ndarray of shape (n,)
            log sum_k w_k N(x | mu_k, Sigma_k).
        """
        sweep, natural = self._sweep(X)
        log_density = sweep.log_prob(natural)
        log_density += log_density.dtype.type(sweep.frame.log_det)
        return log_density

    def component_log_prob(self, X: npt.ArrayLike) -> FloatArray:
        """Log-density of each row under each component alone, without its weight.

        Parameters
        ----------
        X : array-like of shape (n, d)

        Returns
        -------
        ndarray of shape (n, k)
            log N(x | mu_k, Sigma_k).
        """
        sweep, natural = self._sweep(X)
        at_means = self.structure.constants(natural.factors, self.n_features) + np.zeros(self.n_components)
        unweighted = replace(natural, constants=at_means)
        log_density = sweep.joint(unweighted)
        log_density += log_density.dtype.type(sweep.frame.log_det)
        return log_density

    def responsibilities(self, X: npt.ArrayLike) -> FloatArray:
        """Posterior probability of each component for each row.

        Parameters
        ----------
        X : array-like of shape (n, d)

        Returns
        -------
        ndarray of shape (n, k)
            w_k N(x | mu_k, Sigma_k) / p(x); rows sum to one.
        """
        sweep, natural = self._sweep(X)
        return sweep.responsibilities(natural)

    def predict(self, X: npt.ArrayLike) -> IntArray:
        """The most probable component of each row, shape (n,), int64; the first of equals."""
        sweep, natural = self._sweep(X)
        return sweep.labels(natural)

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
            The component that each row came from.
        """
        if n_samples < 1:
            raise ValueError(f"Invalid value for 'n_samples': {n_samples}; at least one sample must be drawn")
        generator = np.random.default_rng(rng)
        labels = generator.choice(self.n_components, size=n_samples, p=self.weights / self.weights.sum())
        structure, natural = self.structure, self.natural
        noise = generator.standard_normal((n_samples, structure.n_noises(self.n_features)))
        X = np.empty((n_samples, self.n_features))
        for k in range(self.n_components):
            rows = labels == k
            X[rows] = structure.coloured(noise[rows], natural.factor(k)) + self.means[k]
        return X, labels

    def mapped(self, matrix: Float64Array, inverse: Float64Array, offset: Float64Array) -> Mixture:
        """The mixture of A x + b, for a map that keeps the covariance type.

        Parameters
        ----------
        matrix, inverse : ndarray of shape (d, d), (d,) or ()
            A and its inverse: lower triangular, a diagonal, or a multiple of the identity.
        offset : ndarray of shape (d,)
        """
        means = self.means @ matrix.T if matrix.ndim == 2 else self.means * matrix
        return Mixture._trusted(
            self.structure,
            self.weights,
            means + offset,
            np.array(self.structure.mapped(self.covariances, matrix)),
            np.array(self.structure.mapped_factor(self.precisions_cholesky, inverse)),
            self.feature_names,
        )

    def seen_from(self, frame: Frame) -> Mixture:
        """The same distribution in the coordinates of a frame."""
        shifted = Mixture._trusted(
            self.structure,
            self.weights,
            self.means - frame.origin,
            self.covariances,
            self.precisions_cholesky,
        )
        return shifted.mapped(frame.matrix, frame.inverse, np.zeros(self.n_features))

    @cached_property
    def natural(self) -> Natural:
        """The natural parameters in the mixture's own coordinates."""
        return self.structure.natural(self.weights, self.means, self.covariances, self.precisions_cholesky)

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
        schema.write(path, Mixture, {name: self.__dict__[name] for name in fields}, info)

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

    @cached_property
    def _views(self) -> dict[np.dtype[Any], tuple[Frame, Natural, Float64Array]]:
        return {}

    def _view(self, dtype: np.dtype[Any]) -> tuple[Frame, Natural, Float64Array]:
        """For rows of a type: the frame that whitens the whole mixture, and the natural parameters in it.

        Also how far from its origin a row's features may be, shape (d,), lest their squares overflow.
        """
        if dtype not in self._views:
            if self.structure.group == "affine":
                spread = self.covariance
            else:
                spread = self.weights @ (self.variances + (self.means - self.mean) ** 2)
            frame = Frame.of_moments(self.mean, spread, self.structure.group, dtype)
            with np.errstate(over="ignore"):
                far = FARTHEST[dtype.char] * np.sqrt(frame.variances)
            self._views[dtype] = frame, self.seen_from(frame).natural, far
        return self._views[dtype]

    def _sweep(self, X: npt.ArrayLike) -> tuple[Sweep, Natural]:
        rows, extent = _check.rows_and_extent(X, self.n_features)
        frame, natural, far = self._view(rows.dtype)
        if extent > 0.5 * float(far.min()):
            rows = np.clip(rows, *(np.asarray(frame.origin + far * s, dtype=rows.dtype) for s in (-1.0, 1.0)))
        return Sweep(rows, frame, self.structure.form, self.n_components), natural
