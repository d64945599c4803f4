"""The M-step: from the statistics of a pass to the mixture of greatest expected log-likelihood."""

from __future__ import annotations

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.fit.regularise import ROUNDING, Regularise
from gaussmix.fit.terms import Terms
from gaussmix.model.mixture import Mixture
from gaussmix.model.stats import Stats
from gaussmix.model.structures import NotPositiveDefiniteError, Structure

#: No prior and no constraint.
UNBOUND = Terms()


def maximise(
    structure: Structure,
    regularise: Regularise,
    stats: Stats,
    before: Mixture | None = None,
    terms: Terms = UNBOUND,
) -> Mixture:
    """The M-step: weights, means and regularised covariances of the statistics.

    Families that iterate begin at the covariances of the mixture `before`. A prior and constraints have their
    say in `terms`.

    Raises NotPositiveDefiniteError where a variance is zero, or so small that it is rounding, unless
    `regularise` sees to that.
    """
    joined = terms.joined(stats)
    means = terms.means(joined)
    central = terms.central(joined, means, stats.counts)
    moments = terms.moments(structure.moments(central))
    shares = central.counts / np.add.reduce(central.counts)
    warm = None if before is None else before.covariances
    covariances, factors = terms.covariances(*regularise(moments, shares, warm))
    mixture = Mixture._trusted(structure, terms.weights(stats.counts), means, covariances, factors)
    if regularise.bounded or ROUNDING * mixture.natural.condition < 0.5:
        return mixture  # every variance is far above rounding
    sharpest = structure.diagonal(factors).max(axis=1) ** 2
    collapsed = ~(sharpest * _rounding(stats, means) < 1.0)
    if collapsed.any():
        raise NotPositiveDefiniteError(tuple(int(i) for i in np.flatnonzero(collapsed)), 1.0 / sharpest.max())
    return mixture


def _rounding(stats: Stats, means: Float64Array) -> Float64Array:
    """Rounding error of a component's variances: of what is subtracted, and of the rows themselves."""
    shift = means - stats.centres
    size = ROUNDING * np.sqrt(1.0 + np.vecdot(means, means))
    error: Float64Array = ROUNDING * np.vecdot(shift, shift) + size * size
    return error if stats.form.own != "none" else error.max(keepdims=True)
