"""Components of several mixtures side by side in one array, and sums over those of each mixture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gaussmix._typing import Float64Array, IntArray


class Alone:
    """All components are of one mixture: a sum over them has one entry, which goes with every component."""

    def __len__(self) -> int:
        return 1

    def bounds(self, k: int) -> IntArray:
        """Where the components of each begin among all k, and where the last end."""
        return np.array([0, k])

    def total(self, values: Float64Array) -> Float64Array:
        """The sums over each mixture's components: values (K, ...) become (g, ...)."""
        return np.asarray(np.add.reduce(values, keepdims=True))

    def sum_weighted(self, values: Float64Array, weights: Float64Array) -> Float64Array:
        """sum_k w_k v_k over each mixture's components: values (K, ...) become (g, ...)."""
        return np.tensordot(weights, values, axes=1)[None]

    def average(self, values: Float64Array, shares: Float64Array) -> Float64Array:
        """The weighted sum of its mixture for each component: (K, ...), or (1, ...) for all."""
        return self.expand(self.sum_weighted(values, shares))

    def maxima(self, values: Float64Array) -> Float64Array:
        """The largest number of each mixture: values (K,) become (g,)."""
        return np.asarray(np.maximum.reduce(values, keepdims=True))

    def expand(self, values: Float64Array) -> Float64Array:
        """For each component what its mixture has: values (g, ...) become (K, ...), or stay (1, ...)."""
        return values

    def places(self, k: int) -> Float64Array:
        """Where each of K components is among those of its mixture, from 0 to 1."""
        return np.arange(k) / k

    def stack(self, values: Float64Array) -> Float64Array:
        """Values (K, ...) as (g, m, ...), a mixture each; copies of its last value make up the number m."""
        return values[None]

    @property
    def presence(self) -> Float64Array:
        """One for each value in :meth:`stack`, zero for the copies that make up the number."""
        return np.ones((1, 1))

    def unstack(self, stack: Float64Array) -> Float64Array:
        """The inverse of :meth:`stack`."""
        return np.asarray(stack[0])


#: One mixture.
ALONE = Alone()


@dataclass(frozen=True)
class Groups(Alone):
    """The first components are of one mixture, the next of another, and so on."""

    #: Number of components of each mixture.
    sizes: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.sizes)

    @cached_property
    def equal(self) -> bool:
        """Whether all mixtures have the same number of components."""
        return len(set(self.sizes)) == 1

    @cached_property
    def starts(self) -> IntArray:
        """The first component of each mixture, shape (g,)."""
        return np.cumsum((0, *self.sizes[:-1]))

    @cached_property
    def owners(self) -> IntArray:
        """The mixture of each component, shape (K,)."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    @cached_property
    def slices(self) -> list[slice]:
        """The components of each mixture."""
        return [slice(start, start + k) for start, k in zip(self.starts.tolist(), self.sizes, strict=True)]

    def select(self, kept: Sequence[int]) -> Groups:
        """The groups of some of the mixtures alone."""
        return Groups(tuple(self.sizes[g] for g in kept))

    def components(self, kept: Sequence[int]) -> IntArray:
        """The components of some of the mixtures, in order."""
        return np.concatenate([np.arange(s.start, s.stop) for s in (self.slices[g] for g in kept)])

    def bounds(self, k: int) -> IntArray:
        return np.cumsum((0, *self.sizes))

    def total(self, values: Float64Array) -> Float64Array:
        return np.asarray(np.add.reduceat(values, self.starts, axis=0))

    def sum_weighted(self, values: Float64Array, weights: Float64Array) -> Float64Array:
        return self.total(weights.reshape(-1, *(1,) * (values.ndim - 1)) * values)

    def maxima(self, values: Float64Array) -> Float64Array:
        return np.asarray(np.maximum.reduceat(values, self.starts))

    def expand(self, values: Float64Array) -> Float64Array:
        return values.take(self.owners, axis=0)

    def places(self, k: int) -> Float64Array:
        return np.asarray((np.arange(k) - self.starts[self.owners]) / np.array(self.sizes)[self.owners])

    def stack(self, values: Float64Array) -> Float64Array:
        if self.equal:
            return values.reshape(len(self.sizes), self.sizes[0], *values.shape[1:])
        return values.take(self._components, axis=0)

    @cached_property
    def presence(self) -> Float64Array:
        return np.asarray(np.arange(max(self.sizes)) < np.array(self.sizes)[:, None], dtype=np.float64)

    def unstack(self, stack: Float64Array) -> Float64Array:
        flat = stack.reshape(-1, *stack.shape[2:])
        return flat if self.equal else flat.take(self._where, axis=0)

    @cached_property
    def _components(self) -> IntArray:
        """The component at each place of the stack, shape (g, m)."""
        places = np.arange(max(self.sizes))
        return np.asarray(self.starts[:, None] + np.minimum(places, np.array(self.sizes)[:, None] - 1))

    @cached_property
    def _where(self) -> IntArray:
        """The place of each component in the stack."""
        m = max(self.sizes)
        return np.concatenate([g * m + np.arange(k) for g, k in enumerate(self.sizes)])
