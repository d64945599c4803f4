"""Which rows to select by their p-values, so that few of those selected are false discoveries.

References
----------
Y. Benjamini and Y. Hochberg, Controlling the false discovery rate, J. R. Stat. Soc. B 57 (1995) 289-300.
S. Bates, E. Candes, L. Lei, Y. Romano and M. Sesia, Testing for outliers with conformal p-values, Ann. Stat.
51 (2023) 149-178: it holds of split-conformal p-values, although they share their calibration rows.
"""

from __future__ import annotations

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
