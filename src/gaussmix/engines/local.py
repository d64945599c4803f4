"""Rows in one array in memory; passes on the threads of this process."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.random import RandomState

from gaussmix import _threads
from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.data.rows import Rows
from gaussmix.engines.bulk import find_bulk
from gaussmix.engines.protocol import Quantile, Scales
from gaussmix.model.covariance import Structure
from gaussmix.model.kernels.executor import RowTerms
from gaussmix.model.kernels.moments import pool_moments, pool_products
from gaussmix.model.kernels.natural import HasNatural, Natural
from gaussmix.model.kernels.softmax import Question
from gaussmix.model.kernels.sweep import SMALL_GROUPED_PASS, SMALL_PASS, Responsibilities, Sweep
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.views import FARTHEST
from gaussmix.model.moments.frame import Frame, Group
from gaussmix.model.moments.statistics import Moments, Pass

T = TypeVar("T")

#: A frame that stretches features further is given moments of its own coordinates.
STRETCHED = 30.0


class LocalEngine:
    """The rows of an array, seen from the frame that whitens them.

    Parameters
    ----------
    rows : Rows
    structure : Structure
        The family to be fitted: it decides the frame and which statistics are kept.
    group : {"affine", "scale", "uniform"}, optional
        The maps that the frame may be one of, if they are fewer than the structure's.
    sure : ndarray of int, optional
        Where some rows may be outliers, those that scales are measured by. Each component then keeps second
        moments of its own.
    """

    def __init__(
        self, rows: Rows, structure: Structure, group: Group | None = None, *, sure: IntArray | None = None
    ) -> None:
        _threads.read_thread_setting()  # a wrong one is an error for every fit, not only where it is used
        self.structure = structure
        self._hold(rows)
        self.form = structure.form if sure is None else structure.own_form
        bulk = None if sure is None else rows.take(sure)
        mean, covariance = self._measure(rows if bulk is None else bulk)
        of_all = mean, covariance if covariance.ndim == 1 else np.diagonal(covariance)
        if bulk is None and (near := find_bulk(rows, of_all[1])) is not None:
            bulk = rows.take(near)
            mean, covariance = self._measure(bulk)
        self.frame = Frame.of_moments(mean, covariance, group or structure.group, rows.dtype)
        seen = self._see_covariance(rows if bulk is None else bulk, mean, covariance)
        self.scales = Scales(*of_all, seen)
        if sure is not None:
            self._check_reach()
        exact = bulk is None or sure is not None
        self._pooled = self._pool_moments(mean) if exact else self._pool_rows()

    def _hold(self, rows: Rows) -> None:
        """Set the rows and what is counted of them. No pass has been made over them yet."""
        self.rows, self.weight = rows, rows.weight
        self.n_rows = max(rows.weight, float(rows.shape[0]))
        self._sweeps: dict[tuple[int, bool], Sweep] = {}
        self._grouped: Sweep | None = None
        #: The weights of passes in which rows count as far as they lie above a quantile.
        self._left = np.empty(0)
        #: The mixture that was last evaluated for a quantile, and the log-densities of the rows.
        self._evaluated: tuple[HasNatural | None, FloatArray] = None, np.empty(0)

    @staticmethod
    def run(task: Callable[[int], T], n_tasks: int, *, hold_blas: bool = True) -> list[T]:
        """The results of tasks, which are done side by side."""
        return _threads.run_tasks(task, n_tasks, hold_blas=hold_blas)

    def accumulate(
        self,
        mixture: HasNatural,
        *,
        beta: float = 1.0,
        above: Quantile | None = None,
        terms: RowTerms | None = None,
    ) -> Pass:
        natural = self._find_natural(mixture)
        sweep = self._find_sweep(natural.n_rows, trimmed=above is not None)
        if above is not None:
            self._left[:] = above.weigh_above(self._evaluate_densities(mixture), self.rows.masses)
        if beta == 1.0:
            return sweep.accumulate(natural, terms)
        found = sweep.accumulate(natural.temper(beta), terms)
        return replace(found, moments=found.moments.stretch_axes(beta**-0.5))

    def accumulate_groups(self, joined: Mixture) -> Pass | None:
        return self._find_grouped_sweep(len(joined.means)).accumulate_groups(joined.natural)

    def accumulate_given(
        self,
        responsibilities: Responsibilities,
        k: int,
        centres: Float64Array | None = None,
        axes: Float64Array | None = None,
        *,
        grouped: bool = False,
    ) -> Moments:
        if grouped:
            sweep = self._make_sweep(k, self.rows.weights, small=SMALL_GROUPED_PASS)
            return sweep.accumulate_given(responsibilities, grouped=True)
        if axes is None:
            axes = self.structure.probes(k, self.rows.shape[1])
        return self._find_sweep(k).accumulate_given(responsibilities, centres, axes)

    def find_means(self, responsibilities: Responsibilities, k: int) -> Float64Array:
        return self._find_sweep(k).means_given(responsibilities)

    def evaluate(self, mixture: HasNatural, question: Question) -> FloatArray:
        natural = self._find_natural(mixture)
        answer: FloatArray = self._find_sweep(natural.n_rows).evaluate(natural, question)
        return answer

    def find_quantile(self, mixture: HasNatural, weight: float) -> Quantile:
        return Quantile.of(self._evaluate_densities(mixture), self.rows.weights, weight)

    def take(self, places: IntArray) -> LocalEngine:
        part = copy(self)
        part.__class__ = LocalEngine  # rows of any kind are taken into memory
        part._hold(self.rows.take(places))
        part._pooled = part._pool_rows()
        return part

    def sample(self, most: int, rng: RandomState | None = None) -> LocalEngine:
        places = self.rows.choose(most, rng)
        return self if places is None else self.take(places)

    def _find_natural(self, mixture: HasNatural) -> Natural:
        return mixture.natural if mixture.form == self.form else mixture.natural_in(self.form)

    def _evaluate_densities(self, mixture: HasNatural) -> FloatArray:
        if self._evaluated[0] is not mixture:
            self._evaluated = mixture, self.evaluate(mixture, "log_prob")
        return self._evaluated[1]

    def _find_sweep(self, k: int, *, trimmed: bool = False) -> Sweep:
        """Passes of mixtures of k components, with the weights of the rows, or what is left of them."""
        sweep = self._sweeps.get((k, trimmed))
        if sweep is None:
            if trimmed and not self._left.size:
                self._left = np.empty(self.rows.shape[0])
            sweep = self._make_sweep(k, self._left if trimmed else self.rows.weights)
            self._sweeps[k, trimmed] = sweep
        return sweep

    def _find_grouped_sweep(self, k: int) -> Sweep:
        """Passes of several mixtures that have k components together, or fewer: a field of them shrinks."""
        if self._grouped is None or self._grouped.k < k:
            self._grouped = self._make_sweep(k, self.rows.weights, small=SMALL_GROUPED_PASS)
        return self._grouped

    def _make_sweep(self, k: int, weights: Float64Array | None, *, small: int = SMALL_PASS) -> Sweep:
        rows = self.rows.values, self.frame, self.form, k, weights, self._pooled
        return Sweep(*rows, small=small, run=self.run)

    def _measure(self, rows: Rows) -> tuple[Float64Array, Float64Array]:
        """The mean of some rows and their covariance, or their variances where the family needs no more."""
        oriented = self.structure.form.general
        return pool_moments(rows.values, rows.weights, oriented=oriented, run=self.run)

    def _see_covariance(self, sure: Rows, mean: Float64Array, covariance: Float64Array) -> Float64Array:
        """The covariance of the sure rows in the frame, in the shape of one component's parameter."""
        if covariance.ndim == 1:
            return self.structure.algebra.map_variances(covariance, self.frame)
        if self.frame.stretch < STRETCHED:
            return self.structure.algebra.map_covariances(covariance, self.frame.matrix)
        shift = self._find_shift(mean)
        return pool_products(sure.values, sure.weights, self.frame, run=self.run) - np.outer(shift, shift)

    def _check_reach(self) -> None:
        """Raise ValueError where a row is so far from the others that its square overflows."""
        _, variances = pool_moments(self.rows.values, self.rows.weights, oriented=False, run=self.run)
        far = np.sqrt(variances / self.frame.variances)
        if not far.max() < FARTHEST[self.rows.dtype.char]:
            raise ValueError(
                f"column {int(far.argmax())} has values so far from the others (by {far.max():.3g} spreads, "
                "all taken together) that their squares overflow; leave those rows out"
            )

    def _find_shift(self, mean: Float64Array) -> Float64Array:
        """The mean in the frame: of the size of the rounding of its origin."""
        return np.asarray(self.frame.apply(mean[None, :])[:, 0], dtype=np.float64)

    def _pool_moments(self, mean: Float64Array) -> Float64Array:
        """sum_i w_i q(z_i) in the frame, from the scales, for the families that keep it."""
        block = self.form.pooled
        if block.empty:
            return np.zeros(0)
        shift, seen = self._find_shift(mean)[None, :], self.scales.covariance
        if seen.ndim < 2:
            seen = np.diag(np.broadcast_to(seen, mean.shape))
        return np.asarray(self.weight * (block.pack(seen) + block.outer(shift)[0]))

    def _pool_rows(self) -> Float64Array:
        """sum_i w_i q(z_i) from the rows, where the scales are of others."""
        if self.form.pooled.empty:
            return np.zeros(0)
        about_origin = pool_products(self.rows.values, self.rows.weights, self.frame, run=self.run)
        return np.asarray(self.weight * self.form.pooled.pack(about_origin))
