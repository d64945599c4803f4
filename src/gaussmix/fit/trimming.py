"""Trimming: an engine that leaves a share of the weight out of each pass, the rows of lowest density.

It is a policy of weights, for any engine: that is asked for a quantile of the log-density, and to count the
rows above it. EM and the M-step know nothing of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import RandomState

from gaussmix._typing import Float64Array, IntArray
from gaussmix.engines import Engine, Quantile
from gaussmix.model.kernels.natural import HasNatural
from gaussmix.model.mixture import Mixture
from gaussmix.model.moments.statistics import Pass

#: A product of share and weight this near to a whole number is one, but for rounding.
WHOLE = 1e-9


class Trimmed:
    """The rows of an engine, of which each pass keeps those of highest density.

    Of all weights v_i in [0, w_i] that sum to (1 - trim) sum_i w_i, it passes those that maximise
    sum_i v_i log p(x_i). Rows at the border lose the same share of their weight, so that neither the order of
    rows nor copies in place of weights make a difference. What needs no densities is of all rows.

    Parameters
    ----------
    engine : Engine
    trim : float
        The share of the weight that is left out.
    """

    def __init__(self, engine: Engine, trim: float) -> None:
        self.engine, self.trim = engine, trim
        self.rows, self.structure, self.form = engine.rows, engine.structure, engine.form
        self.frame, self.scales = engine.frame, engine.scales
        self.accumulate_given, self.find_means = engine.accumulate_given, engine.find_means
        self.evaluate, self.find_quantile = engine.evaluate, engine.find_quantile
        self.left_out = find_amount(trim, engine.weight)
        #: The weight that counts in a pass.
        self.weight = engine.weight - self.left_out
        #: How many rows that is.
        self.n_rows = engine.n_rows * (self.weight / engine.weight)

    def accumulate(self, mixture: HasNatural, **options: Any) -> Pass:
        """One pass over the rows of highest density; terms do not count in that density."""
        return self.engine.accumulate(mixture, above=self._find_border(mixture), **options)

    def accumulate_groups(self, joined: Mixture) -> None:
        """None: mixtures side by side would each leave out rows of its own."""

    def find_kept(self, mixture: HasNatural) -> Float64Array:
        """The weight of each row that a pass of this mixture does not leave out, shape (n,)."""
        densities = self.engine.evaluate(mixture, "log_prob")
        return self._find_border(mixture).weigh_above(densities, self.rows.masses)

    def take(self, places: IntArray) -> Engine:
        """The rows at some places, of which passes leave out the same share."""
        return Trimmed(self.engine.take(places), self.trim)

    def sample(self, most: int, rng: RandomState | None = None) -> Engine:
        """A sample, of which passes leave out the same share."""
        part = self.engine.sample(most, rng)
        return self if part is self.engine else Trimmed(part, self.trim)

    def _find_border(self, mixture: HasNatural) -> Quantile:
        return self.engine.find_quantile(mixture, self.left_out)


def find_amount(trim: float, total: float) -> float:
    """The weight to be left out of a total: trim times that, and a whole number where rounding hides one."""
    amount = trim * total
    nearest = float(np.rint(amount))
    return nearest if abs(amount - nearest) <= WHOLE * max(1.0, nearest) else amount
