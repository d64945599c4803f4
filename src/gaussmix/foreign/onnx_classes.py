"""Classes of rows, and rows that are rejected, as operators of ONNX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix._typing import Float64Array
from gaussmix.foreign.onnx import (
    OUTPUTS,
    JointDensity,
    Writer,
    write_joint,
    write_log_density,
    write_log_sum,
    write_result,
    write_softmax,
)


@dataclass(frozen=True, eq=False)
class ClassRule:
    """How classes follow from the joint log-densities of components.

    Log p(x, c) = log sum_k s_kc w_k N(x | mu_k, Sigma_k). Probabilities are
    (1 - floor) softmax(log p(x, c) / temperature) + floor / n_classes.
    """

    #: log s_kc, shape (n_classes, k).
    log_shares: Float64Array
    temperature: float
    floor: float
    #: The classes, shape (n_classes,); last the label of rejected rows, where any can be.
    labels: npt.NDArray[Any]
    #: Rows of a lower log-density, in nats, are rejected; None where none is.
    least_density: float | None
    #: Rows whose likeliest class has a lower probability are rejected; None where none is.
    least_posterior: float | None

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.log_shares)


def write_classes(
    writer: Writer, density: JointDensity, rule: ClassRule, rows: str, dtype: str, arithmetic: str
) -> None:
    """Write the nodes that make classes, their probabilities and log-densities of rows."""
    outer, inner = np.dtype(dtype), np.dtype(arithmetic)
    label, probabilities, log_prob = OUTPUTS

    def hold(values: npt.ArrayLike, kind: npt.DTypeLike = inner) -> str:
        return writer.add_constant(np.array(values, dtype=kind))

    components, top = write_joint(writer, density, rows, outer, inner)
    middle, last = hold([1], np.int64), hold([2], np.int64)
    of_both = writer.add_node("Add", writer.add_node("Unsqueeze", components, middle), hold(rule.log_shares))
    joint = writer.add_node("Squeeze", write_log_sum(writer, of_both, 2), last)
    posterior = write_softmax(writer, writer.add_node("Div", joint, hold(rule.temperature)))
    kept = writer.add_node("Mul", posterior, hold(1.0 - rule.floor))
    of_classes = writer.add_node("Add", kept, hold(rule.floor / rule.n_classes))
    write_result(writer, of_classes, outer, probabilities)
    log_density = write_log_density(writer, joint, top, inner)
    write_result(writer, log_density, outer, log_prob)
    place = writer.add_node("ArgMax", joint, axis=1, keepdims=0)
    rejections = []
    if rule.least_density is not None:
        rejections.append(writer.add_node("Less", log_density, hold(rule.least_density)))
    if rule.least_posterior is not None:
        each = writer.add_node("Unsqueeze", place, middle)
        likeliest = writer.add_node("GatherElements", of_classes, each, axis=1)
        is_low = writer.add_node("Less", likeliest, hold(rule.least_posterior))
        rejections.append(writer.add_node("Squeeze", is_low, middle))
    for rejected in rejections:
        place = writer.add_node("Where", rejected, hold(rule.n_classes, np.int64), place)
    writer.add_node("Gather", writer.add_constant(rule.labels), place, axis=0, output=label)
