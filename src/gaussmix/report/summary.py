"""From models and rows to what a page says: a frozen value of plain words and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix._reading.rows import read_named_rows, read_sample_weight, refuse_other_names
from gaussmix._text import count_noun
from gaussmix._typing import IntArray
from gaussmix.data.rows import Rows
from gaussmix.fit.arguments import read_rows
from gaussmix.fit.result import FitResult
from gaussmix.model.covariance import get_structure
from gaussmix.model.mixture.printing import default_names
from gaussmix.report.errors import ErrorsRequest, find_errors
from gaussmix.report.features import (
    Feature,
    choose_features,
    describe_features,
    round_column,
)
from gaussmix.report.grid import Grid, read_grid
from gaussmix.report.models import Sample, count_affordable, describe_model
from gaussmix.report.recipe import list_facts, write_snippet
from gaussmix.select.families import Key
from gaussmix.select.verdict import describe_groups

#: Differences of information criteria up to which a cell has each shade.
SHADES = ((0.0, "g0"), (2.0, "g1"), (6.0, "g2"), (10.0, "g3"), (50.0, "g4"))


@dataclass(frozen=True, eq=False)
class Summary:
    """All that a page says.

    Parameters
    ----------
    title, subtitle : str
    verdict : tuple of str
        Sentences.
    grid : Grid
    features : tuple of Feature
        Those that are shown.
    sample : Sample
    models : tuple of dict
        One for each model of the grid, in its order: what it is called, its facts, and if it was fitted, all
        that :func:`gaussmix.report.models.describe_model` says of it.
    recipe : tuple of (str, str)
        Facts of how it was made.
    command, snippet : str
        How to make it again.
    names : tuple of str
        Of all features of the rows.
    ranked : bool
        Whether the features shown are those that tell components apart most, and not as the caller wants.
    """

    title: str
    subtitle: str
    verdict: tuple[str, ...]
    grid: Grid
    features: tuple[Feature, ...]
    sample: Sample
    models: tuple[dict[str, Any], ...]
    recipe: tuple[tuple[str, str], ...]
    command: str
    snippet: str
    names: tuple[str, ...]
    ranked: bool

    @property
    def most_components(self) -> int:
        """The largest number of components of a model."""
        return max(fit.mixture.n_components for fit in self.grid.fits.values())

    def list_rows(self) -> dict[str, Any]:
        """The rows in the page, a list for each column, and those that are listed in a table, by number."""
        sample = self.sample
        columns = [round_column(sample.values[:, f.position], f) for f in self.features]
        numbers = sorted({worst[0] for model in self.models for worst in model.get("worst", ())})
        places = np.searchsorted(sample.numbers, numbers)
        values = np.asarray(sample.rows.take(places).array, dtype=np.float64)
        listed = [round_column(values[:, f.position], f) for f in self.features]
        return {
            "numbers": sample.numbers[sample.places].tolist(),
            "columns": columns,
            "listed": {
                str(number): list(row) for number, row in zip(numbers, zip(*listed, strict=True), strict=True)
            },
            "total": len(sample.numbers),
            "complete": sample.complete,
        }


def summarise(
    model: Any,
    X: npt.ArrayLike,
    *,
    feature_names: Sequence[str] | None,
    sample_weight: npt.ArrayLike | None,
    features: Sequence[int | str] | None,
    verdict: Sequence[str] | None,
    source: str | None,
    command: str | None,
    options: Mapping[str, Any] | None,
    title: str | None,
    errors: ErrorsRequest,
) -> Summary:
    """The summary of the arguments of :func:`gaussmix.write_report`."""
    values, own = read_named_rows(X)
    rows, numbers, n_given = _read_rows(values, sample_weight)
    grid = read_grid(model, rows)
    first = grid.fits[grid.shown_first]
    d = first.mixture.n_features
    if rows.shape[1] != d:
        raise ValueError(f"X must have the {d} columns that the model was fitted to; got {rows.shape[1]}")
    names = _find_names(own, feature_names, first)
    positions = choose_features(names, features, first.mixture)
    shown = describe_features(rows, positions, names, first.mixture)
    sample = Sample.draw(rows, numbers, n_given, count_affordable(len(grid.fits), len(shown)))
    columns = find_errors(errors, rows, first)
    keys = [(family, k) for family in grid.families for k in grid.numbers]
    keys = [key for key in keys if key in grid.fits or key in grid.reasons]
    of_first = {"errors": columns.describe(shown), "errorsNote": columns.note}
    return Summary(
        title=title or ("Gaussian mixture" if source is None else f"Gaussian mixture of {source}"),
        subtitle=_write_subtitle(sample, d),
        verdict=tuple(verdict if verdict is not None else _write_verdict(model, grid)),
        grid=grid,
        features=shown,
        sample=sample,
        models=tuple(
            _describe_key(grid, key, shown, sample) | (of_first if key == grid.shown_first else {})
            for key in keys
        ),
        recipe=tuple(list_facts(rows, n_given, grid, source, options or {})),
        command=command or "",
        snippet=write_snippet(grid, options or {}, names, source, weighted=rows.weights is not None),
        names=names,
        ranked=features is None and first.mixture.n_components > 1,
    )


def _read_rows(X: npt.NDArray[Any], sample_weight: npt.ArrayLike | None) -> tuple[Rows, IntArray, int]:
    """The rows of positive weight, their numbers among all, and how many there are in all."""
    rows = read_rows(X, sample_weight, 1)
    n = len(X)
    weights = read_sample_weight(sample_weight, n)
    return rows, np.arange(n) if weights is None else np.flatnonzero(weights > 0.0), n


def _find_names(
    own: Sequence[str] | None, feature_names: Sequence[str] | None, fit: FitResult
) -> tuple[str, ...]:
    """The names that are given, else those of the mixture, else the rows' own; rows have no others."""
    known, d = fit.mixture.feature_names, fit.mixture.n_features
    refuse_other_names(own, known)
    found = feature_names or known or own or default_names(d)
    if len(found) != d:
        raise ValueError(f"feature_names must be {d} names, one a column; got {len(found)}")
    return tuple(str(name) for name in found)


