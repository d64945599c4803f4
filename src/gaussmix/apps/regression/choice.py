"""The joint mixture that the rows are fitted with: the one that is asked for, or the best by a criterion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from numpy.random import RandomState

from gaussmix.apps.regression.choosing import Folds, Options, RegressionTrial, Search, Split, divide_rows
from gaussmix.apps.regression.fitting import (
    Effort,
    JointFit,
    JointRows,
    fill_rows,
    fit_joint,
    improve_incomplete,
    take_columns,
    take_names,
)
from gaussmix.apps.regression.joint import JointRegression
from gaussmix.select.search import search
from gaussmix.select.search_result import SearchResult

#: How a model is chosen: by predictive log-density of rows that were held out, or by BIC of the joint.
Criterion = Literal["cv", "bic"]
#: Effort of fits that BIC compares, where the caller asks for less: criteria compare optima.
BIC_TOL = 1e-5
BIC_ITERATIONS = 1000


@dataclass(frozen=True, eq=False)
class Choice:
    """A fit, and how its model was chosen."""

    fit: JointFit
    #: The models that were tried on rows held out.
    trials: tuple[RegressionTrial, ...] = ()
    #: The models that BIC compared.
    search: SearchResult | None = None


def choose_and_fit(
    rows: JointRows,
    options: Options,
    criterion: str,
    rng: RandomState,
    *,
    folds: int | Sequence[Split],
    effort: Effort,
    feature_names: Sequence[str] | None = None,
) -> Choice:
    """Fit the model that is asked for or, where several are, the best by the criterion.

    Raises ValueError where nothing can be held out, FitError where every model has a singular covariance.
    """
    names, rows = feature_names, fill_rows(rows, rng)
    if options.is_open and criterion == "bic":
        return _choose_by_bic(rows, options, rng, effort, names)
    models = options.list_models(options.families[0], options.numbers[0])
    model = models[min(1, len(models) - 1)]  # shrunk, where nothing can be held out
    trials: tuple[RegressionTrial, ...] = ()
    if options.is_open:
        splits = divide_rows(rows, folds, rng) if isinstance(folds, int) else folds
        tried = Search(Folds(rows, splits, int(rng.randint(2**31))), options)
        if not tried.is_futile:
            model = tried.find_best()
            trials = tuple(tried.trials.values())
    fit = fit_joint(rows, model, rng, effort, names)
    return Choice(fit if rows.filled is None else improve_incomplete(rows, fit, effort), trials)


def _choose_by_bic(
    rows: JointRows, options: Options, rng: RandomState, effort: Effort, names: Sequence[str] | None
) -> Choice:
    """The fit of least BIC of inputs and outputs together; where some are missing, of filled rows."""
    found = search(
        take_columns(rows.complete, rows.columns),
        options.numbers,
        covariance_type=options.families,
        sample_weight=rows.weights,
        tol=min(effort.tol, BIC_TOL),
        max_iter=max(effort.max_iter, BIC_ITERATIONS),
        reg_covar=options.reg_covar,
        n_init=effort.n_init,
        init_params=effort.init_params,
        n_factors=options.n_factors,
        random_state=rng,
        feature_names=take_names(rows, names),
    )
    model = options.list_models(*found.best_model)[0]
    fit = JointFit(model, found.best, JointRegression(found.best.mixture, rows.used))
    return Choice(fit if rows.filled is None else improve_incomplete(rows, fit, effort), search=found)
