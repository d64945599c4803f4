"""The names of the features of a fit, and of the rows that are asked about later: scikit-learn's rules.

scikit-learn itself sees names of the data frames alone that narwhals knows, and before 1.9 of fewer.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from gaussmix._reading.rows import find_names

#: Names that a message lists.
MOST_NAMES = 5


def check_feature_names(estimator: Any, labels: Sequence[Any], *, reset: bool) -> None:
    """Remember the labels of the columns of a fit (`reset`) if they are text, or check those of other rows.

    ValueError where they are not those of the fit in their order; TypeError where only some are text.
    """
    names = find_text_labels(labels)
    if reset:
        vars(estimator).pop("feature_names_in_", None)
        if names is not None:
            estimator.feature_names_in_ = names
        return
    fitted = getattr(estimator, "feature_names_in_", None)
    kind = type(estimator).__name__
    if fitted is None and names is not None:
        warnings.warn(f"X has feature names, but {kind} was fitted without feature names", stacklevel=2)
    elif fitted is not None and names is None:
        warnings.warn(
            f"X does not have valid feature names, but {kind} was fitted with feature names", stacklevel=2
        )
    elif fitted is not None and names is not None and list(fitted) != list(names):
        raise ValueError(_describe_difference(set(fitted), set(names)))


def find_text_labels(labels: Sequence[Any]) -> np.ndarray[Any, np.dtype[np.object_]] | None:
    """The labels as an array, if all are text and tell columns apart; TypeError where only some are text."""
    kinds = sorted({type(label).__qualname__ for label in labels})
    text = [isinstance(label, str) for label in labels]
    if any(text) and not all(text):
        raise TypeError(
            "Feature names are only supported if all input features have string names, but your input has "
            f"{kinds} as feature name / column name types. Convert them all to strings, such as by X.columns "
            "= X.columns.astype(str)"
        )
    names = find_names(labels)
    if names is None:
        return None
    array = np.empty(len(names), dtype=object)
    array[:] = names
    return array


def _describe_difference(fitted: set[str], found: set[str]) -> str:
    """In scikit-learn's words, which its users, and its own tests, know."""
    message = "The feature names should match those that were passed during fit.\n"
    unseen, missing = sorted(found - fitted), sorted(fitted - found)
    if unseen:
        message += "Feature names unseen at fit time:\n" + _list_names(unseen)
    if missing:
        message += "Feature names seen at fit time, yet now missing:\n" + _list_names(missing)
    if not unseen and not missing:
        message += "Feature names must be in the same order as they were in fit.\n"
    return message


def _list_names(names: list[str]) -> str:
    more = ["- ...\n"] if len(names) > MOST_NAMES else []
    return "".join([*(f"- {name}\n" for name in names[:MOST_NAMES]), *more])
