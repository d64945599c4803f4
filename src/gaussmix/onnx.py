"""A converter of gaussmix's estimator for sklearn-onnx, which makes one ONNX model of a whole pipeline.

It needs sklearn-onnx (``pip install skl2onnx``). A mixture or an estimator alone does not: see
:meth:`gaussmix.Mixture.to_onnx`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix.estimators._exporting import get_exportable_mixture
from gaussmix.estimators.gaussian import GaussianMixture
from gaussmix.foreign.onnx import LEAST_OPSET, OUTPUTS, write_density
from gaussmix.model.mixture.onnx_graph import FLOATS, make_joint_density

try:
    import skl2onnx
    from onnx import numpy_helper
    from skl2onnx.common import data_types
except ImportError as error:
    raise ImportError(
        "gaussmix.onnx needs sklearn-onnx, which is not installed: pip install skl2onnx"
    ) from error

__all__ = ["register_converter"]

#: What sklearn-onnx calls our estimator.
ALIAS = "GaussmixGaussianMixture"
#: Options of the conversion and their values, the first of which is the default.
OPTIONS: dict[str, list[Any]] = {"score_samples": [False, True], "arithmetic": ["float64", "float32"]}


def register_converter() -> None:
    """Teach sklearn-onnx our estimator, so that it converts pipelines which have one.

    What ``skl2onnx.to_onnx`` or ``skl2onnx.convert_sklearn`` makes has the outputs ``label``, of shape (n,),
    ``probabilities``, of shape (n, n_components), one column more with noise, and with the option
    ``score_samples`` the log-densities ``score_samples``, of shape (n,). The option ``arithmetic`` is
    "float64" or "float32", as in :meth:`gaussmix.Mixture.to_onnx`. Rows and results have the type of the
    input. Call it once in a program; again does no harm.

    References
    ----------
    sklearn-onnx, "Convert a pipeline with a custom model", https://onnx.ai/sklearn-onnx/

    Examples
    --------
    >>> import numpy as np, skl2onnx
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> import gaussmix.onnx
    >>> gaussmix.onnx.register_converter()
    >>> X = np.float32([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]])
    >>> pipeline = make_pipeline(StandardScaler(), gaussmix.GaussianMixture(2, random_state=0)).fit(X)
    >>> options = {"gaussianmixture__score_samples": True}
    >>> model = skl2onnx.to_onnx(pipeline, X[:1], options=options, target_opset=18)
    >>> [output.name for output in model.graph.output]
    ['label', 'probabilities', 'score_samples']
    """
    skl2onnx.update_registered_converter(
        GaussianMixture, ALIAS, _set_shapes, _convert, parser=_parse, options=OPTIONS
    )


class ContainerWriter:
    """Puts nodes and constants where sklearn-onnx collects those of a pipeline."""

    def __init__(self, scope: Any, container: Any) -> None:
        self.scope, self.container = scope, container

    def add_constant(self, values: npt.NDArray[Any]) -> str:
        """As :class:`gaussmix.foreign.onnx.Writer`."""
        name: str = self.scope.get_unique_variable_name("gaussmix_constant")
        tensor = numpy_helper.from_array(np.ascontiguousarray(values), name)
        self.container.add_initializer(name, tensor.data_type, list(values.shape), tensor)
        return name

    def add_node(self, operator: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """As :class:`gaussmix.foreign.onnx.Writer`."""
        name: str = output or self.scope.get_unique_variable_name(f"gaussmix_{operator}")
        own = self.scope.get_unique_operator_name(f"gaussmix_{operator}")
        self.container.add_node(operator, list(inputs), [name], name=own, **attributes)
        return name


def _parse(scope: Any, model: Any, inputs: Sequence[Any], custom_parsers: Any = None) -> Any:
    """Declare what the converted model gives."""
    step = scope.declare_local_operator(ALIAS, model)
    step.inputs = list(inputs)
    number = data_types.guess_tensor_type(inputs[0].type)
    step.outputs.append(scope.declare_local_variable("label", data_types.Int64TensorType()))
    step.outputs.append(scope.declare_local_variable("probabilities", number))
    if scope.get_options(model, {"score_samples": False})["score_samples"]:
        scores = data_types.guess_tensor_type(inputs[0].type)
        step.outputs.append(scope.declare_local_variable("score_samples", scores))
    return step.outputs


def _set_shapes(operator: Any) -> None:
    """Say the shapes of the outputs, for sklearn-onnx."""
    mixture = get_exportable_mixture(operator.raw_operator)
    shapes = [found.type.shape for found in operator.inputs]
    widths: list[Any] = [shape[1] if len(shape) == 2 else None for shape in shapes]
    if None not in widths and sum(widths) != mixture.n_features:
        raise ValueError(
            f"the inputs have {sum(widths)} features, and the fitted model {mixture.n_features}: give "
            f"initial types or rows of {mixture.n_features}"
        )
    n = operator.inputs[0].get_first_dimension()
    columns = mixture.n_components + (mixture.noise is not None)
    for output, shape in zip(operator.outputs, ([n], [n, columns], [n]), strict=False):
        output.type.shape = shape


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Write the nodes of a fitted estimator."""
    model = operator.raw_operator
    options = container.get_options(model, {name: values[0] for name, values in OPTIONS.items()})
    if options["arithmetic"] not in FLOATS:
        raise ValueError(f"arithmetic must be 'float64' or 'float32'; got {options['arithmetic']!r}")
    if container.target_opset < LEAST_OPSET:
        raise ValueError(f"target_opset must be {LEAST_OPSET} or newer; got {container.target_opset}")
    number = data_types.guess_tensor_type(operator.inputs[0].type)  # of whole numbers float32
    dtype = np.dtype(data_types.guess_numpy_type(number))
    writer = ContainerWriter(scope, container)
    to = data_types.guess_proto_type(number)
    rows = [writer.add_node("Cast", found.onnx_name, to=to) for found in operator.inputs]
    write_density(
        writer,
        make_joint_density(get_exportable_mixture(model), dtype.name),
        rows[0] if len(rows) == 1 else writer.add_node("Concat", *rows, axis=1),
        dtype,
        options["arithmetic"],
        {name: output.onnx_name for name, output in zip(OUTPUTS, operator.outputs, strict=False)},
    )
