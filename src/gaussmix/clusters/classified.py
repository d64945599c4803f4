"""What merging needs to know of rows: the responsibilities of those that are not clear-cut."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from gaussmix._reading.rows import read_rows, read_sample_weight
from gaussmix._typing import Float64Array
from gaussmix.model.mixture import Mixture

#: Responsibilities that miss one by less say nothing of which components overlap.
CLEAR = 1e-12
#: Rows that are looked at together.
ROWS_AT_A_TIME = 65_536


@dataclass(frozen=True, eq=False)
class Classified:
    """The responsibilities of rows that more than one component may have made, and sums over all rows."""

    #: Shape (k, m), a component a row: those of the components, without the noise.
    responsibilities: Float64Array
    #: Shape (m,): weights of these rows.
    weights: Float64Array
    #: Shape (k,): the weight of all rows by component.
    counts: Float64Array
    #: The part of the entropy of all rows that is due to the noise, which is never merged.
    entropy_of_noise: float

    @classmethod
    def of(cls, mixture: Mixture, X: npt.ArrayLike, sample_weight: Any) -> Self:
        """The rows of X, shape (n, d), under a mixture; memory is needed for the overlapping rows alone."""
        rows, _ = read_rows(X, mixture.n_features, names=mixture.feature_names)
        given = read_sample_weight(sample_weight, len(rows))
        weights = np.ones(len(rows)) if given is None else given
        k, counts, of_noise = mixture.n_components, np.zeros(mixture.n_components), 0.0
        found: list[tuple[Float64Array, Float64Array]] = []
        for start in range(0, len(rows), ROWS_AT_A_TIME):
            part = slice(start, start + ROWS_AT_A_TIME)
            R = mixture.responsibilities(rows[part]).astype(np.float64)
            counts += weights[part] @ R[:, :k]
            of_noise -= float(weights[part] @ multiply_by_log(R[:, k:]).sum(axis=1))
            overlap = R.max(axis=1) < 1.0 - CLEAR
            found.append((R[overlap, :k].T, weights[part][overlap]))
        if not counts.any():
            raise ValueError("X has no row of any component: there is nothing to merge by")
        columns, masses = zip(*found, strict=True)
        return cls(np.concatenate(columns, axis=1), np.concatenate(masses), counts, of_noise)

    @property
    def entropy(self) -> float:
        """-sum_i w_i sum_k t_ik log t_ik of all rows, in nats."""
        return self.entropy_of_noise - float(self.sums_by_log.sum())

    @cached_property
    def sums_by_log(self) -> Float64Array:
        """sum_i w_i t_ik log t_ik of each component, shape (k,)."""
        return np.array([self.weights @ multiply_by_log(row) for row in self.responsibilities])

    def merge(self, first: int, second: int) -> Classified:
        """The same rows with the second component counted to the first; those after it move up."""
        R, counts = (np.delete(array, second, axis=0) for array in (self.responsibilities, self.counts))
        R[first] += self.responsibilities[second]
        counts[first] += self.counts[second]
        return Classified(R, self.weights, counts, self.entropy_of_noise)


def multiply_by_log(values: Float64Array) -> Float64Array:
    """Values times their logarithms; zero where a value is zero."""
    return np.asarray(values * np.log(values, out=np.zeros_like(values), where=values > 0.0))
