"""Barycentres of mixtures in the Wasserstein distance of their components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix import _check
from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.comparison.gaussians import make_mixture
from gaussmix.model.comparison.pair import drop_empty, read_mixtures
from gaussmix.model.comparison.plans import find_plan
from gaussmix.model.comparison.transport import plan_transport
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.pairs.couplings import find_halves, measure_transport, turn_halves
from gaussmix.model.mixture.pairs.divergences import are_diagonal
from gaussmix.model.mixture.parts import read_several

#: Tuples of components, one of each mixture, among which the exact barycentre is found.
MOST_TUPLES = 20_000
#: Relative change of square roots at which the barycentre of Gaussians is found, and steps at most.
TOLERANCE, MOST_STEPS = 1e-12, 200
#: Steps of a barycentre of given size at most, and the relative fall of its cost at which they end.
MOST_MOVES, LEAST_FALL = 100, 1e-9


def mixture_barycentre(
    mixtures: Sequence[Any], weights: npt.ArrayLike | None = None, *, n_components: int | None = None
) -> Mixture:
    """The mixture of least mean squared distance MW2 to some mixtures.

    It is argmin_m sum_j s_j MW2^2(m, p_j), with MW2 as :func:`mixture_wasserstein` has it. Each of its
    components is the barycentre of one component of each mixture.

    Parameters
    ----------
    mixtures : sequence of Mixture, FitResult, SearchResult or fitted GaussianMixture
        Of the same features, without noise; of any families.
    weights : array-like of shape (m,), optional
        s_j, not negative, summing to one; equal by default.
    n_components : int, optional
        Without it the barycentre is exact: it solves a linear programme of all k_1 k_2 ... k_m tuples of
        components, of which there may be 20,000. With it, the barycentre has as many components: their
        weights are those of a reduction of all components together, and their places improve in turns with
        plans to each mixture, up to a local optimum.

    Returns
    -------
    Mixture
        Of k_1 + ... + k_m - m + 1 components at most, unless their number is given; of the family "diag"
        where all are of diagonals, else "full".

    Raises
    ------
    ValueError
        If there is noise, features differ, weights make no sense, or there are too many tuples.

    References
    ----------
    J. Delon and A. Desolneux, A Wasserstein-type distance in the space of Gaussian mixture models, SIAM J.
    Imaging Sci. 13 (2020) 936-970.
    P. C. Alvarez-Esteban, E. del Barrio, J. A. Cuesta-Albertos and C. Matran, A fixed-point approach to
    barycenters in Wasserstein space, J. Math. Anal. Appl. 441 (2016) 744-762.
    M. Cuturi and A. Doucet, Fast computation of Wasserstein barycenters, ICML 2014, 685-693.

    Examples
    --------
    >>> import gaussmix
    >>> mixtures = [
    ...     gaussmix.Mixture([0.5, 0.5], [[0.0 + shift], [9.0 - shift]], [width, width], "spherical")
    ...     for shift, width in ((0.0, 1.0), (1.0, 4.0), (2.0, 9.0))
    ... ]
    >>> middle = gaussmix.mixture_barycentre(mixtures)
    >>> middle.means.round(6).tolist(), middle.covariances.round(6).tolist()
    ([[1.0], [8.0]], [[4.0], [4.0]])
    """
    several = read_several(mixtures, "mixtures")
    read = read_mixtures(several, [f"mixtures[{j}]" for j in range(len(several))])
    shares = np.full(len(read), 1.0 / len(read)) if weights is None else _read_shares(weights, len(read))
    kept = [(drop_empty(each), share) for each, share in zip(read, shares, strict=True) if share > 0.0]
    parts, shares = [each for each, _ in kept], np.array([share for _, share in kept])
    if n_components is not None:
        return _improve(Mixture.mix(parts, shares).reduce(n_components), parts, shares)
    return _find_exact(parts, shares)


def _read_shares(weights: npt.ArrayLike, m: int) -> Float64Array:
    shares = _check.read_weights(weights, m)
    return np.asarray(shares / shares.sum())


def _find_exact(mixtures: list[Mixture], shares: Float64Array) -> Mixture:
    """By the linear programme of all tuples of components."""
    sizes = [each.n_components for each in mixtures]
    n_tuples = int(np.prod(sizes, dtype=object))
    if n_tuples > MOST_TUPLES:
        raise ValueError(
            f"the exact barycentre goes over all combinations of components, here {n_tuples}, of which "
            f"{MOST_TUPLES} are possible; give n_components, or reduce the mixtures first"
        )
    tuples = np.stack(np.unravel_index(np.arange(n_tuples), sizes), axis=1)
    means, halves, costs = _find_middles(mixtures, shares, tuples)
    margins = [each.weights / each.weights.sum() for each in mixtures]
    plan = find_plan(costs.reshape(sizes), margins).ravel()
    taken = np.flatnonzero(plan)
    return make_mixture(plan[taken], means[taken], halves[taken], _find_names(mixtures))


def _find_middles(
    mixtures: list[Mixture], shares: Float64Array, tuples: IntArray
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Means and halves of the barycentre of each tuple of components, shape (t, m), and its cost."""
    diagonal = are_diagonal(*mixtures)
    means = np.stack([each.means[tuples[:, j]] for j, each in enumerate(mixtures)], axis=1)
    halves = np.stack(
        [
            (np.sqrt(each.variances) if diagonal else find_halves(each))[tuples[:, j]]
            for j, each in enumerate(mixtures)
        ],
        axis=1,
    )
    weights = np.broadcast_to(shares, tuples.shape)
    middles = np.einsum("tm,tmd->td", weights, means)
    found = np.einsum("tm,tmd->td", weights, halves) if diagonal else find_middle_halves(halves, weights)
    turned = halves if diagonal else turn_halves(halves, found[:, None])
    apart = ((means - middles[:, None]) ** 2).sum(axis=2)
    wide = ((turned - found[:, None]) ** 2).reshape(*tuples.shape, -1).sum(axis=2)
    return middles, found, np.asarray((weights * (apart + wide)).sum(axis=1))


