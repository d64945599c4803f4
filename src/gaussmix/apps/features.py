"""Features of rows that a mixture gives: responsibilities, log-densities, distances, Fisher vectors.

A Fisher vector is the derivative of log p(x) by the parameters of the mixture, in coordinates in which these
are about equally well known. With r_k the responsibilities, y_k = U_k'(x - m_k) the row whitened by component
k, and q(y) the second-order features of the family (all products, squares, or their sum)::

    weights       (r_k - w_k) / sqrt(w_k)
    means         r_k y_k / sqrt(w_k)
    covariances   r_k (q(y_k) - E q) / sqrt(w_k Var q)         E and Var for a standard normal y

The information that whitens them is that of rows whose components are known. Where components share one
covariance, its derivative is the sum over k, and the sum of their weights stands in the place of w_k. What
else families share is left aside: each covariance counts as free within its algebra. That of a factor
analyser moves along the whitened features.

References
----------
F. Perronnin, J. Sanchez, T. Mensink, Improving the Fisher kernel for large-scale image classification, ECCV
2010, 143-156.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gaussmix import _threads
from gaussmix._typing import Float64Array, FloatArray
from gaussmix.model.mixture import Mixture

#: Numbers of the features of a chunk of rows.
CHUNK_NUMBERS = 1 << 20
#: Whitened features beyond these count as these, so that their squares are finite numbers of the same type.
FARTHEST = {np.dtype(np.float64): 1e100, np.dtype(np.float32): 1e15}


@dataclass(frozen=True)
class Kind:
    """A kind of features of rows."""

    #: From rows (n, d) to their features.
    make: Callable[[Mixture, FloatArray], FloatArray]
    #: The names of the features, from those of the columns.
    list_names: Callable[[Mixture, Sequence[str]], list[str]]


def make_features(mixture: Mixture, X: FloatArray, kind: str) -> FloatArray:
    """The features of rows (n, d), shape (n, number of features), of the type of the rows."""
    return KINDS[kind].make(mixture, X)


def list_feature_names(mixture: Mixture, kind: str, columns: Sequence[str]) -> list[str]:
    """The names of the features that columns of these names become."""
    return KINDS[kind].list_names(mixture, columns)


def normalize_features(features: FloatArray, power: float, norm: str | None) -> FloatArray:
    """Sign(z) abs(z)^power of each number, then rows of length one ("l2"); a row of zeros stays."""
    if power != 1.0:
        features = np.copysign(np.abs(features) ** features.dtype.type(power), features)
    if norm is None:
        return features
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(features / np.where(lengths > 0.0, lengths, 1.0).astype(features.dtype))


def _make_log_densities(mixture: Mixture, X: FloatArray) -> FloatArray:
    return mixture.component_log_prob(X)[:, : mixture.n_components]  # that of noise is a constant


def _make_distances(mixture: Mixture, X: FloatArray) -> FloatArray:
    return _fill_chunks(_fill_distances, mixture, X, mixture.n_components)


def _make_fisher(mixture: Mixture, X: FloatArray) -> FloatArray:
    return _fill_chunks(_fill_fisher, mixture, X, len(_name_fisher(mixture, [""] * mixture.n_features)))


def _fill_chunks(
    fill: Callable[[Mixture, FloatArray, FloatArray], None], mixture: Mixture, X: FloatArray, n_features: int
) -> FloatArray:
    """An array (n, n_features) that is filled chunk by chunk, of rows and their features."""
    features = np.empty((len(X), n_features), dtype=X.dtype)
    chunk = max(1, CHUNK_NUMBERS // max(n_features, mixture.n_features))
    starts = range(0, len(X), chunk)

    def task(i: int) -> None:
        part = slice(starts[i], starts[i] + chunk)
        fill(mixture, X[part], features[part])

    _threads.run_tasks(task, len(starts))
    return features


def _fill_distances(mixture: Mixture, X: FloatArray, features: FloatArray) -> None:
    for k in range(mixture.n_components):
        Y = _whiten(mixture, k, X)
        features[:, k] = np.sqrt(np.vecdot(Y, Y))


def _fill_fisher(mixture: Mixture, X: FloatArray, features: FloatArray) -> None:
    (k, d), block, shared = mixture.means.shape, mixture.structure.algebra.block, mixture.structure.shared
    R = np.asarray(mixture.responsibilities(X), dtype=np.float64)
    weights = _list_weights(mixture)
    precision = np.divide(1.0, np.sqrt(weights), out=np.zeros(len(weights)), where=weights > 0.0)
    n_weights, n_second = len(weights), block.n_features(d)
    features[:, :n_weights] = (R - weights) * precision
    means = features[:, n_weights : n_weights + k * d].reshape(len(X), k, d)
    second = features[:, n_weights + k * d :].reshape(len(X), -1, n_second)
    expected = np.asarray(block.pack(np.eye(d)), dtype=np.float64)
    scale = 1.0 / np.sqrt(block.variances(d))
    pooled = np.zeros((n_second, len(X)))
    for component in range(k):
        Y = np.ascontiguousarray(_whiten(mixture, component, X).T)
        R_k = R[:, component]
        means[:, component] = (Y * (R_k * precision[component])).T
        Q = np.empty((n_second, len(X)))
        block.fill_second(Q, Y)
        Q -= expected[:, None]
        Q *= R_k
        if shared:
            pooled += Q
        else:
            second[:, component] = Q.T * (scale * precision[component])
    if shared:
        second[:, 0] = pooled.T * (scale / np.sqrt(mixture.weights.sum()))


def _whiten(mixture: Mixture, component: int, X: FloatArray) -> Float64Array:
    """U_k'(x - m_k) for each row x, shape (b, d): its squared length is the Mahalanobis distance squared."""
    place = 0 if mixture.structure.shared else component
    vectors = np.asarray(X, dtype=np.float64) - mixture.means[component]
    whitened = mixture.structure.algebra.whiten(mixture.roots[place : place + 1], vectors)
    return np.clip(whitened, -FARTHEST[X.dtype], FARTHEST[X.dtype])


