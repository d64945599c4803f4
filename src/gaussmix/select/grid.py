"""The models of a search, fitted to some rows, each by the way that suits it.

Models of a few rows iterate side by side (:mod:`gaussmix.select.families`), models of many rows begin at fits
to a sample (:mod:`gaussmix.select.many_rows`). Where there is more to a fit than a likelihood of Gaussians, a
prior, constraints, noise or trimming, or where a start is a race of its own, each goes by itself.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gaussmix._progress import OnProgress
from gaussmix._reading.rows import read_sample_weight
from gaussmix.data.rows import Rows
from gaussmix.errors import FitError
from gaussmix.fit.arguments import read_rows
from gaussmix.fit.constant_columns import find_constant_columns
from gaussmix.fit.factor_count import count_factors
from gaussmix.fit.one_mixture import fit_mixture
from gaussmix.fit.options import CheckpointOptions, Request
from gaussmix.fit.starts.table import EFFORTS
from gaussmix.model.covariance import Structure, get_structure
from gaussmix.select.criteria import measure_doubt
from gaussmix.select.families import INTERRUPTED, Key, Outcomes, Settings, fit_family
from gaussmix.select.many_rows import FEW_ROWS, LOOSE, Contest, Family, Sample
from gaussmix.select.showing import WHOLE, Part, Showing

#: What each parameter costs by a criterion, in nats, as a function of the weight of the rows.
PRICES: dict[str, Callable[[float], float]] = {"bic": lambda n: 0.5 * np.log(n), "aic": lambda n: 1.0}

TOO_MANY = "more components than the {n} rows of positive weight"
CANNOT_WIN = "cannot win: a sample of {s} rows says that {name} with k = {k} is better by far"
NO_DRAFT = "every start collapsed on a sample of {s} rows"


@dataclass(frozen=True, eq=False)
class Grid:
    """Models to fit, and how."""

    families: Sequence[str]
    numbers: Sequence[int]
    settings: Settings
    #: The name of the criterion.
    criterion: str
    #: Whether models that cannot win are fitted all the same. Those of the family or number of components of
    #: the best so far always are: a curve on either side of the winner is what users look at.
    complete: bool
    watch: OnProgress | None = None
    part: Part = WHOLE

    @property
    def keys(self) -> list[Key]:
        """All models."""
        return [(name, k) for name in self.families for k in self.numbers]

    def fit(self, X: Any, sample_weight: npt.ArrayLike | None) -> Outcomes:
        """Fit the models to some rows."""
        rows = read_rows(X, sample_weight, 1)
        n = rows.shape[0]
        found = Outcomes(skipped={key: TOO_MANY.format(n=n) for key in self.keys if key[1] > n})
        numbers = [k for k in self.numbers if k <= n]
        showing = Showing(self.watch, self.keys, self.criterion, self.part, n_done=len(found.known))
        showing.show("")
        for some in self._fit_parts(X, sample_weight, rows, numbers, showing) if numbers else ():
            found |= some
            if showing.record(some):
                break
        left = {key: INTERRUPTED for key in self.keys if key not in found.known}
        return replace(found, skipped={**found.skipped, **left}).sort(self.keys)

    def _fit_parts(
        self,
        X: Any,
        sample_weight: npt.ArrayLike | None,
        rows: Rows,
        numbers: Sequence[int],
        showing: Showing,
    ) -> Iterator[Outcomes]:
        """What becomes of the models, some at a time."""
        alone = [name for name in self.families if self._goes_alone(X, name)]
        together = [name for name in self.families if name not in alone]
        if self.settings.start.init_params == "auto" and rows.shape[0] > FEW_ROWS:
            if together:
                yield from self._fit_many_rows(rows, together, numbers, showing)
        else:
            settings = self._choose_start()
            for name in together:
                structure, watch = self._find_structure(name, rows), showing.follow(name)
                yield fit_family(rows, structure, name, numbers, settings, watch)
        for name, k in itertools.product(alone, numbers):
            yield self._fit_alone(X, sample_weight, name, k, showing.follow_fit((name, k)))

    def _goes_alone(self, X: Any, name: str) -> bool:
        """Whether models of a family cannot share passes: there is more to them than a likelihood."""
        model, start = self.settings.model, self.settings.start
        if model.constraints is not None or model.prior is not None or model.noise or model.trim:
            return True
        if start.init_params in EFFORTS and start.init_params != "auto":
            return True
        if model.n_factors == "auto" and get_structure(name).n_factors:
            return True
        request = Request(
            replace(model, covariance_type=name), start, self.settings.iteration, CheckpointOptions()
        )
        return find_constant_columns(X, request) is not None

    def _choose_start(self) -> Settings:
        """The settings with a start by its name."""
        start = self.settings.start
        name = "agglomerative" if start.init_params == "auto" else start.init_params
        return replace(self.settings, start=replace(start, init_params=name))

    def _find_structure(self, name: str, rows: Rows) -> Structure:
        return get_structure(name, rows.shape[1], count_factors(self.settings.model.n_factors))

    def _fit_alone(
        self, X: Any, sample_weight: npt.ArrayLike | None, name: str, k: int, watch: OnProgress | None
    ) -> Outcomes:
        """The fit of one model by itself."""
        begin, settings = time.perf_counter(), self._choose_start()
        model = replace(settings.model, covariance_type=name, n_components=k)
        iteration = settings.iteration
        options: dict[str, Any] = {
            **vars(model),
            "init_params": settings.start.init_params,
            "n_init": settings.start.n_init,
            "random_state": settings.seed,
            "feature_names": settings.feature_names,
            "on_progress": watch,
        }
        try:
            if model.constraints is not None:
                model.constraints.check(get_structure(name), k)
        except ValueError as error:
            return Outcomes(skipped={(name, k): str(error)})
        try:
            fit = fit_mixture(
                X, sample_weight=sample_weight, tol=iteration.tol, max_iter=iteration.max_iter, **options
            )
        except FitError as error:
            return Outcomes(
                failures={(name, k): str(error)}, seconds={(name, k): time.perf_counter() - begin}
            )
        rows = X.array if isinstance(X, Rows) else X
        weights = fit.kept if fit.kept is not None else read_sample_weight(sample_weight, len(rows))
        doubt = measure_doubt(fit.mixture.responsibilities(rows), weights)
        seconds = time.perf_counter() - begin
        return Outcomes({(name, k): replace(fit, doubt=doubt)}, seconds={(name, k): seconds})

    def _fit_many_rows(
        self, rows: Rows, names: Sequence[str], numbers: Sequence[int], showing: Showing
    ) -> Iterator[Outcomes]:
        """The fits of families to many rows, from those to a sample."""
        structures = {name: self._find_structure(name, rows) for name in names}
        k, d = max(numbers), rows.shape[1]
        most = k * (d + 1) + max(each.n_covariance_parameters(k, d) for each in structures.values())
        sample = Sample.draw(rows, numbers, most, self.settings.seed)
        families = {}
        for done, (name, structure) in enumerate(structures.items()):
            showing.show_draft(name, done, len(structures))
            families[name] = Family(rows, structure, name, sample, self.settings)
        price = PRICES.get(self.criterion)
        contest = Contest(families, price(rows.weight) if price else 0.0, rows.weight)
        order = contest.order_models()
        best: Key | None = None
        reasons = {
            (name, k): NO_DRAFT.format(s=len(sample.places))
            for name, family in families.items()
            for k in numbers
            if k not in family.drafts
        }
        yield Outcomes(failures=reasons, seconds=dict.fromkeys(reasons, 0.0))
        tol = float(self.settings.iteration.tol)
        for key in order:
            name, k = key
            beside = best is not None and (name == best[0] or k == best[1])
            if best is not None and not (beside or self.complete or contest.can_win(key, best)):
                other, j = best
                reason = CANNOT_WIN.format(s=len(sample.places), name=other, k=j)
                yield Outcomes(skipped={key: reason})
                continue
            watch = showing.follow_fit(key)
            families[name].fit(k, max(tol, LOOSE) if price else tol, watch)
            best = contest.choose_better(best, key)
            may_win = not price or contest.can_still_win(key, best)
            if may_win and price and tol < LOOSE and not showing.stopped:
                families[name].fit(k, tol, watch)
                best = contest.choose_better(best, key)
            yield families[name].report(k, doubts=may_win)
