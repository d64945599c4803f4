"""Mixtures of every family, one feature among them, and rows to ask them about."""

from __future__ import annotations

import numpy as np

from gaussmix import Mixture
from gaussmix.model.covariance import FACTORS, STRUCTURES
from tests.helpers import random_mixture


def make_mixture(name, d=3, k=4):
    """A mixture of the family; one of its weights is zero."""
    rng = np.random.default_rng(5)
    if name in STRUCTURES:
        mixture = random_mixture(name, k, d, rng)
    else:
        packed = np.concatenate([rng.normal(size=(k, d, 1)), rng.uniform(0.2, 1.0, (k, d, 1))], axis=2)
        packed[1:] = packed[:1]  # of every family of factor analysers, whatever they share
        if FACTORS[name].algebra.isotropic:
            packed[:, :, -1] = packed[:, :1, -1]
        mixture = Mixture(np.full(k, 1.0 / k), rng.normal(size=(k, d)), packed, name)
    weights = np.append(rng.dirichlet(np.ones(k - 1)), 0.0) if k > 1 else np.ones(1)
    return Mixture(weights, mixture.means, mixture.covariances, name)


#: All families with three features, one component, and one feature.
CASES = {
    **{name: (name, 3, 4) for name in (*STRUCTURES, *FACTORS)},
    "one component": ("full", 3, 1),
    "one feature": ("full", 1, 4),
    "one feature, spherical": ("spherical", 1, 4),
    "one number": ("diag", 1, 1),
}


def make_case(case):
    """The mixture, and rows near it and far in its tails."""
    mixture = make_mixture(*CASES[case])
    rows = mixture.sample(20, rng=1)[0]
    far = mixture.mean + 30.0 * np.sqrt(mixture.total_variances) * np.ones((1, mixture.n_features))
    return mixture, np.concatenate([rows, far])


def as_values(rows):
    """Rows as other packages have them: of one feature they are numbers."""
    return rows[:, 0] if rows.shape[1] == 1 else rows
