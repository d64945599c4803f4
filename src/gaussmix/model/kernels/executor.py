"""What a pass reads, and what every executor can do with a slice of its rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, NamedTuple, Protocol, TypeAlias, TypeVar

import numpy as np

from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.model.kernels.guard import find_imprecise, needs_double
from gaussmix.model.kernels.natural import Natural
from gaussmix.model.kernels.softmax import Question, add_terms, answer, softmax_of_each, weigh
from gaussmix.model.moments.blocks import Block, Form
from gaussmix.model.moments.frame import Frame

ExecutorName = Literal["blas", "compiled", "centred"]

#: Terms t_ik of the rows of a slice, shape (k, b), with a row for the noise. A pass adds them to the joint
#: log-densities; minus infinity is for a row that cannot belong to a component. Several threads call it, in
#: any order.
RowTerms: TypeAlias = Callable[[slice], FloatArray]

#: Where no more than one component in so many is too tight for float32, those alone are evaluated centred.
FEW = 3

#: No component at all.
NONE_APART: IntArray = np.empty(0, dtype=np.int64)

DOUBLE = np.dtype(np.float64)

C = TypeVar("C")
T = TypeVar("T")


class Source(Protocol):
    """Where the numbers of rows lie: an array, or what gives slices as one would."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Numbers of rows and features (n, d)."""

    @property
    def dtype(self) -> Any:
        """Float32 or float64."""

    def __getitem__(self, rows: slice, /) -> FloatArray:
        """Rows that lie side by side."""


class Run(Protocol):
    """A way to do the tasks 0 .. n - 1 of a pass, side by side or in order; results are in order."""

    def __call__(self, task: Callable[[int], T], n_tasks: int, *, hold_blas: bool = True) -> list[T]:
        """[task(0), ..., task(n_tasks - 1)]."""


