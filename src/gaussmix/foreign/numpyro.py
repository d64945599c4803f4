"""Mixtures as distributions of NumPyro."""

from __future__ import annotations

from typing import Any

from gaussmix.foreign.absence import explain_absence
from gaussmix.foreign.components import Components


def make_distribution(components: Components) -> Any:
    """A MixtureSameFamily of the leanest Gaussians; of one feature a distribution of numbers."""
    with explain_absence("to_numpyro", "NumPyro", "numpyro"):
        from jax.numpy import asarray
        from numpyro import distributions

    means = asarray(components.means)
    gaussians: Any
    if components.means.shape[1] == 1:
        gaussians = distributions.Normal(means[:, 0], asarray(components.scales[:, 0]))
    elif components.is_diagonal:
        gaussians = distributions.Normal(means, asarray(components.scales)).to_event(1)
    elif components.is_dense:
        gaussians = distributions.MultivariateNormal(means, scale_tril=asarray(components.loadings))
    else:
        parts = asarray(components.loadings), asarray(components.uniquenesses)
        gaussians = distributions.LowRankMultivariateNormal(means, *parts)
    weights = distributions.Categorical(logits=asarray(components.log_weights))
    return distributions.MixtureSameFamily(weights, gaussians)