def _list_weights(mixture: Mixture) -> Float64Array:
    """The weights of the components and, last, of the noise if there is any."""
    return mixture.weights if mixture.noise is None else np.append(mixture.weights, mixture.noise.weight)


def _number(name: str, mixture: Mixture) -> list[str]:
    return [f"{name}{k}" for k in range(mixture.n_components)]


def _name_responsibilities(mixture: Mixture, columns: Sequence[str]) -> list[str]:
    noise = [] if mixture.noise is None else ["responsibility_noise"]
    return [*_number("responsibility", mixture), *noise]


def _name_fisher(mixture: Mixture, columns: Sequence[str]) -> list[str]:
    d, block = mixture.n_features, mixture.structure.algebra.block
    names = [*_number("weight", mixture), *([] if mixture.noise is None else ["weight_noise"])]
    names += [f"{name}_{column}" for name in _number("mean", mixture) for column in columns]
    shared = mixture.structure.shared
    for number in [""] if shared else map(str, range(mixture.n_components)):
        if block.n_features(d) < d:  # one variance of all features
            names.append(f"variance{number}")
            continue
        for place in block.pack(np.arange(d * d).reshape(d, d).astype(np.float64)).astype(int):
            one, other = columns[place // d], columns[place % d]
            same = place // d == place % d
            names.append(f"variance{number}_{one}" if same else f"covariance{number}_{other}_{one}")
    return names


#: Every kind by its name.
KINDS = {
    "responsibilities": Kind(Mixture.responsibilities, _name_responsibilities),
    "log-densities": Kind(_make_log_densities, lambda mixture, _: _number("log_density", mixture)),
    "distances": Kind(_make_distances, lambda mixture, _: _number("distance", mixture)),
    "fisher": Kind(_make_fisher, _name_fisher),
}
