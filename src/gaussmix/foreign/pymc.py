"""Mixtures as random variables of PyMC models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.foreign.absence import explain_absence
from gaussmix.foreign.components import LOG_2PI, Components


def add_variable(
    components: Components,
    name: str,
    *,
    dims: str | Sequence[str] | None,
    feature_names: tuple[str, ...] | None,
    **options: Any,
) -> Any:
    """A variable of the model around it, distributed as the mixture; of one feature a number.

    The last of `dims` is that of the features, whose names become its coordinates.
    """
    with explain_absence("to_pymc", "PyMC", "pymc"):
        import pymc

    model = pymc.modelcontext(None)
    dims = (dims,) if isinstance(dims, str) else dims
    if components.means.shape[1] == 1:
        weights = np.exp(components.log_weights)
        parameters = {"w": weights, "mu": components.means[:, 0], "sigma": components.scales[:, 0]}
        return pymc.NormalMixture(name, **parameters, dims=dims, **options)
    if dims:
        _name_features(model, dims[-1], components.means.shape[1], feature_names)
    arrays, signature, log_density = make_log_density(components)

    def draw(*_: Any, rng: np.random.Generator, size: Any = None) -> Float64Array:
        return components.sample(rng, () if size is None else tuple(int(n) for n in size))

    def find_support_point(variable: Any, *_: Any) -> Any:
        from pytensor.tensor import broadcast_to

        return broadcast_to(components.mean, variable.shape)

    return pymc.CustomDist(
        name,
        *arrays,
        logp=log_density,
        random=draw,
        support_point=find_support_point,
        signature=signature,
        class_name="GaussianMixture",
        dims=dims,
        **options,
    )


def _name_features(model: Any, dim: str, d: int, feature_names: tuple[str, ...] | None) -> None:
    """The names of the features as coordinates of a dim that has none.

    Raises ValueError where its coordinates are the names in another order.
    """
    if dim not in model.coords:
        model.add_coord(dim, feature_names or range(d))
    known, names = tuple(model.coords[dim] or ()), feature_names or ()
    if known != names and set(known) == set(names):
        raise ValueError(
            f"the coordinates of the dim {dim!r} are the features in another order: {list(known)}, where the "
            f"mixture has {list(names)}; give the dim the mixture's order, or take "
            f"mixture.marginal({list(known)})"
        )


def make_log_density(components: Components) -> tuple[list[Float64Array], str, Callable[..., Any]]:
    """Arrays, the signature of their last axes, and the log-density of values (..., d) as a graph of them.

    Each component maps deviations from its mean to independent ones, y with C^-1 = W W' and y = W'(x - mu);
    maps are chosen so that a value costs one product with all components.
    """
    from pytensor.tensor import logsumexp, matmul

    _, d, q = components.loadings.shape
    if components.is_dense:
        lower = components.loadings
        maps, axes_of_maps = [invert_transposed(lower)], ["(k,d,d)"]
        log_det = np.log(np.diagonal(lower, axis1=1, axis2=2)).sum(axis=1)
    else:
        scales = np.sqrt(components.uniquenesses)
        maps, axes_of_maps = [1.0 / scales], ["(k,d)"]
        log_det = np.log(scales).sum(axis=1)
        if q:
            # psi^-1/2 L = H diag(s) V', so that W = psi^-1/2 (I - H diag(g) H') with g = 1 - (1 + s^2)^-1/2
            axes, sizes, _ = np.linalg.svd(components.loadings / scales[:, :, None], full_matrices=False)
            maps += [axes, 1.0 - 1.0 / np.sqrt(1.0 + sizes**2)]
            axes_of_maps += ["(k,d,q)", "(k,q)"]
            log_det += 0.5 * np.log1p(sizes**2).sum(axis=1)
    peaks = components.log_weights - log_det - 0.5 * d * LOG_2PI

    def whiten(deviations: Any, first: Any, *rest: Any) -> Any:
        if components.is_dense:
            return matmul(deviations[..., None, :], first)[..., 0, :]
        scaled = deviations * first
        if not rest:
            return scaled
        axes, gains = rest
        scores = matmul(scaled[..., None, :], axes)[..., 0, :]
        return scaled - matmul(axes, (gains * scores)[..., None])[..., 0]

    def find_log_density(value: Any, peaks: Any, means: Any, *maps: Any) -> Any:
        whitened = whiten(value[..., None, :] - means, *maps)
        return logsumexp(peaks - 0.5 * (whitened**2).sum(axis=-1), axis=-1)

    signature = ",".join(["(k)", "(k,d)", *axes_of_maps]) + "->(d)"
    return [peaks, components.means, *maps], signature, find_log_density


def invert_transposed(lower: Float64Array) -> Float64Array:
    """L^-T for each lower triangular matrix L of a stack, by triangular solves."""
    from scipy.linalg import solve_triangular

    identity = np.eye(lower.shape[1])
    return np.stack([solve_triangular(root, identity, lower=True).T for root in lower])
