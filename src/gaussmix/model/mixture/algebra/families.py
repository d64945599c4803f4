"""Mixtures in other families: the covariances stay what they are, and are stored as the wider family does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.model.covariance import NotPositiveDefiniteError, Structure, get_structure
from gaussmix.model.mixture.parts import Parts

M = TypeVar("M", bound=Parts)


def convert_stack(
    source: Structure, target: Structure, covariances: Float64Array, k: int, d: int
) -> Float64Array:
    """A stack of covariances of k components as a wider family stores them."""
    parts = source.algebra.to_parts(covariances, k, d)
    if parts is not None:
        stack = target.algebra.of_parts(*parts)
    else:
        stack = source.algebra.to_dense(covariances, k, d)
    return stack[:1] if target.shared else stack


def replace_components(
    mixture: M,
    structure: Structure,
    means: Float64Array,
    covariances: Float64Array,
    names: tuple[str, ...] | None,
    operation: str,
    *,
    weights: Float64Array | None = None,
    roots: Float64Array | None = None,
) -> M:
    """The mixture with other components, of a structure; their roots are computed where they are not given.

    ValueError, which names the operation, where a covariance is singular or too large for the numbers.
    """
    finite = bool(np.isfinite(means).all() and np.isfinite(covariances).all())
    if not finite:
        raise ValueError(f"{operation}: means or covariances are too large for floating-point numbers")
    if roots is None:
        with refuse_singular(operation):
            roots = structure.find_roots(covariances)
    return mixture.replace(
        structure=structure,
        weights=mixture.weights if weights is None else weights,
        means=means,
        covariance_stack=covariances,
        roots=roots,
        feature_names=names,
    )


@contextmanager
def refuse_singular(operation: str) -> Iterator[None]:
    """Raise ValueError, which names the operation, where a covariance inside has no Cholesky factor."""
    try:
        yield
    except NotPositiveDefiniteError as error:
        raise ValueError(
            f"{operation}: a covariance is singular to rounding, with the smallest eigenvalue "
            f"{error.smallest:.3g}, so that no density is left"
        ) from None


def find_structure(name: str, d: int, n_factors: int) -> Structure:
    """The family of this name for d features; the number of factors counts for factor analysers alone."""
    return get_structure(name, d, max(n_factors, 1))


def refuse_noise(mixture: Parts, operation: str) -> None:
    """Raise ValueError where a mixture has noise, for which the operation has no exact answer."""
    if mixture.noise is not None:
        raise ValueError(
            f"{operation}: a mixture with a noise component has no exact answer; take mixture.without_noise()"
        )
