"""Problems whose best likelihood is known (benchmarks/best_known.json): real data and hard synthetic ones.

All but six (docs/optima.md) were chosen before anything was fitted to them. They have at least 9 (d + 1) rows
for each full covariance, since with few rows the peaks of the likelihood are at components of next to no
rows. Labels, where there are any, are one more start for the search for the best.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.random import RandomState
from sklearn import datasets

from benchmarks import real_data
from benchmarks.real_data import Floats, Labels, MissingDataError

Rows = Callable[[], Floats | tuple[Floats, Labels]]


@dataclass(frozen=True)
class Problem:
    """Rows, a number of components and a covariance type. The rows are made or loaded when first used."""

    data: str
    k: int
    covariance: str
    load: Rows
    labels_of: Callable[[], Labels] | None = None

    @property
    def name(self) -> str:
        return f"{self.data}-{self.k}-{self.covariance}"

    @cached_property
    def _loaded(self) -> tuple[Floats, Labels | None]:
        loaded = self.load()
        if isinstance(loaded, tuple):
            return loaded
        return loaded, None if self.labels_of is None else self.labels_of()

    @property
    def X(self) -> Floats:
        return self._loaded[0]

    @property
    def labels(self) -> Labels | None:
        """The component of each row, if it is known and there are k of them."""
        labels = self._loaded[1]
        return labels if labels is not None and labels.max() + 1 == self.k else None

    @property
    def missing(self) -> str:
        """What to install for the rows; empty if they can be loaded."""
        try:
            self._loaded  # noqa: B018
        except MissingDataError as error:
            return str(error)
        return ""

    def fingerprint(self) -> str:
        """A hash of the rows, rounded to six digits of each column's spread so that machines agree."""
        X = self.X
        rounded = np.round((X - X.mean(axis=0)) / X.std(axis=0), 6) + 0.0
        return hashlib.sha256(repr(X.shape).encode() + rounded.tobytes()).hexdigest()[:16]


# NumPy's RandomState draws the synthetic rows, since its stream is frozen. That of a Generator may change.


def gaussians(
    seed: int,
    n: int,
    means: Floats,
    *,
    spreads: Floats | None = None,
    weights: tuple[float, ...] | None = None,
    skew: float = 0.3,
) -> tuple[Floats, Labels]:
    """Rows of k Gaussians with these means, each turned and stretched somewhat.

    Spreads are one number for each component, or one for each of its features.
    """
    rng = RandomState(seed)
    k, d = means.shape
    turns = np.eye(d) + skew * rng.standard_normal((k, d, d))
    if spreads is not None:
        turns *= np.reshape(spreads, (k, -1, 1)) if np.ndim(spreads) == 2 else spreads[:, None, None]
    labels = rng.choice(k, n, p=weights)
    X = means[labels] + (turns[labels] @ rng.standard_normal((n, d, 1)))[:, :, 0]
    return X, labels


def draw_means(seed: int, k: int, d: int, apart: float) -> Floats:
    """k means, drawn from a normal distribution of this spread."""
    return np.asarray(apart * RandomState(1000 + seed).standard_normal((k, d)))


def overlapping(seed: int, n: int, k: int, d: int, apart: float, skew: float = 0.3) -> Rows:
    return partial(gaussians, seed, n, draw_means(seed, k, d, apart), skew=skew)


def unbalanced(seed: int, n: int, d: int, apart: float, weights: tuple[float, ...], skew: float) -> Rows:
    return partial(gaussians, seed, n, draw_means(seed, len(weights), d, apart), weights=weights, skew=skew)


def nested(seed: int, n: int, d: int, spreads: tuple[float, ...], skew: float = 0.2) -> Rows:
    """Gaussians around one point, each wider than the one before."""
    return partial(gaussians, seed, n, np.zeros((len(spreads), d)), spreads=np.array(spreads), skew=skew)


def nested_pairs() -> tuple[Floats, Labels]:
    """Two wide Gaussians with a tight one inside each, off the centre."""
    means = np.array([[0.0, 0.0], [1.5, 1.0], [12.0, 3.0], [10.0, 4.0]])
    return gaussians(33, 1200, means, spreads=np.array([4.0, 0.4, 3.0, 0.3]))


def grid(seed: int, n: int, side: int, step: float) -> Rows:
    """Gaussians of about unit spread at the crossings of a grid."""
    i = np.arange(side, dtype=np.float64)
    means = step * np.stack(np.meshgrid(i, i), axis=-1).reshape(-1, 2)
    return partial(gaussians, seed, n, means, skew=0.15)


def lines() -> tuple[Floats, Labels]:
    """Three parallel ones, twenty times as long as they are thick."""
    means = np.array([[0.0, 0.0], [2.0, 3.0], [-2.0, 6.0]])
    return gaussians(51, 600, means, spreads=np.tile([[10.0, 0.5]], (3, 1)), skew=0.0)


def moons() -> Floats:
    """Two half circles, which no Gaussian fits."""
    rng = RandomState(52)
    angle = np.pi * rng.uniform(size=600)
    upper = rng.uniform(size=600) < 0.5
    x = np.where(upper, np.cos(angle), 1.0 - np.cos(angle))
    y = np.where(upper, np.sin(angle), 0.5 - np.sin(angle))
    return np.stack([x, y], axis=1) + 0.1 * rng.standard_normal((600, 2))


