"""Densities of normal rows, in coordinates in which columns have a common scale.

Anomalies may be far from everything, or they may form a cluster, which a mixture would take for a component
as good as any. What keeps them out, in order:

- the *core*: the 60 % of the rows nearest to a Gaussian that is fitted to 85 % by concentration (MCD).
  Components begin in it;
- *trimming*: no iteration takes notice of the 15 % of the rows of lowest density;
- *one shape*: all components share one covariance, so that a tight cluster has no density of its own making;
- *least weights*: a component of less than 0.7 of an equal share is taken for a cluster of anomalies;
- *members*: three such mixtures, of samples of the rows, are averaged.

Rows that are known to be clean have none of this. Their components have covariances of their own, shrunk
towards the common one as by a conjugate prior of 2 d rows.

References
----------
P. J. Rousseeuw and K. Van Driessen, A fast algorithm for the minimum covariance determinant estimator,
Technometrics 41 (1999) 212-223.
L. A. Garcia-Escudero, A. Gordaliza, C. Matran and A. Mayo-Iscar, A general trimming approach to robust
cluster analysis, Ann. Stat. 36 (2008) 1324-1345.
Z. He, X. Xu and S. Deng, Discovering cluster-based local outliers, Pattern Recognit. Lett. 24 (2003)
1641-1650.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import RandomState

from gaussmix._typing import Float64Array, IntArray
from gaussmix.apps.anomaly.core import (
    MAX_ITER,
    TOL,
    Core,
    choose_family,
    cluster_rows,
    concentrate,
    find_core,
)
from gaussmix.errors import FitError
from gaussmix.fit.one_mixture import fit_mixture
from gaussmix.fit.result import FitResult
from gaussmix.model.mixture import Mixture
from gaussmix.model.priors import NormalInverseWishart

#: The share of the rows that no iteration takes notice of.
TRIM = 0.15
#: What is added to variances, in squared units of the columns' scales.
RIDGE = 0.01
#: Numbers of components that are tried where anomalies may be among the rows.
NUMBERS = (1, 6)
#: The least weight of a component of normal rows, as a multiple of an equal share.
LEAST_SHARE = 0.7
#: Mixtures that are averaged, and rows that each is fitted to.
N_MEMBERS = 3
MEMBER_ROWS = 800
#: The same numbers for clean rows, and the rows that are fitted.
CLEAN_NUMBERS = (1, 16)
CLEAN_ROWS = 4_000
#: The rows by which the number is chosen, and the share of them that is not held out.
CHOICE_ROWS = 1_500
HELD_IN = 0.75
#: Rows that the common covariance counts as for a component's own, for each feature.
SHRINKAGE = 2.0
#: The fewest rows, of those that are kept, for each component, if there is to be more than one.
LEAST_ROWS = 20


@dataclass(frozen=True)
class DensityRequest:
    """What is asked of a density of normal rows; "auto" leaves it to be chosen."""

    n_components: int | str = "auto"
    covariance_type: str = "auto"
    trim: float | str = "auto"
    novelty: bool = False

    @property
    def share_left_out(self) -> float:
        """The share of the rows that no iteration takes notice of."""
        if isinstance(self.trim, str):
            return 0.0 if self.novelty else TRIM
        return float(self.trim)

    def count_components(self, weight: float, numbers: tuple[int, ...]) -> tuple[int, ...]:
        """The numbers of components to choose among, for rows of this weight."""
        if not isinstance(self.n_components, str):
            return (int(self.n_components),)
        most = max(1, int((1.0 - self.share_left_out) * weight / LEAST_ROWS + 1e-9))
        return tuple(dict.fromkeys(min(k, most) for k in numbers))


def fit_density(Z: Float64Array, weights: Float64Array, request: DensityRequest, rng: RandomState) -> Mixture:
    """The density of the normal rows among Z, of which each counts as often as its weight says."""
    if request.covariance_type != "auto":
        return _fit_named(Z, weights, request, rng)
    if request.novelty:
        return _fit_clean(Z, weights, request, rng)
    return _fit_members(Z, weights, request, rng)


def _fit_members(
    Z: Float64Array, weights: Float64Array, request: DensityRequest, rng: RandomState
) -> Mixture:
    """Mixtures of common shape, of samples of the rows, averaged; the first chooses how many components."""
    members: list[Mixture] = []
    kept: list[IntArray] = []
    chosen = isinstance(request.n_components, str)
    places = _sample(len(Z), MEMBER_ROWS, rng)
    gaussian = concentrate(Z[places], weights[places], request.share_left_out)
    while len(members) < N_MEMBERS:
        places = _sample(len(Z), MEMBER_ROWS, rng)
        core = find_core(Z[places], weights[places], gaussian, request.share_left_out)
        best = fit_common_shape(Z[places], weights[places], core, request, rng)
        check_number(best, request)
        members.append(best)
        kept.append(find_normal_components(best) if chosen else np.arange(best.n_components))
        request = replace(request, n_components=best.n_components)
        if best.n_components == 1 and len(places) == len(Z):
            break  # all would be the same
    return average_mixtures(members, kept)


def fit_common_shape(
    Z: Float64Array, weights: Float64Array, core: Core, request: DensityRequest, rng: RandomState
) -> Mixture:
    """The trimmed mixture of one shape, of the number of components that has the least BIC.

    BIC is that of the rows that are kept, of which both fits keep the same number.
    """
    trim, best = request.share_left_out, None
    family = choose_family(float(weights.sum()), Z.shape[1])
    for k in request.count_components(float(weights.sum()), NUMBERS):
        result = _fit_from_core(Z, weights, core, k, family.common, trim, rng, n_factors=family.n_factors)
        if result is not None and (best is None or result.bic < best.bic):
            best = result
    if best is None:
        return core.gaussian
    return best.mixture


def check_number(mixture: Mixture | None, request: DensityRequest) -> None:
    """Raise ValueError where the caller named a number of components, and no mixture has it."""
    k = request.n_components
    if not isinstance(k, str) and (mixture is None or mixture.n_components != k):
        raise ValueError(
            f"n_components={k} is too many: components begin in as many distinct rows near the middle, and "
            "there are fewer, or all components collapsed; ask for fewer, or leave it 'auto'"
        )


def find_normal_components(mixture: Mixture) -> IntArray:
    """The components that hold enough rows to be normal, the largest in any case."""
    least = LEAST_SHARE / mixture.n_components
    return np.flatnonzero((mixture.weights >= least) | (mixture.weights == mixture.weights.max()))


def average_mixtures(members: list[Mixture], kept: list[IntArray]) -> Mixture:
    """The mixture whose density is the mean of those of members, but for components that are not kept."""
    if len(members) == 1 and len(kept[0]) == members[0].n_components:
        return members[0]
    pairs = list(zip(members, kept, strict=True))
    weights = np.concatenate([member.weights[keep] for member, keep in pairs])
    n_factors = members[0].n_factors
    return Mixture(
        weights / weights.sum(),
        np.concatenate([member.means[keep] for member, keep in pairs]),
        np.concatenate(
            [(member.covariances if n_factors else member.dense_covariances)[keep] for member, keep in pairs]
        ),
        "factor" if n_factors else "full",
    )


def _fit_from_core(
    Z: Float64Array,
    weights: Float64Array,
    core: Core,
    k: int,
    family: str,
    trim: float,
    rng: RandomState,
    **options: Any,
) -> FitResult | None:
    """EM from k-means of the core; None where every component collapsed, or distinct rows are too few."""
    labels = np.full(len(Z), -1)
    labels[core.places] = cluster_rows(core.white[core.places], weights[core.places], k, rng)
    if len(np.unique(labels[core.places])) < k:
        return None
    try:
        return fit_mixture(
            Z,
            k,
            covariance_type=family,
            sample_weight=weights,
            trim=trim,
            start=labels,
            reg_covar=RIDGE,
            tol=TOL,
            max_iter=MAX_ITER,
            acceleration=None,
            **options,
        )
    except FitError:
        return None


def _sample(n: int, most: int, rng: RandomState) -> IntArray:
    """The places of at most so many rows, in order."""
    if n <= most:
        return np.arange(n)
    return np.sort(rng.choice(n, most, replace=False))


def _fit_clean(Z: Float64Array, weights: Float64Array, request: DensityRequest, rng: RandomState) -> Mixture:
    """The mixture of clean rows whose number of components and shapes make held-out rows most probable."""
    places = _sample(len(Z), CLEAN_ROWS, rng)
    Z, weights = Z[places], weights[places]
    few = _sample(len(Z), CHOICE_ROWS, rng)
    choice = _choose_clean(Z[few], weights[few], request, rng)
    (mixture,) = _fit_choices(Z, weights, [choice], request.share_left_out, rng)
    if mixture is not None:
        return mixture
    check_number(None, request)
    return concentrate(Z, weights, request.share_left_out)


def _choose_clean(
    Z: Float64Array, weights: Float64Array, request: DensityRequest, rng: RandomState
) -> tuple[int, bool]:
    """The number of components, and whether they have shapes of their own."""
    numbers = request.count_components(HELD_IN * float(weights.sum()), CLEAN_NUMBERS)
    # the prior is one of matrices
    shapes = (False,) if choose_family(float(weights.sum()), Z.shape[1]).n_factors else (False, True)
    choices = [(k, own) for k in numbers for own in shapes if k > 1 or not own]
    if len(choices) == 1:
        return choices[0]
    order = rng.permutation(len(Z))
    n_seen = math.ceil(HELD_IN * len(Z))
    seen, unseen = np.sort(order[:n_seen]), np.sort(order[n_seen:])
    scores = [
        -math.inf if mixture is None else float(weights[unseen] @ mixture.log_prob(Z[unseen]))
        for mixture in _fit_choices(Z[seen], weights[seen], choices, request.share_left_out, rng)
    ]
    return choices[int(np.argmax(scores))]


def _fit_choices(
    Z: Float64Array, weights: Float64Array, choices: list[tuple[int, bool]], trim: float, rng: RandomState
) -> list[Mixture | None]:
    """The mixture of each number of components: of common shape, or of shapes of their own."""
    core = find_core(Z, weights, concentrate(Z, weights, trim), trim)
    common: dict[int, FitResult | None] = {}
    family = choose_family(float(weights.sum()), Z.shape[1])
    found: list[Mixture | None] = []
    for k, own in choices:
        if k not in common:
            common[k] = _fit_from_core(
                Z, weights, core, k, family.common, trim, rng, n_factors=family.n_factors
            )
        result = common[k]
        found.append(result if result is None else result.mixture)
        if own and result is not None:
            found[-1] = free_shapes(Z, weights, result.mixture, trim)
    return found


def free_shapes(Z: Float64Array, weights: Float64Array, mixture: Mixture, trim: float) -> Mixture:
    """The mixture after EM in which each component has its own covariance, shrunk towards the common one.

    With S_k the covariance of the n_k rows of component k, W the common one and nu = 2 d::

        Sigma_k = (n_k S_k + nu W) / (n_k + nu)

    Where all collapse it is the mixture of common shape.
    """
    d = Z.shape[1]
    nu = SHRINKAGE * d
    common = np.asarray(mixture.dense_covariances[0])
    prior = NormalInverseWishart(shrinkage=0.0, dof=nu - d - 1.0, scale=nu * common)
    try:
        result = fit_mixture(
            Z,
            mixture.n_components,
            sample_weight=weights,
            trim=trim,
            start=mixture.responsibilities(Z),
            prior=prior,
            reg_covar=RIDGE,
            tol=TOL,
            max_iter=MAX_ITER,
        )
    except FitError:
        return mixture
    return result.mixture


def _fit_named(Z: Float64Array, weights: Float64Array, request: DensityRequest, rng: RandomState) -> Mixture:
    """The mixture of a family that the caller names, of all rows; BIC chooses the number of components."""
    trim = request.share_left_out
    core = find_core(Z, weights, concentrate(Z, weights, trim), trim)
    numbers = request.count_components(float(weights.sum()), CLEAN_NUMBERS if request.novelty else NUMBERS)
    fits = [_fit_from_core(Z, weights, core, k, request.covariance_type, trim, rng) for k in numbers]
    found = [result for result in fits if result is not None]
    if not found:
        check_number(None, request)
        raise FitError(
            f"every mixture of the family {request.covariance_type!r} collapsed; leave covariance_type 'auto'"
        )
    return min(found, key=lambda result: result.bic).mixture
