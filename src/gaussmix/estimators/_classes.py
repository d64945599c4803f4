"""From what a user of the classifier passes to what its fit works with: classes, labels, models, shares."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from gaussmix._typing import Float64Array, FloatArray, IntArray
from gaussmix.apps.classes.choosing import (
    FAMILIES,
    FAMILIES_OF_MANY,
    MANY_FEATURES,
    NUMBERS,
    SHRINKAGES,
    Options,
)
from gaussmix.apps.classes.labelled import UNKNOWN, LabelledRows
from gaussmix.data.rows import Rows
from gaussmix.model.covariance import get_structure

#: Numbers of components of a class that BIC chooses among.
BIC_NUMBERS = (1, 2, 3, 4, 5)


def read_classes(y: Any, n: int) -> tuple[npt.NDArray[Any], IntArray]:
    """The classes, sorted, and the class of each row by its place among them; UNKNOWN for rows without one.

    A row has no class where y is -1 beside two other classes or more, or None or NaN.
    """
    if y is None:
        raise ValueError(
            "This GaussianMixtureClassifier estimator requires y to be passed, but the target y is None."
        )
    # whole numbers of a data frame that has missing cells are floats, but where it is asked for objects
    of_frame = not isinstance(getattr(y, "dtype", np.dtype(object)), np.dtype)
    values = column_or_1d(np.asarray(y, dtype=object if of_frame else None), warn=True)
    if len(values) != n:
        raise ValueError(f"X has {n} rows and y has {len(values)}: give one class for each row")
    missing = find_missing(values)
    if values.dtype.kind in "iuf" or values.dtype.kind == "O":
        minus = ~missing
        minus[minus] = [_is_minus_one(value) for value in values[~missing].tolist()]
        others = values[~(missing | minus)].tolist()
        if len(set(others)) > 1:
            missing = missing | minus
    known = values[~missing]
    if not len(known):
        raise ValueError("y has no class at all: every row is -1 or missing")
    if known.dtype.kind == "O":
        known = _unify(known)
    check_classification_targets(known)
    classes, places = np.unique(known, return_inverse=True)
    labels = np.full(n, UNKNOWN)
    labels[~missing] = places.ravel()
    return classes, labels


def find_missing(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Which labels are missing: None, NaN, or what a data frame has in their place."""
    if values.dtype.kind == "f":
        if np.isinf(values).any():
            raise ValueError("Input y contains infinity: classes are finite numbers or text")
        if np.isnan(values).all():
            raise ValueError("Input y contains NaN in every row: no row has a class")
        return np.asarray(np.isnan(values))
    if values.dtype.kind != "O":
        return np.zeros(len(values), dtype=bool)
    return np.array([value is None or type(value).__name__ == "NAType" or value != value for value in values])


def _is_minus_one(value: Any) -> bool:
    return not isinstance(value, str | bytes) and value == -1


