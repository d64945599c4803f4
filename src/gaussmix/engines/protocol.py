"""What an engine is: who computes the statistics and the densities of rows, wherever these lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.data.rows import Rows
from gaussmix.model.covariance import Structure
from gaussmix.model.kernels.executor import RowTerms
from gaussmix.model.kernels.natural import HasNatural
from gaussmix.model.kernels.softmax import Question
from gaussmix.model.kernels.sweep import Responsibilities
from gaussmix.model.mixture import Mixture
from gaussmix.model.moments.blocks import Form
from gaussmix.model.moments.frame import Frame
from gaussmix.model.moments.statistics import Moments, Pass


@dataclass(frozen=True, eq=False)
class Scales:
    """How large the rows are: what frames, floors and priors are measured by."""

    #: Means and variances of the rows, shape (d,), in the coordinates of the data. Rows that look like
    #: outliers count only where nobody has looked for any.
    mean: Float64Array
    variances: Float64Array
    #: The covariance of the bulk of the rows, in the frame, in the shape of one component's parameter.
    covariance: Float64Array


@dataclass(frozen=True)
class Quantile:
    """Where the rows of lowest density end, if they are to be of some weight together."""

    #: Rows under it are of less weight than that, together with those at it of more.
    log_density: float
    #: The part of the weight of rows at it that does not count to the lowest.
    share: float

    @classmethod
    def of(cls, log_densities: FloatArray, weights: Float64Array | None, weight: float) -> Quantile:
        """The quantile of rows in memory; `weight` is less than the sum of their weights (None: ones)."""
        last = len(log_densities) - 1
        if weights is None:
            row = min(int(weight), last)
            border = np.partition(log_densities, row)[row]
            here, under = (float((log_densities == border).sum()), float((log_densities < border).sum()))
        else:
            order = np.argsort(log_densities, kind="stable")
            row = int(np.searchsorted(np.cumsum(weights[order]), weight, side="right"))
            border = log_densities[order[min(row, last)]]
            here, under = (
                float(weights[part].sum()) for part in (log_densities == border, log_densities < border)
            )
        return cls(float(border), min(max((here - (weight - under)) / here, 0.0), 1.0))

    def weigh_above(self, log_densities: FloatArray, masses: Float64Array) -> Float64Array:
        """The weights that are left to rows of these densities and masses."""
        at = np.where(log_densities == self.log_density, self.share * masses, masses)
        return np.where(log_densities < self.log_density, 0.0, at)


class Engine(Protocol):
    """Rows that statistics can be asked of. Mixtures and statistics are in the frame's coordinates.

    A mixture may have any number of components, and noise beside them.
    """

    rows: Rows
    #: The family whose frame and moments these are.
    structure: Structure
    #: The moments that passes keep.
    form: Form
    #: Coordinates chosen once from the rows.
    frame: Frame
    scales: Scales

    @property
    def weight(self) -> float:
        """The sum of the weights that count in a pass."""

    @property
    def n_rows(self) -> float:
        """How many rows that is: weights over one are copies of a row, others may be shares of one."""

    def accumulate(
        self,
        mixture: HasNatural,
        *,
        beta: float = 1.0,
        above: Quantile | None = None,
        terms: RowTerms | None = None,
    ) -> Pass:
        """One pass: the moments of all rows under a mixture, and its log-likelihood.

        With another beta, responsibilities are in proportion to (w_k N_k)^beta, and the likelihood is
        sum_i log sum_k (w_k N_k)^beta. With a quantile, rows count as far as they lie above it. Terms are
        added to the joint log-densities before anything else.
        """

    def accumulate_groups(self, joined: Mixture) -> Pass | None:
        """One pass for mixtures side by side as one, with the log-likelihood of each.

        Every row belongs to each of them with the whole of its weight. None where that cannot be.
        """

    def accumulate_given(
        self,
        responsibilities: Responsibilities,
        k: int,
        centres: Float64Array | None = None,
        axes: Float64Array | None = None,
        *,
        grouped: bool = False,
    ) -> Moments:
        """The moments of k components under given responsibilities, asked for slice by slice in order.

        Moments are taken about the centres, shape (k, d), or the frame's origin, and along the axes, if any.
        `grouped` is for the components of mixtures side by side, whose moments are about the origin.
        """

    def find_means(self, responsibilities: Responsibilities, k: int) -> Float64Array:
        """The means of k components under given responsibilities; the origin for one without rows."""

    def evaluate(self, mixture: HasNatural, question: Question) -> FloatArray:
        """The answer for each row under a mixture, shape (n,) or (n, k)."""

    def find_quantile(self, mixture: HasNatural, weight: float) -> Quantile:
        """Where the rows of lowest density end that have this weight together."""

    def take(self, places: IntArray) -> Engine:
        """The rows at some places, in memory, seen from the same frame."""

    def sample(self, most: int, rng: np.random.RandomState | None = None) -> Engine:
        """All rows, or of more than `most` a sample: as :meth:`gaussmix.data.rows.Rows.choose` says."""
