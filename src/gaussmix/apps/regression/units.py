"""Fits in units of the columns' spreads: k-means and other starts would go by the column of most spread."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gaussmix._typing import Float64Array
from gaussmix.fit.result import FitResult


def find_units(values: Float64Array, masses: Float64Array) -> Float64Array:
    """The standard deviation of each column, shape (d,); one where it is zero or overflows."""
    with np.errstate(over="ignore", invalid="ignore"):
        shifted = values - np.average(values, axis=0, weights=masses)
        spreads = np.sqrt(np.average(shifted**2, axis=0, weights=masses))
        usable = np.isfinite(spreads) & (spreads > 0.0) & (values != values[0]).any(axis=0)
    return np.asarray(np.where(usable, spreads, 1.0))


def convert_result(result: FitResult, units: Float64Array, prior_rows: float) -> FitResult:
    """The result of a fit to rows / units as that of the rows.

    `prior_rows` is the sum of the powers of 1/|C_k|^(1/2) in the prior, over the components.
    """
    shift = -float(np.log(units).sum())
    own = prior_rows * shift / result.n_samples
    total = shift + (own if result.log_priors else 0.0)
    return replace(
        result,
        mixture=result.mixture.affine(units),
        history=tuple(value + shift for value in result.history),
        log_priors=tuple(value + own for value in result.log_priors),
        starts=tuple(
            replace(report, mean_log_likelihood=report.mean_log_likelihood + total)
            for report in result.starts
        ),
    )
