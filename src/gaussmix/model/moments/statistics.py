"""Moments of the rows, a commutative monoid and all that an M-step ever sees, and the result of a pass."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.moments.blocks import Block, Form
from gaussmix.model.moments.groups import ALONE, Alone

#: Stands for a count of zero where it divides: the moments of no rows are zero.
TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, eq=False)
class Moments:
    """Weighted moments of the rows under their responsibilities.

    With r_ik the responsibility of component k for row z_i, w_i the row's weight, c_k the point
    that component k's moments are taken about, and q the form's second-order features::

        counts_k = sum_i w_i r_ik
        first_k  = sum_i w_i r_ik (z_i - c_k)
        second_k = sum_i w_i r_ik q(z_i - c_k)
        pooled   = sum_k sum_i w_i r_ik q(z_i - c_k)     (for forms that share it)

    A noise component has a count of its own and no moments. Moments of disjoint sets of rows add;
    :meth:`zero` is neutral. Nothing mutates them.
    """

    #: Which second moments are kept.
    form: Form
    #: Effective rows of each component, shape (k,).
    counts: Float64Array
    #: First moments, shape (k, d).
    first: Float64Array
    #: Second moments, shape (k, F2), packed as :mod:`gaussmix.model.moments.blocks` says.
    second: Float64Array
    #: Second moments summed over components, shape (P,), packed likewise.
    pooled: Float64Array
    #: c_k, shape (k, d).
    centres: Float64Array
    #: The count of the noise component; zero where there is none.
    noise: float = 0.0
    #: A_k, shape (k, d, q), for forms with axes: q(z) is then z^2 and (A_k'z) z'. Moments along other axes do
    #: not add.
    axes: Float64Array | None = None

    @classmethod
    def zero(cls, form: Form, k: int, d: int) -> Moments:
        """The neutral element: the moments of no rows at all."""
        return cls(
            form,
            np.zeros(k),
            np.zeros((k, d)),
            np.zeros((k, form.own.size(d))),
            np.zeros(form.pooled.size(d)),
            np.zeros((k, d)),
            axes=np.zeros((k, d, form.n_axes)) if form.n_axes else None,
        )

    @property
    def n_components(self) -> int:
        """Number of components k, without the noise."""
        return int(self.first.shape[0])

    @property
    def n_features(self) -> int:
        """Number of features d."""
        return int(self.first.shape[1])

    @property
    def weight(self) -> float:
        """Total weight of the rows seen."""
        return float(self.counts.sum()) + self.noise

    def __add__(self, other: Moments) -> Moments:
        """Moments of both sets of rows together."""
        if self.form != other.form or self.first.shape != other.first.shape:
            raise ValueError(
                f"statistics of different mixtures cannot be added: {self.form} {self.first.shape} "
                f"and {other.form} {other.first.shape}"
            )
        if other.centres is not self.centres and not np.array_equal(other.centres, self.centres):
            other = other.rebase(self.centres)
        return replace(
            self,
            axes=self._common_axes(other),
            counts=self.counts + other.counts,
            first=self.first + other.first,
            second=self.second + other.second,
            pooled=self.pooled + other.pooled,
            noise=self.noise + other.noise,
        )

    def _common_axes(self, other: Moments) -> Float64Array | None:
        """The axes of both; those of no rows at all are the other's."""
        if self.axes is None or other.axes is None or self.axes is other.axes:
            return self.axes
        if not np.array_equal(self.axes, other.axes) and self.axes.any() and other.axes.any():
            raise ValueError("statistics of different axes cannot be added")
        return self.axes if self.axes.any() else other.axes

    def scale(self, factor: float) -> Moments:
        """Moments of the same rows with every weight multiplied by `factor`."""
        return replace(
            self,
            counts=factor * self.counts,
            first=factor * self.first,
            second=factor * self.second,
            pooled=factor * self.pooled,
            noise=factor * self.noise,
        )

    def stretch_axes(self, factor: float) -> Moments:
        """The same statistics along axes so many times as long, where there are axes."""
        if self.axes is None:
            return self
        own = self.form.own.n_features(self.n_features)
        second = np.concatenate([self.second[:, :own], factor * self.second[:, own:]], axis=1)
        return replace(self, second=second, axes=factor * self.axes)

    def rebase(self, centres: Float64Array) -> Moments:
        """The same statistics with each component's moments taken about another point."""
        shift = self.centres - centres

        def shift_block(block: Block, axes: Float64Array | None = None) -> Float64Array:
            return block.cross(self.first, shift, axes) + self.counts[:, None] * block.outer(shift, axes)

        return replace(
            self,
            first=self.first + self.counts[:, None] * shift,
            second=self.second + shift_block(self.form.own, self.axes),
            pooled=self.pooled + shift_block(self.form.pooled).sum(axis=0),
            centres=centres,
        )

    def centre_on(self, means: Float64Array) -> Moments:
        """The statistics whose central moments are those about given points, shape (k, d)."""
        return replace(self.rebase(means), first=np.zeros(self.first.shape))

    def means(self) -> Float64Array:
        """Weighted mean of each component, shape (k, d); the centre where a count is zero."""
        return self.centres + self._shift

    def covariances(self) -> Float64Array:
        """Central second moments of each component, in the shape of the form's own block."""
        own = self.form.own
        return own.unpack(self.second / self._divisor, self.n_features) - own.square(self._shift, self.axes)

    def pooled_covariances(self, groups: Alone = ALONE) -> Float64Array:
        """Second moments about the means, pooled over each mixture's components.

        Of shape (g, d, d) for "vech", (g, d) for "squares", (g,) for "radial"; one mixture is g = 1.
        """
        pooled, count = self.form.pooled, groups.total(self.counts)
        if pooled.empty:
            total = groups.sum_weighted(self.covariances(), self.counts)
        else:
            between = groups.sum_weighted(pooled.outer(self._shift), self.counts)
            total = pooled.unpack(self.pooled - between, self.n_features)
        return np.asarray(total / count.reshape(-1, *(1,) * (total.ndim - 1)))

    @cached_property
    def _divisor(self) -> Float64Array:
        """The counts as a column, and a tiny number for a component that no row belongs to."""
        return np.maximum(self.counts, TINY)[:, None]

    @cached_property
    def _shift(self) -> Float64Array:
        """The means less the centres."""
        return self.first / self._divisor


