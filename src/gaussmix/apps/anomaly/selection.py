"""Which rows to select by their p-values, so that few of those selected are false discoveries.

References
----------
Y. Benjamini and Y. Hochberg, Controlling the false discovery rate, J. R. Stat. Soc. B 57 (1995) 289-300.
S. Bates, E. Candes, L. Lei, Y. Romano and M. Sesia, Testing for outliers with conformal p-values, Ann. Stat.
51 (2023) 149-178: it holds of split-conformal p-values, although they share their calibration rows.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gaussmix._typing import BoolArray, Float64Array
from gaussmix.apps.anomaly.thresholds import check_share

#: Conformal p-values are fractions that often equal the bound exactly; rounding must not decide there.
ROUNDING = 1e-12


def adjust_pvalues(pvalues: npt.ArrayLike) -> Float64Array:
    """Each row's least false-discovery rate at which it is selected (its p-value, adjusted).

    Of the m p-values in order, q_(i) = min over j >= i of m p_(j) / j.
    """
    values = np.asarray(pvalues, dtype=np.float64)
    if not values.size:
        return values
    from scipy.stats import false_discovery_control  # its import takes most of a second

    return np.asarray(false_discovery_control(values, method="bh"))


def select_anomalies(pvalues: npt.ArrayLike, fdr: float = 0.1) -> BoolArray:
    """The rows that Benjamini and Hochberg's procedure selects: i rows with p-values of at most fdr i / m.

    The false-discovery rate, the expected share of normal rows among those selected, is at most `fdr`.
    """
    check_share(fdr, "fdr")
    return np.asarray(adjust_pvalues(pvalues) <= fdr * (1.0 + ROUNDING))


def advise_more_rows(pvalues: Float64Array, n: float, fdr: float) -> str | None:
    """Why nothing is selected, where it is for want of calibration rows; None where it is not.

    The least p-value of n calibration rows is 1 / (n + 1). If i of m rows have it, they are selected only
    where it is at most fdr i / m.
    """
    least, m = 1.0 / (n + 1.0), len(pvalues)
    i = int(np.count_nonzero(pvalues <= least * (1.0 + ROUNDING)))
    if not i or select_anomalies(pvalues, fdr).any():
        return None
    needed = math.ceil(m / (fdr * i) * (1.0 - ROUNDING)) - 1
    return (
        f"no row is selected at fdr={fdr:.6g}: {i} of the {m} rows score below all calibration rows, and "
        f"these are too few to tell them from chance ({n:.6g}). It takes {needed} calibration rows or more, "
        "or fewer rows to select from"
    )
