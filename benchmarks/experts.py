"""Mixtures of experts: known maxima, and time and likelihood beside cgmm: ``python -m benchmarks.experts``.

The time of an iteration is that of a fit of many iterations less that of a few, both from starts of their own
that do not count. The likelihoods are those of default fits, from one seed, without the penalty of the gate.
cgmm comes from PyPI; without it only ours runs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from gaussmix import MixtureOfExpertsRegressor
from gaussmix._typing import Float64Array

#: Problems: rows, columns, experts, outputs.
PROBLEMS = ((1000, 1, 3, 1), (2000, 5, 4, 1), (2000, 5, 4, 2), (20_000, 5, 4, 1))
#: Iterations of the shorter and of the longer fit.
FEW, MANY = 2, 6
#: Runs, of which the median counts.
REPEATS = 3
#: Data and references that come with the tests.
KNOWN = Path(__file__).parents[1] / "tests/reference/experts.json"


def make_problem(n: int, d: int, k: int, m: int) -> tuple[Float64Array, Float64Array]:
    """Rows of k regressions, of which each has a region of the inputs, with a blurred border."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d))
    labels = (X @ rng.normal(size=(d, k)) * 2.0 + rng.gumbel(size=(n, k))).argmax(axis=1)
    slopes, levels = rng.normal(size=(k, d, m)), 2.0 * rng.normal(size=(k, m))
    Y = np.einsum("nd,ndm->nm", X, slopes[labels]) + levels[labels]
    return X, Y + rng.uniform(0.1, 0.5, size=k)[labels, None] * rng.normal(size=(n, m))


def time_iteration(fit: Callable[[int], Any]) -> float:
    """Median seconds of an iteration of a fit of so many."""
    times = []
    for _ in range(REPEATS):
        spent = []
        for n_iter in (FEW, MANY):
            begin = time.perf_counter()
            fit(n_iter)
            spent.append(time.perf_counter() - begin)
        times.append((spent[1] - spent[0]) / (MANY - FEW))
    return statistics.median(times)


def compare(n: int, d: int, k: int, m: int) -> str:
    """A row of the table."""
    X, Y = make_problem(n, d, k, m)
    Y = Y[:, 0] if m == 1 else Y
    labels = np.random.default_rng(1).integers(k, size=n)

    def fit_ours(n_iter: int) -> None:
        # many times as many, or the time would be that of everything else
        MixtureOfExpertsRegressor(k, init_params=labels, tol=0.0, max_iter=20 * n_iter).fit(X, Y)

    ours = time_iteration(fit_ours) / 20.0
    begin = time.perf_counter()
    mine = MixtureOfExpertsRegressor(k, random_state=0).fit(X, Y)
    took, reached = time.perf_counter() - begin, mine.fit_result_.mean_log_likelihood
    cells = [f"{n:,}", str(d), str(k), str(m), f"{1e3 * ours:.2f}", f"{took:.1f}", f"{reached:.4f}"]
    try:
        from cgmm import MixtureOfExpertsRegressor as Theirs
    except ImportError:
        return "| " + " | ".join([*cells, "", "", "", ""]) + " |"

    def fit_theirs(n_iter: int) -> None:
        Theirs(k, tol=-np.inf, max_iter=n_iter, random_state=0).fit(X, Y)

    theirs = time_iteration(fit_theirs)
    begin = time.perf_counter()
    other = Theirs(k, random_state=0).fit(X, Y)
    took = time.perf_counter() - begin
    cells += [
        f"{1e3 * theirs:.1f}",
        f"{took:.1f}",
        f"{other.log_prob(X, Y).mean():.4f}",
        f"{theirs / ours:.0f}",
    ]
    return "| " + " | ".join(cells) + " |"


def find_known_maxima() -> list[str]:
    """Log-likelihoods of default fits to NPreg, Nclus and the tone data, beside R's."""
    known = json.loads(KNOWN.read_text(encoding="utf-8"))
    npreg, nclus, tone = known["npreg"], np.array(known["nclus"]["X"]), known["tone"]
    fits = {
        "npreg": MixtureOfExpertsRegressor(2, gate=None, basis=2, random_state=0).fit(
            np.array(npreg["x"])[:, None], npreg["y"]
        ),
        "nclus": MixtureOfExpertsRegressor(4, gate=None, basis=0, random_state=0).fit(
            np.zeros((len(nclus), 1)), nclus
        ),
        "tone": MixtureOfExpertsRegressor(2, gate=None, random_state=0).fit(
            np.array(tone["stretchratio"])[:, None], tone["tuned"]
        ),
    }
    return [
        f"| {name} | {fit.fit_result_.log_likelihood:.5f} | {known[name]['log_likelihood']:.5f} |"
        for name, fit in fits.items()
    ]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="without the largest problem")
    arguments = parser.parse_args()
    print("| data | log-likelihood | flexmix, mixtools |\n|---|---:|---:|")
    print("\n".join(find_known_maxima()))
    print(
        "\n| n | d | k | outputs | ours: ms an iteration | s in all | mean log-likelihood "
        "| cgmm: ms | s in all | mean log-likelihood | ratio |"
    )
    print("|---:" * 11 + "|")
    warnings.simplefilter("ignore")
    for problem in PROBLEMS[:-1] if arguments.quick else PROBLEMS:
        print(compare(*problem), flush=True)


if __name__ == "__main__":
    main()
