"""Rows: what there is to fit, wherever it lies. Today an array, or chunks that are read anew for each pass.

Who computes with them is an engine (:mod:`gaussmix.engines`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.random import RandomState

from gaussmix._typing import Float64Array, FloatArray, IntArray

#: Rows that are hashed at a time.
HASHED_ROWS = 65_536


class Chunks:
    """Rows that come in chunks, again and again, and are never in memory all together.

    A slice of rows is what an array would give. Slices that are asked for in order take one reading of the
    chunks; one that lies before the last begins a new reading.

    Parameters
    ----------
    read : callable
        Gives an iterable of arrays (m, d) of one type, float32 or float64, the same ones at each call.

    Examples
    --------
    >>> import numpy as np
    >>> from gaussmix.data.rows import Chunks
    >>> chunks = Chunks(lambda: (np.full((3, 2), float(i)) for i in range(4)))
    >>> chunks.shape, chunks[2:5][:, 0].tolist()
    ((12, 2), [0.0, 1.0, 1.0])
    """

    def __init__(self, read: Callable[[], Iterable[FloatArray]]) -> None:
        self.read = read
        first, n = None, 0
        for chunk in read():
            first = chunk if first is None else first
            if chunk.ndim != 2 or chunk.shape[1] != first.shape[1] or chunk.dtype != first.dtype:
                raise ValueError(
                    f"chunks must be arrays of {first.shape[1]} columns of {first.dtype}, as the first is; "
                    f"got the shape {chunk.shape} of {chunk.dtype}"
                )
            n += len(chunk)
        if first is None:
            raise ValueError("chunks must have at least one row; there is no chunk at all")
        self.shape: tuple[int, int] = (n, int(first.shape[1]))
        self.dtype: np.dtype[Any] = first.dtype
        self._reading: Iterator[FloatArray] = iter(())
        self._held, self._start = first[:0], n  # the rows held, and the place of the first of them

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> FloatArray:
        """Rows that lie side by side. Those before them are no longer held."""
        start, stop, _ = rows.indices(len(self))
        if start < self._start:
            self._reading, self._held, self._start = iter(self.read()), self._held[:0], 0
        while start >= (end := self._start + len(self._held)) and start < stop:
            self._held, self._start = next(self._reading), end
        parts, end = [self._held[start - self._start :]], self._start + len(self._held)
        while end < stop:
            parts.append(next(self._reading))
            end += len(parts[-1])
        if len(parts) > 1:
            self._held, self._start = np.concatenate(parts), start
        return self._held[start - self._start : stop - self._start]

    def take(self, places: IntArray) -> FloatArray:
        """The rows at some places, in the order of the places, by one reading."""
        found: FloatArray = np.empty((len(places), self.shape[1]), dtype=self.dtype)
        start = 0
        for chunk in self.read():
            here = np.flatnonzero((places >= start) & (places < start + len(chunk)))
            found[here] = chunk[places[here] - start]
            start += len(chunk)
        return found


#: The numbers of rows: either kind has a shape, a type, and slices.
Source: TypeAlias = FloatArray | Chunks


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of numbers and their weights."""

    #: Shape (n, d): float32 or float64, finite.
    values: Source
    #: Shape (n,): positive; None stands for ones.
    weights: Float64Array | None = None

    @cached_property
    def shape(self) -> tuple[int, int]:
        """(n, d)."""
        return self.values.shape[0], self.values.shape[1]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Float32 or float64."""
        return self.values.dtype

    @cached_property
    def masses(self) -> Float64Array:
        """The weight of each row, shape (n,): ones where there are no weights."""
        return np.ones(len(self.values)) if self.weights is None else self.weights

    @cached_property
    def weight(self) -> float:
        """The sum of the weights."""
        return float(len(self.values) if self.weights is None else self.weights.sum())

    @cached_property
    def array(self) -> FloatArray:
        """All rows as one array: for starts, which see few."""
        return self.values[:] if isinstance(self.values, Chunks) else self.values

    def take(self, places: IntArray) -> Rows:
        """The rows at some places, in memory."""
        values = self.values.take(places) if isinstance(self.values, Chunks) else self.values[places]
        return Rows(values, None if self.weights is None else self.weights[places])

    def choose(self, most: int, rng: RandomState | None = None) -> IntArray | None:
        """The places of a sample, drawn uniformly, in order; None where there are no more rows than `most`.

        Without a generator the places are the same for any rows of that number.
        """
        n = len(self.values)
        if n <= most:
            return None
        # RandomState's own choice would shuffle all n
        generator = np.random.default_rng(0 if rng is None else rng.randint(2**31, size=4))
        return np.sort(generator.choice(n, most, replace=False, shuffle=False))

    def draw(self, n_rows: int, rng: RandomState) -> IntArray:
        """The places of different rows, drawn in proportion to their weights."""
        p = None if self.weights is None else self.weights / self.weights.sum()
        if n_rows == 1:  # without a permutation of all
            return np.array([rng.choice(len(self.values), p=p)])
        return np.asarray(rng.choice(len(self.values), n_rows, replace=False, p=p))

    def cut(self, size: int) -> Iterator[slice]:
        """The slices of so many rows, in order."""
        n = len(self.values)
        return (slice(start, min(start + size, n)) for start in range(0, n, size))

    @property
    def digest(self) -> str:
        """A text that other rows, or other weights, do not have."""
        return digest_arrays(self.values, self.weights)


def digest_arrays(*arrays: Source | IntArray | None) -> str:
    """A text that other arrays do not have; some may be absent."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(b"-" if array is None else b"+")
        if array is not None:
            for start in range(0, len(array), HASHED_ROWS):
                digest.update(np.ascontiguousarray(array[start : start + HASHED_ROWS]).data)
    return digest.hexdigest()