def _unify(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Objects as an array of one type, where they are all text or all numbers."""
    plain = np.array(values.tolist())
    return plain if plain.dtype.kind in "iufb" or all(isinstance(v, str) for v in values) else values


def read_options(model: Any, classes: npt.NDArray[Any], d: int) -> Options:
    """The models that the parameters of a classifier allow for d features."""
    by_bic = model.criterion == "bic"
    usual = FAMILIES if d <= MANY_FEATURES else FAMILIES_OF_MANY
    names = model.covariance_type
    if isinstance(names, str):
        families = (tuple(STRUCTURES_OF_MCLUST) if by_bic else usual) if names == "auto" else (names,)
    else:
        families = tuple(map(str, names))
    for name in families:
        get_structure(name)
    shrinkages = (0.0,) if by_bic else SHRINKAGES
    if not isinstance(model.shrinkage, str):
        shrinkages = (float(model.shrinkage),)
    if any(get_structure(name).n_factors for name in families) and shrinkages != (0.0,):
        if not isinstance(model.shrinkage, str):
            raise ValueError(
                "shrinkage is not for factor analysers, whose loadings have no prior; set it to 0"
            )
        shrinkages = (0.0,) if all(get_structure(name).n_factors for name in families) else shrinkages
    return Options(families, _read_numbers(model, classes, by_bic), shrinkages, model.share)


#: mclust's fourteen names.
STRUCTURES_OF_MCLUST = (
    *("EII", "VII", "EEI", "VEI", "EVI", "VVI", "EEE", "VEE", "EVE", "VVE", "EEV", "VEV", "EVV", "VVV"),
)


def _read_numbers(model: Any, classes: npt.NDArray[Any], by_bic: bool) -> tuple[int | tuple[int, ...], ...]:
    """Numbers of components to try: of all classes, or one for each."""
    numbers = model.n_components
    if isinstance(numbers, str):
        return BIC_NUMBERS if by_bic else NUMBERS
    if isinstance(numbers, Mapping):
        unknown = [name for name in numbers if name not in classes.tolist()]
        lacking = [name for name in classes.tolist() if name not in numbers]
        if unknown or lacking or model.share == "components":
            raise ValueError(
                f"n_components must have a number for each of the classes {classes.tolist()}, and no other; "
                f"got {dict(numbers)}"
                + (". Classes that share components have one number" if model.share == "components" else "")
            )
        return (tuple(int(numbers[name]) for name in classes.tolist()),)
    if isinstance(numbers, Integral):
        return (int(numbers),)
    found = tuple(int(number) for number in numbers)
    if not found or min(found) < 1:
        raise ValueError(f"n_components must be numbers of at least 1; got {numbers!r}")
    return found


def read_class_prior(class_prior: Any, n_classes: int) -> Float64Array | None:
    """The given probabilities of the classes, which sum to one; None where they are estimated."""
    if class_prior is None:
        return None
    values = np.asarray(class_prior, dtype=np.float64)
    if values.shape != (n_classes,) or not (values > 0.0).all() or not abs(values.sum() - 1.0) < 1e-6:
        raise ValueError(
            f"class_prior must be {n_classes} positive numbers that sum to 1, one for each class in the "
            f"order of classes_; got {class_prior!r}"
        )
    return np.asarray(values / values.sum())


def read_labelled_rows(
    rows: FloatArray, labels: IntArray, classes: npt.NDArray[Any], weights: Float64Array | None
) -> LabelledRows:
    """The rows of positive weight with their labels."""
    if weights is not None:
        present = weights > 0.0
        rows, labels, weights = rows[present], labels[present], weights[present]
        if (weights == 1.0).all():
            weights = None
    names = tuple(map(repr, classes.tolist()))
    return LabelledRows(Rows(rows, weights), labels, len(classes), names)


def check_classes(data: LabelledRows, classes: npt.NDArray[Any], sizes: tuple[int, ...] | None) -> None:
    """Raise ValueError where a class has no rows, or fewer than its components."""
    counts = data.count_classes()
    if data.n_classes < 2:
        raise ValueError(
            f"a classifier needs two classes; got one class, {classes.tolist()[0]!r}, in all rows of y"
        )
    X = data.rows.array
    if (X[0] == X).all():
        raise ValueError("every column of X is constant: nothing tells the classes apart")
    if not counts.all():
        empty = classes[counts == 0].tolist()
        raise ValueError(f"every row of the class {empty[0]!r} has the weight zero: leave its rows out")
    for c, size in enumerate(sizes or ()):
        if counts[c] < size:
            raise ValueError(
                f"the class {classes.tolist()[c]!r} has {counts[c]} rows and is to have {size} components; "
                "ask for at most one component a row"
            )


def put_reject_label(
    labels: npt.NDArray[Any], rejected: npt.NDArray[np.bool_], label: Any
) -> npt.NDArray[Any]:
    """The labels with another in the place of those that are rejected."""
    if label is None and labels.dtype.kind in "iuf":
        label = -1
    kept = labels
    if label is None or (isinstance(label, str) != (labels.dtype.kind in "US")):
        kept = labels.astype(object)
    elif labels.dtype.kind == "u":
        kept = labels.astype(np.int64)
    elif labels.dtype.kind in "US":
        kept = labels.astype(np.promote_types(labels.dtype, np.asarray(label).dtype))
    else:
        kept = labels.copy()
    kept[rejected] = label
    return kept
