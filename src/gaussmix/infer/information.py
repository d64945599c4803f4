"""The information of rows about the parameters of a mixture, and what it says of their errors.

With r_ik the responsibilities, s_ik the score (the derivative of log w_k N(x_i | k) by the parameters) and
s_i = sum_k r_ik s_ik that of log p(x_i), Louis (1982) has the observed information as what rows with known
components would say, less what it costs that these are not known::

    I  =  - d^2 Q  -  sum_i (sum_k r_ik s_ik s_ik' - s_i s_i')

Q is the likelihood of rows whose memberships are the r_ik, a function of their moments. Scores are linear in
features of the rows, s_ik = G_k' t(y_ik), here with y = U_k'(x - m_k) and t(y) = (1, y, q(y)). So both sums
are matrices of products of features, G_k' (sum_i r_ik r_il t_ik t_il') G_l, from one pass over the rows. The
coordinates of the covariances are those of :mod:`gaussmix.model.covariance.parametrisation`; where they bend,
so does Q.

References
----------
T. A. Louis, Finding the observed information matrix when using the EM algorithm, J. R. Stat. Soc. B 44 (1982)
226-233.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gaussmix import _threads
from gaussmix._typing import Float64Array
from gaussmix.data.rows import Rows
from gaussmix.model.covariance.parametrisation import Parametrisation, make_contrasts
from gaussmix.model.mixture import Mixture
from gaussmix.model.moments.blocks import Block

#: Numbers of features and responsibilities, k F b, that a chunk of rows has at a time.
CHUNK_NUMBERS = 2_000_000
#: Sums of products that exist at a time.
MAX_TASKS = 4


@dataclass(frozen=True, eq=False)
class Products:
    """Sums over the rows of products of the features t_ik = (1, y, q(y)), y = U_k'(x_i - m_k).

    The noise, if there is any, has the last row and column of `crossed`, and one feature, which is constant.
    """

    #: sum_i w_i r_ik t_ik t_ik', shape (k, F, F).
    own: Float64Array
    #: sum_i w_i r_ik r_il t_ik t_il', shape (k F, k F), or one more with noise.
    crossed: Float64Array
    #: sum_i w_i r_i0.
    noise: float = 0.0

    @classmethod
    def of(cls, rows: Rows, mixture: Mixture) -> Products:
        """Those of rows in the coordinates of the mixture."""
        k, d = mixture.means.shape
        block = mixture.structure.algebra.block
        F, extra = 1 + d + block.n_features(d), mixture.noise is not None
        chunk = max(1, CHUNK_NUMBERS // (k * F))
        slices = list(rows.cut(chunk))
        n_tasks = min(MAX_TASKS, len(slices))

        def task(i: int) -> tuple[Float64Array, Float64Array, float]:
            own, crossed, noise = np.zeros((k, F, F)), np.zeros((k * F + extra,) * 2), 0.0
            for part in slices[i * len(slices) // n_tasks : (i + 1) * len(slices) // n_tasks]:
                noise += _add_products(rows, part, mixture, block, own, crossed)
            return own, crossed, noise

        parts = _threads.run_tasks(task, n_tasks)
        own, crossed, noise = parts[0]
        for more in parts[1:]:
            own, crossed, noise = own + more[0], crossed + more[1], noise + more[2]
        return cls(own, crossed, noise)


def _add_products(
    rows: Rows, part: slice, mixture: Mixture, block: Block, own: Float64Array, crossed: Float64Array
) -> float:
    """Add the products of some rows; returns the weight of those that are noise."""
    k = mixture.n_components
    X = np.asarray(rows.values[part], dtype=np.float64)
    weights = None if rows.weights is None else rows.weights[part]
    roots = 1.0 if weights is None else np.sqrt(weights)
    R = np.asarray(mixture.responsibilities(X), dtype=np.float64).T
    RT = np.empty((len(crossed), len(X)))
    for component in range(k):
        vectors = X - mixture.means[component]
        Y = mixture.structure.algebra.whiten(_take_root(mixture, component), vectors).T
        T = np.empty((own.shape[1], len(X)))
        block.fill(T, np.ascontiguousarray(Y))
        T *= roots
        RT[component * len(T) : (component + 1) * len(T)] = T * R[component]
        T *= np.sqrt(R[component])
        own[component] += T @ T.T  # of a matrix and its own transpose BLAS computes a half
    if len(R) > k:
        RT[-1] = R[-1] * roots
    crossed += RT @ RT.T
    if len(R) == k:
        return 0.0
    return float(R[-1].sum() if weights is None else R[-1] @ weights)


def _take_root(mixture: Mixture, component: int) -> Float64Array:
    """The root of one component, as a stack of one."""
    place = 0 if mixture.structure.shared else component
    return mixture.roots[place : place + 1]


@dataclass(frozen=True, eq=False)
class Information:
    """The information about weights, along contrasts, means, and coordinates of the covariances."""

    mixture: Mixture
    products: Products
    parametrisation: Parametrisation

    @classmethod
    def of(cls, rows: Rows, mixture: Mixture) -> Information:
        """That of rows about a mixture; ValueError where its family has no coordinates."""
        coordinates = mixture.structure.parametrise(mixture.covariance_stack)
        return cls(mixture, Products.of(rows, mixture), coordinates)

    @cached_property
    def contrasts(self) -> Float64Array:
        """The coordinates of the weights, shape (k, k - 1); with noise, whose row is the last, (k + 1, k)."""
        return make_contrasts(self.mixture.n_components + (self.mixture.noise is not None))

    @cached_property
    def tangents(self) -> Float64Array:
        """How the covariance of each component moves with each coordinate, shape (p, k, ...)."""
        found, k = self.parametrisation.tangents, self.mixture.n_components
        return np.broadcast_to(found, (len(found), k, *found.shape[2:]))

    @cached_property
    def _whitened(self) -> Float64Array:
        """U_k' (dC_k) U_k for each coordinate, shape (p, k, ...)."""
        roots = self.mixture.roots
        if self.tangents.ndim == 4:
            return np.asarray(np.swapaxes(roots, 1, 2) @ self.tangents @ roots)
        return np.asarray(self.tangents * roots * roots)

    @cached_property
    def scores(self) -> Float64Array:
        """G_k, shape (k, F, P): s_ik = G_k' t_ik for all P parameters; P is k - 1 + k d + p."""
        mixture, W = self.mixture, self._whitened
        (k, d), block, p = mixture.means.shape, mixture.structure.algebra.block, len(W)
        first = self.contrasts.shape[1]
        G = np.zeros((k, 1 + d + block.n_features(d), first + k * d + p))
        G[:, 0, :first] = self.contrasts[:k] / mixture.weights[:, None]
        for component in range(k):
            own = slice(first + component * d, first + (component + 1) * d)
            # the columns of U', since U y = sum_c y_c U_c
            G[component, 1 : 1 + d, own] = mixture.structure.algebra.unwhiten(
                _take_root(mixture, component), np.eye(d)
            )
            G[component, 0, first + k * d :] = -0.5 * self._trace(W[:, component])
            G[component, 1 + d :, first + k * d :] = -block.coefficients(W[:, component]).T
        return G

    def _trace(self, stack: Float64Array) -> Float64Array:
        """The traces of a stack of matrices, diagonals or scalars in d dimensions."""
        if stack.ndim == 3:
            return np.asarray(np.trace(stack, axis1=1, axis2=2))
        return stack.sum(axis=1) if stack.ndim == 2 else self.mixture.n_features * stack

    @cached_property
    def _noise_scores(self) -> Float64Array | None:
        """The score of the noise, shape (1, P), for its one feature."""
        noise = self.mixture.noise
        if noise is None:
            return None
        G = np.zeros((1, self.scores.shape[2]))
        G[0, : self.contrasts.shape[1]] = self.contrasts[-1] / noise.weight
        return G

    @cached_property
    def gradient(self) -> Float64Array:
        """The derivative of the log-likelihood by all parameters, shape (P,); zero at an optimum."""
        found = np.einsum("kfp,kf->p", self.scores, self.products.own[:, 0])
        if self._noise_scores is not None:
            found = found + self.products.noise * self._noise_scores[0]
        return np.asarray(found)

    @cached_property
    def empirical(self) -> Float64Array:
        """sum_i w_i s_i s_i', shape (P, P)."""
        G = self.scores.reshape(-1, self.scores.shape[2])
        if self._noise_scores is not None:
            G = np.concatenate([G, self._noise_scores])
        return np.asarray(G.T @ self.products.crossed @ G)

    @cached_property
    def observed(self) -> Float64Array:
        """Minus the second derivative of the log-likelihood, shape (P, P), by Louis' formula."""
        known = (np.swapaxes(self.scores, 1, 2) @ self.products.own @ self.scores).sum(axis=0)
        if self._noise_scores is not None:
            known = known + self.products.noise * self._noise_scores.T @ self._noise_scores
        return np.asarray(self._complete - known + self.empirical)

    @cached_property
    def _complete(self) -> Float64Array:
        """-d^2 Q: the information of rows with these memberships."""
        mixture, own, W = self.mixture, self.products.own, self._whitened
        (k, d), first, P = mixture.means.shape, self.contrasts.shape[1], self.scores.shape[2]
        counts, shifts, rest = own[:, 0, 0], own[:, 0, 1 : 1 + d], slice(first + k * d, P)
        found = np.zeros((P, P))
        masses, weights = counts, mixture.weights
        if mixture.noise is not None:
            masses = np.append(masses, self.products.noise)
            weights = np.append(weights, mixture.noise.weight)
        found[:first, :first] = (self.contrasts.T * (masses / weights**2)) @ self.contrasts
        gradients = []
        for component in range(k):
            means = slice(first + component * d, first + (component + 1) * d)
            U = mixture.structure.algebra.unwhiten(_take_root(mixture, component), np.eye(d)).T
            found[means, means] = counts[component] * U @ U.T
            # U W (sum_i r y): how the pull on a mean changes with its covariance
            pulled = _multiply(W[:, component], shifts[component]) @ U.T
            found[means, rest] += pulled.T
            found[rest, means] += pulled
            second = mixture.structure.algebra.block.unpack(own[component, :1, 1 + d :], d)[0]
            found[rest, rest] += self._curve(W[:, component], second, float(counts[component]))
            gradients.append(self._pull_back(second, float(counts[component]), U))
        gradient = np.array(gradients)
        if mixture.structure.shared:
            gradient = gradient.sum(axis=0, keepdims=True)
        found[rest, rest] -= self.parametrisation.bend(gradient)
        return found

    def _curve(self, W: Float64Array, second: Float64Array, count: float) -> Float64Array:
        """tr(W W* A) - n tr(W W*) / 2 for all pairs of coordinates, with A = sum_i r_i y y'."""
        p, d = len(W), self.mixture.n_features
        if W.ndim == 3:
            flat = W.reshape(p, -1)
            twisted = (second @ W).reshape(p, -1) @ np.swapaxes(W, 1, 2).reshape(p, -1).T
            return np.asarray(0.5 * (twisted + twisted.T) - 0.5 * count * flat @ flat.T)
        flat = W.reshape(p, -1)
        size = 1.0 if W.ndim == 2 else float(d)
        return np.asarray((flat * (second - 0.5 * count * size)) @ flat.T)

    def _pull_back(self, second: Float64Array, count: float, U: Float64Array) -> Float64Array:
        """The derivative of Q by the covariance, U (A - n) U' / 2, in the shape of one covariance."""
        if second.ndim == 2:
            return np.asarray(0.5 * U @ (second - count * np.eye(len(U))) @ U.T)
        roots = np.diagonal(U)
        if second.ndim == 1:
            return np.asarray(0.5 * roots**2 * (second - count))
        return np.asarray(0.5 * roots[0] ** 2 * (second - count * len(U)))


def _multiply(W: Float64Array, vector: Float64Array) -> Float64Array:
    """W v for a stack of matrices, diagonals or scalars, shape (p, d)."""
    if W.ndim == 3:
        return np.asarray(W @ vector)
    return np.asarray(W * vector if W.ndim == 2 else W[:, None] * vector)
