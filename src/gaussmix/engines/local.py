"""Rows in one array in memory; passes on the threads of this process."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property
from typing import Self

import numpy as np

from gaussmix import _threads
from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.engines.bulk import bulk_of
from gaussmix.engines.trimming import kept_weights, left_out
from gaussmix.model.covariance import Structure
from gaussmix.model.kernels.moments import pooled_moments, second_moments
from gaussmix.model.kernels.natural import HasNatural, Natural
from gaussmix.model.kernels.sweep import SMALL_GROUPED_PASS, Responsibilities, Sweep
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.views import FARTHEST
from gaussmix.model.moments.blocks import outer, pack
from gaussmix.model.moments.frame import Frame, Group
from gaussmix.model.moments.statistics import Moments, Pass

#: A frame that stretches features further is given moments of its own coordinates.
STRETCHED = 30.0


class LocalEngine:
    """The rows of an array, seen from the frame that whitens them.

    Parameters
    ----------
    X : ndarray of shape (n, d), float32 or float64, finite
    structure : Structure
        The family to be fitted: it decides the frame and which statistics are kept.
    n_components : int
    weights : ndarray of shape (n,), optional
        Positive weight of each row.
    group : {"affine", "scale", "uniform"}, optional
        The maps that the frame may be one of, if they are fewer than the structure's.
    cores : tuple of ndarray of int
        Where some rows may be outliers, those that do not look like any, by one or more guesses of how many
        there are. Starts are made of them; the smallest decides the frame.
    noise : bool
        Whether the mixtures have a noise component.
    trim : float
        The share of the weight that each pass leaves out: rows of lowest density.
    """

    def __init__(
        self,
        X: FloatArray,
        structure: Structure,
        n_components: int,
        weights: Float64Array | None = None,
        group: Group | None = None,
        *,
        cores: tuple[IntArray, ...] = (),
        noise: bool = False,
        trim: float = 0.0,
    ) -> None:
        self.X, self.weights, self.structure, self.n_components = X, weights, structure, n_components
        _threads.setting_of_threads()  # a wrong one is an error for every fit, not only for those that use it
        self.cores, self.noise, self.trim = cores, noise, trim
        self.form = structure.own_form if cores else structure.form
        oriented = structure.form.general
        self._bulk = min(cores, key=len) if cores else None
        mean, covariance = pooled_moments(*self._sure(), oriented=oriented)
        #: Of all (sure) rows, in the coordinates of the data.
        self.mean, self.variances = mean, covariance if covariance.ndim == 1 else np.diagonal(covariance)
        if not cores:
            self._bulk = bulk_of(X, self.variances)
            if self._bulk is not None:
                mean, covariance = pooled_moments(*self._sure(), oriented=oriented)
        self.frame = Frame.of_moments(mean, covariance, group or structure.group, X.dtype)
        #: The covariance of the bulk of the rows in the frame, in the shape of one component's parameter.
        self.covariance = self._covariance(mean, covariance)
        if cores:
            self._check_reach()
        self._begin()
        pooled = self._pooled_moments(mean) if self._bulk is None or cores else self._pooled_of_rows()
        self._sweep = self._swept(pooled)

    def _begin(self) -> None:
        total = float(self.X.shape[0] if self.weights is None else self.weights.sum())
        self._amount = left_out(self.trim, total)
        self.weight = total - self._amount
        #: Rows, or copies of them if the weights are more: weights may also come as shares of one.
        self.n_rows = max(total, float(self.X.shape[0])) * (self.weight / total)
        self._grouped: Sweep | None = None
        #: The weights of a pass, where they depend on the densities.
        self._passed = np.empty(len(self.X)) if self.trim else None

    def _swept(self, pooled: Float64Array | None = None) -> Sweep:
        weights = self.weights if self._passed is None else self._passed
        return Sweep(self.X, self.frame, self.form, self.n_components + self.noise, weights, pooled)

    def accumulate(self, mixture: HasNatural, beta: float = 1.0) -> Pass:
        """One pass over the rows: moments and log-likelihood of a mixture in the frame's coordinates.

        With another beta, responsibilities are in proportion to (w_k N_k)^beta, and the likelihood is
        sum_i log sum_k (w_k N_k)^beta.
        """
        natural = self._natural(mixture)
        if self._passed is not None:
            self._passed[:] = self.kept(mixture)
        if beta == 1.0:
            return self._sweep.accumulate(natural)
        found = self._sweep.accumulate(natural.temper(beta))
        return replace(found, moments=found.moments.stretched(beta**-0.5))

    def accumulate_groups(self, joined: Mixture) -> Pass | None:
        """One pass for mixtures side by side as one (a :class:`Groups`), with the log-likelihood of each.

        Every row belongs to each of them with the whole of its weight. None where that cannot be.
        """
        return self._sweep_of(len(joined.means)).accumulate_groups(joined.natural)

    def statistics_of_labels(self, labels: Sequence[IntArray]) -> Moments:
        """The statistics of mixtures side by side: of each, every row belongs to the component of its label.

        Moments are taken about the frame's origin: good enough to begin with.
        """
        k = self.n_components
        rows = self.X, self.frame, self.form, len(labels) * k, self.weights, self._sweep.pooled
        sweep = Sweep(*rows, small=SMALL_GROUPED_PASS)
        of_all, components = np.stack(labels), np.arange(k)[None, :, None]

        def hard(rows: slice) -> Float64Array:
            members = of_all[:, None, rows] == components
            return np.asarray(members.reshape(-1, members.shape[2]), dtype=np.float64)

        return sweep.accumulate_given(hard, grouped=True)

    def _sweep_of(self, k: int) -> Sweep:
        """Passes of several mixtures that have k components together, or fewer: a field of them shrinks."""
        if self._grouped is None or self._grouped.k < k:
            pooled = self._sweep.pooled
            rows = self.X, self.frame, self.form, k, self.weights, pooled
            self._grouped = Sweep(*rows, small=SMALL_GROUPED_PASS)
        return self._grouped

    def joint(self, mixture: Mixture) -> FloatArray:
        """Log w_k N(z | k) of each row and component in the frame's coordinates, shape (n, k)."""
        return self._sweep.joint(self._natural(mixture))

    def kept(self, mixture: HasNatural) -> Float64Array:
        """The weight of each row that a pass of this mixture does not leave out, shape (n,)."""
        return kept_weights(self._sweep.log_prob(self._natural(mixture)), self.weights, self._amount)

    def _natural(self, mixture: HasNatural) -> Natural:
        return mixture.natural if mixture.form == self.form else mixture.natural_in(self.form)

    @cached_property
    def clean(self) -> Self:
        """Rows to start from: all, or those of the first core, which then have neither noise nor trimming."""
        return self.subset(self.cores[0]) if self.cores else self

    def subset(self, rows: IntArray, trim: float = 0.0, *, noise: bool = False) -> Self:
        """Some of the rows, seen from the same frame."""
        part = copy(self)
        part.__dict__.pop("clean", None)
        part.X, part.weights = self._rows(rows)
        part.cores, part.noise, part.trim = (), noise, trim
        part._begin()
        part._sweep = part._swept(part._pooled_of_rows())
        return part

    def holding(self, n_components: int) -> Self:
        """The same rows for mixtures of another number of components."""
        if n_components == self.n_components:
            return self
        other = copy(self)
        other.__dict__.pop("clean", None)
        other.n_components = n_components
        other._sweep = other._swept(self._sweep.pooled)
        return other

    def _pooled_of_rows(self) -> Float64Array:
        """sum_i w_i q(z_i) of these rows alone, which may be a part of those that the frame is of."""
        if self.form.pooled == "none":
            return np.zeros(0)
        about_origin = second_moments(self.X, self.weights, self.frame)
        return np.asarray(self.weight * pack(about_origin, self.form.pooled))

    def _sure(self) -> tuple[FloatArray, Float64Array | None]:
        """The rows that scales are measured by, and their weights: no outliers, by any guess."""
        return (self.X, self.weights) if self._bulk is None else self._rows(self._bulk)

    def _rows(self, rows: IntArray) -> tuple[FloatArray, Float64Array | None]:
        return self.X[rows], None if self.weights is None else self.weights[rows]

    def statistics_of(
        self,
        responsibilities: Responsibilities,
        centres: Float64Array | None = None,
        axes: Float64Array | None = None,
    ) -> Moments:
        """The statistics under given responsibilities, asked for slice by slice in order.

        Moments are taken about the centres, shape (k, d), or the frame's origin, and along the axes, if any.
        """
        if axes is None:
            axes = self.structure.probes(self.n_components, self.X.shape[1])
        return self._sweep.accumulate_given(responsibilities, centres, axes)

    def means_of(self, responsibilities: Responsibilities) -> Float64Array:
        """The mean of each component under given responsibilities; the origin for one without rows."""
        return self._sweep.means_given(responsibilities)

    def labels(self, mixture: Mixture) -> IntArray:
        """The most probable component of each row under a mixture in the frame's coordinates."""
        return self._sweep.labels(self._natural(mixture))

    def responsibilities(self, mixture: Mixture) -> FloatArray:
        """Of each row, shape (n, k), for a mixture in the frame's coordinates: for few rows."""
        return self._sweep.responsibilities(self._natural(mixture))

    def _covariance(self, mean: Float64Array, covariance: Float64Array) -> Float64Array:
        if covariance.ndim == 1:
            return self.structure.ridge(covariance, self.frame)
        if self.frame.stretch < STRETCHED:
            return self.structure.mapped(covariance, self.frame.matrix)
        shift = self._shift(mean)
        return second_moments(*self._sure(), self.frame) - np.outer(shift, shift)

    def _check_reach(self) -> None:
        """Raise ValueError where a row is so far from the others that its square overflows."""
        _, variances = pooled_moments(self.X, self.weights, oriented=False)
        far = np.sqrt(variances / self.frame.variances)
        if not far.max() < FARTHEST[self.X.dtype.char]:
            raise ValueError(
                f"column {int(far.argmax())} has values so far from the others (by {far.max():.3g} spreads, "
                "all taken together) that their squares overflow; leave those rows out"
            )

    def _shift(self, mean: Float64Array) -> Float64Array:
        """The mean in the frame: of the size of the rounding of its origin."""
        return np.asarray(self.frame.apply(mean[None, :])[:, 0], dtype=np.float64)

    def _pooled_moments(self, mean: Float64Array) -> Float64Array:
        """sum_i w_i q(z_i) in the frame, for the families that keep it."""
        block = self.form.pooled
        if block == "none":
            return np.zeros(0)
        shift = self._shift(mean)[None, :]
        seen = self.covariance
        if seen.ndim == 1:
            seen = np.diag(np.broadcast_to(seen, mean.shape))
        return np.asarray(self.weight * (pack(seen, block) + outer(shift, block)[0]))
