"""Small tables of all sorts, real and drawn, on which a default fit is compared with its own k-means start.

Each is a name, rows of shape (n, d), and a number of components. They are columns as people have them:
integers, heaps at a value, tails, outliers, fill values, columns that repeat one another. None needs a network.
The draws are RandomState's, whose stream is frozen.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.random import RandomState
from sklearn import datasets

from gaussmix.datasets import load_faithful

#: Rows that a table has at most; of longer ones every so manieth is taken.
MOST = 600

Table = tuple[str, np.ndarray, int]


def tables() -> list[Table]:
    """All of them, names unique."""
    groups = (
        *(real_columns, real_pairs, real_tables, whole_numbers, heaps, tails, outliers, fills),
        *(degenerate_columns, rounded, shapes, few_rows, many_features, scales),
    )
    return [table for group in groups for table in group()]


def column(x) -> np.ndarray:
    return np.asarray(x, dtype=np.float64).reshape(-1, 1)


def real() -> dict[str, tuple[np.ndarray, list[str]]]:
    """Every set by name, with the names of its columns."""
    found = {}
    for name in ("iris", "wine", "breast_cancer", "digits", "diabetes"):
        bunch = getattr(datasets, f"load_{name}")()
        X = np.asarray(bunch.data)
        found[name] = X[:: 1 + len(X) // MOST], list(bunch.feature_names)
    found["faithful"] = np.asarray(load_faithful()[0], dtype=np.float64), ["eruptions", "waiting"]
    return found


def real_columns() -> Iterator[Table]:
    wanted = {
        "iris": range(4),
        "wine": (0, 1, 3, 5, 6, 9, 12),
        "breast_cancer": (0, 3, 5, 6, 10, 13, 16, 19),
        "digits": (2, 3, 20, 36, 42, 55, 61),
        "diabetes": (0, 1, 2, 3, 7, 9),
        "faithful": range(2),
    }
    for name, (X, names) in real().items():
        for j in wanted[name]:
            yield f"{name}: {names[j]}", column(X[:, j]), 2


def real_pairs() -> Iterator[Table]:
    wanted = {
        "iris": ((0, 1), (2, 3)),
        "wine": ((0, 12), (6, 9)),
        "breast_cancer": ((0, 1), (6, 7), (13, 16)),
        "digits": ((20, 21), (36, 43)),
        "diabetes": ((1, 2), (6, 7)),
    }
    for name, (X, names) in real().items():
        for i, j in wanted.get(name, ()):
            yield f"{name}: {names[i]}, {names[j]}", X[:, [i, j]], 3


def real_tables() -> Iterator[Table]:
    found = {name: X for name, (X, _) in real().items()}
    yield "iris", found["iris"], 3
    yield "wine", found["wine"], 3
    yield "wine, 5 columns", found["wine"][:, :5], 3
    yield "breast_cancer", found["breast_cancer"], 2
    yield "breast_cancer, 10 columns", found["breast_cancer"][:, :10], 2
    yield "diabetes", found["diabetes"], 2
    yield "faithful", found["faithful"], 2
    yield "faithful, 4", found["faithful"], 4


def whole_numbers() -> Iterator[Table]:
    r = RandomState(1)
    yield "ages", column(np.clip(np.round(r.normal(41, 18, 400)), 0, 99)), 2
    yield "ages, young and old", column(np.round(np.r_[r.normal(20, 2, 250), r.normal(55, 14, 250)])), 2
    yield (
        "years of school",
        column(r.choice([8, 9, 10, 12, 14, 16, 18], 400, p=[0.05, 0.1, 0.1, 0.4, 0.1, 0.2, 0.05])),
        2,
    )
    yield "Poisson of 0.5", column(r.poisson(0.5, 400)), 2
    yield "Poisson of 3", column(r.poisson(3.0, 400)), 2
    yield "Poisson of 40", column(r.poisson(40.0, 400)), 2
    yield "negative binomial, flat", column(r.negative_binomial(1, 0.05, 400)), 2
    yield "negative binomial, steep", column(r.negative_binomial(0.5, 0.3, 400)), 2
    yield "geometric", column(r.geometric(0.3, 300)), 2
    yield "grades, 1 to 5", column(r.choice(5, 300, p=[0.1, 0.2, 0.4, 0.2, 0.1]) + 1), 2
    yield "dice", column(r.randint(1, 7, 300)), 3
    yield "dice, two", r.randint(1, 7, (300, 2)).astype(float), 2
    yield "0 or 1", column(r.uniform(size=300) < 0.3), 2
    yield "0 or 1, rare", column(r.uniform(size=300) < 0.02), 2
    yield "numbers 1 to 500", column(np.arange(1, 501)), 2
    yield "years", column(r.randint(1950, 2021, 400)), 2


def heaps() -> Iterator[Table]:
    r = RandomState(2)
    yield "0 or about 12", column(np.where(r.random_sample(300) < 0.6, 0, r.normal(12, 2, 300))), 2
    yield "0 or about 12, k = 3", column(np.where(r.random_sample(300) < 0.6, 0, r.normal(12, 2, 300))), 3
    yield "0 in a tenth", column(np.where(r.random_sample(300) < 0.1, 0, r.normal(12, 2, 300))), 2
    yield "0 in 19 of 20", column(np.where(r.random_sample(300) < 0.95, 0, r.normal(12, 2, 300))), 2
    yield "a heap inside", column(np.where(r.random_sample(300) < 0.5, 12, r.normal(12, 2, 300))), 2
    yield "0 or lognormal", column(np.where(r.random_sample(400) < 0.4, 0, r.lognormal(2, 1, 400))), 2
    yield "0 or lognormal, wide", column(np.where(r.random_sample(400) < 0.7, 0, r.lognormal(4, 2, 400))), 2
    yield "0 or Pareto", column(np.where(r.random_sample(400) < 0.5, 0, r.pareto(1.5, 400))), 2
    yield "percent, clipped", column(np.clip(r.normal(60, 50, 400), 0, 100)), 2
    yield "percent, clipped above", column(np.clip(r.normal(95, 10, 400), 0, 100)), 2
    yield "percent, clipped, k = 3", column(np.clip(r.normal(50, 60, 400), 0, 100)), 3
    yield "three heaps", column(r.choice([0.0, 10.0, 50.0], 300)), 2
    yield "three heaps, k = 3", column(r.choice([0.0, 10.0, 50.0], 300)), 3
    heap = r.random_sample(300) < 0.4
    pair = r.normal(5, 2, (300, 2))
    pair[heap, 1] = 0.0
    yield "a heap in one of two", pair, 2
    yield "rain", column(np.where(r.random_sample(365) < 0.65, 0, np.round(r.gamma(0.7, 8, 365), 1))), 2


def tails() -> Iterator[Table]:
    r = RandomState(3)
    yield "t of 2", column(r.standard_t(2, 400)), 2
    yield "t of 2, d = 3", r.standard_t(2, (300, 3)), 2
    yield "Cauchy", column(r.standard_cauchy(400)), 2
    yield "Cauchy, d = 2", r.standard_cauchy((300, 2)), 3
    yield "lognormal", column(r.lognormal(0, 1, 400)), 2
    yield "lognormal, wide", column(r.lognormal(0, 3, 400)), 2
    yield "lognormal, d = 2", r.lognormal(0, 1, (400, 2)), 3
    yield "Pareto of 1", column(r.pareto(1.0, 400)), 2
    yield "Pareto of 3", column(r.pareto(3.0, 400)), 2
    yield "exponential", column(r.exponential(1.0, 400)), 2
    yield "gamma", column(r.gamma(0.3, 1.0, 400)), 2
    yield "prices", column(np.round(r.lognormal(3, 1, 500), 2)), 3
    yield "incomes", column(np.round(r.lognormal(10.5, 0.8, 500), -2)), 2


def outliers() -> Iterator[Table]:
    for distance in (30.0, 1e3, 1e5, 1e8):
        r = RandomState(4)
        two = np.r_[r.normal(0, 1, (125, 2)), r.normal(6, 1, (125, 2))]
        yield f"a row {distance:g} away", np.r_[two, [[distance, distance]]], 3
        yield f"a row {distance:g} away, d = 1", np.r_[two, [[distance, distance]]][:, :1], 2
    r = RandomState(5)
    yield "five rows, each elsewhere", np.r_[r.normal(0, 1, (200, 2)), r.uniform(-500, 500, (5, 2))], 3
    yield "a twentieth wide", column(np.r_[r.normal(0, 1, 380), r.normal(0, 50, 20)]), 2


def fills() -> Iterator[Table]:
    for value in (99999.0, 1e9, -2147483648.0):
        r = RandomState(6)
        two = np.r_[r.normal(0, 0.9, (125, 2)), r.normal(5, 0.9, (125, 2))]
        yield f"{value:.0f} in five rows", np.r_[two, np.full((5, 2), value)], 3
        yield f"{value:.0f} in five rows, d = 1", np.r_[two[:, :1], np.full((5, 1), value)], 2
    r = RandomState(7)
    yield "-1 for unknown", column(np.where(r.random_sample(300) < 0.2, -1, r.normal(170, 8, 300))), 2
    yield (
        "999 for unknown",
        column(np.where(r.random_sample(300) < 0.05, 999, np.round(r.normal(38, 9, 300)))),
        2,
    )


def degenerate_columns() -> Iterator[Table]:
    r = RandomState(8)
    two = np.r_[r.normal(0, 1, (150, 2)), r.normal(4, 1, (150, 2))]
    yield "a constant column", np.c_[two, np.full(300, 3.0)], 2
    yield "constant columns", np.c_[np.zeros(300), two, np.ones((300, 2))], 2
    yield "a constant alone", np.full((50, 1), 7.0), 2
    yield "a column twice", np.c_[two, two[:, 0]], 2
    yield "the sum of two", np.c_[two, two.sum(axis=1)], 2
    yield "every row twice", np.repeat(two[::2], 2, axis=0), 2
    yield "every row ten times", np.repeat(two[::10], 10, axis=0), 2
    yield "one hot", np.eye(4)[r.randint(4, size=300)], 4
    yield "one hot, k = 2", np.eye(3)[r.choice(3, 300, p=[0.7, 0.2, 0.1])], 2
    yield "one hot beside numbers", np.c_[two, np.eye(2)[r.randint(2, size=300)]], 2
    yield "ones and zeros, d = 5", (r.uniform(size=(300, 5)) < 0.4).astype(float), 2
    yield "nearly constant", np.c_[two, np.where(np.arange(300) == 7, 1.0, 0.0)], 2


def rounded() -> Iterator[Table]:
    r = RandomState(9)
    two = np.r_[r.normal(0, 1, (150, 2)), r.normal(3, 1, (150, 2))]
    yield "two clusters, no decimals", np.round(two), 2
    yield "two clusters, one decimal", np.round(two, 1), 2
    yield "normal, no decimals", column(np.round(r.normal(0, 1, 300))), 2
    yield "normal, one decimal", column(np.round(r.normal(0, 1, 300), 1)), 3
    yield "heights, to 5", column(5 * np.round(r.normal(172, 9, 300) / 5)), 2
    yield "temperatures", column(np.round(np.r_[r.normal(3, 4, 180), r.normal(18, 5, 180)], 1)), 2


def shapes() -> Iterator[Table]:
    r = RandomState(10)
    yield "normal", column(r.normal(0, 1, 300)), 2
    yield "normal, d = 2", r.normal(0, 1, (300, 2)), 3
    yield "uniform", column(r.uniform(size=300)), 2
    yield "uniform, d = 2", r.uniform(size=(300, 2)), 4
    yield "arcsine", column(np.sin(r.uniform(0, 2 * np.pi, 300))), 2
    yield "two, apart", column(np.r_[r.normal(0, 1, 150), r.normal(8, 1, 150)]), 2
    yield "two, near", column(np.r_[r.normal(0, 1, 150), r.normal(2.5, 1, 150)]), 2
    yield "two, uneven", column(np.r_[r.normal(0, 1, 290), r.normal(5, 0.3, 10)]), 2
    yield "one inside another", column(np.r_[r.normal(0, 0.1, 150), r.normal(0, 3, 150)]), 2
    yield (
        "a ring",
        np.array([[np.cos(a), np.sin(a)] for a in r.uniform(0, 6.3, 300)]) + r.normal(0, 0.1, (300, 2)),
        4,
    )


def few_rows() -> Iterator[Table]:
    for n in (10, 12, 15, 20, 30):
        r = RandomState(n)
        yield f"{n} rows", np.r_[r.normal(0, 1, (n // 2, 2)), r.normal(4, 1, (n - n // 2, 2))], 2
        yield f"{n} rows, d = 1", column(r.normal(0, 1, n)), 2


def many_features() -> Iterator[Table]:
    for d in (3, 5, 7, 10):
        r = RandomState(d)
        yield f"two clusters, d = {d}", np.r_[r.normal(0, 1, (150, d)), r.normal(1.5, 1.5, (150, d))], 2
    r = RandomState(11)
    yield "five clusters, d = 4", r.normal(0, 4, (5, 4))[r.randint(5, size=400)] + r.normal(0, 1, (400, 4)), 5


def scales() -> Iterator[Table]:
    r = RandomState(12)
    two = np.r_[r.normal(0, 1, (150, 3)), r.normal(3, 1, (150, 3))]
    yield "scales 1e-6, 1, 1e6", two * [1e-6, 1.0, 1e6], 2
    yield "scales 1e-3, 1, 1e3, lognormal", np.exp(two) * [1e-3, 1.0, 1e3], 2
    yield "1e6 away", two + 1e6, 2
    yield "1e6 away, d = 1", column(r.normal(1e6, 1.0, 300)), 2
    yield "times of day, in seconds", column(1.7e9 + r.randint(0, 86_400, 400)), 2
    yield "float32", two.astype(np.float32), 2
    yield "float32, lognormal", column(r.lognormal(0, 1, 300)).astype(np.float32), 2
    yield "tiny", column(1e-12 * r.lognormal(0, 1, 300)), 2
