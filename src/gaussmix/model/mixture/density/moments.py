"""Moments of every order, by Isserlis's theorem: of each feature, and of products of features."""

from __future__ import annotations

from typing import Any

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.mixture.properties import MixtureProperties

#: Products of lower order that the moment of a product may go through.
MOST_TERMS = 10_000


def find_standard_moment(mixture: MixtureProperties, order: int) -> Float64Array:
    """E ((x_j - m_j) / s_j)^order of each feature, shape (d,)."""
    spread = np.sqrt(mixture.total_variances)
    apart = (mixture.means - mixture.mean) / spread
    return np.asarray(mixture.shares @ _find_powers(apart, mixture.variances / spread**2, order))


def find_moment(mixture: MixtureProperties, order: Any, *, central: bool) -> Any:
    """E x_j^order of each feature, shape (d,), or E prod_j x_j^order_j; about the mean if central."""
    orders = np.asarray(order)
    d = mixture.n_features
    if orders.dtype.kind not in "iu" or (orders < 0).any() or orders.shape not in ((), (d,)):
        raise ValueError(
            f"order must be a whole number from 0 on, or {d} of them, one a feature; got {order!r}"
        )
    n_terms = float(np.prod(orders + 1.0))
    if n_terms > MOST_TERMS:
        raise ValueError(
            f"the moment of order {order!r} has {n_terms:.6g} terms, more than {MOST_TERMS}; take a lower "
            "order"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        moment = _find_moment(mixture, orders, central=central)
    if not np.isfinite(moment).all():
        raise ValueError(
            f"the moment of order {order!r} is too large for floating-point numbers; take a lower order, or "
            "another unit of the features"
        )
    return moment


def _find_moment(mixture: MixtureProperties, orders: IntArray, *, central: bool) -> Any:
    means = mixture.means - mixture.mean if central else mixture.means
    if orders.ndim == 0:
        return np.asarray(mixture.shares @ _find_powers(means, mixture.variances, int(orders)))
    features = np.flatnonzero(orders)
    k, d = mixture.means.shape
    dense = mixture.structure.algebra.to_dense(mixture.covariance_stack, k, d)
    covariances = dense[:, features[:, None], features]
    return float(
        mixture.shares @ _find_product(means[:, features], covariances, tuple(orders[features].tolist()))
    )


def _find_powers(means: Float64Array, variances: Float64Array, order: int) -> Float64Array:
    """E x^n of normal variables: E x^n = mu E x^(n-1) + (n - 1) s^2 E x^(n-2)."""
    before, here = np.zeros(means.shape), np.ones(means.shape)
    for n in range(1, order + 1):
        before, here = here, means * here + (n - 1) * variances * before
    return here


def _find_product(means: Float64Array, covariances: Float64Array, order: tuple[int, ...]) -> Float64Array:
    """E prod_j x_j^o_j of Gaussians (k, r), shape (k,).

    E x_i f(x) = mu_i E f(x) + sum_j C_ij E df/dx_j, with f the product of one x_i less: Stein's lemma.
    """
    found = {(0,) * len(order): np.ones(len(means))}
    for index in np.ndindex(*(each + 1 for each in order)):
        if not any(index):
            continue
        i = next(place for place, power in enumerate(index) if power)
        less = _lower(index, i)
        total = means[:, i] * found[less]
        for j, power in enumerate(less):
            if power:
                total = total + power * covariances[:, i, j] * found[_lower(less, j)]
        found[index] = total
    return found[order]


def _lower(index: tuple[int, ...], place: int) -> tuple[int, ...]:
    """An index with one less at a place."""
    return (*index[:place], index[place] - 1, *index[place + 1 :])
