"""EM for rows of which some inputs are missing: the maximum of the likelihood of what is there.

The E-step takes responsibilities by what a row has, and the conditional distribution of the rest,
N(m_ik, C_gk): its covariance is the same for all rows i that miss the same inputs, the pattern g. The M-step
sees first and second moments alone, so rows that have these moments stand for each incomplete one: the row
filled with m_ik, once a component, and for each pattern and component pairs of points about one of these,
whose spread is C_gk times the responsibilities of the pattern. Any family's own M-step then takes them.

That inputs are missing must not depend on what they are ("missing at random").

References
----------
Z. Ghahramani and M. I. Jordan, Supervised learning from incomplete data via an EM approach, NIPS 6 (1994)
120-127.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.random import Generator

from gaussmix._typing import Float64Array, IntArray
from gaussmix.apps.regression.joint import group_patterns
from gaussmix.fit.advice import ADVICE
from gaussmix.fit.result import FitResult, FitStatus
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.algebra.conditional import condition_on
from gaussmix.model.mixture.algebra.observation import factorise


@dataclass(frozen=True, eq=False)
class Pseudo:
    """Rows, all complete, whose moments under memberships are the expected ones of incomplete rows."""

    values: Float64Array
    weights: Float64Array
    #: Shape (n, k).
    memberships: Float64Array


#: An M-step: from such rows to a fit.
MStep = Callable[[Pseudo], FitResult]


@dataclass(frozen=True, eq=False)
class IncompleteRows:
    """Rows of shape (n, d), NaN where an entry is missing, and their weights."""

    values: Float64Array
    weights: Float64Array

    @cached_property
    def patterns(self) -> list[tuple[IntArray, IntArray]]:
        """Places of rows that have the same features, and which features these are."""
        return group_patterns(~np.isnan(self.values))

    def climb(self, begin: FitResult, m_step: MStep, tol: float, max_iter: int) -> FitResult:
        """The fit after EM from one fit; its history is of the mean log-likelihood of what is there.

        Where M-steps have a prior, EM raises the sum of its log-density and the likelihood.
        """
        pseudo, likelihood = self.expect(begin.mixture)
        best, history, status = begin, [likelihood], FitStatus.MAX_ITER
        objective = likelihood + find_log_prior(begin)
        for _ in range(max_iter):
            after = m_step(pseudo)
            pseudo, likelihood = self.expect(after.mixture)
            gain = likelihood + find_log_prior(after) - objective
            if gain < 0.0:  # of a family whose M-step is an iteration that began anew
                status = FitStatus.CONVERGED
                break
            best, objective = after, objective + gain
            history.append(likelihood)
            if gain < tol:
                status = FitStatus.CONVERGED
                break
        advice = " ".join(part for part in (ADVICE[status], best.advice) if part)
        return replace(best, history=tuple(history), status=status, advice=advice)

    def expect(self, mixture: Mixture) -> tuple[Pseudo, float]:
        """The E-step: rows that stand for these, and the mean log-likelihood of what is there."""
        parts, total = [], 0.0
        for places, given in self.patterns:
            pseudo, densities = self._expect_pattern(mixture, places, given)
            parts += pseudo
            total += float(self.weights[places] @ densities)
        joined = Pseudo(
            np.concatenate([part.values for part in parts]),
            np.concatenate([part.weights for part in parts]),
            np.concatenate([part.memberships for part in parts]),
        )
        return joined, total / float(self.weights.sum())

    def fill(self, mixture: Mixture, rng: Generator) -> Float64Array:
        """The rows with what is missing drawn from its distribution, given what is there."""
        filled = self.values.copy()
        for places, given in self.patterns:
            lacking = np.setdiff1d(np.arange(mixture.n_features), given)
            if not lacking.size:
                continue
            if given.size:
                batch = condition_on(mixture, given, self.values[places][:, given])
                draws = batch.sample(1, rng)[0][:, 0]
            else:
                draws = mixture.sample(len(places), rng)[0]
            filled[places[:, None], lacking] = draws
        return filled

    def _expect_pattern(
        self, mixture: Mixture, places: IntArray, given: IntArray
    ) -> tuple[list[Pseudo], Float64Array]:
        (k, d), weights = mixture.means.shape, self.weights[places]
        own = self.values[places]
        if len(given) == d:
            shares = np.asarray(mixture.responsibilities(own), dtype=np.float64)
            return [Pseudo(own, weights, shares)], np.asarray(mixture.log_prob(own))
        lacking = np.setdiff1d(np.arange(d), given)
        if given.size:
            batch = condition_on(mixture, given, own[:, given])
            shares, densities = batch.weights, batch.log_evidence
            means, covariances = batch.means, batch.dense_covariances
        else:
            shares = np.broadcast_to(mixture.shares, (len(places), k))
            densities = np.zeros(len(places))
            means = np.broadcast_to(mixture.means, (len(places), k, d))
            covariances = mixture.dense_covariances
        parts = []
        for component, lower in enumerate(factorise(covariances)):
            filled = own.copy()
            filled[:, lacking] = means[:, component]
            parts.append(_spread(filled, weights * shares[:, component], lacking, lower, component, k))
        return parts, densities


def find_log_prior(fit: FitResult) -> float:
    """The log-density of the prior at the end of a fit, for each unit of weight; zero without one."""
    return fit.log_priors[-1] if fit.log_priors else 0.0


def _spread(
    filled: Float64Array,
    weights: Float64Array,
    lacking: IntArray,
    lower: Float64Array,
    component: int,
    k: int,
) -> Pseudo:
    """Rows of one component that have the means of `filled`, and the covariance L L' besides where it lacks.

    The row of greatest weight m is replaced by pairs at +- (u R / m)^1/2 times the columns of L, u of them,
    R the weight of all rows: together they have the weight m, and add R L L' to the second moments.
    """
    u, total = len(lacking), float(weights.sum())
    heaviest = int(weights.argmax())
    memberships = np.zeros((len(filled) + 2 * u, k))
    memberships[:, component] = 1.0
    if not weights[heaviest] > 0.0:
        return Pseudo(filled[:0], weights[:0], memberships[:0])
    steps = np.sqrt(u * total / weights[heaviest]) * lower.T
    points = np.repeat(filled[heaviest][None], 2 * u, axis=0)
    points[:, lacking] += np.concatenate([steps, -steps])
    kept = weights.copy()
    kept[heaviest] = 0.0
    return Pseudo(
        np.concatenate([filled, points]),
        np.concatenate([kept, np.full(2 * u, weights[heaviest] / (2 * u))]),
        memberships,
    )
