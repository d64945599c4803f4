"""Annealing beside other starts, and the message length beside BIC: ``python -m benchmarks.strategies``.

For each start the table has the share of seeds whose fit ends within 1e-3 nats a row of the best that any
start found, how far the median is from that best, and the time. For each criterion it has how often each
number of components was found.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from sklearn.datasets import load_iris

from benchmarks.cases import Floats
from gaussmix import Mixture, fit_message_length, fit_mixture
from gaussmix.data.rows import Rows
from gaussmix.engines.local import LocalEngine
from gaussmix.fit.memberships import accumulate_equal
from gaussmix.fit.mstep.regularise import make_regularise
from gaussmix.model.covariance import get_structure

STARTS = ("kmeans", "k-means++", "random", "agglomerative", "pca", "annealing", "Ueda and Nakano")
#: Fits from each start.
SEEDS = 30
#: Nats a row from the best within which a fit has reached it.
WITHIN = 1e-3

Settings: TypeAlias = tuple[tuple[int, int, int, int, float, str], ...]


@dataclass(frozen=True)
class Problem:
    name: str
    X: Floats
    k: int
    covariance: str


#: Seed, n, d, k, spread of the means and family of problems on which annealing's settings were chosen.
CHOSEN_ON = (
    (3, 1000, 2, 5, 2.0, "full"),
    (4, 3000, 2, 8, 3.0, "full"),
    (13, 2000, 2, 5, 1.5, "full"),
    (16, 2000, 1, 4, 2.5, "full"),
    (17, 4000, 3, 12, 2.5, "full"),
    (15, 3000, 4, 8, 1.2, "full"),
    (5, 1500, 5, 6, 1.5, "full"),
    (14, 4000, 8, 10, 1.0, "full"),
    (7, 3000, 10, 5, 0.8, "diag"),
    (8, 1500, 2, 10, 3.0, "spherical"),
    (9, 1500, 3, 8, 2.0, "tied"),
)
#: The same of problems drawn after that.
FRESH = (
    (100, 1500, 2, 6, 2.5, "full"),
    (101, 3000, 3, 8, 2.0, "full"),
    (102, 2000, 2, 4, 1.5, "full"),
    (103, 2000, 1, 3, 2.5, "full"),
    (104, 3000, 4, 10, 1.5, "full"),
    (105, 2000, 5, 6, 1.2, "full"),
    (106, 3000, 8, 8, 1.0, "full"),
    (107, 2000, 6, 6, 1.0, "diag"),
    (108, 1500, 3, 8, 2.5, "spherical"),
    (109, 2000, 3, 6, 2.0, "tied"),
    (110, 2000, 2, 7, 2.5, "VEV"),
    (111, 2000, 4, 6, 1.5, "EEI"),
)


def problems(settings: Settings) -> Iterator[Problem]:
    for seed, n, d, k, spread, covariance in settings:
        yield Problem(f"n = {n}, d = {d}", clouds(seed, n, d, k, spread), k, covariance)


def clouds(seed: int, n: int, d: int, k: int, spread: float) -> Floats:
    """Overlapping Gaussians of different sizes, shapes and weights."""
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(n, rng.dirichlet(np.full(k, 4.0)))
    means = spread * rng.normal(size=(k, d))
    shapes = 0.5 * rng.normal(size=(k, d, d)) / np.sqrt(d) + np.eye(d) * rng.uniform(0.3, 1.2, (k, 1, 1))
    parts = [m + rng.normal(size=(c, d)) @ A for m, c, A in zip(means, counts, shapes, strict=True)]
    return np.concatenate(parts)


def ueda_nakano(X: Floats, k: int, covariance: str, seed: int) -> Mixture:
    """Deterministic annealing as published: it also updates weights and covariances; beta from 0.15."""
    structure, rng = get_structure(covariance, X.shape[1]), np.random.default_rng(seed)
    engine = LocalEngine(Rows(X), structure)
    regularise, d = make_regularise("auto", structure, engine), X.shape[1]
    stats = accumulate_equal(engine, k)
    warm, nudge = None, np.zeros((k, d))
    for beta in np.geomspace(0.15, 1.0, 8):
        for i in range(6):
            shares = stats.counts / stats.counts.sum()
            warm, roots = regularise(structure.moments(stats), shares, warm)
            if i == 0:
                spread = np.sqrt(structure.algebra.variances(warm, k, d))
                nudge = 0.2 * spread * rng.standard_normal((k, d))
            mixture = Mixture.of_parts(structure, shares, stats.means() + (i == 0) * nudge, warm, roots)
            stats = engine.accumulate(mixture, beta=float(beta)).moments
    frame = engine.frame
    return mixture.mapped(frame.inverse, frame.matrix, frame.origin)


def compare_starts(settings: Settings) -> None:
    print("| data | k | covariances |", *(f" {start} |" for start in STARTS), sep="")
    print("|---|---:|---|", *("---:|" for _ in STARTS), sep="")
    shares: dict[str, list[float]] = {start: [] for start in STARTS}
    for problem in problems(settings):
        found, seconds = {}, {}
        for start in STARTS:
            begin = time.process_time()
            found[start] = np.array([_likelihood(problem, start, seed) for seed in range(SEEDS)])
            seconds[start] = (time.process_time() - begin) / SEEDS
        best = max(values.max() for values in found.values())
        cells = []
        for start in STARTS:
            share = float(np.mean(found[start] > best - WITHIN))
            shares[start].append(share)
            short = best - float(np.median(found[start]))
            cells.append(f"{share:.0%} ({short:.3f}, {1e3 * seconds[start]:.0f} ms)")
        print(f"| {problem.name} | {problem.k} | {problem.covariance} |", " | ".join(cells), "|", flush=True)
    print("| mean | | |", " | ".join(f"{np.mean(shares[start]):.0%}" for start in STARTS), "|")


def _likelihood(problem: Problem, start: str, seed: int) -> float:
    X, k, covariance = problem.X, problem.k, problem.covariance
    if start == "Ueda and Nakano":
        given = ueda_nakano(X, k, covariance, seed)
        result = fit_mixture(
            X, k, covariance_type=covariance, start=given, random_state=seed, tol=1e-6, max_iter=1000
        )
    else:
        result = fit_mixture(
            X, k, covariance_type=covariance, init_params=start, random_state=seed, tol=1e-6, max_iter=1000
        )
    return -np.inf if result.collapsed else result.mean_log_likelihood


def three(rng: np.random.Generator) -> Floats:
    """Figueiredo and Jain's first example: three flat components one above the other, 900 rows."""
    means = np.array([[0.0, -2.0], [0.0, 0.0], [0.0, 2.0]])
    return means[rng.integers(3, size=900)] + rng.normal(size=(900, 2)) * np.sqrt([2.0, 0.2])


