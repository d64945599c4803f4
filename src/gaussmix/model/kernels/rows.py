"""The rows that a pass goes over, and what every executor of a pass can do with a slice of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.model.kernels.natural import Natural
from gaussmix.model.moments.blocks import Block, Form
from gaussmix.model.moments.frame import Frame

#: What can be asked of each row: log p(z); log w_k N(z | k); responsibilities; the most probable component.
Question = Literal["log_prob", "joint", "responsibilities", "labels"]


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of an array with their weights (None: ones), seen from a frame, worked on in a type of float."""

    X: FloatArray
    weights: FloatArray | None
    frame: Frame
    form: Form
    dtype: np.dtype[Any]

    def values(self, rows: slice) -> FloatArray:
        """A slice of rows in the type that they are worked on in."""
        return self.X[rows].astype(self.dtype, copy=False)

    @property
    def shape(self) -> tuple[int, int]:
        """(n, d)."""
        return self.X.shape[0], self.X.shape[1]

    def weights_of(self, rows: slice) -> FloatArray | None:
        """The weights of a slice of rows."""
        return None if self.weights is None else self.weights[rows].astype(self.dtype, copy=False)


#: No component at all.
NONE_APART: IntArray = np.empty(0, dtype=np.int64)


def centres_of(natural: Natural, apart: IntArray) -> Float64Array:
    """The means of the components apart, the frame's origin for the others."""
    centres = np.zeros(natural.means.shape)
    if apart.size:
        centres[apart] = natural.means[apart]
    return centres


class Executor(Protocol):
    """One way to compute the statistics and densities of a slice of rows.

    Statistics are the columns (counts, first, second moments) of S, the latter packed as `block` says; S may
    have a few more. Components that are to be kept `apart` are evaluated centred, and their moments taken
    about their means, whatever the executor does for the others.
    """

    block: Block
    uses_blas: bool
    #: Whether it can take the components of several mixtures, all of one size, side by side.
    groupable: bool

    def centres(self, natural: Natural, apart: IntArray) -> Float64Array:
        """The points that each component's moments are taken about, shape (k, d)."""

    def accumulate(self, rows: slice, natural: Natural, apart: IntArray, S: Float64Array) -> Float64Array:
        """Add the statistics of the rows to S; returns their log-likelihood by each mixture."""

    def evaluate(self, rows: slice, natural: Natural, apart: IntArray, question: Question, out: Any) -> None:
        """Write the answer for each row into `out`, shape (b, 1) or (b, k)."""
