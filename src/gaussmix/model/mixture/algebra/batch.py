"""Many mixtures that share the covariances of their components, as conditions and measurements give them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Generic, Self, TypeVar, overload

import numpy as np
import numpy.typing as npt

from gaussmix._reading.rows import read_rows
from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.mixture.algebra.observation import Observation, observe_all, step_over
from gaussmix.model.mixture.algebra.selection import take_features
from gaussmix.model.mixture.features import read_features
from gaussmix.model.mixture.parts import Parts

M = TypeVar("M", bound=Parts)


@dataclass(frozen=True, eq=False)
class MixtureBatch(Generic[M]):
    """n mixtures of k Gaussians each, in d dimensions, whose components share their covariances.

    Conditions make them (:meth:`gaussmix.Mixture.condition` of n values), and measurements
    (:meth:`gaussmix.Mixture.linear_gaussian_update`). The density of mixture i is
    ``p_i(x) = sum_k w_ik N(x | mu_ik, Sigma_k)``. It is a sequence: ``batch[i]`` is a
    :class:`gaussmix.Mixture`, ``batch[2:5]`` a batch, ``len(batch)`` is n. Instances are frozen.

    Means are computed when they are first needed, and what needs only some of them (:attr:`mean`,
    :meth:`sample`) never holds all.

    Attributes
    ----------
    log_weights : ndarray of shape (n, k)
        Logarithms of the weights; exact where a weight itself is too small for a number.
    log_evidence : ndarray of shape (n,)
        The log-density, in nats, of what each mixture is given: log p(y).

    Examples
    --------
    >>> import gaussmix
    >>> means, covariances = [[0.0, 0.0], [4.0, 4.0]], [[[1.0, 0.5], [0.5, 1.0]]] * 2
    >>> mixture = gaussmix.Mixture([0.5, 0.5], means, covariances, feature_names=["height", "weight"])
    >>> batch = mixture.condition(height=[0.0, 4.0, 2.0])
    >>> len(batch), batch.mean.shape
    (3, (3, 1))
    >>> batch.mean.ravel().round(2).tolist()
    [0.0, 4.0, 2.0]
    """

    #: A mixture with the family, covariances and names; its weights and means count for nothing.
    template: M
    observation: Observation
    #: What was observed, shape (n, p).
    rows: Float64Array
    log_weights: Float64Array
    log_evidence: Float64Array

    @classmethod
    def of_observation(
        cls, template: M, observation: Observation, rows: Float64Array, operation: str
    ) -> Self:
        """The mixtures that are left of a template, once rows, shape (n, p), are observed.

        ValueError, which names the operation, where no component has a density that a number can hold.
        """
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            joint = observation.log_densities(rows)
            joint += np.log(template.weights)
            largest = joint.max(axis=1, keepdims=True, initial=-np.inf)
            bad = ~np.isfinite(largest[:, 0])
            if bad.any():
                raise ValueError(
                    f"{operation}: row {int(np.argmax(bad))} of what is given is so far from every component "
                    "that no density can be computed; the squared distance in standard deviations is beyond "
                    f"floating-point numbers ({int(bad.sum())} such in all)"
                )
            evidence = largest[:, 0] + np.log(np.exp(joint - largest).sum(axis=1))
        joint -= evidence[:, None]
        return cls(template, observation, rows, _freeze(joint), _freeze(evidence))

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[M]:
        return (self[i] for i in range(len(self)))

    @overload
    def __getitem__(self, index: int) -> M: ...

    @overload
    def __getitem__(self, index: slice | IntArray) -> Self: ...

    def __getitem__(self, index: Any) -> M | Self:
        if isinstance(index, int | np.integer) and not isinstance(index, bool | np.bool_):
            i = range(len(self))[index]  # IndexError where there is none
            means = self.observation.locate(self.rows[i : i + 1])[:, 0]
            weights = np.exp(self.log_weights[i])
            return self.template.replace(weights=weights / weights.sum(), means=means)
        places = index if isinstance(index, slice) else np.asarray(index)
        own = {name: getattr(self, name)[places] for name in ("rows", "log_weights", "log_evidence")}
        if own["rows"].ndim != 2:
            raise IndexError(
                f"a batch is indexed by an integer, a slice or one axis of places; got {index!r}"
            )
        return replace(self, **own)

    def __repr__(self) -> str:
        return (
            f"MixtureBatch(n_mixtures={len(self)}, n_components={self.n_components}, "
            f"n_features={self.n_features}, covariance_type={self.covariance_type!r})"
        )

    @property
    def n_components(self) -> int:
        """Number of components k of each mixture."""
        return self.template.n_components

    @property
    def n_features(self) -> int:
        """Number of features d."""
        return self.template.n_features

    @property
    def feature_names(self) -> tuple[str, ...] | None:
        """The names of the features, if they have any."""
        return self.template.feature_names

    @property
    def covariance_type(self) -> str:
        """The family of the covariances."""
        return self.template.covariance_type

    @cached_property
    def weights(self) -> Float64Array:
        """The weights of the components in each mixture, shape (n, k); rows sum to one."""
        return _freeze(np.exp(self.log_weights))

    @cached_property
    def means(self) -> Float64Array:
        """The means of the components in each mixture, shape (n, k, d)."""
        means = np.empty((len(self), self.n_components, self.n_features))
        for part in step_over(len(self), self.observation.size):
            means[part] = np.swapaxes(self.observation.locate(self.rows[part]), 0, 1)
        return _freeze(means)

    @property
    def covariances(self) -> Float64Array:
        """The covariances that all mixtures share, in the shape of the covariance type: (k, d, d) if full."""
        return self.template.covariances

    @property
    def dense_covariances(self) -> Float64Array:
        """The covariances of the components as matrices, shape (k, d, d), whatever the type."""
        return self.template.dense_covariances

    @property
    def variances(self) -> Float64Array:
        """The variance of each feature in each component, shape (k, d)."""
        return self.template.variances

    @cached_property
    def mean(self) -> Float64Array:
        """The mean of each mixture, shape (n, d): sum_k w_ik mu_ik."""
        mean = np.empty((len(self), self.n_features))
        for part, located, weights in self._steps():
            mean[part] = _average(located, weights)
        return _freeze(mean)

    @cached_property
    def covariance(self) -> Float64Array:
        """The covariance of each mixture, shape (n, d, d): sum_k w_ik (Sigma_k + (mu_ik - mu_i)(...)')."""
        d, dense = self.n_features, self.dense_covariances
        within = (self.weights @ dense.reshape(len(dense), -1)).reshape(-1, d, d)
        for part, located, weights in self._steps():
            apart = np.swapaxes(located - _average(located, weights), 0, 1)
            within[part] += np.swapaxes(apart * weights[:, :, None], 1, 2) @ apart
        return _freeze(within)

    @cached_property
    def total_variances(self) -> Float64Array:
        """The diagonal of :attr:`covariance`, shape (n, d)."""
        variances = self.weights @ self.variances
        for part, located, weights in self._steps():
            variances[part] += _average((located - _average(located, weights)) ** 2, weights)
        return _freeze(variances)

    @property
    def std(self) -> Float64Array:
        """The standard deviation of each feature in each mixture, shape (n, d)."""
        return np.asarray(np.sqrt(self.total_variances))

    def log_prob(self, X: npt.ArrayLike) -> Float64Array:
        """Log-density of row i of X, shape (n, d), under mixture i, in nats; shape (n,).

        Raises
        ------
        ValueError
            If there are not as many rows as mixtures, or they have other features.
        """
        rows, density = self._read_rows(X), np.empty(len(self))
        for part, joint in self._joint_steps(rows):
            density[part] = _log_sum(joint)
        return density

    def responsibilities(self, X: npt.ArrayLike) -> Float64Array:
        """Posterior probability of each component of mixture i for row i of X, shape (n, d).

        Returns
        -------
        ndarray of shape (n, k)
            w_ik N(x_i | mu_ik, Sigma_k) / p_i(x_i); rows sum to one.
        """
        rows, shares = self._read_rows(X), np.empty((len(self), self.n_components))
        for part, joint in self._joint_steps(rows):
            shares[part] = np.exp(joint - _log_sum(joint)[:, None])
        return shares

    def sample(
        self, n_samples: int = 1, rng: np.random.Generator | int | None = None
    ) -> tuple[Float64Array, IntArray]:
        """Draw independent rows of each mixture.

        Parameters
        ----------
        n_samples : int, default=1
            How many of each.
        rng : numpy.random.Generator, int or None
            A generator goes on from where it is, so that each call draws afresh; an int seeds a new one.

        Returns
        -------
        X : ndarray of shape (n, n_samples, d)
        labels : ndarray of shape (n, n_samples)
            The component that each row came from.
        """
        if n_samples < 1:
            raise ValueError(f"Invalid value for 'n_samples': {n_samples}; at least one sample must be drawn")
        generator = np.random.default_rng(rng)
        labels = draw_labels(self.weights, n_samples, generator)
        X = np.empty((len(self), n_samples, self.n_features))
        algebra, natural = self.template.structure.algebra, self.template.natural
        for k in range(self.n_components):
            drawn = labels == k
            counts = drawn.sum(axis=1)
            places = np.flatnonzero(counts)
            located = self.observation.take(np.array([k])).locate(self.rows[places])[0]
            draws = generator.standard_normal((int(counts.sum()), algebra.n_draws(self.n_features)))
            X[drawn] = algebra.colour(draws, natural.root(k)) + np.repeat(located, counts[places], axis=0)
        return X, labels

    def marginal(self, features: Any) -> Self:
        """The batch of some features, named as :meth:`gaussmix.Mixture.marginal` has them."""
        chosen = read_features(self.template, features)
        return replace(
            self,
            template=take_features(self.template, chosen),
            observation=self.observation.take_features(chosen),
        )

    def _steps(self) -> Iterator[tuple[slice, Float64Array, Float64Array]]:
        """Slices of the mixtures, with the means (k, b, d) and the weights (b, k) of each."""
        for part in step_over(len(self), self.observation.size):
            yield part, self.observation.locate(self.rows[part]), self.weights[part]

    def _joint_steps(self, rows: Float64Array) -> Iterator[tuple[slice, Float64Array]]:
        """Slices of the mixtures, with log w_ik N(x_i | mu_ik, Sigma_k) of their rows, shape (b, k)."""
        density = observe_all(self.template)
        for part, located, _ in self._steps():
            squares = density.measure(rows[part] - located)
            yield part, self.log_weights[part] + (density.log_peaks[:, None] - 0.5 * squares).T

    def _read_rows(self, X: npt.ArrayLike) -> Float64Array:
        """One row a mixture."""
        rows = np.asarray(read_rows(X, self.n_features, names=self.feature_names)[0], dtype=np.float64)
        if len(rows) != len(self):
            raise ValueError(
                f"X must have one row for each of {len(self)} mixtures, row i for mixture i; got {len(rows)}"
            )
        return rows


def draw_labels(weights: Float64Array, n_samples: int, generator: np.random.Generator) -> IntArray:
    """Components drawn by the weights of each row, shape (n, k); shape (n, n_samples)."""
    uniform = generator.random((len(weights), n_samples))
    labels = np.empty(uniform.shape, dtype=np.int64)
    for part in step_over(len(weights), n_samples * weights.shape[1]):
        borders = np.cumsum(weights[part], axis=1)
        borders = borders[:, :-1] / borders[:, -1:]
        labels[part] = (uniform[part, :, None] >= borders[:, None]).sum(axis=2)
    return labels


def _average(values: Float64Array, weights: Float64Array) -> Float64Array:
    """sum_k w_bk v_kb of vectors, shape (k, b, d), by weights, shape (b, k)."""
    return np.asarray((weights[:, None] @ np.swapaxes(values, 0, 1))[:, 0])


def _log_sum(joint: Float64Array) -> Float64Array:
    """Logarithm of sum_k e^j of each row, shape (b, k)."""
    largest = joint.max(axis=1)
    with np.errstate(invalid="ignore"):
        total = np.log(np.exp(joint - largest[:, None]).sum(axis=1)) + largest
    return np.asarray(np.where(np.isfinite(largest), total, largest))


def _freeze(array: Float64Array) -> Float64Array:
    array.setflags(write=False)
    return array