def _write_subtitle(sample: Sample, d: int) -> str:
    n, shown = len(sample.numbers), len(sample.places)
    text = f"{n:,} rows" if n != 1 else "1 row"
    text += f", {count_noun(d, 'feature')}"
    if not sample.complete:
        text += f". The page holds a random sample of {shown:,} rows; models and criteria are of all rows"
    return text + "."


def _write_verdict(model: Any, grid: Grid) -> Sequence[str]:
    verdict = getattr(getattr(model, "search_", None) or model, "verdict", None)
    if callable(verdict):
        return [str(sentence) for sentence in verdict()]
    if grid.best is None:
        return ["No model is sound: in each a component collapsed, so that its likelihood says nothing."]
    fit, (family, k) = grid.fits[grid.best], grid.best
    number = len({*grid.fits, *grid.reasons})
    chosen = (
        f"Of {number} models, {family} with {count_noun(k, 'component')} has the best {grid.criterion.title}."
    )
    return [describe_groups(fit), *([chosen] if number > 1 else []), *([fit.advice] if fit.advice else [])]


def _describe_key(grid: Grid, key: Key, features: Sequence[Feature], sample: Sample) -> dict[str, Any]:
    family, k = key
    fit, reason = grid.fits.get(key), grid.reasons.get(key)
    notes = [] if reason is None else [f"{reason[:1].upper()}{reason[1:]}."]
    meaning = explain_family(grid, family)
    described: dict[str, Any] = {"family": family, "k": k, "meaning": meaning, "score": grid.scores.get(key)}
    if fit is None:
        return described | {"facts": [], "notes": notes}
    if fit.advice:
        notes.append(fit.advice)
    facts = _list_model_facts(grid, key, fit)
    known = describe_model(fit, features, sample, thorough=key == grid.best)
    return described | {"facts": facts, "notes": notes} | known


def _list_model_facts(grid: Grid, key: Key, fit: FitResult) -> list[tuple[str, str]]:
    score, gap = grid.scores.get(key), grid.find_gap(key)
    facts = [] if score is None else [(grid.criterion.title, write_score(grid, score))]
    if gap is not None and len(grid.scores) > 1:
        facts.append(("Behind the best", "this is the best" if key == grid.best else write_gap(gap)))
    if grid.criterion.name != "bic":
        facts.append(("BIC", f"{fit.bic:.1f}"))
    facts.append(("Parameters", str(fit.n_parameters)))
    facts.append(("Log-likelihood", f"{fit.log_likelihood:.2f}"))
    if fit.n_iter:
        facts.append(("EM", f"{fit.status!s} after {count_noun(fit.n_iter, 'iteration')}"))
    if fit.trimmed is not None:
        facts.append(("Left out", count_noun(int(fit.trimmed.sum()), "row")))
    return facts


def explain_family(grid: Grid, family: str) -> str:
    """What covariances of a family look like, in plain words."""
    mixtures = {name: fit.mixture for (name, _), fit in grid.fits.items()}
    d = next(iter(mixtures.values())).n_features
    # all fits of a family may have failed
    structure = mixtures[family].structure if family in mixtures else get_structure(family, d)
    return structure.describe(d)


def write_score(grid: Grid, score: float) -> str:
    """The criterion of a model: an information criterion in tenths, a mean log-density in six digits."""
    return f"{score:.6g}" if grid.criterion.greater_is_better else f"{score:.1f}"


def write_gap(gap: float) -> str:
    """A difference of criteria in at most four characters.

    Examples
    --------
    >>> [write_gap(gap) for gap in (0.0, 0.0123, 3.14, 27.1, 2718.3, 1e7)]
    ['0', '.012', '3.1', '27', '2.7k', '10M']
    """
    if gap < 0.0:
        return f"−{write_gap(-gap)}"
    if gap == 0.0:
        return "0"
    if gap < 0.95:
        return f"{gap:.2g}".lstrip("0") if gap >= 1e-3 else "<.001"
    if gap < 9.95:
        return f"{gap:.1f}"
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if gap >= 0.9995 * size:
            return f"{gap / size:.1f}{letter}" if gap < 9.95 * size else f"{gap / size:.0f}{letter}"
    return f"{gap:.0f}"


def find_shade(grid: Grid, key: Key) -> str:
    """The class of a cell, by how far its criterion is behind that of the best; "" far behind."""
    gap = grid.find_gap(key)
    if gap is None:
        return "absent"
    if grid.criterion.greater_is_better:  # a mean log-density: on the scale of information criteria, -2 log L
        gap *= 2.0 * grid.fits[key].n_samples
    return next((shade for most, shade in SHADES if gap <= most), "")


def explain_failure(reason: str) -> str:
    """The mark of a model without a criterion."""
    return "x" if reason.startswith("a component") else "–" if reason.startswith("every") else "·"


def name_cell(grid: Grid, key: Key) -> str:
    """What a screen reader says of a cell."""
    family, k = key
    model = f"{family}, {count_noun(k, 'component')}"
    gap, score = grid.find_gap(key), grid.scores.get(key)
    if gap is None or score is None:
        return f"{model}: {grid.reasons.get(key, 'no value')}"
    value = write_score(grid, score)
    behind = f"{write_gap(gap)} behind the best" if gap >= 0.0 else "better, but not clearly"
    behind = "the best" if key == grid.best else behind
    return f"{model}: {grid.criterion.title} {value}, {behind}"