def first_columns(load: Callable[[], Floats], d: int) -> Rows:
    return lambda: load()[:, :d]


FEW = (0.6, 0.25, 0.1, 0.03, 0.02)
HALVES = (0.5, 0.25, 0.125, 0.0625, 0.03125, 0.03125)
_iris_species = partial(real_data.species, datasets.load_iris)
_cultivars = partial(real_data.species, datasets.load_wine)
_tumours = partial(real_data.species, datasets.load_breast_cancer)
_numerals = partial(real_data.species, datasets.load_digits)

PROBLEMS: tuple[Problem, ...] = (
    Problem("faithful", 2, "full", real_data.faithful),
    Problem("faithful", 3, "full", real_data.faithful),
    Problem("faithful", 3, "tied", real_data.faithful),
    Problem("faithful", 5, "diag", real_data.faithful),
    Problem("iris", 3, "full", real_data.iris, _iris_species),
    Problem("iris", 4, "tied", real_data.iris),
    Problem("iris", 3, "diag", real_data.iris, _iris_species),
    Problem("wine", 3, "tied", real_data.wine, _cultivars),
    Problem("wine", 4, "diag", real_data.wine),
    Problem("wine, 5 columns", 3, "full", first_columns(real_data.wine, 5), _cultivars),
    Problem("cancer, 10 columns", 2, "full", first_columns(real_data.cancer, 10), _tumours),
    Problem("cancer, PCA", 3, "tied", real_data.cancer_pca),
    Problem("cancer, PCA", 4, "full", real_data.cancer_pca),
    Problem("cancer", 3, "diag", real_data.cancer),
    Problem("diabetes, 5 columns", 3, "full", first_columns(real_data.diabetes, 5)),
    Problem("diabetes", 3, "tied", real_data.diabetes),
    Problem("penguins", 3, "full", real_data.penguins),
    Problem("penguins", 5, "diag", real_data.penguins),
    Problem("digits, PCA 8", 6, "full", partial(real_data.digits, 8)),
    Problem("digits, PCA 10", 10, "tied", partial(real_data.digits, 10), _numerals),
    Problem("digits, PCA 10", 10, "diag", partial(real_data.digits, 10), _numerals),
    Problem("galaxies", 3, "full", real_data.galaxies),
    Problem("galaxies", 4, "tied", real_data.galaxies),
    Problem("acidity", 3, "full", real_data.acidity),
    Problem("acidity", 4, "tied", real_data.acidity),
    Problem("GvHD", 5, "full", real_data.gvhd),
    Problem("GvHD control", 6, "diag", real_data.gvhd_control),
    Problem("overlapping, d=2", 3, "full", overlapping(11, 1500, 3, 2, 1.5)),
    Problem("overlapping, d=5", 5, "full", overlapping(12, 2000, 5, 5, 1.2)),
    Problem("overlapping, d=3", 6, "diag", overlapping(13, 1200, 6, 3, 1.8, 0.1)),
    Problem("overlapping, d=5", 5, "tied", overlapping(14, 1500, 5, 5, 1.0, 0.0)),
    Problem("unbalanced, d=2", 5, "full", unbalanced(21, 2000, 2, 5.0, FEW, 0.3)),
    Problem("unbalanced, d=4", 6, "diag", unbalanced(22, 1500, 4, 2.5, HALVES, 0.1)),
    Problem("unbalanced, d=2", 5, "tied", unbalanced(23, 1500, 2, 3.5, FEW, 0.0)),
    Problem("nested, d=2", 3, "full", nested(31, 900, 2, (1.0, 3.0, 9.0))),
    Problem("nested, d=5", 3, "diag", nested(32, 900, 5, (1.0, 2.5, 6.0), 0.05)),
    Problem("nested pairs", 4, "full", nested_pairs),
    Problem("grid 4 x 4", 16, "full", grid(41, 1600, 4, 5.0)),
    Problem("grid 4 x 4", 16, "tied", grid(42, 1600, 4, 4.0)),
    Problem("grid 5 x 5", 25, "full", grid(43, 2500, 5, 5.0)),
    Problem("grid 5 x 5", 25, "diag", grid(44, 2500, 5, 6.0)),
    Problem("lines", 3, "full", lines),
    Problem("d=20", 4, "full", overlapping(61, 1600, 4, 20, 0.8, 0.1)),
    Problem("d=20", 8, "tied", overlapping(62, 1600, 8, 20, 0.8, 0.0)),
    Problem("d=20", 10, "diag", overlapping(63, 1500, 10, 20, 0.8, 0.05)),
    Problem("moons", 8, "full", moons),
)


def choose_problems(only: list[str] | None = None) -> list[Problem]:
    """The problems whose name has one of these texts (None: all), with a note where rows are missing."""
    found = [p for p in PROBLEMS if only is None or any(text in p.name for text in only)]
    if not found:
        raise SystemExit(f"no problem has one of {only} in its name: {'; '.join(p.name for p in PROBLEMS)}")
    for problem in found:
        if problem.missing:
            print(f"left out: {problem.name} ({problem.missing})", flush=True)
    return [problem for problem in found if not problem.missing]
