"""From a mixture of inputs and outputs together to the distribution of the outputs, given inputs.

Of the joint mixture sum_k w_k N((x, y) | mu_k, Sigma_k), with the blocks of Sigma_k named by x and y::

    p(y | x) = sum_k r_k(x) N(y | a_k + B_k x, S_k)
    r_k(x)   = w_k N(x | mu_k,x, Sigma_k,xx) / p(x)
    B_k      = Sigma_k,yx Sigma_k,xx^-1            a_k = mu_k,y - B_k mu_k,x
    S_k      = Sigma_k,yy - B_k Sigma_k,xy

References
----------
Z. Ghahramani and M. I. Jordan, Supervised learning from incomplete data via an EM approach, NIPS 6 (1994)
120-127. H. G. Sung, Gaussian mixture regression and classification, PhD thesis, Rice University 2004.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gaussmix._typing import BoolArray, Float64Array, FloatArray, IntArray
from gaussmix.apps.regression.grouped import Predictive, join_groups
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.algebra.batch import MixtureBatch
from gaussmix.model.mixture.algebra.conditional import condition_on
from gaussmix.model.mixture.algebra.observation import DenseObservation

#: Standard deviations from the mean, as many as a product of densities may take.
FAR = 1e100


@dataclass(frozen=True, eq=False)
class Lines:
    """What each component makes of inputs: y = offset + slope (x - centre)."""

    #: Shape (p,).
    centre: Float64Array
    #: Shape (q, k) and (q, k, p), one block for each output.
    offsets: Float64Array
    slopes: Float64Array

    #: The variance of each output about each line, shape (q, k).
    variances: Float64Array

    def average(self, rows: Float64Array, shares: Float64Array, mean: Float64Array) -> None:
        """Write sum_k r_k (offset_k + slope_k (x - centre)), shape (b, q), for shares r of shape (b, k)."""
        apart = rows - self.centre
        for j, (offset, slope) in enumerate(zip(self.offsets, self.slopes, strict=True)):
            mean[:, j] = np.vecdot(shares @ slope, apart)
            mean[:, j] += shares @ offset

    def spread(
        self, rows: Float64Array, shares: Float64Array, mean: Float64Array, variances: Float64Array
    ) -> None:
        """Write the mean and, with the lines y_k, the variance sum_k r_k (s_k^2 + (y_k - mean)^2)."""
        apart = rows - self.centre
        for j, (offset, slope) in enumerate(zip(self.offsets, self.slopes, strict=True)):
            lines = apart @ slope.T
            lines += offset
            mean[:, j] = np.vecdot(shares, lines)
            lines -= mean[:, j, None]
            lines *= lines
            lines += self.variances[j]
            variances[:, j] = np.vecdot(shares, lines)


@dataclass(frozen=True, eq=False)
class JointRegression:
    """The outputs, given inputs.

    Parameters
    ----------
    mixture : Mixture
        Of p inputs and the outputs, in this order, without noise.
    used : ndarray of shape (p,)
        Which columns of the rows the inputs are; the others say nothing. Where there are none, the outputs
        are those of the mixture, whatever the inputs.
    """

    mixture: Mixture
    used: IntArray

    @property
    def n_outputs(self) -> int:
        """Number of outputs q."""
        return self.mixture.n_features - len(self.used)

    @cached_property
    def inputs(self) -> Mixture:
        """The distribution of the inputs; there must be some."""
        return self.mixture.marginal(np.arange(len(self.used)))

    @cached_property
    def lines(self) -> Lines:
        """What each component makes of complete inputs."""
        p = len(self.used)
        centre = np.asarray(self.mixture.mean[:p])
        batch = condition_on(self.mixture, np.arange(p), centre[None])
        observation = batch.observation
        unit = np.broadcast_to(np.eye(p), (self.mixture.n_components, p, p))
        return Lines(
            centre,
            np.ascontiguousarray(observation.locate(centre[None])[:, 0].T),
            np.ascontiguousarray(np.moveaxis(observation.move(unit), 2, 0)),
            np.ascontiguousarray(batch.variances.T),
        )

    def find_means(self, rows: FloatArray) -> Float64Array:
        """The mean of the outputs for each row of inputs, NaN where one is missing; shape (n, q).

        It equals that of :meth:`predict` to rounding, and takes a fraction of the time: responsibilities come
        from a pass over the rows, and no mean of a component is kept.
        """
        values = self._take_inputs(rows)
        if not self._is_plain(values):
            return self.predict(rows).mean
        mean, lines = np.empty((len(values), self.n_outputs)), self.lines

        def visit(part: slice, shares: Float64Array) -> None:
            lines.average(values[part], shares, mean[part])

        self.inputs.visit_responsibilities(values, visit)
        return mean

    def find_moments(self, rows: FloatArray) -> tuple[Float64Array, Float64Array]:
        """The mean and the standard deviation of each output for each row, shape (n, q), as quickly."""
        values = self._take_inputs(rows)
        if not self._is_plain(values):
            batch = self.predict(rows)
            return batch.mean, batch.std
        mean, lines = np.empty((len(values), self.n_outputs)), self.lines
        variances = np.empty_like(mean)

        def visit(part: slice, shares: Float64Array) -> None:
            lines.spread(values[part], shares, mean[part], variances[part])

        self.inputs.visit_responsibilities(values, visit)
        return mean, np.sqrt(variances)

    def find_log_densities(self, rows: FloatArray) -> Float64Array:
        """The log-density of the inputs that each row has, in nats, shape (n,); zero where it has none."""
        values = self._take_inputs(rows)
        densities = np.zeros(len(values))
        for places, given in group_patterns(~np.isnan(values)):
            if given.size:
                known = values[places][:, given]
                densities[places] = self.mixture.marginal(given).log_prob(known)
        return densities

    def predict(self, rows: FloatArray) -> Predictive:
        """The distribution of the outputs for each row of inputs, NaN where one is missing.

        ValueError where an input is so far from every component that no density can be computed.
        """
        values = self._take_inputs(rows)
        outputs = np.arange(len(self.used), self.mixture.n_features)
        found, batches = [], []
        for places, given in group_patterns(~np.isnan(values)):
            found.append(places)
            if not given.size:
                batches.append(repeat_mixture(self.mixture.marginal(outputs), len(places)))
                continue
            kept = np.concatenate([given, outputs])
            joint = self.mixture if len(kept) == self.mixture.n_features else self.mixture.marginal(kept)
            batches.append(condition_on(joint, np.arange(len(given)), values[places][:, given]))
        return join_groups(found, batches)

    def _is_plain(self, values: Float64Array) -> bool:
        """Whether every row has all inputs, none so far from the mean that densities are beyond numbers."""
        if not values.size or np.isnan(values).any():
            return False
        limit, centre = FAR * np.sqrt(self.inputs.variances.min(axis=0)), self.lines.centre
        if max(values.max(), -values.min()) < limit.min() - np.abs(centre).max():
            return True
        return not (np.abs(values - centre) > limit).any()

    def _take_inputs(self, rows: FloatArray) -> Float64Array:
        """The columns that are inputs, shape (n, p)."""
        values = np.asarray(rows, dtype=np.float64)
        return values if len(self.used) == values.shape[1] else values[:, self.used]


def group_patterns(present: BoolArray) -> list[tuple[IntArray, IntArray]]:
    """Places of rows that have the same inputs, and which inputs these are.

    Parameters
    ----------
    present : ndarray of shape (n, p)
        Which inputs each row has.
    """
    if present.all():
        return [(np.arange(len(present)), np.arange(present.shape[1]))]
    patterns, group_of = np.unique(np.packbits(present, axis=1), axis=0, return_inverse=True)
    group_of = group_of.ravel()  # which one version of NumPy makes a column
    order = np.argsort(group_of, kind="stable")
    ends = np.cumsum(np.bincount(group_of, minlength=len(patterns)))
    return [(places, np.flatnonzero(present[places[0]])) for places in np.split(order, ends[:-1])]


def repeat_mixture(mixture: Mixture, n: int) -> MixtureBatch[Mixture]:
    """A mixture, n times: what is known of its features where nothing is given."""
    k, d = mixture.means.shape
    nothing = DenseObservation(
        expected=np.zeros((k, 0)),
        means=mixture.means,
        log_peaks=np.zeros(k),
        roots=np.zeros((k, 0, 0)),
        gains=np.zeros((k, 0, d)),
    )
    return MixtureBatch.of_observation(mixture, nothing, np.zeros((n, 0)), "predict")
