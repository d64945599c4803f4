"""Mixtures of which some share their covariances: predictions for rows in which other inputs are missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self, TypeAlias, overload

import numpy as np
import numpy.typing as npt

from gaussmix._reading.rows import read_rows
from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.algebra.batch import MixtureBatch

#: Mixtures of one feature or more, one for each row that is predicted.
Predictive: TypeAlias = "MixtureBatch[Mixture] | GroupedBatch"


@dataclass(frozen=True, eq=False)
class GroupedBatch:
    """n mixtures of k Gaussians each, in groups whose components share their covariances.

    It answers as :class:`gaussmix.MixtureBatch` does, of which it has one for each group. Predictions for
    rows with missing inputs are one: rows that miss the same inputs are a group, since what is missing
    decides the covariances. It is a sequence: ``batch[i]`` is a :class:`gaussmix.Mixture`.

    Attributes
    ----------
    places : tuple of ndarray
        For each group, which of the n mixtures belong to it.
    batches : tuple of MixtureBatch
        Of each group, in the order of its places.

    Examples
    --------
    >>> import numpy as np
    >>> from gaussmix import GaussianMixtureRegressor
    >>> from gaussmix.datasets import load_faithful
    >>> X = load_faithful()[0]
    >>> model = GaussianMixtureRegressor(2, covariance_type="full", random_state=0).fit(X[:, :1], X[:, 1])
    >>> batch = model.predict([[2.0], [np.nan]], return_mixture=True)[1]
    >>> batch
    GroupedBatch(n_mixtures=2, n_groups=2, n_components=2, n_features=1)
    >>> batch.std.ravel().round().tolist()  # the second is all that is known without an eruption
    [6.0, 14.0]
    """

    places: tuple[IntArray, ...]
    batches: tuple[MixtureBatch[Mixture], ...]

    def __len__(self) -> int:
        return sum(map(len, self.places))

    def __iter__(self) -> Iterator[Mixture]:
        return (self[i] for i in range(len(self)))

    @overload
    def __getitem__(self, index: int) -> Mixture: ...

    @overload
    def __getitem__(self, index: slice | IntArray) -> Self: ...

    def __getitem__(self, index: Any) -> Mixture | Self:
        rank = np.empty(len(self), dtype=np.int64)
        for places in self.places:
            rank[places] = np.arange(len(places))
        chosen = np.arange(len(self))[index]  # IndexError where there is none
        if np.ndim(chosen) == 0:
            group = int(self._groups[chosen])
            return self.batches[group][int(rank[chosen])]
        found, parts = [], []
        for group, batch in enumerate(self.batches):
            own = np.flatnonzero(self._groups[chosen] == group)
            if own.size:
                found.append(own)
                parts.append(batch[rank[chosen[own]]])
        return replace(self, places=tuple(found), batches=tuple(parts))

    def __repr__(self) -> str:
        return (
            f"GroupedBatch(n_mixtures={len(self)}, n_groups={len(self.batches)}, "
            f"n_components={self.n_components}, n_features={self.n_features})"
        )

    @cached_property
    def _groups(self) -> IntArray:
        """The group of each mixture, shape (n,)."""
        groups = np.empty(len(self), dtype=np.int64)
        for group, places in enumerate(self.places):
            groups[places] = group
        return groups

    @property
    def n_components(self) -> int:
        """Number of components k of each mixture."""
        return self.batches[0].n_components

    @property
    def n_features(self) -> int:
        """Number of features d."""
        return self.batches[0].n_features

    @property
    def feature_names(self) -> tuple[str, ...] | None:
        """The names of the features, if they have any."""
        return self.batches[0].feature_names

    @property
    def log_weights(self) -> Float64Array:
        """Logarithms of the weights, shape (n, k)."""
        return self._gather(lambda batch, _: batch.log_weights)

    @property
    def log_evidence(self) -> Float64Array:
        """The log-density of what each mixture is given, shape (n,): of no input it is zero."""
        return self._gather(lambda batch, _: batch.log_evidence)

    @property
    def weights(self) -> Float64Array:
        """The weights of the components in each mixture, shape (n, k); rows sum to one."""
        return self._gather(lambda batch, _: batch.weights)

    @property
    def means(self) -> Float64Array:
        """The means of the components in each mixture, shape (n, k, d)."""
        return self._gather(lambda batch, _: batch.means)

    @cached_property
    def mean(self) -> Float64Array:
        """The mean of each mixture, shape (n, d)."""
        return self._gather(lambda batch, _: batch.mean)

    @property
    def covariance(self) -> Float64Array:
        """The covariance of each mixture, shape (n, d, d)."""
        return self._gather(lambda batch, _: batch.covariance)

    @property
    def total_variances(self) -> Float64Array:
        """The diagonal of :attr:`covariance`, shape (n, d)."""
        return self._gather(lambda batch, _: batch.total_variances)

    @property
    def std(self) -> Float64Array:
        """The standard deviation of each feature in each mixture, shape (n, d)."""
        return np.sqrt(self.total_variances)

    def marginal(self, features: Any) -> Self:
        """The batch of some features, named as :meth:`gaussmix.Mixture.marginal` has them."""
        return replace(self, batches=tuple(batch.marginal(features) for batch in self.batches))

    def log_prob(self, X: npt.ArrayLike) -> Float64Array:
        """Log-density of row i of X, shape (n, d), under mixture i, in nats; shape (n,)."""
        rows = self._read_rows(X)
        return self._gather(lambda batch, places: batch.log_prob(rows[places]))

    def responsibilities(self, X: npt.ArrayLike) -> Float64Array:
        """Posterior probability of each component of mixture i for row i of X, shape (n, k)."""
        rows = self._read_rows(X)
        return self._gather(lambda batch, places: batch.responsibilities(rows[places]))

    def sample(
        self, n_samples: int = 1, rng: np.random.Generator | int | None = None
    ) -> tuple[Float64Array, IntArray]:
        """Draw rows of each mixture, shape (n, n_samples, d), and the components they came from."""
        generator, labels = np.random.default_rng(rng), np.empty((len(self), n_samples), dtype=np.int64)

        def draw(batch: MixtureBatch[Mixture], places: IntArray) -> Float64Array:
            rows, labels[places] = batch.sample(n_samples, generator)
            return rows

        return self._gather(draw), labels

    def cdf(self, x: npt.ArrayLike) -> Float64Array:
        """The probability that the one feature is at most x: :meth:`gaussmix.MixtureBatch.cdf`."""
        points = np.asarray(x, dtype=np.float64)
        return self._gather(lambda batch, places: batch.cdf(points[places] if points.ndim else points))

    def quantile(self, q: npt.ArrayLike) -> Float64Array:
        """The point of the one feature below which a share q lies: :meth:`gaussmix.MixtureBatch.quantile`."""
        return self._gather(lambda batch, _: batch.quantile(q))

    def mode(self) -> Float64Array:
        """A point of highest density of each mixture, shape (n, d)."""
        return self._gather(lambda batch, _: batch.mode())

    def _read_rows(self, X: npt.ArrayLike) -> Float64Array:
        """One row a mixture."""
        rows = np.asarray(read_rows(X, self.n_features, names=self.feature_names)[0], dtype=np.float64)
        if len(rows) != len(self):
            raise ValueError(f"X must have one row for each of {len(self)} mixtures; got {len(rows)}")
        return rows

    def _gather(self, ask: Callable[[MixtureBatch[Mixture], IntArray], Float64Array]) -> Float64Array:
        """The answers of all groups, at the places of their mixtures."""
        answers = [ask(batch, places) for batch, places in zip(self.batches, self.places, strict=True)]
        whole = np.empty((len(self), *answers[0].shape[1:]))
        for places, answer in zip(self.places, answers, strict=True):
            whole[places] = answer
        return whole


def join_groups(places: Sequence[IntArray], batches: Sequence[MixtureBatch[Mixture]]) -> Predictive:
    """One batch of those of several groups; of one group, its own."""
    return batches[0] if len(batches) == 1 else GroupedBatch(tuple(places), tuple(batches))


def list_groups(batch: Predictive) -> list[tuple[IntArray, MixtureBatch[Mixture]]]:
    """Batches whose mixtures share covariances, with the places of these."""
    if isinstance(batch, GroupedBatch):
        return list(zip(batch.places, batch.batches, strict=True))
    return [(np.arange(len(batch)), batch)]
