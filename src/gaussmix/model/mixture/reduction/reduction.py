"""A mixture with fewer components: to a number or a loss, and what became of each component."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar, get_args

import numpy as np

from gaussmix import _check
from gaussmix._typing import Float64Array, IntArray
from gaussmix.model.mixture.pairs.divergences import measure_divergences
from gaussmix.model.mixture.parts import Parts
from gaussmix.model.mixture.reduction.cloud import Cloud
from gaussmix.model.mixture.reduction.merging import merge_groups
from gaussmix.model.mixture.reduction.pairs import LightestPairs, NearestPairs, Pairs
from gaussmix.model.mixture.reduction.refining import refine_groups

ReductionMethod = Literal["runnalls", "salmond", "west"]

M = TypeVar("M", bound=Parts)


@dataclass(frozen=True, eq=False)
class Reduction(Generic[M]):
    """A mixture with fewer components, and where each component went.

    Parameters
    ----------
    mixture : Mixture
        The reduced mixture of m components.
    labels : ndarray of shape (k,)
        The component of it that each component of the original became a part of; -1 for one of no weight.
    loss : float
        sum_i w_i KL(f_i || g_label(i)), in nats: KL(original || reduced) is at most this.
    losses : ndarray
        That loss with k, k - 1, ..., m components on the way of the merges; without those of no weight.
        A refinement comes after the last, and makes it no greater.

    References
    ----------
    A. R. Runnalls, Kullback-Leibler approach to Gaussian mixture reduction, IEEE Trans. Aerosp. Electron.
    Syst. 43 (2007) 989-999.

    Examples
    --------
    >>> import gaussmix
    >>> mixture = gaussmix.Mixture([0.3, 0.2, 0.5], [[0.0], [0.5], [9.0]], [1.0, 1.0, 1.0], "spherical")
    >>> reduction = mixture.find_reduction(2)
    >>> reduction.labels.tolist(), reduction.loss < 0.02
    ([0, 0, 1], True)
    """

    mixture: M
    labels: IntArray
    loss: float
    losses: Float64Array

    def __post_init__(self) -> None:
        for array in (self.labels, self.losses):
            array.setflags(write=False)

    def __repr__(self) -> str:
        k, m = len(self.labels), self.mixture.n_components
        return f"Reduction({k} to {m} components, loss={self.loss:.4g})"


def find_reduction(
    mixture: M, n_components: Any, max_loss: Any, method: ReductionMethod, *, refine: bool
) -> Reduction[M]:
    """Merge two by two, by a rule, until a number of components or a loss is reached; then refine."""
    least, most_loss = _read_target(n_components, max_loss)
    if method not in get_args(ReductionMethod):
        known = ", ".join(map(repr, get_args(ReductionMethod)))
        raise ValueError(f"method must be one of {known}; got {method!r}")
    if mixture.weights.sum() <= 0.0:
        raise ValueError("all weights of the Gaussians are zero: there is nothing to reduce")
    if mixture.n_components <= least:
        labels = np.arange(mixture.n_components)
        return Reduction(mixture, labels, 0.0, np.zeros(1))
    cloud = Cloud(mixture)
    losses = merge_components(cloud, _make_pairs(cloud, method), least, most_loss)
    labels = cloud.find_labels()
    if refine:
        labels = refine_groups(mixture, labels, cloud.n)
    merged = merge_groups(mixture, labels, cloud.n)
    loss = float(losses[-1])
    if refine:
        kept = np.flatnonzero(labels >= 0)
        divergences = measure_divergences(mixture, merged)[kept, labels[kept]]
        loss = float(mixture.weights[kept] @ divergences)
    return Reduction(merged, labels, loss, losses)


def merge_components(cloud: Cloud, pairs: Pairs, least: int, most_loss: float) -> Float64Array:
    """Merge until so many are left, or the next merge would lose too much; the loss after each merge."""
    losses = [0.0]
    while cloud.n > least:
        first, second = pairs.find()
        loss = losses[-1] + float(cloud.measure_losses(first, slice(second, second + 1))[0])
        if loss > most_loss:
            break
        cloud.merge(first, second)
        losses.append(loss)
        if cloud.n > least:
            pairs.note_merge(first, second)
    return np.array(losses)


def _make_pairs(cloud: Cloud, method: ReductionMethod) -> Pairs:
    if method == "west":
        return LightestPairs(cloud)
    return NearestPairs(cloud, cloud.measure_losses if method == "runnalls" else cloud.measure_joining)


def _read_target(n_components: Any, max_loss: Any) -> tuple[int, float]:
    """The least number of components, and the most loss."""
    if n_components is None and max_loss is None:
        raise ValueError("give n_components, how many to keep, or max_loss, how many nats to lose at most")
    if max_loss is not None:
        _check.refuse_negative(max_loss, "max_loss")
    least = 1 if n_components is None else _check.read_count(n_components, "n_components")
    return least, np.inf if max_loss is None else float(max_loss)
