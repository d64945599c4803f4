"""From the parameters of a regressor by a joint mixture to the models that it may be."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from gaussmix.apps.regression.choosing import Options
from gaussmix.apps.regression.fitting import JointRows
from gaussmix.model.covariance import get_structure

#: Families that are tried on rows held out; none depends on units.
FAMILIES = ("tied", "full")
#: Families that BIC chooses among: mclust's fourteen.
FAMILIES_BY_BIC = (
    *("EII", "VII", "EEI", "VEI", "EVI", "VVI", "EEE", "VEE", "EVE", "VVE", "EEV", "VEV", "EVV", "VVV"),
)
#: Features, outputs among them, beyond which factor analysers are tried: a matrix has the square of them.
MANY_FEATURES = 100
FAMILIES_OF_MANY = ("factor",)
#: Shrinkages that are tried, as multiples of d + 1 rows, the least that is a distribution.
SHRINKAGES = (0.0, 1.0, 4.0)
#: Numbers of components that are tried.
NUMBERS = (1, 2, 3, 4, 6, 8, 12, 16, 24)
#: Rows that there are for each component at least, and half as many as columns.
ROWS_EACH = 8
NUMBERS_BY_BIC = tuple(range(1, 10))


def read_options(model: Any, rows: JointRows) -> Options:
    """The models that the parameters of a regressor allow for these rows; ValueError where there is none."""
    n, d = rows.values.shape
    by_bic = model.criterion == "bic"
    names, numbers = model.covariance_type, model.n_components
    families: tuple[str, ...]
    if isinstance(names, str):
        usual: tuple[str, ...] = (
            FAMILIES_BY_BIC if by_bic else FAMILIES if d <= MANY_FEATURES else FAMILIES_OF_MANY
        )
        families = usual if names == "auto" else (names,)
    else:
        families = tuple(map(str, names))
    if not families:
        raise ValueError("covariance_type must name at least one family; got none")
    for name in families:
        get_structure(name, d)
    if isinstance(numbers, str):
        most = max(n // max(ROWS_EACH, d // 2), 1)  # a mean alone takes d numbers
        counts = tuple(k for k in (NUMBERS_BY_BIC if by_bic else NUMBERS) if k <= most)
    elif isinstance(numbers, Integral):
        counts = (int(numbers),)
    else:
        wrong = not all(isinstance(number, Integral) and not isinstance(number, bool) for number in numbers)
        counts = () if wrong else tuple(sorted({int(number) for number in numbers}))
    if not counts or min(counts) < 1:
        raise ValueError(f"n_components must be whole numbers of at least 1; got {numbers!r}")
    if min(counts) > n:
        raise ValueError(
            f"n_components={min(counts)} components need as many rows of positive weight; there are {n}"
        )
    amounts, given = _read_shrinkages(model, families, len(rows.columns))
    return Options(families, counts, amounts, given, model.reg_covar, model.n_factors)


def _read_shrinkages(model: Any, families: tuple[str, ...], d: int) -> tuple[tuple[float, ...], bool]:
    """Shrinkages in rows, and whether the caller gave one."""
    least = d + 1.0
    if isinstance(model.shrinkage, str):
        factors = (0.0,) if model.criterion == "bic" else SHRINKAGES
        return tuple(factor * least for factor in factors), False
    amount = float(model.shrinkage)
    if 0.0 < amount < least:
        raise ValueError(
            f"shrinkage must be 0 or at least {least:g}, one more than the {d} columns of X and y, "
            f"or the prior would not be a distribution; got {amount:g}"
        )
    if amount and any(get_structure(name).n_factors for name in families):
        raise ValueError("shrinkage is not for factor analysers, whose loadings have no prior; set it to 0")
    if amount and model.criterion == "bic":
        raise ValueError(
            "shrinkage is not for a choice by BIC, which compares maxima of the likelihood; set it to 0"
        )
    return (amount,), True
