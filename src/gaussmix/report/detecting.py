"""The page about anomalies, from what a caller hands over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from gaussmix._reading.rows import read_named_rows
from gaussmix._typing import IntArray
from gaussmix.apps.anomaly.detection import Detection, detect_rows
from gaussmix.model.mixture.printing import default_names
from gaussmix.report.detection import ask_rows, summarise_detection
from gaussmix.report.detection_page import render_detection

#: Arguments of a report that are of a fit of mixtures, with their defaults.
OF_MIXTURES = {"sample_weight": None, "features": None, "errors": "auto"}


def refuse_arguments(given: Mapping[str, Any]) -> None:
    """Raise ValueError where an argument is given that the report of a detector does not have."""
    for name, default in OF_MIXTURES.items():
        value = given[name]
        if not (value is default or (isinstance(value, str) and value == default)):
            raise ValueError(f"{name} is of reports about mixtures; the report of a detector has none")


def make_detection_report(
    detector: Any,
    X: Any,
    *,
    found: Detection | None = None,
    numbers: IntArray | None = None,
    fit_numbers: IntArray | None = None,
    feature_names: Sequence[str] | None = None,
    verdict: Sequence[str] | None = None,
    source: str | None = None,
    command: str | None = None,
    options: Mapping[str, Any] | None = None,
    title: str | None = None,
) -> str:
    """The page about the anomalies that a fitted detector finds among rows, as a text.

    Parameters
    ----------
    detector : GaussianMixtureDetector
    X : array-like or data frame of shape (n, d)
    found : Detection, optional
        What the detector says of the rows, if it is known.
    numbers : ndarray of shape (n,), optional
        What these rows are called; by default they are counted from zero.
    fit_numbers : ndarray, optional
        What the rows of the fit are called; by default likewise.
    feature_names, verdict, source, command, options, title
        As in :func:`gaussmix.write_report`.
    """
    check_is_fitted(detector)
    values, own = read_named_rows(X)
    if found is None:
        found = detect_rows(detector, [X if own is not None else ask_rows(detector, np.asarray(values))])
    fitted = getattr(detector, "feature_names_in_", None)
    d = detector.n_features_in_
    names = feature_names or own or (None if fitted is None else list(map(str, fitted))) or default_names(d)
    if len(names) != d:
        raise ValueError(f"feature_names must be {d} names, one a column; got {len(names)}")
    summary = summarise_detection(
        detector,
        np.asarray(values),
        found,
        [str(name) for name in names],
        numbers=np.arange(len(values)) if numbers is None else numbers,
        fit_numbers=fit_numbers,
        verdict=verdict,
        source=source,
        command=command,
        options=options or {},
        title=title,
    )
    return render_detection(summary)
