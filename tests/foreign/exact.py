"""A linear-Gaussian measurement of effects whose prior is a mixture, and what its posterior is, in closed form."""

from __future__ import annotations

import numpy as np

from gaussmix import Mixture

#: Three components near enough to each other that a sampler goes from one to the next.
PRIOR = Mixture(
    [0.5, 0.3, 0.2],
    [[0.0, 0.0], [1.5, -0.5], [-0.5, 2.0]],
    [[[1.0, 0.3], [0.3, 0.5]], [[0.4, -0.2], [-0.2, 0.6]], [[0.8, 0.0], [0.0, 0.4]]],
    feature_names=["treatment", "age"],
)
#: What is measured of the effects, the errors' covariance, and the measurements.
DESIGN = np.array([[1.0, 0.0], [1.0, 1.0], [0.5, -1.0]])
ERRORS = np.array([[1.0, 0.2, 0.0], [0.2, 1.5, 0.0], [0.0, 0.0, 2.0]])
MEASURED = np.array([1.6, 2.1, -1.2])
#: Standard errors within which a Monte Carlo mean has to be.
MARGIN = 6.0


def find_posterior():
    """The mixture that the posterior is."""
    return PRIOR.linear_gaussian_update(DESIGN, None, ERRORS, MEASURED).mixture


def check_draws(draws, mixture):
    """Assert that draws of a chain each, shape (chains, n, d), have the mean and the covariance of a mixture.

    Standard errors are those of means of batches, which take autocorrelation into account.
    """
    deviations = np.asarray(draws, dtype=np.float64) - mixture.mean
    first, second = np.triu_indices(deviations.shape[2])
    statistics = np.concatenate([deviations, deviations[..., first] * deviations[..., second]], axis=2)
    expected = np.concatenate([np.zeros(mixture.n_features), mixture.covariance[first, second]])
    chains, n, m = statistics.shape
    batches = statistics.reshape(chains * 10, n // 10, m).mean(axis=1)
    errors = batches.std(axis=0, ddof=1) / np.sqrt(len(batches))
    assert (np.abs(batches.mean(axis=0) - expected) < MARGIN * errors).all()
    return errors


def check_posterior(draws):
    """Assert that draws are of the posterior, and precise enough to tell it from the prior."""
    errors = check_draws(draws, find_posterior())
    assert (np.abs(find_posterior().mean - PRIOR.mean) > 2.0 * MARGIN * errors[:2]).all()
    # how far the second moments are from the prior's
    gap = np.abs(find_posterior().covariance - PRIOR.covariance)[[0, 1], [0, 1]]
    assert (gap > 2.0 * MARGIN * errors[[2, 4]]).all()