def find_middle_halves(halves: Float64Array, weights: Float64Array) -> Float64Array:
    """Halves B of the barycentres of centred Gaussians, shape (t, d, d).

    With halves L_j, shape (t, m, d, d), and weights s_j, (t, m), B is where B = sum_j s_j L_j U_j, U_j the
    orthogonal matrix that brings L_j nearest to B: the fixed point of Alvarez-Esteban and others, in square
    roots.
    """
    middle = halves[np.arange(len(halves)), np.argmax(weights, axis=1)]
    for _ in range(MOST_STEPS):
        before = middle
        middle = np.einsum("tm,tmij->tij", weights, turn_halves(halves, before[:, None]))
        change = np.linalg.norm(middle - before, axis=(1, 2))
        if (change <= TOLERANCE * np.linalg.norm(middle, axis=(1, 2))).all():
            break
    return np.asarray(middle)


def _improve(middle: Mixture, mixtures: list[Mixture], shares: Float64Array) -> Mixture:
    """Plans from the barycentre to each mixture, and the components of the barycentre, in turns."""
    diagonal = are_diagonal(*mixtures)
    means = np.concatenate([each.means for each in mixtures])
    halves = np.concatenate([np.sqrt(m.variances) if diagonal else find_halves(m) for m in mixtures])
    cost = np.inf
    for _ in range(MOST_MOVES):
        costs = [measure_transport(middle, each) for each in mixtures]
        plans = [plan_transport(middle, each, own) for each, own in zip(mixtures, costs, strict=True)]
        before, cost = (
            cost,
            sum(s * float((u * c).sum()) for s, u, c in zip(shares, plans, costs, strict=True)),
        )
        if not cost < (1.0 - LEAST_FALL) * before:
            break
        given = np.concatenate([s * plan for s, plan in zip(shares, plans, strict=True)], axis=1)
        given /= given.sum(axis=1, keepdims=True)
        moved = []
        for row in given:
            own = np.flatnonzero(row)
            if diagonal:
                moved.append(row[own] @ halves[own])
            else:
                moved.append(find_middle_halves(halves[None, own], row[None, own])[0])
        middle = make_mixture(middle.weights, given @ means, np.stack(moved), middle.feature_names)
    return middle


def _find_names(mixtures: list[Mixture]) -> tuple[str, ...] | None:
    return next((each.feature_names for each in mixtures if each.feature_names), None)
