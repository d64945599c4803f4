"""Which component or cluster a row belongs to, and how sure that is."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from gaussmix._typing import BoolArray, Float64Array, FloatArray, IntArray
from gaussmix.model.mixture import Mixture

#: The label of rows that are noise.
NOISE = -1
#: The label of rows that a fit left out.
LEFT_OUT = -2


class Labelling(Protocol):
    """Labels of rows, which are asked for some rows at a time."""

    @property
    def n_labels(self) -> int:
        """Labels go from 0 to one less; noise and rows that are left out have negative ones."""

    def label(self, rows: FloatArray, places: slice | IntArray) -> tuple[IntArray, Float64Array]:
        """Labels and uncertainties, both of shape (b,), of these rows, which stand at these places."""


class ByMixture:
    """Each row has the label of its most probable component, or of that component's cluster."""

    def __init__(self, mixture: Mixture, clusters: IntArray, left_out: BoolArray | None) -> None:
        self.mixture = mixture
        self.clusters = clusters
        self.left_out = left_out
        self.n_labels = int(clusters.max()) + 1

    def label(self, rows: FloatArray, places: slice | IntArray) -> tuple[IntArray, Float64Array]:
        """Labels and uncertainties, 1 - max_g sum_{k in g} r_k with r the responsibilities."""
        of_components = self.mixture.responsibilities(rows)
        shares = np.zeros((len(rows), self.n_labels + (self.mixture.noise is not None)))
        for component, cluster in enumerate(self.clusters):
            shares[:, cluster] += of_components[:, component]
        if self.mixture.noise is not None:
            shares[:, -1] = of_components[:, -1]
        labels = shares.argmax(axis=1)
        uncertainty = np.clip(1.0 - shares.max(axis=1), 0.0, 1.0)
        labels[labels == self.n_labels] = NOISE
        if self.left_out is not None:
            labels[self.left_out[places]] = LEFT_OUT
        return labels, uncertainty


class ByValues:
    """Each row has the label that the caller gives."""

    def __init__(self, labels: IntArray, uncertainty: Float64Array | None) -> None:
        self.labels = labels
        self.uncertainty = uncertainty
        self.n_labels = max(int(labels.max(initial=0)) + 1, 1)

    def label(self, rows: FloatArray, places: slice | IntArray) -> tuple[IntArray, Float64Array]:
        """The labels that were given, and the uncertainties, zero where there are none."""
        sure = np.zeros(len(rows))
        return self.labels[places], sure if self.uncertainty is None else self.uncertainty[places]


def read_clusters(clusters: npt.ArrayLike | None, k: int) -> IntArray:
    """The cluster of each component; without any, each component is its own."""
    if clusters is None:
        return np.arange(k)
    array = np.asarray(clusters)
    if array.shape != (k,) or array.dtype.kind not in "iu" or (array < 0).any():
        raise ValueError(
            f"clusters must be {k} integers of at least 0, the cluster of each component; got {clusters!r}"
        )
    return array.astype(np.int64)


def read_labels(labels: npt.ArrayLike, n: int) -> IntArray:
    """One label a row: 0 and up, -1 for noise."""
    array = np.asarray(labels)
    if array.shape != (n,) or array.dtype.kind not in "iu" or (array < NOISE).any():
        raise ValueError(
            f"y_pred must be {n} integers, one a row of X, of which -1 is noise; got an array of shape "
            f"{array.shape} and type {array.dtype}"
        )
    return array.astype(np.int64)


def read_uncertainty(values: npt.ArrayLike | None, n: int) -> Float64Array | None:
    """One number from 0 to 1 a row."""
    if values is None:
        return None
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (n,) or not ((array >= 0.0) & (array <= 1.0)).all():
        raise ValueError(f"uncertainty must be {n} numbers from 0 to 1, one a row of X")
    return array


def read_left_out(values: npt.ArrayLike | None, n: int) -> BoolArray | None:
    """Which rows a trimmed fit left out."""
    if values is None:
        return None
    array = np.asarray(values)
    if array.shape != (n,) or array.dtype != bool:
        raise ValueError(
            f"left_out must be {n} booleans, one a row of X, such as fit_result_.trimmed; got an array of "
            f"shape {array.shape} and type {array.dtype}"
        )
    return array


def compute_margins(mixture: Mixture, clusters: IntArray, rows: FloatArray) -> Float64Array:
    """How much likelier each label is than the likeliest other, in nats; shape (n, labels).

    log sum_{k in g} w_k p_k(x), less the largest of the others. The noise, if any, is the last label. Unlike
    responsibilities these do not saturate far away from the rows.
    """
    weights = mixture.weights if mixture.noise is None else np.append(mixture.weights, mixture.noise.weight)
    with np.errstate(divide="ignore"):
        joint = mixture.component_log_prob(rows) + np.log(weights)
    groups = [np.flatnonzero(clusters == g) for g in range(int(clusters.max()) + 1)]
    if mixture.noise is not None:
        groups.append(np.array([mixture.n_components]))
    heights = np.column_stack([_add_up(joint[:, group]) for group in groups])
    first = heights.max(axis=1)
    second = np.partition(heights, -2, axis=1)[:, -2] if len(groups) > 1 else np.full(len(rows), -np.inf)
    others = np.where(heights == first[:, None], second[:, None], first[:, None])
    margins: Float64Array = heights - others
    return margins


def _add_up(joint: FloatArray) -> Float64Array:
    if not joint.shape[1]:
        return np.full(len(joint), -1e30)
    total: Float64Array = logsumexp(joint, axis=1).astype(np.float64)
    return np.maximum(total, -1e30)
