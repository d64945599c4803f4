"""The models that a report can be made of, side by side: what was fitted, how good it is, what failed."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gaussmix.data.rows import Rows
from gaussmix.fit.result import FitResult, FitStatus
from gaussmix.model.mixture import Mixture
from gaussmix.model.mixture.parts import read_mixture
from gaussmix.select.criteria import BIC, Criterion, find_criterion
from gaussmix.select.families import Key

#: How a mixture that no fit of this process has made comes back.
LOADED = 'gaussmix.Mixture.load("model.safetensors")'


@dataclass(frozen=True, eq=False)
class Grid:
    """Models by family and number of components.

    Parameters
    ----------
    fits : mapping of (str, int) to FitResult
    scores : mapping of (str, int) to float
        The criterion of each fit that is sound.
    reasons : mapping of (str, int) to str
        Why a model was not fitted, or why its fit says nothing.
    best : (str, int) or None
        None where no model is sound.
    criterion : Criterion
    made_by : {"search", "fit_mixtures", "fit_mixture"}
        The function that makes such models.
    call : str
        In place of that function, a line of Python that makes the model, "{}" standing for rows and weights.
    """

    fits: Mapping[Key, FitResult]
    scores: Mapping[Key, float]
    reasons: Mapping[Key, str]
    best: Key | None
    criterion: Criterion = BIC
    made_by: str = "fit_mixture"
    call: str = ""

    @property
    def families(self) -> tuple[str, ...]:
        """Covariance types, in the order in which they were asked for."""
        return tuple(dict.fromkeys(name for name, _ in (*self.fits, *self.reasons)))

    @property
    def numbers(self) -> tuple[int, ...]:
        """Numbers of components, in ascending order."""
        return tuple(sorted({k for _, k in (*self.fits, *self.reasons)}))

    @property
    def shown_first(self) -> Key:
        """The model that a page shows before the reader has chosen one."""
        return next(iter(self.fits)) if self.best is None else self.best

    def find_gap(self, key: Key) -> float | None:
        """How far the criterion of a model is behind that of the best; None without a value.

        Negative where a better value was not enough to be chosen, as by the rule of one standard error.
        """
        if self.best is None or key not in self.scores:
            return None
        return self.criterion.sign * (self.scores[self.best] - self.scores[key])


def read_grid(model: Any, rows: Rows) -> Grid:
    """The models of what a caller passes.

    Parameters
    ----------
    model : FittedMixtures, FitResult, GaussianMixture or Mixture
        A result of a search, one fit, a fitted estimator, or a mixture, of which the rows say how good it is.
    rows : Rows

    Raises
    ------
    ValueError
        If it is none of these, not fitted, or no model in it was fitted.
    """
    found = getattr(model, "search_", None) or model
    if hasattr(found, "fits") and hasattr(found, "failures"):
        return _read_search(found)
    found = getattr(model, "fit_result_", model)
    call = "" if found is model else f"gaussmix.{_write_estimator(model)}.fit({{}})"
    try:
        mixture = read_mixture(model, "model", Mixture)
    except ValueError:
        raise ValueError(
            "a report is made of the result of gaussmix.search, fit_mixtures or fit_mixture, of a fitted "
            f"GaussianMixture, or of a Mixture; got {type(model).__name__}"
            + (", which is not fitted: call fit(X) first" if hasattr(model, "fit") else "")
        ) from None
    if not isinstance(found, FitResult) or found.mixture is not mixture:
        # there was no fit, or its parameters were changed, or it is scikit-learn's
        found, call = _measure(mixture, rows), LOADED
    key = found.mixture.covariance_type, found.mixture.n_components
    return Grid({key: found}, {key: found.bic}, {}, key, call=call)


def _write_estimator(model: Any) -> str:
    """An estimator as Python writes it, in one line; braces are doubled, since the text is a format."""
    changed = {
        name: value
        for name, value in model.get_params(deep=False).items()
        if not _is_same(value, inspect.signature(type(model)).parameters[name].default)
    }
    text = f"{type(model).__name__}({', '.join(f'{name}={value!r}' for name, value in changed.items())})"
    return " ".join(text.split()).replace("{", "{{").replace("}", "}}")


def _is_same(value: Any, default: Any) -> bool:
    return value is default or (isinstance(value, int | float | str) and bool(value == default))


def _read_search(search: Any) -> Grid:
    criterion = find_criterion(getattr(search, "criterion", BIC.name))
    sound: Mapping[Key, FitResult] = search.sound
    measured = getattr(search, "scores", None)
    scores = {key: fit.bic for key, fit in sound.items()} if measured is None else measured
    unsound = "a component collapsed or is held at the least variance, so that its likelihood says nothing"
    reasons = {
        **{key: unsound for key in search.fits if key not in sound},
        **{key: f"every start failed: {reason}" for key, reason in search.failures.items()},
        **{key: f"not fitted: {reason}" for key, reason in getattr(search, "skipped", {}).items()},
    }
    if not search.fits:
        raise ValueError(f"there is no model to report on: all {len(reasons)} failed")
    best = getattr(search, "best_model", None) if scores else None
    if best is None and scores:
        best = max(scores, key=lambda key: criterion.sign * scores[key])
    made_by = "fit_mixtures" if measured is None else "search"
    return Grid(search.fits, scores, reasons, best, criterion, made_by)


def _measure(mixture: Mixture, rows: Rows) -> FitResult:
    """A mixture as a fit whose history is one value: its mean log-density over these rows."""
    total = sum(
        float(mixture.log_prob(rows.values[part]).astype("f8") @ rows.masses[part])
        for part in rows.cut(65_536)
    )
    return FitResult(mixture, FitStatus.NOT_RUN, "", (total / rows.weight,), rows.weight)
