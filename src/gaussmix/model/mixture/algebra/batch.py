"""Many mixtures that share the covariances of their components, as conditions and measurements give them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from gaussmix._reading.rows import read_rows
from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.kernels.softmax import sum_exponentials
from gaussmix.model.mixture.algebra.batch_parts import BatchParts, freeze
from gaussmix.model.mixture.algebra.linear import read_numbers
from gaussmix.model.mixture.algebra.observation import observe_all, step_over
from gaussmix.model.mixture.algebra.peaks import Peaks
from gaussmix.model.mixture.algebra.tails import find_log_tails, find_quantiles
from gaussmix.model.mixture.parts import Parts
from gaussmix.model.mixture.sampling import check_number

#: From a number for each mixture, log-weights, means and deviations to an answer for each.
_Ask = Callable[[Float64Array, Float64Array, Float64Array, Float64Array], Float64Array]

M = TypeVar("M", bound=Parts)


class MixtureBatch(BatchParts[M]):
    """n mixtures of k Gaussians each, in d dimensions, whose components share their covariances.

    Conditions make them (:meth:`gaussmix.Mixture.condition` of n values), and measurements
    (:meth:`gaussmix.Mixture.linear_gaussian_update`). The density of mixture i is
    ``p_i(x) = sum_k w_ik N(x | mu_ik, Sigma_k)``. It is a sequence: ``batch[i]`` is a
    :class:`gaussmix.Mixture`, ``batch[2:5]`` a batch, ``len(batch)`` is n. Instances are frozen.

    Means are computed when they are first needed, and what needs only some of them (:attr:`mean`,
    :meth:`sample`) never holds all.

    Attributes
    ----------
    log_weights : ndarray of shape (n, k)
        Logarithms of the weights; exact where a weight itself is too small for a number.
    log_evidence : ndarray of shape (n,)
        The log-density, in nats, of what each mixture is given: log p(y).

    Examples
    --------
    >>> import gaussmix
    >>> means, covariances = [[0.0, 0.0], [4.0, 4.0]], [[[1.0, 0.5], [0.5, 1.0]]] * 2
    >>> mixture = gaussmix.Mixture([0.5, 0.5], means, covariances, feature_names=["height", "weight"])
    >>> batch = mixture.condition(height=[0.0, 4.0, 2.0])
    >>> len(batch), batch.mean.shape
    (3, (3, 1))
    >>> batch.mean.ravel().round(2).tolist()
    [0.0, 4.0, 2.0]
    """

    @cached_property
    def mean(self) -> Float64Array:
        """The mean of each mixture, shape (n, d): sum_k w_ik mu_ik."""
        mean = np.empty((len(self), self.n_features))
        for part, located, weights in self._steps():
            mean[part] = _average(located, weights)
        return freeze(mean)

    @cached_property
    def covariance(self) -> Float64Array:
        """The covariance of each mixture, shape (n, d, d): sum_k w_ik (Sigma_k + (mu_ik - mu_i)(...)')."""
        d, dense = self.n_features, self.dense_covariances
        within = (self.weights @ dense.reshape(len(dense), -1)).reshape(-1, d, d)
        for part, located, weights in self._steps():
            apart = np.swapaxes(located - _average(located, weights), 0, 1)
            within[part] += np.swapaxes(apart * weights[:, :, None], 1, 2) @ apart
        return freeze(within)

    @cached_property
    def total_variances(self) -> Float64Array:
        """The diagonal of :attr:`covariance`, shape (n, d)."""
        variances = self.weights @ self.variances
        for part, located, weights in self._steps():
            variances[part] += _average((located - _average(located, weights)) ** 2, weights)
        return freeze(variances)

    @property
    def std(self) -> Float64Array:
        """The standard deviation of each feature in each mixture, shape (n, d)."""
        return np.asarray(np.sqrt(self.total_variances))

    def log_prob(self, X: npt.ArrayLike) -> Float64Array:
        """Log-density of row i of X, shape (n, d), under mixture i, in nats; shape (n,).

        Raises
        ------
        ValueError
            If there are not as many rows as mixtures, or they have other features.
        """
        rows, density = self._read_rows(X), np.empty(len(self))
        for part, joint in self._joint_steps(rows):
            density[part] = sum_exponentials(joint)
        return density

    def responsibilities(self, X: npt.ArrayLike) -> Float64Array:
        """Posterior probability of each component of mixture i for row i of X, shape (n, d).

        Returns
        -------
        ndarray of shape (n, k)
            w_ik N(x_i | mu_ik, Sigma_k) / p_i(x_i); rows sum to one.
        """
        rows, shares = self._read_rows(X), np.empty((len(self), self.n_components))
        for part, joint in self._joint_steps(rows):
            shares[part] = np.exp(joint - sum_exponentials(joint)[:, None])
        return shares

    def sample(
        self, n_samples: int = 1, rng: np.random.Generator | int | None = None
    ) -> tuple[Float64Array, IntArray]:
        """Draw independent rows of each mixture.

        Parameters
        ----------
        n_samples : int, default=1
            How many of each.
        rng : numpy.random.Generator, int or None
            A generator goes on from where it is, so that each call draws afresh; an int seeds a new one.

        Returns
        -------
        X : ndarray of shape (n, n_samples, d)
        labels : ndarray of shape (n, n_samples)
            The component that each row came from.
        """
        check_number(n_samples)
        generator = np.random.default_rng(rng)
        labels = draw_labels(self.weights, n_samples, generator)
        X = np.empty((len(self), n_samples, self.n_features))
        algebra, natural = self.template.structure.algebra, self.template.natural
        for k in range(self.n_components):
            drawn = labels == k
            counts = drawn.sum(axis=1)
            places = np.flatnonzero(counts)
            located = self.observation.take(np.array([k])).locate(self.rows[places])[0]
            draws = generator.standard_normal((int(counts.sum()), algebra.n_draws(self.n_features)))
            X[drawn] = algebra.colour(draws, natural.root(k)) + np.repeat(located, counts[places], axis=0)
        return X, labels

    def cdf(self, x: npt.ArrayLike) -> Float64Array:
        """The probability that the one feature is at most x, in each mixture.

        Parameters
        ----------
        x : float, array of shape (n,) or array of shape (n, m)
            One number for all mixtures, one for each, or m for each.

        Returns
        -------
        ndarray of shape (n,) or (n, m)
            sum_k w_ik Phi((x_i - mu_ik) / sigma_k); exact to rounding where it is small.

        Raises
        ------
        ValueError
            If there are several features, or as many numbers as there are mixtures are not given.
        """
        self._refuse_several_features("cdf")
        points = read_numbers(x, "cdf: x", infinite=True)
        if points.ndim > 2 or (points.ndim and len(points) != len(self)):
            raise ValueError(
                f"cdf: x must be a number, or have the shape ({len(self)},) or ({len(self)}, m); got "
                f"{points.shape}"
            )
        flat = points.ndim < 2
        grid = np.broadcast_to(points, (len(self),))[:, None] if flat else points
        answers = self._ask_on_the_line(grid, _find_probabilities)
        return answers[:, 0] if flat else answers

    def quantile(self, q: npt.ArrayLike) -> Float64Array:
        """The point of the one feature below which a share q of each mixture lies.

        Parameters
        ----------
        q : float or array of shape (m,)
            Shares from 0 to 1, the same for all mixtures.

        Returns
        -------
        ndarray of shape (n,) or (n, m)
            Exact to rounding, also where q is small; minus infinity at 0 and infinity at 1.

        Raises
        ------
        ValueError
            If there are several features, or a share is not from 0 to 1.

        Examples
        --------
        >>> import gaussmix
        >>> mixture = gaussmix.Mixture([1.0], [[0.0, 0.0]], [[[1.0, 0.6], [0.6, 1.0]]])
        >>> mixture.condition({0: [0.0, 1.0]}).quantile([0.05, 0.95]).round(3).tolist()
        [[-1.316, 1.316], [-0.716, 1.916]]
        """
        self._refuse_several_features("quantile")
        shares = read_numbers(q, "quantile: q")
        if shares.ndim > 1 or (shares < 0.0).any() or (shares > 1.0).any():
            raise ValueError(
                f"quantile: q must be one share or a vector of shares, each from 0 to 1; got {q!r}"
            )
        grid = np.broadcast_to(np.atleast_1d(shares), (len(self), shares.size))
        answers = self._ask_on_the_line(grid, _find_points)
        return answers if shares.ndim else answers[:, 0]

    def mode(self) -> Float64Array:
        """A point of highest density of each mixture, shape (n, d).

        The ascent begins at the component's mean at which the density is highest, by Newton's method where
        that goes up and else by steps of EM. It ends at a mode that is no lower than the density at any
        mean; no more is promised where there are several.

        References
        ----------
        M. A. Carreira-Perpinan, Mode-finding for mixtures of Gaussian distributions, IEEE Trans. Pattern
        Anal. Mach. Intell. 22 (2000) 1318-1323.
        """
        peaks, modes = Peaks.of(self.template), np.empty((len(self), self.n_features))
        for part in step_over(len(self), peaks.size):
            means = np.swapaxes(self.observation.locate(self.rows[part]), 0, 1)
            modes[part] = peaks.find_highest(self.log_weights[part], means)
        return modes

    def _joint_steps(self, rows: Float64Array) -> Iterator[tuple[slice, Float64Array]]:
        """Slices of the mixtures, with log w_ik N(x_i | mu_ik, Sigma_k) of their rows, shape (b, k)."""
        density = observe_all(self.template)
        for part, located, _ in self._steps():
            squares = density.measure(rows[part] - located)
            yield part, self.log_weights[part] + (density.log_peaks[:, None] - 0.5 * squares).T

    def _read_rows(self, X: npt.ArrayLike) -> Float64Array:
        """One row a mixture."""
        rows = np.asarray(read_rows(X, self.n_features, names=self.feature_names)[0], dtype=np.float64)
        if len(rows) != len(self):
            raise ValueError(
                f"X must have one row for each of {len(self)} mixtures, row i for mixture i; got {len(rows)}"
            )
        return rows

    def _refuse_several_features(self, operation: str) -> None:
        if self.n_features != 1:
            raise ValueError(
                f"{operation}: the mixtures must have one feature, and have {self.n_features}; take "
                "marginal(feature)"
            )

    def _ask_on_the_line(self, grid: Float64Array, ask: _Ask) -> Float64Array:
        """Answers about numbers, m for each mixture of one feature, shape (n, m)."""
        answers, m = np.empty(grid.shape), grid.shape[1]
        deviations = np.sqrt(self.variances[:, 0])
        for part in step_over(len(self), self.n_components * (1 + m)):
            located = self.observation.locate(self.rows[part])[:, :, 0].T
            log_weights = self.log_weights[part]
            for j in range(m):
                answers[part, j] = ask(grid[part, j], log_weights, located, deviations)
        return answers


def _find_probabilities(
    x: Float64Array, log_weights: Float64Array, means: Float64Array, deviations: Float64Array
) -> Float64Array:
    below = np.zeros(len(x), dtype=np.bool_)
    return np.asarray(np.exp(find_log_tails(x, log_weights, means, deviations, below)))


def _find_points(
    q: Float64Array, log_weights: Float64Array, means: Float64Array, deviations: Float64Array
) -> Float64Array:
    inside = (q > 0.0) & (q < 1.0)
    points = np.where(q > 0.0, np.inf, -np.inf)
    points[inside] = find_quantiles(q[inside], log_weights[inside], means[inside], deviations)
    return points


def draw_labels(weights: Float64Array, n_samples: int, generator: np.random.Generator) -> IntArray:
    """Components drawn by the weights of each row, shape (n, k); shape (n, n_samples)."""
    uniform = generator.random((len(weights), n_samples))
    labels = np.empty(uniform.shape, dtype=np.int64)
    for part in step_over(len(weights), n_samples * weights.shape[1]):
        borders = np.cumsum(weights[part], axis=1)
        borders = borders[:, :-1] / borders[:, -1:]
        labels[part] = (uniform[part, :, None] >= borders[:, None]).sum(axis=2)
    return labels


def _average(values: Float64Array, weights: Float64Array) -> Float64Array:
    """sum_k w_bk v_kb of vectors, shape (k, b, d), by weights, shape (b, k)."""
    return np.asarray((weights[:, None] @ np.swapaxes(values, 0, 1))[:, 0])
