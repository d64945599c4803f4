"""Components taken and put in order: that of a reported fit, which no rounding decides."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.mixture import Mixture

#: Numbers nearer than this are equal: means in spreads of the mixture, weights, logarithms of variances.
EQUAL = 1e-6


def find_stable_order(mixture: Mixture) -> IntArray:
    """Components by their means, the first feature first.

    Those of equal means come by their weights, the largest first, and then by their variances.

    Numbers within a millionth of each other, in spreads of the mixture, are equal, and so are those between
    which such steps lead, so that what two machines find in their last digits makes no difference.
    """
    weights = mixture.weights / (mixture.weights.sum() or 1.0)  # all may have gone to the noise
    variances = mixture.variances
    apart = mixture.means - weights @ mixture.means
    spread = np.sqrt(weights @ (variances + apart * apart))
    spread[spread == 0.0] = 1.0
    keys = np.concatenate([apart / spread, -weights[:, None], np.log(variances)], axis=1)
    return np.array(list(_order_by_keys(np.arange(len(keys)), keys)))


def take_components(mixture: Mixture, components: IntArray, weights: Float64Array | None = None) -> Mixture:
    """Some components of a mixture, in this order, with their own weights or others."""
    structure = mixture.structure
    return mixture.replace(
        weights=mixture.weights[components] if weights is None else weights,
        means=mixture.means[components],
        covariance_stack=structure.select(mixture.covariance_stack, components),
        roots=structure.select(mixture.roots, components),
    )


def _order_by_keys(components: IntArray, keys: Float64Array) -> Iterator[int]:
    """The components by the first key, groups of equal ones by the next."""
    if len(components) == 1 or not keys.shape[1]:
        yield from (int(component) for component in components)
        return
    first = keys[components, 0]
    order = np.argsort(first, kind="stable")
    borders = np.flatnonzero(np.diff(first[order]) > EQUAL) + 1
    for group in np.split(components[order], borders):
        yield from _order_by_keys(np.sort(group), keys[:, 1:])
