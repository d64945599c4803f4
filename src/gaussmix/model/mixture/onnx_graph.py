"""A mixture as a graph of ONNX."""

from __future__ import annotations

import json
import operator
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from gaussmix._atomic import replace_file
from gaussmix._typing import Float64Array
from gaussmix._version import __version__
from gaussmix.foreign.onnx import (
    OUTPUTS,
    JointDensity,
    Writer,
    find_type,
    import_onnx,
    make_model,
    write_density,
)
from gaussmix.model.covariance.structure import take_logarithms
from gaussmix.model.kernels.natural import LOG_ZERO
from gaussmix.model.mixture.properties import MixtureProperties
from gaussmix.model.mixture.views import FARTHEST
from gaussmix.model.moments.frame import Frame

#: The types of numbers that a graph can have and compute in.
FLOATS = ("float32", "float64")


def make_joint_density(mixture: MixtureProperties, dtype: str) -> JointDensity:
    """The arrays of a mixture that rows of a type of numbers are evaluated by."""
    algebra, roots = mixture.structure.algebra, mixture.roots
    low, high = _find_bounds(mixture, np.dtype(dtype))
    return JointDensity(
        mixture.means,
        take_logarithms(mixture.weights) + algebra.log_peaks(roots, mixture.n_features),
        *algebra.find_whitening(roots),
        noise=None if mixture.noise is None else max(mixture.noise.log_joint, LOG_ZERO),
        low=low,
        high=high,
    )


def _find_bounds(mixture: MixtureProperties, dtype: np.dtype[Any]) -> tuple[Float64Array, Float64Array]:
    """Where rows are taken to lie that are farther away, as :class:`gaussmix.model.mixture.views.View`."""
    spread = np.sqrt(Frame.of_moments(mixture.mean, mixture.total_variances, "scale", dtype).variances)
    with np.errstate(over="ignore"):
        far = FARTHEST[dtype.char] * spread
        return mixture.mean - far, mixture.mean + far


@dataclass(frozen=True)
class GraphOptions:
    """How a graph is written."""

    dtype: str
    arithmetic: str
    opset: int

    @classmethod
    def read(cls, dtype: Any, arithmetic: Any, opset: Any) -> Self:
        """What a user asks for; ValueError if an option is none that there is."""
        try:
            number = operator.index(opset)
        except TypeError:
            raise ValueError(f"opset must be a whole number; got {opset!r}") from None
        return cls(_read_float("dtype", dtype), _read_float("arithmetic", arithmetic), number)


def _read_float(name: str, value: Any) -> str:
    """The name of a type of numbers that is given by name or as NumPy's."""
    try:
        found = "" if value is None else np.dtype(value).name
    except TypeError:
        found = ""
    if found not in FLOATS:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, FLOATS))}; got {value!r}")
    return found


def make_onnx_model(
    mixture: MixtureProperties, path: str | os.PathLike[str] | None, options: GraphOptions
) -> Any:
    """A mixture as an `onnx.ModelProto`, which is also written to the path if there is one."""
    density = make_joint_density(mixture, options.dtype)

    def write(writer: Writer) -> None:
        names = {name: name for name in OUTPUTS}
        write_density(writer, density, "X", options.dtype, options.arithmetic, names)

    return make_model_of(mixture, path, options, write, np.dtype(np.int64), density.n_columns, {})


def make_model_of(
    mixture: MixtureProperties,
    path: str | os.PathLike[str] | None,
    options: GraphOptions,
    write: Callable[[Writer], None],
    labels: np.dtype[Any],
    n_columns: int,
    metadata: Mapping[str, str],
) -> Any:
    """The model of what `write` writes: labels of a type, n_columns probabilities, log-densities.

    Metadata of the mixture come first.
    """
    import_onnx()
    number = find_type(np.dtype(options.dtype))
    of_mixture = {
        "n_components": str(mixture.n_components),
        "covariance_type": mixture.covariance_type,
        "noise": json.dumps(mixture.noise is not None),
    }
    if mixture.feature_names is not None:
        of_mixture["feature_names"] = json.dumps(mixture.feature_names)
    kinds: list[tuple[int, list[Any]]] = [
        (find_type(labels), ["n"]),
        (number, ["n", n_columns]),
        (number, ["n"]),
    ]
    model = make_model(
        write,
        mixture.n_features,
        options.dtype,
        [(name, *kind) for name, kind in zip(OUTPUTS, kinds, strict=True)],
        opset=options.opset,
        producer_version=__version__,
        metadata=of_mixture | dict(metadata),
    )
    if path is not None:
        content = model.SerializeToString()
        with replace_file(path) as temporary:
            temporary.write_bytes(content)
    return model
