"""Optimal transport between mixtures by way of their components: distance, plan, map and interpolation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix._reading.rows import read_rows
from gaussmix._typing import Float64Array
from gaussmix.model.comparison.gaussians import make_mixture
from gaussmix.model.comparison.pair import read_mixtures
from gaussmix.model.comparison.plans import find_plan
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.pairs.couplings import find_halves, measure_transport, turn_halves
from gaussmix.model.mixture.pairs.divergences import are_diagonal


@dataclass(frozen=True, eq=False)
class MixtureTransport:
    """How the components of one mixture become those of another at the least cost.

    Parameters
    ----------
    source, target : Mixture
    distance : float
        MW2, in the unit of the features.
    plan : ndarray of shape (k, l)
        The weight that each component of the source gives to each of the target.

    References
    ----------
    J. Delon and A. Desolneux, A Wasserstein-type distance in the space of Gaussian mixture models, SIAM J.
    Imaging Sci. 13 (2020) 936-970.

    Examples
    --------
    >>> import gaussmix
    >>> p = gaussmix.Mixture([0.5, 0.5], [[0.0], [4.0]], [1.0, 1.0], "spherical")
    >>> q = gaussmix.Mixture([0.5, 0.5], [[1.0], [5.0]], [1.0, 4.0], "spherical")
    >>> transport = gaussmix.mixture_wasserstein(p, q)
    >>> transport.plan.tolist()
    [[0.5, 0.0], [0.0, 0.5]]
    >>> transport.interpolate(0.5).means.round(9).tolist()
    [[0.5], [4.5]]
    """

    source: Mixture
    target: Mixture
    distance: float
    plan: Float64Array

    def __post_init__(self) -> None:
        self.plan.setflags(write=False)

    def __repr__(self) -> str:
        k, n = self.plan.shape
        return f"MixtureTransport({k} to {n} components, distance={self.distance:.6g})"

    def map(self, X: npt.ArrayLike) -> Float64Array:
        """Where the mass at each row of X, shape (n, d), goes on average.

        The map of component a to b is the optimal one between two Gaussians, T_ab; with r the
        responsibilities of the source and u the plan::

            T(x) = sum_a r_a(x) sum_b u_ab / p_a T_ab(x)

        Rows of the source become rows of nearly the target's distribution: exactly so where components are
        apart and each goes to one.

        Returns
        -------
        ndarray of shape (n, d)
        """
        source, target = self.source, self.target
        rows, _ = read_rows(X, source.n_features, names=source.feature_names)
        shares = np.asarray(source.responsibilities(rows), dtype=np.float64)
        ours, theirs = find_halves(source), find_halves(target)
        moved = np.zeros(rows.shape)
        for a in np.flatnonzero(source.weights > 0.0):
            partners = np.flatnonzero(self.plan[a])
            weights = self.plan[a, partners] / self.plan[a].sum()
            turned = np.tensordot(weights, turn_halves(theirs[partners], ours[a]), axes=1)
            white = np.linalg.solve(ours[a], (rows - source.means[a]).T).T
            moved += shares[:, a, None] * (weights @ target.means[partners] + white @ turned.T)
        return moved

    def interpolate(self, t: float) -> Mixture:
        """The mixture on the way, at t from 0 (the source) to 1 (the target).

        Each pair of the plan is one Gaussian on the geodesic between its two: with covariances L L' and
        H H', and U as for the optimal map, its mean is (1 - t) m + t m' and its covariance B B',
        B = (1 - t) L + t H U. The distance from the source is t times that of the target.

        Parameters
        ----------
        t : float

        Returns
        -------
        Mixture
            Of at most k + l - 1 components; of the family "diag" where both are of diagonals, else "full".

        Raises
        ------
        ValueError
            If t is not from 0 to 1.
        """
        _check_share(t)
        a, b = np.nonzero(self.plan)
        source, target = self.source, self.target
        means = (1.0 - t) * source.means[a] + t * target.means[b]
        if are_diagonal(source, target):
            ours, theirs = np.sqrt(source.variances)[a], np.sqrt(target.variances)[b]
        else:
            ours, theirs = find_halves(source)[a], find_halves(target)[b]
            theirs = np.stack([turn_halves(half, own) for half, own in zip(theirs, ours, strict=True)])
        names = source.feature_names or target.feature_names
        return make_mixture(self.plan[a, b], means, (1.0 - t) * ours + t * theirs, names)


def mixture_wasserstein(p: Any, q: Any) -> MixtureTransport:
    """The Wasserstein distance of Gaussian mixtures, MW2, with its plan and map.

    It is the least cost of transport in which each component is moved as a whole::

        MW2^2 = min_u sum_ab u_ab W2^2(f_a, g_b)        sum_b u_ab = p_a, sum_a u_ab = q_b
        W2^2(f, g) = |m - m'|^2 + tr(C + C' - 2 (C^1/2 C' C^1/2)^1/2)

    a metric on mixtures, and no less than the Wasserstein distance between their densities. It is in the unit
    of the features: scale them first where their units differ.

    Parameters
    ----------
    p, q : Mixture, FitResult, SearchResult or fitted GaussianMixture
        Of the same features, without noise; of any families and numbers of components. A plan of 400 by 400
        components takes a second or two.

    Returns
    -------
    MixtureTransport

    Raises
    ------
    ValueError
        If there is noise or features differ.

    References
    ----------
    J. Delon and A. Desolneux, A Wasserstein-type distance in the space of Gaussian mixture models, SIAM J.
    Imaging Sci. 13 (2020) 936-970.

    Examples
    --------
    >>> import gaussmix
    >>> p = gaussmix.Mixture([0.5, 0.5], [[0.0], [4.0]], [1.0, 1.0], "spherical")
    >>> q = gaussmix.Mixture([1.0], [[2.0]], [1.0], "spherical")
    >>> print(f"{gaussmix.mixture_wasserstein(p, q).distance:.6f}")
    2.000000
    >>> gaussmix.mixture_wasserstein(p, q).map([[0.0], [4.0]]).round(2).ravel().tolist()
    [2.0, 2.0]
    """
    source, target = read_mixtures((p, q), ("p", "q"))
    costs = measure_transport(source, target)
    plan = plan_transport(source, target, costs)
    return MixtureTransport(source, target, float(np.sqrt((plan * costs).sum())), plan)


def plan_transport(source: Mixture, target: Mixture, costs: Float64Array) -> Float64Array:
    """The plan of least cost, shape (k, l); components of no weight take no part."""
    ours, theirs = (np.flatnonzero(each.weights > 0.0) for each in (source, target))
    margins = [each.weights[kept] / each.weights.sum() for each, kept in ((source, ours), (target, theirs))]
    plan = np.zeros(costs.shape)
    plan[np.ix_(ours, theirs)] = find_plan(costs[np.ix_(ours, theirs)], margins)
    return plan


def _check_share(t: Any) -> None:
    if not isinstance(t, int | float | np.number) or not 0.0 <= float(t) <= 1.0:
        raise ValueError(f"t must be a number from 0, the source, to 1, the target; got {t!r}")
