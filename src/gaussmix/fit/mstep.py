"""The M-step: from the statistics of a pass to the mixture of greatest expected log-likelihood."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.fit.regularise import ROUNDING, Regularise
from gaussmix.fit.terms import Terms
from gaussmix.model.mixture import Mixture
from gaussmix.model.noise import Noise
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
    noise: Noise | None = None,
) -> Mixture:
    """The M-step: weights, means and regularised covariances of the statistics.

    Families that iterate begin at the covariances of the mixture `before`. A prior and constraints have their
    say in `terms`. The weight of the noise is that of the statistics; a start, before which there is nothing,
    has the one that was asked for.

    Raises NotPositiveDefiniteError where a variance is zero, or so small that it is rounding, unless
    `regularise` sees to that.
    """
    if not np.add.reduce(stats.counts) > 0.0:  # all has gone to the noise
        raise NotPositiveDefiniteError(tuple(range(stats.n_components)), 0.0)
    joined = terms.joined(stats)
    means = terms.means(joined)
    central = terms.central(joined, means, stats.counts)
    moments = terms.moments(structure.moments(central))
    shares = central.counts / np.add.reduce(central.counts)
    warm = None if before is None else before.covariances
    covariances, factors = terms.covariances(*regularise(moments, shares, warm))
    weights = terms.weights(stats.counts)
    if noise is not None:
        noise = noise if before is None else replace(noise, weight=stats.noise / stats.weight)
        weights = weights * (1.0 - noise.weight)
    mixture = Mixture._trusted(structure, weights, means, covariances, factors, noise=noise)
    if regularise.bounded or ROUNDING * mixture.natural.condition < 0.5:
        return mixture  # every variance is far above rounding
    sharpest = structure.diagonal(factors).max(axis=1) ** 2
    collapsed = ~(sharpest * _rounding(stats, means, structure.form.own == "none") < 1.0)
    if collapsed.any():
        raise NotPositiveDefiniteError(tuple(int(i) for i in np.flatnonzero(collapsed)), 1.0 / sharpest.max())
    return mixture


def _rounding(stats: Stats, means: Float64Array, shared: bool) -> Float64Array:
    """Rounding error of a component's variances: of what is subtracted, and of the rows themselves."""
    shift = means - stats.centres
    size = ROUNDING * np.sqrt(1.0 + np.vecdot(means, means))
    error: Float64Array = ROUNDING * np.vecdot(shift, shift) + size * size
    return error.max(keepdims=True) if shared else error
