"""The density of a mixture as operators of ONNX.

The operators are those of opset 13, none of which has changed its meaning since.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from gaussmix._typing import Float64Array, FloatArray

#: The first opset that has every operator as it is used here.
LEAST_OPSET = 13
#: What the graph gives, in order: shapes (n,), (n, k), or (n, k + 1) with noise, and (n,).
OUTPUTS = ("label", "probabilities", "log_prob")
#: Bytes of constants beyond which a model is no longer a message of protobuf's, which ends at 2 GiB.
MOST_BYTES = 2**31 - 2**20
#: Error of a log-density, in nats, above which diagonals are not computed with as products of matrices.
PRODUCT_ERROR = 1e-10
#: The label of the noise.
NOISE = -1


@dataclass(frozen=True, eq=False)
class JointDensity:
    """log w_k N(x | m_k, (U_k U_k')^-1) = c_k - |y_k|^2 / 2, with y_k = U_k'(x - m_k).

    With v = (x - m_k) * scales, y_k is v, or v times `matrices`, or v - (v `down`) `up`. Each array has the
    components first, or one entry that they share.
    """

    #: m_k, shape (k, d).
    means: Float64Array
    #: c_k = log w_k + log |U_k| - d/2 log 2 pi, shape (k,).
    constants: Float64Array
    #: Shape (k, 1, d) or (k, 1, 1).
    scales: Float64Array | None
    #: Shape (k, d, d).
    matrices: Float64Array | None
    #: Shapes (k, d, q) and (k, q, d).
    low_rank: tuple[Float64Array, Float64Array] | None
    #: The joint log-density of the noise, which comes after the components.
    noise: float | None
    #: Rows beyond these, each of shape (d,), are taken to lie on them.
    low: Float64Array
    high: Float64Array

    @property
    def n_features(self) -> int:
        """Number of features d."""
        return int(self.means.shape[1])

    @property
    def n_columns(self) -> int:
        """Number of probabilities of a row: k, and one more with noise."""
        return len(self.means) + (self.noise is not None)


class Writer(Protocol):
    """Who takes the nodes of a graph, and makes up names for what they give."""

    def add_constant(self, values: npt.NDArray[Any]) -> str:
        """The name of an array that the graph holds."""

    def add_node(self, operator: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """The name of what an operator makes of its inputs, `output` where that is given."""


class ModelWriter:
    """The nodes and constants of a graph of our own."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add_constant(self, values: npt.NDArray[Any]) -> str:
        """As :class:`Writer`."""
        from onnx import numpy_helper

        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def add_node(self, operator: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """As :class:`Writer`."""
        from onnx import helper

        name = output or f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name


def write_density(
    writer: Writer,
    density: JointDensity,
    rows: str,
    dtype: npt.DTypeLike,
    arithmetic: npt.DTypeLike,
    outputs: Mapping[str, str],
) -> None:
    """Write the nodes that make labels, probabilities and log-densities of rows.

    Parameters
    ----------
    writer : Writer
    density : JointDensity
    rows : str
        The name of an input of shape (n, d), of numbers of the type `dtype`.
    dtype, arithmetic : dtype-like
        float32 or float64: of rows and results, and of what is computed between.
    outputs : mapping
        The names in the graph of those of `OUTPUTS` that are wanted.
    """
    outer, inner = np.dtype(dtype), np.dtype(arithmetic)
    joint, top = write_joint(writer, density, rows, outer, inner)
    place = writer.add_node("ArgMax", joint, axis=1, keepdims=1)  # the first of equals
    columns = writer.add_constant(np.array([1], dtype=np.int64))
    if "label" in outputs:
        label = writer.add_node("Squeeze", place, columns)
        if density.noise is None:
            writer.add_node("Identity", label, output=outputs["label"])
        else:
            of_noise = writer.add_constant(np.array(len(density.means), dtype=np.int64))
            minus_one = writer.add_constant(np.array(NOISE, dtype=np.int64))
            is_noise = writer.add_node("Equal", label, of_noise)
            writer.add_node("Where", is_noise, minus_one, label, output=outputs["label"])
    if "probabilities" in outputs:
        write_result(writer, write_softmax(writer, joint), outer, outputs["probabilities"])
    if "log_prob" in outputs:
        write_result(writer, write_log_density(writer, joint, top, inner), outer, outputs["log_prob"])


def write_softmax(writer: Writer, joint: str) -> str:
    """Probabilities of joint log-densities, shape (n, columns)."""
    terms, total, _ = write_terms(writer, joint, 1)
    return writer.add_node("Div", terms, total)


def write_log_density(writer: Writer, joint: str, top: float, dtype: np.dtype[Any]) -> str:
    """The log-density, shape (n,), of joint log-densities less `top`."""
    above = writer.add_node("Add", write_log_sum(writer, joint, 1), writer.add_constant(np.array(top, dtype)))
    return writer.add_node("Squeeze", above, writer.add_constant(np.array([1], dtype=np.int64)))


def write_log_sum(writer: Writer, logarithms: str, axis: int) -> str:
    """The logarithm of the sum of exponentials along an axis, which stays with length one."""
    _, total, highest = write_terms(writer, logarithms, axis)
    return writer.add_node("Add", highest, writer.add_node("Log", total))


def write_terms(writer: Writer, logarithms: str, axis: int) -> tuple[str, str, str]:
    """Exponentials of logarithms less their maximum along an axis; the sums of these, and the maxima."""
    place = writer.add_node("ArgMax", logarithms, axis=axis, keepdims=1)
    highest = writer.add_node("GatherElements", logarithms, place, axis=axis)
    terms = writer.add_node("Exp", writer.add_node("Sub", logarithms, highest))
    along = writer.add_constant(np.array([axis], dtype=np.int64))
    return terms, writer.add_node("ReduceSum", terms, along, keepdims=1), highest


def write_result(writer: Writer, name: str, dtype: np.dtype[Any], output: str) -> None:
    """Give numbers out under a name, in a type."""
    writer.add_node("Cast", name, output=output, to=find_type(dtype))


def write_joint(
    writer: Writer, density: JointDensity, rows: str, outer: np.dtype[Any], inner: np.dtype[Any]
) -> tuple[str, float]:
    """The joint log-densities less their largest constant, shape (n, columns), and that constant.

    Constants can be thousands of nats: what tells components apart is small beside them and would be lost.
    """
    rows = writer.add_node("Max", rows, writer.add_constant(_narrow(density.low, outer)))
    rows = writer.add_node("Min", rows, writer.add_constant(_narrow(density.high, outer)))
    if inner != outer:
        rows = writer.add_node("Cast", rows, to=find_type(inner))
    constants = density.constants
    if density.noise is not None:
        constants = np.append(constants, density.noise)
    top = float(constants.max())
    squares = _write_squares(writer, density, rows, inner)
    half = writer.add_constant(np.array(-0.5, dtype=inner))
    joint = writer.add_node("Mul", squares, half)
    if density.noise is not None:  # a last column, whose distance is zero
        pads = writer.add_constant(np.array([0, 0, 0, 1], dtype=np.int64))
        joint = writer.add_node("Pad", joint, pads, writer.add_constant(np.array(0.0, dtype=inner)))
    return writer.add_node("Add", joint, writer.add_constant((constants - top).astype(inner))), top


def _write_squares(writer: Writer, density: JointDensity, rows: str, dtype: np.dtype[Any]) -> str:
    """|y_k|^2 of each row and component, shape (n, k), in a type of numbers."""
    product = None if dtype != np.float64 else _find_product(density)
    if product is not None:
        squares = _write_product(writer, product, rows)
    else:
        squares = _write_centred(writer, density, rows, dtype)
    most = np.array(np.finfo(dtype).max / 8.0, dtype=dtype)  # so that no difference of two is undefined
    return writer.add_node("Min", squares, writer.add_constant(most))


class Product(NamedTuple):
    """|y_k|^2 of diagonals as products of matrices, with z = x - origin: z^2 P - 2 z (P m) + m^2 P."""

    origin: Float64Array
    #: P, shape (d, k).
    precisions: Float64Array
    #: 2 P m, shape (d, k).
    linear: Float64Array
    #: m^2 P, shape (k,).
    constants: Float64Array


def _find_product(density: JointDensity) -> Product | None:
    """The product form in double precision, a fraction of the work, or None where it would lose digits."""
    scales = density.scales
    if scales is None or density.matrices is not None or density.low_rank is not None:
        return None
    origin = density.means.mean(axis=0)
    shifted = (density.means - origin).T
    precisions = np.broadcast_to(scales[:, 0, :], density.means.shape).T ** 2
    constants = (precisions * shifted * shifted).sum(axis=0)
    if np.finfo(np.float64).eps * constants.max() > PRODUCT_ERROR:
        return None
    return Product(origin, precisions, 2.0 * precisions * shifted, constants)


def _write_product(writer: Writer, product: Product, rows: str) -> str:
    origin, precisions, linear, constants = (writer.add_constant(array) for array in product)
    z = writer.add_node("Sub", rows, origin)
    quadratic = writer.add_node("MatMul", writer.add_node("Mul", z, z), precisions)
    apart = writer.add_node("Sub", quadratic, writer.add_node("MatMul", z, linear))
    return writer.add_node("Add", apart, constants)


def _write_centred(writer: Writer, density: JointDensity, rows: str, dtype: np.dtype[Any]) -> str:
    """|y_k|^2 by differences of the rows from each component's own mean.

    The rounding of a mean is taken off after it, so that it costs no digits: near a mean the first difference
    is exact, however far the mean is from zero.
    """

    def hold(values: Float64Array) -> str:
        return writer.add_constant(values.astype(dtype))

    means = density.means[:, None, :]
    v = writer.add_node("Sub", rows, hold(means))
    rest = means - means.astype(dtype)
    if rest.any():
        v = writer.add_node("Sub", v, hold(rest))
    if density.scales is not None:
        v = writer.add_node("Mul", v, hold(density.scales))
    if density.matrices is not None:
        v = writer.add_node("MatMul", v, hold(density.matrices))
    if density.low_rank is not None:
        down, up = density.low_rank
        explained = writer.add_node("MatMul", writer.add_node("MatMul", v, hold(down)), hold(up))
        v = writer.add_node("Sub", v, explained)
    features = writer.add_constant(np.array([2], dtype=np.int64))
    by_component = writer.add_node("ReduceSum", writer.add_node("Mul", v, v), features, keepdims=0)
    return writer.add_node("Transpose", by_component, perm=[1, 0])


def make_model(
    write: Callable[[Writer], None],
    n_features: int,
    dtype: npt.DTypeLike,
    outputs: Sequence[tuple[str, int, list[Any]]],
    *,
    opset: int,
    producer_version: str,
    metadata: Mapping[str, str],
) -> Any:
    """An `onnx.ModelProto` of the nodes that `write` writes, with the input X of shape (n, n_features).

    Parameters
    ----------
    outputs : sequence of (name, type, shape)
        Types are ONNX's numbers.

    Raises
    ------
    ImportError
        If the package onnx is not installed.
    ValueError
        If the opset is one that lacks an operator or that the installed onnx does not know, or the model is
        too large.
    """
    onnx = import_onnx()
    from onnx import helper

    newest = onnx.defs.onnx_opset_version()
    if not LEAST_OPSET <= opset <= newest:
        raise ValueError(f"opset must be from {LEAST_OPSET} to {newest}, which onnx has; got {opset!r}")
    writer = ModelWriter()
    write(writer)
    size = sum(constant.ByteSize() for constant in writer.constants)
    if size > MOST_BYTES:
        raise ValueError(
            f"the model has {size / 2**30:.1f} GiB of constants, and an ONNX model holds 2: compute in "
            "float32 (arithmetic), or fit factor analysers"
        )
    graph = helper.make_graph(
        writer.nodes,
        "gaussian_mixture",
        [helper.make_tensor_value_info("X", find_type(np.dtype(dtype)), ["n", n_features])],
        [helper.make_tensor_value_info(*output) for output in outputs],
        writer.constants,
    )
    opsets = [helper.make_opsetid("", opset)]
    model = helper.make_model(
        graph,
        opset_imports=opsets,
        ir_version=helper.find_min_ir_version_for(opsets),  # which older runtimes read, too
        producer_name="gaussmix",
        producer_version=producer_version,
    )
    helper.set_model_props(model, dict(metadata))
    return model


def import_onnx() -> Any:
    """The package onnx; an ImportError that says how to get it."""
    try:
        import onnx
    except ImportError as error:
        raise ImportError("ONNX files need the package onnx: pip install 'gaussmix[onnx]'") from error
    return onnx


def find_type(dtype: np.dtype[Any]) -> int:
    """ONNX's number of a type."""
    from onnx import helper

    return int(helper.np_dtype_to_tensor_dtype(dtype))


def _narrow(values: Float64Array, dtype: np.dtype[Any]) -> FloatArray:
    """Numbers in a type, the largest of its own for those beyond it."""
    largest = float(np.finfo(dtype).max)
    return np.clip(values, -largest, largest).astype(dtype)
