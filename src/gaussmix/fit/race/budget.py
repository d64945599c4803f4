"""The cost of a race, by a formula and never by the clock: the same fit is the same everywhere.

The unit is a microsecond, or about one, on one core; only ratios matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from gaussmix.engines import Engine

#: How hard to look for the highest peak of the likelihood.
Effort = Literal["fast", "auto", "thorough"]

#: A race may cost so many times what a plain fit from one k-means start does.
TIMES: dict[Effort, float] = {"fast": 1.0, "auto": 6.0, "thorough": 70.0}

#: Calls of NumPy in an iteration, however many mixtures make it side by side.
CALLS = 110.0
#: The proposal of an accelerated iteration.
PROPOSAL = 200.0
#: Calls that make a start, or a move.
START = 130.0
#: A seed of a start, for each row.
SEED = 1.5e-2
#: A seed of a start, for each row and feature.
SEED_FEATURE = 1e-3
#: An exponential in an iteration, for each row and component.
EXPONENTIAL = 3e-3
#: Two products in an iteration, for each row, component and number of T(z).
PRODUCT = 1.6e-4
#: Calls of LAPACK in an M-step, for each matrix.
FACTOR = 4.0
#: Calls of LAPACK in an M-step, for each row of a matrix.
FACTOR_ROW = 0.5
#: An eigendecomposition, for each d^3.
EIGEN = 6e-3
#: A plain fit: checks and calls of its k-means.
PLAIN_START = 1500.0
#: Distances of its k-means, for each row and component.
DISTANCE = 4e-2
#: Distances of its k-means, for each row, component and feature.
DISTANCE_FEATURE = 4e-3
#: Calls of an iteration of it.
PLAIN_CALLS = 130.0
#: An exponential, for each row and component.
PLAIN_EXPONENTIAL = 3.5e-2
#: Products, for each row, component and feature.
PLAIN_PRODUCT = 1e-3
#: Further calls for each component that has a matrix.
MATRIX_CALLS = 20.0
#: PLAIN_EXPONENTIAL where components have matrices.
MATRIX_EXPONENTIAL = 8e-2
#: PLAIN_PRODUCT where components have matrices.
MATRIX_PRODUCT = 4e-3
#: Iterations inside an M-step of covariances that share a part: programs that have them take longer.
COUPLED = 500.0


def cost_iteration(rows: Engine, k: int, n_mixtures: int = 1, *, held: bool = False) -> float:
    """An iteration of so many mixtures of k components side by side over the rows.

    `held` is whether variances are held at the floor, which takes eigendecompositions.
    """
    (n, d), n_components = rows.rows.shape, n_mixtures * k
    cost: float = CALLS + n_components * n * (EXPONENTIAL + PRODUCT * rows.form.n_features(d))
    if rows.form.general:  # one for all of a mixture where they share it
        n_matrices = n_mixtures if rows.form.shared else n_components
        cost += n_matrices * (FACTOR + FACTOR_ROW * d + (EIGEN * d**3 if held else 0.0))
    return cost


def cost_start(rows: Engine, k: int) -> float:
    """Of a start: the distances of its seeds."""
    n, d = rows.rows.shape
    return float(START + n * k * (SEED + SEED_FEATURE * d))


def cost_plain_fit(rows: Engine, k: int, n_iter: int) -> float:
    """One start of k-means and so many iterations as textbooks have them: what a race is measured by."""
    n, d = rows.rows.shape
    start = PLAIN_START + n * k * (DISTANCE + DISTANCE_FEATURE * d)
    if rows.form.general:
        each = PLAIN_CALLS + MATRIX_CALLS * k + n * k * (MATRIX_EXPONENTIAL + MATRIX_PRODUCT * d)
    else:
        each = PLAIN_CALLS + n * k * (PLAIN_EXPONENTIAL + PLAIN_PRODUCT * d)
    if rows.structure.coupled:
        each += COUPLED
    return float(start + n_iter * each)


@dataclass
class Budget:
    """The budget of a race over some rows; spending lowers `left`."""

    rows: Engine
    k: int
    #: Whether variances are held at the floor.
    held: bool
    left: float

    def spend_starts(self, n_starts: int) -> None:
        """Lower `left` by the cost of so many starts or moves."""
        self.left -= n_starts * cost_start(self.rows, self.k)

    def cost_iterations(self, n_iter: int, n_mixtures: int) -> float:
        """The cost of so many mixtures that make so many iterations side by side."""
        return n_iter * cost_iteration(self.rows, self.k, n_mixtures, held=self.held)

    def cost_polish(self, n_iter: int, rows: Engine) -> float:
        """The cost of so many accelerated iterations of a mixture over some rows."""
        return n_iter * (PROPOSAL + cost_iteration(rows, self.k, held=self.held))

    def count_affordable(self, n_iter: int, most: int) -> int:
        """The number of mixtures that the budget allows to begin and go so many iterations side by side."""
        fixed = n_iter * CALLS
        each = cost_start(self.rows, self.k) + self.cost_iterations(n_iter, 1) - fixed
        return int(np.clip((self.left - fixed) / each, 0, most))
