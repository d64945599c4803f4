"""What a search has found, printed: the verdict, and the best models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import typer

from gaussmix._text import make_text_table
from gaussmix.select.criteria import find_criterion
from gaussmix.select.search_result import SearchResult

#: Models of which a line is printed.
MOST_MODELS = 5


def print_search(search: SearchResult, verdict: Sequence[str]) -> None:
    """Print the verdict and the best models."""
    for sentence in verdict:
        typer.echo(sentence)
    table, criterion = search.cv_results_, find_criterion(search.criterion)
    scores = table["mean_test_score"]
    order = [i for i in np.argsort(-scores, kind="stable")[:MOST_MODELS] if np.isfinite(scores[i])]
    rows = [
        [
            str(table["param_covariance_type"][i]),
            str(table["param_n_components"][i]),
            f"{criterion.sign * scores[i]:.10g}",
            f"{table['difference'][i]:.4g}",
        ]
        for i in order
    ]
    n = len(search.fits) + len(search.failures) + len(search.skipped)
    typer.echo(f"\nThe best of {n} models:")
    typer.echo(make_text_table([["covariance", "components", criterion.title, "worse by"], *rows]))
    typer.echo()


def describe_search(search: SearchResult | None) -> dict[str, Any]:
    """The facts of a search that are saved with the model."""
    if search is None:
        return {}
    n = len(search.fits) + len(search.failures) + len(search.skipped)
    chosen = f"{search.best_model[0]} with {search.best_model[1]}, of {n} models by {search.criterion}"
    return {"chosen": chosen}