@dataclass(frozen=True, eq=False)
class Pass:
    """What one pass over the rows finds under the parameters of a mixture.

    With r_ik the responsibility of component k for row z_i and w_i the row's weight::

        log_likelihood = sum_i w_i log p(z_i)
        entropy        = -sum_i w_i sum_k r_ik log r_ik

    Of mixtures side by side, moments are of all components, and every row belongs to each mixture with the
    whole of its weight. Results of disjoint sets of rows add.
    """

    moments: Moments
    #: The log-likelihood of each mixture, in nats, shape (g,); of shape (1,) if there is but one.
    log_likelihoods: Float64Array
    #: In nats, of the components' responsibilities, if the pass was asked for it.
    entropy: float | None = None

    @cached_property
    def log_likelihood(self) -> float:
        """Log-likelihood of all mixtures together, in nats."""
        return float(self.log_likelihoods.sum())

    @property
    def kept_weight(self) -> float:
        """Total weight of the rows that the pass has not left out."""
        return self.moments.weight / len(self.log_likelihoods)

    def __add__(self, other: Pass) -> Pass:
        """The result of a pass over both sets of rows."""
        entropy = None
        if self.entropy is not None and other.entropy is not None:
            entropy = self.entropy + other.entropy
        return Pass(self.moments + other.moments, self.log_likelihoods + other.log_likelihoods, entropy)
