"""Which features tell clusters apart: a search that takes and drops one feature at a time, by BIC."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from gaussmix._check import read_count
from gaussmix._reading.rows import read_named_rows, refuse_other_names
from gaussmix._text import count_noun, make_html_notes, make_html_table, make_text_table, shorten
from gaussmix.clusters.selector import SelectionStep, Selector, apply_step, choose_clusters, iterate_steps
from gaussmix.fit.arguments import read_named, read_rows
from gaussmix.fit.result import FitResult
from gaussmix.model.mixture.printing import default_names
from gaussmix.select.many_models import read_numbers
from gaussmix.select.search_result import SearchResult

#: Characters of a feature's name in a table.
MOST_NAME = 24


@dataclass(frozen=True, eq=False, repr=False)
class FeatureSelection:
    """The outcome of :func:`gaussmix.select_features`; printed, a table of the steps.

    Parameters
    ----------
    selected : tuple of int
        The places of the features that tell clusters apart, in the order in which they were taken.
    history : tuple of SelectionStep
    feature_names : tuple of str
        Of all columns.
    search : SearchResult or None
        The models of the selected features, in this order, those of one component among them if that was
        asked for; None where no feature was selected.
    best : FitResult or None
        The fit of least BIC among them, but for those with a component on rows of one value.
    """

    selected: tuple[int, ...]
    history: tuple[SelectionStep, ...]
    feature_names: tuple[str, ...]
    search: SearchResult | None
    best: FitResult | None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the selected features."""
        return tuple(self.feature_names[place] for place in self.selected)

    def transform(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        """The selected columns of X, shape (n, d), in their order."""
        array, names = read_named_rows(X)
        known = self.feature_names
        refuse_other_names(names, None if known == default_names(len(known)) else known)
        if array.ndim != 2 or array.shape[1] != len(self.feature_names):
            raise ValueError(
                f"X must have the {count_noun(len(self.feature_names), 'column')} of the selection; got the "
                f"shape {array.shape}"
            )
        chosen: npt.NDArray[Any] = array[:, list(self.selected)]
        return chosen

    def __repr__(self) -> str:
        return "\n".join([make_text_table(self._write_rows()), *self._write_notes()])

    def _repr_html_(self) -> str:
        return make_html_table(self._write_rows()) + make_html_notes(self._write_notes())

    def _write_rows(self) -> list[list[str]]:
        rows = [["step", "feature", "BIC difference", "BIC", "model", ""]]
        for step in self.history:
            model = f"{step.covariance_type}, {step.n_components}" if step.n_components else "-"
            bic = f"{step.bic:.1f}" if math.isfinite(step.bic) else "-"
            outcome = "accepted" if step.accepted else "rejected"
            name = shorten(step.name, MOST_NAME)
            rows.append([step.action, name, f"{step.difference:.1f}", bic, model, outcome])
        return rows

    def _write_notes(self) -> list[str]:
        if not self.selected:
            return ["Selected: none. No feature tells clusters apart."]
        lines = [f"Selected: {', '.join(shorten(name, MOST_NAME) for name in self.names)}."]
        if self.best is not None and self.best.mixture.n_components == 1:
            lines.append("One component fits them best: there may be no clusters.")
        return lines


def select_features(
    X: npt.ArrayLike,
    n_components: int | Iterable[int] = range(1, 10),
    *,
    covariance_type: str | Sequence[str] = "all",
    max_features: int | None = None,
    max_candidates: int = 5,
    max_steps: int = 100,
    least_difference: float = 0.0,
    sample_weight: npt.ArrayLike | None = None,
    feature_names: Sequence[str] | None = None,
    random_state: Any = 0,
    on_step: Callable[[SelectionStep], bool | None] | None = None,
) -> FeatureSelection:
    """Find the features that tell clusters apart, one at a time, by BIC.

    A feature x_j either tells clusters apart together with the selected ones S, or, given S, it is a
    regression on some of them and says nothing more of the clusters. The evidence for the first is::

        BIC(clusters by S) + BIC(x_j regressed on the best subset of S) - BIC(clusters by S and x_j)

    The search takes the feature with most evidence, then drops the one with least if that is not positive,
    and so on until nothing changes. The first two are taken in any case, since two may cluster where neither
    does alone; they may be dropped again.

    Parameters
    ----------
    X : array-like or data frame of shape (n, d)
    n_components : int or iterable of int
        Clusters are of the numbers over one. One component, if among them, takes part at the end alone, in
        the search of the selected features.
    covariance_type : str or sequence of str
        As for :func:`gaussmix.search`; of a single feature always E and V.
    max_features : int, optional
        The search ends at so many.
    max_candidates : int, default=5
        In each step, all models are fitted for at most so many features. Of more, those that one quick fit
        each finds best, and those that tell most apart alone.
    max_steps : int, default=100
    least_difference : float, default=0.0
        Evidence that a feature must exceed to be taken, and to stay.
    sample_weight : array-like of shape (n,), optional
    feature_names : sequence of str, optional
    random_state : int, RandomState or Generator, default=0
        Of the searches.
    on_step : callable, optional
        Called with each :class:`gaussmix.SelectionStep`; True ends the search.

    Returns
    -------
    FeatureSelection

    Raises
    ------
    ValueError
        If an argument is wrong, or no feature varies.

    References
    ----------
    A. E. Raftery and N. Dean, Variable selection for model-based clustering, J. Am. Stat. Assoc. 101 (2006)
    168-178.
    C. Maugis, G. Celeux and M.-L. Martin-Magniette, Variable selection for clustering with Gaussian mixture
    models, Biometrics 65 (2009) 701-709.
    L. Scrucca and A. E. Raftery, clustvarsel: a package implementing variable selection for Gaussian
    model-based clustering in R, J. Stat. Softw. 84 (2018) 1.

    Examples
    --------
    >>> import numpy as np, gaussmix
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(150, 4))
    >>> X[:75, [1, 3]] += 4.0                    # two groups of rows, in two of the features
    >>> found = gaussmix.select_features(X, range(1, 4), covariance_type=["EEI", "VVV"])
    >>> sorted(found.selected), found.best.mixture.n_components
    ([1, 3], 2)
    """
    values, given = read_named(X, feature_names)
    rows = read_rows(values, sample_weight, 2)
    d = rows.shape[1]
    numbers = tuple(read_numbers(n_components))
    if max(numbers) < 2:
        raise ValueError(f"n_components must have a number of clusters over 1; got {sorted(numbers)}")
    for name, value in (("max_candidates", max_candidates), ("max_steps", max_steps)):
        read_count(value, name)
    if max_features is not None:
        read_count(max_features, "max_features")
    if not math.isfinite(least_difference):
        raise ValueError(f"least_difference must be a finite number; got {least_difference!r}")
    names = tuple(given or default_names(d))
    options = {"covariance_type": covariance_type, "random_state": random_state}
    selector = Selector(rows, names, numbers, options, max_candidates)
    if not selector.varying:
        raise ValueError("no feature varies: there is nothing to select")
    history: list[SelectionStep] = []
    selected: list[int] = []
    for step in iterate_steps(selector, d if max_features is None else max_features, least_difference):
        history.append(step)
        selected = apply_step(step, selected)
        if len(history) >= max_steps or (on_step is not None and on_step(step)):
            break
    result = selector.search(selected, numbers) if selected else None
    best = None if result is None else choose_clusters(result).fit
    return FeatureSelection(tuple(selected), tuple(history), names, result, best)
