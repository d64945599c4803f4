"""Mixtures of any family, and the definitions written out."""

from __future__ import annotations

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from scipy.special import logsumexp

from gaussmix import Mixture
from gaussmix.model.covariance import FACTORS
from tests.helpers import random_mixture

#: Hypothesis draws these; the rest follows from the seed.
problems = {
    "d": st.integers(2, 6),
    "k": st.integers(1, 4),
    "seed": st.integers(0, 2**32 - 1),
    "exponent": st.sampled_from([0, 0, -9, 9]),
}


#: As many cases as there is time for, since each law is tried on every family.
few = settings(max_examples=3)


def make_mixture(name, k, d, rng, exponent=0):
    """A mixture of a family in units of 10^exponent, its components apart by some deviations."""
    unit = 10.0**exponent
    if name in FACTORS:
        q = int(rng.integers(1, d))
        sharing = FACTORS[name].sharing
        loadings = rng.normal(size=(k, d, q))
        if not sharing.own_loadings:
            loadings[:] = loadings[0]
        uniquenesses = sharing.share(np.exp(rng.normal(size=(k, d))), np.full(k, 1.0 / k))
        columns = np.concatenate([unit * loadings, unit**2 * np.asarray(uniquenesses)[:, :, None]], axis=2)
        means = unit * (3.0 + 2.0 * rng.normal(size=(k, d)))
        return Mixture(rng.dirichlet(np.full(k, 4.0)), means, columns, name)
    mixture = random_mixture(name, k, d, rng)
    return mixture if unit == 1.0 else scale(mixture, unit)


def scale(mixture, unit):
    """The mixture in other units."""
    return Mixture(
        mixture.weights, unit * mixture.means, unit**2 * mixture.covariances, mixture.covariance_type
    )


def split(d, rng):
    """Some features, in any order, and the others."""
    order = rng.permutation(d)
    p = int(rng.integers(1, d))
    return order[:p], np.sort(order[p:])


def density(weights, means, covariances, rows):
    """Log-densities of a mixture of matrices by its definition."""
    joint = []
    for weight, mean, covariance in zip(weights, means, covariances, strict=True):
        lower = np.linalg.cholesky(covariance)
        white = np.linalg.solve(lower, (rows - mean).T)
        log_peak = -np.log(np.diagonal(lower)).sum() - 0.5 * len(mean) * np.log(2.0 * np.pi)
        joint.append(np.log(weight) + log_peak - 0.5 * (white * white).sum(axis=0))
    return logsumexp(joint, axis=0)