def four(rng: np.random.Generator) -> Floats:
    """Figueiredo and Jain's example of components with a common mean, 1000 rows."""
    covariances = [[[1, 0.5], [0.5, 1]], [[6, -2], [-2, 6]], [[2, -1], [-1, 2]], [[0.125, 0], [0, 0.125]]]
    mixture = Mixture([0.3, 0.3, 0.3, 0.1], [[-4, -4], [-4, -4], [2, 2], [-1, -6]], covariances)
    return mixture.sample(1000, rng)[0]


def iris(rng: np.random.Generator) -> Floats:
    """Fisher's three species; the rows are the same for every seed."""
    return np.asarray(load_iris().data)


def six(rng: np.random.Generator) -> Floats:
    """Six clusters in five dimensions, 1500 rows."""
    means = np.random.default_rng(1).normal(size=(6, 5)) * 3.0
    return means[rng.integers(6, size=1500)] + rng.normal(size=(1500, 5))


def compare_criteria(seeds: int = 50) -> None:
    print("| data | true k | message length | BIC, k-means starts, k = 1 to 8 | BIC, agglomerative |")
    print("|---|---:|---:|---:|---:|")
    for draw, true in ((three, 3), (four, 4), (iris, 3), (six, 6)):
        columns = []
        for choose in (_by_message_length, _by_bic, _by_bic_agglomerative):
            begin = time.process_time()
            found = Counter(choose(draw(np.random.default_rng(seed)), seed) for seed in range(seeds))
            took = (time.process_time() - begin) / seeds
            others = ", ".join(f"{k}: {found[k]}" for k in sorted(found) if k != true)
            columns.append(
                f"{found[true] / seeds:.0%}" + (f" ({others})" if others else "") + f", {1e3 * took:.0f} ms"
            )
        print(f"| {draw.__name__} | {true} |", " | ".join(columns), "|", flush=True)


def _by_message_length(X: Floats, seed: int) -> int:
    return fit_message_length(X, 20, random_state=seed).mixture.n_components


def _by_bic(X: Floats, seed: int, start: str = "kmeans") -> int:
    options = {"init_params": start, "tol": 1e-5, "max_iter": 1000, "random_state": seed}
    fits = [fit_mixture(X, k, **options) for k in range(1, 9)]
    sound = [fit for fit in fits if not fit.collapsed]
    return min(sound, key=lambda fit: fit.bic).mixture.n_components


def _by_bic_agglomerative(X: Floats, seed: int) -> int:
    return _by_bic(X, seed, "agglomerative")


if __name__ == "__main__":
    if "components" not in sys.argv[1:]:
        compare_starts(CHOSEN_ON)
        compare_starts(FRESH)
    if "starts" not in sys.argv[1:]:
        compare_criteria()
