"""One page that shows what was fitted, how sure it is, and how to do it again (the extra ``report``).

The chain is pure: models and rows become a frozen summary of plain words and numbers (`summary`), which fills
a template (`pages`). Pictures are Vega-Lite specifications (`figure`, `charts`), which the browser draws.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt

from gaussmix._atomic import replace_file
from gaussmix.report.errors import ErrorsRequest
from gaussmix.report.pages import render_page
from gaussmix.report.summary import summarise

__all__ = ["make_report", "write_report"]


def write_report(
    model: Any,
    X: npt.ArrayLike,
    path: str | os.PathLike[str],
    *,
    feature_names: Sequence[str] | None = None,
    sample_weight: npt.ArrayLike | None = None,
    features: Sequence[int | str] | None = None,
    verdict: Sequence[str] | None = None,
    source: str | None = None,
    command: str | None = None,
    options: Mapping[str, Any] | None = None,
    title: str | None = None,
    errors: ErrorsRequest = "auto",
) -> None:
    """Write one HTML page about models and the rows that they were fitted to.

    The page is complete: it loads nothing from elsewhere, opens from disk, and stays under 6 MB for any
    number of rows. It has

    - the verdict;
    - the criterion of every model, by family and number of components. A click, or arrow keys and Enter,
      choose the model that everything below shows;
    - the rows and the components, an ellipse at 1 and 2 standard deviations for each, linked to their table,
      which for the best model has standard errors;
    - how many rows are more uncertain than a threshold, 1 - max_k r_ik > t, which a slider sets;
    - the rows of lowest density, the likelihood of each iteration, and how to make it all again.

    Where there are many rows the pictures show a uniform sample, 5,000 at most, and the page says so. Models
    and criteria are of all rows; so are the rows of lowest density of the best model (those of other models
    are looked for among 100,000).

    Of a detector the page has the rows of lowest score with their reasons, all scores with the threshold,
    and the rows by two features that the reader chooses (docs/anomalies.md).

    Parameters
    ----------
    model : FittedMixtures, FitResult, GaussianMixture, Mixture or GaussianMixtureDetector
        The result of a search (:func:`gaussmix.search`, :func:`gaussmix.fit_mixtures`), one fit, a fitted
        estimator (scikit-learn's, too), a mixture, or a fitted detector of anomalies.
    X : array-like or data frame of shape (n, d)
        The rows that were fitted.
    path : str or path
        The file; written atomically.
    feature_names : sequence of str, optional
        Names of the columns. Without them those of the model, else of the data frame, else x0, x1, ...
    sample_weight : array-like of shape (n,), optional
        The weights of the fit. Rows of weight zero are not shown.
    features : sequence of int or str, optional
        Positions or names of the features to show, six at most. Without it all where there are no more than
        six, else those, six at most, that by themselves tell the components of the best model apart most:
        that take away the largest share of the uncertainty of a row's component.
    verdict : sequence of str, optional
        Sentences to begin with, in place of the model's own.
    source : str, optional
        What the data are called.
    command : str, optional
        A command that makes the page again.
    options : mapping, optional
        Options of the fit by name, for the record.
    title : str, optional
    errors : "auto", ParameterErrors, Bootstrap or None
        Standard errors of the best model, as :func:`gaussmix.estimate_errors` or :func:`gaussmix.bootstrap`
        give them. "auto" has those of the observed information where they take less than about half a second.

    Raises
    ------
    ImportError
        If Jinja is not installed.
    ValueError
        If an argument is wrong, or no model was fitted.
    OSError
        If the file cannot be written.

    See Also
    --------
    gaussmix.report.make_report : the page as a text

    Examples
    --------
    >>> import tempfile, gaussmix
    >>> from pathlib import Path
    >>> from gaussmix.datasets import load_faithful
    >>> X, names = load_faithful()
    >>> models = gaussmix.fit_mixtures(X, range(1, 4), covariance_type=["EEE", "VVV"], feature_names=names)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "report.html"
    ...     gaussmix.write_report(models, X, path, source="Old Faithful")
    ...     page = path.read_text(encoding="utf-8")
    >>> "<h1>Gaussian mixture of Old Faithful</h1>" in page
    True
    """
    page = make_report(
        model,
        X,
        feature_names=feature_names,
        sample_weight=sample_weight,
        features=features,
        verdict=verdict,
        source=source,
        command=command,
        options=options,
        title=title,
        errors=errors,
    )
    save_page(page, path)


def save_page(page: str, path: str | os.PathLike[str]) -> None:
    """Write a page, atomically."""
    with replace_file(path) as temporary:
        # Names of files and columns may hold halves of characters, which no encoding has.
        temporary.write_text(page, encoding="utf-8", errors="backslashreplace")


def make_report(
    model: Any,
    X: npt.ArrayLike,
    *,
    feature_names: Sequence[str] | None = None,
    sample_weight: npt.ArrayLike | None = None,
    features: Sequence[int | str] | None = None,
    verdict: Sequence[str] | None = None,
    source: str | None = None,
    command: str | None = None,
    options: Mapping[str, Any] | None = None,
    title: str | None = None,
    errors: ErrorsRequest = "auto",
) -> str:
    """The page of :func:`gaussmix.write_report` as a text, with the same arguments and errors.

    Examples
    --------
    >>> import gaussmix
    >>> from gaussmix.report import make_report
    >>> X = [[0.0], [0.3], [0.8], [9.0], [9.2], [9.9]]
    >>> page = make_report(gaussmix.fit_mixture(X, 2), X, title="Two heights")
    >>> page.startswith("<!doctype html>"), "<title>Two heights</title>" in page
    (True, True)
    """
    if hasattr(model, "explain") and hasattr(model, "decision_function"):  # a detector of anomalies
        from gaussmix.report.detecting import make_detection_report, refuse_arguments

        refuse_arguments({"sample_weight": sample_weight, "features": features, "errors": errors})
        return make_detection_report(
            model,
            X,
            feature_names=feature_names,
            verdict=verdict,
            source=source,
            command=command,
            options=options,
            title=title,
        )
    summary = summarise(
        model,
        X,
        feature_names=feature_names,
        sample_weight=sample_weight,
        features=features,
        verdict=verdict,
        source=source,
        command=command,
        options=options,
        title=title,
        errors=errors,
    )
    return render_page(summary)
