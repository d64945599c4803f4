r"""What each feature of a row contributes to how far the row lies from a Gaussian component, in nats.

Of a component with mean m and precision P, the log-density of a row z is below its greatest value by the
deficit

    D(z) = log N(m) - log N(z) = 1/2 (z - m)' P (z - m).

Two numbers a feature say where D comes from. With delta = z - m and g = P delta:

*Contributions*, 1/2 delta_j g_j. They are the Shapley values of the game in which a coalition S of features
has the row's values, and all others have the component's mean:

    v(S) = 1/2 sum_{i, j in S} delta_i P_ij delta_j.

v is a sum of terms that belong to one feature, 1/2 P_jj delta_j^2, or to a pair, delta_i P_ij delta_j. The
Shapley value of a sum is the sum of the Shapley values, and that of a term shared by two is half to each:

    phi_j = 1/2 P_jj delta_j^2 + 1/2 sum_{i != j} delta_i P_ij delta_j = 1/2 delta_j g_j.

No other rule divides every such game so that parts add up, features that do the same get the same, those that
do nothing get nothing, and the parts of a sum are sums. A contribution is negative where a feature makes up
for others.

*Drops*, 1/2 g_j^2 / P_jj. The density of feature j given all others is Gaussian, with variance 1 / P_jj and
mean z_j - g_j / P_jj. The log-density of z_j is below its greatest value by 1/2 P_jj (g_j / P_jj)^2. That is
also how much D falls when the feature gets the value that the others let expect.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.mixture import Mixture


@dataclass(frozen=True, eq=False)
class Attribution:
    """Contributions of d features to n rows, in the coordinates of a mixture.

    Parameters
    ----------
    components : ndarray of shape (n,)
        The Gaussian component of the largest responsibility for each row.
    contributions : ndarray of shape (n, d)
        In nats; a row of them sums to the deficit of that component.
    drops : ndarray of shape (n, d)
        In nats: how much each feature surprises, given all others.
    expected : ndarray of shape (n, d)
        The mean of each feature in that component, given all others.
    typical : ndarray of shape (n, d)
        The mean of each feature in that component.
    """

    components: IntArray
    contributions: Float64Array
    drops: Float64Array
    expected: Float64Array
    typical: Float64Array


def attribute_rows(mixture: Mixture, rows: Float64Array) -> Attribution:
    """What each feature contributes to how far rows, shape (n, d), lie from their components."""
    components = find_components(mixture, rows)
    typical: Float64Array = mixture.means[components]
    deviations = rows - typical
    gradients, variances = np.empty_like(deviations), np.empty_like(deviations)
    algebra = mixture.structure.algebra
    with np.errstate(over="ignore"):  # a row beyond all bounds is an anomaly, not an error
        for component in np.unique(components):
            places = components == component
            root = select_root(mixture, int(component))
            gradients[places] = algebra.unwhiten(root, algebra.whiten(root, deviations[places]))
            variances[places] = algebra.conditional_variances(root, mixture.n_features)
        offsets = gradients * variances
        return Attribution(
            components=components,
            contributions=0.5 * deviations * gradients,
            drops=0.5 * gradients * offsets,
            expected=rows - offsets,
            typical=typical,
        )


def find_components(mixture: Mixture, rows: Float64Array) -> IntArray:
    """The Gaussian of the largest responsibility for each row, shape (n,); never the noise."""
    if mixture.noise is not None:
        mixture = mixture.without_noise()
    components: IntArray = mixture.predict(rows)
    return components


def select_root(mixture: Mixture, component: int) -> Float64Array:
    """The root of one component, as a stack of length one."""
    return mixture.structure.select(mixture.roots, np.array([component]))
