"""Mixtures as random variables of PyMC models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.foreign.absence import explain_absence
from gaussmix.foreign.components import Components


def add_variable(
    name: str,
    components: Components,
    joint: JointTerms,
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
        some = weights > 0.0  # of others PyMC takes the logarithm
        arrays = weights[some], components.means[some, 0], components.scales[some, 0]
        parameters = dict(zip(("w", "mu", "sigma"), arrays, strict=True))
        return pymc.NormalMixture(name, **parameters, dims=dims, **options)
    if dims:
        _name_features(model, dims[-1], components.means.shape[1], feature_names)

    def draw(*_: Any, rng: np.random.Generator, size: Any = None) -> Float64Array:
        return components.sample(rng, () if size is None else tuple(int(n) for n in size))

    def find_support_point(variable: Any, *_: Any) -> Any:
        from pytensor.tensor import broadcast_to

        return broadcast_to(components.mean, variable.shape)

    return pymc.CustomDist(
        name,
        *joint.arrays,
        logp=joint.make_log_density,
        random=draw,
        support_point=find_support_point,
        signature=joint.signature,
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


@dataclass(frozen=True, eq=False)
class JointTerms:
    """log w_k N(x | mu_k, Sigma_k) = c_k - |y_k|^2 / 2, with independent y_k = U_k'(x - mu_k).

    With s = (x - mu_k) * scales, y_k is s, or s times `matrices`, or s - (s `down`) `up`. Arrays have the
    components first, or one entry that they share.
    """

    #: c_k, shape (k,), and mu_k, shape (k, d).
    constants: Float64Array
    means: Float64Array
    #: Shape (k, 1, d) or (k, 1, 1).
    scales: Float64Array | None
    #: Shape (k, d, d).
    matrices: Float64Array | None
    #: Shapes (k, d, q) and (k, q, d).
    low_rank: tuple[Float64Array, Float64Array] | None

    @property
    def arrays(self) -> list[Float64Array]:
        """All arrays that there are, in order."""
        optional = self.scales, self.matrices, *(self.low_rank or ())
        return [self.constants, self.means, *(array for array in optional if array is not None)]

    @property
    def signature(self) -> str:
        """The axes of the arrays and of a value, as generalised functions of NumPy have them."""
        axes = ["(k)", "(k,d)", *(f"(a{i},b{i},c{i})" for i in range(len(self.arrays) - 2))]
        return ",".join(axes) + "->(d)"

    def make_log_density(self, value: Any, constants: Any, means: Any, *arrays: Any) -> Any:
        """The graph of log sum_k w_k N(x | mu_k, Sigma_k) for values (..., d), of the arrays as variables."""
        from pytensor.tensor import logsumexp, matmul

        rest = list(arrays)
        whitened = value[..., None, None, :] - means[..., None, :]  # of shape (..., k, 1, d)
        if self.scales is not None:
            whitened = whitened * rest.pop(0)
        if self.matrices is not None:
            whitened = matmul(whitened, rest.pop(0))
        if self.low_rank is not None:
            down, up = rest
            whitened = whitened - matmul(matmul(whitened, down), up)
        return logsumexp(constants - 0.5 * (whitened**2).sum(axis=(-2, -1)), axis=-1)
