"""Rows in chunks that are never in memory all together; passes in the order of the rows."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

from gaussmix._threads import hold_blas_to_one_thread
from gaussmix.engines.local import LocalEngine, T


class ChunkEngine(LocalEngine):
    """The same passes as over an array, to the bit, one after the other: each reads the chunks once.

    Samples are rows in memory: their engine is one of an array.
    """

    @staticmethod
    def run(task: Callable[[int], T], n_tasks: int, *, hold_blas: bool = True) -> list[T]:
        """[task(0), ..., task(n_tasks - 1)], in order."""
        with hold_blas_to_one_thread() if hold_blas else nullcontext():
            return [task(i) for i in range(n_tasks)]
