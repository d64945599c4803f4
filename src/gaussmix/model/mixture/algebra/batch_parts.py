"""What a batch of mixtures is made of: its mixtures share a template, and differ in what was observed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Generic, Self, TypeVar, overload

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.mixture.algebra.observation import Observation, step_over
from gaussmix.model.mixture.algebra.selection import take_features
from gaussmix.model.mixture.features import read_features
from gaussmix.model.mixture.parts import Parts

M = TypeVar("M", bound=Parts)


@dataclass(frozen=True, eq=False)
class BatchParts(Generic[M]):
    """The parts of :class:`gaussmix.MixtureBatch`, and how to take some of it."""

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
        rows = freeze(np.array(rows))  # the caller may change what was given
        return cls(template, observation, rows, freeze(joint), freeze(evidence))

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
            if not -len(self) <= index < len(self):
                raise IndexError(f"there is no mixture {index}: the batch has {len(self)}")
            i = range(len(self))[index]
            means = self.observation.locate(self.rows[i : i + 1])[:, 0]
            weights = np.exp(self.log_weights[i])
            return self.template.replace(weights=weights / weights.sum(), means=means)
        places = index
        if not isinstance(index, slice):
            places = np.asarray(index, None if np.size(index) else np.int64)
        rows, log_weights, log_evidence = (
            freeze(array[places]) for array in (self.rows, self.log_weights, self.log_evidence)
        )
        if rows.ndim != 2:
            raise IndexError(
                f"a batch is indexed by an integer, a slice or one axis of places; got {index!r}"
            )
        return replace(self, rows=rows, log_weights=log_weights, log_evidence=log_evidence)

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
        return freeze(np.exp(self.log_weights))

    @cached_property
    def means(self) -> Float64Array:
        """The means of the components in each mixture, shape (n, k, d)."""
        means = np.empty((len(self), self.n_components, self.n_features))
        for part in step_over(len(self), self.observation.size):
            means[part] = np.swapaxes(self.observation.locate(self.rows[part]), 0, 1)
        return freeze(means)

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


def freeze(array: Float64Array) -> Float64Array:
    """The array, read-only."""
    array.setflags(write=False)
    return array
