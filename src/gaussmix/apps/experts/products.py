"""Weighted sums of products of features, for many sets of weights at once."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.mixture.algebra.observation import step_over
from gaussmix.model.moments.blocks import Vech

#: Features beyond which a product for each set of weights is faster than the features' products.
MANY = 40
VECH = Vech()


def sum_products(weights: Float64Array, columns: Float64Array) -> Float64Array:
    """sum_i w_ji t_i t_i' of columns t, shape (d, n), for each set of weights, (m, n); shape (m, d, d)."""
    d, n = columns.shape
    if d > MANY:
        return np.stack([(columns * each) @ columns.T for each in weights])
    size = VECH.n_features(d)
    packed = np.zeros((len(weights), size))
    for part in step_over(n, size + len(weights)):
        products = np.empty((size, part.stop - part.start))
        VECH.fill_second(products, columns[:, part])
        packed += weights[:, part] @ products.T
    return VECH.unpack(packed, d)