@dataclass(frozen=True, eq=False)
class Operands:
    """All that passes read but a mixture; what an executor is chosen by and made of."""

    #: The rows, shape (n, d).
    X: Source
    #: The weight of each row, shape (n,); None stands for ones.
    weights: FloatArray | None
    frame: Frame
    form: Form
    #: The most components that there will be, of all mixtures side by side, a noise component among them.
    k: int
    #: The type of float that rows are worked on in.
    dtype: np.dtype[Any]
    #: The products k F n of a pass that are few enough for NumPy.
    small: int

    def values(self, rows: slice) -> FloatArray:
        """A slice of rows in the type that they are worked on in."""
        return self.X[rows].astype(self.dtype, copy=False)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and features (n, d)."""
        return self.X.shape[0], self.X.shape[1]

    @property
    def n_features(self) -> int:
        """Length of T(z)."""
        return self.form.n_features(self.X.shape[1])

    def weights_of(self, rows: slice) -> FloatArray | None:
        """The weights of a slice of rows."""
        return None if self.weights is None else self.weights[rows].astype(self.dtype, copy=False)


class Plan(NamedTuple):
    """What a pass is of: natural parameters, the components to be kept apart, terms of rows."""

    natural: Natural
    apart: IntArray
    terms: RowTerms | None


class Executor(ABC):
    """One way to compute the statistics and densities of a slice of rows.

    Statistics are the columns (counts, first, second moments) of S, the latter packed as `block` says; S may
    have a few more. Components that are to be kept `apart` are evaluated centred, and their moments taken
    about their means, whatever the executor does for the others.
    """

    #: What GAUSSMIX_EXECUTOR calls it.
    name: ClassVar[ExecutorName]
    #: Whether it is for forms with moments along axes.
    along_axes: ClassVar[bool] = False
    #: Whether all components are rows of one matrix product. Those of several mixtures can then stand side by
    #: side; and where all are kept apart, nothing is left of the product, and `Centred` takes the pass.
    product_form: ClassVar[bool] = False
    #: Whether moments are about the components' means; about the origin if not, save for components apart.
    about_means: ClassVar[bool] = False
    #: Whether a pass sums up a scatter that all components share: about means it changes with them.
    sums_shared: ClassVar[bool] = False
    takes_terms: ClassVar[bool] = True
    uses_blas: ClassVar[bool] = True

    def __init__(self, operands: Operands) -> None:
        form, d = operands.form, operands.X.shape[1]
        self.operands = operands
        #: The second moments that are summed up for each component.
        self.block: Block = form.block if self.sums_shared else form.own
        #: Columns of S.
        self.n_columns = 1 + d + self.block.size(d)
        #: Rows that it is asked for at a time.
        self.chunk = self.chunk_rows(operands)

    @classmethod
    def is_fastest(cls, operands: Operands) -> bool:
        """Whether it is the one to take, if none that comes before it in the registry is."""
        return True

    @classmethod
    @abstractmethod
    def chunk_rows(cls, operands: Operands) -> int:
        """Rows of a chunk, whose features should stay in cache; a function of the problem's shape alone."""

    def find_apart(self, natural: Natural) -> IntArray | None:
        """The components that have to be kept apart; None where float32 is too short for this mixture."""
        mask = find_imprecise(natural, self.operands.dtype)
        if mask is None:
            return NONE_APART
        short = self.operands.dtype != DOUBLE
        if short and (FEW * mask.sum() > self.operands.k or needs_double(natural)):
            return None
        return np.flatnonzero(mask)

    def centres(self, natural: Natural, apart: IntArray) -> Float64Array:
        """The points that each component's moments are taken about, shape (k, d)."""
        if self.about_means:
            return natural.means
        centres = np.zeros(natural.means.shape)
        if apart.size:
            centres[apart] = natural.means[apart]
        return centres

    @abstractmethod
    def accumulate(self, rows: slice, plan: Plan, S: Float64Array) -> Float64Array:
        """Add the statistics of the rows to S; returns their log-likelihood by each mixture."""

    @abstractmethod
    def evaluate(self, rows: slice, plan: Plan, question: Question, out: Any) -> None:
        """Write the answer for each row into `out`, shape (b, 1) or (b, k)."""


class Stepwise(Executor, Generic[C]):
    """An executor in NumPy, which takes one step after another: densities, softmax, moments.

    C is what densities and moments of a chunk have in common, such as its features.
    """

    def accumulate(self, rows: slice, plan: Plan, S: Float64Array) -> Float64Array:
        L, chunk = self.compute_joint(rows, plan)
        if plan.terms is not None:
            add_terms(L, plan.terms(rows))
        log_likelihoods = weigh(L, softmax_of_each(L, plan.natural.groups), self.operands.weights_of(rows))
        self.add_moments(chunk, L, plan, S)
        return log_likelihoods

    def evaluate(self, rows: slice, plan: Plan, question: Question, out: Any) -> None:
        L, chunk = self.compute_joint(rows, plan)
        if plan.terms is not None:
            add_terms(L, plan.terms(rows))
        if plan.natural.shared and question in ("log_prob", "joint"):
            self.complete(L, chunk, plan.natural)
        self.release(chunk)
        answer(L, question, out)

    @abstractmethod
    def compute_joint(self, rows: slice, plan: Plan) -> tuple[FloatArray, C]:
        """Joint log-densities, shape (k, b), and what they have in common with the moments.

        What all components share may be left out.
        """

    @abstractmethod
    def add_moments(self, chunk: C, R: FloatArray, plan: Plan, S: Float64Array) -> None:
        """Add the statistics under weighted responsibilities R, shape (k, b), to S, and release the chunk.

        Overwrites R.
        """

    def complete(self, L: FloatArray, chunk: C, natural: Natural) -> None:
        """Add to joint log-densities what all components share, if it was left out."""

    def release(self, chunk: C) -> None:
        """Give memory back for the next chunk."""
