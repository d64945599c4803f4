"""The data of default fits: real data in their own units, blobs, and a few awkward shapes.

Blobs are scikit-learn's `make_blobs` of unit spread and `random_state=0`, with centres in a box from -10 to
10. In five dimensions or more they do not touch. Blobs called "overlapping" have a spread of 4, and touch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from sklearn import datasets
from sklearn.decomposition import PCA

from benchmarks.real_data import Floats, faithful

FAMILIES = ("full", "tied", "diag", "spherical")
#: Rows times features from which a quick run leaves a row of the table out.
LARGE = 300_000

Tables = list[Floats]


@dataclass(frozen=True)
class Row:
    """A row of the table: its data sets (mostly one), a number of components, and families."""

    name: str
    k: int
    load: Callable[[], Tables]
    families: tuple[str, ...] = FAMILIES
    size: int = 0
    extra: bool = False

    @property
    def large(self) -> bool:
        return self.size >= LARGE


def _as_it_comes(load: Callable[[], object]) -> Tables:
    return [np.asarray(load().data, dtype=np.float64)]  # type: ignore[attr-defined]


def _digits_pca() -> Tables:
    return [PCA(20, svd_solver="full").fit_transform(datasets.load_digits().data)]


def _blobs(n: int, d: int, k: int, spread: float) -> Tables:
    return [datasets.make_blobs(n, d, centers=k, cluster_std=spread, random_state=0)[0]]


def _more_features_than_rows() -> Tables:
    return _blobs(60, 100, 2, 4.0)


def _many_small() -> Tables:
    """Fifty tables of thirty rows, two clusters four spreads apart in each."""
    rng = np.random.RandomState(0)
    return [rng.standard_normal((30, 2)) + 4.0 * (rng.uniform(size=(30, 1)) < 0.5) for _ in range(50)]


def blobs(n: int, d: int, k: int, spread: float = 1.0) -> Row:
    size = f"{n // 1000}k" if n > 1000 else str(n)
    name = f"blobs {size},{d},{k}" + (", overlapping" if spread > 1.0 else "")
    return Row(name, k, partial(_blobs, n, d, k, spread), size=n * d, extra=spread > 1.0)


ROWS = (
    Row("iris", 3, partial(_as_it_comes, datasets.load_iris)),
    Row("wine", 3, partial(_as_it_comes, datasets.load_wine)),
    Row("breast cancer", 2, partial(_as_it_comes, datasets.load_breast_cancer)),
    Row("digits, PCA 20", 10, _digits_pca),
    Row("faithful", 2, lambda: [faithful()]),
    blobs(1000, 2, 5),
    blobs(10_000, 5, 5),
    blobs(10_000, 20, 10),
    blobs(200_000, 2, 5),
    blobs(100_000, 8, 16),
    blobs(50_000, 32, 16),
    blobs(10_000, 5, 5, 4.0),
    blobs(100_000, 8, 16, 4.0),
    Row("digits, raw", 3, partial(_as_it_comes, datasets.load_digits), ("tied", "full"), extra=True),
    Row("60 x 100", 2, _more_features_than_rows, ("full",), extra=True),
    Row("fifty of 30 x 2", 2, _many_small, extra=True),
)


def choose_cells(only: list[str] | None, *, quick: bool) -> list[tuple[Row, str]]:
    """The cells whose name, "row, family", has one of these texts."""
    cells = [(row, family) for row in ROWS for family in row.families if not (quick and row.large)]
    found = [cell for cell in cells if only is None or any(text in cell_name(*cell) for text in only)]
    if not found:
        raise SystemExit(f"no cell has one of {only} in its name: {'; '.join(row.name for row in ROWS)}")
    return found


def cell_name(row: Row, family: str) -> str:
    return f"{row.name}, {family}"
