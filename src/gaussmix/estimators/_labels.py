"""Classes that are all known, as a classifier without unlabelled rows reads them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_y, column_or_1d

from gaussmix._typing import BoolArray, IntArray


def read_known_classes(
    y: Any, n: int, present: BoolArray, estimator: Any
) -> tuple[npt.NDArray[Any], IntArray]:
    """The classes, sorted, and the place of each row's class among them; 0 of rows that are not present.

    ValueError where a row that is present has no class.
    """
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but the target y is None."
        )
    values = np.asarray(column_or_1d(y, warn=True))
    if len(values) != n:
        raise ValueError(f"X has {n} rows and y has {len(values)}: give one class for each row")
    if values.dtype.kind == "O":
        missing = np.array([value is None or type(value).__name__ == "NAType" for value in values])
        missing = missing & present
        if missing.any():
            raise ValueError(f"y has no class in row {np.flatnonzero(missing)[0]}; leave such rows out")
    values = _check_y(values, estimator=estimator)
    check_classification_targets(values)
    classes, places = np.unique(values[present], return_inverse=True)
    labels = np.zeros(n, dtype=np.int64)
    labels[present] = places.ravel()
    return classes, labels
