"""A criterion of many models, printed as mclust does: a column for each family, a row for each k."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaussmix._text import GAP, count_noun, make_html_notes, make_html_table, make_text_table
from gaussmix._typing import Float64Array
from gaussmix.select.criteria import BIC, Criterion

#: Columns of text that a block of the table may have.
WIDTH = 100
#: The mark of a model of which every start collapsed.
FAILED = "-"
#: The mark of a model with a collapsed component, whose criterion says nothing.
COLLAPSED = "x"
#: The mark of a model that was not fitted; a search says why in `skipped`.
SKIPPED = "."
REASONS = {
    COLLAPSED: "a component collapsed",
    FAILED: "every start collapsed",
    SKIPPED: "not fitted (`skipped` of the search says why)",
}


@dataclass(frozen=True, eq=False, repr=False)
class CriterionTable:
    """A criterion of many models.

    Parameters
    ----------
    families : tuple of str
        The columns: covariance types.
    n_components : tuple of int
        The rows.
    values : ndarray of shape (len(n_components), len(families))
        The criterion; NaN where a model was not fitted, failed, or has a component that collapsed, whose
        likelihood says nothing. Read-only.
    failed : ndarray of bool, of the same shape
        Where every start collapsed, so that there is no fit at all.
    skipped : ndarray of bool, of the same shape
        What was not fitted.
    criterion : Criterion
    chosen : (str, int), optional
        The model that was chosen, where that is not simply the best value.

    See Also
    --------
    FittedMixtures.bic_table : makes one of BIC
    SearchResult.criterion_table : makes one of any criterion

    References
    ----------
    C. Fraley and A. E. Raftery, How many clusters? Which clustering method? Answers via model-based cluster
    analysis, The Computer Journal 41 (1998) 578-588.

    Examples
    --------
    >>> import numpy as np, gaussmix
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> X[:30] += 9.0
    >>> models = gaussmix.fit_mixtures(X, range(1, 3), covariance_type=["EII", "VVI", "VVV"])
    >>> table = models.bic_table()
    >>> table
    BIC (lower is better)
    k     EII     VVI     VVV
    1   718.9   722.8   567.8
    2   434.7   444.2   444.0
    Best: EII with 2 components, 434.7.
    >>> round(table["VVV", 2], 1), table.best
    (444.0, ('EII', 2))
    """

    families: tuple[str, ...]
    n_components: tuple[int, ...]
    values: Float64Array
    failed: NDArray[np.bool_]
    skipped: NDArray[np.bool_]
    criterion: Criterion = BIC
    chosen: tuple[str, int] | None = None

    @classmethod
    def of(
        cls,
        keys: Sequence[tuple[str, int]],
        values: Mapping[tuple[str, int], float],
        failures: Container[tuple[str, int]],
        skipped: Container[tuple[str, int]] = (),
        criterion: Criterion = BIC,
        chosen: tuple[str, int] | None = None,
    ) -> CriterionTable:
        """The table of these models; those without a value have a component that collapsed."""
        families = tuple(dict.fromkeys(name for name, _ in keys))
        numbers = tuple(sorted({k for _, k in keys}))

        def tabulate(find: Callable[[tuple[str, int]], float | bool]) -> NDArray[Any]:
            array = np.array([[find((name, k)) for name in families] for k in numbers])
            array.setflags(write=False)
            return array

        return cls(
            families,
            numbers,
            tabulate(lambda key: values.get(key, math.nan)),
            tabulate(lambda key: key in failures),
            tabulate(lambda key: key in skipped),
            criterion,
            chosen,
        )

    def __getitem__(self, model: tuple[str, int]) -> float:
        family, k = model
        if family not in self.families or k not in self.n_components:
            raise KeyError(model)
        return float(self.values[self.n_components.index(k), self.families.index(family)])

    @property
    def best(self) -> tuple[str, int] | None:
        """The model that was chosen, or the first of the best value; None where none is sound."""
        if self.chosen is not None or np.isnan(self.values).all():
            return self.chosen
        # Families first, as fits are in order: the first of equals is that of FittedMixtures.best.
        column, row = np.unravel_index(np.nanargmax(self.criterion.sign * self.values.T), self.values.T.shape)
        return self.families[column], self.n_components[row]

    def __repr__(self) -> str:
        cells = self._write_cells()
        widths = [max(len(row[j]) for row in cells) + len(GAP) for j in range(len(cells[0]))]
        blocks, first = [], 1
        while first < len(widths):
            last = first + 1
            while last < len(widths) and widths[0] + sum(widths[first : last + 1]) <= WIDTH:
                last += 1
            blocks.append(make_text_table([[row[0], *row[first:last]] for row in cells]))
            first = last
        return "\n".join([self.criterion.heading, "\n\n".join(blocks), *self._write_notes()])

    def _repr_html_(self) -> str:
        return make_html_table(self._write_cells(), self.criterion.heading) + make_html_notes(
            self._write_notes()
        )

    def _write_cells(self) -> list[list[str]]:
        """The table as text, its header first."""
        decimals = self._count_decimals()
        rows = [
            [str(k), *(self._write_cell(row, column, decimals) for column in range(len(self.families)))]
            for row, k in enumerate(self.n_components)
        ]
        return [["k", *self.families], *rows]

    def _write_cell(self, row: int, column: int, decimals: int) -> str:
        if self.failed[row, column]:
            return FAILED
        if self.skipped[row, column]:
            return SKIPPED
        value = self.values[row, column]
        return COLLAPSED if np.isnan(value) else f"{value:.{decimals}f}"

    def _count_decimals(self) -> int:
        """One, more where values are so close to zero that it would not tell them apart."""
        largest = np.abs(self.values[np.isfinite(self.values)]).max(initial=0.0)
        return 1 if largest >= 100.0 or largest == 0.0 else min(6, 3 - math.floor(math.log10(largest)))

    def _write_notes(self) -> list[str]:
        cells = {cell for row in self._write_cells()[1:] for cell in row[1:]}
        lines = [f"{mark}: {reason}." for mark, reason in REASONS.items() if mark in cells]
        if self.best is None:
            return [*lines, "No model is sound."]
        family, k = self.best
        value = f"{self[family, k]:.{self._count_decimals()}f}"
        return [f"Best: {family} with {count_noun(k, 'component')}, {value}.", *lines]


#: The name that the table of BIC alone had.
BICTable = CriterionTable
