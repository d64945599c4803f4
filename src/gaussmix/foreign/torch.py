"""Mixtures as distributions of PyTorch, and from them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.foreign.absence import explain_absence
from gaussmix.foreign.components import Components


def make_distribution(components: Components, dtype: Any = None, device: Any = None) -> Any:
    """A MixtureSameFamily of the leanest Gaussians; of one feature a distribution of numbers."""
    with explain_absence("to_torch", "PyTorch", "torch"):
        import torch
    from torch import distributions

    kind = torch.float64 if dtype is None else dtype
    if not (isinstance(kind, torch.dtype) and kind.is_floating_point):
        raise ValueError(f"dtype must be a floating type of PyTorch, such as torch.float32; got {dtype!r}")

    def convert(array: Float64Array) -> Any:
        return torch.tensor(array, dtype=kind, device=device)

    means = convert(components.means)
    gaussians: Any
    if components.means.shape[1] == 1:
        gaussians = distributions.Normal(means[:, 0], convert(components.scales[:, 0]))
    elif components.is_diagonal:
        gaussians = distributions.Independent(distributions.Normal(means, convert(components.scales)), 1)
    elif components.is_dense:
        gaussians = distributions.MultivariateNormal(means, scale_tril=convert(components.loadings))
    else:
        parts = convert(components.loadings), convert(components.uniquenesses)
        gaussians = distributions.LowRankMultivariateNormal(means, *parts)
    # from probabilities it would take logarithms of no less than 2e-16
    weights = distributions.Categorical(logits=convert(components.log_weights))
    return distributions.MixtureSameFamily(weights, gaussians)


def read_distribution(distribution: Any) -> dict[str, Any]:
    """The arguments of a mixture from a MixtureSameFamily of Gaussians, or from one Gaussian.

    Raises ValueError where the distribution is no mixture of Gaussians, or a batch of several.
    """
    with explain_absence("from_torch", "PyTorch", "torch"):
        from torch.distributions import Categorical, MixtureSameFamily

    if isinstance(distribution, MixtureSameFamily):
        weights, gaussians = distribution.mixture_distribution, distribution.component_distribution
        if tuple(distribution.batch_shape):
            raise ValueError(_explain_batch(tuple(distribution.batch_shape)))
        logits = _read_tensor(weights.logits)
        assert isinstance(weights, Categorical)
    else:
        gaussians, logits = distribution, np.zeros(1)
        if getattr(distribution, "batch_shape", ()):
            raise ValueError(_explain_batch(tuple(distribution.batch_shape)))
    weights = np.exp(logits - logits.max())
    return {"weights": weights / weights.sum()} | _read_gaussians(gaussians, logits.size)


def _explain_batch(shape: tuple[int, ...]) -> str:
    return (
        f"the distribution is a batch of shape {shape}; from_torch takes one mixture, "
        "MixtureSameFamily(Categorical(...), MultivariateNormal(...)) without a batch"
    )


def _read_gaussians(gaussians: Any, k: int) -> dict[str, Any]:
    """Means, covariances and their type from the distribution of k components."""
    from torch import distributions

    base = gaussians.base_dist if isinstance(gaussians, distributions.Independent) else gaussians
    if isinstance(base, distributions.Normal) and len(gaussians.event_shape) < 2:
        means = _read_tensor(base.loc).reshape(k, -1)
        return {
            "means": means,
            "covariances": _read_tensor(base.scale).reshape(k, -1) ** 2,
            "covariance_type": "diag",
        }
    if base is gaussians and isinstance(base, distributions.MultivariateNormal):
        means = _read_tensor(base.loc)
        loadings, uniquenesses = _read_tensor(base.scale_tril), np.zeros(means.shape)
    elif base is gaussians and isinstance(base, distributions.LowRankMultivariateNormal):
        means = _read_tensor(base.loc)
        loadings, uniquenesses = _read_tensor(base.cov_factor), _read_tensor(base.cov_diag)
    else:
        raise ValueError(
            "from_torch takes a MixtureSameFamily, or one component, of Normal, Independent Normal, "
            f"MultivariateNormal or LowRankMultivariateNormal; got {_name_of(gaussians)}"
        )
    d, q = loadings.shape[-2:]
    means, loadings = means.reshape(k, d), loadings.reshape(k, d, q)
    uniquenesses = uniquenesses.reshape(k, d)
    if q < d and uniquenesses.any():
        packed = np.concatenate([loadings, uniquenesses[:, :, None]], axis=2)
        return {"means": means, "covariances": packed, "covariance_type": "factor"}
    dense = loadings @ np.swapaxes(loadings, 1, 2) + uniquenesses[:, :, None] * np.eye(d)
    return {
        "means": means,
        "covariances": 0.5 * (dense + np.swapaxes(dense, 1, 2)),
        "covariance_type": "full",
    }


def _name_of(distribution: Any) -> str:
    inner = getattr(distribution, "base_dist", None)
    return type(distribution).__name__ + ("" if inner is None else f" of {type(inner).__name__}")


def _read_tensor(tensor: Any) -> Float64Array:
    return np.asarray(tensor.detach().cpu().double().numpy(), dtype=np.float64)
