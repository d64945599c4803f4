"""The fit of an estimator that leaves the number of components or the family to be chosen."""

from __future__ import annotations

from typing import Any

import numpy as np

from gaussmix._progress import Progress
from gaussmix._typing import Float64Array, FloatArray
from gaussmix.estimators._callbacks import Tasks
from gaussmix.estimators._printing import SearchPrinter
from gaussmix.select.many_models import read_numbers
from gaussmix.select.search import search
from gaussmix.select.search_result import SearchResult

#: What "auto" tries, as far as there are rows.
NUMBERS = range(1, 10)
#: Most by which an iteration may gain when the models of a search have converged: criteria compare them.
TOL = 1e-5
#: The fewest iterations that the models of a search may take.
MAX_ITER = 1000
#: Parameters that are options of a search.
OPTIONS = (
    "reg_covar",
    "n_init",
    "init_params",
    "random_state",
    "n_factors",
    "prior",
    "constraints",
    "noise",
    "trim",
)
#: Parameters that say where one model begins.
STARTS = ("weights_init", "means_init", "precisions_init")


def search_models(model: Any, rows: FloatArray, weights: Float64Array | None, **refused: Any) -> SearchResult:
    """The search that an estimator asks for; ValueError where it asks for what goes with one model alone."""
    for name in STARTS:
        refused[name] = getattr(model, name)
    wrong = [name for name, value in refused.items() if value is not None]
    if wrong:
        raise ValueError(
            f"{', '.join(wrong)} cannot be used where the number of components or the covariance type is to "
            "be chosen; give both as one value"
        )
    names, numbers = model.covariance_type, model.n_components
    if isinstance(numbers, str):
        n = len(rows) if weights is None else int(np.count_nonzero(weights))
        numbers = [k for k in NUMBERS if k <= n]
    numbers = read_numbers(numbers)
    tasks = Tasks(model, rows, None, "model")
    printer = SearchPrinter(model.verbose_interval) if model.verbose else None

    def show(progress: Progress) -> bool:
        if printer is not None:
            printer(progress)
        return tasks.advance(progress.done) if progress.unit == "model" else False

    result = search(
        rows,
        numbers,
        covariance_type=names if isinstance(names, str) else list(names),
        sample_weight=weights,
        tol=min(model.tol, TOL),
        max_iter=max(model.max_iter, MAX_ITER),
        feature_names=getattr(model, "feature_names_in_", None),
        on_progress=show if tasks or printer is not None else None,
        **{name: getattr(model, name) for name in OPTIONS},
    )
    tasks.end()
    return result
