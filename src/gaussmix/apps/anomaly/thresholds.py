"""Thresholds of scores: a row that scores below one is flagged. Scores are high for rows that look normal."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np

from gaussmix._typing import Float64Array

#: How far a share may be from a whole number of rows by rounding, relative to it.
ROUNDING = 1e-12


def find_share_threshold(
    scores: Float64Array, share: float, sample_weight: Float64Array | None = None
) -> float:
    """The threshold below which this share of the weight lies, or as much of it as ties allow.

    It lies midway between the last score that is below and the first that is not, so that it matters little
    how scores were rounded. Weights are copies of rows: a row of weight two counts as two.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Of training rows for a contamination; of normal rows for a rate of false positives.
    share : float
        Between zero and one.
    sample_weight : ndarray of shape (n,), optional
    """
    weights = np.ones(len(scores)) if sample_weight is None else sample_weight
    values, places = np.unique(scores[weights > 0.0], return_inverse=True)
    cumulated = np.cumsum(np.bincount(places, weights[weights > 0.0], minlength=len(values)))
    n_below = int(np.searchsorted(cumulated, share * cumulated[-1] * (1.0 + ROUNDING), side="right"))
    first = values[min(n_below, len(values) - 1)]
    last = values[max(n_below - 1, 0)]
    # infinite scores have no midpoint; and one that rounds down to the last below would not be above it
    middle = last + 0.5 * (first - last) if np.isfinite(last) else first
    return float(middle if middle > last else first)


def is_share(value: Any) -> bool:
    """Whether a value is a number strictly between zero and one."""
    return isinstance(value, Real) and not isinstance(value, Integral) and 0.0 < float(value) < 1.0


def is_whole(value: Any, least: int) -> bool:
    """Whether a value is a whole number, and at least that."""
    return value is not True and isinstance(value, Integral) and int(value) >= least


def check_share(value: Any, name: str) -> float:
    """A share or a rate as a float. Raises ValueError unless it is a number strictly between zero and one."""
    if not is_share(value):
        raise ValueError(f"{name} must be a number above 0 and below 1, such as 0.1; got {value!r}")
    return float(value)
