"""A linear measurement of x with Gaussian noise: what it tells of x, and how probable it was.

    y = A x + b + e,    e ~ N(0, R)

Of matrices, by square roots, since differences of covariances lose what a sharp measurement tells. With
C = H H' the covariance of a component, N N' = R, and a QR decomposition::

    [ N'   0  ]       [ X'  Y' ]      X X' = A C A' + R     the covariance of y
    [ H'A' H' ]  = Q  [ 0   Z' ]      Y X^-1                the gain: x moves by Y X^-1 (y - A m - b)
                                      Z Z'                  the covariance of x, given y
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from gaussmix._reading.tables import find_table
from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.covariance.matrices import invert_lower
from gaussmix.model.mixture.algebra.batch import MixtureBatch
from gaussmix.model.mixture.algebra.families import (
    find_structure,
    refuse_noise,
    refuse_singular,
    replace_components,
)
from gaussmix.model.mixture.algebra.linear import LinearMap, Spread, factorise_spread, read_numbers
from gaussmix.model.mixture.algebra.observation import (
    DenseObservation,
    Observation,
    SeparateObservation,
    find_log_peaks,
    observe_apart,
    triangulate,
)
from gaussmix.model.mixture.parts import Parts

M = TypeVar("M", bound=Parts)
P = TypeVar("P")

#: What to do where R is singular.
REMEDY = ". Features that are known exactly are for condition; A x + b that is, for affine and condition"


@dataclass(frozen=True, eq=False)
class Posterior(Generic[P]):
    """What is known after a measurement, and how probable the measurement was.

    Attributes
    ----------
    mixture : Mixture or MixtureBatch
        The distribution given the measurement; a batch of n, where there were n measurements.
    log_evidence : float or ndarray of shape (n,)
        Log-density, in nats, of the measurement before it was made; of a product, the logarithm of its
        integral.
    """

    mixture: P
    log_evidence: float | Float64Array


def read_measurements(y: Any, m: int, operation: str) -> tuple[Float64Array, bool]:
    """Measurements of m numbers, shape (n, m), and whether they are a single one."""
    table = find_table(y, "y") is not None
    array = read_numbers(y, f"{operation}: y")
    if array.ndim == 0 and m == 1:
        array = array[None]
    if array.ndim not in (1, 2) or array.shape[-1] != m:
        hint = ". Reshape n numbers with y.reshape(-1, 1)" if m == 1 and array.ndim == 1 else ""
        raise ValueError(
            f"{operation}: y must have the shape ({m},) for one measurement, or (n, {m}) for n; got "
            f"{array.shape}{hint}"
        )
    return array.reshape(-1, m), array.ndim == 1 and not table


def update_linearly(
    mixture: M, map_: LinearMap, offset: Float64Array, spread: Spread, rows: Float64Array
) -> MixtureBatch[M]:
    """The mixtures given each row y, shape (n, m)."""
    operation = "linear_gaussian_update"
    refuse_noise(mixture, operation)
    root = factorise_spread(spread, f"{operation}: R", REMEDY)
    parts = mixture.structure.algebra.to_parts(mixture.covariance_stack, *mixture.means.shape)
    observation: Observation
    with refuse_singular(operation):
        if parts is None or map_.features is None or not spread.is_diagonal:
            template, observation = _update_matrices(mixture, map_.matrix, offset, root)
        else:
            template, observation = _update_parts(mixture, parts, map_, offset, spread)
    return MixtureBatch.of_observation(template, observation, rows, operation)


def _update_matrices(
    mixture: M, A: Float64Array, offset: Float64Array, root: Float64Array
) -> tuple[M, Observation]:
    """The mixture but for its weights and means, and what y says of these, by matrices."""
    structure, d = mixture.structure, mixture.n_features
    halves = structure.algebra.halves(mixture.roots, d)
    observation, upper = observe_densely(
        mixture.means @ A.T + offset, mixture.means, A @ halves, halves, root[None]
    )
    # inverses of sums of precisions with one matrix: shared where the covariances are, else each its own
    target = find_structure(structure.matrix_family, d, 0)
    template = replace_components(
        mixture,
        target,
        mixture.means,
        np.swapaxes(upper, 1, 2) @ upper,
        mixture.feature_names,
        "linear_gaussian_update",
        roots=np.swapaxes(invert_lower(np.swapaxes(upper, 1, 2)), 1, 2),
    )
    return template, observation


def observe_densely(
    expected: Float64Array,
    means: Float64Array,
    mapped: Float64Array,
    halves: Float64Array,
    noise: Float64Array,
) -> tuple[DenseObservation, Float64Array]:
    """What y = A x + e says of x, and Z', the transposed factor of the covariance of x that is left.

    Parameters
    ----------
    expected, means : ndarray of shape (k, m) and (k, d)
        Of y and of x.
    mapped, halves : ndarray of shape (K, m, s) and (K, d, s)
        A H and H.
    noise : ndarray of shape (K or 1, m, r)
        N with N N' the covariance of e.
    """
    K, m, s = mapped.shape
    d, r = halves.shape[1], noise.shape[2]
    array = np.zeros((K, r + s, m + d))
    array[:, :r, :m] = np.swapaxes(noise, 1, 2)
    array[:, r:, :m] = np.swapaxes(mapped, 1, 2)
    array[:, r:, m:] = np.swapaxes(halves, 1, 2)
    upper = triangulate(array)
    seen = upper[:, :m, :m]
    observation = DenseObservation(
        expected=expected,
        means=means,
        log_peaks=find_log_peaks(np.diagonal(seen, axis1=1, axis2=2), m),
        roots=np.swapaxes(invert_lower(np.swapaxes(seen, 1, 2)), 1, 2),
        gains=upper[:, :m, m:],
    )
    return observation, upper[:, m:, m:]


def _update_parts(
    mixture: M,
    parts: tuple[Float64Array, Float64Array],
    map_: LinearMap,
    offset: Float64Array,
    spread: Spread,
) -> tuple[M, Observation]:
    """The same of features that depend on one another through factors alone, each measured once by itself."""
    assert map_.features is not None
    d, structure = mixture.n_features, mixture.structure
    features, factors, noise = map_.features, map_.factors, spread.values
    uniform = len(features) == d and map_.group == "uniform" and spread.is_uniform
    target = find_structure(structure.find_updated_family(uniform=uniform), d, structure.n_factors)
    expected = mixture.means[:, features] * factors + offset
    observation, stack_parts = observe_features(
        expected, mixture.means, parts, features, factors, np.broadcast_to(noise, expected.shape)
    )
    stack = target.algebra.of_parts(*stack_parts)
    stack = stack[:1] if target.shared else stack
    names = mixture.feature_names
    template = replace_components(mixture, target, mixture.means, stack, names, "linear_gaussian_update")
    return template, observation


def observe_features(
    expected: Float64Array,
    means: Float64Array,
    parts: tuple[Float64Array, Float64Array],
    features: IntArray,
    factors: Float64Array,
    noise: Float64Array,
    others: Float64Array | None = None,
) -> tuple[SeparateObservation, tuple[Float64Array, Float64Array]]:
    """What y = a x_j + e says of x, each y of another feature j, and the parts of the covariance left.

    With psi the uniqueness of x_j, r the variance of e and s = a^2 psi + r, given the factors f::

        x_j = m_j + (r / s) l_j'f + (a psi / s) (y - a m_j) + N(0, psi r / s)

    Parameters
    ----------
    expected, means : ndarray of shape (k, m) and (k, d)
    parts : tuple of ndarray
        Loadings (k, d, q) and uniquenesses (k, d) of x.
    features, factors : ndarray of shape (m,)
    noise : ndarray of shape (k, m)
        The variances r.
    others : ndarray of shape (k, m, p), optional
        Loadings of e on factors of its own.
    """
    loadings, uniquenesses = parts
    (k, d), m = means.shape, len(features)
    own = uniquenesses[:, features]
    total = factors * factors * own + noise
    kept, gain = noise / total, factors * own / total
    seen, later, rest = factors[:, None] * loadings[:, features], loadings.copy(), uniquenesses.copy()
    later[:, features] *= kept[:, :, None]
    rest[:, features] *= kept
    if others is not None:
        own_later = np.zeros((k, d, others.shape[2]))
        own_later[:, features] = -gain[:, :, None] * others
        seen, later = np.concatenate([seen, others], axis=2), np.concatenate([later, own_later], axis=2)
    sources = np.zeros(d, dtype=np.int64)
    sources[features] = np.arange(m)
    direct = np.zeros((k, d))
    direct[:, features] = gain
    observation = observe_apart(expected, means, seen, total, later, direct, sources)
    return observation, (np.swapaxes(observation.gains, 1, 2), rest)
