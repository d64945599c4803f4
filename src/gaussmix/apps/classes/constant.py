"""Constant columns: they say nothing of classes, so a fit leaves them out and puts them back at the end."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gaussmix._typing import Float64Array, IntArray
from gaussmix.apps.classes.labelled import LabelledRows
from gaussmix.model.mixture import Mixture


@dataclass(frozen=True, eq=False)
class Constant:
    """The columns of one value in all rows.

    A mixture has them with the same variance in all components, so that a new value, too, speaks for no
    class.
    """

    #: The constant columns, and all others.
    columns: IntArray
    varying: IntArray
    #: The values of the constant columns.
    values: Float64Array

    def leave_out(self, data: LabelledRows) -> LabelledRows:
        """The rows without these columns."""
        values = np.ascontiguousarray(data.rows.array[:, self.varying])
        return replace(data, rows=replace(data.rows, values=values))

    def complete(self, inner: Mixture) -> Mixture:
        """The mixture of all columns; a constant one has the square of its size for a variance, or one."""
        k, d = inner.n_components, len(self.columns) + len(self.varying)
        variances = np.where(self.values != 0.0, self.values, 1.0) ** 2
        means = np.empty((k, d))
        means[:, self.varying], means[:, self.columns] = inner.means, self.values
        structure = inner.structure
        matrices = np.zeros((k, d, d))
        matrices[:, self.varying[:, None], self.varying] = inner.dense_covariances
        matrices[:, self.columns, self.columns] = variances
        each = matrices if structure.form.general else np.diagonal(matrices, axis1=1, axis2=2).copy()
        stack = each[:1] if structure.shared else each
        return inner.replace(means=means, covariance_stack=stack, roots=structure.find_roots(stack))


def find_constant(data: LabelledRows) -> Constant | None:
    """The constant columns, fewer than all; None where there are none."""
    X = data.rows.array
    same = (X[0] == X).all(axis=0)
    if not same.any() or same.all():
        return None
    columns = np.flatnonzero(same)
    return Constant(columns, np.flatnonzero(~same), X[0, columns].astype(np.float64))
