"""Passes over the data to the optimum, accelerated and not: ``python -m benchmarks.acceleration``.

The figures are passes until within 1e-6 nats a row of the limit of EM alone, from the same k-means. For a run
that ended at another optimum the table has the nats a row by which that is higher or lower. A run that ended
lower counts in no median.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

import numpy as np
from sklearn import datasets

from benchmarks.cases import Floats
from gaussmix import fit_mixture
from gaussmix.datasets import load_faithful

METHODS = ("squarem", "anderson", "quasi-newton", "auto")
#: Nats a row from the limit at which a run has reached it.
WITHIN = 1e-6
#: Passes of EM alone.
PLAIN_PASSES = 6000
#: Passes of an accelerated run.
PASSES = 600
#: Passes of EM from which a problem is slow.
SLOW = 100


@dataclass(frozen=True)
class Problem:
    name: str
    X: Floats
    k: int
    covariance: str
    easy: bool = False


def problems() -> Iterator[Problem]:
    """Problems whose components overlap, then easy ones."""
    faithful = load_faithful()[0]
    iris, wine = datasets.load_iris().data, datasets.load_wine().data
    cancer = datasets.load_breast_cancer().data[:, :8]
    diabetes = np.delete(datasets.load_diabetes().data, 1, axis=1)  # without a column of two values
    for k in (3, 4, 5, 6):
        yield Problem("faithful", faithful, k, "full")
    yield Problem("iris", iris, 4, "full")
    yield Problem("iris", iris, 5, "EVE")
    yield Problem("wine, 6 columns", wine[:, :6], 4, "full")
    yield Problem("wine, 5 columns", wine[:, :5], 3, "VEE")
    yield Problem("wine", wine, 5, "tied")
    yield Problem("diabetes, 5 columns", diabetes[:, :5], 4, "full")
    yield Problem("diabetes, 6 columns", diabetes[:, 3:], 3, "tied")
    yield Problem("diabetes, 6 columns", diabetes[:, 3:], 3, "spherical")
    yield Problem("cancer, 8 columns", cancer, 3, "full")
    yield Problem("blobs, d = 1", blobs(1, 2000, 1, 2, 1.0), 2, "full")
    yield Problem("blobs, d = 1", blobs(2, 2000, 1, 3, 1.5), 3, "full")
    yield Problem("blobs, d = 2", blobs(3, 2000, 2, 4, 1.2), 4, "full")
    yield Problem("blobs, d = 2", blobs(4, 2000, 2, 4, 1.2), 4, "tied")
    for covariance in ("EII", "EEI", "EVI", "EVV"):
        yield Problem("blobs, d = 2", blobs(3, 1000, 2, 4, 1.2), 4, covariance)
    yield Problem("blobs, d = 5", blobs(5, 3000, 5, 4, 0.8), 4, "full")
    yield Problem("blobs, d = 5", blobs(6, 3000, 5, 6, 1.2), 6, "diag")
    yield Problem("blobs, d = 20", blobs(7, 4000, 20, 4, 0.5), 4, "full")
    yield Problem("faithful", faithful, 2, "full", easy=True)
    yield Problem("faithful", faithful, 2, "tied", easy=True)
    yield Problem("iris", iris, 2, "full", easy=True)
    yield Problem("iris", iris, 2, "VEV", easy=True)
    yield Problem("blobs apart, d = 2", blobs(11, 2000, 2, 4, 6.0), 4, "full", easy=True)
    yield Problem("blobs apart, d = 5", blobs(12, 3000, 5, 5, 4.0), 5, "diag", easy=True)
    yield Problem("blobs apart, d = 20", blobs(13, 4000, 20, 4, 3.0), 4, "full", easy=True)


def draw_problems() -> Iterator[Problem]:
    """Overlapping problems that nobody chose: dimensions, numbers, families and distances are drawn."""
    for seed in range(24):
        rng = np.random.default_rng(100 + seed)
        d, k = int(rng.choice([1, 2, 3, 5, 8])), int(rng.integers(2, 7))
        covariance = str(rng.choice(["full", "full", "tied", "diag", "VVE", "spherical", "VEE"]))
        if d == 1 and covariance in ("VVE", "VEE"):
            covariance = "full"
        n, apart = int(rng.choice([400, 1500])), float(rng.choice([0.8, 1.2, 1.6, 2.2]))
        yield Problem(f"drawn, d = {d}", blobs(200 + seed, n, d, k, apart), k, covariance)


def blobs(seed: int, n: int, d: int, k: int, apart: float) -> Floats:
    """Rows of k Gaussian blobs whose means are about `apart` standard deviations from one another."""
    rng = np.random.default_rng(seed)
    centres = apart * rng.normal(size=(k, d))
    turns = np.eye(d) + 0.3 * rng.normal(size=(k, d, d)) / np.sqrt(d)
    labels = rng.choice(k, n, p=rng.dirichlet(np.full(k, 5.0)))
    return np.einsum("nij,nj->ni", turns[labels], rng.normal(size=(n, d))) + centres[labels]


def history(problem: Problem, acceleration: str | None) -> Floats:
    result = fit_mixture(
        problem.X,
        problem.k,
        covariance_type=problem.covariance,
        init_params="kmeans",
        random_state=0,
        tol=0.0,
        max_iter=PASSES if acceleration else PLAIN_PASSES,
        acceleration=acceleration,
    )
    return np.array(result.history)


def passes(likelihoods: Floats, limit: float) -> int:
    return int(np.argmax(likelihoods >= limit - WITHIN))


def main() -> None:
    print("| data | k | covariances | EM | " + " | ".join(METHODS) + " |")
    print("|---|---:|---|" + "---:|" * (1 + len(METHODS)))
    kinds = ("slow", "listed", "drawn")
    ratios: dict[str, dict[str, list[float]]] = {m: {kind: [] for kind in kinds} for m in METHODS}
    worst = dict.fromkeys(METHODS, 0.0)
    for problem in (*problems(), *draw_problems()):
        em = history(problem, None)
        plain = passes(em, em[-1])
        cells = []
        for method in METHODS:
            fast = history(problem, method)
            lacks = em[-1] - fast[-1]
            # a run has reached a lower optimum at its own limit, and a higher one where it passes EM's limit
            count = passes(fast, min(em[-1], fast[-1]))
            cells.append(f"{count}" + (f" ({-lacks:+.0e})" if abs(lacks) > 2 * WITHIN else ""))
            if problem.easy:
                worst[method] = max(worst[method], count / max(plain, 1))
            elif lacks <= 2 * WITHIN:
                groups = ("slow", "listed") if plain >= SLOW else ("listed",)
                for group in ("drawn",) if problem.name.startswith("drawn") else groups:
                    ratios[method][group].append(plain / max(count, 1))
        row = [problem.name, str(problem.k), problem.covariance, str(plain), *cells]
        print("| " + " | ".join(row) + " |", flush=True)
    for method in METHODS:
        slow, listed, others = ratios[method].values()
        both = listed + others
        print(
            f"{method}: median {median(both):.1f} times fewer on all {len(both)} overlapping problems, "
            f"{median(listed):.1f} on the {len(listed)} listed, {median(slow):.1f} on {len(slow)} of these "
            f"that take EM {SLOW}, {median(others):.1f} on {len(others)} drawn at random; "
            f"at most {worst[method]:.2f} times as many on the easy ones"
        )


if __name__ == "__main__":
    main()
